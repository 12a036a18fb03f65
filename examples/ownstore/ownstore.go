// Package ownstore is a session.Store that a host wrote itself, over the
// embedded database bbolt: a model for one over another database.
//
// What is a table elsewhere is a bucket here, and a unique index a bucket whose
// keys are what must be unique. Each Save is one transaction, and bbolt writes
// one at a time; where several write at once, unique indexes have to keep two
// from taking the same version, or the same resource.
package ownstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/sluicego/sluice/session"
)

// The buckets.
var (
	sessions  = []byte("sluice.sessions")  // id -> snapshot
	histories = []byte("sluice.histories") // id -> bucket of version -> event
	resources = []byte("sluice.resources") // resource id -> id of its session
)

// Store keeps sessions in a database. It is a [session.Finder] and a
// [session.History] too.
type Store struct{ db *bolt.DB }

// New makes the buckets of a Store in a database, unless they are there. The
// database stays the host's: to keep other things in, and to close.
func New(db *bolt.DB) (*Store, error) {
	return &Store{db}, db.Update(func(tx *bolt.Tx) (err error) {
		for _, name := range [][]byte{sessions, histories, resources} {
			_, failed := tx.CreateBucketIfNotExists(name)
			err = errors.Join(err, failed)
		}
		return err
	})
}

// Load implements [session.Store].
func (s *Store) Load(ctx context.Context, id string) (loaded session.Session, err error) {
	err = during(ctx, s.db.View, func(tx *bolt.Tx) error {
		text := tx.Bucket(sessions).Get([]byte(id))
		if text == nil {
			return fmt.Errorf("session %s: %w", id, session.ErrNotFound)
		}
		if loaded, err = session.FromSnapshot(text); err != nil {
			return fmt.Errorf("session %s: %w: %w", id, session.ErrCorrupt, err)
		}
		return nil
	})
	return loaded, err
}

// Save implements [session.Store]. Whatever goes wrong undoes all of it.
func (s *Store) Save(ctx context.Context, next session.Session, events []session.Event) error {
	from, err := session.CheckSave(next, events)
	if err != nil {
		return err
	}
	snapshot, err := next.Snapshot()
	if err != nil {
		return err
	}
	return during(ctx, s.db.Update, func(tx *bolt.Tx) error {
		history, err := tx.Bucket(histories).CreateBucketIfNotExists([]byte(next.ID()))
		if err != nil {
			return err
		}
		// The events are there without a gap, so two of them tell the version.
		if history.Get(key(from+1)) != nil || from > 0 && history.Get(key(from)) == nil {
			return fmt.Errorf("session %s is not in version %d: %w", next.ID(), from, session.ErrConflict)
		}
		for _, e := range events {
			if err := put(tx, history, e); err != nil {
				return err
			}
		}
		return tx.Bucket(sessions).Put([]byte(next.ID()), snapshot)
	})
}

// put keeps an event in the history of its session and, if it links a resource,
// where that stands, unless it stands in another session (ATT-12).
func put(tx *bolt.Tx, history *bolt.Bucket, e session.Event) error {
	if link, ok := e.Fact.(session.Linked); ok {
		resource := []byte(link.Resource.ID)
		in := tx.Bucket(resources).Get(resource)
		if in != nil && string(in) != e.SessionID {
			return session.Taken(link.Resource.ID, string(in))
		}
		if err := tx.Bucket(resources).Put(resource, []byte(e.SessionID)); err != nil {
			return err
		}
	}
	text, err := json.Marshal(e)
	return errors.Join(err, history.Put(key(e.Version), text))
}

// Find implements [session.Finder].
func (s *Store) Find(ctx context.Context, resourceID string) (sessionID string, err error) {
	err = during(ctx, s.db.View, func(tx *bolt.Tx) error {
		if sessionID = string(tx.Bucket(resources).Get([]byte(resourceID))); sessionID == "" {
			return fmt.Errorf("resource %s: %w", resourceID, session.ErrNotFound)
		}
		return nil
	})
	return sessionID, err
}

// History implements [session.History].
func (s *Store) History(ctx context.Context, id string, after int) (events []session.Event, err error) {
	err = during(ctx, s.db.View, func(tx *bolt.Tx) error {
		history := tx.Bucket(histories).Bucket([]byte(id))
		if history == nil {
			return fmt.Errorf("session %s: %w", id, session.ErrNotFound)
		}
		for v := max(after, 0) + 1; ; v++ {
			text := history.Get(key(v))
			if text == nil {
				return nil
			}
			e, err := session.ReadEvent(id, v, text)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
	})
	return events, err
}

// key is a version as a key. Keys sort as versions do, so that events stand in order.
func key(version int) []byte { return fmt.Appendf(nil, "%010d", version) }

// during runs f in a transaction that reads or writes. A transaction that had to
// wait for others may begin when the context is done.
func during(ctx context.Context, transaction func(func(*bolt.Tx) error) error, f func(*bolt.Tx) error) error {
	return transaction(func(tx *bolt.Tx) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f(tx)
	})
}
