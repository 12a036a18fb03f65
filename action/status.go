package action

import (
	"database/sql/driver"

	"github.com/sluicego/sluice/internal/enum"
)

// Status is the status of a resource (RES-2, RES-3). Zero is none.
type Status uint8

// The statuses of RES-2 and RES-3. Which of them a resource can have depends
// on its type: see [Type.Machine].
const (
	Draft Status = iota + 1
	Approval
	Ongoing
	Paused
	Expired
	Rejected
	Declined
	Canceled
	Done
	Deleted
	AwaitingData
	Pending
	Inconclusive
	Failed
	Verified
)

var statuses = enum.New[Status]("status",
	"draft", "approval", "ongoing", "paused", "expired", "rejected", "declined",
	"canceled", "done", "deleted",
	"awaiting_data", "pending", "inconclusive", "failed", "verified")

// Statuses returns every status of every type.
func Statuses() []Status { return statuses.All() }

// ParseStatus returns the status that text names, or an [*UnknownError] (RES-6).
func ParseStatus(text string) (Status, error) { return statuses.Parse(text) }

// IsValid reports whether s is a status that the spec lists.
func (s Status) IsValid() bool { return statuses.Has(s) }

// String returns the text form, "none" for zero.
func (s Status) String() string { return statuses.String(s) }

// GoString is String, for the printers of tests.
func (s Status) GoString() string { return s.String() }

// MarshalText returns the text form; zero and unknown values are an
// [*UnknownError].
func (s Status) MarshalText() ([]byte, error) { return statuses.MarshalText(s) }

// UnmarshalText reads the text form; an unknown text is an [*UnknownError].
func (s *Status) UnmarshalText(text []byte) error { return statuses.UnmarshalText(s, text) }

// Scan reads the text form from a database; NULL is zero.
func (s *Status) Scan(src any) error { return statuses.Scan(s, src) }

// Value writes the text form to a database; zero is NULL.
func (s Status) Value() (driver.Value, error) { return statuses.Value(s) }

// IsBlocking reports whether a resource with this status blocks its group
// unless it is resolved (RES-4). A resource can be retried in no other status.
func (s Status) IsBlocking() bool {
	switch s {
	case Rejected, Declined, Canceled, Expired, Failed, Inconclusive:
		return true
	default:
		return false
	}
}

// IsComplete reports whether a resource with this status has succeeded (RES-5).
func (s Status) IsComplete() bool { return s == Done || s == Verified }
