// Package postgresinbox keeps webhooks that arrived in PostgreSQL, until they are
// dealt with: a [receiver.Inbox].
//
//	inbox, err := postgresinbox.Open(ctx, "postgres://app@db/onboarding")
//	if err != nil {
//		return err
//	}
//	defer inbox.Close()
//
// Each call is one statement, and so one transaction. Nothing is left in a
// connection, and statements of [Open] have no names, so that a pooler may give
// connections away after each transaction. Several claims at once do not wait for
// each other: each gets events that no other is about to get.
//
// # In the host's own database
//
// [New] keeps the events beside the host's own tables, over its own connections.
// What is done for an event and the mark that it is dealt with are then one
// transaction, so that the work is done once, whatever ends in between:
//
//	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
//		if err := work(ctx, tx, event); err != nil {
//			return err
//		}
//		return inbox.DoneTx(ctx, tx, event.ID)
//	})
//
// # Tables
//
// Events are in sluice_inbox, which hosts may read, and sluice_inbox_version has
// the version of it, both in the schema that the search path of the connection
// begins with. An older one is brought up to date; that of a newer program is
// refused with a [*receiver.VersionError].
//
// Positions are given out before transactions end, so that events which are kept
// at once may be handed out in either order.
package postgresinbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sluicego/sluice/delivery/receiver"
)

// Inbox keeps events in a table of a PostgreSQL database. It is safe for
// concurrent use.
type Inbox struct {
	pool *pgxpool.Pool
	own  bool // opened here
}

var _ receiver.Inbox = (*Inbox)(nil)

// Open opens a database, and makes the tables if there are none. where is a URL,
// or anything else that libpq takes; pool_max_conns in it says how many
// connections there are at most.
func Open(ctx context.Context, where string) (*Inbox, error) {
	config, err := pgxpool.ParseConfig(where)
	if err != nil {
		return nil, fmt.Errorf("postgresinbox: open: %w", err)
	}
	if !strings.Contains(where, "default_query_exec_mode") {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgresinbox: open: %w", err)
	}
	x, err := New(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	x.own = true
	return x, nil
}

// New returns an Inbox over the host's connections, and makes its tables if there
// are none. How safe an event is, is the host's to set: with synchronous_commit
// off, PostgreSQL may lose the last ones.
func New(ctx context.Context, pool *pgxpool.Pool) (*Inbox, error) {
	if err := migrate(ctx, pool); err != nil {
		return nil, fmt.Errorf("postgresinbox: %w", explain(ctx, err))
	}
	return &Inbox{pool: pool}, nil
}

// Close closes the connections that [Open] has opened, and none that [New] was
// given. Calls that are under way end first. It returns no error, but has one so
// that it is an io.Closer.
func (x *Inbox) Close() error {
	if x.own {
		x.pool.Close()
	}
	return nil
}

// runner is what statements run on: a pool of connections, or a transaction.
type runner interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Keep implements [receiver.Inbox].
func (x *Inbox) Keep(ctx context.Context, e receiver.Event) (bool, error) {
	return keep(ctx, x.pool, e)
}

// KeepTx is Keep within a transaction of the host: the event is kept if the host
// commits. Whoever keeps the same id meanwhile waits for that.
func (x *Inbox) KeepTx(ctx context.Context, tx pgx.Tx, e receiver.Event) (bool, error) {
	return keep(ctx, tx, e)
}

func keep(ctx context.Context, on runner, e receiver.Event) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	body := e.Body
	if body == nil {
		body = []byte{} // nil would be NULL
	}
	tag, err := on.Exec(ctx, `
		INSERT INTO sluice_inbox (id, body, received) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`,
		e.ID, body, e.Received.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("postgresinbox: keep event %q: %w", e.ID, explain(ctx, err))
	}
	return tag.RowsAffected() > 0, nil
}

// Claim implements [receiver.Inbox].
func (x *Inbox) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, err
	}
	rows, err := x.pool.Query(ctx, `
		WITH free AS (
			SELECT position FROM sluice_inbox
			WHERE NOT done AND (held_until IS NULL OR held_until <= $1)
			ORDER BY position LIMIT $2 FOR UPDATE SKIP LOCKED
		), claimed AS (
			UPDATE sluice_inbox SET held_until = $3 FROM free WHERE sluice_inbox.position = free.position
			RETURNING sluice_inbox.*
		)
		SELECT id, body, received FROM claimed ORDER BY position`,
		now.UnixMicro(), int64(min(limit, math.MaxInt32)), ceil(now.Add(lease)))
	if err != nil {
		return nil, fmt.Errorf("postgresinbox: claim events: %w", explain(ctx, err))
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (receiver.Event, error) {
		var e receiver.Event
		var received int64
		err := row.Scan(&e.ID, &e.Body, &received)
		e.Received = time.UnixMicro(received).UTC()
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("postgresinbox: claim events: %w", explain(ctx, err))
	}
	return events, nil
}

// Done implements [receiver.Inbox].
func (x *Inbox) Done(ctx context.Context, ids ...string) error { return done(ctx, x.pool, ids) }

// DoneTx is Done within a transaction of the host: events are dealt with if the
// host commits, together with the work that was done for them.
func (x *Inbox) DoneTx(ctx context.Context, tx pgx.Tx, ids ...string) error {
	return done(ctx, tx, ids)
}

func done(ctx context.Context, on runner, ids []string) error {
	if err := ctx.Err(); err != nil || len(ids) == 0 {
		return err
	}
	// In the order of positions, so that two of them cannot wait for each other.
	_, err := on.Exec(ctx, `
		WITH found AS (
			SELECT position FROM sluice_inbox WHERE id = ANY($1::text[]) AND NOT done
			ORDER BY position FOR UPDATE
		)
		UPDATE sluice_inbox SET done = true, body = '', held_until = NULL
		FROM found WHERE sluice_inbox.position = found.position`, ids)
	if err != nil {
		return fmt.Errorf("postgresinbox: mark %d events as dealt with: %w", len(ids), explain(ctx, err))
	}
	return nil
}

// Forget implements [receiver.Inbox].
func (x *Inbox) Forget(ctx context.Context, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := x.pool.Exec(ctx, `DELETE FROM sluice_inbox WHERE done AND received < $1`, ceil(before))
	if err != nil {
		return fmt.Errorf("postgresinbox: forget events: %w", explain(ctx, err))
	}
	return nil
}

// ceil returns a time in Unix microseconds, rounded up, so that nothing is handed
// out too early or forgotten too late.
func ceil(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

// explain returns the error of a context that is done in place of what follows
// from that.
func explain(ctx context.Context, err error) error {
	if done := ctx.Err(); done != nil && !errors.Is(err, done) {
		return done
	}
	return err
}
