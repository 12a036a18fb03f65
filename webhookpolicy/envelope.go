package webhookpolicy

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Envelope is the body of a call (WHK-10). Zero is none.
type Envelope struct {
	// EventID is the same on every call of one delivery, and another for each
	// subscription that the event is sent to (WHK-9): see [EventID].
	EventID   string
	EventName EventName
	// EventTime is when the event happened, in whole seconds; no retry changes
	// it.
	EventTime time.Time

	SubscriptionID          string
	SubscriptionDescription string
	Sandbox                 bool

	// Data is what the event is about: one JSON value, kept to the byte.
	Data json.RawMessage
	// Extra are further members, which a receiver may meet in calls of a newer
	// sender. Nil if there are none.
	Extra map[string]json.RawMessage
}

// envelopeMembers are the names in the order of WHK-10.
var envelopeMembers = []string{
	"event_id", "event_name", "event_time",
	"subscription_id", "subscription_description", "sandbox", "data",
}

// EventID returns an event id for one occurrence of an event and one
// subscription: a UUID (version 8) that is the same for the same arguments and
// another for others. A host that sends an occurrence twice, because it stopped
// half-way the first time, sends the same id then, and receivers know it again
// (WHK-9).
func EventID(occurrence, subscription string) string {
	// With its length before it the first text cannot pass letters on to the
	// second.
	hash := sha256.New()
	_ = binary.Write(hash, binary.BigEndian, uint64(len(occurrence))) // a hash takes everything
	hash.Write([]byte(occurrence))
	hash.Write([]byte(subscription))
	id := hash.Sum(nil)[:16]
	id[6] = id[6]&0x0f | 0x80 // version 8: of the application's own making
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// Envelope returns the envelope of an event for the subscription, which the
// caller has found to match.
func (s Subscription) Envelope(eventID string, name EventName, at time.Time, data json.RawMessage) Envelope {
	return Envelope{
		EventID: eventID, EventName: name, EventTime: seconds(at),
		SubscriptionID: s.ID(), SubscriptionDescription: s.Description(), Sandbox: s.Sandbox(),
		Data: data,
	}
}

// Encode returns the bytes of the body. A sender encodes once, when the
// delivery begins, and keeps the bytes: every call sends the same ones, whatever
// becomes of the subscription or of this package meanwhile.
//
// The members stand in the order of WHK-10, those of Extra behind them in the
// order of their names; Data and Extra are written as they are, but for space
// around them. What cannot be written is refused with a [*FieldError] for each
// field, joined.
func (e Envelope) Encode() ([]byte, error) {
	if err := joined(e.check()); err != nil {
		return nil, err
	}
	// The first six of the seven, in their order.
	values := []any{
		e.EventID, e.EventName, strconv.FormatInt(e.EventTime.Unix(), 10),
		e.SubscriptionID, e.SubscriptionDescription, e.Sandbox,
	}
	body := []byte{'{'}
	for i, v := range values {
		text, _ := json.Marshal(v) // texts and a bool always have one
		body = appendMember(body, envelopeMembers[i], text)
	}
	body = appendMember(body, "data", e.Data)
	for _, name := range slices.Sorted(maps.Keys(e.Extra)) {
		body = appendMember(body, name, e.Extra[name])
	}
	return append(body, '}'), nil
}

// appendMember appends one member of an object. It does not go through
// json.Marshal, which would change the bytes of raw values.
func appendMember(body []byte, name string, value []byte) []byte {
	if len(body) > 1 {
		body = append(body, ',')
	}
	quoted, _ := json.Marshal(name) // every text has one
	body = append(append(body, quoted...), ':')
	return append(body, bytes.Trim(value, " \t\r\n")...)
}

// check returns what keeps the envelope from being written and read again. Both
// sides ask it, so that whatever one writes the other takes.
func (e *Envelope) check() []*FieldError {
	c := fieldCheck{subject: "envelope"}
	e.checkFields(&c)
	e.checkValues(&c)
	return c.faults
}

// checkFields checks what is decoded.
func (e *Envelope) checkFields(c *fieldCheck) {
	c.failIf("event_id", "WHK-9", ErrInvalidID, checkID(e.EventID))
	c.failIf("event_name", "WHK-10", ErrInvalidID, checkID(string(e.EventName)))
	c.failIf("event_time", "WHK-10", ErrInvalidTime, checkTime(e.EventTime))
	c.failIf("subscription_id", "WHK-10", ErrInvalidID, checkID(e.SubscriptionID))
	c.failIf("subscription_description", "WHK-10", ErrInvalidDescription, checkText(e.SubscriptionDescription))
}

// checkValues checks what is raw.
func (e *Envelope) checkValues(c *fieldCheck) {
	c.failIf("data", "WHK-10", ErrInvalidData, checkJSON(e.Data))
	// Sorted, so that the same envelope has the same error.
	for _, name := range slices.Sorted(maps.Keys(e.Extra)) {
		reason := checkJSON(e.Extra[name])
		switch {
		case slices.Contains(envelopeMembers, name): // it would stand there twice
			reason = "it has a place of its own"
		case !utf8.ValidString(name):
			reason = "its name is not valid UTF-8"
		}
		c.failIf(name, "WHK-10", ErrInvalidData, reason)
	}
}

// checkJSON returns why a text is not one JSON value, or "". Of two values, the
// second could be taken for another member of the envelope.
func checkJSON(value []byte) string {
	switch {
	case len(value) == 0:
		return "it is missing; null is the JSON value for nothing"
	case !utf8.Valid(value): // which json.Valid does not ask for
		return "it is not valid UTF-8"
	case !json.Valid(value):
		return "it is not a JSON value"
	default:
		return ""
	}
}

// ParseEnvelope reads a body, for whose authenticity see [Verify]. Members that
// WHK-10 does not list are kept in Extra, and names of events that the
// catalogue does not have are taken: both may come of a newer sender. A
// description null is "". Whatever else is not as Encode writes it is refused
// with a [*DocumentError] for each member, joined.
func ParseEnvelope(body []byte, limits Limits) (Envelope, error) {
	limits = limits.orDefault()
	if e, sound := scanEnvelope(body, limits); sound {
		return e, nil
	}
	return examineEnvelope(body, limits)
}

// examineEnvelope reads a body member by member, and so finds everything that is
// wrong with it, and where. That takes twenty times as long as scanEnvelope, which
// finds only that something is.
func examineEnvelope(body []byte, limits Limits) (Envelope, error) {
	o, err := readObject("envelope", body, limits)
	if err != nil {
		return Envelope{}, err
	}
	var e Envelope
	var unix string
	o.require("event_id", "event_name", "event_time", "subscription_id", "sandbox")
	o.requireAny("subscription_description", "data")
	o.read("event_id", &e.EventID, wantText)
	o.read("event_name", &e.EventName, wantText)
	o.read("event_time", &unix, "a text of Unix seconds")
	o.read("subscription_id", &e.SubscriptionID, wantText)
	o.read("subscription_description", &e.SubscriptionDescription, wantText)
	o.read("sandbox", &e.Sandbox, wantBool)
	e.Data = o.members["data"].value
	for name, m := range o.members {
		if !slices.Contains(envelopeMembers, name) {
			if e.Extra == nil {
				e.Extra = map[string]json.RawMessage{}
			}
			e.Extra[name] = m.value
		}
	}
	// Whatever could not be read is as if it were empty by now. That is no second
	// fault.
	if err := o.err(); err != nil {
		return Envelope{}, err
	}
	if e.EventTime, err = parseUnix(unix); err != nil {
		o.fail("event_time", err)
	}
	for _, f := range e.check() {
		if f.Field != "event_time" || err == nil {
			o.fail(f.Field, &fault{fmt.Sprintf("%s (%s)", f.Reason, f.Rule), f})
		}
	}
	if err := o.err(); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

// parseUnix reads Unix seconds in the one form that they are written in: an
// envelope that was read is written with the same bytes again.
func parseUnix(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	// A plus and a zero before other digits would be lost; both are less than '1'.
	if err != nil || text != "0" && strings.TrimPrefix(text, "-")[0] < '1' {
		return time.Time{}, fmt.Errorf("%s is no time; Unix seconds are wanted, as 1758551400", clip(text))
	}
	return time.Unix(n, 0).UTC(), nil
}
