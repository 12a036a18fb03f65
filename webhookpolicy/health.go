package webhookpolicy

import (
	"math"
	"time"
)

// Condition is whether an endpoint is called (WHK-8). Zero is [Open].
type Condition uint8

// The conditions.
const (
	// Open: it is called.
	Open Condition = iota
	// Suspended: too many retried calls failed. It is not called.
	Suspended
	// Probing: as suspended, but for one parked delivery that tries it.
	Probing
)

var conditions = words[Condition]{"condition", []string{"open", "suspended", "probing"}}

// String returns the text form.
func (c Condition) String() string { return conditions.text(c) }

// MarshalText returns the text form; an unknown value is an error.
func (c Condition) MarshalText() ([]byte, error) { return conditions.marshal(c) }

// UnmarshalText reads the text form; an unknown text is an error that lists
// what is known.
func (c *Condition) UnmarshalText(text []byte) error { return conditions.unmarshal(c, text) }

// Health is what is known of one endpoint, an exact URL, across the
// subscriptions that call it (WHK-8). A host keeps one for each endpoint.
//
// A host that calls it does three things besides. After every call it asks
// [Health.Observe], and then [Decide] with the result. While the endpoint is not
// open it waits until [Health.ProbeAt], or until there is a parked delivery that
// is due, and lets the oldest one of these probe: [Health.Probe]. And when a
// release has come, by a probe or by [Health.Release], it gives the parked
// deliveries their slots, oldest first: [Delivery.Release]. One whose probe is
// still under way gets none: the outcome tells what becomes of it.
//
// It is a value of 360 bytes, whatever happens, comparable, and refers to
// nothing that could change. The zero Health is open and knows of no call: a
// host need not keep it, nor the health of endpoints that it has not heard of.
// Its JSON is sluice's own, for a store to keep.
type Health struct {
	condition Condition
	probe     string    // the event's id of the delivery that probes
	began     time.Time // of the suspension
	// since is when the suspension began or, later, the last probe did or
	// ended; the next one may go out when it is wait ago.
	since    time.Time
	wait     time.Duration
	released time.Time
	window   window
}

// Condition returns whether the endpoint is called.
func (h Health) Condition() Condition { return h.condition }

// SuspendedAt returns when the suspension began, the zero time if there is none.
func (h Health) SuspendedAt() time.Time { return h.began }

// ReleasedAt returns when the endpoint was last released, the zero time if it
// never was: the beginning of the drain, see [Policy.DrainSlot].
func (h Health) ReleasedAt() time.Time { return h.released }

// Counts returns how many retried calls ended within the window, and how many
// of them failed. While the endpoint is suspended they stay as they were.
func (h Health) Counts() (ended, failed int) { return h.window.counts() }

// Observe takes in the outcome of a call for d, as it was when it was called.
// That may suspend the endpoint, or release it if the call was the probe.
//
// Only retried calls enter the window; first ones never suspend anything. While
// the endpoint is suspended the outcome of the probe alone counts: if it
// succeeds, the endpoint is released, else the time to the next one doubles.
// The zero Outcome changes nothing.
func (h Health) Observe(p Policy, d Delivery, o Outcome) Health {
	h.observe(&p, &d, &o)
	return h
}

// observe is Observe on the caller's copy.
func (h *Health) observe(p *Policy, d *Delivery, o *Outcome) {
	switch {
	case o.Result == 0:
	case h.probes(d) && o.succeeded():
		h.release(o.Ended)
	case h.probes(d):
		h.condition, h.probe = Suspended, ""
		h.since = o.Ended.UTC()
		h.wait = min(2*min(h.wait, math.MaxInt64/2), p.ProbeMax)
	case h.condition == Open && d.made > 0:
		h.window.add(p.Window, o)
		if h.overrun(p) {
			h.suspend(p, o.Ended)
		}
	}
}

// overrun reports whether too many retried calls failed, by the letter of WHK-8:
// it asks after every call that ends, also after one that succeeded.
func (h *Health) overrun(p *Policy) bool {
	ended, failed := h.window.counts()
	return ended >= p.MinEnded && failed*100 >= ended*p.FailedPercent
}

// probes reports whether d is the one that may be called meanwhile.
func (h *Health) probes(d *Delivery) bool {
	return h.condition == Probing && h.probe == d.eventID
}

// ProbeAt returns when the next probe may go out, the zero time if the endpoint
// is open.
func (h Health) ProbeAt() time.Time {
	if h.condition == Open {
		return time.Time{}
	}
	return h.since.Add(h.wait)
}

// Probe lets one delivery probe the endpoint now, and reports whether that is
// allowed: the endpoint is suspended, and [Health.ProbeAt] has come. The
// delivery is to be the oldest parked one that is due, see [Delivery.Older].
// Ask [Decide] with the returned health. If its verdict is not [Call], the
// probe does not take place: keep the health of before, and try the next.
//
// A probe whose outcome is never told, because its caller died, holds up the
// next one no longer than a failed one would. Clocks that step back, by however
// much, delay it by no more than that once again.
func (h Health) Probe(eventID string, now time.Time) (Health, bool) {
	// To be earlier than the last probe by so much, a clock was set back, and
	// ProbeAt may be years away.
	if away := now.Sub(h.since); h.condition == Open || away < h.wait && away > -h.wait {
		return h, false
	}
	h.condition, h.probe, h.since = Probing, eventID, now.UTC()
	return h, true
}

// Suspend is what an operator does who knows that the endpoint is not well: it is
// suspended from now on, as if too many calls had failed (WHK-8), and the first
// probe goes out after ProbeAfter. What is not open stays as it is.
func (h Health) Suspend(p Policy, now time.Time) Health {
	if h.condition == Open {
		h.suspend(&p, now)
	}
	return h
}

// suspend begins a suspension.
func (h *Health) suspend(p *Policy, at time.Time) {
	h.condition = Suspended
	h.began, h.since, h.wait = at.UTC(), at.UTC(), p.ProbeAfter
}

// Release is what an operator does who knows that the endpoint is well again
// (WHK-8). It clears the window. What is open stays as it is.
func (h Health) Release(now time.Time) Health {
	if h.condition != Open {
		h.release(now)
	}
	return h
}

// release forgets everything but when it happened.
func (h *Health) release(at time.Time) { *h = Health{released: at.UTC()} }

// buckets is how many parts the window is counted in. A call is forgotten with
// its part, so the window that counts is up to a 60th shorter than the set one.
const buckets = 60

// window counts the calls that ended in the last so many parts of time. Parts
// are numbered from 1970 on; part n is kept at place n mod 60. What has no part
// in the window is zero, so that equal windows are equal values.
type window struct {
	width  int64 // of a part, in milliseconds; zero before the first call
	newest int64 // number of the latest part that a call ended in
	parts  [buckets]part
}

// part counts up to a limit that no endpoint reaches with retries; beyond it a
// part counts no more, and the share that failed stays that of those before.
type part struct{ ended, failed uint16 }

// add counts a call in the part that it ended in. One that is told late counts
// where it belongs. Earlier than the window is only what a clock says that was
// set back: then what was counted by the other clock is forgotten. So it is if
// the setting of the window has changed.
func (w *window) add(length time.Duration, o *Outcome) {
	width := max(length.Milliseconds()/buckets, 1)
	n := floorDiv(o.Ended.UnixMilli(), width)
	switch {
	case w.width != width || n <= w.newest-buckets || n >= w.newest+buckets:
		*w = window{width: width, newest: n}
	case n > w.newest:
		for ; w.newest < n; w.newest++ {
			*w.part(w.newest + 1) = part{}
		}
	}
	c := w.part(n)
	if c.ended == math.MaxUint16 {
		return
	}
	c.ended++
	if !o.succeeded() {
		c.failed++
	}
}

// part returns where part n is counted, if it is in the window.
func (w *window) part(n int64) *part { return &w.parts[n-buckets*floorDiv(n, buckets)] }

// counts adds up what is in the window, as of the latest call.
func (w *window) counts() (ended, failed int) {
	for _, c := range w.parts {
		ended += int(c.ended)
		failed += int(c.failed)
	}
	return ended, failed
}

// floorDiv rounds down also before 1970. b is positive.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
