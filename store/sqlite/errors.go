package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What keeps the store from doing what it was asked. Errors of SQLite that
// belong to none of them are passed on as they are.
var (
	// ErrReadOnly: the file, its directory or its file system cannot be written
	// to. A database in WAL mode needs that for reading too.
	ErrReadOnly = errors.New("sqlite: read-only")
	// ErrFull: there is no room for what was to be written. Nothing of it was;
	// what was there before is whole, and can be read.
	ErrFull = errors.New("sqlite: full")
	// ErrBusy: another process was writing for longer than the busy time-out.
	// Nothing was written; the same call may succeed later.
	ErrBusy = errors.New("sqlite: busy")
	// ErrDamaged: the file is no database, or its pages are damaged. That is
	// not about one session, as session.ErrCorrupt is.
	ErrDamaged = errors.New("sqlite: damaged file")
	// ErrVersion is what every [*VersionError] unwraps to.
	ErrVersion = errors.New("sqlite: wrong version")
	// ErrRolledBack: SQLite itself has ended the transaction that a [Joined]
	// works in. Nothing that was done in it is kept.
	ErrRolledBack = errors.New("sqlite: the transaction was rolled back")
	// ErrInTx: within InTx the Store itself was to write, which would wait for
	// itself. What the function is given to write with is the [Joined].
	ErrInTx = errors.New("sqlite: this is within InTx: use the store that its function is given")
)

// VersionError says that a database has not the version that the program works
// with: a newer program was there, or migrations are not to be run.
type VersionError struct {
	Path     string
	Database int // the version that the file has
	Program  int // the version that the program works with
}

// Error names both versions.
func (e *VersionError) Error() string {
	advice := "run its migrations first"
	if e.Database > e.Program {
		advice = "a newer program is needed"
	}
	return fmt.Sprintf("sqlite: %s has version %d, but this program works with version %d; %s",
		e.Path, e.Database, e.Program, advice)
}

// Unwrap returns ErrVersion.
func (e *VersionError) Unwrap() error { return ErrVersion }

// codeOf returns the primary result code of an error of SQLite, 0 for another.
func codeOf(err error) int {
	var e *modernc.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// explain gives an error of the driver its type. A context that is done is the
// reason for all that fails from then on, and its error is returned as it is.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if done := ctx.Err(); done != nil {
		return done
	}
	var kind error
	switch codeOf(err) {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		kind = ErrReadOnly
	case sqlite3.SQLITE_FULL:
		kind = ErrFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		kind = ErrBusy
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		kind = ErrDamaged
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// explainOpen is explain for errors of Open. SQLite says that it cannot open a
// file whatever the reason is; what the file system says tells more.
func explainOpen(ctx context.Context, path string, err error) error {
	err = explain(ctx, err)
	if codeOf(err) != sqlite3.SQLITE_CANTOPEN {
		return err
	}
	probe, refused := os.CreateTemp(filepath.Dir(path), ".sluice-*")
	if refused == nil {
		err = errors.Join(err, probe.Close(), os.Remove(probe.Name()))
		return err
	}
	switch {
	case errors.Is(refused, fs.ErrPermission), errors.Is(refused, syscall.EROFS):
		return fmt.Errorf("%w: %w: %w", ErrReadOnly, err, refused)
	case errors.Is(refused, syscall.ENOSPC):
		return fmt.Errorf("%w: %w: %w", ErrFull, err, refused)
	default:
		return fmt.Errorf("%w: %w", err, refused)
	}
}

// undone reports whether a failed COMMIT is known to have kept nothing. SQLite
// finds these reasons before it writes the frame that makes a transaction valid,
// and database/sql does not commit for a context that is done. Anything else, an
// error of input and output above all, leaves that open: the frame may be in the
// file and be found when the database is opened again.
func undone(ctx context.Context, err error) bool {
	switch codeOf(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_INTERRUPT:
		return true
	case 0:
		return errors.Is(err, sql.ErrTxDone) || ctx.Err() != nil && errors.Is(err, ctx.Err())
	default:
		return false
	}
}
