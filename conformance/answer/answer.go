// Package answer is sluice's own side of the conformance kit: it answers the
// questions of package conformance with the library, and decides nothing itself.
//
// Who writes an answering side for a host of their own, in Go, finds here how
// little there is to it:
//
//	func TestConformance(t *testing.T) { conformance.Run(t, answer.Answer) }
package answer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Answer says what comes of a question, by this library. It knows every area.
func Answer(q conformance.Question) (conformance.Then, error) {
	open, known := areas[q.Area]
	if !known {
		return conformance.Then{}, fmt.Errorf("%w: %q", conformance.ErrUnknownArea, q.Area)
	}
	a, err := open(q.Given)
	if err != nil {
		return conformance.Then{}, fmt.Errorf("given: %w", err)
	}
	then := conformance.Then{Steps: make([]json.RawMessage, len(q.When))}
	for i, step := range q.When {
		result, err := takeStep(a, step)
		if err == nil {
			then.Steps[i], err = write(result)
		}
		if err != nil {
			return then, fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	then.End, err = write(a.end())
	return then, err
}

// takeStep takes a step on an area.
func takeStep(a area, text json.RawMessage) (object, error) {
	var head struct {
		Do string `json:"do"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	return a.step(head.Do, text)
}

// area is what the steps of a question are taken on.
type area interface {
	// step takes a step and returns its result.
	step(do string, text json.RawMessage) (object, error)
	// end returns how it stands.
	end() object
}

// object is a JSON object to be written.
type object = map[string]any

// areas has what begins a question in each area.
var areas = map[string]func(given json.RawMessage) (area, error){
	"resource":     openResource,
	"attempt":      openChain,
	"resolve":      openChain,
	"group":        openGroup,
	"session":      openSession,
	"json":         openDocuments,
	"subscription": openSubscription,
	"match":        openMatch,
	"delivery":     openDelivery,
	"health":       openHealth,
	"signature":    openSignature,
	"envelope":     openEnvelope,
}

// take reads a step into its members, runs what it does with them, and turns an
// error of the library into a result that names it.
func take[S any](text json.RawMessage, do func(S) (object, error)) (object, error) {
	var s S
	if err := read(text, &s); err != nil {
		return nil, err
	}
	result, err := do(s)
	if err != nil {
		return refused(err)
	}
	return result, nil
}

// unknownStep is the error of a step that the area does not have.
func unknownStep(do string) error { return fmt.Errorf("there is no step %q", do) }

// read reads the members of a step or of what is given. One that the format does
// not have would otherwise be passed over without a word.
func read(text json.RawMessage, v any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	delete(members, "do")
	text, err := json.Marshal(members)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func write(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// outcome is the result of a step that has no other member.
func outcome(o action.Outcome) object { return object{"outcome": o.String()} }

var taken = object{"outcome": "taken"}

// names has the name of each error in FORMAT.md. What stands first is found
// first.
var names = []struct {
	err  error
	name string
}{
	{session.ErrDocument, "invalid_document"}, // whatever is wrong in it
	{attempt.ErrResolved, "resolved"},
	{attempt.ErrComplete, "complete"},
	{attempt.ErrNotBlocking, "not_blocking"},
	{attempt.ErrNotMain, "not_main"},
	{attempt.ErrTooMany, "too_many"},
	{attempt.ErrTypeChanged, "type_changed"},
	{attempt.ErrInputsUnchanged, "inputs_unchanged"},
	{attempt.ErrInputsUnknown, "inputs_unknown"},
	{attempt.ErrInvalidInputs, "invalid_inputs"},
	{attempt.ErrResourceTaken, "resource_taken"},
	{attempt.ErrDeleted, "resource_deleted"},
	{attempt.ErrUnknownResource, "unknown_resource"},
	{attempt.ErrNotVerification, "not_verification"},
	{attempt.ErrNotResolvable, "not_resolvable"},
	{attempt.ErrInvalidReason, "invalid_reason"},
	{session.ErrInvalidTemplate, "invalid_template"},
	{session.ErrInvalidName, "invalid_name"},
	{session.ErrWorkspace, "wrong_workspace"},
	{session.ErrNoGroup, "no_group"},
	{session.ErrExists, "session_exists"},
	{session.ErrNoSession, "no_session"},
	{fsm.ErrNotAllowed, "not_allowed"},
	{action.ErrContradiction, "contradiction"},
	{action.ErrInvalidID, "invalid_id"},
	{action.ErrUnknown, "unknown_name"},
	{webhookpolicy.ErrDocument, "invalid_document"},
	{webhookpolicy.ErrInvalidData, "invalid_document"},
	{webhookpolicy.ErrInvalidEndpoint, "invalid_endpoint"},
	{webhookpolicy.ErrInvalidDescription, "invalid_description"},
	{webhookpolicy.ErrInvalidSecret, "invalid_secret"},
	{webhookpolicy.ErrUnknownEvent, "unknown_event"},
	{webhookpolicy.ErrInvalidList, "invalid_list"},
	{webhookpolicy.ErrSandboxWorkspaces, "sandbox_workspaces"},
	{webhookpolicy.ErrInvalidID, "invalid_id"},
	{webhookpolicy.ErrMalformedHeader, "malformed_header"},
	{webhookpolicy.ErrSignatureMismatch, "signature_mismatch"},
	{webhookpolicy.ErrIssuedAt, "issued_at"},
}

// nameOf returns the name of an error, "" if it has none.
func nameOf(err error) string {
	for _, n := range names {
		if errors.Is(err, n.err) {
			return n.name
		}
	}
	return ""
}

// refused is the result of a step that a rule forbids. An error that no rule
// explains is no result: it is returned.
func refused(err error) (object, error) {
	name := nameOf(err)
	if name == "" {
		return nil, err
	}
	result := object{"error": name}
	if refusal := (*action.Refusal)(nil); name == "not_allowed" && errors.As(err, &refusal) {
		result["allowed"] = sorted(refusal.Allowed)
	}
	return result, nil
}

// namesOf returns the names of refusals.
func namesOf(refusals []*action.Refusal) []string {
	list := make([]string, len(refusals))
	for i, r := range refusals {
		list[i] = nameOf(r)
	}
	return list
}

// stamp writes a time as FORMAT.md has it, nil for the zero time.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}
