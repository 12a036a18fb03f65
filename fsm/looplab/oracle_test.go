package looplab_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	loop "github.com/looplab/fsm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/fsm/looplab"
)

// spec is ACT-1 and ACT-2 once more, copied by hand from the rules and not
// from the machines: looplab runs it, and judges them.
var spec = map[string]loop.Events{
	"signature_request": {
		{Name: "activated", Src: []string{"draft"}, Dst: "ongoing"},
		{Name: "activated_for_approval", Src: []string{"draft"}, Dst: "approval"},
		{Name: "approved", Src: []string{"approval"}, Dst: "ongoing"},
		{Name: "rejected", Src: []string{"approval"}, Dst: "rejected"},
		{Name: "done", Src: []string{"ongoing"}, Dst: "done"},
		{Name: "declined", Src: []string{"ongoing"}, Dst: "declined"},
		{Name: "canceled", Src: []string{"approval", "ongoing"}, Dst: "canceled"},
		{Name: "expired", Src: []string{"approval", "ongoing"}, Dst: "expired"},
		{Name: "reactivated", Src: []string{"expired"}, Dst: "ongoing"},
		{Name: "reactivated_for_approval", Src: []string{"expired"}, Dst: "approval"},
		{Name: "paused", Src: []string{"ongoing"}, Dst: "paused"},
		{Name: "resumed", Src: []string{"paused"}, Dst: "ongoing"},
		{
			Name: "deleted",
			Src:  []string{"draft", "paused", "done", "rejected", "declined", "expired", "canceled"},
			Dst:  "deleted",
		},
		{
			Name: "permanently_deleted",
			Src:  []string{"draft", "paused", "done", "rejected", "declined", "expired", "canceled", "deleted"},
			Dst:  "deleted",
		},
	},
	"verification": {
		{Name: "data_received", Src: []string{"awaiting_data"}, Dst: "pending"},
		{Name: "verified", Src: []string{"awaiting_data", "pending"}, Dst: "verified"},
		{Name: "failed", Src: []string{"awaiting_data", "pending"}, Dst: "failed"},
		{Name: "inconclusive", Src: []string{"awaiting_data", "pending"}, Dst: "inconclusive"},
	},
	"verification_without_data": {
		{Name: "verified", Src: []string{"pending"}, Dst: "verified"},
		{Name: "failed", Src: []string{"pending"}, Dst: "failed"},
		{Name: "inconclusive", Src: []string{"pending"}, Dst: "inconclusive"},
	},
	"document_analysis": {
		{Name: "data_received", Src: []string{"awaiting_data"}, Dst: "pending"},
		{Name: "done", Src: []string{"awaiting_data", "pending"}, Dst: "done"},
		{Name: "failed", Src: []string{"awaiting_data", "pending"}, Dst: "failed"},
		{Name: "inconclusive", Src: []string{"awaiting_data", "pending"}, Dst: "inconclusive"},
	},
}

// judge compares a machine with a looplab machine for every state and every
// event, of other machines too, and returns where they disagree. A state that
// the table does not name is, to looplab, one that allows nothing.
func judge(table loop.Events, m *action.Machine) []error {
	var faults []error
	fault := func(s action.Status, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s in %s: %s", m.Name(), s, fmt.Sprintf(format, args...)))
	}
	for _, s := range action.Statuses() {
		var allowed []string
		for e := range m.Allowed(s) {
			allowed = append(allowed, e.String())
		}
		slices.Sort(allowed)
		available := loop.NewFSM(s.String(), table, nil).AvailableTransitions()
		slices.Sort(available)
		if !slices.Equal(available, allowed) {
			fault(s, "allows %v, looplab has %v", allowed, available)
		}
		for _, e := range action.Events() {
			twin := loop.NewFSM(s.String(), table, nil)
			if can := twin.Can(e.String()); can != m.Can(s, e) {
				fault(s, "can %s: %t, with looplab %t", e, m.Can(s, e), can)
			}
			if next, err := m.Next(s, e); !agree(twin, e, next, err) {
				fault(s, "%s leads to %s (%v), with looplab to %s", e, next, err, twin.Current())
			}
		}
	}
	return faults
}

// agree fires an event at looplab's machine and reports whether it ends where
// the other did and has the same opinion of the event.
func agree(twin *loop.FSM, e action.Event, next action.Status, err error) bool {
	twinErr := twin.Event(context.Background(), e.String())
	if unchanged := (loop.NoTransitionError{}); errors.As(twinErr, &unchanged) {
		twinErr = unchanged.Err
	}
	return twin.Current() == next.String() && (twinErr == nil) == (err == nil)
}

func TestACT1ACT2MachinesAgreeWithLooplab(t *testing.T) {
	require.Len(t, spec, len(action.Machines()))
	for _, m := range action.Machines() {
		t.Run(m.Name(), func(t *testing.T) {
			require.Contains(t, spec, m.Name())
			assert.Empty(t, judge(spec[m.Name()], m))
		})
	}
}

// The rows of the machines are those of the rules, in their order too.
func TestACT1ACT2RowsAreThoseOfTheSpec(t *testing.T) {
	for _, m := range action.Machines() {
		table, err := looplab.Events(m)
		require.NoError(t, err)
		assert.Equal(t, spec[m.Name()], table, m.Name())
	}
}

func TestACT1ACT2HistoriesAgreeWithLooplab(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(action.Machines()).Draw(t, "machine")
		state := rapid.SampledFrom(m.States()).Draw(t, "state")
		plain := loop.NewFSM(state.String(), spec[m.Name()], nil)
		entity, err := looplab.New(m, state, nil)
		require.NoError(t, err)
		t.Repeat(map[string]func(*rapid.T){
			"any event": func(t *rapid.T) {
				step(t, m, &state, plain, entity, rapid.SampledFrom(action.Events()).Draw(t, "event"))
			},
			"an allowed event": func(t *rapid.T) {
				allowed := slices.Collect(m.Allowed(state))
				if len(allowed) == 0 {
					t.Skip("dead end")
				}
				step(t, m, &state, plain, entity, rapid.SampledFrom(allowed).Draw(t, "event"))
			},
		})
	})
}

// step drives the machine, plain looplab and an entity by one event.
func step(
	t require.TestingT, m *action.Machine, state *action.Status,
	plain *loop.FSM, entity *looplab.Entity[action.Status, action.Event], e action.Event,
) {
	next, err := m.Next(*state, e)
	require.True(t, agree(plain, e, next, err), "%s: %s in %s", m.Name(), e, *state)
	require.Equal(t, err, entity.Fire(context.Background(), e))
	require.Equal(t, next, entity.State())
	*state = next
}

// A judge that finds nothing in a broken machine would prove nothing: a machine
// that differs from the rules in one row is found out, whatever the row and
// whatever the difference.
func TestACT1BrokenTwinsAreCaught(t *testing.T) {
	m := action.TypeSignatureRequest.Machine()
	rapid.Check(t, func(t *rapid.T) {
		rows := m.Rows()
		i := rapid.IntRange(0, len(rows)-1).Draw(t, "row")
		breakRow(t, m, &rows[i])
		if len(rows[i].From) == 0 {
			rows = slices.Delete(rows, i, i+1)
		}
		twin, err := fsm.Compile(fsm.Table[action.Status, action.Event]{
			Name: "twin", States: ranked(m.States(), rows), Initial: m.States(), Rows: rows,
		})
		require.NoError(t, err)
		require.NotEmpty(t, judge(spec[m.Name()], twin))
	})
}

// breakRow changes what a row says, but not so that it contradicts another.
func breakRow(t *rapid.T, m *action.Machine, r *fsm.Row[action.Status, action.Event]) {
	aState := rapid.SampledFrom(m.States())
	switch rapid.IntRange(1, 4).Draw(t, "change") {
	case 1:
		old := r.To
		r.To = aState.Filter(func(s action.Status) bool { return s != old }).Draw(t, "to")
	case 2:
		i := rapid.IntRange(0, len(r.From)-1).Draw(t, "from")
		r.From = slices.Delete(r.From, i, i+1)
	case 3:
		r.From = append(r.From,
			aState.Filter(func(s action.Status) bool { return !m.Can(s, r.Event) }).Draw(t, "from"))
	default:
		r.Event = action.EventVerified // of another machine
	}
}
