package sqlite_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

// Several readers, in two stores as in two processes, share the outbox while it
// fills: each announcement is handed out once, and all of them are.
func TestOutboxReaders(t *testing.T) {
	const writers, sessions, readers = 2, 30, 4
	path := file(t)
	stores := []*sqlite.Store{open(t, path), open(t, path)}
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range sessions {
				putBlocked(t, stores[w%2], fmt.Sprintf("s%d.%d", w, i))
			}
		})
	}
	written := make(chan struct{})
	claimed := make([][]session.Entry, readers)
	for r := range readers {
		reading.Go(func() {
			for last := false; ; {
				entries, err := stores[r%2].Claim(context.Background(), 3, noon, time.Hour)
				check(err)
				if len(entries) == 0 && last {
					return
				}
				claimed[r] = append(claimed[r], entries...)
				check(stores[r%2].Acknowledge(context.Background(), entries...))
				select {
				case <-written:
					last = len(entries) == 0
				default:
				}
			}
		})
	}
	writing.Wait()
	close(written)
	reading.Wait()
	seen := map[string]int{}
	for _, entries := range claimed {
		for _, e := range entries {
			seen[e.ID()]++
		}
	}
	assert.Len(t, seen, writers*sessions*4)
	for id, n := range seen {
		assert.Equal(t, 1, n, id)
	}
	assert.Zero(t, count(t, stores[0].Readers(), "SELECT count(*) FROM sluice_outbox"))
}

// Who reads from position to position while others save misses nothing.
func TestOutboxFollowed(t *testing.T) {
	store := open(t, file(t))
	var writing sync.WaitGroup
	for w := range 3 {
		writing.Go(func() {
			for i := range 20 {
				putBlocked(t, store, fmt.Sprintf("s%d.%d", w, i))
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	seen, after := map[string]bool{}, ""
	for last := false; ; {
		entries, err := store.Announced(t.Context(), after, 7)
		require.NoError(t, err)
		for _, e := range entries {
			require.False(t, seen[e.ID()])
			seen[e.ID()], after = true, e.Position
		}
		if len(entries) == 0 && last {
			break
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
	assert.Len(t, seen, 3*20*4)
}

// A position is not given again, not even when the last entry was removed and
// the file was opened again; otherwise who reads from it would miss one.
func TestPositionsAreNotReused(t *testing.T) {
	path := file(t)
	last := 0
	for i := range 3 {
		store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.NoError(t, err)
		putBlocked(t, store, fmt.Sprintf("s%d", i))
		entries, err := store.Claim(t.Context(), 10, noon, time.Hour)
		require.NoError(t, err)
		require.Len(t, entries, 4)
		first, err := strconv.Atoi(entries[0].Position)
		require.NoError(t, err)
		require.Greater(t, first, last)
		last, err = strconv.Atoi(entries[3].Position)
		require.NoError(t, err)
		require.NoError(t, store.Acknowledge(t.Context(), entries...))
		require.NoError(t, store.Close())
	}
}

// What is no position is refused, in any other spelling too.
func TestNoPosition(t *testing.T) {
	store := open(t, file(t))
	putBlocked(t, store, "a")
	for _, after := range []string{"0", "-1", "+1", "01", " 1", "x", "1.0", "9223372036854775808"} {
		_, err := store.Announced(t.Context(), after, 1)
		require.ErrorIs(t, err, session.ErrCursor, after)
	}
}

// An announcement is kept to the nanosecond, and leases count microseconds, so
// that none is handed out before its time.
func TestLeases(t *testing.T) {
	store := open(t, file(t))
	put(t, store, "a", link("a.1", action.Failed))
	lease := time.Hour + time.Nanosecond
	entries, err := store.Claim(t.Context(), 1, noon, lease)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, noon.Add(time.Minute), entries[0].At)
	first := entries[0]
	for later, free := range map[time.Duration]bool{
		lease - time.Nanosecond: false, lease - time.Hour: false, lease + time.Microsecond: true,
	} {
		n := count(t, store.Readers(),
			"SELECT count(*) FROM sluice_outbox WHERE position = ?1 AND held_until <= ?2", first.Position, noon.Add(later).UnixMicro())
		assert.Equal(t, free, n == 1, later)
	}
}
