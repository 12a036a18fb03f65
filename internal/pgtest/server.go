package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Config says what a server is to be like. The zero Config is for tests of what
// is true whether or not the disk keeps its promises.
type Config struct {
	// Fsync has the server wait for the disk, as one in production does.
	Fsync bool
	// Settings are more of its configuration: "max_connections=20".
	Settings []string
}

// Server is a throw-away server: its data is in a temporary folder, it listens
// on a Unix socket there, and every user of the machine is its superuser.
type Server struct {
	config   Config
	folder   string // removed in the end
	postgres string // the program

	mu      sync.Mutex
	process *process // nil while it is stopped
}

// Start returns a server of the test's own, which is stopped and removed when
// the test ends. Where PostgreSQL is not installed the test is skipped.
func Start(tb testing.TB, config Config) *Server {
	tb.Helper()
	s, err := Launch(config)
	need(tb, err)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Launch is Start for those who have no test at hand and call Close themselves.
// The error unwraps to [ErrNotInstalled] where it should.
//
// Started by root, the server runs as the user postgres or nobody: PostgreSQL
// refuses to run as root.
func Launch(config Config) (*Server, error) {
	postgres, err := Binary("postgres")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	s := &Server{config: config, folder: folder, postgres: postgres}
	if err := s.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

// init makes the data folder.
func (s *Server) init() error {
	initdb, err := Binary("initdb")
	if err != nil {
		return err
	}
	if err := give(s.folder); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	arguments := []string{
		"-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
	}
	// By language where the server can; older ones, and some builds, cannot.
	for _, locale := range [][]string{
		{"--locale=C", "--locale-provider=icu", "--icu-locale=en-US"},
		{"--locale=C"},
	} {
		cmd := exec.Command(initdb, append(arguments, locale...)...) // #nosec G204 -- initdb as it is installed
		cmd.Dir, cmd.Env, cmd.SysProcAttr = s.folder, environment(), attributes()
		var output []byte
		if output, err = cmd.CombinedOutput(); err == nil {
			return nil
		}
		err = fmt.Errorf("pgtest: initdb: %w: %s", err, output)
		if removed := os.RemoveAll(s.data()); removed != nil {
			return errors.Join(err, removed)
		}
	}
	return err
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// environment is that of this process, but for what would change the server or
// the language of its log.
func environment() []string {
	var kept []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PG") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") {
			kept = append(kept, e)
		}
	}
	return append(kept, "LC_ALL=C")
}

// Dir returns the folder of the Unix socket, for clients that take it as the
// name of a host; the port is 5432.
func (s *Server) Dir() string { return s.folder }

// URL returns the URL of a database, which need not exist.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("postgres"), Path: "/" + database,
		RawQuery: url.Values{"host": {s.folder}}.Encode(),
	}).String()
}

// Database returns the URL of a fresh database, which is dropped when the test
// ends.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	return fresh(tb, s.URL("postgres"))
}

// Start starts the server again after Stop, and returns when it takes
// connections.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return errors.New("pgtest: the server runs already")
	}
	settings := append([]string{
		"listen_addresses=", "unix_socket_directories=" + s.folder, "port=5432",
		"max_connections=200", "timezone=UTC",
		// Tables of tests are too small to gain from it, and transactions that
		// come by themselves hold back what asks for none to be under way.
		"autovacuum=off", "lc_messages=C", "log_min_messages=log",
		fmt.Sprintf("fsync=%t", s.config.Fsync),
	}, s.config.Settings...)
	arguments := []string{"-D", s.data()}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	cmd := exec.Command(s.postgres, arguments...) // #nosec G204 -- postgres as it is installed
	cmd.Dir, cmd.Env, cmd.SysProcAttr = s.folder, environment(), attributes()
	p, err := launch(cmd)
	s.process = p
	return err
}

// Mode is a way of stopping a server.
type Mode int

const (
	// Fast ends the connections and writes everything down.
	Fast Mode = iota
	// Immediate ends as a crash does: the next start has to recover.
	Immediate
)

// Stop stops the server and returns when it has ended. One that is stopped
// already stays so.
func (s *Server) Stop(mode Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	if err := stop(p.cmd.Process, mode); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	<-p.ended
	return nil
}

// Close stops the server and removes all that it had.
func (s *Server) Close() error {
	return errors.Join(s.Stop(Immediate), os.RemoveAll(s.folder))
}

// process is a server that runs.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
}

// ready is what the server's log says when it takes connections.
const ready = "database system is ready to accept connections"

// launch starts the server and returns when it takes connections. If it ends
// before, the error is its log.
func launch(cmd *exec.Cmd) (*process, error) {
	output, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started, isReady := make(chan error), make(chan string)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	go watch(output, isReady)
	if log := <-isReady; log != "" {
		<-p.ended
		return nil, fmt.Errorf("pgtest: the server did not start: %s", log)
	}
	return p, nil
}

// watch reads the server's log, sends "" when it says that the server is ready,
// or else, at its end, all of it.
func watch(output io.Reader, isReady chan<- string) {
	lines := bufio.NewScanner(output)
	var log strings.Builder
	for lines.Scan() {
		if strings.Contains(lines.Text(), ready) {
			isReady <- ""
			_, _ = io.Copy(io.Discard, output) // what is not read would stop the server
			return
		}
		log.WriteString(lines.Text() + "\n")
	}
	isReady <- log.String() + "(the end of its log)"
}
