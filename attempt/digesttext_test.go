package attempt_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/attempt"
)

// What a digest offers to databases.
var (
	_ sql.Scanner   = (*attempt.Digest)(nil)
	_ driver.Valuer = attempt.Digest{}
)

// digests draws digests, zero among them.
func digests() *rapid.Generator[attempt.Digest] {
	return rapid.OneOf(rapid.Just(attempt.Digest{}), rapid.Custom(func(t *rapid.T) attempt.Digest {
		return attempt.Digest(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "bytes"))
	}))
}

// ATT-6: a digest is kept as text, in documents and in databases, and comes
// back the same; a missing one is "" here and NULL there.
func TestPropertyDigestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := digests().Draw(t, "digest")
		text, err := d.MarshalText()
		require.NoError(t, err)
		require.Equal(t, d.String(), string(text))

		value, err := d.Value()
		require.NoError(t, err)
		if d.IsZero() {
			require.Empty(t, text)
			require.Nil(t, value)
		} else {
			require.Regexp(t, "^[0-9a-f]{64}$", string(text))
			require.Equal(t, string(text), value)
		}

		document, err := json.Marshal(map[string]attempt.Digest{"inputs": d})
		require.NoError(t, err)
		require.JSONEq(t, `{"inputs":"`+d.String()+`"}`, string(document))
		var read map[string]attempt.Digest
		require.NoError(t, json.Unmarshal(document, &read))
		require.Equal(t, d, read["inputs"])

		for _, src := range []any{value, string(text), text} {
			got := inputs("what was there before")
			require.NoError(t, got.Scan(src))
			require.Equal(t, d, got)
		}
		got := inputs("what was there before")
		require.NoError(t, got.UnmarshalText([]byte(strings.ToUpper(d.String()))))
		require.Equal(t, d, got)
	})
}

func TestDigestTextRefuses(t *testing.T) {
	digits := strings.Repeat("0f", 32)
	for name, test := range map[string]struct{ text, want string }{
		"one digit":        {"0", "attempt: a digest has 64 hexadecimal digits, not 1 (ATT-6)"},
		"a digit less":     {digits[1:], "attempt: a digest has 64 hexadecimal digits, not 63 (ATT-6)"},
		"a digit more":     {digits + "0", "attempt: a digest has 64 hexadecimal digits, not 65 (ATT-6)"},
		"a byte less":      {digits[2:], "attempt: a digest has 64 hexadecimal digits, not 62 (ATT-6)"},
		"a byte more":      {digits + "00", "attempt: a digest has 64 hexadecimal digits, not 66 (ATT-6)"},
		"no digit":         {"g" + digits[1:], "attempt: digest: encoding/hex: invalid byte: U+0067 'g' (ATT-6)"},
		"no digit, at end": {digits[1:] + " ", "attempt: digest: encoding/hex: invalid byte: U+0020 ' ' (ATT-6)"},
	} {
		t.Run(name, func(t *testing.T) {
			before := inputs("what was there before")
			got := before
			require.EqualError(t, got.UnmarshalText([]byte(test.text)), test.want)
			require.EqualError(t, got.Scan(test.text), test.want)
			require.EqualError(t, got.Scan([]byte(test.text)), test.want)
			require.EqualError(t, got.Scan(7), "attempt: cannot scan int into a digest: a text is wanted")
			require.Equal(t, before, got)
		})
	}
}

func TestDigestZero(t *testing.T) {
	require.True(t, attempt.Digest{}.IsZero())
	require.Empty(t, attempt.Digest{}.String())
	require.False(t, attempt.Digest{31: 1}.IsZero())
	require.Equal(t, strings.Repeat("0", 63)+"1", attempt.Digest{31: 1}.String())
}
