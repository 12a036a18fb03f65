package webhookpolicy_test

import (
	"cmp"
	"slices"
	"time"

	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// decider is Decide or a broken twin of it.
type decider func(wp.Policy, wp.Subscription, wp.Health, wp.Delivery, wp.Outcome, time.Time) (wp.Delivery, wp.Decision)

// scenario is what happens to the deliveries of one subscription, all of it
// drawn before. Times are counted from clock(0).
type scenario struct {
	policy   wp.Policy
	created  []time.Duration // when each delivery is
	outcomes [][]wp.Outcome  // how the calls of each end, probes included; later ones succeed
	changes  []change        // of the subscription, in order
	releases []time.Duration // by the operator, in order
	// answer, if it is there, stands for outcomes.
	answer func(now time.Time) wp.Outcome
}

type change struct {
	at           time.Duration
	subscription wp.Subscription
}

// step is one question to Decide, and its answer.
type step struct {
	of           int // which delivery
	now          time.Time
	subscription wp.Subscription
	health       wp.Health
	before       wp.Delivery
	outcome      wp.Outcome
	after        wp.Delivery
	decision     wp.Decision
}

// trace is what a simulation leads to.
type trace struct {
	scenario
	decide decider
	steps  []step
	health wp.Health
	unfit  bool // it went on without end
}

// of returns the steps of one delivery.
func (tr trace) of(i int) []step {
	return slices.DeleteFunc(slices.Clone(tr.steps), func(s step) bool { return s.of != i })
}

// counted returns the calls of one delivery that ended, but for probes that
// failed, and what each was asked to be.
func (tr trace) counted(i int) (calls []wp.Outcome, asked []wp.Decision) {
	var call wp.Decision
	for _, s := range tr.of(i) {
		if !s.outcome.IsZero() && (!call.Probe || s.outcome.Success()) {
			calls, asked = append(calls, s.outcome), append(asked, call)
		}
		if s.decision.Verdict == wp.Call {
			call = s.decision
		}
	}
	return calls, asked
}

// simulation is a host in virtual time. It keeps what Decide tells it to keep.
type simulation struct {
	trace
	now          time.Time
	subscription wp.Subscription
	places       []place
}

// place is where a delivery is in the host.
type place struct {
	d     wp.Delivery
	begun bool
	wake  time.Time  // when to ask next; zero for never
	call  wp.Outcome // under way, as it will end; zero for none
	tried int        // calls that began
}

// simulate plays a scenario until nothing is to be done any more.
func simulate(sc scenario, d decider) trace {
	s := simulation{trace: trace{scenario: sc, decide: d}, subscription: willing, places: make([]place, len(sc.created))}
	for range 600 {
		next, do := s.next()
		if do == nil {
			return s.trace
		}
		s.now = next
		do()
	}
	s.unfit = true
	return s.trace
}

// next returns what happens next, and when. Of several at one time it is the
// first in the order below.
func (s *simulation) next() (time.Time, func()) {
	var soonest time.Time
	var do func()
	offer := func(at time.Time, f func()) {
		if at.Before(s.now) {
			at = s.now
		}
		if do == nil || at.Before(soonest) {
			soonest, do = at, f
		}
	}
	if len(s.changes) > 0 {
		offer(clock(s.changes[0].at), func() {
			s.subscription, s.changes = s.changes[0].subscription, s.changes[1:]
		})
	}
	if len(s.releases) > 0 {
		offer(clock(s.releases[0]), func() {
			s.releases = s.releases[1:]
			s.setHealth(s.trace.health.Release(s.now))
		})
	}
	for i := range s.places {
		switch p := &s.places[i]; {
		case !p.begun:
			offer(clock(s.created[i]), func() {
				p.begun = true
				p.d = wp.NewDelivery(string(rune('a'+i)), s.subscription.ID(), s.now)
				s.ask(i, s.trace.health, nothing)
			})
		case !p.call.IsZero():
			offer(p.call.Ended, func() { s.hangUp(i) })
		case !p.wake.IsZero():
			offer(p.wake, func() { s.ask(i, s.trace.health, nothing) })
		}
	}
	if at, ok := s.probeAt(); ok {
		offer(at, s.probe)
	}
	return soonest, do
}

// ask asks Decide and does what it says, but for keeping the health.
func (s *simulation) ask(i int, h wp.Health, o wp.Outcome) wp.Decision {
	p := &s.places[i]
	st := step{of: i, now: s.now, subscription: s.subscription, health: h, before: p.d, outcome: o}
	p.d, st.decision = s.decide(s.policy, s.subscription, h, p.d, o, s.now)
	st.after = p.d
	s.steps = append(s.steps, st)

	p.wake, p.call = time.Time{}, wp.Outcome{}
	switch st.decision.Verdict {
	case wp.Call:
		p.call = s.ending(i, st.decision.Timeout)
		p.tried++
	case wp.Wait:
		p.wake = st.decision.At
	default: // it is parked, or at its end
	}
	return st.decision
}

// ending returns how the call that begins now will end, which the caller's own
// deadline may decide.
func (s *simulation) ending(i int, timeout time.Duration) wp.Outcome {
	o := answer(200)
	if s.answer != nil {
		o = s.answer(s.now)
	} else if n := s.places[i].tried; n < len(s.outcomes[i]) {
		o = s.outcomes[i][n]
	}
	if o.Result == wp.TimedOut || o.Took() > timeout {
		return during(wp.Outcome{Result: wp.TimedOut}, s.now, timeout)
	}
	return during(o, s.now, o.Took())
}

// hangUp is the end of a call.
func (s *simulation) hangUp(i int) {
	p := &s.places[i]
	o := p.call
	h := s.trace.health.Observe(s.policy, p.d, o)
	s.ask(i, h, o)
	s.setHealth(h)
}

// setHealth keeps a new health, and gives the parked deliveries their slots if
// it is a release.
func (s *simulation) setHealth(h wp.Health) {
	released := s.trace.health.Condition() != wp.Open && h.Condition() == wp.Open
	s.trace.health = h
	if !released {
		return
	}
	for slot, i := range s.parked() {
		p := &s.places[i]
		p.d = p.d.Release(s.policy.DrainSlot(h.ReleasedAt(), slot))
		p.wake = p.d.Due()
	}
}

// parked returns the parked deliveries, oldest first.
func (s *simulation) parked() []int {
	var list []int
	for i, p := range s.places {
		if p.d.State() == wp.Parked && p.call.IsZero() {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b int) int { return s.places[a].d.Older(s.places[b].d) })
	return list
}

// probeAt returns when a probe may go out, and whether one may at all: there
// must be something to probe with.
func (s *simulation) probeAt() (time.Time, bool) {
	list := s.parked()
	if s.trace.health.Condition() == wp.Open || len(list) == 0 {
		return time.Time{}, false
	}
	at := s.places[list[0]].d.Due()
	for _, i := range list {
		if due := s.places[i].d.Due(); due.Before(at) {
			at = due
		}
	}
	if may := s.trace.health.ProbeAt(); may.After(at) {
		at = may
	}
	return at, true
}

// probe tries the endpoint with the oldest parked delivery that is due.
func (s *simulation) probe() {
	for _, i := range s.parked() {
		h, ok := s.trace.health.Probe(s.places[i].d.EventID(), s.now)
		if !ok {
			return
		}
		if s.ask(i, h, nothing).Verdict == wp.Call {
			s.setHealth(h)
			return
		}
		s.places[i].wake = time.Time{} // still parked; it is asked again when it may probe
	}
}

// drawPolicy draws sound settings, the default delays often among them.
func drawPolicy(t *rapid.T) wp.Policy {
	p := wp.DefaultPolicy()
	p.MinEnded = rapid.IntRange(1, 6).Draw(t, "min ended")
	p.FailedPercent = rapid.SampledFrom([]int{50, 50, 1, 100}).Draw(t, "failed percent")
	p.GoneEnds = rapid.IntRange(0, 3).Draw(t, "gone ends") == 0
	p.ProbeAfter = rapid.SampledFrom([]time.Duration{time.Minute, 5 * time.Minute, 3 * time.Hour}).Draw(t, "probe after")
	p.Window = rapid.SampledFrom([]time.Duration{time.Hour, time.Minute, 100 * time.Hour}).Draw(t, "window")
	p.DrainPerSecond = rapid.IntRange(1, 3).Draw(t, "drain")
	if rapid.IntRange(0, 3).Draw(t, "fewer") == 0 {
		p.Delays = p.Delays[:rapid.IntRange(0, 8).Draw(t, "retries")]
	}
	return p
}

// drawOutcome draws the end of a call, and how long it takes.
func drawOutcome(t *rapid.T) wp.Outcome {
	o := rapid.SampledFrom([]wp.Outcome{
		failure, failure, answer(404), answer(199), answer(400), answer(410), answer(302), answer(200),
		timeout, timeout, timeout,
		{Result: wp.BodyTooLong, Status: 500}, {Result: wp.ConnectionRefused}, {Result: wp.ConnectionFailed},
		{Result: wp.TLSFailed}, {Result: wp.DNSFailed}, {Result: wp.AddressRefused}, {Result: wp.TooManyRedirects},
	}).Draw(t, "outcome")
	if o.Result == wp.Answered && rapid.IntRange(0, 3).Draw(t, "asks") == 0 {
		o.RetryAfter = time.Duration(rapid.IntRange(0, 30*3600).Draw(t, "retry after")) * time.Second
	}
	most := rapid.SampledFrom([]int{1_000_000, 12_000_000}).Draw(t, "at most")
	took := time.Duration(rapid.IntRange(0, most).Draw(t, "took")) * time.Microsecond
	return during(o, clock(0), took)
}

// drawMoments draws moments in the order of time, most of them early.
func drawMoments(t *rapid.T, most int, what string) []time.Duration {
	list := make([]time.Duration, rapid.IntRange(0, most).Draw(t, what))
	for i := range list {
		unit := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(t, "unit")
		list[i] = time.Duration(rapid.IntRange(0, 120).Draw(t, "moment")) * unit
	}
	slices.Sort(list)
	return list
}

// drawScenario draws a scenario in which everything may happen.
var drawScenario = rapid.Custom(func(t *rapid.T) scenario {
	sc := scenario{policy: drawPolicy(t)}
	sc.created = append(drawMoments(t, 4, "deliveries"), 0)
	slices.Sort(sc.created)
	for range sc.created {
		sc.outcomes = append(sc.outcomes, rapid.SliceOfN(rapid.Custom(drawOutcome), 0, 12).Draw(t, "outcomes"))
	}
	if rapid.IntRange(0, 3).Draw(t, "unwilling") == 0 {
		sc.changes = append(sc.changes, change{0, onceOnly})
	}
	for _, at := range drawMoments(t, 3, "changes") {
		s := rapid.SampledFrom([]wp.Subscription{willing, willing, onceOnly, switchedOff, bothOff, removed}).Draw(t, "subscription")
		if rapid.Bool().Draw(t, "while a call is under way") {
			at = sc.created[0] + time.Second/10
		}
		sc.changes = append(sc.changes, change{at, s})
	}
	slices.SortStableFunc(sc.changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	sc.releases = drawMoments(t, 2, "releases")
	return sc
})
