package webhookpolicy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// WHK-3: the timetable of the spec, in the order of its calls.
var timetable = []time.Duration{
	0, 2 * time.Minute, 8 * time.Minute, 38 * time.Minute,
	time.Hour + 38*time.Minute, 6*time.Hour + 38*time.Minute, 24*time.Hour + 38*time.Minute,
	48*time.Hour + 38*time.Minute, 96*time.Hour + 38*time.Minute,
}

// WHK-3: nine calls that fail go out by the timetable, plus what the calls
// before took themselves, however each of them ends.
func TestTimetable_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var outcomes []wp.Outcome
		for range 9 {
			o := drawOutcome(t)
			o.RetryAfter = 0
			if o.Success() {
				o.Status = 500
			}
			outcomes = append(outcomes, o)
		}
		tl := wp.Timetable(defaults, true, clock(0), outcomes...)
		require.Len(t, tl.Calls, 9)
		require.Equal(t, wp.Exhausted, tl.State)
		var took time.Duration
		for n, e := range tl.Calls {
			require.Equal(t, timetable[n]+took, e.After, "WHK-3: call %d", n)
			require.Equal(t, clock(e.After), e.At)
			require.Equal(t, n, e.Number)
			require.Equal(t, defaults.Timeout(n), e.Timeout)
			if o := outcomes[n]; o.Result == wp.TimedOut && o.Took() == 0 {
				took += e.Timeout
			} else {
				took += o.Took()
			}
		}
	})
}

func TestTimetable(t *testing.T) {
	tests := []struct {
		name      string
		autoRetry bool
		outcomes  []wp.Outcome
		golden    string
	}{
		{"WHK-3: every call times out", true, nil, "timetable_timeout.txt"},
		{"WHK-3: every call fails at once", true, []wp.Outcome{failure}, "timetable_503.txt"},
		{"WHK-4: without auto_retry", false, []wp.Outcome{failure}, "timetable_once.txt"},
		{"WHK-5: without auto_retry, after a time-out", false, []wp.Outcome{timeout, failure}, "timetable_twice.txt"},
		{"WHK-1: the third call succeeds", true, []wp.Outcome{timeout, failure, answer(200)}, "timetable_success.txt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, tt.golden, wp.Timetable(defaults, tt.autoRetry, clock(0), tt.outcomes...).String())
		})
	}
}

// A policy is followed, and no other has its settings.
func TestTimetable_Policy(t *testing.T) {
	p := defaults
	p.Delays = []time.Duration{time.Hour}
	p.GoneEnds = true
	assert.Len(t, wp.Timetable(p, true, clock(0)).Calls, 2)
	tl := wp.Timetable(p, true, clock(0), answer(410))
	assert.Equal(t, wp.ReasonGone, tl.Reason)
	assert.Len(t, tl.Calls, 1)
}

// What happened, and what comes next.
func TestExplain(t *testing.T) {
	probed := parked(after(failure))
	h := probing(probed.Due(), probed.EventID())
	for range 2 {
		o := during(timeout, clock(time.Hour), 10*time.Second)
		probed, _ = wp.Decide(defaults, willing, h.Observe(defaults, probed, o), probed, o, clock(0))
	}
	canceled, _ := wp.Decide(defaults, switchedOff, well, after(failure), nothing, after(failure).Due())
	tests := []struct {
		name     string
		delivery wp.Delivery
		want     string
	}{
		{"WHK-14: none", wp.Delivery{}, "  none\n"},
		{"WHK-2: pending", fresh, `
event 8f14e45f to subscription 3c59dc04: pending
  0  2025-09-22T14:30:00Z  0 s  due, with 1 s to answer; 9 calls left
`},
		{"WHK-3: waiting for the last", after(times(8, failure)...), `
event 8f14e45f to subscription 3c59dc04: waiting
  0  2025-09-22T14:30:00Z  0 s          answered 503
  1  2025-09-22T14:32:00Z  2 min        answered 503
  2  2025-09-22T14:38:00Z  8 min        answered 503
  3  2025-09-22T15:08:00Z  38 min       answered 503
  4  2025-09-22T16:08:00Z  1 h 38 min   answered 503
  5  2025-09-22T21:08:00Z  6 h 38 min   answered 503
  6  2025-09-23T15:08:00Z  24 h 38 min  answered 503
  7  2025-09-24T15:08:00Z  48 h 38 min  answered 503
  8  2025-09-26T15:08:00Z  96 h 38 min  due, with 10 s to answer; 1 call left
`},
		{"WHK-8: parked", probed, `
event 8f14e45f to subscription 3c59dc04: parked
  0  2025-09-22T14:30:00Z  0 s    answered 503
  2 failed probes did not count; the last one, at 2025-09-22T15:30:00Z: timed out after 10 s
  1  2025-09-22T14:32:00Z  2 min  due, but not before the endpoint is released; 8 calls left
`},
		{"WHK-7: canceled", canceled, `
event 8f14e45f to subscription 3c59dc04: canceled: disabled
  0  2025-09-22T14:30:00Z  0 s  answered 503
  canceled: disabled
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, strings.TrimPrefix(tt.want, "\n"), wp.Explain(tt.delivery, defaults).String())
		})
	}
	t.Run("WHK-3: a policy that grants no more", func(t *testing.T) {
		p := defaults
		p.Delays = nil
		tl := wp.Explain(after(failure), p)
		assert.Zero(t, tl.CallsLeft)
		assert.Zero(t, tl.Next)
		p.Delays = defaults.Delays[:1]
		assert.Equal(t, 1, wp.Explain(after(failure), p).CallsLeft)
	})
	t.Run("ids that play with the terminal", func(t *testing.T) {
		d := wp.NewDelivery("\x1b[2J", "\n", clock(0))
		assert.Contains(t, wp.Explain(d, defaults).String(), `event "\x1b[2J" to subscription "\n": pending`)
	})
}

// Durations are told as the spec tells them.
func TestExplain_Durations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                              "0 s",
		999 * time.Nanosecond:          "0 ms",
		time.Microsecond:               "0.001 ms",
		1500 * time.Microsecond:        "1.5 ms",
		999 * time.Millisecond:         "999 ms",
		time.Second:                    "1 s",
		1500 * time.Millisecond:        "1.5 s",
		59 * time.Second:               "59 s",
		time.Minute:                    "1 min",
		90 * time.Second:               "1 min 30 s",
		time.Minute + time.Millisecond: "1 min 0.001 s",
		time.Hour:                      "1 h",
		time.Hour + time.Second:        "1 h 1 s",
		96*time.Hour + 38*time.Minute + 9*time.Second: "96 h 38 min 9 s",
		-time.Minute: "-1 min",
	} {
		tl := wp.Timeline{CallsLeft: 2, Next: wp.Entry{After: d}}
		_, text, _ := strings.Cut(tl.String(), "Z  ")
		text, _, _ = strings.Cut(text, "  due")
		assert.Equal(t, want, text)
	}
}
