// Package action knows the resources that fill a session: their types, their
// statuses, the events that move them, and what to believe when somebody tells
// of them late.
//
// A [Resource] is a signature request or a verification, as its provider last
// described it. It is a value: methods return the next one.
//
// # Two ways to move a resource
//
// [Resource.Transition] applies an [Event] by the table of the resource's type
// (ACT-1, ACT-2). An event that the present status does not allow is an error.
// It is for hosts that make the changes themselves.
//
// [Resource.Observe] takes note of a status that the provider reports as of a
// time (ACT-4). It is for hosts that hear of changes through webhooks, which
// arrive late, twice and out of order. What is older than what is known is
// stale, what is known is a duplicate, and neither is an error; whatever the
// order of arrival, the end is the same (ACT-5).
//
// A host uses one of the two ways for a resource, not both: a strict event
// bears the host's time, an observation the provider's, and the two clocks
// cannot be compared.
//
// Provider's times are compared in whole seconds. When a signature request
// expires and is reactivated within one second, the two orders cannot be told
// apart: every order of arrival still ends in the same status, but it may not
// be the true one until the next webhook.
package action

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Resource is a signature request or a verification. Its JSON is sluice's own.
type Resource struct {
	ID     string `json:"id,omitempty"`
	Type   Type   `json:"type,omitzero"`
	Status Status `json:"status,omitzero"`
	// WorkspaceID is where the resource lives; "" if that was not told.
	WorkspaceID string `json:"workspace_id,omitempty"`
	// CreatedAt is when the provider made it; whole seconds count.
	CreatedAt time.Time `json:"created_at,omitzero"`
	// AsOf is the provider's time of Status, in whole seconds (ACT-4). Zero is
	// before every other.
	AsOf time.Time `json:"as_of,omitzero"`
}

// Outcome says what became of an event or an observation.
type Outcome uint8

// The outcomes. All but Taken leave everything as it was, and are no errors.
const (
	// Taken: it is the latest that is known now.
	Taken Outcome = iota + 1
	// Duplicate: it was known.
	Duplicate
	// Stale: something later is known.
	Stale
	// Frozen: the resource is that of a previous attempt, which reflects
	// nothing any more (ATT-9). Only the packages that know of attempts say so.
	Frozen
)

// String returns the outcome in a word.
func (o Outcome) String() string {
	switch o {
	case Taken:
		return "taken"
	case Duplicate:
		return "duplicate"
	case Stale:
		return "stale"
	case Frozen:
		return "frozen"
	default:
		return fmt.Sprintf("Outcome(%d)", uint8(o))
	}
}

// Check returns a [*Refusal] if r cannot be linked: its id (SES-11), its type
// or a status that the type does not have (RES-6), a missing time.
func (r Resource) Check() error {
	if err := r.CheckIdentity(); err != nil {
		return err
	}
	if reason := CheckTime(r.CreatedAt); reason != "" {
		return r.refuse("SES-10", ErrInvalidTime, "created_at: "+reason)
	}
	if reason := CheckTime(r.AsOf); reason != "" {
		return r.refuse("ACT-4", ErrInvalidTime, "as_of: "+reason+
			"; it is the provider's time of the status")
	}
	return nil
}

// CheckIdentity is Check but for the times, which documents may leave out.
func (r Resource) CheckIdentity() error {
	if reason := CheckID(r.ID); reason != "" {
		return r.refuse("SES-11", ErrInvalidID, reason)
	}
	if r.WorkspaceID != "" {
		if reason := CheckID(r.WorkspaceID); reason != "" {
			return r.refuse("SES-11", ErrInvalidID, "workspace: "+reason)
		}
	}
	return r.checkStatus("action: resource", r.Status)
}

// refuse returns the refusal of a resource that cannot be one.
func (r Resource) refuse(rule string, err error, reason string) error {
	return &Refusal{Op: "action: resource", Subject: r.name(), Rule: rule, Reason: reason, Err: err}
}

// checkStatus refuses a status that resources of this type do not have.
func (r Resource) checkStatus(op string, s Status) error {
	m := r.Type.Machine()
	if m.Has(s) {
		return nil
	}
	refusal := &Refusal{Op: op, Subject: r.name(), Rule: "RES-6", Err: ErrUnknown}
	if !r.Type.IsValid() {
		refusal.Reason = fmt.Sprintf("its type is %s", r.Type)
		refusal.Allowed = texts(Types())
	} else {
		refusal.Reason = fmt.Sprintf("%s is no status of type %s", s, r.Type)
		refusal.Allowed = texts(m.States())
	}
	return refusal
}

// name is what errors call the resource.
func (r Resource) name() string {
	if r.ID == "" {
		return "a resource without id"
	}
	return r.ID
}

// Transition applies a strict event that happened at a time (ACT-3, ACT-4).
//
// An event from before AsOf is [Stale]. Otherwise the table of the type alone
// decides: it is [Taken] and AsOf moves to its time, or it is refused with a
// [*Refusal] under ACT-3 that unwraps to an
// [*github.com/sluicego/sluice/fsm.EventError].
func (r Resource) Transition(e Event, at time.Time) (Resource, Outcome, error) {
	const op = "action: event"
	if err := r.checkStatus(op, r.Status); err != nil {
		return r, 0, err
	}
	if reason := CheckTime(at); reason != "" {
		return r, 0, &Refusal{Op: op, Subject: r.name(), Rule: "ACT-4", Reason: reason, Err: ErrInvalidTime}
	}
	m := r.Type.Machine()
	// An event of another machine is wrong whenever it was, and never stale.
	if m.HasEvent(e) && at.Unix() < r.AsOf.Unix() {
		return r, Stale, nil
	}
	next, err := m.Next(r.Status, e)
	if err != nil {
		return r, 0, &Refusal{
			Op: op, Subject: r.name(), Rule: "ACT-3", Err: err,
			Reason:  fmt.Sprintf("%s does not allow %s in machine %s", r.Status, e, m.Name()),
			Allowed: texts(slices.Collect(m.Allowed(r.Status))),
		}
	}
	r.Status, r.AsOf = next, Seconds(at)
	return r, Taken, nil
}

// Observe takes note that the provider reported a status as of a time (ACT-4).
//
// The pair of time, in whole seconds, and rank of the status is compared with
// the resource's own. Lower is [Stale], equal is [Duplicate]. Greater is
// [Taken] if the present status can lead to the observed one, directly or
// through others that were not heard of; AsOf moves also when the status stays.
// If it cannot, the reports contradict each other: a [*Refusal] that unwraps to
// [ErrContradiction].
func (r Resource) Observe(s Status, asOf time.Time) (Resource, Outcome, error) {
	const op = "action: observation"
	if err := cmp.Or(r.checkStatus(op, r.Status), r.checkStatus(op, s)); err != nil {
		return r, 0, err
	}
	if reason := CheckTime(asOf); reason != "" {
		return r, 0, &Refusal{Op: op, Subject: r.name(), Rule: "ACT-4", Reason: reason, Err: ErrInvalidTime}
	}
	m := r.Type.Machine()
	// Time decides first. Within one second rank does, which agrees with time
	// wherever there is a before and an after: see fsm.Compile.
	switch order := cmp.Or(
		cmp.Compare(asOf.Unix(), r.AsOf.Unix()),
		cmp.Compare(m.Rank(s), m.Rank(r.Status)),
	); {
	case order < 0:
		return r, Stale, nil
	case order == 0:
		return r, Duplicate, nil
	case !m.Reaches(r.Status, s):
		return r, 0, &Refusal{
			Op: op, Subject: r.name(), Rule: "ACT-4", Err: ErrContradiction,
			Reason: fmt.Sprintf("%s as of %s cannot follow %s as of %s",
				s, stamp(asOf), r.Status, stamp(r.AsOf)),
			Allowed: texts(reachable(m, r.Status)),
		}
	}
	r.Status, r.AsOf = s, Seconds(asOf)
	return r, Taken, nil
}

// reachable returns the statuses that a status can lead to.
func reachable(m *Machine, from Status) []Status {
	return slices.DeleteFunc(m.States(), func(s Status) bool { return !m.Reaches(from, s) })
}

// Seconds returns t in whole seconds and UTC, the form in which providers'
// times are kept and compared. The zero time stays zero.
func Seconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.Unix(t.Unix(), 0).UTC()
}

// stamp writes a time as documents do (SES-10).
func stamp(t time.Time) string { return Seconds(t).Format("2006-01-02T15:04:05-07:00") }

// texts returns the text forms of values.
func texts[T fmt.Stringer](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return list
}
