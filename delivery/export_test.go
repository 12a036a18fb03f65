package delivery

import "context"

// SetFailpoint replaces what is called where a process may die.
func SetFailpoint(f func(name string)) { failpoint = f }

// Stopping reports whether Stop has begun.
func Stopping(d *Deliverer) bool { return d.stopping.Load() }

// Announce publishes what is in the outbox of the store, and returns how much.
func Announce(ctx context.Context, d *Deliverer) (int, error) { return d.announce(ctx) }
