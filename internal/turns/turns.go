// Package turns has those who were late for a session go on one by one: what the
// stores share that are written to by many at once.
package turns

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Turns has those who were late for a session go on one by one, in the order in
// which they came. All at once, each of n would have one chance in n to be the
// first next time, and some would be late for all the tries of an update. The
// zero Turns is ready; it must not be copied.
//
// It knows the writers of this process alone. Those of others are in the way of
// the one whose turn it is, and not of all.
type Turns struct {
	mu     sync.Mutex
	queues map[string]*queue // by the id of the session
}

// queue is who was late for one session.
type queue struct {
	waiting []chan struct{} // closed when it is the turn of that one
	timer   *time.Timer     // ends the turn of one who does not come back
}

const (
	// turnLength is how long others wait for one whose turn it is.
	turnLength = 20 * time.Millisecond
	// longestWait is how long one waits for his turn.
	longestWait = time.Second
)

// Saved is told of every save, and returns when the caller may go on: at once
// unless he was late and others were before him. He waits for a second at most,
// and no longer than his context.
func (t *Turns) Saved(ctx context.Context, id string, late bool) {
	t.mu.Lock()
	q := t.queues[id]
	if !late {
		if q != nil {
			t.next(id, q)
		}
		t.mu.Unlock()
		if q != nil {
			runtime.Gosched() // else who was first may well be first again
		}
		return
	}
	if q == nil {
		t.begin(id)
		t.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	q.waiting = append(q.waiting, turn)
	t.mu.Unlock()

	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	select {
	case <-turn:
		return
	case <-ctx.Done():
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(q.waiting, turn); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
}

// begin makes a queue, in which it is the turn of the caller.
func (t *Turns) begin(id string) {
	if t.queues == nil {
		t.queues = map[string]*queue{}
	}
	q := &queue{}
	t.queues[id] = q
	q.timer = time.AfterFunc(turnLength, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.queues[id] == q {
			t.next(id, q)
		}
	})
}

// next ends a turn and begins the next one; without any, it removes the queue.
func (t *Turns) next(id string, q *queue) {
	if len(q.waiting) == 0 {
		q.timer.Stop()
		delete(t.queues, id)
		return
	}
	close(q.waiting[0])
	q.waiting = q.waiting[1:]
	q.timer.Reset(turnLength)
}
