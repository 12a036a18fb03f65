package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/sluicego/sluice/delivery/internal/engine"
)

// Stats is how much there is to do. What was released stands among the parked until
// it has its turns, moments later.
type Stats struct {
	Waiting   int // calls to come, also those that are due
	Due       int // calls that are due, or under way
	Parked    int // deliveries that wait for the release of their endpoint
	Exhausted int // dead letters
	Suspended int // endpoints that are not called
	// OldestDue is since when the call waits that has waited longest, the zero
	// time if none is due.
	OldestDue time.Time
}

// Stats counts. It takes time that follows the number of deliveries that wait: ask
// now and then, not for every request.
func (d *Deliverer) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	var oldest *int64
	now := micros(d.now())
	err := d.queue.Query(ctx, func(scan engine.Scan) error {
		return scan(&s.Waiting, &s.Due, &s.Parked, &s.Exhausted, &s.Suspended, &oldest)
	}, `SELECT
		(SELECT count(*) FROM sluice_deliveries WHERE queued AND ended IS NULL),
		(SELECT count(*) FROM sluice_deliveries WHERE queued AND ended IS NULL AND due <= $1),
		(SELECT count(*) FROM sluice_deliveries WHERE state = 'parked' AND NOT queued),
		(SELECT count(*) FROM sluice_deliveries WHERE state = 'exhausted'),
		(SELECT count(*) FROM sluice_endpoints WHERE condition IN ('suspended', 'probing')),
		(SELECT min(due) FROM sluice_deliveries WHERE queued AND ended IS NULL AND due <= $1)`, now)
	if err != nil {
		return s, fmt.Errorf("count deliveries: %w", err)
	}
	if oldest != nil {
		s.OldestDue = moment(*oldest)
	}
	return s, nil
}
