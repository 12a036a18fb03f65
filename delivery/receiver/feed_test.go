package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/webhookpolicy"
)

// create creates the session s, with a group for the resource r of the webhooks.
func create(tb testing.TB, store session.Store) {
	tb.Helper()
	_, _, err := session.Update(tb.Context(), store, "s", session.Create{
		ID: "s", Name: "Onboarding", WorkspaceID: "w",
		Template: session.Template{ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification}},
	}, noon)
	require.NoError(tb, err)
}

// link links a company verification to the session s, as of an hour before noon.
func link(tb testing.TB, store session.Store, resourceID string) {
	tb.Helper()
	before := noon.Add(-time.Hour)
	_, _, err := session.Update(tb.Context(), store, "s", session.Link{Resource: action.Resource{
		ID: resourceID, Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: before, AsOf: before,
	}}, noon)
	require.NoError(tb, err)
}

// statusOf returns the status of a resource in the session s.
func statusOf(tb testing.TB, store session.Store, resourceID string) action.Status {
	tb.Helper()
	s, err := store.Load(tb.Context(), "s")
	require.NoError(tb, err)
	chain, there := s.Action(resourceID)
	require.True(tb, there)
	return chain.Main().Resource.Status
}

func feed(tb testing.TB, o receiver.FeedOptions) *receiver.Feed {
	tb.Helper()
	f, err := receiver.NewFeed(o)
	require.NoError(tb, err)
	return f
}

// step makes a step that deals with so many events.
func step(tb testing.TB, f *receiver.Feed, want int) {
	tb.Helper()
	n, err := f.Step(tb.Context())
	require.NoError(tb, err)
	assert.Equal(tb, want, n)
}

// lab is a feed with all that it needs, and a clock that the test moves.
type lab struct {
	receiver.FeedOptions
	inbox    *noted
	store    *memstore.Store
	reported *reports
	now      time.Time
}

func newLab(tb testing.TB) *lab {
	tb.Helper()
	l := &lab{inbox: &noted{}, store: new(memstore.Store), reported: &reports{}, now: noon}
	l.FeedOptions = receiver.FeedOptions{
		Inbox: l.inbox, Store: l.store, Report: l.reported.add, Now: func() time.Time { return l.now },
	}
	create(tb, l.store)
	link(tb, l.store, "r")
	return l
}

// told returns an event that tells of a company verification.
func told(tb testing.TB, id, resourceID, status string, at time.Time) receiver.Event {
	tb.Helper()
	text := encode(tb, id, webhookpolicy.EventVerificationCompanyDone, at,
		map[string]any{"company": map[string]string{"id": resourceID, "status": status, "name": private}})
	return receiver.Event{ID: id, Body: text, Received: noon}
}

// An event becomes an observation of the session that has the resource, as of the
// time of the event, once.
func TestFeed_Step(t *testing.T) {
	l := newLab(t)
	f := feed(t, l.FeedOptions)
	step(t, f, 0)
	keep(t, l.inbox, told(t, "e", "r", "failed", noon.Add(-time.Minute)))
	step(t, f, 1)
	s, err := l.store.Load(t.Context(), "s")
	require.NoError(t, err)
	assert.Equal(t, session.Blocked, s.Status())
	chain, _ := s.Action("r")
	assert.Equal(t, noon.Add(-time.Minute), chain.Main().Resource.AsOf)
	assert.Equal(t, noon, s.UpdatedAt())
	assert.Empty(t, l.inbox.open())
	step(t, f, 0)
	assert.Empty(t, l.reported.take())
}

// What does not go away by itself is reported and done; the others are as if it had
// not been there.
func TestFeed_givesUp(t *testing.T) {
	name := func(n webhookpolicy.EventName, data any) receiver.Event {
		return receiver.Event{ID: "e", Body: encode(t, "e", n, noon, data), Received: noon}
	}
	company := func(members map[string]any) receiver.Event {
		return name(webhookpolicy.EventVerificationCompanyDone, map[string]any{"company": members})
	}
	errHost := errors.New("the host cannot read it")
	for _, tt := range []struct {
		name   string
		event  receiver.Event
		read   func(webhookpolicy.Envelope) (session.Observe, bool, error)
		reason string // "" for nothing that is reported
		is     error
	}{
		{name: "a signer moves nothing", event: name(webhookpolicy.EventSignerDone, map[string]any{"signature_request": map[string]string{"id": "r", "status": "done"}})},
		{name: "ACT-1: a reminder moves nothing", event: name(webhookpolicy.EventSignatureRequestReminderExecuted, map[string]any{"signature_request": map[string]string{"id": "r", "status": "done"}})},
		{name: "an event of the future moves nothing", event: name("signature_request.cloned", nil)},
		{name: "ACT-4: stale", event: told(t, "e", "r", "failed", noon.Add(-2*time.Hour))},
		{name: "ACT-4: a duplicate", event: told(t, "e", "r", "pending", noon.Add(-time.Hour))},

		{"ACT-4: a contradiction", told(t, "e", "r", "awaiting_data", noon), nil, "it contradicts what is known of the resource", action.ErrContradiction},
		{"RES-6: a status of another type", told(t, "e", "r", "expired", noon), nil, "the resource cannot have this status", action.ErrUnknown},
		{"RES-6: a status that is none", told(t, "e", "r", "gone", noon), nil, "what it tells cannot be read", action.ErrUnknown},
		{"without a status", company(map[string]any{"id": "r"}), nil, "what it tells cannot be read", receiver.ErrPayload},
		{"with a number for a status", company(map[string]any{"id": "r", "status": 5}), nil, "what it tells cannot be read", receiver.ErrPayload},
		{"without a resource", name(webhookpolicy.EventVerificationCompanyDone, map[string]any{}), nil, "what it tells cannot be read", receiver.ErrPayload},
		{"without data", name(webhookpolicy.EventVerificationCompanyDone, nil), nil, "what it tells cannot be read", receiver.ErrPayload},
		{"SES-11: with an id that is none", company(map[string]any{"id": "\x00", "status": "failed"}), nil, "the id of the resource is none", action.ErrInvalidID},
		{"that is no envelope", receiver.Event{ID: "e", Body: []byte(`{"event_id":"e","event_name":"n","subscription_id":"s","sandbox":false,"data":1,"subscription_description":"","event_time":"` + private + `"}`), Received: noon}, nil, "it cannot be read", webhookpolicy.ErrDocument},
		{"that the host cannot read", told(t, "e", "r", "failed", noon), func(webhookpolicy.Envelope) (session.Observe, bool, error) {
			return session.Observe{}, false, errHost
		}, "what it tells cannot be read", errHost},
		{"ACT-4: that the host reads without a time", told(t, "e", "r", "failed", noon), func(webhookpolicy.Envelope) (session.Observe, bool, error) {
			return session.Observe{ResourceID: "r", Status: action.Failed}, true, nil
		}, "it was refused", action.ErrInvalidTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.Read = tt.read
			keep(t, l.inbox, tt.event)
			step(t, feed(t, l.FeedOptions), 1)
			assert.Empty(t, l.inbox.open())
			assert.Equal(t, action.Pending, statusOf(t, l.store, "r"))
			errs := l.reported.take()
			if tt.reason == "" {
				assert.Empty(t, errs)
				return
			}
			require.Len(t, errs, 1)
			var gaveUp *receiver.FeedError
			require.ErrorAs(t, errs[0], &gaveUp)
			assert.Equal(t, "e", gaveUp.EventID)
			assert.Contains(t, gaveUp.Reason, tt.reason)
			require.ErrorIs(t, gaveUp, tt.is)
			require.ErrorContains(t, gaveUp, `receiver: event "e" given up: `+tt.reason)
			assert.NotContains(t, fmt.Sprintf("%v %+v", gaveUp, gaveUp.Err), private)
		})
	}
}

// Hosts may read events of their own.
func TestFeed_reads(t *testing.T) {
	l := newLab(t)
	l.Read = func(e webhookpolicy.Envelope) (session.Observe, bool, error) {
		return session.Observe{ResourceID: string(e.EventName), Status: action.Verified, AsOf: e.EventTime}, !e.Sandbox, nil
	}
	link(t, l.store, "our.own")
	keep(t, l.inbox, receiver.Event{ID: "e", Body: encode(t, "e", "our.own", noon, nil), Received: noon})
	step(t, feed(t, l.FeedOptions), 1)
	assert.Equal(t, action.Verified, statusOf(t, l.store, "our.own"))
	assert.Empty(t, l.reported.take())
}

// A webhook may be faster than the host that links its resource: it is tried again
// for as long as the host's patience says.
func TestFeed_patience(t *testing.T) {
	l := newLab(t)
	f := feed(t, l.FeedOptions)
	early := told(t, "early", "late", "failed", noon)
	keep(t, l.inbox, early, told(t, "b", "r", "verified", noon))
	step(t, f, 1)
	assert.Equal(t, []string{"early"}, l.inbox.open())

	link(t, l.store, "late")
	for range 3 { // and not before the lease is over
		l.now = l.now.Add(19 * time.Second)
		step(t, f, 0)
	}
	l.now = noon.Add(time.Minute)
	step(t, f, 1)
	assert.Equal(t, action.Failed, statusOf(t, l.store, "late"))
	assert.Empty(t, l.reported.take())
}

func TestFeed_patienceEnds(t *testing.T) {
	for patience, until := range map[time.Duration]time.Duration{0: time.Hour, 3 * time.Minute: 3 * time.Minute, -1: 0} {
		t.Run(patience.String(), func(t *testing.T) {
			l := newLab(t)
			l.Patience = patience
			f := feed(t, l.FeedOptions)
			keep(t, l.inbox, told(t, "e", "nobody's", "failed", noon))
			for l.now = noon; l.now.Before(noon.Add(until)); l.now = l.now.Add(time.Minute) {
				step(t, f, 0)
				require.Empty(t, l.reported.take())
			}
			step(t, f, 1)
			errs := l.reported.take()
			require.Len(t, errs, 1)
			require.ErrorIs(t, errs[0], session.ErrNotFound)
			require.ErrorAs(t, errs[0], new(*receiver.FeedError))
			require.ErrorContains(t, errs[0], `receiver: event "e" given up: no session has the resource: resource nobody's: session: not found`)
			assert.Empty(t, l.inbox.open())
		})
	}
}

// down is a store that some resources cannot be found in.
type down struct {
	*memstore.Store
	find func(ctx context.Context, resourceID string) error
}

func (d down) Find(ctx context.Context, resourceID string) (string, error) {
	if err := d.find(ctx, resourceID); err != nil {
		return "", err
	}
	return d.Store.Find(ctx, resourceID)
}

// What may go away leaves the event for later, and keeps no other from being dealt
// with: neither a database that is not there nor a session that is damaged.
func TestFeed_leavesForLater(t *testing.T) {
	for _, err := range []error{
		errDown, session.ErrConflict,
		&session.CorruptError{SessionID: "s", Column: "snapshot", Err: &action.Refusal{Rule: "RES-6", Err: action.ErrUnknown}},
	} {
		t.Run(err.Error(), func(t *testing.T) {
			l := newLab(t)
			link(t, l.store, "q")
			broken := true
			l.Store = down{l.store, func(_ context.Context, resourceID string) error {
				if broken && resourceID == "r" {
					return err
				}
				return nil
			}}
			f := feed(t, l.FeedOptions)
			keep(t, l.inbox, told(t, "a", "r", "failed", noon), told(t, "b", "q", "failed", noon), told(t, "c", "r", "failed", noon))
			n, got := f.Step(t.Context())
			assert.Equal(t, 1, n)
			require.ErrorIs(t, got, err)
			require.ErrorContains(t, got, `receiver: 2 of 3 events are left for later, first "a": `)
			assert.Equal(t, action.Failed, statusOf(t, l.store, "q"))
			assert.Equal(t, []string{"a", "c"}, l.inbox.open())

			broken = false
			step(t, f, 0)
			l.now = l.now.Add(time.Minute)
			step(t, f, 2)
			assert.Equal(t, action.Failed, statusOf(t, l.store, "r"))
			assert.Empty(t, l.reported.take())
		})
	}
}

// An inbox that is not there is an error, and what was done is done again later.
func TestFeed_inboxFails(t *testing.T) {
	l := newLab(t)
	inbox := &faulty{Inbox: l.inbox}
	l.Inbox = inbox
	f := feed(t, l.FeedOptions)
	inbox.claim = func() error { return errDown }
	n, err := f.Step(t.Context())
	assert.Zero(t, n)
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, "receiver: claim events: ")

	inbox.claim, inbox.done = nil, func() error { return errDown }
	keep(t, l.inbox, told(t, "e", "r", "failed", noon))
	n, err = f.Step(t.Context())
	assert.Zero(t, n)
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, "receiver: mark 1 events as dealt with: ")
	assert.Equal(t, action.Failed, statusOf(t, l.store, "r"))

	inbox.done = nil
	l.now = l.now.Add(time.Minute)
	step(t, f, 1)
	assert.Empty(t, l.inbox.open())
}

// Events are claimed in batches, oldest first.
func TestFeed_batch(t *testing.T) {
	l := newLab(t)
	l.Batch = 2
	f := feed(t, l.FeedOptions)
	for i := range 5 {
		keep(t, l.inbox, told(t, fmt.Sprint(i), "r", "pending", noon))
	}
	step(t, f, 2)
	assert.Equal(t, []string{"2", "3", "4"}, l.inbox.open())
	step(t, f, 2)
	assert.Equal(t, []string{"4"}, l.inbox.open())
	step(t, f, 1)
	assert.Empty(t, l.inbox.open())
}

// blind is a store that finds nothing.
type blind struct{ session.Store }

func TestNewFeed_options(t *testing.T) {
	sound := receiver.FeedOptions{Inbox: &receiver.Memory{}, Store: new(memstore.Store)}
	feed(t, sound)
	for reason, spoil := range map[string]func(*receiver.FeedOptions){
		"there is no Inbox":               func(o *receiver.FeedOptions) { o.Inbox = nil },
		"there is no Store":               func(o *receiver.FeedOptions) { o.Store = nil },
		"the Store is no session.Finder":  func(o *receiver.FeedOptions) { o.Store = blind{new(memstore.Store)} },
		"Batch must not be negative":      func(o *receiver.FeedOptions) { o.Batch = -1 },
		"Lease must be a second at least": func(o *receiver.FeedOptions) { o.Lease = time.Second - 1 },
		"Poll must not be negative":       func(o *receiver.FeedOptions) { o.Poll = -1 },
	} {
		o := sound
		spoil(&o)
		_, err := receiver.NewFeed(o)
		require.ErrorIs(t, err, receiver.ErrOptions)
		require.ErrorContains(t, err, reason)
	}
}
