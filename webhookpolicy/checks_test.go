package webhookpolicy_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// checks are the laws of deliveries, each for every trace.
var checks = map[string]func(trace) error{
	"WHK-2: time-outs":                 checkTimeouts,
	"WHK-3: never more than nine":      checkNine,
	"WHK-3, WHK-13: delays":            checkDelays,
	"WHK-4, WHK-5: auto_retry off":     checkAutoRetryOff,
	"WHK-6: counts":                    checkCounts,
	"WHK-7: read when it falls due":    checkRead,
	"WHK-8: not called":                checkNotCalled,
	"WHK-8: nothing is lost":           checkNothingLost,
	"WHK-8: what is parked keeps all":  checkParked,
	"WHK-14: the machine":              checkMachine,
	"WHK-14: a plain transcription":    checkPlain,
	"WHK-14: the same for the same":    checkPure,
	"WHK-14: to ask changes nothing":   checkAsking,
	"WHK-14: no end that is no reason": checkEnds,
}

// WHK: every law holds for everything that may happen.
func TestDecide_Laws(t *testing.T) {
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				require.NoError(t, check(simulate(drawScenario.Draw(t, "scenario"), wp.Decide)))
			})
		})
	}
}

// The scenarios contain what the laws speak of.
func TestDrawScenario(t *testing.T) {
	seen := map[string]int{}
	for seed := range 300 {
		tr := simulate(drawScenario.Example(seed), wp.Decide)
		for i := range tr.created {
			calls, _ := tr.counted(i)
			seen[fmt.Sprintf("%d calls", len(calls))]++
			for _, s := range tr.of(i) {
				seen[s.decision.Verdict.String()]++
				seen[s.decision.Reason.String()]++
				if s.decision.Probe {
					seen["probe"]++
				}
				if s.before.State() == wp.Parked && s.decision.Verdict == wp.Call && !s.decision.Probe {
					seen["released"]++
				}
			}
		}
	}
	t.Log(seen)
	for _, what := range []string{
		"1 calls", "2 calls", "5 calls", "9 calls", "call", "wait", "park", "done", "exhaust", "cancel",
		"deleted", "disabled", "auto_retry_off", "gone", "probe",
	} {
		assert.GreaterOrEqual(t, seen[what], 5, what)
	}
}

func checkTimeouts(tr trace) error {
	for _, s := range tr.steps {
		want := 10 * time.Second
		if s.decision.Number == 0 {
			want = time.Second
		}
		if s.decision.Verdict == wp.Call && s.decision.Timeout != want {
			return fmt.Errorf("call %d has %s", s.decision.Number, s.decision.Timeout)
		}
	}
	return nil
}

func checkNine(tr trace) error {
	for i := range tr.created {
		if calls, _ := tr.counted(i); len(calls) > 9 {
			return fmt.Errorf("delivery %d was called for %d times", i, len(calls))
		}
	}
	return nil
}

// checkDelays holds calls that follow each other against the schedule, counted
// from the end of the one before. What was parked goes out later, never sooner.
func checkDelays(tr trace) error {
	schedule := []time.Duration{
		2 * time.Minute, 6 * time.Minute, 30 * time.Minute, time.Hour,
		5 * time.Hour, 18 * time.Hour, 24 * time.Hour, 48 * time.Hour,
	}
	for i := range tr.created {
		held := map[int]bool{} // numbers that were parked
		for _, s := range tr.of(i) {
			if s.after.State() == wp.Parked || s.before.State() == wp.Parked {
				held[s.after.Number()] = true
			}
		}
		calls, _ := tr.counted(i)
		for n := 1; n < len(calls); n++ {
			want := max(schedule[min(n-1, 7)], min(calls[n-1].RetryAfter, 24*time.Hour))
			got := calls[n].Began.Sub(calls[n-1].Ended)
			if got < want || got > want && !held[n] {
				return fmt.Errorf("delivery %d: retry %d came %s after the end of the call before, not %s", i, n, got, want)
			}
		}
	}
	return nil
}

// checkAutoRetryOff looks at deliveries whose subscription never had auto_retry.
func checkAutoRetryOff(tr trace) error {
	for i := range tr.created {
		steps := tr.of(i)
		for _, s := range steps {
			if s.subscription.IsZero() || s.subscription.AutoRetry() {
				steps = nil
			}
		}
		if len(steps) == 0 {
			continue
		}
		calls, _ := tr.counted(i)
		most := 1
		if len(calls) > 0 && calls[0].Result == wp.TimedOut {
			most = 2
		}
		end := steps[len(steps)-1].after
		if len(calls) > most || end.State() == wp.Exhausted && len(calls) < min(most, 1+len(tr.policy.Delays)) {
			return fmt.Errorf("delivery %d is %s after %d calls without auto_retry", i, end.State(), len(calls))
		}
	}
	return nil
}

// checkCounts wants 0, 1, 2, ... on the wire; only what followed a failed probe
// bears its number once more.
func checkCounts(tr trace) error {
	for i := range tr.created {
		want, probe := 0, false
		for _, s := range tr.of(i) {
			if !s.outcome.IsZero() && (!probe || s.outcome.Success()) {
				want++
			}
			if s.decision.Verdict == wp.Call {
				if s.decision.Number != want {
					return fmt.Errorf("delivery %d: a call bears %d after %d calls", i, s.decision.Number, want)
				}
				probe = s.decision.Probe
			}
		}
	}
	return nil
}

// checkRead holds what falls due against the subscription as it is then.
func checkRead(tr trace) error {
	for _, s := range tr.steps {
		if !s.outcome.IsZero() || s.before.State().IsEnd() || s.now.Before(s.before.Due()) {
			continue
		}
		if s.before.State() == wp.Parked && s.health.Condition() == wp.Suspended {
			continue
		}
		calls, _ := tr.counted(s.of)
		owed := s.before.Number() == 1 && calls[0].Result == wp.TimedOut
		var want wp.Reason
		switch {
		case s.subscription.IsZero():
			want = wp.ReasonDeleted
		case !s.subscription.Enabled():
			want = wp.ReasonDisabled
		case !s.subscription.AutoRetry() && s.before.Number() > 0 && !owed:
			want = wp.ReasonAutoRetryOff
		}
		if s.decision.Reason != want || (s.decision.Verdict == wp.Cancel) != (want != 0) {
			return fmt.Errorf("delivery %d falls due, and is to %s (%s), not %s", s.of, s.decision.Verdict, s.decision.Reason, want)
		}
	}
	return nil
}

// checkNotCalled wants no call while the endpoint is suspended, but for one
// probe at a time.
func checkNotCalled(tr trace) error {
	probing := -1
	for _, s := range tr.steps {
		if s.of == probing && !s.outcome.IsZero() {
			probing = -1
		}
		if s.decision.Verdict != wp.Call {
			continue
		}
		open := s.health.Condition() == wp.Open
		if open == s.decision.Probe {
			return fmt.Errorf("delivery %d: probe %t while %s", s.of, s.decision.Probe, s.health.Condition())
		}
		if s.decision.Probe {
			if probing >= 0 {
				return fmt.Errorf("delivery %d probes beside %d", s.of, probing)
			}
			probing = s.of
		}
	}
	return nil
}

// checkNothingLost wants an end for everything, since in the end every call
// succeeds.
func checkNothingLost(tr trace) error {
	if tr.unfit {
		return fmt.Errorf("it does not end")
	}
	for i := range tr.created {
		steps := tr.of(i)
		last := steps[len(steps)-1]
		if !last.after.State().IsEnd() {
			return fmt.Errorf("delivery %d is %s for ever", i, last.after.State())
		}
		if v := last.decision.Verdict; v != wp.Done && v != wp.Exhaust && v != wp.Cancel {
			return fmt.Errorf("delivery %d ends with %s", i, v)
		}
	}
	return nil
}

// checkParked wants what is parked to go out under its number, not before its
// time.
func checkParked(tr trace) error {
	for i := range tr.created {
		var park wp.Delivery
		for _, s := range tr.of(i) {
			if s.decision.Verdict == wp.Park && !s.after.State().IsEnd() {
				park = s.after
			}
			if s.decision.Verdict != wp.Call || park.IsZero() {
				continue
			}
			if s.decision.Number != park.Number() || s.now.Before(park.Due()) {
				return fmt.Errorf("delivery %d is parked for retry %d at %s, and called for as %d at %s",
					i, park.Number(), park.Due(), s.decision.Number, s.now)
			}
			park = wp.Delivery{}
		}
	}
	return nil
}

// checkMachine holds every step against the sentence of WHK-14.
func checkMachine(tr trace) error {
	next := map[wp.State][]wp.State{}
	for _, s := range []wp.State{wp.Pending, wp.Waiting, wp.Parked} {
		next[s] = []wp.State{s, wp.Delivered, wp.Waiting, wp.Parked, wp.Exhausted, wp.Canceled}
	}
	for _, s := range tr.steps {
		fits := s.before.State() == s.after.State()
		for _, n := range next[s.before.State()] {
			fits = fits || n == s.after.State()
		}
		if !fits || s.before.State().IsEnd() {
			return fmt.Errorf("delivery %d: from %s to %s", s.of, s.before.State(), s.after.State())
		}
	}
	return nil
}

// checkPure asks everything again, also with what a store has given back.
func checkPure(tr trace) error {
	for _, s := range tr.steps {
		var d wp.Delivery
		var h wp.Health
		if err := reread(s.before, &d); err != nil {
			return err
		}
		if err := reread(s.health, &h); err != nil {
			return err
		}
		if d != s.before || h != s.health {
			return fmt.Errorf("JSON: %+v is read as %+v, %+v as %+v", s.before, d, s.health, h)
		}
		after, decision := tr.decide(tr.policy, s.subscription, h, d, s.outcome, s.now)
		if after != s.after || decision != s.decision {
			return fmt.Errorf("asked again: %+v, %+v", after, decision)
		}
	}
	return nil
}

func reread(v, to any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// checkAsking asks twice, and too early.
func checkAsking(tr trace) error {
	for _, s := range tr.steps {
		if !s.outcome.IsZero() {
			continue
		}
		again, decision := tr.decide(tr.policy, s.subscription, s.health, s.after, wp.Outcome{}, s.now)
		if again != s.after || decision != s.decision {
			return fmt.Errorf("delivery %d, asked twice: %+v, %+v", s.of, again, decision)
		}
		if s.before.State() == wp.Parked {
			continue // a release makes it wait, whenever it is heard of
		}
		early, decision := tr.decide(tr.policy, s.subscription, s.health, s.before, wp.Outcome{}, s.before.Due().Add(-1))
		if early != s.before || decision.Verdict != wp.Wait || !decision.At.Equal(s.before.Due()) {
			return fmt.Errorf("delivery %d, asked too early: %+v, %+v", s.of, early, decision)
		}
	}
	return nil
}

// checkEnds wants a good reason for every end but cancellation, see checkRead.
func checkEnds(tr trace) error {
	for i := range tr.created {
		steps := tr.of(i)
		last := steps[len(steps)-1]
		calls, _ := tr.counted(i)
		var ok bool
		switch o := last.outcome; last.after.State() {
		case wp.Delivered:
			ok = o.Success() && len(calls) > 0
		case wp.Exhausted:
			ok = len(calls) > len(tr.policy.Delays) || !last.subscription.IsZero() && !last.subscription.AutoRetry() &&
				(len(calls) > 1 || calls[0].Result != wp.TimedOut)
		case wp.Canceled:
			gone := o.Result == wp.Answered && o.Status == 410 && tr.policy.GoneEnds
			ok = gone == (last.after.Reason() == wp.ReasonGone)
		default: // checkNothingLost
			ok = true
		}
		if !ok {
			return fmt.Errorf("delivery %d is %s (%s) after %d calls, %s", i, last.after.State(), last.after.Reason(), len(calls), last.outcome)
		}
	}
	return nil
}
