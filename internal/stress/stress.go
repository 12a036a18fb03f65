// Package stress is what the stores are put through that survive their process:
// many writers on one session, and processes that are killed while they write.
package stress

import (
	"io"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// Store is one that is put through it.
type Store interface {
	session.Store
	session.Finder
	session.Archive
	session.Outbox
	io.Closer
}

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// creation returns the command that creates a session.
func creation(id string) session.Command {
	return session.Create{ID: id, Name: id, WorkspaceID: "w", Template: session.Template{
		ID: "t", Name: "t", ActionGroups: []group.Type{group.IdentityVerification},
	}}
}

// link returns the command that links a resource.
func link(id string) session.Command {
	return session.Link{Resource: action.Resource{
		ID: id, Type: action.TypeIdentityDocumentVerification, Status: action.Pending, CreatedAt: noon, AsOf: noon,
	}}
}
