package main

import (
	"context"
	"errors"

	loop "github.com/looplab/fsm"
	"github.com/qmuntal/stateless"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm/looplab"
)

// The machine that all rivals have is that of signature requests, of ten statuses
// and fourteen events.
var machine = action.TypeSignatureRequest.Machine()

var errNotAllowed = errors.New("not allowed")

// byHand is an array by status and event, zero where an event is not allowed.
type byHand [action.Deleted + 1][action.EventPermanentlyDeleted + 1]action.Status

func newByHand() *byHand {
	h := new(byHand)
	for _, r := range machine.Rows() {
		for _, s := range r.From {
			h[s][r.Event] = r.To
		}
	}
	return h
}

func (h *byHand) next(s action.Status, e action.Event) (action.Status, error) {
	if int(s) < len(h) && int(e) < len(h[0]) {
		if next := h[s][e]; next != 0 {
			return next, nil
		}
	}
	return s, errNotAllowed
}

func (h *byHand) can(s action.Status, e action.Event) bool {
	return int(s) < len(h) && int(e) < len(h[0]) && h[s][e] != 0
}

// nested is the map of maps that is written first.
type nested map[action.Status]map[action.Event]action.Status

func newNested() nested {
	n := nested{}
	for _, r := range machine.Rows() {
		for _, s := range r.From {
			if n[s] == nil {
				n[s] = map[action.Event]action.Status{}
			}
			n[s][r.Event] = r.To
		}
	}
	return n
}

func (n nested) next(s action.Status, e action.Event) (action.Status, error) {
	if next, ok := n[s][e]; ok {
		return next, nil
	}
	return s, errNotAllowed
}

// bySwitch is the table as code.
func bySwitch(s action.Status, e action.Event) (action.Status, error) {
	switch e {
	case action.EventActivated:
		if s == action.Draft {
			return action.Ongoing, nil
		}
	case action.EventActivatedForApproval:
		if s == action.Draft {
			return action.Approval, nil
		}
	case action.EventApproved:
		if s == action.Approval {
			return action.Ongoing, nil
		}
	case action.EventRejected:
		if s == action.Approval {
			return action.Rejected, nil
		}
	case action.EventDone, action.EventDeclined, action.EventPaused:
		if s == action.Ongoing {
			return ended(e), nil
		}
	case action.EventCanceled, action.EventExpired:
		if s == action.Approval || s == action.Ongoing {
			return ended(e), nil
		}
	case action.EventReactivated, action.EventReactivatedForApproval:
		if s == action.Expired {
			return ended(e), nil
		}
	case action.EventResumed:
		if s == action.Paused {
			return action.Ongoing, nil
		}
	case action.EventDeleted, action.EventPermanentlyDeleted:
		if deletable(s) || s == action.Deleted && e == action.EventPermanentlyDeleted {
			return action.Deleted, nil
		}
	default:
	}
	return s, errNotAllowed
}

// ended returns where an event leads that leads there from wherever it is allowed.
func ended(e action.Event) action.Status {
	switch e {
	case action.EventDone:
		return action.Done
	case action.EventDeclined:
		return action.Declined
	case action.EventPaused:
		return action.Paused
	case action.EventCanceled:
		return action.Canceled
	case action.EventExpired:
		return action.Expired
	case action.EventReactivatedForApproval:
		return action.Approval
	default:
		return action.Ongoing
	}
}

func deletable(s action.Status) bool {
	switch s {
	case action.Draft, action.Paused, action.Done, action.Rejected, action.Declined, action.Expired, action.Canceled:
		return true
	default:
		return false
	}
}

// loopEvents is the table in the form of looplab/fsm.
var loopEvents = func() loop.Events {
	events, err := looplab.Events(machine)
	if err != nil {
		panic(err) // the table is part of the program
	}
	return events
}()

// newLoop returns an entity of looplab/fsm: its documentation has one FSM for each.
func newLoop(state string) *loop.FSM { return loop.NewFSM(state, loopEvents, nil) }

// newStateless returns an entity of qmuntal/stateless, made as its documentation
// has it: a machine for each, in the faster of its two modes. States and events are
// those of sluice, or their texts.
func newStateless[S, E any](state S, asState func(action.Status) S, asEvent func(action.Event) E) *stateless.StateMachine {
	m := stateless.NewStateMachineWithMode(state, stateless.FiringImmediate)
	configureStateless(m, asState, asEvent)
	return m
}

// newExternal returns a machine of qmuntal/stateless whose state is stored elsewhere.
func newExternal[S, E any](stored *S, asState func(action.Status) S, asEvent func(action.Event) E) *stateless.StateMachine {
	m := stateless.NewStateMachineWithExternalStorage(
		func(context.Context) (stateless.State, error) { return *stored, nil },
		func(_ context.Context, s stateless.State) error {
			state, ok := s.(S)
			if !ok {
				return errNotAllowed
			}
			*stored = state
			return nil
		}, stateless.FiringImmediate)
	configureStateless(m, asState, asEvent)
	return m
}

func configureStateless[S, E any](m *stateless.StateMachine, asState func(action.Status) S, asEvent func(action.Event) E) {
	for _, r := range machine.Rows() {
		for _, s := range r.From {
			if s == r.To {
				m.Configure(asState(s)).PermitReentry(asEvent(r.Event))
			} else {
				m.Configure(asState(s)).Permit(asEvent(r.Event), asState(r.To))
			}
		}
	}
}

func itself[T any](v T) T { return v }
