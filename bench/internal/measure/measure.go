// Package measure times things that do the same work beside each other.
//
// Machines are shared, and what else they do comes and goes. So nothing is timed
// alone: the contestants of a [Contest] take turns, in every round in an order
// of its own, and what is compared is the times of one round. The figures are medians
// over all rounds, with the least and the most beside them.
package measure

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// Contestant does the work of a contest in its own way.
type Contestant struct {
	Name string
	// Lacks is what it does not do and the first contestant does, or "".
	Lacks string
	// Do does the work n times.
	Do func(n int)
	// Per is how many units that is each time; zero is what the contest says.
	Per int
}

// Contest is work that all contestants do. The others are compared with the first.
type Contest struct {
	Name string
	Unit string // what is done once, or Per times, in each operation
	Per  int    // zero is one
	// Contestants are two or more, or one that is only to be timed.
	Contestants []Contestant
}

// Effort is how thoroughly a contest is held.
type Effort struct {
	Rounds int           // in each, everybody has a turn
	Turn   time.Duration // how long a turn takes, at least
}

// Result is the outcome of a contest: a row for each contestant, in their order.
type Result struct {
	Contest Contest
	Rows    []Row
}

// Row is what came of one contestant. Everything is per unit.
type Row struct {
	Name   string
	Lacks  string
	NS     Spread  // nanoseconds
	Times  Spread  // how many times as long as the first contestant it takes
	Allocs float64 // pieces of memory
	Bytes  float64 // of memory, in all pieces
}

// Hold holds a contest.
func (e Effort) Hold(c Contest) Result {
	operations := make([]int, len(c.Contestants))
	units := make([]float64, len(c.Contestants)) // of a turn
	rows := make([]Row, len(c.Contestants))
	for i, x := range c.Contestants {
		operations[i] = e.calibrate(x.Do)
		units[i] = float64(operations[i] * cmp.Or(x.Per, c.Per, 1))
		pieces, bytes := allocated(func() { x.Do(operations[i]) })
		rows[i] = Row{Name: x.Name, Lacks: x.Lacks, Allocs: float64(pieces) / units[i], Bytes: float64(bytes) / units[i]}
	}
	took := make([][]float64, len(rows))
	times := make([][]float64, len(rows))
	order := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same orders every time
	runtime.GC()
	for round := range e.Rounds {
		for _, i := range order.Perm(len(rows)) {
			took[i] = append(took[i], Time(func() { c.Contestants[i].Do(operations[i]) })/units[i])
			if rows[i].Bytes > 0 {
				runtime.GC() // lest others pay for the garbage
			}
		}
		for i := range rows {
			times[i] = append(times[i], took[i][round]/took[0][round])
		}
	}
	for i := range rows {
		rows[i].NS, rows[i].Times = SpreadOf(took[i]), SpreadOf(times[i])
	}
	return Result{c, rows}
}

// calibrate returns how many operations fill a turn.
func (e Effort) calibrate(do func(int)) int {
	n := 1
	for {
		took := Time(func() { do(n) })
		if took >= float64(e.Turn) {
			return n
		}
		// Towards the goal, but not on the word of a run that was hardly one.
		n = min(int(float64(n)*1.2*float64(e.Turn)/max(took, 1))+1, 100*n)
	}
}

// Time returns how many nanoseconds a function takes.
func Time(do func()) float64 {
	start := time.Now()
	do()
	return float64(time.Since(start))
}

// allocated returns how many pieces of memory a function makes, and their bytes.
func allocated(do func()) (pieces, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
}

// Kept returns how many bytes of memory live as long as what a function returns,
// and that.
func Kept[T any](build func() T) (T, uint64) {
	before := live()
	built := build()
	after := live()
	runtime.KeepAlive(built)
	return built, after - min(before, after)
}

// live returns how many bytes are in use.
func live() uint64 {
	// Twice: what has a finalizer goes in the second.
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// Spread is a figure of several rounds.
type Spread struct{ Least, Median, Most float64 }

// Exactly returns the spread of a figure that was measured once.
func Exactly(v float64) Spread { return Spread{v, v, v} }

// Inverse returns the spread of 1 by the figure.
func (s Spread) Inverse() Spread { return Spread{1 / s.Most, 1 / s.Median, 1 / s.Least} }

// SpreadOf returns the spread of values, zero of none.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Spread{sorted[0], median, sorted[len(sorted)-1]}
}
