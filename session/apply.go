package session

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// New creates a session: Apply of a Create to no session.
func New(c Create, now time.Time) (Session, Change, error) {
	return Apply(Session{}, c, now)
}

// Apply returns the session that a command leads to, and what it did.
//
// A command that a rule forbids is refused with an error that holds a
// [*Refusal], and s is returned as it is. A command that tells nothing new
// returns s as well, without events and without error: [Change.Outcome] says
// why.
//
// now is the host's time. It becomes the time of the events and, in whole
// seconds, of what the public API shows (SES-8).
func Apply(s Session, c Command, now time.Time) (Session, Change, error) {
	create, isCreate := c.(Create)
	if reason := action.CheckTime(now); reason != "" {
		if isCreate {
			return s, Change{}, create.refuse("SES-8", action.ErrInvalidTime, reason)
		}
		return s, Change{}, s.refuse(commandName(c), "SES-8", action.ErrInvalidTime, "%s", reason)
	}
	now = now.Round(0).UTC()
	if isCreate {
		created, err := s.create(create)
		if err != nil {
			return s, Change{}, err
		}
		next, event := begin(create.ID, created, now)
		return next, Change{Events: []Event{event}, Outcome: action.Taken}, nil
	}
	fact, err := s.decide(c)
	if err != nil {
		return s, Change{}, err
	}
	// Everything up to here is about the command. From here on Replay goes the
	// same way.
	p, found := s.find(subject(fact))
	next, outcome, err := s.step(fact, p, found, now)
	if err != nil {
		return s, Change{}, err
	}
	if outcome != action.Taken {
		return s, Change{Outcome: outcome}, nil
	}
	s.detach(next.place)
	event := s.install(next, fact, now)
	return s, Change{Events: []Event{event}, Outcome: action.Taken}, nil
}

// decide turns a command into the fact that it would make true, and refuses
// what the fact alone could not show.
func (s Session) decide(c Command) (Fact, error) {
	if s.IsZero() {
		return nil, s.refuse(commandName(c), "SES-1", ErrNoSession, "it was never created")
	}
	switch c := c.(type) {
	case Link:
		if err := c.Resource.Check(); err != nil {
			return nil, err
		}
		if refusals := s.Refusals(c); refusals != nil {
			return nil, refusals[0]
		}
		c.Resource.CreatedAt = action.Seconds(c.Resource.CreatedAt)
		c.Resource.AsOf = action.Seconds(c.Resource.AsOf)
		return Linked(c), nil
	case Transition:
		return Transitioned{c.ResourceID, c.Event, action.Seconds(c.At)}, nil
	case Observe:
		return Observed{c.ResourceID, c.Status, action.Seconds(c.AsOf)}, nil
	case Resolve:
		return Resolved(c), nil
	default:
		return nil, s.refuse("command", "SES-1", ErrNoCommand,
			"it is nil or a pointer; one of Create, Link, Transition, Observe and Resolve is wanted")
	}
}

// create checks a Create (SES-1, SES-3, SES-11).
func (s Session) create(c Create) (Created, error) {
	switch {
	case s.IsZero():
	case s.id == c.ID:
		return Created{}, c.refuse("SES-1", ErrExists, "it exists already")
	default:
		return Created{}, c.refuse("SES-1", ErrExists, "session "+s.id+" stands in its place")
	}
	if reason := action.CheckID(c.ID); reason != "" {
		return Created{}, c.refuse("SES-11", action.ErrInvalidID, reason)
	}
	if reason := checkName(c.Name); reason != "" {
		return Created{}, c.refuse("SES-11", ErrInvalidName, reason)
	}
	if err := c.Template.Check(); err != nil {
		return Created{}, err
	}
	for _, w := range []string{c.WorkspaceID, c.DefaultWorkspaceID} {
		if reason := action.CheckID(w); w != "" && reason != "" {
			return Created{}, c.refuse("SES-11", action.ErrInvalidID, "workspace: "+reason)
		}
	}
	workspace, reason := c.Template.workspace(c.WorkspaceID, c.DefaultWorkspaceID)
	if reason != "" {
		refusal := c.refuse("SES-3", ErrWorkspace, reason)
		refusal.Allowed = slices.Clone(c.Template.Workspaces)
		return Created{}, refusal
	}
	return Created{c.Name, c.Template.ID, workspace, slices.Clone(c.Template.ActionGroups)}, nil
}

// refuse returns a refusal about the session that was to be created.
func (c Create) refuse(rule string, err error, reason string) *Refusal {
	return &Refusal{Op: "session: create", Subject: c.ID, Rule: rule, Reason: reason, Err: err}
}

// Refusals lists every rule that a link breaks, those of retrying first and in
// the order of ATT-13; nothing if it breaks none.
//
// A host can ask before it pays for a verification: with the type, the digest of
// the inputs and the attempt to be replaced alone. What only the resource itself
// could break is then left to Apply, which also holds it against
// [action.Resource.Check].
func (s Session) Refusals(c Link) []*Refusal {
	var list []*Refusal
	r := c.Resource
	taken, isTaken := s.find(r.ID)
	var elsewhere string
	if isTaken {
		elsewhere = s.describe(taken, r.ID)
	}
	// Without an attempt to replace there is no chain to ask, and ATT-12 is all
	// that is left of the rules of retrying.
	switch p, found := s.find(c.PreviousAttemptID); {
	case found:
		if taken == p {
			elsewhere = "" // the chain itself says so
		}
		list = s.groups[p.group].actions[p.action].Refusals(
			attempt.Retry{Replaces: c.PreviousAttemptID, Next: attempt.Attempt{Resource: r, Inputs: c.Inputs}, Elsewhere: elsewhere})
	case c.PreviousAttemptID != "":
		list = append(list, &Refusal{
			Op: "attempt: retry", Subject: c.PreviousAttemptID, Rule: "ATT-8", Err: attempt.ErrNotMain,
			Reason: "no action of session " + s.id + " has that resource",
		})
		fallthrough
	default:
		if isTaken {
			list = append(list, s.refuseLink(r, "ATT-12", ErrResourceTaken, "it stands in "+elsewhere))
		}
		if r.Status == action.Deleted {
			list = append(list, s.refuseLink(r, "SES-4", attempt.ErrDeleted, "it is deleted"))
		}
	}
	if r.WorkspaceID != "" && r.WorkspaceID != s.workspaceID {
		list = append(list, s.refuseWorkspace(r))
	}
	if s.groupIndex(group.TypeOf(r.Type)) < 0 {
		list = append(list, s.refuseGroup(r))
	}
	return list
}

// refuseWorkspace says that a resource lives elsewhere (SES-4).
func (s Session) refuseWorkspace(r action.Resource) *Refusal {
	refusal := s.refuseLink(r, "SES-4", ErrWorkspace, "it lives in workspace "+r.WorkspaceID)
	refusal.Allowed = []string{s.workspaceID}
	return refusal
}

// refuseGroup says that no group admits a resource (SES-4).
func (s Session) refuseGroup(r action.Resource) *Refusal {
	refusal := s.refuseLink(r, "SES-4", ErrNoGroup,
		fmt.Sprintf("no group of session %s admits type %s", s.id, r.Type))
	for _, g := range s.groups {
		for _, t := range g.typ.Admits() {
			refusal.Allowed = append(refusal.Allowed, t.String())
		}
	}
	return refusal
}

// refuseLink returns a refusal about the resource that was to be linked.
func (s Session) refuseLink(r action.Resource, rule string, err error, reason string) *Refusal {
	return &Refusal{Op: "session: link", Subject: r.ID, Rule: rule, Reason: reason, Err: err}
}

// describe says where a resource stands (ATT-12).
func (s Session) describe(p place, resourceID string) string {
	g := s.groups[p.group]
	return fmt.Sprintf("attempt %d of action %d of group %s of session %s",
		g.actions[p.action].Number(resourceID), p.action+1, g.typ, s.id)
}

// subject returns the resource by which the Action of a fact is found.
func subject(f Fact) string {
	switch f := f.(type) {
	case Linked:
		return f.PreviousAttemptID
	case Transitioned:
		return f.ResourceID
	case Observed:
		return f.ResourceID
	case Resolved:
		return f.ResourceID
	default:
		return ""
	}
}

// happening says what a fact tells of, for errors.
func happening(f Fact) string {
	switch f.(type) {
	case Transitioned:
		return "event"
	case Observed:
		return "observation"
	case Resolved:
		return "resolution"
	default:
		return "link"
	}
}

// begin returns the session that a creation leads to.
func begin(id string, f Created, at time.Time) (Session, Event) {
	s := Session{
		id: id, name: f.Name, templateID: f.TemplateID, workspaceID: f.WorkspaceID,
		groups:    make([]Group, len(f.Groups)),
		createdAt: action.Seconds(at), updatedAt: action.Seconds(at),
		version: 1,
	}
	for i, t := range f.Groups {
		s.groups[i].typ = t
	}
	return s, Event{SessionID: id, Version: 1, At: at, Fact: f, Session: Move{To: Awaiting}}
}

// step is what a fact does to one Action.
type step struct {
	place   place
	chain   attempt.Chain
	visible bool // whether the public API shows it (SES-8)
}

// step computes what a fact leads to. p is the place of its subject, if found.
// Apply and Replay share it, so that what is replayed is what was applied.
func (s Session) step(f Fact, p place, found bool, at time.Time) (step, action.Outcome, error) {
	if linked, ok := f.(Linked); ok && linked.PreviousAttemptID == "" {
		return s.link(linked)
	}
	if !found {
		return step{}, 0, &Refusal{
			Op: "session: " + happening(f), Subject: subject(f), Rule: "SES-12", Err: ErrUnknownResource,
			Reason: fmt.Sprintf("session %s has no such resource", s.id),
		}
	}
	before := s.groups[p.group].actions[p.action]
	after, outcome, err := before, action.Taken, error(nil)
	visible := true
	switch f := f.(type) {
	case Transitioned:
		after, outcome, err = before.Transition(f.ResourceID, f.Event, f.At)
		visible = status(after) != status(before)
	case Observed:
		after, outcome, err = before.Observe(f.ResourceID, f.Status, f.AsOf)
		visible = status(after) != status(before)
	case Linked:
		after, err = before.Retry(attempt.Retry{
			Replaces: f.PreviousAttemptID,
			Next:     attempt.Attempt{Resource: f.Resource, Inputs: f.Inputs},
		})
	case Resolved:
		after, err = before.Resolve(f.ResourceID, attempt.Resolution{Reason: f.Reason, By: f.By, At: at})
	}
	return step{p, after, visible}, outcome, err
}

// status is what the public API shows of an Action.
func status(c attempt.Chain) action.Status { return c.Main().Resource.Status }

// link computes a new Action in the group that admits it (SES-4).
func (s Session) link(f Linked) (step, action.Outcome, error) {
	g := s.groupIndex(group.TypeOf(f.Resource.Type))
	if g < 0 {
		return step{}, 0, s.refuseGroup(f.Resource)
	}
	chain, err := attempt.Start(attempt.Attempt{Resource: f.Resource, Inputs: f.Inputs})
	return step{place{g, len(s.groups[g].actions)}, chain, true}, action.Taken, err
}

// detach copies what a step at a place will write to, and no more.
func (s *Session) detach(p place) {
	s.groups = slices.Clone(s.groups)
	g := &s.groups[p.group]
	shared := g.actions
	g.actions = make([]attempt.Chain, len(shared), max(len(shared), p.action+1))
	copy(g.actions, shared)
}

// install writes a step into a session that owns its slices, and returns the
// event that tells of it.
func (s *Session) install(next step, f Fact, at time.Time) Event {
	g := &s.groups[next.place.group]
	// One Action changed, so one group can have moved, and the session with it:
	// the net change that SES-7 announces is never more than these two.
	event := Event{SessionID: s.id, At: at, Fact: f, GroupType: g.typ}
	event.Group.From, event.Session.From = g.Status(), s.Status()
	g.put(next.place.action, next.chain)
	event.Group.To, event.Session.To = g.Status(), s.Status()
	// A host's clock may step back; what people have seen does not (SES-8).
	if now := action.Seconds(at); next.visible && now.After(s.updatedAt) {
		s.updatedAt = now
	}
	s.version++
	event.Version = s.version
	return event
}
