package webhookpolicy

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/sluicego/sluice/internal/jsonscan"
)

// rawEnvelope has the members of WHK-10 as they stand in a body, nil where one is
// missing.
type rawEnvelope struct {
	id, name, unix, subscription, description, sandbox, data []byte
}

// place returns where a member is kept, nil for one that WHK-10 does not list.
func (r *rawEnvelope) place(name []byte) *[]byte {
	switch string(name) {
	case "event_id":
		return &r.id
	case "event_name":
		return &r.name
	case "event_time":
		return &r.unix
	case "subscription_id":
		return &r.subscription
	case "subscription_description":
		return &r.description
	case "sandbox":
		return &r.sandbox
	case "data":
		return &r.data
	default:
		return nil
	}
}

// scanEnvelope reads a body in one pass. It reports false if anything is wrong with
// it, or so unusual that examineEnvelope may as well see to it.
func scanEnvelope(body []byte, limits Limits) (Envelope, bool) {
	if len(body) > limits.Bytes || !utf8.Valid(body) {
		return Envelope{}, false
	}
	var raw rawEnvelope
	var extra map[string]json.RawMessage
	s := jsonscan.New(body, min(limits.Depth, jsonscan.MaxDepth))
	for s.Enter(); s.Next(); {
		if place := raw.place(s.Name()); place != nil {
			if *place != nil {
				return Envelope{}, false // it stands there twice
			}
			*place = s.Value()
			continue
		}
		name := string(s.Name())
		if _, twice := extra[name]; twice {
			return Envelope{}, false
		}
		if extra == nil {
			extra = map[string]json.RawMessage{}
		}
		extra[name] = bytes.Clone(s.Value())
	}
	if !s.End() {
		return Envelope{}, false
	}
	e, sound := raw.decode()
	e.Extra = extra
	return e, sound
}

// decode returns the envelope but for Extra. It reports false if a member is missing,
// of another kind, or has a value that it cannot have; also if the time has escapes,
// as digits never do.
func (r *rawEnvelope) decode() (e Envelope, sound bool) {
	var texts [4]bool
	e.EventID, texts[0] = jsonscan.Text(r.id)
	e.EventName, texts[1] = readEventName(r.name)
	e.SubscriptionID, texts[2] = jsonscan.Text(r.subscription)
	e.SubscriptionDescription, texts[3] = jsonscan.Text(r.description)
	texts[3] = texts[3] || string(r.description) == "null"
	e.Sandbox = string(r.sandbox) == "true"
	if texts != [4]bool{true, true, true, true} || !e.Sandbox && string(r.sandbox) != "false" || r.data == nil {
		return Envelope{}, false
	}
	var err error
	if e.EventTime, err = parseUnix(string(jsonscan.Plain(r.unix))); err != nil {
		return Envelope{}, false
	}
	// What is raw is sound, since the body is.
	c := fieldCheck{subject: "envelope"}
	if e.checkFields(&c); len(c.faults) > 0 {
		return Envelope{}, false
	}
	e.Data = bytes.Clone(r.data)
	return e, true
}

// quotedNames has the events of the catalogue by their JSON texts: nearly every
// event is one of them, and needs no memory for its name.
var quotedNames = func() map[string]EventName {
	names := make(map[string]EventName, len(catalogue))
	for _, n := range catalogue {
		names[`"`+string(n)+`"`] = n
	}
	return names
}()

// readEventName is [jsonscan.Text] for names of events.
func readEventName(value []byte) (EventName, bool) {
	if n, known := quotedNames[string(value)]; known {
		return n, true
	}
	text, ok := jsonscan.Text(value)
	return EventName(text), ok
}
