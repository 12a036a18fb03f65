// Package delivery brings webhooks to those who subscribed to them: package
// webhookpolicy decides, River (github.com/riverqueue/river) keeps the time, and
// package caller calls.
//
//	queue := postgresqueue.On(store) // or sqlitequeue.On(store)
//	deliverer, err := delivery.New(ctx, queue, delivery.Options{})
//	if err != nil {
//		return err
//	}
//	if err := deliverer.Start(ctx); err != nil {
//		return err
//	}
//	defer deliverer.Stop(ctx)
//	err = deliverer.CreateSubscription(ctx, subscription)
//
// From then on, what sessions in the store announce is delivered. Other events of
// a host go the same way: [Deliverer.Publish].
//
// # Nothing lost, and what may come twice
//
// An announcement stands in the outbox of the store as long as it is not a
// delivery for each subscription that it matches, and a delivery has a job as long
// as there is a call to come: each step is one transaction. A job is one call:
// number N of a delivery, in an epoch. It reads delivery, subscription and the
// health of the endpoint when it falls due (WHK-7), writes down that it calls,
// calls, and in one transaction writes how that ended, what follows, the job of
// the next call, and that it is done itself.
//
// A process that dies between a call and that transaction, or loses its database,
// leaves a call whose end nobody knows. It is made again, under the same event id
// and number (WHK-9), up to [Options.RescueAfter] and a minute later. There is no
// other way for a call to be made twice, but for a connection that a receiver has
// closed: see package caller. Nothing keeps events in order: calls are made at once,
// and one that fails comes later. A receiver goes by the time of the event.
//
// # Slow endpoints
//
// One endpoint gets a bounded number of calls at a time: [Options.PerEndpoint].
// What is more waits in the queue, not in a worker, so that others are not kept
// waiting. An endpoint that fails too often is suspended (WHK-8): what is meant
// for it is parked in the database and has no job until a probe succeeds or
// [Deliverer.Release] is asked. Then it goes out oldest first, at the rate of the
// policy.
//
// # Epochs
//
// Whenever a delivery gets a new life besides its schedule, by a release, as a
// probe or by [Deliverer.Replay], its epoch is raised, so that a job that was left
// over from before does nothing.
//
// # Tables
//
// Those of deliveries begin with sluice_, and hosts may read them. Those of River
// begin with river_, and are this package's alone: a host that has jobs of its own
// in River keeps them in another schema or file, since each of two clients would
// clear away what it does not know of the other's.
//
// # For people
//
// [Deliverer.Explain] tells the story of a delivery call by call, with what the
// receiver answered. [Deliverer.Deliveries] lists them: the exhausted ones are
// the dead letters. Logs go to [Options.Logger], with these keys: event_id,
// event_name, subscription_id, host (of the endpoint), number, epoch, result,
// status, took, verdict, error; session_id of an announcement, ended and failed (how
// many calls) of an endpoint that is suspended, and job (its kind) of one that has
// failed. What River warns of goes there too, under keys of its own. An endpoint is
// never logged as a whole, since it may carry credentials, and a key or a body never
// at all. Package oteldelivery has metrics and traces.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/internal/engine"
)

// Errors of the package. All are wrapped with what it is about.
var (
	// ErrOptions: Options that nothing can be delivered by.
	ErrOptions = errors.New("delivery: invalid options")
	// ErrNotFound: there is no such subscription or delivery.
	ErrNotFound = errors.New("delivery: not found")
	// ErrExists: the id of a subscription is taken, or was once.
	ErrExists = errors.New("delivery: the id is taken")
	// ErrUnfinished: a delivery that has not ended cannot be replayed.
	ErrUnfinished = errors.New("delivery: not ended yet")
	// ErrQuery: a list was asked for by what makes no sense.
	ErrQuery = errors.New("delivery: invalid query")
	// ErrOccurrence: what is published lacks something, or breaks a rule.
	ErrOccurrence = errors.New("delivery: invalid occurrence")
	// ErrVersion is what every [*VersionError] unwraps to.
	ErrVersion = engine.ErrVersion
)

// VersionError says that the tables have not the version that the program works
// with: a newer program was there, or migrations are not to be run.
type VersionError = engine.VersionError

// Queue is where deliveries are kept and jobs are worked: what sqlitequeue.On and
// postgresqueue.On return.
type Queue interface{ engine.Engine }

// Tx is a transaction of the host: what Join of a queue returns.
type Tx interface{ engine.Tx }

// Deliverer delivers webhooks. It is safe for concurrent use. One in a process is
// enough; on PostgreSQL any number of processes share the work.
type Deliverer struct {
	queue         Queue
	o             Options
	directory     directory
	ledger        ledger
	lanes         lanes
	wake          chan struct{}
	stopAnnounces func() // nil while nothing runs
	stopping      atomic.Bool
	mu            sync.Mutex
}

// New returns a Deliverer, which does nothing by itself before [Deliverer.Start]:
// one that is never started can publish and manage. The tables are brought up to
// date. What Options have wrong is an error that unwraps to [ErrOptions], and
// tables of a newer program are a [*VersionError].
func New(ctx context.Context, queue Queue, o Options) (*Deliverer, error) {
	if queue == nil {
		return nil, fmt.Errorf("%w: there is no queue", ErrOptions)
	}
	if err := o.complete(queue.Dialect()); err != nil {
		return nil, err
	}
	d := &Deliverer{queue: queue, o: o, wake: make(chan struct{}, 1)}
	d.ledger.write = d.write
	d.lanes = lanes{width: o.PerEndpoint, now: time.Now}
	if err := queue.Open(ctx, !o.NoMigrations, d.config()); err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	if err := d.directory.refresh(ctx, queue); err != nil {
		return nil, err
	}
	return d, nil
}

// config returns the settings of River.
func (d *Deliverer) config() *river.Config {
	o := &d.o
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker[callArgs]{work: d.workCall})
	river.AddWorker(workers, &worker[probeArgs]{work: d.workProbe})
	river.AddWorker(workers, &worker[drainArgs]{work: d.workDrain})
	river.AddWorker(workers, &worker[sweepArgs]{work: d.workSweep})
	config := &river.Config{
		Logger: slog.New(quiet{o.Logger.Handler(), &d.stopping}),
		Queues: map[string]river.QueueConfig{
			callQueue: {MaxWorkers: o.Workers, FetchCooldown: minPoll, FetchPollInterval: o.Poll},
			keepQueue: {MaxWorkers: 2, FetchCooldown: 50 * time.Millisecond, FetchPollInterval: max(o.Poll, 200*time.Millisecond)},
		},
		Workers:                     workers,
		ErrorHandler:                failures{o.Logger},
		JobTimeout:                  o.jobTimeout(),
		RescueStuckJobsAfter:        o.RescueAfter,
		CompletedJobRetentionPeriod: 5 * time.Minute,
		RetryPolicy:                 retryPolicy{},
		PollOnly:                    o.PollOnly,
		ReindexerIndexNames:         []string{},
		PeriodicJobs: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(o.Sweep),
			func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})},
	}
	if o.clock != nil {
		config.Test.Time = clock{o.clock}
	}
	return config
}

// clock is the host's clock, for River.
type clock struct{ now func() time.Time }

func (c clock) Now() time.Time { return c.now() }

func (c clock) NowOrNil() *time.Time {
	now := c.now()
	return &now
}

var _ rivertype.TimeGenerator = clock{}

// Start begins to deliver. It goes on until [Deliverer.Stop], whatever becomes of
// ctx. To start what is started already does nothing, and what was stopped can be
// started again.
func (d *Deliverer) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopAnnounces != nil {
		return nil
	}
	d.stopping.Store(false)
	if err := d.queue.Start(ctx); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.announceAll(running)
	}()
	d.stopAnnounces = func() {
		cancel()
		<-ended
	}
	return nil
}

// Stop begins no further call and waits for those that run, for as long as
// [Options.StopAfter] and ctx allow. What still runs then is broken off and handed
// back: another process makes that call, or this one when it is started again,
// under the same event id and number. To stop what is not started does nothing.
// After Stop nothing runs any more, and the store may be closed. If the store was
// closed before, or does not answer, Stop gives up some seconds later with an error.
func (d *Deliverer) Stop(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopAnnounces == nil {
		return nil
	}
	d.stopping.Store(true) // for what the queue has taken up and not begun
	d.stopAnnounces()
	d.stopAnnounces = nil
	ctx, cancel := context.WithTimeout(ctx, d.o.StopAfter)
	defer cancel()
	if err := d.queue.Stop(ctx); err != nil {
		return fmt.Errorf("stop the queue, whose database has to be open: %w", err)
	}
	if c, ok := d.o.Caller.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
	return nil
}

// now returns the time, as it is kept: in microseconds.
func (d *Deliverer) now() time.Time { return d.o.Now().UTC().Truncate(time.Microsecond) }

// Caller makes calls: a [*caller.Caller], or what a host puts in its place.
type Caller interface {
	Call(ctx context.Context, r caller.Request) (caller.Record, error)
}
