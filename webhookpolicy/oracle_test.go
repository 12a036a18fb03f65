package webhookpolicy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// plainly is what can be seen of a delivery and a decision.
type plainly struct {
	state   string
	number  int
	due     time.Time
	reason  string
	failed  int // probes
	verdict string
	timeout time.Duration
	until   time.Time
	probe   bool
}

// checkPlain holds every step against plain.
func checkPlain(tr trace) error {
	for _, s := range tr.steps {
		got := seen(s.after)
		got.verdict, got.timeout, got.until, got.probe = s.decision.Verdict.String(), s.decision.Timeout, s.decision.At, s.decision.Probe
		// Whatever a simulation asks of a parked delivery while something
		// probes, it asks of the probe.
		probe := s.before.State() == wp.Parked && s.health.Condition() == wp.Probing
		if want := plain(tr.policy, s, probe); got != want {
			return fmt.Errorf("delivery %d with %s:\ngot  %+v\nwant %+v", s.of, s.outcome, got, want)
		}
	}
	return nil
}

// WHK-14: also what no host asks is answered by the rules.
func TestDecide_Plain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := simulate(drawScenario.Draw(t, "scenario"), wp.Decide)
		s := rapid.SampledFrom(tr.steps).Draw(t, "step")
		if s.before.State().IsEnd() {
			return
		}
		id := s.before.EventID()
		s.subscription = rapid.SampledFrom([]wp.Subscription{willing, onceOnly, switchedOff, bothOff, removed}).Draw(t, "subscription")
		s.health = rapid.SampledFrom([]wp.Health{well, suspended(clock(0)), probing(clock(0), id), probing(clock(0), "another")}).Draw(t, "health")
		s.now = s.before.Due().Add(rapid.SampledFrom([]time.Duration{-1, 0, time.Hour}).Draw(t, "now"))
		s.outcome = wp.Outcome{}
		if rapid.Bool().Draw(t, "a call ended") {
			o := drawOutcome(t)
			s.outcome = during(o, s.now, o.Took())
		}
		after, decision := wp.Decide(tr.policy, s.subscription, s.health, s.before, s.outcome, s.now)
		got := seen(after)
		got.verdict, got.timeout, got.until, got.probe = decision.Verdict.String(), decision.Timeout, decision.At, decision.Probe
		require.Equal(t, plain(tr.policy, s, s.health == probing(clock(0), id)), got)
	})
}

func seen(d wp.Delivery) plainly {
	failed, _ := d.Probes()
	return plainly{state: d.State().String(), number: d.Number(), due: d.Due(), reason: d.Reason().String(), failed: failed}
}

// plain is the rules WHK-1 to WHK-8, WHK-13 and WHK-14 once more, written down
// from the spec sentence by sentence.
func plain(p wp.Policy, s step, probe bool) plainly {
	was := seen(s.before)
	first := wp.Result(0)
	for n, o := range s.before.Calls() {
		if n == 0 {
			first = o.Result
		}
	}
	suspended := s.health.Condition() != wp.Open
	noAutoRetry := !s.subscription.IsZero() && !s.subscription.AutoRetry()
	end := func(state, verdict, reason string) plainly {
		return plainly{state: state, number: was.number, reason: reason, failed: was.failed, verdict: verdict}
	}
	if s.outcome.IsZero() {
		return plainDue(p, s, was, first, probe, end)
	}
	probe = was.state == "parked" // who was called in this state was called as one
	answered := s.outcome.Result == wp.Answered || s.outcome.Result == wp.BodyTooLong
	success := answered && s.outcome.Status/100 >= 2 && s.outcome.Status/100 <= 3
	if success || !probe {
		was.number++
	} else {
		was.failed++
	}
	if was.number == 1 && !probe {
		first = s.outcome.Result
	}
	switch {
	case success:
		return end("delivered", "done", "none")
	case answered && s.outcome.Status == 410 && p.GoneEnds:
		return end("canceled", "cancel", "gone")
	case probe && suspended:
		was.verdict = "park"
		return was
	case probe:
		was.state, was.verdict, was.until = "waiting", "wait", was.due
		return was
	case was.number > len(p.Delays):
		return end("exhausted", "exhaust", "none")
	case noAutoRetry && was.number == 1 && first != wp.TimedOut, noAutoRetry && was.number > 1:
		return end("exhausted", "exhaust", "none")
	}
	delay := p.Delays[was.number-1]
	if asked := min(s.outcome.RetryAfter, 24*time.Hour); asked > delay {
		delay = asked
	}
	was.due = s.outcome.Ended.Add(delay)
	if suspended {
		was.state, was.verdict = "parked", "park"
		return was
	}
	was.state, was.verdict, was.until = "waiting", "wait", was.due
	return was
}

// plainDue is what comes of a question without an outcome.
func plainDue(p wp.Policy, s step, was plainly, first wp.Result, probe bool, end func(state, verdict, reason string) plainly) plainly {
	held := s.health.Condition() != wp.Open && !probe
	if was.state == "parked" && held {
		was.verdict = "park"
		return was
	}
	if was.state == "parked" && !probe {
		was.state = "waiting"
	}
	if s.now.Before(was.due) {
		was.verdict, was.until = "wait", was.due
		return was
	}
	switch {
	case s.subscription.IsZero():
		return end("canceled", "cancel", "deleted")
	case !s.subscription.Enabled():
		return end("canceled", "cancel", "disabled")
	case !s.subscription.AutoRetry() && was.number >= 1 && !(was.number == 1 && first == wp.TimedOut):
		return end("canceled", "cancel", "auto_retry_off")
	case was.number > len(p.Delays):
		return end("exhausted", "exhaust", "none")
	case held:
		was.state, was.verdict = "parked", "park"
		return was
	}
	if probe {
		was.state = "parked"
	}
	was.verdict, was.probe, was.timeout = "call", probe, p.RetryTimeout
	if was.number == 0 {
		was.timeout = p.FirstTimeout
	}
	return was
}
