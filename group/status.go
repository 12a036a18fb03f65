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

// The texts stand in the order of the join.
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

// GoString is String, for the printers of tests.
func (s Status) GoString() string { return s.String() }

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
	resolved := 0
	if e.Resolved {
		resolved = 1
	}
	return says[resolved][e.Status]
}

// says is what an entry says, by whether it is resolved and by its status: a
// table, so that there is no branch for a processor to guess wrongly.
var says = func() (table [2][256]Status) {
	for i := range 256 {
		switch s := action.Status(i); {
		case s == action.Deleted:
			table[0][i], table[1][i] = Awaiting, Awaiting
			continue
		case s == action.Draft:
			table[0][i] = Awaiting
		case s.IsComplete():
			table[0][i] = Done
		case s.IsBlocking():
			table[0][i] = Blocked
		default:
			table[0][i] = Ongoing
		}
		table[1][i] = Done // RSL-3: whatever the resource's own status
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
