package attempt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/fsm"
)

// ATT-9, the platform's own example: a signature request is deleted after
// another attempt took its place, and the list of attempts does not show it.
func TestGuideFrozenDeletion(t *testing.T) {
	c := chainOf(t, try("first", signature, "expired", "A"), try("second", signature, "ongoing", "B"))
	for name, follow := range map[string]func() (attempt.Chain, action.Outcome, error){
		"seen": func() (attempt.Chain, action.Outcome, error) { return c.Observe("first", action.Deleted, at(9)) },
		"strict": func() (attempt.Chain, action.Outcome, error) {
			return c.Transition("first", action.EventDeleted, at(9))
		},
	} {
		got, outcome, err := follow()
		require.NoError(t, err, name)
		require.Equal(t, action.Frozen, outcome, name)
		requireEqual(t, c, got)
		require.Equal(t, action.Expired, list(got)[0].Resource.Status, name)
	}
}

// ATT-9: whatever later happens to a previous attempt's resource: every status
// of its type, early and late, and every event.
func TestPreviousAttemptsAreFrozen(t *testing.T) {
	for typ, statuses := range statusesOf {
		blocking := blockingStatus(must(action.ParseType(typ))) // at(0) is its time
		c := chainOf(t, try("first", typ, blocking, "A"), try("second", typ, blocking, "B"), try("third", typ, blocking, "C"))
		before := list(c)
		for _, id := range []string{"first", "second"} {
			for _, when := range []time.Time{at(-1), at(0), at(1)} {
				for _, status := range statuses {
					got, outcome, err := c.Observe(id, must(action.ParseStatus(status)), when)
					require.NoError(t, err, "%s seen %s", id, status)
					require.Equal(t, action.Frozen, outcome)
					require.Equal(t, before, list(got))
				}
				for _, name := range eventsOf(typ) {
					event := must(action.ParseEvent(name))
					got, outcome, err := c.Transition(id, event, when)
					require.NoError(t, err, "%s was %s", id, event)
					require.Equal(t, action.Frozen, outcome)
					require.Equal(t, before, list(got))
				}
			}
		}
	}
}

// ATT-9: frozen says "no longer reflected", not "never read": what would be
// malformed for a main attempt is malformed for a previous one.
func TestMalformedForPreviousAttempts(t *testing.T) {
	c := failures(t, 2)
	got, outcome, err := c.Observe("1", action.Draft, at(1))
	require.Zero(t, outcome)
	requireRefusal(t, refusal{is: action.ErrUnknown, rule: "RES-6", subject: "1"}, err, c, got)

	got, outcome, err = c.Transition("1", action.EventPaused, at(1))
	require.Zero(t, outcome)
	requireRefusal(t, refusal{
		is: fsm.ErrNotAllowed, rule: "ACT-3", subject: "1",
	}, err, c, got)

	noTime := refusal{is: action.ErrInvalidTime, rule: "ACT-4", subject: "1"}
	got, outcome, err = c.Observe("1", action.Failed, time.Time{})
	require.Zero(t, outcome)
	requireRefusal(t, noTime, err, c, got)

	got, outcome, err = c.Transition("1", action.EventFailed, time.Time{})
	require.Zero(t, outcome)
	requireRefusal(t, noTime, err, c, got)
}

// ATT-10: the main attempt follows its provider as a resource alone would.
func TestMainAttemptFollows(t *testing.T) {
	c := chainOf(t, try("first", signature, "expired", "A"), try("second", signature, "ongoing", "B"))
	for _, test := range []struct {
		name   string
		status action.Status
		asOf   time.Time
		want   action.Outcome
		after  action.Status
	}{
		{"what is new is taken", action.Done, at(5), action.Taken, action.Done},
		{"what is known is a duplicate", action.Ongoing, at(0), action.Duplicate, action.Ongoing},
		{"what is older is stale", action.Draft, at(-5), action.Stale, action.Ongoing},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, outcome, err := c.Observe("second", test.status, test.asOf)
			require.NoError(t, err)
			require.Equal(t, test.want, outcome)
			require.Equal(t, test.after, got.Main().Resource.Status)
			require.Equal(t, list(c)[0], list(got)[0])
			require.Equal(t, test.want != action.Taken, c.Equal(got))
		})
	}
	t.Run("ACT-1: an event moves it", func(t *testing.T) {
		got, outcome, err := c.Transition("second", action.EventDeclined, at(5))
		require.NoError(t, err)
		require.Equal(t, action.Taken, outcome)
		require.Equal(t, action.Declined, got.Main().Resource.Status)
		require.Equal(t, at(5), got.Main().Resource.AsOf)
	})
}

// ATT-10: what a resource alone would refuse is refused, and nothing changes.
func TestMainAttemptRefuses(t *testing.T) {
	c := chainOf(t, try("first", company, "failed", "A"), try("second", company, "verified", "B"))
	got, outcome, err := c.Observe("second", action.Pending, at(60))
	require.Zero(t, outcome)
	requireRefusal(t, refusal{is: action.ErrContradiction, rule: "ACT-4", subject: "second"}, err, c, got)

	got, outcome, err = c.Transition("second", action.EventFailed, at(60))
	require.Zero(t, outcome)
	requireRefusal(t, refusal{is: fsm.ErrNotAllowed, rule: "ACT-3", subject: "second"}, err, c, got)
}

// SES-12: nothing is known of a resource that no attempt has.
func TestUnknownResource(t *testing.T) {
	c := failures(t, 2)
	want := refusal{
		attempt.ErrUnknownResource, "SES-12", "7", nil,
		"attempt: event of 7 refused: no attempt has this resource (SES-12)",
	}
	got, outcome, err := c.Observe("7", action.Failed, at(1))
	assert.Zero(t, outcome)
	requireRefusal(t, want, err, c, got)
	got, outcome, err = c.Transition("7", action.EventFailed, at(1))
	assert.Zero(t, outcome)
	requireRefusal(t, want, err, c, got)

	want.message = "attempt: resolution of 7 refused: no attempt has this resource (SES-12)"
	got, err = c.Resolve("7", attempt.Resolution{At: at(1)})
	requireRefusal(t, want, err, c, got)
}
