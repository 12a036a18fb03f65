package action_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
)

// eventConstants pairs each constant with its name in ACT-1 and ACT-2.
var eventConstants = []struct {
	constant action.Event
	text     string
}{
	{action.EventActivated, "activated"},
	{action.EventActivatedForApproval, "activated_for_approval"},
	{action.EventApproved, "approved"},
	{action.EventRejected, "rejected"},
	{action.EventDone, "done"},
	{action.EventDeclined, "declined"},
	{action.EventCanceled, "canceled"},
	{action.EventExpired, "expired"},
	{action.EventReactivated, "reactivated"},
	{action.EventReactivatedForApproval, "reactivated_for_approval"},
	{action.EventPaused, "paused"},
	{action.EventResumed, "resumed"},
	{action.EventDeleted, "deleted"},
	{action.EventPermanentlyDeleted, "permanently_deleted"},
	{action.EventDataReceived, "data_received"},
	{action.EventVerified, "verified"},
	{action.EventFailed, "failed"},
	{action.EventInconclusive, "inconclusive"},
}

// everyEvent is every event there is, and what is none.
func everyEvent() []action.Event { return append(action.Events(), 0, noEvent) }

func TestACT1_SignatureRequest(t *testing.T) {
	testMachine(t, "ACT-1", action.TypeSignatureRequest)
}

func TestACT2_Verification(t *testing.T) {
	for _, typ := range action.Types() {
		if typ.IsVerification() {
			testMachine(t, "ACT-2", typ)
		}
	}
	t.Run("ACT-2: terminal afterwards", func(t *testing.T) {
		for _, typ := range action.Types() {
			if !typ.IsVerification() {
				continue
			}
			for _, s := range typ.Machine().States() {
				over := s != action.Pending && s != action.AwaitingData
				assert.Equal(t, over, s.IsComplete() || s.IsBlocking(), "%s: %s", typ, s)
				for _, e := range action.Events() {
					assert.False(t, over && typ.Machine().Can(s, e), "%s: %s after %s", typ, e, s)
				}
			}
		}
	})
}

// testMachine applies every event to every status of a type: what the table
// says happens, and everything else is refused under ACT-3.
func testMachine(t *testing.T, rule string, typ action.Type) {
	t.Helper()
	spec := specOf(typ)
	for _, from := range words(spec.rank) {
		for _, event := range everyEvent() {
			before := resource(typ, statusOf(from), at(0))
			after, outcome, err := before.Transition(event, at(60))
			to := spec.next(from, event.String())
			if to == "" {
				t.Run("ACT-3: "+spec.text+": "+from+" refuses "+event.String(), func(t *testing.T) {
					assert.Equal(t, before, after)
					assert.Zero(t, outcome)
					requireNotAllowed(t, err, before, event)
				})
				continue
			}
			t.Run(rule+": "+spec.text+": "+from+" "+event.String()+" "+to, func(t *testing.T) {
				require.NoError(t, err)
				assert.Equal(t, action.Taken, outcome)
				assert.Equal(t, resource(typ, statusOf(to), at(60)), after)
			})
		}
	}
}

// requireNotAllowed asserts the error of ACT-3: the machine, the status, the
// event and what is allowed.
func requireNotAllowed(t *testing.T, err error, r action.Resource, event action.Event) {
	t.Helper()
	allowed := specOf(r.Type).allowed(r.Status.String())

	var refusal *action.Refusal
	require.ErrorAs(t, err, &refusal)
	require.ErrorIs(t, err, fsm.ErrNotAllowed)
	assert.Equal(t, "action: event", refusal.Op)
	assert.Equal(t, "79a291fc", refusal.Subject)
	assert.Equal(t, "ACT-3", refusal.Rule)
	if len(allowed) == 0 {
		assert.Empty(t, refusal.Allowed)
	} else {
		assert.Equal(t, allowed, refusal.Allowed)
	}

	var eventErr *fsm.EventError[action.Status, action.Event]
	require.ErrorAs(t, err, &eventErr)
	assert.Equal(t, r.Type.Machine().Name(), eventErr.Machine())
	assert.Equal(t, r.Status, eventErr.State)
	assert.Equal(t, event, eventErr.Event)
	assert.Len(t, eventErr.Allowed(), len(allowed))

	for _, named := range append(allowed, r.Type.Machine().Name(), r.Status.String(), event.String()) {
		assert.Contains(t, err.Error(), named)
	}
}

func TestACT3_Message(t *testing.T) {
	tests := []struct {
		name  string
		given action.Resource
		event action.Event
		want  string
	}{
		{
			"some events are allowed",
			resource(action.TypeSignatureRequest, action.Expired, at(0)), action.EventDone,
			"action: event of 79a291fc refused: expired does not allow done in machine signature_request; " +
				"allowed: reactivated, reactivated_for_approval, deleted, permanently_deleted (ACT-3)",
		},
		{
			"none is allowed",
			resource(action.TypeCompanyVerification, action.Failed, at(0)), action.EventVerified,
			"action: event of 79a291fc refused: failed does not allow verified in machine verification (ACT-3)",
		},
		{
			"no id, no event",
			action.Resource{Type: action.TypeInvoiceDocumentAnalysis, Status: action.Pending, AsOf: at(0)}, 0,
			"action: event of a resource without id refused: pending does not allow none " +
				"in machine document_analysis; allowed: done, failed, inconclusive (ACT-3)",
		},
	}
	for _, tt := range tests {
		t.Run("ACT-3: "+tt.name, func(t *testing.T) {
			_, _, err := tt.given.Transition(tt.event, at(60))
			require.EqualError(t, err, tt.want)
		})
	}
}

// ACT-1, ACT-2: the webhook that tells of each event.
func TestACT1_Webhooks(t *testing.T) {
	for _, typ := range action.Types() {
		rule := "ACT-2"
		if typ == action.TypeSignatureRequest {
			rule = "ACT-1"
		}
		t.Run(rule+": "+typ.String(), func(t *testing.T) {
			for _, event := range everyEvent() {
				row, _ := specOf(typ).row(event.String())
				assert.Equal(t, row.webhook, typ.Webhook(event), event.String())
			}
		})
	}
	t.Run("ACT-1: no type, no webhook", func(t *testing.T) {
		for _, event := range everyEvent() {
			assert.Empty(t, action.Type(0).Webhook(event))
			assert.Empty(t, noType.Webhook(event))
		}
	})
}

// The half of ACT-4 that is about strict events.
func TestACT4_StrictEvents(t *testing.T) {
	approval := resource(action.TypeSignatureRequest, action.Approval, at(10))
	deleted := resource(action.TypeSignatureRequest, action.Deleted, at(10))
	pending := resource(action.TypeIdentityVideoVerification, action.Pending, at(10))
	subSecond := resource(action.TypeIdentityVideoVerification, action.Pending, at(10).Add(900*time.Millisecond))
	never := resource(action.TypeIdentityVideoVerification, action.Pending, time.Time{})

	paris := time.FixedZone("UTC+1", 3600)
	tests := []struct {
		name    string
		given   action.Resource
		event   action.Event
		at      time.Time
		status  action.Status
		asOf    time.Time
		outcome action.Outcome // zero: refused under ACT-3
	}{
		{"later: as-of moves to its time", approval, action.EventApproved, at(11), action.Ongoing, at(11), action.Taken},
		{"equal: the table decides", approval, action.EventApproved, at(10), action.Ongoing, at(10), action.Taken},
		{"equal: the table refuses", approval, action.EventPaused, at(10), action.Approval, at(10), 0},
		{"later: the table refuses, as-of stays", approval, action.EventPaused, at(11), action.Approval, at(10), 0},
		{"later: a status that would lower the rank", resource(action.TypeSignatureRequest, action.Expired, at(10)), action.EventReactivated, at(11), action.Ongoing, at(11), action.Taken},
		{"equal: a status that would lower the rank", resource(action.TypeSignatureRequest, action.Expired, at(10)), action.EventReactivated, at(10), action.Ongoing, at(10), action.Taken},
		{"stale: earlier by a second", approval, action.EventApproved, at(9), action.Approval, at(10), action.Stale},
		{"stale: earlier, whatever the table says", approval, action.EventPaused, at(9), action.Approval, at(10), action.Stale},
		{"stale: earlier, where nothing is allowed any more", resource(action.TypeCompanyVerification, action.Verified, at(10)), action.EventFailed, at(9), action.Verified, at(10), action.Stale},
		{"whole seconds: earlier within the second is not earlier", subSecond, action.EventFailed, at(10), action.Failed, at(10), action.Taken},
		{"whole seconds: a moment before the second is earlier", pending, action.EventFailed, at(10).Add(-time.Nanosecond), action.Pending, at(10), action.Stale},
		{"whole seconds: as-of has no fraction", pending, action.EventFailed, at(11).Add(999 * time.Millisecond), action.Failed, at(11), action.Taken},
		{"zones: as-of is in UTC", pending, action.EventFailed, at(11).In(paris), action.Failed, at(11), action.Taken},
		{"as-of moves when the status stays", deleted, action.EventPermanentlyDeleted, at(12), action.Deleted, at(12), action.Taken},
		{"no as-of is before every other", never, action.EventFailed, time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), action.Failed, time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), action.Taken},
		{"an event of no machine, early: refused, not stale", approval, noEvent, at(9), action.Approval, at(10), 0},
		{"no event, early: refused, not stale", approval, 0, at(9), action.Approval, at(10), 0},
		{"an event of another machine, early: refused, not stale", approval, action.EventVerified, at(9), action.Approval, at(10), 0},
		{"data received by a video, early: refused, not stale", pending, action.EventDataReceived, at(9), action.Pending, at(10), 0},
	}
	for _, tt := range tests {
		t.Run("ACT-4: "+tt.name, func(t *testing.T) {
			want := tt.given
			want.Status, want.AsOf = tt.status, tt.asOf
			require.Equal(t, tt.outcome == action.Taken, want != tt.given, "the row is at odds with itself")
			got, outcome, err := tt.given.Transition(tt.event, tt.at)
			assert.Equal(t, want, got)
			assert.Equal(t, tt.outcome, outcome)
			if tt.outcome == 0 {
				requireNotAllowed(t, err, tt.given, tt.event)
				return
			}
			require.NoError(t, err)
		})
	}
}

// ACT-4: a strict event needs a time that a document can bear.
func TestACT4_StrictEventTimes(t *testing.T) {
	for _, tt := range invalidTimes {
		t.Run("ACT-4: "+tt.name, func(t *testing.T) {
			before := resource(action.TypeSignatureRequest, action.Draft, at(0))
			after, outcome, err := before.Transition(action.EventActivated, tt.time)
			assert.Equal(t, before, after)
			assert.Zero(t, outcome)
			requireInvalidTime(t, err, "action: event", tt.want)
		})
	}
}
