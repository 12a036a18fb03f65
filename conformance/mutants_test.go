package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// builds bounds how many programs are built at a time.
var builds = make(chan struct{}, 2)

// builtAs returns the path of a program that answers with the library as it is
// but for what the overlay replaces: paths of files by those of others.
func builtAs(t *testing.T, overlay map[string]string) (program string, err error) {
	t.Helper()
	builds <- struct{}{}
	defer func() { <-builds }()
	dir := t.TempDir()
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), text, 0o600))
	program = filepath.Join(dir, "answerer")
	// It is to be there soon, not to be fast, and nobody debugs it.
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"),
		"-buildvcs=false", "-gcflags=./...=-N -l", "-ldflags=-s -w", "-o", program, "./conformance/internal/answerer")
	build.Dir = ".."
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not compile: %w\n%s", err, said)
	}
	return program, nil
}

// build returns the path of the wrong variant, as a program.
func (m mutant) build(t *testing.T) (program string, err error) {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(m.file)))
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.text); n != 1 {
		return "", fmt.Errorf("it is stale: %s has %q %d times", m.file, m.text, n)
	}
	wrong := filepath.Join(t.TempDir(), filepath.Base(file))
	require.NoError(t, os.WriteFile(wrong, []byte(strings.Replace(string(text), m.text, m.with, 1)), 0o600))
	return builtAs(t, map[string]string{file: wrong})
}

// catch returns the first of some vectors that a program answers, and otherwise
// than it should; nil if there is none. That it cannot answer at all, because
// it crashes or what is given is impossible to it, would show nothing about a
// rule.
func catch(ctx context.Context, program string, vectors []Vector) (caught *Result, err error) {
	if len(vectors) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, _, err = Drive(ctx, []string{program}, Options{
		Vectors: vectors,
		Report: func(r Result) {
			if caught == nil && r.Differences != nil {
				caught = &r
				cancel()
			}
		},
	})
	if caught != nil {
		return caught, nil // err says at most that we stopped
	}
	return nil, err
}

// caught returns how the first of the vectors that is of the area and names the
// rule caught the mutant; or, if none did, an error that says what there is
// instead.
func (m mutant) caught(t *testing.T, vectors []Vector) (by *Result, err error) {
	t.Helper()
	program, err := m.build(t)
	if err != nil {
		return nil, err
	}
	var due, others []Vector
	for _, v := range vectors {
		if v.Area() == m.area && slices.Contains(v.Rules, m.rule) {
			due = append(due, v)
		} else {
			others = append(others, v)
		}
	}
	r, err := catch(t.Context(), program, due)
	if r != nil || err != nil {
		return r, err
	}
	if r, err = catch(t.Context(), program, others); r != nil {
		err = fmt.Errorf("no vector of area %s that names %s catches it; but another does: %s", m.area, m.rule, r)
	} else if err == nil {
		err = errors.New("no vector catches it")
	}
	return nil, err
}

// sound returns the vectors that the library passes as it is: all, or the test
// fails.
func sound(t *testing.T) (vectors []Vector) {
	t.Helper()
	program, err := builtAs(t, map[string]string{})
	require.NoError(t, err)
	_, results, err := Drive(t.Context(), []string{program}, Options{})
	require.NoError(t, err)
	for _, r := range results {
		if assert.Equal(t, Passed, r.Verdict, r.String()) {
			vectors = append(vectors, r.Vector)
		}
	}
	return vectors
}

// The vectors are not blind: each of many wrong variants of the library is
// caught by one that names the rule which the variant breaks.
func TestMutants(t *testing.T) {
	vectors := sound(t)
	for i, m := range mutants() {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(m.rule+" "+m.name, func(t *testing.T) {
			t.Parallel()
			by, err := m.caught(t, vectors)
			require.NoError(t, err)
			t.Logf("caught by %s: %s", by.Vector.ID, by.Vector.Shows)
		})
	}
}

func TestMutants_areInEveryArea(t *testing.T) {
	names, inArea := map[string]bool{}, map[string]int{}
	for _, m := range mutants() {
		assert.False(t, names[m.rule+m.name], "two mutants are called %s %s", m.rule, m.name)
		names[m.rule+m.name] = true
		inArea[m.area]++
		assert.True(t, slices.ContainsFunc(Requirements(), func(r Requirement) bool { return r.ID == m.rule }), m.rule)
	}
	for _, area := range Areas() {
		assert.GreaterOrEqual(t, inArea[area], 3, area)
	}
	assert.Len(t, inArea, len(Areas()))
}

// What is no wrong variant, or shows nothing, is told.
func TestMutants_twins(t *testing.T) {
	wrong := mutant{"attempt", "ATT-5", "nine attempts", "attempt/attempt.go", "const Max = 10", "const Max = 9"}
	twins := map[string]struct {
		change func(*mutant)
		told   string
	}{
		"the same":      {func(m *mutant) { m.with = m.text + " // still" }, "no vector catches it"},
		"another rule":  {func(m *mutant) { m.rule = "WHK-1" }, "another does"},
		"another area":  {func(m *mutant) { m.area = "envelope" }, "another does"},
		"stale":         {func(m *mutant) { m.text = "const Max = 12" }, "stale"},
		"twice":         {func(m *mutant) { m.text = "func (c Chain)" }, "stale"},
		"no Go":         {func(m *mutant) { m.with = "const Max = ten" }, "does not compile"},
		"no such file":  {func(m *mutant) { m.file = "attempt/none.go" }, "none.go"},
		"cannot answer": {func(m *mutant) { m.with = m.text + "\n\nfunc init() { panic(1) }" }, "no program to ask"},
	}
	vectors := slices.DeleteFunc(Vectors(), func(v Vector) bool { return v.Area() != "attempt" && v.Area() != "envelope" })
	for name, twin := range twins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := wrong
			twin.change(&m)
			_, err := m.caught(t, vectors)
			require.ErrorContains(t, err, twin.told)
		})
	}
}
