package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
)

const (
	// never is more time than any of these tests takes.
	never = time.Minute
	// short is how long an answer may take where none comes, and still enough for
	// the others on a machine that has much to do.
	short = 2 * time.Second
)

// program is a command that starts this program as a peer: see peer_test.go.
func program(args ...string) []string {
	return append([]string{os.Args[0], "peer"}, args...)
}

// asking is a vector that asks a peer to misbehave ("" for not to), and wants an
// end that fits.
func asking(name, please, end string) conformance.Vector {
	given, err := json.Marshal(map[string]string{"please": please})
	if err != nil {
		panic(err)
	}
	return conformance.Vector{
		ID: "test/please/" + name, Shows: name, Rules: []string{"none"}, Given: given,
		Then: conformance.Then{End: json.RawMessage(end)},
	}
}

// fine is a vector that a peer answers, as the question of that number since it
// was started.
func fine(name string, number int) conformance.Vector {
	return asking(name, "", fmt.Sprintf(`{"asked": %d}`, number))
}

// verdicts are the results in short.
func verdicts(results []conformance.Result) []conformance.Verdict {
	var list []conformance.Verdict
	for _, r := range results {
		list = append(list, r.Verdict)
	}
	return list
}

// One vector asks for something bad, between others that do not. The failure is
// that of the bad one, or of the next one if it is known only then, and the
// program is started anew.
func TestDrive(t *testing.T) {
	const (
		passed, failed, unknown = conformance.Passed, conformance.Failed, conformance.Unknown
		stays, anew             = 3, 1 // the number of the next question
	)
	wrongID := func(id string) string { return fmt.Sprintf("the answer has the id %q: ", id) }
	noAnswer := fmt.Sprintf("no answer within %v", short)
	tests := map[string]struct {
		verdict         conformance.Verdict
		failure, stderr string
		next            int    // its number, 0 if it fails
		nextFailure     string // if so
	}{
		"nothing bad":          {passed, "", "", stays, ""},
		"be slow":              {passed, "", "", stays, ""},
		"not know the area":    {unknown, "", "", stays, ""},
		"say what is wrong":    {failed, "the program says: it is wrong", "", stays, ""},
		"answer nothing":       {failed, "the answer has none of then, unknown_area and failure", "", stays, ""},
		"answer without steps": {failed, "the answer's then has not both of steps and end", "", stays, ""},
		"answer without end":   {failed, "the answer's then has not both of steps and end", "", stays, ""},
		"end with 3":           {failed, "it ended (exit status 3)", "boom\n", anew, ""},
		"end with 0":           {failed, "it ended", "", anew, ""},
		"be killed":            {failed, "it ended (signal: killed)", "", anew, ""},
		"panic":                {failed, "it ended (exit status 2)", "panic: boom", anew, ""},
		"fall silent":          {failed, noAnswer, "", anew, ""},
		"close the output":     {failed, "it closed its standard output", "", anew, ""},
		"write half a line":    {failed, noAnswer + `; it wrote "{\"id\":" without a newline`, "", anew, ""},
		"have another id":      {failed, wrongID("another"), "", anew, ""},
		"have no id":           {failed, wrongID(""), "", anew, ""},
		"write no JSON":        {failed, "the answer is no JSON object as it should be: ", "", anew, ""},
		"write a list":         {failed, "the answer is no JSON object as it should be: ", "", anew, ""},
		"write an empty line":  {failed, "the answer is no JSON object as it should be: ", "", anew, ""},
		"write a long line":    {failed, "a line has more than 16777216 bytes", "", anew, ""},
		"write many lines":     {failed, "the answer is no JSON object as it should be: ", "", anew, ""},
		"write two lines": {
			passed, "", "", 0,
			wrongID("test/please/bad") + `"{\"id\":\"test/please/bad\"}"; that is the question before: did the program write two lines for one request?`,
		},
		"not end the last line":    {passed, "", "", 0, "it ended"},
		"end after the answer":     {passed, "", "", 0, "it ended (exit status 3)"},
		"close the input":          {passed, "", "", 0, "it reads no more: "},
		"leave a child with pipes": {failed, "it ended (exit status 3)", "child ", anew, ""},
		"write with a mark":        {failed, "the answer is no JSON object as it should be: ", "", anew, ""},
		"write over lines":         {failed, "the answer is no JSON object as it should be: ", "", anew, ""},
	}
	for please, tt := range tests {
		t.Run(please, func(t *testing.T) {
			t.Parallel()
			timeout := never
			if strings.HasPrefix(tt.failure, noAnswer) {
				timeout = short
			}
			next, last := fine("next", tt.next), fine("last", tt.next+1)
			var reported []conformance.Result
			name, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{
				Vectors: []conformance.Vector{fine("first", 1), asking("bad", please, `{}`), next, last},
				Timeout: timeout,
				Report:  func(r conformance.Result) { reported = append(reported, r) },
			})
			require.NoError(t, err)
			assert.Equal(t, "a peer", name)
			assert.Equal(t, reported, results, "each is reported, in order")
			require.Len(t, results, 4)
			killChildren(t, results[1])

			want := []conformance.Verdict{passed, tt.verdict, passed, passed}
			if tt.next == 0 {
				want[2] = failed
			}
			assert.Equal(t, want, verdicts(results), "%v", results)
			for i, failure := range []string{"", tt.failure, tt.nextFailure, ""} {
				r := results[i]
				if r.Verdict == failed {
					assert.Equal(t, r.Vector.ID, r.Question.ID)
				}
				if strings.HasSuffix(failure, ": ") { // a quotation follows
					assert.True(t, strings.HasPrefix(r.Failure, failure), r.Failure)
				} else {
					assert.Equal(t, failure, r.Failure)
				}
				assert.Empty(t, r.Differences)
				assert.Positive(t, r.Took)
			}
			assert.Contains(t, results[1].Stderr, tt.stderr)
		})
	}
}

// killChildren ends the process that a peer left behind, and told of.
func killChildren(t *testing.T, r conformance.Result) {
	t.Helper()
	for line := range strings.Lines(r.Stderr) {
		if pid, found := strings.CutPrefix(strings.TrimSpace(line), "child "); found {
			n, err := strconv.Atoi(pid)
			require.NoError(t, err)
			child, err := os.FindProcess(n)
			require.NoError(t, err)
			assert.NoError(t, child.Kill())
		}
	}
}

// A failed result has the end of what the program wrote to standard error, also
// where the program goes on.
func TestDrive_stderr(t *testing.T) {
	for _, please := range []string{"write much to stderr and end", "write much to stderr and answer"} {
		_, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{
			Vectors: []conformance.Vector{asking("bad", please, `{"asked": 2}`)}, Timeout: never,
		})
		require.NoError(t, err)
		require.Equal(t, []conformance.Verdict{conformance.Failed}, verdicts(results))
		assert.True(t, strings.HasPrefix(results[0].Stderr, "…"), "it is cut")
		assert.LessOrEqual(t, len(results[0].Stderr), 8<<10+len("…"))
		assert.Contains(t, results[0].Stderr, "much\nmuch\n")
	}
}

// What differs is told with what came.
func TestDrive_differences(t *testing.T) {
	_, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{
		Vectors: []conformance.Vector{fine("first", 7), fine("second", 2)}, Timeout: never,
	})
	require.NoError(t, err)
	assert.Equal(t, []conformance.Verdict{conformance.Failed, conformance.Passed}, verdicts(results))
	assert.Equal(t, []conformance.Difference{{Path: "end.asked", Expected: "7", Got: "1"}}, results[0].Differences)
	assert.JSONEq(t, `{"asked": 1}`, string(results[0].Got.End))
}

// Of a vector for all orders each order is asked, up to the first that fails.
func TestDrive_orders(t *testing.T) {
	orders := func(pattern string) conformance.Vector {
		v := asking("orders", "", pattern)
		v.Orders, v.When = "all", []json.RawMessage{[]byte(`{"do": "x"}`), []byte(`{"do": "y"}`), []byte(`{"do": "z"}`)}
		return v
	}
	_, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{
		Vectors: []conformance.Vector{orders(`{}`), orders(`{"asked": 7}`), fine("last", 9)}, Timeout: never,
	})
	require.NoError(t, err)
	assert.Equal(t, []conformance.Verdict{conformance.Passed, conformance.Failed, conformance.Passed}, verdicts(results))
	assert.Equal(t, "test/please/orders#1-3-2", results[1].Question.ID)
}

// A program that never answers is asked ten times, and then no more. One answer,
// whatever it is, begins the count anew.
func TestDrive_givenUp(t *testing.T) {
	t.Parallel()
	var vectors []conformance.Vector
	var want []conformance.Verdict
	add := func(n int, please string, v conformance.Verdict) {
		for range n {
			vectors, want = append(vectors, asking("v", please, `{}`)), append(want, v)
		}
	}
	add(9, "end with 3", conformance.Failed)
	add(1, "not know the area", conformance.Unknown)
	add(10, "end with 0", conformance.Failed)
	add(2, "", conformance.NotAsked)
	_, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{Vectors: vectors, Timeout: never})
	require.NoError(t, err)
	assert.Equal(t, want, verdicts(results))
	assert.Equal(t, "the program was given up after 10 vectors in a row without an answer", results[len(results)-1].Failure)
}

// A program that cannot be started again fails the vectors that are left.
func TestDrive_notAgain(t *testing.T) {
	t.Parallel()
	vectors := []conformance.Vector{fine("first", 1), asking("bad", "end with 3", `{}`)}
	for range 10 {
		vectors = append(vectors, fine("more", 1))
	}
	_, results, err := conformance.Drive(t.Context(), program("once", filepath.Join(t.TempDir(), "started")),
		conformance.Options{Vectors: vectors, Timeout: never})
	require.NoError(t, err)
	got := verdicts(results)
	assert.Equal(t, conformance.Passed, got[0])
	for _, v := range got[1:11] {
		assert.Equal(t, conformance.Failed, v)
	}
	assert.Equal(t, conformance.NotAsked, got[11])
	assert.Regexp(t, `^it cannot be started again: .* does not greet: it ended \(exit status 4\)$`, results[2].Failure)
	assert.Equal(t, "not again\n", results[2].Stderr)
}

// The timeout is for each answer, and the greeting may take as long.
func TestDrive_slow(t *testing.T) {
	t.Parallel()
	vectors := make([]conformance.Vector, 30)
	for i := range vectors {
		vectors[i] = asking("slow", "be slow", `{}`)
	}
	_, results, err := conformance.Drive(t.Context(), program("slow"), conformance.Options{Vectors: vectors, Timeout: short})
	require.NoError(t, err)
	assert.NotContains(t, verdicts(results), conformance.Failed)
}

// A program that reads nothing is silent, also if the question is longer than
// what a pipe holds.
func TestDrive_readsNothing(t *testing.T) {
	t.Parallel()
	long := fine("long", 1)
	long.Given = json.RawMessage(`{"text": "` + strings.Repeat("x", 1<<20) + `"}`)
	_, results, err := conformance.Drive(t.Context(), program("deaf"), conformance.Options{
		Vectors: []conformance.Vector{long, fine("short", 1)}, Timeout: short,
	})
	require.NoError(t, err)
	for _, r := range results {
		assert.Equal(t, "no answer within 2s", r.Failure)
	}
}

// A long question and a long answer go through.
func TestDrive_long(t *testing.T) {
	long := asking("long", "answer at length", `{"text": "`+strings.Repeat("x", 2<<20)+`"}`)
	long.When = []json.RawMessage{[]byte(`{"do": "` + strings.Repeat("x", 2<<20) + `"}`)}
	_, results, err := conformance.Drive(t.Context(), program("good"), conformance.Options{
		Vectors: []conformance.Vector{long}, Timeout: never,
	})
	require.NoError(t, err)
	assert.Equal(t, []conformance.Verdict{conformance.Passed}, verdicts(results))
}

// Where there is no program to ask, there are no results, and the error says
// what there is instead.
func TestDrive_noProgram(t *testing.T) {
	tests := map[string]struct {
		command []string
		timeout time.Duration
		err     string
	}{
		"no command":      {nil, never, "no program to ask: the command is empty"},
		"no such command": {[]string{filepath.Join(t.TempDir(), "none")}, never, "no such file or directory"},
		"it is silent":    {program("mute"), short, "does not greet: no answer within 2s; does it end each line, and flush it?"},
		"it ends well":    {program("gone"), never, "does not greet: it ended"},
		"it crashes": {
			program("crash"), never,
			"does not greet: it ended (exit status 4); it wrote to standard error:\nboom\n",
		},
		"it says something": {
			program("hello"), never,
			`greets by "hello"; {"protocol":"sluice-conformance","version":1} is wanted`,
		},
		"another protocol": {program("other"), never, `greets by "{\"protocol\":\"other\"}"; `},
		"another version":  {program("newer"), never, "speaks version 2 of the protocol; this is version 1 (exit status 5)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer, results, err := conformance.Drive(t.Context(), tt.command, conformance.Options{Timeout: tt.timeout})
			require.ErrorIs(t, err, conformance.ErrPeer)
			require.ErrorContains(t, err, tt.err)
			assert.Empty(t, peer)
			assert.Nil(t, results)
		})
	}
}

// listener lets peers call when they are there, and knows when they are gone:
// the system then ends the call.
type listener struct{ *net.TCPListener }

func listen(t *testing.T) listener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return listener{l}
}

// gone waits for the calls of so many processes, and for their ends.
func (l listener) gone(t *testing.T, processes int) {
	t.Helper()
	for range processes {
		require.NoError(t, l.SetDeadline(time.Now().Add(never)))
		conn, err := l.Accept()
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(never)))
		_, err = io.Copy(io.Discard, conn)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "a process is still there")
		require.NoError(t, conn.Close())
	}
}

// leavesNothing drives a program that calls when it is there, as many processes as
// it starts, and waits until they are gone.
func leavesNothing(t *testing.T, command func(address string) []string, please []string, timeout time.Duration, processes int) {
	t.Helper()
	l := listen(t)
	vectors := []conformance.Vector{}
	for _, p := range please {
		vectors = append(vectors, asking("v", p, `{}`))
	}
	_, results, _ := conformance.Drive(t.Context(), command(l.Addr().String()),
		conformance.Options{Vectors: vectors, Timeout: timeout})
	assert.Len(t, results, len(vectors))
	l.gone(t, processes)
}

// idle waits until no goroutine of a Drive is left.
func idle(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	assert.Eventually(t, func() bool {
		text := string(stacks[:runtime.Stack(stacks, true)])
		return !strings.Contains(text, "conformance.(*peer)") && !strings.Contains(text, "conformance.(*process)") &&
			!strings.Contains(text, "conformance.launch")
	}, never, time.Millisecond)
}

// However it goes, no process and no goroutine is left.
func TestDrive_leavesNothing(t *testing.T) {
	tests := map[string]struct {
		kind      string
		please    []string
		timeout   time.Duration
		processes int
	}{
		"all is well":                  {"good", []string{"", ""}, never, 1},
		"it ends":                      {"good", []string{"end with 3", ""}, never, 2},
		"it is silent":                 {"good", []string{"fall silent", ""}, short, 2},
		"it writes too much":           {"good", []string{"write a long line", "write many lines"}, never, 2},
		"it is closed":                 {"good", []string{"close the input", "", "close the output"}, short, 2},
		"it is not asked":              {"good", nil, never, 1},
		"it reads nothing":             {"deaf", []string{""}, short, 1},
		"it goes on without questions": {"endless", []string{""}, short, 1},
		"it does not greet":            {"mute", nil, short, 1},
	}
	t.Run("at once", func(t *testing.T) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				command := func(address string) []string { return program(tt.kind, address) }
				leavesNothing(t, command, tt.please, tt.timeout, tt.processes)
			})
		}
	})
	idle(t)
}

// The context ends it soon, whatever the program is at. Results until then are
// returned.
func TestDrive_canceled(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, please string
		results      int
	}{
		"while it does not greet":                     {"mute", "", 0},
		"while it does not answer":                    {"quiet", "call and fall silent", 2},
		"while it does not end, with all it answered": {"endless", "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			calls := make(chan net.Conn, 1)
			go func() { // each kind calls when it has come to where it stays
				if conn, err := l.Accept(); err == nil {
					cancel()
					calls <- conn
				}
			}()
			_, results, err := conformance.Drive(ctx, program(tt.kind, l.Addr().String()), conformance.Options{
				Vectors: []conformance.Vector{fine("first", 1), fine("second", 2), asking("third", tt.please, `{}`)},
				Timeout: 10 * never, // more than the tests may take
			})
			require.Equal(t, context.Canceled, err)
			assert.Len(t, results, tt.results)
			conn := <-calls
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(never)))
			_, err = io.Copy(io.Discard, conn)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the process is still there")
			require.NoError(t, conn.Close())
			idle(t)
		})
	}
}

// A context that is done starts nothing.
func TestDrive_canceledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, results, err := conformance.Drive(ctx, program("good"), conformance.Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, conformance.ErrPeer)
	assert.Nil(t, results)
}

// This library, asked over the protocol, passes everything.
func TestDrive_sluice(t *testing.T) {
	name, results, err := conformance.Drive(t.Context(), program("sluice"), conformance.Options{Timeout: never})
	require.NoError(t, err)
	assert.Equal(t, "sluice", name)
	assert.Len(t, results, len(conformance.Vectors()))
	for _, r := range results {
		assert.Equal(t, conformance.Passed, r.Verdict, "%v", r)
	}
}

// A second implementation, in another language and written from the pages alone,
// passes all vectors of the areas that it knows: the rules are not what one
// program does.
func TestDrive_python(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("THERE IS NO python3 HERE: the second implementation was NOT held against the vectors")
	}
	_, results, err := conformance.Drive(t.Context(), []string{python, filepath.Join("peers", "python", "peer.py")},
		conformance.Options{Timeout: never})
	require.NoError(t, err)
	passed := map[string]int{}
	for _, r := range results {
		if r.Verdict == conformance.Unknown {
			continue
		}
		passed[r.Vector.Area()]++
		assert.Equal(t, conformance.Passed, r.Verdict, "%v", r)
	}
	for _, area := range []string{"resource", "attempt", "resolve", "group", "session", "delivery"} {
		assert.Positive(t, passed[area], "it knows %s", area)
	}
	t.Logf("passed by area: %v", passed)
}
