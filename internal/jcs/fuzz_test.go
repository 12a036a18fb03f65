package jcs_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/jcs"
)

// stricter matches the reasons for which a text that is JSON to encoding/json
// may still be refused. Any other reason for such a text is a bug.
var stricter = regexp.MustCompile(`already|too large|lone surrogate|not UTF-8|nested too deep`)

// FuzzTransform checks what holds for every input, be it accepted or refused,
// with encoding/json as the second opinion.
func FuzzTransform(f *testing.F) {
	// One seed for each kind of value, escape and refusal, so that mutation
	// starts from every branch.
	for _, seed := range []string{
		section322, `{"b":[1e21,-0,1e-7],"a":{"\ud83d\ude00":"\/","\ufb33":null}}`,
		`{"a":1,"\u0061":2}`, `"\ud800"`, "\"\xff\"", `[1e309]`, `[01]`, `[1,]`, ` nul`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		once, err := jcs.Transform(text)
		require.Equal(t, before, text, "the text was changed")
		if err != nil {
			checkRefused(t, text, err)
			return
		}
		require.True(t, json.Valid(text), "accepted what is not JSON")
		require.Equal(t, decode(t, string(text)), decode(t, string(once)))

		twice, err := jcs.Transform(once)
		require.NoError(t, err)
		require.Equal(t, string(once), string(twice))

		// Section 3.2.1, by a routine that does nothing but remove space.
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, once))
		require.Equal(t, compact.String(), string(once), "white space was left")
	})
}

// checkRefused checks the error for text, and that it was due.
func checkRefused(t *testing.T, text []byte, err error) {
	t.Helper()
	var fault *jcs.SyntaxError
	require.ErrorAs(t, err, &fault)
	require.GreaterOrEqual(t, fault.Offset, 0)
	require.LessOrEqual(t, fault.Offset, len(text))
	if json.Valid(text) {
		require.Regexp(t, stricter, fault.Reason)
	}
}
