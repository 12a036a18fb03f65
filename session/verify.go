package session

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Archive is a Store that gives everything it keeps in one sweep, so that all
// of it can be verified in bounded memory.
type Archive interface {
	// Sweep yields every session with its events, in any order. A record that
	// is damaged comes with a [*CorruptError] and what could be read, and the
	// sweep goes on; any other error ends it. Each record is as of one moment;
	// sessions that are created meanwhile may be missing.
	Sweep(ctx context.Context) iter.Seq2[Record, error]
}

// Record is a session with its events.
type Record struct {
	ID      string
	Session Session
	Events  []Event // all of them, in order
}

// Verify replays the events and compares the outcome with the session. It
// returns nil if they agree, else a [*HistoryError].
func (r Record) Verify() error {
	s := r.Session
	switch {
	case s.id != r.ID:
		return &HistoryError{r.ID, s.version, fmt.Sprintf("stored is %s", s), nil}
	case len(r.Events) < s.version:
		return &HistoryError{r.ID, r.missing(), "it is missing", nil}
	case len(r.Events) > s.version:
		return &HistoryError{r.ID, s.version + 1, fmt.Sprintf("it is there, but stored is %s", s), nil}
	}
	replayed, err := Replay(r.Events)
	if err != nil {
		return err
	}
	if !replayed.Equal(s) {
		return &HistoryError{r.ID, s.version, fmt.Sprintf("the events lead to %s, but stored is %s", replayed, s), nil}
	}
	return nil
}

// missing returns the version of the first event that is not there.
func (r Record) missing() int {
	for i, e := range r.Events {
		if e.Version != i+1 {
			return i + 1
		}
	}
	return len(r.Events) + 1
}

// Verify replays the events of a session and compares the outcome with what is
// stored. It returns nil if they agree, a [*HistoryError] if they do not, and
// ErrUnsupported if the Store is no [History]. What a Store keeps besides, such as
// an index of resources, [VerifyAll] looks at.
func Verify(ctx context.Context, store Store, id string) error {
	h, ok := store.(History)
	if !ok {
		return fmt.Errorf("verify session %s: %w: %T is no session.History", id, ErrUnsupported, store)
	}
	// The session first: events of saves in between are then left over.
	s, err := load(ctx, store, id)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	events, err := h.History(ctx, id, 0)
	if err != nil {
		return fmt.Errorf("verify session %s: %w", id, err)
	}
	return Record{ID: id, Session: s, Events: events[:min(len(events), s.version)]}.Verify()
}

// VerifyAll verifies every session of a Store, one at a time, and reports those
// that are damaged or do not agree with their events. It returns how many it
// looked at, and ErrUnsupported if the Store is no [Archive]. report may be
// called many times; its error ends the sweep and is returned.
func VerifyAll(ctx context.Context, store Store, report func(id string, err error) error) (int, error) {
	a, ok := store.(Archive)
	if !ok {
		return 0, fmt.Errorf("verify all sessions: %w: %T is no session.Archive", ErrUnsupported, store)
	}
	n := 0
	for r, err := range a.Sweep(ctx) {
		if err != nil && !errors.Is(err, ErrCorrupt) {
			return n, fmt.Errorf("verify all sessions: %w", err)
		}
		n++
		if err == nil {
			err = r.Verify()
		}
		if err == nil {
			continue
		}
		if err := report(r.ID, err); err != nil {
			return n, err
		}
	}
	return n, nil
}
