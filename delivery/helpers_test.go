package delivery_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/postgresqueue"
	"github.com/sluicego/sluice/delivery/sqlitequeue"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

func TestMain(m *testing.M) {
	beChild() // returns unless this process is one that a test has started
	pgtest.Main(m)
}

// key is that of all subscriptions.
const key = "0123456789abcdef0123456789abcdef"

// house is a store with a queue over it.
type house struct {
	queue delivery.Queue
	store session.Store
}

// prepared is an SQLite file with all tables, which most tests begin with: to make
// them takes longer than many a test.
var prepared = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "delivery")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is temporary
	file := filepath.Join(folder, "sluice.db")
	s, err := sqlite.Open(context.Background(), file, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	if _, err := delivery.New(context.Background(), sqlitequeue.On(s), delivery.Options{}); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func sqliteHouse(tb testing.TB) house {
	tb.Helper()
	content, err := prepared()
	require.NoError(tb, err)
	file := filepath.Join(tb.TempDir(), "sluice.db")
	require.NoError(tb, os.WriteFile(file, content, 0o600))
	return sqliteAt(tb, file)
}

func sqliteAt(tb testing.TB, file string) house {
	tb.Helper()
	s, err := sqlite.Open(context.Background(), file, sqlite.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, s.Close()) })
	return house{sqlitequeue.On(s), s}
}

func postgresHouse(tb testing.TB) house {
	tb.Helper()
	return postgresAt(tb, pgtest.Database(tb))
}

func postgresAt(tb testing.TB, url string) house {
	tb.Helper()
	s, err := postgres.Open(context.Background(), url, postgres.Options{
		Configure: func(c *pgxpool.Config) { c.MaxConns = 10 },
	})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, s.Close()) })
	return house{postgresqueue.On(s), s}
}

// another returns the queue as another process has it.
func (h house) another(tb testing.TB) house {
	tb.Helper()
	switch s := h.store.(type) {
	case *sqlite.Store:
		return house{sqlitequeue.On(s), s}
	case *postgres.Store:
		return house{postgresqueue.On(s), s}
	default:
		tb.Fatalf("a store %T", s)
		return house{}
	}
}

// exec runs a statement on the database.
func (h house) exec(tb testing.TB, statement string) {
	tb.Helper()
	var err error
	switch s := h.store.(type) {
	case *sqlite.Store:
		_, err = s.Writer().ExecContext(context.Background(), statement)
	case *postgres.Store:
		_, err = s.Pool().Exec(context.Background(), statement)
	}
	require.NoError(tb, err)
}

// size returns how many bytes the database takes.
func (h house) size(tb testing.TB) (bytes int64) {
	tb.Helper()
	var err error
	switch s := h.store.(type) {
	case *sqlite.Store:
		err = s.Writer().QueryRowContext(context.Background(),
			`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&bytes)
	case *postgres.Store:
		err = s.Pool().QueryRow(context.Background(), `SELECT pg_database_size(current_database())`).Scan(&bytes)
	}
	require.NoError(tb, err)
	return bytes
}

// both runs a test on both databases.
func both(t *testing.T, test func(t *testing.T, h house)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteHouse(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresHouse(t)) })
}

// open returns a deliverer that nothing is started of. Its log is the test's.
func (h house) open(tb testing.TB, o delivery.Options) *delivery.Deliverer {
	tb.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	d, err := delivery.New(context.Background(), h.queue, o)
	require.NoError(tb, err)
	return d
}

// start starts a deliverer, which is stopped when the test ends.
func start(tb testing.TB, d *delivery.Deliverer) {
	tb.Helper()
	require.NoError(tb, d.Start(context.Background()))
	tb.Cleanup(func() { assert.NoError(tb, d.Stop(context.Background())) })
}

// subscribe creates a subscription to everything.
func subscribe(tb testing.TB, d *delivery.Deliverer, id, endpoint string, change ...func(*webhookpolicy.Settings)) {
	tb.Helper()
	settings := webhookpolicy.Settings{
		Endpoint: endpoint, Secret: webhookpolicy.NewSecret(key), Enabled: true, AutoRetry: true,
		Events: []webhookpolicy.EventName{webhookpolicy.Wildcard}, Scopes: []string{webhookpolicy.Wildcard},
	}
	for _, c := range change {
		c(&settings)
	}
	s, err := webhookpolicy.NewSubscription(id, settings, noon)
	require.NoError(tb, err)
	require.NoError(tb, d.CreateSubscription(context.Background(), s))
}

// noon is when things happen.
var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// publish publishes occurrences of these ids.
func publish(tb testing.TB, d *delivery.Deliverer, ids ...string) {
	tb.Helper()
	var all []delivery.Occurrence
	for _, id := range ids {
		all = append(all, occurrence(id))
	}
	require.NoError(tb, d.Publish(context.Background(), all...))
}

func occurrence(id string) delivery.Occurrence {
	return delivery.Occurrence{
		ID: id, Event: webhookpolicy.Event{Name: webhookpolicy.EventContactCreated, Scope: webhookpolicy.ScopeApp},
		At: noon, Data: json.RawMessage(`{"contact":{"id":"` + id + `"}}`),
	}
}

// hit is a call that has arrived.
type hit struct {
	EventID string
	Number  string
	At      time.Time
}

// receiver is an endpoint that takes authentic calls, and answers as it is told.
type receiver struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, h hit)

	mu   sync.Mutex
	hits []hit
	news chan struct{}
}

// receive starts a receiver. Without a function it answers 204.
func receive(tb testing.TB, answer func(w http.ResponseWriter, r *http.Request, h hit)) *receiver {
	tb.Helper()
	r := &receiver{answer: answer, news: make(chan struct{}, 1)}
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.StartTLS()
	tb.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	e, err := webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{webhookpolicy.NewSecret(key)}}.
		Receive(body, request.Header.Get(webhookpolicy.HeaderSignature), "", time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	h := hit{e.EventID, request.Header.Get(webhookpolicy.HeaderRetryCount), time.Now()}
	r.mu.Lock()
	r.hits = append(r.hits, h)
	r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
	if r.answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	r.answer(w, request, h)
}

// wait waits until what has arrived is enough, and returns it.
func (r *receiver) wait(tb testing.TB, enough func([]hit) bool) []hit {
	tb.Helper()
	giveUp := time.After(time.Minute)
	for {
		r.mu.Lock()
		hits := append([]hit(nil), r.hits...)
		r.mu.Unlock()
		if enough(hits) {
			return hits
		}
		select {
		case <-r.news:
		case <-giveUp:
			tb.Fatalf("after a minute there are no more than %d calls", len(hits))
		}
	}
}

// arrived is enough when so many events are there.
func arrived(n int) func([]hit) bool {
	return func(hits []hit) bool {
		seen := map[string]bool{}
		for _, h := range hits {
			seen[h.EventID] = true
		}
		return len(seen) >= n
	}
}

// trusting are the options of calls to receivers.
func trusting(receivers ...*receiver) caller.Options {
	pool := x509.NewCertPool()
	for _, r := range receivers {
		pool.AddCert(r.Certificate())
	}
	return caller.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
}

// hasty is a policy whose retries follow within moments.
func hasty() webhookpolicy.Policy {
	p := webhookpolicy.DefaultPolicy()
	for i := range p.Delays {
		p.Delays[i] = time.Duration(i+1) * 10 * time.Millisecond
	}
	return p
}

// until waits for a condition that a database tells.
func until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	require.Eventually(tb, holds, time.Minute, 10*time.Millisecond, what)
}
