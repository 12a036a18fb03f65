package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	modernc "modernc.org/sqlite"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

// errLost is what commits end with that the test takes away.
var errLost = errors.New("the answer was lost")

// What becomes of a commit.
const (
	answered  = iota // it is done, and says so
	unheard          // it is done, and nobody hears of it
	swallowed        // it is not done, and nobody hears of that
)

// lossy is a driver whose commits end as the test says.
type lossy struct {
	next    atomic.Int32 // what becomes of the commits
	commits atomic.Int32
}

func (l *lossy) connector(dsn string) (driver.Connector, error) {
	c, err := modernc.NewConnector(dsn)
	return lossyConnector{c, l}, err
}

type lossyConnector struct {
	driver.Connector
	lossy *lossy
}

func (c lossyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return lossyConn{conn, c.lossy}, err
}

type lossyConn struct {
	driver.Conn
	lossy *lossy
}

func (c lossyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return lossyTx{tx, c.lossy}, err
}

type lossyTx struct {
	driver.Tx
	lossy *lossy
}

func (tx lossyTx) Commit() error {
	tx.lossy.commits.Add(1)
	switch tx.lossy.next.Swap(answered) {
	case unheard:
		return errors.Join(errLost, tx.Tx.Commit())
	case swallowed:
		return errors.Join(errLost, tx.Tx.Rollback())
	default:
		return tx.Tx.Commit()
	}
}

// lost opens a store over commits that get lost.
func lost(t *testing.T) (*sqlite.Store, *lossy) {
	t.Helper()
	l := new(lossy)
	store, err := sqlite.OpenWith(t.Context(), file(t), l.connector)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store, l
}

// A commit whose answer was lost may have been done or not. Save says so, the
// mark tells, and the session can be saved further whichever it was.
func TestUnknownOutcome(t *testing.T) {
	for fate, done := range map[int32]bool{unheard: true, swallowed: false} {
		store, l := lost(t)
		s := put(t, store, "a")
		next, events := apply(t, s, link("a.1", action.Failed))
		l.next.Store(fate)
		err := store.Save(t.Context(), next, events)
		require.ErrorIs(t, err, session.ErrUnknownOutcome)
		require.ErrorIs(t, err, errLost)
		var unknown *session.OutcomeError
		require.ErrorAs(t, err, &unknown)
		assert.Equal(t, "a", unknown.SessionID)
		assert.Equal(t, 2, unknown.Version)

		saved, err := store.Confirm(t.Context(), unknown)
		require.NoError(t, err)
		assert.Equal(t, done, saved)
		loaded, err := store.Load(t.Context(), "a")
		require.NoError(t, err)
		assert.True(t, loaded.Equal(map[bool]session.Session{true: next, false: s}[done]))

		// Another save of the same version is not taken for this one.
		if !done {
			require.NoError(t, store.Save(t.Context(), next, events))
			saved, err = store.Confirm(t.Context(), unknown)
			require.NoError(t, err)
			assert.False(t, saved)
		}
		assert.Equal(t, 1, verified(t, store))
	}
}

// With Update, a command is applied once, whatever becomes of its commits.
func TestUpdateFindsOut(t *testing.T) {
	for fate, commits := range map[int32]int32{answered: 1, unheard: 1, swallowed: 2} {
		store, l := lost(t)
		put(t, store, "a")
		for _, c := range []session.Command{create("b"), link("b.1", action.Failed)} {
			before := l.commits.Load()
			l.next.Store(fate)
			s, change, err := session.Update(t.Context(), store, "b", c, noon)
			require.NoError(t, err)
			require.Len(t, change.Events, 1)
			loaded, err := store.Load(t.Context(), "b")
			require.NoError(t, err)
			assert.True(t, loaded.Equal(s))
			assert.Equal(t, commits, l.commits.Load()-before)
		}
		assert.Equal(t, 2, count(t, store.Readers(), "SELECT count(*) FROM sluice_outbox"))
		assert.Equal(t, 2, verified(t, store))
	}
}

// Where a transaction had several saves, each can be asked for, and all have the
// same answer; where the host commits itself, it can have the same.
func TestJoinedOutcome(t *testing.T) {
	for fate, done := range map[int32]bool{unheard: true, swallowed: false} {
		store, l := lost(t)
		own := store.InTx(t.Context(), func(_ context.Context, _ *sql.Tx, joined *sqlite.Joined) error {
			put(t, joined, "a")
			put(t, joined, "b")
			l.next.Store(fate)
			return nil
		})
		tx, err := store.Writer().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		joined := store.Join(tx)
		put(t, joined, "c")
		l.next.Store(fate)
		hosts := joined.Outcome(tx.Commit())
		require.NoError(t, joined.Outcome(nil))

		asked := map[string]bool{}
		for _, err := range []error{own, hosts} {
			require.ErrorIs(t, err, session.ErrUnknownOutcome)
			for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
				var unknown *session.OutcomeError
				require.ErrorAs(t, err, &unknown)
				saved, err := store.Confirm(t.Context(), unknown)
				require.NoError(t, err)
				assert.Equal(t, done, saved)
				asked[unknown.SessionID] = true
			}
		}
		assert.Len(t, asked, 3)
		l.next.Store(fate)
		err = store.InTx(t.Context(), func(context.Context, *sql.Tx, *sqlite.Joined) error { return nil })
		require.ErrorIs(t, err, session.ErrUnknownOutcome)
	}
}

// A host whose transaction is over is told that nothing was kept.
func TestOutcomeKnown(t *testing.T) {
	store := open(t, file(t))
	tx, err := store.Writer().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	joined := store.Join(tx)
	put(t, joined, "a")
	require.NoError(t, tx.Rollback())
	err = joined.Outcome(tx.Commit())
	require.ErrorIs(t, err, sql.ErrTxDone)
	require.NotErrorIs(t, err, session.ErrUnknownOutcome)
}

// What this store never gave out is no mark.
func TestNoMark(t *testing.T) {
	store := open(t, file(t))
	for _, mark := range []string{"", "x", "00"} {
		_, err := store.Confirm(t.Context(), &session.OutcomeError{SessionID: "a", Version: 1, Mark: mark})
		require.ErrorContains(t, err, "no mark")
	}
}
