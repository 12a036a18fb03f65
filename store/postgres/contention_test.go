package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

const writers = 16

// counted counts the saves of a store.
type counted struct {
	*postgres.Store
	saved, late atomic.Int64
}

// Save counts those that succeeded, and those that were late.
func (c *counted) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := c.Store.Save(ctx, next, events)
	if err == nil {
		c.saved.Add(1)
	} else if errors.Is(err, session.ErrConflict) {
		c.late.Add(1)
	}
	return err
}

// Many writers on one session: none is kept from writing, hardly any is told of a
// conflict after all tries of Update, and nothing is lost.
func TestOneSession(t *testing.T) {
	server := pgtest.Start(t, pgtest.Config{Fsync: true})
	store := &counted{Store: openAt(t, server.Database(t), postgres.Options{Configure: connections(writers)})}
	var links []session.Command
	for i := range writers {
		links = append(links, link(fmt.Sprint("r", i), action.Pending))
	}
	put(t, store.Store, "a", links...)

	var next, refused atomic.Int64
	var wins [writers]int
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for {
				n := int(next.Add(1))
				if n > *commands {
					return
				}
				// Of a resource of its own, so that no report is stale.
				report := observe(fmt.Sprint("r", i), action.Pending, n)
				_, _, err := session.Update(t.Context(), store, "a", report, noon)
				switch {
				case errors.Is(err, session.ErrConflict):
					refused.Add(1)
				case err != nil:
					t.Errorf("writer %d: %v", i, err)
					return
				default:
					wins[i]++
				}
			}
		})
	}
	all.Wait()

	s, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	assert.EqualValues(t, s.Version(), 1+writers+store.saved.Load())
	assert.Equal(t, 1, verified(t, store))
	fair := *commands / writers
	t.Logf("%d saves, %d late; %d of %d commands refused; slowest writer %d, fastest %d, fair share %d",
		store.saved.Load(), store.late.Load(), refused.Load(), *commands, slices.Min(wins[:]), slices.Max(wins[:]), fair)
	assert.GreaterOrEqual(t, slices.Min(wins[:]), fair/4)
	// One who is late meets one other in his next try, and not all: one chance in
	// two to be late again, sixteen times.
	assert.LessOrEqual(t, refused.Load(), int64(1+*commands/200))
}
