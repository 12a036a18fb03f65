package postgresinbox_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/delivery/receiver/inboxtest"
	"github.com/sluicego/sluice/delivery/receiver/postgresinbox"
	"github.com/sluicego/sluice/internal/pgtest"
)

func TestMain(m *testing.M) {
	// By default less than rapid's own: each step is a round trip.
	if os.Getenv("RAPID_CHECKS") == "" {
		if err := flag.Set("rapid.checks", "10"); err != nil {
			panic(err)
		}
	}
	pgtest.Main(m)
}

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

func event(id string) receiver.Event {
	return receiver.Event{ID: id, Body: []byte(`{"event_id":"` + id + `"}`), Received: noon}
}

// open opens an inbox, which is closed when the test ends.
func open(tb testing.TB, url string) *postgresinbox.Inbox {
	tb.Helper()
	inbox, err := postgresinbox.Open(context.Background(), url)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, inbox.Close()) })
	return inbox
}

// host opens connections that the inbox has not made.
func host(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(context.Background(), url)
	require.NoError(tb, err)
	tb.Cleanup(pool.Close)
	return pool
}

// reopener is an inbox that can be closed and opened again. All cases have one
// database, which is emptied for each.
type reopener struct {
	*postgresinbox.Inbox
	tb  testing.TB
	url string
}

// Reopen implements [inboxtest.Reopener].
func (r reopener) Reopen() (receiver.Inbox, error) {
	if err := r.Close(); err != nil {
		return nil, err
	}
	return open(r.tb, r.url), nil
}

func TestInbox(t *testing.T) {
	url := pgtest.Database(t)
	pool := host(t, url)
	inboxtest.Run(t, func(tb testing.TB) receiver.Inbox {
		inbox := open(tb, url)
		_, err := pool.Exec(tb.Context(), "TRUNCATE sluice_inbox")
		require.NoError(tb, err)
		return reopener{inbox, tb, url}
	})
}

// Over the host's connections, which have named statements.
func TestInbox_ofHost(t *testing.T) {
	pool := host(t, pgtest.Database(t))
	inbox, err := postgresinbox.New(t.Context(), pool)
	require.NoError(t, err)
	inboxtest.Run(t, func(tb testing.TB) receiver.Inbox {
		_, err := pool.Exec(tb.Context(), "TRUNCATE sluice_inbox")
		require.NoError(tb, err)
		return inbox
	})
	// What New was given stays the host's.
	require.NoError(t, inbox.Close())
	require.NoError(t, pool.Ping(t.Context()))
}

// What is kept and what is done within a transaction is so if it is committed.
func TestTx(t *testing.T) {
	ctx := t.Context()
	pool := host(t, pgtest.Database(t))
	inbox, err := postgresinbox.New(ctx, pool)
	require.NoError(t, err)
	errBack := errors.New("back")
	in := func(commit bool, do func(pgx.Tx)) {
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			do(tx)
			if !commit {
				return errBack
			}
			return nil
		})
		assert.Equal(t, !commit, errors.Is(err, errBack))
	}
	for _, commit := range []bool{false, true} {
		in(commit, func(tx pgx.Tx) {
			isNew, err := inbox.KeepTx(ctx, tx, event("a"))
			require.NoError(t, err)
			assert.True(t, isNew)
			isNew, err = inbox.KeepTx(ctx, tx, event("a"))
			require.NoError(t, err)
			assert.False(t, isNew)
		})
		events, err := inbox.Claim(ctx, 10, noon, 0)
		require.NoError(t, err)
		assert.Equal(t, commit, len(events) == 1)
	}
	for _, commit := range []bool{false, true} {
		in(commit, func(tx pgx.Tx) {
			require.NoError(t, inbox.DoneTx(ctx, tx, "a", "nobody"))
			// Nobody waits for it meanwhile, and nobody gets it.
			events, err := inbox.Claim(ctx, 10, noon, 0)
			require.NoError(t, err)
			assert.Empty(t, events)
		})
		events, err := inbox.Claim(ctx, 10, noon, 0)
		require.NoError(t, err)
		assert.Equal(t, commit, len(events) == 0)
	}
}

// Claims at once do not wait for each other: what another transaction is about to
// claim is passed over.
func TestClaim_skipsLocked(t *testing.T) {
	ctx := t.Context()
	pool := host(t, pgtest.Database(t))
	inbox, err := postgresinbox.New(ctx, pool)
	require.NoError(t, err)
	for _, id := range []string{"a", "b"} {
		_, err := inbox.Keep(ctx, event(id))
		require.NoError(t, err)
	}
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT FROM sluice_inbox WHERE id = 'a' FOR UPDATE")
		require.NoError(t, err)
		events, err := inbox.Claim(ctx, 10, noon, time.Minute)
		require.NoError(t, err)
		require.Len(t, events, 1)
		assert.Equal(t, "b", events[0].ID)
		return nil
	}))
}

// What is opened several times at once, by processes for one, is made once.
func TestOpen_atOnce(t *testing.T) {
	url := pgtest.Database(t)
	var wg sync.WaitGroup
	inboxes := make([]*postgresinbox.Inbox, 4)
	errs := make([]error, len(inboxes))
	for i := range inboxes {
		wg.Go(func() { inboxes[i], errs[i] = postgresinbox.Open(t.Context(), url) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	for i, inbox := range inboxes {
		isNew, err := inbox.Keep(t.Context(), event("a"))
		require.NoError(t, err)
		assert.Equal(t, i == 0, isNew)
		require.NoError(t, inbox.Close())
	}
}

// An inbox that a newer program has used is refused, and left as it is.
func TestVersion(t *testing.T) {
	url := pgtest.Database(t)
	pool := host(t, url)
	_, err := postgresinbox.New(t.Context(), pool)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), "UPDATE sluice_inbox_version SET version = 7")
	require.NoError(t, err)
	_, err = postgresinbox.Open(t.Context(), url)
	require.ErrorIs(t, err, receiver.ErrVersion)
	var wrong *receiver.VersionError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, receiver.VersionError{Database: 7, Program: 1}, *wrong)
	var version int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT version FROM sluice_inbox_version").Scan(&version))
	assert.Equal(t, 7, version)
}

// Bodies of what is dealt with are not kept.
func TestDone_removesBodies(t *testing.T) {
	pool := host(t, pgtest.Database(t))
	inbox, err := postgresinbox.New(t.Context(), pool)
	require.NoError(t, err)
	_, err = inbox.Keep(t.Context(), event("a"))
	require.NoError(t, err)
	require.NoError(t, inbox.Done(t.Context(), "a"))
	var n int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT sum(length(body)) FROM sluice_inbox").Scan(&n))
	assert.Zero(t, n)
}

func TestErrors(t *testing.T) {
	ctx := t.Context()
	_, err := postgresinbox.Open(ctx, "postgres://%")
	require.ErrorContains(t, err, "postgresinbox: open: ")
	url := pgtest.Database(t)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = postgresinbox.Open(canceled, url)
	require.ErrorIs(t, err, context.Canceled)

	pool := host(t, url)
	inbox, err := postgresinbox.New(ctx, pool)
	require.NoError(t, err)
	_, err = pool.Exec(ctx, "DROP TABLE sluice_inbox")
	require.NoError(t, err)
	_, err = inbox.Keep(ctx, event("a"))
	require.ErrorContains(t, err, `postgresinbox: keep event "a": `)
	_, err = inbox.Claim(ctx, 1, noon, time.Minute)
	require.ErrorContains(t, err, "postgresinbox: claim events: ")
	require.ErrorContains(t, inbox.Done(ctx, "a", "b"), "postgresinbox: mark 2 events as dealt with: ")
	require.ErrorContains(t, inbox.Forget(ctx, noon), "postgresinbox: forget events: ")
	_, err = pool.Exec(ctx, "DROP TABLE sluice_inbox_version; CREATE VIEW sluice_inbox AS SELECT 1")
	require.NoError(t, err)
	_, err = postgresinbox.New(ctx, pool)
	require.ErrorContains(t, err, "postgresinbox: migrate to version 1: ")
}
