package delivery_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

// desk is a whole deliverer over a real database, in virtual time. River's loops
// are played: the desk takes the job that is due next, moves the clock there, has
// the deliverer work it, and does with it what River would. Receivers are played
// too: a call that they are asked for goes on while the clock moves, so that
// others begin and end meanwhile. Of all goroutines one runs at a time, and what
// is due at one time comes in one order: ends of calls, then jobs by their ids.
//
// What goes wrong with the desk itself is a panic.
type desk struct {
	house house
	o     delivery.Options
	db    *sql.DB
	*delivery.Deliverer

	now    time.Time
	answer func(*deskCall) deskAnswer // how receivers answer; nil is 204 within 100 ms
	calls  []*deskCall                // all that began, in this order
	under  []*deskCall                // those that are under way
	begun  chan *deskCall

	// crash is the failpoint where the next worker dies, and crashes how often
	// that is passed before.
	crash   string
	crashes int
	died    bool
	rescue  time.Duration // after that River gives its job to another worker

	// What happens is told to these, if they are there.
	began  func(*deskCall)
	ended  func(*deskCall)
	lost   func(row *rivertype.JobRow, until time.Time)
	spare  func(row *rivertype.JobRow) bool // whether no worker is to die of a job
	lose   func(*deskCall) bool             // whether a call is not to reach its receiver
	tell   func(what string)                // what happened, for counts
	strike error                            // the first job that failed without a crash
}

// deskCall is one that a receiver has got.
type deskCall struct {
	caller.Request
	eventID      string
	n            int // which of all calls
	began, ends  time.Time
	outcome      webhookpolicy.Outcome
	worker       *deskWorker
	hangUp       chan struct{}
	subscription string
	broken       bool // its worker dies before the end
	hidden       bool // its receiver did not get it
}

// deskAnswer is what a receiver does with a call. Without an outcome it answers
// nothing for ever.
type deskAnswer struct {
	outcome webhookpolicy.Outcome
	took    time.Duration
}

// deskWorker is a job that is worked.
type deskWorker struct {
	row  *rivertype.JobRow
	done chan error
}

// newDesk opens a desk in an empty database.
func newDesk(tb testing.TB, o delivery.Options) *desk {
	tb.Helper()
	h := sqliteHouse(tb)
	k := &desk{house: h, o: o, db: h.store.(*sqlite.Store).Writer(), now: noon, rescue: time.Minute}
	// The machine does not fail, and nobody waits for its disk.
	_, err := k.db.ExecContext(tb.Context(), `PRAGMA synchronous = OFF`)
	require.NoError(tb, err)
	tb.Cleanup(func() { delivery.SetFailpoint(func(string) {}) })
	k.open()
	return k
}

// open opens the deliverer, as a process that begins.
func (k *desk) open() {
	k.begun = make(chan *deskCall)
	o := k.o
	o.Now, o.Caller = func() time.Time { return k.now }, k
	if o.PerEndpoint == 0 {
		o.PerEndpoint = 1 << 20
	}
	var err error
	k.Deliverer, err = delivery.New(context.Background(), k.house.queue, o)
	must(err)
	k.InVirtualTime()
	delivery.SetFailpoint(k.fail)
}

// clear empties the database, for the next desk in it.
func (k *desk) clear() {
	for _, table := range []string{
		"sluice_deliveries", "sluice_calls", "sluice_endpoints", "sluice_subscriptions", "river_job", "river_notification",
	} {
		k.exec(`DELETE FROM ` + table)
	}
	k.o.NoMigrations = true
	for _, c := range k.under {
		c.broken = true
		close(c.hangUp)
		<-c.worker.done
	}
	k.now, k.calls, k.under, k.crash, k.died, k.strike = noon, nil, nil, "", false, nil
	k.began, k.ended, k.lost, k.lose, k.spare = nil, nil, nil, nil, nil
	k.open()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (k *desk) exec(query string, args ...any) {
	_, err := k.db.ExecContext(context.Background(), query, args...)
	must(err)
}

// fail is where a worker may die.
func (k *desk) fail(name string) {
	if name != k.crash {
		return
	}
	if k.crashes--; k.crashes < 0 {
		k.crash, k.died = "", true
		panic("the process has died: " + name)
	}
}

// at writes a time as River does in SQLite.
func at(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// due returns the job that is due next, nil if there is none, and when.
func (k *desk) due() (*rivertype.JobRow, time.Time) {
	row, scheduled := &rivertype.JobRow{}, ""
	err := k.db.QueryRowContext(context.Background(), `SELECT id, kind, json(args), attempt, CAST(scheduled_at AS TEXT)
		FROM river_job WHERE state IN ('available', 'scheduled', 'retryable') ORDER BY scheduled_at, id LIMIT 1`).
		Scan(&row.ID, &row.Kind, &row.EncodedArgs, &row.Attempt, &scheduled)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, time.Time{}
	}
	must(err)
	when, err := time.Parse("2006-01-02 15:04:05.000", scheduled)
	must(err)
	return row, when
}

// next returns when something happens next, the zero time for never, and which
// job is worked then unless a call ends.
func (k *desk) next() (*rivertype.JobRow, time.Time) {
	row, when := k.due()
	if c := k.endsNext(); c != nil && (row == nil || !c.ends.After(when)) {
		return nil, c.ends
	}
	return row, when
}

// step does what comes next, up to a time, and reports whether there was
// anything.
func (k *desk) step(until time.Time) bool {
	row, when := k.next()
	if when.IsZero() || when.After(until) {
		return false
	}
	k.now = later(k.now, when)
	if row == nil {
		k.end(k.endsNext())
	} else {
		k.work(row)
	}
	return true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// endsNext returns the call under way that ends first, nil if there is none.
func (k *desk) endsNext() *deskCall {
	if len(k.under) == 0 {
		return nil
	}
	return slices.MinFunc(k.under, func(a, b *deskCall) int { return a.ends.Compare(b.ends) })
}

// pass has time pass, and all happen that is due until then. What begins then is
// under way.
func (k *desk) pass(d time.Duration) {
	until := k.now.Add(d)
	for k.step(until) {
	}
	k.now = until
}

// finish has time pass until nothing is due any more, or so much has passed.
func (k *desk) finish(most time.Duration) {
	for until := k.now.Add(most); k.step(until); {
	}
}

// work has a job worked until its call begins, or its end.
func (k *desk) work(row *rivertype.JobRow) {
	row.Attempt++
	k.exec(`UPDATE river_job SET state = 'running', attempt = ?, attempted_at = ? WHERE id = ?`, row.Attempt, at(k.now), row.ID)
	w := &deskWorker{row: row, done: make(chan error, 1)}
	if crash := k.crash; k.spare != nil && k.spare(row) {
		k.crash = ""
		defer func() { k.crash = crash }()
	}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				w.done <- fmt.Errorf("panic: %v", p)
			}
		}()
		w.done <- k.WorkJob(context.Background(), row)
	}()
	select {
	case c := <-k.begun:
		c.worker = w
		k.under = append(k.under, c)
		if k.began != nil && !c.hidden {
			k.began(c)
		}
	case err := <-w.done:
		k.worked(w, err)
	}
}

// crowd has all jobs worked that are due now, at one time: none of them may make
// a call.
func (k *desk) crowd() {
	rows, err := k.db.QueryContext(context.Background(), `UPDATE river_job SET state = 'running', attempt = attempt + 1
		WHERE state IN ('available', 'scheduled', 'retryable') AND scheduled_at <= ? RETURNING id, kind, json(args), attempt`, at(k.now))
	must(err)
	defer rows.Close() //nolint:errcheck // it is closed below
	var all []*deskWorker
	for rows.Next() {
		w := &deskWorker{row: &rivertype.JobRow{}, done: make(chan error, 1)}
		must(rows.Scan(&w.row.ID, &w.row.Kind, &w.row.EncodedArgs, &w.row.Attempt))
		all = append(all, w)
	}
	must(rows.Err())
	must(rows.Close())
	for _, w := range all {
		go func() { w.done <- k.WorkJob(context.Background(), w.row) }()
	}
	for _, w := range all {
		must(<-w.done)
	}
	k.exec(`DELETE FROM river_job WHERE state IN ('running', 'completed')`)
}

// Call implements [delivery.Caller]: it lets the desk go on, until the end.
func (k *desk) Call(_ context.Context, r caller.Request) (caller.Record, error) {
	e, err := webhookpolicy.ParseEnvelope(r.Body, webhookpolicy.Limits{})
	must(err)
	c := &deskCall{
		Request: r, eventID: e.EventID, subscription: e.SubscriptionID, n: len(k.calls), began: k.now,
		hangUp: make(chan struct{}),
	}
	a := deskAnswer{webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 204}, 100 * time.Millisecond}
	if k.answer != nil {
		a = k.answer(c)
	}
	if a.outcome.IsZero() || a.took >= r.Timeout {
		a = deskAnswer{webhookpolicy.Outcome{Result: webhookpolicy.TimedOut}, r.Timeout}
	}
	c.outcome, c.ends = a.outcome, k.now.Add(a.took)
	c.outcome.Began, c.outcome.Ended = k.now, c.ends
	if c.hidden = k.lose != nil && k.lose(c); !c.hidden {
		k.calls = append(k.calls, c)
	}
	k.begun <- c
	<-c.hangUp
	if c.broken {
		panic("the process has died")
	}
	return caller.Record{Outcome: c.outcome}, nil
}

// end is the end of a call.
func (k *desk) end(c *deskCall) {
	k.under = slices.DeleteFunc(k.under, func(o *deskCall) bool { return o == c })
	close(c.hangUp)
	k.worked(c.worker, <-c.worker.done)
	if k.ended != nil && !c.hidden && k.state(c.worker.row.ID) == "" {
		k.ended(c)
	}
}

// row returns a job that is in no table.
func (k *desk) row(kind, args string) *rivertype.JobRow {
	return &rivertype.JobRow{ID: 1 << 40, Kind: kind, EncodedArgs: []byte(args), Attempt: 1}
}

// state returns that of a job, "" if it is done.
func (k *desk) state(id int64) (state string) {
	err := k.db.QueryRowContext(context.Background(), `SELECT state FROM river_job WHERE id = ?`, id).Scan(&state)
	if !errors.Is(err, sql.ErrNoRows) {
		must(err)
	}
	return state
}

// worked does what River does after a job.
func (k *desk) worked(w *deskWorker, err error) {
	var snooze *rivertype.JobSnoozeError
	id := w.row.ID
	switch {
	case k.died:
		k.died = false
		until := k.now.Add(k.rescue)
		k.exec(`UPDATE river_job SET state = 'retryable', scheduled_at = ? WHERE id = ? AND state = 'running'`, at(until), id)
		k.exec(`DELETE FROM river_job WHERE id = ? AND state = 'completed'`, id)
		if k.lost != nil && k.state(id) != "" {
			k.lost(w.row, until)
		}
		return
	case errors.As(err, &snooze):
		k.exec(`UPDATE river_job SET state = 'scheduled', attempt = attempt - 1, scheduled_at = ? WHERE id = ?`,
			at(k.now.Add(snooze.Duration)), id)
		return
	case err != nil:
		k.strike = errors.Join(k.strike, fmt.Errorf("%s %s: %w", w.row.Kind, w.row.EncodedArgs, err))
	}
	k.exec(`DELETE FROM river_job WHERE id = ?`, id)
}

// die has the process die, with all calls that are under way, and another begin.
func (k *desk) die() {
	for _, c := range k.under {
		c.broken = true
		close(c.hangUp)
		err := <-c.worker.done
		k.died = true
		k.worked(c.worker, err)
	}
	k.under = nil
	k.open()
}

// change changes a subscription.
func (k *desk) change(id string, change func(*webhookpolicy.Settings)) {
	_, err := k.UpdateSubscription(context.Background(), id, func(s webhookpolicy.Subscription) (webhookpolicy.Subscription, error) {
		settings := s.Settings()
		change(&settings)
		return s.Update(settings, k.now)
	})
	must(err)
}

// of returns the delivery of an occurrence to a subscription.
func (k *desk) of(occurrence, subscription string) delivery.Delivery {
	story, err := k.Explain(context.Background(), webhookpolicy.EventID(occurrence, subscription))
	must(err)
	return story.Delivery
}

// all returns all deliveries, oldest first.
func (k *desk) all() []delivery.Delivery {
	var all []delivery.Delivery
	for q := (delivery.Query{Limit: 1000}); ; {
		page, err := k.Deliveries(context.Background(), q)
		must(err)
		all = append(all, page.Deliveries...)
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

// raced reports whether the race detector is on, with which SQLite is sixteen times
// as slow: then long tests are shorter.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
