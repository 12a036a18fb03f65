package attempt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

func TestResolveRefusals(t *testing.T) {
	failed := chainOf(t, try("5c07d3aa", company, "inconclusive", "A"), try("79a291fc", company, "failed", "B"))
	seen := attempt.Resolution{Reason: "seen in person", At: at(60)}
	long := attempt.Resolution{Reason: strings.Repeat("é", 151), At: at(60)}
	tests := []struct {
		name       string
		chain      attempt.Chain
		resourceID string
		resolution attempt.Resolution
		want       refusal
	}{
		{
			"RSL-1: a signature request", chainOf(t, try("79a291fc", signature, "declined", "A")), "79a291fc", seen,
			refusal{
				attempt.ErrNotVerification, "RSL-1", "79a291fc", nil,
				"attempt: resolution of 79a291fc refused: resources of type signature_request cannot be resolved (RSL-1)",
			},
		},
		{
			"RSL-2: a status that needs none", chainOf(t, try("79a291fc", company, "verified", "A")), "79a291fc", seen,
			refusal{
				attempt.ErrNotResolvable, "RSL-2", "79a291fc", []string{"pending", "awaiting_data", "failed", "inconclusive"},
				"attempt: resolution of 79a291fc refused: it is verified; " +
					"allowed: pending, awaiting_data, failed, inconclusive (RSL-2)",
			},
		},
		{
			"RSL-2: a previous attempt", failed, "5c07d3aa", seen,
			refusal{
				attempt.ErrNotMain, "RSL-2", "5c07d3aa", []string{"79a291fc"},
				"attempt: resolution of 5c07d3aa refused: it is attempt 1, which was replaced; allowed: 79a291fc (RSL-2)",
			},
		},
		{
			"RSL-4: a reason of 151 characters", failed, "79a291fc", long,
			refusal{
				attempt.ErrInvalidReason, "RSL-4", "79a291fc", nil,
				"attempt: resolution of 79a291fc refused: " +
					"the reason has 151 characters; at most 150 are allowed (RSL-4)",
			},
		},
		{
			"RSL-4: a reason that is no text", failed, "79a291fc", attempt.Resolution{Reason: "\xff", At: at(60)},
			refusal{
				attempt.ErrInvalidReason, "RSL-4", "79a291fc", nil,
				"attempt: resolution of 79a291fc refused: the reason is not valid text (RSL-4)",
			},
		},
		{
			"RSL-4: a reason that no database keeps", failed, "79a291fc", attempt.Resolution{Reason: "a\x00b", At: at(60)},
			refusal{
				attempt.ErrInvalidReason, "RSL-4", "79a291fc", nil,
				"attempt: resolution of 79a291fc refused: the reason is not valid text (RSL-4)",
			},
		},
		{
			"RSL-4: a name that cannot be kept", failed, "79a291fc",
			attempt.Resolution{By: strings.Repeat("x", 129), At: at(60)},
			refusal{
				attempt.ErrInvalidReason, "RSL-4", "79a291fc", nil,
				"attempt: resolution of 79a291fc refused: " +
					"who resolved it: the id has 129 bytes; at most 128 are allowed (RSL-4)",
			},
		},
		{
			"RSL-5: a resolved action", resolved(t, failed), "79a291fc", seen,
			refusal{
				attempt.ErrResolved, "RSL-5", "79a291fc", nil,
				"attempt: resolution of 79a291fc refused: it is resolved already (RSL-5)",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.chain.Resolve(test.resourceID, test.resolution)
			requireRefusal(t, test.want, err, test.chain, got)
		})
	}
}

// RSL-1, RSL-2: what can be resolved, for every status of each kind of
// resource; Resolvable says the same beforehand.
func TestResolveByStatus(t *testing.T) {
	resolvable := map[string]bool{"pending": true, "awaiting_data": true, "failed": true, "inconclusive": true}
	for typ, statuses := range statusesOf {
		for _, status := range statuses {
			t.Run(typ+" "+status, func(t *testing.T) {
				c := withStatus(t, typ, status)
				want := typ != signature && resolvable[status]
				require.Equal(t, want, c.Resolvable())
				got, err := c.Resolve("old", attempt.Resolution{At: at(60)})
				_, isResolved := got.Resolution()
				require.Equal(t, want, err == nil)
				require.Equal(t, want, isResolved)
				require.False(t, got.Resolvable(), "RSL-5")
			})
		}
	}
}

// RSL-1: every type but one is of type verification, document analyses included.
func TestResolveEveryType(t *testing.T) {
	for _, typ := range action.Types() {
		c := chainOf(t, try("1", typ.String(), blockingStatus(typ), "A"))
		_, err := c.Resolve("1", attempt.Resolution{At: at(60)})
		require.Equal(t, typ.String() != signature, err == nil, "%s", typ)
	}
}

// RSL-3: the resource keeps its status, and later observations of it still
// change the resource, not the resolution. RSL-5: it stays resolved.
func TestResolutionAndResourceAreApart(t *testing.T) {
	c := chainOf(t, try("1", company, "pending", "A"))
	c = resolved(t, c)
	require.Equal(t, action.Pending, c.Main().Resource.Status)
	resolution, ok := c.Resolution()
	require.True(t, ok)

	for _, status := range []string{"failed", "inconclusive", "verified"} {
		later := observed(t, c, status)
		require.Equal(t, status, later.Main().Resource.Status.String())
		still, ok := later.Resolution()
		require.True(t, ok)
		require.Equal(t, resolution, still)

		_, err := later.Resolve("1", attempt.Resolution{At: at(99)})
		require.ErrorIs(t, err, attempt.ErrResolved, "RSL-5 comes before the status of RSL-2")
	}
}

// RSL-4: what a resolution carries, at its limits.
func TestResolutionIsKept(t *testing.T) {
	for name, r := range map[string]attempt.Resolution{
		"nothing but the time":  {At: at(60)},
		"a reason":              {Reason: "seen in person", At: at(60)},
		"150 characters":        {Reason: strings.Repeat("é", 150), At: at(60)},
		"who, in 128 bytes":     {By: strings.Repeat("x", 128), At: at(60)},
		"a reason of all sorts": {Reason: "line 1\nline 2 \"<&>\" \u2028\U0001F600", By: "kelly@example.com", At: at(60)},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := failures(t, 1).Resolve("1", r)
			require.NoError(t, err)
			got, ok := c.Resolution()
			require.True(t, ok)
			require.Equal(t, r, got)
		})
	}
	_, ok := failures(t, 1).Resolution()
	require.False(t, ok)
}

// RSL-4: the time is kept in whole seconds and UTC, as all times are.
func TestResolutionTime(t *testing.T) {
	c, err := failures(t, 1).Resolve("1", attempt.Resolution{
		At: at(60).Add(time.Second - 1).In(time.FixedZone("", -3600)),
	})
	require.NoError(t, err)
	got, _ := c.Resolution()
	require.Equal(t, at(60), got.At)
}
