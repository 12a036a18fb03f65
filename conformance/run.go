package conformance

import (
	"errors"
	"testing"
)

// Run asks an implementation in Go every vector, with a subtest for each that
// has the id of the vector as its name. Vectors of areas that it does not know
// are skipped; an implementation that knows none fails.
func Run(t *testing.T, answer Answer) {
	t.Helper()
	known, asked := false, 0
	for _, v := range Vectors() {
		t.Run(v.ID, func(t *testing.T) {
			asked++
			switch r := v.ask(answer); r.Verdict {
			case Unknown:
				t.Skipf("the implementation does not know area %s", v.Area())
			case Failed:
				t.Error(r)
				fallthrough
			default:
				known = true
			}
		})
	}
	if asked > 0 && !known {
		t.Error("the implementation knows no area that it was asked")
	}
}

// ask asks an implementation in Go all questions of v, up to the first that it
// does not answer as it should.
func (v Vector) ask(answer Answer) Result {
	for q := range v.Questions() {
		then, err := answer(q)
		r := Result{Vector: v, Question: q, Verdict: Passed}
		switch {
		case errors.Is(err, ErrUnknownArea):
			r.Verdict = Unknown
		case err != nil:
			r.Verdict, r.Failure = Failed, err.Error()
		default:
			r.hold(then)
		}
		if r.Verdict != Passed {
			return r
		}
	}
	return Result{Vector: v, Verdict: Passed}
}
