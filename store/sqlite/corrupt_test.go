package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/session"
)

// corruptions are what may happen to the rows of session b, and what is said of
// it: by Load, by History and by the sweep.
var corruptions = []struct {
	name, statement       string
	load, history, swept  string // the column that is named, "" where it is not
	version, sweptVersion int
}{
	{
		name: "a snapshot is cut", statement: `UPDATE sluice_sessions SET snapshot = substr(snapshot, 1, 100) WHERE id = 'b'`,
		load: "snapshot", swept: "snapshot", version: 3, sweptVersion: 3,
	},
	{
		name: "a snapshot is empty", statement: `UPDATE sluice_sessions SET snapshot = '' WHERE id = 'b'`,
		load: "snapshot", swept: "snapshot", version: 3, sweptVersion: 3,
	},
	{
		name: "a snapshot is another's",
		statement: `UPDATE sluice_sessions SET snapshot =
			(SELECT snapshot FROM sluice_sessions WHERE id = 'a') WHERE id = 'b'`,
		load: "snapshot", swept: "snapshot", version: 3, sweptVersion: 3,
	},
	{
		name: "a version is another's", statement: `UPDATE sluice_sessions SET version = 2 WHERE id = 'b'`,
		load: "snapshot", swept: "snapshot", version: 2, sweptVersion: 2,
	},
	{
		name: "a status is another's", statement: `UPDATE sluice_sessions SET status = 'done' WHERE id = 'b'`,
		swept: "status", sweptVersion: 3,
	},
	{
		name: "a time is another's", statement: `UPDATE sluice_sessions SET created_at = 5 WHERE id = 'b'`,
		swept: "created_at", sweptVersion: 3,
	},
	{
		name: "an event is cut", statement: `UPDATE sluice_events SET event = substr(event, 1, 50) WHERE session_id = 'b' AND version = 2`,
		history: "event", swept: "event", version: 2, sweptVersion: 2,
	},
	{
		name: "an event is another's", statement: `UPDATE sluice_events SET event =
			(SELECT event FROM sluice_events WHERE session_id = 'b' AND version = 1) WHERE session_id = 'b' AND version = 2`,
		history: "event", swept: "event", version: 2, sweptVersion: 2,
	},
	{
		name: "a resource is gone", statement: `DELETE FROM sluice_resources WHERE session_id = 'b'`,
		swept: "resource", sweptVersion: 2,
	},
	{
		name: "a resource is another's", statement: `UPDATE sluice_resources SET session_id = 'a' WHERE session_id = 'b'`,
		swept: "resource", sweptVersion: 2,
	},
	{
		name: "a session is gone", statement: `DELETE FROM sluice_sessions WHERE id = 'b'`,
		swept: "snapshot", sweptVersion: 1,
	},
	{
		name: "the last session is gone", statement: `
			INSERT INTO sluice_events SELECT 'z', version, at, event, mark FROM sluice_events WHERE session_id = 'b' AND version = 3`,
		swept: "snapshot", sweptVersion: 3,
	},
}

// Of a row that cannot be read it is said where, and the others are as they were.
func TestCorrupt(t *testing.T) {
	for _, c := range corruptions {
		t.Run(c.name, func(t *testing.T) {
			path := file(t)
			store := open(t, path)
			for _, id := range []string{"a", "b", "c"} {
				putBlocked(t, store, id)
			}
			execute(t, raw(t, path), c.statement)

			_, err := store.Load(t.Context(), "b")
			names(t, err, c.load, c.version)
			_, err = store.History(t.Context(), "b", 0)
			names(t, err, c.history, c.version)
			for _, id := range []string{"a", "c"} {
				require.NoError(t, session.Verify(t.Context(), store, id))
			}

			found := map[string]error{}
			n, err := session.VerifyAll(t.Context(), store, func(id string, err error) error {
				found[id] = err
				return nil
			})
			require.NoError(t, err)
			assert.GreaterOrEqual(t, n, 3)
			require.Len(t, found, 1)
			for _, err := range found {
				names(t, err, c.swept, c.sweptVersion)
			}
		})
	}
}

// names checks that an error names a column of a session, or is none of that kind.
func names(t *testing.T, err error, column string, version int) {
	t.Helper()
	var corrupt *session.CorruptError
	if column == "" {
		require.NotErrorAs(t, err, &corrupt)
		return
	}
	require.ErrorAs(t, err, &corrupt)
	assert.Equal(t, column, corrupt.Column)
	assert.Equal(t, version, corrupt.Version)
	assert.Contains(t, []string{"b", "z"}, corrupt.SessionID)
	assert.Error(t, corrupt.Err)
}

// A history that lacks an event can be read, and does not agree.
func TestMissingEvent(t *testing.T) {
	path := file(t)
	store := open(t, path)
	putBlocked(t, store, "b")
	execute(t, raw(t, path), `DELETE FROM sluice_events WHERE version = 2`)
	require.ErrorIs(t, session.Verify(t.Context(), store, "b"), session.ErrHistory)
	_, err := session.VerifyAll(t.Context(), store, func(_ string, err error) error { return err })
	require.ErrorIs(t, err, session.ErrHistory)
}

// A page has the others, is no longer than it should be, and goes on behind what
// cannot be read.
func TestListCorrupt(t *testing.T) {
	path := file(t)
	store := open(t, path)
	for _, id := range []string{"a", "b", "c", "d"} {
		putBlocked(t, store, id)
	}
	execute(t, raw(t, path), `UPDATE sluice_sessions SET snapshot = 'x' WHERE id = 'b'`)
	page, err := store.List(t.Context(), session.Query{Limit: 2})
	names(t, err, "snapshot", 3)
	require.Len(t, page.Items, 1)
	assert.Equal(t, "a", page.Items[0].ID())
	page, err = store.List(t.Context(), session.Query{Limit: 2, Cursor: page.NextCursor})
	require.NoError(t, err)
	require.Len(t, page.Items, 2)
	assert.Equal(t, "c", page.Items[0].ID())
	assert.Empty(t, page.NextCursor)
}

// An entry that cannot be read keeps nobody from the others.
func TestOutboxCorrupt(t *testing.T) {
	for _, change := range []string{"group_type = 'x'", "status = 'x'", "at = 'x'"} {
		path := file(t)
		store := open(t, path)
		putBlocked(t, store, "a")
		execute(t, raw(t, path), `UPDATE sluice_outbox SET `+change+` WHERE position = 1`)
		for name, read := range map[string]func() ([]session.Entry, error){
			"Announced": func() ([]session.Entry, error) { return store.Announced(t.Context(), "", 10) },
			"Claim":     func() ([]session.Entry, error) { return store.Claim(t.Context(), 10, noon, time.Hour) },
		} {
			entries, err := read()
			var corrupt *session.CorruptError
			require.ErrorAs(t, err, &corrupt, name)
			assert.Equal(t, "a", corrupt.SessionID)
			assert.Len(t, entries, 3, name)
		}
		entries, err := store.Claim(context.Background(), 10, noon, time.Hour)
		require.NoError(t, err)
		assert.Empty(t, entries)
	}
}
