package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/session"
)

// The statements that write a session.
const (
	insertSession = `
		INSERT INTO sluice_sessions
			(id, version, status, workspace_id, template_id, created_at, updated_at, snapshot)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT (id) DO NOTHING`
	updateSession = `
		UPDATE sluice_sessions SET version = ?3, status = ?4, updated_at = ?5, snapshot = ?6
		WHERE id = ?1 AND version = ?2`
	insertEvent = `
		INSERT INTO sluice_events (session_id, version, at, event, mark) VALUES (?1, ?2, ?3, ?4, ?5)`
	insertResource = `
		INSERT INTO sluice_resources (id, session_id) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING`
	insertAnnouncement = `
		INSERT INTO sluice_outbox (session_id, version, name, group_type, status, at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6)`
)

// statements are those that write a session, prepared for the writer.
type statements map[string]*sql.Stmt

// prepareStatements prepares them. They are closed with the connection.
func prepareStatements(ctx context.Context, db *sql.DB) (statements, error) {
	prepared := statements{}
	for _, query := range []string{insertSession, updateSession, insertEvent, insertResource, insertAnnouncement} {
		stmt, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // closed with the pool
		if err != nil {
			return nil, err
		}
		prepared[query] = stmt
	}
	return prepared, nil
}

// Save implements [session.Store].
func (s *Store) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	w, err := newSave(next, events)
	if err != nil {
		return err
	}
	err = s.write(ctx, w)
	s.turns.Saved(ctx, next.ID(), errors.Is(err, session.ErrConflict))
	return err
}

// write is one transaction on the writer.
func (s *Store) write(ctx context.Context, w *save) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return w.failed(ctx, "begin", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	// From here on the context is asked once more, before the commit: a statement
	// that is interrupted leaves more to think about than one that ends by itself.
	working := context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(working, nil)
	if err != nil {
		return w.failed(ctx, "begin", err)
	}
	if err = w.write(working, tx, s.statements); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		// If that fails, the connection is not used again.
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return w.uncommitted(working, err)
	}
	return nil
}

// save is all that one Save writes. It is made before the writer is taken, which
// others wait for.
type save struct {
	next     session.Session
	stored   int // the version that must be there
	snapshot string
	events   []session.Event
	texts    []string // of the events
	mark     [16]byte // by which this save is known from every other
}

// newSave checks what is to be saved, and gives it the form in which it is kept.
func newSave(next session.Session, events []session.Event) (*save, error) {
	stored, err := session.CheckSave(next, events)
	if err != nil {
		return nil, err
	}
	snapshot, err := next.Snapshot()
	if err != nil {
		return nil, err
	}
	w := &save{
		next: next, stored: stored, snapshot: string(snapshot),
		events: events, texts: make([]string, len(events)),
	}
	for i, e := range events {
		text, err := e.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("session %s: event %d: %w", next.ID(), e.Version, err)
		}
		w.texts[i] = string(text)
	}
	_, err = rand.Read(w.mark[:])
	return w, err
}

// write writes it in a transaction, of which nothing may be kept if it fails.
func (w *save) write(ctx context.Context, tx *sql.Tx, prepared statements) error {
	exec := func(query string, args ...any) (int64, error) {
		result, err := tx.StmtContext(ctx, prepared[query]).ExecContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	if n, err := w.writeSession(exec); err != nil {
		return w.failed(ctx, "write the snapshot", err)
	} else if n == 0 {
		return w.conflict(ctx, tx)
	}
	for i, e := range w.events {
		if _, err := exec(insertEvent, e.SessionID, e.Version, e.At.Unix(), w.texts[i], w.mark[:]); err != nil {
			return w.failed(ctx, fmt.Sprintf("write event %d", e.Version), err)
		}
		if f, ok := e.Fact.(session.Linked); ok {
			if n, err := exec(insertResource, f.Resource.ID, e.SessionID); err != nil {
				return w.failed(ctx, "write resource "+f.Resource.ID, err)
			} else if n == 0 {
				return w.taken(ctx, tx)
			}
		}
	}
	for _, a := range (session.Change{Events: w.events}).Announcements() {
		groupType := sql.NullString{String: a.GroupType.String(), Valid: a.GroupType != 0}
		_, err := exec(insertAnnouncement,
			a.SessionID, a.Version, a.Name, groupType, a.Status.String(), a.At.Format(time.RFC3339Nano))
		if err != nil {
			return w.failed(ctx, "announce "+a.Name, err)
		}
	}
	return nil
}

// writeSession writes the row of the session if the right version is there, and
// reports how many rows that were.
func (w *save) writeSession(exec func(query string, args ...any) (int64, error)) (int64, error) {
	s := w.next
	if w.stored == 0 {
		return exec(insertSession, s.ID(), s.Version(), s.Status().String(), s.WorkspaceID(), s.TemplateID(),
			s.CreatedAt().Unix(), s.UpdatedAt().Unix(), w.snapshot)
	}
	return exec(updateSession, s.ID(), w.stored, s.Version(), s.Status().String(), s.UpdatedAt().Unix(), w.snapshot)
}

// conflict says which version is there in place of the one that is wanted.
func (w *save) conflict(ctx context.Context, on runner) error {
	version := 0
	err := on.QueryRowContext(ctx, `SELECT version FROM sluice_sessions WHERE id = ?1`, w.next.ID()).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return w.failed(ctx, "read the version", err)
	}
	return fmt.Errorf("session %s is stored in version %d, not %d: %w",
		w.next.ID(), version, w.stored, session.ErrConflict)
}

// taken says where a resource stands that is there already.
func (w *save) taken(ctx context.Context, on runner) error {
	for _, e := range w.events {
		f, ok := e.Fact.(session.Linked)
		if !ok {
			continue
		}
		in, err := reads{on}.Find(ctx, f.Resource.ID)
		switch {
		case errors.Is(err, session.ErrNotFound): // it would have come later
		case err != nil:
			return w.failed(ctx, "find resource "+f.Resource.ID, err)
		case in != w.next.ID():
			return session.Taken(f.Resource.ID, in)
		}
	}
	return fmt.Errorf("session %s: %w: a resource is linked twice", w.next.ID(), session.ErrInvalidSave)
}

// failed says what could not be done.
func (w *save) failed(ctx context.Context, what string, err error) error {
	return fmt.Errorf("session %s: %s: %w", w.next.ID(), what, explain(ctx, err))
}

// uncommitted says what a COMMIT that failed means.
func (w *save) uncommitted(ctx context.Context, err error) error {
	if undone(ctx, err) {
		return w.failed(ctx, "commit", err)
	}
	return w.unknown(err)
}

// unknown is the error of a save of which nobody knows whether it was done.
func (w *save) unknown(err error) *session.OutcomeError {
	return &session.OutcomeError{
		SessionID: w.next.ID(), Version: w.next.Version(), Mark: hex.EncodeToString(w.mark[:]), Err: err,
	}
}

// Confirm implements [session.Confirmer]: it looks for the mark of the save.
func (s *Store) Confirm(ctx context.Context, unknown *session.OutcomeError) (saved bool, err error) {
	if err := s.outside(ctx); err != nil {
		return false, err
	}
	mark, err := hex.DecodeString(unknown.Mark)
	if err != nil || len(mark) != 16 {
		return false, fmt.Errorf("session %s: %q is no mark of this store", unknown.SessionID, unknown.Mark)
	}
	// The writer is asked: nothing that it did is under way any more when it
	// answers.
	err = s.writer.QueryRowContext(ctx,
		`SELECT EXISTS (SELECT 1 FROM sluice_events WHERE session_id = ?1 AND version = ?2 AND mark = ?3)`,
		unknown.SessionID, unknown.Version, mark).Scan(&saved)
	if err != nil {
		return false, fmt.Errorf("session %s: look for the mark: %w", unknown.SessionID, explain(ctx, err))
	}
	return saved, nil
}
