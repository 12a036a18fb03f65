package delivery

import (
	"context"

	"github.com/sluicego/sluice/delivery/internal/engine"
)

// failpoint is called where a process may die: at every border between what is
// kept and what is sent. Tests replace it.
var failpoint = func(_ string) {}

// inTx runs a function in a transaction with the borders that have a name.
func (d *Deliverer) inTx(ctx context.Context, name string, do func(ctx context.Context, tx engine.Tx) error) error {
	failpoint(name + ": before")
	err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		failpoint(name + ": about to commit")
		return nil
	})
	failpoint(name + ": committed")
	return err
}
