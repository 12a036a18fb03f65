package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
)

const (
	hello = `{"protocol":"sluice-conformance","version":1}` + "\n"
	back  = `{"protocol":"sluice-conformance","version":1,"name":"echo"}` + "\n"
)

// echo answers with what is given, as long as it understands the question.
func echo(q conformance.Question) (conformance.Then, error) {
	switch q.Area {
	case "echo":
		return conformance.Then{Steps: q.When, End: q.Given}, nil
	case "broken":
		return conformance.Then{}, errors.New("broken <i>inside</i>")
	case "no JSON":
		return conformance.Then{End: json.RawMessage(`{"a"`)}, nil
	default:
		return conformance.Then{}, fmt.Errorf("%w: %q", conformance.ErrUnknownArea, q.Area)
	}
}

// What is read, and what is written to it.
func TestServe(t *testing.T) {
	const (
		one      = `{"id":"a/b/c","area":"echo","given":{"x":1},"when":[{"do":"it"}]}`
		answer   = `{"id":"a/b/c","then":{"steps":[{"do":"it"}],"end":{"x":1}}}` + "\n"
		nothing  = `{"id":"","failure":"no question: unexpected end of JSON input"}` + "\n"
		unknowns = `{"id":"u","unknown_area":true}` + "\n"
	)
	tests := map[string]struct{ in, out string }{
		"a greeting alone":          {hello, back},
		"a greeting without an end": {strings.TrimSpace(hello), back},
		"a greeting with more":      {`{"version":1,"protocol":"sluice-conformance","by":"x"}` + "\n", back},
		"a question":                {hello + one + "\n", back + answer},
		"several":                   {hello + one + "\n" + one + "\n", back + answer + answer},
		"the last one has no end":   {hello + one + "\n" + one, back + answer + answer},
		"a carriage return":         {strings.ReplaceAll(hello+one+"\n", "\n", "\r\n"), back + answer},
		"an empty line":             {hello + "\n" + one + "\n", back + nothing + answer},
		"a byte without an end":     {hello + `{`, back + nothing},
		"no JSON":                   {hello + "what?\n", back + `{"id":"","failure":"no question: invalid character 'w' looking for beginning of value"}` + "\n"},
		"a question that is no object": {
			hello + "[]\n" + one,
			back + `{"id":"","failure":"no question: json: cannot unmarshal array into Go value of type conformance.Question"}` + "\n" + answer,
		},
		"a member of another kind": {
			hello + `{"id":"q","area":1}`,
			back + `{"id":"q","failure":"no question: json: cannot unmarshal number into Go struct field Question.area of type string"}` + "\n",
		},
		"an area that is not known": {hello + `{"id":"u","area":"other","given":{},"when":[]}`, back + unknowns},
		"no area":                   {hello + `{"id":"u"}`, back + unknowns},
		"what makes no sense": {
			hello + `{"id":"q","area":"broken"}` + "\n" + one,
			back + `{"id":"q","failure":"broken <i>inside</i>"}` + "\n" + answer,
		},
		"an answer that is no JSON": {
			hello + `{"id":"q","area":"no JSON"}` + "\n" + one,
			back + `{"id":"q","failure":"no answer: json: error calling MarshalJSON for type json.RawMessage: unexpected end of JSON input"}` + "\n" + answer,
		},
		"results of no step are a list": {
			hello + `{"id":"q","area":"echo","given":{}}`, back + `{"id":"q","then":{"steps":[],"end":{}}}` + "\n",
		},
		"letters and marks stay as they are": {
			hello + `{"id":"é<&>","area":"echo","given":{"t":"é<&>"},"when":[]}`,
			back + `{"id":"é<&>","then":{"steps":[],"end":{"t":"é<&>"}}}` + "\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, conformance.Serve(strings.NewReader(tt.in), &out, "echo", echo))
			assert.Equal(t, tt.out, out.String())

			out.Reset()
			require.NoError(t, conformance.Serve(iotest.OneByteReader(strings.NewReader(tt.in)), &out, "echo", echo))
			assert.Equal(t, tt.out, out.String(), "byte by byte")
		})
	}
}

// An answer may be spread over lines; on the wire it is one.
func TestServe_oneLine(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader(hello + `{"id":"q","area":"any"}`)
	require.NoError(t, conformance.Serve(in, &out, "echo", func(conformance.Question) (conformance.Then, error) {
		return conformance.Then{End: json.RawMessage("{\n  \"a\": 1.0\n}")}, nil
	}))
	assert.Equal(t, back+`{"id":"q","then":{"steps":[],"end":{"a":1.0}}}`+"\n", out.String())
}

// Who greets in another way is told so, and is asked nothing.
func TestServe_greeting(t *testing.T) {
	tests := map[string]struct{ in, out, err string }{
		"nothing":          {"", "", "conformance: no greeting: EOF"},
		"an empty line":    {"\n", "", `conformance: greeted by "\n"; {"protocol":"sluice-conformance","version":1} is wanted`},
		"no JSON":          {"hello\n", "", `conformance: greeted by "hello\n"; `},
		"another protocol": {`{"protocol":"x","version":1}`, "", `conformance: greeted by "{\"protocol\":\"x\",\"version\":1}"; `},
		"a question":       {`{"id":"a","area":"echo"}`, "", `conformance: greeted by "{\"id\":\"a\",`},
		"a version to come": {
			strings.Replace(hello, "1", "2", 1) + `{"id":"a","area":"echo"}`, back,
			"conformance: asked in version 2 of the protocol; this is version 1",
		},
		"no version": {`{"protocol":"sluice-conformance"}`, back, "conformance: asked in version 0 of the protocol; this is version 1"},
		"a long line": {
			strings.Repeat("x", 1000), "",
			`conformance: greeted by "` + strings.Repeat("x", 80) + `"; `,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := conformance.Serve(strings.NewReader(tt.in), &out, "echo", echo)
			require.ErrorContains(t, err, tt.err)
			assert.Equal(t, tt.out, out.String())
		})
	}
}

// limited is a pipe that breaks after some lines.
type limited struct{ lines int }

var errBroken = errors.New("the pipe is broken")

func (w *limited) Write(text []byte) (int, error) {
	if w.lines == 0 {
		return 0, errBroken
	}
	w.lines--
	return len(text), nil
}

func TestServe_brokenPipes(t *testing.T) {
	question := `{"id":"a","area":"echo","given":{}}` + "\n"
	for lines := range 3 {
		asked := 0
		err := conformance.Serve(strings.NewReader(hello+strings.Repeat(question, 5)), &limited{lines}, "echo",
			func(q conformance.Question) (conformance.Then, error) {
				asked++
				return echo(q)
			})
		require.ErrorIs(t, err, errBroken)
		assert.Equal(t, lines, asked, "an answer that cannot be written is the last one")
	}
	for _, read := range []string{"", hello, hello + question, hello + `{"id":"cut o`} {
		var out bytes.Buffer
		in := io.MultiReader(strings.NewReader(read), iotest.ErrReader(errBroken))
		require.ErrorIs(t, conformance.Serve(in, &out, "echo", echo), errBroken)
		assert.Equal(t, strings.Count(read, "\n"), strings.Count(out.String(), "\n"), "what came whole was answered")
	}
}

// Whatever it reads behind the greeting, there is one answer for each line, each
// an object with exactly one of its three kinds.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "\r\n", "{", "x", "null", "[]\n", `{"id":"a/b/c","area":"echo","given":{"x":1},"when":[{"do":"it"}]}`,
		`{"id":1}`, `{"id":"q","area":"broken"}` + "\n\n", `{"id":"\ud800","area":"echo","given":"` + "\xff" + `"}`, "\xef\xbb\xbf{}",
		`{"id":"q","area":"no JSON"}`, strings.Repeat("[", 20000), "{}\x00\n{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var out bytes.Buffer
		require.NoError(t, conformance.Serve(io.MultiReader(strings.NewReader(hello), bytes.NewReader(text)), &out, "echo", echo))
		greeted, answers, _ := strings.Cut(out.String(), "\n")
		require.Equal(t, strings.TrimSpace(back), greeted)
		want := bytes.Count(text, []byte("\n"))
		if len(text) > 0 && text[len(text)-1] != '\n' {
			want++
		}
		require.Equal(t, want, strings.Count(answers, "\n"))
		for line := range strings.Lines(answers) {
			var a map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(line), &a))
			require.Contains(t, a, "id")
			require.Len(t, a, 2)
			for name := range a {
				require.Contains(t, []string{"id", "then", "unknown_area", "failure"}, name)
			}
		}
	})
}
