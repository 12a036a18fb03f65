package fsm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What the errors of a machine unwrap to.
var (
	// ErrTable says that a table is not sound: every [*TableError] is one.
	ErrTable = errors.New("fsm: unsound table")
	// ErrNotAllowed says that a state does not allow an event.
	ErrNotAllowed = errors.New("fsm: event not allowed")
	// ErrUnknownState says that a state is not of the machine.
	ErrUnknownState = errors.New("fsm: unknown state")
)

// TableError is one fault of a table that Compile refused.
type TableError struct {
	Machine string
	Row     int    // counted from 1; 0 if the fault is in no single row
	Event   string // the event of the row
	Reason  string
}

// Error names the machine, the row if there is one, and what is wrong.
func (e *TableError) Error() string {
	if e.Row == 0 {
		return fmt.Sprintf("fsm: machine %q: %s", e.Machine, e.Reason)
	}
	return fmt.Sprintf("fsm: machine %q: row %d (%s): %s", e.Machine, e.Row, e.Event, e.Reason)
}

// Unwrap returns ErrTable.
func (e *TableError) Unwrap() error { return ErrTable }

// EventError says that State does not allow Event, or that State is not a
// state of the machine at all: [errors.Is] tells [ErrNotAllowed] from
// [ErrUnknownState].
type EventError[S, E Enum] struct {
	machine *Machine[S, E]
	State   S
	Event   E
}

// of returns the machine that refused. An error that somebody else made has
// none: it is taken for one of the empty machine.
func (e *EventError[S, E]) of() *Machine[S, E] {
	if e.machine == nil {
		return new(Machine[S, E])
	}
	return e.machine
}

// Machine returns the name of the machine that refused.
func (e *EventError[S, E]) Machine() string { return e.of().Name() }

// Allowed returns the events that State allows, in declared order: none for a
// dead end, nor for a state that is not of the machine.
func (e *EventError[S, E]) Allowed() []E { return slices.Collect(e.of().Allowed(e.State)) }

// Error names the machine, the state, the event and what is allowed. It is
// composed when somebody reads it: to refuse an event costs one small value.
func (e *EventError[S, E]) Error() string {
	if !e.of().Has(e.State) {
		return fmt.Sprintf("fsm: %s: %s is not a state of this machine (known: %s)",
			e.Machine(), e.State, texts(e.of().table.States))
	}
	return fmt.Sprintf("fsm: %s: event %s is not allowed in state %s (allowed: %s)",
		e.Machine(), e.Event, e.State, texts(e.Allowed()))
}

// Unwrap returns ErrNotAllowed or ErrUnknownState.
func (e *EventError[S, E]) Unwrap() error {
	if !e.of().Has(e.State) {
		return ErrUnknownState
	}
	return ErrNotAllowed
}

// texts lists the text forms of values for a message.
func texts[T Enum](values []T) string {
	if len(values) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.String())
	}
	return b.String()
}
