package webhookpolicy

import (
	"fmt"
	"time"
)

// Receiver checks what arrives at an endpoint: the other side of a call.
//
//	envelope, err := receiver.Receive(body,
//		r.Header.Get(webhookpolicy.HeaderSignature), r.Header.Get(webhookpolicy.HeaderIssuedAt), now)
//
// Whoever receives must expect every event more than once, and tells by the
// EventID that it was there already (WHK-9): see [Seen].
type Receiver struct {
	// Secrets are the keys that are valid, at least one: see [Verify].
	Secrets []Secret
	// Tolerance is how far the time at which a call was issued may be from now,
	// in either direction. By zero the time is not looked at.
	//
	// The signature does not cover that time. So the tolerance keeps out calls
	// that were held up, and what somebody recorded and sends again as it is,
	// but nobody who can write a header: that is what EventID is for.
	Tolerance time.Duration
	// Limits are those of the body.
	Limits Limits
}

// Receive returns the envelope of an authentic body. It takes the body to the
// byte as it arrived and the values of the two headers, "" where there is none.
//
// A call that is not authentic, or issued at another time, is refused with a
// [*SignatureError], before anything of the body is read; a body that is no
// envelope with [*DocumentError] as by [ParseEnvelope].
func (r Receiver) Receive(body []byte, signature, issuedAt string, now time.Time) (Envelope, error) {
	if err := Verify(body, signature, r.Secrets...); err != nil {
		return Envelope{}, err
	}
	if r.Tolerance != 0 {
		if err := checkIssuedAt(issuedAt, now, r.Tolerance); err != nil {
			return Envelope{}, err
		}
	}
	return ParseEnvelope(body, r.Limits)
}

func checkIssuedAt(header string, now time.Time, tolerance time.Duration) error {
	if header == "" {
		return &SignatureError{"there is no time at which it was issued", ErrMalformedHeader}
	}
	issued, err := parseUnix(header)
	if err != nil {
		return &SignatureError{"the time at which it was issued: " + err.Error(), ErrMalformedHeader}
	}
	// In whole seconds, as the header has it. Sub saturates, so that no header
	// is so far away that it comes around.
	age := seconds(now).Sub(issued)
	if age > tolerance || age < -tolerance {
		return &SignatureError{
			fmt.Sprintf("it was issued %s before now; %s are tolerated", age, tolerance), ErrIssuedAt,
		}
	}
	return nil
}

// Seen remembers the ids of the last events, so that a receiver does not do the
// work of one twice (WHK-9). It remembers a fixed number and forgets the oldest
// first; retries go on for days, so that number is that of several days'
// events.
//
// An id is added after the work is done, not before: what fails in between has
// to be done when the call comes again. For the same reason a receiver with a
// database does better with a unique column of event ids, filled in the
// transaction that does the work.
//
// A Seen is for one goroutine at a time. Zero remembers one id.
type Seen struct {
	ids  map[string]bool
	ring []string // the oldest is the next to be written over
	next int
}

// NewSeen returns a Seen that remembers a number of ids, at least one.
func NewSeen(number int) *Seen {
	number = max(number, 1)
	return &Seen{ids: make(map[string]bool), ring: make([]string, number)}
}

// Has reports whether an id was added and not forgotten.
func (s *Seen) Has(eventID string) bool { return s.ids[eventID] }

// Add remembers an id and forgets the oldest one if there are too many. An id
// that it has stays as old as it is.
func (s *Seen) Add(eventID string) {
	if s.ids[eventID] {
		return
	}
	if s.ring == nil {
		*s = *NewSeen(1)
	}
	if len(s.ids) == len(s.ring) {
		delete(s.ids, s.ring[s.next])
	}
	s.ids[eventID] = true
	s.ring[s.next] = eventID
	s.next = (s.next + 1) % len(s.ring)
}
