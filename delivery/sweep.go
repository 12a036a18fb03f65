package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Of what a sweep looks at.
const (
	sweepBatch = 1000
	// overdue is how late a call is before somebody asks whether it has a job at
	// all. A job that is there is not made twice.
	overdue = 5 * time.Minute
)

// workSweep is the job that removes what retention has come for, and finds what
// the queue has lost: whoever deletes jobs by hand, or restores a part of a
// database, delays calls and loses none.
func (d *Deliverer) workSweep(ctx context.Context, _ *river.Job[sweepArgs]) error {
	if err := d.retain(ctx); err != nil {
		return err
	}
	if err := d.requeueLost(ctx); err != nil {
		return err
	}
	return d.wakeEndpoints(ctx)
}

// retain removes deliveries that ended long enough ago, and their calls.
func (d *Deliverer) retain(ctx context.Context) error {
	if d.o.Retention == 0 {
		return nil
	}
	before := micros(d.now().Add(-d.o.Retention))
	for {
		var n int64
		err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
			const ended = `SELECT event_id FROM sluice_deliveries WHERE ended IS NOT NULL AND ended < $1
				ORDER BY ended, event_id LIMIT $2`
			var ids []string
			err := tx.Query(ctx, func(scan engine.Scan) error {
				var id string
				err := scan(&id)
				ids = append(ids, id)
				return err
			}, ended+tx.Dialect().Lock("sluice_deliveries"), before, sweepBatch)
			if err != nil || len(ids) == 0 {
				return err
			}
			for _, table := range []string{"sluice_calls", "sluice_deliveries"} {
				n, err = tx.Exec(ctx, `DELETE FROM `+table+` WHERE event_id IN `+tx.Dialect().In(1), engine.JSON(ids))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("remove old deliveries: %w", err)
		}
		if n < sweepBatch {
			return nil
		}
	}
}

// requeueLost makes jobs for calls that are overdue, where there is none.
func (d *Deliverer) requeueLost(ctx context.Context) error {
	err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		now := d.now()
		var jobs []engine.Job
		err := tx.Query(ctx, func(scan engine.Scan) error {
			r, err := readRow(scan)
			if err != nil {
				d.o.Logger.Error("a delivery cannot be read", "error", err)
				return nil
			}
			jobs = append(jobs, callJob(r, now, now))
			return nil
		}, `SELECT `+rowColumns+` FROM sluice_deliveries d
			WHERE d.queued AND d.ended IS NULL AND d.due < $1 ORDER BY d.due LIMIT $2`,
			micros(now.Add(-overdue)), sweepBatch)
		if err != nil {
			return err
		}
		return tx.Insert(ctx, jobs...)
	})
	if err != nil {
		return fmt.Errorf("look for lost calls: %w", err)
	}
	return nil
}

// wakeEndpoints makes the jobs of endpoints that something is parked for, where
// there is none.
func (d *Deliverer) wakeEndpoints(ctx context.Context) error {
	err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		now := d.now()
		var jobs []engine.Job
		err := tx.Query(ctx, func(scan engine.Scan) error {
			var endpoint, document string
			if err := scan(&endpoint, &document); err != nil {
				return err
			}
			h, err := readHealth(&document)
			switch {
			case err != nil:
				d.o.Logger.Error("the health of an endpoint cannot be read", "host", hostOf(endpoint), "error", err)
			case h.Condition() == webhookpolicy.Open:
				jobs = append(jobs, drainJob(endpoint, h.ReleasedAt()))
			case h.ProbeAt().Before(now.Add(-overdue)):
				jobs = append(jobs, probeJob(endpoint, h.ProbeAt(), now))
			}
			return nil
		}, `SELECT e.endpoint, e.document FROM sluice_endpoints e WHERE e.changed < $1 AND EXISTS (
				SELECT 1 FROM sluice_deliveries d
				WHERE d.endpoint = e.endpoint AND d.state = 'parked' AND NOT d.queued AND d.due <= $1)
			ORDER BY e.endpoint LIMIT $2`, micros(now.Add(-overdue)), sweepBatch)
		if err != nil {
			return err
		}
		return tx.Insert(ctx, jobs...)
	})
	if err != nil {
		return fmt.Errorf("look after endpoints: %w", err)
	}
	return nil
}
