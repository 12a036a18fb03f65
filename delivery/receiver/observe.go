package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// ErrPayload is what errors of [ReadObservation] unwrap to where the data of an
// event has no resource.
var ErrPayload = errors.New("receiver: invalid payload")

// FeedError says that an event was given up, and why. It is marked as dealt with
// next, and is reported again if that fails.
type FeedError struct {
	EventID string
	Reason  string // why, as a clause
	Err     error  // what errors.Is finds
}

// Error returns a message that reads well alone:
//
//	receiver: event "8f14e45f" given up: no session has the resource: resource 79a291fc: session: not found
func (e *FeedError) Error() string {
	return fmt.Sprintf("receiver: event %q given up: %s: %v", e.EventID, e.Reason, e.Err)
}

// Unwrap returns Err.
func (e *FeedError) Unwrap() error { return e.Err }

// verdict says why an observation was not taken, and whether it never will be.
func verdict(err error) (reason string, hopeless bool) {
	switch {
	case errors.Is(err, session.ErrCorrupt): // of which it may be a refusal that something stored is
		return "", false
	case errors.Is(err, session.ErrNotFound):
		return "no session has the resource", true
	case errors.Is(err, action.ErrContradiction):
		return "it contradicts what is known of the resource", true
	case errors.Is(err, action.ErrUnknown):
		return "the resource cannot have this status", true
	case errors.As(err, new(*session.Refusal)):
		return "it was refused", true
	default:
		return "", false
	}
}

// moving are the events of ACT-1 and ACT-2 that tell of a resource's status.
var moving = func() map[webhookpolicy.EventName]bool {
	names := map[webhookpolicy.EventName]bool{}
	for _, n := range webhookpolicy.EventNames("signature_request", "verification", "document_analysis") {
		names[n] = n != webhookpolicy.EventSignatureRequestReminderExecuted &&
			n != webhookpolicy.EventSignatureRequestAutomaticReminderExecuted
	}
	return names
}()

// ReadObservation reads what an event tells of the status of a resource, as of the
// time of the event (ACT-1, ACT-2, ACT-4). Most events tell nothing of it: then
// tells is false.
//
// The resource stands in the data under the last word but one of the name, or
// under the first:
//
//	signature_request.done     {"signature_request": {"id": "6f7001fc", "status": "done", ...}}
//	verification.company.done  {"company": {"id": "79a291fc", "status": "failed", ...}}
//
// Where it does not, the error unwraps to [ErrPayload]. A status that there is
// none of unwraps to [action.ErrUnknown] (RES-6).
func ReadObservation(e webhookpolicy.Envelope) (observed session.Observe, tells bool, err error) {
	if !moving[e.EventName] {
		return session.Observe{}, false, nil
	}
	// Into a map, since the fields of a struct take names in any case.
	var data map[string]json.RawMessage
	if json.Unmarshal(e.Data, &data) != nil {
		return session.Observe{}, false, fmt.Errorf("%w: data is no object", ErrPayload)
	}
	words := strings.Split(string(e.EventName), ".")
	resource, there := data[words[len(words)-2]]
	if !there {
		resource, there = data[words[0]]
	}
	if !there {
		return session.Observe{}, false, fmt.Errorf("%w: data has no %s", ErrPayload, words[len(words)-2])
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(resource, &members) != nil {
		return session.Observe{}, false, fmt.Errorf("%w: the resource is no object", ErrPayload)
	}
	id, status := text(members["id"]), text(members["status"])
	switch {
	case id == "":
		return session.Observe{}, false, fmt.Errorf("%w: the resource has no id", ErrPayload)
	case status == "":
		return session.Observe{}, false, fmt.Errorf("%w: the resource has no status", ErrPayload)
	}
	parsed, err := action.ParseStatus(status)
	if err != nil {
		return session.Observe{}, false, err
	}
	return session.Observe{ResourceID: id, Status: parsed, AsOf: e.EventTime}, true, nil
}

// text returns a JSON text, "" for anything else.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
