package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/sqlitequeue"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

// A host keeps its sessions and deliveries in one file. What its sessions announce
// goes out by itself; what it has to tell besides, it publishes.
func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(folder) //nolint:errcheck // it is temporary
	store, err := sqlite.Open(ctx, filepath.Join(folder, "onboarding.db"), sqlite.Options{})
	check(err)
	defer store.Close() //nolint:errcheck // nothing is lost

	arrived := make(chan string)
	endpoint := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- "call " + r.Header.Get(webhookpolicy.HeaderRetryCount)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer endpoint.Close()

	deliverer, err := delivery.New(ctx, sqlitequeue.On(store), delivery.Options{
		// The endpoint of this example is no public one (WHK-12).
		Call: caller.Options{
			Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			TLS:   endpoint.Client().Transport.(*http.Transport).TLSClientConfig,
		},
	})
	check(err)
	check(deliverer.Start(ctx))

	now := time.Now()
	subscription, err := webhookpolicy.NewSubscription("5a1e", webhookpolicy.Settings{
		Endpoint: endpoint.URL, Secret: webhookpolicy.NewSecret("0123456789abcdef0123456789abcdef"),
		Enabled: true, AutoRetry: true,
		Events: []webhookpolicy.EventName{webhookpolicy.EventContactCreated}, Scopes: []string{webhookpolicy.ScopeApp},
	}, now)
	check(err)
	check(deliverer.CreateSubscription(ctx, subscription))
	check(deliverer.Publish(ctx, delivery.Occurrence{
		ID:    "contact 814aac47 created",
		Event: webhookpolicy.Event{Name: webhookpolicy.EventContactCreated, Scope: webhookpolicy.ScopeApp},
		At:    now,
		Data:  json.RawMessage(`{"contact": {"id": "814aac47"}}`),
	}))
	fmt.Println(<-arrived)
	check(deliverer.Stop(ctx)) // which waits for the call to be written down

	page, err := deliverer.Deliveries(ctx, delivery.Query{SubscriptionID: "5a1e"})
	check(err)
	for _, d := range page.Deliveries {
		fmt.Println(d.EventName, d.State())
	}
	// Output:
	// call 0
	// contact.created delivered
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
