package looplab_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/fsm"
)

// state and event have names that make trouble in looplab's callback keys, in
// diagrams, or nowhere.
type (
	state uint8
	event uint8

	machine = fsm.Machine[state, event]
	row     = fsm.Row[state, event]
)

var (
	stateNames = []string{
		"none", "draft", "awaiting_data", "end", "State", "note", `say "hi"`, `back\slash\N`, "a: b; c",
		"été à la 终", "event", "state", "before_go", "direction TB", "<<fork>>", "line\nbreak\x00", "&lt;", "s1",
		"-->", "[*]", "redirection", "LRU", "", "twin", "twin",
	}
	eventNames = []string{
		"none", "go", "stop", "state", "event", "leave_draft", `"quoted"`, "100%% #35;", "direction LR", "x, y", "redirection", "draft", "go",
	}
)

func (s state) String() string { return nameOf(stateNames, uint8(s)) }
func (e event) String() string { return nameOf(eventNames, uint8(e)) }

func nameOf(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%d", i)
}

// The values that may stand in one machine: their names are there, and differ.
// The last names are for tests of what happens if not.
func goodStates() []state { return valuesOf[state](len(stateNames) - 4) }
func goodEvents() []event { return valuesOf[event](len(eventNames) - 2) }

func valuesOf[T ~uint8](n int) []T {
	var all []T
	for i := range n {
		all = append(all, T(i+1))
	}
	return all
}

// machines draws machines of few states, with loops and branches.
func machines() *rapid.Generator[*machine] {
	return rapid.Custom(func(t *rapid.T) *machine {
		states := rapid.SliceOfNDistinct(rapid.SampledFrom(goodStates()), 1, 6, rapid.ID).Draw(t, "states")
		events := rapid.SampledFrom(goodEvents())
		var rows []row
		taken := map[[2]uint8]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "rows") {
			r := row{Event: events.Draw(t, "event"), To: rapid.SampledFrom(states).Draw(t, "to")}
			for _, s := range rapid.SliceOfDistinct(rapid.SampledFrom(states), rapid.ID).Draw(t, "from") {
				if at := [2]uint8{uint8(s), uint8(r.Event)}; !taken[at] {
					taken[at] = true
					r.From = append(r.From, s)
				}
			}
			if len(r.From) > 0 {
				rows = append(rows, r)
			}
		}
		m, err := fsm.Compile(fsm.Table[state, event]{
			Name: "random", States: ranked(states, rows), Initial: states, Rows: rows,
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	})
}

// ranked puts states in an order that fsm.Compile accepts: what leads to more
// states than another cannot be led to by it for good.
func ranked[S, E fsm.Enum](states []S, rows []fsm.Row[S, E]) []S {
	leads := map[S]int{}
	for _, s := range states {
		reached := []S{s}
		for i := 0; i < len(reached); i++ {
			for _, r := range rows {
				if slices.Contains(r.From, reached[i]) && !slices.Contains(reached, r.To) {
					reached = append(reached, r.To)
				}
			}
		}
		leads[s] = len(reached)
	}
	states = slices.Clone(states)
	slices.SortStableFunc(states, func(a, b S) int { return leads[b] - leads[a] })
	return states
}
