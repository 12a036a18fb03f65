package session_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// The law of every decoder: no text makes it panic; what it refuses, it refuses
// with its own error; and what it accepts is written and read to the same.

func seedFiles(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob("testdata/" + pattern)
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
}

func FuzzParseDocument(f *testing.F) {
	seedFiles(f, "guide/*.json")
	seedFiles(f, "documents/*.json")
	f.Add([]byte(companies(action1(failedB, failedA))))
	f.Add([]byte(with(`"created_at":"2025-09-22T16:30:00.5+02:00","action_groups":[{"type":"document_analysis"}]`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, _, err := session.ParseDocument(text)
		if err != nil {
			require.ErrorIs(t, err, session.ErrDocument)
			require.True(t, s.IsZero())
			return
		}
		written := document(t, s)
		again, mismatches, err := session.ParseDocument([]byte(written))
		require.NoError(t, err)
		require.Empty(t, mismatches)
		require.True(t, again.Equal(s))
		require.Equal(t, written, document(t, again))

		var doc plainDocument
		require.NoError(t, json.Unmarshal([]byte(written), &doc))
		for _, g := range doc.ActionGroups {
			assert.Equal(t, g.status(), g.Status)
		}
		require.Equal(t, s.Status() == session.Blocked, len(s.Blockers()) > 0)
	})
}

func FuzzFromSnapshot(f *testing.F) {
	seedFiles(f, "snapshot.json")
	s, _, err := session.New(create(group.Types()...), start)
	require.NoError(f, err)
	f.Add([]byte(snapshot(f, s)))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := session.FromSnapshot(text)
		if err != nil {
			require.ErrorIs(t, err, session.ErrDocument)
			require.True(t, s.IsZero())
			return
		}
		again, err := session.FromSnapshot([]byte(snapshot(t, s)))
		require.NoError(t, err)
		require.True(t, again.Equal(s))
		shown, mismatches, err := session.ParseDocument([]byte(document(t, s)))
		require.NoError(t, err, "what can be kept can be shown")
		require.Empty(t, mismatches)
		require.Equal(t, s.Status(), shown.Status())
	})
}

func FuzzUnmarshalCommand(f *testing.F) {
	for _, c := range wireCommands {
		f.Add([]byte(c.json))
	}
	s := begin(f).do(link("a", company, "failed"), link("x", signature, "ongoing")).s
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := session.UnmarshalCommand(text)
		if err != nil {
			require.ErrorIs(t, err, session.ErrDocument)
			require.Nil(t, c)
			return
		}
		var again session.Command
		written, err := session.MarshalCommand(c)
		if err == nil {
			again, err = session.UnmarshalCommand(written)
		}
		if err != nil {
			for _, to := range []session.Session{s, {}} {
				_, _, refused := session.Apply(to, c, at(500))
				require.Error(t, refused, "what cannot be told again is no command that does anything")
			}
			return
		}
		twice, err := session.MarshalCommand(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice))
	})
}

func FuzzEvent_UnmarshalJSON(f *testing.F) {
	for line := range strings.Lines(string(testdata(f, "events.jsonl"))) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var e session.Event
		if err := e.UnmarshalJSON(text); err != nil {
			require.ErrorIs(t, err, session.ErrDocument)
			require.Equal(t, session.Event{}, e)
			return
		}
		e.Announcements()
		written, err := json.Marshal(e)
		if err != nil {
			_, refused := session.Replay([]session.Event{e})
			require.ErrorIs(t, refused, session.ErrHistory, "what cannot be written leads nowhere")
			return
		}
		var again session.Event
		require.NoError(t, again.UnmarshalJSON(written))
		require.Equal(t, e, again)
	})
}

func FuzzTemplate_UnmarshalJSON(f *testing.F) {
	f.Add([]byte(`{"id":"t1","name":"n","action_groups":[{"type":"document_analysis"}],"workspaces":["w1","w2"],"created_at":"2025-09-22T16:30:00.5+02:00"}`))
	f.Add([]byte(`{"id":"t1","name":"n","action_groups":[{"type":"signature_request"},{"type":"watchlist_verification"}],"updated_at":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var read session.Template
		if err := json.Unmarshal(text, &read); err != nil {
			require.Equal(t, session.Template{}, read)
			return
		}
		require.NoError(t, read.Check())
		written, err := json.Marshal(read)
		require.NoError(t, err)
		var again session.Template
		require.NoError(t, json.Unmarshal(written, &again))
		require.Equal(t, read, again)
	})
}

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add(session.Position{CreatedAt: start, ID: "s1"}.Cursor())
	f.Add(session.Position{CreatedAt: at(-1 << 40), ID: "a b"}.Cursor())
	f.Add("MSBhYh")
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := session.ParseCursor(cursor)
		if err != nil {
			require.ErrorIs(t, err, session.ErrCursor)
			require.Equal(t, session.Position{}, p)
			return
		}
		require.Equal(t, cursor, p.Cursor(), "a position has one cursor")
	})
}

func FuzzPage_UnmarshalJSON(f *testing.F) {
	files, err := filepath.Glob("testdata/documents/*.json")
	require.NoError(f, err)
	var list []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		list = append(list, string(text))
	}
	f.Add([]byte(`{"meta":{"next_cursor":"eA"},"data":[` + strings.Join(list, ",") + `]}`))
	f.Add([]byte(`{"meta":{"next_cursor":null},"data":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p session.Page[session.Session]
		if err := json.Unmarshal(text, &p); err != nil {
			require.Equal(t, session.Page[session.Session]{}, p)
			return
		}
		written, err := json.Marshal(p)
		require.NoError(t, err)
		var again session.Page[session.Session]
		require.NoError(t, json.Unmarshal(written, &again))
		require.Equal(t, p.NextCursor, again.NextCursor)
		require.Len(t, again.Items, len(p.Items))
		for i, s := range p.Items {
			require.True(t, s.Equal(again.Items[i]))
		}
	})
}
