package inboxtest

import (
	"slices"
	"time"

	"pgregory.net/rapid" //nolint:depguard // a suite is made of tests

	"github.com/sluicego/sluice/delivery/receiver"
)

// record is an event of the model.
type record struct {
	event receiver.Event
	until time.Time
	done  bool
}

// list is what an inbox is in the plainest words: events in the order in which
// they were kept.
type list struct{ records []record }

func (m *list) keep(e receiver.Event) bool {
	if slices.ContainsFunc(m.records, func(r record) bool { return r.event.ID == e.ID }) {
		return false
	}
	m.records = append(m.records, record{event: e})
	return true
}

func (m *list) claim(limit int, now time.Time, lease time.Duration) []receiver.Event {
	var claimed []receiver.Event
	for i := range m.records {
		if r := &m.records[i]; len(claimed) < limit && !r.done && !now.Before(r.until) {
			r.until = now.Add(lease)
			claimed = append(claimed, r.event)
		}
	}
	return claimed
}

func (m *list) done(ids []string) {
	for i := range m.records {
		if slices.Contains(ids, m.records[i].event.ID) {
			m.records[i].done = true
		}
	}
}

func (m *list) forget(before time.Time) {
	m.records = slices.DeleteFunc(m.records, func(r record) bool {
		return r.done && r.event.Received.Before(before)
	})
}

// model plays scripts on one inbox, which is emptied before each.
func model(t rapid.TB, inbox receiver.Inbox) {
	check := func(t *rapid.T) {
		l, m := lab{t, inbox}, &list{}
		l.empty()
		id := rapid.SampledFrom([]string{"a", "b", "c", "A", "é"})
		// Few moments, so that leases end when others begin.
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "minute")) * time.Minute)
		})
		t.Repeat(map[string]func(*rapid.T){
			"keep": func(t *rapid.T) {
				e := receiver.Event{
					ID:       id.Draw(t, "id"),
					Body:     rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "body"),
					Received: moment.Draw(t, "received"),
				}
				l := lab{t, inbox}
				l.keep(e, m.keep(e))
			},
			"claim": func(t *rapid.T) {
				limit := rapid.IntRange(0, 4).Draw(t, "limit")
				now := moment.Draw(t, "now")
				lease := time.Duration(rapid.IntRange(0, 3).Draw(t, "lease")) * time.Minute
				l := lab{t, inbox}
				want, got := m.claim(limit, now, lease), l.claim(limit, now, lease)
				if !slices.Equal(idsOf(want), idsOf(got)) {
					l.Fatalf("Claim hands out %q, want %q", idsOf(got), idsOf(want))
				}
				for i := range want {
					l.same(want[i], got[i])
				}
			},
			"done": func(t *rapid.T) {
				ids := rapid.SliceOfN(id, 0, 2).Draw(t, "ids")
				m.done(ids)
				lab{t, inbox}.done(ids...)
			},
			"forget": func(t *rapid.T) {
				before := moment.Draw(t, "before")
				m.forget(before)
				lab{t, inbox}.forget(before)
			},
		})
	}
	rapid.Check(t, check)
}

// empty makes an inbox as if nothing had ever been kept.
func (l lab) empty() {
	l.Helper()
	late := noon.Add(1000 * time.Hour) // when no lease lasts
	for range 3 {
		events := l.claim(plenty, late, 0)
		if len(events) == 0 {
			l.forget(late)
			return
		}
		l.done(idsOf(events)...)
	}
	l.Fatalf("events that are done are handed out again")
}
