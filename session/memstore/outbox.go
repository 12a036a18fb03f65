package memstore

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sluicego/sluice/session"
)

// entry is an announcement that was not acknowledged.
type entry struct {
	position     int
	announcement session.Announcement
	heldUntil    time.Time // zero if nobody ever held it
}

func (e entry) public() session.Entry {
	return session.Entry{Position: strconv.Itoa(e.position), Announcement: e.announcement}
}

// announce adds what events announce.
func (m *Store) announce(events []session.Event) {
	for _, a := range (session.Change{Events: events}).Announcements() {
		m.position++
		m.outbox = append(m.outbox, entry{position: m.position, announcement: a})
	}
}

// Claim implements [session.Outbox].
func (m *Store) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var claimed []session.Entry
	for i := range m.outbox {
		if len(claimed) >= limit {
			break
		}
		if e := &m.outbox[i]; !now.Before(e.heldUntil) {
			e.heldUntil = now.Add(lease)
			claimed = append(claimed, e.public())
		}
	}
	return claimed, nil
}

// Acknowledge implements [session.Outbox].
func (m *Store) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(map[string]bool, len(entries))
	for _, e := range entries {
		done[e.Position] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outbox = slices.DeleteFunc(m.outbox, func(e entry) bool { return done[strconv.Itoa(e.position)] })
	return nil
}

// Announced implements [session.Outbox].
func (m *Store) Announced(ctx context.Context, after string, limit int) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	position := 0
	if after != "" {
		var err error
		// Other spellings of the same number were never given out.
		if position, err = strconv.Atoi(after); err != nil || position < 1 || strconv.Itoa(position) != after {
			return nil, &session.CursorError{Cursor: after, Reason: "it is no position in this outbox"}
		}
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var entries []session.Entry
	for _, e := range m.outbox {
		if e.position > position && len(entries) < limit {
			entries = append(entries, e.public())
		}
	}
	return entries, nil
}

// Sweep implements [session.Archive].
func (m *Store) Sweep(ctx context.Context) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		m.mu.RLock()
		ids := slices.Sorted(maps.Keys(m.sessions))
		m.mu.RUnlock()
		for _, id := range ids {
			if ctx.Err() != nil {
				break
			}
			m.mu.RLock()
			r := m.sessions[id]
			m.mu.RUnlock()
			if !yield(session.Record{ID: id, Session: r.session, Events: slices.Clone(r.events)}, nil) {
				return
			}
		}
		// A sweep that was cut short must not look like one that has seen all.
		if err := ctx.Err(); err != nil {
			yield(session.Record{}, err)
		}
	}
}
