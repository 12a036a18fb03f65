package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"pgregory.net/rapid" //nolint:depguard // a suite is made of tests

	"github.com/sluicego/sluice/delivery/receiver"
)

func keep(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	first := event("a")
	l.keep(first, true)
	l.keep(first, false)
	l.keep(receiver.Event{ID: "a", Body: []byte("another"), Received: noon.Add(time.Hour)}, false)
	l.keepAll("b")
	got := l.claim(plenty, noon, time.Minute)
	if !slices.Equal(idsOf(got), []string{"a", "b"}) {
		l.Fatalf("Claim hands out %q", idsOf(got))
	}
	l.same(first, got[0])
	l.keep(first, false) // while it is held
	l.done("a")
	l.keep(first, false) // when it is done
	l.claims(plenty, noon.Add(time.Hour), time.Minute, "b")
}

func keepBytes(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	ids := []string{"a", "A", "a ", " a", "é", "e\u0301", "a%", "a_", `a'"\`, "🙂", "%s?1$1", strings.Repeat("é", 64)}
	var want []receiver.Event
	for i, id := range ids {
		e := receiver.Event{ID: id, Body: every[i:], Received: noon.Add(time.Duration(i) * time.Microsecond)}
		l.keep(e, true)
		want = append(want, e)
	}
	large := receiver.Event{ID: "large", Body: []byte(strings.Repeat("x\x00", 1<<19)), Received: noon.Add(999 * time.Nanosecond)}
	l.keep(large, true)
	large.Received = noon
	want = append(want, large)
	zone := receiver.Event{ID: "zone", Body: []byte{}, Received: noon.In(time.FixedZone("", 3600))}
	l.keep(zone, true)
	zone.Received = noon
	want = append(want, zone)
	got := l.claim(plenty, noon, time.Minute)
	if len(got) != len(want) {
		l.Fatalf("Claim hands out %d events, not %d", len(got), len(want))
	}
	for i := range want {
		l.same(want[i], got[i])
	}
}

func keepAtOnce(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	ids := numbered(12)
	news := make([]atomic.Int32, len(ids))
	for i, id := range ids {
		for _, err := range together(workers, func(int) error {
			isNew, err := inbox.Keep(context.Background(), event(id))
			if isNew {
				news[i].Add(1)
			}
			return err
		}) {
			if err != nil {
				l.Fatalf("Keep at once: %v", err)
			}
		}
	}
	for i, id := range ids {
		if n := news[i].Load(); n != 1 {
			l.Fatalf("of %d that keep %q at once, %d are told that it is new", workers, id, n)
		}
	}
	l.claims(plenty, noon, time.Minute, ids...)
}

func claim(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	l.claims(plenty, noon, time.Hour)
	l.keep(receiver.Event{ID: "z", Body: []byte("{}"), Received: noon.Add(time.Hour)}, true)
	l.keepAll("a", "m", "b") // received before, and kept behind
	l.claims(0, noon, time.Hour)
	l.claims(-1, noon, time.Hour)
	l.claims(1, noon, time.Hour, "z")
	l.claims(2, noon, time.Hour, "a", "m")
	l.claims(plenty, noon, time.Hour, "b")
	l.claims(plenty, noon, time.Hour)
	l.keepAll("0")
	l.claims(plenty, noon, time.Hour, "0")
}

func claimLease(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	at := noon.Add
	l.keepAll("a", "b", "c")
	l.claims(2, at(0), time.Minute, "a", "b")
	l.claims(plenty, at(time.Second), time.Hour, "c")
	l.claims(plenty, at(time.Minute-time.Microsecond), time.Hour)
	l.claims(plenty, at(time.Minute), 2*time.Minute, "a", "b")
	l.done("a")
	l.claims(plenty, at(3*time.Minute-time.Second), time.Hour)
	l.claims(plenty, at(3*time.Minute), time.Minute, "b")
	l.claims(plenty, at(2*time.Hour), time.Hour, "b", "c")
	l.claims(plenty, at(3*time.Hour), 0, "b", "c") // held for no time
	l.claims(plenty, at(3*time.Hour), time.Nanosecond, "b", "c")
	l.claims(plenty, at(3*time.Hour), time.Hour)
	l.claims(plenty, at(3*time.Hour+time.Microsecond), time.Hour, "b", "c")
}

func claimAtOnce(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	ids := numbered(40)
	l.keepAll(ids...)
	var held [workers][]string
	for i, err := range together(workers, func(i int) error {
		for {
			events, err := inbox.Claim(context.Background(), 2, noon, time.Hour)
			if err != nil || len(events) == 0 {
				return err
			}
			held[i] = append(held[i], idsOf(events)...)
			if len(held[i]) > len(ids) {
				return fmt.Errorf("there is no end of events: it has %d", len(held[i]))
			}
		}
	}) {
		if err != nil {
			l.Fatalf("Claim of worker %d: %v", i, err)
		}
	}
	// Somebody may have seen none while others were still at it.
	got := append(slices.Concat(held[:]...), idsOf(l.claim(plenty, noon, time.Hour))...)
	slices.Sort(got)
	if !slices.Equal(got, ids) {
		l.Fatalf("%d workers at once hold\n%q\nwant each once:\n%q", workers, got, ids)
	}
}

func done(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	l.done()
	l.done("nobody")
	l.keepAll("a", "b", "c", "nobody")
	l.claims(2, noon, time.Minute, "a", "b")
	l.done()
	l.done("b", "x", "b", "c") // c is held by nobody
	l.done("b")
	l.claims(plenty, noon.Add(time.Hour), time.Minute, "a", "nobody")
	l.keep(event("b"), false)
	l.keep(event("c"), false)
	l.claims(plenty, noon.Add(2*time.Hour), time.Minute, "a", "nobody")
	l.done("a", "nobody")
	l.claims(plenty, noon.Add(3*time.Hour), time.Minute)
}

func forget(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	for i, id := range []string{"a", "b", "c", "d"} {
		e := event(id)
		e.Received = noon.Add(time.Duration(i) * time.Hour)
		l.keep(e, true)
	}
	l.done("a", "c", "d")
	l.forget(noon) // nothing is older
	l.keep(event("a"), false)
	l.forget(noon.Add(2 * time.Hour)) // a; b is not done, c not older
	l.keep(event("b"), false)
	l.keep(event("c"), false)
	l.keep(event("d"), false)
	l.keep(event("a"), true)
	l.claims(plenty, noon, time.Minute, "b", "a")
	l.forget(noon.Add(24 * time.Hour))
	l.claims(plenty, noon.Add(time.Hour), time.Minute, "b", "a")
	l.keep(event("c"), true)
	l.keep(event("d"), true)
	l.done("a", "b", "c", "d")
	l.claims(plenty, noon.Add(2*time.Hour), time.Minute)
}

func canceled(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l.keepAll("a", "b")
	l.done("b")
	fails := func(what string, err error) {
		if !errors.Is(err, context.Canceled) {
			l.Fatalf("%s with a canceled context returns %v", what, err)
		}
	}
	isNew, err := inbox.Keep(ctx, event("c"))
	fails("Keep", err)
	if isNew {
		l.Fatalf("Keep with a canceled context reports a new event")
	}
	_, err = inbox.Claim(ctx, plenty, noon, time.Hour)
	fails("Claim", err)
	fails("Done", inbox.Done(ctx, "a"))
	fails("Forget", inbox.Forget(ctx, noon.Add(time.Hour)))
	l.keep(event("b"), false)
	l.keep(event("c"), true)
	l.claims(plenty, noon, time.Minute, "a", "c")
}

func owner(t rapid.TB, inbox receiver.Inbox) {
	l := lab{t, inbox}
	e := event("a")
	want := event("a")
	l.keep(e, true)
	clear(e.Body)
	got := l.claim(plenty, noon, 0)
	if len(got) != 1 {
		l.Fatalf("Claim hands out %d events, not one", len(got))
	}
	l.same(want, got[0])
	clear(got[0].Body)
	if got = l.claim(plenty, noon, 0); len(got) != 1 {
		l.Fatalf("Claim hands out %d events, not one", len(got))
	}
	l.same(want, got[0])
}

func reopen(t rapid.TB, inbox receiver.Inbox) {
	r, ok := inbox.(Reopener)
	if !ok {
		t.Logf("nothing outlives the process: the inbox is no Reopener")
		return
	}
	l := lab{t, inbox}
	l.keepAll("a", "b", "c")
	l.claims(1, noon, time.Hour, "a")
	l.done("b")
	again, err := r.Reopen()
	if err != nil {
		t.Fatalf("Reopen: %v", err)
	}
	l = lab{t, again}
	for _, id := range []string{"a", "b", "c"} {
		l.keep(event(id), false)
	}
	l.claims(plenty, noon, time.Hour, "c")
	l.keepAll("d")
	l.claims(plenty, noon.Add(time.Hour), time.Hour, "a", "c", "d")
}
