package looplab

import (
	"context"
	"errors"
	"fmt"

	loop "github.com/looplab/fsm"

	"github.com/sluicego/sluice/fsm"
)

// Entity is one entity in a state of a machine, with the callbacks of its
// host. It is a looplab machine and, like one, not for two goroutines at once:
// looplab v1.0.3 reads its state without a lock while callbacks run.
//
// # Callbacks
//
// They are looplab's, and so are their keys. In the order of calls:
//
//	before_EVENT, before_event   can cancel
//	leave_STATE, leave_state     can cancel, or call Async
//	enter_STATE, enter_state     the short form of enter_STATE is STATE
//	after_EVENT, after_event     the short form of after_EVENT is EVENT
//
// There is one difference. Callbacks that can still cancel an event get the
// context of the caller, so that slow work in them ends when it does. Those
// that come when it has happened get one that keeps its values but is not
// canceled with it: what they have to do is due. For an event that leads from a
// state to itself, looplab calls before_ and after_ only.
//
// Looplab holds its lock during before_ and leave_: a callback that fires an
// event there waits forever. In enter_ and after_ it may.
//
// An entity whose leave_ callback panicked takes no more events. Make a new
// one; it costs little.
//
// # Asynchronous events
//
// A leave_ callback may call Async, as with looplab. Fire then returns
// [ErrStarted] and the entity stays in its state until the host calls Transition
// on [Entity.FSM]; other events are refused with [ErrBusy] until then. Looplab
// has no way to give such an event up: one that is canceled through its
// AsyncError is never completed, and the entity stays busy. Make a new one in
// the old state instead.
type Entity[S, E fsm.Enum] struct {
	machine *fsm.Machine[S, E]
	states  names[S]
	fsm     *loop.FSM
}

// New returns an entity in the given state of a machine, with callbacks that
// may be nil.
//
// It refuses, all at once, a state that the machine does not have, with an
// [*fsm.EventError] that unwraps to [fsm.ErrUnknownState], and every callback
// that looplab would ignore or could confuse with another, with a
// [*CallbackKeyError]. It refuses a machine two of whose states or events
// share a name with a [*NameError].
func New[S, E fsm.Enum](m *fsm.Machine[S, E], state S, callbacks loop.Callbacks) (*Entity[S, E], error) {
	table, states, err := translate(m)
	if err != nil {
		return nil, err
	}
	var stateErr error
	if !m.Has(state) {
		_, stateErr = m.Next(state, 0)
	}
	hooks, keyErr := hang(m.Name(), table, callbacks)
	if err := errors.Join(stateErr, keyErr); err != nil {
		return nil, err
	}
	return &Entity[S, E]{m, states, loop.NewFSM(state.String(), table, hooks)}, nil
}

// State returns the present state. It is zero if the host set looplab's machine
// to one that this machine does not have.
func (e *Entity[S, E]) State() S { return e.states.byName[e.fsm.Current()] }

// FSM returns looplab's machine, for what Entity does not offer: its metadata,
// SetState, Transition. Events fired past [Entity.Fire] return looplab's own
// errors.
func (e *Entity[S, E]) FSM() *loop.FSM { return e.fsm }

// Fire fires an event: it calls the callbacks with args and moves the entity.
//
// A context that is done already is an error, and nothing happens. One that is
// canceled later stops nothing that callbacks do not stop: looplab itself, when
// its context is canceled in the middle of an event, refuses every later one.
//
// An event that the state does not allow is an [*fsm.EventError] that unwraps
// to [fsm.ErrNotAllowed] (ACT-3). An event that leads from a state to itself
// is no error. What callbacks bring about is a [*CallbackError].
func (e *Entity[S, E]) Fire(ctx context.Context, event E, args ...any) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("looplab: %s: event %s not fired: %w", e.machine.Name(), event, err)
	}
	if !e.machine.HasEvent(event) {
		// Its name may be that of another, which looplab would fire.
		_, err := e.machine.Next(e.State(), event)
		return err
	}
	// Looplab checks its context between leaving one state and entering the
	// next, and forgets there to take back that it is between them.
	c := &call{caller: ctx}
	err := e.fsm.Event(context.WithValue(context.WithoutCancel(ctx), callKey{}, c), event.String(), args...)
	return e.verdict(c, event, err)
}

// verdict says what an error of looplab's means. Its types alone do not tell,
// since looplab returns the errors of callbacks as they are, and those may
// well come from another event.
func (e *Entity[S, E]) verdict(c *call, event E, err error) error {
	// An asynchronous event may be completed in another goroutine by now: of c,
	// only what was written before it started may be read.
	started, async := err.(loop.AsyncError) //nolint:errorlint // looplab's own is bare
	switch {
	case async:
		return e.callbackError(event, c.event, ErrStarted, started)
	case c.done && c.event.Err != nil:
		return e.callbackError(event, c.event, ErrReported, c.event.Err)
	case c.done:
		return nil
	}
	switch err := err.(type) { //nolint:errorlint // no callback has returned an error, see above
	case loop.CanceledError:
		return e.callbackError(event, c.event, ErrCanceled, err.Err)
	case loop.InTransitionError:
		state := e.State()
		to, _ := e.machine.Next(state, event) // leads nowhere: to is state
		return &CallbackError[S, E]{e.machine.Name(), event, state, to, ErrBusy, err}
	case loop.InvalidEventError:
		_, refusal := e.machine.Next(e.states.byName[err.State], event)
		return refusal
	default:
		// Looplab has two more, for an event that it does not know and for a
		// mistake of its own. Neither can be, and neither may get lost.
		return fmt.Errorf("looplab: %s: event %s: %w", e.machine.Name(), event, err)
	}
}

// callbackError tells of an event in looplab's words in those of the machine.
func (e *Entity[S, E]) callbackError(event E, in *loop.Event, reason, err error) error {
	return &CallbackError[S, E]{
		Machine: e.machine.Name(), Event: event,
		From: e.states.byName[in.Src], To: e.states.byName[in.Dst],
		Reason: reason, Err: err,
	}
}

// The reasons of a [CallbackError].
var (
	// ErrCanceled: a callback canceled the event. Nothing changed.
	ErrCanceled = errors.New("canceled by a callback")
	// ErrReported: the event happened, and then a callback set an error.
	ErrReported = errors.New("happened, but a callback failed")
	// ErrStarted: a callback made the event wait for Transition.
	ErrStarted = errors.New("started, and waits for Transition")
	// ErrBusy: another event waits for Transition. Nothing changed.
	ErrBusy = errors.New("refused while another event waits for Transition")
)

// CallbackError says what callbacks made of an event. It unwraps to Reason and
// to Err:
//
//	looplab: order: event ship (paid -> shipped): canceled by a callback: no address
type CallbackError[S, E fsm.Enum] struct {
	Machine string
	Event   E
	From    S     // the state that the event was fired in
	To      S     // the state that it leads to; From if that is nowhere
	Reason  error // what became of the event: ErrCanceled, ErrReported, ErrStarted or ErrBusy
	Err     error // what the callback said, or looplab; may be nil
}

func (e *CallbackError[S, E]) Error() string {
	var said string
	if e.Err != nil {
		said = ": " + e.Err.Error()
	}
	return fmt.Sprintf("looplab: %s: event %s (%s -> %s): %s%s",
		e.Machine, e.Event, e.From, e.To, e.Reason, said)
}

// Unwrap returns Reason, and Err unless it is nil.
func (e *CallbackError[S, E]) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}
