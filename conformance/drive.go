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

// What a [ProgramError] unwraps to.
var (
	// ErrPeer says that there is no program to ask.
	ErrPeer = errors.New("conformance: no program to ask")
	// ErrEnd says that the program was asked everything, but did not end with
	// status 0 at the end of its input, as FORMAT.md says.
	ErrEnd = errors.New("conformance: the program does not end as it should at the end of its input")
)

// ProgramError is an error of [Drive] about the program.
type ProgramError struct {
	Kind   error  // ErrPeer or ErrEnd
	Reason error  // what is wrong with it
	Stderr string // the end of what it wrote to standard error
}

// Error returns all three, the last one in lines of its own.
func (e *ProgramError) Error() string {
	text := fmt.Sprintf("%v: %v", e.Kind, e.Reason)
	if e.Stderr != "" {
		text += "; it wrote to standard error:\n" + e.Stderr
	}
	return text
}

// Unwrap returns the kind and the reason.
func (e *ProgramError) Unwrap() []error { return []error{e.Kind, e.Reason} }

// Options are how [Drive] asks. The zero Options ask everything.
type Options struct {
	// Vectors are what to ask; nil for all of Vectors.
	Vectors []Vector
	// Timeout is how long the program may take for an answer, to greet, and to
	// end after its input has ended; 0 for DefaultTimeout.
	Timeout time.Duration
	// Report is told each result as it is known; may be nil.
	Report func(Result)
}

// Drive starts a program, asks it the vectors over its standard input and
// output, and returns its name, as it greets, and a result for each vector. A
// program that ends, falls silent or answers out of turn is started anew for
// the next vector; the result has what it wrote to standard error. After ten
// vectors in a row without an answer it is given up: the others are not asked. On
// Unix, all that the program started in its process group is ended with it.
//
// It returns a [ProgramError] that is [ErrPeer] if the program cannot be started,
// or does not greet as FORMAT.md says, before it has answered anything; one that
// is [ErrEnd], and all results, if it was asked everything and does not end as
// FORMAT.md says; and, if the context is done, the error of that and the results
// until then.
func Drive(ctx context.Context, command []string, o Options) (name string, results []Result, err error) {
	if len(command) == 0 {
		return "", nil, &ProgramError{Kind: ErrPeer, Reason: errors.New("the command is empty")}
	}
	if o.Vectors == nil {
		o.Vectors = Vectors()
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	d := driver{command: command, timeout: o.Timeout}
	defer func() { _ = d.stop() }() // where it does not come to the end below
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
	if err := d.stop(); err != nil {
		return name, results, cmp.Or(ctx.Err(), err)
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

// stop ends the program, if there is one. It returns an error if the program does
// not end as it should.
func (d *driver) stop() error {
	if d.peer == nil {
		return nil
	}
	p := d.peer
	d.peer = nil
	if err := p.stop(d.timeout); err != nil {
		return &ProgramError{ErrEnd, err, p.stderr.String()}
	}
	return nil
}

// ask asks all questions of a vector, up to the first that is not answered as
// it should be.
func (d *driver) ask(ctx context.Context, v Vector) Result {
	if d.silent >= patience {
		return Result{
			Vector: v, Verdict: NotAsked,
			Failure: fmt.Sprintf("the program was given up after %d vectors in a row without an answer", patience),
		}
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
			if program := (*ProgramError)(nil); errors.As(err, &program) {
				r.Failure, r.Stderr = "it cannot be started again: "+program.Reason.Error(), program.Stderr
			}
			return r
		}
	}
	answer, err := d.peer.ask(ctx, q, d.timeout)
	if err != nil {
		d.silent++
		r.Verdict, r.Failure = Failed, err.Error()
		r.Failure += d.peer.giveUp()
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
