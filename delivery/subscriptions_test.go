package delivery_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

const endpoint = "https://example.com/hooks"

// change returns a function that changes settings of a subscription.
func change(by func(*webhookpolicy.Settings)) func(webhookpolicy.Subscription) (webhookpolicy.Subscription, error) {
	return func(s webhookpolicy.Subscription) (webhookpolicy.Subscription, error) {
		settings := s.Settings()
		by(&settings)
		return s.Update(settings, noon.Add(time.Hour))
	}
}

// A subscription is kept with its key, changed, and deleted for good.
func TestSubscriptions(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		d := h.open(t, delivery.Options{})
		ctx := t.Context()
		subscribe(t, d, "s1", endpoint)
		s, err := d.Subscription(ctx, "s1")
		require.NoError(t, err)
		assert.Equal(t, endpoint, s.Endpoint())
		assert.Equal(t, key, s.Secret().Reveal())
		require.ErrorIs(t, d.CreateSubscription(ctx, s), delivery.ErrExists)

		changed, err := d.UpdateSubscription(ctx, "s1", change(func(s *webhookpolicy.Settings) { s.Enabled = false }))
		require.NoError(t, err)
		assert.False(t, changed.Enabled())
		s, err = d.Subscription(ctx, "s1")
		require.NoError(t, err)
		assert.True(t, changed.Equal(s))

		require.NoError(t, d.DeleteSubscription(ctx, "s1"))
		_, err = d.Subscription(ctx, "s1")
		require.ErrorIs(t, err, delivery.ErrNotFound)
		require.ErrorIs(t, d.DeleteSubscription(ctx, "s1"), delivery.ErrNotFound)
		_, err = d.UpdateSubscription(ctx, "s1", change(func(*webhookpolicy.Settings) {}))
		require.ErrorIs(t, err, delivery.ErrNotFound)
		// What is still to be called for the old one must not go to a new one.
		require.ErrorIs(t, d.CreateSubscription(ctx, s), delivery.ErrExists)
	})
}

// What is refused changes nothing.
func TestSubscriptions_Refused(t *testing.T) {
	d := sqliteHouse(t).open(t, delivery.Options{})
	ctx := t.Context()
	subscribe(t, d, "s1", endpoint)
	require.ErrorIs(t, d.CreateSubscription(ctx, webhookpolicy.Subscription{}), webhookpolicy.ErrInvalidID)

	no := errors.New("no")
	_, err := d.UpdateSubscription(ctx, "s1", func(s webhookpolicy.Subscription) (webhookpolicy.Subscription, error) { return s, no })
	require.ErrorIs(t, err, no)
	_, err = d.UpdateSubscription(ctx, "s1", func(webhookpolicy.Subscription) (webhookpolicy.Subscription, error) {
		return webhookpolicy.Subscription{}, nil
	})
	require.ErrorIs(t, err, webhookpolicy.ErrInvalidID, "to delete one has a method of its own")
	s, err := d.Subscription(ctx, "s1")
	require.NoError(t, err)
	assert.Equal(t, endpoint, s.Endpoint())
	assert.True(t, s.Enabled())
}

// Subscriptions come in the order of their ids, page by page.
func TestSubscriptions_Pages(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		d := h.open(t, delivery.Options{})
		for _, id := range []string{"b", "a", "C", "d"} {
			subscribe(t, d, id, endpoint)
		}
		require.NoError(t, d.DeleteSubscription(t.Context(), "b"))
		var ids []string
		for after := ""; ; {
			page, err := d.Subscriptions(t.Context(), after, 2)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, s := range page {
				ids, after = append(ids, s.ID()), s.ID()
			}
		}
		assert.Equal(t, []string{"C", "a", "d"}, ids)
	})
}

// Of changes that are made at once none is lost.
func TestSubscriptions_AtOnce(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		d := h.open(t, delivery.Options{})
		subscribe(t, d, "s1", endpoint, func(s *webhookpolicy.Settings) { s.Description = "0" })
		const n = 8
		errs := make(chan error, n)
		for range n {
			go func() {
				_, err := d.UpdateSubscription(t.Context(), "s1", change(func(s *webhookpolicy.Settings) {
					var count int
					_, _ = fmt.Sscan(s.Description, &count)
					s.Description = fmt.Sprint(count + 1)
				}))
				errs <- err
			}()
		}
		for range n {
			require.NoError(t, <-errs)
		}
		s, err := d.Subscription(t.Context(), "s1")
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(n), s.Description())
	})
}

// A change by one process is seen by another one when it matters: by what it
// publishes next.
func TestSubscriptions_OtherProcess(t *testing.T) {
	h := postgresHouse(t)
	one, other := h.open(t, delivery.Options{}), h.another(t).open(t, delivery.Options{})
	deliveries := func() int {
		page, err := one.Deliveries(t.Context(), delivery.Query{})
		require.NoError(t, err)
		return len(page.Deliveries)
	}
	publish(t, other, "o1")
	assert.Equal(t, 0, deliveries())
	subscribe(t, one, "s1", endpoint)
	publish(t, other, "o2")
	assert.Equal(t, 1, deliveries())
	require.NoError(t, one.DeleteSubscription(t.Context(), "s1"))
	publish(t, other, "o3")
	assert.Equal(t, 1, deliveries())
}
