package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxStderr = 8 << 10 // bytes that are kept of standard error

	// grace is how long a program that failed may take to end: its own status
	// says more than that it was killed.
	grace = 200 * time.Millisecond

	// soon is when it is known that a program has ended, after its pipes tell of it.
	soon = time.Second

	// leftover is how long the pipes of a program that has ended stay open for
	// processes that hold them and are not of its group.
	leftover = time.Second
)

// process is a program that was started. What it starts itself is ended with it
// where the system has process groups, as long as it stays in the program's.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	stderr *tail
	exited chan struct{} // closed when the program has ended, with how set
	ended  chan struct{} // closed when nothing of it is left to be read, too
	how    error         // nil for status 0

	reading sync.WaitGroup // who reads what it writes
}

// launch starts a program, which is ended when the context is done. The caller
// reads out up to its end, closes it and says so to reading.
func launch(ctx context.Context, command []string) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// The program is the caller's choice; that is what this is for.
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec // see above
	ownGroup(cmd)
	in, failedIn := cmd.StdinPipe()
	out, failedOut := cmd.StdoutPipe()
	said, failedErr := cmd.StderrPipe()
	if err := errors.Join(failedIn, failedOut, failedErr); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{
		cmd: cmd, in: in, out: out, stderr: new(tail),
		exited: make(chan struct{}), ended: make(chan struct{}),
	}
	p.reading.Add(2)
	go func() {
		defer p.reading.Done()
		_, _ = io.Copy(p.stderr, said) // what there is of it
		_ = said.Close()
	}()
	go p.wait(said, context.AfterFunc(ctx, p.kill))
	return p, nil
}

// wait waits for the end of the program and ends what it left behind. It is the
// process that is waited for and not the command, which would close the pipes
// before they are read.
func (p *process) wait(said io.Closer, disarm func() bool) {
	state, err := p.cmd.Process.Wait()
	disarm()
	_ = endGroup(p.cmd.Process) // nobody may be left of it
	if p.how = err; err == nil && !state.Success() {
		p.how = &exec.ExitError{ProcessState: state}
	}
	close(p.exited)
	timer := time.AfterFunc(leftover, func() {
		_, _ = p.out.Close(), said.Close()
	})
	p.reading.Wait()
	timer.Stop()
	close(p.ended)
}

func (p *process) kill() {
	_ = endGroup(p.cmd.Process) // of which the program may be the last, and gone
	_ = p.cmd.Process.Kill()
}

// stop ends the input of the program, lets it end by itself within a time, and
// then ends it. It returns nil for status 0, an *exec.ExitError for how the program
// ended otherwise by itself, and else another error.
func (p *process) stop(within time.Duration) error {
	_ = p.in.Close() // the end of the program is what counts
	var killed atomic.Bool
	timer := time.AfterFunc(within, func() {
		killed.Store(true)
		p.kill()
	})
	<-p.exited
	timer.Stop()
	<-p.ended
	exit, signaled := (*exec.ExitError)(nil), false
	if errors.As(p.how, &exit) {
		signaled = !exit.Exited()
	}
	if signaled && killed.Load() {
		return fmt.Errorf("it does not end within %v", within)
	}
	return p.how
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
	lost bool
}

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if n := len(t.text) - maxStderr; n > 0 {
		t.text, t.lost = append(t.text[:0], t.text[n:]...), true
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost {
		return "…" + string(t.text)
	}
	return string(t.text)
}

func (t *tail) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text, t.lost = t.text[:0], false
}
