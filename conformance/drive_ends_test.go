package conformance_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
)

// What the program started is ended with it, however it ends: by itself, well or
// not, or because it is silent. A script is such a program, and what it runs goes
// on without it.
func TestDrive_grandchildren(t *testing.T) {
	script := func(address string) []string {
		return []string{"sh", "-c", `"$0" peer good "$1"; exit`, os.Args[0], address}
	}
	parent := func(address string) []string { return program("parent", address) }
	tests := map[string]struct {
		command   func(address string) []string
		please    []string
		timeout   time.Duration
		processes int
	}{
		"it ends well":        {parent, []string{""}, never, 1},
		"it crashes":          {parent, []string{"end with 3", ""}, never, 2},
		"it is silent":        {parent, []string{"fall silent", ""}, short, 2},
		"a script ends well":  {script, []string{""}, never, 1},
		"a script crashes":    {script, []string{"end with 3", ""}, never, 2},
		"a script is silent":  {script, []string{"fall silent", ""}, short, 2},
		"a script cannot end": {script, []string{"close the input"}, short, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leavesNothing(t, tt.command, tt.please, tt.timeout, tt.processes)
		})
	}
}

// At the end of its input a program ends, soon and with status 0.
func TestDrive_end(t *testing.T) {
	tests := map[string]struct {
		kind    string
		timeout time.Duration
		err     string
	}{
		"with another status": {"ill", never, "exit status 3; it wrote to standard error:\ncannot save\n"},
		"not in time":         {"endless", short, "it does not end within 2s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer, results, err := conformance.Drive(t.Context(), program(tt.kind), conformance.Options{
				Vectors: []conformance.Vector{fine("one", 1), fine("two", 2)}, Timeout: tt.timeout,
			})
			assert.Equal(t, "a peer", peer)
			assert.Equal(t, []conformance.Verdict{conformance.Passed, conformance.Passed}, verdicts(results))
			require.ErrorIs(t, err, conformance.ErrEnd)
			require.NotErrorIs(t, err, conformance.ErrPeer)
			assert.Equal(t, fmt.Sprintf("%v: %s", conformance.ErrEnd, tt.err), err.Error())
		})
	}
}

// Who writes in another form than one object in a line is told what may be wrong.
func TestDrive_hints(t *testing.T) {
	const (
		mark  = "; it begins with a byte order mark, and is to be UTF-8 without one"
		lines = "; does the program print an object over several lines? It is to be one line"
	)
	for please, end := range map[string]string{
		"write with a mark": mark, "write over lines": lines,
		"write no JSON": `: "# a comment"`, "write an empty line": `: ""`,
	} {
		_, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{
			Vectors: []conformance.Vector{asking("v", please, `{}`)}, Timeout: never,
		})
		require.NoError(t, err)
		assert.Regexp(t, `^the answer is no JSON object as it should be: .*`+regexp.QuoteMeta(end)+`$`, results[0].Failure, please)
	}
	for kind, end := range map[string]string{"marked": mark, "spread": lines, "hello": "} is wanted"} {
		_, _, err := conformance.Drive(t.Context(), program(kind), conformance.Options{Timeout: never})
		require.ErrorIs(t, err, conformance.ErrPeer)
		assert.Regexp(t, ` greets by .*`+regexp.QuoteMeta(end)+`$`, err.Error(), kind)
	}
}

// What came of an answer that has no end is shown, cut to some length.
func TestDrive_withoutNewline(t *testing.T) {
	_, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{
		Vectors: []conformance.Vector{asking("v", "write half a long line", `{}`)}, Timeout: short,
	})
	require.NoError(t, err)
	r := results[0]
	assert.Regexp(t, `^no answer within 2s; it wrote 10486[0-9]{2} bytes without a newline, which begin "\{\\"id\\":.*x"$`, r.Failure)
	assert.Less(t, len(r.Failure), 400)
}
