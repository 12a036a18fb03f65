package sessiontest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// pageCases are about the way from page to page of a [session.Lister].
func pageCases() []Case {
	return []Case{
		abilityCase("pages", "The pages of a list have every session once, also when many were created in one second.", pages),
		abilityCase("pages-filtered", "The pages of a list with filters have every session that they ask for once.", pagesFiltered),
		abilityCase("pages-written", "Sessions that are saved between two pages neither repeat nor hide others.", pagesWritten),
		abilityCase("cursors", "List returns a *CursorError for a cursor that no page gave.", cursors),
	}
}

// walk returns the sessions of all pages, and checks that each is as full as it
// can be. between is called after each page but the last; it may be nil.
func (l lab) walk(lister session.Lister, q session.Query, between func(page int)) []session.Session {
	l.Helper()
	var all []session.Session
	for n := 1; ; n++ {
		page := l.list(lister, q)
		all = append(all, page.Items...)
		switch {
		case page.NextCursor == "":
			return all
		case len(page.Items) != q.Limit:
			l.Fatalf("page %d of %+v has %d sessions, and it is not the last one", n, q, len(page.Items))
		case page.NextCursor == q.Cursor || n > 1000:
			l.Fatalf("page %d of %+v leads back to itself, or there is no end of pages", n, q)
		}
		if q.Cursor = page.NextCursor; between != nil {
			between(n)
		}
	}
}

// pages walks with every limit through seconds in which one session was created
// or several, so that pages end inside a second and between two. A cursor that
// knows no more than the time repeats or skips the rest of a second.
func pages(l lab, lister session.Lister) {
	// Seconds with one session and with several, so that pages of every length
	// end inside a second and between two.
	var lives []life
	for i, second := range []int{0, 1, 1, 2, 2, 2, 2, 3, 4, 4, 4, 5} {
		lives = append(lives, born(create(fmt.Sprintf("s%d", 12-i)), noon.Add(time.Duration(second)*time.Second)))
	}
	l.putAll(lives...)
	for limit := 1; limit <= len(lives)+1; limit++ {
		l.lists(inOrder(lives), l.walk(lister, session.Query{Limit: limit}, nil))
	}
}

// pagesFiltered walks with filters: what a page leaves out must not count for
// its length, nor for where the next one begins.
func pagesFiltered(l lab, lister session.Lister) {
	lives := filtered()
	l.putAll(lives...)
	for _, q := range []session.Query{
		{Status: session.Blocked}, {WorkspaceID: "w1"}, {TemplateID: "t1", Status: session.Done},
		{UpdatedSince: noon}, {WorkspaceID: "none"},
	} {
		want := slices.DeleteFunc(slices.Clone(lives), func(f life) bool { return !asks(q, f.Session) })
		for q.Limit = 1; q.Limit <= len(want)+1; q.Limit++ {
			l.lists(want, l.walk(lister, q, nil))
		}
	}
}

// pagesWritten walks through the sessions 10 to 19, created one a second, and
// saves others before and behind the place where it is, in the second of the
// last session of a page as well, and changes those that it has seen and will
// see. A cursor that counts sessions is moved by those that come before it.
func pagesWritten(l lab, lister session.Lister) {
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	lives := map[int]life{}
	for n := 10; n < 20; n++ {
		lives[n] = born(create(fmt.Sprintf("s%d", n)), at(n))
		l.putAll(lives[n])
	}
	want := []string{"s10", "s11", "s12", "s12 behind", "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20"}
	got := l.walk(lister, session.Query{Limit: 3, WorkspaceID: "w1"}, func(page int) {
		if page != 1 { // what follows comes behind s12
			return
		}
		for id, second := range map[string]int{
			"before": 5, "s10 before": 10, "s11 before": 12, "s12 behind": 12, "s20": 20,
		} {
			l.putAll(born(create(id), at(second)))
		}
		for _, n := range []int{10, 12, 13, 18} {
			next := lives[n].then(check(lives[n].ID()+".1", action.Failed))
			l.put(next, next.since(1))
		}
	})
	var ids []string
	for _, s := range got {
		ids = append(ids, s.ID())
	}
	if !slices.Equal(ids, want) {
		l.Fatalf("with sessions saved behind the first page, the pages have %q; want %q", ids, want)
	}
	l.pagesLeaving(lister)
}

// pagesLeaving walks by status, while the last session of each page takes
// another status: a cursor that looks for that session among the others no
// longer finds it.
func (l lab) pagesLeaving(lister session.Lister) {
	l.Helper()
	var lives []life
	for n := range 6 {
		c := create(fmt.Sprintf("leaving %d", n))
		c.WorkspaceID = "leaving"
		lives = append(lives, born(c, noon))
	}
	l.putAll(lives...)
	q := session.Query{Limit: 2, WorkspaceID: "leaving", Status: session.Awaiting}
	got := l.walk(lister, q, func(page int) {
		last := lives[2*page-1]
		next := last.then(check(last.ID()+".1", action.Pending))
		l.put(next, next.since(1))
	})
	l.lists(lives, got)
}

// cursors gives texts that are not cursors, some of them nearly. A store that
// takes them for none begins again at the first page, and its caller never
// ends.
func cursors(l lab, lister session.Lister) {
	l.putAll(newborns("a", "b", "c")...)
	given := l.list(lister, session.Query{Limit: 1}).NextCursor
	for _, cursor := range []string{
		"?", "-1", "a cursor", " ", given + "!", " " + given, given + " ", given + "\n", "\x00",
		"null", "MTIz", "🙂",
	} {
		_, err := lister.List(context.Background(), session.Query{Limit: 1, Cursor: cursor})
		l.isCursorError(err, "List with the cursor %q, which no page gave", cursor)
	}
}
