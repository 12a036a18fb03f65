package delivery

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// road is what lanes are compared with: who is on each of them.
type road struct {
	lanes *lanes
	now   time.Time
	width int

	running map[string][]func()
	last    map[string]time.Time // when who was turned away last may come, since nobody left
}

func newRoad(width int, of func(*lanes) *lanes) *road {
	r := &road{
		now: time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC), width: width,
		running: map[string][]func(){}, last: map[string]time.Time{},
	}
	r.lanes = of(&lanes{width: width, now: func() time.Time { return r.now }})
	return r
}

// enter asks for a lane, and says what is wrong with the answer.
func (r *road) enter(endpoint string) error {
	leave, wait := r.lanes.enter(endpoint)
	n := len(r.running[endpoint])
	switch {
	case leave != nil && wait != 0:
		return errors.New("it may call, and is to wait")
	case leave != nil && n >= r.width:
		return fmt.Errorf("call %d where there is room for %d", n+1, r.width)
	case leave == nil && n < r.width:
		return fmt.Errorf("turned away by %d calls where there is room for %d", n, r.width)
	case leave != nil:
		r.running[endpoint] = append(r.running[endpoint], leave)
		return nil
	case wait < minWait || wait > maxWait:
		return fmt.Errorf("turned away for %s", wait)
	}
	at := r.now.Add(wait)
	if at.Before(r.last[endpoint]) {
		return fmt.Errorf("turned away until %s, and the one before until %s", at, r.last[endpoint])
	}
	r.last[endpoint] = at
	return nil
}

// leave ends a call.
func (r *road) leave(endpoint string, i int) {
	all := r.running[endpoint]
	all[i]()
	r.running[endpoint] = append(all[:i:i], all[i+1:]...)
	delete(r.last, endpoint)
}

// clear ends all calls, and says what is left of them.
func (r *road) clear() error {
	for endpoint, all := range r.running {
		for range all {
			r.leave(endpoint, 0)
		}
	}
	if n := len(r.lanes.busy); n > 0 {
		return fmt.Errorf("lanes that nobody is on: %d", n)
	}
	return nil
}

// drive does whatever comes to mind.
func drive(t *rapid.T, of func(*lanes) *lanes) error {
	r := newRoad(rapid.IntRange(1, 4).Draw(t, "width"), of)
	endpoints := rapid.SampledFrom([]string{"a", "b", "c"})
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		endpoint := endpoints.Draw(t, "endpoint")
		switch n := len(r.running[endpoint]); rapid.IntRange(0, 3).Draw(t, "step") {
		case 0:
			r.now = r.now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "pause")))
		case 1:
			if n > 0 {
				r.leave(endpoint, rapid.IntRange(0, n-1).Draw(t, "which"))
			}
		default:
			if err := r.enter(endpoint); err != nil {
				return err
			}
		}
	}
	return r.clear()
}

func asTheyAre(l *lanes) *lanes { return l }

// Whatever happens, no lane has more calls than there is room for, nobody is turned
// away where there is room, who is turned away comes back neither too early nor too
// late nor before those who were turned away before, and nothing is left behind.
func TestLanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := drive(t, asTheyAre); err != nil {
			t.Fatal(err)
		}
	})
}

// Lanes that are too wide, too narrow, or never taken away, are found out.
func TestLanes_BrokenTwins(t *testing.T) {
	forgetful := func(l *lanes) *lanes { // a lane that is left stays
		l.busy = map[string]*lane{"somewhere": {}}
		return l
	}
	for name, of := range map[string]func(*lanes) *lanes{
		"wide":      func(l *lanes) *lanes { l.width++; return l },
		"narrow":    func(l *lanes) *lanes { l.width--; return l },
		"forgetful": forgetful,
	} {
		t.Run(name, func(t *testing.T) {
			found := false
			for seed := range 200 {
				found = found || rapid.Custom(func(t *rapid.T) bool { return drive(t, of) != nil }).Example(seed)
			}
			assert.True(t, found)
		})
	}
}

// full is a lane of four whose calls have begun now.
func full(t *testing.T) *road {
	t.Helper()
	r := newRoad(4, asTheyAre)
	for range r.width {
		require.NoError(t, r.enter("a"))
	}
	return r
}

// away returns for how long the next one is turned away.
func (r *road) away(t *testing.T) time.Duration {
	t.Helper()
	leave, wait := r.lanes.enter("a")
	require.Nil(t, leave)
	return wait
}

// Who waits for an endpoint that never answers asks less and less: the queue is
// not kept busy by it.
func TestLanes_Silent(t *testing.T) {
	r := full(t)
	asked := 0
	for end := r.now.Add(10 * time.Minute); r.now.Before(end); asked++ {
		r.now = r.now.Add(r.away(t))
	}
	assert.LessOrEqual(t, asked, 40, "every 30 s, and some times at first")
}

// Those who wait follow one after another, as many at a time as there is room for.
func TestLanes_InTurn(t *testing.T) {
	r := full(t)
	r.now = r.now.Add(time.Second)
	r.leave("a", 0)
	require.NoError(t, r.enter("a"))
	for i := range 8 {
		assert.Equal(t, 500*time.Millisecond+time.Duration(i+1)*250*time.Millisecond, r.away(t))
	}
}

// An endpoint that has recovered is not waited for as long as before.
func TestLanes_Recovers(t *testing.T) {
	r := full(t)
	r.now = r.now.Add(20 * time.Second)
	for range 100 {
		r.away(t)
	}
	assert.Equal(t, maxWait, r.away(t))
	for range 20 { // calls that take 10 ms
		r.leave("a", 0)
		require.NoError(t, r.enter("a"))
		r.now = r.now.Add(10 * time.Millisecond)
		for range 3 {
			r.leave("a", 0)
			require.NoError(t, r.enter("a"))
		}
	}
	assert.Less(t, r.away(t), time.Second)
}
