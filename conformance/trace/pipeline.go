package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// batchSize is how many bytes are read at once.
const batchSize = 32 << 10

// batch is a number of lines on their way from the reader through a worker to
// the checker.
type batch struct {
	buffer  []byte
	lines   []span
	entries []entry
	pairs   []pair
	decoded chan struct{} // gets a value when the entries are there
	err     error         // of reading, behind these lines; io.EOF at the end
}

// byteOrderMark may stand at the beginning of a trace, and says nothing there.
var byteOrderMark = []byte("\ufeff")

// span is a line of a batch, without its end.
type span struct {
	from, to int
	number   int
	tooLong  bool // then nothing of it is there
}

// decode reads the lines of a batch.
func (b *batch) decode(d *decoder, maxLine int) {
	d.pairs = b.pairs[:0]
	b.entries = slices.Grow(b.entries[:0], len(b.lines))[:len(b.lines)]
	clear(b.entries)
	for i, s := range b.lines {
		e := &b.entries[i]
		e.line = s.number
		if s.tooLong {
			e.kind, e.problem = lineUnreadable, fmt.Sprintf("it has more than %d bytes", maxLine)
			continue
		}
		line := b.buffer[s.from:s.to]
		if s.number == 1 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		d.decode(line, e)
	}
	b.pairs = d.pairs
}

// lineReader cuts what it reads into lines.
type lineReader struct {
	r       io.Reader
	max     int
	line    int    // how many lines there were
	rest    []byte // the beginning of the next line
	skipped bool   // whether the line that is being read is too long, and told already
}

// fill reads lines into a batch: at least one, unless there is none. It waits
// for no more than that, so that a trace can be checked while it is written.
func (l *lineReader) fill(b *batch) {
	if cap(b.buffer) < batchSize || cap(b.buffer) > 8*batchSize {
		b.buffer = make([]byte, 0, batchSize)
	}
	b.buffer = append(b.buffer[:0], l.rest...)
	b.lines, b.err, l.rest = b.lines[:0], nil, l.rest[:0]
	seen := 0 // up to where there is no end of a line
	for idle := 0; ; {
		if len(b.buffer) == cap(b.buffer) {
			b.buffer = slices.Grow(b.buffer, len(b.buffer))
		}
		n, err := l.r.Read(b.buffer[len(b.buffer):cap(b.buffer)])
		b.buffer = b.buffer[:len(b.buffer)+n]
		if idle++; n > 0 {
			idle = 0
		}
		switch end := bytes.LastIndexByte(b.buffer[seen:], '\n'); {
		case err != nil:
			b.err = err
			l.cut(b, 0, len(b.buffer), errors.Is(err, io.EOF))
			return
		case end >= 0:
			l.cut(b, 0, seen+end+1, false)
			l.rest = append(l.rest, b.buffer[seen+end+1:]...)
			return
		case idle > 100:
			b.err = io.ErrNoProgress
			return
		}
		if seen = len(b.buffer); seen > l.max {
			// Nothing of it is kept, and its end is still to be found.
			l.tooLong(b)
			b.buffer, seen = b.buffer[:0], 0
		}
	}
}

// tooLong notes that the line that is being read is too long.
func (l *lineReader) tooLong(b *batch) {
	if !l.skipped {
		l.skipped = true
		l.line++
		b.lines = append(b.lines, span{number: l.line, tooLong: true})
	}
}

// cut cuts bytes into lines. The last one need not end if the trace does.
func (l *lineReader) cut(b *batch, from, to int, last bool) {
	for from < to {
		next := to
		if i := bytes.IndexByte(b.buffer[from:to], '\n'); i >= 0 {
			next = from + i + 1
		} else if !last {
			return // reading failed within this line
		}
		switch {
		case l.skipped:
			l.skipped = false // its end was found
		case len(bytes.TrimSuffix(b.buffer[from:next], []byte("\n"))) > l.max:
			l.tooLong(b)
			l.skipped = false
		default:
			l.line++
			b.lines = append(b.lines, span{from: from, to: next, number: l.line})
		}
		from = next
	}
}

// pipeline reads ahead: one goroutine reads lines, others decode them.
type pipeline struct {
	free, work, ordered chan *batch
	quit                chan struct{}
	running             sync.WaitGroup
}

func newPipeline(r io.Reader, o Options) *pipeline {
	n := o.Workers + 2
	p := &pipeline{
		free: make(chan *batch, n), work: make(chan *batch, n), ordered: make(chan *batch, n),
		quit: make(chan struct{}),
	}
	for range n {
		p.free <- &batch{decoded: make(chan struct{}, 1)}
	}
	p.running.Go(func() { p.read(&lineReader{r: r, max: o.MaxLine}) })
	for range o.Workers {
		p.running.Go(func() {
			d := new(decoder)
			for b := range p.work {
				b.decode(d, o.MaxLine)
				b.decoded <- struct{}{}
			}
		})
	}
	return p
}

// read fills batches until the trace ends. None of its sends waits: there is
// room for every batch.
func (p *pipeline) read(l *lineReader) {
	defer close(p.work)
	defer close(p.ordered)
	for {
		select {
		case <-p.quit:
			return
		case b := <-p.free:
			l.fill(b)
			p.work <- b
			p.ordered <- b
			if b.err != nil {
				return
			}
		}
	}
}

// stop ends the goroutines and waits for them.
func (p *pipeline) stop() {
	close(p.quit)
	p.running.Wait()
}

// run checks a trace.
func (c *checker) run(r io.Reader) error {
	p := newPipeline(r, c.options)
	defer p.stop()
	for b := range p.ordered {
		<-b.decoded
		for i := range b.entries {
			if err := c.apply(&b.entries[i]); err != nil {
				return err
			}
		}
		if b.err != nil && !errors.Is(b.err, io.EOF) {
			return fmt.Errorf("line %d: %w", c.summary.Lines+1, b.err)
		}
		if b.err == nil {
			p.free <- b
		}
	}
	return c.end()
}
