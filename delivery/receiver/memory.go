package receiver

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is an [Inbox] that lives as long as the process: the reference for what
// an Inbox does, and one for tests. The zero Memory is empty and ready; it must
// not be copied.
type Memory struct {
	mu   sync.Mutex
	ids  map[string]*held // of all events that are remembered
	open []*held          // those that are not dealt with, oldest first
}

// held is an event that is remembered.
type held struct {
	event Event // without its body once it is dealt with
	until time.Time
	done  bool
}

// Keep implements [Inbox].
func (m *Memory) Keep(ctx context.Context, e Event) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids[e.ID] != nil {
		return false, nil
	}
	if m.ids == nil {
		m.ids = map[string]*held{}
	}
	h := &held{event: Event{e.ID, bytes.Clone(e.Body), micros(e.Received)}}
	m.ids[e.ID] = h
	m.open = append(m.open, h)
	return true, nil
}

// Claim implements [Inbox].
func (m *Memory) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var claimed []Event
	for _, h := range m.open {
		if len(claimed) >= limit {
			break
		}
		if !now.Before(h.until) {
			h.until = now.Add(lease)
			e := h.event
			e.Body = bytes.Clone(e.Body)
			claimed = append(claimed, e)
		}
	}
	return claimed, nil
}

// Done implements [Inbox].
func (m *Memory) Done(ctx context.Context, ids ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if h := m.ids[id]; h != nil {
			h.done, h.event.Body = true, nil
		}
	}
	m.open = slices.DeleteFunc(m.open, func(h *held) bool { return h.done })
	return nil
}

// Forget implements [Inbox].
func (m *Memory) Forget(ctx context.Context, before time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, h := range m.ids {
		if h.done && h.event.Received.Before(before) {
			delete(m.ids, id)
		}
	}
	return nil
}
