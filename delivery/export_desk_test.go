package delivery

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// WorkJob works a job as River would, by a row of its table.
func (d *Deliverer) WorkJob(ctx context.Context, row *rivertype.JobRow) error {
	switch row.Kind {
	case callArgs{}.Kind():
		return workRow(ctx, row, d.workCall)
	case probeArgs{}.Kind():
		return workRow(ctx, row, d.workProbe)
	case drainArgs{}.Kind():
		return workRow(ctx, row, d.workDrain)
	default:
		return workRow(ctx, row, d.workSweep)
	}
}

func workRow[T river.JobArgs](ctx context.Context, row *rivertype.JobRow, work func(context.Context, *river.Job[T]) error) error {
	job := &river.Job[T]{JobRow: row}
	if err := json.Unmarshal(row.EncodedArgs, &job.Args); err != nil {
		return err
	}
	return work(ctx, job)
}

// Sweep is what the periodic job does.
func (d *Deliverer) Sweep(ctx context.Context) error { return d.workSweep(ctx, nil) }

// InVirtualTime has what waits by the clock of the machine go by that of the
// deliverer, and has a panic in a transaction of the ledger be its error, since
// the goroutine that it happens in is nobody's to recover.
func (d *Deliverer) InVirtualTime() {
	d.lanes.now = d.o.Now
	write := d.ledger.write
	d.ledger.write = func(ctx context.Context, begins []*beginning, ends []*ending) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return write(ctx, begins, ends)
	}
}
