package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// reads are the methods that only read, on a pool or in a transaction.
type reads struct {
	on      runner
	again   retrier
	timeout time.Duration // of each statement; 0 for none
}

// do reads, again if need be, and gives the error its type.
func (r reads) do(ctx context.Context, what string, read func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := r.again.do(ctx, func(err error) bool { return lost(err) || outrun(err) }, func() error {
		ctx, cancel := ctx, context.CancelFunc(func() {})
		if r.timeout > 0 {
			ctx, cancel = context.WithTimeout(ctx, r.timeout)
		}
		defer cancel()
		err := read(ctx)
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
		}
		return err
	})
	if err == nil || errors.Is(err, pgx.ErrNoRows) || errors.Is(err, session.ErrCorrupt) {
		return err
	}
	if err = explain(ctx, err); err == ctx.Err() { //nolint:errorlint // it is returned as it is
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Load implements [session.Store].
func (r reads) Load(ctx context.Context, id string) (session.Session, error) {
	var version int
	var snapshot string
	err := r.do(ctx, "load session "+id, func(ctx context.Context) error {
		if action.CheckID(id) != "" {
			return pgx.ErrNoRows // PostgreSQL cannot even be asked for some of them
		}
		return r.on.QueryRow(ctx, `SELECT version, snapshot::text FROM sluice_sessions WHERE id = $1`, id).
			Scan(&version, &snapshot)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return session.Session{}, fmt.Errorf("session %s: %w", id, session.ErrNotFound)
	}
	if err != nil {
		return session.Session{}, err
	}
	return session.ReadSnapshot(id, version, []byte(snapshot))
}

// Find implements [session.Finder].
func (r reads) Find(ctx context.Context, resourceID string) (string, error) {
	var id string
	err := r.do(ctx, "find resource "+resourceID, func(ctx context.Context) error {
		if action.CheckID(resourceID) != "" {
			return pgx.ErrNoRows
		}
		return r.on.QueryRow(ctx, `SELECT session_id FROM sluice_resources WHERE id = $1`, resourceID).Scan(&id)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("resource %s: %w", resourceID, session.ErrNotFound)
	}
	return id, err
}

// History implements [session.History]. Where an event cannot be read, it returns
// those before it with the error.
func (r reads) History(ctx context.Context, id string, after int) ([]session.Event, error) {
	// The session's row tells one without events behind the version from none.
	const query = `
		SELECT e.version, e.event::text
		FROM sluice_sessions s LEFT JOIN sluice_events e ON e.session_id = s.id AND e.version > $2
		WHERE s.id = $1 ORDER BY e.version`
	var events []session.Event
	var found bool
	err := r.do(ctx, "history of session "+id, func(ctx context.Context) error {
		events, found = nil, false
		if action.CheckID(id) != "" {
			return nil
		}
		rows, err := r.on.Query(ctx, query, id, int64(after))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var version *int
			var text *string
			if err := rows.Scan(&version, &text); err != nil {
				return err
			}
			if found = true; version == nil {
				continue
			}
			e, err := session.ReadEvent(id, *version, []byte(*text))
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return rows.Err()
	})
	if err == nil && !found {
		return nil, fmt.Errorf("session %s: %w", id, session.ErrNotFound)
	}
	return events, err
}
