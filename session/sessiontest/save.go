package sessiontest

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// saveCases are about one writer at a time: what is saved is what is loaded.
func saveCases() []Case {
	return []Case{
		newCase("load-unknown", "Load returns ErrNotFound if there is no session with this id.", loadUnknown),
		newCase("create", "A session that was created is loaded as it was saved.", createAndLoad),
		newCase("every-version", "Load returns the session as it was saved last: all that its snapshot keeps.", everyVersion),
		newCase("several-events", "Save keeps a session and the events that led to it since it was loaded.", severalEvents),
		newCase("opaque-ids", "Ids are opaque (SES-11): they differ if one byte does.", opaqueIDs),
		newCase("far-times", "Times keep their year, whatever it is.", farTimes),
		newCase("invalid-save", "Save returns ErrInvalidSave if CheckSave refuses, and changes nothing.", invalidSave),
		newCase("canceled", "With a context that is done, nothing is saved, and the error is the context's.", canceled),
		newCase("canceled-reads", "With a context that is done, nothing is read, and the error is the context's.", canceledReads),
	}
}

// loadUnknown asks an empty store, and one that has something else: a query
// without its condition finds that.
func loadUnknown(l lab) {
	l.holdsNone("a")
	l.putAll(newborn("b"))
	l.holdsNone("a")
}

// createAndLoad has two sessions, of which each must be loaded as itself.
func createAndLoad(l lab) {
	a, b := newborn("a"), newborn("b")
	l.putAll(a)
	l.holds(a.Session)
	l.holdsNone("b")
	l.putAll(b)
	l.holds(a.Session)
	l.holds(b.Session)
}

// everyVersion saves a life event by event and compares after each. A store
// that keeps less than the snapshot, such as the public API's JSON, loses
// digests of inputs, who resolved, as-of times or the version, of which each is
// missed only when the next command needs it.
func everyVersion(l lab) {
	bystander := eventful("b")
	l.putAll(bystander)
	a := eventful("a")
	for version := range a.events {
		s, err := session.Replay(a.events[:version+1])
		l.ok(err, "Replay up to version %d", version+1)
		l.put(life{Session: s}, a.events[version:version+1])
		l.holds(s)
	}
	l.holds(bystander.Session)
}

// severalEvents saves many events in one call, as hosts do that apply several
// commands before they save: first from nothing, then on top.
func severalEvents(l lab) {
	a := eventful("a")
	l.putAll(a)
	l.holds(a.Session)
	later := a.then(check("a.5", action.Pending), observed("a.5", action.Verified, 60))
	l.put(later, later.since(a.Version()))
	l.holds(later.Session)
}

// opaqueIDs uses ids that databases take for the same, cut off, or take for
// something of their own: collations that fold case, accents or spaces at the
// end, columns that are too short, texts put together into queries or paths.
// Sessions, workspaces, templates and resources all bear them.
func opaqueIDs(l lab) {
	ids := []string{
		"a", "A", "a ", " a", "ä", "a\u0308", "ß", "ss", "SS", "1", "01", "1.0", "-1", "0x1", "null", "NULL",
		"%", "_", "*", "'", "''", `"`, `\`, `\\`, "\t", "\n", "\r\n", "a/b", "../a", "a;--", "$1", "?", "{}",
		"文字", "🙂", "\u200b", "\ufeff", "\ufffd", strings.Repeat("i", action.MaxIDBytes),
		strings.Repeat("i", action.MaxIDBytes-1) + "j",
		// Long ones that get longer still where they are escaped.
		strings.Repeat("/", action.MaxIDBytes), strings.Repeat("é", action.MaxIDBytes/2),
	}
	var all []life
	for _, id := range ids {
		c := create(id)
		c.WorkspaceID, c.Template.ID = id, id
		// A resource may have the id of a session.
		all = append(all, born(c, noon).then(check(id, action.Pending)))
	}
	l.putAll(all...)
	for _, f := range all {
		l.holds(f.Session)
	}
}

// farTimes uses times that hosts hardly see, but that no rule forbids: sessions
// may be imported, and clocks be wrong.
func farTimes(l lab) {
	lives := farLives()
	l.putAll(lives...)
	for _, f := range lives {
		l.holds(f.Session)
	}
}

// farLives returns sessions of years, by which they are named, that not every
// count of seconds or nanoseconds can tell, or not as below or above another
// year.
func farLives() []life {
	var lives []life
	for _, year := range []int{1, 999, 1582, 1677, 1899, 1969, 2038, 2106, 2263, 9999} {
		now := time.Date(year, time.December, 31, 23, 45, 59, 987654321, time.UTC)
		id := strconv.Itoa(year)
		link := check(id+".1", action.Pending)
		link.Resource.CreatedAt, link.Resource.AsOf = action.Seconds(now), action.Seconds(now)
		lives = append(lives, born(create(id), now).then(link, session.Resolve{ResourceID: id + ".1"}))
	}
	return lives
}

// invalidSave gives what does not fit together. Stores that do not call
// CheckSave first save some of it, and find out when a history cannot be
// replayed.
func invalidSave(l lab) {
	a := newborn("a")
	l.putAll(a)
	next := a.then(check("a.1", action.Pending), observed("a.1", action.Failed, 1))
	e := next.since(1)
	b := newborn("b")

	l.refuse(session.ErrInvalidSave, next.Session, nil)
	l.refuse(session.ErrInvalidSave, next.Session, e[:1])                       // the last one is missing
	l.refuse(session.ErrInvalidSave, next.Session, []session.Event{e[1], e[0]}) // out of order
	l.refuse(session.ErrInvalidSave, next.Session, []session.Event{e[0], e[0]}) // one of them twice
	l.refuse(session.ErrInvalidSave, next.Session, append(b.since(0), e...))    // one of another session
	l.refuse(session.ErrInvalidSave, next.Session, append(next.since(0), e[1])) // more than there can be
	l.refuse(session.ErrInvalidSave, b.Session, a.since(0))                     // all of another session
	l.refuse(session.ErrInvalidSave, session.Session{}, nil)                    // no session at all
	l.refuse(session.ErrInvalidSave, a.Session, next.since(0))                  // more than led to it
	l.refuse(session.ErrInvalidSave, newborn("a").Session, []session.Event{{}}) // no event at all
	l.refuseDocument()

	l.holds(a.Session)
	l.holdsNone("b")
	l.put(next, e)
	l.holds(next.Session)
}

// refuseDocument checks that a session is not saved that was read from the
// public API's JSON, which does not tell all.
func (l lab) refuseDocument() {
	document, err := json.Marshal(newborn("c"))
	l.ok(err, "Marshal")
	read, _, err := session.ParseDocument(document)
	l.ok(err, "ParseDocument")
	f := life{Session: read, now: noon}.then(check("c.1", action.Pending))
	l.refuse(session.ErrInvalidSave, f.Session, f.events)
	l.holdsNone("c")
}

// canceled saves with a context that is done: a creation and a change. A store
// that checks the context after its transaction reports as lost what was kept;
// the host then tries again, and gets a conflict with itself.
func canceled(l lab) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a := newborn("a")
	l.is(context.Canceled, l.store.Save(ctx, a.Session, a.events), "Save with a context that is done")
	l.holdsNone("a")
	l.putAll(a)

	next := a.then(check("a.1", action.Pending))
	l.is(context.Canceled, l.store.Save(ctx, next.Session, next.since(1)), "Save with a context that is done")
	l.holds(a.Session)
	l.put(next, next.since(1))
	l.holds(next.Session)
}

// canceledReads asks for what is there and for what is not, with a context that
// is done.
func canceledReads(l lab) {
	l.putAll(eventful("a"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, id := range []string{"a", "b"} {
		_, err := l.store.Load(ctx, id)
		l.is(context.Canceled, err, "Load of %q with a context that is done", id)
		if f, ok := l.store.(session.Finder); ok {
			_, err := f.Find(ctx, id+".1")
			l.is(context.Canceled, err, "Find of %q with a context that is done", id+".1")
		}
		if h, ok := l.store.(session.History); ok {
			_, err := h.History(ctx, id, 0)
			l.is(context.Canceled, err, "History of %q with a context that is done", id)
		}
	}
	if lister, ok := l.store.(session.Lister); ok {
		_, err := lister.List(ctx, session.Query{})
		l.is(context.Canceled, err, "List with a context that is done")
	}
}
