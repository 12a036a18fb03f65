package sessiontest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// listCases are about [session.Lister], as far as one page goes.
func listCases() []Case {
	return []Case{
		abilityCase("list-order", "List orders by CreatedAt, then by the bytes of the id, oldest first.", listOrder),
		abilityCase("list-filters", "List returns the sessions that the query asks for, as they are now.", listFilters),
		abilityCase("list-limits", "A page has as many sessions as the query allows, or DefaultLimit.", listLimits),
	}
}

// list returns a page.
func (l lab) list(lister session.Lister, q session.Query) session.Page[session.Session] {
	l.Helper()
	page, err := lister.List(context.Background(), q)
	l.ok(err, "List of %+v", q)
	return page
}

// lists checks that sessions are those of some lives, whole and in that order.
func (l lab) lists(want []life, got []session.Session) {
	l.Helper()
	wantIDs, gotIDs := []string{}, []string{}
	for _, f := range want {
		wantIDs = append(wantIDs, f.ID())
	}
	for _, s := range got {
		gotIDs = append(gotIDs, s.ID())
	}
	if !slices.Equal(wantIDs, gotIDs) {
		l.Fatalf("List gives the sessions %q; want %q", gotIDs, wantIDs)
	}
	for i, f := range want {
		if !f.Equal(got[i]) {
			l.Fatalf("List gives\n%s\nwant\n%s", snapshot(got[i]), snapshot(f.Session))
		}
	}
}

// inOrder returns lives in the order of List, which this says in its own words.
func inOrder(lives []life) []life {
	return slices.SortedFunc(slices.Values(lives), func(a, b life) int {
		return cmp.Or(
			cmp.Compare(a.CreatedAt().Unix(), b.CreatedAt().Unix()),
			slices.Compare([]byte(a.ID()), []byte(b.ID())),
		)
	})
}

// listOrder lists sessions of many years and many of one second, whose ids sort
// otherwise by letters, by numbers or by UTF-16 than by their bytes. They are
// saved in the opposite order, and half of them changed, so that neither the
// order of creation in the store nor that of the last change is the right one.
func listOrder(l lab, lister session.Lister) {
	l.lists(nil, l.list(lister, session.Query{}).Items)
	lives := farLives()
	// Created in the same second: the fractions do not count.
	for i, id := range []string{"a", "B", "10", "9", "é", "z", " ", "aa", "a b", "~", "Z", "🙂", "\ufffd", "b.later"} {
		lives = append(lives, born(create(id), noon.Add(-time.Duration(i)*time.Millisecond)))
	}
	// Saved last, but not created last; changed first, but not created first.
	slices.Reverse(lives)
	l.putAll(lives...)
	for i := range lives {
		if i%2 == 0 {
			from := lives[i].Version()
			lives[i] = lives[i].then(signature(lives[i].ID()+".s", action.Draft))
			l.put(lives[i], lives[i].since(from))
		}
	}
	l.lists(inOrder(lives), l.list(lister, session.Query{}).Items)
}

// asks reports whether a query asks for a session, in the words of its fields.
func asks(q session.Query, s session.Session) bool {
	switch {
	case q.Status != 0 && s.Status() != q.Status,
		q.WorkspaceID != "" && s.WorkspaceID() != q.WorkspaceID,
		q.TemplateID != "" && s.TemplateID() != q.TemplateID:
		return false
	default:
		return q.UpdatedSince.Compare(s.UpdatedAt()) <= 0
	}
}

// filtered returns a session for each status, workspace and template, changed
// at different times.
func filtered() []life {
	var lives []life
	for status, links := range map[string][]session.Command{
		"awaiting": nil,
		"ongoing":  {check(".1", action.Pending)},
		"blocked":  {check(".1", action.Failed)},
		"done":     {check(".1", action.Verified), signature(".2", action.Done)},
	} {
		for _, where := range []string{"w1 t1", "w1 t2", "w2 t1", "W1 T1"} {
			c := create(status + " " + where)
			c.WorkspaceID, c.Template.ID, _ = strings.Cut(where, " ")
			f := born(c, noon)
			for _, command := range links {
				link, _ := command.(session.Link)
				link.Resource.ID = c.ID + link.Resource.ID
				f = f.then(link)
			}
			lives = append(lives, f)
		}
	}
	return inOrder(lives)
}

// listFilters asks every combination of filters, then changes the sessions and
// asks again: a status that was stored beside the session, and not with it, is
// old then.
func listFilters(l lab, lister session.Lister) {
	lives := filtered()
	l.putAll(lives...)
	l.listsFiltered(lister, lives)
	for i, f := range lives { // what was found by its status is found by the new one
		if f.Status() != session.Blocked {
			lives[i] = f.then(check(f.ID()+".b", action.Inconclusive))
			l.put(lives[i], lives[i].since(f.Version()))
		}
	}
	l.listsFiltered(lister, lives)
}

// listsFiltered checks every combination of filters.
func (l lab) listsFiltered(lister session.Lister, lives []life) {
	l.Helper()
	statuses := []session.Status{0, session.Awaiting, session.Ongoing, session.Blocked, session.Done}
	times := []time.Time{
		{}, action.Seconds(noon), noon, noon.Add(time.Minute).Truncate(time.Second).In(time.FixedZone("", -3600)),
	}
	for _, status := range statuses {
		for _, workspace := range []string{"", "w1", "W1"} {
			for _, template := range []string{"", "t2", "w1"} {
				for _, since := range times {
					q := session.Query{
						Status: status, WorkspaceID: workspace, TemplateID: template, UpdatedSince: since,
					}
					want := slices.DeleteFunc(slices.Clone(lives), func(f life) bool { return !asks(q, f.Session) })
					page := l.list(lister, q)
					l.lists(want, page.Items)
					l.last(page)
				}
			}
		}
	}
}

// last checks that a page is the last one.
func (l lab) last(p session.Page[session.Session]) {
	l.Helper()
	if p.NextCursor != "" {
		l.Fatalf("the last page, of %d sessions, has the cursor %q; want none", len(p.Items), p.NextCursor)
	}
}

// listLimits asks for pages of many lengths, up to more than there is. A page
// that is just full is the last one if nothing follows, and must not promise
// another.
func listLimits(l lab, lister session.Lister) {
	var lives []life
	for i := range session.DefaultLimit + 1 {
		lives = append(lives, newborn(fmt.Sprintf("s%03d", i)))
	}
	l.putAll(lives[:session.DefaultLimit]...)
	l.last(l.list(lister, session.Query{})) // just full
	l.putAll(lives[session.DefaultLimit])
	for limit, want := range map[int]int{
		0: session.DefaultLimit, 1: 1, 2: 2, session.DefaultLimit: session.DefaultLimit,
		len(lives): len(lives), len(lives) + 1: len(lives), math.MaxInt32: len(lives),
	} {
		page := l.list(lister, session.Query{Limit: limit})
		l.lists(lives[:want], page.Items)
		if want == len(lives) {
			l.last(page)
		} else if page.NextCursor == "" {
			l.Fatalf("a page of %d of %d sessions has no cursor", want, len(lives))
		}
	}
	if _, err := lister.List(context.Background(), session.Query{Limit: -1}); err == nil {
		l.Fatalf("List with a negative limit gives no error")
	}
}
