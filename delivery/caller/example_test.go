package caller_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/webhookpolicy"
)

// One call of an endpoint in an intranet, whose addresses the host allows and
// whose certificates it trusts. The receiver asks for some time.
func ExampleCaller_Call() {
	secret := webhookpolicy.NewSecret("0123456789abcdef0123456789abcdef")
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		err := webhookpolicy.Verify(body, r.Header.Get(webhookpolicy.HeaderSignature), secret)
		fmt.Println("received retry", r.Header.Get(webhookpolicy.HeaderRetryCount), "with signature:", err == nil)
		w.Header().Set("Retry-After", "120")
		http.Error(w, "back in two minutes", http.StatusServiceUnavailable)
	}))
	defer receiver.Close()

	c, err := caller.New(caller.Options{
		Policy: webhookpolicy.DefaultPolicy(),
		Allow:  []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		TLS:    receiver.Client().Transport.(*http.Transport).TLSClientConfig,
	})
	if err != nil {
		panic(err)
	}
	defer c.CloseIdleConnections()

	// Endpoint, number and time-out are those of a webhookpolicy.Decision.
	record, err := c.Call(context.Background(), caller.Request{
		Endpoint: receiver.URL, Body: []byte(`{"event_id":"8f14e45f"}`), Secret: secret,
		Number: 1, Timeout: 10 * time.Second,
	})
	if err != nil {
		panic(err) // there is no outcome: nothing was called, or ctx was canceled
	}
	fmt.Println(record.Outcome.Result, record.Outcome.Status, "asks to wait", record.Outcome.RetryAfter)
	fmt.Printf("%s: %s", record.Header.Get("Content-Type"), record.Body)
	// Output:
	// received retry 1 with signature: true
	// answered 503 asks to wait 2m0s
	// text/plain; charset=utf-8: back in two minutes
}

// Nothing in the host's own network is called unless it is allowed, however the
// endpoint spells it (WHK-12).
func ExampleCaller_Call_addressRefused() {
	c, err := caller.New(caller.Options{Policy: webhookpolicy.DefaultPolicy()})
	if err != nil {
		panic(err)
	}
	for _, endpoint := range []string{
		"https://169.254.169.254/latest/meta-data/", "https://[64:ff9b::a00:1]/", "https://0x7f.1/",
	} {
		record, err := c.Call(context.Background(), caller.Request{
			Endpoint: endpoint, Body: []byte(`{}`), Secret: webhookpolicy.NewSecret("0123456789abcdef0123456789abcdef"),
		})
		if err != nil {
			panic(err)
		}
		fmt.Println(record.Outcome.Result)
	}
	// Output:
	// address_refused
	// address_refused
	// address_refused
}
