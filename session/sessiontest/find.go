package sessiontest

import (
	"context"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// findCases are about [session.Finder]: a webhook names a resource and no
// session.
func findCases() []Case {
	return []Case{
		abilityCase("find", "Find returns the id of the session that has the resource, or ErrNotFound.", find),
		abilityCase("find-previous", "Find finds a session by the resource of any attempt.", findPrevious),
		abilityCase("find-refused", "Find does not find what Save refused.", findRefused),
	}
}

// finds checks that Find gives a session for each resource, by the id of the
// resource; "" is none.
func (l lab) finds(f session.Finder, want map[string]string) {
	l.Helper()
	for resourceID, sessionID := range want {
		got, err := f.Find(context.Background(), resourceID)
		if sessionID == "" {
			l.is(session.ErrNotFound, err, "Find of %q, which no session has, gives %q", resourceID, got)
			continue
		}
		l.ok(err, "Find of %q", resourceID)
		if got != sessionID {
			l.Fatalf("Find of %q gives session %q; want %q", resourceID, got, sessionID)
		}
	}
}

// find asks for resources before and after they are linked, for ids that are
// those of sessions, parts of others or written in another case, and for one
// whose resource is deleted: its webhooks still come.
func find(l lab, f session.Finder) {
	l.finds(f, map[string]string{"r1": ""})
	a, b := newborn("a"), newborn("b").then(check("r2", action.Pending), signature("r3", action.Draft))
	l.putAll(a, b)
	l.finds(f, map[string]string{"r1": "", "r2": "b", "r3": "b", "a": "", "b": "", "": ""})
	a = a.then(check("r1", action.Pending))
	l.put(a, a.since(1))
	l.finds(f, map[string]string{"r1": "a", "r2": "b", "r3": "b", "R1": "", "r": "", "%": ""})

	s, _, err := session.UpdateByResource(
		context.Background(), l.store, "r3", observed("r3", action.Deleted, 1), noon)
	l.ok(err, "UpdateByResource")
	l.holds(s)
	l.finds(f, map[string]string{"r1": "a", "r2": "b", "r3": "b"}) // also when it is deleted
}

// findPrevious replaces attempts one by one. Webhooks of the ones before keep
// coming for days, and the session has to say that they are frozen (ATT-9).
func findPrevious(l lab, f session.Finder) {
	a := newborn("a").then(check("r1", action.Failed))
	l.putAll(a, newborn("b").then(check("r4", action.Pending)))
	a = a.then(recheck("r1", "r2"))
	l.put(a, a.since(2))
	l.finds(f, map[string]string{"r1": "a", "r2": "a", "r3": "", "r4": "b"})
	third := recheck("r2", "r3")
	third.Inputs[0]++
	a = a.then(observed("r2", action.Failed, 1), third)
	l.put(a, a.since(3))
	l.finds(f, map[string]string{"r1": "a", "r2": "a", "r3": "a", "r4": "b"})
}

// findRefused asks for what three kinds of refusal left out. An index that is
// written before the session, and not taken back, finds it.
func findRefused(l lab, f session.Finder) {
	a, b := newborn("a").then(check("r1", action.Pending)), newborn("b")
	l.putAll(a, b)
	next := b.then(check("r2", action.Pending), check("r1", action.Pending))
	l.refuse(session.ErrResourceTaken, next.Session, next.since(1))
	late := newborn("b").then(check("r3", action.Pending))
	l.refuse(session.ErrConflict, late.Session, late.since(0))
	l.refuse(session.ErrInvalidSave, late.Session, late.since(0)[:1])
	l.finds(f, map[string]string{"r1": "a", "r2": "", "r3": ""})
}
