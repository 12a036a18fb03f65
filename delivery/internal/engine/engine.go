// Package engine is what package delivery needs of a database with River over it.
// Packages sqlitequeue and postgresqueue have one each; what they share is here.
//
// Statements are written once for both databases: parameters are $1, $2 and so
// on, times are microseconds since 1970, and lists come as one parameter of JSON,
// see [Dialect.Records]. So a statement has the same text for any number of rows.
package engine

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/sluicego/sluice/session"
)

// Engine is a database with River over it.
type Engine interface {
	Querier
	// Open brings the tables up to date, River's own included, and makes a client
	// of the queue.
	Open(ctx context.Context, migrate bool, config *river.Config) error
	// Start begins to work jobs.
	Start(ctx context.Context) error
	// Stop takes no more jobs and waits for those that run; the contexts of
	// those that still run at the end of ctx are canceled. It returns when none
	// does.
	Stop(ctx context.Context) error
	// InTx runs a function in a transaction that writes.
	InTx(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
}

// Querier reads.
type Querier interface {
	// Dialect tells how to write what the databases do not have in common.
	Dialect() Dialect
	// Query runs a statement and calls each for every row, with a function that
	// reads the columns.
	Query(ctx context.Context, each func(scan Scan) error, query string, args ...any) error
}

// Scan reads the columns of a row.
type Scan func(columns ...any) error

// Tx is a transaction that writes.
type Tx interface {
	Querier
	// Exec runs a statement and returns how many rows it changed.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Send runs statements one after another, in one round trip where the
	// database has them.
	Send(ctx context.Context, statements ...Statement) error
	// Store is the store of sessions within the transaction.
	Store(ctx context.Context) (Store, error)
	// Insert inserts jobs; those that are there already are passed over.
	Insert(ctx context.Context, jobs ...Job) error
	// Complete returns the statement that completes jobs that run, if the
	// transaction is committed.
	Complete(ids ...int64) Statement
}

// Statement is a statement to be sent.
type Statement struct {
	What  string // it does, for errors: "write deliveries"
	Query string
	Args  []any
	Each  func(scan Scan) error // is called for every row; nil if there are none
}

// Store is what a transaction shows of the store of sessions.
type Store interface {
	session.Store
	session.History
	session.Outbox
}

// Job is a job to be inserted. Its args have the options.
type Job struct {
	Args river.JobArgs
	At   time.Time
}
