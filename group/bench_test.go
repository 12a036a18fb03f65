package group_test

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/group"
)

// thousand is a group of a thousand entries of all sorts, in no order that a
// processor could learn.
func thousand() []group.Entry {
	random := rand.New(rand.NewSource(1))
	list := make([]group.Entry, 1000)
	for i := range list {
		list[i] = kinds()[random.Intn(len(kinds()))]
	}
	return list
}

// A group is computed with every change, so it costs no memory.
func TestAllocations(t *testing.T) {
	entries := thousand()
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
	for _, e := range thousand() {
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

func BenchmarkStatusOf(b *testing.B) {
	entries := thousand()
	b.ReportAllocs()
	for b.Loop() {
		_ = group.StatusOf(entries)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(entries)), "ns/entry")
}

// hostEntry is what a host has that keeps statuses as the API spells them.
type hostEntry struct {
	status   string
	resolved bool
}

// BenchmarkHostLoop is the same as such a host would write it.
func BenchmarkHostLoop(b *testing.B) {
	var entries []hostEntry
	for _, e := range thousand() {
		entries = append(entries, hostEntry{e.Status.String(), e.Resolved})
	}
	require.Equal(b, group.StatusOf(thousand()).String(), hostLoop(entries))
	b.ReportAllocs()
	for b.Loop() {
		_ = hostLoop(entries)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(entries)), "ns/entry")
}

func hostLoop(entries []hostEntry) string {
	var blocked, complete, open bool
	for _, e := range entries {
		if e.status == "deleted" {
			continue
		}
		if e.resolved {
			complete = true
			continue
		}
		switch e.status {
		case "rejected", "declined", "canceled", "expired", "failed", "inconclusive":
			blocked = true
		case "done", "verified":
			complete = true
		case "draft":
		default:
			open = true
		}
	}
	switch {
	case blocked:
		return "blocked"
	case open:
		return "ongoing"
	case complete:
		return "done"
	default:
		return "awaiting"
	}
}
