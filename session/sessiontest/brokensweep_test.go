package sessiontest_test

import (
	"cmp"
	"context"
	"iter"
	"sync/atomic"
	"time"

	"github.com/sluicego/sluice/session"
)

// sweeping sweeps in its own way.
type sweeping struct {
	slow
	sweep func(ctx context.Context, s slow) iter.Seq2[session.Record, error]
}

func swept(sweep func(context.Context, slow) iter.Seq2[session.Record, error]) func() session.Store {
	return func() session.Store { return sweeping{newSlow(), sweep} }
}

func (s sweeping) Sweep(ctx context.Context) iter.Seq2[session.Record, error] {
	return s.sweep(ctx, s.slow)
}

// each changes every record of a sweep; it may leave out one, or yield one
// twice.
func each(change func(n int, r session.Record, yield func(session.Record) bool) bool) func() session.Store {
	return swept(func(ctx context.Context, s slow) iter.Seq2[session.Record, error] {
		return func(yield func(session.Record, error) bool) {
			n := 0
			for r, err := range s.Sweep(ctx) {
				if err != nil {
					yield(r, err)
					return
				}
				n++
				if !change(n, r, func(r session.Record) bool { return yield(r, nil) }) {
					return
				}
			}
		}
	})
}

// omitting leaves out the first session.
func omitting(n int, r session.Record, yield func(session.Record) bool) bool {
	return n == 1 || yield(r)
}

// stuttering yields the first session twice.
func stuttering(n int, r session.Record, yield func(session.Record) bool) bool {
	return yield(r) && (n > 1 || yield(r))
}

// shortened leaves out the last event of those that have several.
func shortened(_ int, r session.Record, yield func(session.Record) bool) bool {
	if n := len(r.Events); n > 1 {
		r.Events = r.Events[:n-1]
	}
	return yield(r)
}

// nameless does not say of which session a record is.
func nameless(_ int, r session.Record, yield func(session.Record) bool) bool {
	r.ID = ""
	return yield(r)
}

// obstinate goes on when its caller has enough.
func obstinate(_ int, r session.Record, yield func(session.Record) bool) bool {
	yield(r)
	return true
}

// quiet ends without a word when its context is done.
func quiet(ctx context.Context, s slow) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		for r, err := range s.Sweep(ctx) {
			if err != nil || !yield(r, nil) {
				return
			}
		}
	}
}

// unstoppable does not listen to contexts.
func unstoppable(ctx context.Context, s slow) iter.Seq2[session.Record, error] {
	return s.Sweep(context.WithoutCancel(ctx))
}

// insistent tells every session that its context is done.
func insistent(ctx context.Context, s slow) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		for r, err := range s.Sweep(context.WithoutCancel(ctx)) {
			if !yield(r, cmp.Or(ctx.Err(), err)) {
				return
			}
		}
	}
}

// divided reads sessions in one step and events in another.
func divided(ctx context.Context, s slow) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		for r, err := range s.Sweep(ctx) {
			if err == nil {
				time.Sleep(2 * time.Nanosecond)
				r.Events, err = s.History(ctx, r.ID, 0)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// possessive keeps others from saving once a sweep was broken off.
type possessive struct {
	slow
	locked *atomic.Bool
}

func (s possessive) Sweep(ctx context.Context) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		for r, err := range s.slow.Sweep(ctx) {
			if !yield(r, err) {
				s.locked.Store(true)
				return
			}
		}
	}
}

func (s possessive) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if s.locked.Load() {
		return context.DeadlineExceeded
	}
	return s.slow.Save(ctx, next, events)
}
