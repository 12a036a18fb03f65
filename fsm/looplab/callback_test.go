package looplab_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	loop "github.com/looplab/fsm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm/looplab"
)

func nothing(context.Context, *loop.Event) {}

func TestCallbackKeys(t *testing.T) {
	const shape = "a key is before_ or after_ and an event (event for all, or verified, failed, inconclusive), " +
		"leave_ or enter_ and a state (state for all, or pending, verified, failed, inconclusive), " +
		"or the name of either alone"
	for key, want := range map[string]string{
		"before_verified": "", "before_event": "", "after_verified": "", "after_event": "",
		"leave_pending": "", "leave_state": "", "enter_verified": "", "enter_state": "",
		"pending": "",

		"verified":        `names a state and an event; write "enter_verified" or "after_verified"`,
		"before_pending":  "would never be called; did you mean leave_pending?",
		"enter_pendign":   "would never be called; did you mean enter_pending?",
		"Enter_Pending":   "would never be called; did you mean enter_pending?",
		"leave_verifed":   "would never be called; did you mean leave_verified?",
		"enter_event":     "would never be called; did you mean after_event?",
		"leave_verfied":   "would never be called; did you mean leave_verified?",
		"lenter_pending":  "would never be called; did you mean enter_pending?",
		"beter_failed":    "would never be called; did you mean after_failed or enter_failed?",
		"pneding":         "would never be called; did you mean pending?",
		"enter_":          "would never be called; " + shape,
		"":                "would never be called; " + shape,
		"on_failed":       "would never be called; " + shape, // near none, not even enter_failed
		"on_any_occasion": "would never be called; " + shape,
	} {
		t.Run(key, func(t *testing.T) {
			_, err := looplab.New(action.TypeWatchlistVerification.Machine(), action.Pending, loop.Callbacks{key: nothing})
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, `looplab: verification_without_data: callback "`+key+`" `+want)
		})
	}
}

func TestCallbacksThatAreTheSameAreRefused(t *testing.T) {
	m := action.TypeWatchlistVerification.Machine()
	_, err := looplab.New(m, action.Pending, loop.Callbacks{"pending": nothing, "enter_pending": nothing})
	require.EqualError(t, err, `looplab: verification_without_data: callback "pending" `+
		`is the same as "enter_pending"; give one of them`)
}

// Every key that an error proposes is right.
func TestProposedCallbackKeysAreRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := machines().Draw(t, "machine")
		_, err := looplab.New(m, m.States()[0], loop.Callbacks{keys(m).Draw(t, "key"): nothing})
		if err == nil {
			return
		}
		var key *looplab.CallbackKeyError
		require.ErrorAs(t, err, &key)
		for _, right := range key.Right {
			_, err := looplab.New(m, m.States()[0], loop.Callbacks{right: nothing})
			require.NoError(t, err)
		}
	})
}

// New takes a key if and only if looplab does, but for those that looplab
// resolves by a rule that nobody would guess.
func TestCallbackKeysAreThoseOfLooplab(t *testing.T) {
	taken := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := machines().Draw(t, "machine")
		table, err := looplab.Events(m)
		require.NoError(t, err)
		key := keys(m).Draw(t, "key")

		_, err = looplab.New(m, m.States()[0], loop.Callbacks{key: nothing})
		kept := keptByLooplab(table, loop.Callbacks{key: nothing}) == 1
		taken[kept]++
		var refused *looplab.CallbackKeyError
		if errors.As(err, &refused) && strings.Contains(refused.Reason, "names a state and an event") {
			require.True(t, kept, "an ambiguous key is one that looplab takes")
			return
		}
		require.Equal(t, kept, err == nil, "%v", err)
	})
	assert.Positive(t, taken[true])
	assert.Positive(t, taken[false])
}

// keptByLooplab looks into a looplab machine for how many callbacks it kept.
func keptByLooplab(table loop.Events, callbacks loop.Callbacks) int {
	return reflect.ValueOf(loop.NewFSM("", table, callbacks)).Elem().FieldByName("callbacks").Len()
}

// keys draws callback keys, most of them nearly right.
func keys(m *machine) *rapid.Generator[string] {
	targets := []string{"event", "state", ""}
	for _, r := range m.Rows() {
		targets = append(targets, r.Event.String(), r.To.String(), r.From[0].String())
	}
	for _, s := range m.States() {
		targets = append(targets, s.String())
	}
	return rapid.Custom(func(t *rapid.T) string {
		prefix := rapid.SampledFrom([]string{"before_", "leave_", "enter_", "after_", "", "", "on_", "enter"})
		return prefix.Draw(t, "prefix") + rapid.SampledFrom(targets).Draw(t, "target") +
			rapid.SampledFrom([]string{"", "", "", "", "d"}).Draw(t, "suffix")
	})
}
