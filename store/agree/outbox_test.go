package agree_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// addEntries adds what entries announce, and whether each stands where it did
// before and nothing else does.
func (a *answer) addEntries(s *subject, entries []session.Entry) {
	for _, e := range entries {
		a.say("%s of session %q, version %d, group %v, is %v at %v", e.Name, e.SessionID, e.Version, e.GroupType, e.Status, e.At)
		if known, ok := s.positions[e.ID()]; ok && known != e.Position {
			a.say("at %q, where it was at %q", e.Position, known)
		}
		if other, ok := s.places[e.Position]; ok && other != e.ID() {
			a.say("at %q, where %s was", e.Position, other)
		}
		s.positions[e.ID()], s.places[e.Position] = e.Position, e.ID()
	}
}

// limit draws how many entries are asked for.
func limit(t *rapid.T) int {
	return rapid.SampledFrom([]int{1000, 1, 2, 5, 0, -1}).Draw(t, "limit")
}

// claim has entries handed out, some time later. Below a microsecond databases
// may hold an entry for longer than the lease, which the reference does not.
func (c *course) claim(t *rapid.T) {
	n, fine := limit(t), time.Duration(0)
	if c.subjects[0].execute != nil {
		fine = rapid.SampledFrom([]time.Duration{0, 1, 500, 999}).Draw(t, "nanoseconds")
	}
	c.clock = c.clock.Add(fine + rapid.SampledFrom([]time.Duration{
		0, time.Microsecond, time.Second, 9 * time.Second, 10 * time.Second, time.Minute, -time.Second,
	}).Draw(t, "later"))
	lease := fine + rapid.SampledFrom([]time.Duration{
		10 * time.Second, 0, time.Microsecond, time.Second, time.Hour, -time.Second,
	}).Draw(t, "lease")
	c.claimFor(t, n, lease)
}

func (c *course) claimFor(t rapid.TB, n int, lease time.Duration) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Claim of %d at %v for %v", n, c.clock, lease), func(s *subject) (a answer) {
		var entries []session.Entry
		entries, a.err = s.Claim(c.ctx(), n, c.clock, lease)
		a.addEntries(s, entries)
		c.hear(entries)
		return a
	})
}

// hear takes note of announcements.
func (c *course) hear(entries []session.Entry) {
	for _, e := range entries {
		if !slices.Contains(c.told, e.ID()) {
			c.told = append(c.told, e.ID())
		}
	}
}

// nowhere are texts that are positions in no outbox.
var nowhere = []string{"x", "-1", "+1", "01", "1.0", "one/two", "1/", "/", " 1", "\x00", "99999999999999999999"}

// acknowledge removes entries, of which some may be gone, or never were there.
func (c *course) acknowledge(t *rapid.T) {
	ids := rapid.SliceOfN(rapid.SampledFrom(append(c.told, "nowhere")), 0, 4).Draw(t, "entries")
	c.ask(t, fmt.Sprintf("Acknowledge of %q", ids), func(s *subject) answer {
		var entries []session.Entry
		for _, id := range ids {
			position, ok := s.positions[id]
			if !ok {
				position = nowhere[0]
			}
			entries = append(entries, session.Entry{Position: position})
		}
		return answer{err: s.Acknowledge(c.ctx(), entries...)}
	})
}

// announced reads the outbox from the beginning, from where some entry stands or
// stood, or from nowhere.
func (c *course) announced(t *rapid.T) {
	behind := ""
	switch where := rapid.IntRange(0, 5).Draw(t, "where"); {
	case where == 5:
		behind = rapid.SampledFrom(nowhere).Draw(t, "behind")
	case where > 1 && len(c.told) > 0:
		behind = rapid.SampledFrom(c.told).Draw(t, "behind")
	}
	c.announcedBehind(t, behind, limit(t))
}

func (c *course) announcedBehind(t rapid.TB, behind string, n int) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Announced, %d behind %q", n, behind), func(s *subject) (a answer) {
		position := behind
		if slices.Contains(c.told, behind) {
			position = s.positions[behind]
		}
		var entries []session.Entry
		entries, a.err = s.Announced(c.ctx(), position, n)
		a.addEntries(s, entries)
		c.hear(entries)
		return a
	})
}

// confirm asks for saves that nobody made, where all of them can be asked.
func (c *course) confirm(t *rapid.T) {
	for _, s := range c.subjects {
		if _, ok := s.store.(session.Confirmer); !ok {
			t.Skip(s.name + " is no session.Confirmer")
		}
	}
	unknown := &session.OutcomeError{
		SessionID: name(t), Version: rapid.IntRange(0, 5).Draw(t, "version"),
		Mark: rapid.SampledFrom([]string{
			"00000000000000000000000000000000", "ABCDEFabcdef00000000000000000000", "", "x", "00", "0000000000000000000000000000000g",
		}).Draw(t, "mark"),
	}
	c.ask(t, fmt.Sprintf("Confirm of %+v", unknown), func(s *subject) (a answer) {
		confirmer, _ := s.store.(session.Confirmer)
		saved, err := confirmer.Confirm(c.ctx(), unknown)
		a.say("%t", saved)
		a.err = err
		return a
	})
}
