package sessiontest_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/session/sessiontest"
)

// slow is a memstore that takes its time before it saves, so that writers meet.
// In a synctest bubble all of them then come to the same point.
type slow struct{ *memstore.Store }

func newSlow() slow { return slow{new(memstore.Store)} }

func (s slow) Save(ctx context.Context, next session.Session, events []session.Event) error {
	time.Sleep(time.Nanosecond)
	return s.Store.Save(ctx, next, events)
}

// overlaid shows sessions that slow refused to save.
type overlaid struct {
	slow
	mu   sync.Mutex
	over map[string]session.Session
}

func newOverlaid() overlaid { return overlaid{slow: newSlow(), over: map[string]session.Session{}} }

func (s *overlaid) Load(ctx context.Context, id string) (session.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if over, ok := s.over[id]; ok {
		return over, nil
	}
	return s.slow.Load(ctx, id)
}

func (s *overlaid) force(next session.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over[next.ID()] = next
	return nil
}

// overwriting takes what comes last.
type overwriting struct{ overlaid }

func (s *overwriting) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := s.slow.Save(ctx, next, events)
	if errors.Is(err, session.ErrConflict) {
		return s.force(next)
	}
	return err
}

// dropping loses what comes late, and does not say so.
type dropping struct{ slow }

func (s dropping) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := s.slow.Save(ctx, next, events)
	if errors.Is(err, session.ErrConflict) {
		return nil
	}
	return err
}

// racing compares versions in one step and writes in another.
type racing struct{ overlaid }

func (s *racing) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if from, err := session.CheckSave(next, events); err == nil && ctx.Err() == nil {
		if stored, _ := s.Load(ctx, next.ID()); stored.Version() != from {
			return session.ErrConflict
		}
	}
	err := s.slow.Save(ctx, next, events)
	if errors.Is(err, session.ErrConflict) {
		return s.force(next)
	}
	return err
}

// torn shows a session before its events are there.
type torn struct{ overlaid }

func (s *torn) Load(ctx context.Context, id string) (session.Session, error) {
	time.Sleep(time.Nanosecond)
	return s.overlaid.Load(ctx, id)
}

func (s *torn) Save(ctx context.Context, next session.Session, events []session.Event) error {
	from, err := session.CheckSave(next, events)
	stored, _ := s.slow.Load(ctx, next.ID())
	if err != nil || stored.Version() != from || from == 0 || links(events) != nil {
		return s.slow.Save(ctx, next, events)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_ = s.force(next)
	time.Sleep(2 * time.Nanosecond)
	err = s.slow.Save(ctx, next, events)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.over, next.ID())
	return err
}

// upserting creates sessions over those that exist.
type upserting struct{ overlaid }

func (s *upserting) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := s.slow.Save(ctx, next, events)
	if errors.Is(err, session.ErrConflict) && events[0].Version == 1 {
		return s.force(next)
	}
	return err
}

// skipping wants a version that is higher, not the next one.
type skipping struct{ overlaid }

func (s *skipping) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := s.slow.Save(ctx, next, events)
	if stored, _ := s.Load(ctx, next.ID()); errors.Is(err, session.ErrConflict) && stored.Version() < events[0].Version {
		return s.force(next)
	}
	return err
}

// sharded keeps each session in a store of its own, so that nothing but holder
// knows which resources the others have.
type sharded struct {
	mu     sync.Mutex
	shards map[string]*memstore.Store
	holder map[string]string // resource -> session; nil to forget
	mains  bool              // hold newest attempts alone
	gap    bool              // between looking up who holds and writing it
}

func (s *sharded) shard(id string) *memstore.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shards == nil {
		s.shards = map[string]*memstore.Store{}
	}
	if s.shards[id] == nil {
		s.shards[id] = new(memstore.Store)
	}
	return s.shards[id]
}

func (s *sharded) Load(ctx context.Context, id string) (session.Session, error) {
	return s.shard(id).Load(ctx, id)
}

func (s *sharded) History(ctx context.Context, id string, after int) ([]session.Event, error) {
	return s.shard(id).History(ctx, id, after)
}

func (s *sharded) Save(ctx context.Context, next session.Session, events []session.Event) error {
	shard := s.shard(next.ID())
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := session.CheckSave(next, events)
	if stored, _ := shard.Load(ctx, next.ID()); err != nil || stored.Version() != from {
		return shard.Save(ctx, next, events)
	}
	for _, link := range links(events) {
		if in, taken := s.holder[link.Resource.ID]; taken && in != next.ID() {
			return session.Taken(link.Resource.ID, in)
		}
	}
	if s.gap {
		s.mu.Unlock()
		time.Sleep(time.Nanosecond)
		s.mu.Lock()
	}
	err = shard.Save(ctx, next, events)
	if err != nil || s.holder == nil {
		return err
	}
	for _, link := range links(events) {
		s.holder[link.Resource.ID] = next.ID()
		if s.mains {
			delete(s.holder, link.PreviousAttemptID)
		}
	}
	return nil
}

func links(events []session.Event) []session.Linked {
	var all []session.Linked
	for _, e := range events {
		if link, ok := e.Fact.(session.Linked); ok {
			all = append(all, link)
		}
	}
	return all
}

// impatient tells of a taken resource first.
type impatient struct{ slow }

func (s impatient) Save(ctx context.Context, next session.Session, events []session.Event) error {
	for _, link := range links(events) {
		if in, err := s.Find(ctx, link.Resource.ID); err == nil && in != next.ID() {
			return session.Taken(link.Resource.ID, in)
		}
	}
	return s.slow.Save(ctx, next, events)
}

// taciturn does not say where a taken resource stands.
type taciturn struct{ slow }

func (s taciturn) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := s.slow.Save(ctx, next, events)
	if errors.Is(err, session.ErrResourceTaken) {
		return session.ErrResourceTaken
	}
	return err
}

// partial saves event by event, up to the one that is refused.
type partial struct{ slow }

func (s partial) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := s.slow.Save(ctx, next, events)
	if !errors.Is(err, session.ErrResourceTaken) {
		return err
	}
	before, _ := s.slow.History(ctx, next.ID(), 0)
	for n := len(events) - 1; n > 0; n-- {
		if part, err := session.Replay(slices.Concat(before, events[:n])); err == nil &&
			s.slow.Save(ctx, part, events[:n]) == nil {
			break
		}
	}
	return err
}

// trusting saves nothing of what does not fit together, and does not say so.
type trusting struct{ slow }

func (s trusting) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if _, err := session.CheckSave(next, events); err != nil {
		return nil //nolint:nilerr // this is what is wrong with it
	}
	return s.slow.Save(ctx, next, events)
}

// deaf does not listen to contexts.
type deaf struct{ slow }

func (s deaf) Save(ctx context.Context, next session.Session, events []session.Event) error {
	return s.slow.Save(context.WithoutCancel(ctx), next, events)
}

// hasty saves before it listens to contexts.
type hasty struct{ slow }

func (s hasty) Save(ctx context.Context, next session.Session, events []session.Event) error {
	if err := s.slow.Save(context.WithoutCancel(ctx), next, events); err != nil {
		return err
	}
	return ctx.Err()
}

// inventive gives a session for every id.
type inventive struct{ slow }

func (s inventive) Load(ctx context.Context, id string) (session.Session, error) {
	found, err := s.slow.Load(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return session.Session{}, nil
	}
	return found, err
}

// padding ignores spaces at the end of ids, as some databases do.
type padding struct {
	slow
	mu  *sync.Mutex
	ids map[string]string
}

func newPadding() padding { return padding{newSlow(), new(sync.Mutex), map[string]string{}} }

func (s padding) Load(ctx context.Context, id string) (session.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.ids[strings.TrimRight(id, " ")]; ok {
		id = known
	}
	return s.slow.Load(ctx, id)
}

func (s padding) Save(ctx context.Context, next session.Session, events []session.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.TrimRight(next.ID(), " ")
	if known, ok := s.ids[key]; ok && known != next.ID() {
		return session.ErrConflict
	}
	err := s.Store.Save(ctx, next, events)
	if err == nil {
		s.ids[key] = next.ID()
	}
	return err
}

// lossy loads snapshots that were changed on their way.
type lossy struct {
	slow
	change func(snapshot map[string]any)
}

func (s lossy) Load(ctx context.Context, id string) (session.Session, error) {
	found, err := s.slow.Load(ctx, id)
	if err != nil {
		return found, err
	}
	data, err := found.Snapshot()
	if err != nil {
		return found, err
	}
	var snapshot map[string]any
	if err := json.Unmarshal(data, &snapshot); err != nil {
		return found, err
	}
	s.change(snapshot)
	if data, err = json.Marshal(snapshot); err != nil {
		return found, err
	}
	return session.FromSnapshot(data)
}

// nanoseconds keeps times as nanoseconds since 1970.
func nanoseconds(snapshot map[string]any) {
	text, _ := snapshot["created_at"].(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	snapshot["created_at"] = time.Unix(0, t.UnixNano()).UTC()
}

// anonymous forgets who resolved an Action.
func anonymous(snapshot map[string]any) {
	groups, _ := snapshot["groups"].([]any)
	for _, g := range groups {
		actions, _ := g.(map[string]any)["actions"].([]any)
		for _, a := range actions {
			if resolution, ok := a.(map[string]any)["resolution"].(map[string]any); ok {
				delete(resolution, "by")
			}
		}
	}
}

// reopening is a store in a process that ends.
type reopening struct {
	slow
	reopen func(slow) session.Store
}

func (s reopening) Reopen() (session.Store, error) { return s.reopen(s.slow), nil }

var _ sessiontest.Reopener = reopening{}
