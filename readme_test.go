package sluice_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm/looplab"
)

var update = flag.Bool("update", false, "write what is generated into the README")

// What the README shows is what compiles, and what the tool draws.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(source), "\t// README\n")
	code, _, found := strings.Cut(code, "\t// README end\n")
	require.True(t, found)
	code = regexp.MustCompile(`(?m)^\t`).ReplaceAllString(code, "")

	want := block(t, string(readme), "go", code)
	want = block(t, want, "mermaid", looplab.Mermaid(action.TypeSignatureRequest.Machine()))
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(want), 0o644))
	}
	assert.Equal(t, want, string(readme), "go test . -run Readme -update mends it")
}

// block returns the text with its one block of a language replaced.
func block(t *testing.T, text, language, content string) string {
	t.Helper()
	before, rest, found := strings.Cut(text, "```"+language+"\n")
	require.True(t, found, language)
	_, after, found := strings.Cut(rest, "```\n")
	require.True(t, found, language)
	require.NotContains(t, after, "```"+language+"\n")
	return before + "```" + language + "\n" + strings.TrimSuffix(content, "\n") + "\n```\n" + after
}
