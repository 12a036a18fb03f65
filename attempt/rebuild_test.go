package attempt_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// What no sequence of links, retries and resolutions leads to. The error names
// the attempt at fault.
func TestFromAttemptsRefuses(t *testing.T) {
	eleven := append(list(failures(t, 10)), try("11", company, "failed", "11"))
	failed := []attempt.Attempt{try("1", company, "failed", "A")}
	tests := []struct {
		name       string
		attempts   []attempt.Attempt
		resolution *attempt.Resolution
		rule       string
		is         error
		says       string
	}{
		{
			"ATT-1: a pending attempt was replaced",
			[]attempt.Attempt{try("1", company, "pending", "A"), try("2", company, "failed", "B")},
			nil, "ATT-1", attempt.ErrNotBlocking, "attempt 2",
		},
		{
			"ATT-1: a deleted attempt was replaced",
			[]attempt.Attempt{try("1", signature, "deleted", "A"), try("2", signature, "draft", "B")},
			nil, "ATT-1", attempt.ErrNotBlocking, "attempt 2",
		},
		{
			"ATT-2: a success was replaced",
			[]attempt.Attempt{failed[0], try("2", company, "verified", "B"), try("3", company, "failed", "C")},
			nil, "ATT-2", attempt.ErrComplete, "attempt 3",
		},
		{
			"ATT-4: the type changed", []attempt.Attempt{failed[0], try("2", video, "failed", "B")},
			nil, "ATT-4", attempt.ErrTypeChanged, "attempt 2",
		},
		{"ATT-5: eleven attempts", eleven, nil, "ATT-5", attempt.ErrTooMany, "attempt 11"},
		{
			"ATT-6: the inputs did not change", []attempt.Attempt{failed[0], try("2", company, "failed", "A")},
			nil, "ATT-6", attempt.ErrInputsUnchanged, "attempt 2",
		},
		{
			"ATT-12: one resource twice",
			[]attempt.Attempt{failed[0], try("2", company, "failed", "B"), try("1", company, "failed", "C")},
			nil, "ATT-12", attempt.ErrResourceTaken, "attempt 3",
		},
		{"SES-11: no id", []attempt.Attempt{failed[0], {}}, nil, "SES-11", action.ErrInvalidID, "attempt 2"},
		{
			"RES-6: a status of other types",
			[]attempt.Attempt{{Resource: action.Resource{ID: "1", Type: failed[0].Resource.Type, Status: action.Draft}}},
			nil, "RES-6", action.ErrUnknown, "attempt 1",
		},
		{
			"RSL-1: a resolved signature request", []attempt.Attempt{try("1", signature, "declined", "A")},
			&attempt.Resolution{At: at(1)}, "RSL-1", attempt.ErrNotVerification, "signature_request",
		},
		{
			"RSL-4: a long reason", failed, &attempt.Resolution{Reason: strings.Repeat("x", 151)},
			"RSL-4", attempt.ErrInvalidReason, "151",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := attempt.FromAttempts(test.attempts, test.resolution)
			var refusal *action.Refusal
			require.ErrorAs(t, err, &refusal)
			require.ErrorIs(t, err, test.is)
			require.ErrorContains(t, err, test.says)
			require.Equal(t, test.rule, refusal.Rule)
			require.True(t, got.Equal(attempt.Chain{}))
		})
	}
	t.Run("no attempt at all", func(t *testing.T) {
		_, err := attempt.FromAttempts(nil, nil)
		require.EqualError(t, err, "attempt: a chain without attempts")
	})
}

// What commands can lead to, however unlikely it looks, can be read back.
func TestFromAttemptsAccepts(t *testing.T) {
	expired := try("1", signature, "expired", "A")
	backAndForth := chainOf(t,
		try("1", company, "failed", "A"), try("2", company, "failed", "B"), try("3", company, "failed", "A"))
	tests := map[string]attempt.Chain{
		"one attempt":                        failures(t, 1),
		"ATT-5: ten attempts":                failures(t, 10),
		"ATT-6: A, B, A":                     backAndForth,
		"ATT-1: a deleted first attempt":     observed(t, chainOf(t, expired), "deleted"),
		"ATT-1: a retry that was deleted":    observed(t, chainOf(t, expired, try("2", signature, "expired", "B")), "deleted"),
		"RSL-3: resolved":                    resolved(t, failures(t, 3)),
		"RSL-3: resolved, and then verified": observed(t, resolved(t, chainOf(t, try("1", company, "pending", "A"))), "verified"),
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := rebuilt(c)
			require.NoError(t, err)
			requireEqual(t, c, got)
		})
	}
}

// ATT-6: a document need not tell digests or times. What it does not tell stays
// unknown, and an attempt without digest cannot be replaced.
func TestFromAttemptsWithoutDigestsAndTimes(t *testing.T) {
	bare := func(id string, in attempt.Digest) attempt.Attempt {
		return attempt.Attempt{
			Resource: action.Resource{ID: id, Type: action.TypeCompanyVerification, Status: action.Failed}, Inputs: in,
		}
	}
	unknown, known := attempt.Digest{}, inputs("A")
	for _, attempts := range [][]attempt.Attempt{
		{bare("1", unknown), bare("2", unknown)},
		{bare("1", known), bare("2", unknown)},
		{bare("1", unknown), bare("2", known)},
		{bare("1", unknown), bare("2", known), bare("3", unknown), bare("4", unknown)},
		{bare("1", known), bare("2", unknown), bare("3", known)},
	} {
		c, err := attempt.FromAttempts(attempts, &attempt.Resolution{})
		require.NoError(t, err)
		require.Equal(t, attempts, list(c))
		r, ok := c.Resolution()
		require.True(t, ok)
		require.Zero(t, r)

		c, err = attempt.FromAttempts(attempts, nil)
		require.NoError(t, err)
		refusals := c.Refusals(attempt.Retry{Replaces: c.Main().Resource.ID, Next: try("new", company, "pending", "N")})
		if c.Main().Inputs == known {
			require.Empty(t, refusals)
			continue
		}
		require.Len(t, refusals, 1)
		require.ErrorIs(t, refusals[0], attempt.ErrInputsUnknown)
	}
}

// What a chain shows may be kept as JSON; a digest that is not known is left
// out, and so is what a resolution does not say.
func TestAttemptsAsJSON(t *testing.T) {
	want := chainOf(t, try("1", company, "failed", "A"), try("2", company, "failed", "B"))
	want, err := want.Resolve("2", attempt.Resolution{Reason: "seen in person", By: "kelly", At: at(60)})
	require.NoError(t, err)
	resolution, _ := want.Resolution()

	var attempts []attempt.Attempt
	copyByJSON(t, list(want), &attempts)
	var kept attempt.Resolution
	copyByJSON(t, resolution, &kept)
	got, err := attempt.FromAttempts(attempts, &kept)
	require.NoError(t, err)
	requireEqual(t, want, got)

	text, err := json.Marshal(try("1", company, "failed", ""))
	require.NoError(t, err)
	require.NotContains(t, string(text), "inputs_digest")
	text, err = json.Marshal(attempt.Resolution{})
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(text))
}

func copyByJSON(t *testing.T, from, to any) {
	t.Helper()
	text, err := json.Marshal(from)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, to))
}

// The chain has its own memory: what its maker does later with the list, or
// with the resolution, changes nothing.
func TestFromAttemptsCopies(t *testing.T) {
	want := resolved(t, failures(t, 3))
	attempts := list(want)
	resolution, _ := want.Resolution()
	got, err := attempt.FromAttempts(attempts, &resolution)
	require.NoError(t, err)
	for i := range attempts {
		attempts[i] = attempt.Attempt{}
	}
	resolution.Reason = "changed"
	requireEqual(t, want, got)
}
