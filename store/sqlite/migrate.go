package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// programVersion is the version of the schema that the statements of this
// package are written for: the number of the newest migration.
const programVersion = 2

// versionTable is goose's, which has a row for each migration that was run.
const versionTable = "sluice_migrations"

// prepare brings the database to the version of the program, or refuses it.
func (s *Store) prepare(ctx context.Context, o Options) error {
	version, err := readVersion(ctx, s.writer)
	if err != nil {
		return err
	}
	if version < programVersion && !o.NoMigrations {
		if err := s.migrate(ctx); err != nil {
			return err
		}
		// A newer program may have been there meanwhile.
		if version, err = readVersion(ctx, s.writer); err != nil {
			return err
		}
	}
	if version != programVersion {
		return &VersionError{Path: s.path, Database: version, Program: programVersion}
	}
	return nil
}

// readVersion returns the version of the schema, 0 if there is none.
func readVersion(ctx context.Context, on runner) (version int, err error) {
	var there bool
	err = on.QueryRowContext(ctx,
		`SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)`, versionTable).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = on.QueryRowContext(ctx,
		`SELECT coalesce(max(version_id), 0) FROM `+versionTable+` WHERE is_applied`).Scan(&version)
	return version, err
}

// migrate runs the migrations that are missing, in one transaction.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writer, files,
		goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true),
		// The transaction of the locker is the only one, and has all of it.
		goose.WithSessionLocker(&migration{}),
		goose.WithIsolateDDL(true),
	)
	if err != nil {
		return err
	}
	if _, err = provider.Up(ctx); errors.Is(err, errNewer) {
		return nil // the caller says so
	}
	if err != nil {
		return fmt.Errorf("run the migrations: %w", err)
	}
	return nil
}

// errNewer: while a migration waited for another process, that one went further
// than this program can.
var errNewer = errors.New("newer")

// migration is goose's lock: an immediate transaction around the whole upgrade.
// Of two processes that begin at once one waits, and finds nothing left to do.
// A process that dies in between leaves the version that was there.
type migration struct{}

// SessionLock begins the transaction.
func (*migration) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	version, err := readVersion(ctx, conn)
	if err == nil && version > programVersion {
		err = errNewer
	}
	if err != nil {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, undo)
	}
	return nil
}

// SessionUnlock ends the transaction. goose does not tell how it went; the
// version does, which is written with each migration.
func (*migration) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	end := "COMMIT"
	version, err := readVersion(ctx, conn)
	if err != nil || version != programVersion {
		end = "ROLLBACK"
	}
	_, failed := conn.ExecContext(ctx, end)
	if failed != nil && end == "COMMIT" {
		_, undo := conn.ExecContext(ctx, "ROLLBACK")
		failed = errors.Join(failed, undo)
	}
	return errors.Join(err, failed)
}
