package session_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// SES-1, SES-10: the JSON of a template, both ways.
func TestTemplate_JSON(t *testing.T) {
	tests := []struct {
		name     string
		template session.Template
		json     string
	}{
		{
			"SES-10: scoped to none", template(group.IdentityVerification, group.SignatureRequest),
			`{"id":"t1","name":"Customer onboarding","action_groups":[{"type":"identity_verification"},{"type":"signature_request"}],` +
				`"workspaces":[],"created_at":"2025-09-22T14:30:00+00:00","updated_at":"2025-09-22T14:30:00+00:00"}`,
		},
		{
			"SES-10: scoped to two, without times",
			session.Template{
				ID: "t1", Name: "<é>", ActionGroups: []group.Type{group.DocumentAnalysis}, Workspaces: []string{"w2", "w1"},
			},
			`{"id":"t1","name":"\u003cé\u003e","action_groups":[{"type":"document_analysis"}],` +
				`"workspaces":["w2","w1"],"created_at":null,"updated_at":null}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, err := json.Marshal(test.template)
			require.NoError(t, err)
			assert.Equal(t, test.json, string(text))
			var read session.Template
			require.NoError(t, json.Unmarshal(text, &read))
			assert.Equal(t, test.template, read)
		})
	}
	for name, text := range map[string]string{
		"members left out": `{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"}]}`,
		"nulls":            `{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"}],"workspaces":null,"created_at":null}`,
		"unknown members":  `{"id":"t1","name":"n","action_groups":[{"type":"document_analysis","position":1}],"url":"x"}`,
	} {
		t.Run("SES-10: "+name, func(t *testing.T) {
			var read session.Template
			require.NoError(t, json.Unmarshal([]byte(text), &read))
			assert.Equal(t, session.Template{ID: "t1", Name: "n", ActionGroups: []group.Type{group.DocumentAnalysis}}, read)
		})
	}
	t.Run("SES-10: times of any offset and fraction", func(t *testing.T) {
		var read session.Template
		require.NoError(t, json.Unmarshal([]byte(`{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"}],
			"created_at":"2025-09-22T16:30:00.5+02:00"}`), &read))
		assert.Equal(t, start, read.CreatedAt)
	})
}

func TestTemplate_Broken(t *testing.T) {
	tests := []struct {
		name, text string
		is         error // nil if there is no sentinel
		says       string
	}{
		{"cut off", `{"id":"t1"`, nil, "unexpected end"},
		{"an array", `[]`, nil, "array"},
		{"SES-1: no group", `{"id":"t1","name":"n","action_groups":[]}`, session.ErrInvalidTemplate, "SES-1"},
		{"SES-1: a group twice", `{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"},{"type":"document_analysis"}]}`, session.ErrInvalidTemplate, "twice"},
		{"RES-6: an unknown group", `{"id":"t1","name":"n","action_groups":[{"type":"payment"}]}`, action.ErrUnknown, `"payment"`},
		{"RES-6: a group of no type", `{"id":"t1","name":"n","action_groups":[{}]}`, session.ErrInvalidTemplate, "RES-6"},
		{"SES-11: no id", `{"name":"n","action_groups":[{"type":"document_analysis"}]}`, session.ErrInvalidTemplate, "SES-11"},
		{"SES-11: no name", `{"id":"t1","action_groups":[{"type":"document_analysis"}]}`, session.ErrInvalidTemplate, "SES-11"},
		{"SES-11: an empty workspace", `{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"}],"workspaces":[""]}`, session.ErrInvalidTemplate, "workspace 1"},
		{"SES-3: a workspace twice", `{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"}],"workspaces":["w","w"]}`, session.ErrInvalidTemplate, "SES-3"},
		{"SES-10: no time", `{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"}],"updated_at":"x"}`, nil, `"x" is no time`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			kept := template(group.WatchlistVerification)
			into := kept
			err := json.Unmarshal([]byte(test.text), &into)
			require.ErrorContains(t, err, test.says)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			assert.Equal(t, kept, into, "an error leaves it as it was")
			err = into.UnmarshalJSON([]byte(test.text))
			require.ErrorIs(t, err, session.ErrDocument)
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, kept, into)
		})
	}
}

// A template is written whatever it holds, but for what has no text.
func TestTemplate_MarshalJSON(t *testing.T) {
	text, err := json.Marshal(session.Template{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"","name":"","action_groups":[],"workspaces":[],"created_at":null,"updated_at":null}`, string(text))
	_, err = json.Marshal(template(0))
	require.ErrorIs(t, err, action.ErrUnknown, "RES-6")
	late := template(1)
	late.UpdatedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = json.Marshal(late)
	require.ErrorContains(t, err, "years 1 to 9999")
}

// SES-10: a list and its meta.next_cursor, both ways.
func TestPage_JSON(t *testing.T) {
	a := parsed(t, "documents/awaiting.json")
	b := parsed(t, "documents/blocked.json")
	tests := []struct {
		name string
		page session.Page[session.Session]
		json string
	}{
		{"SES-10: an empty list", session.Page[session.Session]{}, `{"meta":{"next_cursor":null},"data":[]}`},
		{
			"SES-10: the last page", session.Page[session.Session]{Items: []session.Session{a}},
			`{"meta":{"next_cursor":null},"data":[` + document(t, a) + `]}`,
		},
		{
			"SES-10: a page with another behind it", session.Page[session.Session]{Items: []session.Session{a, b}, NextCursor: "eA"},
			`{"meta":{"next_cursor":"eA"},"data":[` + document(t, a) + `,` + document(t, b) + `]}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, err := json.Marshal(test.page)
			require.NoError(t, err)
			assert.Equal(t, test.json, string(text))
			var read session.Page[session.Session]
			require.NoError(t, json.Unmarshal(text, &read))
			assert.Equal(t, test.page.NextCursor, read.NextCursor)
			require.Len(t, read.Items, len(test.page.Items))
			for i, s := range test.page.Items {
				assert.True(t, s.Equal(read.Items[i]))
			}
		})
	}
	for name, text := range map[string]string{
		"cut off": `{"data":[`, "an array": `[]`, "no list": `{"data":{}}`, "a broken session": `{"data":[{"id":""}]}`,
		"no session": `{"data":[null]}`, "a number for a cursor": `{"meta":{"next_cursor":5},"data":[]}`,
	} {
		t.Run("SES-10: refused: "+name, func(t *testing.T) {
			kept := session.Page[session.Session]{Items: []session.Session{a}, NextCursor: "eA"}
			into := kept
			require.Error(t, json.Unmarshal([]byte(text), &into))
			require.ErrorIs(t, into.UnmarshalJSON([]byte(text)), session.ErrDocument)
			assert.Equal(t, kept, into, "an error leaves it as it was")
		})
	}
}

func parsed(t *testing.T, file string) session.Session {
	t.Helper()
	s, _, err := session.ParseDocument(testdata(t, file))
	require.NoError(t, err)
	return s
}

// The order of lists, and the text of a place in it.
func TestPosition(t *testing.T) {
	ordered := []session.Position{
		{},
		{CreatedAt: at(-1), ID: "z"},
		{CreatedAt: at(0), ID: "a"},
		{CreatedAt: at(0), ID: "a b"},
		{CreatedAt: at(0), ID: "b"},
		{CreatedAt: at(1), ID: "a"},
	}
	for i, p := range ordered {
		for j, q := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			assert.Equal(t, want, p.Compare(q), "%v and %v", p, q)
		}
		read, err := session.ParseCursor(p.Cursor())
		require.NoError(t, err)
		assert.Equal(t, p, read)
	}
	assert.Empty(t, session.Position{}.Cursor(), "before all")
	assert.Equal(t, session.Position{CreatedAt: start, ID: "s1"}, session.PositionOf(begin(t).do(link("a", company, "failed")).s),
		"neither part of it ever changes")
}

func TestParseCursor_Refused(t *testing.T) {
	for name, cursor := range map[string]string{
		"no base64url":          "§",
		"padding":               "MSBh==",
		"standard base64":       "+/+/",
		"no id":                 "MQ",   // 1
		"an empty id":           "MSA",  // 1 and a space
		"no time":               "YSBh", // a a
		"a fraction":            "MS41IGE",
		"a zero before":         "MDEgYQ",
		"a space before":        "IDEgYQ",
		"minus zero":            "LTAgYQ",
		"a line feed":           "MSB\nh",
		"an id that is no text": "MSD_",
		"NUL":                   "MSAA",
		"bits left over":        "MSBhYh",
		"a long id":             session.Position{CreatedAt: start, ID: strings.Repeat("x", 129)}.Cursor(),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := session.ParseCursor(cursor)
			require.ErrorIs(t, err, session.ErrCursor)
			var wrong *session.CursorError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, cursor, wrong.Cursor)
			assert.Equal(t, session.Position{}, p)
		})
	}
	_, err := session.ParseCursor("§")
	assert.EqualError(t, err, `session: invalid cursor "§": it is not base64url; give one that was returned, or none for the beginning`)
}

func TestQuery(t *testing.T) {
	s := begin(t).do(link("a", company, "failed")).s
	for _, test := range []struct {
		query session.Query
		want  bool
	}{
		{session.Query{}, true},
		{session.Query{Limit: 1, Cursor: "anything"}, true},
		{session.Query{Status: session.Blocked, WorkspaceID: "w1", TemplateID: "t1", UpdatedSince: at(60)}, true},
		{session.Query{Status: session.Awaiting}, false},
		{session.Query{WorkspaceID: "w2"}, false},
		{session.Query{TemplateID: "t2"}, false},
		{session.Query{UpdatedSince: at(61)}, false},
		{session.Query{UpdatedSince: at(60).Add(1)}, false},
	} {
		assert.Equal(t, test.want, test.query.Matches(s), "%+v", test.query)
	}
	after, limit, err := session.Query{}.Start()
	require.NoError(t, err)
	assert.Equal(t, session.Position{}, after)
	assert.Equal(t, session.DefaultLimit, limit)
	after, limit, err = session.Query{Limit: 3, Cursor: session.PositionOf(s).Cursor()}.Start()
	require.NoError(t, err)
	assert.Equal(t, session.PositionOf(s), after)
	assert.Equal(t, 3, limit)
	_, _, err = session.Query{Limit: -1}.Start()
	require.ErrorIs(t, err, session.ErrInvalidQuery)
	require.EqualError(t, err, "session: invalid query: limit -1 is negative; 0 is for 100")
	_, _, err = session.Query{Cursor: "§"}.Start()
	require.ErrorIs(t, err, session.ErrCursor)
}

// SES-10: an object of another kind is no empty page, and a broken item says
// which it is.
func TestPage_Items(t *testing.T) {
	for text, want := range map[string]string{
		`{"error":"unauthorized"}`:                        "session: invalid page, data: it is missing (SES-10)",
		`{"data":[{"id":"a"}]}`:                           "session: invalid page, data[0].action_groups: there is none; at least one is needed (SES-1)",
		`{"data":[5]}`:                                    "session: invalid page, data[0]: an object is wanted, not a number",
		`{"data":[],"meta":{"next_cursor":{"page":"b"}}}`: "session: invalid page, meta.next_cursor: a text is wanted, not an object",
	} {
		var page session.Page[session.Session]
		require.EqualError(t, json.Unmarshal([]byte(text), &page), want)
		assert.Empty(t, page)
	}
	_, err := json.Marshal(session.Page[session.Session]{Items: []session.Session{{}}})
	require.ErrorIs(t, err, session.ErrNoSession)
}

// A query for what there is not is no query for nothing.
func TestQuery_Invalid(t *testing.T) {
	_, _, err := session.Query{Status: 99}.Start()
	require.ErrorIs(t, err, session.ErrInvalidQuery)
	_, _, err = session.Query{Limit: -1}.Start()
	require.ErrorIs(t, err, session.ErrInvalidQuery)
}
