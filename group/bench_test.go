package group_test

import (
	"math/rand"
	"strconv"
	"testing"
	"time"

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

// BenchmarkStatusOf is what a group's status costs beside what a host's own loop
// does, and beside reading the entries' memory: "host/own" says how many times
// longer the host's loop takes, "own/read" how many times longer than reading.
func BenchmarkStatusOf(b *testing.B) {
	for _, n := range []int{1, 5, 10, 100, 1000, 1000000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchmarkStatusOf(b, n) })
	}
}

// benchmarkStatusOf takes the three in turns, so that what disturbs the machine
// disturbs all of them.
func benchmarkStatusOf(b *testing.B, n int) {
	entries, memory := entriesOf(mixed(n)), make([]uint64, (n+7)/8)
	var host []hostEntry
	for _, s := range mixed(n) {
		host = append(host, hostEntry{s.status.String(), s.resolved})
	}
	require.Equal(b, group.StatusOf(entries).String(), hostLoop(host))

	calls := max(1, 100000/n) // many, for a clock is slow
	var took [3]time.Duration
	for b.Loop() {
		start := b.Elapsed()
		for range calls {
			statusSink = group.StatusOf(entries)
		}
		own := b.Elapsed()
		for range calls {
			hostSink = hostLoop(host)
		}
		loop := b.Elapsed()
		for range calls {
			wordSink = readOnce(memory)
		}
		read := b.Elapsed()
		took[0], took[1], took[2] = took[0]+own-start, took[1]+loop-own, took[2]+read-loop
	}
	b.ReportMetric(0, "ns/op") // of all three
	b.ReportMetric(float64(took[0])/float64(b.N*calls), "ns/list")
	b.ReportMetric(float64(took[0])/float64(b.N*calls*n), "ns/entry")
	b.ReportMetric(float64(took[1])/float64(took[0]), "host/own")
	b.ReportMetric(float64(took[0])/float64(took[2]), "own/read")
}

// What the benchmarks compute goes here, so that it is computed.
var (
	statusSink group.Status
	hostSink   string
	wordSink   uint64
)

// readOnce reads memory as fast as a plain loop can, which is four words at a
// time.
//
//go:noinline
func readOnce(words []uint64) (all uint64) {
	for ; len(words) >= 4; words = words[4:] {
		all |= words[0] | words[1] | words[2] | words[3]
	}
	for _, word := range words {
		all |= word
	}
	return all
}

// hostEntry is what a host has that keeps statuses as the API spells them.
type hostEntry struct {
	status   string
	resolved bool
}

// hostLoop is StatusOf as such a host would write it.
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
