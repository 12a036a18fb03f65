package agree_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// id draws the id of a session, also such as none can have.
func id(t *rapid.T) string {
	return rapid.SampledFrom(slices.Concat(names, []string{"", "B", "\x00", "\xff", "a\x00"})).Draw(t, "id")
}

func (c *course) load(t *rapid.T) { c.loadOne(t, id(t)) }

func (c *course) loadOne(t rapid.TB, id string) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Load of %q", id), func(s *subject) (a answer) {
		var loaded session.Session
		loaded, a.err = s.Load(c.ctx(), id)
		a.add(loaded)
		return a
	})
}

func (c *course) find(t *rapid.T) {
	id := c.resource(t)
	if rapid.Bool().Draw(t, "in capitals") {
		id = strings.ToUpper(id)
	}
	c.findOne(t, id)
}

func (c *course) findOne(t rapid.TB, resource string) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Find of %q", resource), func(s *subject) (a answer) {
		var in string
		in, a.err = s.Find(c.ctx(), resource)
		a.say("%q", in)
		return a
	})
}

func (c *course) history(t *rapid.T) {
	version := rapid.IntRange(-1, 12).Draw(t, "behind")
	if rapid.IntRange(0, 9).Draw(t, "far") == 9 {
		version = rapid.SampledFrom([]int{math.MinInt, math.MaxInt32 + 1, math.MaxInt}).Draw(t, "behind")
	}
	c.historyOf(t, id(t), version)
}

func (c *course) historyOf(t rapid.TB, id string, after int) {
	t.Helper()
	c.ask(t, fmt.Sprintf("History of %q behind %d", id, after), func(s *subject) (a answer) {
		var events []session.Event
		events, a.err = s.History(c.ctx(), id, after)
		a.addEvents(events)
		return a
	})
}

// list reads a page, of any query.
func (c *course) list(t *rapid.T) {
	c.listOne(t, session.Query{
		Status:       status(t),
		WorkspaceID:  among(t, "workspace", append(workspaces, "nobody's", "\x00", "\xff")),
		TemplateID:   among(t, "template", append(templates, "nobody's", "\x00", "\xff")),
		UpdatedSince: c.since(t),
		Limit:        rapid.SampledFrom([]int{1, 2, 3, 0, -1, math.MaxInt}).Draw(t, "limit"),
		Cursor:       c.cursor(t),
	})
}

// status draws one, one that is none, or any.
func status(t *rapid.T) session.Status {
	if rapid.IntRange(0, 2).Draw(t, "any status") > 0 {
		return 0
	}
	return session.Status(rapid.Uint8Range(1, uint8(session.Blocked)+1).Draw(t, "status"))
}

// among draws one of several texts, or none.
func among(t *rapid.T, what string, texts []string) string {
	if rapid.IntRange(0, 2).Draw(t, "any "+what) > 0 {
		return ""
	}
	return rapid.SampledFrom(texts).Draw(t, what)
}

// since draws a time since when sessions were updated.
func (c *course) since(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "any time") {
		return time.Time{}
	}
	since := c.now
	if s := c.stored(name(t)); !s.IsZero() {
		since = s.UpdatedAt()
	}
	return since.Add(rapid.SampledFrom([]time.Duration{
		0, 0, 1, -1, time.Second, -time.Hour,
	}).Draw(t, "after"))
}

// cursor draws where a page begins: at the beginning, where another one ended,
// where none did, or nowhere.
func (c *course) cursor(t *rapid.T) string {
	if rapid.Bool().Draw(t, "from the beginning") {
		return ""
	}
	cursors := []string{"x", "=", "MSBh=", session.Position{CreatedAt: c.now, ID: name(t)}.Cursor()}
	for _, q := range c.queries {
		cursors = append(cursors, q.Cursor)
	}
	return rapid.SampledFrom(cursors).Draw(t, "cursor")
}

// page goes on where a page ended, whatever was saved since then.
func (c *course) page(t *rapid.T) {
	if len(c.queries) == 0 {
		t.Skip("no page had another one behind it")
	}
	c.listOne(t, rapid.SampledFrom(c.queries).Draw(t, "query"))
}

func (c *course) listOne(t rapid.TB, q session.Query) {
	t.Helper()
	next := ""
	c.ask(t, fmt.Sprintf("List of %+v", q), func(s *subject) (a answer) {
		var page session.Page[session.Session]
		page, a.err = s.List(c.ctx(), q)
		a.add(page.Items...)
		a.say("next: %s", page.NextCursor)
		next = page.NextCursor
		return a
	})
	if next != "" {
		q.Cursor = next
		c.queries = append(c.queries, q)
	}
}

func (c *course) verify(t *rapid.T) {
	id := id(t)
	c.ask(t, fmt.Sprintf("Verify of %q", id), func(s *subject) answer {
		return answer{err: session.Verify(c.ctx(), s.store, id)}
	})
}

// enough draws a number of records.
func enough(t *rapid.T) int { return rapid.SampledFrom([]int{1000, 0, 1, 2}).Draw(t, "enough") }

func (c *course) sweep(t *rapid.T) {
	n := enough(t)
	if rapid.Bool().Draw(t, "cut short") {
		c.sweepUntil(t, n)
		return
	}
	c.sweepUpTo(t, n)
}

// sweepUpTo sweeps through all, or through some, and leaves open which these are.
func (c *course) sweepUpTo(t rapid.TB, limit int) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Sweep of %d", limit), func(s *subject) (a answer) {
		n, records := 0, map[string]answer{}
		for r, err := range s.Sweep(c.ctx()) {
			if n++; n > limit {
				break
			}
			record := answer{err: err}
			record.add(r.Session)
			record.addEvents(r.Events)
			records[r.ID] = record
		}
		if a.say("%d records", n); n <= limit {
			a.addRecords(records)
		}
		return a
	})
}

// sweepUntil sweeps until the context is done, which it is after some records.
func (c *course) sweepUntil(t rapid.TB, limit int) {
	t.Helper()
	c.ask(t, fmt.Sprintf("Sweep until %d", limit), func(s *subject) (a answer) {
		ctx, cancel := context.WithCancel(c.ctx())
		defer cancel()
		n := 0
		for _, err := range s.Sweep(ctx) {
			if n++; n == limit {
				cancel()
			}
			a.say("%s", describe(err))
		}
		return a
	})
}

// addRecords adds records in the order of their ids, which sweeps need not keep.
func (a *answer) addRecords(records map[string]answer) {
	var ids []string
	for id := range records {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		r := records[id]
		a.sessions = append(a.sessions, r.sessions...)
		a.say("record %q: %s\n%s", id, strings.Join(r.said, "\n"), describe(r.err))
	}
}

func (c *course) verifyAll(t *rapid.T) { c.verifyUpTo(t, enough(t)) }

// errEnough ends a sweep.
var errEnough = errors.New("enough")

// verifyUpTo verifies all, up to a number that are damaged.
func (c *course) verifyUpTo(t rapid.TB, damaged int) answer {
	t.Helper()
	return c.ask(t, fmt.Sprintf("VerifyAll up to %d", damaged), func(s *subject) (a answer) {
		records := map[string]answer{}
		n, err := session.VerifyAll(c.ctx(), s.store, func(id string, err error) error {
			if len(records) == damaged {
				return errEnough
			}
			records[id] = answer{err: err}
			return nil
		})
		a.err = err
		if a.say("%d verified", n); err == nil {
			a.addRecords(records)
		}
		return a
	})
}
