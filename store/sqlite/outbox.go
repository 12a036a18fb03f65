package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// entryColumns are what an entry is read from.
const entryColumns = "position, session_id, version, name, group_type, status, at"

// Claim implements [session.Outbox]. Entries that cannot be read are held like
// the others.
func (s *Store) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	if err := s.outside(ctx); err != nil {
		return nil, err
	}
	return claim(ctx, s.writer, limit, now, lease)
}

// claim is one statement, and so one transaction.
func claim(ctx context.Context, on runner, limit int, now time.Time, lease time.Duration) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, err
	}
	// Rounded so that no entry is handed out too early.
	until := now.Add(lease).Add(time.Microsecond - 1)
	rows, err := on.QueryContext(ctx, `
		UPDATE sluice_outbox SET held_until = ?1 WHERE position IN (
			SELECT position FROM sluice_outbox
			WHERE held_until IS NULL OR held_until <= ?2 ORDER BY position LIMIT ?3)
		RETURNING `+entryColumns, until.UnixMicro(), now.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", explain(ctx, err))
	}
	entries, err := readEntries(ctx, rows)
	if err != nil && !errors.Is(err, session.ErrCorrupt) {
		return nil, fmt.Errorf("claim: %w", err)
	}
	return entries, err
}

// Acknowledge implements [session.Outbox].
func (s *Store) Acknowledge(ctx context.Context, entries ...session.Entry) error {
	if err := s.outside(ctx); err != nil {
		return err
	}
	return acknowledge(ctx, s.writer, entries)
}

func acknowledge(ctx context.Context, on runner, entries []session.Entry) error {
	if err := ctx.Err(); err != nil || len(entries) == 0 {
		return err
	}
	var positions []int64
	for _, e := range entries {
		if p, err := parsePosition(e.Position); err == nil {
			positions = append(positions, p)
		}
	}
	list, err := json.Marshal(positions)
	if err != nil {
		return err
	}
	_, err = on.ExecContext(ctx,
		`DELETE FROM sluice_outbox WHERE position IN (SELECT value FROM json_each(?1))`, string(list))
	if err != nil {
		return fmt.Errorf("acknowledge: %w", explain(ctx, err))
	}
	return nil
}

// Announced implements [session.Outbox].
func (r reads) Announced(ctx context.Context, after string, limit int) ([]session.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	position := int64(0)
	if after != "" {
		var err error
		if position, err = parsePosition(after); err != nil {
			return nil, err
		}
	}
	if limit <= 0 {
		return nil, nil
	}
	rows, err := r.on.QueryContext(ctx, `
		SELECT `+entryColumns+` FROM sluice_outbox WHERE position > ?1 ORDER BY position LIMIT ?2`,
		position, min(limit, math.MaxInt32))
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", explain(ctx, err))
	}
	entries, err := readEntries(ctx, rows)
	if err != nil && !errors.Is(err, session.ErrCorrupt) {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return entries, err
}

// parsePosition reads a position, in the one spelling that was given out.
func parsePosition(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != text {
		return 0, &session.CursorError{Cursor: text, Reason: "it is no position in this outbox"}
	}
	return n, nil
}

// readEntries reads and closes rows, and sorts the entries, which UPDATE returns
// in any order.
func readEntries(ctx context.Context, rows *sql.Rows) ([]session.Entry, error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells what there is to tell
	type numbered struct {
		position int64
		entry    session.Entry
	}
	var read []numbered
	var corrupt []error
	for rows.Next() {
		var n numbered
		var groupType sql.NullString
		var status, at string
		a := &n.entry.Announcement
		if err := rows.Scan(&n.position, &a.SessionID, &a.Version, &a.Name, &groupType, &status, &at); err != nil {
			return nil, explain(ctx, err)
		}
		n.entry.Position = strconv.FormatInt(n.position, 10)
		if err := decodeAnnouncement(a, groupType, status, at); err != nil {
			corrupt = append(corrupt, err)
		}
		read = append(read, n)
	}
	if err := rows.Err(); err != nil {
		return nil, explain(ctx, err)
	}
	slices.SortFunc(read, func(a, b numbered) int { return int(a.position - b.position) })
	var entries []session.Entry
	for _, n := range read {
		entries = append(entries, n.entry)
	}
	return entries, errors.Join(corrupt...)
}

// decodeAnnouncement reads the columns of an entry that have a form: all of them,
// or none.
func decodeAnnouncement(a *session.Announcement, groupType sql.NullString, status, at string) error {
	corrupt := func(column string, err error) error {
		return &session.CorruptError{SessionID: a.SessionID, Version: a.Version, Column: "outbox." + column, Err: err}
	}
	var g group.Type
	if groupType.Valid {
		if err := g.UnmarshalText([]byte(groupType.String)); err != nil {
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
