package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is broken is told with its place, before anything is played.
func TestBrokenScripts(t *testing.T) {
	const (
		at     = `"at": "2025-09-22T14:30:00Z", `
		create = `{` + at + `"command": "create", "id": "s1", "name": "n", "workspace_id": "w1", "template": {` +
			`"id": "t1", "name": "t", "action_groups": [{"type": "signature_request"}]}}`
	)
	second := func(step string) string { return `{"steps": [` + create + `, {` + at + step + `}]}` }
	tests := map[string]struct{ script, want string }{
		"empty":                {"", "standard input:1:1: unexpected end of JSON input"},
		"cut off":              {"{\n  \"steps\": [\n    {", "standard input:3:5: unexpected end of JSON input"},
		"a comma too many":     {"{\"steps\": [\n  {},\n]}", "standard input:3:1: invalid character ']' looking for beginning of value"},
		"behind letters":       {"{\"title\": \"é\", é}", "standard input:1:16: invalid character 'Ã'"},
		"two scripts":          {`{"steps": []} {}`, "standard input:1:15: invalid character '{' after top-level value"},
		"no object":            {`[1]`, "an object is wanted, not an array"},
		"null":                 {`null`, "standard input: it has no steps"},
		"no steps":             {`{"title": "t"}`, "standard input: it has no steps"},
		"steps are a text":     {`{"steps": "none"}`, "steps: a string is not wanted here"},
		"a member unknown":     {`{"stpes": []}`, `unknown field "stpes"`},
		"a step is a number":   {`{"steps": [1]}`, "steps: a number is not wanted here"},
		"a step is null":       {`{"steps": [null]}`, "standard input: step 1: at is missing"},
		"no time":              {`{"steps": [{"command": "resolve"}]}`, "step 1: at is missing: the time of the command"},
		"no such time":         {`{"steps": [{"at": "noon"}]}`, `step 1: at: "noon" is no time; one is 2025-09-22T14:30:00Z`},
		"a time in numbers":    {`{"steps": [{"at": 1758551998}]}`, "step 1: at: a number is not wanted here"},
		"a note in numbers":    {`{"steps": [{"note": 1}]}`, "step 1: note: a number is not wanted here"},
		"no command":           {second(`"id": "s1"`), "step 2: the member command is wanted"},
		"no such command":      {second(`"command": "delete"`), `step 2: unknown command "delete"`},
		"no such member":       {second(`"command": "resolve", "resource": "v1"`), `step 2: there is no member "resource"`},
		"no such status":       {second(`"command": "observe", "resource_id": "v1", "status": "gone"`), `step 2: unknown status "gone"`},
		"no such event":        {second(`"command": "transition", "resource_id": "v1", "event": "signed"`), `step 2: unknown event "signed"`},
		"a number for an id":   {second(`"command": "resolve", "resource_id": 1`), "step 2: resource_id: a text is wanted, not a number"},
		"inputs are a text":    {second(`"command": "link", "resource": {"id": "r1", "type": "signature_request", "status": "draft"}, "inputs": "x"`), "step 2: inputs: attempt: invalid inputs"},
		"inputs of no link":    {second(`"command": "resolve", "resource_id": "v1", "inputs": {}`), "step 2: inputs are those of a link"},
		"inputs and digest":    {second(`"command": "link", "inputs": {}, "inputs_digest": "` + digest + `"`), "step 2: inputs and inputs_digest exclude each other"},
		"the template is none": {`{"template": 1, "steps": [{` + at + `"command": "create"}]}`, "step 1: template: an object is wanted, not a number"},
		"a group is none":      {`{"template": {"id": "t", "name": "t", "action_groups": [{"type": "x"}]}, "steps": [{` + at + `"command": "create"}]}`, `step 1: template: unknown group type "x"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := sluice(tt.script, "play", "-")
			assert.Equal(t, 1, got.status)
			assert.Contains(t, got.stderr, "sluice play: standard input:")
			assert.Contains(t, got.stderr, tt.want)
			assert.NotContains(t, got.stderr, "json:")
			assert.Empty(t, got.stdout)
		})
	}
}

const digest = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

func TestBrokenDocuments(t *testing.T) {
	groups := func(g string) string { return `{"id": "s1", "action_groups": [` + g + `]}` }
	tests := map[string]struct{ document, want string }{
		"empty":            {"", "standard input:1:1: unexpected end of JSON input"},
		"cut off":          {"{\"id\": \"s1\",\n", "standard input:1:13: unexpected end of JSON input"},
		"no object":        {"[]", "standard input:1:1: an object is wanted, not an array"},
		"an id in numbers": {"{\n  \"id\": 12\n}", "standard input:2:10: id: a text is wanted, not a number"},
		"no id":            {`{"action_groups": []}`, "id: the id is empty (SES-11)"},
		"no groups":        {`{"id": "s1"}`, "action_groups: there is none; at least one is needed (SES-1)"},
		"unknown group":    {groups(`{"type": "x"}`), `action_groups[0].type: unknown group type "x"`},
		"unknown status": {
			groups(`{"type": "signature_request", "actions": [{"resource": {"id": "r1", "type": "signature_request", "status": "gone"}}]}`),
			`action_groups[0].actions[0].resource.status: unknown status "gone"`,
		},
		"no such time": {`{"id": "s1", "created_at": "noon"}`, `"noon" is no time`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := sluice(tt.document, "explain", "-")
			assert.Equal(t, 1, got.status)
			assert.Contains(t, got.stderr, "sluice explain: standard input:")
			assert.Contains(t, got.stderr, tt.want)
			assert.NotContains(t, got.stderr, "json:")
			assert.Empty(t, got.stdout)
		})
	}
}
