// Package sessiontest tests what others build on sluice: their Stores, and
// their applications.
//
// # A suite for Stores
//
// [Run] holds a [session.Store] against every sentence of the interface's
// contract, and its optional abilities against theirs. One subtest per [Case],
// each on a fresh store:
//
//	func TestStore(t *testing.T) {
//		sessiontest.Run(t, func(t testing.TB) session.Store { return open(t) })
//	}
//
// An ability that the store lacks is not tested, and the log says so: that of a
// [session.Finder], a [session.Lister], a [session.History], a [session.Outbox]
// or a [session.Archive]. What outlives the process is tested if the store is a
// [Reopener].
//
// Two things are left to the store's own tests, since the suite cannot bring
// them about: what it does when a connection is lost while it saves (see
// [session.Confirmer]), and what it says of data that were damaged (see
// [session.CorruptError]).
//
// # Generators for properties
//
// The others make values for [pgregory.net/rapid]: [Templates], [Resources],
// the [Observations] of one resource that webhooks bring, and [Commands] for a
// session at hand, of which it accepts many and refuses some. [Scripts] are
// whole lives of sessions, and [Sessions] is where they lead to.
//
// The caller names the sessions. The ids of their resources follow from those
// names, so that sessions of different names have no resource in common.
package sessiontest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// Case proves one thing of a Store.
type Case struct {
	// Name is short, and no other case has it.
	Name string
	// Contract is the sentence that is proved, with the rule if it has one.
	Contract string
	// Check fails t if a store breaks the contract. The store must be empty,
	// and is used up afterwards.
	//
	// It takes no more than rapid's TB, so that it can be aimed at a store that
	// is expected to fail, with a TB that takes note of the failure. FailNow
	// must then end the goroutine, as that of testing does.
	Check func(t rapid.TB, store session.Store)
}

// Reopener is a Store whose test can show that it keeps what it was given when
// the process ends. Where the Store has no such method, a test can wrap it in a
// type that has.
type Reopener interface {
	// Reopen closes the store and opens another one over the same data, which
	// is closed when the test ends.
	Reopen() (session.Store, error)
}

// Run runs every case as a subtest. open returns an empty store, and has it
// closed when the test that it is given ends.
//
// The case model plays hundreds of scripts, and takes most of the time that
// slow stores need: a minute with a file for each session. It plays as many as
// rapid's flag says, so -rapid.checks=10 is for haste and a large number for
// the night.
func Run(t *testing.T, open func(t testing.TB) session.Store) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Log(c.Contract)
			store := open(t)
			if store == nil {
				t.Fatal("open returned no store")
			}
			c.Check(t, store)
		})
	}
}

// Cases returns what Run runs.
func Cases() []Case {
	return slices.Concat(
		saveCases(), shareCases(), conflictCases(), takenCases(),
		findCases(), listCases(), pageCases(), historyCases(),
		outboxCases(), leaseCases(), archiveCases(), modelCases(),
	)
}
