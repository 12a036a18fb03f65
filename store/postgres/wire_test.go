package postgres_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

// cut says where a connection is cut.
type cut int

const (
	nowhere      cut = iota
	beforeServer     // what is sent does not arrive
	afterServer      // the answer does not arrive
)

// network is what lies between a store and its server: it counts round trips,
// and is cut where it is told, once.
type network struct {
	mu     sync.Mutex
	trips  int
	where  cut
	what   []byte // the text whose sending is awaited
	refuse bool   // no new connections
}

// configure lays the network between.
func (n *network) configure(c *pgxpool.Config) {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, kind, address string) (net.Conn, error) {
		n.mu.Lock()
		refuse := n.refuse
		n.mu.Unlock()
		if refuse {
			return nil, &net.OpError{Op: "dial", Net: kind, Err: io.ErrClosedPipe}
		}
		conn, err := dial(ctx, kind, address)
		return &line{Conn: conn, network: n}, err
	}
}

// arm has the network cut when a text is sent.
func (n *network) arm(where cut, what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.where, n.what = where, []byte(what)
}

// count returns how many round trips a function takes.
func (n *network) count(f func()) int {
	n.mu.Lock()
	n.trips = 0
	n.mu.Unlock()
	f()
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.trips
}

// line is one connection.
type line struct {
	net.Conn
	network *network
	sending bool
	broken  cut
}

func (l *line) Write(b []byte) (int, error) {
	n := l.network
	n.mu.Lock()
	if !l.sending {
		n.trips++
		l.sending = true
	}
	if n.where != nowhere && bytes.Contains(b, n.what) {
		l.broken, n.where = n.where, nowhere
	}
	broken := l.broken
	n.mu.Unlock()
	if broken == beforeServer {
		_ = l.Conn.Close()
		return len(b), nil
	}
	return l.Conn.Write(b)
}

func (l *line) Read(b []byte) (int, error) {
	l.network.mu.Lock()
	l.sending = false
	broken := l.broken
	l.network.mu.Unlock()
	switch broken {
	case beforeServer:
		return 0, io.EOF
	case afterServer:
		_, _ = l.Conn.Read(b) // the server has done it
		_ = l.Conn.Close()
		return 0, io.EOF
	default:
		return l.Conn.Read(b)
	}
}

// A Save takes one round trip, whatever it has to do, and with a time-out as
// well; so does one in the host's transaction.
func TestOneRoundTrip(t *testing.T) {
	for name, o := range map[string]postgres.Options{"": {}, "timeout": {StatementTimeout: 60_000_000_000}} {
		t.Run(name, func(t *testing.T) {
			n := &network{}
			o.Configure = n.configure
			store := openAt(t, pgtest.Database(t), o)
			put(t, store, "warm")
			var s session.Session
			assert.Equal(t, 1, n.count(func() { s = put(t, store, "a", link("r1", action.Failed)) }))
			next, events := apply(t, s, link("r2", action.Pending), link("r3", action.Failed), observe("r1", action.Failed, 1))
			assert.Equal(t, 1, n.count(func() { require.NoError(t, store.Save(t.Context(), next, events)) }))
			assert.Equal(t, 1, n.count(func() {
				require.ErrorIs(t, store.Save(t.Context(), next, events), session.ErrConflict)
			}))
			assert.Equal(t, 1, n.count(func() { _, _ = store.Load(t.Context(), "a") }))
			assert.Equal(t, 1, n.count(func() { _, _ = store.List(t.Context(), session.Query{}) }))
			assert.Equal(t, 1, n.count(func() { _, _ = store.Claim(t.Context(), 1, noon, 0) }))
			require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, _ pgx.Tx, j *postgres.Joined) error {
				next, events := apply(t, next, observe("r1", action.Failed, 2))
				assert.Equal(t, 1, n.count(func() { require.NoError(t, j.Save(ctx, next, events)) }))
				return nil
			}))
		})
	}
}

// A connection that is lost during a Save leaves its outcome open; Confirm tells,
// and Update applies the command once.
func TestUnknownOutcome(t *testing.T) {
	for name, o := range map[string]postgres.Options{
		"not saved": {}, "saved": {}, "not saved in time": {StatementTimeout: second}, "saved in time": {StatementTimeout: second},
	} {
		where := beforeServer
		if strings.HasPrefix(name, "saved") {
			where = afterServer
		}
		t.Run(name, func(t *testing.T) {
			n := &network{}
			o.Configure = n.configure
			store := openAt(t, pgtest.Database(t), o)
			for _, stored := range []session.Session{{}, put(t, store, "b")} {
				command := session.Command(create("a"))
				if !stored.IsZero() {
					command = link("r", action.Pending)
				}
				next, events := apply(t, stored, command)
				n.arm(where, "WITH saved")
				err := store.Save(t.Context(), next, events)
				var unknown *session.OutcomeError
				require.ErrorAs(t, err, &unknown)
				assert.Equal(t, next.Version(), unknown.Version)
				saved, err := store.Confirm(t.Context(), unknown)
				require.NoError(t, err)
				assert.Equal(t, where == afterServer, saved)

				// Of another save it is not the mark.
				unknown.Mark = "00000000000000000000000000000000"
				saved, err = store.Confirm(t.Context(), unknown)
				require.NoError(t, err)
				assert.False(t, saved)
				unknown.Mark = "no mark"
				_, err = store.Confirm(t.Context(), unknown)
				require.Error(t, err)
			}
			for i, c := range []session.Command{create("c"), link("c.1", action.Pending), link("c.2", action.Pending)} {
				n.arm(where, "WITH saved")
				s, change, err := session.Update(t.Context(), store, "c", c, noon)
				require.NoError(t, err)
				assert.Equal(t, i+1, s.Version())
				assert.Len(t, change.Events, 1)
			}
			verified(t, store)
		})
	}
}

// A save that never left is tried again, and one that cannot leave says so.
func TestNotSent(t *testing.T) {
	n := &network{}
	url := pgtest.Database(t)
	store := openAt(t, url, postgres.Options{Configure: n.configure, RetryFor: 20_000_000})
	store.Pool().Reset()
	n.refuse = true
	s, events := apply(t, session.Session{}, create("a"))
	err := store.Save(t.Context(), s, events)
	require.ErrorIs(t, err, postgres.ErrUnavailable)
	require.NotErrorIs(t, err, session.ErrUnknownOutcome)
	_, err = store.Load(t.Context(), "a")
	require.ErrorIs(t, err, postgres.ErrUnavailable)
	n.refuse = false
	require.NoError(t, store.Save(t.Context(), s, events))
}

// A read whose connection is lost is made again.
func TestReadAgain(t *testing.T) {
	n := &network{}
	store := openAt(t, pgtest.Database(t), postgres.Options{Configure: n.configure})
	s := put(t, store, "a")
	for _, where := range []cut{beforeServer, afterServer} {
		n.arm(where, "FROM sluice_sessions")
		got, err := store.Load(t.Context(), "a")
		require.NoError(t, err)
		assert.True(t, got.Equal(s))
	}
}

// Confirm waits for a save that is still under way, of a session that exists or
// that it creates.
func TestConfirmWaits(t *testing.T) {
	for _, keep := range []bool{true, false} {
		store := open(t)
		for _, stored := range []session.Session{{}, put(t, store, "b")} {
			command := session.Command(create("a"))
			if !stored.IsZero() {
				command = link("r", action.Pending)
			}
			next, events := apply(t, stored, command)
			tx := begin(t, store)
			require.NoError(t, store.Join(tx).Save(t.Context(), next, events))
			// The mark of a save is in what its loss would have been.
			var mark string
			require.NoError(t, tx.QueryRow(t.Context(),
				`SELECT replace(mark::text, '-', '') FROM sluice_events WHERE session_id = $1 AND version = $2`,
				next.ID(), next.Version()).Scan(&mark))

			answer := make(chan bool)
			go func() {
				saved, err := store.Confirm(context.Background(), &session.OutcomeError{
					SessionID: next.ID(), Version: next.Version(), Mark: mark,
				})
				assert.NoError(t, err)
				answer <- saved
			}()
			awaitLock(t, store)
			if keep {
				require.NoError(t, tx.Commit(t.Context()))
			} else {
				require.NoError(t, tx.Rollback(t.Context()))
			}
			assert.Equal(t, keep, <-answer)
		}
	}
}

// awaitLock returns when somebody waits for a lock.
func awaitLock(t *testing.T, store *postgres.Store) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		err := store.Pool().QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		return err == nil && n > 0
	}, 10*second, second/100)
}
