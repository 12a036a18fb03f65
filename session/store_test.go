package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// fake is a Store of one session, without any optional ability.
type fake struct {
	stored    session.Session
	conflicts int   // how many of the next saves are too late
	loadErr   error // of every load
	saveErr   error // of every save

	loads, saves int
	events       []session.Event // of the last save
	late         func(f *fake)   // what happened in between, for each conflict
}

func (f *fake) Load(context.Context, string) (session.Session, error) {
	f.loads++
	return f.stored, f.loadErr
}

func (f *fake) Save(_ context.Context, next session.Session, events []session.Event) error {
	f.saves++
	switch {
	case f.saveErr != nil:
		return f.saveErr
	case f.conflicts > 0:
		f.conflicts--
		if f.late != nil {
			f.late(f)
		}
		return fmt.Errorf("somebody was first: %w", session.ErrConflict)
	}
	f.stored, f.events = next, events
	return nil
}

func TestUpdate(t *testing.T) {
	r := begin(t).do(link("a", company, "pending"))
	f := &fake{stored: r.s}
	s, change, err := session.Update(t.Context(), f, "s1", observe("a", "failed", 1), at(500))
	require.NoError(t, err)
	assert.Equal(t, session.Blocked, s.Status())
	assert.Equal(t, []string{groupBlocked, sessionBlocked}, names(change))
	assert.True(t, s.Equal(f.stored))
	assert.Equal(t, change.Events, f.events)
	assert.Equal(t, []int{1, 1}, []int{f.loads, f.saves})
}

// A conflict is tried again, with what was saved in between.
func TestUpdate_Conflict(t *testing.T) {
	r := begin(t).do(link("a", company, "pending"), link("b", company, "pending"))
	other, _, err := session.Apply(r.s, observe("b", "verified", 1), at(400))
	require.NoError(t, err)
	f := &fake{stored: r.s, conflicts: 1, late: func(f *fake) { f.stored = other }}
	s, _, err := session.Update(t.Context(), f, "s1", observe("a", "verified", 1), at(500))
	require.NoError(t, err)
	assert.Equal(t, session.Done, groupOf(t, s, group.CompanyVerification).Status(), "both commands had their effect")
	assert.Equal(t, r.s.Version()+2, s.Version())
	assert.Equal(t, []int{2, 2}, []int{f.loads, f.saves})
}

// The other one may have done it already, or have made it impossible.
func TestUpdate_ConflictThenOtherwise(t *testing.T) {
	r := begin(t).do(link("a", company, "pending"))
	settled, _, err := session.Apply(r.s, resolve("a"), at(400))
	require.NoError(t, err)
	late := func(f *fake) { f.stored = settled }

	f := &fake{stored: r.s, conflicts: 1, late: late}
	s, change, err := session.Update(t.Context(), f, "s1", resolve("a"), at(500))
	require.ErrorContains(t, err, "RSL-5")
	assert.True(t, s.Equal(settled), "the session as it was loaded last")
	assert.Equal(t, session.Change{}, change)
	assert.Equal(t, []int{2, 1}, []int{f.loads, f.saves})

	observed, _, err := session.Apply(r.s, observe("a", "failed", 5), at(400))
	require.NoError(t, err)
	f = &fake{stored: r.s, conflicts: 1, late: func(f *fake) { f.stored = observed }}
	s, change, err = session.Update(t.Context(), f, "s1", observe("a", "failed", 5), at(500))
	require.NoError(t, err)
	assert.Equal(t, session.Change{Outcome: action.Duplicate}, change)
	assert.True(t, s.Equal(observed))
	assert.Equal(t, 1, f.saves)
}

// A creation has nothing to load. What somebody else created first, it finds
// when it tries again.
func TestUpdate_Create(t *testing.T) {
	c := create(group.CompanyVerification)
	t.Run("nothing is stored", func(t *testing.T) {
		f := &fake{loadErr: fmt.Errorf("s1: %w", session.ErrNotFound)}
		s, change, err := session.Update(t.Context(), f, "s1", c, start)
		require.NoError(t, err)
		assert.Equal(t, 1, s.Version())
		assert.True(t, s.Equal(f.stored))
		assert.Equal(t, change.Events, f.events)
	})
	t.Run("SES-1: one is", func(t *testing.T) {
		f := &fake{stored: begin(t).s}
		s, change, err := session.Update(t.Context(), f, "s1", c, start)
		require.ErrorIs(t, err, session.ErrExists)
		assert.True(t, s.Equal(f.stored))
		assert.Equal(t, session.Change{}, change)
		assert.Zero(t, f.saves)
	})
	t.Run("SES-1: somebody else was first", func(t *testing.T) {
		first := begin(t).s
		f := &fake{loadErr: session.ErrNotFound, conflicts: 1, late: func(f *fake) { f.stored, f.loadErr = first, nil }}
		s, _, err := session.Update(t.Context(), f, "s1", c, start)
		require.ErrorIs(t, err, session.ErrExists)
		assert.True(t, s.Equal(first))
		assert.Equal(t, []int{2, 1}, []int{f.loads, f.saves})
	})
	t.Run("of another id than the one to update", func(t *testing.T) {
		f := &fake{loadErr: session.ErrNotFound}
		s, _, err := session.Update(t.Context(), f, "s2", c, start)
		require.EqualError(t, err, `session: create of s1 refused: it is an update of session "s2" (SES-11)`)
		require.ErrorIs(t, err, action.ErrInvalidID)
		assert.True(t, s.IsZero())
		assert.Zero(t, f.loads+f.saves)
	})
	// A database that compares ids loosely must not have a command change
	// another session than it names.
	t.Run("of a store that returns another session", func(t *testing.T) {
		f := &fake{stored: begin(t).s}
		s, change, err := session.Update(t.Context(), f, "S1", session.Resolve{ResourceID: "a"}, start)
		require.ErrorIs(t, err, session.ErrInvalidSave)
		require.ErrorContains(t, err, "load session S1: ")
		assert.True(t, s.IsZero())
		assert.Equal(t, session.Change{}, change)
		assert.Zero(t, f.saves)
	})
	t.Run("SES-11: refused", func(t *testing.T) {
		f := &fake{loadErr: session.ErrNotFound}
		nameless := c
		nameless.Name = ""
		s, change, err := session.Update(t.Context(), f, "s1", nameless, start)
		require.ErrorIs(t, err, session.ErrInvalidName)
		assert.True(t, s.IsZero())
		assert.Equal(t, session.Change{}, change)
		assert.Zero(t, f.saves)
	})
	t.Run("a load that fails otherwise", func(t *testing.T) {
		broken := errors.New("the disk is full")
		f := &fake{loadErr: broken}
		_, _, err := session.Update(t.Context(), f, "s1", c, start)
		require.ErrorIs(t, err, broken)
		assert.Zero(t, f.saves)
	})
}

func TestUpdate_Bounded(t *testing.T) {
	r := begin(t).do(link("a", company, "pending"))
	for _, test := range []struct {
		conflicts, saves int
		refused          bool
	}{
		{0, 1, false}, {1, 2, false}, {15, 16, false}, {16, 16, true}, {1000, 16, true},
	} {
		t.Run(fmt.Sprint(test.conflicts, " conflicts"), func(t *testing.T) {
			f := &fake{stored: r.s, conflicts: test.conflicts}
			s, change, err := session.Update(t.Context(), f, "s1", observe("a", "failed", 1), at(500))
			assert.Equal(t, test.saves, f.saves)
			if !test.refused {
				require.NoError(t, err)
				assert.True(t, s.Equal(f.stored))
				return
			}
			require.ErrorIs(t, err, session.ErrConflict)
			require.EqualError(t, err, "save session s1: somebody was first: session: conflict")
			assert.True(t, s.Equal(r.s))
			assert.Equal(t, session.Change{}, change)
		})
	}
}

// Every other error is returned at once, beside the session as it was loaded.
func TestUpdate_Errors(t *testing.T) {
	broken := errors.New("the disk is full")
	r := begin(t).do(link("a", company, "pending"), link("old", company, "failed"), retry("old", "new", company, "pending"))
	accepted := observe("a", "failed", 1)
	tests := []struct {
		name    string
		store   fake
		command session.Command
		is      error
		message string
		saves   int
	}{
		{"no such session", fake{loadErr: session.ErrNotFound}, accepted, session.ErrNotFound, "load session s1: session: not found", 0},
		{"a load that fails", fake{loadErr: broken}, accepted, broken, "load session s1: the disk is full", 0},
		{"a save that fails", fake{stored: r.s, saveErr: broken}, accepted, broken, "save session s1: the disk is full", 1},
		{
			"ATT-12: a resource of another session", fake{stored: r.s, saveErr: session.Taken("b", "s2")}, link("b", company, "pending"),
			session.ErrResourceTaken, "save session s1: session: link of b refused: it stands in session s2 (ATT-12)", 1,
		},
		{
			"SES-12: a refused command", fake{stored: r.s}, observe("nobody", "failed", 1),
			session.ErrUnknownResource, "session: observation of nobody refused: session s1 has no such resource (SES-12)", 0,
		},
		{"SES-1: a creation", fake{stored: r.s}, create(group.CompanyVerification), session.ErrExists, "session: create of s1 refused: it exists already (SES-1)", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := test.store
			s, change, err := session.Update(t.Context(), &f, "s1", test.command, at(500))
			require.ErrorIs(t, err, test.is)
			require.EqualError(t, err, test.message)
			assert.True(t, s.Equal(f.stored))
			assert.Equal(t, session.Change{}, change)
			assert.Equal(t, []int{1, test.saves}, []int{f.loads, f.saves})
		})
	}
	for outcome, c := range map[action.Outcome]session.Command{
		action.Duplicate: observe("a", "pending", 0),
		action.Stale:     observe("a", "failed", -1),
		action.Frozen:    observe("old", "inconclusive", 9),
	} {
		t.Run("nothing is saved when nothing changed: "+outcome.String(), func(t *testing.T) {
			f := &fake{stored: r.s, saveErr: broken}
			s, change, err := session.Update(t.Context(), f, "s1", c, at(500))
			require.NoError(t, err)
			assert.Equal(t, session.Change{Outcome: outcome}, change)
			assert.True(t, s.Equal(r.s))
			assert.Zero(t, f.saves)
		})
	}
}

// able is a fake with the optional abilities.
type able struct {
	fake
	resources map[string]string
	history   []session.Event
	failing   error // of every history
}

func (a *able) Find(_ context.Context, resourceID string) (string, error) {
	if id, ok := a.resources[resourceID]; ok {
		return id, nil
	}
	return "", session.ErrNotFound
}

func (a *able) History(_ context.Context, _ string, after int) ([]session.Event, error) {
	if a.failing != nil {
		return nil, a.failing
	}
	return a.history[after:], nil
}

func TestUpdateByResource(t *testing.T) {
	r := begin(t).do(link("a", company, "pending"))
	command := observe("a", "failed", 1)
	t.Run("of the session that has it", func(t *testing.T) {
		a := &able{fake: fake{stored: r.s, conflicts: 2}, resources: map[string]string{"a": "s1"}}
		s, change, err := session.UpdateByResource(t.Context(), a, "a", command, at(500))
		require.NoError(t, err)
		assert.Equal(t, session.Blocked, s.Status())
		assert.Len(t, change.Events, 1)
		assert.Equal(t, 3, a.saves)
	})
	t.Run("of none", func(t *testing.T) {
		a := &able{fake: fake{stored: r.s}}
		s, change, err := session.UpdateByResource(t.Context(), a, "a", command, at(500))
		require.ErrorIs(t, err, session.ErrNotFound)
		assert.True(t, s.IsZero())
		assert.Equal(t, session.Change{}, change)
		assert.Zero(t, a.loads)
	})
	t.Run("by a store that cannot find", func(t *testing.T) {
		f := &fake{stored: r.s}
		_, _, err := session.UpdateByResource(t.Context(), f, "a", command, at(500))
		require.ErrorIs(t, err, session.ErrUnsupported)
		assert.Zero(t, f.loads)
	})
}

func TestFind(t *testing.T) {
	a := &able{resources: map[string]string{"a": "s7"}}
	id, err := session.Find(t.Context(), a, "a")
	require.NoError(t, err)
	assert.Equal(t, "s7", id)
	_, err = session.Find(t.Context(), a, "b")
	require.ErrorIs(t, err, session.ErrNotFound)
	_, err = session.Find(t.Context(), &fake{}, "a")
	require.ErrorIs(t, err, session.ErrUnsupported)
	require.EqualError(t, err,
		"find resource a: session: unsupported by this store: *session_test.fake is no session.Finder")
}

func TestVerify(t *testing.T) {
	r := history(t)
	broken := errors.New("the disk is full")
	forged, _, err := session.Apply(r.s, observe("y", "paused", 999), at(5000))
	require.NoError(t, err)
	tests := []struct {
		name  string
		store session.Store
		is    error
		says  string
	}{
		{"they agree", &able{fake: fake{stored: r.s}, history: r.events}, nil, ""},
		{"events came in between", &able{fake: fake{stored: replayed(t, r.events[:7])}, history: r.events}, nil, ""},
		{"a session that was not asked for", &able{}, session.ErrInvalidSave, "load session s1: "},
		{"no history", &fake{stored: r.s}, session.ErrUnsupported, "*session_test.fake is no session.History"},
		{"no such session", &able{fake: fake{loadErr: session.ErrNotFound}}, session.ErrNotFound, "verify: load session s1: "},
		{"a history that fails", &able{fake: fake{stored: r.s}, failing: broken}, broken, "verify session s1: "},
		{"events are missing at the end", &able{fake: fake{stored: r.s}, history: r.events[:11]}, session.ErrHistory, "event 12: it is missing"},
		{"events are missing before", &able{fake: fake{stored: r.s}, history: append(r.events[:3:3], r.events[4:]...)}, session.ErrHistory, "event 4: it is missing"},
		{"an event is forged", &able{fake: fake{stored: r.s}, history: append(r.events[:2:2], r.events[1:]...)}, session.ErrHistory, "event 3"},
		{"the session is another", &able{fake: fake{stored: forged}, history: append(r.events[:12:12], session.Event{
			SessionID: "s1", Version: 13, At: at(5000), Fact: session.Observed(observe("y", "ongoing", 999)),
			GroupType: group.SignatureRequest, Group: session.Move{From: session.Ongoing, To: session.Ongoing},
			Session: session.Move{From: session.Ongoing, To: session.Ongoing},
		})}, session.ErrHistory, "the events lead to session s1, version 13, ongoing, but stored is session s1, version 13, ongoing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := session.Verify(t.Context(), test.store, "s1")
			if test.is == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.is)
			require.ErrorContains(t, err, test.says)
		})
	}
}

func replayed(t *testing.T, events []session.Event) session.Session {
	t.Helper()
	s, err := session.Replay(events)
	require.NoError(t, err)
	return s
}

func TestCheckSave(t *testing.T) {
	r := history(t)
	s, all := r.s, r.events
	stored, err := session.CheckSave(s, all)
	require.NoError(t, err)
	assert.Equal(t, 0, stored)
	stored, err = session.CheckSave(s, all[9:])
	require.NoError(t, err)
	assert.Equal(t, 9, stored)

	foreign, again, empty, pointer := slices.Clone(all), slices.Clone(all), slices.Clone(all), slices.Clone(all)
	empty[11].Fact, pointer[11].Fact = nil, &session.Resolved{}
	foreign[11].SessionID = "s2"
	again[10].Fact = all[0].Fact
	doc, _, err := session.ParseDocument([]byte(document(t, s)))
	require.NoError(t, err)
	first, change1, err := session.Apply(doc, observe("y", "paused", 999), at(5000))
	require.NoError(t, err)
	second, change2, err := session.Apply(first, observe("y", "ongoing", 9999), at(6000))
	require.NoError(t, err)
	tests := []struct {
		name   string
		next   session.Session
		events []session.Event
	}{
		{"no events", s, nil},
		{"of no session", session.Session{}, nil},
		{"more events than versions", replayed(t, all[:2]), all},
		{"a gap", s, append(all[9:10:10], all[11])},
		{"not up to the session", s, all[:11]},
		{"too far", replayed(t, all[:11]), all[9:]},
		{"doubled", s, append(all[10:11:11], all[10])},
		{"of another session", s, foreign},
		{"one without a fact", s, empty},
		{"one with a pointer to a fact", s, pointer},
		{"a creation that is not the first", s, again},
		{"a first that is no creation", replayed(t, all[:1]), []session.Event{{SessionID: "s1", Version: 1, Fact: all[1].Fact}}},
		{"a session from a document", doc, all},
		{"one on which a command was tried", first, change1.Events},
		{"one on which two were", second, append(change1.Events[:1:1], change2.Events...)},
		{"the second of them", second, change2.Events},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := session.CheckSave(test.next, test.events)
			require.ErrorIs(t, err, session.ErrInvalidSave)
		})
	}
	_, err = session.CheckSave(s, append(all[9:10:10], all[11]))
	require.ErrorContains(t, err, "event 10 where event 11 is due for session s1")
}

func TestTaken(t *testing.T) {
	err := session.Taken("a", "s2")
	var r *session.Refusal
	require.ErrorAs(t, err, &r)
	require.ErrorIs(t, err, session.ErrResourceTaken)
	assert.Equal(t, []string{"ATT-12", "a"}, []string{r.Rule, r.Subject})
	assert.EqualError(t, err, "session: link of a refused: it stands in session s2 (ATT-12)")
}
