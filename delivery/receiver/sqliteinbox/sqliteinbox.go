// Package sqliteinbox keeps webhooks that arrived in SQLite, until they are dealt
// with: a [receiver.Inbox].
//
//	inbox, err := sqliteinbox.Open(ctx, "webhooks.db")
//	if err != nil {
//		return err
//	}
//	defer inbox.Close()
//
// Each call is one statement, and so one transaction. With [Open], it is on the
// disk when it returns: the file is in WAL mode with synchronous=FULL. Several
// processes on one machine may use the same file, and wait for each other.
//
// # In the host's own database
//
// [New] keeps the events beside the host's own tables, over its own connections.
// What is done for an event and the mark that it is dealt with are then one
// transaction, so that the work is done once, whatever ends in between:
//
//	tx, err := db.BeginTx(ctx, nil)
//	if err != nil {
//		return err
//	}
//	defer tx.Rollback()
//	if err := work(ctx, tx, event); err != nil {
//		return err
//	}
//	if err := inbox.DoneTx(ctx, tx, event.ID); err != nil {
//		return err
//	}
//	return tx.Commit()
//
// # Tables
//
// Events are in sluice_inbox, which hosts may read, and sluice_inbox_version has
// the version of it. An older one is brought up to date; that of a newer program
// is refused with a [*receiver.VersionError].
package sqliteinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sluicego/sluice/delivery/receiver"
)

// Inbox keeps events in a table of an SQLite database. It is safe for concurrent
// use.
type Inbox struct {
	db  *sql.DB
	own bool // opened here
}

var _ receiver.Inbox = (*Inbox)(nil)

// New returns an Inbox over the host's connections, and makes its tables if there
// are none. They may be of any driver for SQLite. How safe an event is, is the
// host's to set: WAL mode, synchronous=FULL and a busy time-out are what [Open]
// has.
func New(ctx context.Context, db *sql.DB) (*Inbox, error) {
	if err := migrate(ctx, db); err != nil {
		return nil, fmt.Errorf("sqliteinbox: %w", explain(ctx, err))
	}
	return &Inbox{db: db}, nil
}

// Close closes the connections that [Open] has opened, and none that [New] was
// given. Calls that are under way end first.
func (x *Inbox) Close() error {
	if !x.own {
		return nil
	}
	return x.db.Close()
}

// runner is what statements run on: connections, or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Keep implements [receiver.Inbox].
func (x *Inbox) Keep(ctx context.Context, e receiver.Event) (bool, error) {
	return keep(ctx, x.db, e)
}

// KeepTx is Keep within a transaction of the host: the event is kept if the host
// commits.
func (x *Inbox) KeepTx(ctx context.Context, tx *sql.Tx, e receiver.Event) (bool, error) {
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
	result, err := on.ExecContext(ctx, `
		INSERT INTO sluice_inbox (id, body, received) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING`,
		e.ID, body, e.Received.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("sqliteinbox: keep event %q: %w", e.ID, explain(ctx, err))
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("sqliteinbox: keep event %q: %w", e.ID, explain(ctx, err))
	}
	return n > 0, nil
}

// Claim implements [receiver.Inbox].
func (x *Inbox) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, err
	}
	rows, err := x.db.QueryContext(ctx, `
		UPDATE sluice_inbox SET held_until = ?1 WHERE position IN (
			SELECT position FROM sluice_inbox
			WHERE done = 0 AND (held_until IS NULL OR held_until <= ?2) ORDER BY position LIMIT ?3)
		RETURNING position, id, body, received`,
		ceil(now.Add(lease)), now.UnixMicro(), min(limit, math.MaxInt32))
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: claim events: %w", explain(ctx, err))
	}
	events, err := read(rows)
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: claim events: %w", explain(ctx, err))
	}
	return events, nil
}

// read reads and closes rows, and sorts the events, which UPDATE returns in any
// order.
func read(rows *sql.Rows) ([]receiver.Event, error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells what there is to tell
	type numbered struct {
		position int64
		event    receiver.Event
	}
	var list []numbered
	for rows.Next() {
		var n numbered
		var received int64
		if err := rows.Scan(&n.position, &n.event.ID, &n.event.Body, &received); err != nil {
			return nil, err
		}
		n.event.Received = time.UnixMicro(received).UTC()
		list = append(list, n)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b numbered) int { return int(a.position - b.position) })
	var events []receiver.Event
	for _, n := range list {
		events = append(events, n.event)
	}
	return events, nil
}

// Done implements [receiver.Inbox].
func (x *Inbox) Done(ctx context.Context, ids ...string) error { return done(ctx, x.db, ids) }

// DoneTx is Done within a transaction of the host: events are dealt with if the
// host commits, together with the work that was done for them. Until then every
// call of the Inbox that is no part of it waits.
func (x *Inbox) DoneTx(ctx context.Context, tx *sql.Tx, ids ...string) error {
	return done(ctx, tx, ids)
}

func done(ctx context.Context, on runner, ids []string) error {
	if err := ctx.Err(); err != nil || len(ids) == 0 {
		return err
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = on.ExecContext(ctx, `
		UPDATE sluice_inbox SET done = 1, body = x'', held_until = NULL
		WHERE done = 0 AND id IN (SELECT value FROM json_each(?1))`, string(list))
	if err != nil {
		return fmt.Errorf("sqliteinbox: mark %d events as dealt with: %w", len(ids), explain(ctx, err))
	}
	return nil
}

// Forget implements [receiver.Inbox].
func (x *Inbox) Forget(ctx context.Context, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := x.db.ExecContext(ctx, `DELETE FROM sluice_inbox WHERE done = 1 AND received < ?1`, ceil(before))
	if err != nil {
		return fmt.Errorf("sqliteinbox: forget events: %w", explain(ctx, err))
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
