package delivery_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
)

// The load of BenchmarkBlackHole: so many events in a round, one after another in
// these distances, each for every endpoint.
const (
	blackHoleEvents   = 10
	blackHolePause    = 100 * time.Millisecond
	blackHoleRounds   = 6
	blackHoleEndpoint = 20
	blackHoleBacklog  = 200
)

// BenchmarkBlackHole tells by how much one endpoint that never answers delays the
// others: the 99th percentile of the time from when calls are due to when they
// arrive, with and without it. Rounds of both kinds alternate, on databases and
// servers of their own, of which one works at a time; medians are reported. A black hole has a backlog
// that fills its lanes many times.
func BenchmarkBlackHole(b *testing.B) {
	for name, open := range map[string]func(testing.TB) house{"sqlite": sqliteHouse, "postgres": postgresHouse} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o := delivery.Options{StopAfter: time.Millisecond, Logger: slog.New(slog.DiscardHandler)}
				alone, beside := build(b, open(b), blackHoleEndpoint, o), build(b, open(b), blackHoleEndpoint, o)
				beside.publish(b, ofHole, "hole", blackHoleBacklog)
				var without, with []time.Duration
				for i := range blackHoleRounds {
					stop(b, beside)
					without = append(without, alone.round(b, i))
					stop(b, alone)
					require.NoError(b, beside.deliverer.Start(b.Context()))
					beside.until(b, func() bool { return beside.standing == beside.most && beside.most > 0 })
					with = append(with, beside.round(b, i))
					require.NoError(b, alone.deliverer.Start(b.Context()))
				}
				without, with = without[1:], with[1:] // which connect first
				b.ReportMetric(middle(without).Seconds()*1000, "ms-p99-without")
				b.ReportMetric(middle(with).Seconds()*1000, "ms-p99-with")
				b.ReportMetric(middle(with).Seconds()/middle(without).Seconds(), "ratio")
				b.Logf("without %v, with %v", without, with)
			}
		})
	}
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func stop(tb testing.TB, w *town) {
	tb.Helper()
	require.NoError(tb, w.deliverer.Stop(tb.Context()))
}

// round has events happen, and returns the 99th percentile of how long after they
// were due they arrived, of all endpoints but the black hole.
func (w *town) round(tb testing.TB, number int) time.Duration {
	tb.Helper()
	w.note(func() { clear(w.arrived) })
	tick := time.NewTicker(blackHolePause)
	defer tick.Stop()
	for i := range blackHoleEvents {
		w.publish(tb, ofAll, fmt.Sprint("round", number, "-", i, "-"), 1)
		<-tick.C
	}
	w.until(tb, func() bool { return len(w.arrived) == blackHoleEvents*w.endpoints })
	var late []time.Duration
	for id, at := range w.arrived {
		story, err := w.deliverer.Explain(tb.Context(), id)
		require.NoError(tb, err)
		late = append(late, at.Sub(story.Delivery.Created()))
	}
	slices.Sort(late)
	return late[len(late)*99/100]
}
