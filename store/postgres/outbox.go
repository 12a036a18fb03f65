package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// place is where an entry stands in the outbox.
type place struct{ ordinal, number uint64 }

// String returns the text of the place, which is a position.
func (p place) String() string { return fmt.Sprintf("%d/%d", p.ordinal, p.number) }

// parsePlace reads what String writes.
func parsePlace(text string) (place, error) {
	ordinal, number, _ := strings.Cut(text, "/")
	var p place
	var first, second error
	p.ordinal, first = strconv.ParseUint(ordinal, 10, 64)
	p.number, second = strconv.ParseUint(number, 10, 63)
	// Other spellings of the same position were never given out.
	if first != nil || second != nil || p.String() != text {
		return place{}, &session.CursorError{Cursor: text, Reason: "it is no position in this outbox"}
	}
	return p, nil
}

// entryColumns are what readEntries reads of a row of the outbox, called o.
const entryColumns = `o.ordinal::text, o.number, o.session_id, o.version, o.name,
	o.group_type, o.status, o.at`

// Claim implements [session.Outbox]. Several readers do not wait for each other:
// each gets entries that no other one is about to get.
func (s *Store) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	if err := s.outside(ctx); err != nil {
		return nil, err
	}
	return claim(ctx, s.reads, limit, now, lease)
}

func claim(ctx context.Context, r reads, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	// The row is held for the caller up to the microsecond after the lease, so
	// that none is handed out too early.
	const query = `
		WITH free AS (
			SELECT number FROM sluice_outbox WHERE held_until IS NULL OR held_until <= $1
			ORDER BY ordinal, number LIMIT $2 FOR UPDATE SKIP LOCKED
		), o AS (
			UPDATE sluice_outbox SET held_until = $3 FROM free WHERE sluice_outbox.number = free.number
			RETURNING sluice_outbox.*
		)
		SELECT ` + entryColumns + ` FROM o ORDER BY o.ordinal, o.number`
	// A claim whose answer is lost is not made again: what it held is handed
	// out when the lease is over.
	again := r
	again.again = retrier{}
	return again.entries(ctx, "claim", limit, query,
		now.UnixMicro(), int64(max(limit, 0)), now.Add(lease).Add(time.Microsecond-1).UnixMicro())
}

// Acknowledge implements [session.Outbox].
func (s *Store) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	return acknowledge(ctx, s.reads, entries)
}

func acknowledge(ctx context.Context, r reads, entries []session.Entry) error {
	numbers := make([]int64, 0, len(entries))
	for _, e := range entries {
		if p, err := parsePlace(e.Position); err == nil {
			numbers = append(numbers, int64(p.number)) // #nosec G115 -- it has 63 bits
		}
	}
	return r.do(ctx, "acknowledge", func(ctx context.Context) error {
		rows, err := r.on.Query(ctx, `DELETE FROM sluice_outbox WHERE number = ANY($1::bigint[])`, numbers)
		if err != nil {
			return err
		}
		rows.Close()
		return rows.Err()
	})
}

// Announced implements [session.Outbox]. It shows an entry when all transactions
// of the cluster have ended that began before the one that saved it: one that
// stays open holds back what others announce.
func (r reads) Announced(ctx context.Context, after string, limit int) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var p place
	if after != "" {
		var err error
		if p, err = parsePlace(after); err != nil {
			return nil, err
		}
	}
	const query = `SELECT ` + entryColumns + ` FROM sluice_outbox o
		WHERE (o.ordinal, o.number) > ($1::text::xid8, $2::bigint)
			AND o.ordinal < pg_snapshot_xmin(pg_current_snapshot())
		ORDER BY o.ordinal, o.number LIMIT $3`
	return r.entries(ctx, "read the outbox", limit, query,
		strconv.FormatUint(p.ordinal, 10), int64(p.number), int64(max(limit, 0))) // #nosec G115 -- it has 63 bits
}

// entries runs a query that gives entries.
func (r reads) entries(ctx context.Context, what string, limit int, query string, args ...any) ([]session.Entry, error) {
	var entries []session.Entry
	var corrupt []error
	err := r.do(ctx, what, func(ctx context.Context) error {
		if entries, corrupt = nil, nil; limit <= 0 {
			return nil
		}
		rows, err := r.on.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			e, err := readEntry(rows)
			if errors.Is(err, session.ErrCorrupt) {
				corrupt = append(corrupt, err)
			} else if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return entries, errors.Join(corrupt...)
}

// readEntry reads a row of the outbox.
func readEntry(rows pgx.Rows) (session.Entry, error) {
	var e session.Entry
	var ordinal, status, at string
	var groupType *string
	var number uint64
	err := rows.Scan(&ordinal, &number, &e.SessionID, &e.Version, &e.Name, &groupType, &status, &at)
	if err != nil {
		return e, err
	}
	e.Position = ordinal + "/" + strconv.FormatUint(number, 10)
	return e, decodeAnnouncement(&e.Announcement, groupType, status, at)
}

// decodeAnnouncement reads the columns of an entry that have a form: all of them,
// or none.
func decodeAnnouncement(a *session.Announcement, groupType *string, status, at string) error {
	corrupt := func(column string, err error) error {
		return &session.CorruptError{SessionID: a.SessionID, Version: a.Version, Column: "outbox." + column, Err: err}
	}
	var g group.Type
	if groupType != nil {
		if err := g.UnmarshalText([]byte(*groupType)); err != nil {
			return corrupt("group_type", err)
		}
	}
	var s group.Status
	if err := s.UnmarshalText([]byte(status)); err != nil {
		return corrupt("status", err)
	}
	moment, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return corrupt("at", err)
	}
	a.GroupType, a.Status, a.At = g, s, moment.UTC()
	return nil
}
