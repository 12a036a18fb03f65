package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/session"
)

var update = flag.Bool("update", false, "write the golden files anew")

// result is what a command line led to.
type result struct {
	stdout, stderr string
	status         int
}

func sluice(stdin string, args ...string) result {
	var stdout, stderr bytes.Buffer
	status := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return result{stdout.String(), stderr.String(), status}
}

// String shows a result as a terminal would, and what it does not.
func (r result) String() string {
	text := r.stdout
	if r.stderr != "" {
		text += "[standard error]\n" + r.stderr
	}
	if r.status != 0 {
		text += fmt.Sprintf("[exit status %d]\n", r.status)
	}
	return text
}

// Every file in testdata/golden is a command line and what it leads to.
func TestGolden(t *testing.T) {
	tests := map[string]string{
		"play_onboarding":      "play testdata/onboarding.json",
		"play_onboarding_json": "play -json testdata/onboarding.json",
		"play_retries":         "play testdata/retries.json",
		"play_retries_json":    "play -json testdata/retries.json",
		"play_retries_strict":  "play -strict testdata/retries.json",
		"explain_blocked":      "explain testdata/blocked.json",
		"explain_mismatch":     "explain testdata/mismatch.json",
		"diagram":              "diagram signature_request",
		"diagram_dot":          "diagram document_analysis -format dot",
		"diagram_unknown":      "diagram signature_requests",
		"overview":             "help",
		"help_play":            "help play",
		"help_explain":         "explain -h",
		"no_command":           "",
		"unknown_command":      "playback testdata/retries.json",
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			got := strings.TrimRight("$ sluice "+line, " ") + "\n" + sluice("", strings.Fields(line)...).String()
			file := filepath.Join("testdata", "golden", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
	files, err := filepath.Glob("testdata/golden/*.txt")
	require.NoError(t, err)
	assert.Len(t, files, len(tests), "files that no test reads")
}

func TestWhatPeopleReadFitsATerminal(t *testing.T) {
	for _, line := range []string{
		"help", "help play", "help explain", "help diagram", "help help", "help version",
		"play testdata/onboarding.json", "play testdata/retries.json",
		"explain testdata/blocked.json", "explain testdata/mismatch.json", "version",
	} {
		got := sluice("", strings.Fields(line)...)
		require.Zero(t, got.status, line)
		require.NotEmpty(t, got.stdout, line)
		for text := range strings.Lines(strings.ReplaceAll(got.stdout, "\t", "    ")) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(text, "\n")), 80, text)
		}
	}
}

func TestStandardInput(t *testing.T) {
	for _, command := range []string{"play testdata/retries.json", "explain testdata/blocked.json"} {
		name, file, _ := strings.Cut(command, " ")
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, sluice("", name, file), sluice(string(data), name, "-"))
	}
	assert.Contains(t, sluice("{", "explain", "-").stderr, "standard input:1:1: ")
}

func TestFlagsStandBeforeAndBehindOperands(t *testing.T) {
	want := sluice("", "play", "-json", "-strict", "testdata/retries.json")
	assert.Equal(t, 1, want.status)
	assert.Equal(t, want, sluice("", "play", "testdata/retries.json", "-strict", "-json"))
	assert.Equal(t, want, sluice("", "play", "-strict", "testdata/retries.json", "-json"))
	assert.Equal(t, want, sluice("", "play", "-strict", "-json", "--", "testdata/retries.json"))
	assert.Contains(t, sluice("", "play", "--", "-json").stderr, "open -json:")
}

func TestUsageErrors(t *testing.T) {
	tests := map[string]struct{ args, reason string }{
		"no file":              {"play", "sluice play: a file is wanted"},
		"two files":            {"explain a b", `sluice explain: a file is wanted, and nothing else; got ["a" "b"]`},
		"unknown flag":         {"play -x f", "flag provided but not defined: -x"},
		"flag of another":      {"explain -strict f", "flag provided but not defined: -strict"},
		"no such color":        {"play -color red f", `invalid value "red" for flag -color: it is auto, always or never`},
		"no machine":           {"diagram", "sluice diagram: a machine is wanted"},
		"no such machine":      {"diagram lift", `there is no resource type or machine "lift"; the machines are signature_request, verification, `},
		"no such format":       {"diagram -format svg verification", `there is no format "svg"; there are mermaid and dot`},
		"help of what is none": {"help lift", `there is no command "lift"; there are play, explain, check, diagram, schedule, conform, answer, help and version`},
		"help of two":          {"help play explain", "a command is wanted, and nothing else"},
		"version of something": {"version 2", `nothing is wanted; got ["2"]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := sluice("", strings.Fields(tt.args)...)
			assert.Equal(t, 2, got.status)
			assert.Empty(t, got.stdout)
			assert.Contains(t, got.stderr, tt.reason)
			command, _, _ := strings.Cut(tt.args, " ")
			assert.Contains(t, got.stderr, "\nusage: sluice "+command)
		})
	}
}

func TestHelp(t *testing.T) {
	overview := sluice("", "help")
	assert.Zero(t, overview.status)
	for _, same := range []string{"-h", "-help", "--help"} {
		assert.Equal(t, overview, sluice("", same))
	}
	for _, c := range commands() {
		assert.Contains(t, overview.stdout, "sluice "+c.name+" ", "every command is listed")
		assert.Equal(t, sluice("", "help", c.name), sluice("", c.name, "-h"))
	}
}

func TestColors(t *testing.T) {
	ansi := regexp.MustCompile("\x1b\\[[0-9]+m")
	for _, line := range []string{"play testdata/retries.json", "explain testdata/blocked.json"} {
		plain := sluice("", strings.Fields(line)...)
		assert.Equal(t, plain, sluice("", strings.Fields(line+" -color never")...))
		colored := sluice("", strings.Fields(line+" -color always")...)
		assert.Regexp(t, ansi, colored.stdout)
		assert.Equal(t, plain.stdout, ansi.ReplaceAllString(colored.stdout, ""))
	}
}

func TestOnlyATerminalIsColoredUnasked(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, file.Close()) }()
	assert.False(t, isTerminal(file))
	assert.False(t, isTerminal(new(bytes.Buffer)))
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer func() { assert.NoError(t, null.Close()) }()
	assert.True(t, isTerminal(null), "a character device")

	color := colorFlag(flag.NewFlagSet("", flag.ContinueOnError))
	t.Setenv("NO_COLOR", "")
	assert.True(t, color(null), "NO_COLOR counts unless it is empty")
	t.Setenv("NO_COLOR", "1")
	assert.False(t, color(null))
}

func TestVersionText(t *testing.T) {
	assert.Regexp(t, `^sluice \(unknown\), go`, versionText(nil))
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}
	assert.Regexp(t, `^sluice v1\.2\.3, go`, versionText(info))
	info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}
	assert.Regexp(t, `^sluice v1\.2\.3, revision abc, modified, go`, versionText(info))
	assert.Regexp(t, `^sluice `, sluice("", "version").stdout)
}

// full is a disk that is full, and a pipe that breaks.
type full struct{}

var errFull = errors.New("no space left")

func (full) Read([]byte) (int, error)  { return 0, errFull }
func (full) Write([]byte) (int, error) { return 0, errFull }

func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, line := range []string{
		"play testdata/onboarding.json", "play -json testdata/onboarding.json", "play -json testdata/retries.json",
		"explain testdata/blocked.json", "diagram verification", "help", "version", "play -h",
	} {
		var stderr bytes.Buffer
		assert.Equal(t, 1, run(strings.Fields(line), strings.NewReader(""), full{}, &stderr), line)
		assert.Contains(t, stderr.String(), "no space left", line)
	}
}

func TestInputThatCannotBeRead(t *testing.T) {
	for _, command := range []string{"play", "explain"} {
		got := sluice("", command, "testdata/none.json")
		assert.Equal(t, 1, got.status)
		assert.Contains(t, got.stderr, "sluice "+command+": open testdata/none.json: ")

		var stdout, stderr bytes.Buffer
		assert.Equal(t, 1, run([]string{command, "-"}, full{}, &stdout, &stderr))
		assert.Contains(t, stderr.String(), "standard input: no space left")
	}
}

// Messages quote what stands in a file, which must not play with the terminal.
func TestMessagesHoldNoControlCharacters(t *testing.T) {
	const script = `{"steps": [
		{"at": "2025-09-22T14:30:00Z", "command": "observe", "resource_id": "\u001b[2J", "status": "done"},
		{"at": "2025-09-22T14:30:00Z", "command": "create", "id": "\u001b[2J\n", "name": "",
			"template": {"id": "\u001b[2J", "name": "n", "action_groups": [{"type": "signature_request"}]}}]}`
	for _, tt := range []struct {
		stdin string
		args  []string
	}{
		{script, []string{"play", "-json", "-"}},
		{`{"\u001b[2J": 1}`, []string{"play", "-"}},
		{`{"id": "s", "action_groups": [{"type": "\u001b[2J"}]}`, []string{"explain", "-"}},
		{"", []string{"play", "\x1b[2J"}},
		{"", []string{"\x1b[2J"}},
	} {
		got := sluice(tt.stdin, tt.args...)
		assert.Contains(t, got.stderr, `\x1b[2J`)
		assert.NotContains(t, got.stdout+got.stderr, "\x1b")
	}
}

// A script that this package can read stands in the help text.
func TestTheScriptInTheHelpText(t *testing.T) {
	from, to := strings.Index(play.long, "\n  {"), strings.Index(play.long, "\n  }\n")
	require.Positive(t, from)
	require.Positive(t, to)
	sc, err := parseScript([]byte(play.long[from : to+len("\n  }\n")]))
	require.NoError(t, err)
	var s session.Session
	for _, st := range sc.steps {
		s, _, err = session.Apply(s, st.command, st.at)
		require.NoError(t, err)
	}
	assert.Equal(t, session.Ongoing, s.Status())
}
