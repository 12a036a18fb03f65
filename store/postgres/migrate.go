package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// programVersion is the version that this program works with: the number of the
// last migration.
const programVersion = 2

// migrationLock is the number of the lock under which migrations run, for the
// whole database: "sluice" in ASCII.
const migrationLock = 0x736c75696365

// prepare makes sure that the database has the right version.
func (s *Store) prepare(ctx context.Context, o Options) error {
	var version int
	err := s.do(ctx, "read the version", func(ctx context.Context) (err error) {
		version, err = s.readVersion(ctx)
		return err
	})
	switch {
	case err != nil:
		return err
	case version == programVersion:
		return nil
	case version > programVersion || o.NoMigrations:
		return &VersionError{Database: version, Program: programVersion}
	default:
		return s.migrate(ctx)
	}
}

// readVersion returns the version of the database, 0 if it has none of our tables.
func (s *Store) readVersion(ctx context.Context) (version int, err error) {
	var exists bool
	err = s.pool.QueryRow(ctx, `SELECT to_regclass('sluice_migrations') IS NOT NULL`).Scan(&exists)
	if err == nil && exists {
		err = s.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM sluice_migrations`).Scan(&version)
	}
	return version, err
}

// migrate runs the migrations that are missing.
//
// The lock ends with the transaction that has it, so that neither a pooler nor a
// process that dies can keep it. Migrations have transactions of their own, on
// another connection.
func (s *Store) migrate(ctx context.Context) error {
	config := s.pool.Config().ConnConfig
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrate: %w", explain(ctx, err))
	}
	defer tx.Rollback() //nolint:errcheck // there is nothing in it but the lock
	if err := lock(ctx, tx); err != nil {
		return fmt.Errorf("migrate: wait for others that do: %w", explain(ctx, err))
	}
	// Another process may have done it meanwhile, or more.
	version, err := s.readVersion(ctx)
	if err != nil || version == programVersion {
		return err
	}
	if version > programVersion {
		return &VersionError{Database: version, Program: programVersion}
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName("sluice_migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", explain(ctx, err))
	}
	return nil
}

// lock waits for the lock, and keeps a server that ends idle transactions from
// taking it away.
func lock(ctx context.Context, tx *sql.Tx) error {
	for _, statement := range []string{
		`SET LOCAL idle_in_transaction_session_timeout = 0`,
		`SET LOCAL statement_timeout = 0`,
		fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, migrationLock),
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
