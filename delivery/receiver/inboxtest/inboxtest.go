// Package inboxtest tests what others build for package receiver: their Inboxes.
//
// [Run] holds a [receiver.Inbox] against every sentence of the interface's
// contract, one subtest for each [Case]:
//
//	func TestInbox(t *testing.T) {
//		inboxtest.Run(t, func(t testing.TB) receiver.Inbox { return open(t) })
//	}
//
// That events outlive the process is tested if the Inbox is a [Reopener].
package inboxtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid" //nolint:depguard // a suite is made of tests

	"github.com/sluicego/sluice/delivery/receiver"
)

// Case proves one thing of an Inbox.
type Case struct {
	// Name is short, and no other case has it.
	Name string
	// Contract is the sentence that is proved.
	Contract string
	// Check fails t if an Inbox breaks the contract. The Inbox must be empty,
	// and is used up afterwards. FailNow of t must end the goroutine, as that
	// of testing does.
	Check func(t rapid.TB, inbox receiver.Inbox)
}

// Reopener is an Inbox whose test can show that it keeps what it was given when
// the process ends. Where the Inbox has no such method, a test can wrap it in a
// type that has.
type Reopener interface {
	// Reopen closes the Inbox and opens another one over the same data, which
	// is closed when the test ends.
	Reopen() (receiver.Inbox, error)
}

// Run runs every case as a subtest. open returns an empty Inbox, and has it
// closed when the test that it is given ends. The case model plays as many
// scripts as rapid's flag says.
func Run(t *testing.T, open func(t testing.TB) receiver.Inbox) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Log(c.Contract)
			inbox := open(t)
			if inbox == nil {
				t.Fatal("open returned no inbox")
			}
			c.Check(t, inbox)
		})
	}
}

// Cases returns what Run runs.
func Cases() []Case {
	return []Case{
		{"keep", "Keep keeps an event unless one with its id is or was there, and reports whether it is new.", keep},
		{"keep-bytes", "Ids are compared byte by byte; a body comes back as it was kept, and its time in microseconds.", keepBytes},
		{"keep-at-once", "Of many that keep one id at once, one is told that it is new.", keepAtOnce},
		{"claim", "Claim hands out up to a number of events that nobody holds, oldest first; without any, none and no error.", claim},
		{"claim-lease", "What is not done when its lease ends is handed out again, and not before.", claimLease},
		{"claim-at-once", "An event may be handed out twice, but no two hold it at once.", claimAtOnce},
		{"done", "What is done is not handed out again, and not new; ids that are not there are passed over.", done},
		{"forget", "Forget removes what was received before a time and is done, and nothing else.", forget},
		{"context", "With a context that is done there is its error, and nothing changes.", canceled},
		{"owner", "Slices that are given stay the caller's, and those that are returned become the caller's.", owner},
		{"reopen", "What was kept, held and done outlives the process.", reopen},
		{"model", "Whatever is done in whatever order, the inbox answers as a list of events would.", model},
	}
}

// noon is when events are received. Databases keep microseconds.
var noon = time.Date(2025, time.September, 22, 12, 0, 0, 123456000, time.UTC)

// Numbers of the cases.
const (
	plenty  = 1000
	workers = 8
)

// lab is an inbox under test.
type lab struct {
	rapid.TB
	inbox receiver.Inbox
}

func event(id string) receiver.Event {
	return receiver.Event{ID: id, Body: []byte(`{"event_id":"` + id + `"}`), Received: noon}
}

func (l lab) keep(e receiver.Event, want bool) {
	l.Helper()
	isNew, err := l.inbox.Keep(context.Background(), e)
	if err != nil {
		l.Fatalf("Keep of %q: %v", e.ID, err)
	}
	if isNew != want {
		l.Fatalf("Keep of %q reports that it is new: %t; want %t", e.ID, isNew, want)
	}
}

// keepAll keeps events that are new.
func (l lab) keepAll(ids ...string) {
	l.Helper()
	for _, id := range ids {
		l.keep(event(id), true)
	}
}

func (l lab) done(ids ...string) {
	l.Helper()
	if err := l.inbox.Done(context.Background(), ids...); err != nil {
		l.Fatalf("Done of %q: %v", ids, err)
	}
}

func (l lab) forget(before time.Time) {
	l.Helper()
	if err := l.inbox.Forget(context.Background(), before); err != nil {
		l.Fatalf("Forget before %s: %v", before, err)
	}
}

// claim claims, and returns the events.
func (l lab) claim(limit int, now time.Time, lease time.Duration) []receiver.Event {
	l.Helper()
	events, err := l.inbox.Claim(context.Background(), limit, now, lease)
	if err != nil {
		l.Fatalf("Claim of %d at %s: %v", limit, now, err)
	}
	return events
}

// claims claims, and wants these.
func (l lab) claims(limit int, now time.Time, lease time.Duration, want ...string) {
	l.Helper()
	if got := idsOf(l.claim(limit, now, lease)); !slices.Equal(got, want) {
		l.Fatalf("Claim of %d at %s hands out\n%q\nwant\n%q", limit, now.Format(time.TimeOnly), got, want)
	}
}

func idsOf(events []receiver.Event) []string {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

// same wants one event to be as it was kept.
func (l lab) same(want, got receiver.Event) {
	l.Helper()
	if got.ID != want.ID || string(got.Body) != string(want.Body) || !got.Received.Equal(want.Received) {
		l.Fatalf("an event comes back as\n%q %q %s\nand was kept as\n%q %q %s",
			got.ID, got.Body, got.Received, want.ID, want.Body, want.Received)
	}
	if got.Received.Location() != time.UTC {
		l.Fatalf("the time of %q is in %s, not in UTC", got.ID, got.Received.Location())
	}
}

// together runs a function in many goroutines at once, and returns the errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func numbered(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("event-%02d", i))
	}
	return ids
}
