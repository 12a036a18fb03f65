package trace

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	noKind     = "one of the members command, webhook, seen, announced and template is wanted"
	noTemplate = "one of the members template and template_id is missing"
)

// fullLines are lines with every member that their kind may have in TRACE.md.
var fullLines = map[string]struct {
	line string
	// needed are the members that its words ask for, by paths that lead into
	// objects, and what is said where one is missing.
	needed map[string]string
	// inTable is the row of the table there that says what a command needs.
	inTable string
}{
	"create, of a name": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","command":"create","name":"n","workspace_id":"w1","default_workspace_id":"w2","template_id":"t1","id":"s1","refused":false}`,
		map[string]string{
			"at": "the member at is missing", "session": "the member session is missing", "command": noKind,
			"name": "the member name is missing", "template_id": noTemplate,
		},
		"| `create` | `name`, `workspace_id`?, `default_workspace_id`?, and `template_id` or `template`; `id`? is that of the session |",
	},
	"create, of a template": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","command":"create","name":"n",` + theTemplate + `,"refused":false}`,
		// It is taken for a line of a template, as which it has a session.
		map[string]string{
			"at": "the member at is missing", "session": "the member session is missing", "command": `there is no member "`,
			"name": "the member name is missing", "template": noTemplate,
		},
		"",
	},
	"link": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","command":"link","resource":{"id":"r1","type":"signature_request","status":"draft","as_of":"2025-09-22T14:30:00Z","created_at":"2025-09-22T14:30:00Z","workspace_id":"w1"},"inputs":{},"previous_attempt_id":"r0","refused":false}`,
		map[string]string{
			"at": "the member at is missing", "session": "the member session is missing", "command": noKind,
			"resource": "the member resource is missing", "resource.id": "resource: the member id is missing",
			"resource.type": "resource: the member type is missing", "resource.status": "resource: the member status is missing",
		},
		"| `link` | `resource`: `{\"id\", \"type\", \"status\", \"as_of\"?, \"created_at\"?, \"workspace_id\"?}`; `inputs`? or `inputs_digest`?; `previous_attempt_id`? |",
	},
	"observe": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","command":"observe","resource_id":"r1","status":"done","as_of":"2025-09-22T14:30:00Z","refused":true}`,
		map[string]string{
			"at": "the member at is missing", "session": "the member session is missing", "command": noKind,
			"resource_id": "the member resource_id is missing", "status": "the member status is missing",
		},
		"| `observe` | `resource_id`, `status`, `as_of`? |",
	},
	"transition": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","command":"transition","resource_id":"r1","event":"done","refused":"ACT-3"}`,
		map[string]string{
			"at": "the member at is missing", "session": "the member session is missing", "command": noKind,
			"resource_id": "the member resource_id is missing", "event": "the member event is missing",
		},
		"| `transition` | `resource_id`, `event`, which happened at `at` |",
	},
	"resolve": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","command":"resolve","resource_id":"r1","reason":"r","by":"Ada","refused":false}`,
		map[string]string{
			"at": "the member at is missing", "session": "the member session is missing", "command": noKind,
			"resource_id": "the member resource_id is missing",
		},
		"| `resolve` | `resource_id`, `reason`?, `by`? |",
	},
	"webhook": {
		at(0, webhook(0, "signature_request.done", `{"id":"r1","status":"done"}`)),
		map[string]string{
			"at": "the member at is missing", "webhook": noKind,
			"webhook.event_name": "the member event_name is missing", "webhook.event_time": "the member event_time is missing",
			"webhook.data": "the member data is missing", "webhook.data.id": "data: the member id is missing",
			"webhook.data.status": "data: the member status is missing",
		},
		"",
	},
	"webhook, of a member": {
		at(0, webhook(0, "verification.company.done", `{"verification":{"id":"r1","status":"verified"}}`)),
		map[string]string{
			"at": "the member at is missing", "webhook": noKind,
			"webhook.event_name": "the member event_name is missing", "webhook.event_time": "the member event_time is missing",
			"webhook.data": "the member data is missing", "webhook.data.verification": "data: the member id is missing",
			"webhook.data.verification.id": "data: the member id is missing", "webhook.data.verification.status": "data: the member status is missing",
		},
		"",
	},
	"webhook, which moves nothing": {
		at(0, webhook(0, "signer.done", `{"id":"r1"}`)),
		map[string]string{
			"at": "the member at is missing", "webhook": noKind,
			"webhook.event_name": "the member event_name is missing", "webhook.event_time": "the member event_time is missing",
			"webhook.data": "the member data is missing",
		},
		"",
	},
	"seen": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","seen":{"status":"done","groups":{"company_verification":"done"},"resources":{"r1":"verified"}}}`,
		map[string]string{"at": "the member at is missing", "session": "the member session is missing", "seen": noKind},
		"",
	},
	"announced, of a group": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","announced":"workflow_action_group.done","group_type":"company_verification"}`,
		map[string]string{
			"at": "the member at is missing", "session": "the member session is missing", "announced": noKind,
			"group_type": "the member group_type is missing",
		},
		"",
	},
	"announced, of a session": {
		`{"at":"2025-09-22T14:30:00Z","session":"s1","announced":"workflow_session.done"}`,
		map[string]string{"at": "the member at is missing", "session": "the member session is missing", "announced": noKind},
		"",
	},
	"template": {
		at(0, theTemplate),
		map[string]string{"at": "the member at is missing", "template": noKind},
		"",
	},
}

// A line that lacks what TRACE.md says that it has is unreadable, and says what
// is missing; what may be left out may be.
func TestDecode_Missing(t *testing.T) {
	document, err := os.ReadFile("../TRACE.md")
	require.NoError(t, err)
	for name, tt := range fullLines {
		assert.Contains(t, string(document), tt.inTable)
		assert.Empty(t, problemOf([]byte(tt.line)), name)
		left := maps.Clone(tt.needed)
		for _, p := range pathsOf([]byte(tt.line), nil) {
			path, line := strings.Join(p, "."), without(t, tt.line, p)
			want, needed := tt.needed[path]
			delete(left, path)
			t.Run(name+" without "+path, func(t *testing.T) {
				bothWays(t, line)
				if needed {
					assert.Contains(t, problemOf(line), want)
				} else {
					assert.Empty(t, problemOf(line))
				}
			})
		}
		assert.Empty(t, left, "needed and not in the line")
	}
}

// What a command needs is missing where it is null, as where it is not there.
func TestDecode_Null(t *testing.T) {
	for name, tt := range fullLines {
		for path, want := range tt.needed {
			if tt.inTable == "" || !strings.HasPrefix(want, "the member ") && !strings.HasPrefix(want, "resource: ") {
				continue
			}
			if slices.Contains([]string{"at", "session"}, path) {
				want = path + ": a text is wanted"
			}
			line := with(t, tt.line, strings.Split(path, "."), "null")
			bothWays(t, line)
			assert.Contains(t, problemOf(line), want, name)
		}
	}
}

// Several that are missing are all named.
func TestDecode_MissingTwice(t *testing.T) {
	assert.Equal(t, "the members resource_id, status are missing", problemOf([]byte(at(0, `"session":"s1","command":"observe"`))))
	assert.Equal(t, "resource: the members id, type, status are missing", problemOf([]byte(at(0, `"session":"s1","command":"link","resource":{}`))))
}

// A template or a document that lacks something is against the rules, and a
// finding.
func TestCheck_MissingInDocuments(t *testing.T) {
	for _, name := range []string{"id", "name", "action_groups"} {
		got := told(t, Options{}, string(without(t, at(0, theTemplate), []string{"template", name})))
		require.Len(t, got, 1, name)
		assert.Contains(t, got[0], "line 1: template (SES-1", name)
	}
	const group = `{"type":"signature_request","actions":[{"resource":%}]}`
	for resource, want := range map[string]string{
		`{"type":"signature_request","status":"ongoing"}`: "the id is empty",
		`{"id":"r1","status":"ongoing"}`:                  `unknown resource type ""`,
		`{"id":"r1","type":"signature_request"}`:          `unknown status ""`,
		`null`:                                            "it is missing",
	} {
		document := `{"id":"s1","action_groups":[` + strings.Replace(group, "%", resource, 1) + `,{"type":"identity_verification"}]}`
		got := told(t, Options{}, append(scene(), at(6, `"session":"s1","seen":`+document))...)
		require.Len(t, got, 1, resource)
		assert.Contains(t, got[0], want)
	}
	for _, document := range []string{`{"action_groups":[{"type":"signature_request"}]}`, `{"id":"s1","action_groups":[{}]}`} {
		assert.Len(t, told(t, Options{}, append(scene(), at(6, `"session":"s1","seen":`+document))...), 1, document)
	}
}

// Whatever of a recorded line is left out, empty, null, of another kind or there
// twice, the quick way reads it as the thorough one does or not at all.
func TestProperty_Spoilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom(recorded(t)).Draw(t, "line").text
		path := rapid.SampledFrom(pathsOf([]byte(line), nil)).Draw(t, "member")
		value := rapid.SampledFrom([]string{`""`, "null", "1", "{}", "[]", "true", `"done"`}).Draw(t, "value")
		bothWays(t, without(t, line, path))
		changed := with(t, line, path, value)
		bothWays(t, changed)
		bothWays(t, append(changed[:len(changed)-1:len(changed)-1], `,"`+path[0]+`":`+value+"}"...))
	})
}

// bothWays fails if the quick way takes a line that the thorough one reads in
// another way.
func bothWays(t require.TestingT, line []byte) {
	var quick, thorough entry
	d := new(decoder)
	d.decode(line, new(entry)) // so that its template is known
	if d.quick(line, &quick) {
		d.thorough(line, &thorough)
		require.Equal(t, shown(&thorough), shown(&quick), string(line))
	}
}

// problemOf says why a line is unreadable, "" if it is not.
func problemOf(line []byte) string {
	var e entry
	new(decoder).decode(line, &e)
	return e.problem
}

// pathsOf lists the members of an object, in the order of their names, and of
// the objects in it.
func pathsOf(text []byte, to []string) [][]string {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil {
		return nil
	}
	var paths [][]string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		path := append(slices.Clone(to), name)
		paths = append(append(paths, path), pathsOf(object[name], path)...)
	}
	return paths
}

// without returns a line without a member.
func without(t require.TestingT, line string, path []string) []byte { return with(t, line, path, "") }

// with returns a line with another value of a member; none for "".
func with(t require.TestingT, line string, path []string, value string) []byte {
	var object map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(line), &object))
	switch name := path[0]; {
	case len(path) > 1:
		object[name] = with(t, string(object[name]), path[1:], value)
	case value == "":
		delete(object, name)
	default:
		object[name] = json.RawMessage(value)
	}
	changed, err := json.Marshal(object)
	require.NoError(t, err)
	return changed
}
