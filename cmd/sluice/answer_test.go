package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	greeting = `{"protocol":"sluice-conformance","version":1}` + "\n"
	empty    = `{"id":"group/join/empty","area":"group","given":{"group_type":"company_verification"},"when":[]}` + "\n"
)

// The exchange of FORMAT.md, and what comes of questions that are none.
func TestAnswer(t *testing.T) {
	got := sluice(greeting+empty+"\n"+`{"id":"x","area":"lift"}`+"\n"+`{"id":"y","area":"group","given":{"type":"x"},"when":[]}`, "answer")
	assert.Zero(t, got.status)
	assert.Empty(t, got.stderr)
	lines := strings.Split(got.stdout, "\n")
	require.Len(t, lines, 6)
	var hello struct {
		Protocol string
		Version  int
		Name     string
	}
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &hello))
	assert.Equal(t, "sluice-conformance", hello.Protocol)
	assert.Equal(t, 1, hello.Version)
	assert.Equal(t, strings.TrimSpace(sluice("", "version").stdout), hello.Name, "it greets with its version")
	assert.Equal(t, []string{
		`{"id":"group/join/empty","then":{"steps":[],"end":{"status":"awaiting"}}}`,
		`{"id":"","failure":"no question: unexpected end of JSON input"}`,
		`{"id":"x","unknown_area":true}`,
		`{"id":"y","failure":"given: json: unknown field \"type\""}`,
		"",
	}, lines[1:])
}

func TestAnswer_refuses(t *testing.T) {
	got := sluice("", "answer", "now")
	assert.Equal(t, 2, got.status)
	assert.Contains(t, got.stderr, `sluice answer: nothing is wanted; got ["now"]`+"\n\nusage: sluice answer\n")

	for input, reason := range map[string]string{
		"":                                     "no greeting: EOF",
		empty:                                  `greeted by "{\"id\":\"group/join/empty\"`,
		"\x1b[2J\n":                            "greeted by ",
		strings.Replace(greeting, "1", "2", 1): "asked in version 2 of the protocol; this is version 1",
	} {
		got := sluice(input, "answer")
		assert.Equal(t, 1, got.status, input)
		assert.Contains(t, got.stderr, "sluice answer: "+reason)
		assert.NotContains(t, got.stderr, "\x1b")
	}

	var stderr strings.Builder
	assert.Equal(t, 1, run([]string{"answer"}, strings.NewReader(greeting), full{}, &stderr))
	assert.Contains(t, stderr.String(), "no space left")
}
