package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/transcript"
)

var conform = command{
	name: "conform", operands: "-- CMD",
	short: "holds another implementation against the rules",
	long: `
It starts CMD, a program with its arguments, asks it every conformance vector
over its standard input and output, and prints every difference and a table of
the areas. CMD may be written in any language; conformance/FORMAT.md has the
vectors' format and the protocol.

An area that CMD says it does not know counts neither as right nor as wrong. If
CMD ends or falls silent, that is a failure of the vector that it was asked, and
it is started again for the next one.

The exit status is 0 if there is no difference, 1 if there is one, if CMD knows
no area or cannot be asked, and 2 if the command line is wrong.

  sluice conform -- sluice answer
  sluice conform -run '^(attempt|resolve)/' -- python3 peer.py`,
	prepare: func(flags *flag.FlagSet) func(streams, []string) error {
		var c conforming
		run := flags.String("run", "", "ask only the vectors whose id matches the `REGEX`")
		flags.DurationVar(&c.timeout, "timeout", conformance.DefaultTimeout, "how long an answer may take")
		flags.BoolVar(&c.strict, "strict", false, "an area that is not known counts as wrong")
		flags.BoolVar(&c.list, "list", false, "list the vectors and ask nobody")
		flags.BoolVar(&c.asJSON, "json", false, "print the results as JSON, one line each, and then a line of totals")
		flags.StringVar(&c.junit, "junit", "", "write the results to `FILE` as JUnit does")
		return func(s streams, operands []string) error {
			c.streams = s
			if err := c.choose(*run); err != nil {
				return err
			}
			switch {
			case c.list && len(operands) > 0:
				return usagef("-list asks nobody; got %q", operands)
			case c.list:
				return c.print()
			case len(operands) == 0:
				return usagef("a command is wanted, behind --")
			case c.timeout <= 0:
				return usagef("-timeout: %v is no time to answer in", c.timeout)
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			return c.ask(ctx, operands)
		}
	},
}

// conforming holds an implementation against the vectors.
type conforming struct {
	streams

	timeout              time.Duration
	strict, list, asJSON bool
	junit                string

	vectors []conformance.Vector
	done    int // vectors that were asked
}

// choose takes the vectors whose id matches.
func (c *conforming) choose(expression string) error {
	match, err := regexp.Compile(expression)
	if err != nil {
		return usagef("-run: %v", err)
	}
	for _, v := range conformance.Vectors() {
		if match.MatchString(v.ID) {
			c.vectors = append(c.vectors, v)
		}
	}
	if c.vectors == nil {
		return usagef("-run: no vector has an id that matches %q", expression)
	}
	return nil
}

// print lists the vectors.
func (c *conforming) print() error {
	if c.asJSON {
		e := json.NewEncoder(c.out)
		for _, v := range c.vectors {
			if err := e.Encode(v); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, v := range c.vectors {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.ID, v.Kind, strings.Join(v.Rules, " "), v.Shows); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (c *conforming) ask(ctx context.Context, cmd []string) error {
	began := time.Now()
	name, results, err := conformance.Drive(ctx, cmd, conformance.Options{
		Vectors: c.vectors, Timeout: c.timeout, Report: c.progress,
	})
	c.endProgress()
	if err != nil {
		return err
	}
	report := tally(name, results, c.strict)
	if err := c.tell(report, results, time.Since(began)); err != nil {
		return err
	}
	if c.junit != "" {
		if err := writeJUnit(c.junit, report, results); err != nil {
			return err
		}
	}
	return report.verdict()
}

// progress shows on a terminal how far it is.
func (c *conforming) progress(conformance.Result) {
	c.done++
	if isTerminal(c.err) && (c.done%16 == 0 || c.done == len(c.vectors)) {
		complain(c.err, "\r%d of %d", c.done, len(c.vectors))
	}
}

func (c *conforming) endProgress() {
	if isTerminal(c.err) {
		complain(c.err, "\r\x1b[K")
	}
}

// tell prints what came of it.
func (c *conforming) tell(r report, results []conformance.Result, took time.Duration) error {
	if c.asJSON {
		return r.json(c.out, results)
	}
	for _, result := range results {
		if result.Verdict == conformance.Failed {
			if err := c.printLines(result.String()); err != nil {
				return err
			}
		}
	}
	if err := r.table(c.out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "\n%s: %s, in %v\n", transcript.Visible(r.Name), r.sentence(), took.Round(10*time.Millisecond))
	return err
}

// printLines prints lines of which parts are the program's, and an empty one.
func (c *conforming) printLines(text string) error {
	for line := range strings.Lines(text) {
		if _, err := fmt.Fprintln(c.out, transcript.Visible(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(c.out)
	return err
}

// counts are how many vectors there are of each verdict.
type counts struct {
	Area     string `json:"area"`
	Vectors  int    `json:"vectors"`
	Passed   int    `json:"passed"`
	Failed   int    `json:"failed"`
	Unknown  int    `json:"unknown"`
	NotAsked int    `json:"not_asked"`
}

func (c *counts) add(v conformance.Verdict) {
	c.Vectors++
	switch v {
	case conformance.Passed:
		c.Passed++
	case conformance.Failed:
		c.Failed++
	case conformance.Unknown:
		c.Unknown++
	case conformance.NotAsked:
		c.NotAsked++
	}
}

// report is what came of it in numbers.
type report struct {
	Name   string   `json:"name"`
	Areas  []counts `json:"areas"`
	Total  counts   `json:"total"`
	strict bool
}

func tally(name string, results []conformance.Result, strict bool) report {
	r := report{Name: name, Total: counts{Area: "all"}, strict: strict}
	if name == "" {
		r.Name = "the program"
	}
	for _, result := range results {
		area := result.Vector.Area()
		if n := len(r.Areas); n == 0 || r.Areas[n-1].Area != area {
			r.Areas = append(r.Areas, counts{Area: area})
		}
		r.Areas[len(r.Areas)-1].add(result.Verdict)
		r.Total.add(result.Verdict)
	}
	return r
}

func (r report) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(c counts) {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", c.Area, c.Vectors, c.Passed, c.Failed, c.Unknown, c.NotAsked)
	}
	_, _ = fmt.Fprintln(t, "area\tvectors\tpassed\tfailed\tunknown\tnot asked\t")
	for _, c := range r.Areas {
		row(c)
	}
	row(r.Total)
	return t.Flush() // tells of errors before
}

func (r report) sentence() string {
	switch t := r.Total; {
	case t.Failed+t.NotAsked > 0:
		return fmt.Sprintf("%d of %d vectors fail", t.Failed+t.NotAsked, t.Vectors)
	case t.Passed == 0:
		return "it knows no area"
	case t.Unknown > 0:
		return fmt.Sprintf("all %d vectors of the areas that it knows pass; %d are of areas that it does not know", t.Passed, t.Unknown)
	default:
		return fmt.Sprintf("all %d vectors pass", t.Passed)
	}
}

// verdict is an error unless the implementation conforms.
func (r report) verdict() error {
	t := r.Total
	if t.Failed+t.NotAsked > 0 || t.Passed == 0 || r.strict && t.Unknown > 0 {
		return errors.New(r.sentence())
	}
	return nil
}

// resultJSON is a result in a line of JSON.
type resultJSON struct {
	ID          string                   `json:"id"`
	Rules       []string                 `json:"rules"`
	Verdict     conformance.Verdict      `json:"verdict"`
	Order       string                   `json:"order,omitempty"`
	Differences []conformance.Difference `json:"differences,omitempty"`
	Failure     string                   `json:"failure,omitempty"`
	Stderr      string                   `json:"stderr,omitempty"`
	Got         *conformance.Then        `json:"got,omitempty"`
}

func (r report) json(w io.Writer, results []conformance.Result) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, result := range results {
		line := resultJSON{
			ID: result.Vector.ID, Rules: result.Vector.Rules, Verdict: result.Verdict,
			Differences: result.Differences, Failure: result.Failure, Stderr: result.Stderr,
		}
		_, line.Order, _ = strings.Cut(result.Question.ID, "#")
		if result.Differences != nil {
			line.Got = &result.Got
		}
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return e.Encode(r)
}
