package session

import (
	"context"
	"strconv"
	"time"
)

// Outbox is a Store that keeps what its saves announce until somebody has dealt
// with it: an announcement is there exactly if the save is that made it.
//
// An entry that cannot be read is returned in its place, by its position and
// without a status, beside an error that joins a [*CorruptError] for each. The
// others are not affected: a reader deals with them, has somebody look at that one,
// and acknowledges it by its position.
type Outbox interface {
	// Claim hands out up to a number of announcements that nobody holds, oldest
	// first, and holds them for the caller from now on, for as long as the
	// lease. What is not acknowledged by then is handed out again; so a reader
	// may see an announcement twice, but no two hold it at once. Without
	// any it returns none, and no error.
	Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]Entry, error)

	// Acknowledge removes entries that were dealt with. What is not there any
	// more is passed over.
	Acknowledge(ctx context.Context, entries ...Entry) error

	// Announced returns up to a number of entries that are there, whoever holds
	// them, behind a position: "" for the beginning, else that of the last
	// entry that was read. Entries of saves that are under way come behind, so
	// that a reader who goes on from a position misses none. It returns a
	// [*CursorError] for what is no position.
	Announced(ctx context.Context, after string, limit int) ([]Entry, error)
}

// Entry is an announcement in an [Outbox].
type Entry struct {
	// Position is where it stands, a text that only the Store reads.
	Position     string
	Announcement // of which Status is zero if it cannot be read
}

// ID returns what tells an announcement from every other: the session, the
// version and the name. A deliverer makes the id of a webhook event of it, so
// that a receiver knows an event again that was sent twice (WHK-9).
func (a Announcement) ID() string {
	return a.SessionID + "/" + strconv.Itoa(a.Version) + "/" + a.Name
}
