package trace

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluicego/sluice/session"
)

// document is a session as the public API shows it. A document may leave
// members out; shown tells which it has.
type document struct {
	session session.Session
	shown   shownSession
}

// The members of a document that say nothing if they are left out, nil here.
// The rest is read by [session.ParseDocument].
type (
	shownSession struct {
		ID          string       `json:"id"`
		Status      *string      `json:"status"`
		Name        *string      `json:"name"`
		TemplateID  *string      `json:"workflow_template_id"`
		WorkspaceID *string      `json:"workspace_id"`
		CreatedAt   *string      `json:"created_at"`
		UpdatedAt   *string      `json:"updated_at"`
		Groups      []shownGroup `json:"action_groups"`
	}
	shownGroup struct {
		Status  *string       `json:"status"`
		Actions []shownAction `json:"actions"`
	}
	shownAction struct {
		Resolution       json.RawMessage `json:"resolution"`
		PreviousAttempts json.RawMessage `json:"previous_attempts"`
	}
	shownResolution struct {
		Reason     json.RawMessage `json:"reason"`
		ResolvedAt json.RawMessage `json:"resolved_at"`
	}
)

// resolution returns what is shown of a resolution: nil if there is none.
func (a shownAction) resolution() *shownResolution {
	var r *shownResolution
	if json.Unmarshal(a.Resolution, &r) != nil {
		return nil // ParseDocument has read it
	}
	return r
}

// readDocument reads a document. One that no session can have is not
// unreadable, but against the rules: somebody was shown it.
func readDocument(data []byte) (*document, fault) {
	var d document
	var err error
	if d.session, _, err = session.ParseDocument(data); err == nil {
		err = json.Unmarshal(data, &d.shown)
	}
	if err == nil {
		return &d, fault{}
	}
	f := faultOf(err)
	if f.rule == "" {
		f.rule = "SES-10"
	}
	f.reason = clip(plain(err))
	return nil, f
}

// readSeen reads what was shown: a document if it has action_groups, and the
// short form otherwise.
func readSeen(value json.RawMessage, e *entry) error {
	o, err := readObject(value, "seen")
	if err != nil {
		return err
	}
	if o.get("action_groups") != nil {
		e.seen.document, e.fault = readDocument(value)
		return nil
	}
	if err := o.only("status", "groups", "resources"); err != nil {
		return fmt.Errorf("seen: %w", err)
	}
	if o.get("status") != nil {
		text, err := o.text("status")
		if err != nil {
			return err
		}
		e.seen.status = []byte(text)
	}
	if e.seen.groups, err = readShown(o, "groups"); err == nil {
		e.seen.resources, err = readShown(o, "resources")
	}
	return err
}

// readShown reads a member whose value is an object of texts.
func readShown(o object, name string) ([]pair, error) {
	value := o.get(name)
	if value == nil {
		return nil, nil
	}
	members, err := readObject(value, name, "")
	if err != nil {
		return nil, err
	}
	pairs := make([]pair, 0, len(members))
	for _, m := range members {
		text, err := object{m}.text(m.name)
		if err != nil {
			return nil, fmt.Errorf("%s.%w", name, err)
		}
		pairs = append(pairs, pair{[]byte(m.name), []byte(text)})
	}
	return pairs, nil
}

// readWebhook reads the envelope of a webhook (WHK-10), as far as it tells of a
// resource. The rest of it may be anything.
func readWebhook(value json.RawMessage, e *entry) error {
	o, err := readObject(value, "webhook", "event_name", "event_time", "data")
	if err != nil {
		return err
	}
	event, err := o.needed("event_name")
	if err != nil {
		return err
	}
	seconds, err := o.needed("event_time")
	if err != nil {
		return err
	}
	observe := &e.observe
	observe.event = []byte(event)
	var ok bool
	if observe.asOf, ok = readSeconds([]byte(seconds)); !ok {
		return fmt.Errorf("event_time: %q is no time; one is seconds since 1970, as \"1758551400\" (WHK-10)", seconds)
	}
	if o.get("data") == nil {
		return errors.New("the member data is missing")
	}
	family, moves := moving[event]
	if !moves {
		return nil
	}
	observe.moves = true
	return observe.readResource(o.get("data"), familyNames[family])
}

// readResource reads which resource the data of a webhook tells of: that in the
// member, or else the data itself.
func (e *observeEntry) readResource(data json.RawMessage, family string) error {
	members := []string{"id", "status", familyNames[0], familyNames[1], familyNames[2]}
	o, err := readObject(data, "data", members...)
	if err != nil {
		return err
	}
	if inner := o.get(family); inner != nil && inner[0] == '{' {
		if o, err = readObject(inner, family, "id", "status"); err != nil {
			return err
		}
	}
	id, err := o.needed("id")
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	status, err := o.needed("status")
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	e.resource, e.text, e.status = []byte(id), []byte(status), statuses[status]
	return nil
}
