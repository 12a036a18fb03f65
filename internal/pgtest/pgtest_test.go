package pgtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// query runs statements that must succeed.
func query(t *testing.T, url, statements string) string {
	t.Helper()
	output, err := pgtest.SQL(url, statements)
	require.NoError(t, err)
	return output
}

// Every test has a database of its own, and nothing of it remains.
func TestDatabase(t *testing.T) {
	var first string
	t.Run("first", func(t *testing.T) {
		first = pgtest.Database(t)
		second := pgtest.Database(t)
		query(t, first, "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2)")
		assert.Equal(t, "1\n2", query(t, first, "SELECT n FROM t ORDER BY n"))
		_, err := pgtest.SQL(second, "SELECT n FROM t")
		require.ErrorContains(t, err, `relation "t" does not exist`)
	})
	_, err := pgtest.SQL(first, "SELECT 1")
	require.ErrorContains(t, err, "does not exist")
}

// What was committed outlives a crash; Close leaves nothing.
func TestServer(t *testing.T) {
	s, err := pgtest.Launch(pgtest.Config{Fsync: true, Settings: []string{"max_connections=7"}})
	if err != nil {
		// Skips where there is no server, with the line that says so.
		pgtest.Start(t, pgtest.Config{})
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	url := s.URL("postgres")
	assert.Equal(t, "on|7", query(t, url, "SELECT current_setting('fsync'), current_setting('max_connections')"))
	query(t, url, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)")

	for _, mode := range []pgtest.Mode{pgtest.Immediate, pgtest.Fast} {
		require.NoError(t, s.Stop(mode))
		require.NoError(t, s.Stop(mode), "one that is stopped already")
		_, err = pgtest.SQL(url, "SELECT 1")
		require.Error(t, err)
		require.NoError(t, s.Start())
		require.Error(t, s.Start(), "one that runs already")
		assert.Equal(t, "1", query(t, url, "SELECT n FROM t"))
	}
	require.NoError(t, s.Close())
	assert.NoDirExists(t, s.Dir())
}

// A server that does not start says why, and leaves nothing.
func TestServerThatDoesNotStart(t *testing.T) {
	pgtest.Start(t, pgtest.Config{})       // skips where there is no server
	folder, err := os.MkdirTemp("", "pgt") //nolint:usetesting // the server's user has to reach it
	require.NoError(t, err)
	defer func() { require.NoError(t, os.RemoveAll(folder)) }()
	require.NoError(t, os.Chmod(folder, 0o755))
	t.Setenv("TMPDIR", folder)
	_, err = pgtest.Launch(pgtest.Config{Settings: []string{"max_connections=many"}})
	require.ErrorContains(t, err, "max_connections")
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Without binaries the error says what to install.
func TestNotInstalled(t *testing.T) {
	_, err := pgtest.Binary("no-such-program")
	require.ErrorIs(t, err, pgtest.ErrNotInstalled)
	assert.Contains(t, err.Error(), "apt-get install postgresql")
	assert.Contains(t, err.Error(), pgtest.Env)
}

// Links on the PATH lead to the program itself, beside which the others are.
func TestBinary(t *testing.T) {
	path, err := pgtest.Binary("postgres")
	if err != nil {
		pgtest.Start(t, pgtest.Config{}) // skips
	}
	assert.FileExists(t, filepath.Join(filepath.Dir(path), "initdb"))
	assert.False(t, strings.HasPrefix(path, "."))
}
