package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Endpoint is an exact URL that calls go to, across subscriptions, as far as it
// was ever called again after a failure (WHK-8).
type Endpoint struct {
	URL    string
	Health webhookpolicy.Health
	Parked int // how many deliveries wait for its release
}

// Endpoint returns an endpoint. One that nothing is known of is open.
func (d *Deliverer) Endpoint(ctx context.Context, url string) (Endpoint, error) {
	e := Endpoint{URL: url}
	err := d.queue.Query(ctx, func(scan engine.Scan) error {
		var document *string
		if err := scan(&e.Parked, &document); err != nil {
			return err
		}
		var err error
		e.Health, err = readHealth(document)
		return err
	}, `SELECT (SELECT count(*) FROM sluice_deliveries WHERE endpoint = $1 AND state = 'parked' AND NOT queued),
		(SELECT document FROM sluice_endpoints WHERE endpoint = $1)`, url)
	if err != nil {
		return e, fmt.Errorf("read an endpoint: %w", err)
	}
	return e, nil
}

// Suspended returns up to a number of endpoints that are not open, in the order of
// their URLs, behind one: "" for the beginning.
func (d *Deliverer) Suspended(ctx context.Context, after string, limit int) ([]Endpoint, error) {
	var all []Endpoint
	err := d.queue.Query(ctx, func(scan engine.Scan) error {
		var e Endpoint
		var document string
		if err := scan(&e.URL, &document, &e.Parked); err != nil {
			return err
		}
		var err error
		e.Health, err = readHealth(&document)
		all = append(all, e)
		return err
	}, `SELECT e.endpoint, e.document,
			(SELECT count(*) FROM sluice_deliveries d
				WHERE d.endpoint = e.endpoint AND d.state = 'parked' AND NOT d.queued)
		FROM sluice_endpoints e
		WHERE e.condition IN ('suspended', 'probing') AND e.endpoint > $1 ORDER BY e.endpoint LIMIT $2`,
		after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read suspended endpoints: %w", err)
	}
	return all, nil
}

// Suspend has an endpoint not called any more, as if too many calls had failed
// (WHK-8): what falls due for it is parked until a probe succeeds or it is
// released. One that is suspended already stays as it is.
func (d *Deliverer) Suspend(ctx context.Context, url string) error {
	return d.changeHealth(ctx, url, "suspended", func(h webhookpolicy.Health, now time.Time) (webhookpolicy.Health, []engine.Job) {
		h = h.Suspend(d.o.Policy, now)
		return h, []engine.Job{probeJob(url, h.ProbeAt(), now)}
	})
}

// Release has an endpoint called again that was suspended (WHK-8). What was parked
// goes out oldest first, at the rate of the policy. One that is open stays as it
// is.
func (d *Deliverer) Release(ctx context.Context, url string) error {
	return d.changeHealth(ctx, url, "released", func(h webhookpolicy.Health, now time.Time) (webhookpolicy.Health, []engine.Job) {
		h = h.Release(now)
		return h, []engine.Job{drainJob(url, h.ReleasedAt())}
	})
}

// Probe has a suspended endpoint tried now by the oldest delivery that is parked
// for it and due, without waiting for its time. It reports whether there is one.
func (d *Deliverer) Probe(ctx context.Context, url string) (bool, error) {
	probed, lines := false, []line(nil)
	err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) (err error) {
		probed, lines, err = d.probe(ctx, tx, url, true)
		return err
	})
	if err == nil {
		d.log(lines)
	}
	return probed, err
}

// changeHealth changes the health of an endpoint under its lock.
func (d *Deliverer) changeHealth(
	ctx context.Context, url, what string, change func(h webhookpolicy.Health, now time.Time) (webhookpolicy.Health, []engine.Job),
) error {
	now, one := d.now(), map[string]bool{url: true}
	if _, host := originOf(url); host == "" {
		return fmt.Errorf("%w: %q is no URL of an endpoint", ErrQuery, url)
	}
	changed := false
	err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		health := map[string]webhookpolicy.Health{}
		err := tx.Send(ctx, ensureEndpoints(tx.Dialect(), one, now), readHealths(tx.Dialect(), one, health))
		if err != nil {
			return err
		}
		next, jobs := change(health[url], now)
		if next == health[url] {
			return nil
		}
		health[url], changed = next, true
		if err := tx.Send(ctx, putHealth(tx.Dialect(), one, health, now)); err != nil {
			return err
		}
		return tx.Insert(ctx, jobs...)
	})
	if err == nil && changed {
		d.o.Logger.Info("endpoint "+what+" by hand", "host", hostOf(url))
	}
	return err
}

// workProbe is the job that lets a parked delivery probe its endpoint.
func (d *Deliverer) workProbe(ctx context.Context, job *river.Job[probeArgs]) error {
	if wait := moment(job.Args.At).Sub(d.now()); wait > 0 {
		return river.JobSnooze(wait)
	}
	var lines []line
	err := d.inTx(ctx, "probe", func(ctx context.Context, tx engine.Tx) (err error) {
		if _, lines, err = d.probe(ctx, tx, job.Args.Endpoint, false); err != nil {
			return err
		}
		return tx.Send(ctx, tx.Complete(job.ID))
	})
	if err == nil {
		d.log(lines)
	}
	return err
}

// probeBatch is how many parked deliveries are looked at for one that can probe:
// others may have been canceled meanwhile, or go to another endpoint.
const probeBatch = 100

// probe grants a probe to the oldest delivery that is parked and due, if the time
// for one has come, or else sees to it that somebody looks again.
func (d *Deliverer) probe(ctx context.Context, tx engine.Tx, url string, early bool) (bool, []line, error) {
	health, err := lockHealth(ctx, tx, map[string]bool{url: true})
	if err != nil {
		return false, nil, err
	}
	h, w := health[url], writing{now: d.now()}
	if h.Condition() == webhookpolicy.Open {
		return false, nil, nil
	}
	at := w.now
	if early {
		at = latest(h.ProbeAt(), w.now)
	} else if h.ProbeAt().After(w.now) {
		return false, nil, tx.Insert(ctx, probeJob(url, h.ProbeAt(), w.now))
	}
	ids, err := parked(ctx, tx, `AND d.due <= $2`, url, micros(w.now), probeBatch)
	if err != nil {
		return false, nil, err
	}
	all, err := d.standings(ctx, tx, ids)
	if err != nil {
		return false, nil, err
	}
	granted := false
	for _, id := range ids {
		if granted, err = d.grant(&w, all[id], url, &h, at); err != nil {
			return false, nil, err
		}
		if granted {
			break
		}
	}
	switch {
	case granted:
		health[url] = h
		err = tx.Send(ctx, putHealth(tx.Dialect(), map[string]bool{url: true}, health, w.now))
		w.jobs = append(w.jobs, probeJob(url, h.ProbeAt(), w.now)) // if the process dies that calls
	case len(ids) == probeBatch:
		w.jobs = append(w.jobs, probeJob(url, w.now.Add(time.Millisecond), w.now))
	default:
		err = d.probeLater(ctx, tx, &w, url)
	}
	return granted, w.lines, errors.Join(err, w.flush(ctx, tx))
}

// grant lets a delivery probe an endpoint, unless it has no call to make there:
// then that is seen to, and the next one may.
func (d *Deliverer) grant(w *writing, s *standing, url string, h *webhookpolicy.Health, at time.Time) (bool, error) {
	if s.subscription.Endpoint() != url && s.subscription.Enabled() {
		return false, w.requeue(s, s.delivery, w.now) // it looks at the new endpoint itself
	}
	probing, ok := h.Probe(s.EventID, at)
	if !ok {
		return false, nil
	}
	next, decision := webhookpolicy.Decide(d.o.Policy, s.subscription, probing, s.delivery, webhookpolicy.Outcome{}, at)
	if decision.Verdict != webhookpolicy.Call {
		err := w.put(s, next, decision, *h)
		w.uncalled(s, decision)
		return false, err
	}
	*h = probing
	return true, w.requeue(s, next, w.now)
}

// requeue gives a delivery that is parked a job again, in a new epoch.
func (w *writing) requeue(s *standing, next webhookpolicy.Delivery, at time.Time) error {
	endpoint := s.Endpoint
	if err := s.put(next, endpoint, w.now); err != nil {
		return err
	}
	s.Epoch++
	s.Queued = true
	w.rows = append(w.rows, s.row)
	w.jobs = append(w.jobs, callJob(s.row, at, w.now))
	return nil
}

// probeLater has somebody look again when a delivery that is parked falls due.
func (d *Deliverer) probeLater(ctx context.Context, tx engine.Tx, w *writing, url string) error {
	return tx.Query(ctx, func(scan engine.Scan) error {
		var due *int64
		if err := scan(&due); err != nil {
			return err
		}
		if due != nil {
			w.jobs = append(w.jobs, probeJob(url, latest(moment(*due), w.now.Add(time.Millisecond)), w.now))
		}
		return nil
	}, `SELECT min(due) FROM sluice_deliveries WHERE endpoint = $1 AND state = 'parked' AND NOT queued AND due > $2`,
		url, micros(w.now))
}

// parked returns the ids of deliveries that are parked for an endpoint, oldest
// first. The last parameter is how many.
func parked(ctx context.Context, tx engine.Tx, where string, args ...any) ([]string, error) {
	var ids []string
	err := tx.Query(ctx, func(scan engine.Scan) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, fmt.Sprintf(`SELECT d.event_id FROM sluice_deliveries d
		WHERE d.endpoint = $1 AND d.state = 'parked' AND NOT d.queued %s
		ORDER BY d.created, d.event_id LIMIT $%d`, where, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("read what is parked: %w", err)
	}
	return ids, nil
}

// drainBatch is how many parked deliveries are given their slots at a time.
const drainBatch = 200

// drainJob returns the job that begins the drain of an endpoint.
func drainJob(endpoint string, released time.Time) engine.Job {
	return engine.Job{Args: drainArgs{Endpoint: endpoint, Released: micros(released)}}
}

// workDrain is the job that gives the next parked deliveries their slots.
func (d *Deliverer) workDrain(ctx context.Context, job *river.Job[drainArgs]) error {
	return d.inTx(ctx, "drain", func(ctx context.Context, tx engine.Tx) error {
		if err := d.drain(ctx, tx, job.Args); err != nil {
			return err
		}
		return tx.Send(ctx, tx.Complete(job.ID))
	})
}

func (d *Deliverer) drain(ctx context.Context, tx engine.Tx, a drainArgs) error {
	health, err := lockHealth(ctx, tx, map[string]bool{a.Endpoint: true})
	if err != nil {
		return err
	}
	h, w := health[a.Endpoint], writing{now: d.now()}
	var ids []string
	switch {
	case a.SubscriptionID != "":
		ids, err = parked(ctx, tx, `AND d.subscription_id = $2`, a.Endpoint, a.SubscriptionID, drainBatch)
	case h.Condition() != webhookpolicy.Open || micros(h.ReleasedAt()) != a.Released:
		return nil // it was suspended again
	default:
		ids, err = parked(ctx, tx, "", a.Endpoint, drainBatch)
	}
	if err != nil {
		return err
	}
	all, err := d.standings(ctx, tx, ids)
	if err != nil {
		return err
	}
	released := moment(a.Released)
	for i, id := range ids {
		// If this job comes late, those whose slots have passed are still not to go
		// all at once.
		s, slot := all[id], latest(d.o.Policy.DrainSlot(released, a.From+i), d.o.Policy.DrainSlot(w.now, i))
		next := s.delivery
		if a.SubscriptionID == "" {
			next = next.Release(slot)
			slot = next.Due()
		}
		if err := w.requeue(s, next, slot); err != nil {
			return err
		}
	}
	if len(ids) == drainBatch {
		a.From += len(ids)
		// Not long before they can go, so that no more stands in the queue than
		// has to.
		at := d.o.Policy.DrainSlot(released, a.From).Add(-2 * soon)
		w.jobs = append(w.jobs, engine.Job{Args: a, At: at})
	}
	return w.flush(ctx, tx)
}
