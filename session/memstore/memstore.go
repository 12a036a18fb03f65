// Package memstore keeps sessions in memory: the reference for what a
// [session.Store] does, and a store for tests and small tools.
//
// Sessions are values that never change, and so the store hands out what it
// keeps without copying it.
package memstore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/sluicego/sluice/session"
)

// Store keeps sessions in memory. It has every optional ability that makes sense
// there: it is a [session.Finder], a [session.Lister], a [session.History], a
// [session.Archive] and a [session.Outbox]. The zero Store is empty and ready; it
// must not be copied.
//
// What its saves announce it keeps as well, until it is acknowledged.
type Store struct {
	mu        sync.RWMutex
	sessions  map[string]record
	resources map[string]string  // resource id -> session id
	order     []session.Position // of every session, as List orders them
	outbox    []entry            // by position
	position  int                // of the last entry that was made
}

// record is a session with its history.
type record struct {
	session session.Session
	events  []session.Event // never written to; only appended
}

// Load implements [session.Store].
func (m *Store) Load(ctx context.Context, id string) (session.Session, error) {
	if err := ctx.Err(); err != nil {
		return session.Session{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	r, ok := m.sessions[id]
	if !ok {
		return session.Session{}, fmt.Errorf("session %s: %w", id, session.ErrNotFound)
	}
	return r.session, nil
}

// Save implements [session.Store].
func (m *Store) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	from, err := session.CheckSave(next, events)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.sessions[next.ID()]
	if stored := r.session.Version(); stored != from {
		return fmt.Errorf("session %s is stored in version %d, not %d: %w",
			next.ID(), stored, from, session.ErrConflict)
	}
	for id := range links(events) {
		if in, taken := m.resources[id]; taken && in != next.ID() {
			return session.Taken(id, in)
		}
	}
	r.session, r.events = next, append(r.events, events...)
	m.keep(next.ID(), r, events)
	m.announce(events)
	return nil
}

// keep writes what Save has found in order. It looks at the new events alone,
// so that no save costs more than another.
func (m *Store) keep(id string, r record, events []session.Event) {
	if m.sessions == nil {
		m.sessions, m.resources = map[string]record{}, map[string]string{}
	}
	if _, known := m.sessions[id]; !known {
		p := session.PositionOf(r.session)
		i, _ := slices.BinarySearchFunc(m.order, p, session.Position.Compare)
		m.order = slices.Insert(m.order, i, p)
	}
	m.sessions[id] = r
	for resource := range links(events) {
		m.resources[resource] = id
	}
}

// links yields the resources that events link.
func links(events []session.Event) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, e := range events {
			if f, ok := e.Fact.(session.Linked); ok && !yield(f.Resource.ID) {
				return
			}
		}
	}
}

// Find implements [session.Finder].
func (m *Store) Find(ctx context.Context, resourceID string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	id, ok := m.resources[resourceID]
	if !ok {
		return "", fmt.Errorf("resource %s: %w", resourceID, session.ErrNotFound)
	}
	return id, nil
}

// List implements [session.Lister].
func (m *Store) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	if err := ctx.Err(); err != nil {
		return session.Page[session.Session]{}, err
	}
	after, limit, err := q.Start()
	if err != nil {
		return session.Page[session.Session]{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	start, found := slices.BinarySearchFunc(m.order, after, session.Position.Compare)
	if found {
		start++
	}
	var page session.Page[session.Session]
	for _, p := range m.order[start:] {
		s := m.sessions[p.ID].session
		switch {
		case !q.Matches(s):
		case len(page.Items) == limit:
			page.NextCursor = session.PositionOf(page.Items[limit-1]).Cursor()
			return page, nil
		default:
			page.Items = append(page.Items, s)
		}
	}
	return page, nil
}

// History implements [session.History].
func (m *Store) History(ctx context.Context, id string, after int) ([]session.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	r, ok := m.sessions[id]
	if !ok {
		return nil, fmt.Errorf("session %s: %w", id, session.ErrNotFound)
	}
	return slices.Clone(r.events[min(max(after, 0), len(r.events)):]), nil
}
