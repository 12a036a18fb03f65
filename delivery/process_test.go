package delivery_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/delivery/postgresqueue"
	"github.com/sluicego/sluice/delivery/sqlitequeue"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

// childVariable holds the order of a process that a test has started.
const childVariable = "SLUICE_TEST_CHILD"

// order is what a process is to do that a test has started.
type order struct {
	Place       place
	Name        string // what its calls call themselves, and its connections
	Certificate []byte // of the receivers
	Timeout     time.Duration
	Workers     int

	Failpoint string // where it kills itself, "" for nowhere
	Hit       int    // when it comes there for the so-manieth time

	Serve    bool   // it delivers until its standard input ends, and does nothing else
	From, To int    // the units that it publishes
	Suspend  string // the endpoint that it has suspended before, "" for none

	Forgetful bool // it completes a job before the call
	Quiet     bool // it tells no more than what goes wrong
}

// place is a database that processes share.
type place struct {
	PostgreSQL bool
	Where      string // a URL, or the path of a file
}

// open opens the database. name is what PostgreSQL calls the connections.
func (p place) open(ctx context.Context, name string) (house, error) {
	if !p.PostgreSQL {
		s, err := sqlite.Open(ctx, p.Where, sqlite.Options{})
		if err != nil {
			return house{}, err
		}
		return house{sqlitequeue.On(s), s}, nil
	}
	s, err := postgres.Open(ctx, p.Where, postgres.Options{Configure: func(c *pgxpool.Config) {
		c.MaxConns = 10
		c.ConnConfig.RuntimeParams["application_name"] = name
	}})
	if err != nil {
		return house{}, err
	}
	return house{postgresqueue.On(s), s}, nil
}

// change runs a statement that has arguments, or no test.
func (h house) change(ctx context.Context, statement string, args ...any) error {
	return h.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
}

// close closes the store.
func (h house) close() error { return h.store.(io.Closer).Close() }

// beChild does what a process is to do that a test has started, and ends it. In
// any other process it returns.
func beChild() {
	text := os.Getenv(childVariable)
	if text == "" {
		return
	}
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, o.Name+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// quick is a policy of three retries that soon follow, which suspends nothing by
// itself.
func quick() webhookpolicy.Policy {
	p := webhookpolicy.DefaultPolicy()
	p.Delays = []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond}
	p.MinEnded = 1 << 30
	p.ProbeAfter, p.ProbeMax = 50*time.Millisecond, 100*time.Millisecond
	p.DrainPerSecond = 10_000
	return p
}

// options returns those of the process's deliverer.
func (o order) options(h house) (delivery.Options, error) {
	certificate, err := x509.ParseCertificate(o.Certificate)
	if err != nil {
		return delivery.Options{}, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	policy := quick()
	policy.FirstTimeout, policy.RetryTimeout, policy.UserAgent = o.Timeout, o.Timeout, o.Name
	call := caller.Options{
		Policy: policy, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	level := slog.LevelDebug
	if o.Quiet {
		level = slog.LevelWarn
	}
	options := delivery.Options{
		Policy: policy, Call: call, Workers: o.Workers, PerEndpoint: o.Workers,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	if o.Forgetful {
		c, err := caller.New(call)
		if err != nil {
			return options, err
		}
		options.Caller = forgetful{c, h}
	}
	return options, nil
}

// run is the process.
func (o order) run(ctx context.Context) error {
	parent := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if !o.Serve {
			os.Exit(3) // the test has ended
		}
		close(parent)
	}()
	h, err := o.Place.open(ctx, o.Name)
	if err != nil {
		return err
	}
	options, err := o.options(h)
	if err != nil {
		return err
	}
	d, err := delivery.New(ctx, h.queue, options)
	if err != nil {
		return err
	}
	o.arm()
	if err := d.Start(ctx); err != nil {
		return err
	}
	if o.Serve {
		<-parent
	} else if err := o.work(ctx, h, d); err != nil {
		return err
	}
	return errors.Join(d.Stop(ctx), h.close())
}

// arm sees to it that the process dies where it is to.
func (o order) arm() {
	if o.Failpoint == "" {
		return
	}
	var hits atomic.Int64
	delivery.SetFailpoint(func(name string) {
		if name != o.Failpoint || hits.Add(1) != int64(o.Hit) {
			return
		}
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {} // nothing more is done here until the signal has come
	})
}

// work publishes, tells of each unit on the pipe that the parent has given, and
// returns when there is nothing left to do.
func (o order) work(ctx context.Context, h house, d *delivery.Deliverer) error {
	if o.Suspend != "" {
		if err := d.Suspend(ctx, o.Suspend); err != nil {
			return err
		}
	}
	pipe := os.NewFile(3, "pipe")
	for u := o.From; u < o.To; u++ {
		if err := publishUnit(ctx, h, d, u); err != nil {
			return fmt.Errorf("publish unit %d: %w", u, err)
		}
		if _, err := fmt.Fprintln(pipe, u); err != nil {
			return err
		}
	}
	for {
		open, err := h.unfinished(ctx)
		if err != nil || open == 0 {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// jobs is the condition of jobs that are still to be worked, but for the periodic
// one.
const jobs = `kind IN ('sluice_call', 'sluice_probe', 'sluice_drain')
	AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled')`

// unfinished returns how many announcements and jobs are still to be dealt with.
func (h house) unfinished(ctx context.Context) (n int, err error) {
	err = h.queue.Query(ctx, func(scan engine.Scan) error { return scan(&n) },
		`SELECT (SELECT count(*) FROM sluice_outbox) + (SELECT count(*) FROM river_job WHERE `+jobs+`)`)
	return n, err
}

// A unit is what is published at once, and makes two events: in turns by a save of
// a session, and by Publish.
const eventsOfUnit = 2

func bySession(u int) bool { return u%2 == 0 }

// occurrencesOf returns the ids of what happens by a unit.
func occurrencesOf(u int) [eventsOfUnit]string {
	if bySession(u) {
		return [...]string{fmt.Sprintf("u%d/2/workflow_action_group.started", u), fmt.Sprintf("u%d/2/workflow_session.started", u)}
	}
	return [...]string{fmt.Sprintf("u%d.0", u), fmt.Sprintf("u%d.1", u)}
}

// publishUnit publishes a unit, or what is missing of it.
func publishUnit(ctx context.Context, h house, d *delivery.Deliverer, u int) error {
	if !bySession(u) {
		ids := occurrencesOf(u)
		return d.Publish(ctx, occurrence(ids[0]), occurrence(ids[1]))
	}
	id := fmt.Sprint("u", u)
	_, _, err := session.Update(ctx, h.store, id, session.Create{ID: id, Name: id, WorkspaceID: "w", Template: session.Template{
		ID: "t", Name: "t", ActionGroups: []group.Type{group.IdentityVerification},
	}}, noon)
	if err != nil && !errors.Is(err, session.ErrExists) {
		return err
	}
	_, _, err = session.Update(ctx, h.store, id, session.Link{Resource: action.Resource{
		ID: id + ".1", Type: action.TypeIdentityDocumentVerification, Status: action.Pending, CreatedAt: noon, AsOf: noon,
	}}, noon)
	return err
}

// isPublished reports whether a unit was committed.
func isPublished(ctx context.Context, h house, u int) (bool, error) {
	if bySession(u) {
		s, err := h.store.Load(ctx, fmt.Sprint("u", u))
		if errors.Is(err, session.ErrNotFound) {
			return false, nil
		}
		return s.Version() == 2, err
	}
	there := false
	err := h.queue.Query(ctx, func(scan engine.Scan) error { return scan(&there) },
		`SELECT EXISTS (SELECT 1 FROM sluice_deliveries WHERE event_id = $1)`,
		webhookpolicy.EventID(occurrencesOf(u)[0], subscribed))
	return there, err
}

// subscribed is the id of the one subscription.
const subscribed = "s1"

// forgetful is the broken twin: it has its job completed before the call.
type forgetful struct {
	delivery.Caller
	house house
}

// Call completes all jobs that run, and then makes the call.
func (f forgetful) Call(ctx context.Context, r caller.Request) (caller.Record, error) {
	if err := f.house.change(ctx, `DELETE FROM river_job WHERE kind = 'sluice_call' AND state = 'running'`); err != nil {
		return caller.Record{}, err
	}
	return f.Caller.Call(ctx, r)
}

// call is one that has arrived.
type call struct {
	Event   string
	Number  int
	Process string
	At      time.Time
	Status  int // of the answer, 0 if there was none in time
}

// numbered is a call that the schedule knows, however often it was made.
type numbered struct {
	Event  string
	Number int
}

// account is what is known about the calls that some processes have made.
type account struct {
	delays   []time.Duration
	promised []string // the events that are to be delivered
	calls    []call   // those of an event in the order in which they were made

	// left are the processes that died, or lost their database: nobody knows how
	// their last calls ended.
	left map[string]bool
	// reached says how many calls of each event had ended, as was written down
	// when a process had died that calls were made by before all others.
	reached map[string]map[string]int
	// after says which of the processes in reached were dead before a process was
	// started.
	after map[string][]string

	// What the database says in the end: how each delivery ended, and how often
	// it was written down that a call begins.
	ended map[string]ended
	begun map[numbered]int
}

// ended is where a delivery stands in the end.
type ended struct {
	State string
	Calls int
}

// faults returns what is wrong.
func (a account) faults() []string {
	var all []string
	of, made := map[string][]call{}, map[numbered]int{}
	for _, c := range a.calls {
		of[c.Event] = append(of[c.Event], c)
		made[numbered{c.Event, c.Number}]++
	}
	promised := map[string]bool{}
	for _, e := range a.promised {
		promised[e] = true
		all = append(all, a.story(e, of[e])...)
	}
	for e := range of {
		if !promised[e] {
			all = append(all, fmt.Sprintf("%s: nobody has published that", e))
		}
	}
	for c, n := range made {
		if n > a.begun[c] {
			all = append(all, fmt.Sprintf("%s: call %d was made %d times, and written down %d times", c.Event, c.Number, n, a.begun[c]))
		}
	}
	return all
}

// story returns what is wrong with the calls of one event.
func (a account) story(event string, calls []call) (all []string) {
	fault := func(format string, args ...any) { all = append(all, event+": "+fmt.Sprintf(format, args...)) }
	for i, c := range calls {
		before := calls[:i]
		if c.Number > len(a.delays) {
			fault("there is no call %d", c.Number)
		}
		if i == 0 && c.Number != 0 || i > 0 && c.Number != before[i-1].Number && c.Number != before[i-1].Number+1 {
			fault("call %d does not follow on what was before", c.Number)
			continue
		}
		for _, p := range a.after[c.Process] {
			if ended := a.reached[p][event]; ended > c.Number {
				fault("%s makes call %d, and %d had ended when %s died", c.Process, c.Number, ended, p)
			}
		}
		if i > 0 && c.Number == before[i-1].Number {
			if p := before[i-1].Process; !a.left[p] {
				fault("%s made call %d again, and %s was well", c.Process, c.Number, p)
			}
			if p := before[i-1].Process; p == c.Process && a.reached[p] != nil {
				fault("%s made call %d twice", p, c.Number)
			}
		} else if i > 0 {
			a.follows(before, c, fault)
		}
	}
	end, last := a.ended[event], call{}
	if len(calls) > 0 {
		last = calls[len(calls)-1]
	}
	switch {
	case end.State == "delivered" && someCall(calls, last.Number, func(c call) bool { return c.Status/100 == 2 }):
	case end.State == "exhausted" && last.Number == len(a.delays) && last.Status >= 400:
	default:
		fault("it is lost: %q after %d calls", end.State, len(calls))
	}
	if len(calls) > 0 && end.Calls != last.Number+1 {
		fault("the database has %d calls of it, the last one that was made is call %d", end.Calls, last.Number)
	}
	return all
}

// follows checks the first call of a number that is not the first one.
func (a account) follows(before []call, c call, fault func(string, ...any)) {
	number := c.Number - 1
	if !someCall(before, number, func(c call) bool { return c.Status >= 400 }) {
		fault("call %d follows on one that did not fail", c.Number)
	}
	if number >= len(a.delays) {
		return
	}
	// The end that counts may be that of any who made it.
	enough := func(b call) bool { return !c.At.Before(b.At.Add(a.delays[number])) }
	if !someCall(before, number, enough) {
		fault("call %d came too early", c.Number)
	}
}

// someCall reports whether there is a call of a number that something is true of.
func someCall(calls []call, number int, is func(call) bool) bool {
	return slices.ContainsFunc(calls, func(c call) bool { return c.Number == number && is(c) })
}

// doubles returns how many calls were made again.
func (a account) doubles() int {
	made := map[numbered]bool{}
	for _, c := range a.calls {
		made[numbered{c.Event, c.Number}] = true
	}
	return len(a.calls) - len(made)
}

// read reads what the database says in the end.
func (a *account) read(ctx context.Context, h house) error {
	a.ended, a.begun = map[string]ended{}, map[numbered]int{}
	err := h.queue.Query(ctx, func(scan engine.Scan) error {
		var event string
		var e ended
		err := scan(&event, &e.State, &e.Calls)
		a.ended[event] = e
		return err
	}, `SELECT event_id, state, number FROM sluice_deliveries`)
	if err != nil {
		return err
	}
	return h.queue.Query(ctx, func(scan engine.Scan) error {
		var c numbered
		var n int
		err := scan(&c.Event, &c.Number, &n)
		a.begun[c] = n
		return err
	}, `SELECT event_id, number, count(*) FROM sluice_calls GROUP BY event_id, number`)
}

// lockedLog is the log of a process.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String returns what was written.
func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
