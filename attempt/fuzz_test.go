package attempt_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/attempt"
)

// ATT-6: whatever text is given, it is a digest that is written back as the
// same one, or an error that leaves the digest as it was.
func FuzzDigestUnmarshalText(f *testing.F) {
	for _, seed := range []string{
		"", "0", strings.Repeat("0", 64), strings.Repeat("fF", 32), strings.Repeat("g", 64),
		strings.Repeat("00", 31), strings.Repeat("00", 33), strings.Repeat("é", 32), "none",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := inputs("what was there before")
		given := bytes.Clone(text)
		d := before
		err := d.UnmarshalText(text)
		require.Equal(t, given, text, "the text was changed")
		if err != nil {
			require.Equal(t, before, d)
			require.NotEmpty(t, text)
			return
		}
		written, err := d.MarshalText()
		require.NoError(t, err)
		if !d.IsZero() {
			require.Equal(t, strings.ToLower(string(text)), string(written))
		}
		again := before
		require.NoError(t, again.UnmarshalText(written))
		require.Equal(t, d, again)
	})
}

// ATT-6: whatever body is given, it is refused as invalid inputs, or it digests
// like the same value written by another hand.
func FuzzDigesterDigest(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1.0,"workspace_id":2}`, ` {"b":[{"\u0061":"\ud83d\ude00"},-0,1e-7],"":null} `,
		`{"a":1,"\u0061":2}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"a":1e400}`, `[]`, `null`, ``, `{`,
		`{"front":{"sha256":"00"}}`, "{\"\u2028\":\"<&>\"}", `{"a":9007199254740993}`,
	} {
		f.Add([]byte(seed))
	}
	digester := attempt.NewDigester(sessionID, []byte(secret))
	f.Fuzz(func(t *testing.T, body []byte) {
		given := bytes.Clone(body)
		d, err := digester.Digest(json.RawMessage(body))
		require.Equal(t, given, body, "the body was changed")
		if err != nil {
			require.ErrorIs(t, err, attempt.ErrInvalidInputs)
			require.Zero(t, d)
			return
		}
		require.False(t, d.IsZero())

		// encoding/json shares no code with the canonical form.
		var value map[string]any
		require.NoError(t, json.Unmarshal(body, &value))
		again, err := digester.Digest(value)
		require.NoError(t, err)
		require.Equal(t, d, again)

		delete(value, "workspace_id")
		indented, err := json.MarshalIndent(value, "", "\t")
		require.NoError(t, err)
		again, err = digester.Digest(json.RawMessage(indented))
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}
