package delivery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// occurrences returns the ids of occurrences from a number to another.
func occurrences(from, to int) []string {
	var ids []string
	for i := from; i <= to; i++ {
		ids = append(ids, fmt.Sprint("o", i))
	}
	return ids
}

// strict suspends an endpoint after three retries that failed.
func strict() webhookpolicy.Policy {
	p := webhookpolicy.DefaultPolicy()
	p.MinEnded = 3
	return p
}

// times returns when calls began, since the desk did.
func times(calls []*deskCall) []time.Duration {
	var list []time.Duration
	for _, c := range calls {
		list = append(list, c.began.Sub(noon))
	}
	return list
}

// WHK-8: an endpoint is suspended after 20 retries within an hour of which half
// have failed, and no sooner.
func daysTwentyRetries(t *testing.T, k *desk) {
	n := 20
	policy := webhookpolicy.DefaultPolicy()
	if raced() {
		n, policy.MinEnded = 4, 4
	}
	d := k.begin(t, delivery.Options{Policy: policy}, func(c *deskCall) deskAnswer {
		if c.Number == 1 && c.n%2 == 0 {
			return status(204)
		}
		return status(503)
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	publish(t, d.Deliverer, occurrences(1, n)...)
	over := 0
	d.ended = func(*deskCall) { over++ }
	for over < 2*n {
		e, err := d.Endpoint(t.Context(), endpointA)
		require.NoError(t, err)
		require.Equal(t, webhookpolicy.Open, e.Health.Condition(), over)
		require.True(t, d.step(d.now.Add(time.Hour)))
	}
	e, err := d.Endpoint(t.Context(), endpointA)
	require.NoError(t, err)
	assert.Equal(t, webhookpolicy.Suspended, e.Health.Condition())
	ended, failed := e.Health.Counts()
	assert.Equal(t, []int{n, n / 2}, []int{ended, failed})
}

// WHK-8: nothing is called but by probes, 5, 10 and 20 minutes apart and so on up
// to 6 hours. When one succeeds all goes out, oldest first and ten in each second,
// under the numbers and with the time-outs that they had.
func daysSuspension(t *testing.T, k *desk) {
	well := noon.Add(30 * time.Hour)
	d := k.begin(t, delivery.Options{Policy: strict()}, func(c *deskCall) deskAnswer {
		if c.began.Before(well) {
			return status(503)
		}
		return status(204)
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	for i := 1; i <= 3; i++ { // not all at one time, for the reader
		d.publish(occurrences(i, i)...)
		d.pass(time.Second)
	}
	d.pass(5 * time.Minute)
	d.publish("o4")
	d.pass(time.Hour)
	d.publish("o5")
	d.finish()
	goldenDays(t, "days_suspension", d.String())

	var probes, drained []*deskCall
	for _, c := range d.calls {
		switch {
		case c.began.Before(noon.Add(3 * time.Minute)):
		case c.began.Before(well):
			probes = append(probes, c)
		default:
			drained = append(drained, c)
		}
	}
	const m = time.Minute
	last, wait := noon.Add(2*m+2*time.Second+400*time.Millisecond), []time.Duration{5 * m, 10 * m, 20 * m, 40 * m, 80 * m, 160 * m, 320 * m, 360 * m, 360 * m, 360 * m, 360 * m}
	require.Len(t, probes, 10)
	for i, c := range append(probes, drained[0]) {
		assert.Equal(t, wait[i], c.began.Sub(last), "probe %d", i)
		last = c.ends
	}
	require.Len(t, drained, 5)
	for i, c := range drained[1:] {
		assert.Equal(t, time.Duration(i)*100*time.Millisecond, c.began.Sub(last), "slot %d", i)
	}
	numbers, timeouts := []int{}, []time.Duration{}
	for _, c := range drained {
		numbers, timeouts = append(numbers, c.Number), append(timeouts, c.Timeout)
	}
	assert.Equal(t, []int{2, 2, 2, 0, 0}, numbers)
	assert.Equal(t, []time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second, time.Second, time.Second}, timeouts)
}

// WHK-8: more than a batch of parked deliveries goes out after a release, oldest
// first, ten in each second, and none is lost.
func daysLongDrain(t *testing.T, k *desk) {
	d := k.begin(t, delivery.Options{}, alike(status(204)))
	subscribe(t, d.Deliverer, "s1", endpointA)
	require.NoError(t, d.Suspend(t.Context(), endpointA))
	n := 405
	if raced() {
		n = 10 // which is no more than a batch
	}
	for i := 1; i <= n; i += 100 { // of some ages
		publish(t, d.Deliverer, occurrences(i, min(i+99, n))...)
		d.crowd()
		d.now = d.now.Add(time.Second)
	}
	require.Empty(t, d.calls)
	e, err := d.Endpoint(t.Context(), endpointA)
	require.NoError(t, err)
	require.Equal(t, n, e.Parked)
	old := d.all()
	require.NoError(t, d.Release(t.Context(), endpointA))
	released := d.now
	for len(d.calls) < n {
		require.True(t, d.step(released.Add(time.Hour)))
	}
	require.NoError(t, d.strike)
	for i, c := range d.calls {
		require.Equal(t, old[i].EventID(), c.eventID, i)
		require.Equal(t, time.Duration(i)*100*time.Millisecond, c.began.Sub(released), i)
	}
}

// WHK-8: an endpoint that is suspended again while it is drained parks the others
// again, in their order, and they go out after the next release.
func daysDrainBrokenOff(t *testing.T, k *desk) {
	d := k.begin(t, delivery.Options{}, alike(status(204)))
	subscribe(t, d.Deliverer, "s1", endpointA)
	require.NoError(t, d.Suspend(t.Context(), endpointA))
	publish(t, d.Deliverer, occurrences(1, 6)...)
	d.desk.pass(time.Second)
	old := d.all()
	d.do("released", func() { must(d.Release(t.Context(), endpointA)) })
	d.desk.pass(210 * time.Millisecond)
	require.Len(t, d.calls, 3)
	must(d.Suspend(t.Context(), endpointA))
	d.desk.pass(4 * time.Minute)
	require.Len(t, d.calls, 3)
	must(d.Release(t.Context(), endpointA))
	released := d.now
	d.desk.pass(time.Minute)
	var ids []string
	for i, c := range d.calls {
		ids = append(ids, c.eventID)
		if i >= 3 {
			assert.Equal(t, time.Duration(i-3)*100*time.Millisecond, c.began.Sub(released))
		}
	}
	for i, p := range old {
		assert.Equal(t, p.EventID(), ids[i])
	}
	assert.Len(t, ids, 6)
}

// What is parked follows its subscription to another endpoint, at the rate of a
// release, or is canceled when its turn comes (WHK-7).
func daysChangedWhileParked(t *testing.T, k *desk) {
	for name, change := range map[string]func(d *daybook){
		"moved":    func(d *daybook) { d.change("s1", func(s *webhookpolicy.Settings) { s.Endpoint = endpointB }) },
		"deleted":  func(d *daybook) { must(d.DeleteSubscription(d.t.Context(), "s1")) },
		"disabled": func(d *daybook) { d.on("s1", false) },
		"again": func(d *daybook) {
			d.on("s1", false)
			d.on("s1", true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := k.begin(t, delivery.Options{}, alike(status(204)))
			subscribe(t, d.Deliverer, "s1", endpointA)
			must(d.Suspend(t.Context(), endpointA))
			publish(t, d.Deliverer, occurrences(1, 3)...)
			d.desk.pass(time.Minute)
			require.Empty(t, d.calls)
			changed := d.now
			change(d)
			d.desk.pass(time.Minute)
			if name == "moved" {
				const slot = 100 * time.Millisecond
				since := changed.Sub(noon)
				assert.Equal(t, []time.Duration{since, since + slot, since + 2*slot}, times(d.calls))
				assert.Equal(t, endpointB, d.calls[0].Endpoint)
				return
			}
			assert.Empty(t, d.calls, "it is looked at when it falls due, which is at the release")
			assert.Equal(t, "parked", d.stands("o1", "s1"))
			must(d.Release(t.Context(), endpointA))
			d.desk.pass(time.Minute)
			for _, o := range occurrences(1, 3) {
				want := map[string]string{"deleted": "canceled deleted", "disabled": "canceled disabled", "again": "delivered"}[name]
				assert.Equal(t, want, d.stands(o, "s1"))
			}
		})
	}
}

// A probe that fails after the operator has released the endpoint has used up
// nothing: its call is made again at once, under its number, and both are kept.
func daysReleasedWhileProbed(t *testing.T, k *desk) {
	d := k.begin(t, delivery.Options{}, func(c *deskCall) deskAnswer {
		if c.n == 0 {
			return status(503)
		}
		return status(204)
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	must(d.Suspend(t.Context(), endpointA))
	d.publish("o1")
	d.pass(5*time.Minute + 100*time.Millisecond)
	require.Len(t, d.under, 1, "it probes")
	d.do("released", func() { must(d.Release(t.Context(), endpointA)) })
	d.finish()
	goldenDays(t, "days_released_while_probed", d.String())
	assert.Equal(t, "delivered", d.stands("o1", "s1"))
	story, err := d.Explain(t.Context(), webhookpolicy.EventID("o1", "s1"))
	require.NoError(t, err)
	require.Len(t, story.Calls, 2)
	assert.Equal(t, []int{503, 204}, []int{story.Calls[0].Record.Outcome.Status, story.Calls[1].Record.Outcome.Status})
}

// Replay begins anew what has ended: the same event id and body, numbers from 0.
// ReplayAll does so for a period, at the rate of a release.
func daysReplay(t *testing.T, k *desk) {
	down := true
	d := k.begin(t, delivery.Options{Policy: unsuspecting()}, func(*deskCall) deskAnswer {
		if down {
			return status(503)
		}
		return status(204)
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	d.autoRetry("s1", false)
	for i := 1; i <= 5; i++ {
		publish(t, d.Deliverer, occurrences(i, i)...)
		d.desk.pass(time.Hour)
	}
	require.Len(t, d.calls, 5)
	id := func(i int) string { return webhookpolicy.EventID(fmt.Sprint("o", i), "s1") }

	require.NoError(t, d.Replay(t.Context(), id(2)))
	require.ErrorIs(t, d.Replay(t.Context(), id(2)), delivery.ErrUnfinished)
	require.ErrorIs(t, d.Replay(t.Context(), "none"), delivery.ErrNotFound)
	down = false
	d.desk.pass(time.Second)
	require.Len(t, d.calls, 6)
	assert.Equal(t, []any{id(2), 0, d.calls[1].Body}, []any{d.calls[5].eventID, d.calls[5].Number, d.calls[5].Body})
	assert.Equal(t, "delivered", d.stands("o2", "s1"))

	// o1 is before the period, o2 was delivered, and o5 is after it.
	n, err := d.ReplayAll(t.Context(), delivery.Query{
		Endpoint: endpointA, From: noon.Add(time.Minute), To: noon.Add(4 * time.Hour),
	})
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	since := d.now.Sub(noon)
	d.desk.pass(time.Minute)
	require.Len(t, d.calls, 8)
	assert.Equal(t, []time.Duration{since, since + 100*time.Millisecond}, times(d.calls[6:]))
	assert.Equal(t, []string{id(3), id(4)}, []string{d.calls[6].eventID, d.calls[7].eventID})
	ends := []string{}
	for _, o := range occurrences(1, 5) {
		ends = append(ends, d.stands(o, "s1"))
	}
	assert.Equal(t, []string{"exhausted", "delivered", "delivered", "delivered", "exhausted"}, ends)
	assert.True(t, slices.IsSortedFunc(d.calls, func(a, b *deskCall) int { return a.began.Compare(b.began) }))
}

// A worker that was given up, and whose call ends all the same after another has
// made it again: the first end that is told counts, and both calls are kept.
func daysTakenOver(t *testing.T, k *desk) {
	took := []time.Duration{900 * time.Millisecond, 100 * time.Millisecond}
	d := k.begin(t, delivery.Options{Policy: unsuspecting()}, func(c *deskCall) deskAnswer {
		if c.n < len(took) {
			return deskAnswer{status(503 - c.n).outcome, took[c.n]}
		}
		return status(204)
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	d.publish("o1")
	d.pass(500 * time.Millisecond)
	d.exec(`UPDATE river_job SET state = 'available'`)
	d.pass(500 * time.Millisecond)
	require.Len(t, d.calls, 2)
	assert.Equal(t, []int{0, 0}, []int{d.calls[0].Number, d.calls[1].Number})
	story, err := d.Explain(t.Context(), webhookpolicy.EventID("o1", "s1"))
	require.NoError(t, err)
	require.Len(t, story.Calls, 2)
	assert.Equal(t, []int{503, 502}, []int{story.Calls[0].Record.Outcome.Status, story.Calls[1].Record.Outcome.Status})
	assert.Equal(t, 1, story.Delivery.Number())
	assert.Equal(t, d.calls[1].ends.Add(2*time.Minute), story.Delivery.Due())
	d.finish()
	assert.Len(t, d.calls, 3)
	assert.Equal(t, "delivered", d.stands("o1", "s1"))
}
