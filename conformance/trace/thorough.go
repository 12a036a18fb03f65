package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

// member is one member of an object.
type member struct {
	name  string
	value json.RawMessage
}

// object is the members of an object, in their order.
type object []member

// get returns the value of a member, nil if there is none.
func (o object) get(name string) json.RawMessage {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// only refuses members that are not listed.
func (o object) only(names ...string) error {
	for _, m := range o {
		if !slices.Contains(names, m.name) {
			return fmt.Errorf("there is no member %q", clip(m.name))
		}
	}
	return nil
}

// text returns a member that is a text; "" if it is missing.
func (o object) text(name string) (string, error) {
	value := o.get(name)
	if value == nil {
		return "", nil
	}
	var text string
	if value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return "", fmt.Errorf("%s: a text is wanted", name)
	}
	return text, nil
}

// needed is text for a member that must be there and not be empty.
func (o object) needed(name string) (string, error) {
	text, err := o.text(name)
	if err == nil && text == "" {
		err = fmt.Errorf("the member %s is missing", name)
	}
	return text, err
}

// readObject reads an object of a text that is valid JSON. One of the members
// that are listed may stand in it once; of no names, none may stand twice.
func readObject(data []byte, what string, once ...string) (object, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%s: an object is wanted", what)
	}
	var o object
	stood := map[string]bool{}
	for d.More() {
		var m member
		t, err := d.Token()
		if err == nil {
			err = d.Decode(&m.value)
		}
		if err != nil {
			return nil, err
		}
		m.name, _ = t.(string) // names are texts
		if (once == nil || slices.Contains(once, m.name)) && stood[m.name] {
			return nil, fmt.Errorf("%s: the member %q stands twice", what, m.name)
		}
		stood[m.name] = true
		o = append(o, m)
	}
	return o, nil
}

// thorough reads a line with package json, and says what is wrong with it.
func (d *decoder) thorough(line []byte, e *entry) {
	if err := d.readLine(line, e); err != nil {
		*e = entry{line: e.line, at: e.at, session: e.session, kind: lineUnreadable, problem: clip(plain(err))}
	}
}

// plain is the message of an error in the words of a trace, not of a decoder.
func plain(err error) string {
	var document *session.DocumentError
	if errors.As(err, &document) {
		text := document.Err.Error()
		if document.Path != "" {
			text = document.Path + ": " + text
		}
		return text
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// clip keeps a message short, whatever stands in the trace, and in one line.
func clip(text string) string {
	const most = 300
	text = strings.ReplaceAll(text, "\n", "; ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

func (d *decoder) readLine(line []byte, e *entry) error {
	if !utf8.Valid(line) {
		return errors.New("it is not UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return err
	}
	o, err := readObject(line, "the line")
	if err != nil {
		return err
	}
	id, err := o.text("session")
	if err != nil {
		return err
	}
	e.session = []byte(id)
	at, err := o.needed("at")
	if err != nil {
		return err
	}
	if !readTime([]byte(at), &e.at) {
		return fmt.Errorf("at: %q is no time; one is 2025-09-22T14:30:00Z", at)
	}
	return d.readKind(o, e)
}

// readKind reads a line of the kind that its members make it.
func (d *decoder) readKind(o object, e *entry) error {
	switch {
	case o.get("command") != nil:
		e.kind = lineCommand
		if _, err := o.needed("session"); err != nil {
			return err
		}
		return d.readCommand(o, e)
	case o.get("webhook") != nil:
		e.kind = lineWebhook
		if err := o.only("at", "webhook"); err != nil {
			return err
		}
		return readWebhook(o.get("webhook"), e)
	case o.get("seen") != nil:
		e.kind = lineSeen
		if _, err := o.needed("session"); err != nil {
			return err
		}
		if err := o.only("at", "session", "seen"); err != nil {
			return err
		}
		return readSeen(o.get("seen"), e)
	case o.get("announced") != nil:
		e.kind = lineAnnounced
		return readAnnouncement(o, e)
	case o.get("template") != nil:
		e.kind = lineTemplate
		if err := o.only("at", "template"); err != nil {
			return err
		}
		return readTemplate(o.get("template"), e)
	default:
		return errors.New("one of the members command, webhook, seen, announced and template is wanted")
	}
}

// readTemplate reads a template that creates will name. One that no session can
// be created from is not unreadable, but against the rules.
func readTemplate(value json.RawMessage, e *entry) error {
	var t session.Template
	err := json.Unmarshal(value, &t)
	if e.fault = faultOf(err); err != nil && e.fault.rule == "" {
		return fmt.Errorf("template: %s", plain(err))
	}
	if err == nil {
		e.told = &t
	}
	return nil
}

// faultOf returns the rule that a text breaks which can be read; none if it
// cannot be.
func faultOf(err error) fault {
	var refusal *action.Refusal
	var unknown *action.UnknownError
	switch {
	case err == nil:
		return fault{}
	case errors.As(err, &refusal):
		return fault{refusal.Rule, clip(refusal.Reason)}
	case errors.As(err, &unknown):
		return fault{"RES-6", clip(plain(err))}
	case errors.Is(err, attempt.ErrInvalidInputs):
		return fault{"ATT-6", clip(plain(err))}
	default:
		return fault{}
	}
}

// readAnnouncement reads an announcement.
func readAnnouncement(o object, e *entry) error {
	if _, err := o.needed("session"); err != nil {
		return err
	}
	if err := o.only("at", "session", "announced", "group_type"); err != nil {
		return err
	}
	name, err := o.needed("announced")
	if err != nil {
		return err
	}
	typ, err := o.text("group_type")
	if err != nil {
		return err
	}
	var ok bool
	if e.owed, ok = readAnnounced(name, []byte(typ), o.get("group_type") != nil); !ok {
		return fmt.Errorf("announced: %q with the group_type %q is no announcement (SES-7)", name, typ)
	}
	return nil
}

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
	if e.command.templateID, err = o.text("template_id"); err != nil {
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
	return d.fill(c, o, e)
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
			m.name == "status" && name == "observe" && unlisted(statuses, m.value),
			m.name == "event" && name == "transition" && unlisted(events, m.value):
			continue
		case m.name == "resource" && name == "link":
			value, err := listedOnly(m.value)
			if err != nil {
				return nil, err
			}
			m.value = value
		case m.name == "template" && name == "create" && e.command.templateID != "":
			return nil, errors.New("template and template_id exclude each other")
		}
		rest = append(rest, m)
	}
	return rest, nil
}

// unlisted reports whether a value is a text that names none of a list.
func unlisted[T any](names map[string]T, value json.RawMessage) bool {
	var text string
	if value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return false
	}
	_, known := names[text]
	return !known
}

// listedOnly leaves unlisted names out of a resource.
func listedOnly(value json.RawMessage) (json.RawMessage, error) {
	o, err := readObject(value, "resource")
	if err != nil {
		return nil, err
	}
	return marshalObject(slices.DeleteFunc(o, func(m member) bool {
		return m.name == "type" && unlisted(types, m.value) || m.name == "status" && unlisted(statuses, m.value)
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
	case json.Unmarshal(value, &rule) == nil && isRule(rule):
		return refused{given: true, yes: true, rule: rule}, nil
	default:
		return refused{}, errors.New("refused: true, false or the id of a rule is wanted")
	}
}

// fill completes a command with what the line says besides.
func (d *decoder) fill(c session.Command, o object, e *entry) error {
	e.command.value = c
	switch c := c.(type) {
	case session.Create:
		return d.fillCreate(c, o, e)
	case session.Link:
		return fillLink(c, o, e)
	case session.Transition:
		c.At = e.at
		e.command.value = c
	case session.Observe:
		e.command.value = nil
		e.observe = observeEntry{resource: []byte(c.ResourceID), status: c.Status, asOf: c.AsOf}
		if text, err := o.text("as_of"); err != nil || text == "" {
			e.observe.asOf = e.at
		} else if action.CheckTime(c.AsOf) != "" {
			return errBadTime("as_of")
		}
	}
	return nil
}

func errBadTime(member string) error {
	return fmt.Errorf("%s: it is no time that a document can hold", member)
}

// fillCreate gives a create its id, and remembers its template.
func (d *decoder) fillCreate(c session.Create, o object, e *entry) error {
	if o.get("id") != nil && c.ID != string(e.session) {
		return fmt.Errorf("id: %q is not the session %q of the line", c.ID, e.session)
	}
	c.ID = string(e.session)
	e.command.value = c
	raw := o.get("template")
	if raw == nil && e.command.templateID == "" {
		return errors.New("one of the members template and template_id is missing")
	}
	if len(raw) > 0 && len(raw) <= maxTemplateSize {
		if d.templates == nil || len(d.templates) >= maxTemplates {
			d.templates = map[string]session.Template{}
		}
		d.templates[string(raw)] = c.Template
	}
	return nil
}

// fillLink gives a link the digest of its inputs and its times.
func fillLink(c session.Link, o object, e *entry) error {
	if o.get("resource") == nil {
		return errors.New("the member resource is missing")
	}
	for name, t := range map[string]time.Time{"created_at": c.Resource.CreatedAt, "as_of": c.Resource.AsOf} {
		if !t.IsZero() && action.CheckTime(t) != "" {
			return errBadTime("resource." + name)
		}
	}
	if inputs := o.get("inputs"); inputs != nil {
		if o.get("inputs_digest") != nil {
			return errors.New("inputs and inputs_digest exclude each other")
		}
		var err error
		if c.Inputs, err = attempt.NewDigester(string(e.session), nil).Digest(inputs); err != nil {
			e.command.value, e.fault = nil, fault{"ATT-6", clip(err.Error())}
			return nil
		}
	}
	e.command.value = complete(c, e.at)
	return nil
}
