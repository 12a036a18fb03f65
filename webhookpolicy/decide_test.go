package webhookpolicy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// clock returns a time, so long after the beginning of every test.
func clock(after time.Duration) time.Time {
	return time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC).Add(after)
}

const calledURL = "https://example.com/webhooks"

// retrying returns a subscription with these two attributes.
func retrying(enabled, autoRetry bool) wp.Subscription {
	s, err := wp.NewSubscription("3c59dc04", wp.Settings{
		Endpoint: calledURL, Secret: wp.NewSecret("0123456789abcdef0123456789abcdef"),
		Enabled: enabled, AutoRetry: autoRetry,
		Events: []wp.EventName{wp.Wildcard}, Scopes: []string{wp.Wildcard},
	}, clock(0))
	if err != nil {
		panic(err)
	}
	return s
}

var (
	willing     = retrying(true, true)
	onceOnly    = retrying(true, false)
	switchedOff = retrying(false, true)
	bothOff     = retrying(false, false)
	removed     = wp.Subscription{}
	nothing     = wp.Outcome{}
	well        = wp.Health{}
	defaults    = wp.DefaultPolicy()
	fresh       = wp.NewDelivery("8f14e45f", "3c59dc04", clock(0))
)

func answer(status int) wp.Outcome { return wp.Outcome{Result: wp.Answered, Status: status} }

// during gives an outcome its times.
func during(o wp.Outcome, began time.Time, took time.Duration) wp.Outcome {
	o.Began, o.Ended = began, began.Add(took)
	return o
}

// after returns the delivery whose calls ended like this, each when it fell due
// and within no time. The endpoint is well and the subscription willing.
func after(outcomes ...wp.Outcome) wp.Delivery {
	d := fresh
	for _, o := range outcomes {
		d, _ = wp.Decide(defaults, willing, well, d, during(o, d.Due(), 0), d.Due())
	}
	return d
}

var (
	failure = answer(503)
	timeout = wp.Outcome{Result: wp.TimedOut}
)

// times repeats an outcome.
func times(n int, o wp.Outcome) []wp.Outcome {
	list := make([]wp.Outcome, n)
	for i := range list {
		list[i] = o
	}
	return list
}

// suspended returns the health of an endpoint that is suspended since a time,
// by the default settings.
func suspended(since time.Time) wp.Health {
	var h wp.Health
	for range defaults.MinEnded {
		h = h.Observe(defaults, after(failure), during(failure, since, 0))
	}
	if h.Condition() != wp.Suspended {
		panic(h.Condition())
	}
	return h
}

// probing lets a delivery probe that endpoint.
func probing(since time.Time, id string) wp.Health {
	h, ok := suspended(since).Probe(id, since.Add(defaults.ProbeAfter))
	if !ok {
		panic("no probe")
	}
	return h
}

// parked returns a delivery as a suspension leaves it when its call falls due.
func parked(d wp.Delivery) wp.Delivery {
	d, decision := wp.Decide(defaults, willing, suspended(d.Due()), d, nothing, d.Due())
	if decision.Verdict != wp.Park {
		panic(decision.Verdict)
	}
	return d
}

// What comes when a call falls due, or before.
func TestDecide_Due(t *testing.T) {
	shorter := defaults
	shorter.Delays = shorter.Delays[:1]
	first := fresh
	tests := []struct {
		name         string
		policy       wp.Policy
		subscription wp.Subscription
		health       wp.Health
		delivery     wp.Delivery
		early        time.Duration // how long before it falls due
		want         wp.Decision
		state        wp.State
	}{
		{"WHK-2: the first call has 1 s", defaults, willing, well, first, 0, callOf(0), wp.Pending},
		{"WHK-2: a retry has 10 s", defaults, willing, well, after(failure), 0, callOf(1), wp.Waiting},
		{"WHK-3: not before it is due", defaults, willing, well, after(failure), 1, waitFor(after(failure)), wp.Waiting},
		{"WHK-3: the last retry", defaults, willing, well, after(times(8, failure)...), 0, callOf(8), wp.Waiting},
		{"WHK-3: more than a new policy grants", shorter, willing, well, after(times(2, failure)...), 0, wp.Decision{Verdict: wp.Exhaust}, wp.Exhausted},
		{"WHK-4: the first call needs no auto_retry", defaults, onceOnly, well, first, 0, callOf(0), wp.Pending},
		{"WHK-5: nor does the retry after a first time-out", defaults, onceOnly, well, after(timeout), 0, callOf(1), wp.Waiting},
		{"WHK-5: the second retry does", defaults, onceOnly, well, after(timeout, timeout), 0, cancelFor(wp.ReasonAutoRetryOff), wp.Canceled},
		{"WHK-6: the count is that of the retry", defaults, willing, well, after(times(3, failure)...), 0, callOf(3), wp.Waiting},
		{"WHK-7: auto_retry off cancels a retry", defaults, onceOnly, well, after(failure), 0, cancelFor(wp.ReasonAutoRetryOff), wp.Canceled},
		{"WHK-7: not before it falls due", defaults, onceOnly, well, after(failure), 1, waitFor(after(failure)), wp.Waiting},
		{"WHK-7: deleted before the first call", defaults, removed, well, first, 0, cancelFor(wp.ReasonDeleted), wp.Canceled},
		{"WHK-7: deleted before a retry", defaults, removed, well, after(failure), 0, cancelFor(wp.ReasonDeleted), wp.Canceled},
		{"WHK-7: deleted, not due", defaults, removed, well, after(failure), 1, waitFor(after(failure)), wp.Waiting},
		{"WHK-7: deleted cancels also the retry after a first time-out", defaults, removed, well, after(timeout), 0, cancelFor(wp.ReasonDeleted), wp.Canceled},
		{"WHK-7: disabled before the first call", defaults, switchedOff, well, first, 0, cancelFor(wp.ReasonDisabled), wp.Canceled},
		{"WHK-7: disabled, not due", defaults, switchedOff, well, after(failure), 1, waitFor(after(failure)), wp.Waiting},
		{"WHK-7: disabled comes before auto_retry off", defaults, bothOff, well, after(failure), 0, cancelFor(wp.ReasonDisabled), wp.Canceled},
		{"WHK-7: disabled cancels also the retry after a first time-out", defaults, bothOff, well, after(timeout), 0, cancelFor(wp.ReasonDisabled), wp.Canceled},
		{"WHK-8: a suspended endpoint parks the first call", defaults, willing, suspended(clock(0)), first, 0, parkOf(0), wp.Parked},
		{"WHK-8: and a retry", defaults, willing, suspended(clock(0)), after(failure), 0, parkOf(1), wp.Parked},
		{"WHK-8: when it falls due", defaults, willing, suspended(clock(0)), after(failure), 1, waitFor(after(failure)), wp.Waiting},
		{"WHK-8: probing does as well", defaults, willing, probing(clock(0), "another"), first, 0, parkOf(0), wp.Parked},
		{"WHK-8: what is canceled is not parked", defaults, switchedOff, suspended(clock(0)), first, 0, cancelFor(wp.ReasonDisabled), wp.Canceled},
		{"WHK-8: what is parked stays so", defaults, willing, suspended(clock(0)), parked(after(failure)), 0, parkOf(1), wp.Parked},
		{"WHK-8: also if it is not due", defaults, willing, suspended(clock(0)), parked(after(failure)), 1, parkOf(1), wp.Parked},
		{"WHK-7: what is parked is not read", defaults, switchedOff, suspended(clock(0)), parked(after(failure)), 0, parkOf(1), wp.Parked},
		{"WHK-7: but once it is released", defaults, switchedOff, well, parked(after(failure)), 0, cancelFor(wp.ReasonDisabled), wp.Canceled},
		{"WHK-7: and when it probes", defaults, removed, probing(clock(0), "8f14e45f"), parked(after(failure)), 0, cancelFor(wp.ReasonDeleted), wp.Canceled},
		{"WHK-8: a probe is called", defaults, willing, probing(clock(0), "8f14e45f"), parked(after(failure)), 0, probeOf(1), wp.Parked},
		{"WHK-8: not before it is due", defaults, willing, probing(clock(0), "8f14e45f"), parked(after(failure)), 1, waitFor(after(failure)), wp.Parked},
		{"WHK-8: a probe with the first call has its time-out", defaults, willing, probing(clock(0), "8f14e45f"), parked(first), 0, probeOf(0), wp.Parked},
		{"WHK-8: what probes is parked", defaults, willing, probing(clock(0), "8f14e45f"), first, 0, probeOf(0), wp.Parked},
		{"WHK-8: what was parked and released is called", defaults, willing, well, parked(after(failure)), 0, callOf(1), wp.Waiting},
		{"WHK-8: when it is due", defaults, willing, well, parked(after(failure)), 1, waitFor(after(failure)), wp.Waiting},
		{"WHK-8: a first call released is a first call", defaults, willing, well, parked(first), 0, callOf(0), wp.Waiting},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, decision := wp.Decide(tt.policy, tt.subscription, tt.health, tt.delivery, nothing, tt.delivery.Due().Add(-tt.early))
			assert.Equal(t, tt.want, decision)
			assert.Equal(t, tt.state, d.State())
			assert.Equal(t, tt.delivery.Number(), d.Number(), "nothing has ended")
			if tt.want.Verdict == wp.Cancel {
				assert.Equal(t, tt.want.Reason, d.Reason())
			}
			if d.State().IsEnd() {
				assert.Zero(t, d.Due())
			} else {
				assert.Equal(t, tt.delivery.Due(), d.Due())
			}
		})
	}
}

func callOf(number int) wp.Decision {
	return wp.Decision{Verdict: wp.Call, Number: number, Endpoint: calledURL, Timeout: map[bool]time.Duration{true: time.Second, false: 10 * time.Second}[number == 0]}
}

func probeOf(number int) wp.Decision {
	decision := callOf(number)
	decision.Probe = true
	return decision
}

func waitFor(d wp.Delivery) wp.Decision {
	return wp.Decision{Verdict: wp.Wait, Number: d.Number(), At: d.Due()}
}

func parkOf(number int) wp.Decision { return wp.Decision{Verdict: wp.Park, Number: number} }

func cancelFor(r wp.Reason) wp.Decision { return wp.Decision{Verdict: wp.Cancel, Reason: r} }

// What the end of a call means.
func TestDecide_Ended(t *testing.T) {
	gone := defaults
	gone.GoneEnds = true
	once := defaults
	once.Delays = nil
	wait := func(number int, delay time.Duration) wp.Decision {
		return wp.Decision{Verdict: wp.Wait, Number: number, At: clock(3*time.Second + delay)}
	}
	asking := func(status int, wait time.Duration) wp.Outcome {
		return wp.Outcome{Result: wp.Answered, Status: status, RetryAfter: wait}
	}
	done, exhausted := wp.Decision{Verdict: wp.Done}, wp.Decision{Verdict: wp.Exhaust}
	const minute, hour = time.Minute, time.Hour
	tests := []struct {
		name         string
		policy       wp.Policy
		subscription wp.Subscription
		health       wp.Health
		delivery     wp.Delivery // its call begins at once and takes 3 s
		outcome      wp.Outcome
		want         wp.Decision
	}{
		{"WHK-1: an answer of 2XX", defaults, willing, well, fresh, answer(204), done},
		{"WHK-1: an answer of 3XX", defaults, willing, well, fresh, answer(301), done},
		{"WHK-1: on a retry", defaults, willing, well, after(failure), answer(200), done},
		{"WHK-1: on the last retry", defaults, willing, well, after(times(8, failure)...), answer(200), done},
		{"WHK-1: without auto_retry", defaults, onceOnly, well, fresh, answer(200), done},
		{"WHK-1: under a suspension", defaults, willing, suspended(clock(0)), after(failure), answer(200), done},
		{"WHK-1: to a subscription that was deleted meanwhile", defaults, removed, well, fresh, answer(200), done},
		{"WHK-3: the first retry", defaults, willing, well, fresh, failure, wait(1, 2*minute)},
		{"WHK-3: the second retry", defaults, willing, well, after(times(1, failure)...), failure, wait(2, 6*minute)},
		{"WHK-3: the third retry", defaults, willing, well, after(times(2, failure)...), failure, wait(3, 30*minute)},
		{"WHK-3: the fourth retry", defaults, willing, well, after(times(3, failure)...), failure, wait(4, hour)},
		{"WHK-3: the fifth retry", defaults, willing, well, after(times(4, failure)...), failure, wait(5, 5*hour)},
		{"WHK-3: the sixth retry", defaults, willing, well, after(times(5, failure)...), failure, wait(6, 18*hour)},
		{"WHK-3: the seventh retry", defaults, willing, well, after(times(6, failure)...), failure, wait(7, 24*hour)},
		{"WHK-3: the eighth retry", defaults, willing, well, after(times(7, failure)...), failure, wait(8, 48*hour)},
		{"WHK-3: no ninth", defaults, willing, well, after(times(8, failure)...), failure, exhausted},
		{"WHK-3: no ninth if a deadline ran out", defaults, willing, well, after(times(8, timeout)...), timeout, exhausted},
		{"WHK-3: no ninth for a deleted subscription", defaults, removed, well, after(times(8, failure)...), failure, exhausted},
		{"WHK-3: no ninth under a suspension", defaults, willing, suspended(clock(0)), after(times(8, failure)...), failure, exhausted},
		{"WHK-3: a policy without retries", once, willing, well, fresh, timeout, exhausted},
		{"WHK-4: no retry without auto_retry", defaults, onceOnly, well, fresh, failure, exhausted},
		{"WHK-4: whatever failed", defaults, onceOnly, well, fresh, wp.Outcome{Result: wp.ConnectionRefused}, exhausted},
		{"WHK-5: but after a time-out", defaults, onceOnly, well, fresh, timeout, wait(1, 2*minute)},
		{"WHK-5: the second failure exhausts", defaults, onceOnly, well, after(timeout), failure, exhausted},
		{"WHK-5: also if it is a time-out", defaults, onceOnly, well, after(timeout), timeout, exhausted},
		{"WHK-5: a first call that failed otherwise is no time-out", defaults, onceOnly, well, after(failure), timeout, exhausted},
		{"WHK-7: disabled is told when the retry falls due", defaults, switchedOff, well, fresh, failure, wait(1, 2*minute)},
		{"WHK-7: so is deleted", defaults, removed, well, fresh, failure, wait(1, 2*minute)},
		{"WHK-7: but auto_retry at once", defaults, bothOff, well, fresh, failure, exhausted},
		{"WHK-8: under a suspension it is parked", defaults, willing, suspended(clock(0)), after(failure), failure, parkOf(2)},
		{"WHK-8: a first call too", defaults, willing, suspended(clock(0)), fresh, failure, parkOf(1)},
		{"WHK-8: while something probes too", defaults, willing, probing(clock(0), "another"), fresh, failure, parkOf(1)},
		{"WHK-13: Retry-After after the schedule", defaults, willing, well, fresh, asking(503, 3*minute), wait(1, 3*minute)},
		{"WHK-13: Retry-After before the schedule", defaults, willing, well, fresh, asking(503, minute), wait(1, 2*minute)},
		{"WHK-13: Retry-After is 24 h at most", defaults, willing, well, fresh, asking(429, 25*hour), wait(1, 24*hour)},
		{"WHK-13: the schedule may be more", defaults, willing, well, after(times(7, failure)...), asking(503, 72*hour), wait(8, 48*hour)},
		{"WHK-13: Retry-After goes for that delay only", defaults, willing, well, after(asking(503, hour)), failure, wait(2, 6*minute)},
		{"WHK-13: Retry-After of nonsense", defaults, willing, well, fresh, asking(503, -hour), wait(1, 2*minute)},
		{"WHK-13: 410 is a failure", defaults, willing, well, fresh, answer(410), wait(1, 2*minute)},
		{"WHK-13: unless the setting is on", gone, willing, well, fresh, answer(410), cancelFor(wp.ReasonGone)},
		{"WHK-13: on the last call too", gone, willing, well, after(times(8, failure)...), answer(410), cancelFor(wp.ReasonGone)},
		{"WHK-13: without auto_retry too", gone, onceOnly, well, fresh, answer(410), cancelFor(wp.ReasonGone)},
		{"WHK-13: under a suspension too", gone, willing, suspended(clock(0)), fresh, answer(410), cancelFor(wp.ReasonGone)},
		{"WHK-13: 404 is not 410", gone, willing, well, fresh, answer(404), wait(1, 2*minute)},
		{"WHK-13: what has no status is not gone", gone, willing, well, fresh, wp.Outcome{Result: wp.TLSFailed, Status: 410}, wait(1, 2*minute)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := during(tt.outcome, clock(0), 3*time.Second)
			d, decision := wp.Decide(tt.policy, tt.subscription, tt.health, tt.delivery, o, clock(4*time.Second))
			assert.Equal(t, tt.want, decision)
			assert.Equal(t, tt.delivery.Number()+1, d.Number())
			assert.Equal(t, map[wp.Verdict]wp.State{
				wp.Wait: wp.Waiting, wp.Park: wp.Parked, wp.Done: wp.Delivered,
				wp.Exhaust: wp.Exhausted, wp.Cancel: wp.Canceled,
			}[decision.Verdict], d.State())
			assert.Equal(t, tt.want.Reason, d.Reason())
			calls := allCalls(d)
			o.RetryAfter = max(o.RetryAfter, 0)
			if o.Result == wp.TLSFailed {
				o.Status = 0
			}
			assert.Equal(t, o, calls[len(calls)-1])
			switch decision.Verdict {
			case wp.Wait:
				assert.Equal(t, decision.At, d.Due())
			case wp.Park:
				assert.Equal(t, clock(3*time.Second).Add(defaults.Delays[d.Number()-1]), d.Due(), "it keeps its due time")
			default:
				assert.Zero(t, d.Due())
			}
		})
	}
}

func allCalls(d wp.Delivery) []wp.Outcome {
	var calls []wp.Outcome
	for i, o := range d.Calls() {
		if i != len(calls) {
			panic(i)
		}
		calls = append(calls, o)
	}
	return calls
}

// WHK-8: what the end of a probe means. One that fails consumes nothing.
func TestDecide_Probed(t *testing.T) {
	gone := defaults
	gone.GoneEnds = true
	d := parked(after(timeout, failure))
	due := d.Due()
	h := probing(due, d.EventID())
	d, decision := wp.Decide(defaults, willing, h, d, nothing, due)
	require.Equal(t, probeOf(2), decision)

	t.Run("WHK-8: one that fails", func(t *testing.T) {
		o := during(failure, due, time.Second)
		h := h.Observe(defaults, d, o)
		d, decision := wp.Decide(defaults, onceOnly, h, d, o, due)
		assert.Equal(t, parkOf(2), decision, "auto_retry is not asked: nothing was consumed")
		assert.Equal(t, wp.Parked, d.State())
		assert.Equal(t, due, d.Due())
		failed, last := d.Probes()
		assert.Equal(t, 1, failed)
		assert.Equal(t, o, last)
		assert.Len(t, allCalls(d), 2)
		d, _ = wp.Decide(defaults, willing, h, d, during(timeout, due, time.Second), due)
		failed, last = d.Probes()
		assert.Equal(t, 2, failed)
		assert.Equal(t, wp.TimedOut, last.Result, "the last one")
	})
	t.Run("WHK-8: one that succeeds", func(t *testing.T) {
		o := during(answer(200), due, time.Second)
		d, decision := wp.Decide(defaults, removed, h.Observe(defaults, d, o), d, o, due)
		assert.Equal(t, wp.Decision{Verdict: wp.Done}, decision)
		assert.Equal(t, wp.Delivered, d.State())
		assert.Len(t, allCalls(d), 3)
		failed, _ := d.Probes()
		assert.Zero(t, failed)
	})
	t.Run("WHK-8: one that fails after a release by hand", func(t *testing.T) {
		o := during(failure, due, time.Second)
		d, decision := wp.Decide(defaults, willing, h.Release(due), d, o, due)
		assert.Equal(t, wp.Decision{Verdict: wp.Wait, Number: 2, At: due}, decision)
		assert.Equal(t, wp.Waiting, d.State())
	})
	t.Run("WHK-13: one that finds the endpoint gone", func(t *testing.T) {
		o := during(answer(410), due, time.Second)
		_, decision := wp.Decide(gone, willing, h, d, o, due)
		assert.Equal(t, cancelFor(wp.ReasonGone), decision)
		_, decision = wp.Decide(defaults, willing, h, d, o, due)
		assert.Equal(t, parkOf(2), decision, "unless the setting is off")
	})
}

// WHK-14: nothing leads out of an end, and there is nothing to do for none.
func TestDecide_Ends(t *testing.T) {
	end := func(s wp.Subscription, o wp.Outcome) wp.Delivery {
		d, _ := wp.Decide(defaults, s, well, fresh, o, clock(0))
		return d
	}
	for d, want := range map[wp.Delivery]wp.Decision{
		{}:                        {},
		end(willing, answer(2e2)): {Verdict: wp.Done},
		end(onceOnly, failure):    {Verdict: wp.Exhaust},
		end(switchedOff, nothing): cancelFor(wp.ReasonDisabled),
	} {
		t.Run(fmt.Sprintf("WHK-14: %s", d.State()), func(t *testing.T) {
			for _, o := range []wp.Outcome{nothing, failure, answer(200), timeout} {
				for _, h := range []wp.Health{well, suspended(clock(0)), probing(clock(0), d.EventID())} {
					next, decision := wp.Decide(defaults, willing, h, d, o, clock(99*time.Hour))
					assert.Equal(t, d, next)
					assert.Equal(t, want, decision)
				}
			}
		})
	}
}

// SUB-1: a call not yet made uses the endpoint that the subscription has then.
func TestDecide_NewEndpoint(t *testing.T) {
	moved := willing.Settings()
	moved.Endpoint = "https://example.com/moved"
	s, err := willing.Update(moved, clock(0))
	require.NoError(t, err)

	d, _ := wp.Decide(defaults, willing, well, fresh, nothing, clock(0))
	assert.Equal(t, calledURL, d.Endpoint())
	d, _ = wp.Decide(defaults, s, well, d, failure, clock(0))
	assert.Equal(t, calledURL, d.Endpoint(), "it was called there")
	d, decision := wp.Decide(defaults, s, well, d, nothing, d.Due())
	assert.Equal(t, moved.Endpoint, decision.Endpoint)
	assert.Equal(t, moved.Endpoint, d.Endpoint())

	d = parked(after(failure))
	assert.Equal(t, calledURL, d.Endpoint(), "whose release it waits for")
	_, decision = wp.Decide(defaults, s, well, d, nothing, d.Due())
	assert.Equal(t, wp.Call, decision.Verdict, "the new endpoint is not suspended")
	assert.Equal(t, moved.Endpoint, decision.Endpoint)
}

// WHK-3: an outcome without times ended when it was told.
func TestDecide_OutcomeWithoutTimes(t *testing.T) {
	d, decision := wp.Decide(defaults, willing, well, fresh, failure, clock(time.Hour))
	assert.Equal(t, clock(time.Hour+2*time.Minute), decision.At)
	assert.Equal(t, []wp.Outcome{during(failure, clock(time.Hour), 0)}, allCalls(d))
	o := failure
	o.Ended = clock(time.Minute)
	d, decision = wp.Decide(defaults, willing, well, fresh, o, clock(time.Hour))
	assert.Equal(t, clock(3*time.Minute), decision.At)
	assert.Equal(t, []wp.Outcome{during(failure, clock(time.Minute), 0)}, allCalls(d))
}

// An unsound policy leads to no panic, and never beyond nine calls. WHK-3.
func TestDecide_UnsoundPolicy(t *testing.T) {
	d := fresh
	_, decision := wp.Decide(wp.Policy{}, willing, well, d, failure, clock(0))
	assert.Equal(t, wp.Exhaust, decision.Verdict)
	_, decision = wp.Decide(wp.Policy{}, willing, well, d, nothing, clock(0))
	assert.Equal(t, wp.Call, decision.Verdict)

	many := defaults
	many.Delays = make([]time.Duration, 20)
	for range 9 {
		d, decision = wp.Decide(many, willing, well, d, failure, clock(0))
	}
	assert.Equal(t, wp.Exhaust, decision.Verdict)
	assert.Equal(t, 9, d.Number())
}
