// Package session is the status logic of workflow sessions: what a company
// must do to onboard one customer, and where that stands.
//
// A [Template] lists groups, each of one [group.Type]. A [Session] has all the
// groups of its template. Actions are linked to it as people fill them in: an
// [attempt.Chain] each, in the group whose type admits its resources. The
// status of an Action is its newest attempt's; a group's follows from its
// Actions; the session's follows from its groups (SES-2). Nothing closes a
// session for good (SES-6).
//
// # Commands in, events out
//
// [Apply] is the only way to change a session. It takes a session, a [Command]
// and the time, and returns the next session with the events that say what
// happened; or it refuses, with a typed error that names the rule, and the
// session is as it was. It is a pure function: it asks no clock, no random
// source, no database.
//
//	s, change, err := session.New(session.Create{ID: id, Name: name, Template: t}, now)
//	s, change, err = session.Apply(s, session.Link{Resource: idCheck, Inputs: digest}, now)
//	s, change, err = session.Apply(s, session.Observe{ResourceID: idCheck.ID, Status: action.Failed, AsOf: eventTime}, now)
//
// What outsiders hear of is [Change.Announcements]. What keeps a session
// blocked, and every way out of it, is [Session.Blockers].
//
// # Storing
//
// A host implements [Store] over its database, or takes one that exists, and
// calls [Update]. [Replay] of a session's events gives the session again; the
// package sessiontest checks that and more of any Store.
//
// # Two documents
//
// The JSON of a Session is the public API's (SES-10): it can be shown to
// anybody, and leaves out what only the host knows. [Session.Snapshot] keeps
// everything. A session read from the API's JSON can be looked at, and commands
// tried on it, but no Store saves it: see [CheckSave].
package session

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// Status is the status of a session: the same four as a group's.
type Status = group.Status

// The statuses of a session (SES-2).
const (
	Awaiting = group.Awaiting
	Done     = group.Done
	Ongoing  = group.Ongoing
	Blocked  = group.Blocked
)

// Session is one workflow session. It is a value: it never changes, and
// functions return the next one. The zero Session is none.
type Session struct {
	id, name, templateID, workspaceID string

	groups []Group // in template order; never written to once it is shared

	createdAt, updatedAt time.Time // whole seconds, UTC
	version              int

	// fromDocument: it was read from the public API's JSON, or follows from one
	// that was, and is not to be saved.
	fromDocument bool
}

// Group is one group of a session.
type Group struct {
	typ     group.Type
	tally   group.Tally     // of the actions
	actions []attempt.Chain // in the order of linking; never written to once it is shared
}

// ID returns the id that the host gave.
func (s Session) ID() string { return s.id }

// Name returns the name that the host gave.
func (s Session) Name() string { return s.name }

// TemplateID returns the id of the template.
func (s Session) TemplateID() string { return s.templateID }

// WorkspaceID returns the id of the workspace (SES-3).
func (s Session) WorkspaceID() string { return s.workspaceID }

// CreatedAt returns the time of creation in whole seconds.
func (s Session) CreatedAt() time.Time { return s.createdAt }

// UpdatedAt returns the time, in whole seconds, of the last change that the
// public API shows (SES-8).
func (s Session) UpdatedAt() time.Time { return s.updatedAt }

// Version returns how many events led to this session, as far as it is known:
// 0 for one that was just read from a document of the public API.
func (s Session) Version() int { return s.version }

// IsZero reports whether s is no session.
func (s Session) IsZero() bool { return s.id == "" }

// Status returns the status of the session (SES-2).
func (s Session) Status() Status { return statusOf(s.groups) }

// statusOf is StatusOf without a list to make first: Apply asks it twice.
func statusOf(groups []Group) Status {
	var seen [group.Blocked + 1]bool
	for _, g := range groups {
		seen[g.Status()] = true
	}
	return summary(seen)
}

// StatusOf returns the status of a session whose groups have these statuses
// (SES-2). Without any it is awaiting.
func StatusOf(groups ...Status) Status {
	var seen [group.Blocked + 1]bool
	for _, g := range groups {
		if g.IsValid() {
			seen[g] = true
		}
	}
	return summary(seen)
}

// summary is SES-2. It is no join: done and awaiting together are ongoing.
func summary(seen [group.Blocked + 1]bool) Status {
	switch {
	case seen[Blocked]:
		return Blocked
	case seen[Ongoing], seen[Done] && seen[Awaiting]:
		return Ongoing
	case seen[Done]:
		return Done
	default:
		return Awaiting
	}
}

// Groups yields the groups in template order.
func (s Session) Groups() iter.Seq[Group] { return slices.Values(s.groups) }

// Group returns the group of a type, and whether the session has one.
func (s Session) Group(t group.Type) (Group, bool) {
	if i := s.groupIndex(t); i >= 0 {
		return s.groups[i], true
	}
	return Group{}, false
}

// groupIndex returns where the group of a type stands, or -1.
func (s Session) groupIndex(t group.Type) int {
	return slices.IndexFunc(s.groups, func(g Group) bool { return g.typ == t })
}

// Action returns the chain that a resource stands in, as its newest attempt or
// as a previous one, and whether there is one.
func (s Session) Action(resourceID string) (attempt.Chain, bool) {
	if p, ok := s.find(resourceID); ok {
		return s.groups[p.group].actions[p.action], true
	}
	return attempt.Chain{}, false
}

// VerificationsUsed returns how many verifications the session has used up
// (ATT-11).
func (s Session) VerificationsUsed() int {
	n := 0
	for _, g := range s.groups {
		for _, c := range g.actions {
			n += c.VerificationsUsed()
		}
	}
	return n
}

// Type returns the type of the group.
func (g Group) Type() group.Type { return g.typ }

// Status returns the status of the group (GRP).
func (g Group) Status() Status { return g.tally.Status() }

// Actions yields the Actions of the group in the order of their linking.
func (g Group) Actions() iter.Seq[attempt.Chain] { return slices.Values(g.actions) }

// Len returns the number of Actions, deleted ones included.
func (g Group) Len() int { return len(g.actions) }

// put writes a chain at index i, or behind the last one, into a group that owns
// its slice.
func (g *Group) put(i int, c attempt.Chain) {
	if i == len(g.actions) {
		g.actions = append(g.actions, c)
	} else {
		g.tally.Remove(entry(&g.actions[i]))
		g.actions[i] = c
	}
	g.tally.Add(entry(&c))
}

// entry is what a group reads of an Action: its newest attempt alone.
func entry(c *attempt.Chain) group.Entry {
	_, resolved := c.Resolution()
	return group.EntryOf(c.Main().Resource.Status, resolved)
}

// place is where an Action stands.
// A place stays good for ever: groups are never reordered, and Actions are only
// ever added behind the others.
type place struct{ group, action int }

// find returns the place of the Action that a resource stands in.
func (s Session) find(resourceID string) (place, bool) {
	for g := range s.groups {
		for a := range s.groups[g].actions {
			if s.groups[g].actions[a].Number(resourceID) > 0 {
				return place{g, a}, true
			}
		}
	}
	return place{}, false
}

// Equal reports whether both are the same session in the same version.
func (s Session) Equal(o Session) bool {
	return s.id == o.id && s.name == o.name &&
		s.templateID == o.templateID && s.workspaceID == o.workspaceID &&
		s.createdAt.Equal(o.createdAt) && s.updatedAt.Equal(o.updatedAt) &&
		s.version == o.version && s.fromDocument == o.fromDocument &&
		slices.EqualFunc(s.groups, o.groups, func(a, b Group) bool {
			return a.typ == b.typ && slices.EqualFunc(a.actions, b.actions, attempt.Chain.Equal)
		})
}

// String returns a short description for logs: it holds no name.
func (s Session) String() string {
	if s.IsZero() {
		return "no session"
	}
	return fmt.Sprintf("session %s, version %d, %s", s.id, s.version, s.Status())
}

// GoString is String, for the printers of tests.
func (s Session) GoString() string { return s.String() }

// refuse returns a refusal about the session.
func (s Session) refuse(op, rule string, err error, format string, args ...any) *action.Refusal {
	return &action.Refusal{
		Op: "session: " + op, Subject: s.id, Rule: rule, Err: err,
		Reason: fmt.Sprintf(format, args...),
	}
}
