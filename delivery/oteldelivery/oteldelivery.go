// Package oteldelivery has metrics and traces of deliveries by OpenTelemetry.
//
//	observer, err := oteldelivery.New(oteldelivery.Options{})
//	if err != nil {
//		return err
//	}
//	deliverer, err := delivery.New(ctx, queue, delivery.Options{Observer: observer})
//	if err != nil {
//		return err
//	}
//	stop, err := observer.Watch(deliverer)
//
// # Traces
//
// Every call is a span of its own, of kind client, from its beginning to the
// headers of the answer. Names are those of the semantic conventions for HTTP
// where these have one, and begin with "sluice." otherwise: sluice.event_id,
// sluice.event_name, sluice.subscription_id, sluice.number, sluice.probe,
// sluice.result, sluice.verdict. A call that failed, or whose end could not be
// written down, has the status Error and says why in error.type.
//
// Nothing of it is sent to receivers: they get no header of a trace.
//
// # Metrics
//
//	http.client.request.duration     s           how long calls took
//	sluice.delivery.calls            {call}      how many ended, and what followed
//	sluice.delivery.lateness         s           how long after they were due they began
//	sluice.delivery.waiting          {call}      calls to come, also those that are due
//	sluice.delivery.due              {call}      calls that are due, or under way
//	sluice.delivery.parked           {delivery}  what waits for the release of an endpoint
//	sluice.delivery.exhausted        {delivery}  dead letters
//	sluice.delivery.suspended        {endpoint}  endpoints that are not called
//	sluice.delivery.oldest_due.age   s           how long the call waits that has waited longest
//
// The last six are those of [Observer.Watch]: gauges of the database, so that
// processes that share one tell the same.
//
// # What is never told
//
// No span and no metric has the URL of an endpoint, which may carry credentials in
// its path and query, a key, a body, or the text of an error, which may quote any
// of them. So url.full is left out, which the conventions ask for.
//
// The attributes of metrics have a bounded number of values, but for the host and
// port of the endpoint: whoever lets strangers subscribe sets [Options.NoHost].
package oteldelivery

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// scope is what tells these instruments from others.
const scope = "github.com/sluicego/sluice/delivery/oteldelivery"

// Attributes that the semantic conventions have no name for.
const (
	keyEventID        = attribute.Key("sluice.event_id")
	keyEventName      = attribute.Key("sluice.event_name")
	keySubscriptionID = attribute.Key("sluice.subscription_id")
	keyNumber         = attribute.Key("sluice.number")
	keyRetry          = attribute.Key("sluice.retry")
	keyProbe          = attribute.Key("sluice.probe")
	keyResult         = attribute.Key("sluice.result")
	keyVerdict        = attribute.Key("sluice.verdict")
)

// Values of error.type, besides the results of package webhookpolicy and the
// statuses of answers.
const (
	brokenOff  = "broken_off"  // by Stop, and handed back
	notWritten = "not_written" // it was made, and is made again
)

// Options are the settings of an Observer. The zero Options are good defaults.
type Options struct {
	// MeterProvider and TracerProvider take what is measured and traced. Nil is
	// the global one.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// NoHost leaves the host and the port of endpoints out of the metrics, which
	// otherwise have series for each. Spans have them in any case.
	NoHost bool
	// Now is the host's clock, as in [delivery.Options]. Nil is [time.Now].
	Now func() time.Time
}

// Observer is a [delivery.Observer].
type Observer struct {
	o        Options
	meter    metric.Meter
	tracer   trace.Tracer
	duration metric.Float64Histogram
	calls    metric.Int64Counter
	lateness metric.Float64Histogram
}

// New returns an Observer. An error says that the provider refuses an instrument.
func New(o Options) (*Observer, error) {
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Observer{
		o:      o,
		meter:  o.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)),
		tracer: o.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
	}
	if err := b.instruments(); err != nil {
		return nil, err
	}
	return b, nil
}

// instruments makes those that calls are counted by.
func (b *Observer) instruments() (err error) {
	b.duration, err = b.meter.Float64Histogram("http.client.request.duration",
		metric.WithUnit("s"), metric.WithDescription("How long calls of webhooks took, to the headers of the answer."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	if err != nil {
		return err
	}
	b.calls, err = b.meter.Int64Counter("sluice.delivery.calls",
		metric.WithUnit("{call}"), metric.WithDescription("Calls of webhooks that have ended, by what follows."))
	if err != nil {
		return err
	}
	b.lateness, err = b.meter.Float64Histogram("sluice.delivery.lateness",
		metric.WithUnit("s"), metric.WithDescription("How long after they were due calls of webhooks began."),
		metric.WithExplicitBucketBoundaries(.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800))
	return err
}

var _ delivery.Observer = (*Observer)(nil)

// CallBegins implements [delivery.Observer].
func (b *Observer) CallBegins(ctx context.Context, c delivery.CallInfo) (context.Context, func(delivery.CallEnd)) {
	b.late(ctx, c)
	begun := time.Now()
	ctx, span := b.tracer.Start(ctx, "POST webhook", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(begun),
		trace.WithAttributes(server(c)...), trace.WithAttributes(
			semconv.HTTPRequestMethodPost,
			keyEventID.String(c.EventID), keyEventName.String(string(c.EventName)),
			keySubscriptionID.String(c.SubscriptionID), keyNumber.Int(c.Number), keyProbe.Bool(c.Probe)))
	return ctx, func(e delivery.CallEnd) {
		how := ended(e)
		b.count(ctx, c, e, how)
		span.SetAttributes(how...)
		span.SetAttributes(keyVerdict.String(e.Decision.Verdict.String()))
		if kind := failure(e); kind != "" {
			span.SetStatus(codes.Error, kind)
		}
		// What comes after the answer is the database's time.
		if e.Outcome.IsZero() {
			span.End()
		} else {
			span.End(trace.WithTimestamp(begun.Add(max(e.Outcome.Took(), 0))))
		}
	}
}

// late measures how late a call begins. A probe has a time of its own, besides
// that of its delivery.
func (b *Observer) late(ctx context.Context, c delivery.CallInfo) {
	if c.Probe || c.Due.IsZero() {
		return
	}
	late := max(b.o.Now().Sub(c.Due), 0)
	b.lateness.Record(ctx, late.Seconds(), metric.WithAttributes(keyRetry.Bool(c.Number > 0)))
}

// count counts the end of a call, and measures it if it has ended.
func (b *Observer) count(ctx context.Context, c delivery.CallInfo, e delivery.CallEnd, how []attribute.KeyValue) {
	follows := metric.WithAttributes(
		keyVerdict.String(e.Decision.Verdict.String()), keyRetry.Bool(c.Number > 0), keyProbe.Bool(c.Probe))
	b.calls.Add(ctx, 1, follows)
	if e.Outcome.IsZero() {
		return
	}
	measured := []metric.RecordOption{
		follows, metric.WithAttributes(how...), metric.WithAttributes(semconv.HTTPRequestMethodPost),
	}
	if !b.o.NoHost {
		measured = append(measured, metric.WithAttributes(server(c)...))
	}
	b.duration.Record(ctx, max(e.Outcome.Took(), 0).Seconds(), measured...)
}

// server are the attributes of the endpoint.
func server(c delivery.CallInfo) []attribute.KeyValue {
	host := url.URL{Host: c.Host}
	port, err := strconv.Atoi(host.Port())
	switch {
	case err == nil:
	case c.Scheme == "http":
		port = 80
	default:
		port = 443
	}
	return []attribute.KeyValue{semconv.ServerAddress(host.Hostname()), semconv.ServerPort(port)}
}

// ended are the attributes of how a call ended.
func ended(e delivery.CallEnd) []attribute.KeyValue {
	o := e.Outcome
	how := []attribute.KeyValue{keyResult.String(o.Result.String())}
	if o.Status != 0 {
		how = append(how, semconv.HTTPResponseStatusCode(o.Status))
	}
	if kind := failure(e); kind != "" {
		how = append(how, semconv.ErrorTypeKey.String(kind))
	}
	return how
}

// failure says why a call has failed, "" if it has not.
func failure(e delivery.CallEnd) string {
	o := e.Outcome
	switch {
	case o.IsZero():
		return brokenOff
	case e.Err != nil:
		return notWritten
	case o.Success():
		return ""
	case o.Result == webhookpolicy.Answered:
		return strconv.Itoa(o.Status)
	default:
		return o.Result.String()
	}
}
