package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

// failing has the next so many saves fail with a code. The count is a sequence,
// which a transaction that is given up does not take back.
func failing(t *testing.T, url, code string, times int) {
	t.Helper()
	query(t, url, fmt.Sprintf(`
		CREATE SEQUENCE failures;
		CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('failures') <= %d THEN RAISE EXCEPTION 'given up' USING ERRCODE = '%s'; END IF;
			RETURN new;
		END $$;
		CREATE TRIGGER fail BEFORE INSERT ON sluice_events FOR EACH ROW EXECUTE FUNCTION fail()`, times, code))
}

// A transaction that PostgreSQL gives up because of others is run again, but not
// for ever.
func TestGivenUp(t *testing.T) {
	for _, code := range []string{"40001", "40P01"} {
		url := pgtest.Database(t)
		store := openAt(t, url, postgres.Options{})
		failing(t, url, code, 3)
		put(t, store, "a")
		assert.Equal(t, "4", query(t, url, `SELECT last_value FROM failures`))

		url = pgtest.Database(t)
		store = openAt(t, url, postgres.Options{RetryFor: 30 * time.Millisecond})
		failing(t, url, code, 1_000_000)
		s, events := apply(t, session.Session{}, create("a"))
		require.ErrorIs(t, store.Save(t.Context(), s, events), postgres.ErrBusy)
		store = openAt(t, url, postgres.Options{RetryFor: -1})
		query(t, url, `SELECT setval('failures', 1)`)
		require.ErrorIs(t, store.Save(t.Context(), s, events), postgres.ErrBusy)
		assert.Equal(t, "2", query(t, url, `SELECT last_value FROM failures`), "not at all")
	}
}

// A save that is the victim of a deadlock with the host's own transaction is made
// again.
func TestDeadlock(t *testing.T) {
	url := pgtest.Database(t)
	store := openAt(t, url, postgres.Options{Configure: connections(4)})
	s := put(t, store, "a")
	tx, err := store.Pool().Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	// The other one is to find the deadlock.
	_, err = tx.Exec(t.Context(), `SET LOCAL deadlock_timeout = '1min'`)
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `INSERT INTO sluice_resources VALUES ('r', 'a')`)
	require.NoError(t, err)

	next, events := apply(t, s, link("r", action.Pending))
	saved := make(chan error)
	go func() { saved <- store.Save(context.Background(), next, events) }()
	awaitLock(t, store)
	_, err = tx.Exec(t.Context(), `UPDATE sluice_sessions SET version = version WHERE id = 'a'`)
	require.NoError(t, err, "the other one gave up")
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, <-saved)
	assert.Equal(t, 1, verified(t, store))
}

// In a database whose transactions are serializable, it is the same store.
func TestSerializable(t *testing.T) {
	url := pgtest.Database(t)
	query(t, url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`)
	store := openAt(t, url, postgres.Options{Configure: connections(writers)})
	put(t, store, "a")
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			_, _, err := session.Update(t.Context(), store, "a", link(fmt.Sprint("r", i), action.Pending), noon)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	s, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, 1+writers, s.Version())
	assert.Equal(t, 1, verified(t, store))
}
