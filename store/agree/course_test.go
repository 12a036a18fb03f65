package agree_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// course is one way through everything that can be done with stores, in all of
// them at once. What it draws depends on what the reference has, and on nothing
// that is another in each run.
type course struct {
	*rapid.T
	subjects []*subject // the first one is the reference
	ctx      func() context.Context

	now       time.Time         // of commands
	clock     time.Time         // of the readers of the outbox
	old       []session.Session // as they were stored once
	resources []string          // that were linked, or were to be
	queries   []session.Query   // for pages that come behind one that was read
	told      []string          // ids of announcements that were read
	damaged   bool              // rows were changed past the stores
}

// The names of sessions, few enough to meet again. An order that is not that of
// bytes would have them in another one.
var names = []string{"a", "A", "ab", "a b", "é", strings.Repeat("x", action.MaxIDBytes)}

// The ids of workspaces, of templates and of resources that sessions share.
var (
	workspaces = []string{"w", "W", "w 2"}
	templates  = []string{"t", "T", "t'"}
	pool       = []string{"r", "R", "r ", `r"\`}
)

// newCourse begins with stores in which there is nothing.
func newCourse(t *rapid.T, subjects []*subject) *course {
	for _, s := range subjects {
		if err := s.empty(); err != nil {
			t.Fatalf("%s cannot be emptied: %v", s.name, err)
		}
	}
	// The last ones are where counting from 1970 goes below zero, and the ends
	// of what a document can hold (SES-10).
	now := rapid.SampledFrom([]time.Time{
		time.Date(2025, time.September, 22, 12, 0, 0, 123456789, time.UTC),
		time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC),
		time.Date(1969, time.December, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(1, time.January, 2, 0, 0, 0, 1, time.UTC),
		time.Date(9999, time.December, 30, 0, 0, 0, 0, time.UTC),
	}).Draw(t, "now")
	return &course{
		T: t, subjects: subjects, ctx: context.Background,
		now: now, clock: now.Truncate(time.Microsecond),
	}
}

// run does this and that.
func (c *course) run() {
	for range rapid.IntRange(0, 4).Draw(c.T, "to begin with") {
		c.create(c.T)
	}
	actions := map[string]func(*rapid.T){
		"create": c.create, "update": c.update, "update a": c.update, "update b": c.update, "report": c.report,
		"save": c.save, "late": c.late, "broken": c.broken, "together": c.together,
		"load": c.load, "find": c.find, "list": c.list, "page": c.page,
		"history": c.history, "sweep": c.sweep, "verify": c.verify, "verify all": c.verifyAll,
		"claim": c.claim, "claim a": c.claim, "acknowledge": c.acknowledge, "announced": c.announced, "confirm": c.confirm,
		"reopen": c.reopen,
	}
	plain := maps.Clone(actions)
	actions["done"] = func(t *rapid.T) { c.done(t, plain) }
	c.Repeat(actions)
	c.compare()
}

// done does something with a context that is done.
func (c *course) done(t *rapid.T, actions map[string]func(*rapid.T)) {
	what := rapid.SampledFrom(slices.Sorted(maps.Keys(actions))).Draw(t, "what")
	ctx, cancel := context.WithCancel(context.Background())
	if rapid.Bool().Draw(t, "deadline") {
		ctx, cancel = context.WithDeadline(context.Background(), time.Unix(0, 0))
	}
	cancel()
	c.ctx = func() context.Context { return ctx }
	defer func() { c.ctx = context.Background }()
	actions[what](t)
}

// ask asks all of them, and fails unless they agree. It returns what the
// reference said.
func (c *course) ask(t rapid.TB, what string, ask func(s *subject) answer) answer {
	t.Helper()
	return askAll(t, c.subjects, what, ask)
}

// askAll asks some of them.
func askAll(t rapid.TB, subjects []*subject, what string, ask func(s *subject) answer) answer {
	t.Helper()
	want := ask(subjects[0])
	for _, s := range subjects[1:] {
		if diff := want.differs(ask(s)); diff != "" {
			t.Logf("%s: %s", what, s.name)
			t.Logf("%s", diff)
			// The same words each time, or rapid takes a smaller example for
			// another failure.
			t.Fatal("the stores do not agree: see above")
		}
	}
	return want
}

// reopen closes and opens those that outlive it.
func (c *course) reopen(t *rapid.T) {
	if !rapid.Bool().Draw(t, "really") {
		t.Skip("it takes long")
	}
	for _, s := range c.subjects {
		if s.reopen == nil {
			continue
		}
		if err := s.reopen(); err != nil {
			t.Fatalf("reopen %s: %v", s.name, err)
		}
	}
}

// stored returns a session as the reference has it; the zero Session if there is
// none.
func (c *course) stored(id string) session.Session {
	s, err := c.subjects[0].Load(context.Background(), id)
	if err != nil {
		return session.Session{}
	}
	return s
}

// compare holds all that they have together.
func (c *course) compare() {
	c.Helper()
	c.ctx = context.Background
	for _, id := range names {
		c.loadOne(c.T, id)
		c.historyOf(c.T, id, 0)
	}
	for _, id := range append(c.resources, pool...) {
		c.findOne(c.T, id)
	}
	c.listOne(c.T, session.Query{})
	c.listOne(c.T, session.Query{Limit: 1})
	c.announcedBehind(c.T, "", 1000)
	c.claimFor(c.T, 1000, 0)
	c.sweepUpTo(c.T, 1000)
	all := c.verifyUpTo(c.T, 1000)
	if clean := len(all.said) == 1 && all.err == nil; !clean && !c.damaged {
		c.Fatalf("verify: %v, %v", all.said, all.err)
	}
}
