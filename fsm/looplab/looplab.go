// Package looplab joins the machines of package fsm to those of
// [github.com/looplab/fsm].
//
// The two differ in what they hold. A machine of this module is a table that
// everybody shares; the state of an entity belongs to the caller. A looplab
// machine is one entity: it has a state, and callbacks that are called when
// that changes. A host needs this package when it has tables that were written
// for looplab, when it wants callbacks, or when it wants a picture.
//
// # Tables
//
// Tables cross in both directions and stay what they were: [Rows] reads
// looplab's events as rows for [fsm.Compile], and [Events] gives them back,
// in the same order. What looplab takes and Compile does not is an error and
// never dropped: an event without a source, which looplab forgets, and one
// event that leads from one state to two, of which looplab keeps the last.
//
// # Entities
//
// [New] makes a looplab machine for one entity, so that a host can hang
// callbacks on the transitions of a machine that it shares with everybody.
// What looplab passes over in silence is refused before it starts: a state
// that the machine does not have, and a callback that would never be called.
// Its events are those of the machine, by value, and its errors too.
//
// # Diagrams
//
// [Mermaid] and [Dot] draw a machine. They need no entity, and show what
// looplab's own diagrams do not: where a machine begins and where it ends.
//
// # Names
//
// Looplab knows states and events by their names, this module by values of two
// types. The name of a value is its String. Wherever names are read, one that
// stands for nothing, or for two values, is a [*NameError].
package looplab

import (
	"errors"
	"fmt"
	"strings"

	loop "github.com/looplab/fsm"

	"github.com/sluicego/sluice/fsm"
)

// Rows reads looplab's events as the rows of a [fsm.Table]. States and events
// are the values to be named; a name that none of them has is a [*NameError],
// and all of those are joined.
//
// The rows keep the order, so that row n in an error of [fsm.Compile] is the
// nth of the events. It is Compile that refuses the rest: events without a
// source, and a second destination for one event in one state.
func Rows[S, E fsm.Enum](table loop.Events, states []S, events []E) ([]fsm.Row[S, E], error) {
	byState, stateErr := nameAll("state", states)
	byEvent, eventErr := nameAll("event", events)
	if err := errors.Join(stateErr, eventErr); err != nil {
		return nil, err
	}
	var faults []error
	rows := make([]fsm.Row[S, E], len(table))
	for i, d := range table {
		// A name without a value leaves zero, which is in a row that nobody
		// gets to see.
		r := &rows[i]
		r.Event = byEvent.find(i+1, d.Name, &faults)
		for _, src := range d.Src {
			r.From = append(r.From, byState.find(i+1, src, &faults))
		}
		r.To = byState.find(i+1, d.Dst, &faults)
	}
	if len(faults) != 0 {
		return nil, errors.Join(faults...)
	}
	return rows, nil
}

// Events returns the rows of a machine as looplab's events, in their order. It
// returns a [*NameError] if two values of the machine share a name: looplab
// would take them for one.
func Events[S, E fsm.Enum](m *fsm.Machine[S, E]) (loop.Events, error) {
	table, _, err := translate(m)
	return table, err
}

// translate returns a machine in names, and its states by their names.
func translate[S, E fsm.Enum](m *fsm.Machine[S, E]) (loop.Events, names[S], error) {
	byState, stateErr := nameAll("state", m.States())
	_, eventErr := nameAll("event", eventsOf(m))
	if err := errors.Join(stateErr, eventErr); err != nil {
		return nil, byState, err
	}
	rows := m.Rows()
	table := make(loop.Events, len(rows))
	for i, r := range rows {
		table[i] = loop.EventDesc{Name: r.Event.String(), Src: texts(r.From), Dst: r.To.String()}
	}
	return table, byState, nil
}

// eventsOf returns the events of a machine, each once, as rows bring them up.
func eventsOf[S, E fsm.Enum](m *fsm.Machine[S, E]) []E {
	var events []E
	seen := map[E]bool{}
	for _, r := range m.Rows() {
		if !seen[r.Event] {
			seen[r.Event] = true
			events = append(events, r.Event)
		}
	}
	return events
}

// NameError says that a name of looplab's does not stand for exactly one value:
//
//	looplab: event 2: state "ajar" is unknown (known: closed, open)
type NameError struct {
	Row    int    // the place in looplab's events, from 1; 0 if the values are at fault
	Kind   string // "state" or "event"
	Name   string
	Reason string   // why, as what follows the name in a message
	Known  []string // the names of all values of that kind
}

func (e *NameError) Error() string {
	var row string
	if e.Row > 0 {
		row = fmt.Sprintf("event %d: ", e.Row)
	}
	return fmt.Sprintf("looplab: %s%s %q %s (known: %s)",
		row, e.Kind, e.Name, e.Reason, strings.Join(e.Known, ", "))
}

// names finds values of one kind by their names. No name is empty or shared, so
// that a name and its value can stand for each other.
type names[T fsm.Enum] struct {
	kind   string
	known  []string
	byName map[string]T
}

// nameAll names values. A value that is listed twice counts once: whether a
// list may repeat itself is for its owner to say, and Compile does.
func nameAll[T fsm.Enum](kind string, values []T) (names[T], error) {
	n := names[T]{kind, texts(values), make(map[string]T, len(values))}
	var faults []error
	for i, v := range values {
		name := n.known[i]
		other, taken := n.byName[name]
		switch {
		case name == "":
			// To looplab, the empty name means every state or every event.
			faults = append(faults, n.fault(0, name, fmt.Sprintf("is no name for value %d", uint8(v))))
		case taken && other != v:
			faults = append(faults, n.fault(0, name,
				fmt.Sprintf("is the name of two values, %d and %d", uint8(other), uint8(v))))
		default:
			n.byName[name] = v
		}
	}
	return n, errors.Join(faults...)
}

// find returns the value that a name in a row of looplab's stands for, or adds
// to the faults.
func (n names[T]) find(row int, name string, faults *[]error) T {
	v, ok := n.byName[name]
	if !ok {
		*faults = append(*faults, n.fault(row, name, "is unknown"))
	}
	return v
}

func (n names[T]) fault(row int, name, reason string) *NameError {
	return &NameError{Row: row, Kind: n.kind, Name: name, Reason: reason, Known: n.known}
}

// texts returns the names of values.
func texts[T fmt.Stringer](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return list
}
