package group_test

import (
	"math/rand"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/group"
)

// mixed is a group of n states of all sorts, in no order that a processor could
// learn while there are many.
func mixed(n int) []state {
	random := rand.New(rand.NewSource(1))
	list := make([]state, n)
	for i := range list {
		list[i] = kinds()[random.Intn(len(kinds()))]
	}
	return list
}

// A group is computed with every change, so it costs no memory.
func TestAllocations(t *testing.T) {
	entries := entriesOf(mixed(1000))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = group.StatusOf(entries) }))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		var tally group.Tally
		tally.Add(entries[0])
		_ = tally.Status()
	}))
}

// BenchmarkTally is what one change costs, however many entries there are.
func BenchmarkTally(b *testing.B) {
	var tally group.Tally
	for _, e := range entriesOf(mixed(1000)) {
		tally.Add(e)
	}
	was, now := entry("pending"), entry("failed")
	tally.Add(was)
	b.ReportAllocs()
	for b.Loop() {
		tally.Remove(was)
		tally.Add(now)
		_ = tally.Status()
		was, now = now, was
	}
}

// BenchmarkStatusOf is what a group's status costs. Module bench has it beside what
// a host would write, and beside reading the memory.
func BenchmarkStatusOf(b *testing.B) {
	for _, n := range []int{1, 5, 10, 100, 1000, 1000000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			entries := entriesOf(mixed(n))
			b.ReportAllocs()
			for b.Loop() {
				_ = group.StatusOf(entries)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
		})
	}
}
