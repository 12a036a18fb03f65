package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
)

// OutcomeError says that a connection was lost while a Save was under way: the
// session may have been saved or not. [Update] finds out; whoever calls Save
// itself asks a [Confirmer], and must not apply the command again before that.
type OutcomeError struct {
	SessionID string
	Version   int    // that the session has if it was saved
	Mark      string // by which the Store knows this save from every other
	Err       error  // what was lost, and how
}

// Error says which save it was.
func (e *OutcomeError) Error() string {
	return fmt.Sprintf("session: whether version %d of session %s was saved is not known: %v", e.Version, e.SessionID, e.Err)
}

// Unwrap returns ErrUnknownOutcome and Err.
func (e *OutcomeError) Unwrap() []error { return []error{ErrUnknownOutcome, e.Err} }

// Confirmer is a Store that can tell later what became of a Save whose outcome
// was not known. A Store that returns an [*OutcomeError] is one.
type Confirmer interface {
	// Confirm reports whether the save was done. A save that was not done may
	// still be under way in the database and be done later, but only as long
	// as nobody saves another version of the session: who saves next and meets
	// ErrConflict asks again.
	Confirm(ctx context.Context, unknown *OutcomeError) (saved bool, err error)
}

// maxTries bounds the loop of Update: so many others have to be faster.
const maxTries = 16

// Update loads a session, applies a command and saves what it led to. When
// somebody else saves first it begins again, with 16 tries at most; then it
// returns ErrConflict. On every error it returns the session as it was loaded.
//
// Where the outcome of a save is not known and the Store is a [Confirmer],
// Update finds out, so that the command is applied once. If it cannot, the error
// joins the [*OutcomeError] of every save that may have been done or may still
// be, of which one at most is; with any other error the command was not applied.
//
// For a [Create] there is nothing to load; if there is, it is refused with
// ErrExists. A Create of another session is refused, and so is a Store that
// returns another session than it was asked for.
func Update(ctx context.Context, store Store, id string, c Command, now time.Time) (Session, Change, error) {
	if create, ok := c.(Create); ok && create.ID != id {
		return Session{}, Change{}, create.refuse("SES-11", action.ErrInvalidID,
			fmt.Sprintf("it is an update of session %q", id))
	}
	u := update{store: store, id: id, command: c, now: now}
	if done, err := u.run(ctx); !done {
		return u.loaded, Change{}, u.failed(err)
	}
	return u.next, u.change, nil
}

// update is one command on its way into a Store.
type update struct {
	store   Store
	id      string
	command Command
	now     time.Time

	loaded, next Session
	change       Change
	pending      []attempted // saves that may have been done or may still be
	conflict     error       // of the last save that was too late
}

// attempted is a save whose outcome is not known, and what it would have led to.
type attempted struct {
	err     error // that tells so
	unknown *OutcomeError
	from    int // version
	next    Session
	change  Change
}

// run tries until the command is applied and saved, which it reports, or until
// there is an error, which may be nil if saves are pending.
func (u *update) run(ctx context.Context) (done bool, err error) {
	for range maxTries {
		if done, err := u.try(ctx); done || err != nil {
			return done, err
		}
	}
	// What the last save met may have been one of its own.
	if len(u.pending) > 0 {
		if done, err := u.look(ctx); done || err != nil || len(u.pending) > 0 {
			return done, err
		}
	}
	if u.conflict == nil {
		u.conflict = u.notSaved(ErrConflict)
	}
	return false, u.conflict
}

// try makes one try. It reports whether the command was applied and saved; if
// not, and without an error, there is reason to try again.
func (u *update) try(ctx context.Context) (done bool, err error) {
	if done, err := u.look(ctx); done || err != nil {
		return done, err
	}
	u.next, u.change, err = Apply(u.loaded, u.command, u.now)
	if err != nil || len(u.change.Events) == 0 {
		return err == nil, err
	}
	err = u.store.Save(ctx, u.next, u.change.Events)
	var unknown *OutcomeError
	_, canConfirm := u.store.(Confirmer)
	switch isUnknown := errors.As(err, &unknown); {
	case err == nil:
		return true, nil
	case isUnknown && canConfirm:
		u.pending = append(u.pending, attempted{err, unknown, u.loaded.version, u.next, u.change})
		return false, nil
	case !isUnknown && errors.Is(err, ErrConflict):
		u.conflict = u.notSaved(err)
		return false, nil
	default:
		return false, u.notSaved(err)
	}
}

// look loads the session and asks what came of earlier tries. It reports
// whether one of them was done; then next and change are those of that one.
//
// The order matters. A save that is done after the session was loaded, even
// after it was asked for, leaves what is built on that session too late. Asked
// for before, it could be loaded as if somebody else had made it.
func (u *update) look(ctx context.Context) (done bool, err error) {
	if u.loaded, err = u.load(ctx); err != nil {
		return false, err
	}
	var open []attempted
	for _, p := range u.pending {
		c, _ := u.store.(Confirmer) // try has seen that it is one
		saved, err := c.Confirm(ctx, p.unknown)
		switch {
		case err != nil:
			return false, err
		case saved:
			u.next, u.change = p.next, p.change
			return true, nil
		case p.from >= u.loaded.version: // else it can be done no more
			open = append(open, p)
		}
	}
	u.pending = open
	return false, nil
}

// load loads the session; before a creation there is none.
func (u *update) load(ctx context.Context) (Session, error) {
	s, err := load(ctx, u.store, u.id)
	if _, isCreate := u.command.(Create); isCreate && errors.Is(err, ErrNotFound) {
		return Session{}, nil
	}
	return s, err
}

// notSaved is the error of a save.
func (u *update) notSaved(err error) error {
	return fmt.Errorf("save session %s: %w", u.id, err)
}

// failed is the error of an update that ended with another one, which may be
// nil if saves are pending.
func (u *update) failed(err error) error {
	if len(u.pending) == 0 {
		return err
	}
	var all []error
	for _, p := range u.pending {
		all = append(all, p.err)
	}
	return u.notSaved(errors.Join(append(all, err)...))
}
