package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sluicego/sluice/session"
)

// InTx runs a function in one transaction: what it does with tx, the host's own
// rows and a job of its queue, and with the store, is kept together or not at
// all. It is kept if the function returns nil; otherwise its error is returned as
// it is.
//
// Within the function the Store itself saves nothing, as it would wait for the end
// of this transaction for ever: with the context that the function is given, Save,
// InTx, Claim, Acknowledge and Confirm return ErrInTx.
//
// Where it is not known whether the transaction was committed, the error has a
// [*session.OutcomeError] for each save that was in it: see [Joined.Outcome].
func (s *Store) InTx(ctx context.Context, do func(ctx context.Context, tx *sql.Tx, store *Joined) error) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", explain(ctx, err))
	}
	// After a commit that is nothing; after a panic it is needed.
	defer tx.Rollback() //nolint:errcheck // the error of do tells more
	joined := s.Join(tx)
	if err := do(context.WithValue(ctx, inTx{s}, true), tx, joined); err != nil {
		return err
	}
	if joined.rolledBack() {
		return ErrRolledBack
	}
	if err := tx.Commit(); err != nil {
		return joined.outcome(ctx, err)
	}
	return nil
}

// inTx is what a context has within InTx of a Store.
type inTx struct{ store *Store }

// outside returns an error within InTx, and that of the context.
func (s *Store) outside(ctx context.Context) error {
	if ctx.Value(inTx{s}) != nil {
		return ErrInTx
	}
	return ctx.Err()
}

// Join binds to a transaction that the host began on [Store.Writer], and ends.
// What is saved is kept if the host commits. If a save is refused, by a conflict
// or because a resource is taken, nothing of it is left and the transaction can
// go on.
func (s *Store) Join(tx *sql.Tx) *Joined {
	return &Joined{reads: reads{tx}, store: s, tx: tx}
}

// Joined is a Store within a transaction: see [Store.InTx] and [Store.Join]. It is
// a [session.Store], [session.Finder], [session.Lister], [session.History] and
// [session.Outbox], and sees what the transaction has done so far. It ends with
// the transaction; like that, it is for one goroutine at a time.
type Joined struct {
	reads
	store *Store
	tx    *sql.Tx

	mu    sync.Mutex
	saved []*save
	lost  bool
}

// Save implements [session.Store]. It returns ErrRolledBack, besides the reason,
// where SQLite has ended the whole transaction; the host has then to give up.
func (j *Joined) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, err := newSave(next, events)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost {
		return fmt.Errorf("session %s: %w", next.ID(), ErrRolledBack)
	}
	// A statement that is interrupted would end the transaction of the host.
	ctx = context.WithoutCancel(ctx)
	if _, err := j.tx.ExecContext(ctx, "SAVEPOINT sluice"); err != nil {
		return w.failed(ctx, "set a savepoint", err)
	}
	if err := w.write(ctx, j.tx, j.store.statements); err != nil {
		return errors.Join(err, j.undo(ctx))
	}
	if _, err := j.tx.ExecContext(ctx, "RELEASE sluice"); err != nil {
		return errors.Join(w.failed(ctx, "release the savepoint", err), j.undo(ctx))
	}
	j.saved = append(j.saved, w)
	return nil
}

// undo goes back to the savepoint. Where that is gone, SQLite has rolled back the
// whole transaction, and what the host would do from now on would be kept
// statement by statement: it is made to fail.
func (j *Joined) undo(ctx context.Context) error {
	_, err := j.tx.ExecContext(ctx, "ROLLBACK TO sluice")
	if err == nil {
		_, err = j.tx.ExecContext(ctx, "RELEASE sluice")
	}
	if err == nil {
		return nil
	}
	j.lost = true
	_ = j.tx.Rollback()
	return ErrRolledBack
}

func (j *Joined) rolledBack() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lost
}

// Outcome says what an error of the host's Commit means for what was saved in the
// transaction. If it is certain that nothing was kept, it returns the error with
// its type; if not, with a [*session.OutcomeError] for each save, which
// [Store.Confirm] answers. They were all kept or none.
func (j *Joined) Outcome(err error) error {
	if err == nil {
		return nil
	}
	return j.outcome(context.Background(), err)
}

func (j *Joined) outcome(ctx context.Context, err error) error {
	if undone(ctx, err) {
		return fmt.Errorf("commit: %w", explain(ctx, err))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.saved) == 0 {
		return fmt.Errorf("commit: %w: %w", session.ErrUnknownOutcome, err)
	}
	var unknown []error
	for _, w := range j.saved {
		unknown = append(unknown, w.unknown(err))
	}
	return errors.Join(unknown...)
}

// Claim implements [session.Outbox]. The entries are held if the host commits.
func (j *Joined) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return claim(context.WithoutCancel(ctx), j.tx, limit, now, lease)
}

// Acknowledge implements [session.Outbox]. The entries are removed if the host
// commits.
func (j *Joined) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return acknowledge(context.WithoutCancel(ctx), j.tx, entries)
}
