package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ruleLine begins a rule in SPEC.md; what belongs to it is indented.
var ruleLine = regexp.MustCompile(`^- \*\*([A-Z]{3}-[0-9]+)\*\* \(([A-Z, ]+)\) (.+)$`)

// parseSpec reads the rules out of the document for people.
func parseSpec(document string) []Requirement {
	var list []Requirement
	inRule := false
	for line := range strings.Lines(document) {
		line = strings.TrimRight(line, "\n")
		switch m := ruleLine.FindStringSubmatch(line); {
		case m != nil:
			list = append(list, Requirement{ID: m[1], Sources: strings.Split(m[2], ", "), Text: m[3]})
			inRule = true
		case inRule && (line == "" || strings.HasPrefix(line, "  ")):
			list[len(list)-1].Text += "\n" + strings.TrimPrefix(line, "  ")
		default:
			inRule = false
		}
	}
	for i := range list {
		list[i].Text = strings.TrimSpace(list[i].Text)
	}
	return list
}

// The document and the data say the same. Whether a rule refuses stands in the
// data alone.
func TestRequirements(t *testing.T) {
	document, err := os.ReadFile("SPEC.md")
	require.NoError(t, err)
	want := parseSpec(string(document))
	for i, r := range want {
		j := slices.IndexFunc(Requirements(), func(o Requirement) bool { return o.ID == r.ID })
		want[i].Refuses = j >= 0 && Requirements()[j].Refuses
	}
	if *update {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		require.NoError(t, e.Encode(want))
		require.NoError(t, os.WriteFile("requirements.json", b.Bytes(), 0o600))
		return
	}
	assert.Equal(t, want, Requirements(), "take the texts from SPEC.md by go test ./conformance -run Requirements -update")
	assert.Len(t, want, strings.Count(string(document), "\n- **"), "a rule in SPEC.md has another form")
}

func TestRequirements_areWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Requirements() {
		assert.Regexp(t, ruleForm, r.ID)
		assert.False(t, seen[r.ID], "%s stands there twice", r.ID)
		seen[r.ID] = true
		assert.NotEmpty(t, r.Sources, r.ID)
		for _, s := range r.Sources {
			assert.Contains(t, []string{"U", "F", "W", "R", "A", "D"}, s, r.ID)
		}
		assert.Greater(t, len(r.Text), 20, r.ID)
		assert.NotContains(t, r.Text, "- **", "%s: another rule is in its text", r.ID)
	}
	assert.Len(t, seen, 66)
}

func TestParseSpec(t *testing.T) {
	list := parseSpec("# Rules\n\n- **RES-1** (U, D) These:\n\n  | a |\n\n  more\n- **RES-2** (A) Those.\n\n## Next\n\n  no part\n")
	assert.Equal(t, []Requirement{
		{ID: "RES-1", Sources: []string{"U", "D"}, Text: "These:\n\n| a |\n\nmore"},
		{ID: "RES-2", Sources: []string{"A"}, Text: "Those."},
	}, list)
}
