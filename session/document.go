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
	doc := documentJSON{
		ID: s.id, Name: s.name, TemplateID: s.templateID, WorkspaceID: nullable(s.workspaceID),
		Status:       s.Status().String(),
		ActionGroups: make([]groupJSON, len(s.groups)),
		CreatedAt:    formatTime(s.createdAt), UpdatedAt: formatTime(s.updatedAt),
	}
	for i, g := range s.groups {
		doc.ActionGroups[i] = groupJSON{
			Type: g.typ.String(), Status: g.Status().String(),
			Actions: make([]actionJSON, len(g.actions)),
		}
		for j, c := range g.actions {
			doc.ActionGroups[i].Actions[j] = actionToJSON(c)
		}
	}
	return json.Marshal(doc)
}

// actionToJSON writes an Action with all members that the public API has. Each
// attempt names the one before it.
func actionToJSON(c attempt.Chain) actionJSON {
	a := actionJSON{PreviousAttempts: []previousAttemptJSON{}}
	var previous string
	for n, at := range c.Attempts() {
		r := resourceJSON{
			ID: at.Resource.ID, CreatedAt: formatTime(at.Resource.CreatedAt),
			Type: at.Resource.Type.String(), Status: at.Resource.Status.String(),
			PreviousAttemptID: nullable(previous),
		}
		previous = r.ID
		if n < c.Len() {
			a.PreviousAttempts = append(a.PreviousAttempts, previousAttemptJSON{r})
		} else {
			a.Resource = r
		}
	}
	if r, ok := c.Resolution(); ok {
		a.Resolution = &resolutionJSON{Reason: nullable(r.Reason), ResolvedAt: formatTime(r.At)}
	}
	return a
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
	var doc documentJSON
	if err := json.Unmarshal(data, &doc); err != nil {
		return Session{}, nil, unreadable("session", err)
	}
	s := Session{
		id: doc.ID, name: doc.Name, templateID: doc.TemplateID, workspaceID: deref(doc.WorkspaceID),
		fromDocument: true,
	}
	b := builder{document: "session", s: &s}
	s.createdAt, s.updatedAt = b.time("created_at", doc.CreatedAt), b.time("updated_at", doc.UpdatedAt)
	b.header("workflow_template_id", false)
	var mismatches []Mismatch
	for i, g := range doc.ActionGroups {
		b.at("action_groups[%d]", i)
		t, err := group.ParseType(g.Type)
		b.fail("type", err)
		b.group(t)
		for j, a := range g.Actions {
			b.at("action_groups[%d].actions[%d]", i, j)
			b.action(b.attempts(a), b.resolution(a.Resolution))
		}
		b.at("action_groups[%d]", i)
		mismatches = b.compare(mismatches, t, g.Status, s.groups[i].Status())
	}
	b.at("")
	b.done("action_groups")
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

// attempts returns the attempts of an action, oldest first. Documents list
// previous attempts in that order; if they name the attempts that they
// replaced, those names decide.
func (b *builder) attempts(a actionJSON) []attempt.Attempt {
	listed := make([]attempt.Attempt, len(a.PreviousAttempts))
	byID := make(map[string]int, len(a.PreviousAttempts))
	for i, p := range a.PreviousAttempts {
		listed[i] = b.attempt(fmt.Sprintf("previous_attempts[%d].resource", i), p.Resource)
		byID[p.Resource.ID] = i
	}
	newest := b.attempt("resource", a.Resource)
	replaced := a.Resource.PreviousAttemptID
	if replaced == nil {
		return append(listed, newest)
	}
	sorted := []attempt.Attempt{newest}
	for replaced != nil {
		i, known := byID[*replaced]
		if !known {
			b.fail("previous_attempts", fmt.Errorf("%q is named as replaced, but not listed (ATT-8)", *replaced))
			return nil
		}
		delete(byID, *replaced) // so that a circle is refused
		sorted = append(sorted, listed[i])
		replaced = a.PreviousAttempts[i].Resource.PreviousAttemptID
	}
	if len(sorted) <= len(listed) {
		b.fail("previous_attempts", errors.New("the chain of previous_attempt_id breaks off (ATT-8)"))
	}
	slices.Reverse(sorted)
	return sorted
}

// attempt reads a resource. The public API tells neither its as-of, so that
// whatever is observed next is newer, nor the digest of its inputs.
func (b *builder) attempt(path string, r resourceJSON) attempt.Attempt {
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
