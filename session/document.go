package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// The public API's document of a session (SES-10). Texts stay texts until they
// are read one by one, so that an error can say where it is.
type (
	documentJSON struct {
		ID           string      `json:"id"`
		Name         string      `json:"name"`
		TemplateID   string      `json:"workflow_template_id"`
		WorkspaceID  *string     `json:"workspace_id"`
		Status       string      `json:"status"`
		ActionGroups []groupJSON `json:"action_groups"`
		CreatedAt    *string     `json:"created_at"`
		UpdatedAt    *string     `json:"updated_at"`
	}
	groupJSON struct {
		Type    string       `json:"type"`
		Status  string       `json:"status"`
		Actions []actionJSON `json:"actions"`
	}
	actionJSON struct {
		Resource         resourceJSON          `json:"resource"`
		Resolution       *resolutionJSON       `json:"resolution"`
		PreviousAttempts []previousAttemptJSON `json:"previous_attempts"`
	}
	previousAttemptJSON struct {
		Resource resourceJSON `json:"resource"`
	}
	resourceJSON struct {
		ID                string  `json:"id"`
		CreatedAt         *string `json:"created_at"`
		Type              string  `json:"type"`
		Status            string  `json:"status"`
		PreviousAttemptID *string `json:"previous_attempt_id"`
	}
	resolutionJSON struct {
		Reason     *string `json:"reason"`
		ResolvedAt *string `json:"resolved_at"`
	}
)

// MarshalJSON writes the public API's document of the session (SES-10), with
// every member that it has. It tells neither digests of inputs nor who resolved
// an Action; [Session.Snapshot] keeps those. The zero Session has no document,
// but ErrNoSession.
func (s Session) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return nil, ErrNoSession
	}
	w := make(documentWriter, 0, s.documentSize())
	w.text(`{"id":`, s.id)
	w.text(`,"name":`, s.name)
	w.text(`,"workflow_template_id":`, s.templateID)
	w.optional(`,"workspace_id":`, s.workspaceID)
	w.text(`,"status":`, s.Status().String())
	w.raw(`,"action_groups":[`)
	for i, g := range s.groups {
		if i > 0 {
			w.raw(",")
		}
		w.group(g)
	}
	w.time(`],"created_at":`, s.createdAt)
	w.time(`,"updated_at":`, s.updatedAt)
	w.raw("}")
	return w, nil
}

// documentSize is about how many bytes the document of the session has.
func (s Session) documentSize() int {
	attempts := 0
	for _, g := range s.groups {
		for i := range g.actions {
			attempts += g.actions[i].Len()
		}
	}
	return 512 + 256*attempts
}

// UnmarshalJSON reads the public API's document of a session: [ParseDocument],
// with a blind eye to the statuses that it shows. On an error it leaves s as it
// was.
func (s *Session) UnmarshalJSON(data []byte) error {
	read, _, err := ParseDocument(data)
	if err == nil {
		*s = read
	}
	return err
}

// Mismatch is a status that a document shows and that does not follow from what
// else it shows.
type Mismatch struct {
	Group          group.Type // zero for the session itself
	Shown, Derived Status
}

// String returns a sentence for people.
func (m Mismatch) String() string {
	what := "the session"
	if m.Group != 0 {
		what = "group " + m.Group.String()
	}
	return fmt.Sprintf("%s is shown as %s; it is %s", what, m.Shown, m.Derived)
}

// ParseDocument reads the public API's document of a session (SES-10). Members
// that abbreviated documents leave out may be missing: names, times,
// resolutions, previous attempts, statuses of groups and of the session.
//
// Those statuses follow from the Actions, whatever the document shows; where it
// shows others they are listed. Anything that no session can be is refused with
// a [*DocumentError] that says where it is.
//
// Commands can be tried on the session, but neither it nor what follows from it
// can be saved, since the document does not tell all: see [CheckSave].
func ParseDocument(data []byte) (Session, []Mismatch, error) {
	doc, err := readDocument(data)
	if err != nil {
		return Session{}, nil, unreadable("session", err)
	}
	s := Session{
		id: doc.ID, name: doc.Name, templateID: doc.TemplateID, workspaceID: deref(doc.WorkspaceID),
		groups:       make([]Group, 0, len(doc.ActionGroups)),
		fromDocument: true,
	}
	b := builder{document: "session", groups: "action_groups", s: &s}
	s.createdAt, s.updatedAt = b.time("created_at", doc.CreatedAt), b.time("updated_at", doc.UpdatedAt)
	b.header("workflow_template_id", false)
	var mismatches []Mismatch
	for i, g := range doc.ActionGroups {
		b.enter(i)
		t, err := group.ParseType(g.Type)
		b.fail("type", err)
		b.group(t, len(g.Actions))
		for j, a := range g.Actions {
			b.enter(j)
			b.action(b.attempts(a), b.resolution(a.Resolution))
			b.leave()
		}
		mismatches = b.compare(mismatches, t, g.Status, s.groups[i].Status())
		b.leave()
	}
	b.done()
	mismatches = b.compare(mismatches, 0, doc.Status, s.Status())
	if b.err != nil {
		return Session{}, nil, b.err
	}
	return s, mismatches, nil
}

// compare adds a mismatch if a status is shown and is not the derived one.
func (b *builder) compare(list []Mismatch, t group.Type, shown string, derived Status) []Mismatch {
	if shown == "" {
		return list
	}
	status, err := group.ParseStatus(shown)
	b.fail("status", err)
	if err == nil && status != derived {
		list = append(list, Mismatch{t, status, derived})
	}
	return list
}

// time reads a time of the document.
func (b *builder) time(member string, text *string) time.Time {
	t, err := parseTime(text)
	b.fail(member, err)
	return t
}

// resolution reads a resolution. The public API does not tell who gave it.
func (b *builder) resolution(r *resolutionJSON) *attempt.Resolution {
	if r == nil {
		return nil
	}
	return &attempt.Resolution{Reason: deref(r.Reason), At: b.time("resolution.resolved_at", r.ResolvedAt)}
}

// attempts returns the attempts of an action, oldest first, until it is called
// again. Documents list previous attempts in that order; if they name the
// attempts that they replaced, those names decide.
func (b *builder) attempts(a actionJSON) []attempt.Attempt {
	b.listed = b.listed[:0]
	for i, p := range a.PreviousAttempts {
		b.enter(i)
		b.listed = append(b.listed, b.attempt(p.Resource))
		b.leave()
	}
	b.listed = append(b.listed, b.attempt(a.Resource))
	if a.Resource.PreviousAttemptID == nil {
		return b.listed
	}
	return b.inOrder(b.listed, a)
}

// inOrder returns the attempts of an action in the order in which they replaced
// each other.
func (b *builder) inOrder(listed []attempt.Attempt, a actionJSON) []attempt.Attempt {
	byID := make(map[string]int, len(a.PreviousAttempts))
	for i, p := range a.PreviousAttempts {
		byID[p.Resource.ID] = i
	}
	sorted := append(make([]attempt.Attempt, 0, len(listed)), listed[len(listed)-1])
	for replaced := a.Resource.PreviousAttemptID; replaced != nil; {
		i, known := byID[*replaced]
		if !known {
			b.fail("previous_attempts", fmt.Errorf("%q is named as replaced, but not listed (ATT-8)", *replaced))
			return nil
		}
		delete(byID, *replaced) // so that a circle is refused
		sorted = append(sorted, listed[i])
		replaced = a.PreviousAttempts[i].Resource.PreviousAttemptID
	}
	if len(sorted) < len(listed) {
		b.fail("previous_attempts", errors.New("the chain of previous_attempt_id breaks off (ATT-8)"))
	}
	slices.Reverse(sorted)
	return sorted
}

// attempt reads a resource. The public API tells neither its as-of, so that
// whatever is observed next is newer, nor the digest of its inputs.
func (b *builder) attempt(r resourceJSON) attempt.Attempt {
	const path = "resource"
	if r == (resourceJSON{}) {
		b.fail(path, errors.New("it is missing (SES-10)"))
	}
	t, err := action.ParseType(r.Type)
	b.fail(path+".type", err)
	status, err := action.ParseStatus(r.Status)
	b.fail(path+".status", err)
	return attempt.Attempt{Resource: action.Resource{
		ID: r.ID, Type: t, Status: status, CreatedAt: b.time(path+".created_at", r.CreatedAt),
	}}
}
