package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 123456789, time.UTC)

// file returns the path of a database that is not there yet.
func file(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "sluice.db")
}

// open opens a store, which is closed when the test ends.
func open(tb testing.TB, path string) *sqlite.Store {
	tb.Helper()
	return openWith(tb, path, sqlite.Options{})
}

func openWith(tb testing.TB, path string, o sqlite.Options) *sqlite.Store {
	tb.Helper()
	// Not the context of the test, which ends before what is cleaned up.
	s, err := sqlite.Open(context.Background(), path, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// raw opens the file past the store, as a host's own tools do.
func raw(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// execute runs a statement past the store.
func execute(tb testing.TB, db *sql.DB, statement string, args ...any) {
	tb.Helper()
	_, err := db.ExecContext(context.Background(), statement, args...)
	require.NoError(tb, err)
}

// count returns the one number that a query gives.
func count(tb testing.TB, db *sql.DB, query string, args ...any) int {
	tb.Helper()
	n := 0
	require.NoError(tb, db.QueryRowContext(context.Background(), query, args...).Scan(&n))
	return n
}

// intact checks the pages of the file.
func intact(tb testing.TB, db *sql.DB) {
	tb.Helper()
	answer := ""
	require.NoError(tb, db.QueryRowContext(context.Background(), "PRAGMA integrity_check").Scan(&answer))
	require.Equal(tb, "ok", answer)
}

// verified checks every session, and returns how many there are.
func verified(tb testing.TB, store session.Store) int {
	tb.Helper()
	n, err := session.VerifyAll(context.Background(), store, func(id string, err error) error {
		return fmt.Errorf("session %s: %w", id, err)
	})
	require.NoError(tb, err)
	return n
}

// create returns the command that creates a session.
func create(id string) session.Create {
	return session.Create{
		ID: id, Name: "Onboarding", WorkspaceID: "w",
		Template: session.Template{
			ID: "t", Name: "Onboarding",
			ActionGroups: []group.Type{group.CompanyVerification, group.SignatureRequest},
		},
	}
}

func link(resourceID string, status action.Status) session.Link {
	return session.Link{
		Resource: action.Resource{
			ID: resourceID, Type: action.TypeCompanyVerification, Status: status, CreatedAt: noon, AsOf: noon,
		},
		Inputs: attempt.Digest{1},
	}
}

func observe(resourceID string, status action.Status, seconds int) session.Observe {
	return session.Observe{ResourceID: resourceID, Status: status, AsOf: noon.Add(time.Duration(seconds) * time.Second)}
}

// apply returns where commands lead to from a session, and their events.
func apply(tb testing.TB, s session.Session, commands ...session.Command) (session.Session, []session.Event) {
	tb.Helper()
	var events []session.Event
	for _, c := range commands {
		next, change, err := session.Apply(s, c, noon.Add(time.Duration(s.Version())*time.Minute))
		require.NoError(tb, err)
		s, events = next, append(events, change.Events...)
	}
	return s, events
}

// put creates a session with the commands that follow, and saves it.
func put(tb testing.TB, store session.Store, id string, commands ...session.Command) session.Session {
	tb.Helper()
	s, events := apply(tb, session.Session{}, append([]session.Command{create(id)}, commands...)...)
	require.NoError(tb, store.Save(context.Background(), s, events))
	return s
}

// putBlocked saves a session that has announced four changes: a group and then
// the session, started and then blocked.
func putBlocked(tb testing.TB, store session.Store, id string) session.Session {
	tb.Helper()
	return put(tb, store, id, link(id+".1", action.Pending), observe(id+".1", action.Failed, 1))
}

// update applies a command to a session that is stored.
func update(tb testing.TB, store session.Store, id string, c session.Command) session.Session {
	tb.Helper()
	s, _, err := session.Update(context.Background(), store, id, c, noon.Add(time.Hour))
	require.NoError(tb, err)
	return s
}

// roleVariable names the role of a child process, and pathVariable the database
// that it is given.
const (
	roleVariable = "SLUICE_SQLITE_ROLE"
	pathVariable = "SLUICE_SQLITE_PATH"
)

// role returns the role of this process in a test, "" for that of the parent.
func role() string { return os.Getenv(roleVariable) }

// child returns a command that runs the test that calls it once more, in another
// process and role.
func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	return cmd
}

// passes runs children at once, all of which must pass.
func passes(t *testing.T, children ...*exec.Cmd) {
	t.Helper()
	outputs := make([]bytes.Buffer, len(children))
	for i, cmd := range children {
		cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
		require.NoError(t, cmd.Start())
	}
	for i, cmd := range children {
		err := cmd.Wait()
		require.NoError(t, err, outputs[i].String())
		require.NotContains(t, outputs[i].String(), "--- SKIP")
		require.Contains(t, outputs[i].String(), "--- PASS")
	}
}
