package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/internal/stress"
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
				WHERE datname = current_database() AND application_name = 'victim'
				ORDER BY state = 'active' DESC, random() LIMIT 2) victims`).Scan(&n))
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

// child returns a command that starts this test again, to open the database and,
// if the mode says so, to write.
func child(t *testing.T, url, name, mode string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(),
		childVariable+"="+url+"&application_name="+name, childVariable+"_NAME="+name, childVariable+"_MODE="+mode)
	cmd.Stderr = os.Stderr
	return cmd
}

// What a child does.
const (
	opens  = "opens"
	writes = "writes"
	eager  = "writes, and tells of saves before they are done"
)

// beChild is the child.
func beChild() error {
	store, err := postgres.Open(context.Background(), os.Getenv(childVariable), postgres.Options{})
	if err != nil {
		return err
	}
	mode := os.Getenv(childVariable + "_MODE")
	if mode == opens {
		return store.Close()
	}
	return stress.Write(store, os.Getenv(childVariable+"_NAME"), mode == eager)
}

// Processes that write to one database are killed, one after another. After each
// death, nothing that was acknowledged is lost.
func TestKilled(t *testing.T) {
	assert.Empty(t, victims(t, writes).Kill(t, *kills))
}

// A process that acknowledges a save before it is done is found out.
func TestKilledTwin(t *testing.T) {
	faults := victims(t, eager).Kill(t, 40)
	require.NotEmpty(t, faults)
	assert.Contains(t, faults[0], "was acknowledged")
}

// victims are processes that write to one database.
func victims(t *testing.T, mode string) *stress.Subject {
	url := pgtest.Database(t)
	last := ""
	return &stress.Subject{
		Child: func(name string) *exec.Cmd {
			last = name
			return child(t, url, name, mode)
		},
		Open: func() stress.Store {
			store, err := postgres.Open(t.Context(), url, postgres.Options{})
			require.NoError(t, err)
			// What the process has sent the server may still do.
			for others := 1; others > 0; {
				require.NoError(t, store.Pool().QueryRow(t.Context(), `
					SELECT count(*) FROM pg_stat_activity
					WHERE datname = current_database() AND application_name = $1`, last).Scan(&others))
			}
			return store
		},
	}
}
