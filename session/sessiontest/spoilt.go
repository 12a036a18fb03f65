package sessiontest

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

// spoiltRetry draws a retry with one thing about it that the rules forbid.
func (sc scene) spoiltRetry() session.Command {
	c := sc.action(canBeRetried)
	link := sc.nextAttempt(c)
	spoil := sample(sc, "spoilt", []func(){
		func() { link.Inputs = c.Main().Inputs },                      // ATT-6
		func() { link.Inputs = attempt.Digest{} },                     // ATT-6
		func() { link.PreviousAttemptID = link.Resource.ID },          // ATT-8
		func() { link.Resource.ID = sc.attempt(c).Resource.ID },       // ATT-12
		func() { link.Resource = sc.resource(sibling(c)) },            // ATT-4
		func() { link.PreviousAttemptID = sc.attempt(c).Resource.ID }, // ATT-8, if it is not the newest
	})
	spoil()
	return link
}

// sibling returns another type than that of an Action.
func sibling(c attempt.Chain) action.Type {
	t := c.Main().Resource.Type
	if next := t + 1; next.IsValid() {
		return next
	}
	return t - 1
}

// spoiltLink draws a link with one thing about it that the rules forbid.
func (sc scene) spoiltLink() session.Command {
	link := sc.newAction()
	r := &link.Resource
	faults := []func(){
		func() { r.ID = "" }, // SES-11
		func() { r.ID = strings.Repeat("i", action.MaxIDBytes+1) }, // SES-11
		func() { r.ID = "\x00" },                                   // SES-11
		func() { r.AsOf = time.Time{} },                            // ACT-4
		func() { r.Status = foreignStatus(r.Type) },                // RES-6
		func() { r.WorkspaceID = sc.s.WorkspaceID() + "x" },        // SES-4
	}
	if r.Type == action.TypeSignatureRequest {
		faults = append(faults, func() { r.Status = action.Deleted }) // SES-4
	}
	if types := otherTypes(sc.s); len(types) > 0 {
		faults = append(faults, func() { *r = sc.resource(sample(sc, "type", types)) }) // SES-4
	}
	if len(sc.actions) > 0 {
		faults = append(faults, func() { r.ID = sc.attempt(sample(sc, "action", sc.actions)).Resource.ID }) // ATT-12
	}
	sample(sc, "spoilt", faults)()
	return link
}

// foreignStatus returns a status that resources of a type do not have.
func foreignStatus(t action.Type) action.Status {
	if t.IsVerification() {
		return action.Draft
	}
	return action.Pending
}

// nonsense draws what is refused whatever the session is like: a creation over
// it, or a command about a resource that it does not have or that no resource
// could be asked for.
func (sc scene) nonsense() session.Command {
	unknown, now := newID(sc.s, sc.actions), action.Seconds(sc.now)
	if len(sc.actions) == 0 || rapid.Bool().Draw(sc.T, "unknown") {
		return sample(sc, "nonsense", []func() session.Command{ // SES-12, but for the last: SES-1
			func() session.Command {
				return session.Observe{ResourceID: unknown, Status: action.Failed, AsOf: now}
			},
			func() session.Command {
				return session.Transition{ResourceID: unknown, Event: action.EventDone, At: now}
			},
			func() session.Command { return session.Resolve{ResourceID: unknown} },
			func() session.Command { return creations(sc.s.ID()).Draw(sc.T, "creation") },
		})()
	}
	r := sample(sc, "action", sc.actions).Main().Resource
	return sample(sc, "nonsense", []session.Command{
		session.Observe{ResourceID: r.ID, Status: foreignStatus(r.Type), AsOf: now},         // RES-6
		session.Observe{ResourceID: r.ID, Status: r.Status},                                 // ACT-4
		session.Transition{ResourceID: r.ID, Event: action.EventDeleted},                    // ACT-4
		session.Resolve{ResourceID: r.ID, Reason: strings.Repeat("é", attempt.MaxReason+1)}, // RSL-4
		session.Resolve{ResourceID: r.ID, By: strings.Repeat("k", action.MaxIDBytes+1)},     // RSL-4
	})
}
