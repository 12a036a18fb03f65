package looplab_test

import (
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/fsm/looplab"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestACT1ACT2Diagrams(t *testing.T) {
	for _, m := range action.Machines() {
		golden(t, m.Name()+".mmd", looplab.Mermaid(m))
		golden(t, m.Name()+".dot", looplab.Dot(m))
	}
}

func TestDiagramsOfAwkwardNames(t *testing.T) {
	states := goodStates()
	m := fsm.MustCompile(fsm.Table[state, event]{
		Name: `a "machine"\`, States: states, Initial: states,
		Rows: []row{
			{Event: 6, From: []state{1, 2, 3}, To: 4},
			{Event: 7, From: []state{1, 4}, To: 5},
			{Event: 8, From: []state{1, 5}, To: 6},
			{Event: 9, From: []state{1}, To: 6},
		},
	})
	golden(t, "awkward.mmd", looplab.Mermaid(m))
	golden(t, "awkward.dot", looplab.Dot(m))
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update to write it")
	assert.Equal(t, string(want), got, "%s differs; if it is right, run go test -update", path)
}

// Names that Mermaid would take for a word of its own become labels; others
// stay ids, which read better.
func TestMermaidIDs(t *testing.T) {
	draw := func(s state) string {
		return looplab.Mermaid(fsm.MustCompile(fsm.Table[state, event]{
			Name: "m", States: []state{s}, Initial: []state{s},
		}))
	}
	for s, name := range map[state]string{1: "draft", 2: "awaiting_data", 12: "before_go", 17: "s1"} {
		require.Equal(t, name, s.String())
		assert.Equal(t, "stateDiagram-v2\n    [*] --> "+name+"\n    "+name+" --> [*]\n", draw(s))
	}
	for s, label := range map[state]string{
		3: "end", 4: "State", 5: "note", 6: "say#32;#34;hi#34;", 7: "back#92;slash#92;N", 8: "a#58;#32;b#59;#32;c",
		9: "été#32;à#32;la#32;终", 14: "#60;#60;fork#62;#62;", 15: "line#92;nbreak#92;x00",
		16: "#38;lt#59;", 18: "--#62;", 19: "#91;#42;#93;", 22: "#34;#34;",
		13: "#100;#105;#114;#101;#99;#116;#105;#111;#110;#32;#84;#66;",
		20: "#114;#101;#100;#105;#114;#101;#99;#116;#105;#111;#110;",
	} {
		assert.Equal(t, "stateDiagram-v2\n    state \""+label+"\" as s0\n    [*] --> s0\n    s0 --> [*]\n", draw(s))
	}
}

// Ids that two states shared would make one of them.
func TestDiagramsKeepNamesakesApart(t *testing.T) {
	const one, other = state(23), state(24)
	require.Equal(t, one.String(), other.String())
	m := fsm.MustCompile(fsm.Table[state, event]{
		Name: "m", States: []state{one, other}, Initial: []state{one},
		Rows: []row{{Event: 1, From: []state{one}, To: other}},
	})
	assert.Contains(t, looplab.Mermaid(m), "    s0 --> s1 : go\n")
	assert.Contains(t, looplab.Dot(m), `    "s0" -> "s1" [label="go"];`+"\n")
}

func TestDiagramsOfNothing(t *testing.T) {
	assert.Equal(t, "stateDiagram-v2\n", looplab.Mermaid(new(machine)))
	assert.Equal(t, "digraph \"\\\"\\\"\" {\n    rankdir=LR;\n    \"[*]\" [shape=point];\n}\n", looplab.Dot(new(machine)))
}

// Whatever the names, each line of a diagram can be read back, and together
// they say what the machine says: no name can break out of its place.
func TestDiagramsSayWhatMachinesSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := machines().Draw(t, "machine")
		want := arrowsOf(m)
		mermaid := looplab.Mermaid(m)
		require.Equal(t, want, readMermaid(t, mermaid))
		require.Equal(t, want, readDot(t, looplab.Dot(m)))
		require.Equal(t, mermaid, looplab.Mermaid(m), "a diagram is the same each time")
	})
}

// arrowsOf lists "from -label-> to" for all that a diagram of m has to show.
func arrowsOf(m *machine) []string {
	var all []string
	for _, s := range m.Initial() {
		all = append(all, "[*] --> "+visible(s))
	}
	for _, from := range m.States() {
		for _, to := range m.States() {
			var labels []string
			for e := range m.Allowed(from) {
				if next, err := m.Next(from, e); err == nil && next == to {
					labels = append(labels, visible(e))
				}
			}
			if labels != nil {
				all = append(all, fmt.Sprintf("%s -%s-> %s", visible(from), strings.Join(labels, ", "), visible(to)))
			}
		}
	}
	for _, s := range m.Terminal() {
		all = append(all, visible(s)+" --> [*]")
	}
	slices.Sort(all)
	return all
}

// visible shows the only invisible characters of the names in these tests.
func visible(name fmt.Stringer) string {
	return strings.NewReplacer("\n", `\n`, "\x00", `\x00`).Replace(name.String())
}

var (
	mermaidState = regexp.MustCompile(`^    state "([^"]*)" as (s\d+)$`)
	mermaidArrow = regexp.MustCompile(`^    (\[\*\]|\w+) --> (\[\*\]|\w+)(?: : ([^:]+))?$`)
	mermaidCode  = regexp.MustCompile(`#(\d+);`)
	mermaidSign  = regexp.MustCompile(`[^\pL\pN_.\-, #;]`)
	mermaidTurn  = regexp.MustCompile(`(?i)direction\s+(TB|BT|RL|LR)`)
)

func readMermaid(t *rapid.T, text string) []string {
	require.NotRegexp(t, mermaidTurn, text)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	require.Equal(t, "stateDiagram-v2", lines[0])
	decode := func(label string) string {
		require.NotRegexp(t, mermaidSign, label)
		return mermaidCode.ReplaceAllStringFunc(label, func(code string) string {
			n, err := strconv.Atoi(code[1 : len(code)-1])
			require.NoError(t, err)
			return string(rune(n))
		})
	}
	labels := map[string]string{}
	named := func(id string) string {
		if label, ok := labels[id]; ok {
			return label
		}
		return id
	}
	var all []string
	for _, line := range lines[1:] {
		if found := mermaidState.FindStringSubmatch(line); found != nil {
			labels[found[2]] = decode(found[1])
			continue
		}
		found := mermaidArrow.FindStringSubmatch(line)
		require.NotNil(t, found, "%q", line)
		all = append(all, fmt.Sprintf("%s -%s-> %s", named(found[1]), decode(found[3]), named(found[2])))
	}
	slices.Sort(all)
	return all
}

var (
	dotNode = regexp.MustCompile(`^    ("(?:[^"\\]|\\.)*")(?: \[(?:label=("(?:[^"\\]|\\.)*"))?(?:, )?(shape=\w+)?\])?;$`)
	dotEdge = regexp.MustCompile(`^    ("(?:[^"\\]|\\.)*") -> ("(?:[^"\\]|\\.)*")(?: \[label=("(?:[^"\\]|\\.)*")\])?;$`)
)

func readDot(t *rapid.T, text string) []string {
	lines := strings.Split(strings.TrimSuffix(text, "\n}\n"), "\n")
	require.Equal(t, []string{`digraph "random" {`, `    rankdir=LR;`, `    "[*]" [shape=point];`}, lines[:3])
	decode := func(quoted string) string {
		return html.UnescapeString(strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(quoted[1 : len(quoted)-1]))
	}
	labels := map[string]string{`"[*]"`: "[*]"}
	var all []string
	for _, line := range lines[3:] {
		if node := dotNode.FindStringSubmatch(line); node != nil {
			labels[node[1]] = decode(node[1])
			if node[2] != "" {
				labels[node[1]] = decode(node[2])
			}
			if node[3] == "shape=doublecircle" {
				all = append(all, labels[node[1]]+" --> [*]")
			}
			continue
		}
		edge := dotEdge.FindStringSubmatch(line)
		require.NotNil(t, edge, "%q", line)
		require.Contains(t, labels, edge[1])
		require.Contains(t, labels, edge[2])
		label := ""
		if edge[3] != "" {
			label = decode(edge[3])
		}
		all = append(all, fmt.Sprintf("%s -%s-> %s", labels[edge[1]], label, labels[edge[2]]))
	}
	slices.Sort(all)
	return all
}
