package sessiontest_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluicego/sluice/session"
)

// recording keeps events a second time, in its own way.
type recording struct {
	slow
	mu     *sync.Mutex
	events map[string][][]session.Event // as they were given, save by save
	keep   func([]session.Event) []session.Event
	show   func(all []session.Event, after int) []session.Event
}

func newRecording() recording {
	return recording{
		slow: newSlow(), mu: new(sync.Mutex), events: map[string][][]session.Event{},
		keep: slices.Clone[[]session.Event],
		show: func(all []session.Event, after int) []session.Event {
			return slices.Clone(behind(all, after))
		},
	}
}

// behind is what History returns.
func behind(all []session.Event, after int) []session.Event {
	return all[min(max(after, 0), len(all)):]
}

func (s recording) Save(ctx context.Context, next session.Session, events []session.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.Store.Save(ctx, next, events)
	if err == nil {
		s.events[next.ID()] = append(s.events[next.ID()], s.keep(events))
	}
	return err
}

func (s recording) History(ctx context.Context, id string, after int) ([]session.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	saves, ok := s.events[id]
	if !ok {
		return nil, session.ErrNotFound
	}
	if len(saves) > 1 {
		s.events[id] = [][]session.Event{slices.Concat(saves...)}
	}
	return s.show(s.events[id][0], after), nil
}

// keeping keeps the caller's slice of events.
func keeping() session.Store {
	s := newRecording()
	s.keep = func(events []session.Event) []session.Event { return events }
	return s
}

// lending returns its own slice of events.
func lending() session.Store {
	s := newRecording()
	s.show = behind
	return s
}

// reversing returns the newest event first.
func reversing() session.Store {
	s := newRecording()
	s.show = func(all []session.Event, after int) []session.Event {
		all = slices.Clone(behind(all, after))
		slices.Reverse(all)
		return all
	}
	return s
}

// including returns the event of the version as well behind which it is asked.
func including() session.Store {
	s := newRecording()
	s.show = func(all []session.Event, after int) []session.Event {
		return slices.Clone(behind(all, after-1))
	}
	return s
}

// strict has nothing behind a version that none has.
func strict() session.Store {
	s := newRecording()
	s.show = func(all []session.Event, after int) []session.Event {
		if after < 0 {
			return nil
		}
		return slices.Clone(behind(all, after))
	}
	return s
}

// coarse keeps the times of events in whole seconds.
func coarse() session.Store {
	s := newRecording()
	s.keep = func(events []session.Event) []session.Event {
		events = slices.Clone(events)
		for i := range events {
			events[i].At = events[i].At.Truncate(time.Second)
		}
		return events
	}
	return s
}

// mistaken says that statuses moved which did not.
func mistaken() session.Store {
	s := newRecording()
	s.keep = func(events []session.Event) []session.Event {
		events = slices.Clone(events)
		for i := range events {
			events[i].Session.From = session.Done
		}
		return events
	}
	return s
}

// shortSighted finds newest attempts alone.
type shortSighted struct{ slow }

func (s shortSighted) Find(ctx context.Context, resourceID string) (string, error) {
	id, err := s.slow.Find(ctx, resourceID)
	if err != nil {
		return "", err
	}
	found, err := s.Load(ctx, id)
	if err != nil {
		return "", err
	}
	if a, _ := found.Action(resourceID); a.Main().Resource.ID != resourceID {
		return "", session.ErrNotFound
	}
	return id, nil
}

// gullible finds what it refused to save.
type gullible struct {
	slow
	mu   *sync.Mutex
	seen map[string]string
}

func newGullible() gullible { return gullible{newSlow(), new(sync.Mutex), map[string]string{}} }

func (s gullible) Save(ctx context.Context, next session.Session, events []session.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, link := range links(events) {
		if _, known := s.seen[link.Resource.ID]; !known {
			s.seen[link.Resource.ID] = next.ID()
		}
	}
	return s.Store.Save(ctx, next, events)
}

func (s gullible) Find(ctx context.Context, resourceID string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.seen[resourceID]; ok && ctx.Err() == nil {
		return id, nil
	}
	return s.slow.Find(ctx, resourceID)
}

// lax finds by ids in lower case.
type lax struct{ slow }

func (s lax) Find(ctx context.Context, resourceID string) (string, error) {
	return s.slow.Find(ctx, strings.ToLower(resourceID))
}

// listing lists in its own way.
type listing struct {
	slow
	list func(all []session.Session, q session.Query) (session.Page[session.Session], error)
}

func (s listing) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	page, err := s.slow.List(ctx, session.Query{Limit: math.MaxInt})
	if err != nil {
		return page, err
	}
	return s.list(page.Items, q)
}

// paged is the part of all that a query asks for, behind a position.
func paged(all []session.Session, q session.Query) (rest []session.Session, limit int, err error) {
	after, limit, err := q.Start()
	if err != nil {
		return nil, 0, err
	}
	for _, s := range all {
		if session.PositionOf(s).Compare(after) > 0 && q.Matches(s) {
			rest = append(rest, s)
		}
	}
	return rest, limit, nil
}

// repeating gives as cursor the session before the last one of a page.
func repeating(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	rest, limit, err := paged(all, q)
	if err != nil || len(rest) <= limit {
		return session.Page[session.Session]{Items: rest}, err
	}
	before := session.PositionOf(rest[max(limit-2, 0)])
	return session.Page[session.Session]{Items: rest[:limit], NextCursor: before.Cursor()}, nil
}

// jumping gives as cursor the first session of the next page.
func jumping(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	rest, limit, err := paged(all, q)
	if err != nil || len(rest) <= limit {
		return session.Page[session.Session]{Items: rest}, err
	}
	return session.Page[session.Session]{Items: rest[:limit], NextCursor: session.PositionOf(rest[limit]).Cursor()}, nil
}

// rounding has cursors that know no more than the second.
func rounding(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	rest, limit, err := paged(all, q)
	if err != nil || len(rest) <= limit {
		return session.Page[session.Session]{Items: rest}, err
	}
	last := session.PositionOf(rest[limit-1])
	last.ID = "\U0010ffff"
	return session.Page[session.Session]{Items: rest[:limit], NextCursor: last.Cursor()}, nil
}

// hopeful gives a cursor with every page that is full.
func hopeful(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	rest, limit, err := paged(all, q)
	if err != nil || len(rest) < limit {
		return session.Page[session.Session]{Items: rest}, err
	}
	return session.Page[session.Session]{Items: rest[:limit], NextCursor: session.PositionOf(rest[limit-1]).Cursor()}, nil
}

// counting has cursors that say how many sessions to leave out.
func counting(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	seen := 0
	if text, err := base64.StdEncoding.DecodeString(q.Cursor); err != nil {
		return session.Page[session.Session]{}, &session.CursorError{Cursor: q.Cursor, Reason: "it is not base64"}
	} else if q.Cursor != "" {
		if _, err := fmt.Sscanf(string(text), "seen %d", &seen); err != nil ||
			base64.StdEncoding.EncodeToString(text) != q.Cursor {
			return session.Page[session.Session]{}, &session.CursorError{Cursor: q.Cursor, Reason: "it counts nothing"}
		}
	}
	q.Cursor = ""
	rest, limit, err := paged(all, q)
	if err != nil || len(rest) <= seen+limit {
		return session.Page[session.Session]{Items: rest[min(seen, len(rest)):]}, err
	}
	cursor := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "seen %d", seen+limit))
	return session.Page[session.Session]{Items: rest[seen : seen+limit], NextCursor: cursor}, nil
}

// lenient takes what is no cursor for none.
func lenient(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	if _, err := session.ParseCursor(q.Cursor); err != nil {
		q.Cursor = ""
	}
	return rightly(all, q)
}

// boundless has no default limit.
func boundless(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	if q.Limit == 0 {
		q.Limit = math.MaxInt
	}
	return rightly(all, q)
}

// excluding leaves out what was updated just when the query says.
func excluding(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	if !q.UpdatedSince.IsZero() {
		q.UpdatedSince = q.UpdatedSince.Add(1)
	}
	return rightly(all, q)
}

// rightly lists as it should be done.
func rightly(all []session.Session, q session.Query) (session.Page[session.Session], error) {
	rest, limit, err := paged(all, q)
	if err != nil || len(rest) <= limit {
		return session.Page[session.Session]{Items: rest}, err
	}
	return session.Page[session.Session]{Items: rest[:limit], NextCursor: session.PositionOf(rest[limit-1]).Cursor()}, nil
}

// sorted lists in the order of a key that no two sessions share.
func sorted(key func(session.Session) string) func([]session.Session, session.Query) (session.Page[session.Session], error) {
	return func(all []session.Session, q session.Query) (session.Page[session.Session], error) {
		after, limit, err := q.Start()
		if err != nil {
			return session.Page[session.Session]{}, err
		}
		var rest []session.Session
		for _, s := range all {
			if q.Matches(s) && (after.ID == "" || key(s) > after.ID) {
				rest = append(rest, s)
			}
		}
		slices.SortFunc(rest, func(a, b session.Session) int { return strings.Compare(key(a), key(b)) })
		if len(rest) <= limit {
			return session.Page[session.Session]{Items: rest}, nil
		}
		last := session.Position{CreatedAt: time.Unix(0, 0).UTC(), ID: key(rest[limit-1])}
		return session.Page[session.Session]{Items: rest[:limit], NextCursor: last.Cursor()}, nil
	}
}

// folded is a key in the order of creation and then of ids, their case ignored.
func folded(s session.Session) string {
	return fmt.Sprintf("%020d\x01%s\x01%s", s.CreatedAt().Unix()+1e11, strings.ToLower(s.ID()), s.ID())
}

// caching returns the same page again until something is saved.
type caching struct {
	slow
	mu    *sync.Mutex
	pages map[session.Query]session.Page[session.Session]
}

func newCaching() caching {
	return caching{newSlow(), new(sync.Mutex), map[session.Query]session.Page[session.Session]{}}
}

func (s caching) Save(ctx context.Context, next session.Session, events []session.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.pages)
	return s.Store.Save(ctx, next, events)
}

func (s caching) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if page, ok := s.pages[q]; ok {
		return page, nil
	}
	page, err := s.slow.List(ctx, q)
	if err == nil {
		s.pages[q] = page
	}
	return page, err
}

// unindexed finds sessions by the status that they had when they were created.
type unindexed struct{ slow }

func (s unindexed) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	if q.Status != 0 && q.Status != session.Awaiting {
		return session.Page[session.Session]{}, nil
	}
	q.Status = 0
	return s.slow.List(ctx, q)
}

// tireless does not look at the context in one of its methods.
type tireless struct {
	slow
	method string
}

func (s tireless) in(ctx context.Context, method string) context.Context {
	if method == s.method {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (s tireless) Load(ctx context.Context, id string) (session.Session, error) {
	return s.slow.Load(s.in(ctx, "Load"), id)
}

func (s tireless) Find(ctx context.Context, resourceID string) (string, error) {
	return s.slow.Find(s.in(ctx, "Find"), resourceID)
}

func (s tireless) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	return s.slow.List(s.in(ctx, "List"), q)
}

func (s tireless) History(ctx context.Context, id string, after int) ([]session.Event, error) {
	return s.slow.History(s.in(ctx, "History"), id, after)
}
