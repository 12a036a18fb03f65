package conformance_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
)

// ordered is a vector for all orders of some steps.
func ordered(steps int) conformance.Vector {
	v := conformance.Vector{ID: "resource/late/x", Orders: "all", Given: json.RawMessage(`{"a": 1}`)}
	for i := range steps {
		v.When = append(v.When, json.RawMessage(fmt.Sprintf(`{"do": "step %d"}`, i+1)))
	}
	return v
}

// A vector without orders is one question, which has its id.
func TestQuestions_one(t *testing.T) {
	v := ordered(3)
	v.Orders = ""
	assert.Equal(t, []conformance.Question{{ID: v.ID, Area: "resource", Given: v.Given, When: v.When}}, slices.Collect(v.Questions()))
}

// A vector for all orders is a question for each order, the given one first, and
// the id of each says the order.
func TestQuestions_allOrders(t *testing.T) {
	factorial := 1
	for steps := 1; steps <= 5; steps++ {
		factorial *= steps
		v := ordered(steps)
		questions := slices.Collect(v.Questions()) // collected, so none may change when the next one is made
		require.Len(t, questions, factorial)
		assert.Equal(t, v.When, questions[0].When)
		seen := map[string]bool{}
		for _, q := range questions {
			id, order, _ := strings.Cut(q.ID, "#")
			assert.Equal(t, v.ID, id)
			assert.Equal(t, "resource", q.Area)
			assert.Equal(t, v.Given, q.Given)
			assert.ElementsMatch(t, v.When, q.When)
			for i, number := range strings.Split(order, "-") {
				assert.JSONEq(t, fmt.Sprintf(`{"do": "step %s"}`, number), string(q.When[i]), q.ID)
			}
			assert.False(t, seen[q.ID], "%s comes twice", q.ID)
			seen[q.ID] = true
		}
	}
}

// The orders of three steps as FORMAT.md writes their ids.
func TestQuestions_ids(t *testing.T) {
	var ids []string
	for q := range ordered(3).Questions() {
		ids = append(ids, strings.TrimPrefix(q.ID, "resource/late/x#"))
	}
	assert.Equal(t, []string{"1-2-3", "1-3-2", "2-1-3", "2-3-1", "3-1-2", "3-2-1"}, ids)
}

// Who has seen enough gets no more, wherever that is.
func TestQuestions_break(t *testing.T) {
	for enough := 1; enough <= 24; enough++ {
		asked := 0
		for range ordered(4).Questions() {
			if asked++; asked == enough {
				break
			}
		}
		assert.Equal(t, enough, asked)
	}
}

// Every vector is of an area, and the areas come in their order.
func TestVectors_order(t *testing.T) {
	last := 0
	for _, v := range conformance.Vectors() {
		at := slices.Index(conformance.Areas(), v.Area())
		require.GreaterOrEqual(t, at, last, v.ID)
		last = at
	}
}

// The list is the caller's own.
func TestVectors_copy(t *testing.T) {
	list := conformance.Vectors()
	list[0], list[1] = list[1], list[0]
	assert.NotEqual(t, list[0].ID, conformance.Vectors()[0].ID)
}
