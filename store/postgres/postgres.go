// Package postgres keeps sessions in PostgreSQL, version 13 or later.
//
// A host that used another [session.Store] changes one call:
//
//	store, err := postgres.Open(ctx, "postgres://app@db/onboarding", postgres.Options{})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// The [Store] finds sessions by their resources, lists them, gives their events
// back, sweeps through all of them, and keeps an outbox of what is to be
// announced: see [session.Finder], [session.Lister], [session.History],
// [session.Archive] and [session.Outbox].
//
// # Nothing lost
//
// A Save is one statement, and so one transaction and one round trip. Where a
// connection is lost before its outcome is known, the error is a
// [*session.OutcomeError], and [Store.Confirm] tells later; [session.Update] asks
// by itself. Transactions that PostgreSQL gives up, because others were in their
// way, are tried again, and so are connections: see [Options].
//
// A row that cannot be read is a [*session.CorruptError]. Other sessions are not
// affected: a list or a claim returns what it can read together with the error,
// and [session.VerifyAll] finds what is damaged in sessions, events and resources.
//
// # Poolers
//
// Nothing is left in a connection, and statements have no names, so that
// connections may go through a pooler that gives them away after each
// transaction. Where there is none, named statements save PostgreSQL some work:
// add default_query_exec_mode=cache_statement to the URL.
//
// # In the host's own transaction
//
// The host may keep its own tables in the same database, and change them together
// with sessions. [Store.InTx] runs a function in one transaction; [Store.Join]
// binds to one that the host began.
//
// # Tables
//
// Their names begin with sluice_, they are in the schema that the search path of
// the connection begins with, and hosts may read them. Whoever deletes a session
// removes its rows from sluice_events and sluice_resources first. Migrations
// bring older databases up to date when they are opened; that of a newer program
// is refused with a [*VersionError].
//
// The order of the outbox comes from the ids of transactions, which a dump does
// not keep: before a dump is restored into another cluster, let the readers of
// [Store.Announced] come to the end of it, and set sluice_sessions.ordinal to
// NULL afterwards.
package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sluicego/sluice/internal/turns"
)

// Options are settings of a [Store]. The zero Options are good defaults.
type Options struct {
	// StatementTimeout ends, in whole milliseconds, each statement that the
	// Store sends by itself, and the wait for locks with it: the error unwraps
	// to ErrTimeout. 0 is for none. Statements in the host's own transaction
	// are the host's to limit.
	StatementTimeout time.Duration
	// RetryFor is how long a call goes on when others are in its way, or the
	// server cannot be reached; 0 for 10 seconds, less than 0 for not at all.
	RetryFor time.Duration
	// NoMigrations has Open refuse a database of another version, an empty one
	// included, where it would run the migrations that are missing.
	NoMigrations bool
	// Configure changes the configuration of the connections that Open has
	// read; it may be nil.
	Configure func(*pgxpool.Config)
}

// defaultRetryFor is how long a call goes on trying.
const defaultRetryFor = 10 * time.Second

// Store keeps sessions in a PostgreSQL database. It is a [session.Store] with all
// abilities: [session.Finder], [session.Lister], [session.History],
// [session.Archive], [session.Outbox] and [session.Confirmer].
type Store struct {
	reads
	pool    *pgxpool.Pool
	timeout time.Duration // of each statement; 0 for none
	turns   turns.Turns
}

// Open opens a database, and runs the migrations that are missing. Several
// processes may do so at once. where is a URL, or anything else that libpq takes;
// pool_max_conns in it says how many connections there are at most.
//
// It returns an error that unwraps to ErrUnavailable, or a [*VersionError].
func Open(ctx context.Context, where string, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(where)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	if !strings.Contains(where, "default_query_exec_mode") {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	config.ConnConfig.BuildContextWatcherHandler = cancelFirst
	if o.Configure != nil {
		o.Configure(config)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	retryFor := o.RetryFor
	if retryFor == 0 {
		retryFor = defaultRetryFor
	}
	s := &Store{
		reads: reads{pool, retrier{retryFor}, o.StatementTimeout},
		pool:  pool, timeout: o.StatementTimeout,
	}
	if err := s.prepare(ctx, o); err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	return s, nil
}

// cancelFirst has a context that ends cancel the statement on the server, and
// waits for what becomes of it: a save that is cut off would leave its outcome
// open.
func cancelFirst(c *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 2 * time.Second}
}

// Close closes all connections. Calls that are under way end first. It returns
// no error, but has one so that it is an io.Closer.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Pool returns the connections, for the host's own statements: see [Store.Join].
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// runner is what statements run on: a pool of connections, or a transaction.
type runner interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}
