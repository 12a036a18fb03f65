package action_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
)

const contradiction = action.Outcome(0)

// observeTests is ACT-4, sentence by sentence. Every resource is as of 12:00:10.
var observeTests = []struct {
	name    string
	typ     action.Type
	present action.Status
	told    action.Status
	at      time.Time
	want    action.Outcome // Taken: the status told, as of its time; else nothing changes
}{
	// Lower: stale, nothing changes.
	{"stale: a second earlier", action.TypeCompanyVerification, action.Verified, action.AwaitingData, at(9), action.Stale},
	{"stale: days earlier", action.TypeCompanyVerification, action.Verified, action.AwaitingData, at(-4 * 86400), action.Stale},
	{"stale: earlier, though the rank is higher", action.TypeSignatureRequest, action.Ongoing, action.Deleted, at(9), action.Stale},
	{"stale: earlier, though it could not have led here", action.TypeCompanyVerification, action.Failed, action.Verified, at(9), action.Stale},
	{"stale: earlier, the present status", action.TypeCompanyVerification, action.Pending, action.Pending, at(9), action.Stale},
	{"stale: the same second, a lower rank", action.TypeCompanyVerification, action.Verified, action.Pending, at(10), action.Stale},
	{"stale: the same second, a lower rank of a cycle", action.TypeSignatureRequest, action.Paused, action.Ongoing, at(10), action.Stale},
	{"stale: the same second, a lower rank that cannot lead here", action.TypeCompanyVerification, action.Verified, action.Failed, at(10), action.Stale},

	// Equal: duplicate, nothing changes.
	{"duplicate: the same", action.TypeCompanyVerification, action.Pending, action.Pending, at(10), action.Duplicate},
	{"duplicate: the same, at the end", action.TypeSignatureRequest, action.Deleted, action.Deleted, at(10), action.Duplicate},

	// Whole seconds: a fraction makes neither earlier nor later.
	{"duplicate: the same, a fraction later", action.TypeCompanyVerification, action.Pending, action.Pending, at(10).Add(999999999), action.Duplicate},
	{"stale: a lower rank, a fraction later", action.TypeCompanyVerification, action.Verified, action.Pending, at(10).Add(999999999), action.Stale},
	{"stale: the moment before", action.TypeCompanyVerification, action.Pending, action.Verified, at(10).Add(-1), action.Stale},
	{"taken: a higher rank, a fraction later", action.TypeCompanyVerification, action.Pending, action.Verified, at(10).Add(1), action.Taken},
	{"taken: as-of has no fraction", action.TypeCompanyVerification, action.Pending, action.Verified, at(11).Add(999999999), action.Taken},
	{"duplicate: the same second in another zone", action.TypeCompanyVerification, action.Pending, action.Pending, at(10).In(time.FixedZone("", 7200)), action.Duplicate},
	{"taken: as-of is in UTC", action.TypeCompanyVerification, action.Pending, action.Failed, at(11).In(time.FixedZone("", 7200)), action.Taken},

	// Greater and reachable: taken, and as-of moves.
	{"taken: later, the next status", action.TypeCompanyVerification, action.AwaitingData, action.Pending, at(11), action.Taken},
	{"taken: the same second, a higher rank", action.TypeCompanyVerification, action.AwaitingData, action.Pending, at(10), action.Taken},
	{"taken: the same second, an end", action.TypeSignatureRequest, action.Ongoing, action.Done, at(10), action.Taken},
	{"taken: later, some statuses skipped", action.TypeSignatureRequest, action.Draft, action.Done, at(11), action.Taken},
	{"taken: the same second, some statuses skipped", action.TypeSignatureRequest, action.Draft, action.Deleted, at(10), action.Taken},
	{"taken: skipped through a cycle", action.TypeSignatureRequest, action.Paused, action.Approval, at(11), action.Taken},
	{"taken: later, a lower rank", action.TypeSignatureRequest, action.Expired, action.Approval, at(11), action.Taken},
	{"taken: later, the present status", action.TypeCompanyVerification, action.Pending, action.Pending, at(11), action.Taken},
	{"taken: later, the present status, at the end", action.TypeSignatureRequest, action.Deleted, action.Deleted, at(11), action.Taken},
	{"taken: later, the present status, success", action.TypePayslipDocumentAnalysis, action.Done, action.Done, at(11), action.Taken},

	// Greater and not reachable: a contradiction, nothing changes.
	{"contradiction: back from an end", action.TypeCompanyVerification, action.Verified, action.Pending, at(11), contradiction},
	{"contradiction: data awaited again", action.TypeCompanyVerification, action.Pending, action.AwaitingData, at(11), contradiction},
	{"contradiction: another end, later", action.TypeCompanyVerification, action.Verified, action.Failed, at(11), contradiction},
	{"contradiction: another end, the same second, a higher rank", action.TypeCompanyVerification, action.Failed, action.Verified, at(10), contradiction},
	{"contradiction: a draft again", action.TypeSignatureRequest, action.Ongoing, action.Draft, at(11), contradiction},
	{"contradiction: done after declined", action.TypeSignatureRequest, action.Declined, action.Done, at(10), contradiction},
	{"contradiction: restored", action.TypeSignatureRequest, action.Deleted, action.Ongoing, at(11), contradiction},
	{"contradiction: an analysis fails after it is done", action.TypePayslipDocumentAnalysis, action.Done, action.Failed, at(11), contradiction},
}

func TestACT4_Observe(t *testing.T) {
	for _, tt := range observeTests {
		t.Run("ACT-4: "+tt.name, func(t *testing.T) {
			before := resource(tt.typ, tt.present, at(10))
			want := before
			if tt.want == action.Taken {
				want.Status = tt.told
				want.AsOf = at(int(tt.at.Unix() - at(0).Unix()))
			}
			after, outcome, err := before.Observe(tt.told, tt.at)
			assert.Equal(t, want, after)
			assert.Equal(t, tt.want, outcome)
			if tt.want == contradiction {
				requireContradiction(t, err, before, tt.told)
				return
			}
			require.NoError(t, err)
		})
	}
}

// requireContradiction asserts the error of ACT-4: it names both statuses.
func requireContradiction(t *testing.T, err error, r action.Resource, told action.Status) {
	t.Helper()
	var refusal *action.Refusal
	require.ErrorAs(t, err, &refusal)
	require.ErrorIs(t, err, action.ErrContradiction)
	assert.Equal(t, "action: observation", refusal.Op)
	assert.Equal(t, r.ID, refusal.Subject)
	assert.Equal(t, "ACT-4", refusal.Rule)
	assert.Contains(t, err.Error(), told.String()+" as of ")
	assert.Contains(t, err.Error(), r.Status.String()+" as of ")
}

func TestACT4_ContradictionMessage(t *testing.T) {
	t.Run("ACT-4: contradiction: both statuses and both times", func(t *testing.T) {
		r := resource(action.TypeCompanyVerification, action.Failed, at(10))
		_, _, err := r.Observe(action.Verified, at(11).In(time.FixedZone("", 3600)))
		require.ErrorContains(t, err, "action: observation of 79a291fc refused: "+
			"verified as of 2026-03-02T12:00:11+00:00 cannot follow failed as of 2026-03-02T12:00:10+00:00")
	})
}

// ACT-4: the pairs are compared by time first and by rank second: of any two
// statuses, as many seconds apart as you like, the order is this one.
func TestACT4_ObserveOrder(t *testing.T) {
	for _, typ := range action.Types() {
		spec := specOf(typ)
		t.Run("ACT-4: order: "+spec.text, func(t *testing.T) {
			for _, present := range words(spec.rank) {
				for _, told := range words(spec.rank) {
					for seconds := -1; seconds <= 1; seconds++ {
						r := resource(typ, statusOf(present), at(10))
						_, outcome, err := r.Observe(statusOf(told), at(10+seconds))
						wantOutcome, wantErr := orderOf(spec, present, told, seconds)
						assert.Equal(t, wantOutcome, outcome, "%s, then %s %+d s", present, told, seconds)
						assert.Equal(t, wantErr, err != nil, "%s, then %s %+d s: %v", present, told, seconds, err)
					}
				}
			}
		})
	}
}

// orderOf says what ACT-4 makes of a status told some seconds after another.
func orderOf(spec specType, present, told string, seconds int) (outcome action.Outcome, refused bool) {
	switch rank := spec.rankOf(told) - spec.rankOf(present); {
	case seconds < 0, seconds == 0 && rank < 0:
		return action.Stale, false
	case seconds == 0 && rank == 0:
		return action.Duplicate, false
	case !spec.reaches(present, told):
		return contradiction, true
	default:
		return action.Taken, false
	}
}

// ACT-4: what nobody has observed yet is before everything.
func TestACT4_NoAsOf(t *testing.T) {
	t.Run("ACT-4: taken: the first observation of all", func(t *testing.T) {
		r := resource(action.TypeSignatureRequest, action.Draft, time.Time{})
		first := time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)
		r, outcome, err := r.Observe(action.Draft, first)
		require.NoError(t, err)
		assert.Equal(t, action.Taken, outcome)
		assert.Equal(t, first, r.AsOf)
	})
}

func TestACT4_ObservationTimes(t *testing.T) {
	for _, tt := range invalidTimes {
		t.Run("ACT-4: invalid: "+tt.name, func(t *testing.T) {
			before := resource(action.TypeSignatureRequest, action.Draft, at(0))
			after, outcome, err := before.Observe(action.Ongoing, tt.time)
			assert.Equal(t, before, after)
			assert.Zero(t, outcome)
			requireInvalidTime(t, err, "action: observation", tt.want)
		})
	}
	for _, tt := range validTimes {
		t.Run("ACT-4: valid: "+tt.name, func(t *testing.T) {
			before := resource(action.TypeSignatureRequest, action.Draft, time.Time{})
			after, outcome, err := before.Observe(action.Ongoing, tt.time)
			require.NoError(t, err)
			assert.Equal(t, action.Taken, outcome)
			assert.Equal(t, tt.time.Unix(), after.AsOf.Unix())
		})
	}
}

// A status that nobody knows is refused before its time is looked at, and the
// time before what is known: an error never depends on the order of arrival.
func TestRES6_ObserveRefusesFirst(t *testing.T) {
	r := resource(action.TypeCompanyVerification, action.Verified, at(10))
	t.Run("RES-6: an unknown status, late", func(t *testing.T) {
		_, _, err := r.Observe(action.Deleted, at(0))
		require.ErrorIs(t, err, action.ErrUnknown)
	})
	t.Run("RES-6: an unknown status without time", func(t *testing.T) {
		_, _, err := r.Observe(action.Deleted, time.Time{})
		require.ErrorIs(t, err, action.ErrUnknown)
	})
}
