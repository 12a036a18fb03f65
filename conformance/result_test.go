package conformance_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sluicego/sluice/conformance"
)

// What people see of a result.
func TestResult_String(t *testing.T) {
	texts := func(list ...string) (l []json.RawMessage) {
		for _, text := range list {
			l = append(l, json.RawMessage(text))
		}
		return l
	}
	v := conformance.Vector{
		ID: "group/join/one", Shows: "one that blocks blocks the group", Rules: []string{"GRP-1", "GRP-2"},
		Given: json.RawMessage(`{"a": 1}`), When: texts(`{"do": "x"}`, "{\n\"do\": \"y\"}"),
		Then: conformance.Then{Steps: texts(`{"outcome": "taken"}`, `{}`), End: json.RawMessage(`{"status": "<done>"}`)},
	}
	given := conformance.Question{ID: v.ID, Given: v.Given, When: v.When}
	turned := conformance.Question{ID: v.ID + "#2-1", Given: v.Given, When: texts(string(v.When[1]), string(v.When[0]))}
	const head = "group/join/one: one that blocks blocks the group (GRP-1, GRP-2)\n"
	tests := map[string]struct {
		result conformance.Result
		want   string
	}{
		"passed":    {conformance.Result{Vector: v, Verdict: conformance.Passed}, "passed " + head},
		"unknown":   {conformance.Result{Vector: v, Verdict: conformance.Unknown, Question: given}, "unknown " + head},
		"not asked": {conformance.Result{Vector: v, Verdict: conformance.NotAsked, Failure: "the program was given up"}, "not asked " + head + "  failure   the program was given up\n"},
		"differs": {
			conformance.Result{
				Vector: v, Verdict: conformance.Failed, Question: given,
				Got: conformance.Then{Steps: texts(`{ "outcome": "stale" }`, `{`), End: json.RawMessage(`{"status":"é"}`)},
				Differences: []conformance.Difference{
					{Path: "steps[0].outcome", Expected: `"taken"`, Got: `"stale"`}, {Path: "end.x", Expected: `1`},
				},
			},
			"failed " + head + `
  given     {"a":1}
  when      1. {"do":"x"}
  when      2. {"do":"y"}
  expected  1. {"outcome":"taken"}
  expected  2. {}
  expected  end {"status":"<done>"}
  got       1. {"outcome":"stale"}
  got       2. {
  got       end {"status":"é"}
  differs   steps[0].outcome: expected "taken", got "stale"
  differs   end.x: expected 1, got nothing
`,
		},
		"no answer, in another order": {
			conformance.Result{
				Vector: v, Verdict: conformance.Failed, Question: turned,
				Failure: "it ended (exit status 3)", Stderr: "boom\r\n\n  at line 1",
			},
			"failed " + head + `
  in the order 2-1
  given     {"a":1}
  when      1. {"do":"y"}
  when      2. {"do":"x"}
  expected  1. {"outcome":"taken"}
  expected  2. {}
  expected  end {"status":"<done>"}
  failure   it ended (exit status 3)
  stderr    boom
  stderr    
  stderr      at line 1
`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, strings.Replace(tt.want, "\n\n", "\n", 1), tt.result.String())
		})
	}
}
