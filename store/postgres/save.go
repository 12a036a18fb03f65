package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sluicego/sluice/session"
)

// save is all that one Save writes.
type save struct {
	next    session.Session
	stored  int // the version that must be there
	events  []session.Event
	links   []string // the resources that the events link, in their order
	mark    string   // by which this save is known from every other
	query   string   // the one statement that writes it
	args    []any
	isFresh bool // a creation
}

// newSave checks what is to be saved, and makes the statement that does it.
func newSave(next session.Session, events []session.Event) (*save, error) {
	stored, err := session.CheckSave(next, events)
	if err != nil {
		return nil, err
	}
	snapshot, err := next.Snapshot()
	if err != nil {
		return nil, err
	}
	var mark [16]byte
	if _, err := rand.Read(mark[:]); err != nil {
		return nil, err
	}
	w := &save{
		next: next, stored: stored, events: events,
		mark: hex.EncodeToString(mark[:]), isFresh: stored == 0,
	}
	for _, e := range events {
		if f, ok := e.Fact.(session.Linked); ok {
			w.links = append(w.links, f.Resource.ID)
		}
	}
	if err := w.build(string(snapshot)); err != nil {
		return nil, err
	}
	return w, nil
}

// arg adds an argument of the statement, and returns the parameter for it.
func (w *save) arg(value any) string {
	w.args = append(w.args, value)
	return "$" + strconv.Itoa(len(w.args))
}

// build makes the statement. Everything in it begins with the session's row,
// which is written only if the right version is there: so a conflict writes
// nothing, and is told before a resource that is taken. A resource that is taken
// makes it fail as a whole.
func (w *save) build(snapshot string) error {
	var q strings.Builder
	q.WriteString("WITH saved AS (" + w.session(snapshot) + " RETURNING id, ordinal), events AS (")
	insert, err := w.insertEvents()
	if err != nil {
		return err
	}
	q.WriteString(insert + ")")
	if len(w.links) > 0 {
		q.WriteString(`, resources AS (
			INSERT INTO sluice_resources (id, session_id)
			SELECT r.id, saved.id FROM saved, unnest(` + w.arg(w.links) + `::text[]) AS r(id))`)
	}
	if announced := (session.Change{Events: w.events}).Announcements(); len(announced) > 0 {
		q.WriteString(", announcements AS (" + w.insertAnnouncements(announced) + ")")
	}
	// The version is asked for only if it is not the right one.
	q.WriteString(`
		SELECT EXISTS (SELECT FROM saved),
			CASE WHEN EXISTS (SELECT FROM saved) THEN 0
			ELSE coalesce((SELECT version FROM sluice_sessions WHERE id = $1), 0) END`)
	w.query = q.String()
	return nil
}

// session returns the part that writes the row of the session, by a statement
// that fails for nobody who is late: that would end the host's transaction.
func (w *save) session(snapshot string) string {
	s := w.next
	id := w.arg(s.ID())
	if w.isFresh {
		return `INSERT INTO sluice_sessions (id, version, status, workspace_id, template_id,
				created_at, updated_at, snapshot, ordinal)
			VALUES (` + id + `, ` + w.arg(int64(s.Version())) + `, ` + w.arg(s.Status().String()) + `,
				` + w.arg(s.WorkspaceID()) + `, ` + w.arg(s.TemplateID()) + `,
				` + w.arg(s.CreatedAt().Unix()) + `, ` + w.arg(s.UpdatedAt().Unix()) + `,
				` + w.arg(snapshot) + `::json, pg_current_xact_id())
			ON CONFLICT (id) DO NOTHING`
	}
	return `UPDATE sluice_sessions SET version = ` + w.arg(int64(s.Version())) + `,
			status = ` + w.arg(s.Status().String()) + `, updated_at = ` + w.arg(s.UpdatedAt().Unix()) + `,
			snapshot = ` + w.arg(snapshot) + `::json,
			ordinal = greatest(ordinal, pg_current_xact_id())
		WHERE id = ` + id + ` AND version = ` + w.arg(int64(w.stored))
}

// insertEvents returns the part that adds the events.
func (w *save) insertEvents() (string, error) {
	versions, times := make([]int64, len(w.events)), make([]int64, len(w.events))
	texts := make([]string, len(w.events))
	for i, e := range w.events {
		text, err := e.MarshalJSON()
		if err != nil {
			return "", fmt.Errorf("session %s: event %d: %w", w.next.ID(), e.Version, err)
		}
		versions[i], times[i], texts[i] = int64(e.Version), e.At.Unix(), string(text)
	}
	return `INSERT INTO sluice_events (session_id, version, at, event, mark)
		SELECT saved.id, e.version, e.at, e.event::json, ` + w.arg(w.mark) + `::uuid
		FROM saved, unnest(` + w.arg(versions) + `::bigint[], ` + w.arg(times) + `::bigint[],
			` + w.arg(texts) + `::text[]) AS e(version, at, event)`, nil
}

// insertAnnouncements returns the part that fills the outbox.
func (w *save) insertAnnouncements(all []session.Announcement) string {
	versions := make([]int64, len(all))
	names, groups := make([]string, len(all)), make([]string, len(all))
	statuses, times := make([]string, len(all)), make([]string, len(all))
	for i, a := range all {
		versions[i], names[i], statuses[i] = int64(a.Version), a.Name, a.Status.String()
		if times[i] = a.At.Format(time.RFC3339Nano); a.GroupType != 0 {
			groups[i] = a.GroupType.String()
		}
	}
	return `INSERT INTO sluice_outbox (ordinal, session_id, version, name, group_type, status, at)
		SELECT saved.ordinal, saved.id, a.version, a.name, nullif(a.group_type, ''), a.status, a.at
		FROM saved, unnest(` + w.arg(versions) + `::bigint[], ` + w.arg(names) + `::text[],
			` + w.arg(groups) + `::text[], ` + w.arg(statuses) + `::text[], ` + w.arg(times) + `::text[])
			AS a(version, name, group_type, status, at)`
}

// Save implements [session.Store]. Someone who is late waits for those before him
// who were late as well, so that none is late for ever.
func (s *Store) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	w, err := newSave(next, events)
	if err != nil {
		return err
	}
	again := func(err error) bool { return undone(err) && (lost(err) || outrun(err)) }
	err = s.again.do(ctx, again, func() error { return s.write(ctx, w) })
	switch {
	case isTaken(err):
		err = w.taken(ctx, s.reads)
	case err != nil && !errors.Is(err, session.ErrConflict):
		err = w.failed(ctx, err)
	}
	s.turns.Saved(ctx, next.ID(), errors.Is(err, session.ErrConflict))
	return err
}

// write sends the statement, which is a transaction of its own. The time that it
// may take goes with it: what is set in a transaction does not stay behind.
func (s *Store) write(ctx context.Context, w *save) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return &unsentError{err}
	}
	defer conn.Release()
	if err := ctx.Err(); err != nil {
		return &unsentError{err}
	}
	var saved bool
	var version int
	if s.timeout <= 0 {
		err = conn.QueryRow(ctx, w.query, w.args...).Scan(&saved, &version)
	} else {
		b := &pgx.Batch{}
		b.Queue(`SELECT set_config('statement_timeout', $1, true)`, strconv.FormatInt(max(1, s.timeout.Milliseconds()), 10))
		b.Queue(w.query, w.args...)
		err = sendRow(ctx, conn, b, 1, &saved, &version)
	}
	if err == nil && !saved {
		err = w.conflict(version)
	}
	return err
}

// sendRow sends a batch, which is one transaction and one round trip, and reads
// the row that a statement of it gives.
func sendRow(ctx context.Context, on runner, b *pgx.Batch, at int, into ...any) error {
	n := b.Len()
	results := on.SendBatch(ctx, b)
	for i := range n {
		var err error
		if i == at {
			err = results.QueryRow().Scan(into...)
		} else {
			_, err = results.Exec()
		}
		if err != nil {
			_ = results.Close() // says the same
			return err
		}
	}
	return results.Close()
}

// conflict says which version is there in place of the one that is wanted. What
// is there is as of the beginning of the statement.
func (w *save) conflict(version int) error {
	if version == w.stored {
		return fmt.Errorf("session %s is stored in version %d no more: %w", w.next.ID(), w.stored, session.ErrConflict)
	}
	return fmt.Errorf("session %s is stored in version %d, not %d: %w",
		w.next.ID(), version, w.stored, session.ErrConflict)
}

// isTaken reports whether a save failed because of a resource.
func isTaken(err error) bool {
	var e *pgconn.PgError
	return codeOf(err) == uniqueViolation && errors.As(err, &e) && e.TableName == "sluice_resources"
}

// taken says where a resource stands that is there already.
func (w *save) taken(ctx context.Context, r reads) error {
	for _, id := range w.links {
		in, err := r.Find(ctx, id)
		if errors.Is(err, session.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("save session %s: %w", w.next.ID(), err)
		}
		if in != w.next.ID() {
			return session.Taken(id, in)
		}
	}
	return fmt.Errorf("session %s: %w: a resource is linked twice", w.next.ID(), session.ErrInvalidSave)
}

// failed gives the error of a save its type: whether it was done may not be known.
func (w *save) failed(ctx context.Context, err error) error {
	if !undone(err) {
		return w.unknown(err)
	}
	if err = explain(ctx, err); err == ctx.Err() { //nolint:errorlint // it is returned as it is
		return err
	}
	return fmt.Errorf("save session %s: %w", w.next.ID(), err)
}

// unknown is the error of a save of which nobody knows whether it was done.
func (w *save) unknown(err error) *session.OutcomeError {
	return &session.OutcomeError{SessionID: w.next.ID(), Version: w.next.Version(), Mark: w.mark, Err: err}
}
