package webhookpolicy

import "time"

// Verdict is what to do about a delivery. Zero is nothing: there is none.
type Verdict uint8

// The verdicts. The last three say how the delivery has ended.
const (
	// Call the endpoint at once, and report the outcome. The delivery is as it
	// was, but for its endpoint and, of a probe, its state; a host that dies
	// before the outcome is told may ask again and will call once more, under
	// the same event id (WHK-9).
	Call Verdict = iota + 1
	// Wait until a time, and ask again. The time never changes by asking.
	Wait
	// Park: keep the delivery until the endpoint is released (WHK-8).
	Park
	// Done: it was delivered (WHK-1).
	Done
	// Exhaust: every call that the rules grant has failed (WHK-3 to WHK-5).
	Exhaust
	// Cancel: there is a reason for no further call (WHK-7, WHK-13).
	Cancel
)

var verdicts = words[Verdict]{"verdict", []string{"", "call", "wait", "park", "done", "exhaust", "cancel"}}

// String returns the text form, "none" for zero.
func (v Verdict) String() string { return verdicts.text(v) }

// MarshalText returns the text form; zero and unknown values are an error.
func (v Verdict) MarshalText() ([]byte, error) { return verdicts.marshal(v) }

// UnmarshalText reads the text form; an unknown text is an error that lists
// what is known.
func (v *Verdict) UnmarshalText(text []byte) error { return verdicts.unmarshal(v, text) }

// Decision is a verdict with what there is to know to follow it. It is
// comparable; what a verdict has no use for is zero.
type Decision struct {
	Verdict Verdict
	// Reason says why there is no further call, of a Cancel.
	Reason Reason
	// Probe says whether a Call is a probe of a suspended endpoint (WHK-8). It
	// is made like any other.
	Probe bool
	// Number is that of the call to be made, now or later: what the header of
	// RetryCountHeader says (WHK-6).
	Number int
	// At is until when to Wait.
	At time.Time
	// Endpoint is what to Call, and Timeout how long that may take (WHK-2).
	Endpoint string
	Timeout  time.Duration
}

// Decide says what a delivery needs now, and returns it as it is from then on.
// It is a pure function: the same arguments give the same result (WHK-14).
//
// With an outcome, it says what the end of a call means: the one that the last
// decision asked for. Report each once. With the zero Outcome, it says whether
// anything is due; to ask too early, or twice, changes nothing.
//
// The subscription is as it is now; the zero one says that it was deleted. It is
// read when a call falls due, and only then ends anything (WHK-7): one that was
// disabled and enabled again before has lost nothing. Whether a failed call is
// followed by a retry depends on auto_retry at its end (WHK-4, WHK-5), unless
// the subscription is deleted, which the due time of the retry then tells.
//
// The health is that of the endpoint that the subscription has now, with the
// outcome taken in: ask [Health.Observe] first. While the endpoint is suspended,
// calls that fall due are parked, but for the one that [Health.Probe] granted
// (WHK-8). Once it is released, a parked delivery waits for its due time alone;
// to bound the rate, give it a slot with [Delivery.Release] before.
func Decide(p Policy, s Subscription, h Health, d Delivery, o Outcome, now time.Time) (Delivery, Decision) {
	decision := decide(&p, termsOf(s), &h, &d, &o, now)
	return d, decision
}

// terms are what a decision depends on of a subscription. Of one that was
// deleted nothing else is known.
type terms struct {
	deleted, enabled, autoRetry bool
	endpoint                    string
}

func termsOf(s Subscription) terms {
	if s.IsZero() {
		return terms{deleted: true}
	}
	return terms{enabled: s.Enabled(), autoRetry: s.AutoRetry(), endpoint: s.Endpoint()}
}

// decide is Decide on the caller's copies, which nobody else refers to. They are
// some hundred bytes each; to copy them once more at every step would take longer
// than to decide.
func decide(p *Policy, t terms, h *Health, d *Delivery, o *Outcome, now time.Time) Decision {
	switch {
	case d.state == 0 || d.state.IsEnd():
		return d.decision()
	case o.Result == 0:
		return due(p, t, h, d, now)
	}
	// A caller that forgot the times means now.
	if o.Ended.IsZero() {
		o.Ended = now
	}
	if o.Began.IsZero() {
		o.Began = o.Ended
	}
	// What is parked was called as a probe, if at all.
	if d.state == Parked {
		probed(p, h, d, o)
	} else {
		ended(p, t, h, d, o)
	}
	return d.decision()
}

// due decides on the next call when no outcome came. The order matters: nothing
// ends before a call falls due, and what is canceled is not parked first.
func due(p *Policy, t terms, h *Health, d *Delivery, now time.Time) Decision {
	probe := h.probes(d)
	suspended := h.condition != Open && !probe
	if d.state == Parked {
		if suspended {
			return d.decision() // nothing falls due before the release
		}
		if !probe {
			d.move(release)
		}
	}
	if now.Before(d.due) {
		return Decision{Verdict: Wait, Number: d.number(), At: d.due}
	}
	if t.deleted {
		d.cancel(ReasonDeleted)
		return d.decision()
	}
	d.endpoint = t.endpoint // SUB-1: calls not yet made use the new one
	switch {
	case !t.enabled:
		d.cancel(ReasonDisabled)
	case d.number() > p.retries(): // it was granted by a policy with more of them
		d.move(exhaust)
	case !t.autoRetry && d.number() > 0 && !d.owed(): // WHK-4, WHK-5
		d.cancel(ReasonAutoRetryOff)
	case suspended:
		d.move(park)
	default:
		if probe {
			d.move(park) // where the outcome will be told from that of a call
		}
		return Decision{
			Verdict: Call, Probe: probe, Number: d.number(),
			Endpoint: t.endpoint, Timeout: p.timeout(d.number()),
		}
	}
	return d.decision()
}

// ended decides on the outcome of a call that counts. The number of the next one
// is how many have counted with it.
func ended(p *Policy, t terms, h *Health, d *Delivery, o *Outcome) {
	d.record(o)
	next := d.number()
	switch {
	case o.succeeded():
		d.move(succeed)
	case p.GoneEnds && o.gone():
		d.cancel(ReasonGone)
	case next > p.retries(): // WHK-3
		d.move(exhaust)
	case !t.deleted && !t.autoRetry && !d.owed(): // WHK-4, WHK-5
		d.move(exhaust)
	default:
		d.due = p.due(next, o)
		if h.condition != Open {
			d.move(park) // a call that was under way at that moment (WHK-8)
		} else {
			d.move(retry)
		}
	}
}

// probed decides on the outcome of a probe. One that fails consumes nothing
// (WHK-8): the call will be made again under the same number.
func probed(p *Policy, h *Health, d *Delivery, o *Outcome) {
	if o.succeeded() {
		d.record(o)
		d.move(succeed)
		return
	}
	d.probes, d.probe = d.probes+1, recordOf(o)
	switch {
	case p.GoneEnds && o.gone():
		d.cancel(ReasonGone)
	case h.condition == Open: // the operator was faster
		d.move(release)
	}
}

// decision says what the state of d asks for.
func (d *Delivery) decision() Decision {
	switch d.state {
	case Waiting, Pending:
		return Decision{Verdict: Wait, Number: d.number(), At: d.due}
	case Parked:
		return Decision{Verdict: Park, Number: d.number()}
	case Delivered:
		return Decision{Verdict: Done}
	case Exhausted:
		return Decision{Verdict: Exhaust}
	case Canceled:
		return Decision{Verdict: Cancel, Reason: d.reason}
	default:
		return Decision{}
	}
}
