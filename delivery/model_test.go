package delivery_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// model is the rules WHK-1 to WHK-8 and WHK-13 once more, written from the spec
// for one question: which calls may receivers see, and when? It is told of all
// that happens, and finds fault with a call that the rules do not grant, at that
// time, and with one that is not made. It knows nothing of jobs, of epochs and of
// package webhookpolicy's decisions.
type model struct {
	delays     []time.Duration
	minEnded   int
	goneEnds   bool
	now        time.Time
	subs       map[string]*modelSub
	endpoints  map[string]*modelEndpoint
	deliveries []*modelDelivery
	broken     string // the rule that is another one in a twin
	fault      error  // the first
	tell       func(what string)
}

// The rules that twins have another way.
const (
	consumes = "a failed probe consumes a retry"
	notOwed  = "nothing is owed for a time-out"
	notAsked = "Retry-After is passed over"
	youngest = "the youngest go out first"
)

type modelSub struct {
	id, endpoint, secret        string
	deleted, enabled, autoRetry bool
}

type modelEndpoint struct {
	suspended bool
	probing   string    // the event id of the delivery that probes
	since     time.Time // the suspension, or the last probe
	wait      time.Duration
	late      time.Time // a probe may come as late as that
	drain     time.Time // when what is parked gets its slots: the release, or later
	retried   []retried // calls that ended within the window
}

type retried struct {
	at     time.Time
	failed bool
}

type modelDelivery struct {
	id      string
	sub     *modelSub
	created time.Time
	number  int
	owed    bool      // the first call timed out
	due     time.Time // of the next call
	held    time.Time // not before that, for other reasons than the schedule
	handed  bool      // it was parked, and has a turn at held all the same
	looked  bool      // that was had
	lost    bool      // its job was deleted: a sweep finds it
	under   *deskCall // the call under way
	probe   bool      // which is one
	parked  string    // the endpoint whose release it waits for
	state   string    // that of an end
}

func (m *model) blame(format string, args ...any) {
	if m.fault == nil {
		m.fault = fmt.Errorf("%s: %s", m.now.Sub(noon), fmt.Sprintf(format, args...))
	}
}

func (m *model) endpoint(url string) *modelEndpoint {
	if m.endpoints[url] == nil {
		m.endpoints[url] = &modelEndpoint{}
	}
	return m.endpoints[url]
}

func (m *model) delivery(id string) *modelDelivery {
	for _, d := range m.deliveries {
		if d.id == id {
			return d
		}
	}
	return nil
}

// oldest puts those first that were created first.
func oldest(a, b *modelDelivery) int {
	return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.id, b.id))
}

// time returns when something is to happen to a delivery that waits.
func (d *modelDelivery) time() time.Time { return later(d.due, d.held) }

// waits reports whether a delivery waits for a time, and for nothing else.
func (d *modelDelivery) waits() bool {
	return d.state == "" && d.under == nil && d.parked == "" && !d.lost
}

// parkedFor returns what is parked for an endpoint, oldest first.
func (m *model) parkedFor(url string) []*modelDelivery {
	var list []*modelDelivery
	for _, d := range m.deliveries {
		if d.parked == url && d.state == "" && d.under == nil {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, oldest)
	return list
}

// refused says why the next call is not made, "" if it is (WHK-4, WHK-5, WHK-7).
func (d *modelDelivery) refused() string {
	switch {
	case d.sub.deleted:
		return "canceled deleted"
	case !d.sub.enabled:
		return "canceled disabled"
	case !d.sub.autoRetry && d.number > 0 && (d.number != 1 || !d.owed):
		return "canceled auto_retry_off"
	}
	return ""
}

// publish begins deliveries to all subscriptions that are enabled.
func (m *model) publish(occurrence string) {
	for _, s := range m.subs {
		if !s.deleted && s.enabled {
			m.deliveries = append(m.deliveries, &modelDelivery{
				id: webhookpolicy.EventID(occurrence, s.id), sub: s, created: m.now, due: m.now,
			})
		}
	}
	slices.SortFunc(m.deliveries, oldest)
}

// settle has all happen that is due without a call: up to now, or with early
// until just before.
func (m *model) settle(early bool) {
	come := func(t time.Time) bool { return t.Before(m.now) || t.Equal(m.now) && !early }
	for url, e := range m.endpoints {
		if come(e.drain) {
			m.drain(url, e)
		}
	}
	for _, d := range m.deliveries {
		if !d.waits() {
			continue
		}
		e := m.endpoint(d.sub.endpoint)
		shut := e.suspended && e.probing != d.id
		if d.handed && !d.looked && come(d.held) {
			d.looked = true
			if shut && !d.sub.deleted {
				d.park(d.sub.endpoint)
				continue
			}
		}
		switch {
		case !come(d.time()):
		case d.refused() != "" && (!d.handed || !shut || d.sub.deleted):
			d.state = d.refused()
		case shut:
			d.park(d.sub.endpoint)
		}
	}
}

// park keeps a delivery until an endpoint is released.
func (d *modelDelivery) park(url string) {
	d.parked, d.held, d.handed, d.looked = url, time.Time{}, false, false
}

// prober returns who is to probe a suspended endpoint now: the oldest that is
// parked and due and has a call to make. Others before it are canceled.
func (m *model) prober(url string, operator bool) *modelDelivery {
	e := m.endpoint(url)
	if !e.suspended || !operator && m.now.Before(e.since.Add(e.wait)) {
		return nil
	}
	for _, d := range m.parkedFor(url) {
		switch {
		case d.due.After(m.now):
		case d.refused() != "":
			d.state = d.refused()
		default:
			return d
		}
	}
	return nil
}

// grant lets a delivery probe.
func (m *model) grant(d *modelDelivery, at time.Time) {
	e := m.endpoint(d.parked)
	e.probing, e.since = d.id, at
	d.parked, d.handed, d.held = "", true, m.now
	m.tell("probe")
}

// begin is a call that a receiver has got.
func (m *model) begin(c *deskCall) {
	d := m.delivery(c.eventID)
	if d == nil {
		m.blame("a call for %s, which nobody published", c.eventID)
		return
	}
	m.attempt(d)
	switch {
	case d.state != "" || d.under != nil || d.lost:
		m.blame("call %d of %s, which is %q, under way %t", c.Number, d.id, d.state, d.under != nil)
		return
	case d.parked != "":
		m.blame("call %d of %s, which is parked", c.Number, d.id)
		return
	}
	timeout := time.Second
	if d.number > 0 {
		timeout = 10 * time.Second
	}
	if c.Number != d.number || c.Endpoint != d.sub.endpoint || c.Secret.Reveal() != d.sub.secret || c.Timeout != timeout {
		m.blame("call %d of %s to %s within %s; want call %d to %s", c.Number, d.id, c.Endpoint, c.Timeout, d.number, d.sub.endpoint)
	}
	d.probe = m.endpoint(c.Endpoint).probing == d.id
	if !d.probe && !d.time().Equal(m.now) {
		m.blame("call %d of %s, which is due at %s", c.Number, d.id, d.time().Sub(noon))
	}
	d.under, d.held, d.looked = c, time.Time{}, true
}

// attempt has a delivery probe whose turn it is.
func (m *model) attempt(d *modelDelivery) {
	for _, early := range []bool{true, false} { // what comes at one time has no order
		m.settle(early)
		if d.parked != "" && m.prober(d.parked, false) == d {
			m.grant(d, m.now)
			return
		}
	}
}

// end is the end of a call, as it was written down.
func (m *model) end(c *deskCall) {
	d := m.delivery(c.eventID)
	if d == nil || d.under != c {
		return // begin has found fault with it
	}
	m.settle(true)
	d.under, d.handed = nil, false
	o, e := c.outcome, m.endpoint(c.Endpoint)
	success := o.Result == webhookpolicy.Answered && o.Status/100 >= 2 && o.Status/100 <= 3
	m.observe(c, e, !success)
	held := e.suspended && (d.sub.deleted || d.sub.endpoint == c.Endpoint)
	switch {
	case success:
		d.number++
		d.state = "delivered"
	case m.goneEnds && o.Result == webhookpolicy.Answered && o.Status == 410:
		if !d.probe {
			d.number++
		}
		d.state = "canceled gone"
	case d.probe && m.broken != consumes:
		d.held = m.now // and is due since long
	default:
		d.number++
		d.owed = d.number == 1 && o.Result == webhookpolicy.TimedOut && m.broken != notOwed
		if d.number > len(m.delays) || !d.sub.deleted && !d.sub.autoRetry && !d.owed {
			d.state = "exhausted"
			return
		}
		d.due = m.now.Add(max(m.delays[d.number-1], min(o.RetryAfter, 24*time.Hour)))
		if m.broken == notAsked {
			d.due = m.now.Add(m.delays[d.number-1])
		}
	}
	if held && d.state == "" {
		d.park(c.Endpoint)
	}
	d.probe = false
}

// observe takes in how a call ended for the endpoint (WHK-8).
func (m *model) observe(c *deskCall, e *modelEndpoint, failed bool) {
	switch {
	case e.suspended && e.probing == c.eventID && failed:
		e.probing, e.since, e.wait = "", m.now, min(2*e.wait, 6*time.Hour)
	case e.suspended && e.probing == c.eventID:
		m.release(c.Endpoint)
	case !e.suspended && c.Number > 0:
		e.retried = append(e.retried, retried{m.now, failed})
		// The window is counted by minutes.
		minute := func(t time.Time) int64 { return t.Unix() / 60 }
		ended, bad := 0, 0
		for _, r := range e.retried {
			if minute(r.at) > minute(m.now)-60 {
				ended++
				if r.failed {
					bad++
				}
			}
		}
		if ended >= m.minEnded && 2*bad >= ended {
			m.suspend(c.Endpoint)
		}
	}
}

// suspend has nothing be sent any more.
func (m *model) suspend(url string) {
	if e := m.endpoint(url); !e.suspended {
		m.tell("suspension")
		*e = modelEndpoint{suspended: true, since: m.now, wait: 5 * time.Minute}
	}
}

// release has what is parked go out, oldest first.
func (m *model) release(url string) {
	e := m.endpoint(url)
	if !e.suspended {
		return
	}
	*e = modelEndpoint{drain: m.now}
	m.tell("release")
}

// drain gives what is parked its slots, ten in each second.
func (m *model) drain(url string, e *modelEndpoint) {
	if e.drain.IsZero() {
		return
	}
	parked := m.parkedFor(url)
	if m.broken == youngest {
		slices.Reverse(parked)
	}
	for i, d := range parked {
		m.tell("released")
		d.parked, d.due = "", later(d.due, e.drain.Add(time.Duration(i)*100*time.Millisecond))
	}
	e.drain = time.Time{}
}

// move is a subscription that gets another endpoint: what is parked for the old
// one goes to the new one, at the rate of a release.
func (m *model) move(s *modelSub, url string) {
	i := 0
	for _, d := range m.parkedFor(s.endpoint) {
		if d.sub == s && url != s.endpoint {
			m.tell("moved")
			d.parked, d.handed, d.held = "", true, m.now.Add(time.Duration(i)*100*time.Millisecond)
			i++
		}
	}
	s.endpoint = url
}

// probe is the operator's: it reports whether there is a call.
func (m *model) probe(url string) bool {
	e := m.endpoint(url)
	d := m.prober(url, true)
	if d == nil {
		return false
	}
	m.grant(d, later(e.since.Add(e.wait), m.now))
	return true
}

// replay begins a delivery anew.
func (m *model) replay(d *modelDelivery) {
	m.tell("replay")
	*d = modelDelivery{id: d.id, sub: d.sub, created: m.now, due: m.now}
	slices.SortFunc(m.deliveries, oldest)
}

// lose is a worker that died: its job is worked again at a time. The endpoint can
// be probed again at another one, which tells whether it was granted a probe.
func (m *model) lose(id string, until, probeAt time.Time) {
	d := m.delivery(id)
	if d == nil {
		return
	}
	e := m.endpoint(d.sub.endpoint)
	if !e.drain.After(m.now) {
		m.drain(d.sub.endpoint, e)
	}
	if e.suspended && !probeAt.Equal(e.since.Add(e.wait)) {
		m.attempt(d)
		if e.probing != d.id {
			m.blame("%s is to probe, and it is not its turn", d.id)
		}
	}
	if d.under != nil {
		m.tell("died in a call")
	}
	// What settle has done at this very time has not been done.
	d.under, d.held, d.looked, d.parked, d.state = nil, until, false, "", ""
}

// sweep finds what was lost.
func (m *model) sweep() {
	for _, d := range m.deliveries {
		if d.lost && d.state == "" && d.due.Before(m.now.Add(-5*time.Minute)) {
			m.tell("found")
			d.lost, d.held = false, m.now
		}
	}
}

// quiet finds fault with calls that should have been made by now.
func (m *model) quiet() {
	m.settle(false)
	for url, e := range m.endpoints {
		if m.now.Before(e.late) {
			continue
		}
		if d := m.prober(url, false); d != nil {
			m.blame("%s does not probe %s", d.id, url)
		}
	}
	for _, d := range m.deliveries {
		if d.waits() && !d.time().After(m.now) {
			m.blame("call %d of %s is not made, which is due at %s", d.number, d.id, d.time().Sub(noon))
		}
	}
}
