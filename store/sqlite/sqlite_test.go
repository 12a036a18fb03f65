package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
	"github.com/sluicego/sluice/store/sqlite"
)

// The store has every ability, and so has one that is joined, but for what
// looks at everything or outlives the transaction.
var (
	_ session.Store     = (*sqlite.Store)(nil)
	_ session.Finder    = (*sqlite.Store)(nil)
	_ session.Lister    = (*sqlite.Store)(nil)
	_ session.History   = (*sqlite.Store)(nil)
	_ session.Archive   = (*sqlite.Store)(nil)
	_ session.Outbox    = (*sqlite.Store)(nil)
	_ session.Confirmer = (*sqlite.Store)(nil)

	_ session.Store   = (*sqlite.Joined)(nil)
	_ session.Finder  = (*sqlite.Joined)(nil)
	_ session.Lister  = (*sqlite.Joined)(nil)
	_ session.History = (*sqlite.Joined)(nil)
	_ session.Outbox  = (*sqlite.Joined)(nil)

	_ sessiontest.Reopener = reopener{}
)

// reopener closes the store and opens the file again.
type reopener struct {
	*sqlite.Store
	tb   testing.TB
	path string
}

func (r reopener) Reopen() (session.Store, error) {
	if err := r.Close(); err != nil {
		return nil, err
	}
	return reopener{open(r.tb, r.path), r.tb, r.path}, nil
}

func TestStore(t *testing.T) {
	t.Parallel()
	sessiontest.Run(t, func(tb testing.TB) session.Store {
		path := file(tb)
		return reopener{open(tb, path), tb, path}
	})
}

// eachJoined saves in a transaction of the host's own.
type eachJoined struct{ *sqlite.Store }

func (e eachJoined) Save(ctx context.Context, next session.Session, events []session.Event) error {
	var refused error
	err := e.InTx(ctx, func(ctx context.Context, _ *sql.Tx, store *sqlite.Joined) error {
		refused = store.Save(ctx, next, events)
		return nil // committed also where the save is refused
	})
	if refused != nil {
		return refused
	}
	return err
}

// What is joined keeps the contract as well, also where the host commits after a
// refusal. The model, which takes most of the time, is played once, above.
func TestStoreJoined(t *testing.T) {
	t.Parallel()
	for _, c := range sessiontest.Cases() {
		if c.Name != "model" {
			t.Run(c.Name, func(t *testing.T) { c.Check(t, eachJoined{open(t, file(t))}) })
		}
	}
}

// What the package promises of its connections is what they say of themselves.
func TestSettings(t *testing.T) {
	store := openWith(t, file(t), sqlite.Options{BusyTimeout: 1500 * time.Millisecond, Readers: 3})
	for name, pool := range map[string]*sql.DB{"writer": store.Writer(), "readers": store.Readers()} {
		want := map[string]string{
			"journal_mode": "wal", "synchronous": "2", "busy_timeout": "1500", "foreign_keys": "1", "fullfsync": "1",
			"query_only": map[string]string{"writer": "0", "readers": "1"}[name],
		}
		for pragma, value := range want {
			got := ""
			require.NoError(t, pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
			assert.Equal(t, value, got, "%s of the %s", pragma, name)
		}
	}
	assert.Equal(t, 1, store.Writer().Stats().MaxOpenConnections)
	assert.Equal(t, 3, store.Readers().Stats().MaxOpenConnections)
	_, err := store.Readers().ExecContext(t.Context(), "DELETE FROM sluice_sessions")
	require.ErrorContains(t, err, "readonly")
	assert.Equal(t, 10_000, count(t, open(t, file(t)).Writer(), "PRAGMA busy_timeout"))
}

// A transaction that the host begins on the writer has the lock from its
// beginning: another process cannot begin one meanwhile, and reads go on.
func TestImmediate(t *testing.T) {
	path := file(t)
	store, other := open(t, path), openWith(t, path, sqlite.Options{BusyTimeout: time.Millisecond})
	s := put(t, store, "a")
	tx, err := store.Writer().BeginTx(t.Context(), nil)
	require.NoError(t, err)

	next, events := apply(t, s, link("a.1", action.Pending))
	err = other.Save(t.Context(), next, events)
	require.ErrorIs(t, err, sqlite.ErrBusy)
	require.ErrorContains(t, err, "session a: begin: sqlite: busy")
	_, err = other.Claim(t.Context(), 1, noon, time.Minute)
	require.ErrorIs(t, err, sqlite.ErrBusy)
	for _, reader := range []*sqlite.Store{store, other} {
		loaded, err := reader.Load(t.Context(), "a")
		require.NoError(t, err)
		require.True(t, loaded.Equal(s))
	}

	require.NoError(t, tx.Rollback())
	require.NoError(t, other.Save(t.Context(), next, events))
}

// Names that mean something in the name by which the driver opens a file.
func TestPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a?b.db", "100%.db", "a#b.db", "a b&c=d.db", "é🙂.db"} {
		store := open(t, name)
		put(t, store, "a")
		assert.FileExists(t, name)
	}
	files, err := filepath.Glob("*.db")
	require.NoError(t, err)
	assert.Len(t, files, 5)

	for path, says := range map[string]string{
		"":                    `sqlite: open "": a file is wanted; package memstore keeps sessions in memory`,
		":memory:":            `sqlite: open ":memory:": a file is wanted; package memstore keeps sessions in memory`,
		"file:x.db?mode=ro":   `sqlite: open "file:x.db?mode=ro": the path of a file is wanted, not a URI; what can be set is in Options`,
		"postgres://app@db/x": `sqlite: open "postgres://app@db/x": the path of a file is wanted, not a URI; what can be set is in Options`,
		".":                   `sqlite: open ".": it is a directory; the path of a file is wanted`,
		"none/a.db":           `sqlite: open "none/a.db": there is no directory none: file does not exist`,
	} {
		_, err = sqlite.Open(t.Context(), path, sqlite.Options{})
		require.EqualError(t, err, says)
	}
	_, err = sqlite.Open(t.Context(), "none/a.db", sqlite.Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, sqlite.ErrReadOnly)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sqlite.Open(canceled, "b.db", sqlite.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// What is no database is not touched.
func TestNoDatabase(t *testing.T) {
	path := file(t)
	text := make([]byte, 8192)
	copy(text, "This is a letter.")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorIs(t, err, sqlite.ErrDamaged)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, text, kept)
}

// With a context that is done, no method answers, and nothing changes.
func TestCanceled(t *testing.T) {
	store := open(t, file(t))
	putBlocked(t, store, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]func() error{
		"Load":        func() error { _, err := store.Load(ctx, "a"); return err },
		"Find":        func() error { _, err := store.Find(ctx, "a.1"); return err },
		"List":        func() error { _, err := store.List(ctx, session.Query{}); return err },
		"History":     func() error { _, err := store.History(ctx, "a", 0); return err },
		"Claim":       func() error { _, err := store.Claim(ctx, 1, noon, time.Hour); return err },
		"Acknowledge": func() error { return store.Acknowledge(ctx, session.Entry{Position: "1"}) },
		"Announced":   func() error { _, err := store.Announced(ctx, "", 1); return err },
		"Confirm":     func() error { _, err := store.Confirm(ctx, &session.OutcomeError{}); return err },
		"InTx": func() error {
			return store.InTx(ctx, func(context.Context, *sql.Tx, *sqlite.Joined) error { return nil })
		},
		"Sweep": func() error {
			_, err := session.VerifyAll(ctx, store, func(string, error) error { return nil })
			return err
		},
	}
	for name, call := range calls {
		require.ErrorIs(t, call(), context.Canceled, name)
	}
	entries, err := store.Claim(t.Context(), 10, noon, time.Hour)
	require.NoError(t, err)
	assert.Len(t, entries, 4)
}

// What the store says no to, it says so that the message reads well alone.
func TestMessages(t *testing.T) {
	store := open(t, file(t))
	a, b := put(t, store, "a"), put(t, store, "b")

	_, err := store.Load(t.Context(), "nobody")
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.History(t.Context(), "nobody", 0)
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.Find(t.Context(), "nothing")
	require.EqualError(t, err, "resource nothing: session: not found")

	next, events := apply(t, a, link("r", action.Pending))
	require.NoError(t, store.Save(t.Context(), next, events))
	require.EqualError(t, store.Save(t.Context(), next, events),
		"session a is stored in version 2, not 1: session: conflict")
	next, events = apply(t, b, link("r", action.Pending))
	require.EqualError(t, store.Save(t.Context(), next, events),
		"session: link of r refused: it stands in session a (ATT-12)")
}

// Many are swept in several transactions, each session once.
func TestSweep(t *testing.T) {
	store := open(t, file(t))
	assert.Zero(t, verified(t, store))
	require.NoError(t, store.InTx(t.Context(), func(_ context.Context, _ *sql.Tx, joined *sqlite.Joined) error {
		for i := range 200 {
			putBlocked(t, joined, "s"+time.Duration(i).String())
		}
		return nil
	}))
	seen := map[string]bool{}
	for r, err := range store.Sweep(t.Context()) {
		require.NoError(t, err)
		require.False(t, seen[r.ID])
		require.Len(t, r.Events, 3)
		seen[r.ID] = true
	}
	assert.Len(t, seen, 200)
	assert.Equal(t, 200, verified(t, store))
	for r, err := range store.Sweep(t.Context()) {
		require.NoError(t, err, r.ID)
		break // a sweep may end early
	}
}

// A sweep says that its context is done, with the error as it is, wherever that
// was: before the first record, between two, or behind the last.
func TestSweepCanceled(t *testing.T) {
	store := open(t, file(t))
	for _, id := range []string{"a", "b", "c"} {
		put(t, store, id)
	}
	for records := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		var errs []error
		if records == 0 {
			cancel()
		}
		for _, err := range store.Sweep(ctx) {
			if errs = append(errs, err); len(errs) == records {
				cancel()
			}
		}
		cancel()
		assert.Equal(t, append(make([]error, records), context.Canceled), errs)
	}
}

// A resource that a session links twice is told of as what it is; one of another
// session is told before.
func TestLinkedTwice(t *testing.T) {
	store := open(t, file(t))
	put(t, store, "b", link("taken", action.Pending))
	next, events := apply(t, session.Session{}, create("a"), link("r", action.Pending), link("r2", action.Pending), link("r3", action.Pending))
	events[2].Fact = events[1].Fact
	require.EqualError(t, store.Save(t.Context(), next, events),
		"session a: session: invalid save: a resource is linked twice")
	events[3].Fact = session.Linked{Resource: link("taken", action.Pending).Resource}
	require.ErrorIs(t, store.Save(t.Context(), next, events), session.ErrResourceTaken)
}

// What was updated since a time is found by its own index where that is few, and
// in the order of the list where it is many: the pages are the same.
func TestUpdatedSince(t *testing.T) {
	store := open(t, file(t))
	require.NoError(t, store.InTx(t.Context(), func(_ context.Context, _ *sql.Tx, joined *sqlite.Joined) error {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			putBlocked(t, joined, id)
		}
		return nil
	}))
	update(t, store, "d", session.Resolve{ResourceID: "d.1"})
	update(t, store, "b", session.Resolve{ResourceID: "b.1"})
	ids := func(q session.Query) (ids []string) {
		for {
			page, err := store.List(t.Context(), q)
			require.NoError(t, err)
			for _, s := range page.Items {
				ids = append(ids, s.ID())
			}
			if q.Cursor = page.NextCursor; q.Cursor == "" {
				return ids
			}
		}
	}
	recent := session.Query{UpdatedSince: noon.Add(30 * time.Minute), Limit: 1}
	assert.Equal(t, []string{"b", "d"}, ids(recent))
	blocked := session.Query{UpdatedSince: noon.Add(-time.Hour), Limit: 2, Status: session.Blocked, WorkspaceID: "w", TemplateID: "t"}
	assert.Equal(t, []string{"a", "c", "e"}, ids(blocked))

	// As many as it takes to go through the list instead, all but these few
	// without a snapshot that anybody reads.
	execute(t, store.Writer(), `
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
		INSERT INTO sluice_sessions SELECT 'x' || i, 1, 'done', 'other', 'other', 0, 1e10, '' FROM n`)
	recent.WorkspaceID = "w"
	assert.Equal(t, []string{"b", "d"}, ids(recent))
	assert.Equal(t, []string{"a", "c", "e"}, ids(blocked))
}
