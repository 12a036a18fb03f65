package harness_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/examples/harness"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/session/sessiontest"
	"github.com/sluicego/sluice/transcript"
)

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// config is what most desks here are made of.
func config(store harness.Store) harness.Config {
	return harness.Config{
		Store: store, Now: func() time.Time { return noon },
		Notify: func(session.Announcement) {}, Report: func(transcript.Step) {},
	}
}

func open(t *testing.T, c harness.Config) *harness.Desk {
	t.Helper()
	d, err := harness.Open(t.Context(), c)
	require.NoError(t, err)
	return d
}

func press(t *testing.T, d *harness.Desk, id string, c session.Command) error {
	t.Helper()
	body, err := session.MarshalCommand(c)
	require.NoError(t, err)
	return d.Press(t.Context(), harness.Person{Name: "Sam", Role: harness.Supervisor}, id, body)
}

// begin opens a session and links resources to it, all of them pending.
func begin(t *testing.T, d *harness.Desk, id string, resources ...string) {
	t.Helper()
	require.NoError(t, press(t, d, id, session.Create{
		ID: id, Name: "Onboarding", WorkspaceID: "w",
		Template: session.Template{ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification}},
	}))
	for _, r := range resources {
		require.NoError(t, press(t, d, id, session.Link{Resource: pending(r)}))
	}
}

func pending(id string) action.Resource {
	return action.Resource{
		ID: id, Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: noon, AsOf: noon,
	}
}

func report(id string, s action.Status, after time.Duration) session.Observe {
	return session.Observe{ResourceID: id, Status: s, AsOf: noon.Add(after)}
}

// One who vouches says why, and in his own name.
func TestVouching(t *testing.T) {
	store := new(memstore.Store)
	d := open(t, config(store))
	begin(t, d, "s", "r")
	require.ErrorIs(t, press(t, d, "s", session.Resolve{ResourceID: "r", By: "Ann"}), harness.ErrNoReason)
	require.NoError(t, d.Webhook(t.Context(), report("r", action.Failed, time.Minute)))
	require.NoError(t, press(t, d, "s", session.Resolve{ResourceID: "r", Reason: "seen in person", By: "Ann"}))
	s, err := store.Load(t.Context(), "s")
	require.NoError(t, err)
	chain, _ := s.Action("r")
	resolution, _ := chain.Resolution()
	assert.Equal(t, "Sam", resolution.By)
}

// What comes in may be anything.
func TestPressRefusesWhatIsNoCommand(t *testing.T) {
	d := open(t, config(new(memstore.Store)))
	sam := harness.Person{Name: "Sam", Role: harness.Supervisor}
	require.ErrorIs(t, d.Press(t.Context(), sam, "s", []byte(`{"command": "dance"}`)), session.ErrDocument)
	err := press(t, d, "s", report("r", action.Failed, 0))
	require.EqualError(t, err, "desk: forbidden: Sam, supervisor may not give this command")
	_, err = d.Buttons(t.Context(), sam, "nobody")
	require.ErrorIs(t, err, session.ErrNotFound)
}

// A webhook that can come to nothing is not asked for again, but looked at.
func TestOdd(t *testing.T) {
	d := open(t, config(new(memstore.Store)))
	begin(t, d, "s", "r")
	require.NoError(t, d.Webhook(t.Context(), report("other", action.Failed, 0)))
	require.NoError(t, d.Webhook(t.Context(), report("r", action.Draft, time.Minute)))
	odd := d.Odd()
	require.Len(t, odd, 2)
	assert.Equal(t, "resource other: session: not found", odd[0])
	assert.Contains(t, odd[1], "RES-6")
}

// unwell is a store that does nothing at the moment.
type unwell struct{ *memstore.Store }

var errUnwell = errors.New("the disk is full")

func (unwell) Find(context.Context, string) (string, error) { return "", errUnwell }

func (unwell) List(context.Context, session.Query) (session.Page[session.Session], error) {
	return session.Page[session.Session]{}, errUnwell
}

// A webhook that the store could not take is asked for again.
func TestAWebhookIsNotLost(t *testing.T) {
	store := unwell{new(memstore.Store)}
	_, err := harness.Open(t.Context(), config(store))
	require.ErrorIs(t, err, errUnwell)
	c := config(new(memstore.Store))
	d := open(t, c)
	d.Store = store
	require.ErrorIs(t, d.Webhook(t.Context(), report("r", action.Failed, 0)), errUnwell)
	assert.Empty(t, d.Odd())
}

// A restart finds what is blocked, on however many pages it stands.
func TestRestart(t *testing.T) {
	store := new(memstore.Store)
	d := open(t, config(store))
	var want []string
	for i := range session.DefaultLimit + 1 {
		id := fmt.Sprintf("s%03d", i)
		begin(t, d, id, id+".1")
		require.NoError(t, d.Webhook(t.Context(), report(id+".1", action.Failed, time.Minute)))
		want = append(want, id)
	}
	assert.Equal(t, want, d.Blocked())
	assert.Equal(t, want, open(t, config(store)).Blocked())
}

// The mail takes its time, and meanwhile the session goes on: what comes out
// later is not what happened later.
func TestCommandsComeOutInAnyOrder(t *testing.T) {
	c := config(new(memstore.Store))
	var d *harness.Desk
	c.Notify = func(a session.Announcement) {
		if a.Name == "workflow_session.blocked" {
			assert.NoError(t, press(t, d, "s", session.Resolve{ResourceID: "r", Reason: "seen in person"}))
		}
	}
	d = open(t, c)
	begin(t, d, "s", "r")
	require.NoError(t, d.Webhook(t.Context(), report("r", action.Failed, time.Minute)))
	assert.Empty(t, d.Blocked())
}

// Webhooks come from many connections, each of them twice: the list is right in
// the end, and everything was announced once.
func TestManyAtOnce(t *testing.T) {
	var mu sync.Mutex
	told := map[string]int{}
	store := new(memstore.Store)
	c := config(store)
	c.Notify = func(a session.Announcement) {
		mu.Lock()
		defer mu.Unlock()
		told[a.ID()]++
	}
	d := open(t, c)
	var reports []session.Observe
	for i := range 8 {
		id := fmt.Sprintf("s%d", i)
		begin(t, d, id, id+".1", id+".2", id+".3")
		for r := range 3 {
			reports = append(reports, sessiontest.Observations(pending(fmt.Sprintf("%s.%d", id, r+1))).Example(10*i+r)...)
		}
	}
	var all sync.WaitGroup
	for _, o := range slices.Concat(reports, reports) {
		all.Go(func() { assert.NoError(t, d.Webhook(t.Context(), o)) })
	}
	all.Wait()

	assert.Empty(t, d.Odd())
	want, blocked := map[string]int{}, []string(nil)
	for i := range 8 {
		id := fmt.Sprintf("s%d", i)
		s, err := store.Load(t.Context(), id)
		require.NoError(t, err)
		if s.Status() == session.Blocked {
			blocked = append(blocked, id)
		}
		events, err := store.History(t.Context(), id, 0)
		require.NoError(t, err)
		for _, e := range events {
			for _, a := range e.Announcements() {
				want[a.ID()] = 1
			}
		}
	}
	assert.Equal(t, want, told)
	assert.NotEmpty(t, blocked)
	assert.Equal(t, blocked, d.Blocked())
}

func TestRoles(t *testing.T) {
	var names []string
	for r := harness.Role(0); r <= harness.Supervisor; r++ {
		names = append(names, r.String())
	}
	assert.Equal(t, "stranger customer agent supervisor", strings.Join(names, " "))
	assert.Equal(t, "nobody", harness.Role(200).String())
}
