package postgres_test

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
	"github.com/sluicego/sluice/store/postgres"
)

// pooler starts pgbouncer in transaction mode before a server, with so few
// connections that writers share them. It returns the URL of a database through
// it, for one of the server.
func pooler(t *testing.T, server *pgtest.Server) func(databaseURL string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			t.Skip("!!! NOT TESTED: pgbouncer is not installed: apt-get install pgbouncer")
		}
	}
	dir, err := os.MkdirTemp("", "pgbouncer") //nolint:usetesting // another user has to reach it
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
[databases]
* = host=%s port=5432 user=postgres
[pgbouncer]
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = any
`, server.Dir(), dir), 0o644))
	require.NoError(t, os.Chmod(dir, 0o755))
	arguments := []string{config}
	if os.Getuid() == 0 {
		arguments = append(arguments, "-u", "postgres")
		u, err := user.Lookup("postgres")
		require.NoError(t, err)
		uid, _ := strconv.Atoi(u.Uid)
		require.NoError(t, os.Chown(dir, uid, -1))
	}
	cmd := exec.CommandContext(t.Context(), program, arguments...)
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	awaitLine(t, bufio.NewScanner(log), "process up")
	return func(databaseURL string) string {
		u, err := url.Parse(databaseURL)
		require.NoError(t, err)
		u.RawQuery = url.Values{"host": {dir}, "port": {"6432"}}.Encode()
		return u.String()
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// awaitLine reads a log up to a line, and what follows in the background.
func awaitLine(t *testing.T, log *bufio.Scanner, text string) {
	t.Helper()
	var before strings.Builder
	for log.Scan() {
		before.WriteString(log.Text() + "\n")
		if strings.Contains(log.Text(), text) {
			go func() {
				for log.Scan() {
					_ = log.Text() // read on, so that it can be written
				}
			}()
			return
		}
	}
	t.Fatalf("pgbouncer did not start:\n%s", before.String())
}

// Through a pooler that gives a connection away after each transaction, it is the
// same store: migrations, time-outs, the suite, and sixteen writers on three
// connections.
func TestPgbouncer(t *testing.T) {
	server := pgtest.Start(t, pgtest.Config{})
	through := pooler(t, server)
	for name, o := range map[string]postgres.Options{
		"writers": {Configure: connections(writers)},
		"timeout": {Configure: connections(writers), StatementTimeout: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			direct := server.Database(t)
			store := openAt(t, through(direct), o)
			for i := range 4 {
				put(t, store, fmt.Sprintf("s%d", i))
			}
			shared := map[string]bool{}
			var mu sync.Mutex
			o := load(t, store, 320, 4, func() {
				var pid string
				require.NoError(t, store.Pool().QueryRow(t.Context(), `SELECT pg_backend_pid()::text`).Scan(&pid))
				mu.Lock()
				shared[pid] = true
				mu.Unlock()
			})
			o.compare(t, store, 320)
			assert.Len(t, o.done, 320)
			assert.LessOrEqual(t, len(shared), 3, "the pooler shared its connections")
			var timeout string
			require.NoError(t, store.Pool().QueryRow(t.Context(), `SHOW statement_timeout`).Scan(&timeout))
			assert.Equal(t, "0", timeout, "nothing stays behind")
		})
	}
	t.Run("terminated", func(t *testing.T) { pooledTerminations(t, server, through) })
	at := through(server.Database(t))
	for _, c := range sessiontest.Cases() {
		if c.Name == "model" || c.Name == "far-times" {
			continue // TestStore has them
		}
		t.Run(c.Name, func(t *testing.T) {
			c.Check(t, emptied(t, at))
		})
	}
}

// pooledTerminations ends the connections behind the pooler.
func pooledTerminations(t *testing.T, server *pgtest.Server, through func(string) string) {
	direct := server.Database(t)
	store := &lossy{Store: openAt(t, through(direct), postgres.Options{Configure: connections(writers)})}
	for i := range 4 {
		put(t, store.Store, fmt.Sprintf("s%d", i), link(fmt.Sprintf("first%d", i), action.Pending))
	}
	other := openAt(t, direct+"&application_name=other", postgres.Options{})
	o := load(t, store, 200, 10, func() {
		_, err := other.Pool().Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name <> 'other' AND state = 'active'`)
		require.NoError(t, err)
	})
	o.compare(t, other, 200)
	t.Logf("%d saves of unknown outcome, of which %d were done", store.unknown.Load(), store.saved.Load())
}

var _ session.Confirmer = (*lossy)(nil)
