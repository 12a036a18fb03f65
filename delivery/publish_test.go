package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/sqlitequeue"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

// WHK-9: one event for each subscription, however often it is published.
func TestPublish(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		d := h.open(t, delivery.Options{})
		subscribe(t, d, "s1", endpoint)
		subscribe(t, d, "s2", endpoint)
		subscribe(t, d, "off", endpoint, func(s *webhookpolicy.Settings) { s.Enabled = false })
		publish(t, d, "o1", "o1")
		publish(t, d, "o1", "o2")
		page, err := d.Deliveries(t.Context(), delivery.Query{})
		require.NoError(t, err)
		ids := map[string]bool{}
		for _, p := range page.Deliveries {
			ids[p.EventID()] = true
			assert.Equal(t, webhookpolicy.Pending, p.State())
			assert.True(t, p.Queued)
		}
		assert.Equal(t, map[string]bool{
			webhookpolicy.EventID("o1", "s1"): true, webhookpolicy.EventID("o1", "s2"): true,
			webhookpolicy.EventID("o2", "s1"): true, webhookpolicy.EventID("o2", "s2"): true,
		}, ids)
	})
}

// What is wrong with one keeps the others from being published as well: they
// belong together.
func TestPublish_Refused(t *testing.T) {
	d := sqliteHouse(t).open(t, delivery.Options{})
	subscribe(t, d, "s1", endpoint)
	for name, spoil := range map[string]func(*delivery.Occurrence){
		"no id":   func(o *delivery.Occurrence) { o.ID = "" },
		"no name": func(o *delivery.Occurrence) { o.Event.Name = "" },
		"no data": func(o *delivery.Occurrence) { o.Data = nil },
		"no json": func(o *delivery.Occurrence) { o.Data = json.RawMessage(`{`) },
		"no time": func(o *delivery.Occurrence) { o.At = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			bad := occurrence("bad")
			spoil(&bad)
			require.ErrorIs(t, d.Publish(t.Context(), occurrence("good"), bad), delivery.ErrOccurrence)
			page, err := d.Deliveries(t.Context(), delivery.Query{})
			require.NoError(t, err)
			assert.Empty(t, page.Deliveries)
		})
	}
}

// What a host does and what it publishes are kept together, or neither.
func TestPublishIn(t *testing.T) {
	store, err := sqlite.Open(t.Context(), t.TempDir()+"/sluice.db", sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	queue := sqlitequeue.On(store)
	d := house{queue, store}.open(t, delivery.Options{})
	subscribe(t, d, "s1", endpoint)
	for _, commit := range []bool{false, true} {
		tx, err := store.Writer().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, d.PublishIn(t.Context(), queue.Join(tx), occurrence("o1")))
		if commit {
			require.NoError(t, tx.Commit())
		} else {
			require.NoError(t, tx.Rollback())
		}
		stats, err := d.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, commit, stats.Waiting == 1)
	}
}

// commandsOf are a session from its beginning to its end.
func commandsOf(id string) []session.Command {
	template := session.Template{
		ID: "t1", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification}, CreatedAt: noon, UpdatedAt: noon,
	}
	resource := action.Resource{
		ID: id + ".1", Type: action.TypeCompanyVerification, Status: action.Pending, AsOf: noon, CreatedAt: noon,
	}
	return []session.Command{
		session.Create{ID: id, Name: "Kelly Smith", Template: template, WorkspaceID: "w1"},
		session.Link{Resource: resource},
		session.Observe{ResourceID: resource.ID, Status: action.Failed, AsOf: noon.Add(time.Second)},
		session.Resolve{ResourceID: resource.ID},
	}
}

// life plays a session until it is done and saves each step.
func life(t *testing.T, store session.Store, id string) {
	t.Helper()
	for i, c := range commandsOf(id) {
		_, _, err := session.Update(context.Background(), store, id, c, noon.Add(time.Duration(i)*time.Minute))
		require.NoError(t, err, "%T", c)
	}
}

// What sessions announce is published with the session as it was then, in the order
// in which it was announced.
func TestAnnounce(t *testing.T) {
	both(t, func(t *testing.T, h house) {
		d := h.open(t, delivery.Options{})
		subscribe(t, d, "s1", endpoint, func(s *webhookpolicy.Settings) { s.Workspaces = []string{"w1"} })
		subscribe(t, d, "other", endpoint, func(s *webhookpolicy.Settings) { s.Workspaces = []string{"w2"} })
		life(t, h.store, "a")
		_, err := delivery.Announce(t.Context(), d)
		require.NoError(t, err)
		statuses := map[webhookpolicy.EventName]string{}
		page, err := d.Deliveries(t.Context(), delivery.Query{})
		require.NoError(t, err)
		for _, p := range page.Deliveries {
			story, err := d.Explain(t.Context(), p.EventID())
			require.NoError(t, err)
			e, err := webhookpolicy.ParseEnvelope(story.Body, webhookpolicy.Limits{})
			require.NoError(t, err)
			var data struct {
				Session struct{ Status string }       `json:"workflow_session"`
				Group   struct{ Type, Status string } `json:"workflow_action_group"`
			}
			require.NoError(t, json.Unmarshal(e.Data, &data))
			statuses[e.EventName] = data.Session.Status
			if e.EventName == webhookpolicy.EventWorkflowActionGroupBlocked {
				assert.Equal(t, "company_verification blocked", data.Group.Type+" "+data.Group.Status)
			}
		}
		assert.Equal(t, map[webhookpolicy.EventName]string{
			webhookpolicy.EventWorkflowActionGroupStarted: "ongoing", webhookpolicy.EventWorkflowSessionStarted: "ongoing",
			webhookpolicy.EventWorkflowActionGroupBlocked: "blocked", webhookpolicy.EventWorkflowSessionBlocked: "blocked",
			webhookpolicy.EventWorkflowActionGroupDone: "done", webhookpolicy.EventWorkflowSessionDone: "done",
		}, statuses)
		left, err := h.store.(session.Outbox).Announced(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Empty(t, left)
	})
}

// An announcement that cannot be described stays in the outbox, and holds up no
// other one.
func TestAnnounce_Describe(t *testing.T) {
	h := sqliteHouse(t)
	broken := true
	now := noon.Add(time.Hour)
	d := h.open(t, delivery.Options{
		Now: func() time.Time { return now },
		Describe: func(ctx context.Context, a session.Announcement, s session.Session) (webhookpolicy.Event, json.RawMessage, error) {
			if broken && a.Name == "workflow_session.blocked" {
				return webhookpolicy.Event{}, nil, errors.New("broken")
			}
			return delivery.Describe(ctx, a, s)
		},
	})
	subscribe(t, d, "s1", endpoint)
	life(t, h.store, "a")
	deliveries := func() int {
		_, err := delivery.Announce(t.Context(), d)
		require.NoError(t, err)
		page, err := d.Deliveries(t.Context(), delivery.Query{})
		require.NoError(t, err)
		return len(page.Deliveries)
	}
	assert.Equal(t, 5, deliveries())
	broken = false
	assert.Equal(t, 5, deliveries(), "it is left alone for a while")
	now = now.Add(2 * time.Minute)
	assert.Equal(t, 6, deliveries())
}

// Another queue than the deliverer's own has no jobs.
func TestPublishIn_OtherQueue(t *testing.T) {
	h := sqliteHouse(t)
	d := h.open(t, delivery.Options{})
	subscribe(t, d, "s1", endpoint)
	other := h.another(t).queue.(*sqlitequeue.Queue)
	tx, err := h.store.(*sqlite.Store).Writer().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	require.ErrorContains(t, d.PublishIn(t.Context(), other.Join(tx), occurrence("o1")), "not the queue that New was given")
	require.NoError(t, tx.Rollback())
}
