package sessiontest

import (
	"context"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// historyCases are about [session.History], and about what remains of
// everything.
func historyCases() []Case {
	return []Case{
		abilityCase("history", "History returns the events of a session as they were saved, in order.", history),
		abilityCase("history-after", "History returns the events behind a version; all of them for version 0 or less.", historyAfter),
		abilityCase("replay", "Replaying the events of a session gives the session that is stored.", replay),
		abilityCase("reopen", "What was saved outlives the process.", reopen),
	}
}

// history saves two sessions by turns, some events at once and some alone, and
// compares all that an event tells. Times that lose their fractions, or order
// that comes from a clock and not from the version, show here.
func history(l lab, h session.History) {
	a, b := eventful("a"), eventful("b")
	for from, step := 0, 1; from < a.Version(); from, step = from+step, step%3+1 {
		to := min(from+step, a.Version())
		for _, f := range []life{a, b} {
			s, err := session.Replay(f.events[:to])
			l.ok(err, "Replay up to version %d", to)
			l.put(life{Session: s}, f.events[from:to])
			events, err := h.History(context.Background(), f.ID(), 0)
			l.ok(err, "History of %q", f.ID())
			l.sameEvents(f.events[:to], events)
		}
	}
	far := farLives()
	l.putAll(far...)
	for _, f := range far {
		events, err := h.History(context.Background(), f.ID(), 0)
		l.ok(err, "History of %q", f.ID())
		l.sameEvents(f.events, events)
	}
}

// historyAfter asks from every version on, also from the last one and from one
// that is still to come: nothing is behind those, and that is no error.
func historyAfter(l lab, h session.History) {
	_, err := h.History(context.Background(), "a", 0)
	l.is(session.ErrNotFound, err, "History of a session that nobody saved")
	a := eventful("a")
	l.putAll(a, eventful("b"))
	for after := -2; after < a.Version()+2; after++ {
		events, err := h.History(context.Background(), "a", after)
		l.ok(err, "History behind version %d of %d", after, a.Version())
		l.sameEvents(a.events[max(0, min(after, a.Version())):], events)
	}
	_, err = h.History(context.Background(), "c", 1)
	l.is(session.ErrNotFound, err, "History, behind version 1, of a session that nobody saved")
}

// replay is the law that joins the two halves of a store: its sessions and its
// events tell the same.
func replay(l lab, _ session.History) {
	a, b := eventful("a"), newborn("b")
	l.putAll(a, b)
	l.ok(session.Verify(context.Background(), l.store, "a"), "Verify")
	b = b.then(check("b.1", action.Failed), recheck("b.1", "b.2"))
	l.put(b, b.since(1))
	l.ok(session.Verify(context.Background(), l.store, "b"), "Verify")
	l.is(session.ErrNotFound, session.Verify(context.Background(), l.store, "c"), "Verify of a session that nobody saved")
}

// reopen saves, closes the store, and goes on with another over the same data,
// in every way that the first one would have gone on. What a store keeps in
// memory beside its data, as an index of resources, is gone then.
func reopen(l lab, r Reopener) {
	a, b := eventful("a"), newborn("b")
	l.putAll(a, b)
	var cursor string
	if lister, ok := l.store.(session.Lister); ok {
		cursor = l.list(lister, session.Query{Limit: 1}).NextCursor
	}
	store, err := r.Reopen()
	l.ok(err, "Reopen")
	l.store = store
	l.holds(a.Session)
	l.holds(b.Session)
	if h, ok := store.(session.History); ok {
		events, err := h.History(context.Background(), "a", 0)
		l.ok(err, "History")
		l.sameEvents(a.events, events)
	}
	if f, ok := store.(session.Finder); ok {
		l.finds(f, map[string]string{"a.1": "a", "a.2": "a", "a.3": "a", "b.1": ""})
	}
	if lister, ok := store.(session.Lister); ok {
		l.lists([]life{b}, l.list(lister, session.Query{Cursor: cursor}).Items)
	}
	stolen := b.then(check("a.1", action.Pending))
	l.refuse(session.ErrResourceTaken, stolen.Session, stolen.since(1))
	b = b.then(check("b.1", action.Pending))
	l.put(b, b.since(1))
	l.holds(b.Session)
}
