package jsonscan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/jsonscan"
)

// valid reports whether a text is taken as one value.
func valid(text string) bool {
	s := jsonscan.New([]byte(text), jsonscan.MaxDepth)
	s.Value()
	return s.End()
}

// one is a member as it was handed out.
type one struct{ name, value string }

// members returns the members of an object.
func members(text string) (all []one, sound bool) {
	s := jsonscan.New([]byte(text), jsonscan.MaxDepth)
	for s.Enter(); s.Next(); {
		all = append(all, one{string(s.Name()), string(s.Value())})
	}
	return all, s.End()
}

// elements returns the elements of a list.
func elements(text string) (all []string, sound bool) {
	s := jsonscan.New([]byte(text), jsonscan.MaxDepth)
	for s.EnterList(); s.NextElement(); {
		all = append(all, string(s.Value()))
	}
	return all, s.End()
}

// taken and refused are texts at which the grammar turns.
var (
	taken = []string{
		"null", "true", "false", " \t\r\n0\n", "-0", "10", "-1.50", "0e0", "1E+05", "2e-9",
		`""`, `"x"`, `"seven77"`, `"eight888"`, `"nine99999"`, "\"\x7f é\u2028\U0001F600\"", "\"\xff\"",
		`"\"\\\/\b\f\n\r\t\u00e9\uABCD"`, `"\ud800"`, `"1234567\""`, `"12345678\\"`,
		"[]", "[ ]", "[1]", "[ 1 , [ ] ,{ } ]", "{}", "{ }", `{"a":1}`, ` { "a" : { "b" : [ ] } , "" : 2 } `, `{"a":1,"a":2}`,
	}
	refused = []string{
		"", " ", "nul", "nulll", "True", "tru", "fals", "falsee", "n", "\v1", "\u00a01", "\ufeff1", "/", "'a'",
		"-", "+1", "01", "-01", "1.", ".5", "1.e5", "1e", "1e+", "1ee5", "0x1", "1_0", "1 2", "- 1", "Inf",
		`"`, `"x`, `"12345678`, `"1234567`, "\"\x00\"", "\"\x1f1234567\"", "\"a\n\"", `"\`, `"\x"`, `"\U0041"`,
		`"\u"`, `"\u12"`, `"\u123g"`, `"\u 123"`, `"\u12"34"`, `""""`, `"a"b`,
		"[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "[[]", "[]]",
		"{", "}", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,"a":1}`, `{"a" 1}`, `{"a"::1}`, `{"a",1}`, `{a:1}`,
		`{1:1}`, `{"a":1 "b":2}`, `{"a":1]`, `{"a":}`, `{"a\":1}`, `{}{}`, `{},`, "{\"a\x01\":1}", `{null:1}`,
	}
)

func TestScanner_End(t *testing.T) {
	for _, text := range taken {
		assert.True(t, valid(text), "%q", text)
		assert.True(t, json.Valid([]byte(text)), "%q", text)
	}
	for _, text := range refused {
		assert.False(t, valid(text), "%q", text)
		assert.False(t, json.Valid([]byte(text)), "%q", text)
		// Nor does it make a member.
		for _, format := range []string{`{"a":%s}`, `{"b":{},"a":[%s]}`, "%s"} {
			text := fmt.Sprintf(format, text)
			_, sound := members(text)
			assert.Equal(t, sound, json.Valid([]byte(text)), "%q", text)
			text = "[" + text + "]"
			_, sound = elements(text)
			assert.Equal(t, sound, json.Valid([]byte(text)), "%q", text)
		}
	}
}

// Words of eight bytes are not read beyond the text, and wherever in one the quote
// stands, it is found.
func TestScanner_ValueLengths(t *testing.T) {
	for before := range 20 {
		for _, special := range []string{`"`, `\n"`, `\""`, `\u0000"`, "\x1f\"", "\xff\"", "\x80\x1f\"", "\x21\"", ""} {
			for after := range 10 {
				text := strings.Repeat("x", before) + special + strings.Repeat(" ", after)
				assert.Equal(t, json.Valid([]byte(`"`+text)), valid(`"`+text), "%q", text)
			}
		}
	}
}

func TestScanner_Next(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []one
	}{
		{"{}", nil},
		{` { "a" : [ 1 ] , "\u0062\n" : "x"}`, []one{{"a", "[ 1 ]"}, {"b\n", `"x"`}}},
		{`{"a":1,"":{},"a":2,"\u0061":3}`, []one{{"a", "1"}, {"", "{}"}, {"a", "2"}, {"a", "3"}}},
		{`{"\ud800":-0}`, []one{{"\ufffd", "-0"}}},
	} {
		got, sound := members(tt.text)
		assert.True(t, sound, tt.text)
		assert.Equal(t, tt.want, got, tt.text)
	}
	for _, text := range []string{"null", "[]", `"{}"`, "1", ""} {
		got, sound := members(text)
		assert.False(t, sound, text)
		assert.Empty(t, got, text)
	}
}

// What nobody asks for is passed over, and objects are gone into only where that is
// wanted.
func TestScanner_Nested(t *testing.T) {
	s := jsonscan.New([]byte(`{"skipped":{"x":[1]},"list":[{}],"object":{"y":1,"z":{"deep":2}},"last":3}`), 3)
	var read []string
	for s.Enter(); s.Next(); {
		name := string(s.Name())
		switch {
		case name == "skipped":
		case s.Enter():
			for s.Next() {
				read = append(read, name+"."+string(s.Name()))
			}
		default:
			read = append(read, name+"="+string(s.Value()))
			assert.Nil(t, s.Value(), "there is no second value")
			assert.False(t, s.Enter())
		}
	}
	assert.True(t, s.End())
	assert.Equal(t, []string{"list=[{}]", "object.y", "object.z", "last=3"}, read)

	for _, text := range []string{`{"a":{"b":1}`, `{"a":{"b":}}`, `{"a":{"b":1]}`, `{"a":{"b":1}}}`, `{"a":{1}}`, `{"a":{"b":1},}`} {
		s := jsonscan.New([]byte(text), 3)
		for s.Enter(); s.Next(); {
			for s.Enter(); s.Next(); {
			}
		}
		assert.False(t, s.End(), text)
	}
}

func TestScanner_NextElement(t *testing.T) {
	for text, want := range map[string][]string{
		"[]": nil, " [ ] ": nil, "[1]": {"1"}, ` [ 1 , [ 2 ] ,{"a":[]}, "]" ] `: {"1", "[ 2 ]", `{"a":[]}`, `"]"`},
	} {
		got, sound := elements(text)
		assert.True(t, sound, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"null", "{}", `"[]"`, "1", ""} {
		got, sound := elements(text)
		assert.False(t, sound, text)
		assert.Empty(t, got, text)
	}
}

// Objects and lists are gone into from each other, and what is not gone into is
// passed over.
func TestScanner_NestedLists(t *testing.T) {
	s := jsonscan.New([]byte(`{"a":[{"b":1},[2,[3]],{},[],4],"c":[5],"d":[[6]],"e":7}`), 4)
	var read []string
	for s.Enter(); s.Next(); {
		name := string(s.Name())
		if name == "c" || !s.EnterList() {
			continue
		}
		for s.NextElement() {
			switch {
			case s.Enter():
				for s.Next() {
					read = append(read, name+"."+string(s.Name())+string(s.Value()))
				}
			case s.EnterList():
				for s.NextElement() {
					read = append(read, name+".."+string(s.Value()))
				}
			default:
				read = append(read, name+"."+string(s.Value()))
			}
		}
	}
	assert.True(t, s.End())
	assert.Equal(t, []string{"a.b1", "a..2", "a..[3]", "a.4", "d..6"}, read)
}

func TestScanner_Null(t *testing.T) {
	for text, want := range map[string]bool{
		"null": true, "\tnull\n": true, "nul": false, "nulll": true, "0": false, `"null"`: false, "": false, "{}": false,
	} {
		s := jsonscan.New([]byte(text), 1)
		assert.Equal(t, want, s.Null(), text)
		assert.False(t, s.Null(), "it is read already")
		s.Value()
		assert.Equal(t, json.Valid([]byte(text)), s.End(), text)
	}
}

// An object that was left half-way is no end.
func TestScanner_EndTooEarly(t *testing.T) {
	s := jsonscan.New([]byte(`{"a":1}`), 1)
	assert.False(t, s.End())
	assert.False(t, s.Next(), "it is not entered")
	require.True(t, s.Enter())
	assert.False(t, s.End())
	require.True(t, s.Next())
	s.Value()
	assert.False(t, s.End())
	require.False(t, s.Next())
	assert.True(t, s.End())
	assert.False(t, s.Next())
	assert.Nil(t, s.Value())
	assert.True(t, s.End())

	s = jsonscan.New([]byte(`{"a":1`), 1)
	s.Enter()
	s.Next()
	s.Value()
	assert.False(t, s.End(), "the brace is missing")
	s = jsonscan.New([]byte(`1{}`), 1)
	s.Value()
	assert.False(t, s.Enter(), "a second value")
}

func TestScanner_Depth(t *testing.T) {
	for _, limit := range []int{-1, 0, 1} {
		s := jsonscan.New([]byte("{}"), limit)
		assert.Equal(t, limit == 1, s.Enter())
		s = jsonscan.New([]byte("[]"), limit)
		assert.Equal(t, limit == 1, s.EnterList())
	}
	lists := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for _, deep := range []func(int) string{lists, objects} {
		for _, limit := range []int{-1, 0, 1, 2, 64} {
			for _, n := range []int{1, 2, 3, 64, 65} {
				s := jsonscan.New([]byte(deep(n)), limit)
				s.Value()
				assert.Equal(t, n <= limit, s.End(), "%d, %d", n, limit)

				s = jsonscan.New([]byte(`{"a":`+deep(n)+`,"b":[{}]}`), limit)
				for s.Enter(); s.Next(); {
				}
				assert.Equal(t, max(n, 2) < limit, s.End(), "%d, %d", n, limit)
			}
		}
		assert.True(t, valid(deep(jsonscan.MaxDepth)))
		assert.True(t, json.Valid([]byte(deep(jsonscan.MaxDepth))))
		assert.False(t, valid(deep(jsonscan.MaxDepth+1)))
		assert.False(t, json.Valid([]byte(deep(jsonscan.MaxDepth+1))))
	}
}

func TestText(t *testing.T) {
	for value, want := range map[string]string{
		`""`: "", `"x"`: "x", `"é"`: "é", `"\u0000\ud83d\ude00\/"`: "\x00\U0001F600/", `"\ud800"`: "\ufffd", "\"a\xffb\"": "a\ufffdb",
	} {
		got, ok := jsonscan.Text([]byte(value))
		assert.True(t, ok, value)
		assert.Equal(t, want, got, value)
	}
	for _, value := range []string{"", "null", "5", "true", "{}", `["x"]`} {
		got, ok := jsonscan.Text([]byte(value))
		assert.False(t, ok, value)
		assert.Empty(t, got, value)
	}
}

// Nothing is copied, and what is handed out cannot be written on by appending to it.
func TestScanner_Memory(t *testing.T) {
	text := []byte(`{"name":{"x":[1,"\n"]},"other":1}`)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		s := jsonscan.New(text, 3)
		for s.Enter(); s.Next(); {
			_, _ = s.Name(), s.Value()
		}
	}))
	s := jsonscan.New(text, 3)
	s.Enter()
	s.Next()
	name, value := s.Name(), s.Value()
	_, _ = append(name, 'X'), append(value, 'X')
	assert.JSONEq(t, `{"name":{"x":[1,"\n"]},"other":1}`, string(text))
}
