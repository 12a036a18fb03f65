package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/sluicego/sluice/bench/internal/report"
)

// page returns the page without its sections.
func page(s settings) report.Report {
	r := report.Report{
		Title: "What it costs",
		About: []string{
			"Written by `go run ./bench`, which takes some three minutes: sluice beside what one would" +
				" pick instead, and beside the limit, in one run of one process.",
			fmt.Sprintf("Those who do the same work take turns of %s at least, in every round in an order of its own. Figures are"+
				" medians of %d rounds, with the least and the most beside them; ratios compare times of the same round."+
				" \"÷ sluice\" is how many times as long as sluice somebody takes: below 1× sluice is slower. Bytes, allocations,"+
				" Put and the month as a whole are measured once.", s.Turn, s.Rounds),
			"Look at the ratios: times are those of one machine on one day, which it shared with others. A goal that is met by" +
				" little may be missed another time, and the other way round.",
		},
		Facts: []report.Fact{
			{Name: "processor", Value: fmt.Sprintf("%s, %d cores in use", processor(), runtime.GOMAXPROCS(0))},
			{Name: "day", Value: time.Now().UTC().Format(time.DateOnly)},
			{Name: "system", Value: runtime.GOOS + "/" + runtime.GOARCH},
			{Name: "Go", Value: runtime.Version()},
		},
	}
	if s.quick {
		r.About = []string{"Written by `go run ./bench -quick`, which only shows that it runs: the figures say nothing."}
	}
	return withVersions(r)
}

// withVersions adds the versions of what is measured besides sluice.
func withVersions(r report.Report) report.Report {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return r
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/looplab/fsm", "github.com/qmuntal/stateless", "modernc.org/sqlite", "github.com/jackc/pgx/v5":
			r.Facts = append(r.Facts, report.Fact{Name: m.Path, Value: m.Version})
		}
	}
	return r
}

// processor returns the name of the processor where the system tells it.
func processor() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "a processor"
	}
	defer func() { _ = file.Close() }() // it was read only
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "a processor"
}
