package session

import (
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// Command is what a host asks of a session: one of [Create], [Link],
// [Transition], [Observe] and [Resolve].
type Command interface {
	command() // seals the interface
}

// Create creates a session with every group of its template, empty and
// awaiting (SES-1). It is the one command that the zero Session takes.
type Create struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"` // 1 to 128 characters (SES-11)
	Template Template `json:"template"`
	// WorkspaceID is the workspace that was asked for; "" for not given
	// (SES-3).
	WorkspaceID string `json:"workspace_id,omitempty"`
	// DefaultWorkspaceID is the host's default, for templates that are scoped
	// to no workspace.
	DefaultWorkspaceID string `json:"default_workspace_id,omitempty"`
}

// Link links a resource to the session (SES-4), in the status that it has: as
// a new Action or, with PreviousAttemptID, as the next attempt of one (ATT).
type Link struct {
	Resource action.Resource `json:"resource"`
	// Inputs is the digest of what the resource was made from. Without it the
	// Action can never be retried (ATT-6).
	Inputs attempt.Digest `json:"inputs_digest,omitzero"`
	// PreviousAttemptID is the resource of the attempt that this one replaces
	// (ATT-8); "" for a new Action.
	PreviousAttemptID string `json:"previous_attempt_id,omitempty"`
}

// Transition tells of an event that the host itself brought about (ACT-3).
type Transition struct {
	ResourceID string       `json:"resource_id"`
	Event      action.Event `json:"event,omitzero"`
	At         time.Time    `json:"at,omitzero"`
}

// Observe tells of a status that the provider reported (ACT-4).
type Observe struct {
	ResourceID string        `json:"resource_id"`
	Status     action.Status `json:"status,omitzero"`
	AsOf       time.Time     `json:"as_of,omitzero"` // the provider's time of the status
}

// Resolve marks an Action as settled by hand (RSL). It states that somebody
// vouches for a check done outside; nothing validates it.
type Resolve struct {
	ResourceID string `json:"resource_id"`
	Reason     string `json:"reason,omitempty"` // at most 150 characters
	By         string `json:"by,omitempty"`     // who vouches; never in the public API's JSON
}

func (Create) command()     {}
func (Link) command()       {}
func (Transition) command() {}
func (Observe) command()    {}
func (Resolve) command()    {}

// commandName returns the name of a command in JSON and in errors. It is no
// method, so that a command does not escape to the heap with its interface.
func commandName(c Command) string {
	switch c.(type) {
	case Create:
		return "create"
	case Link:
		return "link"
	case Transition:
		return "transition"
	case Observe:
		return "observe"
	case Resolve:
		return "resolve"
	default:
		return "command"
	}
}
