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
// All who do the same work take turns in one process, in every round in an order of
// its own; figures are medians of the rounds, with the least and the most, and
// ratios those of one round. What a rival does not do is said below each table.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
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
	hold func(context.Context, settings) (report.Section, error)
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

// What is done when the flags say nothing, and what must be done to be kept.
const (
	roundsByDefault, turnByDefault = 9, 15 * time.Millisecond
	roundsQuick, turnQuick         = 1, 100 * time.Microsecond
	roundsKept                     = 6
	folder                         = "bench"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, "go run ./bench measures sluice beside rivals and limits.\n\nSections: %s\n\nFlags:\n",
			strings.Join(names(), ", "))
		flag.PrintDefaults()
	}
	var (
		quick  = flag.Bool("quick", false, "do little of everything, and keep nothing: shows that it runs")
		only   = flag.String("only", "", "measure the sections that match this expression, and print their page")
		out    = flag.String("out", folder, "the `folder` to write RESULTS.md and charts to, of all sections")
		rounds = flag.Int("rounds", roundsByDefault, "how often everybody has a turn; 1 with -quick")
		turn   = flag.Duration("turn", turnByDefault, "how long a turn takes at least; 100µs with -quick")
	)
	flag.Parse()
	s := settings{measure.Effort{Rounds: *rounds, Turn: *turn}, *quick}
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if *quick && !given["rounds"] {
		s.Rounds = roundsQuick
	}
	if *quick && !given["turn"] {
		s.Turn = turnQuick
	}
	if !given["out"] && (*quick || *only != "") {
		*out = ""
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s, *only, *out, flag.Args(), os.Stdout)
	stop()
	if err != nil {
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

// check returns what is wrong with the flags.
func check(s settings, only, out string, args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q; sections are chosen by -only", args[0])
	case s.Rounds < 1 || s.Turn < 1:
		return fmt.Errorf("-rounds is %d and -turn %s; both must be positive", s.Rounds, s.Turn)
	case out != "" && (only != "" || s.quick):
		return errors.New("-out is for whole pages; with -only and with -quick nothing is written")
	case out == folder && (s.Rounds < roundsKept || s.Turn < turnByDefault):
		return fmt.Errorf("%d rounds of %s are too few for the page of the repository, which has %d of %s at least; name another folder by -out",
			s.Rounds, s.Turn, roundsKept, turnByDefault)
	case out == "":
		return nil
	}
	if info, err := os.Stat(out); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s to write to: run it from the root of the repository, or name one by -out", out)
	}
	return report.Prepare(out)
}

// run measures, and writes the page into a folder; without one it prints it.
func run(ctx context.Context, s settings, only, out string, args []string, stdout io.Writer) error {
	if err := check(s, only, out, args); err != nil {
		return err
	}
	chosen, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	page := page(s)
	begin := time.Now()
	for _, section := range sections {
		if !chosen.MatchString(section.name) {
			continue
		}
		start := time.Now()
		fmt.Fprintf(os.Stderr, "%-10s ", section.name)
		held, err := section.hold(ctx, s)
		if err = cmp.Or(err, ctx.Err()); err != nil {
			fmt.Fprintln(os.Stderr)
			return fmt.Errorf("%s: %w", section.name, err)
		}
		page.Sections = append(page.Sections, held)
		fmt.Fprintf(os.Stderr, "%5.1f s\n", time.Since(start).Seconds())
	}
	if len(page.Sections) == 0 {
		return fmt.Errorf("-only: no section matches %q; there are %s", only, strings.Join(names(), ", "))
	}
	fmt.Fprintf(os.Stderr, "%-10s %5.1f s\n", "all", time.Since(begin).Seconds())
	if out == "" {
		return printed(page, stdout)
	}
	if err := page.Write(out); err != nil {
		_, _ = stdout.Write(page.Markdown()) // lest all was in vain
		return err
	}
	return nil
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
	for i := range page.Sections {
		page.Sections[i].Charts = nil
	}
	_, err = stdout.Write(page.Markdown())
	return err
}
