package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
)

const (
	// shards is how many parts the platform has: one for each of its customers. They
	// share nothing, and what comes of each depends on its number alone, so that one
	// core and two do the same work.
	shards = 4096
	// sampled is how many of them are played to compare one core with two.
	sampled = 64
	// growth is how many percent the memory in use may grow before garbage is
	// collected (GOGC). So little lives that by Go's default of 100, garbage is
	// collected with every 4 MB, some 250 times a second on one core; here it is
	// with every 32 MB.
	growth, growthDefault = 800, 100
)

// month plays a month of a platform with so many sessions, on so many cores: the
// first so many of its parts.
func month(sessions, played, cores int) tally {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	var (
		next    atomic.Uint32
		workers sync.WaitGroup
		parts   [shards]tally
	)
	for range cores {
		workers.Go(func() {
			for {
				n := next.Add(1) - 1
				if int(n) >= played {
					return
				}
				// Every shard has its part of what is left over.
				part := (sessions + shards - 1 - int(n)) / shards
				parts[n] = newShard(n, part).run()
			}
		})
	}
	workers.Wait()
	var all tally
	for _, t := range parts {
		all.add(t)
	}
	return all
}

func holdMonth(_ context.Context, s settings) (report.Section, error) {
	sessions := s.scaled(10_000_000, 10_000)
	section := report.Section{
		Title: "A month of a large platform, in virtual time",
		About: []string{
			fmt.Sprintf("A platform with %s customers. ", report.Significant(shards)) + "Sessions of three templates begin all the month; people take minutes or days for what they have to do; verifications" +
				" fail, signatures are declined and expire; webhooks come late, twice and in the wrong order; somebody sees what blocks," +
				" by Blockers, and takes one of the ways out; some give up. Everything is a command to session.Apply, and what it" +
				" announces is counted. Nothing is stored or sent. Digests of inputs are made up.",
			fmt.Sprintf("GOGC is %d, as a service has it whose live memory is small: garbage is collected with every 32 MB. Go's default"+
				" of %d, with every 4 MB, is measured besides.", growth, growthDefault),
		},
	}
	defer debug.SetGCPercent(debug.SetGCPercent(growth))
	cores := min(runtime.GOMAXPROCS(0), 2)
	var all tally
	took := measure.Time(func() { all = month(sessions, shards, cores) })
	section.Tables = append(section.Tables, all.table(sessions, cores, took))
	if cores < 2 {
		section.Notes = append(section.Notes, "this machine has one core: from one to two was not measured")
		return section, nil
	}
	scaling, goal := scale(s, sessions)
	section.Tables = append(section.Tables, scaling)
	section.Goals = append(section.Goals, goal)
	return section, nil
}

// scale compares one core with two, by a sample of the month, and a loop that needs
// no memory beside.
func scale(s settings, sessions int) (report.Table, report.Goal) {
	t := report.Table{
		Caption: fmt.Sprintf("From one core to two, with %d of the %s customers", sampled, report.Significant(shards)),
		Header:  []string{"", "one core", "two cores", "times as fast", "least to most"},
	}
	row := func(name string, work func(cores int)) measure.Spread {
		var one, two, times []float64
		for round := range s.Rounds {
			turns := [2]float64{}
			for turn := range turns {
				i := (round + turn) % len(turns)
				runtime.GC()
				turns[i] = measure.Time(func() { work(i + 1) })
			}
			one, two, times = append(one, turns[0]), append(two, turns[1]), append(times, turns[0]/turns[1])
		}
		spread := measure.SpreadOf(times)
		t.Rows = append(t.Rows, []string{
			name, report.Duration(measure.SpreadOf(one).Median), report.Duration(measure.SpreadOf(two).Median),
			report.Times(spread.Median), report.Times(spread.Least) + " to " + report.Times(spread.Most),
		})
		return spread
	}
	play := func(cores int) { keptNumber += month(sessions, sampled, cores).commands }
	ours := row("the month", play)
	debug.SetGCPercent(growthDefault)
	row(fmt.Sprintf("the month, with GOGC=%d", growthDefault), play)
	row("counting, the limit of this machine", func(cores int) { count(s.scaled(1_000_000_000, 1_000_000), cores) })
	return t, report.AtLeast(fmt.Sprintf("a month: one core ÷ two cores (GOGC=%d)", growth), "%.2f×", 1.8, ours)
}

// count counts to a number on so many cores together.
func count(to, cores int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	var workers sync.WaitGroup
	for range cores {
		workers.Go(func() {
			x := uint64(1)
			for range to / cores {
				x ^= x << 13
				x ^= x >> 7
				x ^= x << 17
			}
			if x == 0 {
				panic("bench: xorshift never comes to zero")
			}
		})
	}
	workers.Wait()
}

// tally counts what happened.
type tally struct {
	sessions, commands                int
	taken, duplicate, stale, refused  int
	failures, retries, resolutions    int
	reactivations, deletions, givenUp int
	announcements, done, open         int
	last                              time.Time // the latest that anything happened
}

func (t *tally) add(o tally) {
	t.sessions += o.sessions
	t.commands += o.commands
	t.taken += o.taken
	t.duplicate += o.duplicate
	t.stale += o.stale
	t.refused += o.refused
	t.failures += o.failures
	t.retries += o.retries
	t.resolutions += o.resolutions
	t.reactivations += o.reactivations
	t.deletions += o.deletions
	t.givenUp += o.givenUp
	t.announcements += o.announcements
	t.done += o.done
	t.open += o.open
	if o.last.After(t.last) {
		t.last = o.last
	}
}

// table returns what happened, and how fast.
func (t tally) table(sessions, cores int, took float64) report.Table {
	count := func(name string, n int) []string { return []string{name, report.Significant(float64(n))} }
	return report.Table{
		Caption: "The month", Header: []string{"", ""},
		Rows: [][]string{
			count("sessions", sessions),
			count("sessions per second, on "+fmt.Sprint(cores)+" cores", int(float64(sessions)/took*1e9)),
			count("commands", t.commands),
			count("commands per second", int(float64(t.commands)/took*1e9)),
			{"time, of this computer", report.Duration(took)},
			{"time, of the platform", fmt.Sprintf("%.1f days", t.last.Sub(noon).Hours()/24)},
			count("taken", t.taken),
			count("told twice", t.duplicate),
			count("told too late", t.stale),
			count("refused", t.refused),
			count("verifications failed, signatures declined or expired", t.failures),
			count("retries", t.retries),
			count("resolutions", t.resolutions),
			count("reactivations", t.reactivations),
			count("deletions", t.deletions),
			count("announcements", t.announcements),
			count("sessions done", t.done),
			count("sessions given up while blocked", t.givenUp),
			count("sessions under way when the month ended", t.open),
		},
	}
}
