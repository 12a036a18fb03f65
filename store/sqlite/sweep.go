package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/sluicego/sluice/internal/rows"
	"github.com/sluicego/sluice/session"
)

// sweepBatch is how many sessions are read in one transaction. A longer one would
// keep the write-ahead log from being used again, and that grows.
const sweepBatch = 64

// Sweep implements [session.Archive]. It yields sessions in the order of their
// ids, and also events whose session is missing.
func (s *Store) Sweep(ctx context.Context) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		for after, more := "", true; more; {
			batch, err := s.sweepBatch(ctx, after)
			for _, r := range batch {
				if ctx.Err() != nil {
					break
				}
				if !yield(r.Record, errors.Join(r.corrupt...)) {
					return
				}
				after = r.ID
			}
			// Also behind the last record: one that was cut short must not look
			// like one that has seen all.
			if done := ctx.Err(); done != nil {
				yield(session.Record{}, done)
				return
			}
			if err != nil {
				yield(session.Record{}, fmt.Errorf("sweep behind session %q: %w", after, explain(ctx, err)))
				return
			}
			if more = len(batch) >= sweepBatch; more {
				after = batch[sweepBatch-1].ID
			}
		}
	}
}

// swept is a record that is being read, with what is wrong in it.
type swept struct {
	session.Record
	version int
	corrupt []error
}

// sweepBatch returns the records of the next sessions; on the last batch there
// are fewer, and behind them what is there of sessions that are missing.
func (s *Store) sweepBatch(ctx context.Context, after string) ([]*swept, error) {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	batch, err := sweepSessions(ctx, tx, after)
	if err != nil {
		return nil, err
	}
	to := sql.NullString{}
	if len(batch) == sweepBatch {
		to = sql.NullString{String: batch[sweepBatch-1].ID, Valid: true}
	}
	if batch, err = sweepEvents(ctx, tx, after, to, batch); err != nil {
		return nil, err
	}
	return batch, sweepResources(ctx, tx, batch)
}

// sweepSessions reads the rows of sessions, whose columns have to say the same as
// their snapshots.
func sweepSessions(ctx context.Context, on runner, after string) ([]*swept, error) {
	read, err := on.QueryContext(ctx, `
		SELECT id, version, status, workspace_id, template_id, created_at, updated_at, snapshot
		FROM sluice_sessions WHERE id > ?1 ORDER BY id LIMIT ?2`, after, sweepBatch)
	if err != nil {
		return nil, err
	}
	defer read.Close() //nolint:errcheck // read.Err tells what there is to tell
	var batch []*swept
	for read.Next() {
		var r swept
		var c rows.Columns
		var snapshot string
		err := read.Scan(&r.ID, &r.version, &c.Status, &c.Workspace, &c.Template, &c.Created, &c.Updated, &snapshot)
		if err != nil {
			return nil, err
		}
		if r.Session, err = session.ReadSnapshot(r.ID, r.version, []byte(snapshot)); err != nil {
			r.corrupt = append(r.corrupt, err)
		} else {
			r.corrupt = c.Compare(r.Session)
		}
		batch = append(batch, &r)
	}
	return batch, read.Err()
}

// sweepEvents adds the events behind one session and up to another one, or all
// there are, to the records of a batch. Both are in the order of ids.
func sweepEvents(ctx context.Context, on runner, after string, to sql.NullString, batch []*swept) ([]*swept, error) {
	// The bound is a condition of its own, or SQLite reads on to the end of the
	// table for every batch.
	bound := ""
	if to.Valid {
		bound = "AND session_id <= ?2"
	}
	read, err := on.QueryContext(ctx, `
		SELECT session_id, version, event FROM sluice_events
		WHERE session_id > ?1 `+bound+` ORDER BY session_id, version`, after, to)
	if err != nil {
		return nil, err
	}
	defer read.Close() //nolint:errcheck // read.Err tells what there is to tell
	known := batch
	orphan := &swept{}
	for read.Next() {
		var id, text string
		var version int
		if err := read.Scan(&id, &version, &text); err != nil {
			return nil, err
		}
		for len(known) > 0 && cmp.Compare(known[0].ID, id) < 0 {
			known = known[1:]
		}
		r := orphan
		switch {
		case len(known) > 0 && known[0].ID == id:
			r = known[0]
		case orphan.ID != id:
			r = newOrphan(id, version)
			orphan, batch = r, append(batch, r)
		}
		if e, err := session.ReadEvent(id, version, []byte(text)); err != nil {
			r.corrupt = append(r.corrupt, err)
		} else {
			r.Events = append(r.Events, e)
		}
	}
	return batch, read.Err()
}

// newOrphan is the record of a session of which there are events alone.
func newOrphan(id string, version int) *swept {
	missing := &session.CorruptError{
		SessionID: id, Version: version, Column: "snapshot", Err: errors.New("there is none, only events"),
	}
	return &swept{Record: session.Record{ID: id}, corrupt: []error{missing}}
}

// sweepResources checks that every resource that was linked is found in its
// session: a webhook of one that is not would be lost.
func sweepResources(ctx context.Context, on runner, batch []*swept) error {
	ids := []string{}
	for _, r := range batch {
		ids = rows.AppendLinked(ids, r.Record)
	}
	found, err := findAll(ctx, on, ids)
	if err != nil {
		return err
	}
	for _, r := range batch {
		r.corrupt = append(r.corrupt, rows.CompareLinked(r.Record, found)...)
	}
	return nil
}

// findAll returns the sessions in which resources are found.
func findAll(ctx context.Context, on runner, ids []string) (map[string]string, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	read, err := on.QueryContext(ctx, `
		SELECT id, session_id FROM sluice_resources WHERE id IN (SELECT value FROM json_each(?1))`, string(list))
	if err != nil {
		return nil, err
	}
	defer read.Close() //nolint:errcheck // read.Err tells what there is to tell
	found := map[string]string{}
	for read.Next() {
		var id, in string
		if err := read.Scan(&id, &in); err != nil {
			return nil, err
		}
		found[id] = in
	}
	return found, read.Err()
}
