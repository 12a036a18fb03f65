package jcs_test

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/jcs"
)

// canonical returns the canonical form of a text that must be accepted.
func canonical(t require.TestingT, text string) string {
	out, err := jcs.Transform([]byte(text))
	require.NoError(t, err, "text: %.200q", text)
	return string(out)
}

// section322 is the sample object of RFC 8785 section 3.2.2.
const section322 = `{
  "numbers": [333333333.33333329, 1E30, 4.50,
              2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`

// The result is the one that section 3.2.3 prints, with members sorted.
func TestSection323SampleObject(t *testing.T) {
	want := `{"literals":[null,true,false],` +
		`"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
		`"string":"€$\u000f\nA'B\"\\\\\"/"}`
	require.Equal(t, want, canonical(t, section322))
}

// The bytes are those that section 3.2.4 prints for the sample object.
func TestSection324UTF8(t *testing.T) {
	want := "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e" +
		"756d62657273223a5b3333333333333333332e333333333333332c31652b3330" +
		"2c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac24" +
		"5c75303030665c6e4127425c225c5c5c5c5c222f227d"
	require.Equal(t, want, hex.EncodeToString([]byte(canonical(t, section322))))
}

// All four kinds of white space, at every place where JSON allows it.
func TestSection321WhiteSpace(t *testing.T) {
	spaced := " \t\n\r{ \t\n\r\"a\" \t\n\r: \t\n\r[ \t\n\r1 \t\n\r, \t\n\r{ \t\n\r} \t\n\r] \t\n\r} \t\n\r"
	require.Equal(t, `{"a":[1,{}]}`, canonical(t, spaced))
	// Inside a string, space is content.
	require.Equal(t, `" a  b "`, canonical(t, ` " a  b " `))
}

func TestSection3221Literals(t *testing.T) {
	for _, word := range []string{"null", "true", "false"} {
		require.Equal(t, word, canonical(t, " "+word+" "))
	}
}

// Each string has one form, however it was escaped: the table pairs spellings
// an encoder may choose with the form that is left.
func TestSection3222Strings(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", `""`, `""`},
		{"two-character escapes", `"\b\t\n\f\r\"\\"`, `"\b\t\n\f\r\"\\"`},
		{"the same as \\u", `"\u0008\u0009\u000a\u000C\u000d\u0022\u005C"`, `"\b\t\n\f\r\"\\"`},
		{"other control characters", `"\u0000\u0001\u000B\u001F"`, `"\u0000\u0001\u000b\u001f"`},
		// Escaping for web pages, which many encoders do, is not canonical.
		{"solidus and markup", `"\/ / < > & ' \u003c"`, `"/ / < > & ' <"`},
		{"delete and the C1 controls", `"\u007f\u0080\u009F"`, "\"\u007f\u0080\u009f\""},
		{"line separators", `"\u2028\u2029"`, "\"\u2028\u2029\""},
		{"byte order mark as content", `"\uFEFF"`, "\"\ufeff\""},
		{"pair", `"\uD83D\ude00"`, `"😀"`},
		{"first and last pair", `"\ud800\udc00\udbff\udfff"`, "\"\U00010000\U0010FFFF\""},
		{"around the surrogates", `"\ud7ff\ue000"`, "\"\ud7ff\ue000\""},
		// U+FFFD is a character like any other when it is really in the text.
		{"replacement character", `"\ufffd` + "\uFFFD" + `"`, "\"\uFFFD\uFFFD\""},
		{"noncharacter", `"\uffff"`, "\"\uffff\""},
		{"no normalization", `"A\u030a"`, "\"A\u030a\""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, canonical(t, test.text))
		})
	}
}

// The expected forms are those of JSON.stringify(JSON.parse(text)) in a
// JavaScript engine, which section 3.2.2.3 makes the measure.
func TestSection3223Numbers(t *testing.T) {
	tests := []struct{ text, want string }{
		// Zero has one form, whatever its sign, digits and exponent.
		{"-0", "0"}, {"-0.0", "0"}, {"0e5", "0"}, {"-0E-7", "0"},
		// One value, many spellings.
		{"1E0", "1"}, {"100e-2", "1"}, {"1e1", "10"}, {"10E+2", "1000"},
		{"1e00000000021", "1e+21"}, {"1e-00000000007", "1e-7"},
		// The lower end of the plain layout, and one-digit exponents.
		{"1e-6", "0.000001"}, {"9.5367431640625e-7", "9.5367431640625e-7"},
		{"0.0000001", "1e-7"}, {"0.00000012345", "1.2345e-7"}, {"5e-7", "5e-7"},
		{"1e-9", "1e-9"}, {"1e-10", "1e-10"}, {"9.5e-3", "0.0095"},
		// The upper end of the plain layout.
		{"1e20", "100000000000000000000"}, {"5708990770823839e5", "570899077082383900000"},
		{"123456789012345678901", "123456789012345680000"},
		{"999999999999999999999", "1e+21"}, {"8.41e21", "8.41e+21"}, {"2e22", "2e+22"},
		// Beyond 53 bits an integer is the double nearest to it.
		{"9007199254740993", "9007199254740992"}, {"-9007199254740993", "-9007199254740992"},
		{"9007199254740991.5", "9007199254740992"},
		// All digits given count, even those far below the last bit.
		{"1.00000000000000011102230246251565404236316680908203125", "1"},
		{"1.00000000000000011102230246251565404236316680908203126", "1.0000000000000002"},
		{"0.1", "0.1"}, {"4.35", "4.35"}, {"0.30000000000000004", "0.30000000000000004"},
		// The ends of the range: too small is zero, too large is refused.
		{"1e-400", "0"}, {"2.4703282292062327e-324", "0"}, {"2.4703282292062328e-324", "5e-324"},
		{"2.2250738585072011e-308", "2.225073858507201e-308"},
		{"2.2250738585072014e-308", "2.2250738585072014e-308"},
		{"1.7976931348623158e308", "1.7976931348623157e+308"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			require.Equal(t, test.want, canonical(t, test.text))
		})
	}
}

// All samples of the table in appendix B. NaN and Infinity, its two errors,
// come without an expected text.
func TestAppendixBNumberSamples(t *testing.T) {
	tests := []struct {
		bits uint64
		want string
	}{
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"}, // minus zero
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x7fffffffffffffff, ""}, // NaN
		{0x7ff0000000000000, ""}, // Infinity
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"}, // halfway, rounded to even
	}
	for _, test := range tests {
		t.Run(strconv.FormatUint(test.bits, 16), func(t *testing.T) {
			// Seventeen digits name every double exactly, in a layout that is
			// never the canonical one. NaN and +Inf come out as those words.
			text := strconv.FormatFloat(math.Float64frombits(test.bits), 'e', 16, 64)
			if test.want == "" {
				_, err := jcs.Transform([]byte(text))
				require.ErrorAs(t, err, new(*jcs.SyntaxError))
				return
			}
			require.Equal(t, test.want, canonical(t, text))
		})
	}
}

// The example of section 3.2.3: U+1F600 sorts before U+FB33, since its first
// code unit is the surrogate D83D.
func TestSection323Sorting(t *testing.T) {
	text := `{
	  "\u20ac": "Euro Sign",
	  "\r": "Carriage Return",
	  "\ufb33": "Hebrew Letter Dalet With Dagesh",
	  "1": "One",
	  "\ud83d\ude00": "Emoji: Grinning Face",
	  "\u0080": "Control",
	  "\u00f6": "Latin Small Letter O With Diaeresis"
	}`
	want := `{"\r":"Carriage Return","1":"One",` +
		"\"\u0080\":\"Control\"," +
		`"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",` +
		"\"\U0001F600\":\"Emoji: Grinning Face\"," +
		"\"\uFB33\":\"Hebrew Letter Dalet With Dagesh\"}"
	require.Equal(t, want, canonical(t, text))
}

// What the example does not reach: prefixes, names that compare equal for a
// while, and nesting.
func TestSection323SortingCorners(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"prefix first", `{"ab":1,"a":2,"":3}`, `{"":3,"a":2,"ab":1}`},
		// As written, with its backslash, the first name would come last.
		{"by decoded name", `{"\u0041":1,"B":2}`, `{"A":1,"B":2}`},
		{"same lead surrogate", `{"😂":1,"😀":2}`, `{"😀":2,"😂":1}`},
		{"after an equal character above U+FFFF", `{"😀b":1,"😀a":2}`, `{"😀a":2,"😀b":1}`},
		{"nested", `[{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":3}]`, `[{"a":3,"b":{"c":[{"e":2,"f":1}],"d":1}}]`},
		{"same name in other objects", `{"a":{"a":[{"a":1},{"a":2}]}}`, `{"a":{"a":[{"a":1},{"a":2}]}}`},
		{"elements stay", `[3,1,2]`, `[3,1,2]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, canonical(t, test.text))
		})
	}
}

// The test vectors published with the RFC, by their names in its companion
// repository, cyberphone/json-canonicalization (Apache License 2.0).
func TestPublishedVectors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{
			"arrays",
			"[\n  56,\n  {\n    \"d\": true,\n    \"10\": null,\n    \"1\": [ ]\n  }\n]",
			`[56,{"1":[],"10":null,"d":true}]`,
		},
		{
			"french",
			`{"peach": "This sorting order", "péché": "is wrong according to French",
			  "pêche": "but canonicalization MUST", "sin":   "ingnore locale"}`,
			`{"peach":"This sorting order","péché":"is wrong according to French",` +
				`"pêche":"but canonicalization MUST","sin":"ingnore locale"}`,
		},
		{
			"structures",
			`{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty",
			  "a": { }, "111": [ { } ], "A": { }}`,
			`{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}`,
		},
		{
			"unicode",
			`{"Unnormalized Unicode":"\u1e0d\u0307"}`,
			"{\"Unnormalized Unicode\":\"\u1e0d\u0307\"}",
		},
		{
			"values",
			`{"numbers": [1E30, 4.50, 333333333.33333329, 2e-3, 0.000000000000000000000000001],
			  "escaping": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
			  "literals": [null, true, false]}`,
			`{"escaping":"€$\u000f\nA'B\"\\\\\"/","literals":[null,true,false],` +
				`"numbers":[1e+30,4.5,333333333.3333333,0.002,1e-27]}`,
		},
		{
			"weird",
			`{"\u20ac": "Euro Sign", "1": "One", "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley",
			  "\u00f6": "Latin Small Letter O With Diaeresis",
			  "\ufb33": "Hebrew Letter Dalet With Dagesh", "</script>": "Browser Challenge"}`,
			`{"1":"One","</script>":"Browser Challenge",` + "\"\u0080\":\"Control\u007f\"," +
				`"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",` +
				"\"\U0001F602\":\"Smiley\",\"\uFB33\":\"Hebrew Letter Dalet With Dagesh\"}",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, canonical(t, test.text))
		})
	}
}

// The deepest nesting that is accepted, and that closing a level gives it back.
func TestDepthLimit(t *testing.T) {
	arrays := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	require.Equal(t, arrays, canonical(t, arrays))

	objects := strings.Repeat(`{"a":`, 999) + "{}" + strings.Repeat("}", 999)
	require.Equal(t, objects, canonical(t, objects))

	siblings := "[" + strings.Repeat("[],{},", 1000) + "[]]"
	require.Equal(t, siblings, canonical(t, siblings))
}

// A caller may reuse the buffer it passed, or go on to append to the result.
func TestTextAndResultAreIndependent(t *testing.T) {
	text := []byte(`{"b":1,"a":2}`)
	out, err := jcs.Transform(text)
	require.NoError(t, err)
	require.Equal(t, `{"b":1,"a":2}`, string(text))
	clear(text)
	require.Equal(t, `{"a":2,"b":1}`, string(out))
}
