package session

import (
	"errors"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// Refusal is the error of whatever a rule forbids.
type Refusal = action.Refusal

// What the refusals of this package unwrap to, besides the errors of packages
// action and attempt.
var (
	// ErrInvalidTemplate: a template that no session can be created from
	// (SES-1).
	ErrInvalidTemplate = errors.New("session: invalid template")
	// ErrInvalidName: a name that is empty or too long (SES-11).
	ErrInvalidName = errors.New("session: invalid name")
	// ErrWorkspace: a workspace that is missing or not the right one (SES-3,
	// SES-4).
	ErrWorkspace = errors.New("session: wrong workspace")
	// ErrNoGroup: no group of the session admits resources of this type
	// (SES-4).
	ErrNoGroup = errors.New("session: no group for this type")
	// ErrExists: a session cannot be created over one that exists (SES-1).
	ErrExists = errors.New("session: exists")
	// ErrNoSession: the zero Session takes no command but Create, and has no
	// document.
	ErrNoSession = errors.New("session: no session")
	// ErrNoCommand: the command is nil or a pointer to one.
	ErrNoCommand = errors.New("session: no command")
)

// Errors of other packages that a host meets through this one.
var (
	// ErrResourceTaken: the resource stands in an attempt of this session or,
	// as a Store says, of another one (ATT-12).
	ErrResourceTaken = attempt.ErrResourceTaken
	// ErrUnknownResource: the session has no such resource (SES-12).
	ErrUnknownResource = attempt.ErrUnknownResource
)
