package fsm_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/fsm"
)

// state and event name themselves by their numbers, whatever these are.
type (
	state uint8
	event uint8

	machine = fsm.Machine[state, event]
	table   = fsm.Table[state, event]
	row     = fsm.Row[state, event]
)

func (s state) String() string { return fmt.Sprintf("s%d", uint8(s)) }
func (e event) String() string { return fmt.Sprintf("e%d", uint8(e)) }

// Values at the edges of what the types hold, and few enough of them that rows
// meet.
var (
	someStates = []state{1, 2, 3, 64, 128, 255}
	someEvents = []event{1, 2, 63, 255}
)

// soundTables draws tables that Compile must accept.
func soundTables() *rapid.Generator[table] {
	return rapid.Custom(func(t *rapid.T) table {
		states := rapid.SliceOfNDistinct(rapid.SampledFrom(someStates), 1, len(someStates), rapid.ID).Draw(t, "states")
		rows := withoutDoubles(rapid.SliceOfN(rowsOf(states), 0, 7).Draw(t, "rows"))
		// What the initial states that were drawn do not reach becomes initial.
		initial := rapid.SliceOfDistinct(rapid.SampledFrom(states), rapid.ID).Draw(t, "initial")
		for _, s := range states {
			reached := func(from state) bool { return leads(rows, from, s) }
			if !slices.ContainsFunc(initial, reached) {
				initial = append(initial, s)
			}
		}
		// Whatever leads to another state for good leads to more states than it.
		weight := func(s state) int {
			return len(slices.DeleteFunc(slices.Clone(states), func(to state) bool { return !leads(rows, s, to) }))
		}
		slices.SortStableFunc(states, func(a, b state) int { return weight(b) - weight(a) })
		return table{Name: "m", States: states, Initial: initial, Rows: rows}
	})
}

// rowsOf draws rows between states.
func rowsOf(states []state) *rapid.Generator[row] {
	return rapid.Custom(func(t *rapid.T) row {
		return row{
			Event: rapid.SampledFrom(someEvents).Draw(t, "event"),
			From:  rapid.SliceOfNDistinct(rapid.SampledFrom(states), 1, 3, rapid.ID).Draw(t, "from"),
			To:    rapid.SampledFrom(states).Draw(t, "to"),
		}
	})
}

// withoutDoubles drops every source that has the event of its row already.
func withoutDoubles(rows []row) []row {
	var kept []row
	for _, r := range rows {
		r.From = slices.DeleteFunc(slices.Clone(r.From), func(s state) bool {
			_, doubled := lookup(kept, s, r.Event)
			return doubled
		})
		if len(r.From) > 0 {
			kept = append(kept, r)
		}
	}
	return kept
}

// spoiltTables draws tables with up to two things changed that Compile may
// refuse.
func spoiltTables() *rapid.Generator[table] {
	return rapid.Custom(func(t *rapid.T) table {
		table := soundTables().Draw(t, "table")
		anyState := rapid.SampledFrom(append([]state{0}, someStates...))
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			change(t, &table, anyState.Draw(t, "state"))
		}
		return table
	})
}

func change(t *rapid.T, table *table, s state) {
	last := len(table.Rows) - 1
	if last < 0 {
		table.Rows, last = []row{{Event: 1, From: []state{s}, To: s}}, 0
	}
	r := &table.Rows[last]
	switch rapid.IntRange(0, 9).Draw(t, "change") {
	case 0:
		table.Name = ""
	case 1:
		table.States = append(table.States, s)
	case 2:
		table.States = table.States[min(1, len(table.States)):]
	case 3:
		slices.Reverse(table.States)
	case 4:
		table.Initial = table.Initial[min(1, len(table.Initial)):]
	case 5:
		table.Initial = append(table.Initial, s)
	case 6:
		r.From = append(r.From, s)
	case 7:
		r.From = nil
	case 8:
		r.To = s
	default:
		r.Event = rapid.SampledFrom([]event{0, 1, 2}).Draw(t, "event")
	}
}

// The naive machine: what the rows say, read again for every question.

// lookup goes through the rows for where an event leads.
func lookup(rows []row, s state, e event) (state, bool) {
	for _, r := range rows {
		if r.Event == e && slices.Contains(r.From, s) {
			return r.To, true
		}
	}
	return 0, false
}

// leads searches the rows, depth first, for a way from one state to another.
func leads(rows []row, from, to state) bool {
	seen := map[state]bool{}
	var search func(s state) bool
	search = func(s state) bool {
		if seen[s] {
			return false
		}
		seen[s] = true
		return s == to || slices.ContainsFunc(rows, func(r row) bool {
			return slices.Contains(r.From, s) && search(r.To)
		})
	}
	return search(from)
}

// firstPath tries every sequence of events up to a length, the shortest first
// and among these in declared order.
func firstPath(rows []row, from, to state, longest int) ([]event, bool) {
	for length := range longest + 1 {
		if path, ok := pathOf(rows, from, to, length); ok {
			return path, true
		}
	}
	return nil, false
}

// pathOf returns the first sequence of that many events, in declared order.
func pathOf(rows []row, from, to state, length int) ([]event, bool) {
	if length == 0 {
		return []event{}, from == to
	}
	for _, r := range rows {
		if !slices.Contains(r.From, from) {
			continue
		}
		if path, ok := pathOf(rows, r.To, to, length-1); ok {
			return append([]event{r.Event}, path...), true
		}
	}
	return nil, false
}

// refused is what the package comment says that Compile refuses, with what the
// fields of Table say, word by word.
func refused(t table) bool {
	return t.Name == "" || len(t.Initial) == 0 || listsWrong(t) || rowsWrong(t) || orderWrong(t)
}

// listsWrong: every state once, none of them zero; initial ones are states.
func listsWrong(t table) bool {
	once := func(list []state) bool {
		list = slices.Sorted(slices.Values(list))
		return len(slices.Compact(list)) == len(list)
	}
	undeclared := func(s state) bool { return !slices.Contains(t.States, s) }
	return !once(t.States) || !once(t.Initial) || slices.Contains(t.States, 0) ||
		slices.ContainsFunc(t.Initial, undeclared)
}

// rowsWrong: a row has no source or no event or names a state that is not
// declared; two say where one event leads from one state.
func rowsWrong(t table) bool {
	type pair struct {
		s state
		e event
	}
	var said []pair
	for _, r := range t.Rows {
		if len(r.From) == 0 || r.Event == 0 || !slices.Contains(t.States, r.To) {
			return true
		}
		for _, s := range r.From {
			if !slices.Contains(t.States, s) || slices.Contains(said, pair{s, r.Event}) {
				return true
			}
			said = append(said, pair{s, r.Event})
		}
	}
	return false
}

// orderWrong: a state cannot be reached from any initial one, or is declared
// before one that leads to it and to which it never leads back.
func orderWrong(t table) bool {
	for i, s := range t.States {
		if !slices.ContainsFunc(t.Initial, func(from state) bool { return leads(t.Rows, from, s) }) {
			return true
		}
		for _, later := range t.States[i+1:] {
			if leads(t.Rows, later, s) && !leads(t.Rows, s, later) {
				return true
			}
		}
	}
	return false
}
