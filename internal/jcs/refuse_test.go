package jcs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/jcs"
)

// refusal is a text that has no canonical form. The reason is given in part:
// enough to tell which check spoke.
type refusal struct {
	name, text string
	offset     int
	reason     string
}

// check runs each refusal as a subtest.
func check(t *testing.T, refusals []refusal) {
	t.Helper()
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			out, err := jcs.Transform([]byte(test.text))
			require.Nil(t, out)
			var fault *jcs.SyntaxError
			require.ErrorAs(t, err, &fault)
			require.Equal(t, test.offset, fault.Offset, fault.Reason)
			require.Contains(t, fault.Reason, test.reason)
			// A reason is not complete without the remedy.
			require.Contains(t, fault.Reason, "want ")
		})
	}
}

// RFC 8785 section 3.1: the input must be I-JSON, which is more than JSON.
//
// Appendix B has NaN and Infinity as errors. JSON cannot spell them, so what is
// left of them here is their names, and numbers that would be read as infinite.
func TestSection31Refusals(t *testing.T) {
	check(t, []refusal{
		{"duplicate name", `{"a":1,"a":1}`, 7, `member name "a" is in this object already`},
		{"duplicate once decoded", `{"a":1,"b":2, "\u0061":3}`, 14, `member name "a"`},
		{"duplicate empty name", `{"":1,"":2}`, 6, `member name ""`},
		{"duplicate in a nested object", `[{"x":{"a":1,"a":2}}]`, 13, `member name "a"`},
		{"number above the range", `[1e309]`, 1, "too large"},
		{"negative number above the range", `-1e309`, 0, "too large"},
		{"first number that rounds to infinity", `1.7976931348623159e308`, 0, "too large"},
		{"huge exponent", `1e99999999999999999999`, 0, "too large"},
		{"NaN", `NaN`, 0, "found 'N', want a value"},
		{"Infinity", `[Infinity]`, 1, "found 'I', want a value"},
		{"minus Infinity", `-Infinity`, 1, "found 'I' in a number"},
	})
}

// RFC 8785 section 3.2.2.2 refuses lone surrogates by name.
func TestSection3222Refusals(t *testing.T) {
	check(t, []refusal{
		{"high surrogate alone", `"ab\ud800"`, 3, `lone surrogate \ud800`},
		{"high surrogate before text", `"\uDEAD"`, 1, `lone surrogate \udead`},
		{"low surrogate alone", `["", "\udc00"]`, 6, `lone surrogate \udc00`},
		{"two high surrogates", `"\ud800\ud800"`, 1, `lone surrogate \ud800`},
		{"halves swapped", `"\udc00\ud800"`, 1, `lone surrogate \udc00`},
		{"high surrogate before another escape", `"\ud800\n"`, 1, `lone surrogate \ud800`},
		{"high surrogate before a character", `"\ud800\u0041"`, 1, `lone surrogate \ud800`},
		{"in a member name", `{"\udfff":1}`, 2, `lone surrogate \udfff`},
		{"bad digit in the second half", `"\ud800\udc0x"`, 12, "found 'x', want four hexadecimal digits"},
	})
}

// RFC 8785 section 3.2.4: UTF-8 only. encoding/json takes most of these and
// puts U+FFFD in their place. The offset is that of the first byte which is no
// part of a whole character.
func TestSection324Refusals(t *testing.T) {
	check(t, []refusal{
		{"stray continuation byte", "\"a\x80\"", 2, "byte 0x80, which is not UTF-8"},
		{"byte that UTF-8 never uses", "\"\xff\"", 1, "byte 0xFF"},
		{"sequence cut short", "\"\xe2\x82\"", 1, "byte 0xE2"},
		{"overlong form", "\"\xc0\xaf\"", 1, "byte 0xC0"},
		{"surrogate encoded as a character", "\"\xed\xa0\x80\"", 1, "byte 0xED"},
		{"above U+10FFFF", "\"\xf4\x90\x80\x80\"", 1, "byte 0xF4"},
		{"in a member name", "{\"\xff\":1}", 2, "byte 0xFF"},
		{"outside a string", "[\xff]", 1, "byte 0xFF"},
		{"byte order mark", "\ufeff{}", 0, `found '\ufeff', want a value`},
		{"UTF-16", "\"\x00a\x00\"\x00", 1, "control character U+0000"},
	})
}

// What RFC 8259, JSON itself, does not allow. The offset is that of the first
// byte at which the text can no longer become JSON, or its length.
func TestRFC8259StructureRefusals(t *testing.T) {
	check(t, []refusal{
		{"empty text", "", 0, "found the end of the text, want a value"},
		{"white space only", " \n", 2, "found the end of the text, want a value"},
		{"two values", "1 2", 2, "found '2' after the value"},
		{"trailing bracket", "[]]", 2, "found ']' after the value"},
		{"trailing zero byte", "{}\x00", 2, `found '\x00' after the value`},
		{"comment", "{} // x", 3, "found '/' after the value"},
		{"white space JSON does not know", "\v1", 0, `found '\v', want a value`},
		{"no-break space", "\u00a01", 0, `found '\u00a0', want a value`},
		{"array not closed", "[1", 2, "found the end of the text, want ',' or ']'"},
		{"array closed as object", "[1}", 2, "found '}', want ',' or ']'"},
		{"array with a comma only", "[,]", 1, "found ',', want a value"},
		{"array with a trailing comma", "[1,]", 3, "found ']', want a value"},
		{"array without comma", "[1 2]", 3, "found '2', want ',' or ']'"},
		{"array opened only", "[", 1, "found the end of the text, want a value"},
		{"object opened only", "{", 1, "found the end of the text, want a member name"},
		{"object not closed", `{"a":1`, 6, "found the end of the text, want ',' or '}'"},
		{"object closed as array", `{"a":1]`, 6, "found ']', want ',' or '}'"},
		{"object with a trailing comma", `{"a":1,}`, 7, "found '}', want a member name"},
		{"name without quotes", `{a:1}`, 1, "found 'a', want a member name"},
		{"name in single quotes", `{'a':1}`, 1, "want a member name in double quotes"},
		{"number as name", `{1:1}`, 1, "found '1', want a member name"},
		{"name only", `{"a"}`, 4, "found '}' after a member name, want ':'"},
		{"name without value", `{"a":}`, 5, "found '}', want a value"},
		{"literal cut short", "nul", 0, "want null"},
		{"literal misspelt", "[true, fals3]", 7, "want false"},
		{"literal in capitals", "True", 0, "found 'T', want a value"},
		{"literal run on", "nullnull", 4, "found 'n' after the value"},
	})
}

// The same inside numbers and strings, with two exceptions that read better: a
// leading zero and a bad escape are reported where they start.
func TestRFC8259TokenRefusals(t *testing.T) {
	check(t, []refusal{
		{"leading zero", "[012]", 1, "found a leading zero"},
		{"negative leading zero", "-00", 1, "found a leading zero"},
		{"minus only", "-", 1, "found the end of the text in a number, want a digit"},
		{"two minus signs", "--1", 1, "found '-' in a number"},
		{"plus", "+1", 0, "found '+', want a value"},
		{"no digit before the point", ".5", 0, "found '.', want a value"},
		{"no digit after the point", "[1.]", 3, "found ']' in a number, want a digit"},
		{"no digit in the exponent", "1e", 2, "found the end of the text in a number"},
		{"sign only in the exponent", "1e+", 3, "found the end of the text in a number"},
		{"fraction in the exponent", "1e1.5", 3, "found '.' after the value"},
		{"hexadecimal", "0x10", 1, "found 'x' after the value"},
		{"digit separator", "1_000", 1, "found '_' after the value"},
		{"digits of another script", "\u0661", 0, "found '\u0661', want a value"},
		{"string not closed", `{"abc`, 5, "string that starts at byte 1"},
		{"string that ends in a backslash", `"\`, 1, "found the end of the text after a backslash"},
		{"string in single quotes", `'a'`, 0, "want a value"},
		{"line feed", "\"a\nb\"", 2, `control character U+000A in a string, want it escaped: "\n"`},
		{"zero byte", "\"\x00\"", 1, `want it escaped: "\u0000"`},
		{"unknown escape", `"a\x41"`, 2, "found 'x' after a backslash"},
		{"escape in capitals", `"\U0041"`, 1, "found 'U' after a backslash"},
		{"bad digit in an escape", `"\u00g0"`, 5, "found 'g', want four hexadecimal digits"},
		{"sign in an escape", `"\u+041"`, 3, "found '+', want four hexadecimal digits"},
		{"escape cut short", `"\u004`, 6, "found the end of the text, want four"},
		{"escape closed too early", `"\u004"`, 6, "found '\"', want four hexadecimal digits"},
	})
}

// The limit is on what is open at once, arrays and objects alike; the fault is
// the bracket that goes beyond it.
func TestDepthRefusals(t *testing.T) {
	const reason = "want at most 1000 arrays and objects inside one another"
	check(t, []refusal{
		{"arrays", strings.Repeat("[", 1001), 1000, reason},
		{"objects", strings.Repeat(`{"":`, 1001), 4000, reason},
		{"both", strings.Repeat(`[{"":`, 501), 2500, reason},
		{"hostile", strings.Repeat("[", 1<<20), 1000, reason},
	})
}

// The whole message, once, since elsewhere only its parts are looked at.
func TestSyntaxErrorMessage(t *testing.T) {
	_, err := jcs.Transform([]byte(`[1,]`))
	require.EqualError(t, err, "jcs: byte 3: found ']', want a value: "+
		"an object, array, string, number, true, false or null")
}

// A name is quoted in the reason, so its length must not become the reason's.
func TestLongNameIsCutInReason(t *testing.T) {
	name := strings.Repeat("n", 10_000)
	_, err := jcs.Transform([]byte(`{"` + name + `":1,"` + name + `":2}`))
	require.Error(t, err)
	require.Less(t, len(err.Error()), 200)
}

// Where the control characters end: U+001F is the last that must be escaped.
// U+007F is a control character to Unicode but not to JSON.
func TestSection3222ControlCharacters(t *testing.T) {
	for c := range byte(0x20) {
		_, err := jcs.Transform([]byte{'"', c, '"'})
		require.ErrorContains(t, err, "byte 1: found the control character")
	}
	for _, c := range []string{" ", "\x7f"} {
		require.Equal(t, `"`+c+`"`, canonical(t, `"`+c+`"`))
	}
}
