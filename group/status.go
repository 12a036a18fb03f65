package group

import (
	"database/sql/driver"
	"math/bits"

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

// Entry is what one Action says of its group. The zero Entry is that of a
// deleted Action: it says awaiting.
type Entry struct {
	// says has one bit for each status above awaiting. So what many entries say
	// together is what their bits OR to, of which the highest counts.
	says uint8
}

// EntryOf returns what an Action says, from what a group reads of it: the status
// of its newest attempt's resource, and whether the Action is resolved. Previous
// attempts are no entries (ATT-10). A status that the spec does not list is taken
// for one under way.
func EntryOf(status action.Status, resolved bool) Entry {
	row := 0
	if resolved {
		row = 1
	}
	return entryOf[row][status]
}

// Says returns what the entry says of its group.
func (e Entry) Says() Status {
	return Awaiting + Status(bits.Len8(e.says)) //nolint:gosec // at most eight
}

// entryOf is every entry, by whether the Action is resolved and by its status: a
// table, so that there is no branch for a processor to guess wrongly.
var entryOf = func() (table [2][256]Entry) {
	for i := range 256 {
		table[0][i] = saying(says(action.Status(i), false))
		table[1][i] = saying(says(action.Status(i), true))
	}
	return table
}()

// says is what an Action says of its group. A deleted one does not count, which
// is the same as to say awaiting: the identity of Join.
func says(status action.Status, resolved bool) Status {
	switch {
	case status == action.Deleted:
		return Awaiting
	case resolved: // RSL-3: whatever the resource's own status
		return Done
	case status == action.Draft:
		return Awaiting
	case status.IsComplete():
		return Done
	case status.IsBlocking():
		return Blocked
	default:
		return Ongoing
	}
}

// saying returns the entry that says s.
func saying(s Status) Entry { return Entry{1 << (s - Awaiting) >> 1} }

// StatusOf returns the status of a group with these entries: the join of what
// they say.
//
// It takes eight entries for one word, and four words at a time, so that a long
// list costs about what reading its memory once does.
func StatusOf(entries []Entry) Status {
	if len(entries) < 8 {
		var all Entry
		for _, e := range entries {
			all.says |= e.says
		}
		return all.Says()
	}
	word := eight(entries[len(entries)-8:]) // what is read twice joins as once
	for ; len(entries) >= 32; entries = entries[32:] {
		word |= eight(entries) | eight(entries[8:]) | eight(entries[16:]) | eight(entries[24:])
	}
	for ; len(entries) > 8; entries = entries[8:] {
		word |= eight(entries)
	}
	word |= word >> 32 // all eight into the lowest
	word |= word >> 16
	word |= word >> 8
	return Entry{uint8(word & 0xff)}.Says()
}

// eight returns the first eight entries as one word. The compiler makes a single
// load of an expression in just this form.
func eight(e []Entry) uint64 {
	_ = e[7]
	return uint64(e[0].says) | uint64(e[1].says)<<8 | uint64(e[2].says)<<16 | uint64(e[3].says)<<24 |
		uint64(e[4].says)<<32 | uint64(e[5].says)<<40 | uint64(e[6].says)<<48 | uint64(e[7].says)<<56
}
