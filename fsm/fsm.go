// Package fsm compiles transition tables.
//
// A [Table] is data: the states of a machine in rank order, its initial
// states, and rows that say which event leads from which states to which
// other. [Compile] checks the table once and gives a [Machine], which answers
// every question about it: the next state, the events a state allows, whether
// one state can ever follow another, the shortest way between two.
//
// A Machine holds no entity. The present state belongs to the caller, who
// passes it in and gets the next one back:
//
//	next, err := machine.Next(state, event)
//
// # What a table must be
//
// Compile refuses a table, naming each row at fault, when
//
//   - it has no name, no initial state, or a state twice;
//   - two rows say where one event leads from one state;
//   - a row has no source, or names a state that is not declared;
//   - a state cannot be reached from any initial one;
//   - a state is declared before one that leads to it and to which it never
//     leads back. The order of declaration is the rank of a state, and rank
//     must agree with time: whatever comes later in every history ranks higher.
//     Inside a cycle no order is later than another, and any will do.
//
// The zero value of both types means "none" and belongs to no machine.
//
// # Concurrency and cost
//
// A Machine never changes after Compile and is safe for concurrent use.
// [Machine.Next], [Machine.Can] and [Machine.Reaches] are array reads: they
// use no map, take no lock and allocate nothing (Next only for an error). For
// that a Machine takes some 80 KB, however small its table is; its entities take
// what the caller keeps of them, a byte each.
package fsm

import (
	"fmt"
	"iter"
	"slices"
)

// Enum is the type of a machine's states or of its events: an enumeration over
// uint8 with a text form. Its zero value means "none".
type Enum interface {
	~uint8
	fmt.Stringer
}

// Row says that Event leads to To from each of the states in From.
type Row[S, E Enum] struct {
	Event E
	From  []S
	To    S
}

// Table declares a machine. It is what people read; Compile makes of it what
// programs ask.
type Table[S, E Enum] struct {
	// Name stands in every error of the machine.
	Name string
	// States lists every state once, in rank order, lowest first.
	States []S
	// Initial lists the states that an entity may begin in, at least one.
	Initial []S
	// Rows lists the transitions. Their order is the order in which the
	// events of a state are reported.
	Rows []Row[S, E]
}

// Machine is a compiled Table. The zero Machine has no states: it refuses
// everything. A Machine must not be copied; Compile returns the one to share.
type Machine[S, E Enum] struct {
	// next is the whole table by event and state, both by their numeric values; zero
	// where an event is not allowed. With all there can be of either, nothing is
	// out of bounds. The state has the low byte, since it is what a step has to wait
	// for.
	next [256 * 256]S

	// reach has for each state what it can ever become, itself included.
	reach [256]set
	rank  [256]uint8 // rank plus one; zero for a state that is not declared

	events  set      // that any state allows
	allowed [256][]E // the events of each state

	// What only descriptions of the machine need.
	table    Table[S, E]
	terminal []S
}

// set is a set of states or events, by their numeric values.
type set [4]uint64

// add and has are small enough to be inlined, as Reaches is with them.
func (b *set) add(i uint8)      { b[i>>6] |= 1 << (i & 63) }
func (b *set) has(i uint8) bool { return b[i>>6]>>(i&63)&1 != 0 }

// addAll adds the members of o.
func (b *set) addAll(o *set) {
	for i := range b {
		b[i] |= o[i]
	}
}

// Next returns the state that e leads to from s.
//
// It returns s itself and an [*EventError] if s does not allow e, or is not a
// state of the machine.
func (m *Machine[S, E]) Next(s S, e E) (S, error) {
	if next := m.lookup(s, e); next != 0 {
		return next, nil
	}
	return s, &EventError[S, E]{m, s, e}
}

// Can reports whether s is a state of the machine that allows e.
func (m *Machine[S, E]) Can(s S, e E) bool {
	return m.lookup(s, e) != 0
}

// lookup returns where e leads from s, zero if nowhere.
func (m *Machine[S, E]) lookup(s S, e E) S {
	return m.next[uint(e)<<8|uint(s)]
}

// Allowed yields the events that s allows, in declared order. It yields none
// for a state that is not of the machine.
func (m *Machine[S, E]) Allowed(s S) iter.Seq[E] {
	return slices.Values(m.allowed[uint8(s)])
}

// Reaches reports whether an entity in state from can ever be in state to.
// Every state of the machine reaches itself.
func (m *Machine[S, E]) Reaches(from, to S) bool {
	return m.reach[uint8(from)].has(uint8(to))
}

// Has reports whether s is a state of the machine.
func (m *Machine[S, E]) Has(s S) bool {
	return m.rank[uint8(s)] != 0
}

// Rank returns the position of s in the declared order of states, from 0 on,
// or -1 if s is not a state of the machine.
func (m *Machine[S, E]) Rank(s S) int {
	return int(m.rank[uint8(s)]) - 1
}

// HasEvent reports whether any state of the machine allows e.
func (m *Machine[S, E]) HasEvent(e E) bool {
	return m.events.has(uint8(e))
}

// Path returns a shortest sequence of events that leads from one state to
// another, and whether there is one. Among equally short ones it is the first
// in declared order; between a state and itself it is empty.
func (m *Machine[S, E]) Path(from, to S) ([]E, bool) {
	if !m.Reaches(from, to) {
		return nil, false
	}
	type step struct {
		from  S
		event E
	}
	came := map[S]step{from: {}}
	for queue := []S{from}; came[to] == (step{}) && to != from; queue = queue[1:] {
		s := queue[0]
		for _, e := range m.allowed[uint8(s)] {
			next := m.lookup(s, e)
			if _, seen := came[next]; !seen {
				came[next] = step{s, e}
				queue = append(queue, next)
			}
		}
	}
	path := []E{}
	for s := to; s != from; s = came[s].from {
		path = append(path, came[s].event)
	}
	slices.Reverse(path)
	return path, true
}

// Name returns the name of the machine.
func (m *Machine[S, E]) Name() string { return m.table.Name }

// States returns the states in rank order.
func (m *Machine[S, E]) States() []S { return slices.Clone(m.table.States) }

// Initial returns the initial states in declared order.
func (m *Machine[S, E]) Initial() []S { return slices.Clone(m.table.Initial) }

// Terminal returns, in rank order, the states that no event leads out of. An
// event that leads from a state to itself does not lead out of it.
func (m *Machine[S, E]) Terminal() []S { return slices.Clone(m.terminal) }

// Rows returns the rows as they were declared.
func (m *Machine[S, E]) Rows() []Row[S, E] { return cloneRows(m.table.Rows) }

// cloneRows copies rows down to their sources, so that a caller can write to
// what it gave or got.
func cloneRows[S, E Enum](rows []Row[S, E]) []Row[S, E] {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].From = slices.Clone(rows[i].From)
	}
	return rows
}
