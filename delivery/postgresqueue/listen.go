package postgresqueue

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// driver is River's, but for the connection that listens.
//
// Those of the store answer the end of a context by asking the server to cancel
// the statement, and wait for what it says. A connection that listens has no
// statement, and would let whoever interrupts it wait for seconds: River does so
// for every topic when it starts, and every five seconds after.
type driver struct {
	riverdriver.Driver[pgx.Tx]
	config func() *pgxpool.Config
}

// GetListener implements [riverdriver.Driver].
func (d driver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &listener{Listener: d.Driver.GetListener(params), config: d.config, params: params}
}

// listener has a connection besides the pool of the store, as it was set up.
type listener struct {
	riverdriver.Listener
	config func() *pgxpool.Config
	params *riverdriver.GetListenenerParams
}

// Connect implements [riverdriver.Listener].
func (l *listener) Connect(ctx context.Context) error {
	config := l.config()
	config.MaxConns, config.MinConns, config.MinIdleConns = 1, 0, 0
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close() // the connection is the listener's
	of := riverpgxv5.New(pool).GetListener(l.params)
	if err := of.Connect(ctx); err != nil {
		return err
	}
	l.Listener = of
	return nil
}
