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
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/transcript"
)

var conform = command{
	name: "conform", operands: "-- CMD",
	short: "holds another implementation against the rules",
	apart: true,
	long: `
It starts CMD, a program with its arguments, asks it every conformance vector
over its standard input and output, and prints every difference and a table of
the areas. CMD may be written in any language; conformance/FORMAT.md has the
vectors' format and the protocol, and -list -json prints the vectors.

An area that CMD says it does not know counts neither as right nor as wrong. If
CMD ends or falls silent, that is a failure of the vector that it was asked, and
it is started again for the next one. After ten vectors in a row without an
answer it is given up: the others are "not asked", and the run fails. When its
input ends, CMD has to end too, with status 0.

If the run is interrupted (Ctrl-C, SIGTERM), CMD is ended, what there is so far
is shown as usual, and the others are "not asked".

The exit status is 0 if there is no difference; 1 if there is one, if CMD knows
no area, cannot be asked or does not end well, if the run was interrupted or a
file cannot be written; and 2 if the command line is wrong.

  sluice conform -- sluice answer
  sluice conform -run '^(attempt|resolve)/' -- python3 peer.py`,
	prepare: func(flags *flag.FlagSet) func(streams, []string) error {
		c := conforming{timeout: span(conformance.DefaultTimeout)}
		run := flags.String("run", "", "ask only the vectors whose id matches the `REGEX`")
		flags.Var(&c.timeout, "timeout", "the `duration` that an answer may take, as 5s or 1m")
		flags.BoolVar(&c.strict, "strict", false, "an area that is not known counts as wrong")
		flags.BoolVar(&c.list, "list", false, "list the vectors and ask nobody; with -json, as they are in full")
		flags.BoolVar(&c.asJSON, "json", false, "print the results as JSON, one line each, and then a line of totals")
		flags.StringVar(&c.junit, "junit", "", "write the results to `FILE` as JUnit does")
		flags.IntVar(&c.most, "max", 0, "show at most so many `failures`; 0 is all")
		return func(s streams, operands []string) error {
			c.streams = s
			if err := c.choose(*run); err != nil {
				return err
			}
			if err := c.check(operands); err != nil {
				return err
			}
			if c.list {
				return c.print()
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second one ends this program at once
			return c.run(ctx, operands)
		}
	},
}

// behindDashes parses flags, and returns a command line that stands behind --. It
// has flags of its own: without the -- nobody could tell which are whose.
func behindDashes(flags *flag.FlagSet, args []string) ([]string, error) {
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	rest := flags.Args()
	if n := len(args) - len(rest); len(rest) > 0 && (n == 0 || args[n-1] != "--") {
		return nil, fmt.Errorf("the command stands behind --, and there is none before %q", rest[0])
	}
	return rest, nil
}

// span is a flag for a time to wait.
type span time.Duration

// String returns it with its unit.
func (s *span) String() string { return time.Duration(*s).String() }

// Set reads it.
func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if _, seconds := time.ParseDuration(text + "s"); err != nil && seconds == nil {
		return fmt.Errorf("it has no unit; is %q meant?", text+"s")
	}
	if err != nil {
		return errors.New("a duration is wanted, as 5s or 1m")
	}
	*s = span(d)
	return nil
}

// conforming holds an implementation against the vectors.
type conforming struct {
	streams

	timeout              span
	strict, list, asJSON bool
	junit                string
	most                 int // failures to be shown; 0 for all

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

// check tells of operands and flags that do not go together.
func (c *conforming) check(operands []string) error {
	switch {
	case c.most < 0:
		return usagef("-max is %d; it is 0 or more", c.most)
	case c.most > 0 && c.asJSON:
		return usagef("-max does not go with -json, which has a line for each vector")
	case c.list && len(operands) > 0:
		return usagef("-list asks nobody; got %q", operands)
	case c.list && c.junit != "":
		return usagef("-list asks nobody; there is nothing for -junit to write")
	case !c.list && len(operands) == 0:
		return usagef("a command is wanted, behind --")
	case c.timeout <= 0:
		return usagef("-timeout: %v is no time to answer in", &c.timeout)
	default:
		return nil
	}
}

// print lists the vectors.
func (c *conforming) print() error {
	if c.asJSON {
		e := json.NewEncoder(c.out)
		e.SetEscapeHTML(false)
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

// run asks a program, and reports to where the flags say.
func (c *conforming) run(ctx context.Context, cmd []string) error {
	if c.junit == "" {
		return c.ask(ctx, cmd, nil)
	}
	// First of all, so that nobody waits for a file that cannot be written.
	file, err := os.Create(c.junit)
	if err != nil {
		return err
	}
	return errors.Join(c.ask(ctx, cmd, file), file.Close())
}

// ask asks a program, and reports: to junit too, unless it is nil.
func (c *conforming) ask(ctx context.Context, cmd []string, junit io.Writer) error {
	began := time.Now()
	name, results, err := conformance.Drive(ctx, cmd, conformance.Options{
		Vectors: c.vectors, Timeout: time.Duration(c.timeout), Report: c.progress,
	})
	c.endProgress()
	if err != nil && ctx.Err() != nil {
		err = errInterrupted
		for _, v := range c.vectors[len(results):] {
			results = append(results, conformance.Result{Vector: v, Verdict: conformance.NotAsked, Failure: err.Error()})
		}
	}
	r := tally(name, results, c.strict, err)
	if !errors.Is(err, conformance.ErrPeer) {
		if err := c.tell(r, results, time.Since(began)); err != nil {
			return err
		}
	}
	if junit != nil {
		if err := writeJUnit(junit, r, results); err != nil {
			return err
		}
	}
	return r.verdict()
}

// errInterrupted is that of a run that was told to stop.
var errInterrupted = errors.New("interrupted")

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
	shown := 0
	for _, result := range results {
		if result.Verdict == conformance.Failed && (c.most == 0 || shown < c.most) {
			if err := c.printLines(result.String()); err != nil {
				return err
			}
			shown++
		}
	}
	if more := r.Total.Failed - shown; more > 0 {
		if err := c.printLines(fmt.Sprintf("-max %d: %s not shown", c.most, number(more, "more failure is", "more failures are"))); err != nil {
			return err
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
