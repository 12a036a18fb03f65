package attempt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// ATT-10: the platform's guide has this table of three attempts. A group reads
// of them failed, then inconclusive, then verified; the statuses of previous
// attempts are no longer used.
func TestGuideThreeAttempts(t *testing.T) {
	c := chainOf(t, try("1", company, "failed", "A"))
	require.Equal(t, action.Failed, c.Main().Resource.Status)
	require.True(t, c.Main().Resource.Status.IsBlocking())

	c = chainOf(t, try("1", company, "failed", "A"), try("2", company, "pending", "B"))
	c = observed(t, c, "inconclusive")
	require.Equal(t, action.Inconclusive, c.Main().Resource.Status)
	require.True(t, c.Main().Resource.Status.IsBlocking())

	c, err := c.Retry(attempt.Retry{Replaces: "2", Next: try("3", company, "pending", "C")})
	require.NoError(t, err)
	c = observed(t, c, "verified")
	require.Equal(t, action.Verified, c.Main().Resource.Status)

	var statuses []string
	for n, a := range c.Attempts() {
		require.Equal(t, n, c.Number(a.Resource.ID))
		statuses = append(statuses, a.Resource.Status.String())
	}
	require.Equal(t, []string{"failed", "inconclusive", "verified"}, statuses)
	require.Equal(t, 3, c.VerificationsUsed(), "ATT-11")
}

// malformation is an attempt that no chain takes, and why.
type malformation struct {
	name  string
	first attempt.Attempt
	want  refusal
}

func malformed() []malformation {
	tests := []malformation{
		{"SES-11: no id", attempt.Attempt{}, refusal{
			is: action.ErrInvalidID, rule: "SES-11", subject: "a resource without id",
		}},
		{"RES-6: no type", attempt.Attempt{}, refusal{is: action.ErrUnknown, rule: "RES-6", subject: "x"}},
		{"RES-6: a status of other types", attempt.Attempt{}, refusal{
			is: action.ErrUnknown, rule: "RES-6", subject: "x",
		}},
		{"ACT-4: no time of the status", attempt.Attempt{}, refusal{
			is: action.ErrInvalidTime, rule: "ACT-4", subject: "x",
		}},
	}
	for i := range tests {
		tests[i].first = try("x", video, "failed", "A")
	}
	tests[0].first.Resource.ID = ""
	tests[1].first.Resource.Type = 0
	tests[2].first.Resource.Status = action.AwaitingData
	tests[3].first.Resource.AsOf = time.Time{}
	return tests
}

func TestStart(t *testing.T) {
	t.Run("any status of the type but deleted", func(t *testing.T) {
		for typ, statuses := range statusesOf {
			for _, status := range statuses {
				c, err := attempt.Start(try("1", typ, status, ""))
				if status == "deleted" {
					requireRefusal(t, refusal{
						attempt.ErrDeleted, "SES-4", "1", nil,
						"attempt: link of 1 refused: it is deleted (SES-4)",
					}, err, attempt.Chain{}, c)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, []attempt.Attempt{try("1", typ, status, "")}, list(c))
				require.Equal(t, 1, c.Len())
			}
		}
	})
	for _, test := range malformed() {
		t.Run(test.name, func(t *testing.T) {
			c, err := attempt.Start(test.first)
			requireRefusal(t, test.want, err, attempt.Chain{}, c)
		})
	}
}

// ACT-4: provider's times are kept in whole seconds, in UTC, so that they can
// be compared with ==.
func TestTimesAreNormal(t *testing.T) {
	paris := time.FixedZone("CET", 3600)
	exact := func(id, in string) attempt.Attempt { return try(id, company, "failed", in) }
	shifted := func(id, in string) attempt.Attempt {
		a := exact(id, in)
		a.Resource.CreatedAt = a.Resource.CreatedAt.Add(999 * time.Millisecond).In(paris)
		a.Resource.AsOf = a.Resource.AsOf.Add(time.Nanosecond).In(paris)
		return a
	}
	want := chainOf(t, exact("1", "A"), exact("2", "B"))
	want, err := want.Resolve("2", attempt.Resolution{At: at(5)})
	require.NoError(t, err)

	got := chainOf(t, shifted("1", "A"), shifted("2", "B"))
	got, err = got.Resolve("2", attempt.Resolution{At: at(5).Add(time.Millisecond).In(paris)})
	require.NoError(t, err)
	requireEqual(t, want, got)

	got, err = attempt.FromAttempts([]attempt.Attempt{shifted("1", "A"), shifted("2", "B")},
		&attempt.Resolution{At: at(5).Add(time.Millisecond).In(paris)})
	require.NoError(t, err)
	requireEqual(t, want, got)
}

// requireEqual checks Equal both ways, and by what the chains show.
func requireEqual(t require.TestingT, want, got attempt.Chain) {
	require.Equal(t, list(want), list(got))
	wantR, wantOK := want.Resolution()
	gotR, gotOK := got.Resolution()
	require.Equal(t, wantR, gotR)
	require.Equal(t, wantOK, gotOK)
	require.True(t, want.Equal(got))
	require.True(t, got.Equal(want))
}

// Equal tells apart chains that differ in anything that they show.
func TestEqual(t *testing.T) {
	change := func(f func(a *attempt.Attempt)) attempt.Chain {
		a := try("1", company, "failed", "A")
		f(&a)
		return chainOf(t, a)
	}
	vouched := func(r attempt.Resolution) attempt.Chain {
		c, err := failures(t, 1).Resolve("1", r)
		require.NoError(t, err)
		return c
	}
	chains := map[string]attempt.Chain{
		"none":            {},
		"plain":           change(func(*attempt.Attempt) {}),
		"id":              change(func(a *attempt.Attempt) { a.Resource.ID = "2" }),
		"type":            change(func(a *attempt.Attempt) { a.Resource.Type = action.TypeWatchlistVerification }),
		"status":          change(func(a *attempt.Attempt) { a.Resource.Status = action.Pending }),
		"workspace":       change(func(a *attempt.Attempt) { a.Resource.WorkspaceID = "w" }),
		"created at":      change(func(a *attempt.Attempt) { a.Resource.CreatedAt = at(1) }),
		"as of":           change(func(a *attempt.Attempt) { a.Resource.AsOf = at(1) }),
		"inputs":          change(func(a *attempt.Attempt) { a.Inputs = inputs("B") }),
		"inputs unknown":  change(func(a *attempt.Attempt) { a.Inputs = attempt.Digest{} }),
		"two attempts":    failures(t, 2),
		"three attempts":  failures(t, 3),
		"previous differ": chainOf(t, try("1", company, "inconclusive", "1"), try("2", company, "failed", "2")),
		"resolved":        vouched(attempt.Resolution{At: at(1)}),
		"resolved later":  vouched(attempt.Resolution{At: at(2)}),
		"with a reason":   vouched(attempt.Resolution{At: at(1), Reason: "seen"}),
		"by somebody":     vouched(attempt.Resolution{At: at(1), By: "seen"}),
	}
	for a, one := range chains {
		for b, other := range chains {
			assert.Equal(t, a == b, one.Equal(other), "%s and %s", a, b)
		}
	}
}

// The zero Chain is none: it has nothing, and nothing can be done with it.
func TestZeroChain(t *testing.T) {
	var none attempt.Chain
	require.Zero(t, none.Len())
	require.Equal(t, attempt.Max, none.Left())
	require.Zero(t, none.Number(""))
	require.Zero(t, none.Number("1"))
	require.Zero(t, none.Main())
	require.Empty(t, list(none))
	require.False(t, none.Resolvable())

	_, err := none.Retry(attempt.Retry{Next: try("1", company, "pending", "A")})
	require.Error(t, err)
	_, _, err = none.Observe("", action.Failed, at(0))
	require.ErrorIs(t, err, attempt.ErrUnknownResource)
	_, _, err = none.Transition("", action.EventFailed, at(0))
	require.ErrorIs(t, err, attempt.ErrUnknownResource)
	_, err = none.Resolve("", attempt.Resolution{At: at(0)})
	require.ErrorIs(t, err, attempt.ErrUnknownResource)
}

// Attempts stops where its reader does.
func TestAttemptsStops(t *testing.T) {
	c := failures(t, 3)
	for stop := 1; stop <= 3; stop++ {
		var seen []int
		for n := range c.Attempts() {
			seen = append(seen, n)
			if n == stop {
				break
			}
		}
		require.Equal(t, []int{1, 2, 3}[:stop], seen)
	}
}

// What a reader does with what it was given does not reach into the chain.
func TestReadersGetCopies(t *testing.T) {
	c := resolved(t, failures(t, 2))
	shown, before := list(c), c
	list(c)[0].Resource.ID = "changed"
	r, _ := c.Resolution()
	r.Reason = "changed"
	main := c.Main()
	main.Resource.Status = action.Verified
	require.Equal(t, shown, list(c))
	requireEqual(t, before, c)
	kept, _ := c.Resolution()
	require.NotEqual(t, r, kept)
	require.NotEqual(t, main, c.Main())
}

// The limits are those of ATT-5 and RSL-4.
func TestLimits(t *testing.T) {
	require.Equal(t, 10, attempt.Max)
	require.Equal(t, 150, attempt.MaxReason)
}
