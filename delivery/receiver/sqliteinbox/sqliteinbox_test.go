package sqliteinbox_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/delivery/receiver/inboxtest"
	"github.com/sluicego/sluice/delivery/receiver/sqliteinbox"
)

func TestMain(m *testing.M) {
	// By default less than rapid's own: each step waits for the disk.
	if os.Getenv("RAPID_CHECKS") == "" {
		if err := flag.Set("rapid.checks", "10"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

func event(id string) receiver.Event {
	return receiver.Event{ID: id, Body: []byte(`{"event_id":"` + id + `"}`), Received: noon}
}

// open opens an inbox, which is closed when the test ends.
func open(tb testing.TB, path string) *sqliteinbox.Inbox {
	tb.Helper()
	// Not the context of the test, which ends before what is cleaned up.
	inbox, err := sqliteinbox.Open(context.Background(), path)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, inbox.Close()) })
	return inbox
}

// reopener is an inbox that can be closed and opened again.
type reopener struct {
	*sqliteinbox.Inbox
	tb   testing.TB
	path string
}

// Reopen implements [inboxtest.Reopener].
func (r reopener) Reopen() (receiver.Inbox, error) {
	if err := r.Close(); err != nil {
		return nil, err
	}
	return open(r.tb, r.path), nil
}

// A path may have in it what means something in a URI.
func TestInbox(t *testing.T) {
	inboxtest.Run(t, func(tb testing.TB) receiver.Inbox {
		path := filepath.Join(tb.TempDir(), "a?b#c%20é.db")
		return reopener{open(tb, path), tb, path}
	})
}

// host opens a database of the host's own, with connections that the inbox has
// not made.
func host(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

func TestInbox_ofHost(t *testing.T) {
	inboxtest.Run(t, func(tb testing.TB) receiver.Inbox {
		db := host(tb, filepath.Join(tb.TempDir(), "host.db"))
		inbox, err := sqliteinbox.New(tb.Context(), db)
		require.NoError(tb, err)
		return inbox
	})
}

// What is kept and what is done within a transaction is so if it is committed.
func TestTx(t *testing.T) {
	ctx := t.Context()
	db := host(t, filepath.Join(t.TempDir(), "host.db"))
	inbox, err := sqliteinbox.New(ctx, db)
	require.NoError(t, err)
	for _, commit := range []bool{false, true} {
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		isNew, err := inbox.KeepTx(ctx, tx, event("a"))
		require.NoError(t, err)
		assert.True(t, isNew)
		isNew, err = inbox.KeepTx(ctx, tx, event("a"))
		require.NoError(t, err)
		assert.False(t, isNew)
		require.NoError(t, end(tx, commit))
		events, err := inbox.Claim(ctx, 10, noon, 0)
		require.NoError(t, err)
		assert.Equal(t, commit, len(events) == 1)
	}
	for _, commit := range []bool{false, true} {
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		require.NoError(t, inbox.DoneTx(ctx, tx, "a", "nobody"))
		require.NoError(t, end(tx, commit))
		events, err := inbox.Claim(ctx, 10, noon, 0)
		require.NoError(t, err)
		assert.Equal(t, commit, len(events) == 0)
	}
	// What New was given stays the host's.
	require.NoError(t, inbox.Close())
	require.NoError(t, db.PingContext(ctx))
}

func end(tx *sql.Tx, commit bool) error {
	if commit {
		return tx.Commit()
	}
	return tx.Rollback()
}

// What was opened several times at once, by processes for one, is made once.
func TestOpen_atOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inbox.db")
	var wg sync.WaitGroup
	inboxes := make([]*sqliteinbox.Inbox, 4)
	errs := make([]error, len(inboxes))
	for i := range inboxes {
		wg.Go(func() { inboxes[i], errs[i] = sqliteinbox.Open(t.Context(), path) })
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
	db := host(t, filepath.Join(t.TempDir(), "host.db"))
	_, err := sqliteinbox.New(t.Context(), db)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "UPDATE sluice_inbox_version SET version = 7")
	require.NoError(t, err)
	_, err = sqliteinbox.New(t.Context(), db)
	require.ErrorIs(t, err, receiver.ErrVersion)
	var wrong *receiver.VersionError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, receiver.VersionError{Database: 7, Program: 1}, *wrong)
	var version int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT version FROM sluice_inbox_version").Scan(&version))
	assert.Equal(t, 7, version)
}

// Bodies of what is dealt with are not kept.
func TestDone_removesBodies(t *testing.T) {
	db := host(t, filepath.Join(t.TempDir(), "host.db"))
	inbox, err := sqliteinbox.New(t.Context(), db)
	require.NoError(t, err)
	_, err = inbox.Keep(t.Context(), event("a"))
	require.NoError(t, err)
	require.NoError(t, inbox.Done(t.Context(), "a"))
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT sum(length(body)) FROM sluice_inbox").Scan(&n))
	assert.Zero(t, n)
}

// The file is as safe as SQLite can make it.
func TestOpen_isDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inbox.db")
	inbox := open(t, path)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
		var got string
		require.NoError(t, inbox.DB().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
	}
}

func TestErrors(t *testing.T) {
	ctx := t.Context()
	for _, path := range []string{"", ":memory:", "file:inbox.db"} {
		_, err := sqliteinbox.Open(ctx, path)
		require.ErrorContains(t, err, "the path of a file is wanted")
	}
	_, err := sqliteinbox.Open(ctx, t.TempDir())
	require.ErrorContains(t, err, "sqliteinbox: open")
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = sqliteinbox.Open(canceled, filepath.Join(t.TempDir(), "inbox.db"))
	require.ErrorIs(t, err, context.Canceled)

	db := host(t, filepath.Join(t.TempDir(), "host.db"))
	inbox, err := sqliteinbox.New(ctx, db)
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, "DROP TABLE sluice_inbox")
	require.NoError(t, err)
	_, err = inbox.Keep(ctx, event("a"))
	require.ErrorContains(t, err, `sqliteinbox: keep event "a": `)
	_, err = inbox.Claim(ctx, 1, noon, time.Minute)
	require.ErrorContains(t, err, "sqliteinbox: claim events: ")
	require.ErrorContains(t, inbox.Done(ctx, "a", "b"), "sqliteinbox: mark 2 events as dealt with: ")
	require.ErrorContains(t, inbox.Forget(ctx, noon), "sqliteinbox: forget events: ")
	_, err = db.ExecContext(ctx, "DROP TABLE sluice_inbox_version; CREATE VIEW sluice_inbox AS SELECT 1")
	require.NoError(t, err)
	_, err = sqliteinbox.New(ctx, db)
	require.ErrorContains(t, err, "sqliteinbox: migrate to version 1: ")
}
