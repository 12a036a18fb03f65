package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
		groups:  make([]Group, 0, len(wire.Groups)),
		version: wire.Version,
	}
	b := builder{document: "snapshot", groups: "groups", s: &s}
	b.header("template_id", true)
	for i, g := range wire.Groups {
		b.enter(i)
		b.group(g.Type, len(g.Actions))
		for j, a := range g.Actions {
			b.enter(j)
			b.action(a.Attempts, a.Resolution)
			b.leave()
		}
		b.leave()
	}
	b.done()
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
	groups   string // what the document calls the list of groups
	s        *Session
	where    []int            // in which group, action and previous attempt it is
	taken    map[string]place // where each resource stands
	err      error

	resolutions int
	listed      []attempt.Attempt // of one action, to be written over by the next
}

// enter says that the builder goes into a group, an action or a previous
// attempt, which has this index.
func (b *builder) enter(index int) { b.where = append(b.where, index) }

// leave says that it comes out again.
func (b *builder) leave() { b.where = b.where[:len(b.where)-1] }

// path returns the path of a group, an action or a previous attempt; "" for the
// whole document.
func (b *builder) path(where ...int) string {
	lists := [...]string{b.groups, ".actions", ".previous_attempts"}
	var path string
	for i, index := range where {
		path += fmt.Sprintf("%s[%d]", lists[i], index)
	}
	return path
}

// fail remembers an error about a member of what the builder is in, or about
// that itself.
func (b *builder) fail(member string, err error) {
	if err == nil || b.err != nil {
		return
	}
	path := b.path(b.where...)
	if path != "" && member != "" {
		path += "."
	}
	b.err = &DocumentError{b.document, path + member, err}
}

// header checks what stands outside the groups. A document that is not whole
// may leave out all but the id; template is what it calls the template's.
func (b *builder) header(template string, whole bool) {
	b.taken = map[string]place{}
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

// group begins a group; as many actions as it has follow.
func (b *builder) group(t group.Type, actions int) {
	switch {
	case !t.IsValid():
		b.fail("type", fmt.Errorf("it is %s (RES-6)", t))
	case b.s.groupIndex(t) >= 0:
		b.fail("", fmt.Errorf("there is a group %s already (SES-1)", t))
	}
	b.s.groups = append(b.s.groups, Group{typ: t, actions: slices.Grow([]attempt.Chain(nil), actions)})
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
		if p, doubled := b.taken[a.Resource.ID]; doubled {
			b.fail("", fmt.Errorf("resource %s stands in %s already (ATT-12)", a.Resource.ID, b.path(p.group, p.action)))
		}
		b.taken[a.Resource.ID] = place{b.where[0], b.where[1]}
	}
	g.put(len(g.actions), chain)
}

// done checks what the whole must have.
func (b *builder) done() {
	if len(b.s.groups) == 0 {
		b.fail(b.groups, errors.New("there is none; at least one is needed (SES-1)"))
	}
}
