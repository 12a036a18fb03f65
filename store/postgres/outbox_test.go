package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

// announced reads what is behind a position.
func announced(t *testing.T, store session.Outbox, after string) []session.Entry {
	t.Helper()
	entries, err := store.Announced(t.Context(), after, 1000)
	require.NoError(t, err)
	return entries
}

// A save that is committed later than others that began after it is not missed.
func TestLateCommit(t *testing.T) {
	store := open(t)
	put(t, store, "first", link("r1", action.Failed))
	tx := begin(t, store)
	s, events := apply(t, session.Session{}, create("late"), link("r2", action.Failed))
	require.NoError(t, store.Join(tx).Save(t.Context(), s, events))
	put(t, store, "early", link("r3", action.Failed))

	before := announced(t, store, "")
	require.Len(t, before, 2, "what came behind the one that is open waits for it")
	require.NoError(t, tx.Commit(t.Context()))
	after := announced(t, store, before[1].Position)
	require.Len(t, after, 4)
	assert.Equal(t, "late", after[0].SessionID)
	assert.Equal(t, "early", after[2].SessionID)
	assert.Empty(t, announced(t, store, after[3].Position))
}

// The announcements of a session keep their order when a transaction that began
// first saves last.
func TestOrderOfOneSession(t *testing.T) {
	store := host(t, postgres.Options{})
	s := put(t, store, "a", link("r", action.Failed))
	tx := begin(t, store)
	_, err := tx.Exec(t.Context(), addJob) // gives it an id
	require.NoError(t, err)
	s, events := apply(t, s, session.Resolve{ResourceID: "r"})
	require.NoError(t, store.Save(t.Context(), s, events))
	s, events = apply(t, s, link("r2", action.Failed))
	require.NoError(t, store.Join(tx).Save(t.Context(), s, events))
	require.NoError(t, tx.Commit(t.Context()))

	last := 0
	for _, e := range announced(t, store, "") {
		assert.GreaterOrEqual(t, e.Version, last)
		last = e.Version
	}
	assert.Equal(t, s.Version(), last)
}

// A reader who follows the outbox while many save, some of them in long
// transactions, meets every announcement once.
func TestFollowed(t *testing.T) {
	store := openAt(t, pgtest.Database(t), postgres.Options{Configure: connections(writers + 2)})
	const rounds = 8
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for r := range rounds {
				id := fmt.Sprintf("%d.%d", i, r)
				s, events := apply(t, session.Session{}, create(id), link(id, action.Failed))
				err := store.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx, j *postgres.Joined) error {
					if err := j.Save(ctx, s, events); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, `SELECT pg_sleep($1::float8 * random() / 50)`, i%2)
					return err
				})
				assert.NoError(t, err)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	seen, position := map[string]int{}, ""
	for running := true; running; {
		select {
		case <-done:
			running = false // and read what is left
		default:
		}
		for entries := announced(t, store, position); len(entries) > 0; entries = announced(t, store, position) {
			for _, e := range entries {
				seen[e.ID()]++
				position = e.Position
			}
		}
	}
	assert.Len(t, seen, 2*writers*rounds)
	for id, n := range seen {
		assert.Equal(t, 1, n, id)
	}
}

// Positions are texts that this outbox gave.
func TestNoPosition(t *testing.T) {
	store := open(t)
	for _, position := range []string{"x", "1", "1/", "/1", "01/1", "1/01", "-1/1", "1/1 ", "99999999999999999999/1", "1/9223372036854775808"} {
		_, err := store.Announced(t.Context(), position, 1)
		var refused *session.CursorError
		require.ErrorAs(t, err, &refused, position)
	}
	require.NoError(t, store.Acknowledge(t.Context(), session.Entry{Position: "x"}))
}

// Readers at once get each announcement once, and none waits for another.
func TestReaders(t *testing.T) {
	store := openAt(t, pgtest.Database(t), postgres.Options{Configure: connections(writers)})
	put(t, store, "a", link("r", action.Pending)) // announces two
	putMany(t, store, 50)                         // announce two each
	var mu sync.Mutex
	seen := map[string]int{}
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for {
				entries, err := store.Claim(t.Context(), 3, noon, time.Minute)
				if len(entries) == 0 {
					assert.NoError(t, err)
					return
				}
				mu.Lock()
				for _, e := range entries {
					seen[e.ID()]++
				}
				mu.Unlock()
				assert.NoError(t, store.Acknowledge(t.Context(), entries...))
			}
		})
	}
	all.Wait()
	// Some may have been about to be claimed when others looked.
	for id, n := range seen {
		assert.Equal(t, 1, n, id)
	}
	assert.Len(t, seen, 102)
	assert.Empty(t, announced(t, store, ""))
}
