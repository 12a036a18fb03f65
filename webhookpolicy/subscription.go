package webhookpolicy

import (
	"fmt"
	"slices"
	"time"
)

// Settings are the attributes of a subscription that its owner chooses (SUB-1).
// The zero Settings are those of no subscription: an endpoint, a secret key,
// events and scopes have no default.
//
// Their JSON has the public API's names. Reading changes the attributes that
// the document has and leaves the others as they are, so that a request to
// create is read over the host's defaults and one to update over the present
// settings:
//
//	settings := subscription.Settings()
//	err := json.Unmarshal(request, &settings)
//
// Writing redacts the secret key.
type Settings struct {
	// Endpoint is the https URL that is called (SUB-4).
	Endpoint string `json:"endpoint"`
	// Description is what the subscription is for, in at most 128 characters.
	// Every call tells it.
	Description string `json:"description"`
	// Secret is the key that calls are signed with (WHK-11). The host makes
	// one if its user gives none: [SecretFromRandom].
	Secret Secret `json:"secret_key"`
	// Sandbox says which events are meant, those of the sandbox or those of
	// production.
	Sandbox bool `json:"sandbox"`
	// Enabled says whether there are any calls.
	Enabled bool `json:"enabled"`
	// AutoRetry says whether calls that fail are tried again (WHK-4).
	AutoRetry bool `json:"auto_retry"`
	// Events, Scopes and Workspaces list what an event must be of (SUB-2), or
	// the [Wildcard] alone. Nil workspaces are the wildcard (SUB-3).
	Events     []EventName `json:"subscribed_events"`
	Scopes     []string    `json:"scopes"`
	Workspaces []string    `json:"workspaces"`
}

// clone returns settings that share no list with s.
func (s Settings) clone() Settings {
	s.Events = slices.Clone(s.Events)
	s.Scopes = slices.Clone(s.Scopes)
	s.Workspaces = slices.Clone(s.Workspaces)
	return s
}

func (s Settings) equal(o Settings) bool {
	return s.Endpoint == o.Endpoint && s.Description == o.Description && s.Secret.Equal(o.Secret) &&
		s.Sandbox == o.Sandbox && s.Enabled == o.Enabled && s.AutoRetry == o.AutoRetry &&
		slices.Equal(s.Events, o.Events) && slices.Equal(s.Scopes, o.Scopes) &&
		slices.Equal(s.Workspaces, o.Workspaces)
}

// Subscription says whom to call when what happens. It is a value: it never
// changes, and Update returns the next one. Every Subscription but the zero one
// keeps the rules SUB-1 to SUB-5. Zero is none, such as one that was deleted.
//
// Its JSON is the public API's, with the secret key redacted;
// [Subscription.RevealJSON] writes the key. Subscriptions are compared with
// [Subscription.Equal], since their secrets are (see [Secret]).
type Subscription struct {
	// One word, so that lists of many are cheap to make and to throw away. Nil
	// for the zero Subscription: read it through get.
	record *record
}

// record is what a Subscription consists of. Nobody writes to one that is in
// use, nor to its lists.
type record struct {
	id       string
	settings Settings

	createdAt, updatedAt time.Time // whole seconds, UTC
}

// none is what the zero Subscription consists of.
var none record

func (s Subscription) get() *record {
	if s.record == nil {
		return &none
	}
	return s.record
}

// NewSubscription returns a subscription created now, under an id of the
// caller's. It refuses settings that break a rule with a [*FieldError] for each,
// joined.
func NewSubscription(id string, settings Settings, now time.Time) (Subscription, error) {
	r := &record{id: id, settings: settings.clone(), createdAt: seconds(now), updatedAt: seconds(now)}
	return r.checked()
}

// checked returns the subscription that consists of r, or every rule that r
// breaks.
func (r *record) checked() (Subscription, error) {
	if r.settings.Workspaces == nil {
		r.settings.Workspaces = []string{Wildcard}
	}
	if err := r.check(); err != nil {
		return Subscription{}, err
	}
	return Subscription{r}, nil
}

// Update returns the subscription with other settings, under the same rules as
// when it was created (SUB-1). UpdatedAt becomes now unless that is before it
// or nothing changes. If a rule is broken it returns s and the error.
//
// Calls not yet made use the new endpoint and secret, because a subscription is
// read when a call falls due (WHK-7).
func (s Subscription) Update(settings Settings, now time.Time) (Subscription, error) {
	old := s.get()
	next, err := NewSubscription(old.id, settings, now)
	switch {
	case err != nil:
		return s, err
	case next.record.settings.equal(old.settings):
		return s, nil
	}
	next.record.createdAt = old.createdAt
	if next.record.updatedAt.Before(old.updatedAt) {
		next.record.updatedAt = old.updatedAt
	}
	return next, nil
}

// ID returns the id that the host gave.
func (s Subscription) ID() string { return s.get().id }

// Endpoint returns the URL to call.
func (s Subscription) Endpoint() string { return s.get().settings.Endpoint }

// Description returns what the subscription is for.
func (s Subscription) Description() string { return s.get().settings.Description }

// Secret returns the key that calls are signed with.
func (s Subscription) Secret() Secret { return s.get().settings.Secret }

// Sandbox reports whether events of the sandbox are meant, not of production.
func (s Subscription) Sandbox() bool { return s.get().settings.Sandbox }

// Enabled reports whether there are any calls.
func (s Subscription) Enabled() bool { return s.get().settings.Enabled }

// AutoRetry reports whether calls that fail are tried again.
func (s Subscription) AutoRetry() bool { return s.get().settings.AutoRetry }

// Events returns the events, or the [Wildcard] alone.
func (s Subscription) Events() []EventName { return slices.Clone(s.get().settings.Events) }

// Scopes returns the scopes, or the [Wildcard] alone.
func (s Subscription) Scopes() []string { return slices.Clone(s.get().settings.Scopes) }

// Workspaces returns the workspaces, or the [Wildcard] alone.
func (s Subscription) Workspaces() []string { return slices.Clone(s.get().settings.Workspaces) }

// Settings returns all that Update can change, for changing some of it.
func (s Subscription) Settings() Settings { return s.get().settings.clone() }

// CreatedAt returns the time of creation in whole seconds.
func (s Subscription) CreatedAt() time.Time { return s.get().createdAt }

// UpdatedAt returns the time, in whole seconds, of the last change.
func (s Subscription) UpdatedAt() time.Time { return s.get().updatedAt }

// IsZero reports whether there is no subscription.
func (s Subscription) IsZero() bool { return s.record == nil }

// Equal reports whether both have the same id, settings and times.
func (s Subscription) Equal(o Subscription) bool {
	a, b := s.get(), o.get()
	return a.id == b.id && a.settings.equal(b.settings) &&
		a.createdAt.Equal(b.createdAt) && a.updatedAt.Equal(b.updatedAt)
}

// String returns the subscription in a line, without its secret.
func (s Subscription) String() string {
	if s.IsZero() {
		return "none"
	}
	settings := &s.record.settings
	state, where := "disabled", "production"
	if settings.Enabled {
		state = "enabled"
	}
	if settings.Sandbox {
		where = "sandbox"
	}
	return fmt.Sprintf("subscription %s: %s, %s, events %s, scopes %s, workspaces %s",
		s.record.id, state, where, settings.Events, settings.Scopes, settings.Workspaces)
}
