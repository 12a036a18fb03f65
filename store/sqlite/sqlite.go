// Package sqlite keeps sessions in an SQLite file: nothing to install, nothing to
// run beside the program, and no C compiler to build it.
//
// A host that used another [session.Store] changes one call:
//
//	store, err := sqlite.Open(ctx, "onboarding.db", sqlite.Options{})
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
// A Save is one transaction, which is on the disk when it returns: the database
// is in WAL mode with synchronous=FULL. Transactions that write are immediate, so
// that none fails half-way because another one was faster. One connection writes,
// and several read meanwhile; both wait for other processes on the same file as
// long as [Options] say. All processes have to run on one machine, since WAL mode
// does not work over network file systems.
//
// What keeps it from saving has a type: [ErrFull], [ErrReadOnly], [ErrBusy],
// [ErrDamaged]. After each of them nothing was saved, and what was there before
// is whole. An error of input and output while a transaction is committed leaves
// open whether it was: that is a [*session.OutcomeError], and [Store.Confirm]
// tells later. [session.Update] asks by itself.
//
// A row that cannot be read is a [*session.CorruptError]. Other sessions are not
// affected: a list or a claim returns what it can read together with the error,
// and [session.VerifyAll] finds what is damaged in sessions, events and resources.
//
// # In the host's own transaction
//
// The host may keep its own tables in the same file, and change them together
// with sessions. [Store.InTx] runs a function in one transaction; [Store.Join]
// binds to one that the host began on [Store.Writer].
//
// # Tables
//
// Their names begin with sluice_, and hosts may read them. Whoever deletes a
// session removes its rows from sluice_events and sluice_resources first.
// Migrations bring older files up to date when they are opened; a file of a newer
// program is refused with a [*VersionError].
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sluicego/sluice/internal/turns"
)

// Options are settings of a [Store]. The zero Options are good defaults.
type Options struct {
	// BusyTimeout is how long a call waits for other processes that write to
	// the same file, in whole milliseconds; 0 for 10 seconds. A context that
	// ends during that wait is heeded after it.
	BusyTimeout time.Duration
	// Readers is how many connections read at once; 0 for one for each CPU, and
	// four at least.
	Readers int
	// NoMigrations has Open refuse a database of another version, an empty file
	// included, where it would run the migrations that are missing.
	NoMigrations bool
}

// Store keeps sessions in an SQLite file. It is a [session.Store] with all
// abilities: [session.Finder], [session.Lister], [session.History],
// [session.Archive], [session.Outbox] and [session.Confirmer].
type Store struct {
	reads
	path            string
	writer, readers *sql.DB
	statements      statements
	turns           turns.Turns
}

// Open opens a database, makes the file if there is none, and runs the migrations
// that are missing. Several processes may do so at once. path is a path and no URI,
// whatever stands in it.
//
// It returns an error that unwraps to ErrReadOnly, ErrFull, ErrBusy or ErrDamaged,
// or a [*VersionError].
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	return open(ctx, path, o, modernc.NewConnector)
}

// open is Open with connections of any origin.
func open(ctx context.Context, path string, o Options, connect func(dsn string) (driver.Connector, error)) (*Store, error) {
	if err := checkPath(path); err != nil {
		return nil, fmt.Errorf("sqlite: open %q: %w", path, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	s := &Store{path: absolute}
	if err := s.connect(ctx, o, connect); err != nil {
		err = errors.Join(explainOpen(ctx, absolute, err), s.Close())
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	return s, nil
}

// checkPath refuses what cannot be meant as the path of a file.
func checkPath(path string) error {
	switch info, err := os.Stat(path); {
	case path == "" || strings.HasPrefix(path, ":memory:"):
		return errors.New("a file is wanted; package memstore keeps sessions in memory")
	case strings.HasPrefix(path, "file:") || strings.Contains(path, "://"):
		return errors.New("the path of a file is wanted, not a URI; what can be set is in Options")
	case err == nil && info.IsDir():
		return errors.New("it is a directory; the path of a file is wanted")
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no directory %s: %w", filepath.Dir(path), fs.ErrNotExist)
	}
	return nil
}

// connect makes both pools, and a database of the right version.
func (s *Store) connect(ctx context.Context, o Options, connect func(dsn string) (driver.Connector, error)) error {
	if err := access(s.path); err != nil {
		return err
	}
	writer, err := connect(dsn(s.path, o, url.Values{"_txlock": {"immediate"}}))
	if err != nil {
		return err
	}
	s.writer = sql.OpenDB(writer)
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	if err := useWAL(ctx, s.writer, o.busyTimeout()); err != nil {
		return err
	}
	if err := s.prepare(ctx, o); err != nil {
		return err
	}
	if err := writable(ctx, s.writer); err != nil {
		return err
	}
	if s.statements, err = prepareStatements(ctx, s.writer); err != nil {
		return err
	}

	reader, err := connect(dsn(s.path, o, url.Values{"_pragma": {"query_only(1)"}}))
	if err != nil {
		return err
	}
	n := o.Readers
	if n <= 0 {
		n = max(4, runtime.GOMAXPROCS(0))
	}
	s.readers = sql.OpenDB(reader)
	s.readers.SetMaxOpenConns(n)
	s.readers.SetMaxIdleConns(n)
	s.reads = reads{s.readers}
	return s.readers.PingContext(ctx)
}

// useWAL brings a file into WAL mode, in which it stays. Where another process
// does so at the same moment, SQLite does not wait but fails at once.
func useWAL(ctx context.Context, db *sql.DB, wait time.Duration) error {
	for begin := time.Now(); ; {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("its journal mode is %s, and it cannot have WAL", mode)
		case codeOf(err) != sqlite3.SQLITE_BUSY || time.Since(begin) > wait:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// writable returns an error if the file cannot be written to, which SQLite does
// not tell before it is asked to. That it is busy shows that it can.
func writable(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "DELETE FROM sluice_outbox WHERE FALSE")
	if codeOf(err) == sqlite3.SQLITE_BUSY {
		return nil
	}
	return err
}

// defaultBusyTimeout is how long a call waits for other processes.
const defaultBusyTimeout = 10 * time.Second

func (o Options) busyTimeout() time.Duration {
	if o.BusyTimeout <= 0 {
		return defaultBusyTimeout
	}
	return max(time.Millisecond, o.BusyTimeout)
}

// dsn returns the name by which the driver opens a file, with what all
// connections have in common.
func dsn(path string, o Options, q url.Values) string {
	for _, pragma := range []string{
		"busy_timeout(" + strconv.FormatInt(o.busyTimeout().Milliseconds(), 10) + ")",
		"synchronous(FULL)",
		// Where a plain sync leaves data in the cache of the disk, as on macOS.
		"fullfsync(1)",
		"foreign_keys(1)",
	} {
		q.Add("_pragma", pragma)
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/... on Windows
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// Close closes all connections. Calls that are under way end first.
func (s *Store) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{s.readers, s.writer} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Writer returns the one connection that writes. Transactions that are begun on
// it are immediate. While the host has one, everything else that saves waits,
// also what the same goroutine does through the Store: bind with [Store.Join].
func (s *Store) Writer() *sql.DB { return s.writer }

// Readers returns the connections that read. They refuse to write.
func (s *Store) Readers() *sql.DB { return s.readers }

// runner is what statements run on: connections, or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
