package sessiontest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// lab is where a case works: a test and the store that it examines.
type lab struct {
	rapid.TB
	store session.Store
}

// newCase returns a case that works in a lab.
func newCase(name, contract string, check func(lab)) Case {
	return Case{name, contract, func(t rapid.TB, store session.Store) {
		t.Helper()
		check(lab{t, store})
	}}
}

// abilityCase returns a case about an optional ability. If the store lacks it,
// the log says so: a host that meant its store to have it, and misspelt a
// method, should see that.
func abilityCase[A any](name, contract string, check func(lab, A)) Case {
	return newCase(name, contract, func(l lab) {
		if a, ok := l.store.(A); ok {
			check(l, a)
		} else {
			l.notTested(reflect.TypeFor[A]().String())
		}
	})
}

// notTested says that the store lacks an optional ability.
func (l lab) notTested(ability string) {
	l.Helper()
	l.Logf("NOT TESTED: %T is no %s", l.store, ability)
}

// put saves events that must be accepted, and what they lead to.
func (l lab) put(f life, events []session.Event) {
	l.Helper()
	if err := l.store.Save(context.Background(), f.Session, events); err != nil {
		l.Fatalf("Save of %s with %d events: %v", f, len(events), err)
	}
}

// putAll saves whole lives, all events of each at once, which must be accepted.
func (l lab) putAll(lives ...life) {
	l.Helper()
	for _, f := range lives {
		l.put(f, f.since(0))
	}
}

// refuse saves events that must be refused with an error that unwraps to want.
func (l lab) refuse(want error, next session.Session, events []session.Event) {
	l.Helper()
	err := l.store.Save(context.Background(), next, events)
	l.is(want, err, "Save of %s with %d events", next, len(events))
}

// is checks that an error unwraps to another one. Stores may wrap errors, and
// add what they know.
func (l lab) is(want, err error, format string, args ...any) {
	l.Helper()
	if !errors.Is(err, want) {
		l.Fatalf("%s: error is %q; want one that unwraps to %q", fmt.Sprintf(format, args...), text(err), want)
	}
}

// isCursorError checks that an error is one about a cursor.
func (l lab) isCursorError(err error, format string, args ...any) {
	l.Helper()
	var refused *session.CursorError
	if !errors.As(err, &refused) {
		l.Fatalf("%s: error is %q; want a *CursorError", fmt.Sprintf(format, args...), text(err))
	}
}

// text is the text of an error, also of none.
func text(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}

// ok checks that there is no error.
func (l lab) ok(err error, format string, args ...any) {
	l.Helper()
	if err != nil {
		l.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// holds checks that the store holds a session as it is, with as many events as
// it should have. What the events say is for the cases of History, so that one
// fault of theirs is not found everywhere.
func (l lab) holds(want session.Session) {
	l.Helper()
	got, err := l.store.Load(context.Background(), want.ID())
	l.ok(err, "Load of %s", want)
	l.same(want, got)
	if h, ok := l.store.(session.History); ok {
		events, err := h.History(context.Background(), want.ID(), 0)
		l.ok(err, "History of %s", want)
		if len(events) != want.Version() {
			l.Fatalf("%s has %d events; want one for each version", want, len(events))
		}
	}
}

// holdsNone checks that the store has nothing of a session.
func (l lab) holdsNone(id string) {
	l.Helper()
	s, err := l.store.Load(context.Background(), id)
	l.is(session.ErrNotFound, err, "Load of %q, which nobody saved, gives %s", id, s)
	if h, ok := l.store.(session.History); ok {
		events, err := h.History(context.Background(), id, 0)
		l.is(session.ErrNotFound, err, "History of %q, which nobody saved, gives %d events", id, len(events))
	}
}

// same checks that a session is another one, to the last byte of what is kept.
func (l lab) same(want, got session.Session) {
	l.Helper()
	w, g := snapshot(want), snapshot(got)
	if !want.Equal(got) || !bytes.Equal(w, g) {
		l.Fatalf("the store has\n%s\nwant\n%s", g, w)
	}
}

// snapshot returns what is kept of a session, or why nothing can be.
func snapshot(s session.Session) []byte {
	data, err := s.Snapshot()
	if err != nil {
		return []byte(err.Error())
	}
	return data
}

// sameEvents checks that events are others, in the same order.
func (l lab) sameEvents(want, got []session.Event) {
	l.Helper()
	w, g := eventTexts(want), eventTexts(got)
	if !slices.Equal(w, g) {
		l.Fatalf("the store has the events\n%s\nwant\n%s", g, w)
	}
}

// eventTexts returns the events as the lines of a text.
func eventTexts(events []session.Event) []string {
	var lines []string
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			data = []byte(err.Error())
		}
		lines = append(lines, string(data)+"\n")
	}
	return lines
}

// together does something n times at once, as nearly as can be, and returns
// what came of each.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gate
			errs[i] = do(i)
		})
	}
	close(gate)
	all.Wait()
	return errs
}

// life is a session with every event that led to it. It is a value.
type life struct {
	session.Session
	events []session.Event
	now    time.Time
}

// GoString keeps what rapid shows of a life short.
func (f life) GoString() string { return f.String() }

// born returns a session that was just created.
func born(c session.Create, now time.Time) life {
	return life{now: now}.then(c)
}

// then returns where commands lead to, one a minute. Each has to change the
// session.
func (f life) then(commands ...session.Command) life {
	for _, c := range commands {
		next, change, err := session.Apply(f.Session, c, f.now)
		if err != nil || len(change.Events) == 0 {
			panic(fmt.Sprintf("sessiontest: %T is %s: %v", c, change.Outcome, err))
		}
		f.Session = next
		f.events = append(slices.Clip(f.events), change.Events...)
		f.now = f.now.Add(time.Minute)
	}
	return f
}

// since returns a copy of the events behind a version.
func (f life) since(version int) []session.Event { return slices.Clone(f.events[version:]) }
