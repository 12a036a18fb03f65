package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxLine   = 16 << 20 // bytes of an answer
	maxStderr = 8 << 10  // bytes that are kept of standard error

	// grace is how long a program that failed may take to end: its own status
	// says more than that it was killed.
	grace = 200 * time.Millisecond
)

// peer is a program that answers.
type peer struct {
	name   string // as it greeted
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan line
	stderr *tail
	ended  chan struct{} // closed when the program has ended, with how set
	how    error         // what Wait returned
	quit   chan struct{} // closed when nobody wants lines any more
}

// line is what the program wrote to standard output.
type line struct {
	text []byte
	err  error
}

// start starts a program and greets it.
func start(ctx context.Context, command []string, timeout time.Duration) (*peer, error) {
	p := &peer{
		stderr: new(tail), lines: make(chan line),
		ended: make(chan struct{}), quit: make(chan struct{}),
	}
	// The program is the caller's choice; that is what this is for.
	p.cmd = exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // see above
	p.cmd.Stderr = p.stderr
	p.cmd.WaitDelay = time.Second // for children that keep the pipes open
	out, stdout := io.Pipe()
	p.cmd.Stdout = stdout
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	p.in = in
	go func() {
		p.how = p.cmd.Wait()
		_ = stdout.Close() // never fails
		close(p.ended)
	}()
	go p.read(out)
	if err := p.greet(ctx, timeout); err != nil {
		err = fmt.Errorf("%w: %q %w%s", ErrPeer, command, err, p.stop(grace))
		if said := p.stderr.String(); said != "" {
			err = fmt.Errorf("%w; it wrote to standard error:\n%s", err, said)
		}
		return nil, err
	}
	p.stderr.Reset()
	return p, nil
}

// read hands on the lines of the program until it ends, or until nobody wants
// them any more; then it goes on reading, so that the program can end.
func (p *peer) read(out io.Reader) {
	defer close(p.lines)
	r := bufio.NewReaderSize(out, 64<<10)
	for {
		text, err := readLine(r)
		select {
		case p.lines <- line{text, err}:
		case <-p.quit:
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, r)
			return
		}
	}
}

// readLine reads a line of bounded length.
func readLine(r *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := r.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, fmt.Errorf("a line has more than %d bytes", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && len(text) > 0 && errors.Is(err, io.EOF):
			return text, nil // the next one is the end
		default:
			return text, err
		}
	}
}

func (p *peer) greet(ctx context.Context, timeout time.Duration) error {
	text, err := p.exchange(ctx, greeting{Protocol: protocolName, Version: protocolVersion}, timeout)
	if err != nil {
		return fmt.Errorf("does not greet: %w", err)
	}
	var hello greeting
	switch err := json.Unmarshal(text, &hello); {
	case err != nil || hello.Protocol != protocolName:
		return fmt.Errorf(`greets by %.200q; {"protocol":%q,"version":%d,"name":…} is wanted`,
			bytes.TrimSpace(text), protocolName, protocolVersion)
	case hello.Version != protocolVersion:
		return fmt.Errorf("speaks version %d of the protocol; this is version %d", hello.Version, protocolVersion)
	default:
		p.name = hello.Name
		return nil
	}
}

// ask asks a question and returns the reply. After an error the program is in
// no state to be asked again.
func (p *peer) ask(ctx context.Context, q Question, timeout time.Duration) (reply, error) {
	text, err := p.exchange(ctx, q, timeout)
	if err != nil {
		return reply{}, err
	}
	var a reply
	if err := json.Unmarshal(text, &a); err != nil {
		return reply{}, fmt.Errorf("the answer is no JSON object as it should be: %w: %.200q", err, bytes.TrimSpace(text))
	}
	if a.ID != q.ID {
		return reply{}, fmt.Errorf("the answer has the id %q: %.200q", a.ID, bytes.TrimSpace(text))
	}
	return a, nil
}

// errSilent says that no answer came in time.
var errSilent = errors.New("no answer")

// exchange writes a line and reads one.
func (p *peer) exchange(ctx context.Context, v any, timeout time.Duration) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	written := make(chan error, 1)
	go func() { // a program that does not read must not hold us up
		_, err := p.in.Write(append(text, '\n'))
		written <- err
	}()
	silent := fmt.Errorf("%w within %v", errSilent, timeout)
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return nil, silent
		case err := <-written:
			if written = nil; err != nil {
				// That it ended says more, and is known soon.
				silent = fmt.Errorf("it reads no more: %w", err)
				timer.Reset(min(grace, timeout))
			}
		case l, more := <-p.lines:
			switch {
			case !more || errors.Is(l.err, io.EOF):
				return nil, errors.New("it ended")
			case l.err != nil:
				return nil, l.err
			default:
				return l.text, nil
			}
		}
	}
}

// stop lets the program end by itself, within a time, and then ends it. It
// returns how the program ended, for a message, if it did so by itself and not
// well.
func (p *peer) stop(within time.Duration) string {
	close(p.quit)
	_ = p.in.Close() // the end of the program is what counts
	var killed atomic.Bool
	timer := time.AfterFunc(within, func() {
		killed.Store(true)
		_ = p.cmd.Process.Kill()
	})
	defer timer.Stop()
	<-p.ended
	var exit *exec.ExitError
	if errors.As(p.how, &exit) && (exit.Exited() || !killed.Load()) {
		return fmt.Sprintf(" (%v)", exit)
	}
	return ""
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
