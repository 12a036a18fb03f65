package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
	"github.com/sluicego/sluice/store/postgres"
)

// How long the long tests are.
var (
	commands = flag.Int("commands", 1000, "commands of 16 writers on one session")
	kills    = flag.Int("kills", 20, "how often a process that writes is killed")
)

// childVariable holds the URL in a process that this test has started.
const childVariable = "SLUICE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		if err := beChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	pgtest.Main(m)
}

// The store has every ability, and a joined one all that make sense there.
var (
	_ session.Finder    = (*postgres.Store)(nil)
	_ session.Lister    = (*postgres.Store)(nil)
	_ session.History   = (*postgres.Store)(nil)
	_ session.Archive   = (*postgres.Store)(nil)
	_ session.Outbox    = (*postgres.Store)(nil)
	_ session.Confirmer = (*postgres.Store)(nil)
	_ session.Store     = (*postgres.Joined)(nil)
	_ session.Outbox    = (*postgres.Joined)(nil)
	_ session.History   = (*postgres.Joined)(nil)
	_ session.Lister    = (*postgres.Joined)(nil)
)

// open opens a store on a fresh database.
func open(tb testing.TB) *postgres.Store { return openAt(tb, pgtest.Database(tb), postgres.Options{}) }

// openAt opens a store, which is closed when the test ends.
func openAt(tb testing.TB, url string, o postgres.Options) *postgres.Store {
	tb.Helper()
	store, err := postgres.Open(tb.Context(), url, o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	return store
}

// begin begins a transaction, which does not outlive a test that fails: the store
// could not be closed.
func begin(tb testing.TB, store *postgres.Store) pgx.Tx {
	tb.Helper()
	tx, err := store.Pool().Begin(tb.Context())
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// connections returns an Options.Configure for a number of connections.
func connections(n int32) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.MaxConns = n }
}

// query runs statements by psql, beside the store.
func query(tb testing.TB, url, statements string) string {
	tb.Helper()
	output, err := pgtest.SQL(url, statements)
	require.NoError(tb, err)
	return output
}

// reopener is a store that can be closed and opened again.
type reopener struct {
	*postgres.Store
	tb      testing.TB
	url     string
	options postgres.Options
}

var _ sessiontest.Reopener = reopener{}

// Reopen implements [sessiontest.Reopener].
func (r reopener) Reopen() (session.Store, error) {
	if err := r.Close(); err != nil {
		return nil, err
	}
	return openAt(r.tb, r.url, r.options), nil
}

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 123456789, time.UTC)

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
	return session.Link{Resource: action.Resource{
		ID: resourceID, Type: action.TypeCompanyVerification, Status: status,
		CreatedAt: action.Seconds(noon), AsOf: action.Seconds(noon),
	}}
}

// observe is a report, some seconds after noon.
func observe(resourceID string, status action.Status, seconds int) session.Observe {
	asOf := action.Seconds(noon).Add(time.Duration(seconds) * time.Second)
	return session.Observe{ResourceID: resourceID, Status: status, AsOf: asOf}
}

// apply returns where commands lead to, and the events. Each has to change the
// session.
func apply(tb testing.TB, s session.Session, commands ...session.Command) (session.Session, []session.Event) {
	tb.Helper()
	var events []session.Event
	for _, c := range commands {
		next, change, err := session.Apply(s, c, noon)
		require.NoError(tb, err)
		require.NotEmpty(tb, change.Events)
		s, events = next, append(events, change.Events...)
	}
	return s, events
}

// put saves a new session to which commands were applied.
func put(tb testing.TB, store session.Store, id string, commands ...session.Command) session.Session {
	tb.Helper()
	s, events := apply(tb, session.Session{}, append([]session.Command{create(id)}, commands...)...)
	require.NoError(tb, store.Save(tb.Context(), s, events))
	return s
}

// putMany saves sessions of two events each.
func putMany(tb testing.TB, store session.Store, n int) {
	tb.Helper()
	for i := range n {
		put(tb, store, fmt.Sprintf("s%03d", i), link(fmt.Sprintf("r%03d", i), action.Pending))
	}
}

// linked returns the resources that a session has.
func linked(s session.Session) map[string]bool {
	ids := map[string]bool{}
	for g := range s.Groups() {
		for c := range g.Actions() {
			for _, a := range c.Attempts() {
				ids[a.Resource.ID] = true
			}
		}
	}
	return ids
}

// verified checks that every session of a store is what its events lead to, and
// returns how many there are.
func verified(tb testing.TB, store session.Store) int {
	tb.Helper()
	n, err := session.VerifyAll(tb.Context(), store, func(id string, err error) error {
		return fmt.Errorf("%s: %w", id, err)
	})
	require.NoError(tb, err)
	return n
}
