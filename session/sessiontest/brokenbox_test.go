package sessiontest_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sluicego/sluice/session"
)

// boxing is a store with an outbox of its own, which has the fault that it is
// named by.
type boxing struct {
	slow
	*box
	fault string
}

type box struct {
	mu      sync.Mutex
	entries []held
	last    int // position
}

// held is an announcement that somebody may hold.
type held struct {
	position     int
	announcement session.Announcement
	until        time.Time
	claimed      bool
}

func boxed(fault string) func() session.Store {
	return func() session.Store { return boxing{newSlow(), new(box), fault} }
}

func (s boxing) Save(ctx context.Context, next session.Session, events []session.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == "announced before it is saved" {
		s.add(events)
		return s.saved(ctx, next, events)
	}
	if s.fault == "positions before the save" {
		return s.early(ctx, next, events)
	}
	err := s.saved(ctx, next, events)
	if s.fault == "announced in another transaction" {
		s.wait(2 * time.Nanosecond)
	}
	if err == nil {
		s.add(events)
	}
	return err
}

// Load takes its time where others are to be let in between.
func (s boxing) Load(ctx context.Context, id string) (session.Session, error) {
	if s.fault == "announced in another transaction" {
		time.Sleep(time.Nanosecond)
	}
	return s.slow.Load(ctx, id)
}

func (s boxing) saved(ctx context.Context, next session.Session, events []session.Event) error {
	return s.Store.Save(ctx, next, events)
}

// wait lets others in.
func (s boxing) wait(d time.Duration) {
	s.mu.Unlock()
	time.Sleep(d)
	s.mu.Lock()
}

// early takes positions first and shows the entries when the save is done,
// which takes its time for every other one.
func (s boxing) early(ctx context.Context, next session.Session, events []session.Event) error {
	position := s.last + 1
	s.last += len(announcements(events))
	s.wait(time.Duration(1+position%2) * time.Nanosecond)
	err := s.saved(ctx, next, events)
	if err == nil {
		for i, a := range announcements(events) {
			s.entries = append(s.entries, held{position: position + i, announcement: a})
		}
		slices.SortFunc(s.entries, func(a, b held) int { return a.position - b.position })
	}
	return err
}

func announcements(events []session.Event) []session.Announcement {
	return session.Change{Events: events}.Announcements()
}

func (s boxing) add(events []session.Event) {
	all := announcements(events)
	switch s.fault {
	case "the last event alone":
		if len(events) > 0 {
			all = announcements(events[len(events)-1:])
		}
	case "newest first":
		slices.Reverse(all)
	case "whole seconds":
		for i := range all {
			all[i].At = all[i].At.Truncate(time.Second)
		}
	case "used positions":
		s.last = 0
		if n := len(s.entries); n > 0 {
			s.last = s.entries[n-1].position
		}
	}
	for _, a := range all {
		s.last++
		s.entries = append(s.entries, held{position: s.last, announcement: a})
	}
}

// public returns entries as they are handed out.
func (s boxing) public(some []held) []session.Entry {
	var entries []session.Entry
	for i, h := range some {
		position := h.position
		if s.fault == "counted positions" {
			position = i + 1
		}
		entries = append(entries, session.Entry{Position: strconv.Itoa(position), Announcement: h.announcement})
	}
	return entries
}

func (s boxing) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil && s.fault != "claims for who is gone" {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var free []held
	for _, h := range s.entries {
		if len(free) < limit && s.isFree(h, now) {
			free = append(free, h)
		}
	}
	if s.fault == "held in another step" {
		s.wait(time.Nanosecond)
	}
	for i := range s.entries {
		h := &s.entries[i]
		if slices.ContainsFunc(free, func(f held) bool { return f.position == h.position }) {
			h.until, h.claimed = now.Add(lease), true
		}
	}
	if s.fault == "none is an error" && len(free) == 0 {
		return nil, session.ErrNotFound
	}
	return s.public(free), ctx.Err()
}

func (s boxing) isFree(h held, now time.Time) bool {
	switch s.fault {
	case "held by nobody":
		return true
	case "held for ever":
		return !h.claimed
	case "leases end early":
		now = now.Add(time.Second)
	case "leases end late":
		now = now.Add(-time.Nanosecond)
	}
	return !now.Before(h.until)
}

func (s boxing) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	if err := ctx.Err(); err != nil && s.fault != "acknowledged for who is gone" {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		position, err := strconv.Atoi(e.Position)
		if err != nil && s.fault == "strange positions are errors" {
			return err
		}
		there := slices.ContainsFunc(s.entries, func(h held) bool { return h.position == position })
		if !there && err == nil && s.fault == "what is gone is an error" {
			return session.ErrNotFound
		}
		s.entries = slices.DeleteFunc(s.entries, func(h held) bool { return s.dealtWith(h, position) })
	}
	return ctx.Err()
}

func (s boxing) dealtWith(h held, position int) bool {
	switch s.fault {
	case "nothing is removed":
		return false
	case "all before is removed":
		return h.position <= position
	case "what nobody holds stays":
		return h.position == position && h.claimed
	default:
		return h.position == position
	}
}

func (s boxing) Announced(ctx context.Context, after string, limit int) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil && s.fault != "read for who is gone" {
		return nil, err
	}
	position, err := strconv.Atoi(after)
	if err != nil && after != "" && s.fault != "any text is a position" || position < 0 {
		return nil, &session.CursorError{Cursor: after, Reason: "it is no number"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == "from the position" {
		position--
	}
	var some []held
	for _, h := range s.entries {
		switch {
		case len(some) >= limit && s.fault != "as many as there are":
		case h.position <= position && s.fault != "counted positions":
		case h.claimed && s.fault == "what is held is hidden":
		default:
			some = append(some, h)
		}
	}
	if s.fault == "counted positions" {
		return s.public(some)[min(position, len(some)):], nil
	}
	return s.public(some), nil
}

// lendingBox returns the same entries again until something changes.
type lendingBox struct {
	slow
	mu    *sync.Mutex
	cache map[string][]session.Entry
}

func newLendingBox() lendingBox {
	return lendingBox{newSlow(), new(sync.Mutex), map[string][]session.Entry{}}
}

func (s lendingBox) Save(ctx context.Context, next session.Session, events []session.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.cache)
	return s.Store.Save(ctx, next, events)
}

func (s lendingBox) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.cache)
	return s.slow.Acknowledge(ctx, entries...)
}

func (s lendingBox) Announced(ctx context.Context, after string, limit int) ([]session.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := after + "\x00" + strconv.Itoa(limit)
	if entries, ok := s.cache[key]; ok && ctx.Err() == nil {
		return entries, nil
	}
	entries, err := s.slow.Announced(ctx, after, limit)
	if err == nil {
		s.cache[key] = entries
	}
	return entries, err
}

// forgetful is a process that ends, with its outbox or who holds what in it.
type forgetful struct {
	boxing
	forget func(boxing)
}

func forgetting(forget func(boxing)) func() session.Store {
	return func() session.Store { return forgetful{boxing{newSlow(), new(box), ""}, forget} }
}

func (s forgetful) Reopen() (session.Store, error) {
	s.forget(s.boxing)
	return s.boxing, nil
}

// leases forgets who holds what.
func leases(s boxing) {
	for i := range s.entries {
		s.entries[i].until = time.Time{}
	}
}

// numbers begins with the positions again.
func numbers(s boxing) {
	for i := range s.entries {
		s.entries[i].position = i + 1
	}
	s.last = len(s.entries)
}
