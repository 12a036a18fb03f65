package group_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/group"
)

// tallied is StatusOf by way of a tally.
func tallied(states []state) group.Status {
	var tally group.Tally
	for _, e := range entriesOf(states) {
		tally.Add(e)
	}
	return tally.Status()
}

// GRP-1 to GRP-4: a tally says what the sentences say.
func TestTallyOfEverySmallSet(t *testing.T) {
	states, fault := firstFault(tallied)
	require.Empty(t, fault, "%v", states)
}

// GRP-5: whatever was added and removed in between, the status is that of the
// entries that are there now. So a status may also fall, as in GRP-6.
func TestPropertyTally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tally group.Tally
		var entries []group.Entry
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				e := rapid.SampledFrom(kinds()).Draw(t, "state").entry()
				tally.Add(e)
				entries = append(entries, e)
			},
			"remove": func(t *rapid.T) {
				if len(entries) == 0 {
					t.Skip("nothing is there")
				}
				i := rapid.IntRange(0, len(entries)-1).Draw(t, "index")
				tally.Remove(entries[i])
				entries = slices.Delete(entries, i, i+1)
			},
			"": func(t *rapid.T) {
				require.Equal(t, group.StatusOf(entries), tally.Status())
				if len(entries) == 0 {
					require.Zero(t, tally, "the tally of an empty group")
				}
			},
		})
	})
}

// GRP-6: one entry changes, and the others need not be looked at.
func TestTallyOutOfBlocked(t *testing.T) {
	var tally group.Tally
	require.Equal(t, group.Awaiting, tally.Status())
	for _, e := range entries("done", "expired", "draft") {
		tally.Add(e)
	}
	require.Equal(t, group.Blocked, tally.Status())
	copied := tally
	for _, step := range []struct{ from, to, want string }{
		{"expired", "ongoing", "ongoing"},
		{"ongoing", "declined", "blocked"},
		{"declined", "deleted", "done"},
		{"done", "deleted", "awaiting"},
	} {
		tally.Remove(entry(step.from))
		tally.Add(entry(step.to))
		require.Equal(t, step.want, tally.Status().String(), "%s -> %s", step.from, step.to)
	}
	require.Equal(t, group.Blocked, copied.Status(), "a tally is a value")
}
