package fsm_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
)

func TestNext(t *testing.T) {
	for _, c := range []struct {
		from  State
		event Event
		to    State
	}{
		{Packed, PickedUp, Moving},
		{Moving, Held, Waiting},
		{Waiting, Released, Moving},
		{Moving, HandedOver, Delivered},
		{Waiting, HandedOver, Delivered},
		{Moving, Vanished, Lost},
		{Waiting, Vanished, Lost},
	} {
		next, err := parcel.Next(c.from, c.event)
		require.NoError(t, err)
		assert.Equal(t, c.to, next)
		assert.True(t, parcel.Can(c.from, c.event))
	}
}

// Whatever the values are, a refusal gives the state back and says why.
func TestACT3NextRefuses(t *testing.T) {
	m := edges()
	for name, c := range map[string]struct {
		state   state
		event   event
		is      error
		message string
	}{
		"an event of another state":     {1, 2, fsm.ErrNotAllowed, "fsm: edges: event e2 is not allowed in state s1 (allowed: e255, e1)"},
		"the zero event":                {1, 0, fsm.ErrNotAllowed, "fsm: edges: event e0 is not allowed in state s1 (allowed: e255, e1)"},
		"an event of no state":          {1, 254, fsm.ErrNotAllowed, "fsm: edges: event e254 is not allowed in state s1 (allowed: e255, e1)"},
		"a dead end":                    {200, 1, fsm.ErrNotAllowed, "fsm: edges: event e1 is not allowed in state s200 (allowed: none)"},
		"the zero state":                {0, 1, fsm.ErrUnknownState, "fsm: edges: s0 is not a state of this machine (known: s1, s9, s200)"},
		"a state below the highest":     {199, 1, fsm.ErrUnknownState, "fsm: edges: s199 is not a state of this machine (known: s1, s9, s200)"},
		"a state above the highest":     {201, 1, fsm.ErrUnknownState, "fsm: edges: s201 is not a state of this machine (known: s1, s9, s200)"},
		"the last state and event":      {255, 255, fsm.ErrUnknownState, "fsm: edges: s255 is not a state of this machine (known: s1, s9, s200)"},
		"the zero state and zero event": {0, 0, fsm.ErrUnknownState, "fsm: edges: s0 is not a state of this machine (known: s1, s9, s200)"},
	} {
		t.Run(name, func(t *testing.T) {
			next, err := m.Next(c.state, c.event)
			require.EqualError(t, err, c.message)
			assert.Equal(t, c.state, next)
			assert.False(t, m.Can(c.state, c.event))

			require.ErrorIs(t, err, c.is)
			for _, other := range []error{fsm.ErrNotAllowed, fsm.ErrUnknownState, fsm.ErrTable} {
				assert.Equal(t, errors.Is(other, c.is), errors.Is(err, other), "%v", other)
			}
			var refusal *fsm.EventError[state, event]
			require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &refusal)
			assert.Equal(t, c.state, refusal.State)
			assert.Equal(t, c.event, refusal.Event)
			assert.Equal(t, "edges", refusal.Machine())
			assert.Equal(t, slices.Collect(m.Allowed(c.state)), refusal.Allowed())
			// The types of another machine do not match.
			assert.NotErrorAs(t, err, new(*fsm.EventError[State, Event]))
		})
	}
}

// edges has a gap between its states, and events at both ends.
func edges() *machine {
	return fsm.MustCompile(table{
		Name: "edges", States: []state{1, 9, 200}, Initial: []state{9, 1},
		Rows: []row{
			{Event: 255, From: []state{9, 1}, To: 200},
			{Event: 1, From: []state{1}, To: 9},
			{Event: 2, From: []state{9}, To: 9},
		},
	})
}

// No pair of values, of all there are, reads outside of the table.
func TestNoValueIsOutOfBounds(t *testing.T) {
	for _, m := range []*machine{edges(), new(machine), fsm.MustCompile(table{
		Name: "last", States: []state{255}, Initial: []state{255}, Rows: []row{{Event: 255, From: []state{255}, To: 255}},
	})} {
		rows := m.Rows()
		for s := range 256 {
			for e := range 256 {
				want, allowed := lookup(rows, state(s), event(e))
				next, err := m.Next(state(s), event(e))
				if allowed != (err == nil) || allowed && next != want || allowed != m.Can(state(s), event(e)) {
					t.Errorf("%s: %d in %d: %v, %v", m.Name(), e, s, next, err)
				}
			}
		}
	}
}

func TestWhatAMachineTellsOfItself(t *testing.T) {
	m := edges()
	assert.Equal(t, "edges", m.Name())
	assert.Equal(t, []state{1, 9, 200}, m.States())
	assert.Equal(t, []state{9, 1}, m.Initial())
	assert.Equal(t, []state{200}, m.Terminal())
	assert.Equal(t, row{Event: 255, From: []state{9, 1}, To: 200}, m.Rows()[0])
	for s, rank := range map[state]int{0: -1, 1: 0, 2: -1, 9: 1, 199: -1, 200: 2, 201: -1, 255: -1} {
		assert.Equal(t, rank, m.Rank(s), "%s", s)
		assert.Equal(t, rank >= 0, m.Has(s), "%s", s)
	}
	for e, has := range map[event]bool{0: false, 1: true, 2: true, 3: false, 254: false, 255: true} {
		assert.Equal(t, has, m.HasEvent(e), "%s", e)
	}
	assert.Equal(t, []event{255, 1}, slices.Collect(m.Allowed(1)))
	assert.Equal(t, []event{255, 2}, slices.Collect(m.Allowed(9)))
	for _, s := range []state{0, 200, 201, 255} {
		assert.Empty(t, slices.Collect(m.Allowed(s)), "%s", s)
	}
}

// A reader of Allowed may stop early.
func TestAllowedCanBeLeft(t *testing.T) {
	for e := range edges().Allowed(1) {
		assert.Equal(t, event(255), e)
		break
	}
}

func TestReachesAndPath(t *testing.T) {
	for _, c := range []struct {
		from, to State
		path     []Event // nil if there is none
	}{
		{Packed, Packed, []Event{}},
		{Packed, Moving, []Event{PickedUp}},
		{Packed, Waiting, []Event{PickedUp, Held}},
		{Packed, Delivered, []Event{PickedUp, HandedOver}},
		{Waiting, Moving, []Event{Released}},
		{Waiting, Lost, []Event{Vanished}},
		{Moving, Packed, nil},
		{Delivered, Lost, nil},
		{Lost, Lost, []Event{}},
		{0, 0, nil},
		{0, Packed, nil},
		{Packed, 0, nil},
		{Packed, 255, nil},
		{255, 255, nil},
	} {
		path, ok := parcel.Path(c.from, c.to)
		assert.Equal(t, c.path, path, "%d to %d", c.from, c.to)
		assert.Equal(t, c.path != nil, ok, "%d to %d", c.from, c.to)
		assert.Equal(t, ok, parcel.Reaches(c.from, c.to), "%d to %d", c.from, c.to)
	}
}

// Of two ways that are equally short, Path takes the one declared first.
func TestPathGoesByDeclaredOrder(t *testing.T) {
	for _, events := range [][]event{{1, 2}, {2, 1}} {
		m := fsm.MustCompile(table{
			Name: "m", States: []state{1, 2}, Initial: []state{1},
			Rows: []row{{Event: events[0], From: []state{1}, To: 2}, {Event: events[1], From: []state{1}, To: 2}},
		})
		path, ok := m.Path(1, 2)
		require.True(t, ok)
		assert.Equal(t, events[:1], path)
	}
}

// A state that only loops is a dead end.
func TestTerminalCountsLoopsForNothing(t *testing.T) {
	m := action.TypeSignatureRequest.Machine()
	assert.Equal(t, []action.Status{action.Deleted}, m.Terminal())
	assert.True(t, m.Can(action.Deleted, action.EventPermanentlyDeleted))
}

func TestTheZeroMachineRefusesEverything(t *testing.T) {
	m := new(machine)
	next, err := m.Next(1, 1)
	require.EqualError(t, err, "fsm: : s1 is not a state of this machine (known: none)")
	require.ErrorIs(t, err, fsm.ErrUnknownState)
	assert.Equal(t, state(1), next)
	assert.False(t, m.Can(0, 0))
	assert.False(t, m.Has(0))
	assert.False(t, m.HasEvent(0))
	assert.False(t, m.Reaches(0, 0))
	assert.Equal(t, -1, m.Rank(0))
	path, ok := m.Path(0, 0)
	assert.Nil(t, path)
	assert.False(t, ok)
	assert.Empty(t, slices.Collect(m.Allowed(0)))
	assert.Empty(t, m.Name())
	assert.Empty(t, m.States())
	assert.Empty(t, m.Initial())
	assert.Empty(t, m.Terminal())
	assert.Empty(t, m.Rows())
}

func TestLegalQuestionsAllocateNothing(t *testing.T) {
	m := action.TypeSignatureRequest.Machine()
	s := action.Ongoing
	var err error
	ok := true
	for name, ask := range map[string]func(){
		"Next": func() {
			if s, err = m.Next(s, action.EventPaused); err == nil {
				s, err = m.Next(s, action.EventResumed)
			}
		},
		"Can":     func() { ok = ok && m.Can(s, action.EventPaused) },
		"Reaches": func() { ok = ok && m.Reaches(action.Draft, s) },
		"Rank":    func() { ok = ok && m.Rank(s) == 2 },
		"Allowed": func() {
			for e := range m.Allowed(s) {
				ok = ok && e != 0
			}
		},
	} {
		assert.Zero(t, testing.AllocsPerRun(100, ask), name)
	}
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, action.Ongoing, s)
}

// One machine serves everybody; the race detector watches.
func TestMachinesAreSafeForConcurrentUse(t *testing.T) {
	m := action.TypeSignatureRequest.Machine()
	want := walk(m)
	got := make([]string, 32)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i] = walk(m) })
	}
	all.Wait()
	for _, g := range got {
		require.Equal(t, want, g)
	}
}

// walk asks a machine everything and notes the answers.
func walk(m *action.Machine) string {
	var notes []any
	note := func(answer ...any) { notes = append(notes, answer...) }
	note(m.Name(), m.States(), m.Initial(), m.Terminal(), m.Rows())
	for _, s := range m.States() {
		note(slices.Collect(m.Allowed(s)), m.Rank(s), m.Has(s))
		for _, e := range action.Events() {
			note(m.Next(s, e))
			note(m.Can(s, e), m.HasEvent(e))
		}
		for _, to := range m.States() {
			note(m.Path(s, to))
			note(m.Reaches(s, to))
		}
	}
	return fmt.Sprint(notes...)
}
