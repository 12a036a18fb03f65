package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// snapshotFormat is the number of the snapshot's form. A program reads the
// forms up to its own.
const snapshotFormat = 1

// The form of a snapshot. Members are only ever added; what changes the meaning
// of one is a new format.
type (
	snapshotJSON struct {
		Format      int                 `json:"format"`
		ID          string              `json:"id"`
		Name        string              `json:"name"`
		TemplateID  string              `json:"template_id"`
		WorkspaceID string              `json:"workspace_id"`
		Version     int                 `json:"version"`
		CreatedAt   time.Time           `json:"created_at"`
		UpdatedAt   time.Time           `json:"updated_at"`
		Groups      []groupSnapshotJSON `json:"groups"`
	}
	groupSnapshotJSON struct {
		Type    group.Type           `json:"type"`
		Actions []actionSnapshotJSON `json:"actions"`
	}
	actionSnapshotJSON struct {
		Attempts   []attempt.Attempt   `json:"attempts"` // oldest first
		Resolution *attempt.Resolution `json:"resolution,omitempty"`
	}
)

// Snapshot returns everything that is known of the session, for a Store to
// keep: a JSON text of sluice's own. [FromSnapshot] reads it. There is none, but
// ErrInvalidSave, of a session that was read from the public API's JSON.
func (s Session) Snapshot() ([]byte, error) {
	if s.fromDocument || s.IsZero() {
		return nil, fmt.Errorf("%w: there is no whole session to keep in %s", ErrInvalidSave, s)
	}
	wire := snapshotJSON{
		Format: snapshotFormat,
		ID:     s.id, Name: s.name, TemplateID: s.templateID, WorkspaceID: s.workspaceID,
		Version:   s.version,
		CreatedAt: s.createdAt, UpdatedAt: s.updatedAt,
		Groups: make([]groupSnapshotJSON, len(s.groups)),
	}
	for i, g := range s.groups {
		wire.Groups[i] = groupSnapshotJSON{Type: g.typ, Actions: make([]actionSnapshotJSON, len(g.actions))}
		for j, c := range g.actions {
			a := &wire.Groups[i].Actions[j]
			for _, at := range c.Attempts() {
				a.Attempts = append(a.Attempts, at)
			}
			if r, ok := c.Resolution(); ok {
				a.Resolution = &r
			}
		}
	}
	return json.Marshal(wire)
}

// FromSnapshot reads what [Session.Snapshot] wrote. A text that is damaged, of
// a later format, or that describes what no session can be is refused with a
// [*DocumentError].
func FromSnapshot(data []byte) (Session, error) {
	var wire snapshotJSON
	if err := json.Unmarshal(data, &wire); err != nil {
		return Session{}, unreadable("snapshot", err)
	}
	if wire.Format < 1 || wire.Format > snapshotFormat {
		return Session{}, &DocumentError{"snapshot", "format",
			fmt.Errorf("it is %d; this program reads 1 to %d", wire.Format, snapshotFormat)}
	}
	s := Session{
		id: wire.ID, name: wire.Name, templateID: wire.TemplateID, workspaceID: wire.WorkspaceID,
		createdAt: action.Seconds(wire.CreatedAt), updatedAt: action.Seconds(wire.UpdatedAt),
		version: wire.Version,
	}
	b := builder{document: "snapshot", s: &s}
	b.header("template_id", true)
	for i, g := range wire.Groups {
		b.at("groups[%d]", i)
		b.group(g.Type)
		for j, a := range g.Actions {
			b.at("groups[%d].actions[%d]", i, j)
			b.action(a.Attempts, a.Resolution)
		}
	}
	b.at("")
	b.done("groups")
	if least := 1 + len(b.taken) + b.resolutions; wire.Version < least {
		b.fail("version", fmt.Errorf("it is %d; a creation, %d links and %d resolutions make at least %d",
			wire.Version, len(b.taken), b.resolutions, least))
	}
	if b.err != nil {
		return Session{}, b.err
	}
	return s, nil
}

// builder puts a session together from a document, and remembers the first
// thing in it that no session can have.
type builder struct {
	document string
	s        *Session
	path     string
	taken    map[string]string // where each resource stands
	err      error

	resolutions int
}

// at says where in the document the builder is.
func (b *builder) at(format string, args ...any) { b.path = fmt.Sprintf(format, args...) }

// fail remembers an error about a member of what is at the path, or of the path
// itself.
func (b *builder) fail(member string, err error) {
	if err == nil || b.err != nil {
		return
	}
	path := b.path
	if path != "" && member != "" {
		path += "."
	}
	b.err = &DocumentError{b.document, path + member, err}
}

// header checks what stands outside the groups. A document that is not whole
// may leave out all but the id; template is what it calls the template's.
func (b *builder) header(template string, whole bool) {
	b.taken = map[string]string{}
	check := func(member, reason string) {
		if reason != "" {
			b.fail(member, fmt.Errorf("%s (SES-11)", reason))
		}
	}
	check("id", action.CheckID(b.s.id))
	if whole || b.s.name != "" {
		check("name", checkName(b.s.name))
	}
	if whole || b.s.templateID != "" {
		check(template, action.CheckID(b.s.templateID))
	}
	if whole || b.s.workspaceID != "" {
		check("workspace_id", action.CheckID(b.s.workspaceID))
	}
}

// group begins a group; the actions that follow are its own.
func (b *builder) group(t group.Type) {
	switch {
	case !t.IsValid():
		b.fail("type", fmt.Errorf("it is %s (RES-6)", t))
	case b.s.groupIndex(t) >= 0:
		b.fail("", fmt.Errorf("there is a group %s already (SES-1)", t))
	}
	b.s.groups = append(b.s.groups, Group{typ: t})
}

// action adds an Action to the group that was begun last. It holds it against
// the same rules as the commands that must have led to it.
func (b *builder) action(attempts []attempt.Attempt, resolution *attempt.Resolution) {
	if b.err != nil {
		return
	}
	chain, err := attempt.FromAttempts(attempts, resolution)
	if err != nil {
		b.fail("", err)
		return
	}
	if resolution != nil {
		b.resolutions++
	}
	g := &b.s.groups[len(b.s.groups)-1]
	if t := chain.Main().Resource.Type; group.TypeOf(t) != g.typ {
		b.fail("", fmt.Errorf("a group %s does not admit type %s (SES-4)", g.typ, t))
	}
	for _, a := range attempts {
		if w := a.Resource.WorkspaceID; w != "" && w != b.s.workspaceID {
			b.fail("", fmt.Errorf("resource %s lives in workspace %s (SES-4)", a.Resource.ID, w))
		}
		if where, doubled := b.taken[a.Resource.ID]; doubled {
			b.fail("", fmt.Errorf("resource %s stands in %s already (ATT-12)", a.Resource.ID, where))
		}
		b.taken[a.Resource.ID] = b.path
	}
	g.put(len(g.actions), chain)
}

// done checks what the whole must have; groups is where the document has them.
func (b *builder) done(groups string) {
	if len(b.s.groups) == 0 {
		b.fail(groups, errors.New("there is none; at least one is needed (SES-1)"))
	}
}
