package fsm_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/fsm"
)

func TestCompileRefusesWhatItSaysAndNothingElse(t *testing.T) {
	outcomes := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		table := spoiltTables().Draw(t, "table")
		_, err := fsm.Compile(table)
		require.Equal(t, refused(table), err != nil, "%v", err)
		if err != nil {
			require.ErrorIs(t, err, fsm.ErrTable)
		}
		outcomes[err == nil]++
	})
	assert.Len(t, outcomes, 2, "the tables are of one kind: this shows little")
}

// probes are the declared values and some that are not.
var (
	probeStates = append([]state{0, 4, 254}, someStates...)
	probeEvents = append([]event{0, 3, 254}, someEvents...)
)

func TestMachineAnswersAsItsRowsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := soundTables().Draw(t, "table")
		m := fsm.MustCompile(table)
		for _, s := range probeStates {
			rank := slices.Index(table.States, s)
			require.Equal(t, rank, m.Rank(s))
			require.Equal(t, rank >= 0, m.Has(s))
			for _, e := range probeEvents {
				want, allowed := lookup(table.Rows, s, e)
				next, err := m.Next(s, e)
				require.Equal(t, allowed, m.Can(s, e))
				if allowed {
					require.NoError(t, err)
					require.Equal(t, want, next)
					continue
				}
				require.Error(t, err)
				require.Equal(t, s, next)
			}
			for _, to := range probeStates {
				want := m.Has(s) && leads(table.Rows, s, to)
				require.Equal(t, want, m.Reaches(s, to), "%s to %s", s, to)
			}
		}
	})
}

func TestListsAreWhatTheRowsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := soundTables().Draw(t, "table")
		m := fsm.MustCompile(table)
		declared := map[event]bool{}
		var terminal []state
		for _, s := range table.States {
			var allowed []event
			leaves := false
			for _, r := range table.Rows {
				if slices.Contains(r.From, s) {
					allowed = append(allowed, r.Event)
					declared[r.Event] = true
					leaves = leaves || r.To != s
				}
			}
			if !leaves {
				terminal = append(terminal, s)
			}
			require.Equal(t, allowed, slices.Collect(m.Allowed(s)))
		}
		require.Equal(t, terminal, m.Terminal())
		for _, e := range probeEvents {
			require.Equal(t, declared[e], m.HasEvent(e))
		}
	})
}

func TestACT4RankAgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := fsm.MustCompile(soundTables().Draw(t, "table"))
		for _, s := range m.States() {
			for _, to := range m.States() {
				if m.Reaches(s, to) && !m.Reaches(to, s) {
					require.Less(t, m.Rank(s), m.Rank(to), "%s leads to %s for good", s, to)
				}
			}
		}
	})
}

func TestPathIsTheFirstOfTheShortest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := soundTables().Draw(t, "table")
		m := fsm.MustCompile(table)
		for _, from := range probeStates {
			for _, to := range probeStates {
				path, ok := m.Path(from, to)
				require.Equal(t, m.Reaches(from, to), ok)
				if !ok {
					require.Nil(t, path)
					continue
				}
				require.Equal(t, to, follow(t, m, from, path))
				want, found := firstPath(table.Rows, from, to, len(table.States))
				require.True(t, found)
				require.Equal(t, want, path)
			}
		}
	})
}

// follow returns the state that a path ends in.
func follow(t require.TestingT, m *machine, s state, path []event) state {
	for _, e := range path {
		next, err := m.Next(s, e)
		require.NoError(t, err)
		s = next
	}
	return s
}

func TestAMachineCanBeCompiledFromWhatItTells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := soundTables().Draw(t, "table")
		m := fsm.MustCompile(table)
		require.Equal(t, table.Name, m.Name())
		require.Equal(t, table.States, m.States())
		require.Equal(t, table.Initial, m.Initial())
		require.Equal(t, table.Rows, m.Rows())

		again, err := fsm.Compile(fsm.Table[state, event]{
			Name: m.Name(), States: m.States(), Initial: m.Initial(), Rows: m.Rows(),
		})
		require.NoError(t, err)
		require.True(t, fsm.Same(m, again))
	})
}

// Same is not blind: machines of tables that differ in one thing are not the same.
func TestSame(t *testing.T) {
	table := soundTables().Example(1)
	for name, change := range map[string]func(m *fsm.Machine[state, event]){
		"a cell": fsm.SpoilCell[state, event], "a reach": fsm.SpoilReach[state, event], "a name": fsm.SpoilName[state, event],
	} {
		m, twin := fsm.MustCompile(cloned(table)), fsm.MustCompile(cloned(table))
		require.True(t, fsm.Same(m, twin))
		change(m)
		require.False(t, fsm.Same(m, twin), name)
	}
}

// A machine shows no slice that it keeps, and keeps none that it was given.
func TestMachinesCannotBeChangedFromOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := soundTables().Draw(t, "table")
		m, twin := fsm.MustCompile(cloned(table)), fsm.MustCompile(cloned(table))
		path := func() []event { p, _ := m.Path(table.States[0], table.States[len(table.States)-1]); return p }

		given := cloned(table)
		victim := fsm.MustCompile(given)
		spoil(given.States, given.Initial, given.Rows)
		require.True(t, fsm.Same(twin, victim))

		before := path()
		spoil(m.States(), m.Initial(), m.Rows())
		spoil(m.Terminal(), nil, nil)
		clear(path())
		require.True(t, fsm.Same(twin, m))
		require.Equal(t, before, path())

		_, err := m.Next(table.States[0], 254)
		var refusal *fsm.EventError[state, event]
		require.ErrorAs(t, err, &refusal)
		clear(refusal.Allowed())
		require.True(t, fsm.Same(twin, m))
	})
}

func cloned(t table) table {
	t.States, t.Initial, t.Rows = slices.Clone(t.States), slices.Clone(t.Initial), slices.Clone(t.Rows)
	for i := range t.Rows {
		t.Rows[i].From = slices.Clone(t.Rows[i].From)
	}
	return t
}

// spoil writes into everything that it is given.
func spoil(states, initial []state, rows []row) {
	clear(states)
	clear(initial)
	for i := range rows {
		clear(rows[i].From)
	}
	clear(rows)
}
