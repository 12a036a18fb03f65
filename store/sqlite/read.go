package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sluicego/sluice/session"
)

// reads are the abilities that change nothing.
type reads struct{ on runner }

// Load implements [session.Store].
func (r reads) Load(ctx context.Context, id string) (session.Session, error) {
	if err := ctx.Err(); err != nil {
		return session.Session{}, err
	}
	var version int
	var snapshot string
	err := r.on.QueryRowContext(ctx,
		`SELECT version, snapshot FROM sluice_sessions WHERE id = ?1`, id).Scan(&version, &snapshot)
	if err != nil {
		return session.Session{}, unread(ctx, "session "+id, err)
	}
	return session.ReadSnapshot(id, version, []byte(snapshot))
}

// Find implements [session.Finder].
func (r reads) Find(ctx context.Context, resourceID string) (sessionID string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	err = r.on.QueryRowContext(ctx,
		`SELECT session_id FROM sluice_resources WHERE id = ?1`, resourceID).Scan(&sessionID)
	if err != nil {
		return "", unread(ctx, "resource "+resourceID, err)
	}
	return sessionID, nil
}

// History implements [session.History]. Where an event cannot be read, it returns
// those before it with the error.
func (r reads) History(ctx context.Context, id string, after int) ([]session.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// A session without events behind that version is a row without an event.
	rows, err := r.on.QueryContext(ctx, `
		SELECT e.version, e.event FROM sluice_sessions AS s
		LEFT JOIN sluice_events AS e ON e.session_id = s.id AND e.version > ?2
		WHERE s.id = ?1 ORDER BY e.version`, id, after)
	if err != nil {
		return nil, unread(ctx, "session "+id, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells what there is to tell
	var events []session.Event
	found := false
	for rows.Next() {
		found = true
		var version sql.NullInt64
		var text sql.NullString
		if err := rows.Scan(&version, &text); err != nil {
			return nil, unread(ctx, "session "+id, err)
		}
		if !version.Valid {
			break
		}
		e, err := session.ReadEvent(id, int(version.Int64), []byte(text.String))
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return nil, unread(ctx, "session "+id, err)
	}
	if !found {
		return nil, unread(ctx, "session "+id, sql.ErrNoRows)
	}
	return events, nil
}

// unread is the error of something that could not be read, or is not there.
func unread(ctx context.Context, what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, session.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, explain(ctx, err))
}
