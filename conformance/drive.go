package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// DefaultTimeout is how long a program may take for an answer.
const DefaultTimeout = 10 * time.Second

// patience is how many questions in a row may go without an answer before the
// program is given up: what hangs or crashes each time says no more.
const patience = 10

// ErrPeer is what every error of [Drive] unwraps to but that of the context:
// there is no program to ask.
var ErrPeer = errors.New("conformance: no program to ask")

// Options are how [Drive] asks. The zero Options ask everything.
type Options struct {
	// Vectors are what to ask; nil for all of Vectors.
	Vectors []Vector
	// Timeout is how long the program may take for an answer, and to greet;
	// 0 for DefaultTimeout.
	Timeout time.Duration
	// Report is told each result as it is known; may be nil.
	Report func(Result)
}

// Drive starts a program, asks it the vectors over its standard input and
// output, and returns its name, as it greets, and a result for each vector. A
// program that ends, falls silent or answers out of turn is started anew for
// the next vector; the result has what it wrote to standard error.
//
// It returns an error if the program cannot be started, or does not greet as
// FORMAT.md says, before it has answered anything, and if the context is done.
func Drive(ctx context.Context, command []string, o Options) (name string, results []Result, err error) {
	if len(command) == 0 {
		return "", nil, fmt.Errorf("%w: the command is empty", ErrPeer)
	}
	if o.Vectors == nil {
		o.Vectors = Vectors()
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	d := driver{command: command, timeout: o.Timeout}
	defer d.stop()
	if err := d.start(ctx); err != nil {
		return "", nil, cmp.Or(ctx.Err(), err)
	}
	name = d.peer.name
	for _, v := range o.Vectors {
		r := d.ask(ctx, v)
		if ctx.Err() != nil {
			return name, results, ctx.Err()
		}
		if results = append(results, r); o.Report != nil {
			o.Report(r)
		}
	}
	return name, results, nil
}

// driver asks a program, and starts it again where it failed.
type driver struct {
	command []string
	timeout time.Duration
	peer    *peer // nil if there is none at the moment
	silent  int   // how many vectors in a row had no answer
}

func (d *driver) start(ctx context.Context) (err error) {
	d.peer, err = start(ctx, d.command, d.timeout)
	return err
}

func (d *driver) stop() {
	if d.peer != nil {
		d.peer.stop(d.timeout)
		d.peer = nil
	}
}

// ask asks all questions of a vector, up to the first that is not answered as
// it should be.
func (d *driver) ask(ctx context.Context, v Vector) Result {
	if d.silent >= patience {
		return Result{Vector: v, Verdict: NotAsked, Failure: "the program was given up"}
	}
	began := time.Now()
	r := Result{Vector: v, Verdict: Passed}
	for q := range v.Questions() {
		if r = d.question(ctx, v, q); r.Verdict != Passed {
			break
		}
	}
	r.Took = time.Since(began)
	return r
}

func (d *driver) question(ctx context.Context, v Vector, q Question) Result {
	r := Result{Vector: v, Question: q, Verdict: Passed}
	if d.peer == nil {
		if err := d.start(ctx); err != nil {
			d.silent++
			r.Verdict, r.Failure = Failed, err.Error()
			return r
		}
	}
	answer, err := d.peer.ask(ctx, q, d.timeout)
	if err != nil {
		d.silent++
		r.Verdict, r.Failure = Failed, err.Error()
		r.Failure += d.peer.stop(grace)
		r.Stderr = d.peer.stderr.String()
		d.peer = nil
		return r
	}
	d.silent = 0
	switch {
	case answer.UnknownArea:
		r.Verdict = Unknown
	case answer.Failure != "":
		r.Verdict, r.Failure = Failed, "the program says: "+answer.Failure
	case answer.Then == nil:
		r.Verdict, r.Failure = Failed, "the answer has none of then, unknown_area and failure"
	case answer.Then.Steps == nil || answer.Then.End == nil:
		r.Verdict, r.Failure = Failed, "the answer's then has not both of steps and end"
	default:
		r.hold(*answer.Then)
	}
	if r.Verdict == Failed {
		r.Stderr = d.peer.stderr.String()
	}
	d.peer.stderr.Reset()
	return r
}
