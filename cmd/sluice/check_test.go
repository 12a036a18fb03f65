package main

import (
	"bytes"
	"encoding/json"
	"fmt"
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
		"broken_max_json":      "check -max 2 -json testdata/check/broken.jsonl",
		"onboarding_json":      "check -json testdata/check/onboarding.jsonl",
		"untold":               "check testdata/check/untold.jsonl",
		"indented":             "check testdata/check/indented.jsonl",
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
	assert.Empty(t, stdout.String())

	// There is no summary of what could not be read, and one that cannot be
	// written is not passed over.
	stderr.Reset()
	assert.Equal(t, 1, run([]string{"check", "-json", "-"}, full{}, &stdout, &stderr))
	assert.Empty(t, stdout.String())
	stderr.Reset()
	assert.Equal(t, 1, run([]string{"check", "-json", "testdata/check/onboarding.jsonl"}, strings.NewReader(""), full{}, &stderr))
	assert.Equal(t, "sluice check: the summary cannot be printed: no space left\n", stderr.String())
}

// Findings hold no control characters, and as JSON can be read.
func TestCheck_Output(t *testing.T) {
	assert.NotContains(t, sluice("", "check", "testdata/check/broken.jsonl").String(), "\x1b")
	got := sluice("", "check", "-json", "testdata/check/broken.jsonl")
	assert.NotContains(t, got.stdout, "\x1b")
	read := func(line string, v any) {
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(v))
	}
	lines := strings.SplitAfter(strings.TrimSuffix(got.stdout, "\n"), "\n")
	last := len(lines) - 1
	for _, line := range lines[:last] {
		var f trace.Finding
		read(line, &f)
		assert.Positive(t, f.Line)
	}
	var end totals
	read(lines[last], &end)
	assert.Equal(t, "summary", end.Kind)
	assert.Equal(t, last, end.Summary.Findings)
	assert.Contains(t, got.stderr, end.Summary.String())
}

// TRACE.md names every member of the summary, and of a finding.
func TestCheck_Documented(t *testing.T) {
	text, err := os.ReadFile("../../conformance/TRACE.md")
	require.NoError(t, err)
	for v, form := range map[any]string{
		trace.Summary{}: "`%s`",
		trace.Finding{Session: "s", Rule: "r", Subject: "s", Expected: "e", Reason: "r", Follows: 1}: `"%s":`,
	} {
		written, err := json.Marshal(v)
		require.NoError(t, err)
		var members map[string]any
		require.NoError(t, json.Unmarshal(written, &members))
		for name := range members {
			assert.Contains(t, string(text), fmt.Sprintf(form, name))
		}
	}
	for _, what := range []string{"`-`", "`-max N`", "`-json`", "`-announcements`", "exit status is 0"} {
		assert.Contains(t, string(text), what)
	}
	assert.Contains(t, check.long, "FILE of - is the standard input")
	assert.Contains(t, check.long, "exit status is 0")
}
