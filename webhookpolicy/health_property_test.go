package webhookpolicy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// plainHealth is WHK-8 once more: it remembers every call since the release.
type plainHealth struct {
	condition wp.Condition
	began     time.Time
	probeAt   time.Time
	wait      time.Duration
	probe     string
	released  time.Time
	calls     []wp.Outcome
	latest    time.Time // of the calls
}

// part returns the number of the sixtieth of a window that a time is in.
func part(p wp.Policy, t time.Time) int64 { return int64(t.Sub(time.Unix(0, 0)) / (p.Window / 60)) }

func (h *plainHealth) counts(p wp.Policy) (ended, failed int) {
	for _, o := range h.calls {
		if part(p, o.Ended) > part(p, h.latest)-60 {
			ended++
			if !o.Success() {
				failed++
			}
		}
	}
	return ended, failed
}

func (h *plainHealth) observe(p wp.Policy, d wp.Delivery, o wp.Outcome) {
	switch {
	case h.condition == wp.Probing && h.probe == d.EventID() && o.Success():
		h.release(o.Ended)
	case h.condition == wp.Probing && h.probe == d.EventID():
		h.condition, h.probe = wp.Suspended, ""
		h.wait = min(2*h.wait, p.ProbeMax)
		h.probeAt = o.Ended.Add(h.wait)
	case h.condition == wp.Open && d.Number() >= 1:
		if len(h.calls) > 0 && part(p, o.Ended) <= part(p, h.latest)-60 {
			h.calls, h.latest = nil, time.Time{}
		}
		h.calls = append(h.calls, o)
		if o.Ended.After(h.latest) {
			h.latest = o.Ended
		}
		if ended, failed := h.counts(p); ended >= p.MinEnded && failed*100 >= p.FailedPercent*ended {
			h.condition, h.began, h.wait = wp.Suspended, o.Ended, p.ProbeAfter
			h.probeAt = o.Ended.Add(h.wait)
		}
	}
}

func (h *plainHealth) release(at time.Time) { *h = plainHealth{released: at} }

// drawClock draws the readings of a clock that now and then is set back, or was
// ahead.
func drawClock(t *rapid.T) func() time.Time {
	now := clock(0)
	return func() time.Time {
		unit := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute, time.Minute, time.Hour}).Draw(t, "unit")
		now = now.Add(time.Duration(rapid.IntRange(-10, 60).Draw(t, "step")) * unit)
		return now
	}
}

// WHK-8: whatever happens, by whatever clock, an endpoint stands as one would
// have it that remembers every call; a store changes nothing.
func TestHealth_Plain(t *testing.T) {
	probe, retried := parked(fresh), after(failure)
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		var h wp.Health
		var want plainHealth
		tick := drawClock(t)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now := tick()
			switch rapid.IntRange(0, 9).Draw(t, "event") {
			case 0:
				h = h.Release(now)
				if want.condition != wp.Open {
					want.release(now)
				}
			case 1, 2:
				var ok bool
				h, ok = h.Probe("8f14e45f", now)
				due := want.condition != wp.Open && !now.Before(want.probeAt) || want.condition != wp.Open && now.Before(want.probeAt.Add(-2*want.wait+1))
				require.Equal(t, due, ok, "WHK-8")
				if ok {
					want.condition, want.probe, want.probeAt = wp.Probing, "8f14e45f", now.Add(want.wait)
				}
			default:
				o := during(drawOutcome(t), now, 0)
				d := rapid.SampledFrom([]wp.Delivery{retried, retried, retried, probe, fresh, wp.NewDelivery("x", "s", clock(0))}).Draw(t, "delivery")
				h = h.Observe(p, d, o)
				want.observe(p, d, o)
			}
			ended, failed := h.Counts()
			if want.condition == wp.Open {
				wantEnded, wantFailed := want.counts(p)
				require.Equal(t, []int{wantEnded, wantFailed}, []int{ended, failed}, "WHK-8")
			}
			require.Equal(t, want.condition, h.Condition(), "WHK-8")
			require.Equal(t, want.probeAt, h.ProbeAt())
			require.Equal(t, want.began, h.SuspendedAt())
			require.Equal(t, want.released, h.ReleasedAt())
			var read wp.Health
			require.NoError(t, reread(h, &read))
			require.Equal(t, h, read)
		}
	})
}

// WHK-8: clocks that step back do no harm. In what order the calls of a window
// are told makes no difference to what is counted, and a step of any size holds
// up no probe for longer than the time between two, once again.
func TestHealth_Clocks(t *testing.T) {
	p := defaults
	p.MinEnded = 1 << 30
	rapid.Check(t, func(t *rapid.T) {
		ended := rapid.SliceOfN(rapid.IntRange(0, 3500), 1, 30).Draw(t, "ended")
		fold := func(order []int) wp.Health {
			var h wp.Health
			for _, second := range order {
				h = h.Observe(p, after(failure), during(failure, clock(time.Duration(second)*time.Second), 0))
			}
			return h
		}
		require.Equal(t, fold(ended), fold(rapid.Permutation(ended).Draw(t, "order")), "WHK-8")

		h := suspended(clock(0))
		now := clock(time.Duration(rapid.Int64Range(-1<<62, 1<<62).Draw(t, "now")))
		_, atOnce := h.Probe("x", now)
		_, later := h.Probe("x", now.Add(2*defaults.ProbeAfter))
		require.True(t, atOnce || later, "WHK-8")
	})
}
