package webhookpolicy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// A company subscribes, a signer signs, and the company's endpoint receives
// the call.
func Example() {
	now := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	var random [24]byte
	copy(random[:], "bytes of crypto/rand")

	// The host takes a subscription.
	s, err := webhookpolicy.NewSubscription("5a1e", webhookpolicy.Settings{
		Endpoint:    "https://example.com/hooks",
		Description: "onboarding",
		Secret:      webhookpolicy.SecretFromRandom(random),
		Enabled:     true,
		AutoRetry:   true,
		Events:      []webhookpolicy.EventName{webhookpolicy.EventSignerDone},
		Scopes:      []string{webhookpolicy.Wildcard},
	}, now)
	if err != nil {
		panic(err)
	}
	fmt.Println(s)
	matcher := webhookpolicy.NewMatcher(s)

	// Something happens. Whoever is to know gets one body, the same for every
	// call.
	event := webhookpolicy.Event{Name: webhookpolicy.EventSignerDone, Scope: webhookpolicy.ScopeApp, Workspace: "814aac47"}
	var body []byte
	for _, s := range matcher.Match(event) {
		data := json.RawMessage(`{"signer":{"id":"kelly","status":"signed"}}`)
		e := s.Envelope(webhookpolicy.EventID("occurrence 1", s.ID()), event.Name, now, data)
		if body, err = e.Encode(); err != nil {
			panic(err)
		}
	}
	fmt.Println(string(body))

	// Each call has its own headers.
	headers, err := webhookpolicy.DefaultPolicy().Headers(body, s.Secret(), 0, now)
	if err != nil {
		panic(err)
	}
	received := map[string]string{}
	for _, h := range headers {
		received[h.Name] = h.Value
	}

	// The other side takes the old key and the new one, while it changes.
	receiver := webhookpolicy.Receiver{
		Secrets:   []webhookpolicy.Secret{webhookpolicy.NewSecret("the key of yesterday"), s.Secret()},
		Tolerance: 5 * time.Minute,
	}
	seen := webhookpolicy.NewSeen(10_000)
	for range 2 {
		e, err := receiver.Receive(body,
			received[webhookpolicy.HeaderSignature], received[webhookpolicy.HeaderIssuedAt], now)
		if err != nil {
			panic(err)
		}
		if seen.Has(e.EventID) {
			fmt.Println("received again, nothing to do")
			continue
		}
		fmt.Println("received:", e.EventName, string(e.Data))
		seen.Add(e.EventID)
	}
	_, err = receiver.Receive(append(body, ' '), received[webhookpolicy.HeaderSignature], "", now)
	fmt.Println(err)
	// Output:
	// subscription 5a1e: enabled, production, events [signer.done], scopes [*], workspaces [*]
	// {"event_id":"6adcec1d-ce47-889d-bc11-106219422b87","event_name":"signer.done","event_time":"1758551400","subscription_id":"5a1e","subscription_description":"onboarding","sandbox":false,"data":{"signer":{"id":"kelly","status":"signed"}}}
	// received: signer.done {"signer":{"id":"kelly","status":"signed"}}
	// received again, nothing to do
	// webhookpolicy: signature refused: it is of none of the 2 keys (WHK-11)
}

// Whatever is wrong with a request is told at once.
func ExampleNewSubscription_refused() {
	settings := webhookpolicy.Settings{Enabled: true, AutoRetry: true} // the host's defaults
	request := `{"endpoint": "http://example.com/hooks", "secret_key": "too short", "sandbox": true,
		"subscribed_events": ["signer.done", "signer.signed"], "scopes": ["app", "*"], "workspaces": ["814aac47"]}`
	if err := json.Unmarshal([]byte(request), &settings); err != nil {
		panic(err)
	}
	_, err := webhookpolicy.NewSubscription("5a1e", settings, time.Unix(1758551400, 0))
	fmt.Println(err)
	fmt.Println(errors.Is(err, webhookpolicy.ErrUnknownEvent))
	// Output:
	// webhookpolicy: subscription 5a1e: endpoint: its scheme is not https (SUB-4)
	// webhookpolicy: subscription 5a1e: secret_key: it has 9 characters; 32 are wanted (SUB-4)
	// webhookpolicy: subscription 5a1e: subscribed_events[1]: unknown event "signer.signed"; known: signer.notified, signer.link_opened, signer.done, signer.sender_contacted, signer.identification_blocked, signer.identification_succeeded, signer.identification_failed, signer.identification_expired, signer.error, signer.declined, signer.identity_saved, signer.notification_delivery_failed (SUB-3)
	// webhookpolicy: subscription 5a1e: scopes[1]: * stands beside others; it must stand alone (SUB-3)
	// webhookpolicy: subscription 5a1e: workspaces: a sandbox subscription takes * alone (SUB-5)
	// true
}

// A request to change a subscription names what it changes. The answer shows no
// key, unless that is asked for by name.
func ExampleSubscription_Update() {
	created := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	s, err := webhookpolicy.NewSubscription("5a1e", webhookpolicy.Settings{
		Endpoint: "https://example.com/hooks",
		Secret:   webhookpolicy.NewSecret("an example of 32 characters, yes"),
		Enabled:  true,
		Events:   []webhookpolicy.EventName{webhookpolicy.Wildcard},
		Scopes:   []string{webhookpolicy.ScopePublicAPI},
	}, created)
	if err != nil {
		panic(err)
	}
	settings := s.Settings()
	if err := json.Unmarshal([]byte(`{"enabled": false, "workspaces": ["814aac47"]}`), &settings); err != nil {
		panic(err)
	}
	if s, err = s.Update(settings, created.Add(time.Hour)); err != nil {
		panic(err)
	}
	shown, err := json.MarshalIndent(s, "", "  ")
	fmt.Println(string(shown), err)
	// Output:
	// {
	//   "id": "5a1e",
	//   "endpoint": "https://example.com/hooks",
	//   "description": "",
	//   "sandbox": false,
	//   "enabled": false,
	//   "auto_retry": false,
	//   "subscribed_events": [
	//     "*"
	//   ],
	//   "scopes": [
	//     "public_api"
	//   ],
	//   "workspaces": [
	//     "814aac47"
	//   ],
	//   "secret_key": "[redacted]",
	//   "created_at": "2025-09-22T14:30:00+00:00",
	//   "updated_at": "2025-09-22T15:30:00+00:00"
	// } <nil>
}
