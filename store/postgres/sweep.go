package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/sluicego/sluice/internal/rows"
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
				if !yield(page[i].Record, errors.Join(page[i].corrupt...)) {
					return
				}
			}
			after = page[len(page)-1].ID
		}
	}
}

// sweepQuery gives the next sessions behind an id with all of their events: up to
// 256 sessions, but no more than have 4096 events together, unless one alone has
// more. The events are asked for session by session, whatever PostgreSQL knows of
// the tables.
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

// swept is a record that is being read, with what is wrong in it.
type swept struct {
	session.Record
	corrupt []error
}

// sweepPage reads the next sessions behind an id; none at the end. What it reads
// is as of one moment.
func (s *Store) sweepPage(ctx context.Context, after string) ([]swept, error) {
	var page []swept
	err := s.do(ctx, "sweep", func(ctx context.Context) error {
		tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // it has only read
		if page, err = sweepSessions(ctx, tx, after); err != nil {
			return err
		}
		return sweepResources(ctx, tx, page)
	})
	return page, err
}

// sweepSessions reads the sessions with their events.
func sweepSessions(ctx context.Context, on runner, after string) ([]swept, error) {
	read, err := on.Query(ctx, sweepQuery, after)
	if err != nil {
		return nil, err
	}
	defer read.Close()
	var page []swept
	for read.Next() {
		var c columns
		var version *int
		var event *string
		if err := read.Scan(&c.id, &c.version, &c.Status, &c.Workspace, &c.Template, &c.Created, &c.Updated,
			&c.snapshot, &version, &event); err != nil {
			return nil, err
		}
		if len(page) == 0 || page[len(page)-1].ID != c.id {
			page = append(page, c.decode())
		}
		if version == nil {
			continue
		}
		r := &page[len(page)-1]
		if e, err := session.ReadEvent(r.ID, *version, []byte(*event)); err != nil {
			r.corrupt = append(r.corrupt, err)
		} else {
			r.Events = append(r.Events, e)
		}
	}
	return page, read.Err()
}

// columns are the row of a session.
type columns struct {
	rows.Columns
	id       string
	version  int
	snapshot string
}

// decode reads the snapshot, and compares the columns that lists go by with it.
func (c columns) decode() swept {
	r := swept{Record: session.Record{ID: c.id}}
	s, err := session.ReadSnapshot(c.id, c.version, []byte(c.snapshot))
	if err != nil {
		r.corrupt = append(r.corrupt, err)
		return r
	}
	r.Session, r.corrupt = s, c.Compare(s)
	return r
}

// sweepResources checks that every resource that was linked is found in its
// session: a webhook of one that is not would be lost.
func sweepResources(ctx context.Context, on runner, page []swept) error {
	var ids []string
	for _, r := range page {
		ids = rows.AppendLinked(ids, r.Record)
	}
	found, err := findAll(ctx, on, ids)
	if err != nil {
		return err
	}
	for i := range page {
		r := &page[i]
		r.corrupt = append(r.corrupt, rows.CompareLinked(r.Record, found)...)
	}
	return nil
}

// findAll returns the sessions in which resources are found.
func findAll(ctx context.Context, on runner, ids []string) (map[string]string, error) {
	found := map[string]string{}
	if len(ids) == 0 {
		return found, nil
	}
	read, err := on.Query(ctx, `SELECT id, session_id FROM sluice_resources WHERE id = ANY($1::text[])`, ids)
	if err != nil {
		return nil, err
	}
	defer read.Close()
	for read.Next() {
		var id, in string
		if err := read.Scan(&id, &in); err != nil {
			return nil, err
		}
		found[id] = in
	}
	return found, read.Err()
}
