package looplab_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	loop "github.com/looplab/fsm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/fsm/looplab"
)

type entity = looplab.Entity[action.Status, action.Event]

type callbackError = looplab.CallbackError[action.Status, action.Event]

// request returns a signature request with callbacks.
func request(t *testing.T, s action.Status, callbacks loop.Callbacks) *entity {
	t.Helper()
	e, err := looplab.New(action.TypeSignatureRequest.Machine(), s, callbacks)
	require.NoError(t, err)
	return e
}

func TestNewRefusesEverythingAtOnce(t *testing.T) {
	_, err := looplab.New(action.TypeSignatureRequest.Machine(), action.Verified, loop.Callbacks{
		"enter_dnoe": func(context.Context, *loop.Event) {},
		"enter_done": nil,
	})
	require.EqualError(t, err, "fsm: signature_request: verified is not a state of this machine "+
		"(known: draft, approval, ongoing, paused, expired, rejected, declined, canceled, done, deleted)\n"+
		`looplab: signature_request: callback "enter_dnoe" would never be called; did you mean enter_done?`+"\n"+
		`looplab: signature_request: callback "enter_done" is nil`)
	require.ErrorIs(t, err, fsm.ErrUnknownState)
	var key *looplab.CallbackKeyError
	require.ErrorAs(t, err, &key)
	assert.Equal(t, "enter_dnoe", key.Key)
	assert.Equal(t, []string{"enter_done"}, key.Right)

	_, err = looplab.New(action.TypeSignatureRequest.Machine(), 0, nil)
	require.ErrorIs(t, err, fsm.ErrUnknownState)
}

func TestACT3FireRefusesAsTheMachineDoes(t *testing.T) {
	called := false
	note := func(context.Context, *loop.Event) { called = true }
	e := request(t, action.Draft, loop.Callbacks{
		"before_event": note, "leave_state": note, "enter_state": note, "after_event": note,
	})
	for _, event := range []action.Event{
		action.EventPaused,   // of the machine, but not here
		action.EventVerified, // of another machine
		0, 200,               // of none
	} {
		t.Run(event.String(), func(t *testing.T) {
			err := e.Fire(t.Context(), event)
			_, want := action.TypeSignatureRequest.Machine().Next(action.Draft, event)
			require.Equal(t, want, err)
			require.ErrorIs(t, err, fsm.ErrNotAllowed)
			assert.Equal(t, action.Draft, e.State())
		})
	}
	assert.False(t, called)
}

// An event of no machine may have the name of one that is: looplab, which knows
// names alone, would fire that.
func TestACT3AnEventIsNotItsName(t *testing.T) {
	m := fsm.MustCompile(fsm.Table[state, stutter]{
		Name: "m", States: []state{1, 2}, Initial: []state{1},
		Rows: []fsm.Row[state, stutter]{{Event: 1, From: []state{1}, To: 2}},
	})
	e, err := looplab.New(m, 1, nil)
	require.NoError(t, err)
	require.ErrorIs(t, e.Fire(t.Context(), 2), fsm.ErrNotAllowed)
	assert.Equal(t, state(1), e.State())
}

type stutter uint8

func (stutter) String() string { return "go" }

func TestFireCallsBackInLooplabsOrder(t *testing.T) {
	var calls []string
	callbacks := loop.Callbacks{}
	for _, key := range []string{
		"before_approved", "before_event", "leave_approval", "leave_state",
		"enter_ongoing", "enter_state", "approved", "after_event",
		"before_paused", "leave_draft", "enter_paused", "paused",
	} {
		if key == "paused" {
			continue // a state and an event
		}
		callbacks[key] = func(ctx context.Context, e *loop.Event) {
			assert.Equal(t, "value", ctx.Value(ctxKey{}), key)
			calls = append(calls, fmt.Sprintf("%s %s %s->%s %v", key, e.Event, e.Src, e.Dst, e.Args))
		}
	}
	e := request(t, action.Approval, callbacks)
	require.NoError(t, e.Fire(context.WithValue(t.Context(), ctxKey{}, "value"), action.EventApproved, 1, "two"))
	const rest = " approved approval->ongoing [1 two]"
	assert.Equal(t, []string{
		"before_approved" + rest, "before_event" + rest, "leave_approval" + rest, "leave_state" + rest,
		"enter_ongoing" + rest, "enter_state" + rest, "approved" + rest, "after_event" + rest,
	}, calls)
	assert.Equal(t, action.Ongoing, e.State())
}

type ctxKey struct{}

// An event that leads from a state to itself is legal, whatever looplab says.
func TestACT1ALoopIsNoError(t *testing.T) {
	m := action.TypeSignatureRequest.Machine()
	require.ErrorAs(t, loop.NewFSM("deleted", spec[m.Name()], nil).
		Event(t.Context(), "permanently_deleted"), new(loop.NoTransitionError))

	var report error
	e := request(t, action.Deleted, loop.Callbacks{
		"after_permanently_deleted": func(_ context.Context, e *loop.Event) { e.Err = report },
	})
	require.NoError(t, e.Fire(t.Context(), action.EventPermanentlyDeleted))

	t.Run("but a callback may report one", func(t *testing.T) {
		report = errors.New("mail down")
		err := e.Fire(t.Context(), action.EventPermanentlyDeleted)
		require.ErrorIs(t, err, looplab.ErrReported)
		assert.ErrorIs(t, err, report)
	})
}

// Looplab returns the same kind of error whether the entity moved or not. Ours
// tell.
func TestCallbackErrorsSayWhatBecameOfTheEvent(t *testing.T) {
	cause := errors.New("cause")
	cancel := func(_ context.Context, e *loop.Event) { e.Cancel(cause) }
	report := func(_ context.Context, e *loop.Event) { e.Err = cause }
	for key, c := range map[string]struct {
		callback loop.Callback
		reason   error
		state    action.Status
		message  string
	}{
		"before_approved": {cancel, looplab.ErrCanceled, action.Approval, "canceled by a callback: cause"},
		"before_event":    {cancel, looplab.ErrCanceled, action.Approval, "canceled by a callback: cause"},
		"leave_approval":  {cancel, looplab.ErrCanceled, action.Approval, "canceled by a callback: cause"},
		"leave_state": {
			func(_ context.Context, e *loop.Event) { e.Cancel() },
			looplab.ErrCanceled, action.Approval, "canceled by a callback",
		},
		"enter_ongoing":  {report, looplab.ErrReported, action.Ongoing, "happened, but a callback failed: cause"},
		"enter_state":    {report, looplab.ErrReported, action.Ongoing, "happened, but a callback failed: cause"},
		"after_approved": {report, looplab.ErrReported, action.Ongoing, "happened, but a callback failed: cause"},
		"after_event":    {report, looplab.ErrReported, action.Ongoing, "happened, but a callback failed: cause"},
	} {
		t.Run(key, func(t *testing.T) {
			e := request(t, action.Approval, loop.Callbacks{key: c.callback})
			err := e.Fire(t.Context(), action.EventApproved)
			require.EqualError(t, err, "looplab: signature_request: event approved (approval -> ongoing): "+c.message)
			require.ErrorIs(t, err, c.reason)
			assert.Equal(t, c.state, e.State())
			var got *callbackError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, action.Approval, got.From)
			assert.Equal(t, action.Ongoing, got.To)
			assert.Equal(t, action.EventApproved, got.Event)
			assert.Equal(t, got.Err != nil, errors.Is(err, cause))
			assert.Equal(t, key != "leave_state", got.Err != nil)
		})
	}
}

// What a callback returns may look like looplab's own verdict. It is not.
func TestErrorsOfCallbacksAreNotTakenForLooplabs(t *testing.T) {
	for _, cause := range []error{
		loop.InvalidEventError{Event: "approved", State: "approval"}, loop.UnknownEventError{Event: "approved"},
		loop.InTransitionError{Event: "approved"}, loop.NoTransitionError{}, loop.CanceledError{},
		loop.InternalError{}, fmt.Errorf("wrapped: %w", loop.AsyncError{}),
	} {
		t.Run(fmt.Sprintf("%T", cause), func(t *testing.T) {
			e := request(t, action.Approval, loop.Callbacks{
				"enter_ongoing": func(_ context.Context, e *loop.Event) { e.Err = cause },
			})
			err := e.Fire(t.Context(), action.EventApproved)
			require.ErrorIs(t, err, looplab.ErrReported)
			require.ErrorIs(t, err, cause)
			assert.Equal(t, action.Ongoing, e.State())
		})
	}
}

// A callback that comes after the event may fire the next one.
func TestCallbacksMayFireAfterwards(t *testing.T) {
	var e *entity
	var inner error
	e = request(t, action.Approval, loop.Callbacks{
		"enter_ongoing": func(ctx context.Context, _ *loop.Event) { inner = e.Fire(ctx, action.EventDone) },
		"enter_done":    func(_ context.Context, e *loop.Event) { e.Err = errors.New("mail down") },
	})
	require.NoError(t, e.Fire(t.Context(), action.EventApproved))
	require.ErrorIs(t, inner, looplab.ErrReported)
	assert.Equal(t, action.Done, e.State())

	t.Run("past Fire too", func(t *testing.T) {
		var inner error
		e := request(t, action.Approval, loop.Callbacks{
			"enter_ongoing": func(ctx context.Context, e *loop.Event) { inner = e.FSM.Event(ctx, "done") },
			"leave_ongoing": func(context.Context, *loop.Event) {},
			"enter_done":    func(_ context.Context, e *loop.Event) { e.Err = errors.New("mail down") },
		})
		require.NoError(t, e.Fire(t.Context(), action.EventApproved))
		require.EqualError(t, inner, "mail down")
		assert.Equal(t, action.Done, e.State())
	})
}

func TestFireWithADoneContextDoesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := request(t, action.Ongoing, loop.Callbacks{
		"before_done": func(context.Context, *loop.Event) { t.Error("called") },
	})
	err := e.Fire(ctx, action.EventDone)
	require.EqualError(t, err, "looplab: signature_request: event done not fired: context canceled")
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, action.Ongoing, e.State())
	assert.NoError(t, e.Fire(t.Context(), action.EventPaused), "the entity takes other events")
}

// Looplab, when its context is canceled in the middle of an event, stays in it
// for good. An entity does not.
func TestACanceledContextDoesNotWedge(t *testing.T) {
	for _, key := range []string{"before_paused", "leave_ongoing", "enter_paused", "after_paused"} {
		t.Run(key, func(t *testing.T) {
			// The callback cancels the context that it is called within.
			var cancel context.CancelFunc
			callbacks := loop.Callbacks{key: func(context.Context, *loop.Event) { cancel() }}
			doomed := func() (ctx context.Context) {
				ctx, cancel = context.WithCancel(t.Context())
				return ctx
			}

			plain := loop.NewFSM("ongoing", spec["signature_request"], callbacks)
			plainErr := plain.Event(doomed(), "paused")
			if key == "before_paused" || key == "leave_ongoing" {
				require.ErrorIs(t, plainErr, context.Canceled)
				require.Equal(t, "ongoing", plain.Current())
				require.ErrorAs(t, plain.Event(t.Context(), "done"), new(loop.InTransitionError),
					"looplab has learned to recover: Fire may be simpler now")
			}

			ctx := doomed()
			e := request(t, action.Ongoing, callbacks)
			require.NoError(t, e.Fire(ctx, action.EventPaused))
			require.Error(t, ctx.Err())
			require.Equal(t, action.Paused, e.State())
			require.NoError(t, e.Fire(t.Context(), action.EventResumed))
		})
	}
}

// Callbacks that can cancel see that the caller has given up; for those that
// come afterwards there is nothing left to give up.
func TestWhoSeesThatTheCallerGaveUp(t *testing.T) {
	seen := map[string]error{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	callbacks := loop.Callbacks{
		"before_paused": func(context.Context, *loop.Event) { cancel() },
	}
	for _, key := range []string{"before_event", "leave_ongoing", "leave_state", "enter_paused", "enter_state", "after_paused"} {
		callbacks[key] = func(ctx context.Context, _ *loop.Event) { seen[key] = ctx.Err() }
	}
	e := request(t, action.Ongoing, callbacks)
	require.NoError(t, e.Fire(ctx, action.EventPaused))
	assert.Equal(t, map[string]error{
		"before_event": context.Canceled, "leave_ongoing": context.Canceled, "leave_state": context.Canceled,
		"enter_paused": nil, "enter_state": nil, "after_paused": nil,
	}, seen)
}

func TestAsynchronousEvents(t *testing.T) {
	entered := false
	e := request(t, action.Ongoing, loop.Callbacks{
		"leave_ongoing": func(_ context.Context, e *loop.Event) { e.Async() },
		"enter_paused":  func(context.Context, *loop.Event) { entered = true },
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := e.Fire(ctx, action.EventPaused)
	require.EqualError(t, err,
		"looplab: signature_request: event paused (ongoing -> paused): started, and waits for Transition: async started")
	require.ErrorIs(t, err, looplab.ErrStarted)
	require.ErrorAs(t, err, new(loop.AsyncError))
	require.Equal(t, action.Ongoing, e.State())

	err = e.Fire(t.Context(), action.EventDone)
	require.ErrorIs(t, err, looplab.ErrBusy)
	var busy *callbackError
	require.ErrorAs(t, err, &busy)
	assert.Equal(t, []action.Status{action.Ongoing, action.Done}, []action.Status{busy.From, busy.To})

	cancel() // comes too late, as it should
	require.NoError(t, e.FSM().Transition())
	require.True(t, entered)
	require.Equal(t, action.Paused, e.State())
	require.NoError(t, e.Fire(t.Context(), action.EventResumed))
}

// The callback that starts an asynchronous event may send for its end at once.
func TestAsynchronousEventsMayEndAtOnce(t *testing.T) {
	ended := make(chan error)
	e := request(t, action.Ongoing, loop.Callbacks{
		"leave_ongoing": func(_ context.Context, e *loop.Event) {
			e.Async()
			go func() { ended <- e.FSM.Transition() }()
		},
	})
	require.ErrorIs(t, e.Fire(t.Context(), action.EventPaused), looplab.ErrStarted)
	require.NoError(t, <-ended)
	require.Equal(t, action.Paused, e.State())
}

// The comment on Entity says of these two that a new entity is the way out. It
// is while looplab cannot do better.
func TestEntitiesThatAreLeftBehind(t *testing.T) {
	t.Run("an asynchronous event that is canceled", func(t *testing.T) {
		e := request(t, action.Ongoing, loop.Callbacks{
			"leave_ongoing": func(_ context.Context, e *loop.Event) { e.Async() },
		})
		var started loop.AsyncError
		require.ErrorAs(t, e.Fire(t.Context(), action.EventPaused), &started)
		started.CancelTransition()
		require.NoError(t, e.FSM().Transition())
		require.Equal(t, action.Ongoing, e.State())
		require.ErrorIs(t, e.Fire(t.Context(), action.EventDone), looplab.ErrBusy)
	})
	t.Run("a leave_ callback that panics", func(t *testing.T) {
		e := request(t, action.Ongoing, loop.Callbacks{
			"leave_ongoing": func(context.Context, *loop.Event) { panic("oops") },
		})
		require.PanicsWithValue(t, "oops", func() { _ = e.Fire(t.Context(), action.EventPaused) })
		require.Equal(t, action.Ongoing, e.State())
		require.ErrorIs(t, e.Fire(t.Context(), action.EventDone), looplab.ErrBusy)
	})
}

func TestTheHostMaySetLooplabsState(t *testing.T) {
	e := request(t, action.Ongoing, nil)
	e.FSM().SetState("expired")
	require.Equal(t, action.Expired, e.State())

	e.FSM().SetState("nowhere")
	require.Zero(t, e.State())
	require.ErrorIs(t, e.Fire(t.Context(), action.EventDone), fsm.ErrUnknownState)
}
