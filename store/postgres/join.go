package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluicego/sluice/session"
)

// InTx runs a function in one transaction: what it does with tx, the host's own
// rows and a job of its queue, and with the store, is kept together or not at
// all. It is kept if the function returns nil; otherwise its error is returned as
// it is.
//
// Within the function the Store itself saves nothing, as that would be kept
// whatever becomes of this transaction, or wait for its end for ever: with the
// context that the function is given, Save, InTx, Claim and Acknowledge return
// ErrInTx.
//
// Where it is not known whether the transaction was committed, the error has a
// [*session.OutcomeError] for each save that was in it: see [Joined.Outcome].
// Transactions are not tried again: what else the function did is the host's.
func (s *Store) InTx(ctx context.Context, do func(ctx context.Context, tx pgx.Tx, store *Joined) error) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	var tx pgx.Tx
	err := s.again.do(ctx, lost, func() (err error) {
		tx, err = s.pool.Begin(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin: %w", explain(ctx, err))
	}
	// After a commit that is nothing; after a panic it is needed.
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // the error of do tells more
	joined := s.Join(tx)
	if err := do(context.WithValue(ctx, inTx{s}, true), tx, joined); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if tx.Conn().IsClosed() {
		return fmt.Errorf("commit: %w: the connection was lost before", ErrUnavailable)
	}
	return joined.outcome(ctx, tx.Commit(ctx))
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

// Join binds to a transaction that the host began, on [Store.Pool] or any other
// connection to the same database, and ends. What is saved is kept if the host
// commits. If a save is refused, by a conflict or because a resource is taken,
// nothing of it is left and the transaction can go on.
//
// Under the isolation level repeatable read or above, a save that meets one that
// was committed since the transaction began fails with ErrBusy: then the host has
// to run the whole transaction again, as for its own statements.
func (s *Store) Join(tx pgx.Tx) *Joined {
	return &Joined{reads: reads{on: tx}, tx: tx}
}

// Joined is a Store within a transaction: see [Store.InTx] and [Store.Join]. It is
// a [session.Store], [session.Finder], [session.Lister], [session.History] and
// [session.Outbox], and sees what the transaction has done so far. It ends with
// the transaction; like that, it is for one goroutine at a time.
type Joined struct {
	reads
	tx pgx.Tx

	mu    sync.Mutex
	saved []*save
}

// Save implements [session.Store]. It takes one round trip, and another one to
// undo what was refused.
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
	b := &pgx.Batch{}
	b.Queue("SAVEPOINT sluice")
	b.Queue(w.query, w.args...)
	b.Queue("RELEASE sluice")
	var saved bool
	var version int
	err = sendRow(ctx, j.tx, b, 1, &saved, &version)
	switch {
	case err == nil && saved:
		j.saved = append(j.saved, w)
		return nil
	case err == nil:
		return w.conflict(version)
	}
	if undo := j.undo(ctx); undo != nil {
		return errors.Join(w.refused(ctx, err), undo)
	}
	if isTaken(err) {
		return w.taken(ctx, j.reads)
	}
	return w.refused(ctx, err)
}

// undo goes back to the savepoint, also when the context is done: the
// transaction is the host's, and it may want to go on.
func (j *Joined) undo(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	b := &pgx.Batch{}
	b.Queue("ROLLBACK TO sluice")
	b.Queue("RELEASE sluice")
	if err := j.tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("roll back to the savepoint: %w", explain(ctx, err))
	}
	return nil
}

// refused gives the error of a save in the host's transaction its type. Nothing
// of it is kept unless the host commits, which it cannot.
func (w *save) refused(ctx context.Context, err error) error {
	if err = explain(ctx, err); err == ctx.Err() { //nolint:errorlint // it is returned as it is
		return err
	}
	return fmt.Errorf("save session %s: %w", w.next.ID(), err)
}

// Outcome says what an error of the host's Commit means for what was saved in the
// transaction. If it is certain that nothing was kept, it returns the error with
// its type; if not, with a [*session.OutcomeError] for each save, which
// [Store.Confirm] answers. They were all kept or none.
func (j *Joined) Outcome(err error) error {
	return j.outcome(context.Background(), err)
}

func (j *Joined) outcome(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if undone(err) {
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

// Claim implements [session.Outbox]. The entries are held if the host commits;
// until then nobody else gets them.
func (j *Joined) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	return claim(ctx, j.reads, limit, now, lease)
}

// Acknowledge implements [session.Outbox]. The entries are removed if the host
// commits.
func (j *Joined) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	return acknowledge(ctx, j.reads, entries)
}
