package agree_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
)

// name draws the name of a session, which may be there.
func name(t *rapid.T) string { return rapid.SampledFrom(names).Draw(t, "session") }

// tick moves the time on, or back, and returns it.
func (c *course) tick(t *rapid.T) time.Time {
	c.now = c.now.Add(rapid.SampledFrom([]time.Duration{
		0, 1, time.Microsecond, 123456789, time.Second, time.Hour, -time.Second,
	}).Draw(t, "tick"))
	if rapid.IntRange(0, 7).Draw(t, "zone") == 7 {
		return c.now.In(time.FixedZone("elsewhere", 2*60*60))
	}
	return c.now
}

// creation draws a command that creates a session.
func creation(t *rapid.T, id string, now time.Time) session.Command {
	drawn := sessiontest.Commands(session.Session{}, now).Draw(t, "creation")
	create, ok := drawn.(session.Create)
	if !ok || rapid.IntRange(0, 9).Draw(t, "as it is") == 9 {
		return drawn
	}
	create.ID, create.DefaultWorkspaceID = id, ""
	create.Template.ID = rapid.SampledFrom(templates).Draw(t, "template")
	create.Template.Workspaces = nil
	create.WorkspaceID = rapid.SampledFrom(workspaces).Draw(t, "workspace")
	if rapid.IntRange(0, 9).Draw(t, "odd name") == 9 {
		create.Name = rapid.SampledFrom([]string{"", "a\x00b", "\xff"}).Draw(t, "name")
	}
	return create
}

// command draws a command for a session. Resources may be those of others.
func (c *course) command(t *rapid.T, id string, s session.Session, now time.Time) session.Command {
	if s.IsZero() {
		return creation(t, id, now)
	}
	switch command := sessiontest.Commands(s, now).Draw(t, "command").(type) {
	case session.Link:
		if rapid.IntRange(0, 2).Draw(t, "shared") == 0 {
			command.Resource.ID = rapid.SampledFrom(slices.Concat(pool, c.resources)).Draw(t, "resource")
		}
		c.resources = append(c.resources, command.Resource.ID)
		return command
	case session.Resolve:
		if rapid.IntRange(0, 4).Draw(t, "odd reason") == 0 {
			command.Reason = rapid.SampledFrom([]string{"a\x00b", "\xff", "\u2028"}).Draw(t, "reason")
		}
		return command
	default:
		return command
	}
}

// remember keeps what was stored for those who come late, after it was compared.
func (c *course) remember(t *rapid.T, id string) {
	ctx := c.ctx
	c.ctx = context.Background
	c.loadOne(t, id)
	c.ctx = ctx
	s := c.stored(id)
	if s.IsZero() || slices.ContainsFunc(c.old, s.Equal) {
		return
	}
	c.old = append(c.old, s)
}

// create creates a session, which may exist.
func (c *course) create(t *rapid.T) {
	id, now := name(t), c.tick(t)
	c.updateBy(t, id, creation(t, id, now), now)
}

// update applies a command to a session, which may have to be created first.
func (c *course) update(t *rapid.T) {
	id, now := name(t), c.tick(t)
	c.updateBy(t, id, c.command(t, id, c.stored(id), now), now)
}

func (c *course) updateBy(t *rapid.T, id string, command session.Command, now time.Time) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Update of %q with %T%+v", id, command, command), func(s *subject) answer {
		return updated(session.Update(c.ctx(), s.store, id, command, now))
	})
	c.remember(t, id)
}

// report applies a command to the session that has a resource, if there is one.
func (c *course) report(t *rapid.T) {
	resource, now := c.resource(t), c.tick(t)
	id, err := c.subjects[0].Find(context.Background(), resource)
	if err != nil {
		id = name(t)
	}
	command := c.command(t, id, c.stored(id), now)
	c.ask(t, fmt.Sprintf("UpdateByResource of %q with %T%+v", resource, command, command), func(s *subject) answer {
		return updated(session.UpdateByResource(c.ctx(), s.store, resource, command, now))
	})
	c.remember(t, id)
}

// updated is what an update answers.
func updated(s session.Session, change session.Change, err error) answer {
	a := answer{err: err}
	a.add(s)
	a.addEvents(change.Events)
	a.say("%s", change.Outcome)
	return a
}

// errUndo has a transaction rolled back.
var errUndo = errors.New("undo")

// together applies commands in one transaction, where there are any, and keeps
// what they led to, or not. Those that are refused keep nobody from the others.
func (c *course) together(t *rapid.T) {
	type step struct {
		id      string
		command session.Command
		now     time.Time
	}
	var steps []step
	for range rapid.IntRange(1, 3).Draw(t, "commands") {
		id, now := name(t), c.tick(t)
		steps = append(steps, step{id, c.command(t, id, c.stored(id), now), now})
	}
	subjects, end := c.subjects, error(nil)
	if rapid.IntRange(0, 2).Draw(t, "undo") == 2 {
		end = errUndo
		subjects = slices.DeleteFunc(slices.Clone(subjects), func(s *subject) bool { return s.inTx == nil })
	}
	if len(subjects) == 0 {
		t.Skip("there is nothing that can be undone")
	}
	askAll(t, subjects, fmt.Sprintf("together: %+v", steps), func(s *subject) (a answer) {
		do := func(store session.Store) error {
			for _, step := range steps {
				one := updated(session.Update(c.ctx(), store, step.id, step.command, step.now))
				a.sessions = append(a.sessions, one.sessions...)
				a.said = append(a.said, append(one.said, describe(one.err))...)
			}
			return end
		}
		if s.inTx == nil {
			a.err = do(s.store)
		} else {
			a.err = s.inTx(do)
		}
		return a
	})
	for _, step := range steps {
		c.remember(t, step.id)
	}
}

// further applies commands to a session, and returns where they lead to with all
// of the events. Commands that are refused leave none.
func (c *course) further(t *rapid.T, id string, s session.Session, commands int) (session.Session, []session.Event) {
	var events []session.Event
	for range commands {
		now := c.tick(t)
		next, change, err := session.Apply(s, c.command(t, id, s, now), now)
		if err == nil {
			s, events = next, append(events, change.Events...)
		}
	}
	return s, events
}

// save saves the events of several commands at once, which follow from a session
// as one of the stores has it.
func (c *course) save(t *rapid.T) {
	id := name(t)
	from := rapid.SampledFrom(c.subjects).Draw(t, "from")
	s, err := from.Load(context.Background(), id)
	if err != nil {
		s = session.Session{}
	}
	next, events := c.further(t, id, s, rapid.IntRange(1, 6).Draw(t, "commands"))
	c.saveThis(t, next, events)
}

// late saves what follows from a session that may be stored no more.
func (c *course) late(t *rapid.T) {
	s := c.outdated(t)
	next, events := c.further(t, s.ID(), s, rapid.IntRange(1, 3).Draw(t, "commands"))
	c.saveThis(t, next, events)
}

// outdated draws a session as it was stored once.
func (c *course) outdated(t *rapid.T) session.Session {
	if len(c.old) == 0 {
		t.Skip("nothing was stored yet")
	}
	return rapid.SampledFrom(c.old).Draw(t, "old session")
}

func (c *course) saveThis(t *rapid.T, next session.Session, events []session.Event) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Save of %s with %d events", next, len(events)), func(s *subject) answer {
		return answer{err: s.Save(c.ctx(), next, slices.Clone(events))}
	})
	c.remember(t, next.ID())
}

// faults are what may be wrong with a session and the events that led to it.
var faults = map[string]func(session.Session, []session.Event) (session.Session, []session.Event){
	"none": func(s session.Session, _ []session.Event) (session.Session, []session.Event) { return s, nil },
	"without the first": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		return s, e[1:]
	},
	"without the last": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		return s, e[:len(e)-1]
	},
	"without one": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		return s, slices.Delete(e, len(e)/2, len(e)/2+1)
	},
	"the last twice": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		return s, append(e, e[len(e)-1])
	},
	"backwards": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		slices.Reverse(e)
		return s, e
	},
	"of another session": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		e[0].SessionID += "?"
		return s, e
	},
	"created again": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		e[len(e)-1].Fact = session.Created{Name: "again"}
		return s, e
	},
	"of no session": func(_ session.Session, e []session.Event) (session.Session, []session.Event) {
		return session.Session{}, e
	},
	"of a document": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		return shown(s), e
	},
	"of other versions": func(s session.Session, e []session.Event) (session.Session, []session.Event) {
		for i := range e {
			e[i].Version++
		}
		return s, e
	},
}

// broken saves what does not fit together (see [session.CheckSave]), or not with
// what is stored.
func (c *course) broken(t *rapid.T) {
	s := c.outdated(t)
	next, events := c.further(t, s.ID(), s, rapid.IntRange(1, 4).Draw(t, "commands"))
	fault := rapid.SampledFrom(slices.Sorted(maps.Keys(faults))).Draw(t, "fault")
	if len(events) > 0 {
		next, events = faults[fault](next, events)
	}
	// Others may have led to the version that the events begin at. To keep them
	// would leave a history that no commands lead to: see TestForgeries.
	from, err := session.CheckSave(next, events)
	if err == nil && c.stored(next.ID()).Version() == from {
		t.Skip("it would be saved")
	}
	c.saveThis(t, next, events)
	c.remember(t, s.ID())
}

// shown returns a session as the public API shows it.
func shown(s session.Session) session.Session {
	text, err := json.Marshal(s)
	if err != nil {
		return session.Session{}
	}
	var read session.Session
	if err := json.Unmarshal(text, &read); err != nil {
		return session.Session{}
	}
	return read
}

// resource draws the id of a resource, which may stand anywhere.
func (c *course) resource(t *rapid.T) string {
	ids := slices.Concat(pool, c.resources, []string{"", "\x00", "\xff", "nothing"})
	return rapid.SampledFrom(ids).Draw(t, "resource")
}
