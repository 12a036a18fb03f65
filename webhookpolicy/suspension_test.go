package webhookpolicy_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// never is a policy that suspends nothing.
func never(p wp.Policy) wp.Policy {
	p.MinEnded = 1 << 30
	return p
}

// down returns the answers of an endpoint that is down from one time to
// another, and how long it takes to say so.
func down(from, to time.Time, took time.Duration) func(time.Time) wp.Outcome {
	return func(now time.Time) wp.Outcome {
		if now.Before(from) || !now.Before(to) {
			return during(answer(200), now, took)
		}
		return during(failure, now, took)
	}
}

// drawDown draws a scenario of an endpoint that goes down and comes back.
var drawDown = rapid.Custom(func(t *rapid.T) scenario {
	sc := scenario{policy: drawPolicy(t), releases: drawMoments(t, 3, "releases")}
	sc.created = drawMoments(t, 12, "deliveries")
	from := clock(time.Duration(rapid.IntRange(-10, 600).Draw(t, "from")) * time.Second)
	to := from.Add(time.Duration(rapid.IntRange(0, 8000).Draw(t, "minutes")) * time.Minute)
	sc.answer = down(from, to, time.Duration(rapid.IntRange(0, 900).Draw(t, "took"))*time.Millisecond)
	return sc
})

// compare plays a scenario as it is and without suspension. It returns how many
// deliveries were parked, called for less often, and saved by it, or which law a
// decider broke.
func compare(sc scenario, d decider) (parked, fewer, saved int, err error) {
	with := simulate(sc, d)
	sc.policy = never(sc.policy)
	without := simulate(sc, wp.Decide)
	if without.unfit {
		return 0, 0, 0, errors.New("it does not end")
	}
	for i := range sc.created {
		for _, s := range with.of(i) {
			if s.decision.Verdict == wp.Park {
				parked++
				break
			}
		}
		used, usedWithout := last(with.of(i)).Number(), last(without.of(i)).Number()
		end, endWithout := last(with.of(i)).State(), last(without.of(i)).State()
		switch {
		case used > usedWithout:
			return 0, 0, 0, fmt.Errorf("delivery %d used up %d calls, not %d", i, used, usedWithout)
		case endWithout == wp.Delivered && end != wp.Delivered:
			return 0, 0, 0, fmt.Errorf("delivery %d is %s", i, end)
		case end == wp.Delivered && endWithout != wp.Delivered:
			saved++
		case used < usedWithout:
			fewer++
		}
	}
	return parked, fewer, saved, nil
}

// WHK-8: whenever an endpoint goes down and comes back, a suspension loses
// nothing that would have been delivered without it, and uses up no retry: no
// delivery is called for more often. Probes that fail are not counted, here as
// everywhere; TestSuspension_Saves counts them.
func TestSuspension_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, _, _, err := compare(drawDown.Draw(t, "scenario"), wp.Decide)
		require.NoError(t, err, "WHK-8")
	})
}

// The scenarios contain what that speaks of.
func TestDrawDown(t *testing.T) {
	var parked, fewer, saved int
	for seed := range 100 {
		p, f, s, err := compare(drawDown.Example(seed), wp.Decide)
		require.NoError(t, err)
		parked, fewer, saved = parked+p, fewer+f, saved+s
	}
	t.Logf("%d deliveries parked, %d called for less often, %d saved", parked, fewer, saved)
	assert.Greater(t, parked, 50)
	assert.Greater(t, fewer, 20)
	assert.Greater(t, saved, 20)
}

// WHK-8: that law is not blind either.
func TestSuspension_Twins(t *testing.T) {
	for _, name := range []string{"what is parked is dropped", "what is parked goes out when it is released"} {
		t.Run(name, func(t *testing.T) {
			twin := twins[slices.IndexFunc(twins, func(tw twin) bool { return tw.name == name })]
			for seed := range 100 {
				if _, _, _, err := compare(drawDown.Example(seed), twin.decide); err != nil {
					return
				}
			}
			assert.Fail(t, "nothing was found")
		})
	}
}

func last(steps []step) wp.Delivery { return steps[len(steps)-1].after }

// WHK-8: by the default settings, an endpoint that comes back after 30 hours
// has been called less often than without suspension, probes included, and has
// everything; so has one that comes back too late for any retry.
func TestSuspension_Saves(t *testing.T) {
	for name, tt := range map[string]struct {
		back      time.Duration
		delivered int // of 24, without suspension
	}{
		"WHK-8: after 30 hours": {30 * time.Hour, 24},
		"WHK-8: after 5 days":   {120 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sc := scenario{policy: defaults, answer: down(clock(0), clock(tt.back), time.Second/2)}
			for i := range 24 {
				sc.created = append(sc.created, time.Duration(i)*time.Second)
			}
			calls, delivered := counts(simulate(sc, wp.Decide))
			assert.Equal(t, 24, delivered)
			sc.policy = never(sc.policy)
			callsWithout, deliveredWithout := counts(simulate(sc, wp.Decide))
			assert.Equal(t, tt.delivered, deliveredWithout)
			assert.Less(t, calls, callsWithout)
			t.Logf("%d calls, %d without suspension", calls, callsWithout)
		})
	}
}

// counts returns how many calls went out, probes included, and how many
// deliveries arrived.
func counts(tr trace) (calls, delivered int) {
	for _, s := range tr.steps {
		switch s.decision.Verdict {
		case wp.Call:
			calls++
		case wp.Done:
			delivered++
		default: // neither
		}
	}
	return calls, delivered
}

// WHK-8: what is parked goes out oldest first, as many in a second as the
// settings say, each with its own number and time-out.
func TestSuspension_Drain(t *testing.T) {
	p := defaults
	p.DrainPerSecond = 2
	p.MinEnded = 1
	sc := scenario{policy: p, answer: down(clock(0), clock(4*time.Minute), 0)}
	for i := range 7 {
		sc.created = append(sc.created, time.Duration(6-i)*100*time.Second) // the last one is the oldest
	}
	tr := simulate(sc, wp.Decide)
	released := tr.health.ReleasedAt()
	require.Equal(t, clock(7*time.Minute), released, "5 min after the first retry failed")
	type sent struct {
		of     int
		after  time.Duration
		number int
	}
	var got []sent
	for _, s := range tr.steps {
		if s.decision.Verdict == wp.Call && !s.now.Before(released) {
			got = append(got, sent{s.of, s.now.Sub(released), s.decision.Number})
		}
	}
	assert.Equal(t, []sent{
		{5, 0, 1},                      // the probe: the oldest one is not due
		{4, 500 * time.Millisecond, 0}, // the first slot is that of the oldest
		{3, 1000 * time.Millisecond, 0},
		{2, 1500 * time.Millisecond, 0},
		{6, time.Minute, 2},      // its retry falls due 8 min after the beginning
		{1, 80 * time.Second, 0}, // what comes after the release waits for nothing
		{0, 180 * time.Second, 0},
	}, got)
	for _, s := range tr.steps {
		if s.decision.Verdict == wp.Call {
			assert.Equal(t, p.Timeout(s.decision.Number), s.decision.Timeout)
		}
	}
}
