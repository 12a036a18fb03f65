package answer

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// subscriptionArea is a subscription, zero before it is created.
type subscriptionArea struct{ subscription webhookpolicy.Subscription }

func openSubscription(given json.RawMessage) (area, error) {
	return &subscriptionArea{}, read(given, &struct{}{})
}

func (a *subscriptionArea) end() object {
	s := a.subscription
	if s.IsZero() {
		return object{"subscription": nil}
	}
	return object{"subscription": object{
		"id": s.ID(), "endpoint": s.Endpoint(), "description": s.Description(), "sandbox": s.Sandbox(),
		"enabled": s.Enabled(), "auto_retry": s.AutoRetry(), "subscribed_events": s.Events(),
		"scopes": s.Scopes(), "workspaces": s.Workspaces(),
		"created_at": stamp(s.CreatedAt()), "updated_at": stamp(s.UpdatedAt()),
	}}
}

func (a *subscriptionArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "create":
		return take(text, func(s settingsText) (object, error) {
			var settings webhookpolicy.Settings
			if err := json.Unmarshal(s.Settings, &settings); err != nil {
				return nil, err
			}
			return a.became(webhookpolicy.NewSubscription(s.ID, settings, s.Now))
		})
	case "update":
		return take(text, func(s settingsText) (object, error) {
			settings := a.subscription.Settings()
			if err := json.Unmarshal(s.Settings, &settings); err != nil {
				return nil, err
			}
			return a.became(a.subscription.Update(settings, s.Now))
		})
	default:
		return nil, unknownStep(do)
	}
}

type settingsText struct {
	ID       string          `json:"id"`
	Now      time.Time       `json:"now"`
	Settings json.RawMessage `json:"settings"`
}

func (a *subscriptionArea) became(s webhookpolicy.Subscription, err error) (object, error) {
	if err == nil {
		a.subscription = s
		return taken, nil
	}
	faults := faultsOf(err)
	if faults == nil {
		return nil, err
	}
	return object{"error": faults[0]["error"], "faults": faults}, nil
}

// faultsOf lists what is wrong with settings, field by field in the order of
// SUB-1, and of each field the first.
func faultsOf(err error) []object {
	order := []string{"id", "endpoint", "description", "secret_key", "subscribed_events", "scopes", "workspaces"}
	first := make([]string, len(order)) // the first fault of each field
	for _, one := range flatten(err) {
		var field *webhookpolicy.FieldError
		if !errors.As(one, &field) {
			continue
		}
		name, _, _ := strings.Cut(field.Field, "[")
		if i := slices.Index(order, name); i >= 0 && (first[i] == "" || weight(nameOf(one)) < weight(first[i])) {
			first[i] = nameOf(one)
		}
	}
	var faults []object
	for i, fault := range first {
		if fault != "" {
			faults = append(faults, object{"field": order[i], "error": fault})
		}
	}
	return faults
}

// weight orders the faults of one field as FORMAT.md does.
func weight(fault string) int {
	return slices.Index([]string{"unknown_event", "invalid_list", "sandbox_workspaces"}, fault)
}

// flatten returns the errors that were joined.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, flatten(e)...)
	}
	return list
}

// matchArea is many subscriptions.
type matchArea struct{ matcher *webhookpolicy.Matcher }

func openMatch(given json.RawMessage) (area, error) {
	var g struct {
		Subscriptions []struct {
			ID         string   `json:"id"`
			Enabled    bool     `json:"enabled"`
			Sandbox    bool     `json:"sandbox"`
			Events     []string `json:"subscribed_events"`
			Scopes     []string `json:"scopes"`
			Workspaces []string `json:"workspaces"`
		} `json:"subscriptions"`
	}
	if err := read(given, &g); err != nil {
		return nil, err
	}
	a := &matchArea{webhookpolicy.NewMatcher()}
	for _, s := range g.Subscriptions {
		settings := webhookpolicy.Settings{
			Endpoint: "https://example.com/webhooks", Secret: webhookpolicy.NewSecret(strings.Repeat("s", 32)),
			Enabled: s.Enabled, Sandbox: s.Sandbox, Scopes: s.Scopes, Workspaces: s.Workspaces,
		}
		for _, name := range s.Events {
			settings.Events = append(settings.Events, webhookpolicy.EventName(name))
		}
		subscription, err := webhookpolicy.NewSubscription(s.ID, settings, defaultTime)
		if err != nil {
			return nil, err
		}
		a.matcher.Put(subscription)
	}
	return a, nil
}

func (*matchArea) end() object { return object{} }

func (a *matchArea) step(do string, text json.RawMessage) (object, error) {
	if do != "match" {
		return nil, unknownStep(do)
	}
	return take(text, func(s struct {
		Event webhookpolicy.Event `json:"event"`
	},
	) (object, error) {
		ids := []string{}
		for _, match := range a.matcher.Match(s.Event) {
			ids = append(ids, match.ID())
		}
		return object{"matches": sorted(ids)}, nil
	})
}
