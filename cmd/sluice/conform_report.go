package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/transcript"
)

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
	Name  string   `json:"name"`
	Areas []counts `json:"areas"`
	Total counts   `json:"total"`
	// Failure says what is wrong with the run itself: "" for nothing.
	Failure string `json:"failure,omitempty"`

	strict bool
	said   string // what the program wrote to standard error before
	reason string // why vectors were not asked
}

// tally counts results. The error is that of the run.
func tally(name string, results []conformance.Result, strict bool, err error) report {
	r := report{Name: name, Areas: []counts{}, Total: counts{Area: "all"}, strict: strict}
	if name == "" {
		r.Name = "the program"
	}
	if err != nil {
		r.Failure = plain(err)
	}
	if program := (*conformance.ProgramError)(nil); errors.As(err, &program) {
		r.Failure, r.said = plain(fmt.Errorf("%w: %w", program.Kind, program.Reason)), program.Stderr
	}
	for _, result := range results {
		area := result.Vector.Area()
		if n := len(r.Areas); n == 0 || r.Areas[n-1].Area != area {
			r.Areas = append(r.Areas, counts{Area: area})
		}
		r.Areas[len(r.Areas)-1].add(result.Verdict)
		r.Total.add(result.Verdict)
		if result.Verdict == conformance.NotAsked && r.reason == "" {
			r.reason = result.Failure
		}
	}
	return r
}

// plain is the message of an error without the name of the package that it comes
// from.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "conformance: ") }

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

// clause is a part of what is said of it all. A fault is why the implementation
// does not conform.
type clause struct {
	text  string
	fault bool
}

// clauses say what came of it.
func (r report) clauses() (list []clause) {
	say := func(fault bool, text string) { list = append(list, clause{text, fault}) }
	t := r.Total
	switch {
	case t.Failed > 0:
		say(true, r.of(t.Failed, "fails", "fail"))
	case t.Passed > 0:
		say(false, r.of(t.Passed, "passes", "pass"))
	case t.Unknown > 0:
		say(true, "it knows no area that it was asked")
	}
	switch {
	case t.Unknown == 0:
	case r.strict:
		say(true, "-strict: "+number(t.Unknown,
			"vector of an area that the program does not know counts as wrong",
			"vectors of areas that the program does not know count as wrong"))
	case t.Passed+t.Failed > 0:
		say(false, number(t.Unknown, "is of an area that it does not know", "are of areas that it does not know"))
	}
	if t.NotAsked > 0 {
		say(true, number(t.NotAsked, "was", "were")+" not asked: "+r.reason)
	}
	if r.Failure != "" && r.Failure != r.reason {
		say(true, r.Failure)
	}
	return list
}

// sentence says in a line what came of it.
func (r report) sentence() string {
	var list []string
	for _, c := range r.clauses() {
		list = append(list, c.text)
	}
	return strings.Join(list, "; ")
}

// verdict is an error unless the implementation conforms.
func (r report) verdict() error {
	var faults []string
	for _, c := range r.clauses() {
		if c.fault {
			faults = append(faults, c.text)
		}
	}
	if faults == nil {
		return nil
	}
	return &linesError{strings.Join(faults, "; ") + r.stderr()}
}

// stderr is what the program wrote before the run itself failed, for the end of a
// message.
func (r report) stderr() string {
	if r.said == "" {
		return ""
	}
	return "; it wrote to standard error:\n" + r.said
}

// of says how many of the vectors that were asked, and that the program knows the
// areas of, do something.
func (r report) of(n int, one, many string) string {
	t := r.Total
	all, which := t.Passed+t.Failed, ""
	if t.NotAsked > 0 {
		which = plural(all, " that was asked", " that were asked")
	}
	if t.Unknown > 0 {
		which += " of the areas that it knows"
	}
	switch {
	case all == 1:
		return fmt.Sprintf("the one vector%s %s", which, one)
	case n == all:
		return fmt.Sprintf("all %d vectors%s %s", n, which, many)
	default:
		return fmt.Sprintf("%d of %d vectors%s %s", n, all, which, plural(n, one, many))
	}
}

// plural chooses the word for a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// number is a number and the word for so many things.
func number(n int, one, many string) string {
	return fmt.Sprintf("%d %s", n, plural(n, one, many))
}

// linesError is an error whose message keeps its lines.
type linesError struct{ text string }

func (e *linesError) Error() string { return e.text }

// message is that of an error, in one line unless a linesError is in it.
func message(err error) string {
	if lines := (*linesError)(nil); !errors.As(err, &lines) {
		return oneLine(err)
	}
	var list []string
	for line := range strings.Lines(strings.TrimSpace(err.Error())) {
		list = append(list, transcript.Visible(strings.TrimRight(line, "\r\n")))
	}
	return strings.Join(list, "\n  ")
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
