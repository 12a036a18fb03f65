package answer_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/conformance/answer"
)

// This library follows every rule that a vector shows.
func TestAnswer(t *testing.T) {
	conformance.Run(t, answer.Answer)
}

// begins has what each area is given where its steps are tried.
var begins = map[string]string{
	"resource": `{"resource": {"type": "signature_request", "status": "draft", "as_of": "2025-09-22T14:30:00Z"}}`,
	"attempt":  `{"session_id": "s1", "attempts": [{"id": "v1", "type": "company_verification", "status": "pending"}]}`,
	"resolve":  `{"session_id": "s1", "attempts": [{"id": "v1", "type": "company_verification", "status": "pending"}]}`,
	"group":    `{"group_type": "company_verification"}`,
	"session":  `{}`, "json": `{}`, "subscription": `{}`, "signature": `{}`,
	"match":    `{"subscriptions": []}`,
	"delivery": `{"created_at": "2025-09-22T14:30:00Z", "subscription": {"enabled": true, "auto_retry": true}}`,
	"health":   `{"deliveries": [{"id": "d1", "created_at": "2025-09-22T14:30:00Z"}]}`,
	"envelope": `{"policy": {"gone_ends": false}}`,
}

// ask asks for one step, in an area as it begins.
func ask(area, step string) error {
	_, err := answer.Answer(conformance.Question{
		ID: "test", Area: area, Given: json.RawMessage(begins[area]), When: []json.RawMessage{json.RawMessage(step)},
	})
	return err
}

// formatted returns the steps of each area as the tables of FORMAT.md have them.
func formatted(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "FORMAT.md"))
	require.NoError(t, err)
	heading := regexp.MustCompile("^Areas? `([a-z]+)`(?: and `([a-z]+)`)?")
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)`")
	steps := map[string][]string{}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		areas := heading.FindStringSubmatch(section)
		if areas == nil {
			continue
		}
		for _, area := range areas[1:] {
			for _, m := range row.FindAllStringSubmatch(section, -1) {
				if area != "" && !slices.Contains(steps[area], m[1]) {
					steps[area] = append(steps[area], m[1])
				}
			}
		}
	}
	steps["match"] = []string{"match"} // a sentence, without a table
	steps["json"] = append(steps["json"], steps["session"]...)
	return steps
}

// Every step of FORMAT.md is known in its area, and nowhere else.
func TestAnswer_knowsTheSteps(t *testing.T) {
	steps := formatted(t)
	assert.ElementsMatch(t, conformance.Areas(), slices.Collect(maps.Keys(steps)))
	everywhere := map[string]bool{"": true, "none": true}
	for _, list := range steps {
		for _, step := range list {
			everywhere[step] = true
		}
	}
	assert.Len(t, everywhere, 2+36)
	for area, list := range steps {
		for step := range everywhere {
			err := ask(area, fmt.Sprintf(`{"do": %q}`, step))
			unknown := fmt.Sprintf("step 1: there is no step %q", step)
			if !slices.Contains(list, step) {
				assert.EqualError(t, err, unknown, area)
			} else if err != nil {
				assert.NotEqual(t, unknown, err.Error(), area)
			}
		}
	}
}

// Each step of FORMAT.md is taken by a vector, of one of the areas that share it.
func TestVectors_takeEveryStep(t *testing.T) {
	shared := map[string]string{"resolve": "attempt", "json": "session"}
	taken := map[string]bool{}
	for _, v := range conformance.Vectors() {
		for _, text := range v.When {
			var step struct{ Do string }
			require.NoError(t, json.Unmarshal(text, &step))
			taken[v.Area()+" "+step.Do] = true
			taken[shared[v.Area()]+" "+step.Do] = true
		}
	}
	for area, list := range formatted(t) {
		for _, step := range list {
			assert.True(t, taken[area+" "+step] || taken[shared[area]+" "+step], "no vector of area %s takes the step %s", area, step)
		}
	}
}

// An area that is not known is not an error of the question.
func TestAnswer_unknownArea(t *testing.T) {
	for _, area := range []string{"", "Resource", "resources"} {
		_, err := answer.Answer(conformance.Question{Area: area, Given: json.RawMessage(`{}`)})
		require.ErrorIs(t, err, conformance.ErrUnknownArea)
		assert.ErrorContains(t, err, fmt.Sprintf("%q", area))
	}
}

// free has the members whose contents are not the format's: inputs, documents of
// the public API, what a call carries. Settings are among them since the library
// reads them as a document, in which it passes over what it does not know.
var free = []string{"inputs", "document", "items", "data", "settings"}

// misspelt yields an object with each of its members misspelt in turn, also those
// of the objects in it.
func misspelt(object json.RawMessage, path string, yield func(path string, broken json.RawMessage)) {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil || members == nil {
		return
	}
	with := func(change func(map[string]json.RawMessage)) json.RawMessage {
		clone := maps.Clone(members)
		change(clone)
		text, err := json.Marshal(clone)
		if err != nil {
			panic(err)
		}
		return text
	}
	for name, value := range members {
		if name != "do" {
			yield(path+name, with(func(m map[string]json.RawMessage) {
				delete(m, name)
				m[name+"_"] = value
			}))
		}
		if !slices.Contains(free, name) {
			misspelt(value, path+name+".", func(path string, broken json.RawMessage) {
				yield(path, with(func(m map[string]json.RawMessage) { m[name] = broken }))
			})
		}
	}
}

// A member that the format does not have is a failure and not passed over, in
// whatever a vector gives and in every step that it takes.
func TestAnswer_misspeltMembers(t *testing.T) {
	const enough = 5 // times that a member is misspelt, in as many vectors
	tried := map[string]int{}
	passedOver := map[string]bool{} // by area and place
	for _, v := range conformance.Vectors() {
		misspelt(v.Given, v.Area()+" given ", func(path string, broken json.RawMessage) {
			if tried[path]++; tried[path] > enough {
				return
			}
			if _, err := answer.Answer(conformance.Question{Area: v.Area(), Given: broken, When: v.When}); err == nil {
				passedOver[path] = true
			}
		})
		for i, step := range v.When {
			var head struct{ Do string }
			require.NoError(t, json.Unmarshal(step, &head))
			misspelt(step, v.Area()+" "+head.Do+" ", func(path string, broken json.RawMessage) {
				if tried[path]++; tried[path] > enough {
					return
				}
				when := append(slices.Clone(v.When[:i]), broken)
				_, err := answer.Answer(conformance.Question{Area: v.Area(), Given: v.Given, When: when})
				if err == nil {
					passedOver[path] = true
				}
			})
		}
	}
	assert.Empty(t, slices.Sorted(maps.Keys(passedOver)))
	assert.Greater(t, len(tried), 200, "members, of so many kinds")
}
