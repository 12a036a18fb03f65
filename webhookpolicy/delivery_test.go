package webhookpolicy_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// WHK-9: a delivery keeps its ids through all that happens.
func TestNewDelivery(t *testing.T) {
	d := wp.NewDelivery("8f14e45f", "3c59dc04", clock(0).In(time.FixedZone("", 7200)))
	assert.Equal(t, fresh, d, "the zone does not matter")
	assert.Equal(t, wp.Pending, d.State())
	assert.Equal(t, clock(0), d.Due())
	assert.Equal(t, clock(0), d.Created())
	assert.Empty(t, d.Endpoint())
	assert.False(t, d.IsZero())
	assert.True(t, wp.Delivery{}.IsZero())
	assert.Empty(t, allCalls(d))
	for _, d := range []wp.Delivery{d, after(failure), after(times(9, failure)...), after(answer(200)), parked(d)} {
		assert.Equal(t, []string{"8f14e45f", "3c59dc04"}, []string{d.EventID(), d.SubscriptionID()}, "WHK-9")
		assert.Equal(t, clock(0), d.Created())
	}
}

// What a delivery records fits into it: times to the microsecond, durations up
// to more than anybody waits.
func TestDelivery_Calls(t *testing.T) {
	o := wp.Outcome{
		Result: wp.Answered, Status: 503, RetryAfter: 1500 * time.Millisecond,
		Began: clock(1999 * time.Nanosecond), Ended: clock(time.Second + 1999*time.Nanosecond),
	}
	d, _ := wp.Decide(defaults, willing, well, fresh, o, clock(0))
	assert.Equal(t, []wp.Outcome{{
		Result: wp.Answered, Status: 503, RetryAfter: 2 * time.Second,
		Began: clock(time.Microsecond), Ended: clock(time.Second + time.Microsecond),
	}}, allCalls(d))
	assert.Equal(t, clock(2*time.Minute+time.Second+1999*time.Nanosecond), d.Due(), "the schedule is exact")

	o = during(wp.Outcome{Result: wp.Answered, Status: 1000, RetryAfter: math.MaxInt64}, clock(0), 1000*time.Hour)
	d, _ = wp.Decide(defaults, willing, well, fresh, o, clock(0))
	got := allCalls(d)[0]
	assert.Equal(t, math.MaxUint32*time.Second, got.RetryAfter)
	assert.Equal(t, math.MaxUint32*time.Microsecond, got.Took())
	assert.Zero(t, got.Status, "it is none")
	o.Status = 999
	d, _ = wp.Decide(defaults, willing, well, fresh, o, clock(0))
	assert.Equal(t, 999, allCalls(d)[0].Status)

	o.Status = -1
	d, _ = wp.Decide(defaults, willing, well, fresh, o, clock(0))
	assert.Zero(t, allCalls(d)[0].Status)

	for range d.Calls() {
		break // a loop may end early
	}
}

// WHK-8: release puts off what is due before its slot, and nothing else.
func TestDelivery_Release(t *testing.T) {
	p := parked(after(failure))
	slot := p.Due().Add(time.Minute)
	got := p.Release(slot.In(time.FixedZone("", 3600)))
	assert.Equal(t, wp.Waiting, got.State())
	assert.Equal(t, slot, got.Due())
	assert.Equal(t, 1, got.Number())
	assert.Equal(t, p.Due(), p.Release(p.Due().Add(-time.Hour)).Due(), "not before it falls due")
	for _, d := range []wp.Delivery{{}, fresh, after(failure), after(answer(200))} {
		assert.Equal(t, d, d.Release(slot), "it is not parked")
	}
}

// WHK-8: oldest first, and always in one order.
func TestDelivery_Older(t *testing.T) {
	a, b := wp.NewDelivery("a", "s", clock(1)), wp.NewDelivery("b", "s", clock(1))
	assert.Negative(t, fresh.Older(a))
	assert.Positive(t, a.Older(fresh))
	assert.Negative(t, a.Older(b))
	assert.Positive(t, b.Older(a))
	assert.Zero(t, a.Older(a))
}

// WHK-14: what a store gives back is what it was given, wherever a life stands.
func TestDelivery_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, s := range simulate(drawScenario.Draw(t, "scenario"), wp.Decide).steps {
			var d wp.Delivery
			require.NoError(t, reread(s.after, &d))
			require.Equal(t, s.after, d)
		}
	})
	text, err := json.Marshal(after(timeout, wp.Outcome{Result: wp.Answered, Status: 503, RetryAfter: time.Hour}))
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"event_id": "8f14e45f", "subscription_id": "3c59dc04", "created_at": "2025-09-22T14:30:00Z",
		"state": "waiting", "due": "2025-09-22T15:32:00Z", "calls": [
			{"result": "timed_out", "began": "2025-09-22T14:30:00Z", "ended": "2025-09-22T14:30:00Z"},
			{"result": "answered", "status": 503, "retry_after": "1h0m0s",
				"began": "2025-09-22T14:32:00Z", "ended": "2025-09-22T14:32:00Z"}]}`, string(text))
	_, err = json.Marshal(wp.Delivery{})
	require.Error(t, err, "there is none")
}

const aCall = `{"result":"answered","status":503,"began":"2025-09-22T14:30:00Z","ended":"2025-09-22T14:30:01Z"}`

// deliveryText returns the JSON of a delivery with these members.
func deliveryText(members string) string {
	return `{"event_id":"8f14e45f","subscription_id":"3c59dc04","created_at":"2025-09-22T14:30:00Z",` + members + `}`
}

// What no delivery can have been through is refused.
func TestDelivery_UnmarshalJSON(t *testing.T) {
	const due = `,"due":"2025-09-22T14:32:01Z"`
	calls := func(list ...string) string { return `,"calls":[` + strings.Join(list, ",") + `]` }
	repeat := func(n int) string { return calls(strings.Split(strings.Repeat(aCall+" ", n), " ")[:n]...) }
	success := strings.Replace(aCall, "503", "200", 1)
	gone := strings.Replace(aCall, "503", "410", 1)
	slow := strings.Replace(aCall, `"answered","status":503`, `"timed_out"`, 1)
	sound := map[string]string{
		"pending":              `"state":"pending"` + due,
		"waiting":              `"state":"waiting"` + due + calls(aCall),
		"waiting, released":    `"state":"waiting"` + due,
		"waiting, the last":    `"state":"waiting"` + due + repeat(8),
		"parked":               `"state":"parked"` + due + `,"failed_probes":2,"last_probe":` + aCall,
		"delivered":            `"state":"delivered"` + calls(aCall, success),
		"exhausted":            `"state":"exhausted"` + repeat(9),
		"canceled: deleted":    `"state":"canceled","reason":"deleted"`,
		"canceled: disabled":   `"state":"canceled","reason":"disabled"` + repeat(8),
		"canceled: auto_retry": `"state":"canceled","reason":"auto_retry_off"` + calls(aCall),
		"canceled: the last":   `"state":"canceled","reason":"auto_retry_off"` + repeat(8),
		"canceled: the second": `"state":"canceled","reason":"auto_retry_off"` + calls(slow, slow),
		"canceled: gone":       `"state":"canceled","reason":"gone"` + calls(aCall, gone),
		"canceled: probe gone": `"state":"canceled","reason":"gone","failed_probes":1,"last_probe":` + gone,
		"in another zone":      `"state":"pending","due":"2025-09-22T16:32:01+02:00"`,
	}
	for name, members := range sound {
		t.Run("WHK-14: "+name, func(t *testing.T) {
			var d wp.Delivery
			require.NoError(t, json.Unmarshal([]byte(deliveryText(members)), &d))
		})
	}
	unsound := map[string]struct{ members, reason string }{
		"no state":                    {`"calls":[]`, "its state is missing"},
		"unknown state":               {`"state":"lost"`, `unknown delivery state "lost"`},
		"unknown reason":              {`"state":"canceled","reason":"x"`, `unknown reason "x"`},
		"a member too many":           {`"state":"pending","number":1`, `unknown field "number"`},
		"pending and not due":         {`"state":"pending"`, "it is pending and due at"},
		"delivered and due":           {`"state":"delivered"` + due + calls(success), "it is delivered and due at"},
		"due before time":             {`"state":"pending","due":"1969-12-31T23:59:59Z"`, "due: the time is outside"},
		"pending after a call":        {`"state":"pending"` + due + calls(aCall), "it is pending (reason: none) after 1 calls"},
		"waiting after a success":     {`"state":"waiting"` + due + calls(success), "calls[0]: answered 200 after 1 s, and the delivery is waiting"},
		"delivered after a failure":   {`"state":"delivered"` + calls(aCall), "calls[0]: answered 503"},
		"delivered, and called again": {`"state":"delivered"` + calls(success, aCall), "calls[0]: answered 200"},
		"delivered twice":             {`"state":"delivered"` + calls(success, success), "calls[0]: answered 200"},
		"delivered without a call":    {`"state":"delivered"`, "after 0 calls"},
		"exhausted without a call":    {`"state":"exhausted"`, "after 0 calls"},
		"waiting for a tenth":         {`"state":"waiting"` + due + repeat(9), "after 9 calls"},
		"ten calls":                   {`"state":"exhausted"` + repeat(10), "it has 10 calls; at most 9 are made (WHK-3)"},
		"canceled for nothing":        {`"state":"canceled"`, "it is canceled with the reason none"},
		"waiting for a reason":        {`"state":"waiting","reason":"gone"` + due, "it is waiting with the reason gone"},
		"gone, but it was not":        {`"state":"canceled","reason":"gone"` + calls(gone, aCall), "(reason: gone) after 2 calls"},
		"gone before a call":          {`"state":"canceled","reason":"gone"`, "(reason: gone) after 0 calls"},
		"no retry to cancel":          {`"state":"canceled","reason":"auto_retry_off"`, "after 0 calls"},
		"no retry left to cancel":     {`"state":"canceled","reason":"auto_retry_off"` + repeat(9), "after 9 calls"},
		"a retry that is owed":        {`"state":"canceled","reason":"auto_retry_off"` + calls(slow), "after 1 calls"},
		"disabled after the last":     {`"state":"canceled","reason":"disabled"` + repeat(9), "after 9 calls"},
		"probes without a last one":   {`"state":"parked","failed_probes":1` + due, "failed_probes and last_probe belong together"},
		"a last probe and none":       {`"state":"parked","last_probe":` + aCall + due, "failed_probes and last_probe belong together"},
		"a failed probe succeeded":    {`"state":"parked","failed_probes":1,"last_probe":` + success + due, "a probe that failed follows from nothing"},
		"probed while pending":        {`"state":"pending","failed_probes":1,"last_probe":` + aCall + due, "a probe that failed follows from nothing"},
		"a probe without times":       {`"state":"parked","failed_probes":1,"last_probe":{"result":"timed_out"}` + due, "last_probe: began: the time is missing"},
		"a call without a result":     {`"state":"waiting"` + due + calls(`{}`), "calls[0]: its result is missing"},
		"a call without an end":       {`"state":"waiting"` + due + calls(strings.Replace(aCall, "ended", "Began", 1)), "calls[0]: ended: the time is missing"},
		"a time-out with a status":    {`"state":"waiting"` + due + calls(strings.Replace(aCall, "answered", "timed_out", 1)), "calls[0]: it is timed_out, with status 503"},
		"a status that is none":       {`"state":"waiting"` + due + calls(strings.Replace(aCall, "503", "1503", 1)), "calls[0]: it is answered, with status 1503"},
	}
	for name, tt := range unsound {
		t.Run("WHK-14: "+name, func(t *testing.T) {
			d := fresh
			err := json.Unmarshal([]byte(deliveryText(tt.members)), &d)
			require.ErrorIs(t, err, wp.ErrDocument)
			require.ErrorContains(t, err, tt.reason)
			assert.Equal(t, fresh, d, "it stays as it was")
		})
	}
	var d wp.Delivery
	require.ErrorContains(t, json.Unmarshal([]byte(`{"state":"pending"}`), &d), "created_at: the time is missing")
}

// What is read is what can have been: it is written as it was read, and Decide
// leads it on to an end.
func FuzzDelivery(f *testing.F) {
	for _, d := range []wp.Delivery{fresh, after(timeout, failure), after(times(9, failure)...), after(answer(200)), parked(after(failure))} {
		text, err := json.Marshal(d)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(deliveryText(`"state":"parked","due":"9999-12-31T23:59:59-23:59","failed_probes":4294967295,"last_probe":` + aCall)))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := fresh
		if err := d.UnmarshalJSON(data); err != nil {
			require.ErrorIs(t, err, wp.ErrDocument)
			require.Equal(t, fresh, d)
			return
		}
		var again wp.Delivery
		require.NoError(t, reread(d, &again))
		require.Equal(t, d, again)
		_ = wp.Explain(d, defaults).String()
		for range 1 + 2*9 {
			if d.State().IsEnd() {
				return
			}
			d, _ = wp.Decide(defaults, willing, well, d, nothing, d.Due())
			d, _ = wp.Decide(defaults, willing, well, d, during(failure, d.Due(), 0), d.Due())
		}
		require.Fail(t, "it has no end", "%+v", d)
	})
}
