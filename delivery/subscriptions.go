package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// CreateSubscription keeps a subscription, and sends it what happens from now on.
// It returns an error that unwraps to [ErrExists] if the id is taken, or was by
// one that was deleted.
//
// The key is kept in the database as it is, since calls are signed with it.
func (d *Deliverer) CreateSubscription(ctx context.Context, s webhookpolicy.Subscription) error {
	if s.IsZero() {
		return fmt.Errorf("create a subscription: %w", webhookpolicy.ErrInvalidID)
	}
	return d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		_, found, err := subscriptionRow(ctx, tx, s.ID())
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("subscription %s: %w", s.ID(), ErrExists)
		}
		return putSubscription(ctx, tx, s.ID(), s)
	})
}

// UpdateSubscription changes a subscription: change gets it as it is, and returns
// it as it is to be, or an error. Nobody else changes it meanwhile. Calls that are
// not yet made go by what it is when they fall due (WHK-7); with another endpoint,
// what was parked for the old one goes to the new one, at the rate of a release.
//
//	s, err := deliverer.UpdateSubscription(ctx, id, func(s webhookpolicy.Subscription) (webhookpolicy.Subscription, error) {
//		settings := s.Settings()
//		settings.Enabled = false
//		return s.Update(settings, time.Now())
//	})
//
// It returns an error that unwraps to [ErrNotFound] if there is none.
func (d *Deliverer) UpdateSubscription(
	ctx context.Context, id string, change func(webhookpolicy.Subscription) (webhookpolicy.Subscription, error),
) (webhookpolicy.Subscription, error) {
	var next webhookpolicy.Subscription
	err := d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		s, found, err := subscriptionRow(ctx, tx, id)
		if err != nil {
			return err
		}
		if !found || s.IsZero() {
			return fmt.Errorf("subscription %s: %w", id, ErrNotFound)
		}
		if next, err = change(s); err != nil {
			return err
		}
		if next.ID() != id {
			return fmt.Errorf("subscription %s: %w: it cannot become %q", id, webhookpolicy.ErrInvalidID, next.ID())
		}
		if s.Equal(next) {
			return nil
		}
		if err := putSubscription(ctx, tx, id, next); err != nil {
			return err
		}
		if s.Endpoint() == next.Endpoint() {
			return nil
		}
		return tx.Insert(ctx, engine.Job{Args: drainArgs{
			Endpoint: s.Endpoint(), SubscriptionID: id, Released: micros(d.now()),
		}})
	})
	return next, err
}

// DeleteSubscription deletes a subscription: no event is sent to it any more, and
// calls that fall due are canceled (WHK-7). Its deliveries stay as long as
// [Options.Retention] says. It returns an error that unwraps to [ErrNotFound] if
// there is none.
func (d *Deliverer) DeleteSubscription(ctx context.Context, id string) error {
	return d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		s, _, err := subscriptionRow(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.IsZero() {
			return fmt.Errorf("subscription %s: %w", id, ErrNotFound)
		}
		return putSubscription(ctx, tx, id, webhookpolicy.Subscription{})
	})
}

// Subscription returns a subscription, or an error that unwraps to [ErrNotFound].
func (d *Deliverer) Subscription(ctx context.Context, id string) (webhookpolicy.Subscription, error) {
	s, _, err := subscriptionRow(ctx, d.queue, id)
	if err == nil && s.IsZero() {
		err = fmt.Errorf("subscription %s: %w", id, ErrNotFound)
	}
	return s, err
}

// Subscriptions returns up to a number of subscriptions in the order of their ids,
// behind an id: "" for the beginning.
func (d *Deliverer) Subscriptions(ctx context.Context, after string, limit int) ([]webhookpolicy.Subscription, error) {
	var all []webhookpolicy.Subscription
	err := d.queue.Query(ctx, func(scan engine.Scan) error {
		var document string
		if err := scan(&document); err != nil {
			return err
		}
		s, err := webhookpolicy.ParseSubscription([]byte(document))
		all = append(all, s)
		return err
	}, `SELECT document FROM sluice_subscriptions WHERE id > $1 AND document IS NOT NULL ORDER BY id LIMIT $2`,
		after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	return all, nil
}

// subscriptionRow reads a subscription, zero if it was deleted. In a transaction
// nobody else changes any until its end.
func subscriptionRow(ctx context.Context, q engine.Querier, id string) (s webhookpolicy.Subscription, found bool, err error) {
	if tx, ok := q.(engine.Tx); ok {
		// Whoever changes one takes this lock first.
		if _, err := tx.Exec(ctx, `UPDATE sluice_revision SET revision = revision + 1`); err != nil {
			return s, false, fmt.Errorf("lock the subscriptions: %w", err)
		}
	}
	err = q.Query(ctx, func(scan engine.Scan) error {
		var document *string
		if err := scan(&document); err != nil {
			return err
		}
		found = true
		if document == nil {
			return nil
		}
		s, err = webhookpolicy.ParseSubscription([]byte(*document))
		return err
	}, `SELECT document FROM sluice_subscriptions WHERE id = $1`, id)
	if err != nil {
		err = fmt.Errorf("subscription %s: %w", id, err)
	}
	return s, found, err
}

// putSubscription writes a subscription under the lock of subscriptionRow, the
// zero one for one that is deleted.
func putSubscription(ctx context.Context, tx engine.Tx, id string, s webhookpolicy.Subscription) error {
	var endpoint, document *string
	if !s.IsZero() {
		revealed, err := s.RevealJSON()
		if err != nil {
			return err
		}
		e, t := s.Endpoint(), string(revealed)
		endpoint, document = &e, &t
	}
	n, err := tx.Exec(ctx, `INSERT INTO sluice_subscriptions (id, revision, endpoint, document)
		SELECT $1, revision, $2, $3 FROM sluice_revision WHERE true
		ON CONFLICT (id) DO UPDATE
		SET revision = excluded.revision, endpoint = excluded.endpoint, document = excluded.document`,
		id, endpoint, document)
	if err == nil && n != 1 {
		err = errors.New("there is no revision to write it under")
	}
	if err != nil {
		return fmt.Errorf("write subscription %s: %w", id, err)
	}
	return nil
}
