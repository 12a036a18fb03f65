package sqlite

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sluicego/sluice/session"
)

// List implements [session.Lister]. Where rows of a page cannot be read, it
// returns the page without them, together with a [*session.CorruptError] for
// each; the page's cursor goes on behind them.
//
// A page costs the same wherever it begins. With UpdatedSince it costs as much
// as looking through what was updated since then, up to 10,000 sessions; where
// that are more, it looks through sessions in the order of the list until the
// page is full.
func (r reads) List(ctx context.Context, q session.Query) (session.Page[session.Session], error) {
	var page session.Page[session.Session]
	if err := ctx.Err(); err != nil {
		return page, err
	}
	after, limit, err := q.Start()
	if err != nil {
		return page, err
	}
	limit = min(limit, math.MaxInt32)
	l := newListing(q, after)
	if l.recent, err = r.fewSince(ctx, q.UpdatedSince); err != nil {
		return page, unread(ctx, "list", err)
	}
	rows, err := r.on.QueryContext(ctx, l.query(limit+1), l.args...)
	if err != nil {
		return page, unread(ctx, "list", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells what there is to tell
	var last session.Position
	var corrupt []error
	for n := 0; rows.Next(); n++ {
		if n == limit {
			page.NextCursor = last.Cursor()
			break
		}
		var id, snapshot string
		var version int
		var created int64
		if err := rows.Scan(&id, &version, &created, &snapshot); err != nil {
			return session.Page[session.Session]{}, unread(ctx, "list", err)
		}
		last = session.Position{CreatedAt: time.Unix(created, 0).UTC(), ID: id}
		if s, err := session.ReadSnapshot(id, version, []byte(snapshot)); err != nil {
			corrupt = append(corrupt, err)
		} else {
			page.Items = append(page.Items, s)
		}
	}
	if err := rows.Err(); err != nil {
		return session.Page[session.Session]{}, unread(ctx, "list", err)
	}
	return page, errors.Join(corrupt...)
}

// fewUpdated is how many sessions may be sorted for one page.
const fewUpdated = 10_000

// fewSince reports whether so few sessions were updated since a time that a page
// is found fastest among them.
func (r reads) fewSince(ctx context.Context, since time.Time) (bool, error) {
	if since.IsZero() {
		return false, nil
	}
	n := 0
	err := r.on.QueryRowContext(ctx,
		`SELECT count(*) FROM (SELECT 1 FROM sluice_sessions WHERE updated_at >= ?1 LIMIT ?2)`,
		ceil(since), fewUpdated+1).Scan(&n)
	return n <= fewUpdated, err
}

// ceil returns the first whole second that is not before a time.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// listing is the condition of a list.
type listing struct {
	conditions []string
	args       []any
	since      bool // there is a condition on updated_at
	recent     bool // and the index on it is the one to use
}

func newListing(q session.Query, after session.Position) *listing {
	l := &listing{since: !q.UpdatedSince.IsZero()}
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
	if l.since {
		// The sign keeps SQLite from choosing the index by itself.
		l.where("+updated_at >= ?", ceil(q.UpdatedSince))
	}
	return l
}

// where adds a condition, and numbers its parameters.
func (l *listing) where(condition string, args ...any) {
	for _, arg := range args {
		l.args = append(l.args, arg)
		condition = strings.Replace(condition, "?", "\x00"+strconv.Itoa(len(l.args)), 1)
	}
	l.conditions = append(l.conditions, strings.ReplaceAll(condition, "\x00", "?"))
}

// query returns the statement, which gives up to so many rows.
func (l *listing) query(rows int) string {
	const order = " ORDER BY created_at, id"
	limit := " LIMIT " + strconv.Itoa(rows)
	where := ""
	if len(l.conditions) > 0 {
		where = " WHERE " + strings.Join(l.conditions, " AND ")
	}
	const columns = "SELECT id, version, created_at, snapshot FROM sluice_sessions"
	if !l.since || !l.recent {
		return columns + where + order + limit
	}
	// The index has all that the conditions need, so that no more rows are read
	// than the page has.
	where = strings.ReplaceAll(where, "+updated_at", "updated_at")
	return columns + " WHERE rowid IN (SELECT rowid FROM sluice_sessions INDEXED BY sluice_sessions_updated" +
		where + order + limit + ")" + order
}
