package sqlite_test

import (
	"strings"
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

// All columns that are another's are named, and not the first one alone.
func TestCorruptColumns(t *testing.T) {
	path := file(t)
	store := open(t, path)
	putBlocked(t, store, "b")
	execute(t, raw(t, path), `UPDATE sluice_sessions SET status = 'x', workspace_id = 'x', created_at = 5, updated_at = 6`)
	_, err := session.VerifyAll(t.Context(), store, func(_ string, err error) error { return err })
	require.ErrorIs(t, err, session.ErrCorrupt)
	for _, text := range []string{
		`status of session b in version 3 is corrupt: it is "x", but the snapshot has "blocked"`,
		`workspace_id of session b in version 3 is corrupt: it is "x", but the snapshot has "w"`,
		`created_at of session b in version 3 is corrupt: it is "1970-01-01T00:00:05Z", but the snapshot has "2025-09-22T12:00:00Z"`,
		`updated_at of session b in version 3 is corrupt: it is "1970-01-01T00:00:06Z"`,
	} {
		assert.ErrorContains(t, err, text)
	}
}

// Of a history that cannot be read to its end there are the events before.
func TestHistoryCorrupt(t *testing.T) {
	path := file(t)
	store := open(t, path)
	putBlocked(t, store, "b")
	execute(t, raw(t, path), `UPDATE sluice_events SET event = 'x' WHERE version = 3`)
	events, err := store.History(t.Context(), "b", 0)
	names(t, err, "event", 3)
	require.Len(t, events, 2)
	assert.Equal(t, 2, events[1].Version)
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
	assert.Contains(t, []string{"a", "b", "z"}, corrupt.SessionID)
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

// An entry that cannot be read comes in its place, by its position alone, and
// keeps nobody from the others. It is read past, and acknowledged, by that.
func TestOutboxCorrupt(t *testing.T) {
	for _, change := range []string{"group_type = 'x'", "status = 'x'", "at = 'x'"} {
		path := file(t)
		store := open(t, path)
		putBlocked(t, store, "a")
		execute(t, raw(t, path), "UPDATE sluice_outbox SET "+change+" WHERE position = 1")
		for name, read := range map[string]func() ([]session.Entry, error){
			"Announced": func() ([]session.Entry, error) { return store.Announced(t.Context(), "", 10) },
			"Claim":     func() ([]session.Entry, error) { return store.Claim(t.Context(), 10, noon, time.Hour) },
		} {
			entries, err := read()
			column, _, _ := strings.Cut(change, " ")
			names(t, err, "outbox."+column, 2)
			require.Len(t, entries, 4, name)
			assert.Zero(t, entries[0].Status)
			assert.Zero(t, entries[0].GroupType)
			assert.Equal(t, "a/2/workflow_action_group.started", entries[0].ID())
			assert.NotZero(t, entries[1].Status)
		}
		entries, err := store.Claim(t.Context(), 10, noon, time.Hour)
		require.NoError(t, err)
		assert.Empty(t, entries)

		entries, err = store.Announced(t.Context(), "", 1)
		require.ErrorIs(t, err, session.ErrCorrupt)
		rest, err := store.Announced(t.Context(), entries[0].Position, 10)
		require.NoError(t, err)
		assert.Len(t, rest, 3)
		require.NoError(t, store.Acknowledge(t.Context(), entries...))
		rest, err = store.Announced(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Len(t, rest, 3)
	}
}
