package sessiontest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// modelCases are one: all that the other cases did not think of.
func modelCases() []Case {
	return []Case{
		newCase("model", "Whatever is done to it, the store answers as a simple model of the contract does.", againstModel),
	}
}

// The names and workspaces of the sessions of one check.
var (
	modelNames      = []string{"a", "b", "B", "A", "a b", "é"}
	modelWorkspaces = []string{"w1", "w2"}
)

// model says in a few lines what a Store is.
type model struct {
	lives  map[string]life
	holder map[string]string // resource id -> session id
	box    modelBox
}

// save does what Save does, and returns the error that Save's must unwrap to.
func (m *model) save(next session.Session, events []session.Event) error {
	from, err := session.CheckSave(next, events)
	if err != nil {
		return session.ErrInvalidSave
	}
	stored := m.lives[next.ID()]
	if stored.Version() != from {
		return session.ErrConflict
	}
	for _, id := range linkedBy(events) {
		if in, taken := m.holder[id]; taken && in != next.ID() {
			return session.ErrResourceTaken
		}
	}
	for _, id := range linkedBy(events) {
		m.holder[id] = next.ID()
	}
	m.lives[next.ID()] = life{Session: next, events: slices.Concat(stored.events, events)}
	m.box.add(events)
	return nil
}

// linkedBy returns the resources that events link.
func linkedBy(events []session.Event) []string {
	var ids []string
	for _, e := range events {
		if link, ok := e.Fact.(session.Linked); ok {
			ids = append(ids, link.Resource.ID)
		}
	}
	return ids
}

// againstModel runs many checks on the one store: the sessions and workspaces
// of each have a prefix of their own, and each begins with an empty outbox.
func againstModel(l lab) {
	checks := 0
	rapid.Check(l.TB, func(t *rapid.T) {
		checks++
		prefix := fmt.Sprintf("%d/", checks)
		p := &pair{
			lab: lab{reproducible{t}, l.store}, model: model{lives: map[string]life{}, holder: map[string]string{}},
			prefix: prefix, now: times().Draw(t, "now"),
		}
		p.clearOutbox()
		for range rapid.IntRange(0, len(modelNames)).Draw(t, "sessions to begin with") {
			p.create(t)
		}
		t.Repeat(map[string]func(*rapid.T){
			"create": p.create, "command": p.command, "commands": p.commands, "late": p.late,
			"gap": p.gap, "steal": p.steal, "find": p.find, "list": p.list, "history": p.history,
			"read": p.read, "take": p.take, "settle": p.settle,
		})
	})
}

// reproducible fails with the same words whatever the names and numbers are:
// else rapid does not take a smaller example for the same failure.
type reproducible struct{ *rapid.T }

func (r reproducible) Fatalf(format string, args ...any) {
	r.Helper()
	r.Logf(format, args...)
	r.Fatal("the store is not as the model is: see above")
}

// pair drives the store and the model side by side.
type pair struct {
	lab
	model
	prefix  string
	now     time.Time
	old     []life   // that were stored once
	refused []string // resources that were not saved
}

// tick moves the time on, or back, and returns it.
func (p *pair) tick(t *rapid.T) time.Time {
	p.now = p.now.Add(ticks().Draw(t, "tick"))
	return p.now
}

// save saves in both, and checks that they agree and hold the same afterwards.
func (p *pair) save(next session.Session, events []session.Event) {
	p.Helper()
	want := p.model.save(next, slices.Clone(events))
	err := p.store.Save(context.Background(), next, events)
	if want == nil {
		p.ok(err, "Save of %s with %d events", next, len(events))
		p.old = append(p.old, p.lives[next.ID()])
	} else {
		p.is(want, err, "Save of %s with %d events", next, len(events))
		p.refused = append(p.refused, linkedBy(events)...)
	}
	p.compare(next.ID())
}

// compare checks that the store holds of a session what the model does.
func (p *pair) compare(id string) {
	p.Helper()
	if f, exists := p.lives[id]; exists {
		p.holds(f.Session)
	} else {
		p.holdsNone(id)
	}
}

// stored draws a session that is stored; without any, the step is skipped.
func (p *pair) stored(t *rapid.T) life {
	ids := slices.Sorted(maps.Keys(p.lives))
	if len(ids) == 0 {
		t.Skip("there is no session")
	}
	return p.lives[rapid.SampledFrom(ids).Draw(t, "session")]
}

// create creates a session, which may exist.
func (p *pair) create(t *rapid.T) {
	id := p.prefix + rapid.SampledFrom(modelNames).Draw(t, "id")
	c := creations(id).Draw(t, "creation")
	c.Template.Workspaces = nil
	c.WorkspaceID, c.DefaultWorkspaceID = p.prefix+rapid.SampledFrom(modelWorkspaces).Draw(t, "workspace"), ""
	f := born(c, p.tick(t))
	p.save(f.Session, f.events)
}

// further applies commands to a session and returns where they lead to, with
// all of the events. Commands that are refused or tell nothing new leave none,
// and then there may be nothing to save.
func (p *pair) further(t *rapid.T, f life, commands int) (session.Session, []session.Event) {
	s, events := f.Session, []session.Event(nil)
	for range commands {
		now := p.tick(t)
		step := rapid.Map(Commands(s, now), func(c session.Command) Step { return Step{c, now} }).Draw(t, "step")
		next, change, err := session.Apply(s, step.Command, step.Now)
		if err == nil {
			s, events = next, append(events, change.Events...)
		}
	}
	return s, events
}

// command does what a host does with Update: it loads, applies and saves.
func (p *pair) command(t *rapid.T) {
	f := p.stored(t)
	s, err := p.store.Load(context.Background(), f.ID())
	p.ok(err, "Load of %s", f)
	p.same(f.Session, s)
	p.save(p.further(t, life{Session: s}, 1))
}

// commands saves the events of several commands at once.
func (p *pair) commands(t *rapid.T) {
	p.save(p.further(t, p.stored(t), rapid.IntRange(2, 8).Draw(t, "number of commands")))
}

// late saves what follows from a session that may be stored no more: a
// conflict, unless nothing has happened since.
func (p *pair) late(t *rapid.T) {
	p.save(p.further(t, p.outdated(t), 3))
}

// outdated draws a session as it was stored once; without any, the step is
// skipped.
func (p *pair) outdated(t *rapid.T) life {
	if len(p.old) == 0 {
		t.Skip("nothing was stored yet")
	}
	return rapid.SampledFrom(p.old).Draw(t, "old session")
}

// gap saves no more than some of the events that led to a session, from the
// first or a later one up to the last or an earlier one.
func (p *pair) gap(t *rapid.T) {
	s, events := p.further(t, p.stored(t), 5)
	from := rapid.IntRange(0, len(events)).Draw(t, "from")
	to := rapid.IntRange(from, len(events)).Draw(t, "to")
	p.save(s, events[from:to])
}

// steal saves events of which one links a resource that another session may
// have, in its newest attempts or previous ones; the thief may be late as well,
// or honest.
func (p *pair) steal(t *rapid.T) {
	held := actions(p.stored(t).Session)
	if len(held) == 0 {
		t.Skip("there is nothing to steal")
	}
	thief := p.stored(t)
	if rapid.IntRange(0, 3).Draw(t, "late") == 3 {
		thief = p.outdated(t)
	}
	s, events := p.further(t, thief, rapid.IntRange(0, 2).Draw(t, "commands before"))
	link := rapid.Custom(func(t *rapid.T) session.Link {
		sc := scene{t, s, p.now, held}
		link := sc.newAction()
		link.Resource.ID = sc.attempt(sample(sc, "action", held)).Resource.ID
		return link
	}).Draw(t, "link")
	s, change, err := session.Apply(s, link, p.tick(t))
	if err != nil {
		t.Skip("the thief has it already")
	}
	s, behind := p.further(t, life{Session: s}, rapid.IntRange(0, 2).Draw(t, "commands behind"))
	p.save(s, slices.Concat(events, change.Events, behind))
}

// find looks for a resource that a session has, or that was refused.
func (p *pair) find(t *rapid.T) {
	f, ok := p.store.(session.Finder)
	if !ok {
		return
	}
	ids := slices.Concat(slices.Sorted(maps.Keys(p.holder)), p.refused, []string{p.prefix})
	id := rapid.SampledFrom(ids).Draw(t, "resource")
	p.finds(f, map[string]string{id: p.holder[id]})
}

// list walks through the pages of a query. The workspace is always given: it
// keeps out the sessions of the checks before.
func (p *pair) list(t *rapid.T) {
	lister, ok := p.store.(session.Lister)
	if !ok {
		return
	}
	q := session.Query{
		WorkspaceID: p.prefix + rapid.SampledFrom(modelWorkspaces).Draw(t, "workspace"),
		Status:      session.Status(rapid.Uint8Range(0, uint8(session.Blocked)).Draw(t, "status")),
		Limit:       rapid.IntRange(1, 4).Draw(t, "limit"),
	}
	if rapid.Bool().Draw(t, "by time") {
		q.UpdatedSince = p.now.Add(-gaps().Draw(t, "since"))
	}
	var want []life
	for _, f := range p.lives {
		if asks(q, f.Session) {
			want = append(want, f)
		}
	}
	p.lists(inOrder(want), p.walk(lister, q, nil))
}

// history compares the events of a session and replays them.
func (p *pair) history(t *rapid.T) {
	h, ok := p.store.(session.History)
	if !ok {
		return
	}
	f := p.stored(t)
	after := rapid.IntRange(0, f.Version()).Draw(t, "after")
	events, err := h.History(context.Background(), f.ID(), after)
	p.ok(err, "History of %s behind version %d", f, after)
	p.sameEvents(f.since(after), events)
	p.ok(session.Verify(context.Background(), p.store, f.ID()), "Verify of %s", f)
}
