package caller_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/webhookpolicy"
)

// BenchmarkCall makes a call and, beside it, the same request by net/http alone,
// signed in the same way: x-bare is how many times as long the call takes.
func BenchmarkCall(b *testing.B) {
	l := serve(b, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	c := newCaller(b, plain())
	policy := webhookpolicy.DefaultPolicy()
	payload := []byte(`{"data":"` + strings.Repeat("a", 2000) + `"}`)
	request := caller.Request{Endpoint: l.url(), Body: payload, Secret: secret, Number: 1}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	bare := func() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, l.url(), bytes.NewReader(payload))
		require.NoError(b, err)
		headers, err := policy.Headers(payload, secret, 1, time.Now())
		require.NoError(b, err)
		for _, h := range headers {
			r.Header.Set(h.Name, h.Value)
		}
		answer, err := client.Do(r)
		require.NoError(b, err)
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	var ours, theirs time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		record, err := c.Call(b.Context(), request)
		if err != nil || !record.Outcome.Success() {
			b.Fatal(err, record)
		}
		between := time.Now()
		bare()
		ours, theirs = ours+between.Sub(began), theirs+time.Since(between)
	}
	b.ReportMetric(float64(ours)/float64(b.N), "call-ns")
	b.ReportMetric(float64(ours)/float64(theirs), "x-bare")
}
