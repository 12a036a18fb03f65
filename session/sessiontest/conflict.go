package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// conflictCases are about several writers: nobody's work is lost in silence.
func conflictCases() []Case {
	return []Case{
		newCase("stale-save", "Save returns ErrConflict if somebody else saved first.", staleSave),
		newCase("create-twice", "Save returns ErrConflict for a creation over a session that exists.", createTwice),
		newCase("skipped-versions", "Save returns ErrConflict if versions between the stored one and the events are left out.", skippedVersions),
		newCase("two-writers", "Of those who save at once from one version, one succeeds; the others get ErrConflict.", twoWriters),
		newCase("concurrent-reads", "All methods may be called at once: what is read is a session as it was saved, never a part.", concurrentReads),
		newCase("concurrent-updates", "Updates at once from many goroutines are each saved once, or not at all.", concurrentUpdates),
	}
}

// staleSave has two writers who loaded the same version, one after the other.
// The second one's work must be refused: taken, it would replace the first
// one's; lost in silence, its writer would never know.
func staleSave(l lab) {
	a := newborn("a")
	l.putAll(a)
	first := a.then(check("a.1", action.Pending))
	second := a.then(check("a.2", action.Failed))
	l.put(first, first.since(1))
	l.refuse(session.ErrConflict, second.Session, second.since(1))
	l.holds(first.Session)
	// The same again is late as well, and so is what goes further.
	l.refuse(session.ErrConflict, first.Session, first.since(1))
	second = second.then(check("a.3", action.Pending))
	l.refuse(session.ErrConflict, second.Session, second.since(1))
	l.holds(first.Session)
	// Who is late finds out by loading again.
	again := first.then(check("a.2", action.Failed))
	l.put(again, again.since(2))
	l.holds(again.Session)
}

// createTwice creates a session again, with the same content, with another, and
// with a longer life than it has had. A store that inserts or updates, whatever
// there is, forgets the first one.
func createTwice(l lab) {
	a := eventful("a")
	l.putAll(a)
	other := create("a")
	other.Name = "Somebody else"
	l.refuse(session.ErrConflict, newborn("a").Session, newborn("a").since(0))
	l.refuse(session.ErrConflict, born(other, noon).Session, born(other, noon).since(0))
	l.refuse(session.ErrConflict, a.Session, a.since(0))
	longer := a.then(check("a.5", action.Pending))
	l.refuse(session.ErrConflict, longer.Session, longer.since(0))
	l.holds(a.Session)
}

// skippedVersions leaves out events at the beginning or in between. A store
// that asks only whether the new version is higher takes them, and has a
// history with a gap.
func skippedVersions(l lab) {
	a := newborn("a").then(check("a.1", action.Pending), observed("a.1", action.Failed, 1))
	l.refuse(session.ErrConflict, a.Session, a.since(1)) // it was never created
	l.refuse(session.ErrConflict, a.Session, a.since(2))
	l.holdsNone("a")
	l.putAll(newborn("a"))
	l.refuse(session.ErrConflict, a.Session, a.since(2))
	l.holds(newborn("a").Session)
	l.put(a, a.since(1))
	l.holds(a.Session)
}

// writers is how many goroutines the cases of concurrency use.
const writers = 8

// twoWriters has many who save at once from one version, first creations, then
// links. A store that looks at the version in one step and writes in another
// lets several of them through.
func twoWriters(l lab) {
	var creations, links [writers]life
	for i := range writers {
		c := create("a")
		c.Name = fmt.Sprintf("Writer %d", i)
		creations[i] = born(c, noon)
	}
	winner := l.oneWins(session.ErrConflict, creations[:], 0)
	for i := range writers {
		links[i] = winner.then(check(fmt.Sprintf("a.%d", i), action.Pending))
	}
	l.oneWins(session.ErrConflict, links[:], 1)
}

// oneWins saves lives at once, from a version on, and returns the one that was
// accepted. All others must be refused with an error that unwraps to want, and
// only what the winner saved may be there.
func (l lab) oneWins(want error, lives []life, version int) life {
	l.Helper()
	errs := together(len(lives), func(i int) error {
		return l.store.Save(context.Background(), lives[i].Session, lives[i].since(version))
	})
	won := slices.Index(errs, nil)
	for i, err := range errs {
		if i != won {
			l.is(want, err, "Save of writer %d of %d, which began at once (the first to succeed is %d)", i, len(errs), won)
		}
	}
	if won < 0 {
		l.Fatalf("of %d writers at once none succeeded", len(errs))
	}
	l.holds(lives[won].Session)
	return lives[won]
}

// concurrentUpdates has many who load, apply and save at once, through
// [session.Update], which begins again after a conflict. Each links resources
// of its own, so that the session tells afterwards whose updates were kept.
func concurrentUpdates(l lab) {
	const rounds = 4
	l.putAll(newborn("a"))
	versions := make([]int, writers*rounds) // that the updates led to, by their number
	errs := together(writers, func(i int) error {
		for r := range rounds {
			n := i*rounds + r
			s, _, err := session.Update(context.Background(), l.store, "a", check(resourceOf(n), action.Pending), noon)
			switch {
			case err == nil:
				versions[n] = s.Version()
			case !errors.Is(err, session.ErrConflict): // it may be late too often
				return err
			}
		}
		return nil
	})
	for i, err := range errs {
		l.ok(err, "Update of writer %d", i)
	}
	s, err := l.store.Load(context.Background(), "a")
	l.ok(err, "Load")
	l.eachOnce(s, versions)
}

// eachOnce checks that a session has the links of the updates that succeeded
// and no other, and that each of them led to a version of its own. An update
// that was too late has the version 0.
func (l lab) eachOnce(s session.Session, versions []int) {
	l.Helper()
	for n, version := range versions {
		if _, linked := s.Action(resourceOf(n)); linked != (version > 0) {
			l.Fatalf("an update succeeded: %t; the session has what it linked: %t", version > 0, linked)
		}
	}
	slices.Sort(versions)
	versions = slices.DeleteFunc(versions, func(v int) bool { return v == 0 })
	for i, version := range versions {
		if version != i+2 {
			l.Fatalf("the updates led to the versions %d; want all from 2 on, and each once", versions)
		}
	}
	if s.Version() != 1+len(versions) {
		l.Fatalf("after %d updates that succeeded: %s", len(versions), s)
	}
}

func resourceOf(update int) string { return fmt.Sprintf("a.%d", update) }

// concurrentReads saves a session version by version while others read it. A
// store that writes session, events and resources in several transactions shows
// one without the other in between. The race detector sees more of it.
func concurrentReads(l lab) {
	a := eventful("a")
	var states []session.Session
	for version := range a.events {
		s, err := session.Replay(a.events[:version+1])
		l.ok(err, "Replay up to version %d", version+1)
		states = append(states, s)
	}
	l.put(life{Session: states[0]}, a.events[:1])
	errs := together(writers, func(i int) error {
		if i > 0 {
			return l.read(states)
		}
		for v := 1; v < len(states); v++ {
			if err := l.store.Save(context.Background(), states[v], a.events[v:v+1]); err != nil {
				return fmt.Errorf("save version %d: %w", v+1, err)
			}
		}
		return nil
	})
	for i, err := range errs {
		l.ok(err, "goroutine %d, of which the first one writes", i)
	}
	l.holds(a.Session)
}

// read reads a session again and again, in every way that there is. It returns
// an error for whatever is not one of its states, or is older than what the
// same reader has read before. It makes no use of the test, which only the
// test's own goroutine may end.
func (l lab) read(states []session.Session) error {
	version := 1
	for range 10 {
		s, err := l.store.Load(context.Background(), "a")
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		seen := []session.Session{s}
		if lister, ok := l.store.(session.Lister); ok {
			page, err := lister.List(context.Background(), session.Query{})
			if err != nil {
				return fmt.Errorf("list: %w", err)
			}
			seen = append(seen, page.Items...)
		}
		for _, s := range seen {
			if s.Version() < version || !s.Equal(states[s.Version()-1]) {
				return fmt.Errorf("after version %d was read: %s, or not as that was saved", version, s)
			}
			version = s.Version()
		}
		if err := l.agrees(s); err != nil {
			return err
		}
	}
	return nil
}

// agrees checks that what else a store tells goes with a session that was read.
func (l lab) agrees(s session.Session) error {
	if h, ok := l.store.(session.History); ok {
		events, err := h.History(context.Background(), s.ID(), 0)
		if err != nil || len(events) < s.Version() {
			return fmt.Errorf("%s was read; it has %d events, and their error is %q", s, len(events), text(err))
		}
	}
	if f, ok := l.store.(session.Finder); ok {
		for _, c := range actions(s) {
			id := c.Main().Resource.ID
			if _, err := f.Find(context.Background(), id); err != nil {
				return fmt.Errorf("%s was read, which has resource %s: %w", s, id, err)
			}
		}
	}
	return nil
}
