package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// River is what the engines share: the client of the queue, for the transactions
// of either database.
type River[T any] struct {
	driver driver[T]
	client *river.Client[T]
	now    func() time.Time
}

// NewRiver returns the River of a driver, which is not open yet.
func NewRiver[T any](d riverdriver.Driver[T]) River[T] {
	return River[T]{driver: driver[T]{d, &completed{}}}
}

// MigrateRiver brings the tables of the queue up to date.
func (r *River[T]) MigrateRiver(ctx context.Context, config *river.Config) error {
	migrator, err := rivermigrate.New(r.driver, &rivermigrate.Config{Logger: config.Logger, Schema: config.Schema})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// OpenClient makes the client.
func (r *River[T]) OpenClient(config *river.Config) error {
	client, err := river.NewClient(r.driver, config)
	if err != nil {
		return err
	}
	r.client, r.now = client, time.Now
	if config.Test.Time != nil {
		r.now = config.Test.Time.Now
	}
	return nil
}

// Start implements [Engine].
func (r *River[T]) Start(ctx context.Context) error {
	// The end of ctx is not the end of the work: Stop is.
	return r.client.Start(context.WithoutCancel(ctx))
}

// Stop implements [Engine].
func (r *River[T]) Stop(ctx context.Context) error {
	err := r.client.Stop(ctx)
	if err == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), atLast)
	defer cancel()
	return r.client.StopAndCancel(ctx)
}

// atLast is how long what was broken off has to end, and the database to answer.
const atLast = 5 * time.Second

// ErrNotOpen says that a queue was asked for jobs that no deliverer has opened.
var ErrNotOpen = errors.New("this is not the queue that New was given: bind with its Join")

// InsertTx inserts jobs, whose args have to be comparable. A job with a time is for
// the scheduler, which takes it up some seconds before.
func (r *River[T]) InsertTx(ctx context.Context, tx T, jobs []Job) error {
	if r.client == nil {
		return ErrNotOpen
	}
	if len(jobs) == 0 {
		return nil
	}
	now := r.now()
	params := make([]river.InsertManyParams, 0, len(jobs))
	seen := make(map[river.JobArgs]bool, len(jobs)) // PostgreSQL refuses two of a kind at once
	for _, j := range jobs {
		if seen[j.Args] {
			continue
		}
		seen[j.Args] = true
		p := river.InsertManyParams{Args: j.Args}
		if j.At.After(now) {
			p.InsertOpts = &river.InsertOpts{ScheduledAt: j.At}
		}
		params = append(params, p)
	}
	if _, err := r.client.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

// CompleteJobs returns the statement of [Tx.Complete]. Where it is committed,
// Completed is to be told.
//
// PostgreSQL removes the jobs, which spares it an entry in each of seven indexes.
// SQLite would give the id of the last job to the next one then, and what the queue
// still has to say about the one would be said about the other.
func (r *River[T]) CompleteJobs(dialect Dialect, ids []int64) Statement {
	s := Statement{What: "complete jobs", Args: []any{JSON(ids)}}
	if dialect == PostgreSQL {
		s.Query = `DELETE FROM river_job WHERE id IN (SELECT json_array_elements_text($1::json)::bigint)`
	} else {
		s.Query = `UPDATE river_job SET state = 'completed', finalized_at = $2
			WHERE state = 'running' AND id IN (SELECT value FROM json_each($1))`
		s.Args = append(s.Args, r.now().UTC().Format("2006-01-02 15:04:05.000")) // as the queue writes it
	}
	return s
}

// Completed is told of jobs that a committed transaction has completed.
func (r *River[T]) Completed(ids []int64) { r.driver.completed.add(ids) }

// driver is a River driver that does not complete jobs a second time which the
// transaction of their work has completed: on SQLite, where the queue completes one
// job after another, that is a fifth of all that is written.
type driver[T any] struct {
	riverdriver.Driver[T]
	completed *completed
}

// GetExecutor implements [riverdriver.Driver].
func (d driver[T]) GetExecutor() riverdriver.Executor {
	return executor{d.Driver.GetExecutor(), d.completed}
}

// GetListener implements [riverdriver.Driver].
func (d driver[T]) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return listener{d.Driver.GetListener(params)}
}

// listener tells of the end of a context whatever else is wrong: a database that is
// closed before the queue would have that go round for ever.
type listener struct{ riverdriver.Listener }

// Connect implements [riverdriver.Listener].
func (l listener) Connect(ctx context.Context) error {
	if err := l.Listener.Connect(ctx); err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	return nil
}

type executor struct {
	riverdriver.Executor
	completed *completed
}

// JobSetStateIfRunningMany implements [riverdriver.Executor]. What is completed
// does not run.
func (e executor) JobSetStateIfRunningMany(
	ctx context.Context, p *riverdriver.JobSetStateIfRunningManyParams,
) ([]*rivertype.JobRow, error) {
	rest := *p
	rest.ID, rest.Attempt, rest.ErrData, rest.FinalizedAt, rest.MetadataDoMerge = nil, nil, nil, nil, nil
	rest.MetadataUpdates, rest.ScheduledAt, rest.State = nil, nil, nil
	for i, id := range p.ID {
		if e.completed.take(id) {
			continue
		}
		rest.ID, rest.Attempt = append(rest.ID, id), append(rest.Attempt, p.Attempt[i])
		rest.ErrData, rest.FinalizedAt = append(rest.ErrData, p.ErrData[i]), append(rest.FinalizedAt, p.FinalizedAt[i])
		rest.MetadataDoMerge = append(rest.MetadataDoMerge, p.MetadataDoMerge[i])
		rest.MetadataUpdates = append(rest.MetadataUpdates, p.MetadataUpdates[i])
		rest.ScheduledAt, rest.State = append(rest.ScheduledAt, p.ScheduledAt[i]), append(rest.State, p.State[i])
	}
	if len(rest.ID) == 0 {
		return nil, nil
	}
	return e.Executor.JobSetStateIfRunningMany(ctx, &rest)
}

// completed are jobs of which the queue has not heard yet that they are.
type completed struct {
	mu  sync.Mutex
	ids map[int64]bool
}

func (r *completed) add(ids []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = map[int64]bool{}
	}
	for _, id := range ids {
		r.ids[id] = true
	}
}

func (r *completed) take(id int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.ids[id]
	delete(r.ids, id)
	return was
}
