// Package sqlitequeue keeps deliveries and their jobs in the SQLite file of a
// store of sessions: nothing to run beside the program.
//
//	queue := sqlitequeue.On(store)
//	deliverer, err := delivery.New(ctx, queue, delivery.Options{})
//
// Everything that writes shares the one connection that [sqlite.Store.Writer]
// returns. One process works the jobs; others may use the file meanwhile. Where
// calls are to be made by several processes, package postgresqueue is the one.
package sqlitequeue

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/store/sqlite"
)

// Queue is a delivery.Queue on SQLite. It is for one deliverer.
type Queue struct {
	engine.River[*sql.Tx]
	store *sqlite.Store
}

// On returns the queue in the file of a store.
func On(store *sqlite.Store) *Queue {
	return &Queue{River: engine.NewRiver(riversqlite.New(store.Writer())), store: store}
}

// Join binds to a transaction on [sqlite.Store.Writer], for
// delivery.Deliverer.PublishIn.
func (q *Queue) Join(t *sql.Tx) engine.Tx {
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
	err := q.store.InTx(ctx, func(ctx context.Context, t *sql.Tx, store *sqlite.Joined) error {
		within := &tx{on: on{t}, queue: q, tx: t, store: store}
		defer func() { completed = within.completed }()
		return do(ctx, within)
	})
	if err == nil {
		q.Completed(completed)
	}
	return err
}

// Dialect implements engine.Engine.
func (*Queue) Dialect() engine.Dialect { return engine.SQLite }

// Query implements engine.Engine.
func (q *Queue) Query(ctx context.Context, each func(engine.Scan) error, query string, args ...any) error {
	return on{q.store.Readers()}.Query(ctx, each, query, args...)
}

// runner is a database or a transaction.
type runner interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// on reads from a runner.
type on struct{ runner }

// Dialect implements engine.Querier.
func (on) Dialect() engine.Dialect { return engine.SQLite }

// Query implements engine.Querier.
func (o on) Query(ctx context.Context, each func(engine.Scan) error, query string, args ...any) error {
	rows, err := o.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells what there is to tell
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
	tx    *sql.Tx
	store *sqlite.Joined

	completed []int64
}

func (t *tx) Store(context.Context) (engine.Store, error) { return t.store, nil }

func (t *tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *tx) Insert(ctx context.Context, jobs ...engine.Job) error {
	return t.queue.InsertTx(ctx, t.tx, jobs)
}

func (t *tx) Complete(ids ...int64) engine.Statement {
	t.completed = append(t.completed, ids...)
	return t.queue.CompleteJobs(engine.SQLite, ids)
}

func (t *tx) Send(ctx context.Context, statements ...engine.Statement) error {
	for _, s := range statements {
		var err error
		if s.Each == nil {
			_, err = t.ExecContext(ctx, s.Query, s.Args...)
		} else {
			err = t.Query(ctx, s.Each, s.Query, s.Args...)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.What, err)
		}
	}
	return nil
}
