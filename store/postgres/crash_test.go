package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

// outcomes is what came of many commands, each of which links a resource of its
// own: it can be neither lost nor applied twice without being found out.
type outcomes struct {
	mu                 sync.Mutex
	done, failed, open map[string]bool
}

// load has 16 writers send commands to four sessions, and calls disturb after
// every so many of them.
func load(t *testing.T, store session.Store, commands, every int, disturb func()) *outcomes {
	t.Helper()
	o := &outcomes{done: map[string]bool{}, failed: map[string]bool{}, open: map[string]bool{}}
	due := make(chan struct{}, commands)
	var sent atomic.Int64
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for n := sent.Add(1); n <= int64(commands); n = sent.Add(1) {
				id := fmt.Sprintf("r%d", n)
				_, _, err := session.Update(t.Context(), store, fmt.Sprintf("s%d", n%4), link(id, action.Pending), noon)
				o.note(t, id, err)
				if n%int64(every) == 0 {
					due <- struct{}{}
				}
			}
		})
	}
	go func() { all.Wait(); close(due) }()
	for range due {
		disturb()
	}
	return o
}

// note keeps what came of a command. Every error has a type.
func (o *outcomes) note(t *testing.T, id string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err == nil:
		o.done[id] = true
	case errors.Is(err, session.ErrUnknownOutcome):
		o.open[id] = true
	case errors.Is(err, session.ErrConflict), errors.Is(err, postgres.ErrUnavailable):
		o.failed[id] = true
	default:
		t.Errorf("%s: error without a type: %v", id, err)
	}
}

// compare holds the sessions against what the writers were told.
func (o *outcomes) compare(t *testing.T, store session.Store, commands int) {
	t.Helper()
	has := map[string]bool{}
	for i := range 4 {
		s, err := store.Load(t.Context(), fmt.Sprintf("s%d", i))
		require.NoError(t, err)
		for id := range linked(s) {
			has[id] = true
		}
		assert.Equal(t, 1+len(linked(s)), s.Version(), "each command is one event")
	}
	for id := range o.done {
		assert.True(t, has[id], "%s is lost", id)
	}
	for id := range o.failed {
		assert.False(t, has[id], "%s was said to have failed", id)
	}
	assert.Equal(t, commands, len(o.done)+len(o.failed)+len(o.open))
	assert.Equal(t, 4, verified(t, store))
	t.Logf("%d done, %d failed, %d not known", len(o.done), len(o.failed), len(o.open))
}

// lossy counts the saves whose outcome was not known.
type lossy struct {
	*postgres.Store
	unknown, saved atomic.Int64
}

// Save counts.
func (l *lossy) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := l.Store.Save(ctx, next, events)
	if errors.Is(err, session.ErrUnknownOutcome) {
		l.unknown.Add(1)
	}
	return err
}

// Confirm counts.
func (l *lossy) Confirm(ctx context.Context, unknown *session.OutcomeError) (bool, error) {
	saved, err := l.Store.Confirm(ctx, unknown)
	if saved {
		l.saved.Add(1)
	}
	return saved, err
}

// Connections that are ended while sixteen write cost no command, and repeat
// none.
func TestTerminatedConnections(t *testing.T) {
	url := pgtest.Database(t)
	store := &lossy{Store: openAt(t, url+"&application_name=victim", postgres.Options{Configure: connections(writers)})}
	other := openAt(t, url, postgres.Options{})
	for i := range 4 {
		put(t, other, fmt.Sprintf("s%d", i))
	}
	ended := 0
	total := *commands / 3
	o := load(t, store, total, 4, func() {
		var n int
		require.NoError(t, other.Pool().QueryRow(t.Context(), `
			SELECT count(pg_terminate_backend(pid)) FROM (
				SELECT pid FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'victim' AND state = 'active'
				ORDER BY random() LIMIT 2) victims`).Scan(&n))
		ended += n
	})
	o.compare(t, other, total)
	t.Logf("%d connections ended; %d saves of unknown outcome, of which %d were done", ended, store.unknown.Load(), store.saved.Load())
	assert.Positive(t, ended)
	assert.Empty(t, o.open, "the server was there to be asked")
}

// A server that crashes while sixteen write, and recovers, costs no command that
// was said to be done.
func TestServerCrash(t *testing.T) {
	server := pgtest.Start(t, pgtest.Config{Fsync: true})
	store := &lossy{Store: openAt(t, server.Database(t), postgres.Options{Configure: connections(writers)})}
	for i := range 4 {
		put(t, store.Store, fmt.Sprintf("s%d", i))
	}
	n := *commands / 3
	o := load(t, store, n, n/4, func() {
		require.NoError(t, server.Stop(pgtest.Immediate))
		require.NoError(t, server.Start())
	})
	o.compare(t, store, n)
	t.Logf("%d saves of unknown outcome, of which %d were done", store.unknown.Load(), store.saved.Load())
}

// write is what a child process does until it is killed: it saves, and says so
// when it has.
func write(url, name string) {
	ctx := context.Background()
	store, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for n := 0; name != "open"; n++ {
		id := fmt.Sprintf("%s.%d", name, n)
		if _, _, err := session.Update(ctx, store, "a", link(id, action.Pending), noon); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(id)
	}
}

// child returns a command that starts this test again, to write.
func child(t *testing.T, url, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+url, childVariable+"_NAME="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// What a process has said to be saved is there when it is killed; at most the
// save that was under way is there beside it.
func TestKilledProcess(t *testing.T) {
	url := pgtest.Database(t)
	store := openAt(t, url, postgres.Options{})
	said := map[string]bool{}
	var expected session.Session
	for k := range *kills {
		if k%10 == 0 { // sessions that grow for ever slow down
			query(t, url, `TRUNCATE sluice_sessions, sluice_events, sluice_resources`)
			clear(said)
			expected = put(t, store, "a")
		}
		cmd := child(t, url, fmt.Sprint("k", k))
		output, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(output)
		for n := rand.IntN(20); n >= 0 && lines.Scan(); n-- {
			said[lines.Text()] = true
		}
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() {
			said[lines.Text()] = true
		}
		_ = cmd.Wait()

		s, err := store.Load(t.Context(), "a")
		require.NoError(t, err)
		has := linked(s)
		extra := map[string]int{} // by the process that did not say
		for id := range has {
			if !said[id] {
				name, _, _ := strings.Cut(id, ".")
				extra[name]++
			}
		}
		for id := range said {
			assert.True(t, has[id], "%s is lost", id)
		}
		for name, n := range extra {
			assert.Equal(t, 1, n, name)
		}
		assert.Greater(t, s.Version(), expected.Version())
		expected = s
		assert.Equal(t, 1, verified(t, store))
	}
}
