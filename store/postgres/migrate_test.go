package postgres_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

var dump = flag.Bool("dump", false, "write testdata/version1.sql again")

// version1 is a dump of a database of version 1, with sessions.
var version1 = filepath.Join("testdata", "version1.sql")

// A database of version 1 is brought up to date with all that is in it, and goes
// on.
func TestUpgrade(t *testing.T) {
	if *dump {
		writeVersion1(t)
	}
	text, err := os.ReadFile(version1)
	require.NoError(t, err)
	url := pgtest.Database(t)
	query(t, url, string(text))
	_, err = postgres.Open(t.Context(), url, postgres.Options{NoMigrations: true})
	var wrong *postgres.VersionError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, postgres.VersionError{Database: 1, Program: 2}, *wrong)

	store := openAt(t, url, postgres.Options{})
	assert.Equal(t, 3, verified(t, store))
	id, err := store.Find(t.Context(), "b.1")
	require.NoError(t, err)
	assert.Equal(t, "b", id)
	page, err := store.List(t.Context(), session.Query{Status: session.Blocked})
	require.NoError(t, err)
	assert.Len(t, page.Items, 1)
	assert.Empty(t, announced(t, store, ""), "what was before is not announced again")

	s, _, err := session.Update(t.Context(), store, "b", session.Resolve{ResourceID: "b.1"}, noon)
	require.NoError(t, err)
	assert.Equal(t, 3, s.Version())
	assert.NotEmpty(t, announced(t, store, ""))
	assert.Equal(t, 3, verified(t, store))
}

// writeVersion1 makes the dump: a database in which nothing is left of what came
// with version 2.
func writeVersion1(t *testing.T) {
	t.Helper()
	url := pgtest.Database(t)
	store := openAt(t, url, postgres.Options{})
	put(t, store, "a")
	put(t, store, "b", link("b.1", action.Failed))
	put(t, store, "é 🙂", link("c.1", action.Pending), observe("c.1", action.Verified, 1))
	query(t, url, `
		DROP TABLE sluice_outbox;
		ALTER TABLE sluice_events DROP COLUMN mark;
		ALTER TABLE sluice_sessions DROP COLUMN ordinal;
		DELETE FROM sluice_migrations WHERE version_id = 2`)
	program, err := pgtest.Binary("pg_dump")
	require.NoError(t, err)
	text, err := exec.CommandContext(t.Context(), program, "--inserts", "--no-owner", "-d", url).Output()
	require.NoError(t, err)
	// Not every psql knows what newer programs put around a dump.
	text = regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`).ReplaceAll(text, nil)
	require.NoError(t, os.WriteFile(version1, text, 0o600))
}

// A database of a newer program is refused, and so is an empty one where no
// migrations are to be run.
func TestVersions(t *testing.T) {
	url := pgtest.Database(t)
	_, err := postgres.Open(t.Context(), url, postgres.Options{NoMigrations: true})
	require.ErrorIs(t, err, postgres.ErrVersion)
	require.ErrorContains(t, err, "the database has version 0, but this program works with version 2; run its migrations first")
	openAt(t, url, postgres.Options{})
	openAt(t, url, postgres.Options{NoMigrations: true})
	query(t, url, `INSERT INTO sluice_migrations (version_id, is_applied) VALUES (3, true)`)
	_, err = postgres.Open(t.Context(), url, postgres.Options{})
	require.ErrorContains(t, err, "the database has version 3, but this program works with version 2; a newer program is needed")
}

// Processes that start at once do not collide: in a database that is empty, and
// in one of version 1.
func TestOpenAtOnce(t *testing.T) {
	text, err := os.ReadFile(version1)
	require.NoError(t, err)
	for _, before := range []string{"", string(text)} {
		url := pgtest.Database(t)
		query(t, url, before)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { assert.NoError(t, child(t, url, "opener", opens).Run()) })
		}
		for range 4 {
			all.Go(func() {
				store, err := postgres.Open(t.Context(), url, postgres.Options{})
				if assert.NoError(t, err) {
					assert.NoError(t, store.Close())
				}
			})
		}
		all.Wait()
		assert.Equal(t, "0\n1\n2", query(t, url, `SELECT version_id FROM sluice_migrations ORDER BY id`))
	}
}
