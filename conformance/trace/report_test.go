package trace

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFinding_JSON(t *testing.T) {
	f := Finding{Line: 812, Kind: KindSeen, Session: "s1", Rule: "GRP-2", Subject: "group identity_verification", Expected: "blocked", Seen: "ongoing"}
	text, err := json.Marshal(f)
	require.NoError(t, err)
	assert.JSONEq(t, `{"line":812,"kind":"seen","session":"s1","rule":"GRP-2","subject":"group identity_verification","expected":"blocked","seen":"ongoing"}`, string(text))
	assert.Equal(t, "line 812: session s1: group identity_verification (GRP-2): expected blocked, seen ongoing", f.String())

	f = Finding{Line: 9, Kind: KindCommand, Rule: "ATT-6", Subject: "link of v2", Expected: "refused by ATT-6", Reason: "inputs are those of attempt 1", Seen: "accepted", Follows: 7}
	text, err = json.Marshal(f)
	require.NoError(t, err)
	assert.JSONEq(t, `{"line":9,"kind":"command","rule":"ATT-6","subject":"link of v2","expected":"refused by ATT-6","reason":"inputs are those of attempt 1","seen":"accepted","follows":7}`, string(text))
	assert.Equal(t, "line 9: link of v2 (ATT-6): expected refused by ATT-6 (inputs are those of attempt 1), seen accepted (follows line 7)", f.String())
}

func TestSummary_String(t *testing.T) {
	s := Summary{Lines: 1, Commands: 2, Webhooks: 3, PassedOver: 1, Seen: 4, Announced: 1, Sessions: 1}
	const counted = "0 findings in 1 line: 2 commands, 3 webhooks (1 passed over), 4 looks, 1 announcement, 1 session"
	assert.Equal(t, counted, s.String())
	s.Diverged, s.Untold, s.Stopped = 2, 1, true
	assert.Equal(t, counted+"; 2 sessions diverged; 1 command refused by the rules, of which the trace does not say what the system did; "+
		"stopped there: what follows was not checked", s.String())
}

// summaryOf checks lines and returns what was counted.
func summaryOf(t *testing.T, lines ...string) Summary {
	t.Helper()
	summary, err := Check(strings.NewReader(strings.Join(lines, "\n")), Options{TempDir: t.TempDir()}, func(Finding) error { return nil })
	require.NoError(t, err)
	return summary
}

// A command that the rules refuse is counted where the trace does not say what
// the system did, whoever refuses it, and it changes nothing.
func TestCheck_Untold(t *testing.T) {
	for name, members := range map[string]string{
		"by the session":      `"session":"s1","command":"observe","resource_id":"v2","status":"awaiting_data"`,
		"by another session":  `"session":"s2","command":"observe","resource_id":"v2","status":"pending"`,
		"for its name":        `"session":"s1","command":"link","resource":{"id":"v9","type":"selfie","status":"pending"}`,
		"for its inputs":      `"session":"s1","command":"link","inputs":[],"resource":{"id":"v9","type":"identity_video_verification","status":"pending"}`,
		"for its template":    `"session":"s2","command":"create","name":"n","template":{}`,
		"for being there":     `"session":"s1","command":"create","name":"n","workspace_id":"w1",` + theTemplate,
		"for an empty id":     `"session":"s1","command":"observe","resource_id":"","status":"pending"`,
		"for an empty status": `"session":"s1","command":"observe","resource_id":"v2","status":""`,
	} {
		t.Run(name, func(t *testing.T) {
			lines := append(scene(), at(6, members))
			look := at(7, `"session":"s1","seen":{"status":"ongoing","resources":{"v2":"pending"}}`)
			want := Summary{Lines: 8, Commands: 7, Seen: 1, Sessions: 1, Untold: 1}
			assert.Equal(t, want, summaryOf(t, append(lines, look)...))
			// It is compared where the line says what the system did.
			lines[6] = at(6, members+`,"refused":true`)
			assert.Zero(t, summaryOf(t, lines...).Untold)
			lines[6] = at(6, members+`,"refused":false`)
			summary := summaryOf(t, lines...)
			assert.Zero(t, summary.Untold)
			assert.Equal(t, 1, summary.Findings)
		})
	}
	summary := summaryOf(t, at(0, `"session":"s1","command":"create","name":"n","template_id":"t9"`))
	assert.Equal(t, Summary{Lines: 1, Commands: 1, Findings: 1, Diverged: 1}, summary, "that is unreadable")
}

// Findings behind the first one of their session follow it, whether the session
// is in memory, in a file or unknown; those about announcements lead nowhere.
func TestCheck_Follows(t *testing.T) {
	create := func(id string) string {
		return at(0, `"session":"`+id+`","command":"create","name":"n","workspace_id":"w1",`+theTemplate)
	}
	seen := func(id, status string) string {
		return at(1, `"session":"`+id+`","seen":{"status":"`+status+`","groups":{"signature_request":"`+status+`"}}`)
	}
	announced := at(2, `"session":"s1","announced":"workflow_session.done"`)
	for name, tt := range map[string]struct {
		lines []string
		want  string // line:follows of each finding
		count int
	}{
		"none":                      {[]string{create("s1"), seen("s1", "awaiting")}, "", 0},
		"the same line":             {[]string{create("s1"), seen("s1", "done")}, "2:0 2:0", 1},
		"a later line":              {[]string{create("s1"), seen("s1", "done"), seen("s1", "awaiting"), seen("s1", "blocked")}, "2:0 2:0 4:2 4:2", 1},
		"another session":           {[]string{create("s1"), create("s2"), seen("s1", "done"), seen("s2", "done"), seen("s1", "done")}, "3:0 3:0 4:0 4:0 5:3 5:3", 2},
		"one that is unknown":       {[]string{seen("s1", "done"), seen("s1", "done"), seen("s2", "done")}, "1:0 2:1 3:0", 2},
		"one that comes later":      {[]string{seen("s1", "done"), create("s1"), seen("s1", "done")}, "1:0 3:1 3:1", 1},
		"announcements":             {[]string{create("s1"), announced, announced, seen("s1", "done"), announced}, "2:0 3:0 4:0 4:0 5:4", 1},
		"announcements alone":       {[]string{create("s1"), announced}, "2:0", 0},
		"what is unreadable":        {[]string{create("s1"), at(1, `"session":"s1","sen":{}`), at(1, `"session":"s1","sen":{}`), seen("s1", "done")}, "2:0 3:0 4:2 4:2", 1},
		"what is, and nobody's":     {[]string{create("s1"), "x", seen("s1", "done")}, "2:0 3:0 3:0", 1},
		"a command and webhooks":    {append(scene(), at(6, `"session":"s1","command":"resolve","resource_id":"v3","refused":false`), at(6, webhook(6, "verification.identity_document.done", `{"id":"v2","status":"awaiting_data"}`))), "7:0 8:7", 1},
		"a template, which is none": {[]string{at(0, `"template":{}`), at(0, `"template":{}`)}, "1:0 2:0", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, o := range []Options{{}, {MaxSessions: 1}} {
				got, summary := followed(t, o, tt.lines)
				assert.Equal(t, tt.want, strings.Join(got, " "))
				assert.Equal(t, tt.count, summary.Diverged)
			}
		})
	}
	// What is owed is told last, and may be of a line before the first finding.
	lines := append(scene(), seen("s1", "done"), at(6, `"session":"s1","command":"observe","resource_id":"v2","status":"failed"`))
	got, summary := followed(t, Options{Announcements: true}, lines)
	assert.Equal(t, "7:0 7:0 2:0 2:0 3:0 3:0 6:0", strings.Join(got, " "))
	assert.Equal(t, 1, summary.Diverged)
	lines[5], lines[6] = lines[6], lines[5]
	got, _ = followed(t, Options{Announcements: true}, lines)
	assert.Equal(t, "6:0 6:0 2:0 2:0 3:0 3:0 7:6", strings.Join(got, " "))
}

// followed checks lines and returns of each finding its line and that which it
// follows.
func followed(t *testing.T, o Options, lines []string) ([]string, Summary) {
	t.Helper()
	var got []string
	o.TempDir = t.TempDir()
	summary, err := Check(strings.NewReader(strings.Join(lines, "\n")), o, func(f Finding) error {
		got = append(got, fmt.Sprintf("%d:%d", f.Line, f.Follows))
		return nil
	})
	require.NoError(t, err)
	return got, summary
}

// However many sessions diverge, whatever they are called, a bounded number is
// in memory and each is known.
func TestCheck_ManyDiverge(t *testing.T) {
	const n = 3*maxDiverged + 1
	dir := t.TempDir()
	c := newChecker(Options{TempDir: dir}.withDefaults(), nil)
	most, line := 0, 0
	c.report = func(f Finding) error {
		most = max(most, len(c.diverged.first))
		want := 0
		if f.Line > n {
			want = f.Line - n
		}
		require.Equal(t, want, f.Follows)
		line = f.Line
		return nil
	}
	var b strings.Builder
	for range 2 {
		for i := range n {
			b.WriteString(at(0, fmt.Sprintf(`"session":"%d%s","seen":{}`, i, strings.Repeat("x", 200))) + "\n")
		}
	}
	require.NoError(t, c.run(strings.NewReader(b.String())))
	assert.Equal(t, 2*n, line)
	assert.Equal(t, n, c.summary.Diverged)
	assert.Less(t, most, maxDiverged)
	require.NoError(t, c.close())
	assertEmpty(t, dir)
}

// What was damaged on the disk is an error, and so is a disk that is gone.
func TestDivergence_Damaged(t *testing.T) {
	c := newChecker(Options{TempDir: t.TempDir()}.withDefaults(), nil)
	hash := sha256.Sum256([]byte("s1"))
	require.NoError(t, c.sessions.spill.put(append([]byte{spilledLine}, hash[:]...), nil))
	_, err := c.diverged.since([]byte("s1"), 2, true)
	require.ErrorIs(t, err, errDamaged)
	require.NoError(t, c.close())
	_, err = c.diverged.since([]byte("s1"), 2, true)
	require.ErrorContains(t, err, "trace: temporary file: ")
}

// A byte order mark may stand at the beginning, and nowhere else.
func TestCheck_ByteOrderMark(t *testing.T) {
	lines := scene()
	lines[0] = "\ufeff" + lines[0]
	assert.Empty(t, told(t, Options{}, lines...))
	assert.Empty(t, told(t, Options{}, "\ufeff"))
	got := told(t, Options{}, "", "\ufeff")
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "line 2: unreadable: invalid character")
	got = told(t, Options{}, "\xff\xfe{\x00}\x00")
	assert.Equal(t, []string{"line 1: unreadable: it is not UTF-8"}, got)
}

// A value over several lines is none in any of them, and each says so.
func TestCheck_Indented(t *testing.T) {
	var line any
	require.NoError(t, json.Unmarshal([]byte(scene()[5]), &line))
	text, err := json.MarshalIndent(line, "", "  ")
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	got := told(t, Options{}, lines...)
	require.Len(t, got, len(lines))
	for _, f := range got {
		assert.Contains(t, f, "; a trace has one JSON value per line")
	}
}
