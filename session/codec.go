package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/internal/jcs"
)

// The JSON of a command is an object whose member command names it.
// The structs embed the commands, whose tags say how members are named.
type (
	createJSON struct {
		Command string `json:"command"`
		Create
	}
	linkJSON struct {
		Command string `json:"command"`
		Link
	}
	transitionJSON struct {
		Command string `json:"command"`
		Transition
	}
	observeJSON struct {
		Command string `json:"command"`
		Observe
	}
	resolveJSON struct {
		Command string `json:"command"`
		Resolve
	}
)

// MarshalCommand writes a command as a JSON object whose member command names
// it: create, link, transition, observe or resolve. What is zero is left out, so
// that the command of a [WayOut] can be written before it is filled in.
func MarshalCommand(c Command) ([]byte, error) {
	var wire any
	switch c := c.(type) {
	case Create:
		wire = createJSON{commandName(c), c}
	case Link:
		wire = linkJSON{commandName(c), c}
	case Transition:
		wire = transitionJSON{commandName(c), c}
	case Observe:
		wire = observeJSON{commandName(c), c}
	case Resolve:
		wire = resolveJSON{commandName(c), c}
	default:
		return nil, &DocumentError{"command", "", fmt.Errorf("no command is a %T", c)}
	}
	text, err := json.Marshal(wire)
	if err != nil {
		return nil, &DocumentError{"command", "", err}
	}
	return text, nil
}

// UnmarshalCommand reads what [MarshalCommand] writes. A member that the
// command does not have is refused, since a misspelt one would be lost
// silently. Errors are a [*DocumentError].
func UnmarshalCommand(data []byte) (Command, error) {
	c, err := unmarshalCommand(data)
	if err != nil {
		return nil, unreadable("command", err)
	}
	return c, nil
}

// unmarshalCommand finds the name of a command first, and then reads the whole
// as that command alone.
func unmarshalCommand(data []byte) (Command, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	// encoding/json takes names in any case and the last of two: of what people
	// write by hand that is too much.
	if _, err := jcs.Transform(data); err != nil {
		return nil, err
	}
	for name := range members {
		if name != strings.ToLower(name) {
			return nil, fmt.Errorf("there is no member %q", name)
		}
	}
	var name string
	if err := json.Unmarshal(members["command"], &name); err != nil {
		return nil, errors.New("the member command is wanted: a text that names it")
	}
	switch name {
	case "create":
		var w createJSON
		if err := strict(data, &w); err != nil {
			return nil, err
		}
		// A Template reads the public API's form, which may have more members
		// than it knows; here somebody wrote it.
		if template, ok := members["template"]; ok {
			if err := strict(template, new(templateJSON)); err != nil {
				return nil, within("command", "template", unreadable("template", err))
			}
		}
		return w.Create, nil
	case "link":
		var w linkJSON
		err := strict(data, &w)
		return w.Link, err
	case "transition":
		var w transitionJSON
		err := strict(data, &w)
		return w.Transition, err
	case "observe":
		var w observeJSON
		err := strict(data, &w)
		return w.Observe, err
	case "resolve":
		var w resolveJSON
		err := strict(data, &w)
		return w.Resolve, err
	default:
		known := []string{"create", "link", "transition", "observe", "resolve"}
		return nil, &action.UnknownError{What: "command", Text: name, Known: known}
	}
}

// The JSON of an event keeps the fact apart from what every event has, so that
// a Store can look at the latter without knowing the former.
type (
	eventJSON struct {
		SessionID string          `json:"session_id"`
		Version   int             `json:"version"`
		At        time.Time       `json:"at"`
		Fact      string          `json:"fact"`
		Data      json.RawMessage `json:"data"`
		Group     *groupMoveJSON  `json:"group,omitempty"`
		Session   Move            `json:"session"`
	}
	groupMoveJSON struct {
		Type group.Type `json:"type"`
		Move
	}
)

// MarshalJSON writes the event for a Store to keep: a JSON text of sluice's
// own. It tells who resolved an Action, which the public API's JSON does not.
func (e Event) MarshalJSON() ([]byte, error) {
	if e.Fact == nil {
		return nil, &DocumentError{"event", "", errors.New("it has no fact")}
	}
	data, err := json.Marshal(e.Fact)
	if err != nil {
		return nil, &DocumentError{"event", "data", err}
	}
	wire := eventJSON{
		SessionID: e.SessionID, Version: e.Version, At: e.At,
		Fact: e.Fact.factName(), Data: data, Session: e.Session,
	}
	if e.GroupType != 0 {
		wire.Group = &groupMoveJSON{e.GroupType, e.Group}
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads what MarshalJSON writes. On an error, a
// [*DocumentError], it leaves e as it was.
func (e *Event) UnmarshalJSON(data []byte) error {
	var wire eventJSON
	if err := strict(data, &wire); err != nil {
		return unreadable("event", err)
	}
	fact, err := unmarshalFact(wire.Fact, wire.Data)
	if err != nil {
		return within("event", "data", unreadable("event", err))
	}
	read := Event{
		SessionID: wire.SessionID, Version: wire.Version, At: wire.At.UTC(), Fact: fact,
		Session: wire.Session,
	}
	if wire.Group != nil {
		read.GroupType, read.Group = wire.Group.Type, wire.Group.Move
	}
	*e = read
	return nil
}

// unmarshalFact reads a fact of a name. Times are brought into the form in
// which Apply keeps them, so that what is read equals what was written.
func unmarshalFact(name string, data []byte) (Fact, error) {
	switch name {
	case "created":
		var f Created
		err := strict(data, &f)
		return f, err
	case "linked":
		var f Linked
		err := strict(data, &f)
		f.Resource.CreatedAt = action.Seconds(f.Resource.CreatedAt)
		f.Resource.AsOf = action.Seconds(f.Resource.AsOf)
		return f, err
	case "transitioned":
		var f Transitioned
		err := strict(data, &f)
		f.At = action.Seconds(f.At)
		return f, err
	case "observed":
		var f Observed
		err := strict(data, &f)
		f.AsOf = action.Seconds(f.AsOf)
		return f, err
	case "resolved":
		var f Resolved
		err := strict(data, &f)
		return f, err
	default:
		known := []string{"created", "linked", "transitioned", "observed", "resolved"}
		return nil, &action.UnknownError{What: "fact", Text: name, Known: known}
	}
}
