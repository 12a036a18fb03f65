package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/sluicego/sluice/session"
)

// Sweep implements [session.Archive]. It reads some sessions at a time, in the
// order of their ids, and holds no connection while a record is looked at.
func (s *Store) Sweep(ctx context.Context) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		for after := ""; ; {
			page, err := s.sweepPage(ctx, after)
			if err != nil {
				yield(session.Record{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			for i := range page {
				if err := ctx.Err(); err != nil {
					yield(session.Record{}, err)
					return
				}
				if !yield(page[i].decode()) {
					return
				}
			}
			after = page[len(page)-1].id
		}
	}
}

// sweepQuery gives the next sessions behind an id with all of their events: up to
// 256 sessions, but no more than have 4096 events together, unless one alone has
// more. As one statement it sees one moment. The events are asked for session by
// session, whatever PostgreSQL knows of the tables.
const sweepQuery = `
	WITH page AS (
		SELECT * FROM (
			SELECT id, row_number() OVER byid AS n, sum(version) OVER byid AS events
			FROM (SELECT id, version FROM sluice_sessions WHERE id > $1 ORDER BY id LIMIT 256) few
			WINDOW byid AS (ORDER BY id)
		) counted WHERE n = 1 OR events <= 4096
	)
	SELECT s.id, s.version, s.status, s.workspace_id, s.template_id, s.created_at, s.updated_at, s.snapshot::text,
		e.version, e.event::text
	FROM page JOIN sluice_sessions s ON s.id = page.id
	LEFT JOIN LATERAL (
		SELECT version, event FROM sluice_events WHERE session_id = s.id ORDER BY version
	) e ON true
	ORDER BY s.id, e.version`

// stored is a session with its events as the tables have them.
type stored struct {
	id, status, workspace, template string
	version                         int
	created, updated                int64
	snapshot                        string
	events                          []storedEvent
}

type storedEvent struct {
	version int
	text    string
}

// sweepPage reads the next sessions behind an id; none at the end.
func (s *Store) sweepPage(ctx context.Context, after string) ([]stored, error) {
	var page []stored
	err := s.do(ctx, "sweep", func(ctx context.Context) error {
		page = nil
		rows, err := s.pool.Query(ctx, sweepQuery, after)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r stored
			var version *int
			var text *string
			if err := rows.Scan(&r.id, &r.version, &r.status, &r.workspace, &r.template, &r.created, &r.updated,
				&r.snapshot, &version, &text); err != nil {
				return err
			}
			if len(page) == 0 || page[len(page)-1].id != r.id {
				page = append(page, r)
			}
			if last := &page[len(page)-1]; version != nil {
				last.events = append(last.events, storedEvent{*version, *text})
			}
		}
		return rows.Err()
	})
	return page, err
}

// decode reads the record. With an error it has what could be read.
func (r stored) decode() (session.Record, error) {
	record := session.Record{ID: r.id}
	var errs []error
	s, err := session.ReadSnapshot(r.id, r.version, []byte(r.snapshot))
	if err != nil {
		errs = append(errs, err)
	} else {
		record.Session = s
		errs = r.columns(s)
	}
	for _, stored := range r.events {
		e, err := session.ReadEvent(r.id, stored.version, []byte(stored.text))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		record.Events = append(record.Events, e)
	}
	return record, errors.Join(errs...)
}

// columns compares the columns that lists go by with the session.
func (r stored) columns(s session.Session) []error {
	var errs []error
	same := func(column, has, want string) {
		if has != want {
			errs = append(errs, &session.CorruptError{
				SessionID: r.id, Version: r.version, Column: column,
				Err: fmt.Errorf("it is %q, but the snapshot has %q", has, want),
			})
		}
	}
	text := func(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
	same("status", r.status, s.Status().String())
	same("workspace_id", r.workspace, s.WorkspaceID())
	same("template_id", r.template, s.TemplateID())
	same("created_at", text(r.created), text(s.CreatedAt().Unix()))
	same("updated_at", text(r.updated), text(s.UpdatedAt().Unix()))
	return errs
}
