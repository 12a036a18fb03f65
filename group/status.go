package group

import (
	"database/sql/driver"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/enum"
)

// Status is the status of a group, and of a session. Zero is none.
type Status uint8

// The statuses in the order of the join, weakest first (GRP-5).
const (
	Awaiting Status = iota + 1 // GRP-1
	Done                       // GRP-3
	Ongoing                    // GRP-4
	Blocked                    // GRP-2
)

var statuses = enum.New[Status]("group status", "awaiting", "done", "ongoing", "blocked")

// Statuses returns every status, weakest first.
func Statuses() []Status { return statuses.All() }

// ParseStatus returns the status that text names, or an [*action.UnknownError]
// (RES-6).
func ParseStatus(text string) (Status, error) { return statuses.Parse(text) }

// IsValid reports whether s is a status that the spec lists.
func (s Status) IsValid() bool { return statuses.Has(s) }

// String returns the text form, "none" for zero.
func (s Status) String() string { return statuses.String(s) }

// MarshalText returns the text form; zero and unknown values are an
// [*action.UnknownError].
func (s Status) MarshalText() ([]byte, error) { return statuses.MarshalText(s) }

// UnmarshalText reads the text form; an unknown text is an
// [*action.UnknownError].
func (s *Status) UnmarshalText(text []byte) error { return statuses.UnmarshalText(s, text) }

// Scan reads the text form from a database; NULL is zero.
func (s *Status) Scan(src any) error { return statuses.Scan(s, src) }

// Value writes the text form to a database; zero is NULL.
func (s Status) Value() (driver.Value, error) { return statuses.Value(s) }

// Join returns the stronger of two statuses (GRP-5).
func (s Status) Join(o Status) Status { return max(s, o) }

// Entry is what a group reads of one Action: the status of its newest
// attempt's resource, and whether the Action is resolved. Previous attempts are
// no entries (ATT-10).
type Entry struct {
	Status   action.Status
	Resolved bool
}

// Says returns what the entry says of its group. A deleted entry does not
// count, which is the same as to say awaiting: the identity of Join.
func (e Entry) Says() Status {
	if e.Resolved && e.Status != action.Deleted {
		return Done // RSL-3: whatever the resource's own status
	}
	return says[e.Status]
}

// says is the status of a group with one entry that is not resolved.
var says = func() (table [256]Status) {
	for i := range table {
		switch s := action.Status(i); { //nolint:gosec // i < 256
		case s == action.Draft, s == action.Deleted:
			table[i] = Awaiting
		case s.IsComplete():
			table[i] = Done
		case s.IsBlocking():
			table[i] = Blocked
		default:
			table[i] = Ongoing
		}
	}
	return table
}()

// StatusOf returns the status of a group with these entries: the join of what
// they say.
func StatusOf(entries []Entry) Status {
	status := Awaiting
	for _, e := range entries {
		status = status.Join(e.Says())
	}
	return status
}
