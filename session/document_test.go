package session_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// SES-10: the documents of the guide, which leave out most of what a resource
// has, are read. The last one shows a group awaiting beside its done action;
// the guide's text, that all is done, is right.
func TestSES10_Guide(t *testing.T) {
	type mismatches = []session.Mismatch
	tests := []struct {
		file       string
		status     session.Status
		groups     []session.Status
		mismatches mismatches
	}{
		{"2_created.json", session.Awaiting, []session.Status{session.Awaiting, session.Awaiting}, nil},
		{"3_ongoing.json", session.Ongoing, []session.Status{session.Done, session.Awaiting}, nil},
		{
			"4_done.json", session.Done, []session.Status{session.Done, session.Done},
			mismatches{{Group: group.SignatureRequest, Shown: session.Awaiting, Derived: session.Done}},
		},
	}
	for _, test := range tests {
		t.Run("SES-10: "+test.file, func(t *testing.T) {
			s, mismatches, err := session.ParseDocument(testdata(t, "guide/"+test.file))
			require.NoError(t, err)
			assert.Equal(t, test.mismatches, mismatches)
			assert.Equal(t, test.status, s.Status())
			var groups []session.Status
			for g := range s.Groups() {
				groups = append(groups, g.Status())
			}
			assert.Equal(t, test.groups, groups)
			assert.Equal(t, "c0cbf043...", s.ID())
			assert.Equal(t, "Onboarding of Kelly Smith", s.Name())
			assert.Equal(t, "35a07993...", s.TemplateID())
			assert.Equal(t, "814aac47...", s.WorkspaceID())
			assert.Equal(t, start, s.CreatedAt())
			assert.Zero(t, s.Version(), "a document tells no version")
			var unmarshaled session.Session
			require.NoError(t, json.Unmarshal(testdata(t, "guide/"+test.file), &unmarshaled))
			assert.True(t, s.Equal(unmarshaled))
		})
	}
	t.Run("SES-10: the listing of templates", func(t *testing.T) {
		var list struct{ Data []session.Template }
		require.NoError(t, json.Unmarshal(testdata(t, "guide/1_templates.json"), &list))
		day := time.Date(2025, time.September, 10, 12, 56, 59, 0, time.UTC)
		assert.Equal(t, []session.Template{{
			ID: "35a07993...", Name: "Customer onboarding",
			ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest},
			CreatedAt:    day, UpdatedAt: day,
		}}, list.Data)
	})
}

// SES-10: the guide, lived through. Whatever its documents show is what the
// session shows at that time, but for the status that is wrong.
func TestSES10_GuideLivedThrough(t *testing.T) {
	var list struct{ Data []session.Template }
	require.NoError(t, json.Unmarshal(testdata(t, "guide/1_templates.json"), &list))
	s, change, err := session.New(session.Create{
		ID: "c0cbf043...", Name: "Onboarding of Kelly Smith", Template: list.Data[0], DefaultWorkspaceID: "814aac47...",
	}, start)
	do := func(now time.Time, c session.Command) {
		s, change, err = session.Apply(s, c, now)
		require.NoError(t, err)
	}
	shows := func(file string, fixes ...string) {
		want := strings.NewReplacer(fixes...).Replace(string(testdata(t, "guide/"+file)))
		assertShows(t, want, document(t, s))
	}
	require.NoError(t, err)
	shows("2_created.json")

	check := link("79a291fc...", identity, "verified")
	check.Resource.CreatedAt, check.Resource.AsOf = at(2*60), at(2*60)
	do(at(2*60+30), check)
	shows("3_ongoing.json")
	assert.Equal(t, []string{"workflow_action_group.done of identity_verification", sessionStarted}, names(change))

	contract := link("6f7001fc...", signature, "draft")
	contract.Resource.WorkspaceID = "814aac47..."
	do(at(4*60), contract)
	do(at(5*60), event("6f7001fc...", "activated", 5*60))
	do(at(10*60), event("6f7001fc...", "done", 10*60))
	shows("4_done.json", `"status": "awaiting"`, `"status": "done"`)
	assert.Equal(t, []string{signDone, sessionDone}, names(change))
}

// assertShows asserts that one document has all that an abbreviated one has.
func assertShows(t *testing.T, abbreviated, full string) {
	t.Helper()
	var want, got any
	require.NoError(t, json.Unmarshal([]byte(abbreviated), &want))
	require.NoError(t, json.Unmarshal([]byte(full), &got))
	var cut func(want, got any) any
	cut = func(want, got any) any {
		switch want := want.(type) {
		case map[string]any:
			members, _ := got.(map[string]any)
			out := map[string]any{}
			for name, v := range want {
				out[name] = cut(v, members[name])
			}
			return out
		case []any:
			list, _ := got.([]any)
			if len(list) != len(want) {
				return got
			}
			out := []any{}
			for i, v := range want {
				out = append(out, cut(v, list[i]))
			}
			return out
		default:
			return got
		}
	}
	assert.Equal(t, want, cut(want, got))
}

// SES-10: complete documents, written by hand, are read and written to the same
// JSON: nothing that they tell is lost, nothing is added.
func TestSES10_CompleteDocuments(t *testing.T) {
	files, err := filepath.Glob("testdata/documents/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run("SES-10: "+filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			s, mismatches, err := session.ParseDocument(text)
			require.NoError(t, err)
			assert.Empty(t, mismatches)
			assert.JSONEq(t, string(text), document(t, s))
			doc := plain(t, string(text))
			for _, g := range doc.ActionGroups {
				assert.Equal(t, g.status(), g.Status, "the file is right")
			}
		})
	}
}

// What a complete document says, as a session.
func TestSES10_Read(t *testing.T) {
	s, _, err := session.ParseDocument(testdata(t, "documents/blocked.json"))
	require.NoError(t, err)
	c := mustAction(t, s, "ver-1")
	assert.Equal(t, 3, c.Len())
	assert.Equal(t, "ver-3", c.Main().Resource.ID)
	r, ok := c.Resolution()
	assert.True(t, ok)
	assert.Equal(t, attempt.Resolution{
		Reason: "Extract seen by Zoé, on paper", At: time.Date(2025, 9, 24, 9, 15, 42, 0, time.UTC),
	}, r)
	assert.Equal(t, time.Date(2025, 9, 23, 14, 34, 0, 0, time.UTC), mainOf(t, s, "sr-2").CreatedAt)
	assert.Equal(t, `Onboarding of "Kelly" <Smith> & Søn`, s.Name())
	require.Len(t, s.Blockers(), 1)
	assert.Equal(t, "sr-3", s.Blockers()[0].Resource.ID)
	assert.Equal(t, 2, s.Blockers()[0].Attempt)
}

// SES-10: writing always has every member, whatever there is to say.
func TestSES10_EveryMember(t *testing.T) {
	members := func(text string) []string {
		var list []string
		var walk func(path string, v any)
		walk = func(path string, v any) {
			switch v := v.(type) {
			case map[string]any:
				for name, v := range v {
					walk(path+"."+name, v)
				}
			case []any:
				for _, v := range v {
					walk(path+"[]", v)
				}
			default:
				return
			}
			list = append(list, path)
		}
		var v any
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		walk("", v)
		return list
	}
	// The members of abbreviated.json after reading and writing are those of a
	// complete document.
	abbreviated := `{"id":"a","action_groups":[{"type":"company_verification","actions":[{"resource":
		{"id":"b","type":"company_verification","status":"failed"}}]}]}`
	complete := `{"id":"a","name":"","workflow_template_id":"","workspace_id":null,"status":"blocked",
		"action_groups":[{"type":"company_verification","status":"blocked","actions":[{
			"resource":{"id":"b","created_at":null,"type":"company_verification","status":"failed","previous_attempt_id":null},
			"resolution":null,"previous_attempts":[]}]}],
		"created_at":null,"updated_at":null}`
	s, mismatches, err := session.ParseDocument([]byte(abbreviated))
	require.NoError(t, err)
	assert.Empty(t, mismatches, "what is not shown is no mismatch")
	assert.JSONEq(t, complete, document(t, s))
	assert.ElementsMatch(t, members(complete), members(document(t, s)))
	again, _, err := session.ParseDocument([]byte(document(t, s)))
	require.NoError(t, err)
	assert.True(t, again.Equal(s))
}

// SES-10: secrets. The public document tells neither digests nor who resolved
// nor provider's times nor workspaces of resources.
func TestSES10_Secrets(t *testing.T) {
	c := link("a", company, "failed")
	c.Inputs = inputs("\xde\xad\xbe\xef")
	c.Resource.AsOf = at(12345)
	c.Resource.WorkspaceID = "w1"
	s := begin(t).do(c, session.Resolve{ResourceID: "a", Reason: "seen", By: "agent 7"}).s
	text := document(t, s)
	kept := snapshot(t, s)
	for _, secret := range []string{"deadbeef", "agent 7", at(12345).Format(time.TimeOnly), "inputs", "as_of", "digest", `"by"`} {
		assert.NotContains(t, text, secret)
		if secret != "inputs" {
			assert.Contains(t, kept, secret, "the snapshot keeps it")
		}
	}
	assert.Equal(t, 1, strings.Count(text, `"w1"`), "the session's workspace alone")
}
