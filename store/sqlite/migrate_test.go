package sqlite_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

// newest is the version that the program works with.
const newest = 2

// restore makes a database as a released version left it: the file under
// testdata was written by that version, and does not change any more.
func restore(tb testing.TB, path string, version int) {
	tb.Helper()
	dump, err := os.ReadFile(fmt.Sprintf("testdata/version_%d.sql", version))
	require.NoError(tb, err)
	db, err := sql.Open("sqlite", path)
	require.NoError(tb, err)
	execute(tb, db, string(dump))
	require.NoError(tb, db.Close())
}

// schema returns what there is in a database, and how it was made.
func schema(tb testing.TB, db *sql.DB) (all []string) {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), `
		SELECT m.type || ' ' || m.name || ' of ' || m.tbl_name || ': ' || group_concat(c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk)
		FROM sqlite_master AS m LEFT JOIN pragma_table_info(m.name) AS c GROUP BY m.name ORDER BY 1`)
	require.NoError(tb, err)
	defer rows.Close() //nolint:errcheck // rows.Err tells what there is to tell
	for rows.Next() {
		var line sql.NullString
		require.NoError(tb, rows.Scan(&line))
		all = append(all, line.String)
	}
	require.NoError(tb, rows.Err())
	return all
}

// A database of every version that was released is brought up to date, with all
// that is in it, and is then like one that was made anew.
func TestUpgrade(t *testing.T) {
	fresh := schema(t, open(t, file(t)).Readers())
	for version := 1; version < newest; version++ {
		path := file(t)
		restore(t, path, version)
		store := open(t, path)
		assert.Equal(t, fresh, schema(t, store.Readers()))
		assert.Equal(t, newest, count(t, store.Readers(), "SELECT max(version_id) FROM sluice_migrations"))
		intact(t, store.Writer())

		require.Equal(t, 4, verified(t, store))
		page, err := store.List(t.Context(), session.Query{Status: session.Blocked})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		for resource, id := range map[string]string{
			"blocked.1": "blocked", "retried.1": "retried", "retried.2": "retried", "x's": "résolu «🙂» it's",
		} {
			found, err := store.Find(t.Context(), resource)
			require.NoError(t, err)
			assert.Equal(t, id, found)
		}
		// What was saved before is not announced again, and what follows is.
		entries, err := store.Announced(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Empty(t, entries)
		update(t, store, "awaiting", link("new", action.Failed))
		entries, err = store.Announced(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Len(t, entries, 2)
		assert.Equal(t, 4, verified(t, store))
	}
}

// There is a migration for each version, and data of each version but the last.
func TestVersions(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	assert.Len(t, files, newest)
	dumps, err := filepath.Glob("testdata/version_*.sql")
	require.NoError(t, err)
	assert.Len(t, dumps, newest-1)
}

// A database of a newer program is refused, with both versions, and left alone.
func TestNewer(t *testing.T) {
	path := file(t)
	store := open(t, path)
	put(t, store, "a")
	execute(t, store.Writer(), "INSERT INTO sluice_migrations (version_id, is_applied) VALUES (?1, 1)", newest+7)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	refused(t, err, newest+7)
	require.EqualError(t, err, fmt.Sprintf(
		"sqlite: open %s: sqlite: %s has version 9, but this program works with version 2; a newer program is needed", path, path))
	_, err = store.Load(t.Context(), "a")
	require.NoError(t, err)
}

// Without migrations, an older database is refused, and so is one that is empty.
func TestNoMigrations(t *testing.T) {
	path := file(t)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{NoMigrations: true})
	refused(t, err, 0)
	restore(t, path, 1)
	_, err = sqlite.Open(t.Context(), path, sqlite.Options{NoMigrations: true})
	refused(t, err, 1)
	require.ErrorContains(t, err, "run its migrations first")
	open(t, path)
	openWith(t, path, sqlite.Options{NoMigrations: true})
}

func refused(t *testing.T, err error, version int) {
	t.Helper()
	require.ErrorIs(t, err, sqlite.ErrVersion)
	var wrong *sqlite.VersionError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, version, wrong.Database)
	assert.Equal(t, newest, wrong.Program)
}

// Migrations that fail leave the version that was there.
func TestUpgradeFails(t *testing.T) {
	path := file(t)
	restore(t, path, 1)
	db := raw(t, path)
	execute(t, db, "CREATE TABLE sluice_outbox (mine TEXT)")
	before := schema(t, db)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorContains(t, err, "run the migrations")
	assert.Equal(t, before, schema(t, db))
	assert.Equal(t, 1, count(t, db, "SELECT max(version_id) FROM sluice_migrations"))
	execute(t, db, "DROP TABLE sluice_outbox")
	assert.Equal(t, 4, verified(t, open(t, path)))
}

// Processes that begin at once, on an empty file or on one of an older version,
// do not collide: each of them can save.
func TestUpgradeAtOnce(t *testing.T) {
	t.Parallel()
	if role() != "" {
		path := os.Getenv(pathVariable)
		fmt.Println("ready")
		_, err := bufio.NewReader(os.Stdin).ReadString('\n')
		require.ErrorIs(t, err, io.EOF)
		put(t, open(t, path), role())
		return
	}
	const rounds, processes = 2, 3
	for round := range rounds {
		for version := range newest {
			path := file(t)
			before := 0
			if version > 0 {
				restore(t, path, version)
				before = 4
			}
			t.Logf("round %d, from version %d", round, version)
			atOnce(t, path, processes)
			store := open(t, path)
			assert.Equal(t, before+processes, verified(t, store))
			assert.Equal(t, newest+1, count(t, store.Readers(), "SELECT count(*) FROM sluice_migrations"))
			intact(t, store.Writer())
		}
	}
}

// atOnce starts processes, and lets all of them go when each is ready.
func atOnce(t *testing.T, path string, processes int) {
	t.Helper()
	gate, opened, err := os.Pipe()
	require.NoError(t, err)
	var children []*exec.Cmd
	var outputs []*bufio.Reader
	for i := range processes {
		cmd := child(t, fmt.Sprintf("process %d", i), path)
		cmd.Stdin = gate
		output, err := cmd.StdoutPipe()
		require.NoError(t, err)
		cmd.Stderr = os.Stderr
		require.NoError(t, cmd.Start())
		children, outputs = append(children, cmd), append(outputs, bufio.NewReader(output))
	}
	for _, output := range outputs {
		for line := ""; line != "ready\n"; {
			line, err = output.ReadString('\n')
			require.NoError(t, err)
		}
	}
	require.NoError(t, errors.Join(opened.Close(), gate.Close()))
	for i, cmd := range children {
		rest, err := io.ReadAll(outputs[i])
		require.NoError(t, err)
		require.NoError(t, cmd.Wait(), string(rest))
	}
}
