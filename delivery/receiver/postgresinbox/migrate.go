package postgresinbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sluicego/sluice/delivery/receiver"
)

// migrations lead from one version to the next. Those that were released do not
// change.
var migrations = []string{`
	-- Events, oldest first. Times are Unix microseconds. What is dealt with is
	-- kept without its body, so that it is known when it arrives again.
	CREATE TABLE sluice_inbox (
		position   bigint  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		id         text    NOT NULL COLLATE "C" UNIQUE,
		body       bytea   NOT NULL,
		received   bigint  NOT NULL,
		held_until bigint,
		done       boolean NOT NULL DEFAULT false
	);
	CREATE INDEX sluice_inbox_open ON sluice_inbox (position) WHERE NOT done;
	CREATE INDEX sluice_inbox_done ON sluice_inbox (received) WHERE done`,
}

// migrationLock is the number of the lock under which migrations run, for the
// whole database: "inbox" in ASCII.
const migrationLock = 0x696e626f78

// migrate brings the tables to the version of the program, or refuses them.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	var there bool
	err := pool.QueryRow(ctx, `SELECT to_regclass('sluice_inbox_version') IS NOT NULL`).Scan(&there)
	if err != nil {
		return fmt.Errorf("look for the version: %w", err)
	}
	if there {
		version, err := readVersion(ctx, pool)
		if err != nil || version == len(migrations) {
			return err
		}
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Of two processes that begin at once, one waits and finds nothing to do.
		if _, err := tx.Exec(ctx, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, migrationLock)); err != nil {
			return fmt.Errorf("migrate: wait for others that do: %w", err)
		}
		return steps(ctx, tx)
	})
}

// steps runs the migrations that are missing.
func steps(ctx context.Context, tx pgx.Tx) error {
	// Others may have made it while this waited for the lock. Looking for its name
	// would not tell: PostgreSQL remembers that there was none.
	_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS sluice_inbox_version (version int NOT NULL)`)
	if err != nil {
		return fmt.Errorf("make the table of the version: %w", err)
	}
	version, err := readVersion(ctx, tx)
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return &receiver.VersionError{Database: version, Program: len(migrations)}
	}
	for i, migration := range migrations[version:] {
		if _, err := tx.Exec(ctx, migration, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+i+1, err)
		}
	}
	for _, statement := range []string{
		`DELETE FROM sluice_inbox_version`,
		fmt.Sprintf(`INSERT INTO sluice_inbox_version VALUES (%d)`, len(migrations)),
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("write the version: %w", err)
		}
	}
	return nil
}

// readVersion returns the version of the tables.
func readVersion(ctx context.Context, on runner) (version int, err error) {
	err = on.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM sluice_inbox_version`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read the version: %w", err)
	}
	return version, nil
}
