package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/webhookpolicy"
)

// ledgerTimeout bounds a transaction of the ledger. What fails by it is tried
// again by the queue.
const ledgerTimeout = 4 * time.Second

// maxBatch is how many entries go into one transaction.
const maxBatch = 200

// ledger writes down that calls begin and how they ended. What comes while a
// transaction is on its way goes into the next one, so that many calls share what
// a transaction costs; none waits for others to come.
type ledger struct {
	write func(ctx context.Context, begins []*beginning, ends []*ending) error

	mu      sync.Mutex
	begins  []*beginning
	ends    []*ending
	writing bool
}

// beginning is a call that falls due, and what the ledger says of it.
type beginning struct {
	args    callArgs
	job     int64 // its id
	attempt int
	done    chan error

	// verdict is Call; Wait, until a time; or none if there is nothing to do.
	verdict  webhookpolicy.Verdict
	until    time.Time
	delivery webhookpolicy.Delivery // as it is called for
	event    webhookpolicy.EventName
	probe    bool
	request  caller.Request
}

// ending is a call that was made.
type ending struct {
	*beginning
	record caller.Record
	done   chan error

	decision webhookpolicy.Decision
	stale    bool // somebody else has made the call, and was faster
}

// begin enters a call that falls due.
func (l *ledger) begin(job *rivertype.JobRow, args callArgs) (*beginning, error) {
	b := &beginning{args: args, job: job.ID, attempt: job.Attempt, done: make(chan error, 1)}
	l.enter(func() { l.begins = append(l.begins, b) })
	return b, <-b.done
}

// end enters the end of a call.
func (l *ledger) end(b *beginning, record caller.Record) (*ending, error) {
	e := &ending{beginning: b, record: record, done: make(chan error, 1)}
	l.enter(func() { l.ends = append(l.ends, e) })
	return e, <-e.done
}

// enter adds to what is to be written next.
func (l *ledger) enter(add func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	add()
	if !l.writing {
		l.writing = true
		go l.writeAll()
	}
}

// writeAll writes until there is nothing more.
func (l *ledger) writeAll() {
	for {
		begins, ends := l.next()
		if len(begins)+len(ends) == 0 {
			return
		}
		err := l.writeOne(begins, ends)
		if err != nil && len(begins)+len(ends) > 1 && !errors.Is(err, context.DeadlineExceeded) {
			// It may be the fault of one.
			for _, b := range begins {
				b.done <- l.writeOne([]*beginning{b}, nil)
			}
			for _, e := range ends {
				e.done <- l.writeOne(nil, []*ending{e})
			}
			continue
		}
		for _, b := range begins {
			b.done <- err
		}
		for _, e := range ends {
			e.done <- err
		}
	}
}

// next takes what is there.
func (l *ledger) next() ([]*beginning, []*ending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, m := min(len(l.begins), maxBatch), min(len(l.ends), maxBatch)
	begins, ends := l.begins[:n:n], l.ends[:m:m]
	l.begins, l.ends = l.begins[n:], l.ends[m:]
	l.writing = n+m > 0
	return begins, ends
}

// writeOne is one transaction. It goes on whatever becomes of the workers: a call
// that was made is to be written down.
func (l *ledger) writeOne(begins []*beginning, ends []*ending) error {
	ctx, cancel := context.WithTimeout(context.Background(), ledgerTimeout)
	defer cancel()
	return l.write(ctx, begins, ends)
}
