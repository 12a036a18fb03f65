package webhookpolicy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// twin is Decide with one thing wrong, and the law that must find it out.
type twin struct {
	name   string
	law    string
	decide decider
}

// asked is the memory of the twin that has one.
var asked int

var twins = []twin{
	{"every call has 10 s", "WHK-2: time-outs", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		p.FirstTimeout = p.RetryTimeout
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"a tenth call", "WHK-3: never more than nine", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		next, decision := wp.Decide(p, s, h, d, o, now)
		if next.State() == wp.Exhausted && next.Number() == 9 {
			return d, wp.Decision{Verdict: wp.Wait, At: o.Ended.Add(48 * time.Hour)}
		}
		return next, decision
	}},
	{"the schedule counts from the start of a call", "WHK-3, WHK-13: delays", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		o.Ended = o.Began
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"Retry-After has no bound", "WHK-3, WHK-13: delays", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		p.MaxRetryAfter *= 10
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"Retry-After is passed over", "WHK-3, WHK-13: delays", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		o.RetryAfter = 0
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"auto_retry is passed over", "WHK-4, WHK-5: auto_retry off", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		return wp.Decide(p, always(s), h, d, o, now)
	}},
	{"nothing is owed for a time-out", "WHK-4, WHK-5: auto_retry off", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if o.Result == wp.TimedOut {
			o.Result = wp.ConnectionFailed
		}
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"the count has a gap", "WHK-6: counts", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		next, decision := wp.Decide(p, s, h, d, o, now)
		if decision.Number > 1 {
			decision.Number++
		}
		return next, decision
	}},
	{"a failed probe consumes a retry", "WHK-6: counts", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if !o.IsZero() {
			d = d.Release(d.Due())
		}
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"what is pending is called whatever became of auto_retry", "WHK-7: read when it falls due", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if o.IsZero() {
			s = always(s)
		}
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"what was deleted is taken for disabled", "WHK-7: read when it falls due", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if s.IsZero() {
			s = switchedOff
		}
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"a deleted subscription has no auto_retry", "WHK-14: a plain transcription", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if s.IsZero() && !o.IsZero() {
			s = onceOnly
		}
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"suspensions are passed over", "WHK-8: not called", func(p wp.Policy, s wp.Subscription, _ wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		return wp.Decide(p, s, well, d, o, now)
	}},
	{"what is parked is dropped", "WHK-8: nothing is lost", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		next, decision := wp.Decide(p, s, h, d, o, now)
		if decision.Verdict == wp.Park {
			return wp.Delivery{}, wp.Decision{Verdict: wp.Cancel}
		}
		return next, decision
	}},
	{"what is parked goes out when it is released", "WHK-8: what is parked keeps all", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if d.State() == wp.Parked && o.IsZero() && d.Due().After(now) {
			now = d.Due()
		}
		if d.State() == wp.Waiting && o.IsZero() && d.Due().After(now) {
			now = d.Due()
		}
		next, decision := wp.Decide(p, s, h, d, o, now)
		if decision.Verdict == wp.Wait && h.ReleasedAt().After(d.Created()) {
			decision.At = now
		}
		return next, decision
	}},
	{"what is disabled is canceled at once", "WHK-14: to ask changes nothing", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if !s.Enabled() && o.IsZero() {
			now = d.Due()
		}
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"410 exhausts", "WHK-14: no end that is no reason", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		if o.Status == 410 && p.GoneEnds {
			p.GoneEnds, p.Delays = false, nil
		}
		return wp.Decide(p, s, h, d, o, now)
	}},
	{"what was delivered is asked for once more", "WHK-14: the machine", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		next, decision := wp.Decide(p, s, h, d, o, now)
		if decision.Verdict == wp.Done {
			decision = wp.Decision{Verdict: wp.Wait, At: now.Add(time.Hour)}
		}
		return next, decision
	}},
	{"a wait is a little longer every other time", "WHK-14: the same for the same", func(p wp.Policy, s wp.Subscription, h wp.Health, d wp.Delivery, o wp.Outcome, now time.Time) (wp.Delivery, wp.Decision) {
		next, decision := wp.Decide(p, s, h, d, o, now)
		if asked++; decision.Verdict == wp.Wait && asked%2 == 1 {
			decision.At = decision.At.Add(1)
		}
		return next, decision
	}},
}

// always returns the subscription with auto_retry on.
func always(s wp.Subscription) wp.Subscription {
	switch {
	case s.IsZero():
		return s
	case s.Enabled():
		return willing
	default:
		return switchedOff
	}
}

// WHK: the laws are not blind. Each of these is found out by its own.
func TestDecide_Twins(t *testing.T) {
	scenarios := make([]scenario, 400)
	for seed := range scenarios {
		scenarios[seed] = drawScenario.Example(seed)
	}
	for _, twin := range twins {
		t.Run(twin.name, func(t *testing.T) {
			found := slices.IndexFunc(scenarios, func(sc scenario) bool {
				return checks[twin.law](simulate(sc, twin.decide)) != nil
			})
			assert.GreaterOrEqual(t, found, 0, "%s finds it in none of %d scenarios", twin.law, len(scenarios))
			t.Logf("found in scenario %d", found)
		})
	}
}
