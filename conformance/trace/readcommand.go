package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/session"
)

// The members that a command, and the resource of a link, must have. One that
// is there and empty is for the rules to refuse.
var (
	neededOf = map[string][]string{
		"create": {"name"}, "link": {"resource"}, "transition": {"resource_id", "event"},
		"observe": {"resource_id", "status"}, "resolve": {"resource_id"},
	}
	neededOfResource = []string{"id", "type", "status"}
)

// ruleIDs are the rules, by their ids.
var ruleIDs = sync.OnceValue(func() map[string]string {
	ids := map[string]string{}
	for _, r := range conformance.Requirements() {
		ids[r.ID] = r.ID
	}
	return ids
})

// readCommand reads a command and what the system under test did with it.
func (d *decoder) readCommand(o object, e *entry) error {
	name, err := o.needed("command")
	if err != nil {
		return err
	}
	e.command.name = commandsOf[name]
	if e.command.refused, err = readRefused(o.get("refused")); err != nil {
		return err
	}
	if err := checkMembers(o, e); err != nil {
		return err
	}
	rest, err := commandMembers(name, o, e)
	if err != nil {
		return err
	}
	text, err := marshalObject(rest)
	if err != nil {
		return err
	}
	c, err := session.UnmarshalCommand(text)
	if err != nil {
		// What stands in it can be read and is against the rules: that is for
		// the system under test to refuse.
		if e.fault = faultOf(err); e.fault.rule != "" && e.command.name != "" {
			return nil
		}
		return err
	}
	d.fill(c, o, e)
	return nil
}

// checkMembers refuses a command that has other members than its own, lacks one
// that it needs, or has two that exclude each other. One of no name is left to
// UnmarshalCommand.
func checkMembers(o object, e *entry) error {
	name := e.command.name
	if name == "" {
		return nil
	}
	for _, m := range o {
		i, known := lineMembers[m.name]
		if !known || commandSets[name]&(1<<i) == 0 {
			return fmt.Errorf("there is no member %q", clip(m.name))
		}
		if i < texts && m.value[0] != '"' && !isNull(m.value) {
			return fmt.Errorf("%s: a text is wanted", m.name)
		}
	}
	if err := o.has(neededOf[name]...); err != nil {
		return err
	}
	switch name {
	case "create":
		return checkCreate(o, e)
	case "link":
		return checkLink(o)
	default: // as_of is that of an observe
		return checkTimes(o, "", "as_of")
	}
}

// checkTimes refuses times that can be read, but that no document can hold.
func checkTimes(o object, path string, names ...string) error {
	for _, name := range names {
		text, err := o.text(name)
		var t time.Time
		if err == nil && t.UnmarshalText([]byte(text)) == nil && action.CheckTime(t) != "" {
			return fmt.Errorf("%s%s: it is no time that a document can hold", path, name)
		}
	}
	return nil
}

// checkCreate checks which session and which template a create names.
func checkCreate(o object, e *entry) error {
	if id := o.get("id"); id != nil {
		if text, err := o.text("id"); err != nil || text != string(e.session) {
			return fmt.Errorf("id: %s is not the session %q of the line", clip(string(id)), clip(string(e.session)))
		}
	}
	if id, err := o.text("template_id"); err == nil { // null is none
		e.command.templateID = id
	}
	switch given := o.given("template"); {
	case !given && e.command.templateID == "":
		return errors.New("one of the members template and template_id is missing")
	case given && e.command.templateID != "":
		return errors.New("template and template_id exclude each other")
	}
	return nil
}

// checkLink checks the resource and the inputs of a link.
func checkLink(o object) error {
	resource, err := readObject(o.get("resource"), "resource")
	if err != nil {
		return err
	}
	if err := resource.has(neededOfResource...); err != nil {
		return fmt.Errorf("resource: %w", err)
	}
	if err := checkTimes(resource, "resource.", "created_at", "as_of"); err != nil {
		return err
	}
	switch {
	case !o.given("inputs_digest"):
		return nil
	case o.get("inputs") != nil:
		return errors.New("inputs and inputs_digest exclude each other")
	case string(o.get("inputs_digest")) == `""`:
		return errors.New("inputs_digest: 64 hexadecimal digits are wanted")
	}
	return nil
}

// commandMembers returns the members of a command as UnmarshalCommand knows
// them. A name that is not listed is left out: the command is then one of no
// type, status or event, which the rules refuse in their order (RES-6).
func commandMembers(name string, o object, e *entry) (object, error) {
	var rest object
	for _, m := range o {
		switch {
		case slices.Contains([]string{"at", "session", "refused"}, m.name),
			m.name == "inputs" && name == "link", m.name == "template_id" && name == "create",
			m.name == "template" && isNull(m.value),
			m.name == "status" && name == "observe" && unlisted(e, statuses, m),
			m.name == "event" && name == "transition" && unlisted(e, events, m):
			continue
		case m.name == "resource" && name == "link":
			value, err := listedOnly(m.value, e)
			if err != nil {
				return nil, err
			}
			m.value = value
		}
		rest = append(rest, m)
	}
	return rest, nil
}

// unlisted reports whether a member is a text that names none of a list, and
// notes it.
func unlisted[T any](e *entry, names map[string]T, m member) bool {
	var text string
	if m.value[0] != '"' || json.Unmarshal(m.value, &text) != nil {
		return false
	}
	if _, known := names[text]; known {
		return false
	}
	if e.command.unlisted != "" {
		e.command.unlisted += "; "
	}
	e.command.unlisted += fmt.Sprintf("%q is no %s that is listed", clip(text), m.name)
	return true
}

// listedOnly leaves unlisted names out of a resource.
func listedOnly(value json.RawMessage, e *entry) (json.RawMessage, error) {
	o, err := readObject(value, "resource")
	if err != nil {
		return nil, err
	}
	return marshalObject(slices.DeleteFunc(o, func(m member) bool {
		return m.name == "type" && unlisted(e, types, m) || m.name == "status" && unlisted(e, statuses, m)
	}))
}

// marshalObject writes members as they were read.
func marshalObject(o object) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// readRefused reads what the system under test did with a command.
func readRefused(value json.RawMessage) (refused, error) {
	var rule string
	switch {
	case value == nil:
		return refused{}, nil
	case string(value) == "true":
		return refused{given: true, yes: true}, nil
	case string(value) == "false":
		return refused{given: true}, nil
	case json.Unmarshal(value, &rule) == nil && ruleIDs()[rule] != "":
		return refused{given: true, yes: true, rule: rule}, nil
	default:
		return refused{}, fmt.Errorf("refused: true, false or the id of a rule is wanted, not %s", clip(string(value)))
	}
}

// fill completes a command with what the line says besides.
func (d *decoder) fill(c session.Command, o object, e *entry) {
	e.command.value = c
	switch c := c.(type) {
	case session.Create:
		d.fillCreate(c, o, e)
	case session.Link:
		fillLink(c, o, e)
	case session.Transition:
		c.At = e.at
		e.command.value = c
	case session.Observe:
		e.command.value = nil
		e.observe = observeEntry{resource: []byte(c.ResourceID), status: c.Status, asOf: c.AsOf}
		if c.AsOf.IsZero() {
			e.observe.asOf = e.at
		}
	}
}

// fillCreate gives a create its id, and remembers its template.
func (d *decoder) fillCreate(c session.Create, o object, e *entry) {
	c.ID = string(e.session)
	e.command.value = c
	raw := o.get("template")
	if len(raw) > 0 && len(raw) <= maxTemplateSize && !isNull(raw) {
		if d.templates == nil || len(d.templates) >= maxTemplates {
			d.templates = map[string]session.Template{}
		}
		d.templates[string(raw)] = c.Template
	}
}

// fillLink gives a link the digest of its inputs and its times.
func fillLink(c session.Link, o object, e *entry) {
	if inputs := o.get("inputs"); inputs != nil {
		var err error
		if c.Inputs, err = attempt.NewDigester(string(e.session), nil).Digest(inputs); err != nil {
			e.command.value, e.fault = nil, fault{"ATT-6", clip(plain(err))}
			return
		}
	}
	e.command.value = complete(c, e.at)
}
