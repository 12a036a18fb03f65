package inboxtest_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/delivery/receiver/inboxtest"
	"github.com/sluicego/sluice/internal/failing"
)

// The reference passes.
func TestMemory(t *testing.T) {
	inboxtest.Run(t, func(testing.TB) receiver.Inbox { return &receiver.Memory{} })
}

// An author of an Inbox writes one test.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestInbox(t *testing.T)
		inboxtest.Run(t, func(testing.TB) receiver.Inbox { return &receiver.Memory{} })
	}
	// Output:
}

// twin is an Inbox with one fault.
type twin struct {
	receiver.Memory
	keep   func(m *receiver.Memory, ctx context.Context, e receiver.Event) (bool, error)
	claim  func(m *receiver.Memory, ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error)
	done   func(m *receiver.Memory, ctx context.Context, ids []string) error
	forget func(m *receiver.Memory, ctx context.Context, before time.Time) error
}

func (w *twin) Keep(ctx context.Context, e receiver.Event) (bool, error) {
	if w.keep != nil {
		return w.keep(&w.Memory, ctx, e)
	}
	return w.Memory.Keep(ctx, e)
}

func (w *twin) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
	if w.claim != nil {
		return w.claim(&w.Memory, ctx, limit, now, lease)
	}
	return w.Memory.Claim(ctx, limit, now, lease)
}

func (w *twin) Done(ctx context.Context, ids ...string) error {
	if w.done != nil {
		return w.done(&w.Memory, ctx, ids)
	}
	return w.Memory.Done(ctx, ids...)
}

func (w *twin) Forget(ctx context.Context, before time.Time) error {
	if w.forget != nil {
		return w.forget(&w.Memory, ctx, before)
	}
	return w.Memory.Forget(ctx, before)
}

// hasty looks first and keeps then, and others get in between.
func hasty() *twin {
	var seen sync.Map
	return &twin{keep: func(m *receiver.Memory, ctx context.Context, e receiver.Event) (bool, error) {
		if _, known := seen.Load(e.ID); known {
			return false, ctx.Err()
		}
		for range 1000 {
			runtime.Gosched()
		}
		_, err := m.Keep(ctx, e)
		if err == nil {
			seen.Store(e.ID, true)
		}
		return err == nil, err
	}}
}

func second[T any](_ T, err error) error { return err }

// twins are inboxes with a fault each, and the cases that have to find it.
func twins() map[string]struct {
	inbox func() *twin
	cases []string
} {
	type broken = struct {
		inbox func() *twin
		cases []string
	}
	return map[string]broken{
		"every event is new": {func() *twin {
			return &twin{keep: func(m *receiver.Memory, ctx context.Context, e receiver.Event) (bool, error) {
				_, err := m.Keep(ctx, e)
				return err == nil, err
			}}
		}, []string{"keep", "keep-at-once", "done", "forget", "model"}},
		"looks and then keeps": {hasty, []string{"keep-at-once"}},
		"leases are not heeded": {func() *twin {
			return &twin{claim: func(m *receiver.Memory, ctx context.Context, limit int, now time.Time, _ time.Duration) ([]receiver.Event, error) {
				return m.Claim(ctx, limit, now, 0)
			}}
		}, []string{"claim", "claim-lease", "claim-at-once", "model"}},
		"looks and then holds": {func() *twin {
			return &twin{claim: func(m *receiver.Memory, ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
				events, err := m.Claim(ctx, limit, now, 0)
				for range 1000 {
					runtime.Gosched()
				}
				return events, errors.Join(err, second(m.Claim(ctx, limit, now, lease)))
			}}
		}, []string{"claim-at-once"}},
		"leases never end": {func() *twin {
			return &twin{claim: func(m *receiver.Memory, ctx context.Context, limit int, now time.Time, _ time.Duration) ([]receiver.Event, error) {
				return m.Claim(ctx, limit, now, 100000*time.Hour)
			}}
		}, []string{"claim-lease", "model"}},
		"newest first": {func() *twin {
			return &twin{claim: func(m *receiver.Memory, ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
				events, err := m.Claim(ctx, limit, now, lease)
				slices.Reverse(events)
				return events, err
			}}
		}, []string{"claim", "claim-lease", "model"}},
		"a claim is for ever": {func() *twin {
			return &twin{claim: func(m *receiver.Memory, ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
				events, err := m.Claim(ctx, limit, now, lease)
				for _, e := range events {
					_ = m.Done(ctx, e.ID)
				}
				return events, err
			}}
		}, []string{"claim-lease", "model"}},
		"what is done is forgotten": {func() *twin {
			return &twin{done: func(m *receiver.Memory, ctx context.Context, ids []string) error {
				_ = m.Done(ctx, ids...)
				return m.Forget(ctx, time.Now().AddDate(1000, 0, 0))
			}}
		}, []string{"keep", "done", "forget", "model"}},
		"forgets what is not done": {func() *twin {
			return &twin{forget: func(m *receiver.Memory, ctx context.Context, before time.Time) error {
				events, _ := m.Claim(ctx, 1000, time.Now().AddDate(100, 0, 0), 0)
				for _, e := range events {
					if e.Received.Before(before) {
						_ = m.Done(ctx, e.ID)
					}
				}
				return m.Forget(ctx, before)
			}}
		}, []string{"forget", "model"}},
		"forgets nothing": {func() *twin {
			return &twin{forget: func(_ *receiver.Memory, ctx context.Context, _ time.Time) error { return ctx.Err() }}
		}, []string{"forget", "model"}},
		"bodies are texts": {func() *twin {
			return &twin{keep: func(m *receiver.Memory, ctx context.Context, e receiver.Event) (bool, error) {
				e.Body = bytes.ToValidUTF8(e.Body, []byte("\ufffd"))
				return m.Keep(ctx, e)
			}}
		}, []string{"keep-bytes", "model"}},
		"case does not count": {func() *twin {
			return &twin{keep: func(m *receiver.Memory, ctx context.Context, e receiver.Event) (bool, error) {
				if e.ID == "A" {
					e.ID = "a"
				}
				return m.Keep(ctx, e)
			}}
		}, []string{"keep-bytes", "model"}},
		"contexts are not heeded": {func() *twin {
			return &twin{done: func(m *receiver.Memory, ctx context.Context, ids []string) error {
				return m.Done(context.WithoutCancel(ctx), ids...)
			}}
		}, []string{"context"}},
		"a canceled Keep keeps": {func() *twin {
			return &twin{keep: func(m *receiver.Memory, ctx context.Context, e receiver.Event) (bool, error) {
				isNew, err := m.Keep(context.WithoutCancel(ctx), e)
				return isNew && ctx.Err() == nil, errors.Join(ctx.Err(), err)
			}}
		}, []string{"context"}},
		"bodies stay the caller's": {func() *twin { return sharing(true) }, []string{"owner"}},
		"bodies stay the inbox's":  {func() *twin { return sharing(false) }, []string{"owner"}},
	}
}

// sharing shares the bytes of bodies, with those who keep them or with those who
// claim them.
func sharing(kept bool) *twin {
	bodies := map[string][]byte{}
	return &twin{
		keep: func(m *receiver.Memory, ctx context.Context, e receiver.Event) (bool, error) {
			if bodies[e.ID] = e.Body; !kept {
				bodies[e.ID] = bytes.Clone(e.Body)
			}
			return m.Keep(ctx, e)
		},
		claim: func(m *receiver.Memory, ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
			events, err := m.Claim(ctx, limit, now, lease)
			for i := range events {
				if events[i].Body = bodies[events[i].ID]; kept {
					events[i].Body = bytes.Clone(events[i].Body)
				}
			}
			return events, err
		},
	}
}

// reopened is an inbox that is opened again as another one.
type reopened struct {
	receiver.Inbox
	again func() (receiver.Inbox, error)
}

// Reopen implements [inboxtest.Reopener].
func (r reopened) Reopen() (receiver.Inbox, error) { return r.again() }

// reopenings are ways of opening an inbox again that lose something, by what they
// lose. The first loses nothing.
func reopenings() map[string]func() reopened {
	lossy := func(lose func(m *receiver.Memory) (receiver.Inbox, error)) func() reopened {
		return func() reopened {
			m := &receiver.Memory{}
			return reopened{m, func() (receiver.Inbox, error) { return lose(m) }}
		}
	}
	return map[string]func() reopened{
		"nothing":    lossy(func(m *receiver.Memory) (receiver.Inbox, error) { return m, nil }),
		"everything": lossy(func(*receiver.Memory) (receiver.Inbox, error) { return &receiver.Memory{}, nil }),
		"itself":     lossy(func(*receiver.Memory) (receiver.Inbox, error) { return nil, errors.New("damaged") }),
		"what is done": lossy(func(m *receiver.Memory) (receiver.Inbox, error) {
			err := m.Forget(context.Background(), time.Now().AddDate(1000, 0, 0))
			return m, err
		}),
		"leases": lossy(func(m *receiver.Memory) (receiver.Inbox, error) {
			_, err := m.Claim(context.Background(), 10, time.Now().AddDate(100, 0, 0), -1000000*time.Hour)
			return m, err
		}),
		"what is held": lossy(func(m *receiver.Memory) (receiver.Inbox, error) {
			err := m.Done(context.Background(), "a")
			return m, err
		}),
	}
}

// What outlives the process does so whole.
func TestReopen(t *testing.T) {
	i := slices.IndexFunc(inboxtest.Cases(), func(c inboxtest.Case) bool { return c.Name == "reopen" })
	for lost, open := range reopenings() {
		t.Run(lost, func(t *testing.T) {
			r := failing.Run(t, func(r *failing.Recorder) { inboxtest.Cases()[i].Check(r, open()) })
			assert.Equal(t, lost != "nothing", r.Failed(), r.Text())
			assert.NotContains(t, r.Text(), "panic")
		})
	}
}

// Each case is found to see something, by the twins or by TestReopen.
func TestTwins_ofAllCases(t *testing.T) {
	seen := map[string]bool{"reopen": true}
	for _, broken := range twins() {
		for _, name := range broken.cases {
			seen[name] = true
		}
	}
	for _, c := range inboxtest.Cases() {
		assert.True(t, seen[c.Name], "no twin is for the case %s", c.Name)
		delete(seen, c.Name)
	}
	assert.Empty(t, seen, "there is no such case")
}

// TestTwins shows that the suite is not blind: each fault is found by the cases
// that are about it.
func TestTwins(t *testing.T) {
	for name, broken := range twins() {
		t.Run(name, func(t *testing.T) {
			failing.Draw(t, 100, 30)
			for _, c := range inboxtest.Cases() {
				if !slices.Contains(broken.cases, c.Name) {
					continue
				}
				r := failing.Run(t, func(r *failing.Recorder) { c.Check(r, broken.inbox()) })
				assert.True(t, r.Failed(), "the case %s passes", c.Name)
				assert.NotContains(t, r.Text(), "panic")
			}
		})
	}
}
