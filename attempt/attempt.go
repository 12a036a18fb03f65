// Package attempt knows the chain of attempts that fills an Action: when
// another attempt may follow (ATT), and when a person may vouch for the Action
// instead (RSL).
//
// A [Chain] begins with one attempt. While the newest attempt is blocking, a
// retry adds another, up to [Max]. The newest attempt is the main one: its
// status is the Action's, and it alone follows what the provider tells. The
// ones before it are frozen with the status that they had when they were
// replaced.
//
// A verification may instead be resolved: somebody says that the check was
// done outside. sluice validates nothing of that and keeps what was said, by
// whom and when (RSL-4). The resource keeps its status, and goes on following
// its provider; only what the group reads is settled.
//
// A Chain is a value: methods return the next one and never change what an
// older one shows.
package attempt

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluicego/sluice/action"
)

// Max is how many attempts a chain has at most, the first one included
// (ATT-5).
const Max = 10

// MaxReason is how many characters the reason of a resolution has at most
// (RSL-4).
const MaxReason = 150

// What the refusals of this package unwrap to.
var (
	// ErrNotBlocking: the newest attempt is not blocking (ATT-1).
	ErrNotBlocking = errors.New("attempt: not blocking")
	// ErrComplete: the newest attempt has succeeded (ATT-2).
	ErrComplete = errors.New("attempt: complete")
	// ErrResolved: the Action is resolved (ATT-3, RSL-5).
	ErrResolved = errors.New("attempt: resolved")
	// ErrTypeChanged: the new resource is of another type (ATT-4).
	ErrTypeChanged = errors.New("attempt: type changed")
	// ErrTooMany: there are as many attempts as there may be (ATT-5).
	ErrTooMany = errors.New("attempt: too many attempts")
	// ErrInputsUnchanged: the inputs are those of the attempt that is to be
	// replaced (ATT-6).
	ErrInputsUnchanged = errors.New("attempt: inputs unchanged")
	// ErrInputsUnknown: a digest to compare is missing (ATT-6).
	ErrInputsUnknown = errors.New("attempt: inputs unknown")
	// ErrNotMain: the attempt to be replaced or resolved is not the newest of
	// any chain (ATT-8, RSL-2).
	ErrNotMain = errors.New("attempt: not a main attempt")
	// ErrResourceTaken: the resource stands in an attempt already (ATT-12).
	ErrResourceTaken = errors.New("attempt: resource taken")
	// ErrDeleted: a deleted resource cannot be linked (SES-4).
	ErrDeleted = errors.New("attempt: resource deleted")
	// ErrUnknownResource: the resource stands in no attempt (SES-12).
	ErrUnknownResource = errors.New("attempt: unknown resource")
	// ErrNotVerification: a signature request cannot be resolved (RSL-1).
	ErrNotVerification = errors.New("attempt: not a verification")
	// ErrNotResolvable: the status needs no resolution (RSL-2).
	ErrNotResolvable = errors.New("attempt: not resolvable")
	// ErrInvalidReason: the reason, or who gave it, cannot be kept (RSL-4).
	ErrInvalidReason = errors.New("attempt: invalid reason")
)

// Attempt is one try at an Action.
type Attempt struct {
	Resource action.Resource `json:"resource"`
	// Inputs is the digest of what the resource was made from; zero if it is
	// not known, and then the attempt cannot be replaced (ATT-6).
	Inputs Digest `json:"inputs_digest,omitzero"`
}

// Resolution says that somebody vouches for an Action (RSL-4). Its JSON is
// sluice's own; the public API's does not show By.
type Resolution struct {
	Reason string    `json:"reason,omitempty"` // at most MaxReason characters
	By     string    `json:"by,omitempty"`     // who vouches, as the host names people; at most 128 bytes
	At     time.Time `json:"at,omitzero"`
}

// Chain is the attempts of one Action, oldest first, and its resolution. The
// zero Chain has no attempt and is none.
type Chain struct {
	// The newest attempt stands apart from the others: it is all that a group
	// reads, and an observation changes it without copying those that cannot
	// change any more.
	main       Attempt
	previous   []Attempt   // oldest first; never written to once it is shared
	resolution *Resolution // never written to; nil if there is none
}

// Start returns a chain of one attempt. It refuses a resource that
// [action.Resource.Check] refuses, and a deleted one (SES-4).
func Start(first Attempt) (Chain, error) {
	if err := first.Resource.Check(); err != nil {
		return Chain{}, err
	}
	if r := deleted("attempt: link", first.Resource); r != nil {
		return Chain{}, r
	}
	return Chain{main: first.normal()}, nil
}

// FromAttempts returns the chain that a document or a database describes,
// oldest attempt first. It refuses what no sequence of links and retries leads
// to; times and digests may be missing.
func FromAttempts(attempts []Attempt, resolution *Resolution) (Chain, error) {
	if len(attempts) == 0 {
		return Chain{}, errors.New("attempt: a chain without attempts")
	}
	var c Chain
	for i, a := range attempts {
		if err := a.Resource.CheckIdentity(); err != nil {
			return Chain{}, fmt.Errorf("attempt %d: %w", i+1, err)
		}
		if i == 0 {
			c.main = a.normal()
			continue
		}
		// A digest that no input has stands in for those that are missing.
		r := Retry{Replaces: c.main.Resource.ID, Next: a}
		was, now := c.main.Inputs, a.Inputs
		if was.IsZero() || now.IsZero() {
			c.main.Inputs, r.Next.Inputs = Digest{1}, Digest{2}
		}
		// A retry may have been deleted since. SES-4 is the last of the rules:
		// where it comes first, nothing else is wrong.
		if refusals := c.Refusals(r); len(refusals) > 0 && !errors.Is(refusals[0], ErrDeleted) {
			return Chain{}, fmt.Errorf("attempt %d: %w", i+1, refusals[0])
		}
		c.main.Inputs, r.Next.Inputs = was, now
		c = c.replaced(r.Next)
	}
	if resolution == nil {
		return c, nil
	}
	if !c.main.Resource.Type.IsVerification() {
		return Chain{}, refuseResolution(c.main.Resource.ID, "RSL-1", ErrNotVerification,
			"resources of type "+c.main.Resource.Type.String()+" cannot be resolved")
	}
	if err := resolution.check(c.main.Resource.ID); err != nil {
		return Chain{}, err
	}
	return c.resolved(*resolution), nil
}

// normal returns a with its times in whole seconds and UTC.
func (a Attempt) normal() Attempt {
	a.Resource.CreatedAt = action.Seconds(a.Resource.CreatedAt)
	a.Resource.AsOf = action.Seconds(a.Resource.AsOf)
	return a
}

// Main returns the newest attempt.
func (c Chain) Main() Attempt { return c.main }

// Len returns the number of attempts, zero for the zero Chain.
func (c Chain) Len() int {
	if c.main.Resource.ID == "" {
		return 0
	}
	return len(c.previous) + 1
}

// Attempts yields every attempt with its number, from 1 on, oldest first.
func (c Chain) Attempts() iter.Seq2[int, Attempt] {
	return func(yield func(int, Attempt) bool) {
		for i, a := range c.previous {
			if !yield(i+1, a) {
				return
			}
		}
		if n := c.Len(); n > 0 {
			yield(n, c.main)
		}
	}
}

// Number returns the number of the attempt that a resource stands in, from 1
// on, or 0 if it stands in none. The newest has the number Len.
func (c Chain) Number(resourceID string) int {
	if c.main.Resource.ID == resourceID {
		return c.Len()
	}
	return 1 + slices.IndexFunc(c.previous, func(a Attempt) bool { return a.Resource.ID == resourceID })
}

// Left returns how many retries the number of attempts leaves (ATT-5).
func (c Chain) Left() int { return Max - c.Len() }

// VerificationsUsed returns how many verifications the attempts have used up:
// one each, failed ones included, none for signature requests (ATT-11).
func (c Chain) VerificationsUsed() int {
	if !c.main.Resource.Type.IsVerification() {
		return 0
	}
	return c.Len()
}

// Resolution returns the resolution, and whether there is one.
func (c Chain) Resolution() (Resolution, bool) {
	if c.resolution == nil {
		return Resolution{}, false
	}
	return *c.resolution, true
}

// Equal reports whether both chains show the same.
func (c Chain) Equal(o Chain) bool {
	if (c.resolution == nil) != (o.resolution == nil) {
		return false
	}
	if c.resolution != nil && *c.resolution != *o.resolution {
		return false
	}
	return c.main == o.main && slices.Equal(c.previous, o.previous)
}

// Observe is [action.Resource.Observe] of one of the chain's resources. For
// that of a previous attempt the outcome is [action.Frozen] (ATT-9); one that
// stands in no attempt is a refusal under SES-12.
func (c Chain) Observe(resourceID string, s action.Status, asOf time.Time) (Chain, action.Outcome, error) {
	m := c.main.Resource.Type.Machine()
	sound := m.Has(s) && action.CheckTime(asOf) == ""
	return c.follow(resourceID, sound, func(r action.Resource) (action.Resource, action.Outcome, error) {
		return r.Observe(s, asOf)
	})
}

// Transition is [action.Resource.Transition] of one of the chain's resources;
// previous attempts and unknown resources are as in Observe.
func (c Chain) Transition(resourceID string, e action.Event, at time.Time) (Chain, action.Outcome, error) {
	m := c.main.Resource.Type.Machine()
	sound := m.HasEvent(e) && action.CheckTime(at) == ""
	return c.follow(resourceID, sound, func(r action.Resource) (action.Resource, action.Outcome, error) {
		return r.Transition(e, at)
	})
}

// follow moves the newest attempt. A previous one is frozen if what is told of
// it is sound; otherwise its resource says what is wrong.
func (c Chain) follow(
	resourceID string, sound bool, move func(action.Resource) (action.Resource, action.Outcome, error),
) (Chain, action.Outcome, error) {
	switch n := c.Number(resourceID); {
	case n == 0:
		return c, 0, &action.Refusal{
			Op: "attempt: event", Subject: resourceID, Rule: "SES-12",
			Reason: "no attempt has this resource", Err: ErrUnknownResource,
		}
	case n == c.Len():
		next, outcome, err := move(c.main.Resource)
		c.main.Resource = next
		return c, outcome, err
	case sound:
		return c, action.Frozen, nil
	default:
		_, _, err := move(c.previous[n-1].Resource)
		return c, 0, err
	}
}

// Resolve marks the Action as settled by hand. It is refused for a signature
// request (RSL-1), for a resource that is not the newest attempt's or whose
// status needs no resolution (RSL-2), for an Action that is resolved (RSL-5),
// and with a reason that is too long (RSL-4).
func (c Chain) Resolve(resourceID string, r Resolution) (Chain, error) {
	n := c.Number(resourceID)
	main := c.main.Resource
	switch {
	case n == 0:
		return c, refuseResolution(resourceID, "SES-12", ErrUnknownResource, "no attempt has this resource")
	case !main.Type.IsVerification():
		return c, refuseResolution(resourceID, "RSL-1", ErrNotVerification,
			"resources of type "+main.Type.String()+" cannot be resolved")
	case n != c.Len():
		return c, refuseResolution(resourceID, "RSL-2", ErrNotMain,
			fmt.Sprintf("it is attempt %d, which was replaced", n), main.ID)
	case c.resolution != nil:
		return c, refuseResolution(resourceID, "RSL-5", ErrResolved, "it is resolved already")
	case !resolvable(main.Status):
		return c, refuseResolution(resourceID, "RSL-2", ErrNotResolvable, "it is "+main.Status.String(),
			"pending", "awaiting_data", "failed", "inconclusive")
	}
	if reason := action.CheckTime(r.At); reason != "" {
		return c, refuseResolution(resourceID, "RSL-4", action.ErrInvalidTime, reason)
	}
	if err := r.check(resourceID); err != nil {
		return c, err
	}
	return c.resolved(r), nil
}

// resolved returns the chain with a resolution that was found sound. The chains
// that follow from it share the pointer, and never write through it.
func (c Chain) resolved(r Resolution) Chain {
	r.At = action.Seconds(r.At)
	c.resolution = &r
	return c
}

// Resolvable reports whether Resolve would accept a resolution with a reason
// that can be kept.
func (c Chain) Resolvable() bool {
	return c.main.Resource.Type.IsVerification() && c.resolution == nil && resolvable(c.main.Resource.Status)
}

// resolvable is RSL-2: what awaits data is pending as far as a person can tell.
func resolvable(s action.Status) bool {
	switch s {
	case action.Pending, action.AwaitingData, action.Failed, action.Inconclusive:
		return true
	default:
		return false
	}
}

// check refuses what cannot be kept of a resolution.
func (r Resolution) check(resourceID string) error {
	var reason string
	switch n := utf8.RuneCountInString(r.Reason); {
	case n > MaxReason:
		reason = fmt.Sprintf("the reason has %d characters; at most %d are allowed", n, MaxReason)
	case !utf8.ValidString(r.Reason) || strings.ContainsRune(r.Reason, 0):
		reason = "the reason is not valid text"
	case r.By != "" && action.CheckID(r.By) != "":
		reason = "who resolved it: " + action.CheckID(r.By)
	default:
		return nil
	}
	return refuseResolution(resourceID, "RSL-4", ErrInvalidReason, reason)
}

// refuseResolution returns a refusal about the resource that was to be resolved.
func refuseResolution(resourceID, rule string, err error, reason string, allowed ...string) error {
	return &action.Refusal{
		Op: "attempt: resolution", Subject: resourceID, Rule: rule, Reason: reason, Allowed: allowed, Err: err,
	}
}

// deleted refuses a resource that is deleted before it was ever linked (SES-4).
func deleted(op string, r action.Resource) *action.Refusal {
	if r.Status != action.Deleted {
		return nil
	}
	return &action.Refusal{Op: op, Subject: r.ID, Rule: "SES-4", Reason: "it is deleted", Err: ErrDeleted}
}
