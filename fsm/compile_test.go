package fsm_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/fsm"
)

// refusals has every fault of a table by itself, and many at once.
var refusals = map[string]struct {
	table table
	want  []string // what each fault says behind the name of the machine
}{
	"no name": {
		table{States: []state{1}, Initial: []state{1}},
		[]string{"the machine has no name"},
	},
	"a name of spaces": {
		table{Name: " \t", States: []state{1}, Initial: []state{1}},
		[]string{"the machine has no name"},
	},
	"no initial state": {
		table{Name: "m", States: []state{1}},
		[]string{"no initial state; at least one is needed"},
	},
	"nothing at all": {
		table{},
		[]string{"the machine has no name", "no initial state; at least one is needed"},
	},
	"the zero state": {
		table{Name: "m", States: []state{1, 0}, Initial: []state{1}},
		[]string{"state 2 is the zero value, which means none"},
	},
	"a state declared twice": {
		table{Name: "m", States: []state{1, 2, 1}, Initial: []state{1, 2}},
		[]string{"state s1 is declared twice"},
	},
	"an initial state that is not declared": {
		table{Name: "m", States: []state{1, 2}, Initial: []state{1, 2, 255}},
		[]string{"initial state s255 is not declared; declared are s1, s2"},
	},
	"the zero state as initial": {
		table{Name: "m", States: []state{1}, Initial: []state{0, 1}},
		[]string{"initial state s0 is not declared; declared are s1"},
	},
	"an initial state listed twice": {
		table{Name: "m", States: []state{1, 2}, Initial: []state{1, 2, 1}},
		[]string{"initial state s1 is listed twice"},
	},
	"no states": {
		table{Name: "m", Initial: []state{1}},
		[]string{"initial state s1 is not declared; declared are none"},
	},
	// Each fault of a row is told, not only the first.
	"a row doubled in every source": {
		withRows(row{Event: 1, From: []state{1, 2}, To: 2}, row{Event: 1, From: []state{1, 2}, To: 1}),
		[]string{
			"row 2 (e1): state s1 has this event already, in row 1",
			"row 2 (e1): state s2 has this event already, in row 1",
		},
	},
	"the zero event": {
		withRows(row{Event: 0, From: []state{1}, To: 2}),
		[]string{"row 1 (e0): the event is the zero value, which means none"},
	},
	"a row without source": {
		withRows(row{Event: 1, From: []state{1}, To: 2}, row{Event: 7, To: 2}),
		[]string{"row 2 (e7): no source state; at least one is needed"},
	},
	"an undeclared destination": {
		withRows(row{Event: 1, From: []state{1}, To: 4}),
		[]string{"row 1 (e1): state s4 is not declared; declared are s1, s2, s3"},
	},
	"an undeclared source": {
		withRows(row{Event: 1, From: []state{1, 255}, To: 2}),
		[]string{"row 1 (e1): state s255 is not declared; declared are s1, s2, s3"},
	},
	"the zero state in a row": {
		withRows(row{Event: 1, From: []state{0}, To: 2}, row{Event: 2, From: []state{1}}),
		[]string{
			"row 1 (e1): state s0 is not declared; declared are s1, s2, s3",
			"row 2 (e2): state s0 is not declared; declared are s1, s2, s3",
		},
	},
	"two destinations": {
		withRows(row{Event: 1, From: []state{1}, To: 2}, row{Event: 1, From: []state{3, 1}, To: 3}),
		[]string{"row 2 (e1): state s1 has this event already, in row 1"},
	},
	"one destination, said twice": {
		withRows(row{Event: 1, From: []state{1}, To: 2}, row{Event: 1, From: []state{1}, To: 2}),
		[]string{"row 2 (e1): state s1 has this event already, in row 1"},
	},
	"a source listed twice": {
		withRows(row{Event: 255, From: []state{1, 2, 1}, To: 3}),
		[]string{"row 1 (e255): state s1 has this event already, in row 1"},
	},
	"a state that nothing reaches": {
		table{Name: "m", States: []state{1, 2, 3}, Initial: []state{1}, Rows: []row{
			{Event: 1, From: []state{1}, To: 1}, {Event: 2, From: []state{2}, To: 3},
		}},
		[]string{
			"state s2 is not reached from any initial state (s1)",
			"state s3 is not reached from any initial state (s1)",
		},
	},
	"ACT-4: a rank against time": {
		table{Name: "m", States: []state{3, 1, 2}, Initial: []state{1}, Rows: []row{
			{Event: 1, From: []state{1}, To: 2}, {Event: 1, From: []state{2}, To: 3},
		}},
		[]string{
			"state s3 is declared before s1, which leads to it for good; declare s1 first",
			"state s3 is declared before s2, which leads to it for good; declare s2 first",
		},
	},
	"everything in the header and in the rows at once": {
		table{States: []state{1, 0, 1}, Initial: []state{9, 9}, Rows: []row{
			{Event: 0, To: 2},
			{Event: 1, From: []state{1, 1}, To: 1},
		}},
		[]string{
			"the machine has no name",
			"state 2 is the zero value, which means none",
			"state s1 is declared twice",
			"initial state s9 is not declared; declared are s1, s0, s1",
			"initial state s9 is not declared; declared are s1, s0, s1",
			"row 1 (e0): the event is the zero value, which means none",
			"row 1 (e0): no source state; at least one is needed",
			"row 1 (e0): state s2 is not declared; declared are s1, s0, s1",
			"row 2 (e1): state s1 has this event already, in row 2",
		},
	},
}

// withRows returns a table that has nothing wrong but perhaps its rows.
func withRows(rows ...row) table {
	return table{Name: "m", States: []state{1, 2, 3}, Initial: []state{1, 2, 3}, Rows: rows}
}

func TestCompileRefuses(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			m, err := fsm.Compile(c.table)
			require.Nil(t, m)
			require.ErrorIs(t, err, fsm.ErrTable)
			prefix := "fsm: machine " + strconv.Quote(c.table.Name) + ": "
			assert.Equal(t, prefix+strings.Join(c.want, "\n"+prefix), err.Error())
			assert.PanicsWithError(t, err.Error(), func() { fsm.MustCompile(c.table) })
		})
	}
}

// A program can read what a person can.
func TestTableErrorsTellWhere(t *testing.T) {
	_, err := fsm.Compile(table{Name: "m", States: []state{1, 1}, Initial: []state{1}, Rows: []row{
		{Event: 1, From: []state{1}, To: 1}, {Event: 2, To: 1},
	}})
	var faults []*fsm.TableError
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	for _, err := range joined.Unwrap() {
		var fault *fsm.TableError
		require.ErrorAs(t, err, &fault)
		faults = append(faults, fault)
	}
	assert.Equal(t, []*fsm.TableError{
		{Machine: "m", Reason: "state s1 is declared twice"},
		{Machine: "m", Row: 2, Event: "e2", Reason: "no source state; at least one is needed"},
	}, faults)
}

// What may look wrong, and is not.
func TestCompileAccepts(t *testing.T) {
	all := make([]state, 255)
	var chain []row
	for i := range all {
		all[i] = state(i + 1)
		if i > 0 {
			chain = append(chain, row{Event: event(i), From: all[i-1 : i], To: all[i]})
		}
	}
	for name, table := range map[string]table{
		"no rows":                      {Name: "m", States: []state{1, 2}, Initial: []state{2, 1}},
		"a loop of one state":          {Name: "m", States: []state{1}, Initial: []state{1}, Rows: []row{{Event: 1, From: []state{1}, To: 1}}},
		"as many states as there are":  {Name: "m", States: all, Initial: all[:1], Rows: chain},
		"two rows of one event":        {Name: "m", States: []state{1, 2}, Initial: []state{1}, Rows: []row{{Event: 1, From: []state{1}, To: 2}, {Event: 1, From: []state{2}, To: 2}}},
		"a cycle in either order":      {Name: "m", States: []state{2, 1}, Initial: []state{1}, Rows: []row{{Event: 1, From: []state{1}, To: 2}, {Event: 1, From: []state{2}, To: 1}}},
		"an initial state led to":      {Name: "m", States: []state{1, 2}, Initial: []state{1, 2}, Rows: []row{{Event: 1, From: []state{1}, To: 2}}},
		"the last state and event":     {Name: "m", States: []state{254, 255}, Initial: []state{254}, Rows: []row{{Event: 255, From: []state{254}, To: 255}}},
		"unrelated states in any rank": {Name: "m", States: []state{2, 1}, Initial: []state{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := fsm.Compile(table)
			require.NoError(t, err)
			assert.Equal(t, table.States, m.States())
			assert.Equal(t, len(table.States), m.Rank(table.States[len(table.States)-1])+1)
		})
	}
}
