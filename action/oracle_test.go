package action_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
)

// oracle is ACT-4 once more, written down from the spec with the tables of
// spec_test.go. It knows nothing of machines.
func oracle(r action.Resource, told action.Status, t time.Time) (action.Resource, action.Outcome, error) {
	spec := specOf(r.Type)
	if !spec.has(told.String()) {
		return r, 0, action.ErrUnknown
	}
	if t.Unix() == (time.Time{}).Unix() {
		return r, 0, action.ErrInvalidTime
	}
	seconds, asOf := t.Unix(), r.AsOf.Unix()
	rank, present := spec.rankOf(told.String()), spec.rankOf(r.Status.String())
	if seconds < asOf || seconds == asOf && rank < present {
		return r, action.Stale, nil
	}
	if seconds == asOf && rank == present {
		return r, action.Duplicate, nil
	}
	if !spec.reaches(r.Status.String(), told.String()) {
		return r, 0, action.ErrContradiction
	}
	r.Status = told
	r.AsOf = time.Unix(seconds, 0).UTC()
	return r, action.Taken, nil
}

// agree feeds one observation to Observe and to the oracle and returns what
// both made of it, or how they differ.
func agree(r action.Resource, o observation) (action.Resource, error) {
	got, outcome, err := r.Observe(o.status, o.at)
	want, wantOutcome, sentinel := oracle(r, o.status, o.at)
	switch {
	case got != want || outcome != wantOutcome:
		return r, fmt.Errorf("%s on %+v:\ngot  %s %+v\nwant %s %+v", o, r, outcome, got, wantOutcome, want)
	case !errors.Is(err, sentinel):
		return r, fmt.Errorf("%s on %+v: got error %w, want %w", o, r, err, sentinel)
	}
	return got, nil
}

// ACT-4: whatever is told, also what no history explains, Observe does what
// the oracle does.
func TestACT4_Oracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(action.Types()).Draw(t, "type")
		statuses := typ.Machine().States()
		r := resource(typ, rapid.SampledFrom(statuses).Draw(t, "status"), momentOf().Draw(t, "as of"))
		told := rapid.OneOf(
			rapid.SampledFrom(statuses),
			rapid.SampledFrom(statuses),
			rapid.SampledFrom(append(action.Statuses(), 0, noStatus)),
		)
		for range rapid.IntRange(1, 30).Draw(t, "observations") {
			var err error
			r, err = agree(r, observation{told.Draw(t, "told"), momentOf().Draw(t, "at")})
			require.NoError(t, err)
		}
	})
}

// momentOf generates times with frequent ties, with fractions and zones.
func momentOf() *rapid.Generator[time.Time] {
	zones := []*time.Location{time.UTC, time.FixedZone("", 7200), time.FixedZone("", -5*3600-1800)}
	return rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 19).Draw(t, "none") == 19 {
			return time.Time{}
		}
		moment := at(rapid.IntRange(0, 6).Draw(t, "second"))
		moment = moment.Add(time.Duration(rapid.IntRange(0, 999_999_999).Draw(t, "fraction")))
		return moment.In(rapid.SampledFrom(zones).Draw(t, "zone"))
	})
}
