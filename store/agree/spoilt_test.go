package agree_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// Whatever happens to the rows of one session, both databases answer the same,
// whatever is done with them afterwards; and the others are as they were.
func TestSpoilt(t *testing.T) {
	t.Parallel()
	subjects := databases(t)
	rapid.Check(t, func(t *rapid.T) { newCourse(t, subjects).runSpoilt() })
}

// runSpoilt begins with some sessions, spoils rows of one, and goes on.
func (c *course) runSpoilt() {
	for _, id := range names[:3] {
		s, events := c.further(c.T, id, session.Session{}, rapid.IntRange(1, 8).Draw(c.T, "commands"))
		if s.ID() == id {
			c.saveThis(c.T, s, events)
		}
	}
	stored := c.old
	if len(stored) == 0 {
		c.Skip("nothing was stored")
	}
	spoilt := rapid.SampledFrom(stored).Draw(c.T, "spoilt")
	for range rapid.IntRange(1, 3).Draw(c.T, "damages") {
		c.spoil(c.T, c.damage(c.T, spoilt, stored))
	}
	c.damaged = true
	for _, s := range stored {
		if s.ID() != spoilt.ID() {
			c.unaffected(c.T, s)
		}
	}
	c.compare()
	c.run()
}

// spoil runs a statement past all stores. None may accept what others refuse.
func (c *course) spoil(t rapid.TB, statement string) {
	t.Helper()
	c.ask(t, statement, func(s *subject) (a answer) {
		a.say("refused: %t", s.execute(statement) != nil)
		return a
	})
}

// unaffected checks that a session can be read, and is what its events lead to.
func (c *course) unaffected(t rapid.TB, want session.Session) {
	t.Helper()
	for _, s := range c.subjects {
		got, err := s.Load(c.ctx(), want.ID())
		require.NoError(t, err, s.name)
		require.True(t, want.Equal(got), s.name)
		require.NoError(t, session.Verify(c.ctx(), s.store, want.ID()), s.name)
	}
}

// damage draws a statement that changes rows of a session.
func (c *course) damage(t *rapid.T, s session.Session, all []session.Session) string {
	kinds := slices.Sorted(maps.Keys(damages))
	d := scene{
		T: t, subjects: c.subjects, spoilt: s, other: rapid.SampledFrom(all).Draw(t, "other"),
		version: rapid.IntRange(1, s.Version()).Draw(t, "version"),
	}
	return damages[rapid.SampledFrom(kinds).Draw(t, "damage")](d)
}

// scene is what a damage is drawn for.
type scene struct {
	*rapid.T
	subjects      []*subject
	spoilt, other session.Session
	version       int // of one of the events
}

// ofSession returns a statement that changes the row of the session.
func (d scene) ofSession(change string) string {
	return fmt.Sprintf("UPDATE sluice_sessions SET %s WHERE id = %s", change, quote(d.spoilt.ID()))
}

// ofEvent returns a statement that does something to what one event has made.
func (d scene) ofEvent(statement string) string {
	return fmt.Sprintf("%s WHERE session_id = %s AND version = %d", statement, quote(d.spoilt.ID()), d.version)
}

// ofAll returns a statement that does something to what all events have made.
func (d scene) ofAll(statement string) string {
	return fmt.Sprintf("%s WHERE session_id = %s", statement, quote(d.spoilt.ID()))
}

// one draws one of several texts, and returns it as SQL has it.
func (d scene) one(texts ...string) string {
	return quote(rapid.SampledFrom(texts).Draw(d.T, "value"))
}

// event returns the event as it is stored.
func (d scene) event() string {
	for _, s := range d.subjects {
		events, err := s.History(context.Background(), d.spoilt.ID(), d.version-1)
		if err == nil && len(events) > 0 {
			text, err := json.Marshal(events[0])
			if err == nil {
				return string(text)
			}
		}
	}
	return "{}" // it is spoilt already
}

// eventOf is the first event of a session.
func eventOf(s session.Session) string {
	return "(SELECT event FROM sluice_events WHERE version = 1 AND session_id = " + quote(s.ID()) + ")"
}

// damages are what may happen to the rows of a session.
var damages = map[string]func(scene) string{
	"a snapshot is changed": func(d scene) string {
		return d.ofSession("snapshot = " + quote(spoiltJSON(d.T, snapshot(d.spoilt))))
	},
	"a snapshot is another's": func(d scene) string { return d.ofSession("snapshot = " + quote(snapshot(d.other))) },
	"a version is lower": func(d scene) string {
		return d.ofSession("version = CASE WHEN version > 1 THEN version - 1 ELSE 7 END")
	},
	"a version is higher":    func(d scene) string { return d.ofSession("version = version + 1000") },
	"a status is changed":    func(d scene) string { return d.ofSession("status = " + d.one("done", "ongoing", "x", "")) },
	"a workspace is changed": func(d scene) string { return d.ofSession("workspace_id = " + d.one(workspaces...)) },
	"a template is changed":  func(d scene) string { return d.ofSession("template_id = " + d.one(templates...)) },
	"a creation is changed": func(d scene) string {
		return d.ofSession("created_at = " + d.one("5", "-5", "253402300800"))
	},
	"an update is changed": func(d scene) string {
		return d.ofSession("updated_at = " + d.one("5", "-5", "253402300800"))
	},
	"columns are changed": func(d scene) string { return d.ofSession("created_at = 5, updated_at = 5, status = 'x'") },
	"a session is gone": func(d scene) string {
		return "DELETE FROM sluice_sessions WHERE id = " + quote(d.spoilt.ID())
	},

	"an event is changed": func(d scene) string { return d.ofEvent(eventSet + quote(spoiltJSON(d.T, d.event()))) },
	"an event is the first": func(d scene) string {
		return d.ofEvent(eventSet + eventOf(d.spoilt))
	},
	"an event is another's":      func(d scene) string { return d.ofEvent(eventSet + eventOf(d.other)) },
	"an event has no mark":       func(d scene) string { return d.ofEvent("UPDATE sluice_events SET at = 0, mark = NULL") },
	"an event has another place": func(d scene) string { return d.ofEvent("UPDATE sluice_events SET version = 999") },
	"an event is nobody's":       func(d scene) string { return d.ofEvent("UPDATE sluice_events SET session_id = 'nobody'") },
	"an event is gone":           func(d scene) string { return d.ofEvent("DELETE FROM sluice_events") },
	"the events are gone":        func(d scene) string { return d.ofAll("DELETE FROM sluice_events") },

	"the resources are gone": func(d scene) string { return d.ofAll("DELETE FROM sluice_resources") },
	"the resources are another's": func(d scene) string {
		return d.ofAll("UPDATE sluice_resources SET session_id = " + quote(d.other.ID()))
	},
	"the resources have other ids": func(d scene) string { return d.ofAll("UPDATE sluice_resources SET id = id || '?'") },

	"an announcement has another status": func(d scene) string {
		return d.ofEvent("UPDATE sluice_outbox SET status = " + d.one("x", "", "done"))
	},
	"an announcement has another group": func(d scene) string {
		return d.ofEvent("UPDATE sluice_outbox SET group_type = " + d.one("x", "", "signature_request"))
	},
	"an announcement has no group": func(d scene) string { return d.ofEvent("UPDATE sluice_outbox SET group_type = NULL") },
	"an announcement has another time": func(d scene) string {
		return d.ofEvent("UPDATE sluice_outbox SET at = " + d.one("x", "", "2025-09-22", "2025-09-22T12:00:00+02:00"))
	},
	"an announcement has another name": func(d scene) string {
		return d.ofEvent("UPDATE sluice_outbox SET name = 'x' || name, version = version + 1000")
	},
	"the announcements are changed": func(d scene) string {
		return d.ofAll("UPDATE sluice_outbox SET status = 'x', at = 'x', group_type = 'x'")
	},
	"the announcements are gone": func(d scene) string { return d.ofAll("DELETE FROM sluice_outbox") },
}

// eventSet is how a statement begins that changes an event.
const eventSet = "UPDATE sluice_events SET event = "

// quote returns a text as SQL has it.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// spoiltJSON draws a JSON text with one thing in it changed, or another one.
func spoiltJSON(t *rapid.T, text string) string {
	values := []string{"null", "{}", "[]", "0", "-1", "1e400", `""`, `"x"`, `"\u0000"`, `"\ud800"`, `"0000-00-00T00:00:00Z"`}
	value := rapid.SampledFrom(values).Draw(t, "value")
	if rapid.IntRange(0, 3).Draw(t, "all of it") == 0 {
		return value
	}
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	document = spoilPart(t, document, json.RawMessage(value))
	spoilt, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(spoilt)
}

// spoilPart replaces something in a document, at any depth, or takes it out.
func spoilPart(t *rapid.T, document any, value json.RawMessage) any {
	switch d := document.(type) {
	case map[string]any:
		if len(d) == 0 {
			return value
		}
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(d))).Draw(t, "member")
		if rapid.IntRange(0, 4).Draw(t, "without") == 4 {
			delete(d, key)
		} else {
			d[key] = spoilPart(t, d[key], value)
		}
		return d
	case []any:
		if len(d) == 0 {
			return value
		}
		i := rapid.IntRange(0, len(d)-1).Draw(t, "element")
		d[i] = spoilPart(t, d[i], value)
		return d
	default:
		return value
	}
}
