package receiver_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/receiver"
)

// bubble is a lab within a bubble of synctest, whose clock is that of the bubble.
// It begins a year before noon, so that no event is from the future.
type bubble struct {
	*lab
	began  time.Time
	claims []time.Duration                // when events were claimed
	broken func(after time.Duration) bool // whether claims fail
}

func newBubble(t *testing.T) *bubble {
	t.Helper()
	b := &bubble{lab: newLab(t), began: time.Now()}
	b.Now = time.Now
	b.Inbox = &faulty{Inbox: b.inbox, claim: func() error {
		b.claims = append(b.claims, time.Since(b.began))
		if b.broken != nil && b.broken(time.Since(b.began)) {
			return errDown
		}
		return nil
	}}
	return b
}

// arrived keeps an event that arrives now.
func (b *bubble) arrived(t *testing.T, id, resourceID string) {
	t.Helper()
	e := told(t, id, resourceID, "failed", noon)
	e.Received = time.Now()
	keep(t, b.inbox, e)
}

// run runs a feed for some time, and then cancels it.
func (b *bubble) run(t *testing.T, d time.Duration) {
	t.Helper()
	f := feed(t, b.FeedOptions)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	require.ErrorIs(t, f.Run(ctx), context.DeadlineExceeded)
	assert.Equal(t, d, time.Since(b.began))
}

// until is a fault that lasts for some time.
func until(end time.Duration) func(time.Duration) bool {
	return func(after time.Duration) bool { return after < end }
}

func seconds(numbers ...int) []time.Duration {
	var all []time.Duration
	for _, n := range numbers {
		all = append(all, time.Duration(n)*time.Second)
	}
	return all
}

// Without events it looks for them once in each interval.
func TestFeed_Run_polls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.Poll = 3 * time.Second
		b.run(t, 10*time.Second)
		assert.Equal(t, seconds(0, 3, 6, 9), b.claims)
		assert.Empty(t, b.reported.take())
	})
}

// While nothing succeeds it waits longer each time, up to a minute, and says why;
// afterwards it is as before.
func TestFeed_Run_backsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.broken = until(200 * time.Second)
		b.run(t, 250*time.Second-1)
		assert.Equal(t, seconds(0, 2, 6, 14, 30, 62, 122, 182, 242, 243, 244, 245, 246, 247, 248, 249), b.claims)
		errs := b.reported.take()
		require.Len(t, errs, 8)
		for _, err := range errs {
			require.ErrorIs(t, err, errDown)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.broken, b.Poll = until(4*time.Hour), time.Hour
		b.run(t, 3*time.Hour+1)
		assert.Equal(t, seconds(0, 3600, 7200, 10800), b.claims) // and no sooner
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.arrived(t, "e", "r")
		b.broken = func(time.Duration) bool { return len(b.claims) != 4 } // which has the event
		b.run(t, 20*time.Second-1)
		assert.Equal(t, seconds(0, 2, 6, 14, 14, 16), b.claims)
	})
}

// While there are events it does not wait.
func TestFeed_Run_goesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.Batch = 10
		for i := range 25 {
			b.arrived(t, fmt.Sprint(i), "r")
		}
		b.run(t, time.Second/2)
		assert.Empty(t, b.inbox.open())
		assert.Equal(t, seconds(0, 0, 0, 0), b.claims)
	})
}

// Events that came too early do not hold up those behind them, and are not taken
// up again before the lease is over.
func TestFeed_Run_early(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.Batch, b.Lease, b.Poll, b.Patience = 10, time.Minute, time.Hour, 90*time.Second
		for i := range 30 {
			b.arrived(t, fmt.Sprint(i), "nobody's")
		}
		b.arrived(t, "late", "r")
		b.run(t, time.Second)
		assert.Equal(t, action.Failed, statusOf(t, b.store, "r"))
		assert.Len(t, b.inbox.open(), 30)
		assert.Equal(t, seconds(0, 0, 0, 0, 0), b.claims)
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.Poll, b.Patience = 10*time.Second, 90*time.Second
		b.arrived(t, "e", "nobody's")
		b.run(t, 5*time.Minute-1)
		assert.Empty(t, b.inbox.open())
		assert.Len(t, b.reported.take(), 1) // after two minutes, when the second lease is over
		assert.Len(t, b.claims, 31)         // one more where there was something
	})
}

// What takes longer than the lease is left, with what is behind it: somebody else
// may have it by then.
func TestFeed_Run_leaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		finds := 0
		b.Store = down{b.store, func(ctx context.Context, _ string) error {
			finds++
			select {
			case <-time.After(40 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		for _, id := range []string{"a", "b", "c"} {
			b.arrived(t, id, "r")
		}
		n, err := feed(t, b.FeedOptions).Step(t.Context())
		assert.Equal(t, 1, n)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, `2 of 3 events are left for later, first "b"`)
		assert.Equal(t, time.Minute, time.Since(b.began))
		assert.Equal(t, 2, finds)
		assert.Equal(t, []string{"b", "c"}, b.inbox.open())
	})
}

// What was done when the context ends is marked so.
func TestFeed_Run_canceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		ctx, cancel := context.WithCancel(t.Context())
		b.Store = down{b.store, func(ctx context.Context, resourceID string) error {
			if resourceID == "q" {
				cancel()
			}
			return ctx.Err()
		}}
		b.arrived(t, "a", "r")
		b.arrived(t, "b", "q")
		b.arrived(t, "c", "r")
		require.ErrorIs(t, feed(t, b.FeedOptions).Run(ctx), context.Canceled)
		assert.Equal(t, []string{"b", "c"}, b.inbox.open())
		assert.Empty(t, b.reported.take())
		assert.Zero(t, time.Since(b.began))
		require.ErrorIs(t, feed(t, b.FeedOptions).Run(ctx), context.Canceled)
	})
	synctest.Test(t, func(t *testing.T) { // without a report
		b := newBubble(t)
		b.Report, b.broken = nil, until(time.Minute)
		b.arrived(t, "a", "nobody's")
		b.run(t, 2*time.Hour)
		assert.Empty(t, b.inbox.open())
	})
}

var _ receiver.Inbox = (*faulty)(nil)
