package webhookpolicy

import (
	"iter"
	"math"
	"time"

	"github.com/sluicego/sluice/fsm"
)

// State is where the life of a delivery stands (WHK-14). Zero is none.
type State uint8

// The states. The last three are the ends: nothing leads out of them.
const (
	// Pending: the first call has not been made.
	Pending State = iota + 1
	// Waiting: another call is due at a time.
	Waiting
	// Parked: another call is due once the endpoint is released (WHK-8).
	Parked
	// Delivered: a call succeeded (WHK-1).
	Delivered
	// Exhausted: the calls that the rules grant have failed (WHK-3 to WHK-5).
	Exhausted
	// Canceled: a reason came up to make no further call, see [Reason].
	Canceled
)

var states = words[State]{"delivery state", []string{
	"", "pending", "waiting", "parked", "delivered", "exhausted", "canceled",
}}

// String returns the text form, "none" for zero.
func (s State) String() string { return states.text(s) }

// MarshalText returns the text form; zero and unknown values are an error.
func (s State) MarshalText() ([]byte, error) { return states.marshal(s) }

// UnmarshalText reads the text form; an unknown text is an error that lists
// what is known.
func (s *State) UnmarshalText(text []byte) error { return states.unmarshal(s, text) }

// IsEnd reports whether a delivery in this state is never called for again.
func (s State) IsEnd() bool { return s == Delivered || s == Exhausted || s == Canceled }

// Reason is why a delivery was canceled. Zero is none.
type Reason uint8

// The reasons.
const (
	// ReasonDeleted: the subscription is no more (WHK-7).
	ReasonDeleted Reason = iota + 1
	// ReasonDisabled: the subscription was disabled when the call fell due
	// (WHK-7).
	ReasonDisabled
	// ReasonAutoRetryOff: its auto_retry was off when the retry fell due
	// (WHK-7).
	ReasonAutoRetryOff
	// ReasonGone: the endpoint answered 410, and the policy ends the delivery
	// by that (WHK-13).
	ReasonGone
)

var reasons = words[Reason]{"reason", []string{"", "deleted", "disabled", "auto_retry_off", "gone"}}

// String returns the text form, "none" for zero.
func (r Reason) String() string { return reasons.text(r) }

// MarshalText returns the text form; zero and unknown values are an error.
func (r Reason) MarshalText() ([]byte, error) { return reasons.marshal(r) }

// UnmarshalText reads the text form; an unknown text is an error that lists
// what is known.
func (r *Reason) UnmarshalText(text []byte) error { return reasons.unmarshal(r, text) }

// move is what leads a delivery from one state to another. Moves are those of
// Decide and stay within the package: hosts see states and verdicts.
type move uint8

// The moves.
const (
	succeed move = iota + 1
	retry
	park
	release
	exhaust
	cancel
)

var moves = words[move]{"move", []string{"", "succeed", "retry", "park", "release", "exhaust", "cancel"}}

func (m move) String() string { return moves.text(m) }

// life is WHK-14: pending leads to every other state, waiting and parked
// likewise.
//
// A parked delivery is not retried but released: until then a call to its
// endpoint is a probe, which leaves it parked when it fails. Whoever hears the
// end of a call therefore knows from the state alone whether it was one.
var life = fsm.MustCompile(fsm.Table[State, move]{
	Name:    "delivery",
	States:  []State{Pending, Waiting, Parked, Delivered, Exhausted, Canceled},
	Initial: []State{Pending},
	Rows: []fsm.Row[State, move]{
		{Event: succeed, From: []State{Pending, Waiting, Parked}, To: Delivered},
		{Event: retry, From: []State{Pending, Waiting}, To: Waiting},
		{Event: park, From: []State{Pending, Waiting, Parked}, To: Parked},
		{Event: release, From: []State{Parked}, To: Waiting},
		{Event: exhaust, From: []State{Pending, Waiting, Parked}, To: Exhausted},
		{Event: cancel, From: []State{Pending, Waiting, Parked}, To: Canceled},
	},
})

// Delivery is one event on its way to one subscription, and the record of the
// calls that were made for it. [Decide] gives the next one.
//
// It is a value of some hundred bytes, comparable, and refers to nothing that
// could change. The zero Delivery is none: nothing is ever due for it. Its JSON
// is sluice's own, for a store to keep.
type Delivery struct {
	eventID        string
	subscriptionID string
	endpoint       string // as the subscription last had it
	created        time.Time
	due            time.Time // of the next call
	state          State
	reason         Reason
	// calls are those that counted, the n-th at place n: their number is the
	// number of the next one, so there can be no gap.
	calls [1 + MaxRetries]call
	made  uint8
	// Probes that failed do not count, and there is no bound to how many there
	// are; the last one is told.
	probes uint32
	probe  call
}

// call is an Outcome in a third of its size, so that a Delivery may be passed
// around by the thousand. Times are in microseconds, as databases keep them.
type call struct {
	began  int64  // since 1970
	took   uint32 // an hour and more; no time-out is so long
	wait   uint32 // in seconds, as answers ask
	status uint16
	result Result
}

// recordOf cuts an outcome down to what is kept of it. Only an answer has a
// status, whatever the caller left in the field.
func recordOf(o *Outcome) call {
	// A part of a second counts as a whole one: nobody is to come too early.
	wait := int64(o.RetryAfter / time.Second)
	if o.RetryAfter%time.Second > 0 {
		wait++
	}
	c := call{
		began: o.Began.UnixMicro(), took: clamp(o.took().Microseconds()), wait: clamp(wait), result: o.Result,
	}
	if o.Result.hasStatus() && o.Status > 0 && o.Status <= 999 {
		c.status = uint16(o.Status)
	}
	return c
}

// clamp keeps what does not fit at the end that it is beyond.
func clamp(n int64) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// outcome returns what was kept, as near to what it was as it can be.
func (c call) outcome() Outcome {
	if c.result == 0 {
		return Outcome{}
	}
	began := time.UnixMicro(c.began).UTC()
	return Outcome{
		Result: c.result, Status: int(c.status), RetryAfter: time.Duration(c.wait) * time.Second,
		Began: began, Ended: began.Add(time.Duration(c.took) * time.Microsecond),
	}
}

// NewDelivery returns the delivery of an event to a subscription that it
// matches. The first call is due now. The event's id is one per event and
// subscription (WHK-9).
func NewDelivery(eventID, subscriptionID string, now time.Time) Delivery {
	return Delivery{
		eventID: eventID, subscriptionID: subscriptionID,
		created: now.UTC(), due: now.UTC(), state: Pending,
	}
}

// IsZero reports whether d is no delivery at all.
func (d Delivery) IsZero() bool { return d.state == 0 }

// EventID returns what every call of d bears, and no other delivery (WHK-9).
func (d Delivery) EventID() string { return d.eventID }

// SubscriptionID returns the id of the subscription.
func (d Delivery) SubscriptionID() string { return d.subscriptionID }

// Endpoint returns the endpoint of the subscription when it was last read
// (SUB-1, WHK-7): that of a call under way, and the one whose release a parked
// delivery waits for. It is "" before [Decide] was first asked.
func (d Delivery) Endpoint() string { return d.endpoint }

// Created returns when the delivery began.
func (d Delivery) Created() time.Time { return d.created }

// State returns where it stands (WHK-14).
func (d Delivery) State() State { return d.state }

// Reason returns why it was canceled, zero if it was not.
func (d Delivery) Reason() Reason { return d.reason }

// Number returns the number of the next call, or of the one under way: how many
// calls were made that counted (WHK-6). A probe that failed did not (WHK-8).
func (d Delivery) Number() int { return d.number() }

func (d *Delivery) number() int { return int(d.made) }

// Due returns when the next call falls due, the zero time after the end. A
// parked delivery keeps it: it goes out then or when it is released, whichever
// is later (WHK-8).
func (d Delivery) Due() time.Time { return d.due }

// Calls yields the calls that were made, with their numbers: nine at most
// (WHK-3), times to the microsecond. A probe that succeeded is the last of them;
// probes that failed are not among them.
func (d Delivery) Calls() iter.Seq2[int, Outcome] {
	return func(yield func(int, Outcome) bool) {
		for i := range d.made {
			if !yield(int(i), d.calls[i].outcome()) {
				return
			}
		}
	}
}

// Probes returns how many probes failed, and how the last of them ended (WHK-8).
func (d Delivery) Probes() (failed int, last Outcome) { return int(d.probes), d.probe.outcome() }

// Older compares two deliveries by age, for [slices.SortFunc] and the like: it
// is negative if d is the older one. Parked deliveries go out in this order
// (WHK-8); no two differ by nothing.
func (d Delivery) Older(than Delivery) int {
	if c := d.created.Compare(than.created); c != 0 {
		return c
	}
	switch {
	case d.eventID < than.eventID:
		return -1
	case d.eventID > than.eventID:
		return 1
	default:
		return 0
	}
}

// Release returns a parked delivery as it waits to go out at a time, that of
// its [Policy.DrainSlot], or when it falls due, whichever is later (WHK-8). Its
// number stays. A delivery that is not parked is returned as it is.
func (d Delivery) Release(at time.Time) Delivery {
	if d.state != Parked {
		return d
	}
	d.move(release)
	if at.After(d.due) {
		d.due = at.UTC()
	}
	return d
}

// move leads d along the machine. Decide asks for no move that the machine
// refuses: a property shows it.
func (d *Delivery) move(m move) {
	next, err := life.Next(d.state, m)
	if err != nil {
		panic(err)
	}
	d.state = next
	if next.IsEnd() {
		d.due = time.Time{}
	}
}

// cancel ends d for a reason.
func (d *Delivery) cancel(r Reason) {
	d.move(cancel)
	d.reason = r
}

// record keeps a call that counted. There is room: a delivery ends with its
// ninth call at the latest.
func (d *Delivery) record(o *Outcome) {
	d.calls[d.made] = recordOf(o)
	d.made++
}

// owed reports whether the next call is the one retry that a first call that
// timed out always gets (WHK-5).
func (d *Delivery) owed() bool { return d.made == 1 && d.calls[0].result == TimedOut }
