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
	return River[T]{driver: driver[T]{d, &hands{jobs: map[int64]*hand{}}}}
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
func (r *River[T]) Completed(ids []int64) { r.driver.hands.completed(ids) }

// driver is a River driver that says of a job what is true.
//
// It does not complete jobs a second time which the transaction of their work has
// completed: on SQLite, where the queue completes one job after another, that is a
// fifth of all that is written.
//
// And it says nothing of a job that was taken over. River asks whether the job runs,
// and not who works it: a process that was cut off for long, and hears that its own
// work has failed, would have the job worked a third time while another process
// makes the call.
type driver[T any] struct {
	riverdriver.Driver[T]
	hands *hands
}

// GetExecutor implements [riverdriver.Driver].
func (d driver[T]) GetExecutor() riverdriver.Executor {
	return executor{d.Driver.GetExecutor(), d.hands}
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
	hands *hands
}

// JobGetAvailable implements [riverdriver.Executor].
func (e executor) JobGetAvailable(ctx context.Context, p *riverdriver.JobGetAvailableParams) ([]*rivertype.JobRow, error) {
	rows, err := e.Executor.JobGetAvailable(ctx, p)
	e.hands.fetched(rows)
	return rows, err
}

// JobSetStateIfRunningMany implements [riverdriver.Executor].
func (e executor) JobSetStateIfRunningMany(
	ctx context.Context, p *riverdriver.JobSetStateIfRunningManyParams,
) ([]*rivertype.JobRow, error) {
	ours := e.hands.of(p.ID)
	attempts, err := e.attempts(ctx, p.Schema, ours)
	if err != nil {
		return nil, err
	}
	rest := *p
	rest.ID, rest.Attempt, rest.ErrData, rest.FinalizedAt, rest.MetadataDoMerge = nil, nil, nil, nil, nil
	rest.MetadataUpdates, rest.ScheduledAt, rest.State = nil, nil, nil
	for i, id := range p.ID {
		if h := ours[id]; h != nil && (h.completed || attempts[id] != h.attempt) {
			continue
		}
		rest.ID, rest.Attempt = append(rest.ID, id), append(rest.Attempt, p.Attempt[i])
		rest.ErrData, rest.FinalizedAt = append(rest.ErrData, p.ErrData[i]), append(rest.FinalizedAt, p.FinalizedAt[i])
		rest.MetadataDoMerge = append(rest.MetadataDoMerge, p.MetadataDoMerge[i])
		rest.MetadataUpdates = append(rest.MetadataUpdates, p.MetadataUpdates[i])
		rest.ScheduledAt, rest.State = append(rest.ScheduledAt, p.ScheduledAt[i]), append(rest.State, p.State[i])
	}
	var rows []*rivertype.JobRow
	if len(rest.ID) > 0 {
		rows, err = e.Executor.JobSetStateIfRunningMany(ctx, &rest)
	}
	if err == nil {
		e.hands.let(ours)
	}
	return rows, err
}

// attempts returns which attempts at jobs there were last; none of a job that is not
// there any more.
func (e executor) attempts(ctx context.Context, schema string, ours map[int64]*hand) (map[int64]int, error) {
	var ids []int64
	for id, h := range ours {
		if !h.completed {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := e.JobGetByIDMany(ctx, &riverdriver.JobGetByIDManyParams{ID: ids, Schema: schema})
	if err != nil {
		return nil, err
	}
	attempts := make(map[int64]int, len(rows))
	for _, row := range rows {
		attempts[row.ID] = row.Attempt
	}
	return attempts, nil
}

// hands are the jobs that this process works, until the queue has heard how that
// ended.
type hands struct {
	mu   sync.Mutex
	jobs map[int64]*hand
}

type hand struct {
	attempt   int
	completed bool // in the transaction of its work
}

func (r *hands) fetched(rows []*rivertype.JobRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rows {
		r.jobs[row.ID] = &hand{attempt: row.Attempt}
	}
}

func (r *hands) completed(ids []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if h := r.jobs[id]; h != nil {
			r.jobs[id] = &hand{h.attempt, true}
		}
	}
}

// of returns those of some jobs that are here.
func (r *hands) of(ids []int64) map[int64]*hand {
	r.mu.Lock()
	defer r.mu.Unlock()
	ours := make(map[int64]*hand, len(ids))
	for _, id := range ids {
		if h := r.jobs[id]; h != nil {
			ours[id] = h
		}
	}
	return ours
}

// let forgets jobs, unless they were fetched once more meanwhile.
func (r *hands) let(ours map[int64]*hand) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, h := range ours {
		if r.jobs[id] == h {
			delete(r.jobs, id)
		}
	}
}
