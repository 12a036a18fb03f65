package webhookpolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxRetries is how often a delivery is retried at most (WHK-3): with the first
// one, there are never more than nine calls.
const MaxRetries = 8

// ErrPolicy is what every [*FieldError] of a policy unwraps to.
var ErrPolicy = errors.New("webhookpolicy: unsound policy")

// Policy is the settings of deliveries, for all subscriptions of a host.
//
// The zero Policy calls once and never again, within no time: begin with
// [DefaultPolicy]. What [Policy.Check] refuses panics nowhere, but decisions by
// it mean nothing. Nobody may change Delays of a policy in use.
//
// A delivery does not remember the policy that it began with. Where settings
// change, the next decision is made by the new ones; a due time that was told
// stays.
type Policy struct {
	// FirstTimeout is how long the first call may take, from connecting to the
	// last header of the answer (WHK-2). It is short, so that an endpoint that
	// is slow holds up nothing but its own deliveries.
	FirstTimeout time.Duration
	// RetryTimeout is how long every retry may take (WHK-2).
	RetryTimeout time.Duration

	// Delays are how long after the end of a call each retry follows, the first
	// one first (WHK-3). There are as many retries as delays, 8 at most.
	Delays []time.Duration
	// MaxRetryAfter bounds what an answer's Retry-After can ask for (WHK-13).
	// Zero passes over what answers ask. It can put off the one retry that
	// follows, never bring one forward.
	MaxRetryAfter time.Duration
	// GoneEnds says whether an answer of 410 ends the delivery (WHK-13). It is
	// off by default: the spec's sources treat 410 like any other failure.
	GoneEnds bool

	// MaxRedirects is how many redirects a caller follows (WHK-1). By zero it
	// follows none, and the redirecting answer itself is a success.
	MaxRedirects int
	// MaxAnswerBytes is how much of an answer's body a caller reads before it
	// breaks off (WHK-13).
	MaxAnswerBytes int

	// An endpoint is suspended when, within Window, at least MinEnded retried
	// calls to it ended and at least FailedPercent of them failed (WHK-8). To
	// suspend nothing ever, set a MinEnded that no endpoint reaches.
	Window        time.Duration
	MinEnded      int
	FailedPercent int
	// ProbeAfter is how long after the suspension the first probe goes out;
	// after each that fails it doubles, up to ProbeMax (WHK-8).
	ProbeAfter time.Duration
	ProbeMax   time.Duration
	// DrainPerSecond is how many parked calls go out in a second once their
	// endpoint is released (WHK-8), lest what has just come back go down under
	// all that was kept for it.
	DrainPerSecond int

	// The names of the headers of a call (WHK-6, WHK-10), and one header's text.
	// The platform has changed a name once, so they are settings.
	RetryCountHeader string
	SignatureHeader  string
	IssuedAtHeader   string
	UserAgent        string
}

// DefaultPolicy returns the settings of the spec (WHK-2, WHK-3, WHK-6, WHK-8,
// WHK-10, WHK-13); where it names none, of how much of an answer is read and
// what the caller calls itself, those of sluice. The slice in it is the caller's.
func DefaultPolicy() Policy {
	return Policy{
		FirstTimeout: time.Second,
		RetryTimeout: 10 * time.Second,
		Delays: []time.Duration{
			2 * time.Minute, 6 * time.Minute, 30 * time.Minute, time.Hour,
			5 * time.Hour, 18 * time.Hour, 24 * time.Hour, 48 * time.Hour,
		},
		MaxRetryAfter:    24 * time.Hour,
		MaxAnswerBytes:   16 << 10,
		Window:           time.Hour,
		MinEnded:         20,
		FailedPercent:    50,
		ProbeAfter:       5 * time.Minute,
		ProbeMax:         6 * time.Hour,
		DrainPerSecond:   10,
		RetryCountHeader: "X-Yousign-Retry-Count",
		SignatureHeader:  "X-Yousign-Signature-256",
		IssuedAtHeader:   "X-Yousign-Issued-At",
		UserAgent:        "sluice",
	}
}

// Check returns every setting that cannot be followed, each a [*FieldError] that
// unwraps to [ErrPolicy], joined.
func (p Policy) Check() error {
	var c policyCheck
	c.positive("first_timeout", "WHK-2", p.FirstTimeout)
	c.positive("retry_timeout", "WHK-2", p.RetryTimeout)
	if len(p.Delays) > MaxRetries {
		c.fail("delays", "WHK-3", "there are %d; at most %d are allowed", len(p.Delays), MaxRetries)
	}
	for i, d := range p.Delays {
		c.positive(fmt.Sprintf("delays[%d]", i), "WHK-3", d)
	}
	if p.MaxRetryAfter < 0 {
		c.fail("max_retry_after", "WHK-13", "it is %s; it must not be negative", p.MaxRetryAfter)
	}
	c.between("max_redirects", "WHK-1", p.MaxRedirects, 0, 20)
	c.between("max_answer_bytes", "WHK-13", p.MaxAnswerBytes, 0, 1<<30)
	if p.Window < time.Minute {
		c.fail("window", "WHK-8", "it is %s; it must be at least %s", p.Window, time.Minute)
	}
	c.between("min_ended", "WHK-8", p.MinEnded, 1, 1<<30)
	c.between("failed_percent", "WHK-8", p.FailedPercent, 1, 100)
	c.positive("probe_after", "WHK-8", p.ProbeAfter)
	if p.ProbeMax < p.ProbeAfter {
		c.fail("probe_max", "WHK-8", "it is %s; it must be at least probe_after, %s", p.ProbeMax, p.ProbeAfter)
	}
	c.between("drain_per_second", "WHK-8", p.DrainPerSecond, 1, 1e6)
	c.headers(p)
	return errors.Join(c.faults...)
}

// policyCheck gathers the faults of a policy. Fields are told by their names in
// JSON, where most policies are written.
type policyCheck struct{ faults []error }

func (c *policyCheck) fail(setting, rule, format string, args ...any) {
	c.faults = append(c.faults, &FieldError{
		Subject: "policy", Field: setting, Rule: rule, Reason: fmt.Sprintf(format, args...), Err: ErrPolicy,
	})
}

func (c *policyCheck) positive(setting, rule string, d time.Duration) {
	if d <= 0 {
		c.fail(setting, rule, "it is %s; it must be positive", d)
	}
}

func (c *policyCheck) between(setting, rule string, n, least, most int) {
	if n < least || n > most {
		c.fail(setting, rule, "it is %d; it must be from %d to %d", n, least, most)
	}
}

// headers checks that the headers of a call are ones, and do not overwrite each
// other or those that every request has. Case makes no difference to a header.
func (c *policyCheck) headers(p Policy) {
	taken := []string{"content-length", "content-type", "host", "user-agent"}
	for _, h := range []struct{ setting, rule, name string }{
		{"retry_count_header", "WHK-6", p.RetryCountHeader},
		{"signature_header", "WHK-10", p.SignatureHeader},
		{"issued_at_header", "WHK-10", p.IssuedAtHeader},
	} {
		name := strings.ToLower(h.name)
		switch {
		case h.name == "" || strings.ContainsFunc(h.name, notInHeaderName):
			c.fail(h.setting, h.rule, "it is %q, which cannot be the name of a header", h.name)
		case slices.Contains(taken, name):
			c.fail(h.setting, h.rule, "it is %q, which is the name of another header", h.name)
		}
		taken = append(taken, name)
	}
	if strings.TrimSpace(p.UserAgent) == "" ||
		strings.ContainsFunc(p.UserAgent, func(c rune) bool { return c < ' ' || c > '~' }) {
		c.fail("user_agent", "WHK-10", "it is %q; printable ASCII is wanted", p.UserAgent)
	}
}

// notInHeaderName reports what cannot be in a name: it is what RFC 9110 does not have in a token, less what it has
// and nobody uses.
func notInHeaderName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
}

// Timeout returns how long the call of a number may take, from 0 on (WHK-2).
func (p Policy) Timeout(number int) time.Duration { return p.timeout(number) }

func (p *Policy) timeout(number int) time.Duration {
	if number == 0 {
		return p.FirstTimeout
	}
	return p.RetryTimeout
}

// retries is how many there are. It is the bound of what a Delivery records, so
// that no policy, however unsound, leads beyond it.
func (p *Policy) retries() int { return min(len(p.Delays), MaxRetries) }

// due returns when the retry of a number falls due after an outcome of the call
// before (WHK-3, WHK-13).
func (p *Policy) due(number int, o *Outcome) time.Time {
	delay := max(p.Delays[number-1], min(o.RetryAfter, p.MaxRetryAfter))
	return o.Ended.UTC().Add(delay)
}

// DrainSlot returns when the i-th of the parked deliveries of an endpoint,
// from 0 on and oldest first, may go out after a release (WHK-8): as many in
// each second as DrainPerSecond says, evenly. A delivery that falls due later
// goes out when it does.
//
//	for i, delivery := range parked {
//		delivery = delivery.Release(policy.DrainSlot(health.ReleasedAt(), i))
//		// Store it; ask Decide when it is due.
//	}
func (p Policy) DrainSlot(released time.Time, i int) time.Time {
	rate := max(p.DrainPerSecond, 1)
	i = max(i, 0)
	// In two parts, since i times a second may be too long for a Duration.
	rest := time.Duration(i%rate) * time.Second / time.Duration(rate)
	return released.Add(time.Duration(i/rate)*time.Second + rest)
}

// Drained returns how many slots have come by now: [Policy.DrainSlot] of every
// smaller i is at now or before (WHK-8). It is for hosts that look at the
// parked deliveries from time to time rather than giving each its slot.
func (p Policy) Drained(released, now time.Time) int {
	elapsed := now.Sub(released)
	if elapsed < 0 {
		return 0 // also if a clock stepped back: it only holds up
	}
	rate := max(p.DrainPerSecond, 1)
	// A slot is cut off to whole nanoseconds, so it has come if the exact one
	// is before the next.
	parts := (int(elapsed%time.Second) + 1) * rate
	whole := int(elapsed/time.Second) * rate
	return whole + (parts+int(time.Second)-1)/int(time.Second)
}
