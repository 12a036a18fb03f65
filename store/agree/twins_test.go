package agree_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/internal/failing"
	"github.com/sluicego/sluice/session"
)

// twins are what may be wrong with a store that is the reference in all else.
var twins = map[string]func(*twin){
	// Writes.
	"the last announcement of a save is lost": func(w *twin) {
		w.save = func(ctx context.Context, next session.Session, events []session.Event) error {
			err := w.store.Save(ctx, next, events)
			if n := len((session.Change{Events: events}).Announcements()); err == nil && n > 1 {
				all, _ := w.store.Announced(ctx, "", 1<<20)
				err = w.store.Acknowledge(ctx, all[len(all)-1])
			}
			return err
		}
	},
	"a resource is taken in any case": func(w *twin) {
		w.save = func(ctx context.Context, next session.Session, events []session.Event) error {
			for _, e := range events {
				f, ok := e.Fact.(session.Linked)
				if in, err := w.store.Find(ctx, swapCase(f.Resource.ID)); ok && err == nil && in != next.ID() {
					return session.Taken(f.Resource.ID, in)
				}
			}
			return w.store.Save(ctx, next, events)
		}
	},
	"taken is told before conflict": func(w *twin) {
		w.save = func(ctx context.Context, next session.Session, events []session.Event) error {
			for _, e := range events {
				f, ok := e.Fact.(session.Linked)
				if in, err := w.store.Find(ctx, f.Resource.ID); ok && err == nil && in != next.ID() {
					return session.Taken(f.Resource.ID, in)
				}
			}
			return w.store.Save(ctx, next, events)
		}
	},
	"a conflict is one in words alone": func(w *twin) {
		w.save = func(ctx context.Context, next session.Session, events []session.Event) error {
			err := w.store.Save(ctx, next, events)
			if errors.Is(err, session.ErrConflict) {
				return errors.New(err.Error())
			}
			return err
		}
	},
	"who has the resource is not told": func(w *twin) {
		w.save = func(ctx context.Context, next session.Session, events []session.Event) error {
			err := w.store.Save(ctx, next, events)
			var refused *session.Refusal
			if errors.As(err, &refused) {
				refused.Reason = "it stands in another session"
			}
			return err
		}
	},
	"a save does not heed its context": func(w *twin) {
		w.save = func(ctx context.Context, next session.Session, events []session.Event) error {
			return w.store.Save(context.WithoutCancel(ctx), next, events)
		}
	},
	// Reads.
	"who resolved is forgotten": func(w *twin) {
		w.load = func(ctx context.Context, id string) (session.Session, error) {
			s, err := w.store.Load(ctx, id)
			if err != nil {
				return s, err
			}
			events, _ := w.store.History(ctx, id, 0)
			for i, e := range events {
				if f, ok := e.Fact.(session.Resolved); ok {
					f.By = ""
					events[i].Fact = f
				}
			}
			if replayed, err := session.Replay(events); err == nil {
				s = replayed
			}
			return s, nil
		}
	},
	"resources are found in any case": func(w *twin) {
		w.find = func(ctx context.Context, id string) (string, error) {
			in, err := w.store.Find(ctx, id)
			if other, found := w.store.Find(ctx, swapCase(id)); err != nil && found == nil {
				return other, nil
			}
			return in, err
		}
	},
	"lists are in the order of ids": func(w *twin) {
		w.list = func(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
			page, err := w.store.List(ctx, q)
			slices.SortFunc(page.Items, func(a, b session.Session) int { return cmp.Compare(a.ID(), b.ID()) })
			return page, err
		}
	},
	"updated since leaves out the moment itself": func(w *twin) {
		w.list = func(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
			if !q.UpdatedSince.IsZero() {
				q.UpdatedSince = q.UpdatedSince.Add(1)
			}
			return w.store.List(ctx, q)
		}
	},
	"pages begin behind the second in which another one ended": func(w *twin) {
		w.list = func(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
			if p, err := session.ParseCursor(q.Cursor); err == nil && q.Cursor != "" {
				p.ID = "\U0010ffff"
				q.Cursor = p.Cursor()
			}
			return w.store.List(ctx, q)
		}
	},
	"a page that is full has another one behind it": func(w *twin) {
		w.list = func(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
			page, err := w.store.List(ctx, q)
			if n := len(page.Items); n > 0 && n == q.Limit {
				page.NextCursor = session.PositionOf(page.Items[n-1]).Cursor()
			}
			return page, err
		}
	},
	"events lose their nanoseconds": func(w *twin) {
		w.history = func(ctx context.Context, id string, after int) ([]session.Event, error) {
			events, err := w.store.History(ctx, id, after)
			for i := range events {
				events[i].At = events[i].At.Truncate(time.Microsecond)
			}
			return events, err
		}
	},
	"nothing is behind a negative version": func(w *twin) {
		w.history = func(ctx context.Context, id string, after int) ([]session.Event, error) {
			events, err := w.store.History(ctx, id, after)
			if after < 0 {
				events = nil
			}
			return events, err
		}
	},
	"a sweep leaves out what was created last": func(w *twin) {
		w.sweep = func(ctx context.Context) iter.Seq2[session.Record, error] {
			page, _ := w.store.List(context.Background(), session.Query{Limit: 1000})
			return func(yield func(session.Record, error) bool) {
				for r, err := range w.store.Sweep(ctx) {
					if n := len(page.Items); n > 2 && r.ID == page.Items[n-1].ID() {
						continue
					}
					if !yield(r, err) {
						return
					}
				}
			}
		}
	},
	// The outbox.
	"announcements lose their nanoseconds": func(w *twin) {
		w.announced = func(ctx context.Context, after string, limit int) ([]session.Entry, error) {
			entries, err := w.store.Announced(ctx, after, limit)
			for i := range entries {
				entries[i].At = entries[i].At.Truncate(time.Microsecond)
			}
			return entries, err
		}
	},
	"a lease ends a microsecond early": func(w *twin) {
		w.claim = func(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
			return w.store.Claim(ctx, limit, now, lease-time.Microsecond)
		}
	},
	"the newest are handed out first": func(w *twin) {
		w.claim = func(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
			entries, err := w.store.Claim(ctx, limit, now, lease)
			slices.Reverse(entries)
			return entries, err
		}
	},
	"what is held is not read": func(w *twin) {
		held := map[string]bool{}
		w.claim = func(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
			entries, err := w.store.Claim(ctx, limit, now, lease)
			for _, e := range entries {
				held[e.Position] = true
			}
			return entries, err
		}
		w.announced = func(ctx context.Context, after string, limit int) ([]session.Entry, error) {
			entries, err := w.store.Announced(ctx, after, limit)
			return slices.DeleteFunc(entries, func(e session.Entry) bool { return held[e.Position] }), err
		}
	},
	"what is there no more cannot be acknowledged": func(w *twin) {
		w.acknowledge = func(ctx context.Context, entries ...session.Entry) error {
			all, _ := w.store.Announced(ctx, "", 1<<20)
			for _, e := range entries {
				if !slices.ContainsFunc(all, func(a session.Entry) bool { return a.Position == e.Position }) {
					return fmt.Errorf("%s: %w", e.Position, session.ErrNotFound)
				}
			}
			return w.store.Acknowledge(ctx, entries...)
		}
	},
	"any text is a position": func(w *twin) {
		w.announced = func(ctx context.Context, after string, limit int) ([]session.Entry, error) {
			entries, err := w.store.Announced(ctx, after, limit)
			if errors.Is(err, session.ErrCursor) {
				return nil, nil
			}
			return entries, err
		}
	},
}

// swapCase returns an id in capitals, or without.
func swapCase(id string) string {
	if upper := strings.ToUpper(id); upper != id {
		return upper
	}
	return strings.ToLower(id)
}

// twinSubject is a twin of the reference.
func twinSubject(spoil func(*twin)) *subject {
	return inMemory("twin", func(s store) store {
		w := newTwin(s)
		spoil(w)
		return w
	})
}

// forgetful is a twin that forgets, when it is closed, what was held.
func forgetful() *subject {
	closed := false
	s := twinSubject(func(w *twin) {
		closed = false
		w.claim = func(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
			if closed {
				now = now.Add(24 * time.Hour)
			}
			return w.store.Claim(ctx, limit, now, lease)
		}
	})
	s.reopen = func() error {
		closed = true
		return nil
	}
	return s
}

// The property finds every one of the faults, and finds none where there is none.
func TestTwins(t *testing.T) {
	failing.Draw(t, 1000, 30)
	subjects := map[string]*subject{"what was held is forgotten": forgetful()}
	for fault, spoil := range twins {
		subjects[fault] = twinSubject(spoil)
	}
	for _, fault := range slices.Sorted(maps.Keys(subjects)) {
		t.Run(fault, func(t *testing.T) {
			r := record(t, (*course).run, reference(), subjects[fault])
			assert.True(t, r.Failed())
			assert.Contains(t, r.Text(), "the stores do not agree")
		})
	}
	t.Run("none", func(t *testing.T) {
		failing.Draw(t, 50, 30)
		r := record(t, (*course).run, reference(), twinSubject(func(*twin) {}))
		assert.False(t, r.Failed(), r.Text())
	})
}

// spoiltTwins are what may be wrong with what is said of damaged rows.
var spoiltTwins = map[string]func(*twin){
	"what cannot be read is not there": func(w *twin) {
		w.load = func(ctx context.Context, id string) (session.Session, error) {
			s, err := w.store.Load(ctx, id)
			if errors.Is(err, session.ErrCorrupt) {
				err = fmt.Errorf("session %s: %w", id, session.ErrNotFound)
			}
			return s, err
		}
	},
	"a history that cannot be read has no events": func(w *twin) {
		w.history = func(ctx context.Context, id string, after int) ([]session.Event, error) {
			events, err := w.store.History(ctx, id, after)
			if err != nil {
				events = nil
			}
			return events, err
		}
	},
	"a page ends before what cannot be read": func(w *twin) {
		w.list = func(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
			page, err := w.store.List(ctx, q)
			if err != nil {
				page.NextCursor = ""
			}
			return page, err
		}
	},
	"entries are lost together with one that cannot be read": func(w *twin) {
		w.claim = func(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
			entries, err := w.store.Claim(ctx, limit, now, lease)
			if err != nil {
				entries = nil
			}
			return entries, err
		}
	},
	"a sweep tells of one damage for each session": func(w *twin) {
		w.sweep = func(ctx context.Context) iter.Seq2[session.Record, error] {
			return func(yield func(session.Record, error) bool) {
				for r, err := range w.store.Sweep(ctx) {
					if all, ok := err.(interface{ Unwrap() []error }); ok && r.ID != "" {
						err = all.Unwrap()[0]
					}
					if !yield(r, err) {
						return
					}
				}
			}
		}
	},
}

// The property finds every one of those as well.
func TestSpoiltTwins(t *testing.T) {
	failing.Draw(t, 100, 3)
	right, wrong := inPostgres(t), inPostgres(t)
	for _, fault := range slices.Sorted(maps.Keys(spoiltTwins)) {
		t.Run(fault, func(t *testing.T) {
			w := newTwin(wrong.store)
			spoiltTwins[fault](w)
			r := record(t, (*course).runSpoilt, right, &subject{
				name: "twin", store: w, clear: wrong.clear, execute: wrong.execute, inTx: wrong.inTx,
			})
			assert.True(t, r.Failed())
			assert.Contains(t, r.Text(), "the stores do not agree")
		})
	}
}

// record runs a course of subjects and returns how that went.
func record(t *testing.T, run func(*course), subjects ...*subject) *failing.Recorder {
	t.Helper()
	return failing.Run(t, func(r *failing.Recorder) {
		rapid.Check(r, func(t *rapid.T) { run(newCourse(t, subjects)) })
	})
}
