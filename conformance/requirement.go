package conformance

import (
	_ "embed"
	"encoding/json"
	"slices"
	"sync"
)

// Requirement is one rule of SPEC.md.
type Requirement struct {
	// ID never changes its meaning: vectors, errors and tests name it.
	ID string `json:"id"`
	// Sources says where the rule comes from: a letter each, which SPEC.md
	// explains. D is a decision that was taken there.
	Sources []string `json:"sources"`
	// Refuses says whether something is refused under the rule.
	Refuses bool `json:"refuses"`
	// Text is the rule in Markdown, as SPEC.md has it.
	Text string `json:"text"`
}

//go:embed requirements.json
var requirementsFile []byte

// Requirements returns every rule, in the order of SPEC.md.
func Requirements() []Requirement { return slices.Clone(requirements()) }

var requirements = sync.OnceValue(func() []Requirement {
	var list []Requirement
	if err := json.Unmarshal(requirementsFile, &list); err != nil {
		panic(err) // a test reads them
	}
	return list
})
