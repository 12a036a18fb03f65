package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

func TestParseScript(t *testing.T) {
	sc, err := parseScript([]byte(`{
		"title": "A life",
		"template": {"id": "t1", "name": "t", "action_groups": [{"type": "signature_request"}]},
		"steps": [
			{"at": "2025-09-22T16:30:00+02:00", "note": "n", "command": "create", "id": "s1", "name": "s"},
			{"at": "2025-09-22T14:31:00Z", "command": "create", "id": "s2", "name": "s",
				"template": {"id": "t2", "name": "t", "action_groups": [{"type": "company_verification"}]}},
			{"at": "2025-09-22T14:32:00Z", "command": "link", "inputs": {"b": 1, "a": 2},
				"resource": {"id": "r1", "type": "signature_request", "status": "draft", "created_at": "2025-09-22T14:00:00Z"}},
			{"at": "2025-09-22T14:33:00Z", "command": "observe", "resource_id": "r1", "status": "done"},
			{"at": "2025-09-22T14:34:00Z", "command": "observe", "resource_id": "r1", "status": "done", "as_of": "2025-09-22T14:00:00Z"},
			{"at": "2025-09-22T14:35:00Z", "command": "transition", "resource_id": "r1", "event": "deleted"}
		]}`))
	require.NoError(t, err)
	at := func(hour, minute int) time.Time { return time.Date(2025, 9, 22, hour, minute, 0, 0, time.UTC) }
	inputs, err := attempt.NewDigester("s2", nil).Digest(map[string]int{"a": 2, "b": 1})
	require.NoError(t, err)
	want := []session.Command{
		session.Create{ID: "s1", Name: "s", Template: session.Template{
			ID: "t1", Name: "t", ActionGroups: []group.Type{group.SignatureRequest},
		}},
		session.Create{ID: "s2", Name: "s", Template: session.Template{
			ID: "t2", Name: "t", ActionGroups: []group.Type{group.CompanyVerification},
		}},
		session.Link{Inputs: inputs, Resource: action.Resource{
			ID: "r1", Type: action.TypeSignatureRequest, Status: action.Draft, CreatedAt: at(14, 0), AsOf: at(14, 32),
		}},
		session.Observe{ResourceID: "r1", Status: action.Done, AsOf: at(14, 33)},
		session.Observe{ResourceID: "r1", Status: action.Done, AsOf: at(14, 0)},
		session.Transition{ResourceID: "r1", Event: action.EventDeleted, At: at(14, 35)},
	}
	assert.Equal(t, "A life", sc.title)
	require.Len(t, sc.steps, len(want))
	for i, st := range sc.steps {
		assert.Equal(t, want[i], st.command, "step %d", i+1)
		assert.Equal(t, at(14, 30+i), st.at.UTC())
	}
	assert.Equal(t, "n", sc.steps[0].note)
}

// A script can be written by a program: every command as MarshalCommand writes
// it is a step, once the time is added.
func TestMarshalledCommandsAreSteps(t *testing.T) {
	at := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	for _, c := range []session.Command{
		session.Create{ID: "s1", Name: "s", WorkspaceID: "w1", Template: session.Template{
			ID: "t1", Name: "t", ActionGroups: []group.Type{group.SignatureRequest},
		}},
		session.Link{PreviousAttemptID: "r0", Inputs: attempt.Digest{1}, Resource: action.Resource{
			ID: "r1", Type: action.TypeSignatureRequest, Status: action.Draft, CreatedAt: at, AsOf: at,
		}},
		session.Transition{ResourceID: "r1", Event: action.EventDone, At: at},
		session.Observe{ResourceID: "r1", Status: action.Done, AsOf: at},
		session.Resolve{ResourceID: "r1", Reason: "x", By: "y"},
	} {
		text, err := session.MarshalCommand(c)
		require.NoError(t, err)
		sc, err := parseScript([]byte(`{"steps": [{"at": "2025-09-22T14:30:00Z", ` + string(text[1:]) + `]}`))
		if _, isTransition := c.(session.Transition); isTransition {
			sc, err = parseScript([]byte(`{"steps": [` + string(text) + `]}`)) // which has a time
		}
		require.NoError(t, err)
		assert.Equal(t, c, sc.steps[0].command)
	}
}
