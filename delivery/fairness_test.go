package delivery_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// town is many endpoints of one server, and a black hole.
type town struct {
	*httptest.Server
	deliverer *delivery.Deliverer
	endpoints int

	mu       sync.Mutex
	arrived  map[string]time.Time // by endpoint and event
	standing int                  // calls at the black hole
	most     int
	news     chan struct{}
	letGo    chan struct{}
	once     sync.Once
}

// Event names: all endpoints hear of the one, the black hole hears of the other
// besides.
const (
	ofAll  = webhookpolicy.EventContactCreated
	ofHole = webhookpolicy.EventUserCompleted
)

// build starts a town with so many endpoints besides the black hole.
func build(tb testing.TB, h house, endpoints int, o delivery.Options) *town {
	tb.Helper()
	w := &town{endpoints: endpoints, arrived: map[string]time.Time{}, news: make(chan struct{}, 1), letGo: make(chan struct{})}
	w.Server = httptest.NewUnstartedServer(w)
	w.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.EnableHTTP2 = true // one handshake for all
	w.StartTLS()
	o.Call = trusting(&receiver{Server: w.Server})
	if o.Policy.FirstTimeout == 0 {
		o.Policy = webhookpolicy.DefaultPolicy()
		o.Policy.FirstTimeout = time.Hour // it is the test that ends calls
	}
	w.deliverer = h.open(tb, o)
	for i := range endpoints {
		subscribe(tb, w.deliverer, fmt.Sprint("s", i), fmt.Sprint(w.URL, "/", i), hearing(ofAll))
	}
	subscribe(tb, w.deliverer, "hole", w.URL+"/hole", hearing(ofAll, ofHole))
	tb.Cleanup(w.Close)
	start(tb, w.deliverer)
	tb.Cleanup(w.open) // which goes before: Stop waits for calls, and Close for Stop
	return w
}

func hearing(events ...webhookpolicy.EventName) func(*webhookpolicy.Settings) {
	return func(s *webhookpolicy.Settings) { s.Events = events }
}

// open lets go of whoever stands at the black hole.
func (w *town) open() { w.once.Do(func() { close(w.letGo) }) }

// publish has so many things happen.
func (w *town) publish(tb testing.TB, name webhookpolicy.EventName, prefix string, n int) {
	tb.Helper()
	var all []delivery.Occurrence
	for i := range n {
		o := occurrence(fmt.Sprint(prefix, i))
		o.Event.Name = name
		all = append(all, o)
	}
	require.NoError(tb, w.deliverer.Publish(tb.Context(), all...))
}

func (w *town) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.URL.Path == "/hole" {
		w.note(func() { w.standing++; w.most = max(w.most, w.standing) })
		select {
		case <-w.letGo:
		case <-r.Context().Done():
			w.note(func() { w.standing-- })
			panic(http.ErrAbortHandler) // or else it could be answered yet
		}
		w.note(func() { w.standing-- })
	} else if e, err := webhookpolicy.ParseEnvelope(body, webhookpolicy.Limits{}); err == nil {
		w.note(func() { w.arrived[e.EventID] = time.Now() })
	}
	answer.WriteHeader(http.StatusNoContent)
}

// note takes in that something has changed.
func (w *town) note(change func()) {
	w.mu.Lock()
	change()
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// until waits for something.
func (w *town) until(tb testing.TB, holds func() bool) {
	tb.Helper()
	giveUp := time.After(time.Minute)
	for {
		w.mu.Lock()
		ok := holds()
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-w.news:
		case <-giveUp:
			tb.Fatalf("after a minute %d events have arrived, and %d calls stand at the black hole", len(w.arrived), w.standing)
		}
	}
}

// Errors of fair.
var (
	errCrowd = errors.New("more calls stand at the black hole than may")
	errStuck = errors.New("all workers stand at the black hole")
)

// fair has one event of many fill the black hole, and another for everybody: it
// returns nil if all others hear of it while the black hole holds what it has.
func fair(tb testing.TB, h house, endpoints, workers, perEndpoint, bound int) error {
	tb.Helper()
	w := build(tb, h, endpoints, delivery.Options{Workers: workers, PerEndpoint: perEndpoint})
	w.publish(tb, ofHole, "hole", workers+perEndpoint)
	w.until(tb, func() bool { return w.standing >= perEndpoint })
	w.publish(tb, ofAll, "all", 2)
	var result error
	w.until(tb, func() bool {
		switch {
		case w.most > bound:
			result = errCrowd
		case w.standing >= workers:
			result = errStuck
		default:
			return len(w.arrived) == 2*w.endpoints
		}
		return true
	})
	if result != nil {
		return result
	}
	until(tb, "nothing else is due than what is for the black hole", func() bool {
		s, err := w.deliverer.Stats(tb.Context())
		require.NoError(tb, err)
		return s.Due == workers+perEndpoint+2
	})
	assert.Equal(tb, perEndpoint, w.most)
	return nil
}

// One black hole among a hundred endpoints: the others get everything while it
// hangs, and never more calls stand there than may.
func TestFairness(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		endpoints := 99
		if raced() && h.queue.Dialect() == engine.PostgreSQL {
			endpoints = 19
		}
		require.NoError(t, fair(t, h, endpoints, 50, 10, 10))
	})
}

// A deliverer without the bound lets all its workers stand there, and one whose
// bound is too wide too many.
func TestFairness_BrokenTwins(t *testing.T) {
	require.ErrorIs(t, fair(t, sqliteHouse(t), 9, 20, 20, 20), errStuck)
	require.ErrorIs(t, fair(t, sqliteHouse(t), 9, 20, 8, 4), errCrowd)
}

// Once the black hole lets go, what waited for it arrives there, too.
func TestFairness_LetsGo(t *testing.T) {
	w := build(t, sqliteHouse(t), 1, delivery.Options{Workers: 10, PerEndpoint: 2})
	w.publish(t, ofHole, "hole", 6)
	w.until(t, func() bool { return w.standing == 2 })
	w.open()
	delivered(t, w.deliverer, 6)
	assert.LessOrEqual(t, w.most, 2)
}
