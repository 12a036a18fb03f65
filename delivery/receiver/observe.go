package receiver

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/jsonscan"
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

// place is where the resource of an event stands in the data: under its own name,
// or under that of its family.
type place struct{ own, family string }

// moving are the events of ACT-1 and ACT-2 that tell of a resource's status.
var moving = func() map[webhookpolicy.EventName]place {
	places := map[webhookpolicy.EventName]place{}
	for _, n := range webhookpolicy.EventNames("signature_request", "verification", "document_analysis") {
		words := strings.Split(string(n), ".")
		places[n] = place{own: words[len(words)-2], family: words[0]}
	}
	delete(places, webhookpolicy.EventSignatureRequestReminderExecuted)
	delete(places, webhookpolicy.EventSignatureRequestAutomaticReminderExecuted)
	return places
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
	at, moves := moving[e.EventName]
	if !moves {
		return session.Observe{}, false, nil
	}
	r, missing := at.find(e.Data)
	if missing != "" {
		return session.Observe{}, false, fmt.Errorf("%w: %s", ErrPayload, missing)
	}
	id, _ := jsonscan.Text(r.id)
	status, _ := jsonscan.Text(r.status)
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

// resource is one as it stands in the data. Of doubled names the last one counts,
// and null is an object without members, as for encoding/json; but a name in another
// case, which the fields of a struct would take, is another name.
type resource struct {
	there, isObject bool
	id, status      []byte
}

// find returns the resource, or says what is missing.
func (p place) find(data []byte) (r resource, missing string) {
	var own, family resource
	s := jsonscan.New(data, jsonscan.MaxDepth)
	isObject := s.Enter()
	for s.Next() {
		switch string(s.Name()) {
		case p.own:
			own = readResource(&s)
		case p.family:
			family = readResource(&s)
		}
	}
	if !isObject {
		isObject = string(s.Value()) == "null"
	}
	if r = own; !r.there {
		r = family
	}
	switch {
	case !isObject || !s.End():
		return resource{}, "data is no object"
	case !r.there:
		return resource{}, "data has no " + p.own
	case !r.isObject:
		return resource{}, "the resource is no object"
	}
	return r, ""
}

func readResource(s *jsonscan.Scanner) resource {
	if !s.Enter() {
		return resource{there: true, isObject: string(s.Value()) == "null"}
	}
	r := resource{there: true, isObject: true}
	for s.Next() {
		switch string(s.Name()) {
		case "id":
			r.id = s.Value()
		case "status":
			r.status = s.Value()
		}
	}
	return r
}
