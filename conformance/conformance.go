// Package conformance holds implementations of the rules of workflow sessions,
// in any language, against the rules.
//
// # What is held against what
//
// [Requirements] are the rules, as SPEC.md beside this file has them for people.
// [Vectors] show them: a vector says where something begins, which steps are
// taken, and what has to come of it. FORMAT.md describes what stands in a vector,
// area by area, and the protocol of a line in and a line out by which a program
// is asked. Nothing else is needed to write one.
//
// # Three ways to ask
//
// [Drive] starts a program and asks it; it is what the command sluice conform
// does. [Run] asks an implementation in Go, with a subtest for each vector:
//
//	func TestConformance(t *testing.T) { conformance.Run(t, answer) }
//
// [Serve] is the other side: it lets an implementation in Go answer a [Drive].
// Package answer, beside this one, is sluice's own.
//
// # What a vector cannot show
//
// That something holds always, is random, takes constant time or survives a
// crash. FORMAT.md lists what is left out and which tests show it.
package conformance

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Vector says what an implementation has to do in one situation.
type Vector struct {
	// ID is AREA/BEHAVIOUR/NAME, and no other vector has it.
	ID string `json:"id"`
	// Shows says in a clause what the vector shows.
	Shows string `json:"shows"`
	// Rules are the ids of the rules that it is about, at least one.
	Rules []string `json:"rules"`
	Kind  Kind     `json:"kind"`
	// Given is where it begins, an object, and When the steps that are taken.
	// FORMAT.md says what they look like in each area.
	Given json.RawMessage   `json:"given"`
	When  []json.RawMessage `json:"when"`
	// Orders is "all" if the steps may come in any order, else "".
	Orders string `json:"orders,omitempty"`
	// Then is the pattern that what comes of it has to fit: see [Vector.Differences].
	Then Then `json:"then"`
}

// Kind says what sort of situation a vector is about.
type Kind string

// The kinds.
const (
	Usual   Kind = "usual"
	Edge    Kind = "edge"    // a limit, a coincidence, an order that surprises
	Refusal Kind = "refusal" // a step is refused, or something is not done
)

// Then is what comes of a question: the result of each step, and how it stands
// at the end. Of a vector, both are patterns, and one of them may be nil.
type Then struct {
	Steps []json.RawMessage `json:"steps,omitzero"`
	End   json.RawMessage   `json:"end,omitzero"`
}

// Question is what an implementation is asked. Questions are independent of
// each other.
type Question struct {
	ID    string            `json:"id"`
	Area  string            `json:"area"`
	Given json.RawMessage   `json:"given"`
	When  []json.RawMessage `json:"when"`
}

// Area returns the area of the vector, the first part of its id.
func (v Vector) Area() string {
	area, _, _ := strings.Cut(v.ID, "/")
	return area
}

// Questions yields what an implementation is asked: one question, or one for
// each order of the steps.
func (v Vector) Questions() iter.Seq[Question] {
	return func(yield func(Question) bool) {
		if v.Orders == "" {
			yield(Question{ID: v.ID, Area: v.Area(), Given: v.Given, When: v.When})
			return
		}
		for order := range permutations(len(v.When)) {
			q := Question{Area: v.Area(), Given: v.Given, When: make([]json.RawMessage, len(order))}
			numbers := make([]string, len(order))
			for i, step := range order {
				q.When[i], numbers[i] = v.When[step], strconv.Itoa(step+1)
			}
			q.ID = v.ID + "#" + strings.Join(numbers, "-")
			if !yield(q) {
				return
			}
		}
	}
}

// permutations yields every order of n things, the given one first. The slice
// is the same each time.
func permutations(n int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		order, used := make([]int, 0, n), make([]bool, n)
		var place func() bool
		place = func() bool {
			if len(order) == n {
				return yield(order)
			}
			for i := range n {
				if used[i] {
					continue
				}
				used[i], order = true, append(order, i)
				more := place()
				used[i], order = false, order[:len(order)-1]
				if !more {
					return false
				}
			}
			return true
		}
		place()
	}
}

//go:embed vectors/*/*.json
var files embed.FS

// Areas returns the areas, in the order of FORMAT.md.
func Areas() []string {
	return []string{
		"resource", "attempt", "resolve", "group", "session", "json",
		"subscription", "match", "delivery", "health", "signature", "envelope",
	}
}

// Vectors returns every vector, area by area. The caller must not change what
// they refer to.
func Vectors() []Vector {
	list, err := embedded()
	if err != nil {
		panic(err) // a test reads them all
	}
	return append([]Vector(nil), list...)
}

var embedded = sync.OnceValues(func() ([]Vector, error) {
	var list []Vector
	for _, area := range Areas() {
		names, err := fs.Glob(files, path.Join("vectors", area, "*.json"))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			f, err := readFile(files, name)
			if err != nil {
				return nil, err
			}
			list = append(list, f.Vectors...)
		}
	}
	return list, nil
})

// file is a file of vectors about one behaviour.
type file struct {
	Behaviour string   `json:"behaviour"`
	Vectors   []Vector `json:"vectors"`
}

func readFile(fsys fs.FS, name string) (f file, err error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return f, fmt.Errorf("conformance: %s: %w", name, err)
	}
	return f, nil
}
