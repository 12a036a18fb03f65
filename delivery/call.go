package delivery

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// workCall is the job of one call.
func (d *Deliverer) workCall(ctx context.Context, job *river.Job[callArgs]) error {
	args := job.Args
	if d.stopping.Load() {
		return river.JobSnooze(0)
	}
	if wait := moment(args.At).Sub(d.now()); wait > 0 {
		return river.JobSnooze(wait)
	}
	leave, wait := d.lanes.enter(cmp.Or(d.directory.endpoint(args.SubscriptionID), args.SubscriptionID))
	if wait > 0 {
		return river.JobSnooze(wait)
	}
	begun, err := d.ledger.begin(job.JobRow, args)
	if err == nil && begun.verdict == webhookpolicy.Call && !d.stopping.Load() {
		return d.call(ctx, begun, leave)
	}
	leave()
	switch {
	case err != nil:
		return fmt.Errorf("begin call %d of %s: %w", args.Number, args.EventID, err)
	case begun.verdict == webhookpolicy.Wait:
		return river.JobSnooze(max(begun.until.Sub(d.now()), 0))
	case begun.verdict == webhookpolicy.Call: // when stopping
		return river.JobSnooze(0)
	}
	return nil
}

// call makes a call, leaves its lane, and writes down how it ended.
func (d *Deliverer) call(ctx context.Context, b *beginning, leave func()) error {
	info, leave := infoOf(b), sync.OnceFunc(leave)
	defer leave() // also where a Caller of the host's panics
	observed, ended := d.o.Observer.CallBegins(ctx, info)
	failpoint("call: about to send")
	record, err := d.o.Caller.Call(observed, b.request)
	leave()
	failpoint("call: answered")
	if err != nil {
		if ctx.Err() != nil { // broken off by Stop, and handed back
			ended(CallEnd{Err: err})
			return ctx.Err()
		}
		record = d.uncallable(err)
	}
	end, err := d.ledger.end(b, record)
	ended(CallEnd{Outcome: record.Outcome, Decision: end.decision, Err: err})
	if err != nil {
		return fmt.Errorf("end call %d of %s: %w", b.args.Number, b.args.EventID, err)
	}
	d.logEnd(info, end)
	return nil
}

// uncallable is the record of a call that cannot be made by what it was asked for,
// such as an endpoint that the caller does not allow: it has failed like others.
func (d *Deliverer) uncallable(err error) caller.Record {
	now := d.now()
	return caller.Record{
		Outcome: webhookpolicy.Outcome{Result: webhookpolicy.ConnectionFailed, Began: now, Ended: now},
		Detail:  err.Error(),
	}
}

// write is a transaction of the ledger: one round trip to read what both kinds of
// entries depend on, and one to write what they come to.
func (d *Deliverer) write(ctx context.Context, begins []*beginning, ends []*ending) error {
	var lines []line
	err := d.inTx(ctx, "ledger", func(ctx context.Context, tx engine.Tx) error {
		w := &entries{
			writing: writing{now: d.now()}, health: map[string]webhookpolicy.Health{}, changed: map[string]bool{},
			begun: map[string]*standing{}, ended: map[string]*standing{},
		}
		if err := d.readEntries(ctx, tx, w, begins, ends); err != nil {
			return err
		}
		for _, e := range ends {
			if err := d.writeEnd(w, e, w.ended[e.args.EventID]); err != nil {
				return err
			}
		}
		var settle []*beginning
		for _, b := range begins {
			if !d.writeBegin(w, b, w.begun[b.args.EventID]) {
				settle = append(settle, b)
			}
		}
		if err := w.flush(ctx, tx); err != nil {
			return err
		}
		settled, err := d.settle(ctx, tx, settle, w)
		lines = slices.Concat(w.lines, settled)
		return err
	})
	if err == nil {
		d.log(lines)
	}
	return err
}

// entries collects what a transaction of the ledger reads and writes.
type entries struct {
	writing
	begun, ended map[string]*standing
	health       map[string]webhookpolicy.Health // of endpoints, which are locked
	changed      map[string]bool                 // those whose health is to be written
	intents      []callRow
}

// readEntries reads what entries depend on, and writes what depends on nothing: how
// calls ended, and that their jobs are done.
func (d *Deliverer) readEntries(ctx context.Context, tx engine.Tx, w *entries, begins []*beginning, ends []*ending) error {
	dialect := tx.Dialect()
	var send []engine.Statement
	if len(ends) > 0 {
		ids, jobs, records, observed := make([]string, len(ends)), make([]int64, len(ends)), make([]callRow, len(ends)), map[string]bool{}
		for i, e := range ends {
			ids[i], jobs[i], records[i] = e.args.EventID, e.job, e.row()
			if e.matters() {
				observed[e.request.Endpoint] = true
			}
		}
		if len(observed) > 0 {
			send = append(send, ensureEndpoints(dialect, observed, w.now), readHealths(dialect, observed, w.health))
		}
		send = append(send, d.readStandings(dialect, true, ids, w.ended), writeRecords(dialect, records), tx.Complete(jobs...))
	}
	if len(begins) > 0 {
		ids := make([]string, len(begins))
		for i, b := range begins {
			ids[i] = b.args.EventID
		}
		send = append(send, d.readStandings(dialect, false, ids, w.begun))
	}
	return tx.Send(ctx, send...)
}

// flush writes.
func (w *entries) flush(ctx context.Context, tx engine.Tx) error {
	var send []engine.Statement
	if len(w.changed) > 0 {
		send = append(send, putHealth(tx.Dialect(), w.changed, w.health, w.now))
	}
	if len(w.intents) > 0 {
		send = append(send, writeIntents(tx.Dialect(), w.intents))
	}
	return w.writing.flush(ctx, tx, send...)
}

// writeBegin says of a call that falls due whether it is to be made, and writes
// down that it begins. It reports false if the delivery is to be parked or ended.
func (d *Deliverer) writeBegin(w *entries, b *beginning, s *standing) bool {
	b.verdict = 0
	if !b.current(s) {
		return true
	}
	next, decision := webhookpolicy.Decide(d.o.Policy, s.subscription, s.health, s.delivery, webhookpolicy.Outcome{}, w.now)
	switch decision.Verdict {
	case webhookpolicy.Call:
		b.verdict, b.delivery, b.probe, b.event = decision.Verdict, next, decision.Probe, webhookpolicy.EventName(s.EventName)
		b.request = caller.Request{
			Endpoint: decision.Endpoint, Body: []byte(s.Body), Secret: s.subscription.Secret(),
			Number: decision.Number, Timeout: decision.Timeout,
		}
		w.intents = append(w.intents, b.intent(w.now))
	case webhookpolicy.Wait:
		b.verdict, b.until = decision.Verdict, decision.At
	default:
		return false
	}
	return true
}

// current reports whether the job of a call is not stale: the delivery has not
// ended, and nothing has happened to it since the job was made.
func (b *beginning) current(s *standing) bool {
	return s != nil && s.Ended == nil && s.Queued && s.Epoch == b.args.Epoch && s.Number == b.args.Number
}

// settle parks deliveries whose calls have fallen due, or ends them without a
// call. What is decided by the health of an endpoint is decided again under its
// lock, so that what is parked is parked before a release or after it.
func (d *Deliverer) settle(ctx context.Context, tx engine.Tx, begins []*beginning, read *entries) ([]line, error) {
	if len(begins) == 0 {
		return nil, nil
	}
	ids, jobs, endpoints := make([]string, len(begins)), []int64(nil), map[string]bool{}
	for i, b := range begins {
		ids[i] = b.args.EventID
		if e := read.begun[b.args.EventID].subscription.Endpoint(); e != "" {
			endpoints[e] = true
		}
	}
	health, err := lockHealth(ctx, tx, endpoints)
	if err != nil {
		return nil, err
	}
	all, err := d.standings(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	w := writing{now: read.now}
	for _, b := range begins {
		s := all[b.args.EventID]
		if !b.current(s) {
			continue
		}
		h := health[s.subscription.Endpoint()]
		next, decision := webhookpolicy.Decide(d.o.Policy, s.subscription, h, s.delivery, webhookpolicy.Outcome{}, w.now)
		if decision.Verdict == webhookpolicy.Call || decision.Verdict == webhookpolicy.Wait {
			b.verdict, b.until = webhookpolicy.Wait, w.now // it was released meanwhile
			continue
		}
		if err := w.put(s, next, decision, h); err != nil {
			return nil, err
		}
		w.uncalled(s, decision)
		jobs = append(jobs, b.job)
	}
	return w.lines, w.flush(ctx, tx, tx.Complete(jobs...))
}

// writing collects what a transaction writes.
type writing struct {
	now   time.Time
	rows  []*row
	jobs  []engine.Job
	lines []line // to be logged once it is kept
}

// put takes in what was decided about a delivery, given the health of the endpoint
// that its subscription has.
func (w *writing) put(s *standing, next webhookpolicy.Delivery, decision webhookpolicy.Decision, h webhookpolicy.Health) error {
	endpoint := next.Endpoint()
	if decision.Verdict == webhookpolicy.Park && !s.subscription.IsZero() {
		endpoint = s.subscription.Endpoint()
	}
	if err := s.put(next, endpoint, w.now); err != nil {
		return err
	}
	w.rows = append(w.rows, s.row)
	if decision.Verdict == webhookpolicy.Wait {
		w.jobs = append(w.jobs, callJob(s.row, decision.At, w.now))
	}
	if decision.Verdict == webhookpolicy.Park {
		w.jobs = append(w.jobs, probeJob(endpoint, latest(h.ProbeAt(), next.Due(), w.now), w.now))
	}
	return nil
}

// flush writes, and sends other statements with it.
func (w *writing) flush(ctx context.Context, tx engine.Tx, others ...engine.Statement) error {
	if len(w.rows) > 0 {
		others = append(others, updateRows(tx.Dialect(), w.rows))
	}
	if err := tx.Send(ctx, others...); err != nil {
		return err
	}
	return tx.Insert(ctx, w.jobs...)
}

func latest(times ...time.Time) time.Time {
	t := times[0]
	for _, o := range times[1:] {
		if o.After(t) {
			t = o
		}
	}
	return t
}

// matters reports whether the end of a call depends on the health of its endpoint,
// or changes it.
func (e *ending) matters() bool {
	return e.args.Number > 0 || e.probe || !e.record.Outcome.Success()
}

// writeEnd takes in the end of one call.
func (d *Deliverer) writeEnd(w *entries, e *ending, s *standing) error {
	e.stale = !e.current(s)
	if e.stale {
		return nil
	}
	at, p := e.request.Endpoint, d.o.Policy
	before := w.health[at]
	h := before.Observe(p, e.delivery, e.record.Outcome)
	if h != before {
		w.health[at], w.changed[at] = h, true
		w.healthChanged(at, before, h)
	}
	// The subscription may have another endpoint by now, which is looked at when
	// the next call falls due.
	if s.subscription.Endpoint() != at && !s.subscription.IsZero() {
		h = webhookpolicy.Health{}
	}
	next, decision := webhookpolicy.Decide(p, s.subscription, h, e.delivery, e.record.Outcome, w.now)
	e.decision = decision
	if e.probe && decision.Verdict == webhookpolicy.Wait {
		s.Epoch++ // it was released meanwhile, and its number has a call and a job by now
	}
	return w.put(s, next, decision, h)
}

// healthChanged takes in that the health of an endpoint is another one.
func (w *entries) healthChanged(endpoint string, before, h webhookpolicy.Health) {
	switch {
	case h.Condition() != webhookpolicy.Open:
		w.jobs = append(w.jobs, probeJob(endpoint, h.ProbeAt(), w.now))
		if before.Condition() == webhookpolicy.Open {
			ended, failed := h.Counts()
			w.log(slog.LevelWarn, "endpoint suspended", "host", hostOf(endpoint), "ended", ended, "failed", failed)
		}
	case before.Condition() != webhookpolicy.Open:
		w.jobs = append(w.jobs, drainJob(endpoint, h.ReleasedAt()))
		w.log(slog.LevelInfo, "endpoint released by a probe", "host", hostOf(endpoint))
	}
}

// callRow is a call as it is kept.
type callRow struct {
	EventID  string `json:"event_id"`
	Epoch    int    `json:"epoch"`
	Number   int    `json:"number"`
	Attempt  int    `json:"attempt"`
	Began    int64  `json:"began"`
	Ended    *int64 `json:"ended"`
	Probe    bool   `json:"probe"`
	Endpoint string `json:"endpoint"`
	Record   string `json:"record,omitempty"`
}

// intent is the call that begins.
func (b *beginning) intent(now time.Time) callRow {
	return callRow{
		EventID: b.args.EventID, Epoch: b.args.Epoch, Number: b.args.Number, Attempt: b.attempt,
		Began: micros(now), Probe: b.probe, Endpoint: b.request.Endpoint,
	}
}

// row is the call that has ended.
func (e *ending) row() callRow {
	r := e.intent(e.record.Outcome.Began)
	ended := micros(e.record.Outcome.Ended)
	r.Ended, r.Record = &ended, engine.JSON(e.record)
	return r
}

// callColumns are those of callRow.
const callColumns = `event_id text, epoch bigint, number bigint, attempt bigint, began bigint, ended bigint, ` +
	`probe boolean, endpoint text, record text`

func writeIntents(dialect engine.Dialect, calls []callRow) engine.Statement {
	return engine.Statement{What: "write that calls begin", Query: `
		INSERT INTO sluice_calls (event_id, epoch, number, attempt, began, probe, endpoint)
		SELECT event_id, epoch, number, attempt, began, probe, endpoint FROM ` + dialect.Records(1, "r", callColumns) + `
		WHERE true ON CONFLICT (event_id, epoch, number, attempt) DO UPDATE
		SET began = excluded.began, endpoint = excluded.endpoint`, Args: []any{engine.JSON(calls)}}
}

func writeRecords(dialect engine.Dialect, calls []callRow) engine.Statement {
	return engine.Statement{What: "write how calls ended", Query: `
		UPDATE sluice_calls AS c SET began = r.began, ended = r.ended, record = r.record
		FROM ` + dialect.Records(1, "r", callColumns) + `
		WHERE c.event_id = r.event_id AND c.epoch = r.epoch AND c.number = r.number AND c.attempt = r.attempt`,
		Args: []any{engine.JSON(calls)}}
}
