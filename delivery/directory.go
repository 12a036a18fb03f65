package delivery

import (
	"context"
	"fmt"
	"sync"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// directory has the subscriptions at hand. It is as new as its revision, which
// whoever matches events compares within a transaction. The zero directory is
// empty.
type directory struct {
	mu        sync.RWMutex
	revision  int64
	matcher   webhookpolicy.Matcher
	revisions map[string]int64 // by subscription
}

// refresh reads what has changed since the last time.
func (d *directory) refresh(ctx context.Context, q engine.Querier) error {
	var newest int64
	err := q.Query(ctx, func(scan engine.Scan) error { return scan(&newest) },
		`SELECT revision FROM sluice_revision`)
	if err != nil {
		return fmt.Errorf("read the revision of the subscriptions: %w", err)
	}
	d.mu.RLock()
	known := d.revision
	d.mu.RUnlock()
	if newest <= known { // less is what an older snapshot shows
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// Changes take their numbers one after another: what is not seen here has a
	// higher one than all that is.
	err = q.Query(ctx, func(scan engine.Scan) error {
		var id string
		var revision int64
		var document *string
		if err := scan(&id, &revision, &document); err != nil {
			return err
		}
		return d.put(id, revision, document)
	}, `SELECT id, revision, document FROM sluice_subscriptions WHERE revision > $1 ORDER BY revision`, d.revision)
	if err != nil {
		return fmt.Errorf("read subscriptions: %w", err)
	}
	d.revision = max(d.revision, newest)
	return nil
}

// put takes in what a row says. The lock is held.
func (d *directory) put(id string, revision int64, document *string) error {
	s, err := parse(id, document)
	if err != nil {
		return err
	}
	if s.IsZero() {
		d.matcher.Remove(id)
	}
	d.matcher.Put(s) // which passes over the zero one
	if d.revisions == nil {
		d.revisions = map[string]int64{}
	}
	d.revisions[id] = revision
	return nil
}

// match returns the subscriptions that an event is to be sent to.
func (d *directory) match(e webhookpolicy.Event) []webhookpolicy.Subscription {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.matcher.Match(e)
}

// endpoint returns the endpoint of a subscription, as far as is known: "" for one
// that is not.
func (d *directory) endpoint(id string) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.matcher.Get(id).Endpoint()
}

// read returns the subscription of a row, and takes it in if it is newer: the zero
// one if it was deleted, or was never there.
func (d *directory) read(id string, revision *int64, document *string) (webhookpolicy.Subscription, error) {
	if revision == nil {
		return webhookpolicy.Subscription{}, nil
	}
	d.mu.RLock()
	known, s := d.revisions[id], d.matcher.Get(id)
	d.mu.RUnlock()
	switch {
	case known == *revision:
		return s, nil
	case known < *revision:
		d.mu.Lock()
		defer d.mu.Unlock()
		if err := d.put(id, *revision, document); err != nil {
			return webhookpolicy.Subscription{}, err
		}
		return d.matcher.Get(id), nil
	}
	return parse(id, document) // of an older snapshot
}

// parse reads the document of a subscription, nil for one that was deleted.
func parse(id string, document *string) (webhookpolicy.Subscription, error) {
	if document == nil {
		return webhookpolicy.Subscription{}, nil
	}
	s, err := webhookpolicy.ParseSubscription([]byte(*document))
	if err != nil {
		return s, fmt.Errorf("subscription %s: %w", id, err)
	}
	return s, nil
}
