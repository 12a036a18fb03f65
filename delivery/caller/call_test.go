package caller_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/caller"
	wp "github.com/sluicego/sluice/webhookpolicy"
)

// TestCall_Request shows what a receiver gets (WHK-6, WHK-10, WHK-11).
func TestCall_Request(t *testing.T) {
	var got *http.Request
	var gotBody []byte
	l := serve(t, "127.0.0.1:0", func(_ http.ResponseWriter, r *http.Request) {
		got = r
		gotBody, _ = io.ReadAll(r.Body)
	})
	record := call(t, newCaller(t, plain()), caller.Request{Endpoint: l.url() + "?a=b%20c", Number: 3})

	assert.Equal(t, wp.Answered, record.Outcome.Result)
	assert.True(t, record.Outcome.Success())
	assert.Equal(t, body, gotBody)
	assert.Equal(t, http.MethodPost, got.Method)
	assert.Equal(t, "/hook?a=b%20c", got.RequestURI)
	signature, err := wp.Sign(body, secret)
	require.NoError(t, err)
	issued := got.Header.Get(wp.HeaderIssuedAt)
	seconds, err := strconv.ParseInt(issued, 10, 64)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), time.Unix(seconds, 0), 5*time.Second)
	assert.Equal(t, http.Header{
		"Content-Type":      {"application/json"},
		"Content-Length":    {strconv.Itoa(len(body))},
		"User-Agent":        {"sluice"},
		"Accept-Encoding":   {"identity"},
		wp.HeaderSignature:  {signature.String()},
		wp.HeaderIssuedAt:   {issued},
		wp.HeaderRetryCount: {"3"},
	}, got.Header, "and nothing else")
}

// TestCall_Answer shows what counts of an answer (WHK-1, WHK-13).
func TestCall_Answer(t *testing.T) {
	l := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Query().Get("status"))
		for _, name := range []string{"Retry-After", "Location"} {
			if value := r.URL.Query().Get(name); value != "" {
				w.Header().Set(name, value)
			}
		}
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("X-Request-Id", strings.Repeat("7", 2000))
		w.WriteHeader(status)
	})
	c := newCaller(t, plain())
	for query, success := range map[string]bool{
		"status=200": true, "status=204": true, "status=299": true, "status=304": true,
		"status=301&Location=/elsewhere": true, "status=307&Location=:": true,
		"status=400": false, "status=410": false, "status=500": false, "status=999": false,
	} {
		t.Run("WHK-1 "+query, func(t *testing.T) {
			record := call(t, c, caller.Request{Endpoint: l.url() + "?" + query})
			assert.Equal(t, wp.Answered, record.Outcome.Result)
			assert.Equal(t, query[7:10], strconv.Itoa(record.Outcome.Status))
			assert.Equal(t, success, record.Outcome.Success())
			assert.Zero(t, record.Redirects())
			assert.Empty(t, record.Header.Get("Set-Cookie"))
			assert.Len(t, record.Header.Get("X-Request-Id"), 1024)
		})
	}
	t.Run("WHK-13 seconds to wait", func(t *testing.T) {
		record := call(t, c, caller.Request{Endpoint: l.url() + "?status=503&Retry-After=90"})
		assert.Equal(t, 90*time.Second, record.Outcome.RetryAfter)
	})
	t.Run("WHK-13 a date to wait for", func(t *testing.T) {
		date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
		record := call(t, c, caller.Request{Endpoint: l.url() + "?status=429&Retry-After=" + url.QueryEscape(date)})
		assert.InDelta(t, time.Hour, record.Outcome.RetryAfter, float64(5*time.Second))
	})
	t.Run("WHK-13 what cannot be read", func(t *testing.T) {
		record := call(t, c, caller.Request{Endpoint: l.url() + "?status=503&Retry-After=soon"})
		assert.Zero(t, record.Outcome.RetryAfter)
	})
}

// TestCall_BadRequest shows that nothing is called by a request that says
// nothing, and that no message has the endpoint.
func TestCall_BadRequest(t *testing.T) {
	l := serve(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {})
	good := caller.Request{Endpoint: l.url(), Body: body, Secret: secret}
	with := func(change func(r *caller.Request)) caller.Request {
		r := good
		change(&r)
		return r
	}
	to := func(endpoint string) caller.Request {
		return with(func(r *caller.Request) { r.Endpoint = endpoint })
	}
	https := plain()
	https.PlainHTTP = false
	for name, test := range map[string]struct {
		options caller.Options
		request caller.Request
		field   string
	}{
		"WHK-11 no key":       {plain(), with(func(r *caller.Request) { r.Secret = wp.Secret{} }), "Secret"},
		"no body":             {plain(), with(func(r *caller.Request) { r.Body = nil }), "Body"},
		"a negative number":   {plain(), with(func(r *caller.Request) { r.Number = -1 }), "Number"},
		"a negative time-out": {plain(), with(func(r *caller.Request) { r.Timeout = -1 }), "Timeout"},
		"SUB-4 no endpoint":   {plain(), to(""), "Endpoint"},
		"SUB-4 http":          {https, good, "Endpoint"},
		"SUB-4 ftp":           {plain(), to("ftp://hunter2.example/"), "Endpoint"},
		"SUB-4 no URL":        {plain(), to("http://hunter2:%zz/"), "Endpoint"},
		"SUB-4 no host":       {plain(), to("http://:80/hunter2"), "Endpoint"},
		"SUB-4 opaque":        {plain(), to("http:hunter2"), "Endpoint"},
		"SUB-4 a password":    {plain(), to("http://user:hunter2@127.0.0.1/"), "Endpoint"},
		"SUB-4 a fragment":    {plain(), to(l.url() + "#hunter2"), "Endpoint"},
		"SUB-4 spaces":        {plain(), to(l.url() + " hunter2"), "Endpoint"},
		"SUB-4 line feeds":    {plain(), to(l.url() + "\r\nX-Hunter2: 1"), "Endpoint"},
		"SUB-4 a wrong port":  {plain(), to("http://127.0.0.1:65536/hunter2"), "Endpoint"},
		"SUB-4 port zero":     {plain(), to("http://127.0.0.1:0/hunter2"), "Endpoint"},
		"SUB-4 too long":      {plain(), to(l.url() + strings.Repeat("é", 1024)), "Endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := newCaller(t, test.options).Call(t.Context(), test.request)
			assert.Zero(t, record)
			require.ErrorIs(t, err, caller.ErrRequest)
			var bad *caller.RequestError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, test.field, bad.Field)
			assert.NotContains(t, strings.ToLower(err.Error()), "hunter2")
			assert.NotContains(t, err.Error(), key)
		})
	}
	_, err := newCaller(t, plain()).Call(t.Context(), caller.Request{Endpoint: l.url(), Body: body})
	require.ErrorIs(t, err, wp.ErrInvalidSecret)
	assert.Zero(t, l.accepted.Load())
}

// TestNew_Options shows which options are refused.
func TestNew_Options(t *testing.T) {
	for name, change := range map[string]func(o *caller.Options){
		"no policy":             func(o *caller.Options) { o.Policy = wp.Policy{} },
		"a prefix that is none": func(o *caller.Options) { o.Allow = []netip.Prefix{{}} },
		"a mapped prefix":       func(o *caller.Options) { o.Allow = []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")} },
		"to refuse a mapped one": func(o *caller.Options) {
			o.Refuse = []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}
		},
		"a negative number": func(o *caller.Options) { o.MaxIdle = -1 },
		"a negative time":   func(o *caller.Options) { o.IdleTimeout = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			o := plain()
			change(&o)
			_, err := caller.New(o)
			require.ErrorIs(t, err, caller.ErrOptions)
		})
	}
}

// TestCall_Canceled shows that a ctx that has ended is no outcome.
func TestCall_Canceled(t *testing.T) {
	l := serve(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("shutting down")
	cancel(why)
	record, err := newCaller(t, plain()).Call(ctx, caller.Request{Endpoint: l.url(), Body: body, Secret: secret})
	assert.Zero(t, record)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, why)
	assert.Zero(t, l.accepted.Load())
}

// TestCall_KeepAlive shows which connections are kept, by counting them.
func TestCall_KeepAlive(t *testing.T) {
	limit := wp.DefaultPolicy().MaxAnswerBytes
	for name, test := range map[string]struct {
		bytes, connections int
		chunked            bool
	}{
		"no body":                        {0, 1, false},
		"a short one":                    {100, 1, false},
		"one cut, with little left":      {limit + caller.DrainBytes - 1000, 1, false},
		"one cut, with little unsaid":    {limit + caller.DrainBytes/2, 1, true},
		"one cut, with much left":        {10 << 20, 5, false},
		"one cut, with much left unsaid": {10 << 20, 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			answer := make([]byte, test.bytes)
			l := serve(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
				if !test.chunked {
					w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
				}
				_, _ = w.Write(answer)
			})
			c := newCaller(t, plain())
			for i := range 5 {
				record := call(t, c, caller.Request{Endpoint: l.url()})
				assert.Equal(t, test.bytes > limit, record.Outcome.Result == wp.BodyTooLong)
				assert.True(t, record.Outcome.Success())
				assert.Len(t, record.Body, min(test.bytes, limit))
				assert.Equal(t, i > 0 && test.connections == 1, record.Hops[0].Reused)
			}
			assert.EqualValues(t, test.connections, l.accepted.Load())
		})
	}
}

// secure serves with TLS, and HTTP/2 if wanted.
func secure(t testing.TB, http2 bool, handler http.HandlerFunc) (*httptest.Server, *atomic.Int32, caller.Options) {
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = http2
	s.Config.ErrorLog = quiet
	l := &listener{Listener: s.Listener}
	s.Listener = l
	s.StartTLS()
	t.Cleanup(s.Close)
	o := plain()
	o.PlainHTTP = false
	o.TLS = &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	return s, &l.accepted, o
}

// TestCall_HTTP2 shows that concurrent calls share one connection, also when
// bodies are cut.
func TestCall_HTTP2(t *testing.T) {
	s, accepted, o := secure(t, true, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(make([]byte, 1<<20))
	})
	c := newCaller(t, o)
	first := call(t, c, caller.Request{Endpoint: s.URL})
	assert.Equal(t, "HTTP/2.0", first.Hops[0].Protocol)
	assert.Equal(t, 1, first.Connections())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			record, err := c.Call(t.Context(), caller.Request{
				Endpoint: s.URL, Body: body, Secret: secret, Timeout: 10 * time.Second,
			})
			assert.Equal(t, wp.BodyTooLong, record.Outcome.Result, "%v", err)
			assert.Zero(t, record.Connections())
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, accepted.Load())
}

// TestCall_TLS shows what a connection must have.
func TestCall_TLS(t *testing.T) {
	s, _, o := secure(t, false, func(http.ResponseWriter, *http.Request) {})
	t.Run("a certificate of somebody trusted", func(t *testing.T) {
		record := call(t, newCaller(t, o), caller.Request{Endpoint: s.URL})
		assert.Equal(t, wp.Answered, record.Outcome.Result)
		assert.Equal(t, "HTTP/1.1", record.Hops[0].Protocol)
	})
	t.Run("of somebody unknown", func(t *testing.T) {
		o := o
		o.TLS = nil
		record := call(t, newCaller(t, o), caller.Request{Endpoint: s.URL})
		assert.Equal(t, wp.TLSFailed, record.Outcome.Result)
		assert.Contains(t, record.Detail, "certificate")
	})
	t.Run("of another name", func(t *testing.T) {
		o := o
		o.Resolver = names(func(string) []string { return []string{"127.0.0.1"} })
		record := call(t, newCaller(t, o), caller.Request{
			Endpoint: strings.Replace(s.URL, "127.0.0.1", "other.test", 1),
		})
		assert.Equal(t, wp.TLSFailed, record.Outcome.Result)
	})
	t.Run("TLS 1.2 at least", func(t *testing.T) {
		old := httptest.NewUnstartedServer(http.NotFoundHandler())
		old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		old.Config.ErrorLog = quiet
		old.StartTLS()
		defer old.Close()
		o := o
		o.TLS = &tls.Config{RootCAs: o.TLS.RootCAs, MinVersion: tls.VersionTLS10}
		record := call(t, newCaller(t, o), caller.Request{Endpoint: old.URL})
		assert.Equal(t, wp.TLSFailed, record.Outcome.Result)
	})
	t.Run("a certificate of the caller's", func(t *testing.T) {
		strict := httptest.NewUnstartedServer(http.NotFoundHandler())
		strict.TLS = &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert}
		strict.Config.ErrorLog = quiet
		strict.StartTLS()
		defer strict.Close()
		record := call(t, newCaller(t, o), caller.Request{Endpoint: strict.URL})
		assert.Equal(t, wp.TLSFailed, record.Outcome.Result, "the alert comes after the handshake: %s", record.Detail)
	})
}
