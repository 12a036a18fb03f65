package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// What FeedOptions are when they say nothing.
const (
	defaultBatch    = 100
	defaultLease    = time.Minute
	defaultPoll     = time.Second
	defaultPatience = time.Hour
)

const (
	// leastLease keeps a Feed from being handed its own events over and over.
	leastLease = time.Second
	// longestPause is how long Run waits at most when nothing succeeds.
	longestPause = time.Minute
	// doneTimeout is how long it may take to mark events as dealt with. It goes
	// on when the context has ended, so that the work is not done again.
	doneTimeout = 10 * time.Second
)

// FeedOptions are the settings of a [Feed]. Inbox and Store are needed.
type FeedOptions struct {
	// Inbox is where the events are.
	Inbox Inbox
	// Store has the sessions. It must be a [session.Finder].
	Store session.Store

	// Read says what an event tells of a resource, and whether it tells
	// anything; what it returns an error of is given up. Nil is
	// [ReadObservation].
	Read func(webhookpolicy.Envelope) (session.Observe, bool, error)

	// Batch is how many events are claimed at once, by zero 100.
	Batch int
	// Lease is how long a batch may take, a second at least and by zero a
	// minute. What failed, or came too early, is tried again when it is over.
	Lease time.Duration
	// Poll is how long Run waits before it looks for events again when there
	// are none, by zero a second.
	Poll time.Duration
	// Patience is for how long after its arrival an event is tried again whose
	// resource stands in no session: it may have come before the link was
	// saved. By zero it is an hour, and less than zero not at all.
	Patience time.Duration

	// Now is the host's clock, and should be that of the [Handler]. Nil is
	// [time.Now].
	Now func() time.Time
	// Report is told of every event that is given up, a [*FeedError], and of
	// what leaves events for later while Run goes on. Nil tells nobody.
	Report func(error)
}

// Feed brings events from an inbox into sessions. Several may share an inbox, and
// each is safe for concurrent use.
type Feed struct{ o FeedOptions }

// NewFeed returns a Feed. What FeedOptions have wrong is an error that unwraps to
// [ErrOptions].
func NewFeed(o FeedOptions) (*Feed, error) {
	_, finds := o.Store.(session.Finder)
	switch {
	case o.Inbox == nil:
		return nil, fmt.Errorf("%w: there is no Inbox", ErrOptions)
	case o.Store == nil:
		return nil, fmt.Errorf("%w: there is no Store", ErrOptions)
	case !finds:
		return nil, fmt.Errorf("%w: the Store is no session.Finder: %w", ErrOptions, session.ErrUnsupported)
	case o.Batch < 0:
		return nil, fmt.Errorf("%w: Batch must not be negative", ErrOptions)
	case o.Lease != 0 && o.Lease < leastLease:
		return nil, fmt.Errorf("%w: Lease must be a second at least", ErrOptions)
	case o.Poll < 0:
		return nil, fmt.Errorf("%w: Poll must not be negative", ErrOptions)
	}
	if o.Read == nil {
		o.Read = ReadObservation
	}
	o.Batch = cmp.Or(o.Batch, defaultBatch)
	o.Lease = cmp.Or(o.Lease, defaultLease)
	o.Poll = cmp.Or(o.Poll, defaultPoll)
	o.Patience = cmp.Or(o.Patience, defaultPatience)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	return &Feed{o}, nil
}

// Run deals with events until ctx ends, and returns its error. While there are
// any it goes on at once. While nothing succeeds it waits, longer each time, up to
// a minute.
func (f *Feed) Run(ctx context.Context) error {
	pause := f.o.Poll
	for {
		claimed, done, err := f.step(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			f.o.Report(err)
		}
		switch {
		case done > 0, err == nil && claimed == f.o.Batch: // the others of it are held
			pause = f.o.Poll
			continue
		case err == nil:
			pause = f.o.Poll
		default:
			pause = min(2*pause, max(longestPause, f.o.Poll))
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}

// wait returns after some time, or the error of a context that ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Step claims one batch of events and returns how many of them were dealt with,
// given up ones included. The others are handed out again when the lease is over.
//
// The error tells of what may go away, such as a database that is not there. One
// event that fails keeps no other from being dealt with.
func (f *Feed) Step(ctx context.Context) (int, error) {
	_, done, err := f.step(ctx)
	return done, err
}

// step is Step, and says how many events were claimed.
func (f *Feed) step(ctx context.Context) (claimed, done int, err error) {
	// When the lease is over, somebody else may have the events.
	leased, cancel := context.WithTimeout(ctx, f.o.Lease)
	defer cancel()
	events, err := f.o.Inbox.Claim(leased, f.o.Batch, f.o.Now(), f.o.Lease)
	if err != nil {
		return 0, 0, fmt.Errorf("receiver: claim events: %w", err)
	}
	var ids []string
	failed := failures{of: len(events)}
	for _, e := range events {
		if err := leased.Err(); err != nil {
			failed.add(e, err)
			continue
		}
		dealt, err := f.deal(leased, e)
		if err != nil {
			failed.add(e, err)
		} else if dealt {
			ids = append(ids, e.ID)
		}
	}
	if len(ids) == 0 {
		return len(events), 0, failed.err()
	}
	// The work of these is done, whatever becomes of ctx.
	marking, stop := context.WithTimeout(context.WithoutCancel(ctx), doneTimeout)
	defer stop()
	if err := f.o.Inbox.Done(marking, ids...); err != nil {
		return len(events), 0, errors.Join(failed.err(), fmt.Errorf("receiver: mark %d events as dealt with: %w", len(ids), err))
	}
	return len(events), len(ids), failed.err()
}

// failures are the events of a batch that are left for later.
type failures struct {
	of    int // events in the batch
	n     int
	first string // the id of the first of them
	why   error
}

func (x *failures) add(e Event, err error) {
	if x.n++; x.n == 1 {
		x.first, x.why = e.ID, err
	}
}

// err says how many there are, and why the first one is among them.
func (x *failures) err() error {
	if x.n == 0 {
		return nil
	}
	return fmt.Errorf("receiver: %d of %d events are left for later, first %q: %w", x.n, x.of, x.first, x.why)
}

// deal reports whether an event is dealt with. Without an error, one that is not
// has come too early.
func (f *Feed) deal(ctx context.Context, e Event) (bool, error) {
	observed, tells, wrong := f.read(e)
	if wrong != nil {
		f.o.Report(wrong)
		return true, nil
	}
	if !tells {
		return true, nil
	}
	now := f.o.Now()
	_, _, err := session.UpdateByResource(ctx, f.o.Store, observed.ResourceID, observed, now)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, session.ErrNotFound) && now.Sub(e.Received) < f.o.Patience:
		return false, nil
	}
	reason, hopeless := verdict(err)
	if !hopeless {
		return false, err
	}
	f.o.Report(&FeedError{e.ID, reason, err})
	return true, nil
}

// read reads the envelope of an event, and what it tells.
func (f *Feed) read(e Event) (session.Observe, bool, *FeedError) {
	envelope, err := e.Envelope()
	if err != nil {
		kind := unreadable(err)
		return session.Observe{}, false, &FeedError{e.ID, "it cannot be read", kind.Err}
	}
	observed, tells, err := f.o.Read(envelope)
	if err != nil {
		return session.Observe{}, false, &FeedError{e.ID, "what it tells cannot be read", err}
	}
	// A database might refuse to look for what is no id, each time anew.
	if reason := action.CheckID(observed.ResourceID); tells && reason != "" {
		return session.Observe{}, false, &FeedError{e.ID, "the id of the resource is none: " + reason, action.ErrInvalidID}
	}
	return observed, tells, nil
}
