package session

import (
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// Event says what happened to a session. The events of a session, in the order
// of their versions, give the session again: see [Replay].
type Event struct {
	SessionID string
	Version   int       // of the session after the event, from 1 on
	At        time.Time // the time that came with the command, in UTC
	Fact      Fact

	// GroupType and Group say how the one group that the fact touched moved;
	// Session says how the session did. From and To are equal where nothing
	// moved. Creation touches no group.
	GroupType group.Type
	Group     Move
	Session   Move
}

// Move is the step of a group or session from one status to another.
type Move struct {
	From Status `json:"from,omitzero"`
	To   Status `json:"to"`
}

// Moved reports whether the statuses differ.
func (m Move) Moved() bool { return m.From != m.To }

// Fact is what an event says: one of [Created], [Linked], [Transitioned],
// [Observed] and [Resolved].
type Fact interface {
	// factName is the name in JSON; it also seals the interface.
	factName() string
}

// Created says that the session came to be (SES-1).
type Created struct {
	Name        string       `json:"name"`
	TemplateID  string       `json:"template_id"`
	WorkspaceID string       `json:"workspace_id"`
	Groups      []group.Type `json:"groups"` // not to be written to
}

// Linked says that a resource was linked, as a new Action or as the next attempt of
// one.
type Linked struct {
	Resource          action.Resource `json:"resource"`
	Inputs            attempt.Digest  `json:"inputs_digest,omitzero"`
	PreviousAttemptID string          `json:"previous_attempt_id,omitempty"` // "" for a new Action
}

// Transitioned says that a strict event moved a resource.
type Transitioned struct {
	ResourceID string       `json:"resource_id"`
	Event      action.Event `json:"event"`
	At         time.Time    `json:"at"` // of the event, in whole seconds
}

// Observed says that a provider's report was taken. The status may be the one that was
// known before, as of a later time.
type Observed struct {
	ResourceID string        `json:"resource_id"`
	Status     action.Status `json:"status"`
	AsOf       time.Time     `json:"as_of"` // in whole seconds
}

// Resolved says that somebody vouched for an Action, at the time of the event.
type Resolved struct {
	ResourceID string `json:"resource_id"`
	Reason     string `json:"reason,omitempty"`
	By         string `json:"by,omitempty"`
}

func (Created) factName() string      { return "created" }
func (Linked) factName() string       { return "linked" }
func (Transitioned) factName() string { return "transitioned" }
func (Observed) factName() string     { return "observed" }
func (Resolved) factName() string     { return "resolved" }

// Change is what a command did.
type Change struct {
	// Events are what to save, in order. There are none when the command
	// changed nothing.
	Events []Event
	// Outcome says why it changed nothing: [action.Duplicate], [action.Stale]
	// or [action.Frozen]; otherwise it is [action.Taken].
	Outcome action.Outcome
}

// Announcements returns what the events announce, in order.
func (c Change) Announcements() []Announcement {
	var all []Announcement
	for i := range c.Events {
		all = c.Events[i].announce(all)
	}
	return all
}

// Announcement is a change of status that subscribers may hear of (SES-7).
type Announcement struct {
	// Name is the webhook event: workflow_action_group or workflow_session,
	// then started, blocked or done.
	Name      string
	SessionID string
	Version   int        // of the event that announces it
	GroupType group.Type // zero for the session itself
	Status    Status
	At        time.Time
}

// String returns the name of the announcement.
func (a Announcement) String() string { return a.Name }

// Announcements returns what the event announces: the group first, then the
// session (SES-7). To become awaiting is not announced.
func (e Event) Announcements() []Announcement { return e.announce(nil) }

// announce appends the announcements of the event.
func (e *Event) announce(all []Announcement) []Announcement {
	add := func(name string, t group.Type, m Move) {
		if name == "" || !m.Moved() {
			return
		}
		if all == nil {
			all = make([]Announcement, 0, 2) // an event seldom has others
		}
		all = append(all, Announcement{
			Name: name, SessionID: e.SessionID, Version: e.Version, GroupType: t, Status: m.To, At: e.At,
		})
	}
	add(groupAnnouncements[e.Group.To], e.GroupType, e.Group)
	add(sessionAnnouncements[e.Session.To], 0, e.Session)
	return all
}

// The webhook events by which statuses are announced, "" for those that are not.
var (
	groupAnnouncements = [256]string{
		Ongoing: "workflow_action_group.started",
		Blocked: "workflow_action_group.blocked",
		Done:    "workflow_action_group.done",
	}
	sessionAnnouncements = [256]string{
		Ongoing: "workflow_session.started",
		Blocked: "workflow_session.blocked",
		Done:    "workflow_session.done",
	}
)
