package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every file in testdata/schedule is a command line and what it leads to. What
// calls do at what time is told by WHK-3, WHK-4 and WHK-5.
func TestSchedule(t *testing.T) {
	const start = " -start 2025-09-22T14:30:00Z"
	tests := map[string]string{
		"default":          "schedule" + start,
		"timeout":          "schedule -first timeout -then timeout" + start,
		"no_auto_retry":    "schedule -auto-retry=false" + start,
		"owed":             "schedule -auto-retry=false -first=timeout" + start,
		"delivered":        "schedule -first connection_refused -then 200" + start,
		"policy":           "schedule -policy testdata/policy.json -first=timeout -then 410" + start,
		"another_zone":     "schedule -first 302 -start 2025-09-22T16:30:00+02:00",
		"help_of_schedule": "help schedule",
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			printed := sluice("", strings.Fields(line)...).String()
			for text := range strings.Lines(strings.ReplaceAll(printed, "\t", "    ")) {
				assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(text, "\n")), 80, text)
			}
			got := "$ sluice " + line + "\n" + printed
			file := filepath.Join("testdata", "schedule", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
	files, err := filepath.Glob("testdata/schedule/*.txt")
	require.NoError(t, err)
	assert.Len(t, files, len(tests), "files that no test reads")
}

// Without a time the event is one of now.
func TestSchedule_Now(t *testing.T) {
	got := sluice("", "schedule", "-first", "200")
	assert.Zero(t, got.status)
	assert.Regexp(t, `^  0  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  0 s  answered 200\n  delivered\n$`, got.stdout)
}

// A status is one, and a result that needs one is none.
func TestSchedule_Ends(t *testing.T) {
	for end, want := range map[string]string{
		"100": "answered 100", "599": "answered 599", "timeout": "timed out after 1 s",
		"timed_out": "timed out after 1 s", "too_many_redirects": "too many redirects",
	} {
		got := sluice("", "schedule", "-first", end)
		assert.Zero(t, got.status, end)
		line, _, _ := strings.Cut(got.stdout, "\n")
		assert.True(t, strings.HasSuffix(line, "  "+want), line)
	}
	for args, want := range map[string]string{
		"-first 99":            `invalid value "99" for flag -first: a status is from 100 to 599`,
		"-then 600":            `invalid value "600" for flag -then: a status is from 100 to 599`,
		"-first broken":        `invalid value "broken" for flag -first: it is a status, timeout, or a result that has none`,
		"-first answered":      `invalid value "answered" for flag -first: it is a status,`,
		"-first body_too_long": `invalid value "body_too_long" for flag -first: it is a status,`,
		"-first none":          `invalid value "none" for flag -first: it is a status,`,
		"-start noon":          `invalid value "noon" for flag -start: it is no time; one is 2025-09-22T14:30:00Z`,
		"503":                  `nothing is wanted; got ["503"]`,
	} {
		got := sluice("", strings.Fields("schedule "+args)...)
		assert.Equal(t, 2, got.status, args)
		assert.Contains(t, got.stderr, want)
		assert.Contains(t, got.stderr, "\nusage: sluice schedule")
		assert.Empty(t, got.stdout)
	}
	assert.Contains(t, sluice("", "schedule", "-policy", "testdata/none.json").stderr, "open testdata/none.json: ")
}

// What is wrong with a policy is told in its words.
func TestSchedule_Policy(t *testing.T) {
	for policy, want := range map[string]string{
		``:                       "standard input:1:1: unexpected end of JSON input",
		"{\n\"gone_ends\": 1}":   "standard input:2:14: gone_ends: a number is not wanted here",
		`[]`:                     "standard input:1:1: an object is wanted, not an array",
		`{"delay": ["1m"]}`:      `standard input: unknown field "delay"`,
		`{"window": "1 min"}`:    `time: unknown unit " min"`,
		`{"first_timeout":"0s"}`: "first_timeout: it is 0s; it must be positive (WHK-2)",
	} {
		got := sluice(policy, "schedule", "-policy", "-")
		assert.Equal(t, 1, got.status)
		assert.Contains(t, got.stderr, want)
		assert.NotContains(t, got.stderr, "json:")
		assert.Empty(t, got.stdout)
	}
	var stderr bytes.Buffer
	assert.Equal(t, 1, run([]string{"schedule"}, strings.NewReader(""), full{}, &stderr))
	assert.Contains(t, stderr.String(), "no space left")
}
