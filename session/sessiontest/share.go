package sessiontest

import (
	"context"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// shareCases are about memory. Stores in memory, and caches before others, hand
// out what they keep; a caller that sorts or reuses a slice then rewrites the
// past.
func shareCases() []Case {
	return []Case{
		abilityCase("given-events", "Events that were given to Save are the caller's: what it writes there changes nothing.", givenEvents),
		abilityCase("returned-events", "Events that History returned are the caller's.", returnedEvents),
		abilityCase("returned-page", "A page that List returned is the caller's.", returnedPage),
	}
}

// givenEvents writes over a slice after Save has returned, as a host does that
// reuses it.
func givenEvents(l lab, h session.History) {
	a := eventful("a")
	given := a.since(0)
	l.put(a, given)
	scribble(given)
	later := a.then(check("a.5", action.Pending))
	given = later.since(a.Version())
	l.put(later, given)
	scribble(given)

	kept, err := h.History(context.Background(), "a", 0)
	l.ok(err, "History")
	l.sameEvents(later.events, kept)
}

// returnedEvents writes over what History returned, from its beginning and from
// later versions, and behind its end: there the store may have room for the
// events of the next Save.
func returnedEvents(l lab, h session.History) {
	a := eventful("a")
	l.putAll(a)
	for _, after := range []int{0, 2, a.Version() - 1} {
		returned, err := h.History(context.Background(), "a", after)
		l.ok(err, "History behind version %d", after)
		scribble(returned)
		// What is behind the end of the slice belongs to the caller as well.
		_ = append(returned, session.Event{SessionID: "scribbled"})
		kept, err := h.History(context.Background(), "a", 0)
		l.ok(err, "History")
		l.sameEvents(a.events, kept)
	}
	later := a.then(check("a.5", action.Pending))
	returned, err := h.History(context.Background(), "a", 0)
	l.ok(err, "History")
	l.put(later, later.since(a.Version()))
	_ = append(returned, session.Event{SessionID: "scribbled"})
	kept, err := h.History(context.Background(), "a", 0)
	l.ok(err, "History")
	l.sameEvents(later.events, kept)
}

// scribble writes over events.
func scribble(events []session.Event) {
	for i := range events {
		events[i] = session.Event{SessionID: "scribbled", Version: -1}
	}
}

// returnedPage writes over a page and asks for it again, which a cache would
// answer.
func returnedPage(l lab, lister session.Lister) {
	lives := newborns("a", "b", "c")
	l.putAll(lives...)
	for range 2 {
		page, err := lister.List(context.Background(), session.Query{})
		l.ok(err, "List")
		l.lists(lives, page.Items)
		for i := range page.Items {
			page.Items[i] = session.Session{}
		}
		_ = append(page.Items, session.Session{})
	}
}
