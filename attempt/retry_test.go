package attempt_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// One row for each way to be refused, with all that the error tells.
func TestRetryRefusals(t *testing.T) {
	failed := chainOf(t, try("79a291fc", company, "failed", "A"))
	twice := chainOf(t, try("5c07d3aa", company, "inconclusive", "A"), try("79a291fc", company, "failed", "B"))
	expired := chainOf(t, try("79a291fc", signature, "expired", "A"))
	other := try("e1b3c08d", company, "pending", "C") // what may follow a company_verification
	tests := []struct {
		name  string
		chain attempt.Chain
		retry attempt.Retry
		want  refusal
	}{
		{
			"ATT-1: a verification under way", chainOf(t, try("79a291fc", company, "pending", "A")),
			attempt.Retry{Replaces: "79a291fc", Next: other},
			refusal{
				attempt.ErrNotBlocking, "ATT-1", "79a291fc", []string{"inconclusive", "failed"},
				"attempt: retry of 79a291fc refused: attempt 1 is pending, which does not block; " +
					"allowed: inconclusive, failed (ATT-1)",
			},
		},
		{
			"ATT-1: a deleted signature request", observed(t, expired, "deleted"),
			attempt.Retry{Replaces: "79a291fc", Next: try("e1b3c08d", signature, "draft", "B")},
			refusal{
				attempt.ErrNotBlocking, "ATT-1", "79a291fc",
				[]string{"expired", "rejected", "declined", "canceled"},
				"attempt: retry of 79a291fc refused: attempt 1 is deleted, which does not block; " +
					"allowed: expired, rejected, declined, canceled (ATT-1)",
			},
		},
		{
			"ATT-2: a verification that succeeded", chainOf(t, try("79a291fc", company, "verified", "A")),
			attempt.Retry{Replaces: "79a291fc", Next: other},
			refusal{
				attempt.ErrComplete, "ATT-2", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: attempt 1 is verified (ATT-2)",
			},
		},
		{
			"ATT-3: a resolved action", resolved(t, failed),
			attempt.Retry{Replaces: "79a291fc", Next: other},
			refusal{
				attempt.ErrResolved, "ATT-3", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: its action is resolved (ATT-3)",
			},
		},
		{
			"ATT-4: another type", failed,
			attempt.Retry{Replaces: "79a291fc", Next: try("e1b3c08d", signature, "draft", "B")},
			refusal{
				attempt.ErrTypeChanged, "ATT-4", "79a291fc", []string{company},
				"attempt: retry of 79a291fc refused: e1b3c08d is of type signature_request; " +
					"allowed: company_verification (ATT-4)",
			},
		},
		{
			"ATT-5: a tenth retry", failures(t, 10), attempt.Retry{Replaces: "10", Next: other},
			refusal{
				attempt.ErrTooMany, "ATT-5", "10", nil,
				"attempt: retry of 10 refused: there are 10 attempts, as many as there may be (ATT-5)",
			},
		},
		{
			"ATT-6: the same inputs", twice,
			attempt.Retry{Replaces: "79a291fc", Next: try("e1b3c08d", company, "pending", "B")},
			refusal{
				attempt.ErrInputsUnchanged, "ATT-6", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: inputs are those of attempt 2 (ATT-6)",
			},
		},
		{
			"ATT-6: no digest of the old inputs", chainOf(t, try("79a291fc", company, "failed", "")),
			attempt.Retry{Replaces: "79a291fc", Next: other},
			refusal{
				attempt.ErrInputsUnknown, "ATT-6", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: the inputs of attempt 1 are not known (ATT-6)",
			},
		},
		{
			"ATT-6: no digest of the new inputs", failed,
			attempt.Retry{Replaces: "79a291fc", Next: try("e1b3c08d", company, "pending", "")},
			refusal{
				attempt.ErrInputsUnknown, "ATT-6", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: the inputs of e1b3c08d are not given (ATT-6)",
			},
		},
		{
			"ATT-8: an unknown or foreign id", failed, attempt.Retry{Replaces: "0d0d0d0d", Next: other},
			refusal{
				attempt.ErrNotMain, "ATT-8", "0d0d0d0d", nil,
				"attempt: retry of 0d0d0d0d refused: no attempt of this action has that resource (ATT-8)",
			},
		},
		{
			"ATT-8: an attempt that was replaced", twice, attempt.Retry{Replaces: "5c07d3aa", Next: other},
			refusal{
				attempt.ErrNotMain, "ATT-8", "5c07d3aa", []string{"79a291fc"},
				"attempt: retry of 5c07d3aa refused: it is attempt 1, which was replaced; " +
					"allowed: 79a291fc (ATT-8)",
			},
		},
		{
			"ATT-12: the resource of the attempt itself", failed,
			attempt.Retry{Replaces: "79a291fc", Next: try("79a291fc", company, "pending", "B")},
			refusal{
				attempt.ErrResourceTaken, "ATT-12", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: 79a291fc stands in attempt 1 of this action (ATT-12)",
			},
		},
		{
			"ATT-12: the resource of an older attempt", twice,
			attempt.Retry{Replaces: "79a291fc", Next: try("5c07d3aa", company, "pending", "C")},
			refusal{
				attempt.ErrResourceTaken, "ATT-12", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: 5c07d3aa stands in attempt 1 of this action (ATT-12)",
			},
		},
		{
			"ATT-12: a resource of another session", failed,
			attempt.Retry{Replaces: "79a291fc", Next: other, Elsewhere: "session 4f1d, attempt 1"},
			refusal{
				attempt.ErrResourceTaken, "ATT-12", "79a291fc", nil,
				"attempt: retry of 79a291fc refused: e1b3c08d stands in session 4f1d, attempt 1 (ATT-12)",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.chain.Retry(test.retry)
			requireRefusal(t, test.want, err, test.chain, got)
			require.Len(t, test.chain.Refusals(test.retry), 1)
			require.Equal(t, err, test.chain.Refusals(test.retry)[0])
		})
	}
}

// ATT-1, ATT-2: whether a status can be retried, for every status of each kind
// of resource. A status that is not named can.
func TestRetryByStatus(t *testing.T) {
	refused := map[string]string{
		"pending": "ATT-1", "awaiting_data": "ATT-1",
		"draft": "ATT-1", "approval": "ATT-1", "ongoing": "ATT-1", "paused": "ATT-1", "deleted": "ATT-1",
		"verified": "ATT-2", "done": "ATT-2",
	}
	retryable := map[string]bool{
		"failed": true, "inconclusive": true,
		"rejected": true, "canceled": true, "declined": true, "expired": true,
	}
	for typ, statuses := range statusesOf {
		for _, status := range statuses {
			t.Run(typ+" "+status, func(t *testing.T) {
				c := withStatus(t, typ, status)
				first := statusesOf[typ][0]
				retry := attempt.Retry{Replaces: "old", Next: try("new", typ, first, "B")}
				if retryable[status] {
					require.Empty(t, c.Refusals(retry))
					return
				}
				require.Equal(t, []string{refused[status]}, rules(c.Refusals(retry)))
			})
		}
	}
}

// withStatus is a chain of one attempt. No chain starts deleted (SES-4), but it
// may become so.
func withStatus(t require.TestingT, typ, status string) attempt.Chain {
	if status == "deleted" {
		return observed(t, chainOf(t, try("old", typ, "draft", "A")), "deleted")
	}
	return chainOf(t, try("old", typ, status, "A"))
}

// ATT-4: of all resource types, exactly the same one may follow.
func TestRetryEveryPairOfTypes(t *testing.T) {
	for _, was := range action.Types() {
		for _, now := range action.Types() {
			c := chainOf(t, try("old", was.String(), blockingStatus(was), "A"))
			retry := attempt.Retry{Replaces: "old", Next: try("new", now.String(), blockingStatus(now), "B")}
			refusals := c.Refusals(retry)
			if was == now {
				assert.Empty(t, refusals, "%s", was)
				continue
			}
			assert.Equal(t, []string{"ATT-4"}, rules(refusals), "%s after %s", now, was)
		}
	}
}

func blockingStatus(typ action.Type) string {
	if typ == action.TypeSignatureRequest {
		return "expired"
	}
	return "failed"
}

// ATT-5: the original is number 1, so nine retries pass and the tenth does not.
func TestRetryNineTimes(t *testing.T) {
	c := chainOf(t, try("1", company, "failed", "1"))
	for n := 2; n <= 10; n++ {
		require.Equal(t, 11-n, c.Left())
		id := strconv.Itoa(n)
		next, err := c.Retry(attempt.Retry{Replaces: c.Main().Resource.ID, Next: try(id, company, "failed", id)})
		require.NoError(t, err, "retry %d", n-1)
		require.Equal(t, n, next.Len())
		c = next
	}
	require.Zero(t, c.Left())
	_, err := c.Retry(attempt.Retry{Replaces: "10", Next: try("11", company, "failed", "11")})
	require.ErrorIs(t, err, attempt.ErrTooMany)
}

// ATT-6: only the attempt that is replaced is compared with, so that a person
// may go back to what was tried before it.
func TestRetryGoesBackToOlderInputs(t *testing.T) {
	c := chainOf(t,
		try("1", company, "failed", "A"), try("2", company, "failed", "B"), try("3", company, "failed", "A"))
	require.Equal(t, 3, c.Len())
}

// ATT-7: after seven days nothing of the old resource needs to be known but
// the digest of its inputs.
func TestRetryAfterAnonymisation(t *testing.T) {
	old := try("old", company, "failed", "A")
	old.Resource.CreatedAt, old.Resource.AsOf = at(0).AddDate(0, 0, -8), at(0).AddDate(0, 0, -8)
	c := chainOf(t, old, try("new", company, "pending", "B"))
	require.Equal(t, "new", c.Main().Resource.ID)

	c, err := attempt.FromAttempts([]attempt.Attempt{{
		Resource: action.Resource{ID: "old", Type: old.Resource.Type, Status: old.Resource.Status},
		Inputs:   old.Inputs,
	}}, nil)
	require.NoError(t, err)
	_, err = c.Retry(attempt.Retry{Replaces: "old", Next: try("new", company, "pending", "B")})
	require.NoError(t, err)
}

// ATT-8: the new attempt is the main one at once, and the one before it keeps
// its last status.
func TestRetryReplacesAtOnce(t *testing.T) {
	c := chainOf(t, try("old", signature, "ongoing", "A"))
	c = observed(t, c, "declined")
	last := c.Main()

	next := try("new", signature, "draft", "B")
	c, err := c.Retry(attempt.Retry{Replaces: "old", Next: next})
	require.NoError(t, err)
	require.Equal(t, next, c.Main())
	require.Equal(t, []attempt.Attempt{last, next}, list(c))
	require.Equal(t, 1, c.Number("old"))
	require.Equal(t, 2, c.Number("new"))
	require.Zero(t, c.Number("neither"))
}

// ATT-10: an attempt may be final from the start, whatever final means.
func TestRetryFinalFromTheStart(t *testing.T) {
	for typ, statuses := range statusesOf {
		for _, status := range statuses {
			if status == "deleted" {
				continue // SES-4
			}
			c := chainOf(t, try("old", typ, blockingStatus(must(action.ParseType(typ))), "A"))
			c, err := c.Retry(attempt.Retry{Replaces: "old", Next: try("new", typ, status, "B")})
			require.NoError(t, err, "%s %s", typ, status)
			require.Equal(t, status, c.Main().Resource.Status.String())
		}
	}
}

// ATT-11: every attempt of a verification counts, failed ones included.
func TestVerificationsUsed(t *testing.T) {
	require.Equal(t, 10, failures(t, 10).VerificationsUsed())
	require.Equal(t, 1, chainOf(t, try("1", invoice, "done", "A")).VerificationsUsed())
	require.Zero(t, chainOf(t, try("1", signature, "expired", "A"), try("2", signature, "draft", "B")).VerificationsUsed())
	require.Zero(t, attempt.Chain{}.VerificationsUsed())
}

// What no chain may hold is refused before any rule is asked.
func TestRetryMalformedResource(t *testing.T) {
	c := failures(t, 1)
	for _, test := range malformed() {
		t.Run(test.name, func(t *testing.T) {
			got, err := c.Retry(attempt.Retry{Replaces: "1", Next: test.first})
			requireRefusal(t, test.want, err, c, got)
		})
	}
}
