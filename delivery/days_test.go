package delivery_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

var updateDays = flag.Bool("update-days", false, "write the golden files of days anew")

const endpointA, endpointB = "https://a.example/hook", "https://b.example/hook"

// daybook tells what happens at a desk, for people: who is called when, how that
// ended, and what became of the delivery.
type daybook struct {
	*desk
	t     *testing.T
	lines []daybookLine
	was   map[string]string // how each delivery stood
	names map[string]string // of deliveries
	last  *deskCall         // that has ended in this step
}

type daybookLine struct {
	at   time.Time
	text string
}

// begin is an empty desk with a daybook, whose receivers answer.
func (k *desk) begin(t *testing.T, o delivery.Options, answer func(*deskCall) deskAnswer) *daybook {
	k.o = o
	k.clear()
	k.answer = answer
	d := &daybook{desk: k, t: t, was: map[string]string{}, names: map[string]string{}}
	k.ended = func(c *deskCall) { d.last = c }
	return d
}

// status is an answer within 200 ms.
func status(code int) deskAnswer {
	return deskAnswer{webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: code}, 200 * time.Millisecond}
}

// alike answers every call alike.
func alike(a deskAnswer) func(*deskCall) deskAnswer { return func(*deskCall) deskAnswer { return a } }

// silence is no answer.
var silence deskAnswer

// say writes a line.
func (d *daybook) say(at time.Time, format string, args ...any) {
	d.lines = append(d.lines, daybookLine{at, fmt.Sprintf(format, args...)})
}

// String returns the lines in the order of their times.
func (d *daybook) String() string {
	slices.SortStableFunc(d.lines, func(a, b daybookLine) int { return a.at.Compare(b.at) })
	var b strings.Builder
	for _, l := range d.lines {
		fmt.Fprintf(&b, "%14s  %s\n", l.at.Sub(noon), l.text)
	}
	return b.String()
}

// do writes down that something is done, and does it.
func (d *daybook) do(what string, do func()) {
	d.say(d.now, "-- %s", what)
	do()
	d.look()
}

// publish publishes occurrences.
func (d *daybook) publish(ids ...string) {
	publish(d.t, d.Deliverer, ids...)
	for _, o := range ids {
		for _, s := range []string{"s1", "s2"} {
			d.names[webhookpolicy.EventID(o, s)] = o
			if s != "s1" {
				d.names[webhookpolicy.EventID(o, s)] = o + " to " + s
			}
		}
	}
	d.look()
}

// look writes down what has changed.
func (d *daybook) look() {
	rows, err := d.db.QueryContext(d.t.Context(), `SELECT event_id, state, epoch, queued, due,
		coalesce(json_extract(document, '$.reason'), '') FROM sluice_deliveries ORDER BY created, event_id`)
	require.NoError(d.t, err)
	defer rows.Close() //nolint:errcheck // rows.Err tells what there is to tell
	for rows.Next() {
		var id, state, reason string
		var epoch int
		var queued bool
		var due sql.NullInt64
		require.NoError(d.t, rows.Scan(&id, &state, &epoch, &queued, &due, &reason))
		switch {
		case state == "parked" && queued:
			state = "probes"
		case state == "canceled":
			state += ": " + reason
		case due.Valid && state != "parked":
			state += " for " + time.UnixMicro(due.Int64).Sub(noon).String()
		}
		stands := fmt.Sprint(state, epoch)
		if c := d.last; c != nil && c.eventID == id {
			d.say(c.began, "%s  call %d: %s; %s", d.names[id], c.Number, c.outcome, state)
		} else if stands != d.was[id] {
			d.say(d.now, "%s  %s", d.names[id], state)
		}
		d.was[id] = stands
	}
	require.NoError(d.t, rows.Err())
	d.last = nil
}

// pass has time pass, and writes.
func (d *daybook) pass(t time.Duration) {
	until := d.now.Add(t)
	for d.step(until) {
		d.look()
	}
	d.now = until
}

// finish goes on until nothing is due any more.
func (d *daybook) finish() {
	for d.step(d.now.Add(100 * 24 * time.Hour)) {
		d.look()
	}
	require.NoError(d.t, d.strike)
}

// goldenDays compares daybooks with a file, or writes the file.
func goldenDays(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *updateDays {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// gaps returns how long after the end of the call before each call began.
func (k *desk) gaps() []time.Duration {
	var gaps []time.Duration
	for i, c := range k.calls[1:] {
		gaps = append(gaps, c.began.Sub(k.calls[i].ends))
	}
	return gaps
}

// on switches a subscription.
func (k *desk) on(id string, enabled bool) {
	k.change(id, func(s *webhookpolicy.Settings) { s.Enabled = enabled })
}

func (k *desk) autoRetry(id string, on bool) {
	k.change(id, func(s *webhookpolicy.Settings) { s.AutoRetry = on })
}

// stands returns how a delivery stands, and why.
func (k *desk) stands(occurrence, subscription string) string {
	p := k.of(occurrence, subscription)
	return strings.TrimSuffix(fmt.Sprintf("%s %s", p.State(), p.Reason()), " none")
}

// unsuspecting never suspends an endpoint.
func unsuspecting() webhookpolicy.Policy {
	p := webhookpolicy.DefaultPolicy()
	p.MinEnded = 1 << 30
	return p
}

// WHK: what takes days, within moments. All share a database, which takes longer to
// be made than a day.
func TestDays(t *testing.T) {
	k := newDesk(t, delivery.Options{})
	for _, test := range []struct {
		name string
		play func(t *testing.T, k *desk)
	}{
		{"schedule", daysSchedule},
		{"auto retry", daysAutoRetry},
		{"ended", daysEnded},
		{"changed", daysChanged},
		{"retry after", daysRetryAfter},
		{"stale job", daysStaleJob},
		{"sweep", daysSweep},
		{"twenty retries", daysTwentyRetries},
		{"suspension", daysSuspension},
		{"long drain", daysLongDrain},
		{"drain broken off", daysDrainBrokenOff},
		{"changed while parked", daysChangedWhileParked},
		{"released while probed", daysReleasedWhileProbed},
		{"replay", daysReplay},
		{"taken_over", daysTakenOver},
	} {
		t.Run(test.name, func(t *testing.T) { test.play(t, k) })
	}
}

// WHK-3, WHK-6: four days of an endpoint that is down, and of one that is silent.
func daysSchedule(t *testing.T, k *desk) {
	for name, answer := range map[string]deskAnswer{"down": status(503), "silent": silence} {
		t.Run(name, func(t *testing.T) {
			d := k.begin(t, delivery.Options{}, alike(answer))
			subscribe(t, d.Deliverer, "s1", endpointA)
			d.publish("o1")
			d.finish()
			goldenDays(t, "days_"+name, d.String())
			const h = time.Hour
			assert.Equal(t, []time.Duration{2 * time.Minute, 6 * time.Minute, 30 * time.Minute, h, 5 * h, 18 * h, 24 * h, 48 * h}, d.gaps())
			for i, c := range d.calls {
				assert.Equal(t, i, c.Number)
				assert.Equal(t, d.calls[0].eventID, c.eventID, "WHK-9")
				assert.Equal(t, d.calls[0].Body, c.Body, "WHK-10")
			}
			assert.Equal(t, "exhausted", d.stands("o1", "s1"))
		})
	}
}

// WHK-4, WHK-5, WHK-7: auto_retry is off, or is switched between calls.
func daysAutoRetry(t *testing.T, k *desk) {
	var all strings.Builder
	for _, test := range []struct {
		name   string
		answer deskAnswer
		play   func(d *daybook)
		calls  int
		stands string
	}{
		{"off and down", status(503), func(d *daybook) { d.autoRetry("s1", false) }, 1, "exhausted"},
		{"off and silent", silence, func(d *daybook) { d.autoRetry("s1", false) }, 2, "exhausted"},
		{"off when the call ends", status(503), func(d *daybook) {
			d.pass(100 * time.Millisecond)
			d.do("auto_retry off", func() { d.autoRetry("s1", false) })
			d.pass(time.Minute)
			d.do("auto_retry on", func() { d.autoRetry("s1", true) })
		}, 1, "exhausted"},
		{"off when the retry falls due", status(503), func(d *daybook) {
			d.pass(time.Minute)
			d.do("auto_retry off", func() { d.autoRetry("s1", false) })
		}, 1, "canceled auto_retry_off"},
		{"off and on before it falls due", status(503), func(d *daybook) {
			d.pass(time.Minute)
			d.do("auto_retry off", func() { d.autoRetry("s1", false) })
			d.pass(30 * time.Second)
			d.do("auto_retry on", func() { d.autoRetry("s1", true) })
			d.pass(time.Hour)
			d.do("auto_retry off", func() { d.autoRetry("s1", false) })
		}, 4, "canceled auto_retry_off"},
		{"off after a time-out", silence, func(d *daybook) {
			d.pass(time.Minute)
			d.do("auto_retry off", func() { d.autoRetry("s1", false) })
		}, 2, "exhausted"},
		{"on before the owed retry ends", silence, func(d *daybook) {
			d.autoRetry("s1", false)
			d.pass(2*time.Minute + 5*time.Second)
			d.do("auto_retry on", func() { d.autoRetry("s1", true) })
			d.pass(time.Hour)
			d.do("auto_retry off", func() { d.autoRetry("s1", false) })
		}, 4, "canceled auto_retry_off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := k.begin(t, delivery.Options{Policy: unsuspecting()}, alike(test.answer))
			subscribe(t, d.Deliverer, "s1", endpointA)
			d.publish("o1")
			test.play(d)
			d.finish()
			fmt.Fprintf(&all, "%s:\n%s\n", test.name, d)
			assert.Len(t, d.calls, test.calls)
			assert.Equal(t, test.stands, d.stands("o1", "s1"))
		})
	}
	goldenDays(t, "days_auto_retry", all.String())
}

// WHK-7: whenever a subscription is deleted or disabled, the next call is not made;
// one that is enabled again before has lost nothing. All play at once, a minute
// before each call.
func daysEnded(t *testing.T, k *desk) {
	policy := unsuspecting()
	d := k.begin(t, delivery.Options{Policy: policy}, alike(status(503)))
	before := []int{0, 1, 2, 3, 4, 5, 6, 7, 8} // which call
	if raced() {
		before = []int{0, 3}
	}
	for _, n := range before {
		for _, how := range []string{"deleted", "disabled"} {
			subscribe(t, d.Deliverer, fmt.Sprint(how, n), endpointA)
		}
	}
	subscribe(t, d.Deliverer, "again", endpointA)
	publish(t, d.Deliverer, "o1")
	for n := range 9 {
		if slices.Contains(before, n) {
			must(d.DeleteSubscription(t.Context(), fmt.Sprint("deleted", n)))
			d.on(fmt.Sprint("disabled", n), false)
		}
		d.on("again", false)
		if n > 0 {
			d.desk.pass(30 * time.Second)
		}
		d.on("again", true)
		d.desk.pass(35 * time.Second) // the call is over
		if n < 8 {
			d.desk.pass(policy.Delays[n] - time.Minute - 30*time.Second)
		}
	}
	d.desk.finish(time.Hour)
	calls := map[string]int{}
	for _, c := range d.calls {
		calls[c.subscription]++
	}
	for _, n := range before {
		for how, reason := range map[string]string{"deleted": "canceled deleted", "disabled": "canceled disabled"} {
			id := fmt.Sprint(how, n)
			assert.Equal(t, n, calls[id], id)
			assert.Equal(t, reason, d.stands("o1", id), id)
		}
	}
	assert.Equal(t, 9, calls["again"])
	assert.Equal(t, "exhausted", d.stands("o1", "again"))
}

// WHK-7: the next call uses the endpoint and the key of then.
func daysChanged(t *testing.T, k *desk) {
	d := k.begin(t, delivery.Options{Policy: unsuspecting()}, func(c *deskCall) deskAnswer {
		if c.Number == 3 {
			return status(302)
		}
		return status(503)
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	d.publish("o1")
	d.pass(100 * time.Millisecond) // the first call is under way
	next := strings.Repeat("k", webhookpolicy.SecretCharacters)
	d.change("s1", func(s *webhookpolicy.Settings) { s.Secret = webhookpolicy.NewSecret(next) })
	d.pass(3 * time.Minute)
	d.change("s1", func(s *webhookpolicy.Settings) { s.Endpoint = endpointB })
	d.finish()
	var got []string
	for _, c := range d.calls {
		got = append(got, fmt.Sprint(c.Number, " ", c.Endpoint, " ", c.Secret.Reveal()))
	}
	assert.Equal(t, []string{
		"0 " + endpointA + " " + key, "1 " + endpointA + " " + next, "2 " + endpointB + " " + next, "3 " + endpointB + " " + next,
	}, got)
	assert.Equal(t, "delivered", d.stands("o1", "s1"))
}

// WHK-13: Retry-After puts off the one retry that follows, by a day at most, and
// brings none forward; 410 is the end if the host wants it.
func daysRetryAfter(t *testing.T, k *desk) {
	asks := []time.Duration{time.Hour, 0, time.Second, 72 * time.Hour, 0}
	policy := unsuspecting()
	policy.GoneEnds = true
	d := k.begin(t, delivery.Options{Policy: policy}, func(c *deskCall) deskAnswer {
		if c.Number == len(asks) {
			return status(410)
		}
		a := status(503)
		a.outcome.RetryAfter = asks[c.Number]
		return a
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	d.publish("o1")
	d.finish()
	goldenDays(t, "days_retry_after", d.String())
	assert.Equal(t, []time.Duration{time.Hour, 6 * time.Minute, 30 * time.Minute, 24 * time.Hour, 5 * time.Hour}, d.gaps())
	assert.Equal(t, "canceled gone", d.stands("o1", "s1"))
}

// A job that is left over from before makes no call, whatever it is of.
func daysStaleJob(t *testing.T, k *desk) {
	d := k.begin(t, delivery.Options{Policy: unsuspecting()}, alike(status(503)))
	subscribe(t, d.Deliverer, "s1", endpointA)
	d.publish("o1")
	d.pass(time.Second)
	id := webhookpolicy.EventID("o1", "s1")
	for _, of := range []struct{ epoch, number int }{{0, 0}, {0, 2}, {1, 1}, {-1, 1}} {
		args := fmt.Sprintf(`{"event_id":%q,"epoch":%d,"number":%d,"subscription_id":"s1"}`, id, of.epoch, of.number)
		require.NoError(t, d.WorkJob(t.Context(), d.row("sluice_call", args)))
	}
	assert.Len(t, d.calls, 1)
	d.pass(3 * time.Minute)
	assert.Len(t, d.calls, 2, "the one that is not stale")
	d.autoRetry("s1", false)
	d.finish()
	row := d.row("sluice_call", fmt.Sprintf(`{"event_id":%q,"epoch":0,"number":2,"subscription_id":"s1"}`, id))
	require.NoError(t, d.WorkJob(t.Context(), row))
	assert.Len(t, d.calls, 2, "what has ended is not called for")
}

// What the queue has lost is found, and what has ended is kept as long as it is to
// be: nothing else is removed.
func daysSweep(t *testing.T, k *desk) {
	d := k.begin(t, delivery.Options{Policy: unsuspecting(), Retention: 24 * time.Hour}, func(c *deskCall) deskAnswer {
		if c.subscription == "s1" {
			return status(503)
		}
		return status(204)
	})
	subscribe(t, d.Deliverer, "s1", endpointA)
	subscribe(t, d.Deliverer, "s2", endpointB)
	d.publish("o1")
	d.pass(time.Minute)
	d.exec(`DELETE FROM river_job`)
	d.pass(6 * time.Minute)
	require.NoError(t, d.Sweep(t.Context()))
	d.pass(time.Second)
	assert.Len(t, d.calls, 2, "it is not long enough overdue")
	d.pass(time.Minute)
	require.NoError(t, d.Sweep(t.Context()))
	require.NoError(t, d.Sweep(t.Context())) // finds its job
	d.pass(time.Second)
	require.Len(t, d.calls, 3)
	assert.Equal(t, 1, d.calls[2].Number)

	require.NoError(t, d.Suspend(t.Context(), endpointA))
	d.pass(10 * time.Minute)
	assert.Equal(t, "parked", d.stands("o1", "s1"), "the probe fails")
	d.exec(`DELETE FROM river_job`)
	d.pass(24*time.Hour - 20*time.Minute)
	require.NoError(t, d.Sweep(t.Context()))
	assert.Len(t, d.all(), 2)
	d.answer = alike(status(204))
	d.pass(time.Hour)
	assert.Equal(t, "delivered", d.stands("o1", "s1"), "the job that lets it probe is made again")
	require.NoError(t, d.Sweep(t.Context()))
	assert.Len(t, d.all(), 1, "what was delivered a day before is gone")
	d.pass(22 * time.Hour)
	require.NoError(t, d.Sweep(t.Context()))
	assert.Len(t, d.all(), 1)
	d.pass(3 * time.Hour)
	require.NoError(t, d.Sweep(t.Context()))
	assert.Empty(t, d.all())
}
