package session_test

import (
	"context"
	"errors"
	"time"

	"github.com/sluicego/sluice/session"
)

// twin is Update once more, in one function and with a fault if one is asked
// for.
type twin struct {
	asksFirst, forgets, trusts               bool
	hidesByLoad, hidesBySave, hidesByConfirm bool
	endsEarly, namesLast, keepsOpen, mixes   bool
}

// open is a save whose outcome the twin does not know.
type open struct {
	unknown *session.OutcomeError
	from    int
	next    session.Session
	change  session.Change
}

// ask returns the first of several saves that was done, if one was.
func ask(ctx context.Context, store session.Store, all []open) (*open, error) {
	for _, o := range all {
		c, ok := store.(session.Confirmer)
		if !ok {
			return nil, errors.New("it cannot be asked")
		}
		if saved, err := c.Confirm(ctx, o.unknown); saved || err != nil {
			return &o, err
		}
	}
	return nil, nil
}

// join returns an error beside what is open.
func (w twin) join(all []open, err error) error {
	if w.namesLast && len(all) > 1 {
		all = all[len(all)-1:]
	}
	for _, o := range all {
		err = errors.Join(err, o.unknown)
	}
	return err
}

func (w twin) update(
	ctx context.Context, store session.Store, id string, c session.Command, now time.Time,
) (session.Session, session.Change, error) {
	var none session.Change
	var all []open
	var conflict error
	for try := 1; ; try++ {
		var found *open
		var asked error
		if w.asksFirst {
			found, asked = ask(ctx, store, all)
		}
		s, err := store.Load(ctx, id)
		if _, isCreate := c.(session.Create); isCreate && errors.Is(err, session.ErrNotFound) {
			err = nil
		}
		if err != nil {
			if w.hidesByLoad {
				all = nil
			}
			return session.Session{}, none, w.join(all, err)
		}
		if !w.asksFirst {
			found, asked = ask(ctx, store, all)
		}
		switch {
		case asked != nil && w.hidesByConfirm:
			return s, none, asked
		case asked != nil:
			return s, none, w.join(all, asked)
		case found != nil && w.mixes:
			next, change, _ := session.Apply(s, c, now)
			return next, change, nil
		case found != nil:
			return found.next, found.change, nil
		}
		var still []open
		for _, o := range all {
			if o.from >= s.Version() || w.keepsOpen {
				still = append(still, o)
			}
		}
		if all = still; try == 17 {
			if len(all) > 0 {
				conflict = nil
			} else if conflict == nil {
				conflict = session.ErrConflict
			}
			return s, none, w.join(all, conflict)
		}
		next, change, err := session.Apply(s, c, now)
		if err != nil {
			return s, none, w.join(all, err)
		}
		if len(change.Events) == 0 {
			return s, change, nil
		}
		err = store.Save(ctx, next, change.Events)
		var unknown *session.OutcomeError
		switch {
		case err == nil, errors.As(err, &unknown) && w.trusts:
			return next, change, nil
		case errors.As(err, &unknown) && w.forgets:
		case errors.As(err, &unknown):
			all = append(all, open{unknown, s.Version(), next, change})
		case errors.Is(err, session.ErrConflict):
			if conflict = err; try == 16 && (w.endsEarly || len(all) == 0) {
				return s, none, conflict
			}
		default:
			if w.hidesBySave {
				all = nil
			}
			return s, none, w.join(all, err)
		}
	}
}
