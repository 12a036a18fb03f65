package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
)

// MaxName is how many characters a name has at most (SES-11).
const MaxName = 128

// Template is what sessions are created from (SES-1).
type Template struct {
	ID   string
	Name string
	// ActionGroups lists the types of the groups, at least one and none twice.
	ActionGroups []group.Type
	// Workspaces lists the workspaces that the template is scoped to; with
	// none of them it serves all (SES-3).
	Workspaces           []string
	CreatedAt, UpdatedAt time.Time
}

// Check returns every fault of a template, joined, each a [*action.Refusal]
// that unwraps to [ErrInvalidTemplate].
func (t Template) Check() error {
	var faults []error
	fault := func(rule, format string, args ...any) {
		faults = append(faults, &action.Refusal{
			Op: "session: template", Subject: t.subject(), Rule: rule, Err: ErrInvalidTemplate,
			Reason: fmt.Sprintf(format, args...),
		})
	}
	if reason := action.CheckID(t.ID); reason != "" {
		fault("SES-11", "%s", reason)
	}
	if reason := checkName(t.Name); reason != "" {
		fault("SES-11", "%s", reason)
	}
	if len(t.ActionGroups) == 0 {
		fault("SES-1", "it has no action group; at least one is needed")
	}
	for i, g := range t.ActionGroups {
		switch {
		case !g.IsValid():
			fault("RES-6", "action group %d is %s", i+1, g)
		case slices.Contains(t.ActionGroups[:i], g):
			fault("SES-1", "it has the action group %s twice", g)
		}
	}
	for i, w := range t.Workspaces {
		if reason := action.CheckID(w); reason != "" {
			fault("SES-11", "workspace %d: %s", i+1, reason)
		} else if slices.Contains(t.Workspaces[:i], w) {
			fault("SES-3", "it lists the workspace %s twice", w)
		}
	}
	return errors.Join(faults...)
}

// subject is what errors call the template.
func (t Template) subject() string {
	if t.ID == "" {
		return "a template without id"
	}
	return t.ID
}

// workspace chooses the workspace of a session (SES-3), or returns why none
// can be chosen.
func (t Template) workspace(given, byDefault string) (chosen, reason string) {
	switch {
	case given != "" && len(t.Workspaces) > 0 && !slices.Contains(t.Workspaces, given):
		return "", fmt.Sprintf("template %s does not list workspace %s", t.ID, given)
	case given != "":
		return given, ""
	case len(t.Workspaces) == 1:
		return t.Workspaces[0], ""
	case len(t.Workspaces) > 1:
		return "", fmt.Sprintf("template %s is scoped to several workspaces; give one of them", t.ID)
	case byDefault != "":
		return byDefault, ""
	default:
		return "", "no workspace is given and the host names no default"
	}
}

// checkName returns a reason why name cannot be one (SES-11), or "".
func checkName(name string) string {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "the name is empty"
	case n > MaxName:
		return fmt.Sprintf("the name has %d characters; at most %d are allowed", n, MaxName)
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return "the name is not valid text"
	default:
		return ""
	}
}

// templateJSON is the public API's form of a template.
type templateJSON struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	ActionGroups []groupTypeJSON `json:"action_groups"`
	Workspaces   []string        `json:"workspaces"`
	CreatedAt    *string         `json:"created_at"`
	UpdatedAt    *string         `json:"updated_at"`
}

type groupTypeJSON struct {
	Type group.Type `json:"type"`
}

// MarshalJSON writes the public API's form (SES-1). It refuses a group type
// that is none and a time that no document can hold.
func (t Template) MarshalJSON() ([]byte, error) {
	for member, at := range map[string]time.Time{"created_at": t.CreatedAt, "updated_at": t.UpdatedAt} {
		if reason := action.CheckTime(at); reason != "" && !at.IsZero() {
			return nil, &DocumentError{"template", member, errors.New(reason)}
		}
	}
	wire := templateJSON{
		ID: t.ID, Name: t.Name,
		ActionGroups: []groupTypeJSON{}, Workspaces: t.Workspaces,
		CreatedAt: formatTime(t.CreatedAt), UpdatedAt: formatTime(t.UpdatedAt),
	}
	if wire.Workspaces == nil {
		wire.Workspaces = []string{}
	}
	for _, g := range t.ActionGroups {
		wire.ActionGroups = append(wire.ActionGroups, groupTypeJSON{g})
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads the public API's form and checks the template. On an
// error, a [*DocumentError], it leaves t as it was.
func (t *Template) UnmarshalJSON(data []byte) error {
	var wire templateJSON
	if err := json.Unmarshal(data, &wire); err != nil {
		return unreadable("template", err)
	}
	read := Template{ID: wire.ID, Name: wire.Name}
	var err error
	if read.CreatedAt, err = parseTime(wire.CreatedAt); err != nil {
		return &DocumentError{"template", "created_at", err}
	}
	if read.UpdatedAt, err = parseTime(wire.UpdatedAt); err != nil {
		return &DocumentError{"template", "updated_at", err}
	}
	if len(wire.Workspaces) > 0 {
		read.Workspaces = wire.Workspaces
	}
	for _, g := range wire.ActionGroups {
		read.ActionGroups = append(read.ActionGroups, g.Type)
	}
	if err := read.Check(); err != nil {
		return &DocumentError{"template", "", err}
	}
	*t = read
	return nil
}
