package webhookpolicy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

var allResults = []wp.Result{
	wp.Answered, wp.BodyTooLong, wp.TimedOut, wp.ConnectionRefused, wp.ConnectionFailed,
	wp.TLSFailed, wp.DNSFailed, wp.AddressRefused, wp.TooManyRedirects,
}

// WHK-1: an answer of 2XX or 3XX alone is a success.
func TestOutcome_Success(t *testing.T) {
	for status := range 1000 {
		want := status >= 200 && status < 400
		assert.Equal(t, want, answer(status).Success(), "WHK-1: %d", status)
		assert.Equal(t, want, wp.Outcome{Result: wp.BodyTooLong, Status: status}.Success(), "WHK-13: %d", status)
	}
	for _, r := range append(allResults[2:], 0, 200) {
		t.Run("WHK-1: "+r.String(), func(t *testing.T) {
			assert.False(t, wp.Outcome{Result: r, Status: 200}.Success())
		})
	}
}

// The WHK-2 time-out counts as one whatever ran out; an address that must not
// be called is told as what it is (WHK-12).
func TestOutcome_Text(t *testing.T) {
	tests := []struct {
		outcome wp.Outcome
		want    string
	}{
		{wp.Outcome{}, "nothing has ended"},
		{during(answer(503), clock(0), 230*time.Millisecond), "answered 503 after 230 ms"},
		{during(wp.Outcome{Result: wp.Answered, Status: 429, RetryAfter: time.Hour}, clock(0), time.Second), "answered 429 after 1 s, asked to wait 1 h"},
		{during(wp.Outcome{Result: wp.BodyTooLong, Status: 200}, clock(0), time.Second), "answered 200 with too long a body after 1 s"},
		{during(wp.Outcome{Result: wp.TimedOut}, clock(0), time.Second), "timed out after 1 s"},
		{during(wp.Outcome{Result: wp.ConnectionRefused}, clock(0), 0), "connection refused"},
		{during(wp.Outcome{Result: wp.AddressRefused}, clock(0), 0), "address refused"},
		{during(wp.Outcome{Result: wp.TLSFailed}, clock(0), -time.Hour), "tls failed"},
		{during(wp.Outcome{Result: 99}, clock(0), 0), "result(99)"},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, tt.outcome.String())
		assert.GreaterOrEqual(t, tt.outcome.Took(), time.Duration(0))
	}
}

// Enumerations have a text each way, and refuse others by name.
func TestTexts(t *testing.T) {
	texts := func(values ...fmt.Stringer) []string {
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = v.String()
		}
		return list
	}
	assert.Equal(t, []string{"open", "suspended", "probing", "condition(3)"}, texts(wp.Open, wp.Suspended, wp.Probing, wp.Condition(3)))
	assert.Equal(t, []string{"none", "pending", "waiting", "parked", "delivered", "exhausted", "canceled", "delivery_state(7)"},
		texts(wp.State(0), wp.Pending, wp.Waiting, wp.Parked, wp.Delivered, wp.Exhausted, wp.Canceled, wp.State(7)))
	assert.Equal(t, []string{"none", "deleted", "disabled", "auto_retry_off", "gone", "reason(255)"},
		texts(wp.Reason(0), wp.ReasonDeleted, wp.ReasonDisabled, wp.ReasonAutoRetryOff, wp.ReasonGone, wp.Reason(255)))
	assert.Equal(t, []string{"none", "call", "wait", "park", "done", "exhaust", "cancel", "verdict(7)"},
		texts(wp.Verdict(0), wp.Call, wp.Wait, wp.Park, wp.Done, wp.Exhaust, wp.Cancel, wp.Verdict(7)))

	textsOf[wp.Condition](t, 3, 0)
	textsOf[wp.State](t, 7, 1)
	textsOf[wp.Reason](t, 5, 1)
	textsOf[wp.Verdict](t, 7, 1)
	textsOf[wp.Result](t, 10, 1)

	var s wp.State
	require.EqualError(t, s.UnmarshalText([]byte("PENDING")),
		`unknown delivery state "PENDING" (known: pending, waiting, parked, delivered, exhausted, canceled)`)
}

// textsOf checks both directions for every value of an enumeration.
func textsOf[T interface {
	~uint8
	fmt.Stringer
	MarshalText() ([]byte, error)
}, P interface {
	*T
	UnmarshalText([]byte) error
}](t *testing.T, beyond, first T) {
	t.Helper()
	for v := range T(255) {
		text, err := v.MarshalText()
		if v < first || v >= beyond {
			require.ErrorContains(t, err, strconv.Quote(v.String()))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, v.String(), string(text))
		read := T(77)
		require.NoError(t, P(&read).UnmarshalText(text))
		require.Equal(t, v, read)
	}
	for _, text := range []string{"", "none", "x"} {
		read := T(77)
		require.Error(t, P(&read).UnmarshalText([]byte(text)))
		require.Equal(t, T(77), read, "it stays as it was")
	}
	_, err := json.Marshal(T(200))
	require.Error(t, err)
}

// WHK-13: Retry-After is seconds or a date of HTTP, in each of its forms.
func TestParseRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"0":                               0,
		"120":                             2 * time.Minute,
		" 120\t":                          2 * time.Minute,
		"0120":                            2 * time.Minute,
		"9223372036":                      9223372036 * time.Second,
		"9223372037":                      math.MaxInt64,
		"99999999999999999999":            math.MaxInt64,
		"Mon, 22 Sep 2025 14:31:30 GMT":   90 * time.Second,
		"Monday, 22-Sep-25 14:31:30 GMT":  90 * time.Second,
		"Mon Sep 22 14:31:30 2025":        90 * time.Second,
		"Mon, 22 Sep 2025 14:30:00 GMT":   0,
		"Mon, 22 Sep 2025 14:29:59 GMT":   0,
		"Fri, 31 Dec 9999 23:59:59 GMT":   math.MaxInt64,
		"Thu, 01 Jan 1970 00:00:00 GMT":   0,
		"Tue, 23 Sep 2025 14:30:00 GMT  ": 24 * time.Hour,
	} {
		t.Run("WHK-13: "+header, func(t *testing.T) {
			got, ok := wp.ParseRetryAfter(header, clock(0))
			assert.True(t, ok)
			assert.Equal(t, want, got)
		})
	}
	for _, header := range []string{
		"", " ", "-1", "+1", "1.5", "1 s", "1,2", "0x10", "١", "soon",
		"2025-09-22T14:31:30Z", "Mon, 22 Sep 2025 14:31:30 CEST", "Mon, 32 Sep 2025 14:31:30 GMT",
	} {
		t.Run("WHK-13: no time is "+header, func(t *testing.T) {
			got, ok := wp.ParseRetryAfter(header, clock(0))
			assert.False(t, ok)
			assert.Zero(t, got)
		})
	}
}

// WHK-13: what a date says does not depend on the zone that now is told in, nor
// is it ever negative.
func TestParseRetryAfter_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		away := time.Duration(rapid.IntRange(-100000, 100000).Draw(t, "away")) * time.Second
		layout := rapid.SampledFrom([]string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC}).Draw(t, "layout")
		now := clock(0).In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600))
		got, ok := wp.ParseRetryAfter(clock(away).Format(layout), now)
		require.True(t, ok)
		require.Equal(t, max(away, 0), got)
	})
}

// WHK-13: whatever a header holds, the answer is no negative time.
func FuzzParseRetryAfter(f *testing.F) {
	for _, header := range []string{"", "120", "-1", "99999999999999999999", "Mon, 22 Sep 2025 14:31:30 GMT"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := wp.ParseRetryAfter(header, clock(0))
		require.GreaterOrEqual(t, got, time.Duration(0))
		if !ok {
			require.Zero(t, got)
		}
	})
}
