package delivery_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Deliveries are found by what a query says, page by page.
func TestDeliveries(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		now := noon
		d := h.open(t, delivery.Options{Now: func() time.Time { return now }})
		subscribe(t, d, "s1", endpoint)
		subscribe(t, d, "s2", endpoint+"/2")
		for i := range 5 {
			publish(t, d, fmt.Sprint("o", i))
			now = now.Add(time.Minute)
		}
		count := func(q delivery.Query) int {
			t.Helper()
			seen := map[string]bool{}
			var last time.Time
			for {
				q.Limit = 3
				page, err := d.Deliveries(t.Context(), q)
				require.NoError(t, err)
				for _, p := range page.Deliveries {
					assert.False(t, seen[p.EventID()], "twice")
					seen[p.EventID()] = true
					if !last.IsZero() && !p.Created().Equal(last) {
						assert.Equal(t, q.Newest, p.Created().Before(last), "order")
					}
					last = p.Created()
				}
				if page.Next == "" {
					return len(seen)
				}
				q.After = page.Next
			}
		}
		pending := []webhookpolicy.State{webhookpolicy.Pending}
		for want, q := range map[int][]delivery.Query{
			10: {{}, {Newest: true}, {States: pending}, {From: noon}},
			5:  {{SubscriptionID: "s1"}, {Endpoint: endpoint + "/2"}, {SubscriptionID: "s2", Newest: true}},
			4:  {{From: noon.Add(time.Minute), To: noon.Add(3 * time.Minute)}},
			0:  {{States: []webhookpolicy.State{webhookpolicy.Exhausted, webhookpolicy.Canceled}}, {To: noon}, {SubscriptionID: "s3"}},
		} {
			for _, q := range q {
				assert.Equal(t, want, count(q), "%+v", q)
			}
		}
	})
}

// A query that makes no sense is refused.
func TestDeliveries_Refused(t *testing.T) {
	d := sqliteHouse(t).open(t, delivery.Options{})
	for _, q := range []delivery.Query{
		{Limit: -1}, {Limit: 1001}, {After: "x"}, {After: "1"}, {After: "1/"},
		{States: []webhookpolicy.State{99}}, {States: []webhookpolicy.State{webhookpolicy.Pending, 0}},
	} {
		_, err := d.Deliveries(t.Context(), q)
		require.ErrorIs(t, err, delivery.ErrQuery, "%+v", q)
	}
	_, err := d.ReplayAll(t.Context(), delivery.Query{})
	require.ErrorIs(t, err, delivery.ErrQuery)
	_, err = d.Explain(t.Context(), "x")
	require.ErrorIs(t, err, delivery.ErrNotFound)
	require.ErrorIs(t, d.Replay(t.Context(), "x"), delivery.ErrNotFound)
	require.ErrorIs(t, d.Suspend(t.Context(), ""), delivery.ErrQuery)
}

// What has not ended cannot be replayed, and a page shows a delivery as a whole.
func TestDelivery(t *testing.T) {
	d := sqliteHouse(t).open(t, delivery.Options{Now: func() time.Time { return noon }})
	subscribe(t, d, "s1", endpoint)
	publish(t, d, "o1")
	id := webhookpolicy.EventID("o1", "s1")
	require.ErrorIs(t, d.Replay(t.Context(), id), delivery.ErrUnfinished)
	story, err := d.Explain(t.Context(), id)
	require.NoError(t, err)
	text, err := json.Marshal(story.Delivery)
	require.NoError(t, err)
	assert.JSONEq(t, `{"event_name":"contact.created","epoch":0,"ended_at":null,"queued":true,"delivery":{
		"event_id":"`+id+`","subscription_id":"s1","created_at":"2025-09-22T12:00:00Z","state":"pending",
		"due":"2025-09-22T12:00:00Z","calls":[]}}`, string(text))
}

// An endpoint is open until too many calls fail, or somebody suspends it.
func TestEndpoint(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		d := h.open(t, delivery.Options{})
		e, err := d.Endpoint(t.Context(), endpoint)
		require.NoError(t, err)
		assert.Equal(t, delivery.Endpoint{URL: endpoint}, e)
		require.NoError(t, d.Release(t.Context(), endpoint), "what is open stays as it is")
		require.NoError(t, d.Suspend(t.Context(), endpoint))
		require.NoError(t, d.Suspend(t.Context(), endpoint))
		all, err := d.Suspended(t.Context(), "", 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, endpoint, all[0].URL)
		assert.Equal(t, webhookpolicy.Suspended, all[0].Health.Condition())
		probed, err := d.Probe(t.Context(), endpoint)
		require.NoError(t, err)
		assert.False(t, probed, "nothing is parked")
		require.NoError(t, d.Release(t.Context(), endpoint))
		all, err = d.Suspended(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Empty(t, all)
	})
}

// The jobs of an endpoint that nothing is parked for are done at once.
func TestRelease_NothingParked(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		d := h.open(t, delivery.Options{})
		require.NoError(t, d.Suspend(t.Context(), endpoint))
		require.NoError(t, d.Release(t.Context(), endpoint))
		start(t, d)
		until(t, "the drain is done", func() bool {
			left := 0
			require.NoError(t, h.queue.Query(t.Context(), func(scan engine.Scan) error { return scan(&left) },
				`SELECT count(*) FROM river_job WHERE kind = 'sluice_drain' AND state <> 'completed'`))
			return left == 0
		})
	})
}

// Options that nothing can be delivered by are refused.
func TestOptions_Refused(t *testing.T) {
	_, err := delivery.New(t.Context(), nil, delivery.Options{})
	require.ErrorIs(t, err, delivery.ErrOptions)
	unsound := webhookpolicy.DefaultPolicy()
	unsound.RetryTimeout = -1
	for name, o := range map[string]delivery.Options{
		"policy":  {Policy: unsound},
		"workers": {Workers: -1},
		"poll":    {Poll: time.Millisecond},
		"rescue":  {RescueAfter: time.Second},
		"keep":    {Retention: -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := delivery.New(t.Context(), sqliteHouse(t).queue, o)
			require.ErrorIs(t, err, delivery.ErrOptions)
		})
	}
}

// Tables of another version are refused, and none are made where that is asked for.
func TestVersion(t *testing.T) {
	empty := map[string]house{
		"sqlite":   sqliteAt(t, filepath.Join(t.TempDir(), "empty.db")),
		"postgres": postgresHouse(t),
	}
	both(t, func(t *testing.T, h house) {
		h = empty[filepath.Base(t.Name())]
		_, err := delivery.New(t.Context(), h.queue, delivery.Options{NoMigrations: true})
		var version *delivery.VersionError
		require.ErrorAs(t, err, &version)
		assert.Equal(t, 0, version.Database)
		h.another(t).open(t, delivery.Options{})
		h.another(t).open(t, delivery.Options{NoMigrations: true})
		h.exec(t, `INSERT INTO sluice_delivery_migrations (version_id, is_applied) VALUES (99, true)`)
		_, err = delivery.New(t.Context(), h.another(t).queue, delivery.Options{})
		require.ErrorIs(t, err, delivery.ErrVersion)
		require.ErrorAs(t, err, &version)
		assert.Equal(t, 99, version.Database)
	})
}
