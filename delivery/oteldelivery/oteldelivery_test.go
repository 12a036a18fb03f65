package oteldelivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/oteldelivery"
	"github.com/sluicego/sluice/delivery/sqlitequeue"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

// What must never be told.
const (
	key      = "0123456789abcdef0123456789abcdef"
	path     = "/path-of-a-tenant"
	query    = "token=of-a-tenant"
	endpoint = "https://hooks.example.com" + path + "?" + query
	data     = "data-of-a-tenant"
	answer   = "answer-of-a-tenant"
)

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// telemetry is all that is exported.
type telemetry struct {
	spans   *tracetest.InMemoryExporter
	reader  *metric.ManualReader
	options oteldelivery.Options
}

func record() *telemetry {
	spans, reader := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	return &telemetry{spans, reader, oteldelivery.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
		Now:            func() time.Time { return noon.Add(3 * time.Second) },
	}}
}

// observer returns one that is recorded.
func (r *telemetry) observer(tb testing.TB) *oteldelivery.Observer {
	tb.Helper()
	o, err := oteldelivery.New(r.options)
	require.NoError(tb, err)
	return o
}

// metrics collects.
func (r *telemetry) metrics(tb testing.TB) map[string]metricdata.Metrics {
	tb.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(tb, r.reader.Collect(context.Background(), &all))
	named := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			named[m.Name] = m
		}
	}
	return named
}

// text is everything that is exported.
func (r *telemetry) text(tb testing.TB) string {
	tb.Helper()
	metrics, err := json.Marshal(r.metrics(tb))
	require.NoError(tb, err)
	return fmt.Sprintf("%+v\n%s", r.spans.GetSpans(), metrics)
}

// told returns what is told and must not be.
func told(text string) []string {
	var all []string
	for _, s := range []string{key, path, query, data, answer} {
		if strings.Contains(text, s) {
			all = append(all, s)
		}
	}
	return all
}

// attributes are a set as a map.
func attributes(all []attribute.KeyValue) map[string]any {
	m := map[string]any{}
	for _, a := range all {
		m[string(a.Key)] = a.Value.AsInterface()
	}
	return m
}

// calls is a Caller that answers as it is told.
type calls func(n int) (webhookpolicy.Outcome, error)

func (f calls) Call(_ context.Context, r caller.Request) (caller.Record, error) {
	o, err := f(r.Number)
	return caller.Record{
		Outcome: o, Body: []byte(answer), Header: http.Header{"Location": {endpoint}}, Detail: endpoint,
	}, err
}

// deliverer returns one that calls nobody.
func deliverer(tb testing.TB, o delivery.Options) *delivery.Deliverer {
	tb.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(tb.TempDir(), "sluice.db"), sqlite.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, store.Close()) })
	d, err := delivery.New(context.Background(), sqlitequeue.On(store), o)
	require.NoError(tb, err)
	s, err := webhookpolicy.NewSubscription("s1", webhookpolicy.Settings{
		Endpoint: endpoint, Secret: webhookpolicy.NewSecret(key), Enabled: true, AutoRetry: true,
		Events: []webhookpolicy.EventName{webhookpolicy.Wildcard}, Scopes: []string{webhookpolicy.Wildcard},
	}, noon)
	require.NoError(tb, err)
	require.NoError(tb, d.CreateSubscription(context.Background(), s))
	return d
}

func publish(tb testing.TB, d *delivery.Deliverer, id string) {
	tb.Helper()
	require.NoError(tb, d.Publish(context.Background(), delivery.Occurrence{
		ID: id, Event: webhookpolicy.Event{Name: webhookpolicy.EventContactCreated, Scope: webhookpolicy.ScopeApp},
		At: noon, Data: json.RawMessage(`"` + data + `"`),
	}))
}

// until waits for what a deliverer counts.
func until(tb testing.TB, d *delivery.Deliverer, holds func(delivery.Stats) bool) {
	tb.Helper()
	require.Eventually(tb, func() bool {
		s, err := d.Stats(context.Background())
		require.NoError(tb, err)
		return holds(s)
	}, time.Minute, 5*time.Millisecond)
}

// A real deliverer calls, fails, calls again and succeeds: all of it is told, and
// nothing that is secret.
func TestObserver_Deliverer(t *testing.T) {
	r := record()
	r.options.Now = nil
	policy := webhookpolicy.DefaultPolicy()
	for i := range policy.Delays {
		policy.Delays[i] = 10 * time.Millisecond
	}
	o := r.observer(t)
	d := deliverer(t, delivery.Options{Policy: policy, Observer: o, Caller: calls(func(n int) (webhookpolicy.Outcome, error) {
		began := time.Now()
		status := 503
		if n > 0 {
			status = 204
		}
		return webhookpolicy.Outcome{
			Result: webhookpolicy.Answered, Status: status, Began: began, Ended: began.Add(40 * time.Millisecond),
		}, nil
	})})
	stop, err := o.Watch(d)
	require.NoError(t, err)
	publish(t, d, "o1")
	assert.Equal(t, int64(1), gauge(t, r, "sluice.delivery.waiting"))
	require.NoError(t, d.Start(t.Context()))
	until(t, d, func(s delivery.Stats) bool { return s.Waiting == 0 })
	require.NoError(t, d.Stop(t.Context()))

	spans := r.spans.GetSpans()
	require.Len(t, spans, 2)
	id := webhookpolicy.EventID("o1", "s1")
	first, second := attributes(spans[0].Attributes), attributes(spans[1].Attributes)
	for i, a := range []map[string]any{first, second} {
		assert.Equal(t, trace.SpanKindClient, spans[i].SpanKind)
		assert.Equal(t, 40*time.Millisecond, spans[i].EndTime.Sub(spans[i].StartTime))
		assert.Equal(t, id, a["sluice.event_id"])
		assert.Equal(t, "s1", a["sluice.subscription_id"])
		assert.Equal(t, string(webhookpolicy.EventContactCreated), a["sluice.event_name"])
		assert.Equal(t, int64(i), a["sluice.number"])
		assert.Equal(t, false, a["sluice.probe"])
		assert.Equal(t, "hooks.example.com", a["server.address"])
		assert.Equal(t, int64(443), a["server.port"])
		assert.Equal(t, "POST", a["http.request.method"])
		assert.Equal(t, "answered", a["sluice.result"])
	}
	assert.Equal(t, "503", first["error.type"])
	assert.Equal(t, "wait", first["sluice.verdict"])
	assert.Equal(t, codes.Error, spans[0].Status.Code)
	assert.Equal(t, int64(204), second["http.response.status_code"])
	assert.Equal(t, "done", second["sluice.verdict"])
	assert.Equal(t, codes.Unset, spans[1].Status.Code)

	metrics := r.metrics(t)
	assert.Equal(t, map[string]int64{"wait": 1, "done": 1}, byVerdict(metrics))
	lateness := metrics["sluice.delivery.lateness"].Data.(metricdata.Histogram[float64])
	require.Len(t, lateness.DataPoints, 2, "of the first call and of the retry")
	for _, p := range lateness.DataPoints {
		assert.Less(t, p.Sum, 30.0)
	}
	assert.Empty(t, told(r.text(t)))
	require.NoError(t, stop())
	assert.NotContains(t, r.metrics(t), "sluice.delivery.waiting")
}

// byVerdict are the counts of calls.
func byVerdict(metrics map[string]metricdata.Metrics) map[string]int64 {
	all := map[string]int64{}
	for _, p := range metrics["sluice.delivery.calls"].Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value("sluice.verdict")
		all[v.AsString()] += p.Value
	}
	return all
}

func gauge(tb testing.TB, r *telemetry, name string) int64 {
	tb.Helper()
	points := r.metrics(tb)[name].Data.(metricdata.Gauge[int64]).DataPoints
	require.Len(tb, points, 1)
	return points[0].Value
}

// info is a call that is three seconds late.
var info = delivery.CallInfo{
	EventID: "e1", EventName: webhookpolicy.EventContactCreated, SubscriptionID: "s1",
	Scheme: "https", Host: "[2001:db8::1]:8443", Number: 2, Due: noon,
}

// end tells an observer of a call.
func end(o delivery.Observer, c delivery.CallInfo, e delivery.CallEnd) {
	_, ended := o.CallBegins(context.Background(), c)
	ended(e)
}

func answered(status int) webhookpolicy.Outcome {
	return webhookpolicy.Outcome{
		Result: webhookpolicy.Answered, Status: status, Began: noon, Ended: noon.Add(250 * time.Millisecond),
	}
}

// errTelling is an error as a database or a transport may have it.
var errTelling = fmt.Errorf("call %q: %w", endpoint, errors.New(key+data+answer))

// Each end of a call has a status of its span, and why.
func TestObserver_Ends(t *testing.T) {
	timedOut := webhookpolicy.Outcome{Result: webhookpolicy.TimedOut, Began: noon, Ended: noon.Add(time.Second)}
	for _, c := range []struct {
		name    string
		end     delivery.CallEnd
		code    codes.Code
		kind    any
		verdict string
	}{
		{"success", delivery.CallEnd{
			Outcome: answered(200), Decision: webhookpolicy.Decision{Verdict: webhookpolicy.Done},
		}, codes.Unset, nil, "done"},
		{"another process was faster", delivery.CallEnd{Outcome: answered(200)}, codes.Unset, nil, "none"},
		{"failure", delivery.CallEnd{
			Outcome: answered(410), Decision: webhookpolicy.Decision{Verdict: webhookpolicy.Cancel},
		}, codes.Error, "410", "cancel"},
		{"no answer", delivery.CallEnd{
			Outcome: timedOut, Decision: webhookpolicy.Decision{Verdict: webhookpolicy.Exhaust},
		}, codes.Error, "timed_out", "exhaust"},
		{"broken off", delivery.CallEnd{Err: errTelling}, codes.Error, "broken_off", "none"},
		{"not written down", delivery.CallEnd{Outcome: answered(200), Err: errTelling}, codes.Error, "not_written", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := record()
			end(r.observer(t), info, c.end)
			span := r.spans.GetSpans()[0]
			a := attributes(span.Attributes)
			assert.Equal(t, c.code, span.Status.Code)
			assert.Equal(t, c.kind, a["error.type"])
			assert.Equal(t, c.verdict, a["sluice.verdict"])
			assert.Equal(t, "2001:db8::1", a["server.address"])
			assert.Equal(t, int64(8443), a["server.port"])
			assert.Equal(t, map[string]int64{c.verdict: 1}, byVerdict(r.metrics(t)))
			assert.Empty(t, told(r.text(t)))
			_, measured := r.metrics(t)["http.client.request.duration"]
			assert.Equal(t, !c.end.Outcome.IsZero(), measured)
		})
	}
}

// What is measured of a call.
func TestObserver_Metrics(t *testing.T) {
	for _, noHost := range []bool{false, true} {
		r := record()
		r.options.NoHost = noHost
		o := r.observer(t)
		end(o, info, delivery.CallEnd{
			Outcome: answered(503), Decision: webhookpolicy.Decision{Verdict: webhookpolicy.Wait},
		})
		metrics := r.metrics(t)
		duration := metrics["http.client.request.duration"]
		assert.Equal(t, "s", duration.Unit)
		point := duration.Data.(metricdata.Histogram[float64]).DataPoints[0]
		assert.InDelta(t, 0.25, point.Sum, 1e-9)
		want := map[string]any{
			"http.request.method": "POST", "http.response.status_code": int64(503), "error.type": "503",
			"sluice.result": "answered", "sluice.verdict": "wait", "sluice.retry": true, "sluice.probe": false,
			"server.address": "2001:db8::1", "server.port": int64(8443),
		}
		if noHost {
			delete(want, "server.address")
			delete(want, "server.port")
		}
		assert.Equal(t, want, attributes(point.Attributes.ToSlice()))

		late := metrics["sluice.delivery.lateness"].Data.(metricdata.Histogram[float64]).DataPoints[0]
		assert.InDelta(t, 3, late.Sum, 1e-9)
		assert.Equal(t, map[string]any{"sluice.retry": true}, attributes(late.Attributes.ToSlice()))
	}
}

// A probe is not late: its delivery was parked.
func TestObserver_Probe(t *testing.T) {
	r := record()
	c := info
	c.Probe = true
	end(r.observer(t), c, delivery.CallEnd{Outcome: answered(200)})
	assert.NotContains(t, r.metrics(t), "sluice.delivery.lateness")
	assert.Equal(t, true, attributes(r.spans.GetSpans()[0].Attributes)["sluice.probe"])
}

// However many events, subscriptions and numbers there are, the series of a metric
// are few.
func TestObserver_Cardinality(t *testing.T) {
	r := record()
	r.options.NoHost = true
	o := r.observer(t)
	for i := range 100 {
		c := info
		c.EventID, c.SubscriptionID, c.Host = fmt.Sprint("e", i), fmt.Sprint("s", i), fmt.Sprint("h", i)
		c.EventName, c.Number = webhookpolicy.EventName(fmt.Sprint("host.own_", i)), i%9
		end(o, c, delivery.CallEnd{Outcome: answered(200), Decision: webhookpolicy.Decision{Verdict: webhookpolicy.Done}})
	}
	for name, m := range r.metrics(t) {
		switch points := m.Data.(type) {
		case metricdata.Histogram[float64]:
			assert.Len(t, points.DataPoints, 2, "%s: a first call or a retry", name)
		case metricdata.Sum[int64]:
			assert.Len(t, points.DataPoints, 2, "%s: a first call or a retry", name)
		}
	}
}

// stats is a Source that counts how often it is asked.
type stats struct {
	mu    sync.Mutex
	asked int
	now   delivery.Stats
	err   error
}

func (s *stats) Stats(context.Context) (delivery.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.now, s.err
}

// Each collection asks once, and an error of the database leaves gauges out.
func TestObserver_Watch(t *testing.T) {
	r := record()
	s := &stats{now: delivery.Stats{Waiting: 7, Due: 5, Parked: 4, Exhausted: 3, Suspended: 2, OldestDue: noon}}
	_, err := r.observer(t).Watch(s)
	require.NoError(t, err)
	metrics := r.metrics(t)
	assert.Equal(t, 1, s.asked)
	for name, want := range map[string]int64{"waiting": 7, "due": 5, "parked": 4, "exhausted": 3, "suspended": 2} {
		points := metrics["sluice.delivery."+name].Data.(metricdata.Gauge[int64]).DataPoints
		assert.Equal(t, want, points[0].Value, name)
	}
	age := metrics["sluice.delivery.oldest_due.age"].Data.(metricdata.Gauge[float64]).DataPoints
	assert.InDelta(t, 3, age[0].Value, 1e-9)

	s.now.OldestDue = time.Time{}
	age = r.metrics(t)["sluice.delivery.oldest_due.age"].Data.(metricdata.Gauge[float64]).DataPoints
	assert.Zero(t, age[0].Value, "nothing is due")

	s.err = errors.New("no database")
	var all metricdata.ResourceMetrics
	require.ErrorIs(t, r.reader.Collect(t.Context(), &all), s.err)
	assert.Empty(t, all.ScopeMetrics)
}

// careless tells the error of a call, which the check for secrets must find.
type careless struct{ *oteldelivery.Observer }

func (o careless) CallBegins(ctx context.Context, c delivery.CallInfo) (context.Context, func(delivery.CallEnd)) {
	ctx, ended := o.Observer.CallBegins(ctx, c)
	return ctx, func(e delivery.CallEnd) {
		trace.SpanFromContext(ctx).RecordError(e.Err)
		ended(e)
	}
}

func TestObserver_CarelessTwin(t *testing.T) {
	r := record()
	end(careless{r.observer(t)}, info, delivery.CallEnd{Err: errTelling})
	assert.ElementsMatch(t, []string{key, path, query, data, answer}, told(r.text(t)))
}
