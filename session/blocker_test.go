package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// fill fills in what a way out leaves to the host: a resource and a digest that
// nobody has, a reason, a time.
func fill(w session.WayOut) session.Command {
	switch c := w.Command.(type) {
	case session.Link:
		c.Resource = resource("another", c.Resource.Type.String(), statusesOf(c.Resource.Type.String())[0])
		c.Inputs = inputs("others")
		return c
	case session.Resolve:
		c.Reason, c.By = "seen in person", "agent 7"
		return c
	case session.Transition:
		c.At = at(86400)
		return c
	default:
		return nil
	}
}

func waysOf(b session.Blocker) []string {
	var ways []string
	for _, w := range b.WaysOut {
		ways = append(ways, w.Way.String())
	}
	return ways
}

// SES-9: for every kind and status, what blocks and every way out of it. A way
// that is offered is accepted and ends the block; the others are refused.
func TestSES9_WaysOut(t *testing.T) {
	tests := []struct{ typ, status, ways string }{
		{signature, "rejected", "retry delete"},
		{signature, "declined", "retry delete"},
		{signature, "canceled", "retry delete"},
		{signature, "expired", "retry delete reactivate"},
		{company, "failed", "retry resolve"},
		{company, "inconclusive", "retry resolve"},
		{video, "failed", "retry resolve"},
		{video, "inconclusive", "retry resolve"},
		{invoice, "failed", "retry resolve"},
		{invoice, "inconclusive", "retry resolve"},
	}
	for _, test := range tests {
		t.Run("SES-9: "+test.typ+" "+test.status, func(t *testing.T) {
			s := begin(t).do(link("a", test.typ, test.status)).s
			require.Len(t, s.Blockers(), 1)
			b := s.Blockers()[0]
			assert.Equal(t, "a", b.Resource.ID)
			assert.Equal(t, test.status, b.Resource.Status.String())
			assert.Equal(t, group.TypeOf(b.Resource.Type), b.Group)
			assert.Equal(t, 1, b.Attempt)
			assert.Equal(t, strings.Fields(test.ways), waysOf(b))

			for _, w := range b.WaysOut {
				next, change, err := session.Apply(s, fill(w), at(86400))
				require.NoError(t, err, w)
				assert.Equal(t, action.Taken, change.Outcome, w)
				assert.NotEqual(t, session.Blocked, next.Status(), w)
				assert.Empty(t, next.Blockers(), w)
				assert.Equal(t, w.Way == session.WayRetry, w.AttemptsLeft == 9, "attempts left are those of a retry")
			}
			for way, c := range map[string]session.Command{
				"resolve":    resolve("a"),
				"delete":     event("a", "deleted", 1),
				"reactivate": event("a", "reactivated", 1),
			} {
				_, _, err := session.Apply(s, c, at(86400))
				assert.Equal(t, strings.Contains(test.ways, way), err == nil, "what is not offered is refused: %s", way)
			}
		})
	}
}

// SES-9: no other status blocks, and so there is nothing to get out of.
func TestSES9_NoBlocker(t *testing.T) {
	const blocking = "rejected declined canceled expired failed inconclusive"
	for _, typ := range []string{signature, company, video, invoice} {
		for _, status := range statusesOf(typ) {
			if strings.Contains(blocking, status) || status == "deleted" {
				continue
			}
			t.Run("SES-9: "+typ+" "+status, func(t *testing.T) {
				s := begin(t).do(link("a", typ, status)).s
				assert.NotEqual(t, session.Blocked, s.Status())
				assert.Empty(t, s.Blockers())
			})
		}
	}
	t.Run("SES-9: a resolved action does not block", func(t *testing.T) {
		assert.Empty(t, begin(t).do(link("a", company, "failed"), resolve("a")).s.Blockers())
	})
	t.Run("SES-9: a deleted one does not", func(t *testing.T) {
		assert.Empty(t, begin(t).do(link("a", signature, "expired"), event("a", "deleted", 1)).s.Blockers())
	})
	t.Run("SES-9: a previous attempt does not", func(t *testing.T) {
		assert.Empty(t, begin(t).do(link("a", signature, "expired"), retry("a", "b", signature, "draft")).s.Blockers())
	})
}

// SES-9: as many retries are left as ATT-5 leaves; with the last one gone, the
// other ways remain.
func TestSES9_AttemptsLeft(t *testing.T) {
	for _, test := range []struct{ typ, status, others string }{
		{company, "failed", "resolve"},
		{signature, "expired", "delete reactivate"},
	} {
		r := begin(t).do(link("1", test.typ, test.status))
		for n := 1; n <= attempt.Max; n++ {
			t.Run(fmt.Sprintf("SES-9: attempt %d of %s", n, test.typ), func(t *testing.T) {
				b := r.s.Blockers()[0]
				assert.Equal(t, n, b.Attempt)
				if n == attempt.Max {
					assert.Equal(t, strings.Fields(test.others), waysOf(b))
					return
				}
				assert.Equal(t, strings.Fields("retry "+test.others), waysOf(b))
				assert.Equal(t, 10-n, b.WaysOut[0].AttemptsLeft)
				assert.Equal(t, session.Link{
					Resource: action.Resource{Type: b.Resource.Type}, PreviousAttemptID: fmt.Sprint(n),
				}, b.WaysOut[0].Command)
				r.do(retry(fmt.Sprint(n), fmt.Sprint(n+1), test.typ, test.status))
			})
		}
	}
}

// SES-9: what blocks comes in template order, and within a group in the order
// of linking.
func TestSES9_Order(t *testing.T) {
	r := begin(t, group.WatchlistVerification, group.SignatureRequest, group.CompanyVerification).do(
		link("c1", company, "failed"), link("s1", signature, "expired"), link("s2", signature, "ongoing"),
		link("w1", watchlist, "failed"), link("s3", signature, "declined"), link("w2", watchlist, "inconclusive"),
	)
	var got []string
	for _, b := range r.s.Blockers() {
		got = append(got, b.Resource.ID)
	}
	assert.Equal(t, strings.Fields("w1 w2 s1 s3 c1"), got, "SES-9")
}

// SES-9: each way that is offered is one that Apply takes. Without a digest, no
// retry is (ATT-6), and none is offered.
func TestSES9_MissingDigest(t *testing.T) {
	c := link("a", signature, "expired")
	c.Inputs = attempt.Digest{}
	s := begin(t).do(c).s
	assert.Equal(t, []string{"delete", "reactivate"}, waysOf(s.Blockers()[0]))

	c = link("b", company, "failed")
	c.Inputs = attempt.Digest{}
	s = begin(t).do(c).s
	assert.Equal(t, []string{"resolve"}, waysOf(s.Blockers()[0]))
	requireRefused(t, s, retry("b", "c", company, "pending"), refusal{"ATT-6", attempt.ErrInputsUnknown, "b", nil})
}

// SES-9: a session from the public API's JSON, which never tells digests, is
// told every way out that there may be. All but the retry can be tried on it.
func TestSES9_FromDocument(t *testing.T) {
	r := begin(t).do(link("a", signature, "expired"), link("b", company, "failed"), retry("b", "c", company, "inconclusive"))
	s, _, err := session.ParseDocument([]byte(document(t, r.s)))
	require.NoError(t, err)
	blockers := s.Blockers()
	require.Len(t, blockers, 2)
	assert.Equal(t, strings.Fields("retry delete reactivate"), waysOf(blockers[0]))
	assert.Equal(t, strings.Fields("retry resolve"), waysOf(blockers[1]))
	assert.Equal(t, 8, blockers[1].WaysOut[0].AttemptsLeft)
	for _, b := range blockers {
		for _, w := range b.WaysOut {
			_, _, err := session.Apply(s, fill(w), at(86400))
			if w.Way == session.WayRetry {
				require.ErrorIs(t, err, attempt.ErrInputsUnknown, w)
			} else {
				require.NoError(t, err, w)
			}
		}
	}
	// A command that is tried on it makes it no other kind of session.
	tried, _, err := session.Apply(s, event("a", "reactivated", 86400), at(86400))
	require.NoError(t, err)
	assert.Equal(t, strings.Fields("retry resolve"), waysOf(tried.Blockers()[0]))
}

// The sentences for people.
func TestBlocker_String(t *testing.T) {
	r := begin(t).do(link("1", company, "failed"), link("a", signature, "expired"))
	for n := 1; n <= 8; n++ {
		r.do(retry(fmt.Sprint(n), fmt.Sprint(n+1), company, "failed"))
	}
	var got []string
	for _, b := range r.s.Blockers() {
		got = append(got, b.String())
	}
	assert.Equal(t, []string{
		"signature_request a is expired (attempt 1): " +
			"retry with changed inputs (9 attempts left); or delete it and create another; or reactivate it",
		"company_verification 9 is failed (attempt 9): " +
			"retry with changed inputs (1 attempt left); or resolve by hand, if it was checked outside",
	}, got)
	assert.Equal(t, "Way(0)", session.Way(0).String())
	assert.Equal(t, "Way(9)", session.WayOut{Way: 9}.String())
}
