package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance/trace"
)

// Every text file in testdata/check is a command line and what it leads to.
func TestCheck(t *testing.T) {
	tests := map[string]string{
		"onboarding":           "check testdata/check/onboarding.jsonl",
		"onboarding_announced": "check -announcements testdata/check/onboarding.jsonl",
		"broken":               "check testdata/check/broken.jsonl",
		"broken_json":          "check -json -announcements testdata/check/broken.jsonl",
		"broken_max":           "check -max 2 testdata/check/broken.jsonl",
		"help_of_check":        "help check",
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			got := "$ sluice " + line + "\n" + sluice("", strings.Fields(line)...).String()
			file := filepath.Join("testdata", "check", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
	files, err := filepath.Glob("testdata/check/*.txt")
	require.NoError(t, err)
	assert.Len(t, files, len(tests), "files that no test reads")
}

func TestCheck_Help(t *testing.T) {
	got := sluice("", "check", "-h")
	assert.Zero(t, got.status)
	for text := range strings.Lines(strings.ReplaceAll(got.stdout, "\t", "    ")) {
		assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(text, "\n")), 80, text)
	}
}

// The lines in the help text are a trace of a system that is right, but that no
// webhook tells of what it was never told.
func TestCheck_LinesInTheHelpText(t *testing.T) {
	var lines []string
	for part := range strings.SplitSeq(check.long, "\n  {") {
		d := json.NewDecoder(strings.NewReader("{" + part))
		var line json.RawMessage
		if d.Decode(&line) == nil {
			lines = append(lines, strings.ReplaceAll(string(line), "\n", " "))
		}
	}
	require.Len(t, lines, 5)
	const link = `{"at":"2025-09-22T14:32:00Z","session":"s1","command":"link","resource":{"id":"v1","type":"identity_document_verification","status":"pending"}}`
	got := sluice(strings.Join([]string{lines[0], lines[1], link, lines[2], lines[3], lines[4]}, "\n"), "check", "-")
	assert.Zero(t, got.status, got)
	assert.Contains(t, got.stderr, "sluice check: standard input: 0 findings in 6 lines: ")
}

func TestCheck_Errors(t *testing.T) {
	data, err := os.ReadFile("testdata/check/broken.jsonl")
	require.NoError(t, err)
	fromFile := sluice("", "check", "testdata/check/broken.jsonl")
	fromInput := sluice(string(data), "check", "-")
	assert.Equal(t, 1, fromInput.status)
	assert.Equal(t, fromFile.stdout, strings.ReplaceAll(fromInput.stdout, "standard input:", "testdata/check/broken.jsonl:"))

	for args, want := range map[string]string{
		"check":            "sluice check: a file is wanted",
		"check a b":        "a file is wanted, and nothing else",
		"check -max -1 a":  "-max is -1; it is 0 or more",
		"check -max x a":   `invalid value "x" for flag -max`,
		"check -strict -1": "flag provided but not defined: -strict",
	} {
		got := sluice("", strings.Fields(args)...)
		assert.Equal(t, 2, got.status, args)
		assert.Contains(t, got.stderr, want)
		assert.Contains(t, got.stderr, "\nusage: sluice check [FLAGS] FILE\n")
	}
	got := sluice("", "check", "testdata/none.jsonl")
	assert.Equal(t, 1, got.status)
	assert.Contains(t, got.stderr, "sluice check: open testdata/none.jsonl: ")

	for _, flag := range []string{"", "-json=true"} {
		var stderr bytes.Buffer
		args := strings.Fields("check testdata/check/broken.jsonl " + flag)
		assert.Equal(t, 1, run(args, strings.NewReader(""), full{}, &stderr))
		assert.Equal(t, "sluice check: a finding cannot be printed: no space left\n", stderr.String())
	}
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 1, run([]string{"check", "-"}, full{}, &stdout, &stderr))
	assert.Equal(t, "sluice check: standard input: line 1: no space left\n", stderr.String())
}

// Findings hold no control characters, and as JSON can be read.
func TestCheck_Output(t *testing.T) {
	assert.NotContains(t, sluice("", "check", "testdata/check/broken.jsonl").String(), "\x1b")
	got := sluice("", "check", "-json", "testdata/check/broken.jsonl")
	assert.NotContains(t, got.stdout, "\x1b")
	for line := range strings.Lines(got.stdout) {
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		var f trace.Finding
		require.NoError(t, d.Decode(&f))
		assert.Positive(t, f.Line)
	}
}
