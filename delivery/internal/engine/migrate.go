package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Version is that of the tables that this program works with: the number of the
// newest migration, in both databases.
const Version = 1

// versions is goose's table, which has a row for each migration that was run.
const versions = "sluice_delivery_migrations"

// ErrVersion is what every [*VersionError] unwraps to.
var ErrVersion = errors.New("delivery: wrong version of the database")

// VersionError says that a database has not the version that the program works
// with: a newer program was there, or migrations are not to be run.
type VersionError struct {
	Database int // the version that the tables have, 0 if there are none
	Program  int // the version that the program works with
}

// Error names both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%v: its tables have version %d, this program works with %d", ErrVersion, e.Database, e.Program)
}

// Unwrap returns ErrVersion.
func (*VersionError) Unwrap() error { return ErrVersion }

// Migrate brings the tables to Version by the files, or returns a [*VersionError].
func Migrate(ctx context.Context, run bool, dialect goose.Dialect, db *sql.DB, files fs.FS) error {
	files, err := fs.Sub(files, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files,
		goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	if version > Version || version < Version && !run {
		return &VersionError{Database: int(version), Program: Version}
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
