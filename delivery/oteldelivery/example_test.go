package oteldelivery_test

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/oteldelivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// An Observer goes into the Options of a deliverer, which tells it of calls: here
// of one that comes to nothing.
func ExampleObserver() {
	spans := tracetest.NewInMemoryExporter()
	observer, err := oteldelivery.New(oteldelivery.Options{
		TracerProvider: trace.NewTracerProvider(trace.WithSyncer(spans)), // by nil the global one
	})
	if err != nil {
		panic(err)
	}
	options := delivery.Options{Observer: observer}

	_, ended := options.Observer.CallBegins(context.Background(), delivery.CallInfo{
		EventID: "8f14e45f", EventName: webhookpolicy.EventContactCreated, SubscriptionID: "5a1e",
		Scheme: "https", Host: "hooks.example.com",
	})
	began := time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)
	ended(delivery.CallEnd{
		Outcome:  webhookpolicy.Outcome{Result: webhookpolicy.TimedOut, Began: began, Ended: began.Add(time.Second)},
		Decision: webhookpolicy.Decision{Verdict: webhookpolicy.Wait},
	})

	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name, span.SpanKind, span.EndTime.Sub(span.StartTime))
		for _, a := range span.Attributes {
			fmt.Printf("  %s: %s\n", a.Key, a.Value.String())
		}
	}
	// Output:
	// POST webhook client 1s
	//   server.address: hooks.example.com
	//   server.port: 443
	//   http.request.method: POST
	//   sluice.event_id: 8f14e45f
	//   sluice.event_name: contact.created
	//   sluice.subscription_id: 5a1e
	//   sluice.number: 0
	//   sluice.probe: false
	//   sluice.result: timed_out
	//   error.type: timed_out
	//   sluice.verdict: wait
}
