// Command bench measures sluice beside what one would pick instead, and beside
// the limit, in one run of some three minutes:
//
//	go run ./bench
//
// It writes bench/RESULTS.md and the charts that stand in it. With -quick it does
// everything once, with little of it, to show that it runs; those figures say
// nothing and are not kept. With -only it measures the sections whose names
// match an expression and prints their page instead of writing it.
//
// All who do the same work take turns in one process, in every round in another
// order; figures are medians of the rounds, with the least and the most, and
// ratios those of one round. What a rival does not do is said below each table.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
)

// settings are how thoroughly to measure.
type settings struct {
	measure.Effort
	quick bool
}

// scaled returns the number of things to measure with.
func (s settings) scaled(thorough, quick int) int {
	if s.quick {
		return quick
	}
	return thorough
}

// sizes are powers of ten from one to a million, both included.
func (s settings) sizes(from int) []int {
	to := s.scaled(1_000_000, 100*from)
	var list []int
	for n := from; n <= to; n *= 10 {
		list = append(list, n)
	}
	return list
}

// sections are the parts of the bench, in the order of the page.
var sections = []struct {
	name string
	hold func(settings) (report.Section, error)
}{
	{"transition", holdTransition},
	{"text", holdText},
	{"group", holdGroup},
	{"webhook", holdWebhook},
	{"document", holdDocument},
	{"replay", holdReplay},
	{"matcher", holdMatcher},
	{"saves", holdSaves},
	{"memory", holdMemory},
	{"month", holdMonth},
}

func main() {
	var (
		quick  = flag.Bool("quick", false, "do little of everything, and keep nothing: shows that it runs")
		only   = flag.String("only", "", "measure the sections that match this expression, and print their page")
		out    = flag.String("out", "bench", "the folder to write RESULTS.md and charts to")
		rounds = flag.Int("rounds", 0, "how often everybody has a turn; by default 7, and 1 with -quick")
		turn   = flag.Duration("turn", 0, "how long a turn takes at least; by default 12ms, and 100µs with -quick")
	)
	flag.Parse()
	s := settings{measure.Effort{Rounds: cmp.Or(*rounds, 7), Turn: cmp.Or(*turn, 12*time.Millisecond)}, *quick}
	if *quick {
		s.Effort = measure.Effort{Rounds: cmp.Or(*rounds, 1), Turn: cmp.Or(*turn, 100*time.Microsecond)}
	}
	if err := run(s, *only, *out, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// names returns the names of the sections.
func names() []string {
	var list []string
	for _, s := range sections {
		list = append(list, s.name)
	}
	return list
}

// run measures, and writes the page to where it belongs.
func run(s settings, only, out string, args []string, stdout io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q; sections are chosen by -only", args[0])
	}
	if s.Rounds < 1 || s.Turn < 1 {
		return fmt.Errorf("-rounds is %d and -turn %s; both must be positive", s.Rounds, s.Turn)
	}
	chosen, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	kept := only == "" && !s.quick
	if info, err := os.Stat(out); kept && (err != nil || !info.IsDir()) {
		return fmt.Errorf("there is no folder %s to write to: run it from the root of the repository, or name one by -out", out)
	}
	page := page(s)
	begin := time.Now()
	for _, section := range sections {
		if !chosen.MatchString(section.name) {
			continue
		}
		start := time.Now()
		held, err := section.hold(s)
		if err != nil {
			return fmt.Errorf("%s: %w", section.name, err)
		}
		page.Sections = append(page.Sections, held)
		fmt.Fprintf(os.Stderr, "%-10s %5.1f s\n", section.name, time.Since(start).Seconds())
	}
	if len(page.Sections) == 0 {
		return fmt.Errorf("-only: no section matches %q; there are %s", only, strings.Join(names(), ", "))
	}
	fmt.Fprintf(os.Stderr, "%-10s %5.1f s\n", "all", time.Since(begin).Seconds())
	if kept {
		return page.Write(out)
	}
	return printed(page, stdout)
}

// printed writes a page that is not kept: its charts are drawn, and thrown away.
func printed(page report.Report, stdout io.Writer) error {
	folder, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // what remains is in the temporary folder
	if err := page.Write(folder); err != nil {
		return err
	}
	_, err = stdout.Write(page.Markdown())
	return err
}
