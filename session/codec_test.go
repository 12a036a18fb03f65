package session_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// wireCommands is one of each command, with all its members and with as few as
// it can have, and its JSON.
var wireCommands = []struct {
	command session.Command
	json    string
}{
	{
		session.Create{
			ID: "s1", Name: "n", WorkspaceID: "w1", DefaultWorkspaceID: "w0",
			Template: session.Template{ID: "t1", Name: "t", ActionGroups: []group.Type{group.SignatureRequest}, Workspaces: []string{"w1"}},
		},
		`{"command":"create","id":"s1","name":"n","template":{"id":"t1","name":"t","action_groups":[{"type":"signature_request"}],` +
			`"workspaces":["w1"],"created_at":null,"updated_at":null},"workspace_id":"w1","default_workspace_id":"w0"}`,
	},
	{
		session.Create{ID: "s1", Name: "n", Template: session.Template{ID: "t1", Name: "t", ActionGroups: []group.Type{group.SignatureRequest}}},
		`{"command":"create","id":"s1","name":"n","template":{"id":"t1","name":"t","action_groups":[{"type":"signature_request"}],` +
			`"workspaces":[],"created_at":null,"updated_at":null}}`,
	},
	{
		session.Link{
			Resource: action.Resource{
				ID: "b", Type: action.TypeInvoiceDocumentAnalysis, Status: action.AwaitingData, WorkspaceID: "w1",
				CreatedAt: at(0), AsOf: at(1),
			},
			Inputs: inputs("b"), PreviousAttemptID: "a",
		},
		`{"command":"link","resource":{"id":"b","type":"invoice_document_analysis","status":"awaiting_data","workspace_id":"w1",` +
			`"created_at":"2025-09-22T14:30:00Z","as_of":"2025-09-22T14:30:01Z"},"inputs_digest":"62` + strings.Repeat("0", 62) + `",` +
			`"previous_attempt_id":"a"}`,
	},
	{
		session.Link{Resource: action.Resource{ID: "b", Type: action.TypeSignatureRequest, Status: action.Draft}},
		`{"command":"link","resource":{"id":"b","type":"signature_request","status":"draft"}}`,
	},
	{
		session.Transition{ResourceID: "a", Event: action.EventReactivatedForApproval, At: at(5)},
		`{"command":"transition","resource_id":"a","event":"reactivated_for_approval","at":"2025-09-22T14:30:05Z"}`,
	},
	{
		session.Transition{ResourceID: "a", Event: action.EventDone},
		`{"command":"transition","resource_id":"a","event":"done"}`,
	},
	{
		session.Observe{ResourceID: "a", Status: action.Failed, AsOf: at(5)},
		`{"command":"observe","resource_id":"a","status":"failed","as_of":"2025-09-22T14:30:05Z"}`,
	},
	{
		session.Observe{ResourceID: "a", Status: action.Failed},
		`{"command":"observe","resource_id":"a","status":"failed"}`,
	},
	{
		session.Resolve{ResourceID: "a", Reason: "seen", By: "agent 7"},
		`{"command":"resolve","resource_id":"a","reason":"seen","by":"agent 7"}`,
	},
	{session.Resolve{ResourceID: "a"}, `{"command":"resolve","resource_id":"a"}`},
}

func TestCommand_JSON(t *testing.T) {
	for _, test := range wireCommands {
		t.Run(test.json[:24], func(t *testing.T) {
			text, err := session.MarshalCommand(test.command)
			require.NoError(t, err)
			assert.Equal(t, test.json, string(text))
			read, err := session.UnmarshalCommand(text)
			require.NoError(t, err)
			assert.Equal(t, test.command, read)

			unknown := strings.TrimSuffix(test.json, "}") + `,"resourceid":"x"}`
			_, err = session.UnmarshalCommand([]byte(unknown))
			requireBroken(t, err, "command", "", nil, `"resourceid"`)
		})
	}
}

func TestUnmarshalCommand_Refused(t *testing.T) {
	tests := []struct {
		name, text string
		path       string
		is         error
		says       string
	}{
		{"nothing", ``, "", nil, "unexpected end"},
		{"null", `null`, "", nil, "member command"},
		{"an array", `["observe"]`, "", nil, "array"},
		{"cut off", `{"command":"observe"`, "", nil, "unexpected end"},
		{"two", `{"command":"resolve","resource_id":"a"}{}`, "", nil, "after top-level value"},
		{"no name", `{"resource_id":"a"}`, "", nil, "member command"},
		{"a number for a name", `{"command":1}`, "", nil, "member command"},
		{"RES-6: an unknown name", `{"command":"delete"}`, "", action.ErrUnknown, `unknown command "delete" (RES-6; known: create, link, transition, observe, resolve)`},
		{"RES-6: a name in another case", `{"command":"Observe"}`, "", action.ErrUnknown, `"Observe"`},
		{"RES-6: an unknown status", `{"command":"observe","resource_id":"a","status":"lost"}`, "", action.ErrUnknown, `unknown status "lost"`},
		{"RES-6: an unknown event", `{"command":"transition","resource_id":"a","event":"lost"}`, "", action.ErrUnknown, `unknown event "lost"`},
		{"RES-6: an unknown type", `{"command":"link","resource":{"id":"a","type":"passport"}}`, "", action.ErrUnknown, `unknown resource type "passport"`},
		{"RES-6: an unknown group", `{"command":"create","template":{"action_groups":[{"type":"x"}]}}`, "template", action.ErrUnknown, `unknown group type "x"`},
		{"a member of another command", `{"command":"resolve","resource_id":"a","status":"failed"}`, "", nil, `"status"`},
		{"an unknown member of a resource", `{"command":"link","resource":{"id":"a","typ":"x"}}`, "", nil, `"typ"`},
		{"a number for an id", `{"command":"resolve","resource_id":5}`, "resource_id", nil, "text is wanted"},
		{"a time that is none", `{"command":"observe","as_of":"today"}`, "", nil, "today"},
		{"a digest that is none", `{"command":"link","inputs_digest":"abc"}`, "", nil, "ATT-6"},
		{"an invalid template", `{"command":"create","template":{"id":"t1","name":"n"}}`, "template", session.ErrInvalidTemplate, "SES-1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := session.UnmarshalCommand([]byte(test.text))
			requireBroken(t, err, "command", test.path, test.is, test.says)
			assert.Nil(t, c)
		})
	}
}

func TestMarshalCommand_Refused(t *testing.T) {
	for _, c := range []session.Command{nil, &session.Link{}, session.Observe{Status: 200}, session.Transition{Event: 200}} {
		t.Run(fmt.Sprintf("%T", c), func(t *testing.T) {
			text, err := session.MarshalCommand(c)
			requireBroken(t, err, "command", "", nil, "")
			assert.Nil(t, text)
		})
	}
	_, err := session.MarshalCommand(&session.Link{})
	require.EqualError(t, err, "session: invalid command: no command is a *session.Link")
	_, err = session.MarshalCommand(session.Observe{ResourceID: "a", Status: 200})
	require.ErrorIs(t, err, action.ErrUnknown, "RES-6: there is no text for such a status")
}

// The way out of a block can be sent to whoever presses the button, and what
// comes back, filled in, is the command.
func TestWayOut_JSON(t *testing.T) {
	r := begin(t, group.CompanyVerification, group.SignatureRequest).do(
		link("a", company, "failed"), link("x", signature, "expired"))
	text, err := json.Marshal(r.s.Blockers())
	require.NoError(t, err)
	golden(t, "blockers.json", indented(t, string(text)))
	for _, b := range r.s.Blockers() {
		for _, w := range b.WaysOut {
			text, err := session.MarshalCommand(w.Command)
			require.NoError(t, err)
			read, err := session.UnmarshalCommand(text)
			require.NoError(t, err)
			assert.Equal(t, w.Command, read)
		}
	}
}

// Of what people write, no member is taken for another and none is passed over.
func TestUnmarshalCommand_Exact(t *testing.T) {
	for text, says := range map[string]string{
		`{"command":"create","id":"s","name":"n","template":{"id":"t","name":"t",` +
			`"action_groups":[{"type":"signature_request"}],"workspace":["w1"]}}`: `template: there is no member "workspace"`,
		`{"command":"resolve","Resource_ID":"a"}`:                    `there is no member "Resource_ID"`,
		`{"command":"resolve","resource_id":"a","resource_id":"b"}`:  "resource_id",
		`{"command":"create","command":"resolve","resource_id":"a"}`: "command",
		"{\"command\":\"resolve\",\"resource_id\":\"\xff\"}":         "UTF-8",
	} {
		_, err := session.UnmarshalCommand([]byte(text))
		require.ErrorIs(t, err, session.ErrDocument, text)
		require.ErrorContains(t, err, says)
	}
}

// The events of a life, as a Store keeps them. Stores hold texts like these, so
// that whoever changes the form has to read these still.
func TestEvent_JSON(t *testing.T) {
	r := begin(t, group.CompanyVerification, group.SignatureRequest).do(
		link("a", company, "pending"), observe("a", "failed", 80), retry("a", "b", company, "pending"), resolve("b"),
		session.Link{Resource: link("x", signature, "draft").Resource}, event("x", "activated", 90), observe("x", "ongoing", 100),
	)
	var lines strings.Builder
	for _, e := range r.events {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		lines.Write(append(text, '\n'))
	}
	golden(t, "events.jsonl", lines.String())

	var read []session.Event
	for d := json.NewDecoder(strings.NewReader(string(testdata(t, "events.jsonl")))); d.More(); {
		var e session.Event
		require.NoError(t, d.Decode(&e))
		read = append(read, e)
	}
	assert.Equal(t, r.events, read)
	s, err := session.Replay(read)
	require.NoError(t, err)
	assert.True(t, s.Equal(r.s))
}

// Times of any offset and fraction are read in the form that Apply gives them:
// the event's in UTC, those of resources in whole seconds as well.
func TestEvent_Times(t *testing.T) {
	r := begin(t, group.CompanyVerification, group.SignatureRequest).do(
		link("a", company, "pending"), observe("a", "failed", 80), link("x", signature, "draft"), event("x", "activated", 90),
	)
	for _, e := range r.events {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		offset := strings.NewReplacer("T14:", "T16:", `0Z","fact"`, `0+02:00","fact"`, `Z"`, `.5+02:00"`).Replace(string(text))
		require.NotEqual(t, string(text), offset)
		var read session.Event
		require.NoError(t, json.Unmarshal([]byte(offset), &read))
		assert.Equal(t, e, read)
	}
}

func TestEvent_UnmarshalJSON_Refused(t *testing.T) {
	whole := func(fact, data string) string {
		return `{"session_id":"s1","version":2,"at":"2025-09-22T14:30:00Z","fact":"` + fact + `","data":` + data +
			`,"session":{"from":"awaiting","to":"awaiting"}}`
	}
	tests := []struct {
		name, text string
		path       string
		is         error
		says       string
	}{
		{"nothing", ``, "", nil, "EOF"},
		{"an array", `[]`, "", nil, "array"},
		{"cut off", `{"fact":"resolved"`, "", nil, "unexpected EOF"},
		{"an unknown member", `{"fact":"resolved","data":{"resource_id":"a"},"time":1}`, "", nil, `"time"`},
		{"a time that is none", `{"at":"today"}`, "", nil, "today"},
		{"RES-6: an unknown status", `{"session":{"to":"lost"}}`, "", action.ErrUnknown, `unknown group status "lost"`},
		{"RES-6: an unknown group", `{"group":{"type":"lost"}}`, "", action.ErrUnknown, `unknown group type "lost"`},
		{"RES-6: no fact", `{"data":{}}`, "data", action.ErrUnknown, `unknown fact ""`},
		{"RES-6: an unknown fact", whole("deleted", `{}`), "data", action.ErrUnknown, `unknown fact "deleted" (RES-6; known: created, linked, transitioned, observed, resolved)`},
		{"no data", `{"fact":"resolved"}`, "data", nil, ""},
		{"an unknown member of created", whole("created", `{"names":"x"}`), "data", nil, `"names"`},
		{"an unknown member of linked", whole("linked", `{"resource":{"kind":"x"}}`), "data", nil, `"kind"`},
		{"an unknown member of transitioned", whole("transitioned", `{"as_of":"x"}`), "data", nil, `"as_of"`},
		{"an unknown member of observed", whole("observed", `{"at":"x"}`), "data", nil, `"at"`},
		{"an unknown member of resolved", whole("resolved", `{"resolved_by":"x"}`), "data", nil, `"resolved_by"`},
		{"RES-6: an unknown type", whole("linked", `{"resource":{"type":"x"}}`), "data", action.ErrUnknown, `unknown resource type "x"`},
		{"RES-6: an unknown group in created", whole("created", `{"groups":["x"]}`), "data", action.ErrUnknown, `unknown group type "x"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := session.Event{SessionID: "before", Fact: session.Resolved{ResourceID: "x"}}
			e := before
			err := e.UnmarshalJSON([]byte(test.text))
			requireBroken(t, err, "event", test.path, test.is, test.says)
			assert.Equal(t, before, e, "an error leaves it as it was")
		})
	}
}

func TestEvent_MarshalJSON_Refused(t *testing.T) {
	done := session.Move{To: session.Done}
	for name, e := range map[string]session.Event{
		"no fact":                  {Session: done},
		"no status":                {Fact: session.Observed{ResourceID: "a"}, Session: done},
		"no status of the session": {Fact: session.Resolved{ResourceID: "a"}},
		"an unknown group":         {Fact: session.Resolved{ResourceID: "a"}, Session: done, GroupType: 200, Group: done},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.MarshalJSON()
			require.Error(t, err)
		})
	}
	_, err := session.Event{}.MarshalJSON()
	require.EqualError(t, err, "session: invalid event: it has no fact")
	// A Linked without a digest says nothing of one.
	e := session.Event{Session: done, Fact: session.Linked{Resource: resource("a", company, "failed"), Inputs: attempt.Digest{}}}
	text, err := e.MarshalJSON()
	require.NoError(t, err)
	assert.NotContains(t, string(text), "digest")
}
