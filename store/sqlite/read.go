package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
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
	return decodeSession(id, version, snapshot)
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

// History implements [session.History].
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
		e, err := decodeEvent(id, int(version.Int64), text.String)
		if err != nil {
			return nil, err
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

// decodeSession reads a snapshot, which has to be the one of its row.
func decodeSession(id string, version int, snapshot string) (session.Session, error) {
	s, err := session.FromSnapshot([]byte(snapshot))
	if err == nil && (s.ID() != id || s.Version() != version) {
		err = fmt.Errorf("it is of session %s in version %d", s.ID(), s.Version())
	}
	if err != nil {
		return session.Session{}, &session.CorruptError{SessionID: id, Version: version, Column: "snapshot", Err: err}
	}
	return s, nil
}

// decodeEvent reads an event, which has to be the one of its row.
func decodeEvent(id string, version int, text string) (session.Event, error) {
	var e session.Event
	err := json.Unmarshal([]byte(text), &e)
	if err == nil && (e.SessionID != id || e.Version != version) {
		err = fmt.Errorf("it is event %d of session %s", e.Version, e.SessionID)
	}
	if err != nil {
		return session.Event{}, &session.CorruptError{SessionID: id, Version: version, Column: "event", Err: err}
	}
	return e, nil
}
