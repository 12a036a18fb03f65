package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Difference is a place where what came of a question does not fit the pattern
// of the vector.
type Difference struct {
	Path     string `json:"path"`     // where: "steps[0].error"
	Expected string `json:"expected"` // JSON
	Got      string `json:"got"`      // JSON, "" for nothing
}

// String returns the difference in a line.
func (d Difference) String() string {
	got := d.Got
	if got == "" {
		got = "nothing"
	}
	return fmt.Sprintf("%s: expected %s, got %s", d.Path, d.Expected, got)
}

// Differences holds what came of a question of v against its pattern. An object
// fits if it has all members that the pattern has, with values that fit; a list
// if it is as long and fits element by element; a member null is fitted by its
// absence too. It returns nothing if all fits.
func (v Vector) Differences(got Then) []Difference {
	var list []Difference
	if v.Then.Steps != nil {
		if len(v.Then.Steps) != len(got.Steps) {
			list = append(list, Difference{
				"steps", fmt.Sprintf("%d results", len(v.Then.Steps)), strconv.Itoa(len(got.Steps)),
			})
		}
		for i := range min(len(v.Then.Steps), len(got.Steps)) {
			list = differ(list, fmt.Sprintf("steps[%d]", i), v.Then.Steps[i], got.Steps[i])
		}
	}
	if v.Then.End != nil {
		list = differ(list, "end", v.Then.End, got.End)
	}
	return list
}

// differ appends the differences between two texts.
func differ(list []Difference, path string, pattern, got json.RawMessage) []Difference {
	p, err := value(pattern)
	if err != nil {
		return append(list, Difference{path, "a pattern: " + err.Error(), string(got)})
	}
	if got == nil {
		return append(list, Difference{path, text(p), ""})
	}
	g, err := value(got)
	if err != nil {
		return append(list, Difference{path, string(pattern), "what is no JSON: " + string(got)})
	}
	return fit(list, path, p, g)
}

// nothing stands for a member that is not there.
type nothing struct{}

func fit(list []Difference, path string, pattern, got any) []Difference {
	switch p := pattern.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, name := range slices.Sorted(maps.Keys(p)) {
			v, there := g[name]
			if !there {
				v = nothing{}
			}
			list = fit(list, path+"."+name, p[name], v)
		}
		return list
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(p) {
			break
		}
		for i := range p {
			list = fit(list, fmt.Sprintf("%s[%d]", path, i), p[i], g[i])
		}
		return list
	case nil:
		if got == nil || got == any(nothing{}) {
			return list
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(p, g) {
			return list
		}
	case string, bool:
		if got == p {
			return list
		}
	}
	return append(list, Difference{path, text(pattern), text(got)})
}

// sameNumber compares as numbers: 1.0 is 1. Exponents that would make numbers of
// thousands of digits are compared as they are written.
func sameNumber(a, b json.Number) bool {
	if a == b || hugeExponent(a) || hugeExponent(b) {
		return a == b
	}
	x, okX := new(big.Rat).SetString(a.String())
	y, okY := new(big.Rat).SetString(b.String())
	return okX && okY && x.Cmp(y) == 0
}

func hugeExponent(n json.Number) bool {
	_, exponent, _ := strings.Cut(strings.ToLower(n.String()), "e")
	return len(exponent) > len("-999")
}

// value reads a JSON text, with numbers as they are written.
func value(text json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// text writes a value for people.
func text(v any) string {
	if v == any(nothing{}) {
		return ""
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
