package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Verdict says how an implementation did on a vector.
type Verdict string

// The verdicts.
const (
	Passed   Verdict = "passed"
	Failed   Verdict = "failed"
	Unknown  Verdict = "unknown"   // it does not know the area
	NotAsked Verdict = "not asked" // the program was given up before
)

// Result is how an implementation did on a vector.
type Result struct {
	Vector  Vector
	Verdict Verdict
	// Question is the one that was not answered as it should; of a vector that
	// asks for all orders, the first such.
	Question Question
	// Got is what came of it, and Differences are where that does not fit.
	Got         Then
	Differences []Difference
	// Failure says why there is nothing to compare, or why it was not asked: ""
	// if there is.
	Failure string
	// Stderr is the end of what the program wrote to standard error since the
	// question, if it failed.
	Stderr string
	Took   time.Duration
}

// hold holds what came of a question against the vector.
func (r *Result) hold(got Then) {
	if r.Differences = r.Vector.Differences(got); r.Differences != nil {
		r.Verdict, r.Got = Failed, got
	}
}

// String returns the result for people: of a failure, the vector as given,
// expected and got, with what differs.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s (%s)\n", r.Verdict, r.Vector.ID, r.Vector.Shows, strings.Join(r.Vector.Rules, ", "))
	switch r.Verdict {
	case NotAsked:
		fmt.Fprintf(&b, "  failure   %s\n", r.Failure)
		return b.String()
	case Passed, Unknown:
		return b.String()
	case Failed:
	}
	if r.Question.ID != r.Vector.ID {
		fmt.Fprintf(&b, "  in the order %s\n", strings.TrimPrefix(r.Question.ID, r.Vector.ID+"#"))
	}
	fmt.Fprintf(&b, "  given     %s\n", compact(r.Question.Given))
	for i, step := range r.Question.When {
		fmt.Fprintf(&b, "  %s %s\n", label("when", i), compact(step))
	}
	for i, step := range r.Vector.Then.Steps {
		fmt.Fprintf(&b, "  %s %s\n", label("expected", i), compact(step))
	}
	if r.Vector.Then.End != nil {
		fmt.Fprintf(&b, "  expected  end %s\n", compact(r.Vector.Then.End))
	}
	for i, step := range r.Got.Steps {
		fmt.Fprintf(&b, "  %s %s\n", label("got", i), compact(step))
	}
	if r.Got.End != nil {
		fmt.Fprintf(&b, "  got       end %s\n", compact(r.Got.End))
	}
	for _, d := range r.Differences {
		fmt.Fprintf(&b, "  differs   %s\n", d)
	}
	if r.Failure != "" {
		fmt.Fprintf(&b, "  failure   %s\n", r.Failure)
	}
	for line := range strings.Lines(r.Stderr) {
		fmt.Fprintf(&b, "  stderr    %s\n", strings.TrimRight(line, "\r\n"))
	}
	return b.String()
}

// label names one of several lines: the part and the number of the step.
func label(part string, i int) string {
	return fmt.Sprintf("%-9s %d.", part, i+1)
}

// compact is a JSON text in one line.
func compact(text json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return string(text)
	}
	return b.String()
}
