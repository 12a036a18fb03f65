package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

// names checks that an error says where the damage is.
func names(t *testing.T, err error, id, column string, version int) {
	t.Helper()
	var corrupt *session.CorruptError
	require.ErrorAs(t, err, &corrupt)
	require.ErrorIs(t, err, session.ErrCorrupt)
	assert.Equal(t, id, corrupt.SessionID)
	assert.Equal(t, column, corrupt.Column)
	assert.Equal(t, version, corrupt.Version)
}

// A damaged row is named by session, version and column. It is found by a sweep,
// and others are not affected.
func TestCorrupt(t *testing.T) {
	url := pgtest.Database(t)
	for name, c := range map[string]struct {
		damage  string
		column  string
		version int
	}{
		"snapshot of no session":      {`UPDATE sluice_sessions SET snapshot = '{}' WHERE id = 'b'`, "snapshot", 2},
		"snapshot of another session": {`UPDATE sluice_sessions SET snapshot = (SELECT snapshot FROM sluice_sessions WHERE id = 'a') WHERE id = 'b'`, "snapshot", 2},
		"version of the row":          {`UPDATE sluice_sessions SET version = 7 WHERE id = 'b'`, "snapshot", 7},
		"event that is none":          {`UPDATE sluice_events SET event = '[]' WHERE session_id = 'b' AND version = 2`, "event", 2},
		"event of another version":    {`UPDATE sluice_events SET event = (SELECT event FROM sluice_events WHERE session_id = 'b' AND version = 1) WHERE session_id = 'b' AND version = 2`, "event", 2},
		"status":                      {`UPDATE sluice_sessions SET status = 'done' WHERE id = 'b'`, "status", 2},
		"workspace":                   {`UPDATE sluice_sessions SET workspace_id = 'x' WHERE id = 'b'`, "workspace_id", 2},
		"template":                    {`UPDATE sluice_sessions SET template_id = 'x' WHERE id = 'b'`, "template_id", 2},
		"created":                     {`UPDATE sluice_sessions SET created_at = 1 WHERE id = 'b'`, "created_at", 2},
		"updated":                     {`UPDATE sluice_sessions SET updated_at = 1 WHERE id = 'b'`, "updated_at", 2},
		"resource that is gone":       {`DELETE FROM sluice_resources WHERE session_id = 'b'`, "resource", 2},
		"resource of another session": {`UPDATE sluice_resources SET session_id = 'a' WHERE session_id = 'b'`, "resource", 2},
	} {
		t.Run(name, func(t *testing.T) {
			store := emptied(t, url)
			for _, id := range []string{"a", "b", "c"} {
				put(t, store, id, link(id+".1", action.Pending))
			}
			query(t, url, c.damage)
			found := 0
			n, err := session.VerifyAll(t.Context(), store, func(_ string, err error) error {
				found++
				names(t, err, "b", c.column, c.version)
				return nil
			})
			require.NoError(t, err)
			assert.Equal(t, 3, n)
			assert.Equal(t, 1, found)

			switch _, err := store.Load(t.Context(), "b"); c.column {
			case "snapshot":
				names(t, err, "b", c.column, c.version)
				page, err := store.List(t.Context(), session.Query{})
				names(t, err, "b", c.column, c.version)
				assert.Len(t, page.Items, 2, "the others are listed")
			default:
				require.NoError(t, err)
			}
			events, err := store.History(t.Context(), "b", 0)
			if c.column == "event" {
				names(t, err, "b", c.column, c.version)
				assert.Len(t, events, 1, "those before it")
			} else {
				require.NoError(t, err)
			}
			for _, id := range []string{"a", "c"} {
				require.NoError(t, session.Verify(t.Context(), store, id))
			}
		})
	}
}

// Events that are missing are found as well.
func TestMissingEvents(t *testing.T) {
	url := pgtest.Database(t)
	store := openAt(t, url, postgres.Options{})
	for _, id := range []string{"a", "b", "c"} {
		put(t, store, id, link(id+".1", action.Pending))
	}
	query(t, url, `DELETE FROM sluice_events WHERE session_id = 'a' AND version = 1; DELETE FROM sluice_events WHERE session_id = 'c'`)
	var found []string
	_, err := session.VerifyAll(t.Context(), store, func(id string, err error) error {
		require.ErrorIs(t, err, session.ErrHistory)
		found = append(found, id)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "c"}, found)
	end := errors.New("enough")
	_, err = session.VerifyAll(t.Context(), store, func(string, error) error { return end })
	assert.Equal(t, end, err)
}

// An entry that cannot be read comes in its place, by its position alone, and
// keeps nobody from the others. It is read past, and acknowledged, by that.
func TestCorruptOutbox(t *testing.T) {
	for _, change := range []string{"group_type = 'x'", "status = 'x'", "at = 'x'"} {
		url := pgtest.Database(t)
		store := openAt(t, url, postgres.Options{})
		put(t, store, "a", link("r", action.Pending), observe("r", action.Failed, 1))
		query(t, url, "UPDATE sluice_outbox SET "+change+" WHERE number = 1")
		for name, read := range map[string]func() ([]session.Entry, error){
			"Announced": func() ([]session.Entry, error) { return store.Announced(t.Context(), "", 10) },
			"Claim":     func() ([]session.Entry, error) { return store.Claim(t.Context(), 10, noon, time.Hour) },
		} {
			entries, err := read()
			column, _, _ := strings.Cut(change, " ")
			names(t, err, "a", "outbox."+column, 2)
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

// A time in another zone is told in UTC, as that of every event.
func TestOutboxZone(t *testing.T) {
	url := pgtest.Database(t)
	store := openAt(t, url, postgres.Options{})
	put(t, store, "a", link("r", action.Pending))
	query(t, url, `UPDATE sluice_outbox SET at = '2025-09-22T14:00:00+02:00'`)
	entries, err := store.Announced(t.Context(), "", 1)
	require.NoError(t, err)
	assert.Equal(t, "2025-09-22 12:00:00 +0000 UTC", entries[0].At.String())
}
