package webhookpolicy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Result is how a call ended. Zero is none: nothing has ended.
//
// To the schedule every failure is the same but one, the time-out of a first
// call (WHK-5). The others are told apart for the people who mend endpoints.
type Result uint8

// The results. Answered and BodyTooLong have a status, and it alone decides
// whether the call succeeded (WHK-1); with every other the call has failed.
const (
	// Answered: the headers of an answer arrived within the time-out.
	Answered Result = iota + 1
	// BodyTooLong: so they did, and the body was longer than is read (WHK-13).
	BodyTooLong
	// TimedOut: a deadline ran out, connecting included (WHK-2). It is the
	// result that a first call is retried for whatever auto_retry says (WHK-5).
	TimedOut
	// ConnectionRefused: nobody listens at the endpoint.
	ConnectionRefused
	// ConnectionFailed: it could not be made, or broke, in any other way.
	ConnectionFailed
	// TLSFailed: no secure connection came about.
	TLSFailed
	// DNSFailed: the name of the endpoint has no address.
	DNSFailed
	// AddressRefused: it has one that must not be called (WHK-12).
	AddressRefused
	// TooManyRedirects: more than the policy follows (WHK-1).
	TooManyRedirects
)

var results = words[Result]{"result", []string{
	"", "answered", "body_too_long", "timed_out", "connection_refused", "connection_failed",
	"tls_failed", "dns_failed", "address_refused", "too_many_redirects",
}}

// String returns the text form, "none" for zero.
func (r Result) String() string { return results.text(r) }

// MarshalText returns the text form; zero and unknown values are an error.
func (r Result) MarshalText() ([]byte, error) { return results.marshal(r) }

// UnmarshalText reads the text form; an unknown text is an error that lists
// what is known.
func (r *Result) UnmarshalText(text []byte) error { return results.unmarshal(r, text) }

// hasStatus reports whether an answer came.
func (r Result) hasStatus() bool { return r == Answered || r == BodyTooLong }

// Outcome is how a call ended, and when. The zero Outcome says that nothing has
// ended. Whoever makes the call fills it in:
//
//	outcome := webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 503, Began: began, Ended: ended}
//	outcome.RetryAfter, _ = webhookpolicy.ParseRetryAfter(header, ended)
type Outcome struct {
	Result Result
	Status int // of the answer; with MaxRedirects, of the last one (WHK-1)
	// RetryAfter is what the answer asked to wait, see [ParseRetryAfter].
	RetryAfter time.Duration
	// Began and Ended are when the call did. The schedule counts from the end
	// (WHK-3).
	Began, Ended time.Time
}

// IsZero reports whether o says that nothing has ended.
func (o Outcome) IsZero() bool { return o.Result == 0 }

// Success reports whether the call succeeded: an answer of 2XX or 3XX came in
// time (WHK-1). How long its body is does not matter (WHK-13).
func (o Outcome) Success() bool { return o.succeeded() }

// What Decide asks takes pointers: to copy an outcome costs more than to judge
// it.
func (o *Outcome) succeeded() bool {
	return o.Result.hasStatus() && o.Status >= 200 && o.Status <= 399
}

// gone reports whether the answer says that there is nothing any more (WHK-13).
func (o *Outcome) gone() bool { return o.Result.hasStatus() && o.Status == 410 }

// Took returns how long the call took, zero if a clock stepped back meanwhile.
func (o Outcome) Took() time.Duration { return o.took() }

// took is Took without a copy.
func (o *Outcome) took() time.Duration { return max(o.Ended.Sub(o.Began), 0) }

// String returns a clause for people: "answered 503 after 230ms".
func (o Outcome) String() string {
	if o.IsZero() {
		return "nothing has ended"
	}
	var what string
	switch o.Result {
	case Answered:
		what = fmt.Sprintf("answered %d", o.Status)
	case BodyTooLong:
		what = fmt.Sprintf("answered %d with too long a body", o.Status)
	default:
		what = strings.ReplaceAll(o.Result.String(), "_", " ")
	}
	if took := o.Took(); took > 0 {
		what += " after " + spell(took)
	}
	if o.RetryAfter > 0 {
		what += ", asked to wait " + spell(o.RetryAfter)
	}
	return what
}

// ParseRetryAfter reads the header Retry-After of an answer that arrived now
// (WHK-13): a number of seconds, or a date in one of the three forms of HTTP. It
// returns how long to wait, zero for a date that has passed, and whether the
// header could be read. What asks for more than fits into a duration asks for the
// longest one; the policy bounds it in any case.
func ParseRetryAfter(header string, now time.Time) (time.Duration, bool) {
	header = strings.Trim(header, " \t")
	if header == "" {
		return 0, false
	}
	// Digits alone: ParseInt would also take a sign.
	if strings.Trim(header, "0123456789") == "" {
		// What is too large is the largest number, and an error.
		seconds, _ := strconv.ParseInt(header, 10, 64)
		if seconds > int64(math.MaxInt64/time.Second) {
			return math.MaxInt64, true // longer than anybody waits
		}
		return time.Duration(seconds) * time.Second, true
	}
	for _, layout := range []string{
		"Mon, 02 Jan 2006 15:04:05 GMT",
		"Monday, 02-Jan-06 15:04:05 GMT",
		time.ANSIC,
	} {
		if t, err := time.Parse(layout, header); err == nil {
			return max(t.Sub(now), 0), true
		}
	}
	return 0, false
}
