package jsonscan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/internal/jsonscan"
)

// FuzzScanner holds every text against encoding/json.
func FuzzScanner(f *testing.F) {
	for _, text := range append(taken, refused...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { agree(t, text) })
}

// Texts made of what JSON is made of, which chance seldom puts together.
func TestScanner_Property(t *testing.T) {
	pieces := append(strings.Split(`{|}|[|]|:|,|"|"|\|\u|"a":|"b":1|{"a":1|"name of some length":`, "|"), append(taken, refused...)...)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "pieces"), "")
		agree(t, text)
		agree(t, "{"+text+"}")
		agree(t, "["+text+"]")
	})
}

// agree compares verdict, members, elements and texts with those of encoding/json.
func agree(t require.TestingT, text string) {
	require.Equal(t, json.Valid([]byte(text)), valid(text), "%q", text)
	agreeList(t, text)
	all, sound := members(text)
	var want map[string]json.RawMessage
	err := json.Unmarshal([]byte(text), &want)
	require.Equal(t, err == nil && want != nil, sound, "%q", text)
	if !sound {
		return
	}
	// The last of doubled names counts there, and what is not UTF-8 is replaced.
	got := map[string]json.RawMessage{}
	for _, m := range all {
		got[string([]rune(m.name))] = json.RawMessage(m.value)
		agreeText(t, m.value)
	}
	require.Equal(t, want, got, "%q", text)
	require.Equal(t, doubled(text), len(all)-len(got), "%q", text)
}

func agreeList(t require.TestingT, text string) {
	all, sound := elements(text)
	var want []json.RawMessage
	err := json.Unmarshal([]byte(text), &want)
	require.Equal(t, err == nil && want != nil, sound, "%q", text)
	if !sound {
		return
	}
	require.Len(t, all, len(want), "%q", text)
	for i := range want {
		require.Equal(t, string(want[i]), all[i], "%q", text)
	}
}

func agreeText(t require.TestingT, value string) {
	var want *string
	err := json.Unmarshal([]byte(value), &want)
	got, ok := jsonscan.Text([]byte(value))
	require.Equal(t, err == nil && want != nil, ok, "%q", value)
	if ok {
		require.Equal(t, *want, got, "%q", value)
	}
}

// doubled returns how many members of an object have the name of one before.
func doubled(text string) int {
	d := json.NewDecoder(strings.NewReader(text))
	_, _ = d.Token()
	n, seen := 0, map[string]bool{}
	for d.More() {
		name, _ := d.Token()
		if seen[name.(string)] {
			n++
		}
		seen[name.(string)] = true
		_ = d.Decode(new(json.RawMessage))
	}
	return n
}
