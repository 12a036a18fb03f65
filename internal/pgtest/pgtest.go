// Package pgtest gives tests a PostgreSQL server.
//
// A test binary has one server, which is started when the first test asks for a
// database and stopped at the end:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestStore(t *testing.T) {
//		url := pgtest.Database(t) // a fresh database, dropped when t ends
//	}
//
// The server is a throw-away one, made from the binaries that are installed
// (see [Start]). Where the environment variable SLUICE_TEST_POSTGRES holds the
// URL of a server, on which databases may be created, that one is used instead.
// Where there is neither, tests are skipped, and one line says what to install.
//
// A test that stops its server, or wants another configuration, has one of its
// own by [Start].
package pgtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Env is the environment variable that holds the URL of the server to use.
const Env = "SLUICE_TEST_POSTGRES"

// ErrNotInstalled says that there are no binaries of PostgreSQL on this machine.
var ErrNotInstalled = errors.New("PostgreSQL is not installed: apt-get install postgresql, " +
	"or set " + Env + " to the URL of a server on which databases may be created")

// shared is the server of this test binary.
var shared struct {
	once   sync.Once
	server *Server // nil if the environment names a server, or on an error
	url    string
	err    error
}

// Main runs the tests and ends the process; the server that they used is
// stopped and removed before.
func Main(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// sharedURL returns the URL of the server of this test binary.
func sharedURL() (string, error) {
	shared.once.Do(func() {
		if shared.url = os.Getenv(Env); shared.url != "" {
			return
		}
		if shared.server, shared.err = Launch(Config{}); shared.err == nil {
			shared.url = shared.server.URL("postgres")
		}
	})
	return shared.url, shared.err
}

// Database returns the URL of a fresh database on the server of this test
// binary, which is dropped when the test ends. Its text is ordered by language
// where the server can do that, so that a query that forgets to order by bytes
// is found.
func Database(tb testing.TB) string {
	tb.Helper()
	admin, err := sharedURL()
	need(tb, err)
	return fresh(tb, admin)
}

// need skips the test where PostgreSQL is missing, and fails it on any other
// error.
func need(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, ErrNotInstalled) {
		tb.Skipf("!!! NOT TESTED: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// fresh creates a database on a server, whose URL is of another database.
func fresh(tb testing.TB, admin string) string {
	tb.Helper()
	name := "sluice_" + strings.ToLower(rand.Text()[:16])
	if _, err := SQL(admin, "CREATE DATABASE "+name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := SQL(admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Log(err)
		}
	})
	u, err := url.Parse(admin)
	if err != nil {
		tb.Fatalf("%s: %v", Env, err)
	}
	u.Path = "/" + name
	return u.String()
}

// SQL runs statements by psql and returns what they print: a line for each
// row, with | between the columns.
func SQL(databaseURL, statements string) (string, error) {
	psql, err := Binary("psql")
	if err != nil {
		return "", err
	}
	// #nosec G204 -- psql as it is installed
	cmd := exec.Command(psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", databaseURL)
	cmd.Stdin = strings.NewReader(statements)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// Binary returns the path of a program of PostgreSQL: the one beside the server
// that is on the PATH, or else in Debian's folder of the newest version, or else
// the one on the PATH. If there is none, the error unwraps to ErrNotInstalled.
func Binary(name string) (string, error) {
	// Of one version all, and no wrapper that chooses another.
	beside := filepath.Join(filepath.Dir(server()), name)
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("no %s: %w", name, ErrNotInstalled)
	}
	return path, nil
}

// server returns the path of the server, wherever links lead; "" if there is
// none.
func server() string {
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return path
		}
	}
	newest := ""
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is well formed
	for _, path := range installed {
		if newest == "" || version(path) > version(newest) {
			newest = path
		}
	}
	return newest
}

// version returns the number of the version that a path in Debian's folders
// is of; 0 if it is none.
func version(path string) int {
	var n int
	if _, err := fmt.Sscanf(path, "/usr/lib/postgresql/%d/", &n); err != nil {
		return 0
	}
	return n
}
