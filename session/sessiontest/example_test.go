package sessiontest_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/session/sessiontest"
)

// What a test of a Store looks like. It is run with others as
//
//	go test -race
//
// and, for a long time, as
//
//	go test -race -rapid.checks=100000 -run TestStore/model
func ExampleRun() {
	_ = func(t *testing.T) { // func TestStore(t *testing.T)
		sessiontest.Run(t, func(testing.TB) session.Store { return new(memstore.Store) })
	}
}

// A property of a host's own code: here, that every session that is blocked has
// something to show to the user. Only what a user could do about it is the
// host's.
func ExampleSessions() {
	buttons := func(s session.Session) (labels []string) {
		for _, b := range s.Blockers() {
			for _, way := range b.WaysOut {
				labels = append(labels, way.String())
			}
		}
		return labels
	}
	property := func(t *rapid.T) {
		s := sessiontest.Sessions("s1").Draw(t, "session")
		if shown := len(buttons(s)) > 0; shown != (s.Status() == session.Blocked) {
			t.Fatalf("%s: buttons are shown: %t", s, shown)
		}
	}
	_ = func(t *testing.T) { rapid.Check(t, property) } // func TestButtons(t *testing.T)
}

// A host that keeps sessions in its own way is driven by commands, and compared
// with what should come of them.
func ExampleCommands() {
	property := func(t *rapid.T) {
		script := sessiontest.Scripts("s1").Draw(t, "script")
		want, _, err := session.Apply(session.Session{}, script[0].Command, script[0].Now)
		if err != nil {
			t.Fatal(err)
		}
		for now := script[0].Now; want.Status() != session.Done && want.Version() < 20; {
			command := sessiontest.Commands(want, now).Draw(t, "command")
			// Here the host does the same.
			want, _, _ = session.Apply(want, command, now)
		}
	}
	_ = func(t *testing.T) { rapid.Check(t, property) } // func TestHost(t *testing.T)
}

// A script is played and replayed.
func ExampleScripts() {
	script := sessiontest.Scripts("s1").Example(2025) // in a test: Draw(t, "script")

	var s session.Session
	var events []session.Event
	refused := 0
	for _, step := range script {
		next, change, err := session.Apply(s, step.Command, step.Now)
		if err != nil {
			refused++
		}
		s, events = next, append(events, change.Events...)
	}
	replayed, err := session.Replay(events)
	fmt.Println(replayed.Equal(s), err, refused > 0)
	// Output: true <nil> true
}

// Webhooks come late, twice and in any order: here, backwards. They lead to the
// same end.
func ExampleObservations() {
	r := sessiontest.Resources("r1", action.TypeSignatureRequest).Example(7) // in a test: Draw
	told := sessiontest.Observations(r).Example(7)
	end := func(observations []session.Observe) action.Resource {
		seen := r
		for _, o := range observations {
			var err error
			if seen, _, err = seen.Observe(o.Status, o.AsOf); err != nil {
				fmt.Println(err)
			}
		}
		return seen
	}
	arrived := slices.Concat(told, told)
	slices.Reverse(arrived)
	fmt.Println(end(arrived) == end(told))
	// Output: true
}

// The suite says what it proves.
func ExampleCases() {
	for _, c := range sessiontest.Cases() {
		fmt.Printf("%s: %s\n", c.Name, c.Contract)
	}
	// Output:
	// load-unknown: Load returns ErrNotFound if there is no session with this id.
	// create: A session that was created is loaded as it was saved.
	// every-version: Load returns the session as it was saved last: all that its snapshot keeps.
	// several-events: Save keeps a session and the events that led to it since it was loaded.
	// opaque-ids: Ids are opaque (SES-11): they differ if one byte does.
	// far-times: Times keep their year, whatever it is.
	// invalid-save: Save returns ErrInvalidSave if CheckSave refuses, and changes nothing.
	// canceled: With a context that is done, nothing is saved, and the error is the context's.
	// canceled-reads: With a context that is done, nothing is read, and the error is the context's.
	// given-events: Events that were given to Save are the caller's: what it writes there changes nothing.
	// returned-events: Events that History returned are the caller's.
	// returned-page: A page that List returned is the caller's.
	// stale-save: Save returns ErrConflict if somebody else saved first.
	// create-twice: Save returns ErrConflict for a creation over a session that exists.
	// skipped-versions: Save returns ErrConflict if versions between the stored one and the events are left out.
	// two-writers: Of those who save at once from one version, one succeeds; the others get ErrConflict.
	// concurrent-reads: All methods may be called at once: what is read is a session as it was saved, never a part.
	// concurrent-updates: Updates at once from many goroutines are each saved once, or not at all.
	// taken: A resource stands in one session (ATT-12): Save refuses it in another one, and says where it stands.
	// taken-last: Save keeps all or nothing: if the last of several events is refused, so are the others.
	// conflict-before-taken: Conflict is told before a taken resource, so that who is late finds out.
	// concurrent-links: A resource stands in one session (ATT-12), also when many link it at once.
	// find: Find returns the id of the session that has the resource, or ErrNotFound.
	// find-previous: Find finds a session by the resource of any attempt.
	// find-refused: Find does not find what Save refused.
	// list-order: List orders by CreatedAt, then by the bytes of the id, oldest first.
	// list-filters: List returns the sessions that the query asks for, as they are now.
	// list-limits: A page has as many sessions as the query allows, or DefaultLimit.
	// pages: The pages of a list have every session once, also when many were created in one second.
	// pages-filtered: The pages of a list with filters have every session that they ask for once.
	// pages-written: Sessions that are saved between two pages neither repeat nor hide others.
	// cursors: List returns a *CursorError for a cursor that no page gave.
	// history: History returns the events of a session as they were saved, in order.
	// history-after: History returns the events behind a version; all of them for version 0 or less.
	// replay: Replaying the events of a session gives the session that is stored.
	// reopen: What was saved outlives the process.
	// outbox: An announcement is there exactly if the save is that made it, with all that it tells, oldest first.
	// outbox-refused: What Save refuses announces nothing.
	// outbox-together: An announcement is there exactly if the save is that made it, whenever one looks.
	// outbox-positions: Announced returns the entries behind a position, up to a number, whoever holds them.
	// outbox-writers: Entries of saves that are under way come behind, so that a reader who goes on misses none.
	// outbox-cursors: Announced returns a *CursorError for what is no position.
	// outbox-canceled: With a context that is done, no method of the outbox does anything, and the error is the context's.
	// outbox-returned: Entries that were returned are the caller's, and so are those that were given.
	// outbox-reopen: Entries, their positions and who holds them outlive the process.
	// claim: Claim hands out up to a number of announcements that nobody holds, oldest first; without any, none and no error.
	// claim-lease: What is not acknowledged when its lease ends is handed out again, and not before.
	// claim-readers: An announcement may be handed out twice, but no two hold it at once.
	// acknowledge: Acknowledge removes entries that were dealt with, and passes over what is not there.
	// sweep: Sweep yields every session once, with all its events in order.
	// sweep-break: A sweep ends when its caller has enough, and leaves nothing behind.
	// sweep-canceled: With a context that is done, a sweep ends with its error.
	// sweep-written: Each record of a sweep is as of one moment, and what was there is there once.
	// verify-all: What was saved verifies: VerifyAll looks at all sessions and reports none.
	// model: Whatever is done to it, the store answers as a simple model of the contract does.
}
