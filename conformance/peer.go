package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	maxLine  = 16 << 20 // bytes of an answer
	maxShown = 200      // bytes that a message shows of what a program wrote
)

// peer is a program that answers.
type peer struct {
	*process
	name   string // as it greeted
	before string // the id of the question before
	lines  chan line
	rest   *rest
	quit   chan struct{} // closed when nobody wants lines any more
}

// line is what the program wrote to standard output.
type line struct {
	text []byte
	err  error
}

// start starts a program and greets it.
func start(ctx context.Context, command []string, timeout time.Duration) (*peer, error) {
	program, err := launch(ctx, command)
	if err != nil {
		return nil, &ProgramError{Kind: ErrPeer, Reason: err}
	}
	p := &peer{process: program, lines: make(chan line), rest: &rest{Reader: program.out}, quit: make(chan struct{})}
	go p.read()
	if err := p.greet(ctx, timeout); err != nil {
		err = fmt.Errorf("%q %w%s", command, err, p.giveUp())
		return nil, &ProgramError{ErrPeer, err, p.stderr.String()}
	}
	p.stderr.Reset()
	return p, nil
}

// read hands on the lines of the program until it ends, or until nobody wants
// them any more; then it goes on reading, so that the program can end.
func (p *peer) read() {
	defer p.reading.Done()
	defer close(p.lines)
	r := bufio.NewReaderSize(p.rest, 64<<10)
	for {
		text, err := readLine(r)
		select {
		case p.lines <- line{text, err}:
		case <-p.quit:
		}
		if err != nil {
			_, _ = io.Copy(io.Discard, r)
			_ = p.out.Close()
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

// rest keeps what was read behind the last newline.
type rest struct {
	io.Reader
	mu   sync.Mutex
	text []byte // its beginning
	size int    // of all of it
}

// Read reads. That the pipe was closed on our side is its end too.
func (r *rest) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if errors.Is(err, os.ErrClosed) {
		err = io.EOF
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := b[:n]
	if end := bytes.LastIndexByte(last, '\n'); end >= 0 {
		last, r.text, r.size = last[end+1:], r.text[:0], 0
	}
	r.text = append(r.text, last[:min(len(last), maxShown-len(r.text))]...)
	r.size += len(last)
	return n, err
}

// String says what there is, for the end of a message: "" for nothing.
func (r *rest) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.size == 0:
		return ""
	case r.size > len(r.text):
		return fmt.Sprintf("; it wrote %d bytes without a newline, which begin %q", r.size, r.text)
	default:
		return fmt.Sprintf("; it wrote %q without a newline", r.text)
	}
}

func (p *peer) greet(ctx context.Context, timeout time.Duration) error {
	text, err := p.exchange(ctx, greeting{Protocol: protocolName, Version: protocolVersion}, timeout)
	if errors.Is(err, errSilent) {
		return fmt.Errorf("does not greet: %w; does it end each line, and flush it?", err)
	}
	if err != nil {
		return fmt.Errorf("does not greet: %w", err)
	}
	var hello greeting
	switch err := json.Unmarshal(text, &hello); {
	case err != nil || hello.Protocol != protocolName:
		return fmt.Errorf(`greets by %s; {"protocol":%q,"version":%d} is wanted%s`,
			shown(text), protocolName, protocolVersion, hint(text))
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
	switch err := json.Unmarshal(text, &a); {
	case err != nil:
		return reply{}, fmt.Errorf("the answer is no JSON object as it should be: %w: %s%s", err, shown(text), hint(text))
	case a.ID != q.ID && a.ID != "" && a.ID == p.before:
		return reply{}, fmt.Errorf("the answer has the id %q: %s; that is the question before: did the program write two lines for one request?",
			a.ID, shown(text))
	case a.ID != q.ID:
		return reply{}, fmt.Errorf("the answer has the id %q: %s", a.ID, shown(text))
	}
	p.before = q.ID
	return a, nil
}

// shown is the beginning of a line, for a message.
func shown(text []byte) string {
	return fmt.Sprintf("%.*q", maxShown, bytes.TrimSpace(text))
}

// hint says, for the end of a message, what is likely wrong with the program if
// a line that it wrote is not the object that it should be: "" if who knows.
func hint(text []byte) string {
	mark := []byte("\uFEFF")
	switch {
	case bytes.HasPrefix(text, mark):
		return "; it begins with a byte order mark, and is to be UTF-8 without one"
	case errors.Is(json.NewDecoder(bytes.NewReader(text)).Decode(new(any)), io.ErrUnexpectedEOF):
		return "; does the program print an object over several lines? It is to be one line"
	default:
		return ""
	}
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
	var broken error            // what is wrong with the pipes
	breaks := func(err error) { // that the program ended says more
		broken = err
		timer.Reset(min(soon, timeout))
	}
	lines, exited := p.lines, (chan struct{})(nil) // what it wrote is read first
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			if broken == nil {
				broken = fmt.Errorf("%w within %v%v", errSilent, timeout, p.rest)
			}
			return nil, broken
		case err := <-written:
			if written = nil; err != nil {
				breaks(fmt.Errorf("it reads no more: %w", err))
			}
		case <-exited:
			return nil, errors.New("it ended")
		case l, more := <-lines:
			switch {
			case !more || errors.Is(l.err, io.EOF):
				lines, exited = nil, p.exited
				breaks(errors.New("it closed its standard output"))
			case l.err != nil:
				return nil, l.err
			default:
				return l.text, nil
			}
		}
	}
}

// giveUp ends a program that failed, and returns how it ended, for the end of a
// message, if it did so by itself and not well.
func (p *peer) giveUp() string {
	if exit := (*exec.ExitError)(nil); errors.As(p.stop(grace), &exit) {
		return fmt.Sprintf(" (%v)", exit)
	}
	return ""
}

// stop is that of the process, of which nobody wants lines any more.
func (p *peer) stop(within time.Duration) error {
	close(p.quit)
	return p.process.stop(within)
}
