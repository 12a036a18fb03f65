package ownstore_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/examples/ownstore"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
)

// What the store can do besides; the suite tests it.
var (
	_ session.Finder  = (*ownstore.Store)(nil)
	_ session.History = (*ownstore.Store)(nil)
)

func TestStore(t *testing.T) {
	sessiontest.Run(t, func(t testing.TB) session.Store {
		db := open(t, filepath.Join(t.TempDir(), "host.db"))
		return reopener{newStore(t, db), t, db}
	})
}

// reopener is a store whose process can end and begin again.
type reopener struct {
	*ownstore.Store
	t  testing.TB
	db *bolt.DB
}

// Reopen implements [sessiontest.Reopener].
func (r reopener) Reopen() (session.Store, error) {
	file := r.db.Path()
	if err := r.db.Close(); err != nil {
		return nil, err
	}
	return ownstore.New(open(r.t, file))
}

// open opens a database for a test, which outlives the process but not the
// machine: to wait for the disk at every save would only take time.
func open(t testing.TB, file string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(file, 0o600, &bolt.Options{Timeout: time.Second, NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

func newStore(t testing.TB, db *bolt.DB) *ownstore.Store {
	t.Helper()
	store, err := ownstore.New(db)
	require.NoError(t, err)
	return store
}

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// created is a new session and what to save of it.
func created(t *testing.T, id string) (session.Session, []session.Event) {
	t.Helper()
	s, change, err := session.New(session.Create{
		ID: id, Name: "Onboarding", WorkspaceID: "w",
		Template: session.Template{ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification}},
	}, noon)
	require.NoError(t, err)
	return s, change.Events
}

// linked is the session with another Action, and what to save of that.
func linked(t *testing.T, s session.Session, resourceID string) (session.Session, []session.Event) {
	t.Helper()
	s, change, err := session.Apply(s, session.Link{Resource: action.Resource{
		ID: resourceID, Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: noon, AsOf: noon,
	}}, noon)
	require.NoError(t, err)
	return s, change.Events
}

// What the store says no to, it says so that the message reads well alone.
func TestMessages(t *testing.T) {
	store := newStore(t, open(t, filepath.Join(t.TempDir(), "host.db")))
	ctx := t.Context()

	_, err := store.Load(ctx, "nobody")
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.History(ctx, "nobody", 0)
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.Find(ctx, "nothing")
	require.EqualError(t, err, "resource nothing: session: not found")

	first, events := created(t, "first")
	require.NoError(t, store.Save(ctx, first, events))
	require.EqualError(t, store.Save(ctx, first, events), "session first is not in version 0: session: conflict")
	first, events = linked(t, first, "r")
	require.NoError(t, store.Save(ctx, first, events))

	second, _ := created(t, "second")
	second, events = linked(t, second, "r")
	require.EqualError(t, store.Save(ctx, second, events), "session second is not in version 1: session: conflict",
		"that it does not exist is told before what it links")
	second, events = created(t, "second")
	require.NoError(t, store.Save(ctx, second, events))
	second, events = linked(t, second, "r")
	require.EqualError(t, store.Save(ctx, second, events),
		"session: link of r refused: it stands in session first (ATT-12)")
}

// A version before the first is no other than none.
func TestHistoryBehindNothing(t *testing.T) {
	store := newStore(t, open(t, filepath.Join(t.TempDir(), "host.db")))
	s, events := created(t, "s")
	require.NoError(t, store.Save(t.Context(), s, events))
	got, err := store.History(t.Context(), "s", -2)
	require.NoError(t, err)
	require.Equal(t, events, got)
}

// A save that has to wait for another writer gives up when its context is done.
func TestCanceledWhileAnotherWrites(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "host.db"))
	store := newStore(t, db)
	s, events := created(t, "s")
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := db.Begin(true)
	require.NoError(t, err)
	saved := make(chan error)
	go func() { saved <- store.Save(ctx, s, events) }()
	cancel()
	require.NoError(t, tx.Rollback())
	require.ErrorIs(t, <-saved, context.Canceled)
	_, err = store.Load(t.Context(), "s")
	require.ErrorIs(t, err, session.ErrNotFound)
}

// What is damaged is told as such, and where it is.
func TestDamage(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "host.db"))
	store := newStore(t, db)
	s, events := created(t, "s")
	require.NoError(t, store.Save(t.Context(), s, events))
	require.NoError(t, db.Update(func(tx *bolt.Tx) error {
		require.NoError(t, tx.Bucket([]byte("sluice.sessions")).Put([]byte("s"), []byte("{}")))
		return tx.Bucket([]byte("sluice.histories")).Bucket([]byte("s")).Put([]byte("0000000001"), []byte("{"))
	}))

	_, err := store.Load(t.Context(), "s")
	require.ErrorIs(t, err, session.ErrCorrupt)
	require.ErrorIs(t, err, session.ErrDocument)
	require.ErrorContains(t, err, "session s: ")

	_, err = store.History(t.Context(), "s", 0)
	var corrupt *session.CorruptError
	require.ErrorAs(t, err, &corrupt)
	assert.Equal(t, "s", corrupt.SessionID)
	assert.Equal(t, 1, corrupt.Version)
	assert.Equal(t, "event", corrupt.Column)
	var syntax *json.SyntaxError
	assert.ErrorAs(t, err, &syntax)
}

// A database that is closed or only read is no place for a store.
func TestNewFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "host.db")
	require.NoError(t, open(t, file).Close())
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true})
	require.NoError(t, err)
	_, err = ownstore.New(db)
	require.Error(t, err)
	require.NoError(t, db.Close())
	_, err = ownstore.New(db)
	require.Error(t, err)
}
