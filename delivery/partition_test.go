package delivery_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/webhookpolicy"
)

var patient = flag.Bool("patient", false, "TestPartition waits until the queue takes calls over by itself, some minutes")

// Three processes share the work. One is killed, and one is cut off from the
// database in the middle of a transaction, while calls are under way. The third
// one delivers everything, and the second one works again once it can.
func TestPartition(t *testing.T) {
	if !*patient {
		t.Parallel()
		newPartition(t).run()
		return
	}
	for _, leader := range []string{"a", "b"} {
		t.Run("the leader is "+leader, func(t *testing.T) {
			p := newPartition(t)
			p.leader, p.atLeast = leader, 700
			p.run()
		})
	}
}

// partition is three processes: a is killed, b is cut off, and c goes on.
type partition struct {
	*testing.T
	place     place
	leader    string // the process that is to lead the queue in the beginning
	atLeast   int    // occurrences
	house     house
	publisher *delivery.Deliverer
	leaderID  string // as the queue names it
	cable     *cable
	order     order
	processes map[string]*process

	mu        sync.Mutex
	loaded    bool // whether it may begin
	calls     []call
	of        map[string]int // calls of each process
	held      string         // the event whose call is not answered
	release   chan struct{}  // closed when it is to be answered
	answered  chan struct{}  // closed when it was
	published map[string]time.Time
}

// process is one that a test has started.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer // at whose end it stops
	log   *lockedLog
	ended chan error
}

func newPartition(t *testing.T) *partition {
	t.Helper()
	p := &partition{
		T: t, place: place{true, pgtest.Database(t)}, leader: "a", atLeast: 60,
		processes: map[string]*process{}, of: map[string]int{}, published: map[string]time.Time{},
		release: make(chan struct{}), answered: make(chan struct{}),
	}
	p.cable = lay(t, p.place.Where)
	r := receive(t, p.answer)
	timeout := time.Minute
	if *patient {
		timeout = webhookpolicy.DefaultPolicy().RetryTimeout
	}
	// The call that is held counts for how long one lasts: nobody is to wait for
	// room at its endpoint.
	p.order = order{Certificate: r.Certificate().Raw, Timeout: timeout, Serve: true, Workers: 20}
	var err error
	p.house, err = p.place.open(t.Context(), "parent")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.house.close()) })
	p.publisher = p.house.open(t, delivery.Options{})
	for _, s := range []string{"s1", "s2", "s3"} {
		subscribe(t, p.publisher, s, r.URL+"/"+s)
	}
	return p
}

// answer is the receivers. They begin the disasters.
func (p *partition) answer(w http.ResponseWriter, r *http.Request, h hit) {
	number, err := strconv.Atoi(h.Number)
	if err != nil {
		number = -1 // which no call has
	}
	c := call{Event: h.EventID, Number: number, Process: r.UserAgent(), At: h.At, Status: mixed(h.EventID, number)}
	p.mu.Lock()
	p.of[c.Process]++
	kill := p.loaded && c.Process == "a" && p.of["a"] > 10
	hold := p.loaded && c.Process == "b" && p.of["b"] > 10 && p.held == "" && number == 0 && failures(c.Event) == 2
	if hold {
		p.held, c.Status = c.Event, 0
	}
	p.calls = append(p.calls, c)
	p.mu.Unlock()
	switch {
	case kill:
		_ = p.processes["a"].cmd.Process.Kill()
	case hold:
		p.cable.trap.Store(new("UPDATE sluice_deliveries"))
		select {
		case <-p.release:
		case <-p.Context().Done(): // the test has failed
		}
		w.WriteHeader(http.StatusInternalServerError)
		close(p.answered)
		return
	}
	time.Sleep(20 * time.Millisecond)
	w.WriteHeader(c.Status)
}

// start starts a process.
func (p *partition) start(name string) {
	p.Helper()
	o := p.order
	o.Name, o.Place = name, p.place
	if name == "b" {
		o.Place.Where = p.cable.url
	}
	cmd := child(p.Context(), p.T, o)
	s := &process{cmd: cmd, log: &lockedLog{}, ended: make(chan error, 1)}
	cmd.Stderr = s.log
	stdin, err := cmd.StdinPipe()
	require.NoError(p, err)
	s.stdin = stdin
	require.NoError(p, cmd.Start())
	go func() { s.ended <- cmd.Wait() }()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.processes[name] = s
}

// ask returns the only value of a query.
func ask[T any](p *partition, query string, args ...any) (value T) {
	p.Helper()
	require.NoError(p, p.house.queue.Query(p.Context(), func(scan engine.Scan) error { return scan(&value) }, query, args...))
	return value
}

// run is the test.
func (p *partition) run() {
	p.Helper()
	p.startAll()
	p.load()
	began := time.Now()
	p.Logf("%d events are published, a is dead, b is silent", len(p.published))
	if *patient {
		p.finished(10 * time.Minute)
		p.Logf("all are delivered %s later", time.Since(began).Round(time.Millisecond))
		close(p.cable.closed)
	} else {
		// What it has locked stops the others.
		until(p.T, "the transaction of b is given up", func() bool { return !p.isOpen() })
		close(p.cable.closed)
		p.pass()
		until(p.T, "the call that is held is made again", func() bool {
			p.hurry()
			return ask[int](p, `SELECT number FROM sluice_deliveries WHERE event_id = $1`, p.held) > 0
		})
	}
	p.heal()
	stopping := []*process{p.processes["b"], p.processes["c"]}
	for _, s := range stopping {
		require.NoError(p, s.stdin.Close())
	}
	for _, s := range stopping {
		require.NoError(p, <-s.ended, "%s", s.log)
	}
	p.check()
}

// startAll starts the processes, and returns when each of them has made a call.
func (p *partition) startAll() {
	p.Helper()
	p.start(p.leader)
	until(p.T, "there is a leader", func() bool {
		p.leaderID = ask[string](p, `SELECT coalesce(max(leader_id), '') FROM river_leader`)
		return p.leaderID != ""
	})
	for _, name := range []string{"a", "b", "c"} {
		if name != p.leader {
			p.start(name)
		}
	}
	until(p.T, "all make calls", func() bool {
		p.publish(5)
		return p.callsOf("a") > 0 && p.callsOf("b") > 0 && p.callsOf("c") > 0
	})
}

// callsOf returns how many calls of a process have arrived.
func (p *partition) callsOf(process string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[process]
}

// load publishes until a is dead and b is silent, and enough is published.
func (p *partition) load() {
	p.Helper()
	p.mu.Lock()
	p.loaded = true
	p.mu.Unlock()
	dead, silent := p.processes["a"].ended, p.cable.silent
	for len(p.published) < 3*p.atLeast || dead != nil || silent != nil {
		p.publishIfIdle(10)
		select {
		case <-dead:
			dead = nil
		case <-silent:
			silent = nil
			if !*patient { // soon the server gives it up
				until(p.T, "a transaction of b is open", p.isOpen)
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// isOpen reports whether a transaction of b waits for what b has to say next.
func (p *partition) isOpen() bool {
	p.Helper()
	return ask[int](p, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'b'
		AND datname = current_database() AND state = 'idle in transaction' AND backend_xid IS NOT NULL`) > 0
}

// publishIfIdle publishes occurrences unless there is enough to do.
func (p *partition) publishIfIdle(n int) {
	p.Helper()
	if ask[int](p, `SELECT count(*) FROM sluice_deliveries WHERE ended IS NULL`) < 100 {
		p.publish(n)
	}
}

// publish publishes occurrences, each of which is an event of all three
// subscriptions.
func (p *partition) publish(n int) {
	p.Helper()
	p.mu.Lock()
	from := len(p.published) / 3
	p.mu.Unlock()
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprint("o", from+i))
	}
	now := time.Now()
	publish(p, p.publisher, ids...)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		for _, s := range []string{"s1", "s2", "s3"} {
			p.published[webhookpolicy.EventID(id, s)] = now
		}
	}
}

// finished waits until all deliveries have ended.
func (p *partition) finished(limit time.Duration) {
	p.Helper()
	require.Eventually(p, func() bool {
		p.hurry()
		return ask[int](p, `SELECT count(*) FROM sluice_deliveries WHERE ended IS NULL`) == 0
	}, limit, 50*time.Millisecond, "all are delivered")
}

// hurry does what the leader does within five seconds: it has what was taken over
// worked again.
func (p *partition) hurry() {
	p.Helper()
	if !*patient {
		p.house.exec(p, `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state = 'retryable'`)
	}
}

// pass stands for the time that passes until a leader of the queue that has died
// is followed by another one, and until the calls of a and b are taken over.
func (p *partition) pass() {
	p.Helper()
	const last = `attempted_by[array_upper(attempted_by, 1)]`
	a, b := p.leaderID, ask[string](p, `SELECT `+last+` FROM river_job WHERE state = 'running' AND args->>'event_id' = $1`, p.held)
	until(p.T, "what a has sent is done", func() bool {
		return ask[int](p, `SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'a' AND datname = current_database()`) == 0
	})
	// The time is longer than any call takes: so none is under way that b has
	// written down.
	until(p.T, "b has made the calls that it has begun", func() bool { return p.arrived(b, last) })
	require.NoError(p, p.house.change(p.Context(),
		`UPDATE river_job SET attempted_at = '2025-01-01' WHERE state = 'running' AND `+last+` IN ($1, $2)`, a, b))
	require.NoError(p, p.house.change(p.Context(), `WITH resigned AS (
			SELECT pg_notify(current_schema() || '.river_leadership', '{"leader_id": "a", "action": "resigned"}')
		) DELETE FROM river_leader USING resigned WHERE leader_id = $1`, a))
}

// arrived reports whether all calls that b has begun, and not ended, have arrived.
func (p *partition) arrived(b, last string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := true
	assert.NoError(p, p.house.queue.Query(p.Context(), func(scan engine.Scan) error {
		var c numbered
		err := scan(&c.Event, &c.Number)
		all = all && slices.ContainsFunc(p.calls, func(o call) bool {
			return o.Process == "b" && o.Event == c.Event && o.Number == c.Number
		})
		return err
	}, `SELECT c.event_id, c.number FROM sluice_calls c JOIN river_job j
			ON j.args->>'event_id' = c.event_id AND (j.args->>'number')::bigint = c.number AND j.attempt = c.attempt
		WHERE c.ended IS NULL AND j.state = 'running' AND j.`+last+` = $1`, b))
	return all
}

// heal gives b its database back, and returns when b has worked again, and nothing
// is left to do.
func (p *partition) heal() {
	p.Helper()
	close(p.cable.healed)
	before := p.callsOf("b")
	until(p.T, "b makes calls again", func() bool {
		p.hurry()
		p.publishIfIdle(5)
		return p.callsOf("b") > before
	})
	close(p.release)
	<-p.answered
	if !*patient { // otherwise b has given up the call
		until(p.T, "b has noticed that it is late", func() bool {
			return strings.Contains(p.processes["b"].log.String(), `another process was faster" event_id=`+p.held)
		})
	}
	p.finished(time.Minute)
}

// check looks at what was called.
func (p *partition) check() {
	p.Helper()
	p.mu.Lock()
	a := account{
		delays: quick().Delays, left: map[string]bool{"a": true, "b": true}, calls: slices.Clone(p.calls),
	}
	p.mu.Unlock()
	for event := range p.published {
		a.promised = append(a.promised, event)
	}
	require.NoError(p, a.read(p.Context(), p.house))
	assert.Empty(p, a.faults())
	assert.Positive(p, a.doubles(), "calls were under way")
	late := time.Duration(0)
	for _, c := range a.calls {
		due := p.published[c.Event]
		for _, d := range a.delays[:min(c.Number, len(a.delays))] {
			due = due.Add(d)
		}
		late = max(late, c.At.Sub(due))
	}
	p.Logf("%d events, %d calls, %d doubles, calls of %v; the latest came %s late",
		len(a.promised), len(a.calls), a.doubles(), p.of, late.Round(time.Millisecond))
	if *patient {
		rescue := 3 * (p.order.Timeout + 10*time.Second)
		assert.Less(p, late, rescue+time.Minute, "the time that package delivery tells")
	}
}
