package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/session"
)

// SES-12: an observation, event or resolution for a resource that the session
// does not have is an error.
func TestSES12_UnknownResource(t *testing.T) {
	sessions := map[string]session.Session{
		"an empty session": begin(t).s,
		"another's":        begin(t).do(link("a", company, "failed"), retry("a", "b", company, "pending")).s,
	}
	for name, s := range sessions {
		for _, id := range []string{"nobody", "", "s1", "A", "a "} {
			for _, c := range []session.Command{
				observe(id, "verified", 1), event(id, "verified", 1), resolve(id),
				session.Observe{ResourceID: id}, session.Transition{ResourceID: id}, // whatever else is wrong
			} {
				t.Run(fmt.Sprintf("SES-12: %s, %T of %q", name, c, id), func(t *testing.T) {
					requireRefused(t, s, c, refusal{"SES-12", session.ErrUnknownResource, id, nil})
				})
			}
		}
	}
}

// ATT-9: a previous attempt is frozen: what happens to its resource changes
// nothing, says why, and is no error.
func TestATT9_Frozen(t *testing.T) {
	s := begin(t).do(
		link("a", signature, "expired"), retry("a", "b", signature, "expired"), retry("b", "c", signature, "ongoing"),
	).s
	for _, id := range []string{"a", "b"} {
		for _, c := range []session.Command{
			observe(id, "deleted", 60), observe(id, "done", 60), observe(id, "ongoing", 60),
			observe(id, "expired", 0), observe(id, "draft", -60),
			event(id, "deleted", 60), event(id, "reactivated", 60), event(id, "done", 60), event(id, "deleted", -60),
		} {
			t.Run(fmt.Sprintf("ATT-9: %T of attempt %s", c, id), func(t *testing.T) {
				requireNoNews(t, s, c, action.Frozen)
			})
		}
		t.Run("ATT-9: the status is shown as it was, of "+id, func(t *testing.T) {
			assert.Contains(t, document(t, s), `{"resource":{"id":"`+id+`","created_at":"2025-09-22T14:30:00+00:00","type":"signature_request","status":"expired"`)
		})
		t.Run("RES-6: what is malformed is refused all the same, of "+id, func(t *testing.T) {
			requireRefused(t, s, observe(id, "verified", 60), refusal{"RES-6", action.ErrUnknown, id, byRank})
			requireRefused(t, s, session.Observe{ResourceID: id, Status: action.Deleted}, refusal{"ACT-4", action.ErrInvalidTime, id, nil})
		})
	}
	t.Run("RSL-2: it cannot be resolved", func(t *testing.T) {
		s := begin(t).do(link("a", company, "failed"), retry("a", "b", company, "failed")).s
		requireRefused(t, s, resolve("a"), refusal{"RSL-2", attempt.ErrNotMain, "a", []string{"b"}})
	})
}

// ACT-3, ACT-4: through a session, a resource follows its events and
// observations as package action has it.
func TestFollow(t *testing.T) {
	r := begin(t).do(link("a", signature, "approval"), observe("a", "ongoing", 100))
	outcomes := []struct {
		name    string
		command session.Command
		want    action.Outcome
	}{
		{"ACT-4: an observation of before", observe("a", "rejected", 99), action.Stale},
		{"ACT-4: of that second and a lower rank", observe("a", "approval", 100), action.Stale},
		{"ACT-4: the same again", observe("a", "ongoing", 100), action.Duplicate},
		{"ACT-4: the same again, within the second", session.Observe{ResourceID: "a", Status: action.Ongoing, AsOf: at(100).Add(999)}, action.Duplicate},
		{"ACT-4: an event of before", event("a", "approved", 99), action.Stale},
	}
	for _, test := range outcomes {
		t.Run(test.name, func(t *testing.T) { requireNoNews(t, r.s, test.command, test.want) })
	}
	refusals := []struct {
		name    string
		command session.Command
		want    refusal
	}{
		{
			"ACT-3: an event that the status does not allow", event("a", "approved", 100),
			refusal{"ACT-3", fsm.ErrNotAllowed, "a", strings.Fields("done declined canceled expired paused")},
		},
		{
			"ACT-3: an event of other types", event("a", "verified", 99),
			refusal{"ACT-3", fsm.ErrNotAllowed, "a", strings.Fields("done declined canceled expired paused")},
		},
		{
			"ACT-3: no event", session.Transition{ResourceID: "a", At: at(100)},
			refusal{"ACT-3", fsm.ErrNotAllowed, "a", strings.Fields("done declined canceled expired paused")},
		},
		{
			"ACT-4: a contradiction", observe("a", "draft", 101),
			refusal{
				"ACT-4", action.ErrContradiction, "a",
				strings.Fields("approval ongoing paused expired rejected declined canceled done deleted"),
			},
		},
		{"RES-6: a status of other types", observe("a", "failed", 101), refusal{"RES-6", action.ErrUnknown, "a", byRank}},
		{"RES-6: no status", session.Observe{ResourceID: "a", AsOf: at(101)}, refusal{"RES-6", action.ErrUnknown, "a", byRank}},
		{"ACT-4: no time", session.Observe{ResourceID: "a", Status: action.Done}, refusal{"ACT-4", action.ErrInvalidTime, "a", nil}},
		{"ACT-4: an event without time", session.Transition{ResourceID: "a", Event: action.EventDone}, refusal{"ACT-4", action.ErrInvalidTime, "a", nil}},
	}
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) { requireRefused(t, r.s, test.command, test.want) })
	}
	t.Run("ACT-4: linking sets as-of", func(t *testing.T) {
		c := link("b", company, "pending")
		c.Resource.AsOf = at(50).Add(999)
		s := begin(t).do(c).s
		assert.Equal(t, at(50), mainOf(t, s, "b").AsOf)
		requireNoNews(t, s, observe("b", "failed", 49), action.Stale)
	})
	t.Run("ACT-4: it skips what was not heard of", func(t *testing.T) {
		s := begin(t).do(link("b", signature, "draft"), observe("b", "done", 7)).s
		assert.Equal(t, session.Done, groupOf(t, s, 1).Status())
		assert.Equal(t, at(7), mainOf(t, s, "b").AsOf)
	})
}

// RSL: what a session lets a person vouch for.
func TestRSL_Resolve(t *testing.T) {
	long := session.Resolve{ResourceID: "a", Reason: strings.Repeat("é", 150), By: strings.Repeat("x", 128)}
	for _, typ := range []string{company, video, invoice} {
		for _, status := range statusesOf(typ) {
			s := begin(t).do(link("a", typ, status)).s
			t.Run("RSL-2: "+typ+" "+status, func(t *testing.T) {
				if status == "verified" || status == "done" {
					requireRefused(t, s, long, refusal{
						"RSL-2", attempt.ErrNotResolvable, "a", strings.Fields("pending awaiting_data failed inconclusive"),
					})
					return
				}
				now := at(60).Add(time.Second / 2)
				next, change, err := session.Apply(s, long, now)
				require.NoError(t, err)
				assert.Equal(t, session.Resolved(long), change.Events[0].Fact)
				got, ok := mustAction(t, next, "a").Resolution()
				assert.True(t, ok)
				assert.Equal(t, attempt.Resolution{Reason: long.Reason, By: long.By, At: at(60)}, got, "RSL-4")
				assert.Equal(t, status, mainOf(t, next, "a").Status.String(), "RSL-3: the resource keeps its status")
				requireRefused(t, next, long, refusal{"RSL-5", attempt.ErrResolved, "a", nil})
			})
		}
	}
	for _, status := range statusesOf(signature) {
		if status != "deleted" {
			t.Run("RSL-1: a signature request that is "+status, func(t *testing.T) {
				requireRefused(t, begin(t).do(link("a", signature, status)).s, resolve("a"),
					refusal{"RSL-1", attempt.ErrNotVerification, "a", nil})
			})
		}
	}
	s := begin(t).do(link("a", company, "failed")).s
	for name, c := range map[string]session.Resolve{
		"a reason of 151 characters": {ResourceID: "a", Reason: strings.Repeat("é", 151)},
		"a reason that is no text":   {ResourceID: "a", Reason: "\xff"},
		"NUL in a reason":            {ResourceID: "a", Reason: "\x00"},
		"129 bytes of who":           {ResourceID: "a", By: strings.Repeat("x", 129)},
	} {
		t.Run("RSL-4: "+name, func(t *testing.T) {
			requireRefused(t, s, c, refusal{"RSL-4", attempt.ErrInvalidReason, "a", nil})
		})
	}
	t.Run("RSL-3: later observations change the resource, not what the group reads", func(t *testing.T) {
		r := begin(t).do(link("a", company, "pending"), resolve("a"))
		for i, status := range []string{"pending", "inconclusive"} {
			r.do(observe("a", status, i+1))
			assert.Equal(t, status, mainOf(t, r.s, "a").Status.String())
			assert.Equal(t, session.Done, groupOf(t, r.s, 4).Status())
		}
	})
	t.Run("RSL-4: neither reason nor who has to be given", func(t *testing.T) {
		next, _, err := session.Apply(s, session.Resolve{ResourceID: "a"}, at(60))
		require.NoError(t, err)
		got, _ := mustAction(t, next, "a").Resolution()
		assert.Equal(t, attempt.Resolution{At: at(60)}, got)
	})
}
