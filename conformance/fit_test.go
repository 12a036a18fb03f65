package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/conformance"
)

// differences holds a value against a pattern, and writes what differs in lines.
func differences(pattern, got string) []string {
	v := conformance.Vector{Then: conformance.Then{End: json.RawMessage(pattern)}}
	var list []string
	for _, d := range v.Differences(conformance.Then{End: json.RawMessage(got)}) {
		list = append(list, d.String())
	}
	return list
}

// Each sentence of FORMAT.md about patterns, with what fits and what does not.
func TestDifferences(t *testing.T) {
	type values []string
	sentences := map[string][]struct {
		pattern string
		fits    values
		differs map[string]string // value: how
	}{
		"it has every member that the pattern has": {{
			pattern: `{"a": 1, "b": {"c": "x"}}`,
			fits:    values{`{"a": 1, "b": {"c": "x"}}`, `{"b": {"c": "x"}, "a": 1}`},
			differs: map[string]string{
				`{"b": {"c": "x"}}`:           `end.a: expected 1, got nothing`,
				`{"a": 1}`:                    `end.b: expected {"c":"x"}, got nothing`,
				`{"a": 1, "b": {}}`:           `end.b.c: expected "x", got nothing`,
				`{"A": 1, "b": {"c": "x"}}`:   `end.a: expected 1, got nothing`,
				`{"a": 1, "b": [{"c": "x"}]}`: `end.b: expected {"c":"x"}, got [{"c":"x"}]`,
				`null`:                        `end: expected {"a":1,"b":{"c":"x"}}, got null`,
			},
		}},
		"members that the pattern leaves out are not looked at": {{
			pattern: `{"a": {}}`,
			fits:    values{`{"a": {}}`, `{"a": {"b": null}, "c": [{}]}`},
			differs: map[string]string{`{"a": []}`: `end.a: expected {}, got []`},
		}},
		"lists fit if they are as long and fit element by element": {{
			pattern: `{"l": [1, {"a": 2}]}`,
			fits:    values{`{"l": [1, {"a": 2}]}`, `{"l": [1, {"a": 2, "b": 3}]}`},
			differs: map[string]string{
				`{"l": [1]}`:              `end.l: expected [1,{"a":2}], got [1]`,
				`{"l": [1, {"a": 2}, 3]}`: `end.l: expected [1,{"a":2}], got [1,{"a":2},3]`,
				`{"l": [1, {"a": 3}]}`:    `end.l[1].a: expected 2, got 3`,
				`{"l": [{"a": 2}, 1]}`:    `end.l[0]: expected 1, got {"a":2}; end.l[1]: expected {"a":2}, got 1`,
				`{"l": {"0": 1}}`:         `end.l: expected [1,{"a":2}], got {"0":1}`,
			},
		}, {
			pattern: `{"l": []}`,
			fits:    values{`{"l": []}`},
			differs: map[string]string{`{"l": [null]}`: `end.l: expected [], got [null]`, `{}`: `end.l: expected [], got nothing`},
		}},
		"numbers fit if they are the same number": {{
			pattern: `{"n": 1}`,
			fits:    values{`{"n": 1}`, `{"n": 1.0}`, `{"n": 10e-1}`, `{"n": 1E0}`},
			differs: map[string]string{
				`{"n": 1.0000001}`: `end.n: expected 1, got 1.0000001`,
				`{"n": -1}`:        `end.n: expected 1, got -1`,
				`{"n": "1"}`:       `end.n: expected 1, got "1"`,
				`{"n": true}`:      `end.n: expected 1, got true`,
				`{"n": [1]}`:       `end.n: expected 1, got [1]`,
			},
		}, {
			pattern: `{"n": 0}`,
			fits:    values{`{"n": 0}`, `{"n": 0.0}`, `{"n": -0}`},
			differs: map[string]string{`{"n": null}`: `end.n: expected 0, got null`, `{"n": ""}`: `end.n: expected 0, got ""`},
		}, {
			pattern: `{"n": 100000000000000000000000}`,
			fits:    values{`{"n": 100000000000000000000000}`, `{"n": 1e23}`},
			differs: map[string]string{`{"n": 1e24}`: `end.n: expected 100000000000000000000000, got 1e24`},
		}, {
			pattern: `{"n": 1e400}`, // more than a double holds
			fits:    values{`{"n": 1e400}`},
			differs: map[string]string{`{"n": 1e401}`: `end.n: expected 1e400, got 1e401`, `{"n": 1}`: `end.n: expected 1e400, got 1`},
		}},
		"texts if they are the same text": {{
			pattern: `{"t": "1"}`,
			fits:    values{`{"t": "1"}`, `{"t": "\u0031"}`},
			differs: map[string]string{
				`{"t": 1}`:     `end.t: expected "1", got 1`,
				`{"t": "1.0"}`: `end.t: expected "1", got "1.0"`,
				`{"t": " 1"}`:  `end.t: expected "1", got " 1"`,
			},
		}, {
			pattern: `{"t": "<é>"}`,
			fits:    values{`{"t": "<\u00e9>"}`},
			differs: map[string]string{`{"t": "<e\u0301>"}`: `end.t: expected "<é>", got "<e` + "\u0301" + `>"`}, // é in two parts
		}, {
			pattern: `{"t": ""}`,
			fits:    values{`{"t": ""}`},
			differs: map[string]string{`{"t": null}`: `end.t: expected "", got null`, `{}`: `end.t: expected "", got nothing`},
		}},
		"true and false": {{
			pattern: `{"b": false}`,
			fits:    values{`{"b": false}`},
			differs: map[string]string{
				`{"b": true}`: `end.b: expected false, got true`,
				`{"b": null}`: `end.b: expected false, got null`,
				`{"b": 0}`:    `end.b: expected false, got 0`,
				`{}`:          `end.b: expected false, got nothing`,
			},
		}},
		"null is fitted by null and by leaving the member out": {{
			pattern: `{"a": null}`,
			fits:    values{`{"a": null}`, `{}`, `{"b": 1}`},
			differs: map[string]string{
				`{"a": ""}`:    `end.a: expected null, got ""`,
				`{"a": 0}`:     `end.a: expected null, got 0`,
				`{"a": false}`: `end.a: expected null, got false`,
				`{"a": {}}`:    `end.a: expected null, got {}`,
				`{"a": []}`:    `end.a: expected null, got []`,
			},
		}, {
			pattern: `{"l": [null]}`, // the elements of a list are no members
			fits:    values{`{"l": [null]}`},
			differs: map[string]string{`{"l": []}`: `end.l: expected [null], got []`},
		}, {
			pattern: `{"a": {"b": null}}`, // only that member may be left out
			fits:    values{`{"a": {}}`},
			differs: map[string]string{`{}`: `end.a: expected {"b":null}, got nothing`},
		}},
		"times are compared as texts": {{
			pattern: `{"at": "2025-09-22T14:30:00Z"}`,
			fits:    values{`{"at": "2025-09-22T14:30:00Z"}`},
			differs: map[string]string{
				`{"at": "2025-09-22T14:30:00+00:00"}`: `end.at: expected "2025-09-22T14:30:00Z", got "2025-09-22T14:30:00+00:00"`,
				`{"at": "2025-09-22T14:30:00.0Z"}`:    `end.at: expected "2025-09-22T14:30:00Z", got "2025-09-22T14:30:00.0Z"`,
			},
		}},
	}
	for sentence, tests := range sentences {
		t.Run(sentence, func(t *testing.T) {
			for _, tt := range tests {
				for _, got := range tt.fits {
					assert.Empty(t, differences(tt.pattern, got), "%s fits %s", got, tt.pattern)
				}
				for got, how := range tt.differs {
					assert.Equal(t, how, strings.Join(differences(tt.pattern, got), "; "), "%s, %s", tt.pattern, got)
				}
			}
		})
	}
}

// Steps and end are two patterns, and either may be left out.
func TestDifferences_stepsAndEnd(t *testing.T) {
	texts := func(steps ...string) []json.RawMessage {
		list := []json.RawMessage{}
		for _, s := range steps {
			list = append(list, json.RawMessage(s))
		}
		return list
	}
	taken, end := `{"outcome": "taken"}`, json.RawMessage(`{"status": "done"}`)
	got := conformance.Then{Steps: texts(taken, `{"error": "complete"}`), End: end}
	tests := map[string]struct {
		pattern conformance.Then
		want    []string
	}{
		"both fit":       {got, nil},
		"no steps":       {conformance.Then{End: end}, nil},
		"no end":         {conformance.Then{Steps: got.Steps}, nil},
		"neither":        {conformance.Then{}, nil},
		"one step fewer": {conformance.Then{Steps: texts(taken)}, []string{"steps: expected 1 results, got 2"}},
		"no steps at all are a pattern too": {
			conformance.Then{Steps: texts()},
			[]string{"steps: expected 0 results, got 2"},
		},
		"a step more, and what there is": {
			conformance.Then{Steps: texts(`{"outcome": "stale"}`, `{}`, `{}`)},
			[]string{"steps: expected 3 results, got 2", `steps[0].outcome: expected "stale", got "taken"`},
		},
		"everything that differs, in order": {
			conformance.Then{Steps: texts(`{"outcome": "stale"}`, `{"error": "resolved"}`), End: json.RawMessage(`{"status": "blocked"}`)},
			[]string{
				`steps[0].outcome: expected "stale", got "taken"`, `steps[1].error: expected "resolved", got "complete"`,
				`end.status: expected "blocked", got "done"`,
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var list []string
			for _, d := range (conformance.Vector{Then: tt.pattern}).Differences(got) {
				list = append(list, d.String())
			}
			assert.Equal(t, tt.want, list)
		})
	}
}

// What is no JSON fits nothing, and is told as it is.
func TestDifferences_noJSON(t *testing.T) {
	assert.Equal(t, []string{`end: expected {}, got what is no JSON: {"a"`}, differences(`{}`, `{"a"`))
	assert.Len(t, differences(`{}`, ``), 1, "an answer without an end")
	assert.Len(t, differences(`{`, `{}`), 1)
}

// JSON values that are put together at random. A text may look like another
// value, and a number is written in several ways.
var (
	drawScalar = rapid.OneOf(
		rapid.SampledFrom([]any{nil, true, false, "", "null", "1", "1.0", "é", "{}", json.Number("0"), json.Number("1.0"), json.Number("-3e2")}),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(n int64) any { return json.Number(fmt.Sprint(n)) }),
	)
	drawValue = draw(4)
)

func draw(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return drawScalar
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return draw(depth - 1) })
	names := rapid.StringMatching(`[a-z]{1,2}`)
	return rapid.OneOf(
		drawScalar,
		rapid.Map(rapid.SliceOfN(inner, 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(names, inner, 0, 4), func(m map[string]any) any { return m }),
	)
}

// scalar is a scalar in a value: where it is, and the same value with another one
// in its place.
type scalar struct {
	path string
	old  any
	with func(any) any
}

func scalars(path string, v any) []scalar {
	var list []scalar
	inner := func(path string, member any, with func(any) any) {
		for _, s := range scalars(path, member) {
			list = append(list, scalar{s.path, s.old, func(other any) any { return with(s.with(other)) }})
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner(path+"."+name, v[name], func(other any) any {
				m := maps.Clone(v)
				m[name] = other
				return m
			})
		}
	case []any:
		for i := range v {
			inner(fmt.Sprintf("%s[%d]", path, i), v[i], func(other any) any {
				l := slices.Clone(v)
				l[i] = other
				return l
			})
		}
	default:
		list = append(list, scalar{path, v, func(other any) any { return other }})
	}
	return list
}

// pruned is a value of which some members of objects are taken out.
func pruned(t *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if rapid.Bool().Draw(t, "keep "+name) {
				m[name] = pruned(t, v[name])
			}
		}
		return m
	case []any:
		l := slices.Clone(v)
		for i := range l {
			l[i] = pruned(t, l[i])
		}
		return l
	default:
		return v
	}
}

// differ is a way of holding a value against a pattern: it returns the paths.
type differ func(pattern, got any) []string

// kit is the way of this package.
func kit(pattern, got any) []string {
	p, err := json.Marshal(pattern)
	if err != nil {
		panic(err)
	}
	g, err := json.Marshal(got)
	if err != nil {
		panic(err)
	}
	var paths []string
	for _, d := range (conformance.Vector{Then: conformance.Then{End: p}}).Differences(conformance.Then{End: g}) {
		paths = append(paths, d.Path)
	}
	return paths
}

// laws of patterns, each an error where it does not hold.
var laws = map[string]func(*rapid.T, differ) error{
	"a value fits itself": func(t *rapid.T, d differ) error {
		v := drawValue.Draw(t, "value")
		return no(d(v, v))
	},
	"a pattern with fewer members fits too": func(t *rapid.T, d differ) error {
		v := drawValue.Draw(t, "value")
		return no(d(pruned(t, v), v))
	},
	"another scalar differs, there and nowhere else": func(t *rapid.T, d differ) error {
		v := drawValue.Draw(t, "value")
		all := scalars("end", v)
		if len(all) == 0 {
			return nil
		}
		s := rapid.SampledFrom(all).Draw(t, "scalar")
		other := "no " + fmt.Sprint(s.old) // a text that no scalar of v is
		if got := d(v, s.with(other)); !slices.Equal(got, []string{s.path}) {
			return fmt.Errorf("%s was changed, and %q differ", s.path, got)
		}
		return nil
	},
	"a list of another length differs": func(t *rapid.T, d differ) error {
		l := rapid.SliceOfN(drawValue, 0, 4).Draw(t, "list")
		longer := append(slices.Clone(l), drawValue.Draw(t, "one more"))
		if len(d(l, longer)) == 0 || len(d(longer, l)) == 0 {
			return fmt.Errorf("%d elements fit %d", len(longer), len(l))
		}
		return nil
	},
}

func no(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	return fmt.Errorf("%q differ", paths)
}

func TestDifferences_Laws(t *testing.T) {
	for name, law := range laws {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { require.NoError(t, law(t, kit)) })
		})
	}
}

// The laws are not blind: each of these is found out by its own.
func TestDifferences_Twins(t *testing.T) {
	twins := map[string]struct {
		law  string
		twin differ
	}{
		"nothing fits": {"a value fits itself", func(_, _ any) []string { return []string{"end"} }},
		"all members have to be there": {"a pattern with fewer members fits too", func(p, g any) []string {
			return append(kit(p, g), kit(g, p)...)
		}},
		"everything fits": {"another scalar differs, there and nowhere else", func(_, _ any) []string { return nil }},
		"the path is that of the whole": {"another scalar differs, there and nowhere else", func(p, g any) []string {
			if len(kit(p, g)) > 0 {
				return []string{"end"}
			}
			return nil
		}},
		"a list may go on": {"a list of another length differs", func(p, g any) []string {
			if l, ok := g.([]any); ok && len(l) > len(p.([]any)) {
				g = l[:len(p.([]any))]
			}
			return kit(p, g)
		}},
	}
	for name, tt := range twins {
		t.Run(name, func(t *testing.T) {
			holds := rapid.Custom(func(t *rapid.T) bool { return laws[tt.law](t, tt.twin) == nil })
			seed := 0
			for seed < 200 && holds.Example(seed) {
				seed++
			}
			assert.Less(t, seed, 200, "%s: it holds", tt.law)
		})
	}
}
