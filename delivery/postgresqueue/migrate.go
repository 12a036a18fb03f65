package postgresqueue

import (
	"context"
	"embed"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"

	"github.com/sluicego/sluice/delivery/internal/engine"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the number of the lock under which migrations run, for the
// whole database: "sluices" in ASCII.
const migrationLock = 0x736c7569636573

// prepare brings the tables up to date, or refuses them. Processes that do so at
// once wait for each other.
//
// The lock ends with the transaction that has it, so that neither a pooler nor a
// process that dies can keep it.
func prepare(ctx context.Context, q *Queue, migrate bool, config *river.Config) error {
	db := stdlib.OpenDB(*q.store.Pool().Config().ConnConfig)
	defer db.Close() //nolint:errcheck // nothing is lost with it
	return pgx.BeginFunc(ctx, q.store.Pool(), func(tx pgx.Tx) error {
		for _, statement := range []string{
			`SET LOCAL idle_in_transaction_session_timeout = 0`,
			`SET LOCAL statement_timeout = 0`,
			fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, migrationLock),
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("migrate: wait for others that do: %w", err)
			}
		}
		err := engine.Migrate(ctx, migrate, goose.DialectPostgres, db, migrations)
		if err != nil || !migrate {
			return err
		}
		return q.MigrateRiver(ctx, config)
	})
}
