package trace

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// told checks a trace and returns its findings as texts.
func told(t testing.TB, o Options, lines ...string) []string {
	t.Helper()
	if o.TempDir == "" {
		o.TempDir = t.TempDir()
	}
	list := []string{}
	summary, err := Check(strings.NewReader(strings.Join(lines, "\n")+"\n"), o, func(f Finding) error {
		list = append(list, f.String())
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, len(list), summary.Findings)
	assert.Equal(t, len(lines), summary.Lines)
	return list
}

// at makes a line of its members but the time, which is 14:30 and as many
// minutes.
func at(minutes int, members string) string {
	return fmt.Sprintf(`{"at":"2025-09-22T%02d:%02d:00Z",%s}`, 14+(30+minutes)/60, (30+minutes)%60, members)
}

const theTemplate = `"template":{"id":"t1","name":"Onboarding","action_groups":[{"type":"identity_verification"},{"type":"signature_request"}]}`

// webhook is the member of a line, with a time of as many minutes as in at.
func webhook(minutes int, event, resource string) string {
	return fmt.Sprintf(`"webhook":{"event_id":"e1","event_name":%q,"event_time":"%d","subscription_id":"s","subscription_description":"","sandbox":false,"data":%s}`,
		event, 1758551400+60*minutes, resource)
}

// scene is a session s1 with an Action of the attempts v1, failed, and v2,
// pending, one of v3, failed and resolved, and a signature request that is
// ongoing. It takes six lines; the next minute is 6.
func scene() []string {
	const link = `"session":"s1","command":"link","resource":`
	return []string{
		at(0, `"session":"s1","command":"create","name":"Kelly","workspace_id":"w1",`+theTemplate),
		at(1, link+`{"id":"v1","type":"identity_document_verification","status":"failed"},"inputs":{"photo":1}`),
		at(2, link+`{"id":"v2","type":"identity_document_verification","status":"pending"},"inputs":{"photo":2},"previous_attempt_id":"v1"`),
		at(3, link+`{"id":"v3","type":"identity_video_verification","status":"failed"}`),
		at(4, `"session":"s1","command":"resolve","resource_id":"v3","reason":"seen in person","by":"Ada"`),
		at(5, link+`{"id":"r1","type":"signature_request","status":"ongoing"}`),
	}
}

// A line behind the scene has the finding that is named, in line 7, or none.
func TestCheck_Findings(t *testing.T) {
	const s1, document = `"session":"s1",`, `"session":"s1","seen":{"id":"s1","action_groups":`
	const identity = `{"type":"identity_verification","actions":[`
	const v2 = `{"resource":{"id":"v2","type":"identity_document_verification","status":"pending"}}`
	const v3 = `{"resource":{"id":"v3","type":"identity_video_verification","status":"failed"}}`
	const signature = `{"type":"signature_request","actions":[{"resource":{"id":"r1","type":"signature_request","status":"ongoing"}}]}`
	whole := func(members string) string {
		return `"session":"s1","seen":{"id":"s1","action_groups":[` + identity + v2 + "," + v3 + "]}," + signature + "]," + members + "}"
	}
	actions := func(list string) string {
		return document + "[" + identity + list + "]}," + signature + "]}"
	}
	tests := map[string]struct{ line, want string }{
		// Commands.
		"ATT-6: refused by another rule": {
			s1 + `"command":"link","previous_attempt_id":"v2","refused":"ATT-6","resource":{"id":"v9","type":"identity_document_verification","status":"pending"}`,
			"link of v9 (ATT-1): expected refused by ATT-1 (attempt 2 is pending, which does not block), seen refused by ATT-6",
		},
		"ATT-1: accepted": {
			s1 + `"command":"link","previous_attempt_id":"v2","refused":false,"resource":{"id":"v9","type":"identity_document_verification","status":"pending"}`,
			"link of v9 (ATT-1): expected refused by ATT-1 (attempt 2 is pending, which does not block), seen accepted",
		},
		"ATT-1: refused without a rule": {
			s1 + `"command":"link","previous_attempt_id":"v2","refused":true,"resource":{"id":"v9","type":"identity_document_verification","status":"pending"}`, "",
		},
		"ATT-3: refused by the rule": {
			s1 + `"command":"link","previous_attempt_id":"v3","refused":"ATT-3","resource":{"id":"v9","type":"identity_video_verification","status":"pending"}`, "",
		},
		"RSL-5: accepted again": {
			s1 + `"command":"resolve","resource_id":"v3","refused":false`, "resolve of v3 (RSL-5): expected refused by RSL-5 (it is resolved already), seen accepted",
		},
		"RSL-2: refused where it is allowed": {
			s1 + `"command":"resolve","resource_id":"v2","refused":"RSL-2"`, "resolve of v2 (RSL-2): expected accepted, seen refused by RSL-2",
		},
		"RSL-2: refused where it is allowed, for no reason": {
			s1 + `"command":"resolve","resource_id":"v2","refused":true`, "resolve of v2 (RSL-2): expected accepted, seen refused",
		},
		"ACT-3: an event that is not allowed": {
			s1 + `"command":"transition","resource_id":"r1","event":"approved","refused":false`, "transition of r1 (ACT-3): expected refused by ACT-3 (ongoing does not allow approved in machine signature_request), seen accepted",
		},
		"ACT-3: an event that is": {s1 + `"command":"transition","resource_id":"r1","event":"done","refused":false`, ""},
		"ACT-4: a contradiction accepted": {
			s1 + `"command":"observe","resource_id":"v2","status":"awaiting_data","refused":false`, "observe of v2 (ACT-4): expected refused by ACT-4 (awaiting_data as of 2025-09-22T14:36:00+00:00 cannot follow pending as of 2025-09-22T14:32:00+00:00), seen accepted",
		},
		"ACT-4: what is stale is accepted": {s1 + `"command":"observe","resource_id":"r1","status":"done","as_of":"2025-09-22T14:00:00Z","refused":false`, ""},
		"ATT-9: what is frozen is accepted": {s1 + `"command":"observe","resource_id":"v1","status":"verified","refused":"ATT-9"`,
			"observe of v1 (ATT-9): expected accepted, seen refused by ATT-9"},
		"SES-12: an unknown resource": {
			s1 + `"command":"observe","resource_id":"v9","status":"done","refused":false`, "observe of v9 (SES-12): expected refused by SES-12 (session s1 has no such resource), seen accepted",
		},
		"RES-6: an unknown status": {
			s1 + `"command":"observe","resource_id":"r1","status":"finished","refused":false`, "observe of r1 (RES-6): expected refused by RES-6 (\"finished\" is no status that is listed), seen accepted",
		},
		"RES-6: an unknown event is refused by another rule": {
			s1 + `"command":"transition","resource_id":"r1","event":"finished","refused":"SES-4"`, "transition of r1 (ACT-3): expected refused by ACT-3 (\"finished\" is no event that is listed), seen refused by SES-4",
		},
		"RES-6: two unknown names": {
			s1 + `"command":"link","refused":false,"resource":{"id":"v9","type":"selfie","status":"finished"}`,
			`link of v9 (RES-6): expected refused by RES-6 ("selfie" is no type that is listed; "finished" is no status that is listed), seen accepted`,
		},
		"RES-6: a status of another type": {
			s1 + `"command":"observe","resource_id":"r1","status":"verified","refused":"ACT-3"`,
			"observe of r1 (RES-6): expected refused by RES-6 (verified is no status of type signature_request), seen refused by ACT-3",
		},
		"SES-12: an unknown event of an unknown resource": {
			s1 + `"command":"transition","resource_id":"v9","event":"finished","refused":false`,
			"transition of v9 (SES-12): expected refused by SES-12 (session s1 has no such resource), seen accepted",
		},
		"RES-6: an unknown type": {
			s1 + `"command":"link","refused":false,"resource":{"id":"v9","type":"selfie","status":"pending"}`, "link of v9 (RES-6): expected refused by RES-6 (\"selfie\" is no type that is listed), seen accepted",
		},
		"ATT-6: inputs that are no object": {
			s1 + `"command":"link","refused":false,"inputs":[],"resource":{"id":"v9","type":"identity_video_verification","status":"pending"}`, "link (ATT-6): expected refused by ATT-6 (invalid inputs: a JSON object is wanted), seen accepted",
		},
		"SES-4: no group": {
			s1 + `"command":"link","refused":false,"resource":{"id":"v9","type":"company_verification","status":"pending"}`, "link of v9 (SES-4): expected refused by SES-4 (no group of session s1 admits type company_verification), seen accepted",
		},
		"SES-1: created twice": {
			s1 + `"command":"create","name":"Kelly","workspace_id":"w1","refused":false,` + theTemplate, "create (SES-1): expected refused by SES-1 (it exists already), seen accepted",
		},
		"SES-11: created without a name": {
			`"session":"s2","command":"create","name":"","workspace_id":"w1","refused":false,` + theTemplate, "create (SES-11): expected refused by SES-11 (the name is empty), seen accepted",
		},
		"SES-3: created without a workspace": {
			`"session":"s2","command":"create","name":"n","refused":false,` + theTemplate, "create (SES-3): expected refused by SES-3 (no workspace is given and the host names no default), seen accepted",
		},
		"SES-1: created from a bad template": {
			`"session":"s2","command":"create","name":"n","refused":false,"template":{"id":"t1","name":"n","action_groups":[]}`, "create (SES-1): expected refused by SES-1 (it has no action group; at least one is needed), seen accepted",
		},
		"SES-1: a command of no session": {
			`"session":"s2","command":"observe","resource_id":"r1","status":"done","refused":false`, "observe of r1 (SES-1): expected refused by SES-1 (it was never created), seen accepted",
		},
		"SES-1: a bad command of no session": {
			`"session":"s2","command":"link","inputs":1,"resource":{"id":"v9","type":"selfie","status":"pending"},"refused":"ATT-6"`, "link (SES-1): expected refused by SES-1 (it was never created), seen refused by ATT-6",
		},
		"SES-1: created where there was none": {`"session":"s2","command":"create","name":"n","workspace_id":"w1","refused":false,"id":"s2",` + theTemplate, ""},

		// Webhooks.
		"ACT-4: a contradiction": {
			webhook(6, "verification.identity_document.done", `{"id":"v2","status":"awaiting_data"}`),
			"session s1: resource v2 (ACT-4): expected pending or inconclusive or failed or verified, seen awaiting_data by verification.identity_document.done",
		},
		"ACT-4: in a member": {
			webhook(6, "verification.identity_document.done", `{"id":"x","status":"y","verification":{"id":"v2","status":"awaiting_data","name":"n"}}`),
			"resource v2 (ACT-4): expected pending or inconclusive or failed or verified, seen awaiting_data by verification.identity_document.done",
		},
		"RES-6: of a status that is none": {
			webhook(6, "verification.identity_document.done", `{"verification":{"id":"v2","status":"done"}}`),
			"resource v2 (RES-6): expected awaiting_data or pending or inconclusive or failed or verified, seen done by verification.identity_document.done",
		},
		"ACT-4: what follows":                   {webhook(6, "signature_request.done", `{"id":"r1","status":"done"}`), ""},
		"ACT-4: what is stale":                  {webhook(-9, "signature_request.rejected", `{"id":"r1","status":"rejected"}`), ""},
		"ATT-9: of a previous attempt":          {webhook(6, "verification.identity_document.done", `{"id":"v1","status":"verified"}`), ""},
		"SES-12: of a resource of no session":   {webhook(6, "signature_request.rejected", `{"id":"r9","status":"rejected"}`), ""},
		"ACT-1: of an event that moves nothing": {webhook(6, "signer.declined", `{"id":"r1","status":"rejected"}`), ""},

		// What was shown, short.
		"all is shown as it is": {s1 + `"seen":{"status":"ongoing","groups":{"identity_verification":"ongoing","signature_request":"ongoing"},"resources":{"v1":"failed","v2":"pending","v3":"failed","r1":"ongoing"}}`, ""},
		"nothing is shown":      {s1 + `"seen":{}`, ""},
		"SES-2: status":         {s1 + `"seen":{"status":"blocked"}`, "status (SES-2): expected ongoing, seen blocked"},
		"GRP-4: group":          {s1 + `"seen":{"groups":{"identity_verification":"blocked"}}`, "group identity_verification (GRP-4): expected ongoing, seen blocked"},
		"SES-1: another group":  {s1 + `"seen":{"groups":{"company_verification":"awaiting"}}`, "group company_verification (SES-1): expected no such group, seen awaiting"},
		"RES-6: no group":       {s1 + `"seen":{"groups":{"x":"awaiting"}}`, "group x (SES-1): expected no such group, seen awaiting"},
		"ACT-4: resource":       {s1 + `"seen":{"resources":{"v2":"verified"}}`, "resource v2 (ACT-4): expected pending, seen verified"},
		"ATT-9: resource":       {s1 + `"seen":{"resources":{"v1":"verified"}}`, "resource v1 (ATT-9): expected failed, seen verified"},
		"SES-4: resource":       {s1 + `"seen":{"resources":{"v9":"verified"}}`, "resource v9 (SES-4): expected no such resource, seen verified"},
		"SES-1: no session":     {`"session":"s9","seen":{"status":"awaiting"}`, "session s9: session (SES-1): expected none of this id, seen one"},

		// Documents.
		"a document of little": {whole(`"status":"ongoing"`), ""},
		"a document of all": {s1 + `"seen":{"id":"s1","name":"Kelly","workflow_template_id":"t1","workspace_id":"w1","status":"ongoing","action_groups":[
			{"type":"signature_request","status":"ongoing","actions":[{"resource":{"id":"r1","type":"signature_request","status":"ongoing","previous_attempt_id":null},"resolution":null,"previous_attempts":[]}]},
			{"type":"identity_verification","status":"ongoing","actions":[
			{"resource":{"id":"v3","type":"identity_video_verification","status":"failed"},"previous_attempts":[],"resolution":{"reason":"seen in person","resolved_at":"2025-09-22T14:34:00+00:00"}},
			{"resource":{"id":"v2","type":"identity_document_verification","status":"pending","previous_attempt_id":"v1"},"resolution":null,"previous_attempts":[{"resource":{"id":"v1","type":"identity_document_verification","status":"failed"}}]}]}],
			"created_at":"2025-09-22T14:30:00+00:00","updated_at":"2025-09-22T16:35:00+02:00"}`, ""},
		"SES-2: document":      {whole(`"status":"done"`), "status (SES-2): expected ongoing, seen done"},
		"SES-11: document":     {whole(`"name":"Smith"`), "name (SES-11): expected Kelly, seen Smith"},
		"SES-3: document":      {whole(`"workspace_id":"w2"`), "workspace (SES-3): expected w1, seen w2"},
		"SES-1: template":      {whole(`"workflow_template_id":"t2"`), "template (SES-1): expected t1, seen t2"},
		"SES-1: created_at":    {whole(`"created_at":"2025-09-22T14:30:01+00:00"`), "created_at (SES-1): expected 2025-09-22T14:30:00Z, seen 2025-09-22T14:30:01+00:00"},
		"SES-8: updated_at":    {whole(`"updated_at":"2025-09-22T14:34:00+00:00"`), "updated_at (SES-8): expected 2025-09-22T14:35:00Z, seen 2025-09-22T14:34:00+00:00"},
		"SES-1: id":            {strings.Replace(whole(`"status":"ongoing"`), `"id":"s1"`, `"id":"s2"`, 1), "id (SES-1): expected s1, seen s2"},
		"SES-1: missing group": {document + "[" + signature + "]}", "group identity_verification (SES-1): expected ongoing, seen none"},
		"SES-1: extra group": {document + "[" + signature + "," + identity + v2 + "," + v3 + `]},{"type":"company_verification"}]}`,
			"group company_verification (SES-1): expected no such group, seen one"},
		"GRP-4: document":       {document + `[{"type":"identity_verification","status":"done"},` + signature + "]}", "group identity_verification (GRP-4): expected ongoing, seen done"},
		"SES-4: missing Action": {actions(v2), "resource v3 (SES-4): expected an action with it, seen none"},
		"SES-4: extra Action": {actions(v2 + "," + v3 + `,{"resource":{"id":"v9","type":"identity_video_verification","status":"failed"}}`),
			"resource v9 (SES-4): expected no action with it, seen one in group identity_verification"},
		"ACT-4: document": {actions(strings.Replace(v2, "pending", "verified", 1) + "," + v3), "resource v2 (ACT-4): expected pending, seen verified"},
		"RES-1: document": {actions(strings.Replace(v2, "identity_document", "identity_video", 1) + "," + v3),
			"type of resource v2 (RES-1): expected identity_document_verification, seen identity_video_verification"},
		"ATT-8: an older attempt is the main one": {actions(v3 + `,{"resource":{"id":"v1","type":"identity_document_verification","status":"failed"}}`),
			"main resource of the action (ATT-8): expected v2, seen v1"},
		"ATT-8: no previous attempts": {actions(v3 + "," + strings.TrimSuffix(v2, "}") + `,"previous_attempts":[]}`),
			"attempts before resource v2 (ATT-8): expected v1, seen none"},
		"ATT-9: document": {actions(v3 + "," + strings.TrimSuffix(v2, "}") + `,"previous_attempts":[{"resource":{"id":"v1","type":"identity_document_verification","status":"inconclusive"}}]}`),
			"resource v1 (ATT-9): expected failed, seen inconclusive"},
		"RSL-4: not resolved": {actions(v2 + "," + strings.TrimSuffix(v3, "}") + `,"resolution":null}`), "resolution of resource v3 (RSL-4): expected one, seen none"},
		"RSL-4: resolved":     {actions(v3 + "," + strings.TrimSuffix(v2, "}") + `,"resolution":{}}`), "resolution of resource v2 (RSL-4): expected none, seen one"},
		"RSL-4: resolved for another reason": {actions(v2 + "," + strings.TrimSuffix(v3, "}") + `,"resolution":{"reason":null}}`),
			"reason of the resolution of resource v3 (RSL-4): expected seen in person, seen none"},
		"RSL-4: resolved at another time": {actions(v2 + "," + strings.TrimSuffix(v3, "}") + `,"resolution":{"resolved_at":"2025-09-22T14:35:00+00:00"}}`),
			"time of the resolution of resource v3 (RSL-4): expected 2025-09-22T14:34:00Z, seen 2025-09-22T14:35:00Z"},
		"RES-6: document": {actions(strings.Replace(v2, "pending", "finished", 1) + "," + v3),
			`document (RES-6): expected that of a session, seen action_groups[0].actions[0].resource.status: unknown status "finished" (RES-6; known: draft, approval, ongoing, paused, expired, rejected, declined, canceled, done, deleted, awaiting_data, pending, inconclusive, failed, verified)`},
		"SES-10: document": {document + "[]}", "document (SES-10): expected that of a session, seen action_groups: there is none; at least one is needed (SES-1)"},

		// Announcements.
		"SES-7: owed":     {s1 + `"announced":"workflow_action_group.blocked","group_type":"identity_verification"`, ""},
		"SES-7: not owed": {s1 + `"announced":"workflow_session.done"`, "announcement workflow_session.done (SES-7): expected none that is not owed, seen one"},
		"SES-7: not of this group": {s1 + `"announced":"workflow_action_group.blocked","group_type":"signature_request"`,
			"announcement workflow_action_group.blocked of group signature_request (SES-7): expected none that is not owed, seen one"},
		"SES-1: announced of no session": {`"session":"s9","announced":"workflow_session.done"`, "session s9: session (SES-1): expected none of this id, seen announcement workflow_session.done"},

		// Templates.
		"SES-1: template of nothing": {`"template":{"id":"t1","name":"n","action_groups":[]}`, "line 7: template (SES-1): expected one that sessions can be created from, seen it has no action group; at least one is needed"},
		"RES-6: template":            {`"template":{"id":"t1","name":"n","action_groups":[{"type":"x"}]}`, "line 7: template (RES-6): expected one that"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			line := at(6, strings.ReplaceAll(tt.line, "\n", " "))
			got := told(t, Options{}, append(scene(), line)...)
			if tt.want == "" {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Contains(t, got[0], tt.want)
			assert.True(t, strings.HasPrefix(got[0], "line 7: "), got[0])
		})
	}
}

// The statuses of groups and what each is called by.
func TestCheck_GroupRules(t *testing.T) {
	create := at(0, `"session":"s1","command":"create","name":"Kelly","workspace_id":"w1",`+theTemplate)
	link := func(status string) string {
		return at(1, `"session":"s1","command":"link","resource":{"id":"v1","type":"identity_document_verification","status":"`+status+`"}`)
	}
	seen := at(2, `"session":"s1","seen":{"groups":{"identity_verification":"finished"}}`)
	for status, want := range map[string]string{
		"":         "GRP-1): expected awaiting, seen finished",
		"failed":   "GRP-2): expected blocked, seen finished",
		"verified": "GRP-3): expected done, seen finished",
		"pending":  "GRP-4): expected ongoing, seen finished",
	} {
		t.Run(want, func(t *testing.T) {
			lines := []string{create, seen}
			if status != "" {
				lines = []string{create, link(status), seen}
			}
			got := told(t, Options{}, lines...)
			require.Len(t, got, 1)
			assert.Contains(t, got[0], want)
		})
	}
}

// ATT-12: a resource stands in one session. A host that looks at its session
// first, and at the others when it saves, may come to SES-4 before.
func TestCheck_ResourceOfAnotherSession(t *testing.T) {
	lines := append(scene(), at(6, `"session":"s2","command":"create","name":"n","workspace_id":"w1",`+theTemplate))
	link := func(refused, status string) string {
		return at(7, `"session":"s2","command":"link","refused":`+refused+`,"resource":{"id":"r1","type":"signature_request","status":"`+status+`"}`)
	}
	for _, o := range []Options{{}, {MaxSessions: 1}} {
		got := told(t, o, append(lines, link("false", "done"))...)
		assert.Equal(t, []string{"line 8: session s2: link of r1 (ATT-12): expected refused by ATT-12 (it stands in session s1), seen accepted"}, got)
		assert.Empty(t, told(t, o, append(lines, link(`"ATT-12"`, "done"), link(`"ATT-12"`, "deleted"), link(`"SES-4"`, "deleted"))...))
		// It is not in the other session afterwards.
		assert.Len(t, told(t, o, append(lines, link("true", "done"), at(8, `"session":"s2","seen":{"resources":{"r1":"done"}}`))...), 1)
	}
}

// SES-7: what is owed and never announced is found at the end, if that is asked.
func TestCheck_Owed(t *testing.T) {
	want := []string{
		"line 2: session s1: announcement workflow_action_group.blocked of group identity_verification (SES-7): expected it from this line on, seen none until the end (2 missing)",
		"line 2: session s1: announcement workflow_session.blocked (SES-7): expected it from this line on, seen none until the end (2 missing)",
		"line 3: session s1: announcement workflow_action_group.started of group identity_verification (SES-7): expected it from this line on, seen none until the end (2 missing)",
		"line 6: session s1: announcement workflow_action_group.started of group signature_request (SES-7): expected it from this line on, seen none until the end (1 missing)",
	}
	lines := append(scene(),
		at(6, `"session":"s1","announced":"workflow_session.started"`),
		at(6, `"session":"s1","announced":"workflow_session.started"`),
		at(6, `"session":"s2","command":"create","name":"n","workspace_id":"w1",`+theTemplate),
	)
	assert.Empty(t, told(t, Options{}, lines...))
	assert.Equal(t, want, told(t, Options{Announcements: true}, lines...))
	assert.Equal(t, want, told(t, Options{Announcements: true, MaxSessions: 1}, lines...))
}

func TestCheck_Unreadable(t *testing.T) {
	tests := map[string]string{
		`{`:                                      "line 1: unreadable: unexpected end of JSON input; a trace has one JSON value per line",
		`[]`:                                     "line 1: unreadable: the line: an object is wanted",
		`{} {}`:                                  "invalid character '{' after top-level value; a trace has one JSON value per line",
		"{\"\xff\"":                              "it is not UTF-8",
		`{}`:                                     "the member at is missing",
		`{"at":1}`:                               "at: a text is wanted",
		`{"at":"yesterday"}`:                     `at: "yesterday" is no time`,
		`{"at":"2025-09-22T14:30:00Z","at":"x"}`: `the line: the member "at" stands twice`,
		`{"at":"2025-09-22T14:30:00Z","session":1}`:                 "session: a text is wanted",
		at(0, `"session":"s1"`):                                     "one of the members command, webhook, seen, announced and template is wanted",
		at(0, `"session":"s1","command":"delete"`):                  `unknown command "delete"`,
		at(0, `"command":"observe"`):                                "the member session is missing",
		at(0, `"session":"s1","command":"observe","resource":"r1"`): `there is no member "resource"`,
		at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"done","refused":"no"`):                                              `refused: true, false or the id of a rule is wanted, not "no"`,
		at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"done","refused":"ATT-`+"99"+`"`):                                    `the id of a rule is wanted, not "ATT-` + "99" + `"`,
		at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"done","refused":null`):                                              `the id of a rule is wanted, not null`,
		at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"done","as_of":"x"`):                                                 `"x" is no time`,
		at(0, `"session":"s1","command":"observe","resource_id":"r1","status":"done","as_of":"0001-01-01T00:00:00Z"`):                              "as_of: it is no time that a document can hold",
		at(0, `"session":"s1","command":"observe","resource_id":1,"status":"done"`):                                                                "resource_id: a text is wanted",
		at(0, `"session":"s1","command":"create","template":{"id":"t1"},"name":"n","workspce_id":"w1"`):                                            `there is no member "workspce_id"`,
		at(0, `"session":"s1","command":"link","inputs_digest":"","resource":{"id":"r1","type":"signature_request","status":"draft"}`):             "inputs_digest: 64 hexadecimal digits are wanted",
		at(0, `"session":"s1","command":"link","inputs_digest":"0a","resource":{"id":"r1","type":"signature_request","status":"draft"}`):           "a digest has 64 hexadecimal digits, not 2",
		at(0, `"session":"s1","command":"link","resource":{"id":"r1","type":"signature_request","status":"draft","as_of":"0001-01-01T00:00:00Z"}`): "resource.as_of: it is no time that a document can hold",
		// The template alone would be for the rules to refuse.
		at(0, `"session":"s1","command":"create","template":{"id":"t1"},"name":1`):               "name: a text is wanted",
		at(0, `"session":"s1","command":"create","template":null,"name":"n","template_id":"t9"`): "template_id: no line before told a template t9",
		at(0, `"session":"s1","command":"link"`):                                                 "the member resource is missing",
		at(0, `"session":"s1","command":"link","resource":{"id":"r1","type":"signature_request","status":"draft"},"inputs":{},"inputs_digest":"`+strings.Repeat("0a", 32)+`"`): "inputs and inputs_digest exclude each other",
		at(0, `"session":"s1","command":"create","name":"n","id":"s2",`+theTemplate):                                                                                           `id: "s2" is not the session "s1" of the line`,
		at(0, `"session":"s1","command":"create","name":"n"`):                                                                                                                  "one of the members template and template_id is missing",
		at(0, `"session":"s1","command":"create","name":"n","template_id":"t1",`+theTemplate):                                                                                  "template and template_id exclude each other",
		at(0, `"session":"s1","command":"create","name":"n","template_id":"t9","refused":false`):                                                                               "template_id: no line before told a template t9",
		at(0, `"session":"s1","seen":{"statuses":{}}`):                                                                                                                         `seen: there is no member "statuses"`,
		at(0, `"session":"s1","seen":1`):                                                                                                                                       "seen: an object is wanted",
		at(0, `"session":"s1","seen":{"groups":{"x":1}}`):                                                                                                                      "groups.x: a text is wanted",
		at(0, `"session":"s1","seen":{"status":1}`):                                                                                                                            "status: a text is wanted",
		at(0, `"session":"s1","seen":{},"note":""`):                                                                                                                            `there is no member "note"`,
		at(0, `"seen":{}`): "the member session is missing",
		at(0, `"session":"s1","announced":"workflow_session.awaiting"`):                                 `announced: "workflow_session.awaiting" with the group_type "" is no announcement (SES-7)`,
		at(0, `"session":"s1","announced":"workflow_session.done","group_type":"company_verification"`): "is no announcement",
		at(0, `"session":"s1","announced":"workflow_action_group.done"`):                                `the member group_type is missing: "workflow_action_group.done" is of a group`,
		at(0, `"session":"s1","announced":"workflow_session.done","group_type":"x"`):                    `announced: "workflow_session.done" with the group_type "x" is no announcement`,
		at(0, `"session":"s1","announced":"done"`):                                                      "is no announcement",
		at(0, `"announced":"workflow_session.done"`):                                                    "the member session is missing",
		at(0, `"webhook":[]`):                "webhook: an object is wanted",
		at(0, `"webhook":{}`):                "the member event_name is missing",
		at(0, webhook(0, "", `{}`)):          "the member event_name is missing",
		at(0, `"webhook":{},"session":"s1"`): `there is no member "session"`,
		at(0, `"webhook":{"event_name":"signature_request.done","event_time":1}`):                "event_time: a text is wanted",
		at(0, `"webhook":{"event_name":"signature_request.done","event_time":"2025"}`):           "the member data is missing",
		at(0, `"webhook":{"event_name":"signature_request.done","event_time":"noon","data":{}}`): `event_time: "noon" is no time`,
		at(0, webhook(0, "signature_request.done", `{}`)):                                        "data: the member id is missing",
		at(0, webhook(0, "signature_request.done", `{"id":"r1"}`)):                               "data: the member status is missing",
		at(0, webhook(0, "signature_request.done", `{"id":"r1","id":"r2"}`)):                     `the member "id" stands twice`,
		at(0, `"template":1`):                "template: ",
		at(0, theTemplate+`,"session":"s1"`): `there is no member "session"`,
	}
	for line, want := range tests {
		t.Run(want, func(t *testing.T) {
			// The check goes on.
			got := told(t, Options{}, line, at(0, `"session":"s9","seen":{}`))
			require.Len(t, got, 2)
			assert.True(t, strings.HasPrefix(got[0], "line 1: unreadable: "), got[0])
			assert.Contains(t, got[0], want)
			assert.NotContains(t, got[0], "json:")
			assert.Contains(t, got[1], "line 2: session s9: ")
		})
	}
}

// A template that was told serves the creates behind it, however many there are
// and until it is told again.
func TestCheck_Templates(t *testing.T) {
	var lines []string
	for i := range 3 * maxTemplates {
		lines = append(lines, at(0, fmt.Sprintf(`"template":{"id":"t%d","name":"n","action_groups":[{"type":"company_verification"}]}`, i)))
	}
	lines = append(lines, at(1, theTemplate))
	for i := range 3 * maxTemplates {
		lines = append(lines, at(2, fmt.Sprintf(`"session":"s%d","command":"create","name":"n","workspace_id":"w","template_id":"t%[1]d","refused":false`, i)))
		groups := `{"company_verification":"awaiting"}`
		if i == 1 {
			groups = `{"identity_verification":"awaiting","signature_request":"awaiting"}`
		}
		lines = append(lines, at(3, fmt.Sprintf(`"session":"s%d","seen":{"groups":%s}`, i, groups)))
	}
	assert.Empty(t, told(t, Options{}, lines...))
}

// What report returns ends the check.
func TestCheck_Ends(t *testing.T) {
	lines := strings.Repeat("x\n", 100_000)
	boom := errors.New("boom")
	for _, end := range []error{ErrStop, boom} {
		n := 0
		summary, err := Check(strings.NewReader(lines), Options{}, func(Finding) error {
			if n++; n == 3 {
				return end
			}
			return nil
		})
		assert.Equal(t, Summary{Lines: 3, Findings: 3, Stopped: errors.Is(end, ErrStop)}, summary)
		if errors.Is(end, boom) {
			require.ErrorIs(t, err, boom)
		} else {
			require.NoError(t, err)
		}
	}
}

// What stands before a fault of the reader is checked.
func TestCheck_ReaderFails(t *testing.T) {
	for _, lines := range []string{"x\nx\n", "x\nx\n{"} {
		found := 0
		summary, err := Check(&failing{strings.NewReader(lines)}, Options{}, func(Finding) error { found++; return nil })
		require.ErrorIs(t, err, errFailing)
		require.EqualError(t, err, "line 3: the disk is gone")
		assert.Equal(t, 2, found)
		assert.Equal(t, 2, summary.Lines)
	}
}

var errFailing = errors.New("the disk is gone")

// failing is a reader that fails where another ends.
type failing struct{ *strings.Reader }

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if err != nil {
		err = errFailing
	}
	return n, err
}
