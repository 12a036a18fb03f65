package delivery

import (
	"sync"
	"time"
)

// lanes bound how many calls go to one endpoint at a time.
type lanes struct {
	width int
	now   func() time.Time

	mu   sync.Mutex
	busy map[string]*lane
}

// lane is what is known of an endpoint while it is called.
type lane struct {
	calls int
	took  time.Duration // calls lately
	moved time.Time     // when a call has ended last, or the first one began
	// free is when there may be room for the next one that asks: each who is
	// turned away gets a later time than the one before.
	free time.Time
}

// What is turned away comes again no earlier and no later than that.
const (
	minWait = 50 * time.Millisecond
	maxWait = 30 * time.Second
)

// enter returns what ends the call, or for how long to stay away.
func (l *lanes) enter(endpoint string) (leave func(), wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy == nil {
		l.busy = map[string]*lane{}
	}
	now := l.now()
	e := l.busy[endpoint]
	if e == nil {
		e = &lane{moved: now}
		l.busy[endpoint] = e
	}
	if e.calls < l.width {
		e.calls++
		return func() { l.leave(endpoint, e, now) }, 0
	}
	// The calls that run are half over, on average. The others follow one after
	// another, as many at a time as there is room for.
	took := e.lasts(now)
	e.free = latest(e.free, now.Add(took/2)).Add(took / time.Duration(l.width))
	e.free = earliest(e.free, now.Add(maxWait))
	return nil, max(e.free.Sub(now), minWait)
}

// lasts is how long a call lasts, as far as is known: where none ends any more,
// longer and longer, so that whoever waits for a silent endpoint asks less and
// less.
func (e *lane) lasts(now time.Time) time.Duration { return max(e.took, now.Sub(e.moved)) }

// leave ends a call that began at a time.
func (l *lanes) leave(endpoint string, e *lane, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.calls--
	if e.calls == 0 {
		delete(l.busy, endpoint)
		return
	}
	now, before := l.now(), e.lasts(l.now())
	e.moved = now
	if took := now.Sub(began); e.took == 0 {
		e.took = took
	} else {
		e.took = (e.took + took) / 2
	}
	// As many as before are on their way back, and they follow faster now.
	if ahead := e.free.Sub(now); ahead > 0 && e.took < before {
		e.free = now.Add(time.Duration(float64(ahead) * float64(e.took) / float64(before)))
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
