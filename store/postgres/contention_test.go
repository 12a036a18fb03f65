package postgres_test

import (
	"testing"

	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/internal/stress"
	"github.com/sluicego/sluice/store/postgres"
)

const writers = stress.Writers

func TestOneSession(t *testing.T) {
	server := pgtest.Start(t, pgtest.Config{Fsync: true})
	store := openAt(t, server.Database(t), postgres.Options{Configure: connections(writers)})
	stress.Contend(t, store, *commands)
}
