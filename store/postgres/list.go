package postgres

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// List implements [session.Lister]. Where sessions cannot be read, it returns the
// page without them and, joined, a [*session.CorruptError] for each.
func (r reads) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	var page session.Page[session.Session]
	if err := ctx.Err(); err != nil {
		return page, err
	}
	after, limit, err := q.Start()
	if err != nil || asksForNone(q) {
		return page, err
	}
	l := newListing(q, after)
	var corrupt []error
	err = r.do(ctx, "list", func(ctx context.Context) error {
		page, corrupt = session.Page[session.Session]{}, nil
		rows, err := r.on.Query(ctx, l.query(limit), l.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last session.Position
		for n := 0; rows.Next(); n++ {
			if n == limit {
				page.NextCursor = last.Cursor()
				break
			}
			var version int
			var created int64
			var snapshot string
			if err := rows.Scan(&last.ID, &version, &created, &snapshot); err != nil {
				return err
			}
			last.CreatedAt = time.Unix(created, 0).UTC()
			if s, err := session.ReadSnapshot(last.ID, version, []byte(snapshot)); err != nil {
				corrupt = append(corrupt, err)
			} else {
				page.Items = append(page.Items, s)
			}
		}
		rows.Close()
		return rows.Err()
	})
	if err != nil {
		return session.Page[session.Session]{}, err
	}
	return page, errors.Join(corrupt...)
}

// asksForNone reports whether a query asks for ids that no session has, and that
// PostgreSQL may not even be asked for.
func asksForNone(q session.Query) bool {
	isNone := func(id string) bool { return id != "" && action.CheckID(id) != "" }
	return isNone(q.WorkspaceID) || isNone(q.TemplateID)
}

// listing is the condition of a list. What a query does not ask for is not in it,
// so that each has the plan that fits it.
type listing struct {
	conditions []string
	args       []any
	since      bool // there is a condition on updated_at
}

func newListing(q session.Query, after session.Position) *listing {
	l := &listing{}
	if after != (session.Position{}) {
		l.where("(created_at, id) > (?, ?)", after.CreatedAt.Unix(), after.ID)
	}
	if q.Status != 0 {
		l.where("status = ?", q.Status.String())
	}
	if q.WorkspaceID != "" {
		l.where("workspace_id = ?", q.WorkspaceID)
	}
	if q.TemplateID != "" {
		l.where("template_id = ?", q.TemplateID)
	}
	if l.since = !q.UpdatedSince.IsZero(); l.since {
		l.where("updated_at >= ?", ceil(q.UpdatedSince))
	}
	return l
}

// ceil returns the first whole second that is not before a time.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// where adds a condition, and numbers its parameters.
func (l *listing) where(condition string, args ...any) {
	for _, arg := range args {
		l.args = append(l.args, arg)
		condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(l.args)), 1)
	}
	l.conditions = append(l.conditions, condition)
}

// fewUpdated is how many sessions may be sorted for one page.
const fewUpdated = 10_000

// query returns the statement, which gives one row more than a page has.
//
// Where a time is asked for, nobody knows beforehand whether those that were
// updated since are few, perhaps all at the end of the list, or many. The newest
// of them are looked for first; if these are all, the page is sorted out of them,
// and otherwise the list is gone through. What the other way would read is not
// read.
func (l *listing) query(limit int) string {
	where := ""
	if len(l.conditions) > 0 {
		where = " WHERE " + strings.Join(l.conditions, " AND ")
	}
	page := " ORDER BY created_at, id LIMIT " + strconv.Itoa(min(limit, math.MaxInt32-1)+1)
	const columns = "SELECT id, version, created_at, snapshot::text FROM sluice_sessions"
	if !l.since {
		return columns + where + page
	}
	few := strconv.Itoa(fewUpdated)
	return `WITH recent AS MATERIALIZED (
			SELECT id, created_at FROM sluice_sessions` + where + `
			ORDER BY updated_at DESC LIMIT ` + few + ` + 1
		), page AS (
			(SELECT id, created_at FROM recent WHERE (SELECT count(*) FROM recent) <= ` + few + page + `)
			UNION ALL
			(SELECT id, created_at FROM sluice_sessions` + where + `
				AND (SELECT count(*) FROM recent) > ` + few + page + `)
		)
		SELECT s.id, s.version, s.created_at, s.snapshot::text
		FROM page JOIN sluice_sessions s ON s.id = page.id ORDER BY s.created_at, s.id`
}
