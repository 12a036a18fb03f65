package agree_test

import (
	"context"
	"database/sql"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/store/postgres"
	"github.com/sluicego/sluice/store/sqlite"
)

func TestMain(m *testing.M) {
	// By default less than rapid's own: each step is one of three stores.
	for name, value := range map[string]string{"CHECKS": "25", "STEPS": "20"} {
		if os.Getenv("RAPID_"+name) != "" {
			continue
		}
		if err := flag.Set("rapid."+strings.ToLower(name), value); err != nil {
			panic(err)
		}
	}
	pgtest.Main(m)
}

// store is a Store with every ability.
type store interface {
	session.Store
	session.Finder
	session.Lister
	session.History
	session.Archive
	session.Outbox
}

// subject is a store that is held together with others.
type subject struct {
	name  string
	store // the present one; another one after reopen
	// clear leaves nothing in it.
	clear func() error
	// reopen closes it and opens another one over the same data; nil where the
	// data does not outlive it.
	reopen func() error
	// execute runs a statement past the store; nil where there are none.
	execute func(statement string) error
	// inTx runs a function in one transaction; nil where there are none.
	inTx func(do func(session.Store) error) error

	positions map[string]string // of announcements in the outbox, by their ids
	places    map[string]string // the other way round
}

// GoString is what rapid shows of it.
func (s *subject) GoString() string { return s.name }

// empty leaves nothing in the store, and forgets what it said before.
func (s *subject) empty() error {
	s.positions, s.places = map[string]string{}, map[string]string{}
	return s.clear()
}

// inMemory is the reference, or what a wrapper makes of it.
func inMemory(name string, wrap func(store) store) *subject {
	s := &subject{name: name}
	s.clear = func() error {
		s.store = wrap(new(memstore.Store))
		return nil
	}
	return s
}

func reference() *subject {
	return inMemory("memstore", func(s store) store { return s })
}

// inSQLite is a store in a file of the test.
func inSQLite(t testing.TB) *subject {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sluice.db")
	s := &subject{name: "sqlite"}
	var opened *sqlite.Store
	open := func() (err error) {
		// Not the context of the test, which ends before what is cleaned up.
		opened, err = sqlite.Open(context.Background(), path, sqlite.Options{})
		s.store = opened
		return err
	}
	require.NoError(t, open())
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	s.reopen = func() error {
		if err := opened.Close(); err != nil {
			return err
		}
		return open()
	}
	s.execute = func(statement string) error {
		_, err := opened.Writer().ExecContext(context.Background(), statement)
		return err
	}
	s.inTx = func(do func(session.Store) error) error {
		return opened.InTx(context.Background(), func(_ context.Context, _ *sql.Tx, joined *sqlite.Joined) error {
			return do(joined)
		})
	}
	s.clear = func() error {
		return opened.InTx(context.Background(), func(ctx context.Context, tx *sql.Tx, _ *sqlite.Joined) error {
			for _, table := range []string{"outbox", "resources", "events", "sessions"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM sluice_"+table); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return s
}

// inPostgres is a store in a database of the test.
func inPostgres(t testing.TB) *subject {
	t.Helper()
	url := pgtest.Database(t)
	s := &subject{name: "postgres"}
	var opened *postgres.Store
	open := func() (err error) {
		opened, err = postgres.Open(context.Background(), url, postgres.Options{})
		s.store = patient{opened}
		return err
	}
	require.NoError(t, open())
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	s.reopen = func() error {
		if err := opened.Close(); err != nil {
			return err
		}
		return open()
	}
	s.execute = func(statement string) error {
		_, err := opened.Pool().Exec(context.Background(), statement)
		return err
	}
	s.inTx = func(do func(session.Store) error) error {
		return opened.InTx(context.Background(), func(_ context.Context, _ pgx.Tx, joined *postgres.Joined) error {
			return do(joined)
		})
	}
	s.clear = func() error {
		return s.execute("TRUNCATE sluice_outbox, sluice_resources, sluice_events, sluice_sessions")
	}
	return s
}

// patient is a store on a server that others use at the same time, if only the
// other tests. What they have under way in other databases holds back the
// announcements of this one.
type patient struct{ *postgres.Store }

// Announced implements [session.Outbox]. It waits until nothing is held back.
func (s patient) Announced(ctx context.Context, after string, limit int) ([]session.Entry, error) {
	const heldBack = `SELECT EXISTS (SELECT FROM sluice_outbox WHERE ordinal >= pg_snapshot_xmin(pg_current_snapshot()))`
	for wait := true; wait; {
		if err := s.Pool().QueryRow(context.Background(), heldBack).Scan(&wait); err != nil {
			return nil, err
		}
	}
	return s.Store.Announced(ctx, after, limit)
}
