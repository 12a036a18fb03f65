package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

// SES-8: updated_at moves with every change that the API would show and with
// nothing else, and never backwards. All commands come after the same ones;
// the last of these came at the start and an hour.
func TestSES8_UpdatedAt(t *testing.T) {
	const hour, day = 3600, 86400
	r := begin(t)
	r.now = start.Add(time.Hour - 8*time.Minute)
	r.do(
		link("a", company, "pending"), link("failed", company, "failed"),
		link("old", signature, "expired"), retry("old", "sr", signature, "expired"), link("gone", signature, "draft"),
		event("gone", "deleted", 60), link("b", company, "pending"), resolve("b"),
	)
	require.Equal(t, at(hour), r.s.UpdatedAt())
	tests := []struct {
		name    string
		command session.Command
		now     time.Time
		want    time.Time
		events  int
	}{
		{"a new action", link("c", company, "pending"), at(day), at(day), 1},
		{"a draft, although no status moves", link("c", signature, "draft"), at(day), at(day), 1},
		{"a retry", retry("failed", "c", company, "failed"), at(day), at(day), 1},
		{"a resolution", resolve("failed"), at(day), at(day), 1},
		{"an event", event("sr", "reactivated", day), at(day), at(day), 1},
		{"an observation", observe("a", "verified", day), at(day), at(day), 1},
		{"an observation of what is resolved", observe("b", "failed", day), at(day), at(day), 1},
		{"whole seconds", observe("a", "verified", day), at(day).Add(time.Second - 1), at(day), 1},
		{"the host's time, not the provider's", observe("a", "verified", 10), at(day), at(day), 1},
		{"in UTC", observe("a", "verified", 10), at(day).In(time.FixedZone("", -3600)), at(day), 1},
		{"a clock that stood still", observe("a", "verified", day), at(hour), at(hour), 1},
		{"a clock that stepped back by a second", observe("a", "verified", day), at(hour - 1), at(hour), 1},
		{"a clock that stepped back by years", observe("a", "verified", day), start.AddDate(-9, 0, 0), at(hour), 1},
		{"an as-of that moves alone: an event, but no change that shows", observe("a", "pending", day), at(day), at(hour), 1},
		{"of what blocks as well", observe("failed", "failed", day), at(day), at(hour), 1},
		{"an event that leads from deleted to deleted", event("gone", "permanently_deleted", day), at(day), at(hour), 1},
		{"a duplicate", observe("a", "pending", 0), at(day), at(hour), 0},
		{"a stale observation", observe("a", "verified", -1), at(day), at(hour), 0},
		{"a frozen attempt", observe("old", "deleted", day), at(day), at(hour), 0},
	}
	for _, test := range tests {
		t.Run("SES-8: "+test.name, func(t *testing.T) {
			s, change, err := session.Apply(r.s, test.command, test.now)
			require.NoError(t, err)
			assert.Equal(t, test.want, s.UpdatedAt())
			assert.Equal(t, r.s.CreatedAt(), s.CreatedAt())
			assert.Len(t, change.Events, test.events)
			assert.Equal(t, r.s.Version()+test.events, s.Version())
			if test.events == 0 {
				assert.True(t, s.Equal(r.s), "what changes nothing leaves the session equal to itself")
				assert.NotEqual(t, action.Taken, change.Outcome)
				return
			}
			assert.False(t, s.Equal(r.s))
			assert.Equal(t, action.Taken, change.Outcome)
			again, err := session.Replay(append(r.events[:len(r.events):len(r.events)], change.Events...))
			require.NoError(t, err)
			assert.True(t, again.Equal(s), "replay gives the same session")
		})
	}
}

// SES-8: an as-of that moves alone decides what is stale later, so it has to be
// kept although nothing shows it.
func TestSES8_AsOfAlone(t *testing.T) {
	r := begin(t).do(link("a", signature, "ongoing"))
	shown := document(t, r.s)
	change := r.apply(observe("a", "ongoing", 500))
	assert.Equal(t, shown, document(t, r.s), "nothing shows it")
	require.Len(t, change.Events, 1)
	assert.Equal(t, session.Observed{ResourceID: "a", Status: action.Ongoing, AsOf: at(500)}, change.Events[0].Fact)
	assert.False(t, change.Events[0].Group.Moved())
	assert.False(t, change.Events[0].Session.Moved())

	again, err := session.Replay(r.events)
	require.NoError(t, err)
	requireNoNews(t, again, observe("a", "paused", 499), action.Stale)
}

// What a session is said to be equal to.
func TestSession_Equal(t *testing.T) {
	of := func(commands ...session.Command) session.Session { return begin(t, 1, 4).do(commands...).s }
	a, b, c := link("a", company, "failed"), link("b", signature, "draft"), link("c", signature, "draft")
	unknown := a
	unknown.Inputs = attempt.Digest{}
	s := of(a, b, c)
	assert.True(t, s.Equal(of(a, b, c)))
	for name, other := range map[string]session.Session{
		"none":           {},
		"one more event": of(a, b, c, observe("a", "failed", 1)),
		"other inputs":   of(unknown, b, c),
		"another order":  of(a, c, b),
		"another status": of(link("a", company, "inconclusive"), b, c),
		"other groups":   begin(t, 1, 4, 5).do(a, b, c).s,
	} {
		assert.False(t, s.Equal(other), name)
		assert.False(t, other.Equal(s), name)
	}
	for _, change := range []func(c *session.Create){
		func(c *session.Create) { c.ID = "s2" },
		func(c *session.Create) { c.Name = "another" },
		func(c *session.Create) { c.Template.ID = "t2" },
		func(c *session.Create) { c.WorkspaceID = "w2" },
	} {
		one, other := create(1), create(1)
		change(&other)
		assert.False(t, created(t, one, start).Equal(created(t, other, start)))
	}
	assert.False(t, created(t, create(1), start).Equal(created(t, create(1), at(1))), "another time")
}

func created(t *testing.T, c session.Create, now time.Time) session.Session {
	t.Helper()
	s, _, err := session.New(c, now)
	require.NoError(t, err)
	return s
}
