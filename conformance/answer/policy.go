package answer

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// policyText is the settings that a question gives in place of the rules'.
type policyText struct {
	FirstTimeout     *seconds  `json:"first_timeout_s"`
	RetryTimeout     *seconds  `json:"retry_timeout_s"`
	Delays           []seconds `json:"delays_s"`
	MaxRetryAfter    *seconds  `json:"max_retry_after_s"`
	GoneEnds         *bool     `json:"gone_ends"`
	Window           *seconds  `json:"window_s"`
	MinEnded         *int      `json:"min_ended"`
	FailedPercent    *int      `json:"failed_percent"`
	ProbeAfter       *seconds  `json:"probe_after_s"`
	ProbeMax         *seconds  `json:"probe_max_s"`
	DrainPerSecond   *int      `json:"drain_per_second"`
	RetryCountHeader *string   `json:"retry_count_header"`
	SignatureHeader  *string   `json:"signature_header"`
	IssuedAtHeader   *string   `json:"issued_at_header"`
	UserAgent        *string   `json:"user_agent"`
}

// seconds is a duration as a number of seconds.
type seconds time.Duration

func (s *seconds) UnmarshalJSON(text []byte) error {
	var number float64
	err := json.Unmarshal(text, &number)
	*s = seconds(number * float64(time.Second))
	return err
}

// policy returns the settings, the rules' own where the text gives none.
func (t policyText) policy() (webhookpolicy.Policy, error) {
	p := webhookpolicy.DefaultPolicy()
	replace(&p.FirstTimeout, (*time.Duration)(t.FirstTimeout))
	replace(&p.RetryTimeout, (*time.Duration)(t.RetryTimeout))
	replace(&p.MaxRetryAfter, (*time.Duration)(t.MaxRetryAfter))
	replace(&p.GoneEnds, t.GoneEnds)
	replace(&p.Window, (*time.Duration)(t.Window))
	replace(&p.MinEnded, t.MinEnded)
	replace(&p.FailedPercent, t.FailedPercent)
	replace(&p.ProbeAfter, (*time.Duration)(t.ProbeAfter))
	replace(&p.ProbeMax, (*time.Duration)(t.ProbeMax))
	replace(&p.DrainPerSecond, t.DrainPerSecond)
	replace(&p.RetryCountHeader, t.RetryCountHeader)
	replace(&p.SignatureHeader, t.SignatureHeader)
	replace(&p.IssuedAtHeader, t.IssuedAtHeader)
	replace(&p.UserAgent, t.UserAgent)
	if t.Delays != nil {
		p.Delays = make([]time.Duration, len(t.Delays))
		for i, d := range t.Delays {
			p.Delays[i] = time.Duration(d)
		}
	}
	return p, p.Check()
}

// replace writes a value over another if there is one.
func replace[T any](setting, value *T) {
	if value != nil {
		*setting = *value
	}
}

// callText is how a call ended.
type callText struct {
	Began      time.Time            `json:"began"`
	Ended      time.Time            `json:"ended"`
	Result     webhookpolicy.Result `json:"result"`
	Status     int                  `json:"status"`
	RetryAfter *string              `json:"retry_after"`
}

func (c callText) outcome() webhookpolicy.Outcome {
	o := webhookpolicy.Outcome{Result: c.Result, Status: c.Status, Began: c.Began, Ended: c.Ended}
	if c.RetryAfter != nil {
		// What cannot be read asks for nothing.
		o.RetryAfter, _ = webhookpolicy.ParseRetryAfter(*c.RetryAfter, c.Ended)
	}
	return o
}

// decision describes a decision: what its verdict has a use for.
func decision(d webhookpolicy.Decision) object {
	o := object{"verdict": d.Verdict}
	switch d.Verdict {
	case webhookpolicy.Call:
		o["number"], o["timeout_s"] = d.Number, d.Timeout.Seconds()
	case webhookpolicy.Wait:
		o["number"], o["at"] = d.Number, stamp(d.At)
	case webhookpolicy.Park:
		o["number"] = d.Number
	case webhookpolicy.Cancel:
		o["reason"] = d.Reason
	case webhookpolicy.Done, webhookpolicy.Exhaust:
	}
	return o
}

// showDelivery describes where a delivery stands.
func showDelivery(d webhookpolicy.Delivery) object {
	return object{"state": d.State(), "number": d.Number(), "due": stamp(d.Due())}
}

// exampleSubscription is a subscription of whom only the two settings matter.
func exampleSubscription(enabled, autoRetry bool) webhookpolicy.Subscription {
	s, err := webhookpolicy.NewSubscription("subscription", webhookpolicy.Settings{
		Endpoint: "https://example.com/webhooks", Secret: webhookpolicy.NewSecret("0123456789abcdef0123456789abcdef"),
		Events: []webhookpolicy.EventName{webhookpolicy.Wildcard}, Scopes: []string{webhookpolicy.Wildcard},
		Enabled: enabled, AutoRetry: autoRetry,
	}, defaultTime)
	if err != nil {
		panic(fmt.Sprintf("the example is no subscription: %v", err))
	}
	return s
}
