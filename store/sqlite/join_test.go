package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

// host is a store with a table of the host's own in the same file.
func host(t *testing.T) *sqlite.Store {
	t.Helper()
	store := open(t, file(t))
	execute(t, store.Writer(), "CREATE TABLE jobs (job TEXT)")
	return store
}

func jobs(t *testing.T, store *sqlite.Store) int {
	t.Helper()
	return count(t, store.Readers(), "SELECT count(*) FROM jobs")
}

// The host's rows, the session, its resources and what it announces are kept
// together or not at all, whatever ends the transaction.
func TestInTx(t *testing.T) {
	store := host(t)
	do := func(end func() error) error {
		return store.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx, joined *sqlite.Joined) error {
			if _, err := tx.ExecContext(ctx, "INSERT INTO jobs VALUES ('call')"); err != nil {
				return err
			}
			putBlocked(t, joined, "a")
			// What the transaction has done is seen in it, and not outside.
			s, err := joined.Load(ctx, "a")
			require.NoError(t, err)
			id, err := joined.Find(ctx, "a.1")
			require.NoError(t, err)
			assert.Equal(t, s.ID(), id)
			entries, err := joined.Announced(ctx, "", 10)
			require.NoError(t, err)
			assert.Len(t, entries, 4)
			_, err = store.Load(ctx, "a")
			require.ErrorIs(t, err, session.ErrNotFound)
			return end()
		})
	}
	none := func() {
		t.Helper()
		_, err := store.Load(t.Context(), "a")
		require.ErrorIs(t, err, session.ErrNotFound)
		_, err = store.Find(t.Context(), "a.1")
		require.ErrorIs(t, err, session.ErrNotFound)
		entries, err := store.Announced(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Empty(t, entries)
		assert.Zero(t, jobs(t, store))
	}
	refused := errors.New("no")
	assert.Equal(t, refused, do(func() error { return refused }))
	none()
	assert.PanicsWithValue(t, "oh", func() { _ = do(func() error { panic("oh") }) })
	none()
	require.NoError(t, do(func() error { return nil }))
	assert.Equal(t, 1, jobs(t, store))
	assert.Equal(t, 1, verified(t, store))
}

// A refusal leaves nothing of the save, and the host's transaction as it was: it
// can go on, try again and commit.
func TestJoinRefused(t *testing.T) {
	store := host(t)
	put(t, store, "owner", link("taken", action.Pending))
	stale := put(t, store, "stale")
	update(t, store, "stale", link("stale.1", action.Pending))

	tx, err := store.Writer().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO jobs VALUES ('before')")
	require.NoError(t, err)
	joined := store.Join(tx)
	next, events := apply(t, stale, link("stale.2", action.Pending))
	require.ErrorIs(t, joined.Save(t.Context(), next, events), session.ErrConflict)
	next, events = apply(t, session.Session{}, create("thief"), link("free", action.Pending), link("taken", action.Pending))
	require.ErrorIs(t, joined.Save(t.Context(), next, events), session.ErrResourceTaken)
	require.ErrorIs(t, joined.Save(t.Context(), next, nil), session.ErrInvalidSave)
	_, err = joined.Find(t.Context(), "free")
	require.ErrorIs(t, err, session.ErrNotFound)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, joined.Save(canceled, next, events), context.Canceled)
	_, err = joined.Claim(canceled, 1, noon, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, joined.Acknowledge(canceled), context.Canceled)

	update(t, joined, "stale", link("free", action.Pending))
	_, err = tx.ExecContext(t.Context(), "INSERT INTO jobs VALUES ('behind')")
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	assert.Equal(t, 2, jobs(t, store))
	id, err := store.Find(t.Context(), "free")
	require.NoError(t, err)
	assert.Equal(t, "stale", id)
	assert.Equal(t, 2, verified(t, store))
}

// What is claimed or acknowledged in a transaction is so with what is done about
// it: a job is made of each announcement once.
func TestJoinOutbox(t *testing.T) {
	store := host(t)
	putBlocked(t, store, "a")
	move := func(end error) {
		err := store.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx, joined *sqlite.Joined) error {
			entries, err := joined.Claim(ctx, 3, noon, 0)
			require.NoError(t, err)
			for _, e := range entries {
				_, err := tx.ExecContext(ctx, "INSERT INTO jobs VALUES (?1)", e.ID())
				require.NoError(t, err)
			}
			require.NoError(t, joined.Acknowledge(ctx, entries...))
			return end
		})
		require.ErrorIs(t, err, end)
	}
	move(sql.ErrConnDone)
	assert.Zero(t, jobs(t, store))
	for _, want := range []int{3, 4, 4} {
		move(nil)
		assert.Equal(t, want, jobs(t, store))
	}
	assert.Equal(t, 4, count(t, store.Readers(), "SELECT count(DISTINCT job) FROM jobs"))
}

// Where SQLite itself ends the transaction, here by a trigger that says so, the
// host cannot go on as if nothing were: its next statement would be kept alone.
func TestJoinRolledBack(t *testing.T) {
	store := host(t)
	s := put(t, store, "a")
	execute(t, store.Writer(), `
		CREATE TRIGGER full BEFORE INSERT ON sluice_resources WHEN new.id = 'last'
		BEGIN SELECT RAISE (ROLLBACK, 'all of it'); END`)
	next, events := apply(t, s, link("last", action.Pending))
	err := store.InTx(t.Context(), func(ctx context.Context, tx *sql.Tx, joined *sqlite.Joined) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO jobs VALUES ('before')")
		require.NoError(t, err)
		err = joined.Save(ctx, next, events)
		require.ErrorIs(t, err, sqlite.ErrRolledBack)
		require.ErrorContains(t, err, "session a: write resource last: ")
		_, err = tx.ExecContext(ctx, "INSERT INTO jobs VALUES ('behind')")
		require.ErrorIs(t, err, sql.ErrTxDone)
		require.ErrorIs(t, joined.Save(ctx, next, events), sqlite.ErrRolledBack)
		return nil
	})
	require.ErrorIs(t, err, sqlite.ErrRolledBack)
	assert.Zero(t, jobs(t, store))
	loaded, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	assert.True(t, loaded.Equal(s))
	execute(t, store.Writer(), "DROP TRIGGER full")
	update(t, store, "a", link("last", action.Pending))
}

// What was not begun on the writer cannot be joined: nothing is saved in it.
func TestJoinElsewhere(t *testing.T) {
	path := file(t)
	store, other := open(t, path), open(t, path)
	for _, pool := range []*sql.DB{store.Readers(), other.Writer()} {
		tx, err := pool.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		s, events := apply(t, session.Session{}, create("a"))
		require.ErrorContains(t, store.Join(tx).Save(t.Context(), s, events), "session a: ")
		require.NoError(t, tx.Commit())
		assert.Zero(t, verified(t, store))
	}
}

// Within InTx the store itself writes nothing: it would wait for itself, or save
// what is kept whatever becomes of the transaction. Another store is free to.
func TestInTx_TheStoreItself(t *testing.T) {
	store := open(t, file(t))
	put(t, store, "a")
	next, events := apply(t, session.Session{}, create("b"))
	err := store.InTx(t.Context(), func(ctx context.Context, _ *sql.Tx, joined *sqlite.Joined) error {
		for name, err := range map[string]error{
			"Save": store.Save(ctx, next, events),
			"InTx": store.InTx(ctx, func(context.Context, *sql.Tx, *sqlite.Joined) error { return nil }),
			"Claim": func() error {
				_, err := store.Claim(ctx, 1, noon, time.Minute)
				return err
			}(),
			"Acknowledge": store.Acknowledge(ctx, session.Entry{Position: "1"}),
			"Update": func() error {
				_, _, err := session.Update(ctx, store, "a", link("a.1", action.Pending), noon)
				return err
			}(),
			"Confirm": func() error {
				_, err := store.Confirm(ctx, &session.OutcomeError{SessionID: "a", Version: 1, Mark: "00"})
				return err
			}(),
		} {
			require.ErrorIs(t, err, sqlite.ErrInTx, name)
		}
		_, err := store.Load(ctx, "a")
		require.NoError(t, err, "it reads what was there before")
		return joined.Save(ctx, next, events)
	})
	require.NoError(t, err)
	put(t, store, "c")
}
