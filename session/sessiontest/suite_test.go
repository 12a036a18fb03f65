package sessiontest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/sluicego/sluice/internal/failing"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/session/sessiontest"
)

// record runs a case and returns how that went.
func record(t testing.TB, c sessiontest.Case, store session.Store) *failing.Recorder {
	return failing.Run(t, func(r *failing.Recorder) { c.Check(r, store) })
}

// draw makes rapid draw the same in every run.
func draw(t *testing.T, checks int) { failing.Draw(t, checks, 30) }

// brokenStore is a store with a fault and the cases that catch it.
type brokenStore struct {
	fault  string
	open   func() session.Store
	caught string
}

// brokenStores are stores with one fault each, but for the first one, and the
// cases that catch it: these and no others. The case "model" finds most faults
// in the end; it is named where it must find it within a hundred checks. More of
// them are brokenBoxes and brokenSweeps.
var brokenStores = []brokenStore{
	{
		fault:  "none",
		open:   func() session.Store { return newSlow() },
		caught: "",
	},
	{
		fault:  "what comes last is kept",
		open:   func() session.Store { return &overwriting{newOverlaid()} },
		caught: "stale-save create-twice skipped-versions two-writers concurrent-updates conflict-before-taken find-refused outbox-refused model",
	},
	{
		fault:  "what comes late is lost",
		open:   func() session.Store { return dropping{newSlow()} },
		caught: "stale-save create-twice skipped-versions two-writers concurrent-updates conflict-before-taken find-refused outbox-refused model",
	},
	{
		fault:  "versions are compared in one step and written in another",
		open:   func() session.Store { return &racing{newOverlaid()} },
		caught: "two-writers concurrent-updates",
	},
	{
		fault:  "sessions are shown before their events",
		open:   func() session.Store { return &torn{newOverlaid()} },
		caught: "concurrent-reads outbox-together",
	},
	{
		fault:  "sessions are created over others",
		open:   func() session.Store { return &upserting{newOverlaid()} },
		caught: "create-twice two-writers conflict-before-taken find-refused outbox-refused model",
	},
	{
		fault:  "any higher version will do",
		open:   func() session.Store { return &skipping{newOverlaid()} },
		caught: "skipped-versions model",
	},
	{
		fault:  "what does not fit together is accepted",
		open:   func() session.Store { return trusting{newSlow()} },
		caught: "invalid-save find-refused outbox-refused model",
	},
	{
		fault:  "a resource may be taken",
		open:   func() session.Store { return new(sharded) },
		caught: "taken taken-last concurrent-links model",
	},
	{
		fault:  "a resource may be taken from a previous attempt",
		open:   func() session.Store { return &sharded{holder: map[string]string{}, mains: true} },
		caught: "taken model",
	},
	{
		fault:  "who holds a resource is looked up in one step and written in another",
		open:   func() session.Store { return &sharded{holder: map[string]string{}, gap: true} },
		caught: "concurrent-links",
	},
	{
		fault:  "taken is told before conflict",
		open:   func() session.Store { return impatient{newSlow()} },
		caught: "conflict-before-taken model",
	},
	{
		fault:  "taken is told without where",
		open:   func() session.Store { return taciturn{newSlow()} },
		caught: "taken",
	},
	{
		fault:  "a part is saved",
		open:   func() session.Store { return partial{newSlow()} },
		caught: "taken taken-last find-refused outbox-refused model",
	},
	{
		fault:  "contexts are ignored",
		open:   func() session.Store { return deaf{newSlow()} },
		caught: "canceled outbox-refused",
	},
	{
		fault:  "contexts are heeded too late",
		open:   func() session.Store { return hasty{newSlow()} },
		caught: "canceled outbox-refused",
	},
	{
		fault:  "a session is there for every id",
		open:   func() session.Store { return inventive{newSlow()} },
		caught: "load-unknown create invalid-save canceled skipped-versions taken taken-last replay",
	},
	{
		fault:  "ids lose spaces",
		open:   func() session.Store { return newPadding() },
		caught: "opaque-ids",
	},
	{
		fault:  "times are nanoseconds since 1970",
		open:   func() session.Store { return lossy{newSlow(), nanoseconds} },
		caught: "far-times",
	},
	{
		fault:  "who resolved is lost",
		open:   func() session.Store { return lossy{newSlow(), anonymous} },
		caught: "every-version several-events create-twice concurrent-reads replay model",
	},
	{
		fault:  "the caller's events are kept",
		open:   keeping,
		caught: "given-events",
	},
	{
		fault:  "the store's events are returned",
		open:   lending,
		caught: "returned-events",
	},
	{
		fault:  "events are in the wrong order",
		open:   reversing,
		caught: "given-events returned-events history history-after replay model",
	},
	{
		fault:  "events begin one too early",
		open:   including,
		caught: "history-after model",
	},
	{
		fault:  "sessions are loaded with a context that is done",
		open:   func() session.Store { return tireless{newSlow(), "Load"} },
		caught: "canceled-reads",
	},
	{
		fault:  "resources are found with a context that is done",
		open:   func() session.Store { return tireless{newSlow(), "Find"} },
		caught: "canceled-reads",
	},
	{
		fault:  "sessions are listed with a context that is done",
		open:   func() session.Store { return tireless{newSlow(), "List"} },
		caught: "canceled-reads",
	},
	{
		fault:  "events are read with a context that is done",
		open:   func() session.Store { return tireless{newSlow(), "History"} },
		caught: "canceled-reads",
	},
	{
		fault:  "nothing is behind a negative version",
		open:   strict,
		caught: "history-after",
	},
	{
		fault:  "events lose the fractions of a second",
		open:   coarse,
		caught: "given-events returned-events history history-after model",
	},
	{
		fault:  "events say that something else moved",
		open:   mistaken,
		caught: "given-events returned-events history history-after replay model",
	},
	{
		fault:  "newest attempts alone are found",
		open:   func() session.Store { return shortSighted{newSlow()} },
		caught: "find-previous model",
	},
	{
		fault:  "what was refused is found",
		open:   func() session.Store { return newGullible() },
		caught: "find-refused model",
	},
	{
		fault:  "ids are found in any case",
		open:   func() session.Store { return lax{newSlow()} },
		caught: "find",
	},
	{
		fault:  "cursors repeat",
		open:   listed(repeating),
		caught: "pages pages-filtered pages-written model",
	},
	{
		fault:  "cursors skip",
		open:   listed(jumping),
		caught: "pages pages-filtered pages-written model",
	},
	{
		fault:  "cursors know seconds alone",
		open:   listed(rounding),
		caught: "pages pages-filtered pages-written model",
	},
	{
		fault:  "cursors lead to an empty page",
		open:   listed(hopeful),
		caught: "list-limits",
	},
	{
		fault:  "cursors are numbers of sessions",
		open:   listed(counting),
		caught: "pages-written",
	},
	{
		fault:  "any text is a cursor",
		open:   listed(lenient),
		caught: "cursors",
	},
	{
		fault:  "pages are as long as they like",
		open:   listed(boundless),
		caught: "list-limits",
	},
	{
		fault:  "updated since leaves out one",
		open:   listed(excluding),
		caught: "list-filters",
	},
	{
		fault:  "lists are in the order of ids",
		open:   listed(sorted(session.Session.ID)),
		caught: "list-order pages model",
	},
	{
		fault:  "lists ignore the case of ids",
		open:   listed(sorted(folded)),
		caught: "list-order",
	},
	{
		fault:  "lists know the first status only",
		open:   func() session.Store { return unindexed{newSlow()} },
		caught: "list-filters pages-filtered model",
	},
	{
		fault:  "the store's page is returned",
		open:   func() session.Store { return newCaching() },
		caught: "returned-page",
	},
	{
		fault: "nothing outlives the process",
		open: func() session.Store {
			return reopening{newSlow(), func(slow) session.Store { return newSlow() }}
		},
		caught: "reopen outbox-reopen",
	},
}

func listed(list func([]session.Session, session.Query) (session.Page[session.Session], error)) func() session.Store {
	return func() session.Store { return listing{newSlow(), list} }
}

// TestBrokenStores shows of every case that it can fail, and of every fault
// which cases find it.
func TestBrokenStores(t *testing.T) {
	draw(t, 100)
	unused := map[string]bool{}
	for _, c := range sessiontest.Cases() {
		unused[c.Name] = true
	}
	for _, broken := range slices.Concat(brokenStores, brokenBoxes, brokenSweeps) {
		want := strings.Fields(broken.caught)
		for _, name := range want {
			delete(unused, name)
		}
		t.Run(broken.fault, func(t *testing.T) {
			t.Parallel()
			// The clock of the bubble brings writers together: see slow.
			synctest.Test(t, func(t *testing.T) {
				assert.Equal(t, want, failures(t, broken.open, slices.Contains(want, "model")))
			})
		})
	}
	assert.Empty(t, unused, "cases that find no fault")
}

// failures returns the names of the cases that a store fails.
func failures(t *testing.T, open func() session.Store, withModel bool) []string {
	names := []string{}
	for _, c := range sessiontest.Cases() {
		if c.Name == "model" && !withModel {
			continue
		}
		if r := record(t, c, open()); r.Failed() {
			names = append(names, c.Name)
			assert.NotEmpty(t, r.Text(), "%s fails without a word", c.Name)
		}
	}
	return names
}

// Optional abilities may be lacking: that is no failure, and is told.
func TestAbilitiesLacking(t *testing.T) {
	draw(t, 10)
	type plain struct{ session.Store }
	log := ""
	for _, c := range sessiontest.Cases() {
		r := record(t, c, plain{new(memstore.Store)})
		assert.False(t, r.Failed(), "%s:\n%s", c.Name, r.Text())
		log += r.Text()
	}
	for _, lacking := range []string{
		"session.Finder", "session.Lister", "session.History", "session.Outbox", "session.Archive",
		"sessiontest.Reopener",
	} {
		assert.Contains(t, log, "NOT TESTED: sessiontest_test.plain is no "+lacking)
	}
}

// A store that outlives its process passes all cases, with the one that
// memstore cannot show.
func TestReopen(t *testing.T) {
	draw(t, 10)
	sessiontest.Run(t, func(testing.TB) session.Store {
		return reopening{newSlow(), func(s slow) session.Store { return s }}
	})
}

func TestCases(t *testing.T) {
	names := map[string]bool{}
	for _, c := range sessiontest.Cases() {
		assert.Regexp(t, `^[a-z]+(-[a-z]+)*$`, c.Name)
		assert.Regexp(t, `^[A-Z].*\.$`, c.Contract)
		assert.False(t, names[c.Name], "two cases are named %s", c.Name)
		names[c.Name] = true
	}
}
