package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "format the files of vectors, and take the texts of the rules from SPEC.md")

var (
	idForm   = regexp.MustCompile(`^[a-z]+/[a-z0-9-]+/[a-z0-9-]+$`)
	ruleForm = regexp.MustCompile(`^[A-Z]{3}-[0-9]+$`)
)

// vectorFiles returns every file of vectors, whether its area is known or not.
func vectorFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("vectors/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

func TestFiles_areFormatted(t *testing.T) {
	for _, name := range vectorFiles(t) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		formatted, err := format(text)
		require.NoError(t, err, name)
		if *update {
			require.NoError(t, os.WriteFile(name, formatted, 0o600))
			continue
		}
		assert.Equal(t, string(formatted), string(text), "%s: format it by go test ./conformance -update", name)
		again, err := format(formatted)
		require.NoError(t, err)
		assert.Equal(t, string(formatted), string(again), "formatting twice is formatting once")
	}
}

func TestFiles_haveTheirVectors(t *testing.T) {
	fsys := os.DirFS(".")
	total := 0
	for _, name := range vectorFiles(t) {
		f, err := readFile(fsys, filepath.ToSlash(name))
		require.NoError(t, err)
		prefix := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(name), "vectors/"), ".json") + "/"
		assert.Contains(t, Areas(), strings.Split(prefix, "/")[0], "%s is in no area", name)
		assert.NotEmpty(t, f.Behaviour, "%s: what behaviour is it about?", name)
		assert.NotEmpty(t, f.Vectors, name)
		for _, v := range f.Vectors {
			assert.True(t, strings.HasPrefix(v.ID, prefix), "%s stands in %s", v.ID, name)
		}
		total += len(f.Vectors)
	}
	assert.Len(t, Vectors(), total, "a file is not embedded")
}

// faults returns what is wrong with a set of vectors as a whole.
func faults(vectors []Vector, rules []Requirement) []string {
	var list []string
	fault := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	ids, shows := map[string]bool{}, map[string]string{}
	shown, refusals := map[string]int{}, map[string]int{}
	for _, v := range vectors {
		if !idForm.MatchString(v.ID) {
			fault("%s: the id has another form", v.ID)
		}
		if ids[v.ID] {
			fault("%s: two vectors have this id", v.ID)
		}
		ids[v.ID] = true
		if other, twice := shows[v.Area()+v.Shows]; twice {
			fault("%s: it shows what %s shows: %s", v.ID, other, v.Shows)
		}
		shows[v.Area()+v.Shows] = v.ID
		if v.Shows == "" || strings.HasSuffix(v.Shows, ".") {
			fault("%s: what it shows is a clause", v.ID)
		}
		if v.Kind != Usual && v.Kind != Edge && v.Kind != Refusal {
			fault("%s: there is no kind %q", v.ID, v.Kind)
		}
		if v.Given == nil || v.When == nil || v.Then.Steps == nil && v.Then.End == nil {
			fault("%s: one of given, when and then is missing", v.ID)
		}
		if v.Then.Steps != nil && len(v.Then.Steps) != len(v.When) {
			fault("%s: %d steps have %d results", v.ID, len(v.When), len(v.Then.Steps))
		}
		if v.Orders != "" && (v.Orders != "all" || len(v.When) > 5 || v.Then.Steps != nil) {
			fault("%s: no vector for all orders", v.ID)
		}
		if len(v.Rules) == 0 {
			fault("%s: it is about no rule", v.ID)
		}
		for _, rule := range v.Rules {
			if !slices.ContainsFunc(rules, func(r Requirement) bool { return r.ID == rule }) {
				fault("%s: there is no rule %s", v.ID, rule)
			}
			shown[rule]++
			if v.Kind == Refusal {
				refusals[rule]++
			}
		}
	}
	for _, r := range rules {
		if shown[r.ID] < 2 {
			fault("%s: %d vectors show it, and two are wanted", r.ID, shown[r.ID])
		}
		if r.Refuses && refusals[r.ID] == 0 {
			fault("%s: no vector of kind refusal shows it", r.ID)
		}
	}
	return list
}

func TestVectors(t *testing.T) {
	vectors := Vectors()
	assert.Empty(t, faults(vectors, Requirements()))
	assert.GreaterOrEqual(t, len(vectors), 400)
	special := 0
	for _, v := range vectors {
		if v.Kind != Usual {
			special++
		}
	}
	assert.GreaterOrEqual(t, special*100, len(vectors)*40, "%d of %d are refusals or edges", special, len(vectors))
	t.Logf("%d vectors, %d of them refusals or edges", len(vectors), special)
}

// Each fault is found in a set that is sound but for it.
func TestVectors_twins(t *testing.T) {
	sound := func() []Vector {
		kind := []Kind{Refusal, Usual}
		list := make([]Vector, 2)
		for i := range list {
			list[i] = Vector{
				ID: fmt.Sprintf("group/join/v%d", i), Shows: fmt.Sprintf("thing %d", i), Rules: []string{"GRP-1"}, Kind: kind[i],
				Given: []byte(`{}`), When: nil, Then: Then{End: []byte(`{}`)},
			}
			list[i].When = append(list[i].When, []byte(`{}`))
		}
		return list
	}
	rules := []Requirement{{ID: "GRP-1", Refuses: true}}
	require.Empty(t, faults(sound(), rules))
	twins := map[string]func(v *Vector){
		"form of the id":     func(v *Vector) { v.ID = "group/Join" },
		"id twice":           func(v *Vector) { v.ID = "group/join/v1" },
		"shows the same":     func(v *Vector) { v.Shows = "thing 1" },
		"shows nothing":      func(v *Vector) { v.Shows = "" },
		"a full stop":        func(v *Vector) { v.Shows += "." },
		"kind":               func(v *Vector) { v.Kind = "refused" },
		"no given":           func(v *Vector) { v.Given = nil },
		"no then":            func(v *Vector) { v.Then = Then{} },
		"number of results":  func(v *Vector) { v.Then.Steps = append(v.Then.Steps, v.When[0], v.When[0]) },
		"orders":             func(v *Vector) { v.Orders = "some" },
		"orders with steps":  func(v *Vector) { v.Orders, v.Then.Steps = "all", v.When },
		"orders of six":      func(v *Vector) { v.Orders = "all"; v.When = slices.Repeat(v.When, 6) },
		"no rule":            func(v *Vector) { v.Rules = nil },
		"unknown rule":       func(v *Vector) { v.Rules = append(v.Rules, "GRP-"+"99") },
		"rule without proof": func(v *Vector) { v.Kind = Edge },
	}
	for name, change := range twins {
		broken := sound()
		change(&broken[0])
		assert.NotEmpty(t, faults(broken, rules), name)
	}
}
