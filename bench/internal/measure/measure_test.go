package measure_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/bench/internal/measure"
)

func TestSpreadOf(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   measure.Spread
	}{
		{nil, measure.Spread{}},
		{[]float64{3}, measure.Spread{Least: 3, Median: 3, Most: 3}},
		{[]float64{9, 1, 2}, measure.Spread{Least: 1, Median: 2, Most: 9}},
		{[]float64{4, 1, 9, 2}, measure.Spread{Least: 1, Median: 3, Most: 9}},
	} {
		assert.Equal(t, tt.want, measure.SpreadOf(tt.values), "%v", tt.values)
	}
	values := []float64{2, 1}
	measure.SpreadOf(values)
	assert.Equal(t, []float64{2, 1}, values, "they are the caller's")
}

// In a bubble work takes exactly as long as it says.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns []string
		taking := func(name string, d time.Duration) func(int) {
			return func(n int) {
				turns = append(turns, name)
				time.Sleep(time.Duration(n) * d)
			}
		}
		effort := measure.Effort{Rounds: 6, Turn: 10 * time.Millisecond}
		r := effort.Hold(measure.Contest{Name: "c", Unit: "piece", Per: 10, Contestants: []measure.Contestant{
			{Name: "a", Do: taking("a", time.Millisecond)},
			{Name: "b", Lacks: "all", Do: taking("b", 3*time.Millisecond)},
		}})
		require.Len(t, r.Rows, 2)
		assert.Equal(t, measure.Spread{Least: 1e5, Median: 1e5, Most: 1e5}, r.Rows[0].NS, "a tenth of a millisecond each")
		assert.Equal(t, measure.Spread{Least: 1, Median: 1, Most: 1}, r.Rows[0].Times)
		assert.Equal(t, measure.Spread{Least: 3, Median: 3, Most: 3}, r.Rows[1].Times)
		assert.Equal(t, "all", r.Rows[1].Lacks)
		rounds := map[string]int{}
		for i := len(turns) - 12; i < len(turns); i += 2 {
			rounds[turns[i]+turns[i+1]]++
		}
		assert.Equal(t, 6, rounds["ab"]+rounds["ba"], "both have a turn in each round")
		assert.Len(t, rounds, 2, "now the one is first, now the other")
	})
}

// A contestant may do more at a time than others.
func TestHold_Per(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		do := func(n int) { time.Sleep(time.Duration(n) * time.Millisecond) }
		effort := measure.Effort{Rounds: 6, Turn: 10 * time.Millisecond}
		r := effort.Hold(measure.Contest{Per: 10, Contestants: []measure.Contestant{{Do: do}, {Do: do, Per: 40}}})
		assert.Equal(t, measure.Spread{Least: 1e5, Median: 1e5, Most: 1e5}, r.Rows[0].NS)
		assert.Equal(t, measure.Spread{Least: 0.25, Median: 0.25, Most: 0.25}, r.Rows[1].Times)
	})
}

// What slows all down in one round leaves the ratios alone.
func TestHold_Noise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The machine is ten times slower in every other 100 ms.
		do := func(n int, d time.Duration) {
			for range n {
				time.Sleep(d)
				if time.Now().UnixMilli()/100%2 == 0 {
					time.Sleep(9 * d)
				}
			}
		}
		effort := measure.Effort{Rounds: 9, Turn: 10 * time.Millisecond}
		r := effort.Hold(measure.Contest{Contestants: []measure.Contestant{
			{Do: func(n int) { do(n, time.Millisecond) }},
			{Do: func(n int) { do(n, 2*time.Millisecond) }},
		}})
		assert.InDelta(t, 2, r.Rows[1].Times.Median, 0.01)
	})
}

func TestHold_Allocations(t *testing.T) {
	var kept []byte
	r := measure.Effort{Rounds: 1, Turn: time.Microsecond}.Hold(measure.Contest{Per: 2, Contestants: []measure.Contestant{
		{Do: func(n int) {
			for range n {
				kept = make([]byte, 1<<10)
				kept = make([]byte, 1<<10)
			}
		}},
	}})
	require.Len(t, kept, 1<<10)
	assert.GreaterOrEqual(t, r.Rows[0].Allocs, 1.0)
	assert.GreaterOrEqual(t, r.Rows[0].Bytes, 1024.0)
}

func TestKept(t *testing.T) {
	built, bytes := measure.Kept(func() []byte { return make([]byte, 1<<20) })
	require.Len(t, built, 1<<20)
	assert.InDelta(t, 1<<20, bytes, 1<<16)
}
