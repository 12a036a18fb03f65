package sessiontest

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// archiveCases are about [session.Archive]: all that a store has, looked at once.
func archiveCases() []Case {
	return []Case{
		abilityCase("sweep", "Sweep yields every session once, with all its events in order.", sweep),
		abilityCase("sweep-break", "A sweep ends when its caller has enough, and leaves nothing behind.", sweepBreak),
		abilityCase("sweep-canceled", "With a context that is done, a sweep ends with its error.", sweepCanceled),
		abilityCase("sweep-written", "Each record of a sweep is as of one moment, and what was there is there once.", sweepWritten),
		abilityCase("verify-all", "What was saved verifies: VerifyAll looks at all sessions and reports none.", verifyAll),
	}
}

// archived returns some sessions of all kinds, in the order of their ids.
func archived() []life {
	lives := append(farLives(), newborn("a"), eventful("b"), eventful("B"), newborn("c d"))
	return slices.SortedFunc(slices.Values(lives), byID)
}

// byID orders lives by their ids.
func byID(a, b life) int { return slices.Compare([]byte(a.ID()), []byte(b.ID())) }

// swept returns the records of a sweep, in the order of their ids.
func (l lab) swept(a session.Archive) []life {
	l.Helper()
	var got []life
	for r, err := range a.Sweep(context.Background()) {
		l.ok(err, "Sweep, at session %q", r.ID)
		if r.ID != r.Session.ID() {
			l.Fatalf("the record of session %q has %s", r.ID, r.Session)
		}
		got = append(got, life{Session: r.Session, events: r.Events})
	}
	slices.SortFunc(got, byID)
	return got
}

// sweep sweeps a store that is empty, one that has many sessions, and one in
// which some were changed.
func sweep(l lab, a session.Archive) {
	l.sweeps(a, nil)
	lives := archived()
	l.putAll(lives...)
	l.sweeps(a, lives)
	for i, f := range lives {
		if i%2 == 0 {
			lives[i] = f.then(check(f.ID()+".c", action.Pending))
			l.put(lives[i], lives[i].since(f.Version()))
		}
	}
	l.sweeps(a, lives)
}

// sweeps checks that a sweep yields these lives, given in the order of their
// ids.
func (l lab) sweeps(a session.Archive, want []life) {
	l.Helper()
	got := l.swept(a)
	var w, g []string
	for _, f := range want {
		w = append(w, f.ID())
	}
	for _, f := range got {
		g = append(g, f.ID())
	}
	if !slices.Equal(w, g) {
		l.Fatalf("Sweep yields the sessions\n%q\nwant\n%q", g, w)
	}
	for i, f := range want {
		l.same(f.Session, got[i].Session)
		l.sameEvents(f.events, got[i].events)
	}
}

// sweepBreak has enough after the first session, and after some. Then it saves,
// which a sweep that left a transaction open would keep it from.
func sweepBreak(l lab, a session.Archive) {
	lives := archived()
	l.putAll(lives...)
	for enough := 1; enough < len(lives); enough += 4 {
		n := 0
		a.Sweep(context.Background())(func(r session.Record, err error) bool {
			l.ok(err, "Sweep, at session %q", r.ID)
			if n++; n > enough {
				l.Fatalf("Sweep goes on after its caller had enough")
			}
			return n < enough
		})
		f := newborn(fmt.Sprint("after ", enough))
		l.putAll(f)
		l.holds(f.Session)
		lives = append(lives, f)
	}
	slices.SortFunc(lives, byID)
	l.sweeps(a, lives)
}

// sweepCanceled has a context that is done before the sweep, without sessions
// and with some, and one that is when the first session was seen. A sweep that
// just ends then would be taken for one that has seen all.
func sweepCanceled(l lab, a session.Archive) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l.sweepEnds(ctx, a, func() {})
	l.putAll(archived()...)
	l.sweepEnds(ctx, a, func() {})
	ctx, cancel = context.WithCancel(context.Background())
	l.sweepEnds(ctx, a, cancel)
	cancel()
}

// sweepEnds checks that a sweep ends with the error of its context, which is
// done at the latest when cancel was called with the first record.
func (l lab) sweepEnds(ctx context.Context, a session.Archive, cancel func()) {
	l.Helper()
	n := 0
	var ended error
	a.Sweep(ctx)(func(_ session.Record, err error) bool {
		if ended != nil {
			l.Fatalf("Sweep goes on after the error %q", ended)
		}
		cancel()
		n++
		ended = err
		return true
	})
	l.is(context.Canceled, ended, "Sweep with a context that is done, after %d records", n)
}

// sweepWritten sweeps while others save. A sweep that reads sessions and events
// each for themselves yields some that do not go together.
func sweepWritten(l lab, a session.Archive) {
	const sessions = 4
	var lives [sessions]life
	for i := range lives {
		lives[i] = eventful(fmt.Sprintf("s%d", i))
		l.put(newborn(lives[i].ID()), lives[i].events[:1])
	}
	errs := together(2*sessions, func(i int) error {
		if i >= sessions {
			return whole(a, sessions)
		}
		for v := 1; v < lives[i].Version(); v++ {
			s, err := session.Replay(lives[i].events[:v+1])
			if err == nil {
				err = l.store.Save(context.Background(), s, lives[i].events[v:v+1])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	for i, err := range errs {
		l.ok(err, "goroutine %d, of which the first %d write", i, sessions)
	}
	l.sweeps(a, lives[:])
}

// whole sweeps some times and returns an error for a record that does not go
// together, or if there are not as many as there should be.
func whole(a session.Archive, sessions int) error {
	for range 3 {
		seen := map[string]bool{}
		for r, err := range a.Sweep(context.Background()) {
			switch {
			case err != nil:
				return fmt.Errorf("sweep, at session %s: %w", r.ID, err)
			case seen[r.ID]:
				return fmt.Errorf("session %s is there twice", r.ID)
			}
			if err := r.Verify(); err != nil {
				return err
			}
			seen[r.ID] = true
		}
		if len(seen) != sessions {
			return fmt.Errorf("a sweep yields %d sessions; %d were there all the time", len(seen), sessions)
		}
	}
	return nil
}

// verifyAll verifies an empty store and one with sessions of all kinds.
func verifyAll(l lab, _ session.Archive) {
	lives := archived()
	for _, want := range []int{0, len(lives)} {
		n, err := session.VerifyAll(context.Background(), l.store, func(id string, err error) error {
			return fmt.Errorf("%q: %w", id, err)
		})
		l.ok(err, "VerifyAll")
		if n != want {
			l.Fatalf("VerifyAll looked at %d sessions; want %d", n, want)
		}
		if want == 0 {
			l.putAll(lives...)
		}
	}
}
