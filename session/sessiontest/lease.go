package sessiontest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// leaseCases are about who may have an entry of a [session.Outbox], and until
// when.
func leaseCases() []Case {
	return []Case{
		abilityCase("claim", "Claim hands out up to a number of announcements that nobody holds, oldest first; without any, none and no error.", claim),
		abilityCase("claim-lease", "What is not acknowledged when its lease ends is handed out again, and not before.", claimLease),
		abilityCase("claim-readers", "An announcement may be handed out twice, but no two hold it at once.", claimReaders),
		abilityCase("acknowledge", "Acknowledge removes entries that were dealt with, and passes over what is not there.", acknowledge),
	}
}

// claim returns entries that are handed out.
func (l lab) claim(o session.Outbox, limit int, now time.Time, lease time.Duration) []session.Entry {
	l.Helper()
	entries, err := o.Claim(context.Background(), limit, now, lease)
	l.ok(err, "Claim of %d at %s for %s", limit, now.Format(time.TimeOnly), lease)
	return entries
}

// claim asks for none, for one, for some and for more than there are.
func claim(l lab, o session.Outbox) {
	now := action.Seconds(noon)
	l.sameEntries(nil, l.claim(o, plenty, now, time.Hour))
	a, b := eventful("a"), newborn("b").then(check("b.1", action.Failed))
	l.putAll(a, b)
	all := append(announcements(a.events), announcements(b.events)...)
	for from, step := 0, 0; from < len(all); from, step = from+step, step+1 {
		to := min(from+step, len(all))
		l.sameEntries(all[from:to], l.claim(o, step, now, time.Hour))
	}
	l.sameEntries(nil, l.claim(o, plenty, now, time.Hour))
	c := newborn("c").then(check("c.1", action.Failed))
	l.putAll(c)
	l.sameEntries(announcements(c.events), l.claim(o, plenty, now, time.Hour))
}

// claimLease has one reader who takes two entries for a minute and is never
// heard of again, and others who look just before that ends, when it does, and
// later.
func claimLease(l lab, o session.Outbox) {
	a := eventful("a")
	l.putAll(a)
	all := announcements(a.events)
	at := func(d time.Duration) time.Time { return action.Seconds(noon).Add(d) }
	first := l.claim(o, 2, at(0), time.Minute)
	l.sameEntries(all[:2], first)
	l.sameEntries(all[2:], l.claim(o, plenty, at(time.Second), time.Hour))
	l.sameEntries(nil, l.claim(o, plenty, at(59*time.Second), time.Hour))
	again := l.claim(o, plenty, at(time.Minute), 2*time.Minute)
	l.sameEntries(all[:2], again)
	if first[0].Position != again[0].Position || first[1].Position != again[1].Position {
		l.Fatalf("entries are handed out again in the positions %q and %q; they were in %q and %q",
			again[0].Position, again[1].Position, first[0].Position, first[1].Position)
	}
	l.sameEntries(nil, l.claim(o, plenty, at(3*time.Minute-time.Second), time.Hour))
	l.sameEntries(all[:1], l.claim(o, 1, at(3*time.Minute), time.Minute))
	// The leases of all have ended, in whatever order they were handed out.
	l.sameEntries(all, l.claim(o, plenty, at(2*time.Hour), time.Hour))
	l.announces(o, all)
}

// claimReaders has many who take entries at once until there are none. Where an
// entry is found free in one step and held in another, two of them have it.
func claimReaders(l lab, o session.Outbox) {
	now := action.Seconds(noon)
	var want []string
	for _, f := range []life{eventful("a"), eventful("b")} {
		l.putAll(f)
		for _, a := range announcements(f.events) {
			want = append(want, a.ID())
		}
	}
	var held [writers][]string
	errs := together(writers, func(i int) error {
		for {
			entries, err := o.Claim(context.Background(), 2, now, time.Hour)
			if err != nil || len(entries) == 0 {
				return err
			}
			if len(held[i]) > len(want) {
				return fmt.Errorf("there is no end of entries: it has %d, of %d", len(held[i]), len(want))
			}
			for _, e := range entries {
				held[i] = append(held[i], e.ID())
			}
		}
	})
	for i, err := range errs {
		l.ok(err, "Claim of reader %d", i)
	}
	got := slices.Concat(held[:]...)
	// Somebody may have seen none while others were still at it.
	for _, e := range l.claim(o, plenty, now, time.Hour) {
		got = append(got, e.ID())
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		l.Fatalf("%d readers at once hold\n%q\nwant each once:\n%q", writers, got, want)
	}
}

// acknowledge removes entries that are held, that nobody holds, that are not
// there any more, and such as no outbox ever had.
func acknowledge(l lab, o session.Outbox) {
	ctx := context.Background()
	a := eventful("a")
	l.putAll(a)
	all := announcements(a.events)
	entries := l.announces(o, all)
	held := l.claim(o, 2, action.Seconds(noon), time.Minute)
	l.sameEntries(all[:2], held)
	l.ok(o.Acknowledge(ctx), "Acknowledge of nothing")
	l.announces(o, all)

	l.ok(o.Acknowledge(ctx, held[1]), "Acknowledge")
	all = slices.Delete(all, 1, 2)
	l.announces(o, all)
	l.ok(o.Acknowledge(ctx, held[1]), "Acknowledge once more")
	l.announces(o, all)
	foreign := []session.Entry{{}, {Position: "no position"}, {Position: entries[0].Position + "'"}}
	l.ok(o.Acknowledge(ctx, foreign...), "Acknowledge of entries that are not there")
	l.announces(o, all)
	l.ok(o.Acknowledge(ctx, slices.Concat(foreign, held[1:], entries[3:4])...), "Acknowledge of one that is there among others")
	all = slices.Delete(all, 2, 3) // what was the fourth, and nobody held it
	l.announces(o, all)
	l.sameEntries(all, l.claim(o, plenty, action.Seconds(noon).Add(time.Hour), time.Hour))
	l.ok(o.Acknowledge(ctx, entries...), "Acknowledge of all")
	l.announces(o, nil)
	l.sameEntries(nil, l.claim(o, plenty, action.Seconds(noon).Add(24*time.Hour), time.Hour))
}
