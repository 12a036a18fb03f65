package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
	"github.com/sluicego/sluice/store/postgres"
)

func TestStore(t *testing.T) {
	url := pgtest.Database(t)
	sessiontest.Run(t, func(t testing.TB) session.Store { return emptied(t, url) })
}

// emptied opens a store and removes what others have left: that takes less time
// than a database for each.
func emptied(t testing.TB, url string) reopener {
	t.Helper()
	store := openAt(t, url, postgres.Options{})
	_, err := store.Pool().Exec(t.Context(), `TRUNCATE sluice_sessions, sluice_events, sluice_resources, sluice_outbox`)
	require.NoError(t, err)
	return reopener{store, t, url, postgres.Options{}}
}

// The suite passes in the host's transaction as well, but for those cases that
// are about several writers at once, or go on after the end of the transaction.
func TestJoinedStore(t *testing.T) {
	alone := map[string]bool{
		"two-writers": true, "concurrent-reads": true, "concurrent-updates": true, "concurrent-links": true,
		"model": true, // TestStore has it
	}
	store := open(t)
	for _, c := range sessiontest.Cases() {
		if alone[c.Name] {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			tx, err := store.Pool().Begin(t.Context())
			require.NoError(t, err)
			defer func() { _ = tx.Rollback(context.Background()) }()
			j := store.Join(tx)
			// What is announced is not for others, and so not for the outbox,
			// before the host commits: TestJoinedOutbox.
			c.Check(t, struct {
				session.Store
				session.Finder
				session.Lister
				session.History
			}{j, j, j, j})
		})
	}
}

// With time-outs, and with named statements, it is the same store.
func TestStoreModes(t *testing.T) {
	for name, o := range map[string]postgres.Options{
		"timeout":         {StatementTimeout: time.Minute},
		"cache_statement": {},
		"cache_describe":  {},
	} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.Database(t)
			if o.StatementTimeout == 0 {
				url += "&default_query_exec_mode=" + name
			}
			store := openAt(t, url, o)
			s := put(t, store, "a", link("r", action.Failed))
			for i := range 3 {
				var err error
				s, _, err = session.Update(t.Context(), store, "a", observe("r", action.Failed, i+1), noon)
				require.NoError(t, err)
			}
			got, err := store.Load(t.Context(), "a")
			require.NoError(t, err)
			assert.True(t, got.Equal(s))
			page, err := store.List(t.Context(), session.Query{Status: session.Blocked, UpdatedSince: noon.Add(-time.Hour)})
			require.NoError(t, err)
			assert.Len(t, page.Items, 1)
			entries, err := store.Claim(t.Context(), 10, noon, time.Minute)
			require.NoError(t, err)
			assert.Len(t, entries, 2)
			assert.Equal(t, 1, verified(t, store))
			late, events := apply(t, session.Session{}, create("b"), link("r", action.Failed))
			require.ErrorIs(t, store.Save(t.Context(), late, events), session.ErrResourceTaken)
		})
	}
}

// What the store says no to, it says so that the message reads well alone.
func TestMessages(t *testing.T) {
	store := open(t)
	first, second := put(t, store, "a"), put(t, store, "b")
	_, err := store.Load(t.Context(), "nobody")
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.Load(t.Context(), "\x00")
	require.ErrorIs(t, err, session.ErrNotFound)
	_, err = store.History(t.Context(), "nobody", 0)
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.Find(t.Context(), "nothing")
	require.EqualError(t, err, "resource nothing: session: not found")

	next, events := apply(t, first, link("r", action.Pending))
	require.NoError(t, store.Save(t.Context(), next, events))
	require.EqualError(t, store.Save(t.Context(), next, events),
		"session a is stored in version 2, not 1: session: conflict")
	next, events = apply(t, second, link("r", action.Pending))
	require.EqualError(t, store.Save(t.Context(), next, events),
		"session: link of r refused: it stands in session a (ATT-12)")
	page, err := store.List(t.Context(), session.Query{WorkspaceID: "\xff"})
	require.NoError(t, err)
	assert.Empty(t, page.Items)
}

// With a context that is done, no method answers, and the error is its own.
func TestCanceled(t *testing.T) {
	store := open(t)
	s := put(t, store, "a")
	next, events := apply(t, s, link("r", action.Pending))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Save":        func() error { return store.Save(ctx, next, events) },
		"Load":        func() error { _, err := store.Load(ctx, "a"); return err },
		"Find":        func() error { _, err := store.Find(ctx, "r"); return err },
		"List":        func() error { _, err := store.List(ctx, session.Query{}); return err },
		"History":     func() error { _, err := store.History(ctx, "a", 0); return err },
		"Claim":       func() error { _, err := store.Claim(ctx, 1, noon, time.Minute); return err },
		"Announced":   func() error { _, err := store.Announced(ctx, "", 1); return err },
		"Acknowledge": func() error { return store.Acknowledge(ctx) },
		"Confirm":     func() error { _, err := store.Confirm(ctx, &session.OutcomeError{}); return err },
		"no position": func() error { _, err := store.Announced(ctx, "nowhere", 1); return err },
	} {
		assert.Equal(t, context.Canceled, call(), name)
	}
	n := 0
	for _, err := range store.Sweep(ctx) {
		n++
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Equal(t, 1, n)
}

// A save that waits for somebody's lock ends with its context, and nothing of it
// is kept: the server was told to cancel it.
func TestCanceledMeanwhile(t *testing.T) {
	url := pgtest.Database(t)
	store := openAt(t, url, postgres.Options{})
	s := put(t, store, "a")
	tx, err := store.Pool().Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `SELECT 1 FROM sluice_sessions WHERE id = 'a' FOR UPDATE`)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	next, events := apply(t, s, link("r", action.Pending))
	assert.Equal(t, context.DeadlineExceeded, store.Save(ctx, next, events))
	require.NoError(t, tx.Rollback(t.Context()))
	got, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, 1, got.Version())
}

// A statement that takes too long, because of a lock or by itself, is ended by
// the server, and the error says so.
func TestStatementTimeout(t *testing.T) {
	store := openAt(t, pgtest.Database(t), postgres.Options{StatementTimeout: 50 * time.Millisecond, Configure: connections(2)})
	s := put(t, store, "a")
	tx, err := store.Pool().Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `LOCK TABLE sluice_sessions IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	next, events := apply(t, s, link("r", action.Pending))
	err = store.Save(t.Context(), next, events)
	require.ErrorIs(t, err, postgres.ErrTimeout)
	require.ErrorContains(t, err, "save session a")
	_, err = store.Load(t.Context(), "a")
	require.ErrorIs(t, err, postgres.ErrTimeout)
	require.NoError(t, tx.Rollback(t.Context()))

	// It does not stay behind in the connection.
	var timeout string
	require.NoError(t, store.Pool().QueryRow(t.Context(), `SHOW statement_timeout`).Scan(&timeout))
	assert.Equal(t, "0", timeout)
	require.NoError(t, store.Save(t.Context(), next, events))
}

// A server that is not there, or does not know the database, is no server to wait
// for longer than is allowed.
func TestUnavailable(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://u@localhost:1/d", postgres.Options{RetryFor: 10 * time.Millisecond})
	require.ErrorIs(t, err, postgres.ErrUnavailable)
	_, err = postgres.Open(t.Context(), "postgres://u@localhost:port/d", postgres.Options{})
	require.Error(t, err)
	begin := time.Now()
	_, err = postgres.Open(t.Context(), pgtest.Database(t)+"&dbname=nowhere", postgres.Options{})
	require.ErrorContains(t, err, "nowhere")
	assert.Less(t, time.Since(begin), 5*time.Second, "no waiting helps")
	store := open(t)
	s, events := apply(t, session.Session{}, create("a"))
	require.NoError(t, store.Close())
	err = store.Save(t.Context(), s, events)
	require.Error(t, err)
	require.NotErrorIs(t, err, session.ErrUnknownOutcome)
}

// The host's settings of the connections are heeded.
func TestConfigure(t *testing.T) {
	store := openAt(t, pgtest.Database(t), postgres.Options{Configure: func(c *pgxpool.Config) { c.MaxConns = 3 }})
	assert.EqualValues(t, 3, store.Pool().Config().MaxConns)
}
