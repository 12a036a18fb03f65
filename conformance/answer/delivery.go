package answer

import (
	"encoding/json"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// deliveryArea is one delivery, to an endpoint that is never suspended.
type deliveryArea struct {
	policy       webhookpolicy.Policy
	subscription webhookpolicy.Subscription
	delivery     webhookpolicy.Delivery
}

func openDelivery(given json.RawMessage) (area, error) {
	var g struct {
		CreatedAt    time.Time  `json:"created_at"`
		Policy       policyText `json:"policy"`
		Subscription struct {
			Enabled   bool `json:"enabled"`
			AutoRetry bool `json:"auto_retry"`
		} `json:"subscription"`
	}
	if err := read(given, &g); err != nil {
		return nil, err
	}
	policy, err := g.Policy.policy()
	return &deliveryArea{
		policy:       policy,
		subscription: exampleSubscription(g.Subscription.Enabled, g.Subscription.AutoRetry),
		delivery:     webhookpolicy.NewDelivery("event", "subscription", g.CreatedAt),
	}, err
}

func (a *deliveryArea) end() object { return showDelivery(a.delivery) }

func (a *deliveryArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "ask":
		return take(text, func(s nowText) (object, error) {
			return a.decide(webhookpolicy.Outcome{}, s.Now), nil
		})
	case "ended":
		return take(text, func(s callText) (object, error) {
			return a.decide(s.outcome(), s.Ended), nil
		})
	case "subscription":
		return take(text, a.change)
	default:
		return nil, unknownStep(do)
	}
}

func (a *deliveryArea) decide(o webhookpolicy.Outcome, now time.Time) object {
	var d webhookpolicy.Decision
	a.delivery, d = webhookpolicy.Decide(a.policy, a.subscription, webhookpolicy.Health{}, a.delivery, o, now)
	return decision(d)
}

func (a *deliveryArea) change(s struct {
	Enabled   *bool `json:"enabled"`
	AutoRetry *bool `json:"auto_retry"`
	Deleted   bool  `json:"deleted"`
},
) (object, error) {
	if s.Deleted {
		a.subscription = webhookpolicy.Subscription{}
		return taken, nil
	}
	settings := a.subscription.Settings()
	replace(&settings.Enabled, s.Enabled)
	replace(&settings.AutoRetry, s.AutoRetry)
	var err error
	a.subscription, err = a.subscription.Update(settings, defaultTime)
	return taken, err
}
