package webhookpolicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

type (
	// deliveryJSON has no member for the number of the next call: it is the
	// number of those that stand in calls.
	deliveryJSON struct {
		EventID        string     `json:"event_id"`
		SubscriptionID string     `json:"subscription_id"`
		Endpoint       string     `json:"endpoint,omitempty"`
		CreatedAt      time.Time  `json:"created_at"`
		State          State      `json:"state"`
		Reason         Reason     `json:"reason,omitempty"`
		Due            time.Time  `json:"due,omitzero"`
		Calls          []callJSON `json:"calls"`
		FailedProbes   uint32     `json:"failed_probes,omitempty"`
		LastProbe      *callJSON  `json:"last_probe,omitempty"`
	}
	// callJSON has times with their fractions, as exact as they are kept.
	callJSON struct {
		Result     Result    `json:"result"`
		Status     int       `json:"status,omitempty"`
		RetryAfter span      `json:"retry_after,omitzero"`
		Began      time.Time `json:"began"`
		Ended      time.Time `json:"ended"`
	}
)

// callWire returns the document of one call.
func callWire(c call) callJSON {
	o := c.outcome()
	return callJSON{o.Result, o.Status, span(o.RetryAfter), o.Began, o.Ended}
}

// MarshalJSON writes everything that is known of the delivery, for a store to
// keep. The zero Delivery is an error.
//
//	{"event_id": "8f14e45f", "subscription_id": "3c59dc04", "endpoint": "https://example.com/webhooks",
//	 "created_at": "2025-09-22T14:30:00Z", "state": "waiting", "due": "2025-09-22T14:32:01Z",
//	 "calls": [{"result": "timed_out", "began": "2025-09-22T14:30:00Z", "ended": "2025-09-22T14:30:01Z"}]}
//
// A store that looks for what is due, or parked for an endpoint, keeps those
// members beside the text.
func (d Delivery) MarshalJSON() ([]byte, error) {
	w := deliveryJSON{
		EventID: d.eventID, SubscriptionID: d.subscriptionID, Endpoint: d.endpoint,
		CreatedAt: d.created, State: d.state, Reason: d.reason, Due: d.due,
		Calls: make([]callJSON, d.made), FailedProbes: d.probes,
	}
	for i := range w.Calls {
		w.Calls[i] = callWire(d.calls[i])
	}
	if d.probes > 0 {
		last := callWire(d.probe)
		w.LastProbe = &last
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON writes. A text that is damaged, or tells
// of what no delivery can have been through, is refused with a [*DocumentError]
// and leaves d as it was.
func (d *Delivery) UnmarshalJSON(data []byte) error {
	var w deliveryJSON
	if err := strict("delivery", data, &w); err != nil {
		return err
	}
	read, err := w.delivery()
	if err == nil {
		err = read.check()
	}
	if err != nil {
		return &DocumentError{Document: "delivery", Err: err}
	}
	*d = read
	return nil
}

// delivery returns what a document says, as far as each member can be told to be
// wrong by itself. Whether they fit together is for check.
func (w *deliveryJSON) delivery() (Delivery, error) {
	d := Delivery{
		eventID: w.EventID, subscriptionID: w.SubscriptionID, endpoint: w.Endpoint,
		created: w.CreatedAt.UTC(), state: w.State, reason: w.Reason, probes: w.FailedProbes,
	}
	if !w.Due.IsZero() {
		d.due = w.Due.UTC()
	}
	if reason := checkTime(w.CreatedAt); reason != "" {
		return d, fmt.Errorf("created_at: %s", reason)
	}
	if len(w.Calls) > len(d.calls) {
		return d, fmt.Errorf("it has %d calls; at most %d are made (WHK-3)", len(w.Calls), len(d.calls))
	}
	for i, c := range w.Calls {
		o, err := c.outcome()
		if err != nil {
			return d, fmt.Errorf("calls[%d]: %w", i, err)
		}
		d.record(&o)
	}
	if (w.LastProbe == nil) != (w.FailedProbes == 0) {
		return d, errors.New("failed_probes and last_probe belong together")
	}
	if w.LastProbe != nil {
		o, err := w.LastProbe.outcome()
		if err != nil {
			return d, fmt.Errorf("last_probe: %w", err)
		}
		d.probe = recordOf(&o)
	}
	return d, nil
}

// outcome returns what a document says of a call, if it can be kept as it is.
func (w *callJSON) outcome() (Outcome, error) {
	// Fractions beyond the microsecond are cut off when it is recorded.
	o := Outcome{w.Result, w.Status, time.Duration(w.RetryAfter), w.Began.UTC(), w.Ended.UTC()}
	switch {
	case o.Result == 0:
		return o, errors.New("its result is missing")
	case checkTime(o.Began) != "":
		return o, fmt.Errorf("began: %s", checkTime(o.Began))
	case checkTime(o.Ended) != "":
		return o, fmt.Errorf("ended: %s", checkTime(o.Ended))
	case o.Status != recordOf(&o).outcome().Status:
		return o, fmt.Errorf("it is %s, with status %d", o.Result, o.Status)
	}
	return o, nil
}

// check refuses a state that the record does not lead to. It is what keeps a
// delivery that was read from a store within the laws of those that were not:
// from there on Decide asks no more.
func (d *Delivery) check() error {
	switch {
	case d.state == 0:
		return errors.New("its state is missing")
	case (d.state == Canceled) != (d.reason != 0):
		return fmt.Errorf("it is %s with the reason %s", d.state, d.reason)
	case d.state.IsEnd() != d.due.IsZero():
		return fmt.Errorf("it is %s and due at %q", d.state, d.due)
	case !d.due.IsZero() && checkTime(d.due) != "":
		return fmt.Errorf("due: %s", checkTime(d.due))
	case d.probes > 0 && (d.state == Pending || d.probe.outcome().Success()):
		return errors.New("a probe that failed follows from nothing")
	}
	// A success ends a delivery, so there is one in the last place or nowhere.
	for i, o := range d.Calls() {
		if o.Success() != (d.state == Delivered && i == d.Number()-1) {
			return fmt.Errorf("calls[%d]: %s, and the delivery is %s", i, o, d.state)
		}
	}
	if !d.fits() {
		return fmt.Errorf("it is %s (reason: %s) after %d calls", d.state, d.reason, d.made)
	}
	return nil
}

// fits reports whether so many calls, ended in such a way, lead to the state. A
// delivery that is released before its first call waits without any.
func (d *Delivery) fits() bool {
	switch d.state {
	case Pending:
		return d.made == 0
	case Delivered, Exhausted:
		return d.made > 0
	case Canceled:
		return d.fitsReason()
	default:
		return d.made <= MaxRetries
	}
}

// fitsReason is fits for what was canceled. What ends when a call falls due had
// one left; that auto_retry is off ends no first call, nor the retry of WHK-5.
func (d *Delivery) fitsReason() bool {
	switch d.reason {
	case ReasonGone:
		return d.probe.gone() || d.made > 0 && d.calls[d.made-1].gone()
	case ReasonAutoRetryOff:
		return d.made > 0 && d.made <= MaxRetries && !d.owed()
	default:
		return d.made <= MaxRetries
	}
}

func (c call) gone() bool {
	o := c.outcome()
	return o.gone()
}
