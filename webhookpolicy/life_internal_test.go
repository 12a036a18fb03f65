package webhookpolicy

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// WHK-14: the machine is that of the spec: pending leads to every other state,
// waiting and parked likewise, and nothing leads out of an end.
func TestLife(t *testing.T) {
	all := []State{Pending, Waiting, Parked, Delivered, Exhausted, Canceled}
	assert.Equal(t, all, life.States())
	assert.Equal(t, []State{Pending}, life.Initial())
	assert.Equal(t, all[3:], life.Terminal())
	next := func(s State) []State {
		var list []State
		for m := range life.Allowed(s) {
			to, err := life.Next(s, m)
			require.NoError(t, err)
			list = append(list, to)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	for _, s := range all[:3] {
		assert.Equal(t, all[1:], next(s), "WHK-14: %s", s)
		assert.False(t, s.IsEnd())
	}
	for _, s := range all[3:] {
		assert.True(t, s.IsEnd())
		d := Delivery{state: s}
		assert.PanicsWithError(t, "fsm: delivery: event retry is not allowed in state "+s.String()+" (allowed: none)", func() { d.move(retry) })
	}
	assert.Equal(t, "release", release.String())
}
