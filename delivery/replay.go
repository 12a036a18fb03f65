package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Replay has a delivery that has ended begin anew, now: the same event id and body,
// with the numbers and retries of a new one, in the next epoch. Who has it already
// knows it again (WHK-9). It returns an error that unwraps to [ErrUnfinished] if
// calls are still to come, and to [ErrNotFound] if there is none, or no subscription
// any more.
func (d *Deliverer) Replay(ctx context.Context, eventID string) error {
	return d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		all, err := d.standings(ctx, tx, []string{eventID})
		if err != nil {
			return err
		}
		s := all[eventID]
		switch {
		case s == nil:
			return fmt.Errorf("delivery %s: %w", eventID, ErrNotFound)
		case s.Ended == nil:
			return fmt.Errorf("delivery %s: %w: it is %s", eventID, ErrUnfinished, s.State)
		case s.subscription.IsZero():
			return fmt.Errorf("delivery %s: subscription %s was deleted: %w", eventID, s.SubscriptionID, ErrNotFound)
		}
		w := writing{now: d.now()}
		if err := w.replay(s, w.now); err != nil {
			return err
		}
		return w.flush(ctx, tx)
	})
}

// replayBatch is how many deliveries a transaction of ReplayAll takes up.
const replayBatch = 200

// ReplayAll is [Deliverer.Replay] for all deliveries of a query, oldest first, at
// the rate at which a released endpoint is called (WHK-8). The query names an
// endpoint or a subscription; without states it means the exhausted ones, and its
// page is passed over. What has not ended, is created after the beginning, or has no
// subscription any more is passed over. It returns how many there were; with an error, these are on their
// way, and the same query finds the others.
func (d *Deliverer) ReplayAll(ctx context.Context, q Query) (int, error) {
	begin := d.now()
	if q.Endpoint == "" && q.SubscriptionID == "" {
		return 0, fmt.Errorf("%w: an endpoint or a subscription is to be named", ErrQuery)
	}
	if len(q.States) == 0 {
		q.States = []webhookpolicy.State{webhookpolicy.Exhausted}
	}
	if q.To.IsZero() || q.To.After(begin) {
		q.To = begin
	}
	q.After, q.Limit, q.Newest = "", replayBatch, false
	n := 0
	for {
		page, err := d.Deliveries(ctx, q)
		if err != nil {
			return n, err
		}
		var ids []string
		for _, p := range page.Deliveries {
			if p.State().IsEnd() {
				ids = append(ids, p.EventID())
			}
		}
		replayed, err := d.replayBatch(ctx, ids, begin, n)
		n += replayed
		if err != nil || page.Next == "" {
			return n, err
		}
		q.After = page.Next
	}
}

func (d *Deliverer) replayBatch(ctx context.Context, ids []string, begin time.Time, from int) (int, error) {
	w := writing{now: d.now()}
	err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		all, err := d.standings(ctx, tx, ids)
		if err != nil {
			return err
		}
		w = writing{now: w.now}
		for _, id := range ids {
			s := all[id]
			if s == nil || s.Ended == nil || s.subscription.IsZero() { // perhaps only just now
				continue
			}
			if err := w.replay(s, d.o.Policy.DrainSlot(begin, from+len(w.rows))); err != nil {
				return err
			}
		}
		return w.flush(ctx, tx)
	})
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	return len(w.rows), nil
}

// replay begins a delivery anew at a time.
func (w *writing) replay(s *standing, at time.Time) error {
	next := webhookpolicy.NewDelivery(s.EventID, s.SubscriptionID, at)
	endpoint := s.subscription.Endpoint()
	if endpoint == "" {
		endpoint = s.Endpoint
	}
	if err := s.put(next, endpoint, w.now); err != nil {
		return err
	}
	s.Epoch++
	w.rows = append(w.rows, s.row)
	w.jobs = append(w.jobs, callJob(s.row, at, w.now))
	return nil
}
