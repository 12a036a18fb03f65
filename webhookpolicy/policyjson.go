package webhookpolicy

import (
	"encoding/json"
	"time"
)

// policyJSON is Policy in a document, for people to write: durations are texts.
// Its members are in the order of the fields.
type policyJSON struct {
	FirstTimeout     span   `json:"first_timeout"`
	RetryTimeout     span   `json:"retry_timeout"`
	Delays           []span `json:"delays"`
	MaxRetryAfter    span   `json:"max_retry_after"`
	GoneEnds         bool   `json:"gone_ends"`
	MaxRedirects     int    `json:"max_redirects"`
	MaxAnswerBytes   int    `json:"max_answer_bytes"`
	Window           span   `json:"window"`
	MinEnded         int    `json:"min_ended"`
	FailedPercent    int    `json:"failed_percent"`
	ProbeAfter       span   `json:"probe_after"`
	ProbeMax         span   `json:"probe_max"`
	DrainPerSecond   int    `json:"drain_per_second"`
	RetryCountHeader string `json:"retry_count_header"`
	SignatureHeader  string `json:"signature_header"`
	IssuedAtHeader   string `json:"issued_at_header"`
	UserAgent        string `json:"user_agent"`
}

// wireOf returns the document of a policy, whose list is its own.
func wireOf(p Policy) policyJSON {
	w := policyJSON{
		FirstTimeout: span(p.FirstTimeout), RetryTimeout: span(p.RetryTimeout),
		Delays:        make([]span, len(p.Delays)),
		MaxRetryAfter: span(p.MaxRetryAfter), GoneEnds: p.GoneEnds,
		MaxRedirects: p.MaxRedirects, MaxAnswerBytes: p.MaxAnswerBytes,
		Window: span(p.Window), MinEnded: p.MinEnded, FailedPercent: p.FailedPercent,
		ProbeAfter: span(p.ProbeAfter), ProbeMax: span(p.ProbeMax), DrainPerSecond: p.DrainPerSecond,
		RetryCountHeader: p.RetryCountHeader, SignatureHeader: p.SignatureHeader,
		IssuedAtHeader: p.IssuedAtHeader, UserAgent: p.UserAgent,
	}
	for i, d := range p.Delays {
		w.Delays[i] = span(d)
	}
	return w
}

// policy returns what a document says. It may be unsound.
func (w policyJSON) policy() Policy {
	p := Policy{
		FirstTimeout: time.Duration(w.FirstTimeout), RetryTimeout: time.Duration(w.RetryTimeout),
		MaxRetryAfter: time.Duration(w.MaxRetryAfter), GoneEnds: w.GoneEnds,
		MaxRedirects: w.MaxRedirects, MaxAnswerBytes: w.MaxAnswerBytes,
		Window: time.Duration(w.Window), MinEnded: w.MinEnded, FailedPercent: w.FailedPercent,
		ProbeAfter: time.Duration(w.ProbeAfter), ProbeMax: time.Duration(w.ProbeMax),
		DrainPerSecond:   w.DrainPerSecond,
		RetryCountHeader: w.RetryCountHeader, SignatureHeader: w.SignatureHeader,
		IssuedAtHeader: w.IssuedAtHeader, UserAgent: w.UserAgent,
	}
	for _, d := range w.Delays {
		p.Delays = append(p.Delays, time.Duration(d))
	}
	return p
}

// MarshalJSON writes the policy with durations as in "1h30m0s". It writes also
// what UnmarshalJSON refuses, so that it can be shown.
func (p Policy) MarshalJSON() ([]byte, error) { return json.Marshal(wireOf(p)) }

// UnmarshalJSON reads what MarshalJSON writes. A setting that the document leaves
// out stays as it is in p, so that a document over [DefaultPolicy] need only name
// what differs. A list replaces the whole list.
//
//	policy := webhookpolicy.DefaultPolicy()
//	err := json.Unmarshal([]byte(`{"retry_timeout": "30s", "delays": ["1m", "1h30m"]}`), &policy)
//
// A member that is no setting is refused, since a misspelt one would be lost
// silently, and so is what [Policy.Check] refuses. The error is a
// [*DocumentError], and p stays as it was.
func (p *Policy) UnmarshalJSON(data []byte) error {
	w := wireOf(*p)
	// The decoder would write over the elements of a slice that is there, and
	// keep their old values where the document says null.
	before := w.Delays
	w.Delays = nil
	if err := strict("policy", data, &w); err != nil {
		return err
	}
	if w.Delays == nil {
		w.Delays = before
	}
	read := w.policy()
	if err := read.Check(); err != nil {
		return &DocumentError{Document: "policy", Err: err}
	}
	*p = read
	return nil
}
