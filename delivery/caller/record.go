package caller

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/sluicego/sluice/webhookpolicy"
)

// Record is how a call ended: the Outcome that [webhookpolicy.Decide] asks for,
// and the rest for people who mend endpoints.
//
// Detail and Hops can name addresses, also ones that resolvers tell within the
// host's network alone. They are for those who run the host; Outcome, Header and
// Body can be shown to the owner of the endpoint. None of it has the key.
type Record struct {
	Outcome webhookpolicy.Outcome
	// Header has of the answer's headers those that help people: its content's,
	// Location, Retry-After, Server, and ids of the request. They are cut at
	// 1024 bytes each.
	Header http.Header
	// Body is as much of the answer's body as the policy reads, decompressed
	// (WHK-13), and Cut says why that is not all of it.
	Body []byte
	Cut  Cut
	// Hops are the requests: one to the endpoint, and one for each redirect that
	// was followed. One that was not answered has no status.
	Hops []Hop
	// Detail says why there is no answer, or why its body is cut, as a clause.
	Detail string
}

// Hop is one request of a call.
type Hop struct {
	// Remote is what was connected to, which may be a proxy. It is zero if nothing
	// was.
	Remote netip.AddrPort
	// Reused says whether the connection was kept from a call before.
	Reused bool
	// Status and Protocol are of the answer: 302 and "HTTP/2.0".
	Status   int
	Protocol string
}

// Connections returns how many connections were made for the call. There is none
// if all were kept from before.
func (r Record) Connections() int {
	n := 0
	for _, h := range r.Hops {
		if h.Remote.IsValid() && !h.Reused {
			n++
		}
	}
	return n
}

// Redirects returns how many redirects were followed.
func (r Record) Redirects() int { return max(len(r.Hops)-1, 0) }

// String returns a line for a log, without the body:
//
//	answered 503 after 230 ms, over HTTP/2.0 from 203.0.113.7:443
func (r Record) String() string {
	var b strings.Builder
	b.WriteString(r.Outcome.String())
	if n := len(r.Hops); n > 0 {
		last := r.Hops[n-1]
		if last.Protocol != "" {
			fmt.Fprintf(&b, ", over %s", last.Protocol)
		}
		if last.Remote.IsValid() {
			fmt.Fprintf(&b, " from %s", last.Remote)
		}
	}
	if n := r.Redirects(); n > 0 {
		fmt.Fprintf(&b, ", redirects: %d", n)
	}
	if r.Detail != "" {
		fmt.Fprintf(&b, ": %s", r.Detail)
	}
	return b.String()
}

// Cut is why a [Record] has not the whole body of an answer.
type Cut uint8

// The cuts.
const (
	// CutNot: it is all there.
	CutNot Cut = iota
	// CutLength: it is longer than the policy reads (WHK-13).
	CutLength
	// CutTime: the deadline came first, or ctx was canceled.
	CutTime
	// CutBroken: the connection broke, or the compression is damaged.
	CutBroken
)

// String returns the text form: "not", "length", "time" or "broken".
func (c Cut) String() string {
	texts := []string{"not", "length", "time", "broken"}
	if int(c) >= len(texts) {
		return fmt.Sprintf("cut(%d)", uint8(c))
	}
	return texts[c]
}

// kept are the headers that a Record has. Cookies are the receiver's own.
var kept = []string{
	"Allow", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Location", "Retry-After", "Server",
	"Traceparent", "Via", "Www-Authenticate", "X-Correlation-Id", "X-Request-Id",
}

// maxKeptBytes is the length at which a header is cut.
const maxKeptBytes = 1024

// keep copies of a header what is kept: the first value of each.
func keep(from http.Header) http.Header {
	to := make(http.Header, len(kept))
	for _, name := range kept {
		values := from[name]
		if len(values) > 0 {
			value := values[0]
			to[name] = []string{strings.Clone(value[:min(len(value), maxKeptBytes)])}
		}
	}
	return to
}

// maxDetailBytes is the length at which a detail is cut.
const maxDetailBytes = 512

// detail makes a clause of a text that may quote a stranger: short, on one line.
func detail(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), maxDetailBytes)], "?")
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, text)
}
