package transcript_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file, or writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// teller plays commands on a session and lets a printer tell of them, a minute
// apart.
type teller struct {
	t       testing.TB
	printer transcript.Printer
	out     *bytes.Buffer
	now     time.Time
	s       session.Session
}

func newTeller(t testing.TB) *teller {
	out := new(bytes.Buffer)
	return &teller{
		t: t, printer: transcript.Printer{W: out}, out: out,
		now: time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC),
	}
}

// do plays a command and returns what was written about it.
func (w *teller) do(title string, c session.Command) string {
	w.now = w.now.Add(time.Minute)
	step := transcript.Step{Title: title, At: w.now, Command: c}
	step.Session, step.Change, step.Err = session.Apply(w.s, c, w.now)
	w.s = step.Session
	return w.tell(step)
}

func (w *teller) tell(step transcript.Step) string {
	before := w.out.Len()
	require.NoError(w.t, w.printer.Step(step))
	return w.out.String()[before:]
}

func (w *teller) create() string {
	return w.do("A session is created", session.Create{
		ID: "s1", Name: "Onboarding of Kelly Smith", WorkspaceID: "w1",
		Template: session.Template{
			ID: "t1", Name: "Customer onboarding",
			ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest},
		},
	})
}

func (w *teller) resource(id string, typ action.Type, s action.Status) action.Resource {
	return action.Resource{ID: id, Type: typ, Status: s, CreatedAt: w.now, AsOf: w.now}
}

func (w *teller) digest(photo string) attempt.Digest {
	d, err := attempt.NewDigester("s1", nil).Digest(map[string]string{"photo": photo})
	require.NoError(w.t, err)
	return d
}

// ansi is every sequence that a Printer may write.
var ansi = regexp.MustCompile("\x1b\\[[0-9]+m")

// checkLines holds the lines of a text against what the package promises.
func checkLines(t assert.TestingT, text string) {
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		assert.True(t, ended, "no line break behind %q", line)
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%q", line)
		assert.Equal(t, strings.TrimRight(line, " "), line, "spaces at the end")
		assert.True(t, utf8.ValidString(line), "%q", line)
		assert.False(t, strings.ContainsFunc(line, func(r rune) bool {
			return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp)
		}), "control character in %q", line)
	}
}
