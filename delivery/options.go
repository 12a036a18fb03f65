package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Options are the settings of a Deliverer. The zero Options are good defaults.
type Options struct {
	// Policy is the settings of deliveries. The zero Policy is
	// [webhookpolicy.DefaultPolicy]. Nobody may change what it refers to.
	Policy webhookpolicy.Policy
	// Call is the settings of calls, such as which addresses that are not public
	// may be called (WHK-12). Its Policy is that of above.
	Call caller.Options
	// Caller makes the calls in place of one made of Call.
	Caller Caller

	// Workers is how many calls this process makes at once, by zero 50, and
	// PerEndpoint how many of them to one endpoint, by zero a fifth.
	Workers     int
	PerEndpoint int
	// Poll is how often the queue looks for calls that have fallen due, and
	// with it how late they are, 10 ms at least; by zero 50 ms on PostgreSQL, which tells of
	// new ones besides, and 20 ms on SQLite.
	Poll time.Duration
	// Outbox is how often the store is asked for announcements, by zero 20 ms;
	// [Deliverer.Wake] asks at once. Less than zero is never: another process
	// does.
	Outbox time.Duration
	// PollOnly has PostgreSQL tell nothing: for poolers that give connections
	// away after each transaction.
	PollOnly bool
	// Describe says what an announcement of a session is to subscribers. The
	// session is as it was then. It is asked in a transaction, which PostgreSQL
	// gives up after three seconds of silence. Nil is [Describe].
	Describe func(ctx context.Context, a session.Announcement, s session.Session) (webhookpolicy.Event, json.RawMessage, error)

	// RescueAfter is how long after its beginning a call whose process has died
	// is taken over; by zero three times the longest that one can take, a minute
	// with the default policy.
	RescueAfter time.Duration
	// StopAfter is how long Stop waits for calls that run, by zero 10 s.
	StopAfter time.Duration
	// Retention is how long deliveries are kept after their end, with their
	// calls. By zero they are kept for ever. What has not ended stays.
	Retention time.Duration
	// Sweep is how often is looked for what Retention has come for, and for what
	// the queue has lost, by zero once a minute.
	Sweep time.Duration

	// Logger is told what happens: failures of the deliverer at Error, what is
	// wrong with an endpoint at Warn, ends of deliveries at Info, calls at Debug.
	// Nil tells nobody.
	Logger *slog.Logger
	// Observer is told of calls, for metrics and traces. Nil tells nobody.
	Observer Observer
	// NoMigrations has New refuse tables of another version.
	NoMigrations bool
	// Now is the host's clock, also the queue's. Nil is [time.Now].
	Now func() time.Time

	clock func() time.Time // Now, if it was given
}

// complete fills in defaults, and refuses what cannot be.
func (o *Options) complete(dialect engine.Dialect) error {
	if o.Policy.RetryCountHeader == "" && len(o.Policy.Delays) == 0 && o.Policy.FirstTimeout == 0 {
		o.Policy = webhookpolicy.DefaultPolicy()
	}
	if err := o.Policy.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	for name, least := range map[string]int64{
		"Workers": int64(o.Workers), "PerEndpoint": int64(o.PerEndpoint), "Poll": int64(o.Poll), "StopAfter": int64(o.StopAfter),
		"Retention": int64(o.Retention), "Sweep": int64(o.Sweep), "RescueAfter": int64(o.RescueAfter),
	} {
		if least < 0 {
			return fmt.Errorf("%w: %s must not be negative", ErrOptions, name)
		}
	}
	if o.Workers > maxWorkers {
		return fmt.Errorf("%w: Workers is %d, and must be %d at most", ErrOptions, o.Workers, maxWorkers)
	}
	o.clock = o.Now
	for _, d := range []func(){
		func() { orElse(&o.Workers, 50) },
		func() { orElse(&o.PerEndpoint, max(o.Workers/5, 1)) },
		func() { orElse(&o.Outbox, 20*time.Millisecond) },
		func() { orElse(&o.StopAfter, 10*time.Second) },
		func() { orElse(&o.Sweep, time.Minute) },
		func() { orElse(&o.RescueAfter, 3*o.jobTimeout()) },
	} {
		d()
	}
	if dialect == engine.PostgreSQL {
		orElse(&o.Poll, 50*time.Millisecond)
	}
	orElse(&o.Poll, 20*time.Millisecond)
	if o.Poll < minPoll {
		return fmt.Errorf("%w: Poll is %s, and must be %s at least", ErrOptions, o.Poll, minPoll)
	}
	if o.RescueAfter <= o.jobTimeout() {
		return fmt.Errorf("%w: RescueAfter is %s, and must be longer than the %s that a call can take",
			ErrOptions, o.RescueAfter, o.jobTimeout())
	}
	return o.parts()
}

// minPoll is how soon the queue looks again at the soonest, and maxWorkers what it
// can do with.
const (
	minPoll    = 10 * time.Millisecond
	maxWorkers = 10_000
)

// orElse gives what is zero a value.
func orElse[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// parts makes what is left out.
func (o *Options) parts() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Describe == nil {
		o.Describe = Describe
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.Caller != nil {
		return nil
	}
	o.Call.Policy = o.Policy
	if o.Call.MaxIdlePerHost == 0 {
		o.Call.MaxIdlePerHost = max(o.PerEndpoint, 8) // those that call at once need not connect anew
	}
	c, err := caller.New(o.Call)
	if err != nil {
		return errors.Join(ErrOptions, err)
	}
	o.Caller = c
	return nil
}

// jobTimeout is how long a job can take: a call, and twice the database.
func (o *Options) jobTimeout() time.Duration {
	return max(o.Policy.FirstTimeout, o.Policy.RetryTimeout) + 10*time.Second
}
