package action

import (
	"database/sql/driver"
	"strings"

	"github.com/sluicego/sluice/internal/enum"
)

// Event is what moves a resource from one status to another (ACT-1, ACT-2).
// Zero is none.
type Event uint8

// The events of ACT-1, then those of ACT-2. EventDone is one of both: a
// document analysis that succeeds is done.
const (
	EventActivated Event = iota + 1
	EventActivatedForApproval
	EventApproved
	EventRejected
	EventDone
	EventDeclined
	EventCanceled
	EventExpired
	EventReactivated
	EventReactivatedForApproval
	EventPaused
	EventResumed
	EventDeleted
	EventPermanentlyDeleted
	EventDataReceived
	EventVerified
	EventFailed
	EventInconclusive
)

// The texts stand in the order of the constants.
var events = enum.New[Event]("event",
	"activated", "activated_for_approval", "approved", "rejected", "done", "declined",
	"canceled", "expired", "reactivated", "reactivated_for_approval", "paused", "resumed",
	"deleted", "permanently_deleted",
	"data_received", "verified", "failed", "inconclusive")

// Events returns every event of every type.
func Events() []Event { return events.All() }

// ParseEvent returns the event that text names, or an [*UnknownError] (RES-6).
func ParseEvent(text string) (Event, error) { return events.Parse(text) }

// IsValid reports whether e is an event that the spec lists.
func (e Event) IsValid() bool { return events.Has(e) }

// String returns the text form, "none" for zero.
func (e Event) String() string { return events.String(e) }

// GoString is String, for the printers of tests.
func (e Event) GoString() string { return e.String() }

// MarshalText returns the text form; zero and unknown values are an
// [*UnknownError].
func (e Event) MarshalText() ([]byte, error) { return events.MarshalText(e) }

// UnmarshalText reads the text form; an unknown text is an [*UnknownError].
func (e *Event) UnmarshalText(text []byte) error { return events.UnmarshalText(e, text) }

// Scan reads the text form from a database; NULL is zero.
func (e *Event) Scan(src any) error { return events.Scan(e, src) }

// Value writes the text form to a database; zero is NULL.
func (e Event) Value() (driver.Value, error) { return events.Value(e) }

// Webhook returns the name of the webhook event by which the platform tells of
// e on a resource of this type (ACT-1, ACT-2). Where two events share a name,
// the status in the webhook's payload tells which it was. It returns "" for an
// event that has no webhook, or that resources of this type do not have.
func (t Type) Webhook(e Event) string {
	if !t.Machine().HasEvent(e) || e == EventDataReceived {
		return ""
	}
	switch t.Kind() {
	case KindVerification:
		return "verification." + strings.TrimSuffix(t.String(), "_verification") + ".done"
	case KindDocumentAnalysis:
		return "document_analysis.done"
	default:
		return "signature_request." + strings.TrimSuffix(e.String(), "_for_approval")
	}
}
