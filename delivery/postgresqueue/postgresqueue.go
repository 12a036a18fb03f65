// Package postgresqueue keeps deliveries and their jobs in the PostgreSQL database
// of a store of sessions. Any number of processes make the calls.
//
//	queue := postgresqueue.On(store)
//	deliverer, err := delivery.New(ctx, queue, delivery.Options{})
//
// It takes connections from [postgres.Store.Pool], up to six at once in a process
// that works, one of them for as long as it does: let pool_max_conns leave room.
package postgresqueue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/store/postgres"
)

// Queue is a delivery.Queue on PostgreSQL. It is for one deliverer; each process
// has its own.
type Queue struct {
	engine.River[pgx.Tx]
	store *postgres.Store
}

// On returns the queue in the database of a store.
func On(store *postgres.Store) *Queue {
	return &Queue{River: engine.NewRiver[pgx.Tx](driver{riverpgxv5.New(store.Pool()), store.Pool().Config}), store: store}
}

// Join binds to a transaction on the same database, for
// delivery.Deliverer.PublishIn.
func (q *Queue) Join(t pgx.Tx) engine.Tx {
	return &tx{on: on{t}, queue: q, tx: t, store: q.store.Join(t)}
}

// Open implements engine.Engine.
func (q *Queue) Open(ctx context.Context, migrate bool, config *river.Config) error {
	if err := prepare(ctx, q, migrate, config); err != nil {
		return err
	}
	return q.OpenClient(config)
}

// InTx implements engine.Engine.
func (q *Queue) InTx(ctx context.Context, do func(context.Context, engine.Tx) error) error {
	var completed []int64
	err := q.store.InTx(ctx, func(ctx context.Context, t pgx.Tx, store *postgres.Joined) error {
		within := &tx{on: on{t}, queue: q, tx: t, store: store, set: true}
		defer func() { completed = within.completed }()
		return do(ctx, within)
	})
	if err == nil {
		q.Completed(completed)
	}
	return err
}

// Dialect implements engine.Engine.
func (*Queue) Dialect() engine.Dialect { return engine.PostgreSQL }

// Query implements engine.Engine.
func (q *Queue) Query(ctx context.Context, each func(engine.Scan) error, query string, args ...any) error {
	return on{q.store.Pool()}.Query(ctx, each, query, args...)
}

// runner is a pool or a transaction.
type runner interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// on reads from a runner.
type on struct{ from runner }

// Dialect implements engine.Querier.
func (on) Dialect() engine.Dialect { return engine.PostgreSQL }

// Query implements engine.Querier.
func (o on) Query(ctx context.Context, each func(engine.Scan) error, query string, args ...any) error {
	rows, err := o.from.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	return drain(rows, each)
}

// drain reads rows to their end.
func drain(rows pgx.Rows, each func(engine.Scan) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// tx implements engine.Tx.
type tx struct {
	on
	queue *Queue
	tx    pgx.Tx
	store *postgres.Joined

	completed []int64
	set       bool // settings are to be sent first
}

// settings of a transaction of the queue's own.
//
// The server gives up one whose process has fallen silent, or the network between:
// what it has locked would stop all the others for hours. It is less than they
// wait. And all statements find rows by their keys, where PostgreSQL would rather
// read the whole of a table that has some thousand rows, or that nobody has
// analyzed yet.
var settings = engine.Statement{What: "begin", Query: `SELECT
	set_config('idle_in_transaction_session_timeout', '3s', true), set_config('enable_seqscan', 'off', true)`}

// prepare sends the settings, if that is still to be done.
func (t *tx) prepare(ctx context.Context) error {
	if !t.set {
		return nil
	}
	return t.Send(ctx)
}

func (t *tx) Store(ctx context.Context) (engine.Store, error) { return t.store, t.prepare(ctx) }

func (t *tx) Query(ctx context.Context, each func(engine.Scan) error, query string, args ...any) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	return t.on.Query(ctx, each, query, args...)
}

func (t *tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.prepare(ctx); err != nil {
		return 0, err
	}
	tag, err := t.tx.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (t *tx) Insert(ctx context.Context, jobs ...engine.Job) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	return t.queue.InsertTx(ctx, t.tx, jobs)
}

func (t *tx) Complete(ids ...int64) engine.Statement {
	t.completed = append(t.completed, ids...)
	return t.queue.CompleteJobs(engine.PostgreSQL, ids)
}

func (t *tx) Send(ctx context.Context, statements ...engine.Statement) error {
	if t.set {
		t.set = false
		statements = append([]engine.Statement{settings}, statements...)
	}
	if len(statements) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	for _, s := range statements {
		b.Queue(s.Query, s.Args...)
	}
	results := t.tx.SendBatch(ctx, b)
	defer results.Close() //nolint:errcheck // what fails has been told by then
	for _, s := range statements {
		if err := take(results, s.Each); err != nil {
			return fmt.Errorf("%s: %w", s.What, err)
		}
	}
	return results.Close()
}

// take takes the result of the next statement of a batch.
func take(results pgx.BatchResults, each func(engine.Scan) error) error {
	if each == nil {
		_, err := results.Exec()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	return drain(rows, each)
}
