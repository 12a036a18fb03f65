package session_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

// kept is a session with all that a snapshot can hold: digests and none, times
// that nothing else shows, workspaces, who resolved.
func kept(t *testing.T) session.Session {
	t.Helper()
	there := link("w", watchlist, "failed")
	there.Resource.WorkspaceID = "w1"
	bare := link("d", invoice, "pending")
	bare.Inputs = attempt.Digest{}
	return begin(t).do(
		link("a", company, "pending"), observe("a", "pending", 77), observe("a", "failed", 80),
		retry("a", "b", company, "inconclusive"), resolve("b"), there, bare,
		link("x", signature, "expired"), retry("x", "y", signature, "draft"), event("y", "deleted", 90),
	).s
}

func TestSnapshot(t *testing.T) {
	s := kept(t)
	read, err := session.FromSnapshot([]byte(snapshot(t, s)))
	require.NoError(t, err)
	assert.True(t, s.Equal(read))
	assert.Equal(t, s.Version(), read.Version())
	assert.Equal(t, snapshot(t, s), snapshot(t, read))

	main := mustAction(t, read, "a").Main()
	assert.Equal(t, inputs("b"), main.Inputs)
	r, ok := mustAction(t, read, "a").Resolution()
	assert.True(t, ok)
	assert.Equal(t, "agent 7", r.By)
	for _, at1 := range mustAction(t, read, "a").Attempts() {
		assert.Equal(t, inputs(at1.Resource.ID), at1.Inputs)
	}
	assert.Equal(t, at(90), mainOf(t, read, "y").AsOf)
	assert.Equal(t, "w1", mainOf(t, read, "w").WorkspaceID)
	assert.True(t, mustAction(t, read, "d").Main().Inputs.IsZero())
}

// What was read from the public API's JSON, and what follows from it, has no
// snapshot: the digests of inputs would be lost unnoticed.
func TestSnapshot_OfDocument(t *testing.T) {
	s := parsed(t, "documents/blocked.json")
	tried, change, err := session.Apply(s, event("sr-3", "deleted", 999), at(999))
	require.NoError(t, err)
	require.NotEmpty(t, change.Events)
	for _, s := range []session.Session{{}, s, tried} {
		text, err := s.Snapshot()
		require.ErrorIs(t, err, session.ErrInvalidSave)
		assert.Empty(t, text)
	}
}

// A snapshot is a format of its own: this is it. Stores hold texts like this
// one, so that whoever changes it has to read this one still.
func TestSnapshot_Format(t *testing.T) {
	golden(t, "snapshot.json", indented(t, snapshot(t, kept(t))))
	read, err := session.FromSnapshot(testdata(t, "snapshot.json"))
	require.NoError(t, err)
	assert.True(t, kept(t).Equal(read))
}

func indented(t *testing.T, text string) string {
	t.Helper()
	out, err := json.MarshalIndent(json.RawMessage(text), "", "  ")
	require.NoError(t, err)
	return string(out) + "\n"
}

func TestFromSnapshot_Refused(t *testing.T) {
	text := snapshot(t, kept(t))
	replaced := func(old, by string) string {
		require.Contains(t, text, old)
		return strings.Replace(text, old, by, 1)
	}
	beforeGroups, _, _ := strings.Cut(text, `,"groups"`)
	tests := []struct {
		name, text string
		path       string
		is         error
		says       string
	}{
		{"nothing", "", "", nil, "unexpected end"},
		{"cut off", text[:len(text)/2], "", nil, "unexpected end"},
		{"two", text + text, "", nil, "after top-level value"},
		{"null", "null", "format", nil, "it is 0"},
		{"no format", replaced(`"format":1,`, ``), "format", nil, "it is 0"},
		{"a later format", replaced(`"format":1`, `"format":2`), "format", nil, "it is 2; this program reads 1 to 1"},
		{"a format below all", replaced(`"format":1`, `"format":-1`), "format", nil, "it is -1"},
		{"a document of the public API", document(t, kept(t)), "format", nil, "it is 0"},
		{"a version below all", replaced(`"version":11`, `"version":-1`), "version", nil, "it is -1"},
		{"SES-11: no id", replaced(`"id":"s1"`, `"id":""`), "id", nil, "empty"},
		{"SES-11: no name", replaced(`"name":"Onboarding"`, `"name":""`), "name", nil, "empty"},
		{"SES-11: no template", replaced(`"template_id":"t1"`, `"template_id":""`), "template_id", nil, "empty"},
		{"SES-11: a long workspace", replaced(`"workspace_id":"w1"`, `"workspace_id":"`+strings.Repeat("w", 129)+`"`), "workspace_id", nil, "129 bytes"},
		{"SES-3: no workspace", replaced(`"workspace_id":"w1"`, `"workspace_id":""`), "workspace_id", nil, "empty"},
		{"SES-1: no groups", beforeGroups + "}", "groups", nil, "at least one"},
		{"SES-1: a group twice", replaced(`"type":"identity_verification"`, `"type":"signature_request"`), "groups[1]", nil, "already"},
		{"RES-6: an unknown group", replaced(`"type":"identity_verification"`, `"type":"payment"`), "", action.ErrUnknown, `"payment"`},
		{"RES-6: an unknown status", replaced(`"status":"inconclusive"`, `"status":"lost"`), "", action.ErrUnknown, `"lost"`},
		{"RES-6: a status of other types", replaced(`"status":"inconclusive"`, `"status":"draft"`), "groups[3].actions[0]", action.ErrUnknown, "draft"},
		{"ATT-1: a previous attempt that does not block", replaced(`"status":"failed"`, `"status":"pending"`), "groups[3].actions[0]", attempt.ErrNotBlocking, "ATT-1"},
		{"ATT-6: inputs that did not change", replaced(inputs("b").String(), inputs("a").String()), "groups[3].actions[0]", attempt.ErrInputsUnchanged, "ATT-6"},
		{"ATT-6: a digest cut off", replaced(inputs("b").String(), "62"), "", nil, "ATT-6"},
		{"ATT-12: a resource twice", replaced(`"id":"w"`, `"id":"a"`), "groups[4].actions[0]", nil, "groups[3].actions[0]"},
		{"SES-4: in a group that does not admit it", replaced(`"type":"watchlist_verification","status"`, `"type":"company_verification","status"`), "groups[4].actions[0]", nil, "SES-4"},
		{"SES-4: a resource of another workspace", replaced(`"failed","workspace_id":"w1"`, `"failed","workspace_id":"w2"`), "groups[4].actions[0]", nil, "SES-4"},
		{"RSL-4: a long reason", replaced("seen in person", strings.Repeat("é", 151)), "groups[3].actions[0]", attempt.ErrInvalidReason, "RSL-4"},
		{"an action without attempts", replaced(`"actions":[]`, `"actions":[{"attempts":[]}]`), "groups[1].actions[0]", nil, "without attempts"},
		{"more attempts than events", replaced(`"version":11`, `"version":7`), "version", nil, "7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := session.FromSnapshot([]byte(test.text))
			requireBroken(t, err, "snapshot", test.path, test.is, test.says)
			assert.True(t, s.Equal(session.Session{}))
		})
	}
}
