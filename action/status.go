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
	// Draft: it is being prepared, and nobody was asked to sign.
	Draft Status = iota + 1
	// Approval: approvers are asked before any signer is.
	Approval
	// Ongoing: signers can sign.
	Ongoing
	// Paused: signers have to wait until it is resumed.
	Paused
	// Expired: the deadline passed. It can be reactivated.
	Expired
	// Rejected: an approver refused it.
	Rejected
	// Declined: a signer refused to sign.
	Declined
	// Canceled: the sender withdrew it.
	Canceled
	// Done: everybody signed; or a document analysis succeeded.
	Done
	// Deleted: it stays in sight and does not count any more.
	Deleted
	// AwaitingData: the person to be verified has not sent everything.
	AwaitingData
	// Pending: the check is under way.
	Pending
	// Inconclusive: the check could not tell.
	Inconclusive
	// Failed: the check said no.
	Failed
	// Verified: the check said yes.
	Verified
)

// The texts stand in the order of the constants.
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
