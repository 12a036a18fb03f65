package answer

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// envelopeArea is the body and the headers of calls, and what a receiver
// remembers of them.
type envelopeArea struct {
	policy webhookpolicy.Policy
	seen   *webhookpolicy.Seen
}

func openEnvelope(given json.RawMessage) (area, error) {
	var g struct {
		Policy policyText `json:"policy"`
	}
	if err := read(given, &g); err != nil {
		return nil, err
	}
	policy, err := g.Policy.policy()
	return &envelopeArea{policy, webhookpolicy.NewSeen(100)}, err
}

func (*envelopeArea) end() object { return object{} }

func (a *envelopeArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "encode":
		return take(text, encode)
	case "parse":
		return take(text, parse)
	case "headers":
		return take(text, a.headers)
	case "event_ids":
		return take(text, eventIDs)
	case "received":
		return take(text, a.received)
	default:
		return nil, unknownStep(do)
	}
}

// envelopeText is an envelope as FORMAT.md has it.
type envelopeText struct {
	EventID                 string          `json:"event_id"`
	EventName               string          `json:"event_name"`
	EventTime               time.Time       `json:"event_time"`
	SubscriptionID          string          `json:"subscription_id"`
	SubscriptionDescription string          `json:"subscription_description"`
	Sandbox                 bool            `json:"sandbox"`
	Data                    json.RawMessage `json:"data"`
}

func encode(s struct {
	Envelope envelopeText `json:"envelope"`
},
) (object, error) {
	e := s.Envelope
	body, err := webhookpolicy.Envelope{
		EventID: e.EventID, EventName: webhookpolicy.EventName(e.EventName), EventTime: e.EventTime,
		SubscriptionID: e.SubscriptionID, SubscriptionDescription: e.SubscriptionDescription,
		Sandbox: e.Sandbox, Data: e.Data,
	}.Encode()
	if err != nil {
		return object{"error": "invalid_document"}, nil //nolint:nilerr // whatever is wrong with a member has this name
	}
	return object{"document": json.RawMessage(body)}, nil
}

func parse(s struct {
	Body string `json:"body"`
},
) (object, error) {
	e, err := webhookpolicy.ParseEnvelope([]byte(s.Body), webhookpolicy.Limits{})
	return object{"envelope": object{
		"event_id": e.EventID, "event_name": e.EventName, "event_time": stamp(e.EventTime),
		"subscription_id": e.SubscriptionID, "subscription_description": e.SubscriptionDescription,
		"sandbox": e.Sandbox, "data": e.Data,
	}}, err
}

func (a *envelopeArea) headers(s struct {
	nowText
	Body   string `json:"body"`
	Secret string `json:"secret"`
	Retry  int    `json:"retry"`
},
) (object, error) {
	headers, err := a.policy.Headers([]byte(s.Body), webhookpolicy.NewSecret(s.Secret), s.Retry, s.Now)
	o := object{}
	for _, h := range headers {
		o[h.Name] = h.Value
	}
	return object{"headers": o}, err
}

func eventIDs(s struct {
	Of [][2]string `json:"of"`
},
) (object, error) {
	ids, classes := make([]string, len(s.Of)), make([]int, len(s.Of))
	for i, of := range s.Of {
		ids[i] = webhookpolicy.EventID(of[0], of[1])
		classes[i] = slices.Index(ids, ids[i])
	}
	return object{"classes": classes}, nil
}

func (a *envelopeArea) received(s struct {
	EventID string `json:"event_id"`
},
) (object, error) {
	if a.seen.Has(s.EventID) {
		return object{"outcome": "duplicate"}, nil
	}
	a.seen.Add(s.EventID)
	return taken, nil
}
