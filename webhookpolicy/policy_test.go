package webhookpolicy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// The settings of the spec are sound, and each call has its own copy.
func TestDefaultPolicy(t *testing.T) {
	p := wp.DefaultPolicy()
	require.NoError(t, p.Check())
	t.Run("WHK-2: time-outs", func(t *testing.T) {
		assert.Equal(t, time.Second, p.Timeout(0))
		for n := 1; n <= 8; n++ {
			assert.Equal(t, 10*time.Second, p.Timeout(n))
		}
	})
	t.Run("WHK-3: delays", func(t *testing.T) {
		assert.Equal(t, "[2m0s 6m0s 30m0s 1h0m0s 5h0m0s 18h0m0s 24h0m0s 48h0m0s]", sprint(p.Delays))
		p.Delays[0] = 0
		assert.Equal(t, 2*time.Minute, wp.DefaultPolicy().Delays[0])
	})
	t.Run("WHK-6 and WHK-10: headers", func(t *testing.T) {
		assert.Equal(t, "X-Yousign-Retry-Count X-Yousign-Signature-256 X-Yousign-Issued-At",
			strings.Join([]string{p.RetryCountHeader, p.SignatureHeader, p.IssuedAtHeader}, " "))
	})
	t.Run("WHK-8: suspension", func(t *testing.T) {
		assert.Equal(t, "[1h0m0s 5m0s 6h0m0s]", sprint([]time.Duration{p.Window, p.ProbeAfter, p.ProbeMax}))
		assert.Equal(t, []int{20, 50, 10}, []int{p.MinEnded, p.FailedPercent, p.DrainPerSecond})
	})
	t.Run("WHK-1 and WHK-13: options are off", func(t *testing.T) {
		assert.False(t, p.GoneEnds)
		assert.Zero(t, p.MaxRedirects)
		assert.Equal(t, 24*time.Hour, p.MaxRetryAfter)
	})
}

func sprint(list []time.Duration) string {
	texts := make([]string, len(list))
	for i, d := range list {
		texts[i] = d.String()
	}
	return "[" + strings.Join(texts, " ") + "]"
}

// A setting that cannot be followed is told with its rule, and the last one
// that can be is not.
func TestPolicy_Check(t *testing.T) {
	tests := []struct {
		rule, field  string
		wrong, right func(*wp.Policy)
	}{
		{"WHK-2", "first_timeout", func(p *wp.Policy) { p.FirstTimeout = 0 }, func(p *wp.Policy) { p.FirstTimeout = 1 }},
		{"WHK-2", "retry_timeout", func(p *wp.Policy) { p.RetryTimeout = -1 }, func(p *wp.Policy) { p.RetryTimeout = 1 }},
		{"WHK-3", "delays", func(p *wp.Policy) { p.Delays = append(p.Delays, time.Hour) }, func(p *wp.Policy) { p.Delays = nil }},
		{"WHK-3", "delays[7]", func(p *wp.Policy) { p.Delays[7] = 0 }, func(p *wp.Policy) { p.Delays[7] = 1 }},
		{"WHK-13", "max_retry_after", func(p *wp.Policy) { p.MaxRetryAfter = -1 }, func(p *wp.Policy) { p.MaxRetryAfter = 0 }},
		{"WHK-1", "max_redirects", func(p *wp.Policy) { p.MaxRedirects = -1 }, func(p *wp.Policy) { p.MaxRedirects = 20 }},
		{"WHK-1", "max_redirects", func(p *wp.Policy) { p.MaxRedirects = 21 }, func(p *wp.Policy) { p.MaxRedirects = 2 }},
		{"WHK-13", "max_answer_bytes", func(p *wp.Policy) { p.MaxAnswerBytes = -1 }, func(p *wp.Policy) { p.MaxAnswerBytes = 0 }},
		{"WHK-13", "max_answer_bytes", func(p *wp.Policy) { p.MaxAnswerBytes = 1<<30 + 1 }, func(p *wp.Policy) { p.MaxAnswerBytes = 1 << 30 }},
		{"WHK-8", "window", func(p *wp.Policy) { p.Window = time.Minute - 1 }, func(p *wp.Policy) { p.Window = time.Minute }},
		{"WHK-8", "min_ended", func(p *wp.Policy) { p.MinEnded = 0 }, func(p *wp.Policy) { p.MinEnded = 1 }},
		{"WHK-8", "failed_percent", func(p *wp.Policy) { p.FailedPercent = 0 }, func(p *wp.Policy) { p.FailedPercent = 1 }},
		{"WHK-8", "failed_percent", func(p *wp.Policy) { p.FailedPercent = 101 }, func(p *wp.Policy) { p.FailedPercent = 100 }},
		{"WHK-8", "probe_after", func(p *wp.Policy) { p.ProbeAfter = 0 }, func(p *wp.Policy) { p.ProbeAfter = 1 }},
		{"WHK-8", "probe_max", func(p *wp.Policy) { p.ProbeMax = p.ProbeAfter - 1 }, func(p *wp.Policy) { p.ProbeMax = p.ProbeAfter }},
		{"WHK-8", "drain_per_second", func(p *wp.Policy) { p.DrainPerSecond = 0 }, func(p *wp.Policy) { p.DrainPerSecond = 1 }},
		{"WHK-8", "drain_per_second", func(p *wp.Policy) { p.DrainPerSecond = 1e6 + 1 }, func(p *wp.Policy) { p.DrainPerSecond = 1e6 }},
		{"WHK-6", "retry_count_header", func(p *wp.Policy) { p.RetryCountHeader = "" }, func(p *wp.Policy) { p.RetryCountHeader = "X-Yousign-Retry" }},
		{"WHK-6", "retry_count_header", func(p *wp.Policy) { p.RetryCountHeader = "Retry Count" }, func(p *wp.Policy) { p.RetryCountHeader = "aAzZ_09-" }},
		{"WHK-10", "signature_header", func(p *wp.Policy) { p.SignatureHeader = "X-Signé" }, func(p *wp.Policy) { p.SignatureHeader = "S" }},
		{"WHK-10", "signature_header", func(p *wp.Policy) { p.SignatureHeader = "x-yousign-RETRY-count" }, func(p *wp.Policy) { p.SignatureHeader = "x" }},
		{"WHK-10", "issued_at_header", func(p *wp.Policy) { p.IssuedAtHeader = "content-type" }, func(p *wp.Policy) { p.IssuedAtHeader = "I" }},
		{"WHK-10", "issued_at_header", func(p *wp.Policy) { p.IssuedAtHeader = p.SignatureHeader }, func(p *wp.Policy) { p.IssuedAtHeader = "I" }},
		{"WHK-10", "user_agent", func(p *wp.Policy) { p.UserAgent = " " }, func(p *wp.Policy) { p.UserAgent = "a b~" }},
		{"WHK-10", "user_agent", func(p *wp.Policy) { p.UserAgent = "a\r\nb" }, func(p *wp.Policy) { p.UserAgent = "!" }},
		{"WHK-10", "user_agent", func(p *wp.Policy) { p.UserAgent = "sluice\x7f" }, func(p *wp.Policy) { p.UserAgent = "sluice" }},
	}
	for _, tt := range tests {
		t.Run(tt.rule+": "+tt.field, func(t *testing.T) {
			p := wp.DefaultPolicy()
			tt.right(&p)
			require.NoError(t, p.Check())
			p = wp.DefaultPolicy()
			tt.wrong(&p)
			err := p.Check()
			require.ErrorIs(t, err, wp.ErrPolicy)
			assert.Equal(t, []string{tt.rule + " " + tt.field}, broken(err))
		})
	}
}

// All faults are told at once: those of a policy with no settings.
func TestPolicy_CheckAll(t *testing.T) {
	err := wp.Policy{}.Check()
	assert.Equal(t, []string{
		"WHK-2 first_timeout", "WHK-2 retry_timeout", "WHK-8 window", "WHK-8 min_ended", "WHK-8 failed_percent",
		"WHK-8 probe_after", "WHK-8 drain_per_second", "WHK-6 retry_count_header", "WHK-10 signature_header",
		"WHK-10 issued_at_header", "WHK-10 user_agent",
	}, broken(err))
	first, _, _ := strings.Cut(err.Error(), "\n")
	assert.Equal(t, "webhookpolicy: policy: first_timeout: it is 0s; it must be positive (WHK-2)", first)
}

// A document over the default names what differs.
func TestPolicy_UnmarshalJSON(t *testing.T) {
	want := wp.DefaultPolicy()
	want.Delays = []time.Duration{time.Minute, 90 * time.Minute}
	want.GoneEnds = true
	want.RetryCountHeader = "X-Yousign-Retry"
	p := wp.DefaultPolicy()
	require.NoError(t, json.Unmarshal([]byte(`{"delays":["1m","1h30m"],"gone_ends":true,"retry_count_header":"X-Yousign-Retry"}`), &p))
	assert.Equal(t, want, p)
	require.NoError(t, json.Unmarshal([]byte(`{"gone_ends":true}`), &p))
	assert.Equal(t, want, p, "what is left out stays")
	require.NoError(t, json.Unmarshal([]byte(`{"delays":[]}`), &p))
	assert.Empty(t, p.Delays, "a list replaces the whole list")
	require.NoError(t, json.Unmarshal([]byte(`{}`), &p))
	assert.Empty(t, p.Delays)

	for text, reason := range map[string]string{
		`{"delay":["1m"]}`:          `unknown field "delay"`,
		`{"first_timeout":1}`:       "first_timeout",
		`{"first_timeout":"1 min"}`: "unknown unit",
		`{"first_timeout":"0s"}`:    "it must be positive (WHK-2)",
		`{"delays":["1m",null]}`:    "delays[1]: it is 0s; it must be positive (WHK-3)",
		`[]`:                        "cannot unmarshal array",
	} {
		t.Run(text, func(t *testing.T) {
			p := want
			err := json.Unmarshal([]byte(text), &p)
			require.ErrorContains(t, err, reason)
			assert.NotContains(t, err.Error(), "json: unknown")
			var document *wp.DocumentError
			require.ErrorAs(t, err, &document)
			assert.Equal(t, "policy", document.Document)
			assert.Equal(t, want, p, "it stays as it was")
		})
	}
	for text, at := range map[string]int{`{"gone_ends":1}`: 14, `{"gone_ends":x}`: 14, `{} {}`: 4, `{`: 1} {
		var document *wp.DocumentError
		require.ErrorAs(t, p.UnmarshalJSON([]byte(text)), &document, text)
		assert.Equal(t, at, document.Offset, text)
	}
	err := p.UnmarshalJSON([]byte(`{"window":"0s"}`))
	require.ErrorIs(t, err, wp.ErrPolicy)
	require.ErrorIs(t, err, wp.ErrDocument)
}

// Every sound policy is read as it was written.
func TestPolicy_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		p.FirstTimeout = time.Duration(rapid.Int64Range(1, 1<<62).Draw(t, "first"))
		p.MaxRetryAfter = time.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "max"))
		p.MaxRedirects = rapid.IntRange(0, 20).Draw(t, "redirects")
		p.MaxAnswerBytes = rapid.IntRange(0, 1<<30).Draw(t, "bytes")
		p.UserAgent = rapid.StringMatching(`[!-~]{1,20}`).Draw(t, "agent")
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var read wp.Policy
		require.NoError(t, json.Unmarshal(text, &read), "%s", text)
		again, err := json.Marshal(read)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
		if len(p.Delays) == 0 {
			p.Delays = read.Delays
		}
		require.Equal(t, p, read)
	})
}

// What is read is sound, and is read as it is written.
func FuzzPolicy(f *testing.F) {
	text, err := json.Marshal(wp.DefaultPolicy())
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"delays":["1m",null],"window":"-1h"}`))
	f.Add([]byte(`{"delays":null,"user_agent":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := wp.DefaultPolicy()
		if err := p.UnmarshalJSON(data); err != nil {
			require.ErrorIs(t, err, wp.ErrDocument)
			require.Equal(t, wp.DefaultPolicy(), p)
			return
		}
		require.NoError(t, p.Check())
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var read wp.Policy
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, p, read)
		// And it can be followed to the end.
		d := fresh
		for range 20 {
			d, _ = wp.Decide(p, willing, well, d, during(failure, d.Due(), 0), d.Due())
		}
		require.Equal(t, wp.Exhausted, d.State())
		require.Equal(t, 1+len(p.Delays), d.Number())
	})
}

// WHK-8: slots come evenly, as many in a second as the setting says, and none
// before the release.
func TestPolicy_DrainSlot(t *testing.T) {
	p := defaults
	for i, want := range map[int]time.Duration{
		-1: 0, 0: 0, 1: 100 * time.Millisecond, 9: 900 * time.Millisecond, 10: time.Second, 36000: time.Hour,
	} {
		assert.Equal(t, clock(want), p.DrainSlot(clock(0), i))
	}
	for after, want := range map[time.Duration]int{
		-1: 0, 0: 1, 99 * time.Millisecond: 1, 100 * time.Millisecond: 2, time.Second - 1: 10, time.Second: 11, time.Hour: 36001,
	} {
		assert.Equal(t, want, p.Drained(clock(0), clock(after)), after.String())
	}
	p.DrainPerSecond = 0
	assert.Equal(t, clock(time.Second), p.DrainSlot(clock(0), 1), "an unsound rate is taken for the least")
	assert.Equal(t, 2, p.Drained(clock(0), clock(time.Second)))
}

// WHK-8: both ways to drain agree: a slot has come exactly if it is among those
// that have. Whatever second is looked at, it has no more slots than the
// setting says; and slots never go back.
func TestPolicy_Drain_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := defaults
		p.DrainPerSecond = rapid.OneOf(rapid.IntRange(1, 12), rapid.IntRange(1, 1e6)).Draw(t, "rate")
		i := rapid.IntRange(0, 5e6).Draw(t, "i")
		at := p.DrainSlot(clock(0), i)
		require.Greater(t, p.Drained(clock(0), at), i, "WHK-8: the slot has come")
		require.LessOrEqual(t, p.Drained(clock(0), at.Add(-1)), i, "WHK-8: not before")
		require.False(t, p.DrainSlot(clock(0), i+1).Before(at))
		require.Equal(t, time.Second, p.DrainSlot(clock(0), i+p.DrainPerSecond).Sub(at), "WHK-8")

		now := time.Duration(rapid.Int64Range(0, 10e9).Draw(t, "now"))
		n := p.Drained(clock(0), clock(now))
		require.False(t, p.DrainSlot(clock(0), n-1).After(clock(now)))
		require.True(t, p.DrainSlot(clock(0), n).After(clock(now)))
		back := time.Duration(rapid.Int64Range(0, 20e9).Draw(t, "back"))
		require.LessOrEqual(t, p.Drained(clock(0), clock(now-back)), n, "a clock that steps back holds up, and no more")
	})
}
