package sessiontest

import (
	"context"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// boxed is an announcement in the outbox of the model.
type boxed struct {
	session.Announcement
	position  string // "" until the store has told
	heldUntil time.Time
	gone      bool
}

// modelBox is what the model's outbox has, oldest first, with what is gone.
type modelBox struct {
	entries []*boxed
	now     time.Time // of its readers, whose clocks agree
}

// add announces what events announce.
func (m *modelBox) add(events []session.Event) {
	for _, a := range announcements(events) {
		m.entries = append(m.entries, &boxed{Announcement: a})
	}
}

// pick returns the first entries that are there and that are asked for.
func pick(entries []*boxed, limit int, asked func(*boxed) bool) []*boxed {
	var picked []*boxed
	for _, e := range entries {
		if len(picked) < limit && !e.gone && asked(e) {
			picked = append(picked, e)
		}
	}
	return picked
}

// told returns the entries of which the store has told the position, as it has
// given them.
func (m *modelBox) told() (entries []session.Entry, places []int) {
	for i, e := range m.entries {
		if e.position != "" {
			entries, places = append(entries, session.Entry{Position: e.position, Announcement: e.Announcement}), append(places, i)
		}
	}
	return entries, places
}

// clearOutbox removes what the check before has left.
func (p *pair) clearOutbox() {
	p.box.now = action.Seconds(noon)
	o, ok := p.store.(session.Outbox)
	for before := ""; ok; {
		entries := p.announced(o, "", plenty)
		if len(entries) == 0 {
			return
		}
		if entries[0].Position == before {
			p.Fatalf("%s was acknowledged, and is there again", entries[0].ID())
		}
		before = entries[0].Position
		p.ok(o.Acknowledge(context.Background(), entries...), "Acknowledge of all %d entries", len(entries))
	}
}

// gives checks that entries are those of the model, and that those stand where
// they stood before.
func (p *pair) gives(want []*boxed, got []session.Entry) {
	p.Helper()
	var all []session.Announcement
	for _, e := range want {
		all = append(all, e.Announcement)
	}
	p.sameEntries(all, got)
	for i, e := range want {
		if e.position != "" && e.position != got[i].Position {
			p.Fatalf("%s stands at %q; it stood at %q", e.ID(), got[i].Position, e.position)
		}
		e.position = got[i].Position
	}
}

// read reads the outbox from the beginning, or from where some entry stands or
// stood.
func (p *pair) read(t *rapid.T) {
	o, ok := p.store.(session.Outbox)
	if !ok {
		return
	}
	after, from := "", 0
	if told, places := p.box.told(); len(told) > 0 && rapid.Bool().Draw(t, "further") {
		i := rapid.IntRange(0, len(told)-1).Draw(t, "behind")
		after, from = told[i].Position, places[i]+1
	}
	limit := rapid.SampledFrom([]int{1, 2, 5, plenty}).Draw(t, "limit")
	want := pick(p.box.entries[from:], limit, func(*boxed) bool { return true })
	p.gives(want, p.announced(o, after, limit))
}

// take has entries handed out, some time later.
func (p *pair) take(t *rapid.T) {
	o, ok := p.store.(session.Outbox)
	if !ok {
		return
	}
	seconds := rapid.SampledFrom([]int{0, 1, 9, 10, 11, 60})
	p.box.now = p.box.now.Add(time.Duration(seconds.Draw(t, "later")) * time.Second)
	lease := time.Duration(seconds.Draw(t, "lease")) * time.Second
	limit := rapid.SampledFrom([]int{1, 2, 5, plenty}).Draw(t, "limit")
	want := pick(p.box.entries, limit, func(e *boxed) bool { return !p.box.now.Before(e.heldUntil) })
	p.gives(want, p.claim(o, limit, p.box.now, lease))
	for _, e := range want {
		e.heldUntil = p.box.now.Add(lease)
	}
}

// settle acknowledges entries, of which some may be gone.
func (p *pair) settle(t *rapid.T) {
	o, ok := p.store.(session.Outbox)
	told, places := p.box.told()
	if !ok || len(told) == 0 {
		return
	}
	var entries []session.Entry
	for range rapid.IntRange(1, 3).Draw(t, "number of entries") {
		i := rapid.IntRange(0, len(told)-1).Draw(t, "entry")
		entries = append(entries, told[i])
		p.box.entries[places[i]].gone = true
	}
	p.ok(o.Acknowledge(context.Background(), entries...), "Acknowledge of %d entries", len(entries))
}
