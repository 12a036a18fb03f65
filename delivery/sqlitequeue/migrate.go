package sqlitequeue

import (
	"context"
	"embed"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"

	"github.com/sluicego/sluice/delivery/internal/engine"
)

//go:embed migrations/*.sql
var migrations embed.FS

// prepare brings the tables up to date, or refuses them.
func prepare(ctx context.Context, q *Queue, migrate bool, config *river.Config) error {
	err := engine.Migrate(ctx, migrate, goose.DialectSQLite3, q.store.Writer(), migrations)
	if err != nil || !migrate {
		return err
	}
	return q.MigrateRiver(ctx, config)
}
