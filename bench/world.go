package main

import (
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// noon is when everything begins.
var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// id returns an id of the length that ids have.
func id(kind, n int) string { return fmt.Sprintf("%08x-9b1a-4f7a-8fd8-%012x", kind, n) }

// The kinds of ids.
const (
	idSession = iota + 1
	idResource
	idTemplate
	idWorkspace
	idSubscription
	idEvent
)

// templates are made once, as a host has them.
var (
	workspace = id(idWorkspace, 0)
	// guide is the template of the platform's guide: verify an identity, sign.
	guide = session.Template{
		ID: id(idTemplate, 0), Name: "Customer onboarding",
		ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest},
	}
	// everything has a group of each type.
	everything = session.Template{ID: id(idTemplate, 1), Name: "Everything", ActionGroups: group.Types()}
)

// life is a session that commands are applied to, one a second.
type life struct {
	session.Session
	now time.Time
}

// begin creates a session.
func begin(n int, t session.Template) *life {
	l := &life{now: noon}
	l.do(session.Create{ID: id(idSession, n), Name: "Onboarding of Kelly Smith", Template: t, WorkspaceID: workspace})
	return l
}

// do applies a command, which must be one that is taken.
func (l *life) do(c session.Command) {
	l.now = l.now.Add(time.Second)
	next, _, err := session.Apply(l.Session, c, l.now)
	must(err)
	l.Session = next
}

// link links a resource, in the place of another if there is one.
func (l *life) link(resource string, t action.Type, s action.Status, replaces string) {
	l.do(session.Link{
		Resource: action.Resource{
			ID: resource, Type: t, Status: s, WorkspaceID: workspace, CreatedAt: l.now, AsOf: l.now,
		},
		Inputs: attempt.Digest{1, byte(l.now.Second()), byte(l.now.Minute())}, PreviousAttemptID: replaces, //nolint:gosec // both are below 60
	})
}

// observe tells of a status as of now.
func (l *life) observe(resource string, s action.Status) {
	l.do(session.Observe{ResourceID: resource, Status: s, AsOf: l.now.Add(time.Second)})
}

// onboarding returns the session of the guide: an identity that is verified, and
// a signature request in some status.
func onboarding(n int, signature action.Status) *life {
	l := begin(n, guide)
	l.link(id(idResource, 2*n), action.TypeIdentityDocumentVerification, action.Verified, "")
	l.link(id(idResource, 2*n+1), action.TypeSignatureRequest, signature, "")
	return l
}

// filled returns a session of all groups with so many Actions each, of which one
// in each group blocks, at its second attempt.
func filled(actions int) *life {
	l := begin(0, everything)
	n := 0
	for _, g := range group.Types() {
		for i := range actions {
			t, open, fails := g.Admits()[0], action.Pending, action.Failed
			if g == group.SignatureRequest {
				open, fails = action.Ongoing, action.Declined
			}
			n++
			first := id(idResource, n)
			l.link(first, t, open, "")
			if i > 0 {
				continue
			}
			l.observe(first, fails)
			n++
			l.link(id(idResource, n), t, open, first)
			l.observe(id(idResource, n), fails)
		}
	}
	return l
}
