package action_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
)

// costs are the moves that a busy host makes all day.
var costs = []struct {
	name string
	move func() (action.Resource, action.Outcome, error)
	want action.Outcome
}{
	{"Observe/taken", observing(action.Verified, at(60)), action.Taken},
	{"Observe/duplicate", observing(action.Pending, at(0)), action.Duplicate},
	{"Observe/stale", observing(action.AwaitingData, at(-60)), action.Stale},
	{"Transition/taken", moving(action.EventVerified, at(60)), action.Taken},
	{"Transition/stale", moving(action.EventVerified, at(-60)), action.Stale},
}

func observing(s action.Status, t time.Time) func() (action.Resource, action.Outcome, error) {
	r := resource(action.TypeIdentityDocumentVerification, action.Pending, at(0))
	return func() (action.Resource, action.Outcome, error) { return r.Observe(s, t) }
}

func moving(e action.Event, t time.Time) func() (action.Resource, action.Outcome, error) {
	r := resource(action.TypeIdentityDocumentVerification, action.Pending, at(0))
	return func() (action.Resource, action.Outcome, error) { return r.Transition(e, t) }
}

// What is no error allocates nothing.
func TestAllocations(t *testing.T) {
	for _, tt := range costs {
		t.Run(tt.name, func(t *testing.T) {
			_, outcome, err := tt.move()
			require.NoError(t, err)
			require.Equal(t, tt.want, outcome)
			assert.Zero(t, testing.AllocsPerRun(100, func() { _, _, _ = tt.move() }))
		})
	}
}

func BenchmarkMoves(b *testing.B) {
	for _, tt := range costs {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = tt.move()
			}
		})
	}
}
