package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// EmptyJobs opens a queue for jobs of calls that call work and do nothing else. It
// returns what inserts so many of them, and what starts and stops to work them.
func EmptyJobs(tb testing.TB, q Queue, workers int, work func()) (insert func(n int), start, stop func()) {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	w := river.NewWorkers()
	river.AddWorker(w, &worker[callArgs]{work: func(context.Context, *river.Job[callArgs]) error {
		work()
		return nil
	}})
	o := Options{}
	must(o.complete(q.Dialect()))
	must(q.Open(ctx, true, &river.Config{
		Logger: slog.New(slog.DiscardHandler), Workers: w, JobTimeout: time.Minute,
		Queues: map[string]river.QueueConfig{callQueue: {
			MaxWorkers: workers, FetchCooldown: 10 * time.Millisecond, FetchPollInterval: o.Poll,
		}},
	}))
	insert = func(n int) {
		for i := 0; i < n; i += 500 {
			must(q.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
				var jobs []engine.Job
				for j := range 500 {
					jobs = append(jobs, engine.Job{Args: callArgs{
						EventID: fmt.Sprintf("8f14e45f-ceea-467f-a0e6-%012d", i+j), SubscriptionID: "s1", At: micros(time.Now()),
					}})
				}
				return tx.Insert(ctx, jobs...)
			}))
		}
	}
	return insert, func() { must(q.Start(ctx)) }, func() { must(q.Stop(ctx)) }
}

// Waiting keeps so many deliveries of a subscription s1 whose next calls are due at
// the times that at returns, after a first one that has failed.
func Waiting(tb testing.TB, d *Deliverer, n int, name string, at func(i int) time.Time) {
	ctx := context.Background()
	s, err := d.Subscription(ctx, "s1")
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < n; i += 1000 {
		err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
			var rows []*row
			var jobs []engine.Job
			for j := i; j < min(i+1000, n); j++ {
				r, due := waitingRow(tb, s, fmt.Sprint(name, j), d.o.Policy, at(j))
				rows, jobs = append(rows, r), append(jobs, callJob(r, due, d.now()))
			}
			if _, err := insertRows(ctx, tx, rows); err != nil {
				return err
			}
			return tx.Insert(ctx, jobs...)
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// waitingRow returns a delivery whose first call has failed, so that the next one
// is due at a time.
func waitingRow(tb testing.TB, s webhookpolicy.Subscription, occurrence string, p webhookpolicy.Policy, at time.Time) (*row, time.Time) {
	id := webhookpolicy.EventID(occurrence, s.ID())
	body, err := s.Envelope(id, webhookpolicy.EventContactCreated, at,
		[]byte(`{"contact":{"id":"814aac47-6f3e-4b0a-8a4d-2f6f9f0f7c11","name":"Kelly Smith"}}`)).Encode()
	if err != nil {
		tb.Fatal(err)
	}
	ended := at.Add(-p.Delays[0])
	delivery, _ := webhookpolicy.Decide(p, s, webhookpolicy.Health{}, webhookpolicy.NewDelivery(id, s.ID(), ended),
		webhookpolicy.Outcome{}, ended)
	delivery, decision := webhookpolicy.Decide(p, s, webhookpolicy.Health{}, delivery,
		webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 503, Began: ended, Ended: ended}, ended)
	r := &row{EventID: id, SubscriptionID: s.ID(), EventName: "contact.created", Body: string(body)}
	if err := r.put(delivery, s.Endpoint(), ended); err != nil {
		tb.Fatal(err)
	}
	return r, decision.At
}
