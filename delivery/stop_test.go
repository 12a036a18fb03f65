package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// gate is a place where others wait until the test opens it.
type gate struct {
	reached chan string
	open    chan struct{}
	once    sync.Once
}

func newGate(tb testing.TB) *gate {
	tb.Helper()
	g := &gate{reached: make(chan string, 1000), open: make(chan struct{})}
	tb.Cleanup(g.release)
	return g
}

// pass tells who is here, and waits.
func (g *gate) pass(who string) {
	g.reached <- who
	<-g.open
}

func (g *gate) release() { g.once.Do(func() { close(g.open) }) }

// await waits for somebody.
func (g *gate) await(tb testing.TB) string {
	tb.Helper()
	select {
	case who := <-g.reached:
		return who
	case <-time.After(time.Minute):
		tb.Fatal("after a minute nobody is here")
		return ""
	}
}

// receiveAt starts a receiver whose answers wait at a gate, or until who calls has
// gone.
func receiveAt(tb testing.TB, g *gate) *receiver {
	tb.Helper()
	return receive(tb, func(w http.ResponseWriter, r *http.Request, h hit) {
		g.reached <- h.EventID
		select {
		case <-g.open:
			w.WriteHeader(http.StatusNoContent)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // or else it could be answered yet
		}
	})
}

// eventID is that of an occurrence for the subscription s1.
func eventID(occurrence string) string { return webhookpolicy.EventID(occurrence, "s1") }

// delivered waits until so many deliveries have been.
func delivered(t *testing.T, d *delivery.Deliverer, n int) {
	t.Helper()
	until(t, fmt.Sprint("deliveries: ", n), func() bool {
		page, err := d.Deliveries(context.Background(), delivery.Query{
			States: []webhookpolicy.State{webhookpolicy.Delivered}, Limit: 1000,
		})
		require.NoError(t, err)
		return len(page.Deliveries) >= n
	})
}

// ours are the goroutines of deliverers, of the queue and of calls.
func ours() []string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var all []string
	for s := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(s, "(*desk)") { // where calls are left under way when a test ends
			continue
		}
		for _, of := range []string{
			"riverqueue/", "sluice/delivery.", "sluice/delivery/caller.", "sluice/delivery/internal/", "http.(*persistConn)",
			"http.(*http2ClientConn)", "http2.(*ClientConn)",
		} {
			if strings.Contains(s, of) {
				all = append(all, s)
				break
			}
		}
	}
	return all
}

// stopped waits until no goroutine is left that a deliverer has started. They have
// nothing to do any more, but the runtime may not have ended them yet.
func stopped(t *testing.T) {
	t.Helper()
	var left []string
	if !assert.Eventually(t, func() bool {
		left = ours()
		return len(left) == 0
	}, 30*time.Second, 5*time.Millisecond) {
		t.Fatalf("goroutines that are left:\n%s", strings.Join(left, "\n\n"))
	}
}

// Stop waits for the call that runs, and begins none besides: what is due stays in
// the queue until the next Start.
func TestStop_WaitsForCalls(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		g := newGate(t)
		r := receiveAt(t, g)
		d := h.open(t, delivery.Options{Workers: 1, Call: trusting(r)})
		subscribe(t, d, "s1", r.URL)
		publish(t, d, "o1", "o2", "o3")
		require.NoError(t, d.Start(t.Context()))
		first := g.await(t)
		assert.NotEmpty(t, ours(), "what looks for goroutines sees them")

		ended := make(chan error, 1)
		go func() { ended <- d.Stop(context.Background()) }()
		until(t, "Stop has begun", func() bool { return delivery.Stopping(d) })
		assert.Empty(t, ended, "Stop waits for the call that runs")
		g.release()
		require.NoError(t, <-ended)
		stopped(t)
		assert.Len(t, r.wait(t, arrived(1)), 1)
		story, err := d.Explain(t.Context(), first)
		require.NoError(t, err)
		assert.Equal(t, webhookpolicy.Delivered, story.Delivery.State())
		s, err := d.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, s.Due)

		start(t, d)
		hits := r.wait(t, arrived(3))
		delivered(t, d, 3)
		assert.Len(t, hits, 3, "each was called once")
	})
}

// A call that the queue has handed out when Stop comes, and that has not begun, is
// not begun.
func TestStop_BeginsNone(t *testing.T) {
	g := newGate(t)
	delivery.SetFailpoint(func(name string) {
		if name == "ledger: committed" {
			g.pass(name)
		}
	})
	t.Cleanup(func() { delivery.SetFailpoint(func(string) {}) })
	r := receive(t, nil)
	h := sqliteHouse(t)
	d := h.open(t, delivery.Options{Call: trusting(r)})
	subscribe(t, d, "s1", r.URL)
	publish(t, d, "o1")
	require.NoError(t, d.Start(t.Context()))
	g.await(t) // the beginning is written down
	ended := make(chan error, 1)
	go func() { ended <- d.Stop(context.Background()) }()
	until(t, "Stop has begun", func() bool { return delivery.Stopping(d) })
	g.release()
	require.NoError(t, <-ended)
	assert.Empty(t, r.wait(t, func([]hit) bool { return true }))

	start(t, d)
	assert.Equal(t, "0", r.wait(t, arrived(1))[0].Number)
	delivered(t, d, 1)
}

// What runs longer than Stop may wait is broken off, handed back, and made again
// under the same event id and number.
func TestStop_BreaksOff(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
		ctx   func(t *testing.T) context.Context
	}{
		{"by StopAfter", 20 * time.Millisecond, func(t *testing.T) context.Context { return t.Context() }},
		{"by ctx", time.Hour, func(t *testing.T) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, h house) { testBreaksOff(t, h, c.after, c.ctx(t)) })
		})
	}
}

func testBreaksOff(t *testing.T, h house, after time.Duration, ctx context.Context) { //nolint:revive // t goes first
	t.Helper()
	g := newGate(t)
	r := receiveAt(t, g)
	policy := hasty()
	policy.FirstTimeout = time.Minute // which Stop does not wait for
	d := h.open(t, delivery.Options{Policy: policy, StopAfter: after, Call: trusting(r)})
	subscribe(t, d, "s1", r.URL)
	publish(t, d, "o1", "o2")
	require.NoError(t, d.Start(t.Context()))
	g.await(t)
	g.await(t)
	require.NoError(t, d.Stop(ctx))
	stopped(t)
	s, err := d.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, s.Due, "nothing is lost")

	g.release()
	start(t, d)
	delivered(t, d, 2)
	seen := map[string]int{}
	for _, h := range r.wait(t, func(hits []hit) bool { return len(hits) == 4 }) {
		assert.Equal(t, "0", h.Number)
		seen[h.EventID]++
	}
	assert.Equal(t, map[string]int{eventID("o1"): 2, eventID("o2"): 2}, seen)
	for id := range seen {
		story, err := d.Explain(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, story.Calls, 1, "the call that was broken off counts as the one that was made again")
		assert.False(t, story.Calls[0].Ended.IsZero())
	}
}

// Start and Stop in any order, and what is stopped leaves nothing behind: not even
// the store is in use.
func TestStop_AnyOrder(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		ctx, cancel := context.WithCancel(t.Context())
		r := receive(t, nil)
		d := h.open(t, delivery.Options{Call: trusting(r)})
		require.NoError(t, d.Stop(ctx), "without Start")
		subscribe(t, d, "s1", r.URL)
		for i := range 3 {
			require.NoError(t, d.Start(ctx))
			require.NoError(t, d.Start(ctx), "twice")
			publish(t, d, fmt.Sprint("o", i))
			r.wait(t, arrived(i+1))
			require.NoError(t, d.Stop(ctx))
			require.NoError(t, d.Stop(ctx), "twice")
			stopped(t)
		}
		require.NoError(t, d.Start(ctx))
		cancel()
		publish(t, d, "o3")
		r.wait(t, arrived(4)) // whatever becomes of the context of Start
		require.NoError(t, d.Stop(context.Background()))
		stopped(t)
		require.NoError(t, h.store.(interface{ Close() error }).Close())
		assert.Empty(t, ours())
	})
}

// Many that start and stop at once do so one after another.
func TestStop_AtOnce(t *testing.T) {
	h := sqliteHouse(t)
	d := h.open(t, delivery.Options{})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			if i%2 == 0 {
				assert.NoError(t, d.Start(context.Background()))
			} else {
				assert.NoError(t, d.Stop(context.Background()))
			}
		})
	}
	group.Wait()
	require.NoError(t, d.Stop(t.Context()))
	stopped(t)
}

// A store that was closed too early keeps nobody from stopping.
func TestStop_ClosedStore(t *testing.T) {
	h := sqliteHouse(t)
	d := h.open(t, delivery.Options{StopAfter: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, d.Start(t.Context()))
	require.NoError(t, h.close())
	ended := make(chan error, 1)
	go func() { ended <- d.Stop(context.Background()) }()
	select {
	case err := <-ended:
		t.Log(err) // nil if there was nothing left to write
	case <-time.After(time.Minute):
		t.Fatal("it does not stop")
	}
	stopped(t)
}
