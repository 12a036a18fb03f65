package session_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// This file is the public API's document once more, as encoding/json alone
// writes and reads it.

// The document as encoding/json writes it. What is any may be null.
type (
	twinDocument struct {
		ID           string         `json:"id"`
		Name         string         `json:"name"`
		TemplateID   string         `json:"workflow_template_id"`
		WorkspaceID  any            `json:"workspace_id"`
		Status       session.Status `json:"status"`
		ActionGroups []twinGroup    `json:"action_groups"`
		CreatedAt    any            `json:"created_at"`
		UpdatedAt    any            `json:"updated_at"`
	}
	twinGroup struct {
		Type    group.Type     `json:"type"`
		Status  session.Status `json:"status"`
		Actions []twinAction   `json:"actions"`
	}
	twinAction struct {
		Resource         twinResource   `json:"resource"`
		Resolution       any            `json:"resolution"`
		PreviousAttempts []twinPrevious `json:"previous_attempts"`
	}
	twinPrevious struct {
		Resource twinResource `json:"resource"`
	}
	twinResource struct {
		ID                string        `json:"id"`
		CreatedAt         any           `json:"created_at"`
		Type              action.Type   `json:"type"`
		Status            action.Status `json:"status"`
		PreviousAttemptID any           `json:"previous_attempt_id"`
	}
	twinResolution struct {
		Reason     any `json:"reason"`
		ResolvedAt any `json:"resolved_at"`
	}
)

// orNull is nil for "".
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// moment is a time as documents show it, nil for none.
func moment(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.Format("2006-01-02T15:04:05-07:00")
}

// documentByTwin is all that a session shows, written by encoding/json.
func documentByTwin(t require.TestingT, s session.Session) string {
	doc := twinDocument{
		s.ID(), s.Name(), s.TemplateID(), orNull(s.WorkspaceID()), s.Status(), nil,
		moment(s.CreatedAt()), moment(s.UpdatedAt()),
	}
	for g := range s.Groups() {
		actions := []twinAction{}
		for c := range g.Actions() {
			actions = append(actions, actionByTwin(c))
		}
		doc.ActionGroups = append(doc.ActionGroups, twinGroup{g.Type(), g.Status(), actions})
	}
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	return string(text)
}

func actionByTwin(c attempt.Chain) twinAction {
	a := twinAction{PreviousAttempts: []twinPrevious{}}
	previous := ""
	for _, at := range c.Attempts() {
		if previous != "" {
			a.PreviousAttempts = append(a.PreviousAttempts, twinPrevious{a.Resource})
		}
		r := at.Resource
		a.Resource = twinResource{r.ID, moment(r.CreatedAt), r.Type, r.Status, orNull(previous)}
		previous = r.ID
	}
	if r, ok := c.Resolution(); ok {
		a.Resolution = twinResolution{orNull(r.Reason), moment(r.At)}
	}
	return a
}

// SES-10: a session is written byte for byte as encoding/json writes it.
func TestSES10_Twin(t *testing.T) {
	written := func(t require.TestingT, s session.Session) {
		text, err := s.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, documentByTwin(t, s), string(text))
	}
	t.Run("SES-10: any session", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { written(t, drawSession(t)) })
	})
	t.Run("SES-10: any text", func(t *testing.T) {
		text := rapid.StringOfN(rapid.OneOf(
			rapid.SampledFrom([]rune("\x01\t\n\x1f \"\\/<>&'~\x7f\u0080é\u2028\u2029\ufffd😀")), rapid.Rune(),
		), 1, 20, 100).Filter(func(s string) bool { return !strings.ContainsRune(s, 0) })
		rapid.Check(t, func(t *rapid.T) {
			c := create(group.CompanyVerification)
			c.ID, c.Name, c.WorkspaceID = text.Draw(t, "id"), text.Draw(t, "name"), text.Draw(t, "workspace")
			c.Template.ID = text.Draw(t, "template")
			first, second := "1"+text.Draw(t, "resource"), "2"+text.Draw(t, "resource")
			s, _, err := session.New(c, start)
			require.NoError(t, err)
			for _, c := range []session.Command{
				link(first, company, "failed"), retry(first, second, company, "failed"),
				session.Resolve{ResourceID: second, Reason: text.Draw(t, "reason")},
			} {
				s, _, err = session.Apply(s, c, at(60))
				require.NoError(t, err)
			}
			written(t, s)
			again, _, err := session.ParseDocument([]byte(document(t, s)))
			require.NoError(t, err)
			written(t, again)
		})
	})
}

// oddly is a document with one more member, which says nothing and which only
// encoding/json reads; "" for what is no object with members.
func oddly(text string) string {
	const space = " \t\r\n"
	members, isObject := strings.CutPrefix(strings.TrimLeft(text, space), "{")
	if !isObject || strings.HasPrefix(strings.TrimLeft(members, space), "}") {
		return ""
	}
	return `{"ID":null,` + members
}

// requireReadAsTwin requires that a text is read as encoding/json reads it.
func requireReadAsTwin(t require.TestingT, text string) {
	twin := oddly(text)
	if twin == "" {
		return
	}
	want, wantMismatches, wantErr := session.ParseDocument([]byte(twin))
	got, mismatches, err := session.ParseDocument([]byte(text))
	if wantErr != nil {
		require.EqualError(t, err, wantErr.Error(), text)
	}
	require.Equal(t, wantErr == nil, err == nil, text)
	require.Equal(t, wantMismatches, mismatches, text)
	require.True(t, want.Equal(got), text)
}

// documentTexts are documents, indented and not.
func documentTexts(t testing.TB) []string {
	t.Helper()
	var list []string
	for _, pattern := range []string{"testdata/documents/*.json", "testdata/guide/[2-4]*.json"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			text := testdata(t, strings.TrimPrefix(file, "testdata/"))
			var compact bytes.Buffer
			require.NoError(t, json.Compact(&compact, text))
			list = append(list, string(text), compact.String())
		}
	}
	return list
}

// SES-10: whatever is done to a document, it is read as encoding/json reads it.
func TestParseDocument_Twin(t *testing.T) {
	texts := documentTexts(t)
	parts := []string{
		``, ` `, "\n", `"`, `\`, `\"`, `\u00e9`, `\ud800`, `\x`, "\x80", "\x01", "é", `{`, `}`, `[`, `]`, `,`, `:`,
		`null`, `nul`, `true`, `0`, `{}`, `[]`, `""`, `"x"`, `"id":"x",`, `"ID":"x",`, `"i\u0064":"x",`, `"x":0,`,
		`"x_y":[{"id":0}],`, `"status":null,`, `"resource":null,`, `"resource":{},`, `"resource":{"id":"x"},`, `"resolution":null,`, `"resolution":{},`,
		`"actions":[],`, `"actions":[{}],`, `"previous_attempts":[],`, `"action_groups":null,`,
	}
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(texts).Draw(t, "text")
		for range rapid.IntRange(0, 2).Draw(t, "edits") {
			// Most edits begin where something ends.
			from := rapid.IntRange(0, len(text)).Draw(t, "from")
			if next := strings.IndexAny(text[from:], `"{}[],:`); next >= 0 && rapid.IntRange(0, 3).Draw(t, "anywhere") > 0 {
				from += next + rapid.IntRange(0, 1).Draw(t, "behind")
			}
			to := min(len(text), from+rapid.SampledFrom([]int{0, 0, 0, 1, 2, 5}).Draw(t, "cut"))
			text = text[:from] + rapid.SampledFrom(parts).Draw(t, "part") + text[to:]
		}
		requireReadAsTwin(t, text)
		if _, _, err := session.ParseDocument([]byte(text)); err == nil {
			read++
		}
	})
	assert.Greater(t, read, 10, "enough of the texts are documents")
}

func FuzzParseDocument_Twin(f *testing.F) {
	for _, text := range documentTexts(f) {
		f.Add(text)
	}
	for _, members := range []string{
		`"id":"a","id":"b"`, `"id":"a","id":null`, `"id":null,"id":"b"`, `"ID":"b"`, `"status":"done","status":""`,
		`"workspace_id":"","workspace_id":null`, `"status":"done","status":null`, `"ſtatus":"done"`, `"\u017ftatus":"done"`,
		`"x":[{}],"x":"y","x\n":null`, `"x":nul`, "\"x\xff\":0", `"action_groups":[{"actions":null}]`, `"action_groups":{}`,
		`"action_groups":[{"type":"company_verification","actions":[null]}]`, `"status":0`, `"created_at":""`, `"status":"\u0064one"`, `"name":"\ud83d\ude00\ud800"`, "\"name\":\"\xff\"", `"name":"a\`,
		`"action_groups":null`, `"action_groups":[null]`, `"action_groups":[],"action_groups":[{}]`,
		`"action_groups":[{"type":"company_verification"}],"action_groups":[{"status":"awaiting"}]`,
		`"action_groups":[{"type":"company_verification","actions":[` + action1(failedB, failedA) + `]}]`,
		`"action_groups":[{"type":"company_verification","actions":[{"resource":{},"resource":` + failedA + `}]}]`,
		`"action_groups":[{"type":"company_verification","actions":[{"resource":` + failedA + `,"resource":` + failedB + `}]}]`,
		`"action_groups":[{"type":"company_verification","actions":[{"resource":` + failedA + `,"resolution":{},"resolution":null}]}]`,
	} {
		f.Add(with(members))
	}
	f.Fuzz(func(t *testing.T, text string) { requireReadAsTwin(t, text) })
}

// A document that this module writes is read without encoding/json, and one of an
// API that has grown is too.
func TestParseDocument_Allocations(t *testing.T) {
	for name, page := range pages(t) {
		allocs := func(text string) float64 {
			return testing.AllocsPerRun(10, func() {
				if _, _, err := session.ParseDocument([]byte(text)); err != nil {
					t.Fatal(err)
				}
			})
		}
		slow := allocs(oddly(string(page)))
		assert.Less(t, allocs(string(page)), 0.8*slow, name)
		assert.Less(t, allocs(`{"new":[{"id":0}],`+string(page[1:])), 0.8*slow, name)
	}
}
