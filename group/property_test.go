package group_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
)

// state is what a group reads of an Action, before an entry is made of it.
type state struct {
	status   action.Status
	resolved bool
}

func (s state) entry() group.Entry { return group.EntryOf(s.status, s.resolved) }

func entriesOf(states []state) []group.Entry {
	var list []group.Entry
	for _, s := range states {
		list = append(list, s.entry())
	}
	return list
}

// joined is StatusOf of the entries of these states.
func joined(states []state) group.Status { return group.StatusOf(entriesOf(states)) }

// sentences is GRP-1 to GRP-4 as they stand in the spec, over words: it knows
// nothing of a join. A resolved Action is the word "resolved", for that is what
// a group reads first (RSL-3).
func sentences(states []state) string {
	var counting []string
	for _, s := range states {
		switch {
		case s.status.String() == "deleted": // stays visible and never counts
		case s.resolved:
			counting = append(counting, "resolved")
		default:
			counting = append(counting, s.status.String())
		}
	}
	some := func(words ...string) bool {
		return slices.ContainsFunc(counting, func(w string) bool { return slices.Contains(words, w) })
	}
	all := func(words ...string) bool {
		return !slices.ContainsFunc(counting, func(w string) bool { return !slices.Contains(words, w) })
	}
	blocked := some("rejected", "declined", "canceled", "expired", "failed", "inconclusive")
	switch {
	case len(counting) == 0 || all("draft"):
		return "awaiting" // GRP-1
	case blocked:
		return "blocked" // GRP-2
	case !blocked && some("done", "verified", "resolved") && all("done", "verified", "resolved", "draft"):
		return "done" // GRP-3
	default:
		return "ongoing" // GRP-4
	}
}

// kinds is every state that there is.
func kinds() []state {
	var list []state
	for _, s := range action.Statuses() {
		list = append(list, state{s, false}, state{s, true})
	}
	return list
}

func drawStates(t *rapid.T, label string) []state {
	return rapid.SliceOfN(rapid.SampledFrom(kinds()), 0, 8).Draw(t, label)
}

// statusOf is StatusOf of the entries of some states, or a twin of it.
type statusOf func([]state) group.Status

// faults says what is wrong with the status of these states: nothing, if it is
// what the sentences say (GRP-1 to GRP-4).
func faults(f statusOf, states []state) string {
	if got, want := f(states).String(), sentences(states); got != want {
		return got + " instead of " + want
	}
	return ""
}

// firstFault searches all sets of at most three distinct states, small ones
// first.
func firstFault(f statusOf) (states []state, fault string) {
	all := kinds()
	sets := [][]state{nil}
	for i, a := range all {
		sets = append(sets, []state{a})
		for j, b := range all[:i] {
			sets = append(sets, []state{a, b})
			for _, c := range all[:j] {
				sets = append(sets, []state{a, b, c})
			}
		}
	}
	slices.SortStableFunc(sets, func(a, b []state) int { return len(a) - len(b) })
	for _, set := range sets {
		if fault := faults(f, set); fault != "" {
			return set, fault
		}
	}
	return nil, ""
}

// GRP-1 to GRP-4, exhaustively. What a group of three shows is what any group
// shows, for the sentences ask only whether some, or all, are of a sort.
func TestStatusOfEverySmallSet(t *testing.T) {
	states, fault := firstFault(joined)
	require.Empty(t, fault, "%v", states)
}

// GRP-1 to GRP-4, of groups of any size: of few sorts, for of many sorts nearly
// all of them would be blocked.
func TestPropertySentences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sorts := rapid.SliceOfN(rapid.SampledFrom(kinds()), 1, 3).Draw(t, "sorts")
		states := rapid.SliceOfN(rapid.SampledFrom(sorts), 0, 100).Draw(t, "states")
		require.Empty(t, faults(joined, states))
		require.Empty(t, faults(joined, drawStates(t, "of any sort")))
	})
}

// GRP-5: order and multiplicity do not count.
func TestPropertySet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := drawStates(t, "states")
		want := joined(states)
		shuffled := states
		if len(states) > 0 {
			shuffled = rapid.Permutation(states).Draw(t, "order")
			shuffled = append(shuffled, rapid.SliceOfN(rapid.SampledFrom(states), 0, 4).Draw(t, "again")...)
		}
		require.Equal(t, want, joined(shuffled))
		require.Equal(t, want, joined(slices.Concat(states, states)))

		set := map[state]bool{}
		var distinct []state
		for _, s := range states {
			if !set[s] {
				distinct = append(distinct, s)
			}
			set[s] = true
		}
		require.Equal(t, want, joined(distinct))
	})
}

// GRP-5: a group may be computed in parts. What does not count may be left out.
func TestPropertyParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawStates(t, "a"), drawStates(t, "b")
		whole := joined(slices.Concat(a, b))
		require.Equal(t, whole, joined(a).Join(joined(b)))

		status := group.Awaiting
		for _, s := range slices.Concat(a, b) {
			status = status.Join(s.entry().Says())
		}
		require.Equal(t, whole, status)

		counting := slices.DeleteFunc(slices.Concat(a, b), func(s state) bool { return s.status == action.Deleted })
		require.Equal(t, whole, joined(counting))
	})
}

// GRP-5: the laws of the join, for all of its four values.
func TestJoin(t *testing.T) {
	all := group.Statuses()
	require.Len(t, all, 4)
	for i, a := range all {
		assert.Equal(t, a, a.Join(a), "idempotent")
		assert.Equal(t, a, group.Awaiting.Join(a), "awaiting is the identity")
		assert.Equal(t, group.Blocked, group.Blocked.Join(a), "blocked takes all")
		for j, b := range all {
			assert.Equal(t, a.Join(b), b.Join(a), "commutative")
			assert.Equal(t, all[max(i, j)], a.Join(b), "awaiting < done < ongoing < blocked")
			for _, c := range all {
				assert.Equal(t, a.Join(b).Join(c), a.Join(b.Join(c)), "associative")
			}
		}
	}
	assert.Equal(t, []group.Status{group.Awaiting, group.Done, group.Ongoing, group.Blocked}, all)
}

// GRP-5: the same laws, of statuses as groups have them.
func TestPropertyJoinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := joined(drawStates(t, "a"))
		b := joined(drawStates(t, "b"))
		c := joined(drawStates(t, "c"))
		require.Equal(t, a.Join(b), b.Join(a))
		require.Equal(t, a.Join(b).Join(c), a.Join(b.Join(c)))
		require.Equal(t, a, a.Join(a))
		require.Equal(t, a, a.Join(group.StatusOf(nil)))
	})
}

// twin joins in the order of ranks; read says what one state says.
func twin(ranks []string, read func(s state) string) statusOf {
	return func(states []state) group.Status {
		strongest := 0
		for _, s := range states {
			strongest = max(strongest, slices.Index(ranks, read(s)))
		}
		s, err := group.ParseStatus(ranks[strongest])
		if err != nil {
			panic(err)
		}
		return s
	}
}

// alone is what a state says where nothing else does.
func alone(s state) string { return sentences([]state{s}) }

// instead is alone, but for one sort of state.
func instead(says string, of func(s state) bool) func(state) string {
	return func(s state) string {
		if of(s) {
			return says
		}
		return alone(s)
	}
}

func is(status action.Status) func(state) bool {
	return func(s state) bool { return s.status == status }
}

// The checker finds what is wrong with implementations that are wrong, each by
// a smallest group, and nothing with the twin that they are made from.
func TestBrokenTwins(t *testing.T) {
	right := []string{"awaiting", "done", "ongoing", "blocked"}
	_, fault := firstFault(twin(right, alone))
	require.Empty(t, fault)
	tests := []struct {
		name string
		twin statusOf
		size int // of the group that shows it
	}{
		{"GRP-2: ongoing before blocked", twin([]string{"awaiting", "done", "blocked", "ongoing"}, alone), 2},
		{"GRP-2: done before blocked", twin([]string{"awaiting", "ongoing", "blocked", "done"}, alone), 2},
		{"GRP-3: done before ongoing", twin([]string{"awaiting", "ongoing", "done", "blocked"}, alone), 2},
		{"GRP-1: done before awaiting", twin([]string{"done", "awaiting", "ongoing", "blocked"}, alone), 0},
		{"GRP-1: deleted counted as ongoing", twin(right, instead("ongoing", is(action.Deleted))), 1},
		{"GRP-2: deleted counted as blocked", twin(right, instead("blocked", is(action.Deleted))), 1},
		{"GRP-3: deleted counted as done", twin(right, instead("done", is(action.Deleted))), 1},
		{"GRP-1: draft counted as ongoing", twin(right, instead("ongoing", is(action.Draft))), 1},
		{"GRP-1: awaiting_data awaits", twin(right, instead("awaiting", is(action.AwaitingData))), 1},
		{"RES-4: expired does not block", twin(right, instead("ongoing", is(action.Expired))), 1},
		{"RSL-3: resolution not read", twin(right, func(s state) string {
			return alone(state{s.status, false})
		}), 1},
		{"GRP-5: the last one counts", func(states []state) group.Status {
			return joined(states[max(0, len(states)-1):])
		}, 2},
		{"GRP-3: done only if all are", func(states []state) group.Status {
			s := joined(states)
			if s == group.Done && slices.Contains(states, state{action.Draft, false}) {
				return group.Ongoing
			}
			return s
		}, 2},
		{"GRP-5: two say more than one", func(states []state) group.Status {
			s := joined(states)
			if s == group.Blocked && len(states) == 3 {
				return group.Ongoing
			}
			return s
		}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			states, fault := firstFault(test.twin)
			require.NotEmpty(t, fault)
			require.Len(t, states, test.size, fault)
		})
	}
}
