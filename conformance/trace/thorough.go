package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// given reports whether a member is there, and is not null.
func (o object) given(name string) bool {
	value := o.get(name)
	return value != nil && !isNull(value)
}

// has refuses an object in which members that are listed are not given.
func (o object) has(names ...string) error {
	missing := slices.DeleteFunc(slices.Clone(names), o.given)
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("the member %s is missing", missing[0])
	default:
		return fmt.Errorf("the members %s are missing", strings.Join(missing, ", "))
	}
}

func isNull(value json.RawMessage) bool { return string(value) == "null" }

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
		return strings.TrimPrefix(text, "attempt: ")
	}
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "attempt: ")
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
		return fmt.Errorf("%w; a trace has one JSON value per line", err)
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
	if level, _, _ := strings.Cut(name, "."); level == ofGroups && typ == "" {
		return fmt.Errorf("the member group_type is missing: %q is of a group", clip(name))
	}
	var ok bool
	if e.owed, ok = readAnnounced(name, []byte(typ), o.get("group_type") != nil); !ok {
		return fmt.Errorf("announced: %q with the group_type %q is no announcement (SES-7)", name, typ)
	}
	return nil
}
