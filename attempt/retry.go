package attempt

import (
	"fmt"

	"github.com/sluicego/sluice/action"
)

// Retry asks for another attempt.
type Retry struct {
	// Replaces is the resource of the attempt to be replaced, the newest one
	// (ATT-8).
	Replaces string
	// Next is the new attempt.
	Next Attempt
	// Elsewhere says where the resource of Next stands outside this chain, as
	// far as the caller knows; "" for nowhere (ATT-12).
	Elsewhere string
}

// Retry returns the chain with one more attempt, which is the main one at once
// (ATT-8). It refuses a resource that [action.Resource.Check] refuses, and
// whatever [Chain.Refusals] lists, with the first of the list (ATT-13).
func (c Chain) Retry(r Retry) (Chain, error) {
	if err := r.Next.Resource.Check(); err != nil {
		return c, err
	}
	if refusals := c.Refusals(r); refusals != nil {
		return c, refusals[0]
	}
	return c.replaced(r.Next), nil
}

// replaced freezes the newest attempt and puts next in its place. It copies
// the previous attempts, since chains that were returned before share them.
func (c Chain) replaced(next Attempt) Chain {
	c.previous = append(c.previous[:len(c.previous):len(c.previous)], c.main)
	c.main = next.normal()
	return c
}

// Refusals lists every rule of retrying that a retry breaks, in the order of
// ATT-13, and SES-4 behind them; nothing if it is allowed. The resource itself
// is [action.Resource.Check]'s business.
func (c Chain) Refusals(r Retry) []*action.Refusal {
	var list []*action.Refusal
	for _, rule := range [...]func(Chain, Retry) *action.Refusal{
		notResolved, notComplete, blocking, replacesMain,
		attemptsLeft, sameType, otherInputs, notTaken, notDeleted,
	} {
		if refusal := rule(c, r); refusal != nil {
			list = append(list, refusal)
		}
	}
	return list
}

// refuse returns a refusal about the attempt that was to be replaced.
func (r Retry) refuse(rule string, err error, format string, args ...any) *action.Refusal {
	return &action.Refusal{
		Op: "attempt: retry", Subject: r.Replaces, Rule: rule, Err: err,
		Reason: fmt.Sprintf(format, args...),
	}
}

// notResolved is ATT-3.
func notResolved(c Chain, r Retry) *action.Refusal {
	if c.resolution == nil {
		return nil
	}
	return r.refuse("ATT-3", ErrResolved, "its action is resolved")
}

// notComplete is ATT-2.
func notComplete(c Chain, r Retry) *action.Refusal {
	if !c.main.Resource.Status.IsComplete() {
		return nil
	}
	return r.refuse("ATT-2", ErrComplete, "attempt %d is %s", c.Len(), c.main.Resource.Status)
}

// blocking is ATT-1. What is complete is not refused again here: ATT-2 has
// said it better.
func blocking(c Chain, r Retry) *action.Refusal {
	s := c.main.Resource.Status
	if s.IsBlocking() || s.IsComplete() {
		return nil
	}
	refusal := r.refuse("ATT-1", ErrNotBlocking, "attempt %d is %s, which does not block", c.Len(), s)
	for _, s := range c.main.Resource.Type.Machine().States() {
		if s.IsBlocking() {
			refusal.Allowed = append(refusal.Allowed, s.String())
		}
	}
	return refusal
}

// replacesMain is ATT-8 for one chain.
func replacesMain(c Chain, r Retry) *action.Refusal {
	n := c.Number(r.Replaces)
	switch n {
	case c.Len():
		return nil
	case 0:
		return r.refuse("ATT-8", ErrNotMain, "no attempt of this action has that resource")
	}
	refusal := r.refuse("ATT-8", ErrNotMain, "it is attempt %d, which was replaced", n)
	refusal.Allowed = []string{c.main.Resource.ID}
	return refusal
}

// attemptsLeft is ATT-5.
func attemptsLeft(c Chain, r Retry) *action.Refusal {
	if c.Left() > 0 {
		return nil
	}
	return r.refuse("ATT-5", ErrTooMany, "there are %d attempts, as many as there may be", c.Len())
}

// sameType is ATT-4.
func sameType(c Chain, r Retry) *action.Refusal {
	was, now := c.main.Resource.Type, r.Next.Resource.Type
	if was == now {
		return nil
	}
	refusal := r.refuse("ATT-4", ErrTypeChanged, "%s is of type %s", r.Next.Resource.ID, now)
	refusal.Allowed = []string{was.String()}
	return refusal
}

// otherInputs is ATT-6.
func otherInputs(c Chain, r Retry) *action.Refusal {
	was, now := c.main.Inputs, r.Next.Inputs
	switch {
	case was.IsZero():
		return r.refuse("ATT-6", ErrInputsUnknown, "the inputs of attempt %d are not known", c.Len())
	case now.IsZero():
		return r.refuse("ATT-6", ErrInputsUnknown, "the inputs of %s are not given", r.Next.Resource.ID)
	case was == now:
		return r.refuse("ATT-6", ErrInputsUnchanged, "inputs are those of attempt %d", c.Len())
	default:
		return nil
	}
}

// notTaken is ATT-12, for this chain and for what the caller knows of others.
func notTaken(c Chain, r Retry) *action.Refusal {
	where := r.Elsewhere
	if n := c.Number(r.Next.Resource.ID); n > 0 {
		where = fmt.Sprintf("attempt %d of this action", n)
	}
	if where == "" {
		return nil
	}
	return r.refuse("ATT-12", ErrResourceTaken, "%s stands in %s", r.Next.Resource.ID, where)
}

// notDeleted is SES-4, which ATT-13 does not rank and which therefore is last.
func notDeleted(_ Chain, r Retry) *action.Refusal {
	return deleted("attempt: retry", r.Next.Resource)
}
