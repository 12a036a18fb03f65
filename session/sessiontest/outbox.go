package sessiontest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// outboxCases are about what [session.Outbox] keeps. Who may have it when is for
// leaseCases.
func outboxCases() []Case {
	return []Case{
		abilityCase("outbox", "An announcement is there exactly if the save is that made it, with all that it tells, oldest first.", outbox),
		abilityCase("outbox-refused", "What Save refuses announces nothing.", outboxRefused),
		abilityCase("outbox-together", "An announcement is there exactly if the save is that made it, whenever one looks.", outboxTogether),
		abilityCase("outbox-positions", "Announced returns the entries behind a position, up to a number, whoever holds them.", outboxPositions),
		abilityCase("outbox-writers", "Entries of saves that are under way come behind, so that a reader who goes on misses none.", outboxWriters),
		abilityCase("outbox-cursors", "Announced returns a *CursorError for what is no position.", outboxCursors),
		abilityCase("outbox-canceled", "With a context that is done, no method of the outbox does anything, and the error is the context's.", outboxCanceled),
		abilityCase("outbox-returned", "Entries that were returned are the caller's, and so are those that were given.", outboxReturned),
		abilityCase("outbox-reopen", "Entries, their positions and who holds them outlive the process.", outboxReopen),
	}
}

// plenty is more entries than any case makes.
const plenty = 1000

// announcements returns what events announce, in order.
func announcements(events []session.Event) []session.Announcement {
	return session.Change{Events: events}.Announcements()
}

// announced returns the entries behind a position.
func (l lab) announced(o session.Outbox, after string, limit int) []session.Entry {
	l.Helper()
	entries, err := o.Announced(context.Background(), after, limit)
	l.ok(err, "Announced of %d behind %q", limit, after)
	return entries
}

// announces checks that the outbox has these announcements, in that order, and
// returns the entries.
func (l lab) announces(o session.Outbox, want []session.Announcement) []session.Entry {
	l.Helper()
	entries := l.announced(o, "", plenty)
	l.sameEntries(want, entries)
	return entries
}

// sameEntries checks what entries announce, and that each stands in a place of
// its own.
func (l lab) sameEntries(want []session.Announcement, got []session.Entry) {
	l.Helper()
	var w, g []string
	positions := map[string]bool{"": true}
	for _, a := range want {
		w = append(w, announcementText(a))
	}
	for _, e := range got {
		g = append(g, announcementText(e.Announcement))
		if positions[e.Position] {
			l.Fatalf("the position of %s is %q, as that of the beginning or of another entry", e.ID(), e.Position)
		}
		positions[e.Position] = true
	}
	if !slices.Equal(w, g) {
		l.Fatalf("the outbox gives\n%s\nwant\n%s", g, w)
	}
}

// announcementText returns all that an announcement tells, as a line.
func announcementText(a session.Announcement) string {
	return fmt.Sprintf("%q in version %d: %s, %s is %s at %s\n",
		a.SessionID, a.Version, a.Name, a.GroupType, a.Status, a.At.UTC().Format(time.RFC3339Nano))
}

// outbox saves two sessions by turns, some events at once and some alone, among
// them such that announce nothing. A store that announces the net change of a
// save, and not what each event does, leaves some out.
func outbox(l lab, o session.Outbox) {
	var want []session.Announcement
	l.announces(o, nil)
	a, b := eventful("a"), eventful("b/2 🙂")
	for from, step := 0, 1; from < a.Version(); from, step = from+step, step%3+1 {
		to := min(from+step, a.Version())
		for _, f := range []life{a, b} {
			s, err := session.Replay(f.events[:to])
			l.ok(err, "Replay up to version %d", to)
			l.put(life{Session: s}, f.events[from:to])
			want = append(want, announcements(f.events[from:to])...)
			l.announces(o, want)
		}
	}
	for _, f := range farLives() {
		l.putAll(f)
		want = append(want, announcements(f.events)...)
	}
	l.announces(o, want)
}

// outboxRefused saves what is too late, what is taken with the last of its
// events, what does not fit together, and what comes with a context that is
// done. All of it would announce something.
func outboxRefused(l lab, o session.Outbox) {
	a, b := newborn("a").then(check("a.1", action.Failed)), newborn("b")
	l.putAll(a, b)
	late := newborn("a").then(check("a.2", action.Failed))
	l.refuse(session.ErrConflict, late.Session, late.since(1))
	l.refuse(session.ErrConflict, late.Session, late.since(0))
	taken := b.then(check("b.1", action.Failed), check("a.1", action.Pending))
	l.refuse(session.ErrResourceTaken, taken.Session, taken.since(1))
	l.refuse(session.ErrInvalidSave, taken.Session, taken.since(2)[:0])
	l.refuse(session.ErrInvalidSave, taken.Session, taken.since(0)[:2])
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	next := b.then(check("b.2", action.Failed))
	l.is(context.Canceled, l.store.Save(ctx, next.Session, next.since(1)), "Save with a context that is done")
	l.announces(o, announcements(a.events))
	l.put(next, next.since(1))
	l.announces(o, append(announcements(a.events), announcements(next.events)...))
}

// outboxTogether saves a session version by version while others look for it
// and for its announcements, in both orders. A store that writes the two in
// several transactions shows one without the other in between.
func outboxTogether(l lab, o session.Outbox) {
	const readers = 2
	a := eventful("a")
	l.put(newborn("a"), a.events[:1])
	errs := together(1+readers, func(i int) error {
		if i > 0 {
			return l.lookTogether(o, announcements(a.events))
		}
		for v := 1; v < a.Version(); v++ {
			s, err := session.Replay(a.events[:v+1])
			if err == nil {
				err = l.store.Save(context.Background(), s, a.events[v:v+1])
			}
			if err != nil {
				return fmt.Errorf("save version %d: %w", v+1, err)
			}
		}
		return nil
	})
	for i, err := range errs {
		l.ok(err, "goroutine %d, of which the first one writes", i)
	}
	l.announces(o, announcements(a.events))
}

// lookTogether looks again and again for a session, then for its announcements,
// then for the session: what is announced must be at least what the first
// version announced, and at most what the second did.
func (l lab) lookTogether(o session.Outbox, all []session.Announcement) error {
	upTo := func(s session.Session) int {
		return len(slices.DeleteFunc(slices.Clone(all), func(a session.Announcement) bool { return a.Version > s.Version() }))
	}
	for range 10 {
		before, err := l.store.Load(context.Background(), "a")
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		entries, err := o.Announced(context.Background(), "", plenty)
		if err != nil {
			return fmt.Errorf("announced: %w", err)
		}
		behind, err := l.store.Load(context.Background(), "a")
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if n := len(entries); n < upTo(before) || n > upTo(behind) {
			return fmt.Errorf("between %s, with %d announcements, and %s, with %d, there were %d",
				before, upTo(before), behind, upTo(behind), n)
		}
	}
	return nil
}

// outboxPositions reads on from every entry, then from those that were removed
// meanwhile. A store that takes the next number behind the highest that is
// there gives a position again once the last entry is removed, and its reader
// misses what stands there.
func outboxPositions(l lab, o session.Outbox) {
	a := eventful("a")
	l.putAll(a)
	all := announcements(a.events)
	held := l.claim(o, 2, action.Seconds(noon), time.Hour)
	l.sameEntries(all[:2], held)
	entries := l.announces(o, all)
	if held[0].Position != entries[0].Position || held[1].Position != entries[1].Position {
		l.Fatalf("Claim gives the positions %q and %q; Announced gives %q and %q",
			held[0].Position, held[1].Position, entries[0].Position, entries[1].Position)
	}
	for i, e := range entries {
		l.sameEntries(all[i+1:], l.announced(o, e.Position, plenty))
		l.sameEntries(all[i+1:min(i+3, len(all))], l.announced(o, e.Position, 2))
	}
	l.sameEntries(all[:1], l.announced(o, "", 1))

	last := len(entries) - 1
	l.ok(o.Acknowledge(context.Background(), entries[1], entries[last]), "Acknowledge")
	l.sameEntries(all[2:last], l.announced(o, entries[1].Position, plenty))
	l.sameEntries(nil, l.announced(o, entries[last].Position, plenty))
	b := newborn("b").then(check("b.1", action.Failed))
	l.putAll(b)
	l.sameEntries(announcements(b.events), l.announced(o, entries[last].Position, plenty))
}

// outboxWriters has many who save at once, and one who reads on each time that
// one of them is done. A store that gives out positions before it commits shows
// a later one first; its reader goes on from there and never sees the other.
func outboxWriters(l lab, o session.Outbox) {
	const sessions = 4
	var want []string
	var lives [sessions]life
	saved := make(chan struct{}, sessions*plenty)
	for i := range lives {
		lives[i] = eventful(fmt.Sprintf("s%d", i))
		for _, a := range announcements(lives[i].events) {
			want = append(want, a.ID())
		}
	}
	reader := make(chan []string)
	go func() {
		var seen []string
		position := ""
		for range saved {
			entries, err := o.Announced(context.Background(), position, plenty)
			if err != nil {
				seen = append(seen, err.Error())
			}
			for _, e := range entries {
				seen, position = append(seen, e.ID()), e.Position
			}
		}
		reader <- seen
	}()
	errs := together(sessions, func(i int) error {
		for v, e := range lives[i].events {
			s, err := session.Replay(lives[i].events[:v+1])
			if err == nil {
				err = l.store.Save(context.Background(), s, []session.Event{e})
			}
			if err != nil {
				return err
			}
			saved <- struct{}{}
		}
		return nil
	})
	saved <- struct{}{}
	close(saved)
	seen := <-reader
	for i, err := range errs {
		l.ok(err, "writer %d", i)
	}
	l.inTheirOrder(want, seen)
}

// inTheirOrder checks that ids of announcements are those of some sessions, each
// once, and those of each session in its order.
func (l lab) inTheirOrder(want, seen []string) {
	l.Helper()
	bySession := func(ids []string) []string {
		return slices.SortedStableFunc(slices.Values(ids), func(a, b string) int {
			return int(a[1]) - int(b[1]) // the ids are s0, s1 and so on
		})
	}
	if w, s := bySession(want), bySession(seen); !slices.Equal(w, s) {
		l.Fatalf("who reads on while others save sees\n%q\nwant, session by session,\n%q", s, w)
	}
}

// outboxCursors gives texts that are no positions, some of them nearly. A store
// that takes them for the beginning has its reader begin again and again.
func outboxCursors(l lab, o session.Outbox) {
	a := eventful("a")
	l.putAll(a)
	given := l.announces(o, announcements(a.events))[0].Position
	for _, position := range []string{
		"?", "-1", "a position", " ", given + "!", " " + given, given + " ", given + "\n", "\x00", "null", "🙂",
	} {
		_, err := o.Announced(context.Background(), position, 1)
		l.isCursorError(err, "Announced behind %q, which no entry has as its position", position)
	}
}

// outboxCanceled calls everything with a context that is done. A store that
// holds entries for who is gone keeps them from the others until the lease
// ends.
func outboxCanceled(l lab, o session.Outbox) {
	a := eventful("a")
	l.putAll(a)
	all := announcements(a.events)
	entries := l.announces(o, all)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := o.Announced(ctx, "", plenty)
	l.is(context.Canceled, err, "Announced with a context that is done")
	_, err = o.Claim(ctx, plenty, action.Seconds(noon), time.Hour)
	l.is(context.Canceled, err, "Claim with a context that is done")
	l.is(context.Canceled, o.Acknowledge(ctx, entries...), "Acknowledge with a context that is done")
	l.announces(o, all)
	l.sameEntries(all, l.claim(o, plenty, action.Seconds(noon), time.Hour))
}

// outboxReturned writes over what the outbox returned, and over what it was
// given.
func outboxReturned(l lab, o session.Outbox) {
	a := eventful("a")
	l.putAll(a)
	all := announcements(a.events)
	scribble := func(entries []session.Entry) {
		for i := range entries {
			entries[i] = session.Entry{Position: "scribbled"}
		}
		_ = append(entries, session.Entry{Position: "scribbled"})
	}
	scribble(l.announces(o, all))
	scribble(l.announced(o, "", 1))
	scribble(l.claim(o, 2, action.Seconds(noon), time.Minute))
	given := l.announces(o, all)[:1]
	l.ok(o.Acknowledge(context.Background(), given...), "Acknowledge")
	scribble(given)
	l.announces(o, all[1:])
	l.sameEntries(all[1:], l.claim(o, plenty, action.Seconds(noon).Add(time.Minute), time.Minute))
}

// outboxReopen goes on with another store over the same data: what was held is,
// what was acknowledged is gone, and positions are what they were.
func outboxReopen(l lab, o session.Outbox) {
	r, ok := l.store.(Reopener)
	if !ok {
		l.notTested("sessiontest.Reopener")
		return
	}
	a, b := eventful("a"), newborn("b").then(check("b.1", action.Failed))
	l.putAll(a)
	all, now := announcements(a.events), action.Seconds(noon)
	entries := l.announces(o, all)
	l.claim(o, 3, now, time.Minute)
	last := len(all) - 1
	l.ok(o.Acknowledge(context.Background(), entries[0], entries[last]), "Acknowledge")
	store, err := r.Reopen()
	l.ok(err, "Reopen")
	l.store = store
	if o, ok = store.(session.Outbox); !ok {
		l.Fatalf("%T is a session.Outbox; reopened, it is %T, which is none", r, store)
	}
	l.putAll(b)
	all = append(all[1:last:last], announcements(b.events)...)
	l.announces(o, all)
	l.sameEntries(all[2:], l.announced(o, entries[2].Position, plenty))
	l.sameEntries(announcements(b.events), l.announced(o, entries[last].Position, plenty))
	l.sameEntries(all[2:], l.claim(o, plenty, now.Add(time.Second), time.Hour))
	l.sameEntries(all[:2], l.claim(o, plenty, now.Add(time.Minute), time.Hour))
}
