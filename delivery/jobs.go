package delivery

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/sluicego/sluice/delivery/internal/engine"
)

// The queues: what keeps order has workers of its own, so that calls cannot hold
// it up.
const (
	callQueue = "sluice_calls"
	keepQueue = "sluice_keeping"
)

// callArgs are the job of one call. At and the subscription are for a look before
// anything is read.
type callArgs struct {
	EventID        string `json:"event_id" river:"unique"`
	Epoch          int    `json:"epoch" river:"unique"`
	Number         int    `json:"number" river:"unique"`
	At             int64  `json:"at,omitempty"`
	SubscriptionID string `json:"subscription_id"`
}

// probeArgs are the job that lets a parked delivery probe its endpoint, if that is
// still suspended.
type probeArgs struct {
	Endpoint string `json:"endpoint"`
	At       int64  `json:"at"`
}

// drainArgs are the job that gives the next parked deliveries their slots: those
// of an endpoint that was released, or that of a subscription whose endpoint is
// another one now.
type drainArgs struct {
	Endpoint       string `json:"endpoint"`
	SubscriptionID string `json:"subscription_id,omitempty"`
	Released       int64  `json:"released"` // when
	From           int    `json:"from"`     // the number of the next slot
}

// sweepArgs are the job that looks for what was forgotten.
type sweepArgs struct{}

func (callArgs) Kind() string  { return "sluice_call" }
func (probeArgs) Kind() string { return "sluice_probe" }
func (drainArgs) Kind() string { return "sluice_drain" }
func (sweepArgs) Kind() string { return "sluice_sweep" }

func (callArgs) InsertOpts() river.InsertOpts  { return jobOptions(callQueue) }
func (probeArgs) InsertOpts() river.InsertOpts { return jobOptions(keepQueue) }
func (drainArgs) InsertOpts() river.InsertOpts { return jobOptions(keepQueue) }
func (sweepArgs) InsertOpts() river.InsertOpts { return jobOptions(keepQueue) }

// jobOptions have a job fail for good only after days without a database, and be
// in the queue once. One that was worked does not stand in the way of the next.
func jobOptions(queue string) river.InsertOpts {
	return river.InsertOpts{
		Queue: queue, MaxAttempts: 10_000,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
}

// soon is how far ahead River takes up to prepare what is due at a time: so jobs
// for a time before that are for now, and put off by the worker.
const soon = 6 * time.Second

// callJob returns the job of a call that is due at a time.
func callJob(row *row, at, now time.Time) engine.Job {
	return putOff(engine.Job{Args: callArgs{
		EventID: row.EventID, Epoch: row.Epoch, Number: row.Number,
		At: micros(at), SubscriptionID: row.SubscriptionID,
	}}, at, now)
}

// probeJob returns the job that looks for a probe at a time.
func probeJob(endpoint string, at, now time.Time) engine.Job {
	return putOff(engine.Job{Args: probeArgs{Endpoint: endpoint, At: micros(at)}}, at, now)
}

// putOff leaves a job to the scheduler if that is early enough.
func putOff(j engine.Job, at, now time.Time) engine.Job {
	if at.Sub(now) > soon {
		j.At = at
	}
	return j
}

// worker is a River worker of a function.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	work func(ctx context.Context, job *river.Job[T]) error
}

// Work implements [river.Worker].
func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.work(ctx, job) }

// retryPolicy is for errors of the deliverer itself, such as a database that does
// not answer: not for calls that fail, whose schedule is the policy's.
type retryPolicy struct{}

// NextRetry implements [river.ClientRetryPolicy].
func (retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(min(time.Second<<min(len(job.Errors), 6), time.Minute))
}

// quiet lets of River's log pass what somebody should look at.
type quiet struct {
	slog.Handler
	stopping *atomic.Bool
}

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// Handle implements [slog.Handler]. What Stop breaks off is no error.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	canceled := false
	r.Attrs(func(a slog.Attr) bool {
		canceled = (a.Key == "err" || a.Key == "error") && a.Value.String() == context.Canceled.Error()
		return !canceled
	})
	if canceled && q.stopping.Load() {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}
