package delivery_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// benchWorkers is how many calls are made at once, by everything that is compared.
const benchWorkers = 50

// sink counts the calls that arrive, and tells when enough did.
type sink struct {
	*receiver
	left  atomic.Int64
	first atomic.Pointer[time.Time] // arrival
	done  chan struct{}
}

func newSink(tb testing.TB, wait time.Duration) *sink {
	s := &sink{}
	s.receiver = receive(tb, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(wait)
		s.count()
		w.WriteHeader(http.StatusNoContent)
	})
	return s
}

// count counts a call.
func (s *sink) count() {
	if s.first.Load() == nil {
		now := time.Now()
		s.first.CompareAndSwap(nil, &now)
	}
	if s.left.Add(-1) == 0 {
		close(s.done)
	}
}

// noHTTP is a Caller that calls nobody.
type noHTTP struct{ *sink }

func (c noHTTP) Call(context.Context, caller.Request) (caller.Record, error) {
	c.count()
	now := time.Now()
	return caller.Record{Outcome: webhookpolicy.Outcome{
		Result: webhookpolicy.Answered, Status: http.StatusNoContent, Began: now, Ended: now,
	}}, nil
}

func (s *sink) expect(n int) {
	s.done = make(chan struct{})
	s.first.Store(nil)
	s.left.Store(int64(n))
}

// The queue takes some seconds to start on PostgreSQL: rates count from the first
// call on.

// BenchmarkDelivered is how many events a second are delivered: of the deliverer,
// and of what it cannot be faster than, in one run. That is a loop that posts, the
// same jobs without HTTP, and, as far as the queue alone is concerned, jobs that do
// nothing.
func BenchmarkDelivered(b *testing.B) {
	for name, open := range houses(b) {
		b.Run(name, func(b *testing.B) {
			const n = 4000
			s := newSink(b, 0)
			var bare, empty, jobs, delivered []float64
			for b.Loop() {
				bare = append(bare, bareLoop(b, s, n))
				empty = append(empty, emptyJobs(b, open(b), n))
				jobs = append(jobs, deliverAll(b, open(b), s, n, delivery.Options{Caller: noHTTP{s}}))
				delivered = append(delivered, deliverAll(b, open(b), s, n, delivery.Options{Call: trusting(s.receiver)}))
			}
			b.ReportMetric(median(bare), "bare/s")
			b.ReportMetric(median(empty), "empty-jobs/s")
			b.ReportMetric(median(jobs), "same-jobs/s")
			b.ReportMetric(median(delivered), "delivered/s")
			b.ReportMetric(median(delivered)/min(median(bare), median(jobs)), "of-limit")
			b.ReportMetric(median(delivered)/median(empty), "of-empty")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func perSecond(n int, since time.Time) float64 { return float64(n) / time.Since(since).Seconds() }

// bareLoop posts signed bodies by net/http alone.
func bareLoop(b *testing.B, s *sink, n int) float64 {
	options := trusting(s.receiver)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: options.TLS.RootCAs, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: benchWorkers,
	}
	defer transport.CloseIdleConnections()
	policy, secret := webhookpolicy.DefaultPolicy(), webhookpolicy.NewSecret(key)
	data := occurrence("o1").Data
	body, err := webhookpolicy.Envelope{
		EventID: "8f14e45f-ceea-467f-a0e6-7c8b2f6f3a11", EventName: webhookpolicy.EventContactCreated,
		EventTime: noon, SubscriptionID: "s1", Data: data,
	}.Encode()
	require.NoError(b, err)
	s.expect(n)
	begin := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for range benchWorkers {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				headers, err := policy.Headers(body, secret, 0, time.Now())
				if err != nil {
					b.Error(err)
				}
				request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.URL, bytes.NewReader(body))
				if err != nil {
					b.Error(err)
				}
				for _, h := range headers {
					request.Header.Set(h.Name, h.Value)
				}
				answer, err := transport.RoundTrip(request)
				if err != nil {
					b.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
		})
	}
	all.Wait()
	return perSecond(n, begin)
}

// deliverAll delivers events that were published before.
func deliverAll(b *testing.B, h house, s *sink, n int, o delivery.Options) float64 {
	o.Workers, o.PerEndpoint, o.Outbox = benchWorkers, benchWorkers, -1
	d := h.open(b, o)
	subscribe(b, d, "s1", s.URL)
	publishMany(b, d, n)
	s.expect(n)
	require.NoError(b, d.Start(b.Context()))
	<-s.done
	for {
		stats, err := d.Stats(b.Context())
		require.NoError(b, err)
		if stats.Waiting == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	rate := perSecond(n, *s.first.Load())
	require.NoError(b, d.Stop(context.Background()))
	return rate
}

// publishMany publishes so many occurrences.
func publishMany(b *testing.B, d *delivery.Deliverer, n int) {
	for i := 0; i < n; i += 500 {
		var ids []string
		for j := range min(500, n-i) {
			ids = append(ids, fmt.Sprint("o", i+j))
		}
		publish(b, d, ids...)
	}
}

// emptyJobs works jobs of the same kind that do nothing, by River alone.
func emptyJobs(b *testing.B, h house, n int) float64 {
	done := make(chan struct{})
	var left atomic.Int64
	left.Store(int64(n))
	var first atomic.Pointer[time.Time]
	queue, start, stop := delivery.EmptyJobs(b, h.queue, benchWorkers, func() {
		if first.Load() == nil {
			now := time.Now()
			first.CompareAndSwap(nil, &now)
		}
		if left.Add(-1) == 0 {
			close(done)
		}
	})
	queue(n)
	start()
	<-done
	rate := perSecond(n, *first.Load())
	stop()
	return rate
}

// BenchmarkAnnounced is how long it takes from the save of a session, in a system
// that is idle, until the first byte of the call is at the receiver.
func BenchmarkAnnounced(b *testing.B) {
	for name, open := range houses(b) {
		b.Run(name, func(b *testing.B) {
			arrived := make(chan time.Time, 16)
			r := receive(b, func(w http.ResponseWriter, _ *http.Request, h hit) {
				arrived <- h.At
				w.WriteHeader(http.StatusNoContent)
			})
			h := open(b)
			d := h.open(b, delivery.Options{Call: trusting(r)})
			subscribe(b, d, "s1", r.URL, func(s *webhookpolicy.Settings) {
				s.Events = []webhookpolicy.EventName{webhookpolicy.EventWorkflowSessionStarted}
			})
			start(b, d)
			var took []float64
			for i := 0; b.Loop(); i++ {
				saved := begin(b, h.store, fmt.Sprint("a", i))
				took = append(took, (<-arrived).Sub(saved).Seconds()*1000)
				time.Sleep(137 * time.Millisecond) // idle again
			}
			report(b, "", took)
			b.ReportMetric(0, "ns/op")
		})
	}
}

// houses are the databases, by name. PostgreSQL waits for its disk.
func houses(b *testing.B) map[string]func(testing.TB) house {
	b.Helper()
	server := benchServer(b)
	return map[string]func(testing.TB) house{
		"sqlite":   sqliteHouse,
		"postgres": func(tb testing.TB) house { return postgresAt(tb, server.Database(tb)+preparing) },
	}
}

// preparing has statements prepared, as the store advises where there is no pooler.
const preparing = "&default_query_exec_mode=cache_statement"

func benchServer(b *testing.B) *pgtest.Server {
	b.Helper()
	return pgtest.Start(b, pgtest.Config{Fsync: true, Settings: []string{
		"autovacuum=on", "shared_buffers=512MB", "max_wal_size=4GB",
	}})
}

// report reports medians and such of milliseconds.
func report(b *testing.B, what string, took []float64) {
	sorted := slices.Sorted(slices.Values(took))
	at := func(share float64) float64 { return sorted[int(share*float64(len(sorted)-1))] }
	b.ReportMetric(at(0.5), what+"p50-ms")
	b.ReportMetric(at(0.99), what+"p99-ms")
}

// begin saves a session that starts, and returns when.
func begin(b *testing.B, store session.Store, id string) time.Time {
	b.Helper()
	commands := commandsOf(id)[:2]
	for i, c := range commands {
		if _, _, err := session.Update(b.Context(), store, id, c, noon); err != nil {
			b.Fatalf("command %d: %v", i, err)
		}
	}
	return time.Now()
}

// waiting is how many deliveries wait for later while others fall due.
var waiting = flag.Int("waiting", 10_000, "deliveries that wait in BenchmarkLate")

// BenchmarkLate is how late calls are that fall due while many wait, and what one
// that waits takes of the database. Compare runs of -waiting 10000 and 1000000.
func BenchmarkLate(b *testing.B) {
	for name, open := range houses(b) {
		b.Run(name, func(b *testing.B) {
			h := open(b)
			r := receive(b, nil)
			d := h.open(b, delivery.Options{Call: trusting(r), PerEndpoint: benchWorkers, Outbox: -1})
			subscribe(b, d, "s1", r.URL)
			empty := h.size(b)
			delivery.Waiting(b, d, *waiting, "later", func(int) time.Time { return time.Now().Add(48 * time.Hour) })
			h.exec(b, `ANALYZE`)
			each := float64(h.size(b)-empty) / float64(*waiting)
			start(b, d)
			// Due calls come in at 100 a second; the queue has to have begun.
			const n = 2000
			first := time.Now().Add(15 * time.Second)
			due := map[string]time.Time{}
			delivery.Waiting(b, d, n, "due", func(i int) time.Time {
				at := first.Add(time.Duration(i) * 10 * time.Millisecond)
				due[webhookpolicy.EventID(fmt.Sprint("due", i), "s1")] = at
				return at
			})
			var late []float64
			for b.Loop() {
				for _, h := range r.wait(b, arrived(n)) {
					late = append(late, h.At.Sub(due[h.EventID]).Seconds()*1000)
				}
			}
			report(b, "late-", late)
			b.ReportMetric(each, "B/waiting")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkTwo is how much more two processes deliver than one, when receivers
// take 50 ms each.
func BenchmarkTwo(b *testing.B) {
	const n, endpoints = 4000, 20
	server := benchServer(b)
	s := newSink(b, 50*time.Millisecond)
	var rates [2][]float64
	for b.Loop() {
		for i := range rates {
			url := server.Database(b) + preparing
			d := postgresAt(b, url).open(b, delivery.Options{Call: trusting(s.receiver)})
			for e := range endpoints {
				subscribe(b, d, fmt.Sprint("s", e), fmt.Sprint(s.URL, "/", e))
			}
			publishMany(b, d, n/endpoints)
			s.expect(n)
			stop := deliverBy(b, i+1, order{
				Place: place{PostgreSQL: true, Where: url}, Certificate: s.Certificate().Raw,
				Timeout: 5 * time.Second, Workers: benchWorkers, Serve: true, Quiet: true,
			})
			<-s.done
			rates[i] = append(rates[i], perSecond(n, *s.first.Load()))
			stop()
		}
	}
	b.ReportMetric(median(rates[0]), "one/s")
	b.ReportMetric(median(rates[1]), "two/s")
	b.ReportMetric(median(rates[1])/median(rates[0]), "ratio")
	b.ReportMetric(0, "ns/op")
}

// deliverBy starts so many processes that deliver, and returns what stops them.
func deliverBy(b *testing.B, processes int, o order) (stop func()) {
	var stops []func()
	for i := range processes {
		o.Name = fmt.Sprint("worker ", i)
		cmd := child(b.Context(), b, o)
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		require.NoError(b, err)
		require.NoError(b, cmd.Start())
		stops = append(stops, func() {
			require.NoError(b, stdin.Close())
			require.NoError(b, cmd.Wait())
		})
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}
