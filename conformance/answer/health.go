package answer

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// healthArea is one endpoint and deliveries to it.
type healthArea struct {
	policy       webhookpolicy.Policy
	subscription webhookpolicy.Subscription
	health       webhookpolicy.Health
	deliveries   []webhookpolicy.Delivery
}

func openHealth(given json.RawMessage) (area, error) {
	var g struct {
		Policy     policyText `json:"policy"`
		Deliveries []struct {
			ID        string    `json:"id"`
			CreatedAt time.Time `json:"created_at"`
			Failed    int       `json:"failed"`
		} `json:"deliveries"`
	}
	if err := read(given, &g); err != nil {
		return nil, err
	}
	policy, err := g.Policy.policy()
	a := &healthArea{policy: policy, subscription: exampleSubscription(true, true)}
	for _, d := range g.Deliveries {
		a.deliveries = append(a.deliveries, a.failing(d.ID, d.CreatedAt, d.Failed))
	}
	return a, err
}

// serverError is what calls that failed were answered.
const serverError = 500

// failing returns a delivery after so many calls that failed.
func (a *healthArea) failing(id string, created time.Time, calls int) webhookpolicy.Delivery {
	d := webhookpolicy.NewDelivery(id, a.subscription.ID(), created)
	for range calls {
		due := d.Due()
		for _, o := range []webhookpolicy.Outcome{{}, {
			Result: webhookpolicy.Answered, Status: serverError, Began: due, Ended: due,
		}} {
			d, _ = webhookpolicy.Decide(a.policy, a.subscription, webhookpolicy.Health{}, d, o, due)
		}
	}
	return d
}

func (a *healthArea) end() object {
	list := []object{}
	for _, d := range a.deliveries {
		o := showDelivery(d)
		o["id"] = d.EventID()
		list = append(list, o)
	}
	return object{
		"condition": a.health.Condition(), "deliveries": list,
		"suspended_at": stamp(a.health.SuspendedAt()), "probe_at": stamp(a.health.ProbeAt()),
	}
}

func (a *healthArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "called":
		return take(text, a.called)
	case "ask":
		return take(text, func(s ofDelivery) (object, error) {
			d, err := a.find(s.Delivery)
			if err != nil {
				return nil, err
			}
			return a.decide(d, a.health, webhookpolicy.Outcome{}, s.Now), nil
		})
	case "ended":
		return take(text, a.ended)
	case "probe":
		return take(text, a.probe)
	case "release":
		return take(text, func(s nowText) (object, error) {
			a.health = a.health.Release(s.Now)
			return a.condition(), nil
		})
	case "drain":
		return take(text, func(struct{}) (object, error) { return a.drain(), nil })
	default:
		return nil, unknownStep(do)
	}
}

type ofDelivery struct {
	nowText
	Delivery string `json:"delivery"`
}

func (a *healthArea) find(id string) (*webhookpolicy.Delivery, error) {
	for i := range a.deliveries {
		if a.deliveries[i].EventID() == id {
			return &a.deliveries[i], nil
		}
	}
	return nil, fmt.Errorf("there is no delivery %q", id)
}

func (a *healthArea) decide(
	d *webhookpolicy.Delivery, h webhookpolicy.Health, o webhookpolicy.Outcome, now time.Time,
) object {
	next, what := webhookpolicy.Decide(a.policy, a.subscription, h, *d, o, now)
	*d = next
	return decision(what)
}

func (a *healthArea) called(s struct {
	callText
	Number int     `json:"number"`
	Times  int     `json:"times"`
	Every  seconds `json:"every_s"`
},
) (object, error) {
	for i := range s.Times {
		o := s.outcome()
		o.Ended = o.Ended.Add(time.Duration(i) * time.Duration(s.Every))
		o.Began = o.Ended
		a.health = a.health.Observe(a.policy, a.failing(fmt.Sprintf("other %d", i), defaultTime, s.Number), o)
	}
	return a.condition(), nil
}

// condition is the condition of the endpoint, and what is in its window.
func (a *healthArea) condition() object {
	ended, failed := a.health.Counts()
	return object{"condition": a.health.Condition(), "ended": ended, "failed": failed}
}

func (a *healthArea) ended(s struct {
	callText
	Delivery string `json:"delivery"`
},
) (object, error) {
	d, err := a.find(s.Delivery)
	if err != nil {
		return nil, err
	}
	a.health = a.health.Observe(a.policy, *d, s.outcome())
	result := a.decide(d, a.health, s.outcome(), s.Ended)
	result["condition"] = a.health.Condition()
	return result, nil
}

func (a *healthArea) probe(s ofDelivery) (object, error) {
	d, err := a.find(s.Delivery)
	if err != nil {
		return nil, err
	}
	probing, granted := a.health.Probe(s.Delivery, s.Now)
	if !granted {
		return object{"granted": false}, nil
	}
	result := a.decide(d, probing, webhookpolicy.Outcome{}, s.Now)
	granted = result["verdict"] == webhookpolicy.Call
	if granted {
		a.health = probing
	}
	result["granted"] = granted
	return result, nil
}

// drain gives every parked delivery its slot.
func (a *healthArea) drain() object {
	var parked []*webhookpolicy.Delivery
	for i := range a.deliveries {
		if a.deliveries[i].State() == webhookpolicy.Parked {
			parked = append(parked, &a.deliveries[i])
		}
	}
	slices.SortFunc(parked, func(x, y *webhookpolicy.Delivery) int { return x.Older(*y) })
	order := []object{}
	for i, d := range parked {
		*d = d.Release(a.policy.DrainSlot(a.health.ReleasedAt(), i))
		order = append(order, object{"delivery": d.EventID(), "at": stamp(d.Due())})
	}
	return object{"order": order}
}
