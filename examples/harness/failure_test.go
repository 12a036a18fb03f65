package harness_test

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden file and the README anew")

// The bug is found, and of the failure no more is left than the three commands
// that it takes. README.md shows them.
func TestCounterexample(t *testing.T) {
	var smallest run
	require.True(t, fails(t, property(faults{announcementsOnly: true}, &smallest)))
	golden(t, "testdata/counterexample.golden", smallest.String())

	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), "```text\n")
	require.True(t, found)
	_, after, found := strings.Cut(rest, "```\n")
	require.True(t, found)
	golden(t, "README.md", before+"```text\n"+smallest.String()+"```\n"+after)
}

// golden compares a text with a file, or writes the file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "-update writes it anew")
}

// What is checked besides is not checked blindly.
func TestTheMailIsHeldToItsWord(t *testing.T) {
	for _, f := range []faults{{deaf: true}, {stammering: true}} {
		var smallest run
		assert.True(t, fails(t, property(f, &smallest)))
		assert.Contains(t, smallest.wrong, "notices are not what was announced")
	}
}

// fails reports whether rapid finds a failure. It draws the same in every run,
// so that the smallest failure is the same too, and leaves no file behind.
func fails(t *testing.T, property func(*rapid.T)) bool {
	t.Helper()
	checks, steps := 1000, 20
	if testing.Short() {
		checks, steps = 5*checks, 2*steps // rapid divides by that
	}
	for name, value := range map[string]string{
		"seed": "1", "checks": strconv.Itoa(checks), "steps": strconv.Itoa(steps),
		"nofailfile": "true", "shrinktime": "1h",
	} {
		f := flag.Lookup("rapid." + name)
		require.NotNil(t, f, name)
		before := f.Value.String()
		require.NoError(t, f.Value.Set(value))
		t.Cleanup(func() { assert.NoError(t, f.Value.Set(before)) })
	}
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rapid.Check(r, property)
	}()
	<-done
	return r.failed
}

// recorder is a test that may fail, which nobody hears of. Its FailNow ends the
// goroutine, as that of any test does.
type recorder struct {
	rapid.TB // for its name

	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Fail()                 { r.failed = true }
func (r *recorder) Failed() bool          { return r.failed }
func (r *recorder) FailNow()              { r.Fail(); runtime.Goexit() }
func (r *recorder) Log(...any)            {}
func (r *recorder) Logf(string, ...any)   {}
func (r *recorder) Error(...any)          { r.Fail() }
func (r *recorder) Errorf(string, ...any) { r.Fail() }
func (r *recorder) Fatal(...any)          { r.FailNow() }
func (r *recorder) Fatalf(string, ...any) { r.FailNow() }
