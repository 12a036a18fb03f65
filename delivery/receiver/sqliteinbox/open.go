package sqliteinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sluicego/sluice/delivery/receiver"
)

// busyTimeout is how long a call waits for other processes on the same file.
const busyTimeout = 10 * time.Second

// Open opens a file, and makes it if there is none: in WAL mode, with
// synchronous=FULL, one connection, and 10 seconds of patience with other
// processes. path is a path and no URI, whatever stands in it.
func Open(ctx context.Context, path string) (*Inbox, error) {
	x, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: open %q: %w", path, err)
	}
	return x, nil
}

func open(ctx context.Context, path string) (*Inbox, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.HasPrefix(path, "file:") {
		return nil, errors.New("the path of a file is wanted")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(absolute))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // that writes, as all calls do
	if err = useWAL(ctx, db); err == nil {
		err = migrate(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(explain(ctx, err), db.Close())
	}
	return &Inbox{db: db, own: true}, nil
}

// dsn returns the name by which the driver opens a file.
func dsn(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/... on Windows
	}
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"synchronous(FULL)",
		// Where a plain sync leaves data in the cache of the disk, as on macOS.
		"fullfsync(1)",
	}}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// useWAL brings a file into WAL mode, in which it stays. Where another process
// does so at the same moment, SQLite does not wait but fails at once.
func useWAL(ctx context.Context, db *sql.DB) error {
	for begin := time.Now(); ; {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("its journal mode is %s, and it cannot have WAL", mode)
		case !busy(err) || time.Since(begin) > busyTimeout:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// busy reports whether another process is in the way.
func busy(err error) bool {
	var e *modernc.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// migrations lead from one version to the next. Those that were released do not
// change.
var migrations = []string{`
	-- Events, oldest first. Times are Unix microseconds. What is dealt with is
	-- kept without its body, so that it is known when it arrives again.
	CREATE TABLE sluice_inbox (
		position   INTEGER NOT NULL PRIMARY KEY,
		id         TEXT    NOT NULL UNIQUE,
		body       BLOB    NOT NULL,
		received   INTEGER NOT NULL,
		held_until INTEGER,
		done       INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE INDEX sluice_inbox_open ON sluice_inbox (position) WHERE done = 0;
	CREATE INDEX sluice_inbox_done ON sluice_inbox (received) WHERE done = 1`,
}

// migrate brings the tables to the version of the program, or refuses them.
func migrate(ctx context.Context, db *sql.DB) error {
	version, err := readVersion(ctx, db)
	if err != nil || version == len(migrations) {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // that gives it back
	// Of two processes that begin at once, one waits and finds nothing to do.
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	end := "COMMIT"
	if err = steps(ctx, conn); err != nil {
		end = "ROLLBACK"
	}
	_, failed := conn.ExecContext(context.WithoutCancel(ctx), end)
	if failed != nil && end == "COMMIT" {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		failed = errors.Join(failed, undo)
	}
	return errors.Join(err, failed)
}

// steps runs the migrations that are missing.
func steps(ctx context.Context, on runner) error {
	version, err := readVersion(ctx, on)
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return &receiver.VersionError{Database: version, Program: len(migrations)}
	}
	for i, migration := range migrations[version:] {
		if _, err := on.ExecContext(ctx, migration); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+i+1, err)
		}
	}
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS sluice_inbox_version (version INTEGER NOT NULL) STRICT",
		"DELETE FROM sluice_inbox_version",
		fmt.Sprintf("INSERT INTO sluice_inbox_version VALUES (%d)", len(migrations)),
	} {
		if _, err := on.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("write the version: %w", err)
		}
	}
	return nil
}

// readVersion returns the version of the tables, 0 if there are none.
func readVersion(ctx context.Context, on runner) (version int, err error) {
	var there bool
	err = on.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sluice_inbox_version')`).Scan(&there)
	if err == nil && there {
		err = on.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM sluice_inbox_version`).Scan(&version)
	}
	if err != nil {
		return 0, fmt.Errorf("read the version: %w", err)
	}
	return version, nil
}
