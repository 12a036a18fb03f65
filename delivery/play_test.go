package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river/rivertype"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

// plan is what happens at a desk, drawn before.
type plan struct {
	Subs    []planSub
	Gone    bool  // the policy ends deliveries by 410
	Patient bool  // it suspends no endpoint by itself
	Weather []int // of each receiver, to begin with
	Ops     []op
	Answers []deskAnswer // of a receiver in mixed weather, one after another
}

type planSub struct {
	Endpoint           int
	Enabled, AutoRetry bool
}

// op is one thing that happens. Numbers are taken modulo how many there are.
type op struct {
	Do string
	N  int           // which
	M  int           // what
	D  time.Duration // how long
}

func (o op) String() string { return fmt.Sprintf("%s %d %d %s", o.Do, o.N, o.M, o.D) }

// String tells the plan line by line.
func (p plan) String() string {
	lines := []string{fmt.Sprintf("subscriptions %+v, 410 ends: %t, patient: %t, weather %v, answers:",
		p.Subs, p.Gone, p.Patient, p.Weather)}
	for _, a := range p.Answers {
		lines = append(lines, fmt.Sprintf("  %s", a.outcome))
	}
	for _, o := range p.Ops {
		lines = append(lines, "  "+o.String())
	}
	return strings.Join(lines, "\n")
}

var endpoints = []string{endpointA, endpointB}

// weathers are how a receiver answers for a time.
var weathers = []string{"fine", "down", "silent", "mixed"}

// failpoints are where a worker may die.
var failpoints = []string{
	"ledger: before", "ledger: about to commit", "ledger: committed", "call: about to send", "call: answered",
	"probe: before", "probe: about to commit", "drain: before", "drain: about to commit",
}

var drawPlan = rapid.Custom(func(t *rapid.T) plan {
	return plan{
		Subs: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) planSub {
			return planSub{rapid.IntRange(0, 1).Draw(t, "endpoint"), rapid.IntRange(0, 7).Draw(t, "enabled") > 0, rapid.IntRange(0, 3).Draw(t, "auto_retry") > 0}
		}), 1, 4).Draw(t, "subscriptions"),
		Gone:    rapid.Bool().Draw(t, "gone"),
		Patient: rapid.IntRange(0, 3).Draw(t, "patient") == 0,
		Weather: rapid.SliceOfN(rapid.IntRange(0, 3), 2, 2).Draw(t, "weather"),
		Ops:     rapid.SliceOfN(rapid.Custom(drawOp), 10, 60).Draw(t, "ops"),
		Answers: rapid.SliceOfN(rapid.Custom(drawAnswer), 1, 8).Draw(t, "answers"),
	}
})

func drawOp(t *rapid.T) op {
	o := op{
		Do: rapid.SampledFrom([]string{
			"pass", "pass", "pass", "pass", "pass", "publish", "publish", "publish", "weather", "weather", "enable", "auto_retry", "move", "key",
			"move", "delete", "suspend", "suspend", "release", "probe", "replay", "crash", "crash", "die", "sweep", "lose",
		}).Draw(t, "do"),
		N: rapid.IntRange(0, 20).Draw(t, "n"),
		M: rapid.IntRange(0, 9).Draw(t, "m"),
	}
	if o.Do == "pass" {
		scale := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute, time.Minute, time.Hour, 2 * time.Hour}).Draw(t, "scale")
		o.D = time.Duration(rapid.IntRange(1, 60).Draw(t, "d")) * scale
	}
	return o
}

func drawAnswer(t *rapid.T) deskAnswer {
	o := webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: rapid.SampledFrom([]int{200, 302, 404, 410, 500, 503, 0}).Draw(t, "status")}
	if o.Status == 0 {
		o = webhookpolicy.Outcome{}
	}
	if o.Status == 503 {
		o.RetryAfter = rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour, 72 * time.Hour}).Draw(t, "Retry-After")
	}
	return deskAnswer{o, time.Duration(rapid.IntRange(1, 2000).Draw(t, "took")) * time.Millisecond}
}

// player plays a plan at a desk, with a model beside it.
type player struct {
	*desk
	plan
	m       *model
	twin    twin
	weather map[string]string
	n       int // of publications, and of keys
	asked   map[string]int
}

// twin is a desk or a model with something wrong.
type twin struct {
	name   string
	plan   string // that finds it out
	policy func(*webhookpolicy.Policy)
	lose   func(*deskCall) bool // a call that does not reach its receiver
	bend   func(*deskCall)      // what the receiver gets instead
	drop   func(kind, args string) bool
	rule   string // of the model
}

// play plays a plan, and returns what is wrong.
func play(k *desk, p plan, tw twin) error {
	policy := webhookpolicy.DefaultPolicy()
	policy.MinEnded, policy.GoneEnds = 3, p.Gone
	if p.Patient {
		policy.MinEnded = 1000
	}
	m := &model{
		delays: slices.Clone(policy.Delays), minEnded: policy.MinEnded, goneEnds: p.Gone, now: noon, broken: tw.rule,
		subs: map[string]*modelSub{}, endpoints: map[string]*modelEndpoint{},
	}
	if tw.policy != nil {
		tw.policy(&policy)
	}
	k.o.Policy = policy
	k.clear()
	w := &player{desk: k, plan: p, m: m, twin: tw, weather: map[string]string{}, asked: map[string]int{}}
	k.answer, k.lose = w.answers, tw.lose
	m.tell = func(what string) {
		if k.tell != nil {
			k.tell(what)
		}
	}
	k.began = func(c *deskCall) {
		m.now = k.now
		if tw.bend != nil {
			tw.bend(c)
		}
		m.begin(c)
	}
	k.ended = func(c *deskCall) {
		m.now = k.now
		m.end(c)
	}
	k.lost = w.lost
	k.spare = func(row *rivertype.JobRow) bool {
		return member(row.EncodedArgs, "subscription_id") != "" && row.Kind == "sluice_drain"
	}
	for i, weather := range p.Weather {
		w.weather[endpoints[i]] = weathers[weather]
	}
	for i, s := range p.Subs {
		w.subscribe(fmt.Sprint("s", i), s)
	}
	for _, o := range p.Ops {
		if w.do(o); w.wrong() != nil {
			return fmt.Errorf("%s: %w", o, w.wrong())
		}
	}
	return w.drain()
}

// lost tells the model of a worker that died.
func (w *player) lost(row *rivertype.JobRow, until time.Time) {
	w.m.now = w.now
	w.m.tell("died")
	url := member(row.EncodedArgs, "endpoint")
	switch row.Kind {
	case "sluice_probe":
		w.m.endpoint(url).late = until
	case "sluice_drain":
		w.m.endpoint(url).drain = until
	case "sluice_call":
		id, probeAt := member(row.EncodedArgs, "event_id"), time.Time{}
		if d := w.m.delivery(id); d != nil {
			probeAt = w.health(d.sub.endpoint).ProbeAt()
		}
		w.m.lose(id, until, probeAt)
	}
}

// member returns one of the args of a job as a text, "" if it is none.
func member(args []byte, name string) string {
	all := map[string]any{}
	must(json.Unmarshal(args, &all))
	text, _ := all[name].(string)
	return text
}

func (w *player) wrong() error { return errors.Join(w.m.fault, w.strike) }

func (w *player) health(url string) webhookpolicy.Health {
	e, err := w.Endpoint(context.Background(), url)
	must(err)
	return e.Health
}

func (w *player) subscribe(id string, p planSub) {
	s, err := webhookpolicy.NewSubscription(id, webhookpolicy.Settings{
		Endpoint: endpoints[p.Endpoint], Secret: webhookpolicy.NewSecret(key), Enabled: p.Enabled, AutoRetry: p.AutoRetry,
		Events: []webhookpolicy.EventName{webhookpolicy.Wildcard}, Scopes: []string{webhookpolicy.Wildcard},
	}, w.now)
	must(err)
	must(w.CreateSubscription(context.Background(), s))
	w.m.subs[id] = &modelSub{id: id, endpoint: endpoints[p.Endpoint], secret: key, enabled: p.Enabled, autoRetry: p.AutoRetry}
}

// answers is how receivers answer. Each call takes another time, so that hardly
// two things happen at once.
func (w *player) answers(c *deskCall) deskAnswer {
	took := time.Duration(1+c.n*7919%900) * time.Millisecond
	switch w.weather[c.Endpoint] {
	case "down":
		return deskAnswer{webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 503}, took}
	case "silent":
		return deskAnswer{}
	case "mixed":
		w.asked[c.Endpoint]++
		a := w.Answers[w.asked[c.Endpoint]%len(w.Answers)]
		a.took += took
		return a
	}
	return deskAnswer{webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 204}, took}
}

// pass has time pass, and asks the model before each step whether all was done
// until then.
func (w *player) pass(d time.Duration) {
	for until := w.now.Add(d); w.wrong() == nil; {
		row, next := w.next()
		if row != nil && w.twin.drop != nil && w.twin.drop(row.Kind, string(row.EncodedArgs)) {
			w.exec(`DELETE FROM river_job WHERE id = ?`, row.ID)
			continue
		}
		if next.IsZero() || next.After(until) {
			w.m.now = until
			w.m.quiet()
		} else if next.After(w.now) {
			w.m.now = next.Add(-1)
			w.m.quiet()
		}
		if !w.step(until) {
			w.now = until
			break
		}
	}
}

// do does one thing, and what follows from it at once.
func (w *player) do(o op) {
	w.m.now = w.now
	url := endpoints[o.N%len(endpoints)]
	s := w.m.subs[fmt.Sprint("s", o.N%len(w.Subs))]
	ctx := context.Background()
	switch o.Do {
	case "pass":
		w.pass(o.D)
		return
	case "publish":
		w.publish(1 + o.M%3)
	case "weather":
		w.weather[url] = weathers[o.M%len(weathers)]
	case "enable", "auto_retry", "move", "key":
		if !s.deleted {
			w.alter(o.Do, s)
		}
	case "delete":
		if !s.deleted && o.M < 3 {
			must(w.DeleteSubscription(ctx, s.id))
			s.deleted = true
		}
	case "suspend":
		must(w.Suspend(ctx, url))
		w.m.suspend(url)
	case "release":
		must(w.Release(ctx, url))
		w.m.release(url)
	case "probe":
		crash := w.crash
		w.crash = "" // it is not this process that dies
		got, err := w.Probe(ctx, url)
		w.crash = crash
		must(err)
		if want := w.m.probe(url); got != want {
			w.m.blame("a probe of %s: %t, want %t", url, got, want)
		}
	default:
		w.harm(o)
	}
	w.pass(0)
}

// harm is what operators do to mend things, and what happens to machines.
func (w *player) harm(o op) {
	ctx := context.Background()
	switch o.Do {
	case "replay":
		if len(w.m.deliveries) > 0 {
			d := w.m.deliveries[o.N%len(w.m.deliveries)]
			err := w.Replay(ctx, d.id)
			if (err == nil) != (d.state != "" && !d.sub.deleted) {
				w.m.blame("replay of %s, which is %q: %v", d.id, d.state, err)
			}
			if d.state != "" && !d.sub.deleted {
				w.m.replay(d)
			}
		}
	case "crash":
		w.crash, w.crashes = failpoints[o.M%len(failpoints)], o.N/3%4
		w.rescue = time.Duration(30+o.N) * 1001 * time.Millisecond
	case "die":
		w.die()
	case "sweep":
		must(w.Sweep(ctx))
		w.m.sweep()
	case "lose":
		w.loseJob(o.N)
	}
}

// number returns that of the job of a call.
func number(args string) (n int) {
	_, text, _ := strings.Cut(args, `"number":`)
	_, err := fmt.Sscan(text, &n)
	must(err)
	return n
}

// loseJob deletes the job of a delivery that waits.
func (w *player) loseJob(n int) {
	var waiting []*modelDelivery
	for _, d := range w.m.deliveries {
		if d.waits() && !d.handed && d.held.IsZero() {
			waiting = append(waiting, d)
		}
	}
	if len(waiting) == 0 {
		return
	}
	d := waiting[n%len(waiting)]
	w.exec(`DELETE FROM river_job WHERE json(args) LIKE '%' || ? || '%'`, d.id)
	d.lost = true
}

func (w *player) publish(n int) {
	for range n {
		w.n++
		id := fmt.Sprint("o", w.n)
		must(w.Publish(context.Background(), occurrence(id)))
		w.m.publish(id)
	}
}

// alter changes a subscription.
func (w *player) alter(what string, s *modelSub) {
	w.n++
	next := strings.Repeat(fmt.Sprint(w.n%10), webhookpolicy.SecretCharacters)
	w.change(s.id, func(settings *webhookpolicy.Settings) {
		switch what {
		case "enable":
			settings.Enabled = !settings.Enabled
			s.enabled = settings.Enabled
		case "auto_retry":
			settings.AutoRetry = !settings.AutoRetry
			s.autoRetry = settings.AutoRetry
		case "move":
			settings.Endpoint = endpoints[(slices.Index(endpoints, s.endpoint)+1)%len(endpoints)]
			w.m.move(s, settings.Endpoint)
		case "key":
			settings.Secret = webhookpolicy.NewSecret(next)
			s.secret = next
		}
	})
}

// drain has the receivers be well until nothing is due any more, and compares how
// all deliveries have ended.
func (w *player) drain() error {
	w.crash = ""
	clear(w.weather)
	for range 40 {
		w.pass(6 * time.Hour)
		must(w.Sweep(context.Background()))
		w.m.now = w.now
		w.m.sweep()
		w.pass(0)
		if w.wrong() != nil {
			return w.wrong()
		}
		_, next := w.next()
		if next.IsZero() && !slices.ContainsFunc(w.m.deliveries, func(d *modelDelivery) bool { return d.lost && d.state == "" }) {
			break
		}
	}
	for _, got := range w.all() {
		d := w.m.delivery(got.EventID())
		state := got.State().String()
		if got.State() == webhookpolicy.Canceled {
			state += " " + got.Reason().String()
		}
		switch {
		case d == nil:
			w.m.blame("there is a delivery %s", got.EventID())
		case state != d.state || got.Number() != d.number:
			w.m.blame("%s is %s after %d calls, want %s after %d", d.id, state, got.Number(), d.state, d.number)
		}
	}
	if n := len(w.all()); n != len(w.m.deliveries) {
		w.m.blame("there are %d deliveries, not %d", n, len(w.m.deliveries))
	}
	return w.wrong()
}
