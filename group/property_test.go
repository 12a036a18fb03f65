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

// sentences is GRP-1 to GRP-4 as they stand in the spec, over words: it knows
// nothing of a join. A resolved entry is the word "resolved", for that is what
// a group reads first (RSL-3).
func sentences(entries []group.Entry) string {
	var counting []string
	for _, e := range entries {
		switch {
		case e.Status.String() == "deleted": // stays visible and never counts
		case e.Resolved:
			counting = append(counting, "resolved")
		default:
			counting = append(counting, e.Status.String())
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

// kinds is every entry that there is.
func kinds() []group.Entry {
	var list []group.Entry
	for _, s := range action.Statuses() {
		list = append(list, group.Entry{Status: s}, group.Entry{Status: s, Resolved: true})
	}
	return list
}

func drawEntries(t *rapid.T, label string) []group.Entry {
	return rapid.SliceOfN(rapid.SampledFrom(kinds()), 0, 8).Draw(t, label)
}

// statusOf is StatusOf, or a twin of it.
type statusOf func([]group.Entry) group.Status

// faults says what is wrong with the status of these entries: nothing, if it is
// what the sentences say (GRP-1 to GRP-4).
func faults(f statusOf, entries []group.Entry) string {
	if got, want := f(entries).String(), sentences(entries); got != want {
		return got + " instead of " + want
	}
	return ""
}

// firstFault searches all sets of at most three distinct entries, small ones
// first.
func firstFault(f statusOf) (entries []group.Entry, fault string) {
	all := kinds()
	sets := [][]group.Entry{nil}
	for i, a := range all {
		sets = append(sets, []group.Entry{a})
		for j, b := range all[:i] {
			sets = append(sets, []group.Entry{a, b})
			for _, c := range all[:j] {
				sets = append(sets, []group.Entry{a, b, c})
			}
		}
	}
	slices.SortStableFunc(sets, func(a, b []group.Entry) int { return len(a) - len(b) })
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
	entries, fault := firstFault(group.StatusOf)
	require.Empty(t, fault, "%v", entries)
}

// GRP-1 to GRP-4, of groups of any size.
func TestPropertySentences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		require.Empty(t, faults(group.StatusOf, drawEntries(t, "entries")))
	})
}

// GRP-5: order and multiplicity do not count.
func TestPropertySet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := drawEntries(t, "entries")
		want := group.StatusOf(entries)
		shuffled := entries
		if len(entries) > 0 {
			shuffled = rapid.Permutation(entries).Draw(t, "order")
			shuffled = append(shuffled, rapid.SliceOfN(rapid.SampledFrom(entries), 0, 4).Draw(t, "again")...)
		}
		require.Equal(t, want, group.StatusOf(shuffled))
		require.Equal(t, want, group.StatusOf(append(entries, entries...)))

		set := map[group.Entry]bool{}
		var distinct []group.Entry
		for _, e := range entries {
			if !set[e] {
				distinct = append(distinct, e)
			}
			set[e] = true
		}
		require.Equal(t, want, group.StatusOf(distinct))
	})
}

// GRP-5: a group may be computed in parts. What does not count may be left out.
func TestPropertyParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawEntries(t, "a"), drawEntries(t, "b")
		whole := group.StatusOf(slices.Concat(a, b))
		require.Equal(t, whole, group.StatusOf(a).Join(group.StatusOf(b)))

		status := group.Awaiting
		for _, e := range slices.Concat(a, b) {
			status = status.Join(e.Says())
		}
		require.Equal(t, whole, status)

		counting := slices.DeleteFunc(slices.Concat(a, b), func(e group.Entry) bool { return e.Status == action.Deleted })
		require.Equal(t, whole, group.StatusOf(counting))
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
		a := group.StatusOf(drawEntries(t, "a"))
		b := group.StatusOf(drawEntries(t, "b"))
		c := group.StatusOf(drawEntries(t, "c"))
		require.Equal(t, a.Join(b), b.Join(a))
		require.Equal(t, a.Join(b).Join(c), a.Join(b.Join(c)))
		require.Equal(t, a, a.Join(a))
		require.Equal(t, a, a.Join(group.StatusOf(nil)))
	})
}

// twin joins in the order of ranks; read says what one entry says.
func twin(ranks []string, read func(e group.Entry) string) statusOf {
	return func(entries []group.Entry) group.Status {
		strongest := 0
		for _, e := range entries {
			strongest = max(strongest, slices.Index(ranks, read(e)))
		}
		s, err := group.ParseStatus(ranks[strongest])
		if err != nil {
			panic(err)
		}
		return s
	}
}

// alone is what an entry says where nothing else does.
func alone(e group.Entry) string { return sentences([]group.Entry{e}) }

// instead is alone, but for one sort of entry.
func instead(says string, of func(e group.Entry) bool) func(group.Entry) string {
	return func(e group.Entry) string {
		if of(e) {
			return says
		}
		return alone(e)
	}
}

func is(status action.Status) func(group.Entry) bool {
	return func(e group.Entry) bool { return e.Status == status }
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
		{"RSL-3: resolution not read", twin(right, func(e group.Entry) string {
			return alone(group.Entry{Status: e.Status})
		}), 1},
		{"GRP-5: the last one counts", func(entries []group.Entry) group.Status {
			return group.StatusOf(entries[max(0, len(entries)-1):])
		}, 2},
		{"GRP-3: done only if all are", func(entries []group.Entry) group.Status {
			s := group.StatusOf(entries)
			if s == group.Done && slices.Contains(entries, entry("draft")) {
				return group.Ongoing
			}
			return s
		}, 2},
		{"GRP-5: two say more than one", func(entries []group.Entry) group.Status {
			s := group.StatusOf(entries)
			if s == group.Blocked && len(entries) == 3 {
				return group.Ongoing
			}
			return s
		}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries, fault := firstFault(test.twin)
			require.NotEmpty(t, fault)
			require.Len(t, entries, test.size, fault)
		})
	}
}
