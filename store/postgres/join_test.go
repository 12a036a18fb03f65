package postgres_test

import (
	"context"
	"errors"
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

const second = time.Second

// host returns a store in a database in which the host has a table of jobs.
func host(t *testing.T, o postgres.Options) *postgres.Store {
	t.Helper()
	url := pgtest.Database(t)
	query(t, url, `CREATE TABLE jobs (what text)`)
	return openAt(t, url, o)
}

func jobs(t *testing.T, store *postgres.Store) (n int) {
	t.Helper()
	require.NoError(t, store.Pool().QueryRow(t.Context(), `SELECT count(*) FROM jobs`).Scan(&n))
	return n
}

const addJob = `INSERT INTO jobs VALUES ('a job')`

// The host's rows and ours are kept together or not at all.
func TestInTx(t *testing.T) {
	store := host(t, postgres.Options{})
	s, events := apply(t, session.Session{}, create("a"), link("r", action.Failed))
	both := func(ctx context.Context, tx pgx.Tx, j *postgres.Joined) error {
		if _, err := tx.Exec(ctx, addJob); err != nil {
			return err
		}
		if err := j.Save(ctx, s, events); err != nil {
			return err
		}
		got, err := j.Load(ctx, "a")
		if err == nil && !got.Equal(s) {
			err = errors.New("the transaction does not see what it has saved")
		}
		return err
	}
	broken := errors.New("broken")
	err := store.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx, j *postgres.Joined) error {
		require.NoError(t, both(ctx, tx, j))
		return broken
	})
	assert.Equal(t, broken, err)
	assert.Zero(t, jobs(t, store))
	assert.Zero(t, verified(t, store))

	require.NoError(t, store.InTx(t.Context(), both))
	assert.Equal(t, 1, jobs(t, store))
	assert.Equal(t, 1, verified(t, store))
	require.ErrorIs(t, store.InTx(t.Context(), both), session.ErrConflict)
	assert.Equal(t, 1, jobs(t, store))
}

// A save that is refused leaves nothing, and a transaction that can go on.
func TestJoinRefused(t *testing.T) {
	store := host(t, postgres.Options{})
	old := put(t, store, "a")
	put(t, store, "b", link("taken", action.Pending))
	current, events := apply(t, old, link("free", action.Pending))
	require.NoError(t, store.Save(t.Context(), current, events))

	tx := begin(t, store)
	j := store.Join(tx)
	_, err := tx.Exec(t.Context(), addJob)
	require.NoError(t, err)

	late, events := apply(t, old, link("other", action.Pending))
	require.ErrorIs(t, j.Save(t.Context(), late, events), session.ErrConflict)
	again, events := apply(t, session.Session{}, create("a"))
	require.ErrorIs(t, j.Save(t.Context(), again, events), session.ErrConflict)
	thief, events := apply(t, current, link("taken", action.Pending))
	err = j.Save(t.Context(), thief, events)
	require.ErrorIs(t, err, session.ErrResourceTaken)
	require.ErrorContains(t, err, "session b")
	next, events := apply(t, current, link("other", action.Pending))
	require.NoError(t, j.Save(t.Context(), next, events))
	require.NoError(t, tx.Commit(t.Context()))

	assert.Equal(t, 1, jobs(t, store))
	got, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	assert.True(t, got.Equal(next))
	assert.Equal(t, 2, verified(t, store))
}

// Under a higher isolation level a save that is too late costs the transaction
// nothing but that save, and says that it is no ordinary conflict.
func TestJoinRepeatableRead(t *testing.T) {
	store := host(t, postgres.Options{})
	s := put(t, store, "a")
	tx, err := store.Pool().BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), addJob) // takes the snapshot
	require.NoError(t, err)
	next, events := apply(t, s, link("r", action.Pending))
	require.NoError(t, store.Save(t.Context(), next, events))
	require.ErrorIs(t, store.Join(tx).Save(t.Context(), next, events), postgres.ErrBusy)
	require.NoError(t, tx.Commit(t.Context()))
	assert.Equal(t, 1, jobs(t, store))
}

// A commit whose answer is lost is as open as a save, and Confirm tells of it.
func TestJoinUnknownOutcome(t *testing.T) {
	for name, where := range map[string]cut{"not kept": beforeServer, "kept": afterServer} {
		t.Run(name, func(t *testing.T) {
			n := &network{}
			store := host(t, postgres.Options{Configure: n.configure})
			s, events := apply(t, session.Session{}, create("a"))
			err := store.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx, j *postgres.Joined) error {
				if err := j.Save(ctx, s, events); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, addJob)
				n.arm(where, "commit")
				return err
			})
			var unknown *session.OutcomeError
			require.ErrorAs(t, err, &unknown)
			saved, err := store.Confirm(t.Context(), unknown)
			require.NoError(t, err)
			assert.Equal(t, where == afterServer, saved)
			assert.Equal(t, saved, jobs(t, store) == 1)

			// Without a save there is nothing to ask for.
			err = store.InTx(t.Context(), func(context.Context, pgx.Tx, *postgres.Joined) error {
				n.arm(where, "commit")
				return nil
			})
			require.ErrorIs(t, err, session.ErrUnknownOutcome)
			require.NotErrorAs(t, err, &unknown)
		})
	}
}

// What is announced in a transaction is there when the host has committed, and
// not before; what is claimed in one is nobody else's.
func TestJoinedOutbox(t *testing.T) {
	store := host(t, postgres.Options{})
	tx := begin(t, store)
	s, events := apply(t, session.Session{}, create("a"), link("r", action.Failed))
	require.NoError(t, store.Join(tx).Save(t.Context(), s, events))
	entries, err := store.Claim(t.Context(), 9, noon, time.Minute)
	require.NoError(t, err)
	assert.Empty(t, entries)
	require.NoError(t, tx.Commit(t.Context()))

	tx = begin(t, store)
	mine, err := store.Join(tx).Claim(t.Context(), 1, noon, time.Minute)
	require.NoError(t, err)
	others, err := store.Claim(t.Context(), 9, noon, time.Minute)
	require.NoError(t, err)
	require.Len(t, mine, 1)
	require.Len(t, others, 1)
	require.NoError(t, store.Join(tx).Acknowledge(t.Context(), mine...))
	require.NoError(t, tx.Commit(t.Context()))
	left, err := store.Announced(t.Context(), "", 9)
	require.NoError(t, err)
	assert.Equal(t, others, left)
}

// Within InTx the store itself writes nothing: it would wait for itself, or save
// what is kept whatever becomes of the transaction. Another store is free to.
func TestInTx_TheStoreItself(t *testing.T) {
	store := open(t)
	put(t, store, "a")
	next, events := apply(t, session.Session{}, create("b"))
	err := store.InTx(t.Context(), func(ctx context.Context, _ pgx.Tx, joined *postgres.Joined) error {
		for name, err := range map[string]error{
			"Save": store.Save(ctx, next, events),
			"InTx": store.InTx(ctx, func(context.Context, pgx.Tx, *postgres.Joined) error { return nil }),
			"Claim": func() error {
				_, err := store.Claim(ctx, 1, noon, time.Minute)
				return err
			}(),
			"Acknowledge": store.Acknowledge(ctx, session.Entry{Position: "1"}),
			"Update": func() error {
				_, _, err := session.Update(ctx, store, "a", link("a.1", action.Pending), noon)
				return err
			}(),
		} {
			require.ErrorIs(t, err, postgres.ErrInTx, name)
		}
		_, err := store.Load(ctx, "a")
		require.NoError(t, err, "it reads what was there before")
		return joined.Save(ctx, next, events)
	})
	require.NoError(t, err)
	put(t, store, "c")
}
