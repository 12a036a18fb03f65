package agree_test

import (
	"context"
	"iter"
	"time"

	"github.com/sluicego/sluice/session"
)

// twin is a store whose methods can be replaced by wrong ones.
type twin struct {
	store
	save        func(ctx context.Context, next session.Session, events []session.Event) error
	load        func(ctx context.Context, id string) (session.Session, error)
	find        func(ctx context.Context, resourceID string) (string, error)
	list        func(ctx context.Context, q session.Query) (session.Page[session.Session], error)
	history     func(ctx context.Context, id string, after int) ([]session.Event, error)
	sweep       func(ctx context.Context) iter.Seq2[session.Record, error]
	claim       func(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error)
	acknowledge func(ctx context.Context, entries ...session.Entry) error
	announced   func(ctx context.Context, after string, limit int) ([]session.Entry, error)
}

// newTwin returns one that answers as the store does.
func newTwin(s store) *twin {
	return &twin{s, s.Save, s.Load, s.Find, s.List, s.History, s.Sweep, s.Claim, s.Acknowledge, s.Announced}
}

func (w *twin) Save(ctx context.Context, next session.Session, events []session.Event) error {
	return w.save(ctx, next, events)
}

func (w *twin) Load(ctx context.Context, id string) (session.Session, error) { return w.load(ctx, id) }

func (w *twin) Find(ctx context.Context, resourceID string) (string, error) {
	return w.find(ctx, resourceID)
}

func (w *twin) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	return w.list(ctx, q)
}

func (w *twin) History(ctx context.Context, id string, after int) ([]session.Event, error) {
	return w.history(ctx, id, after)
}

func (w *twin) Sweep(ctx context.Context) iter.Seq2[session.Record, error] { return w.sweep(ctx) }

func (w *twin) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	return w.claim(ctx, limit, now, lease)
}

func (w *twin) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	return w.acknowledge(ctx, entries...)
}

func (w *twin) Announced(ctx context.Context, after string, limit int) ([]session.Entry, error) {
	return w.announced(ctx, after, limit)
}
