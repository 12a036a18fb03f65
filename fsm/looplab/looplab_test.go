package looplab_test

import (
	"testing"

	loop "github.com/looplab/fsm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/fsm/looplab"
)

func TestTablesSurviveTheWayThereAndBack(t *testing.T) {
	t.Run("random machines", rapid.MakeCheck(func(t *rapid.T) {
		m := machines().Draw(t, "machine")
		thereAndBack(t, m, goodStates(), goodEvents())
	}))
	for _, m := range action.Machines() {
		t.Run(m.Name(), func(t *testing.T) {
			thereAndBack(t, m, action.Statuses(), action.Events())
		})
	}
}

// thereAndBack takes a machine to looplab's events, those to another machine,
// and that one to events again, and asks for equality at every stop.
func thereAndBack[S, E fsm.Enum](t require.TestingT, m *fsm.Machine[S, E], states []S, events []E) {
	table, err := looplab.Events(m)
	require.NoError(t, err)
	rows, err := looplab.Rows(table, states, events)
	require.NoError(t, err)
	if len(m.Rows()) > 0 {
		require.Equal(t, m.Rows(), rows)
	}
	twin, err := fsm.Compile(fsm.Table[S, E]{
		Name: m.Name(), States: m.States(), Initial: m.Initial(), Rows: rows,
	})
	require.NoError(t, err)
	for _, s := range states {
		for _, e := range events {
			next, nextErr := m.Next(s, e)
			twinNext, twinErr := twin.Next(s, e)
			require.Equal(t, next, twinNext)
			require.Equal(t, nextErr == nil, twinErr == nil)
		}
	}
	again, err := looplab.Events(twin)
	require.NoError(t, err)
	require.Equal(t, table, again)
}

// The other way round: a table that somebody wrote for looplab, if it is
// accepted at all, comes back as it was written.
func TestEventsSurviveTheWayThereAndBack(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		table := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) loop.EventDesc {
			return loop.EventDesc{
				Name: rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "name"),
				Src:  rapid.SliceOfN(name, 0, 2).Draw(t, "src"),
				Dst:  name.Draw(t, "dst"),
			}
		}), 1, 4).Draw(t, "events")

		states := []letter{1, 2, 3}
		rows, err := looplab.Rows(table, states, []sign{1, 2, 3})
		require.NoError(t, err)
		m, err := fsm.Compile(fsm.Table[letter, sign]{
			Name: "m", States: ranked(states, rows), Initial: states, Rows: rows,
		})
		if sound := isSound(table); !sound {
			require.ErrorIs(t, err, fsm.ErrTable)
			return
		}
		require.NoError(t, err)
		accepted++
		back, err := looplab.Events(m)
		require.NoError(t, err)
		require.Equal(t, loop.Events(table), back)
	})
	assert.Positive(t, accepted, "no table was sound: this shows nothing")
}

type (
	letter uint8
	sign   uint8
)

func (l letter) String() string { return [...]string{"none", "a", "b", "c"}[l] }
func (s sign) String() string   { return [...]string{"none", "x", "y", "z"}[s] }

// isSound reports whether looplab would use all that a table says: every event
// has a source, and none a second destination in it.
func isSound(table loop.Events) bool {
	seen := map[[2]string]bool{}
	for _, d := range table {
		for _, src := range d.Src {
			if seen[[2]string{src, d.Name}] {
				return false
			}
			seen[[2]string{src, d.Name}] = true
		}
		if len(d.Src) == 0 {
			return false
		}
	}
	return true
}

// What looplab takes and drops is refused here, and the row is named.
func TestWhatLooplabDropsIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		table loop.Events
		want  string
	}{
		"a second destination": {
			loop.Events{{Name: "x", Src: []string{"a"}, Dst: "b"}, {Name: "x", Src: []string{"c", "a"}, Dst: "c"}},
			`fsm: machine "m": row 2 (x): state a has this event already, in row 1`,
		},
		"no source": {
			loop.Events{{Name: "x", Src: []string{"a"}, Dst: "b"}, {Name: "y", Dst: "c"}},
			`fsm: machine "m": row 2 (y): no source state; at least one is needed`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			states := []letter{1, 2, 3}
			rows, err := looplab.Rows(c.table, states, []sign{1, 2, 3})
			require.NoError(t, err)
			_, err = fsm.Compile(fsm.Table[letter, sign]{Name: "m", States: states, Initial: states, Rows: rows})
			require.EqualError(t, err, c.want)
			assert.ErrorIs(t, err, fsm.ErrTable)
		})
	}
}

func TestRES6UnknownNamesAreRefusedWithWhatIsKnown(t *testing.T) {
	states, events := []letter{1, 2}, []sign{1, 2}
	_, err := looplab.Rows(loop.Events{
		{Name: "x", Src: []string{"a", "A"}, Dst: "b"},
		{Name: "", Src: []string{"a"}, Dst: "c"},
	}, states, events)
	require.EqualError(t, err, `looplab: event 1: state "A" is unknown (known: a, b)`+"\n"+
		`looplab: event 2: event "" is unknown (known: x, y)`+"\n"+
		`looplab: event 2: state "c" is unknown (known: a, b)`)

	var name *looplab.NameError
	require.ErrorAs(t, err, &name)
	assert.Equal(t, &looplab.NameError{
		Row: 1, Kind: "state", Name: "A", Reason: "is unknown", Known: []string{"a", "b"},
	}, name)
}

// Two values of one name would be one to looplab, and a value without a name
// would be all of them.
func TestNamesMustTellValuesApart(t *testing.T) {
	const empty, twin, other = state(22), state(23), state(24)
	require.Equal(t, []string{"", "twin", "twin"}, []string{empty.String(), twin.String(), other.String()})

	_, err := looplab.Rows(nil, []state{1, empty, twin, other}, []event{1})
	require.EqualError(t, err, `looplab: state "" is no name for value 22 (known: draft, , twin, twin)`+"\n"+
		`looplab: state "twin" is the name of two values, 23 and 24 (known: draft, , twin, twin)`)

	m := fsm.MustCompile(fsm.Table[state, event]{
		Name: "m", States: []state{twin, other}, Initial: []state{twin},
		Rows: []row{{Event: 1, From: []state{twin}, To: other}},
	})
	const want = `looplab: state "twin" is the name of two values, 23 and 24 (known: twin, twin)`
	_, err = looplab.Events(m)
	require.EqualError(t, err, want)
	_, err = looplab.New(m, twin, nil)
	require.EqualError(t, err, want)

	t.Run("events too", func(t *testing.T) {
		const goes, stops, namesake = event(1), event(2), event(12)
		m := fsm.MustCompile(fsm.Table[state, event]{
			Name: "m", States: []state{1, 2}, Initial: []state{1},
			Rows: []row{
				{Event: stops, From: []state{1}, To: 1}, {Event: stops, From: []state{2}, To: 2},
				{Event: goes, From: []state{1}, To: 2}, {Event: namesake, From: []state{1}, To: 2},
			},
		})
		_, err := looplab.Events(m)
		require.EqualError(t, err, `looplab: event "go" is the name of two values, 1 and 12 (known: stop, go, go)`)
	})
	t.Run("one value may be listed twice", func(t *testing.T) {
		_, err := looplab.Rows(nil, []state{1, 1}, []event{1, 1})
		assert.NoError(t, err)
	})
}
