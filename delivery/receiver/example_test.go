package receiver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/webhookpolicy"
)

// A webhook arrives, arrives again, and arrives with the signature of somebody
// else. It is kept once.
func ExampleHandler() {
	at := time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)
	ours, others := webhookpolicy.NewSecret("0123456789abcdef0123456789abcdef"), webhookpolicy.NewSecret("guessed")
	inbox := &receiver.Memory{} // for a program that ends one day: sqliteinbox, postgresinbox
	handler, err := receiver.New(receiver.Options{
		Receiver: webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{ours}, Tolerance: 5 * time.Minute},
		Inbox:    inbox,
		Now:      func() time.Time { return at },
		Report:   func(err error) { fmt.Println(err) },
	})
	check(err)

	body := []byte(`{"event_id": "8f14e45f", "event_name": "verification.company.done", "event_time": "1758551400",
		"subscription_id": "5a1e", "subscription_description": "onboarding", "sandbox": false,
		"data": {"company": {"id": "79a291fc", "status": "failed"}}}`)
	for _, secret := range []webhookpolicy.Secret{ours, ours, others} {
		request := httptest.NewRequest(http.MethodPost, "/webhooks", bytes.NewReader(body))
		headers, err := webhookpolicy.DefaultPolicy().Headers(body, secret, 0, at)
		check(err)
		for _, h := range headers {
			request.Header.Set(h.Name, h.Value)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		fmt.Println(answer.Code)
	}
	events, err := inbox.Claim(context.Background(), 10, at, time.Minute)
	check(err)
	for _, e := range events {
		fmt.Println("kept:", e.ID)
	}
	// Output:
	// 204
	// 204
	// receiver: answered 401: it is not authentic: webhookpolicy: signature does not match
	// 401
	// kept: 8f14e45f
}

// Two events wait in an inbox. One moves a session; the other tells of what cannot
// be, and is given up.
func ExampleFeed() {
	ctx, at := context.Background(), time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)
	store := new(memstore.Store)
	for _, c := range []session.Command{
		session.Create{ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47", Template: session.Template{
			ID: "35a07993", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification},
		}},
		session.Link{Resource: action.Resource{
			ID: "79a291fc", Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: at, AsOf: at,
		}},
	} {
		_, _, err := session.Update(ctx, store, "c0cbf043", c, at)
		check(err)
	}

	inbox := &receiver.Memory{}
	for i, status := range []string{"failed", "verified"} {
		body := fmt.Sprintf(`{"event_id": "e%d", "event_name": "verification.company.done", "event_time": "%d",
			"subscription_id": "5a1e", "subscription_description": "onboarding", "sandbox": false,
			"data": {"company": {"id": "79a291fc", "status": %q}}}`, i, at.Unix()+int64(i), status)
		_, err := inbox.Keep(ctx, receiver.Event{ID: fmt.Sprintf("e%d", i), Body: []byte(body), Received: at})
		check(err)
	}
	feed, err := receiver.NewFeed(receiver.FeedOptions{
		Inbox: inbox, Store: store,
		Now: func() time.Time { return at.Add(time.Second) },
		Report: func(err error) {
			if gaveUp, ok := errors.AsType[*receiver.FeedError](err); ok {
				fmt.Printf("%s given up: %s\n", gaveUp.EventID, gaveUp.Reason)
			}
		},
	})
	check(err)
	n, err := feed.Step(ctx) // a host calls Run
	check(err)
	s, err := store.Load(ctx, "c0cbf043")
	check(err)
	fmt.Println(n, "events dealt with; the session is", s.Status())
	// Output:
	// e1 given up: it contradicts what is known of the resource
	// 2 events dealt with; the session is blocked
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
