package jcs_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// strs draws strings, half of them from the characters at which the rules of
// escaping and sorting change.
func strs() *rapid.Generator[string] {
	edges := []rune("\x00\b\t\n\v\f\r\x1f \"/\\az\x7f\u0080\u2028\ud7ff\ue000\ufffd\uffff\U00010000\U0001F600\U0010FFFF")
	return rapid.OneOf(rapid.StringOfN(rapid.SampledFrom(edges), 0, 6, -1), rapid.StringN(0, 12, -1))
}

// doubles draws finite doubles by their bits, so that every exponent is as
// likely as any other.
func doubles() *rapid.Generator[float64] {
	return rapid.Map(rapid.Uint64(), math.Float64frombits).
		Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) })
}

// values draws JSON values, nested at most depth deep, as encoding/json
// represents them.
func values(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), strs().AsAny(),
		doubles().AsAny(), rapid.Float64Range(-1e6, 1e6).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := values(depth - 1)
	return rapid.OneOf(append(scalars,
		rapid.SliceOfN(inner, 0, 4).AsAny(),
		rapid.MapOfN(strs(), inner, 0, 5).AsAny())...)
}

// speller writes a value as a JSON text with everything left to chance that
// JSON leaves to the writer.
type speller struct {
	t *rapid.T
	strings.Builder
}

// spell returns one of the texts that stand for v.
func spell(t *rapid.T, v any) string {
	s := &speller{t: t}
	s.value(v)
	return s.String()
}

// value writes v with space around it, where JSON allows space.
func (s *speller) value(v any) {
	s.space()
	switch v := v.(type) {
	case string:
		s.str(v)
	case float64:
		s.number(v)
	case []any:
		s.WriteByte('[')
		for i, element := range v {
			s.comma(i)
			s.value(element)
		}
		s.space()
		s.WriteByte(']')
	case map[string]any:
		s.object(v)
	default:
		s.WriteString(map[any]string{nil: "null", true: "true", false: "false"}[v])
	}
	s.space()
}

// object writes the members of v in any order.
func (s *speller) object(v map[string]any) {
	// Sorted first: the random order must come from the draws alone, or a
	// failing case could not be replayed.
	names := slices.Sorted(maps.Keys(v))
	if len(names) > 1 {
		names = rapid.Permutation(names).Draw(s.t, "order")
	}
	s.WriteByte('{')
	for i, name := range names {
		s.comma(i)
		s.space()
		s.str(name)
		s.space()
		s.WriteByte(':')
		s.value(v[name])
	}
	s.space()
	s.WriteByte('}')
}

// str writes v with any of its characters escaped, and those that have to be.
func (s *speller) str(v string) {
	s.WriteByte('"')
	for _, r := range v {
		// These must be escaped; any other character may be.
		must := r < ' ' || r == '"' || r == '\\'
		format := rapid.SampledFrom([]string{"", "", `\u%04x`, `\u%04X`}).Draw(s.t, "escape")
		if format == "" && !must {
			s.WriteRune(r)
			continue
		}
		if format == "" {
			format = `\u%04x`
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			s.WriteString(fmt.Sprintf(format, unit))
		}
	}
	s.WriteByte('"')
}

// number writes v with its shortest digits in two layouts, or with seventeen
// digits, which are enough to name any double.
func (s *speller) number(v float64) {
	text := rapid.SampledFrom([]string{
		strconv.FormatFloat(v, 'f', -1, 64),
		strconv.FormatFloat(v, 'E', -1, 64),
		strconv.FormatFloat(v, 'e', 16, 64),
	}).Draw(s.t, "number")
	s.WriteString(text)
}

// comma separates item i from the one before it.
func (s *speller) comma(i int) {
	if i > 0 {
		s.WriteByte(',')
	}
}

// space writes some white space or, half of the time or so, none.
func (s *speller) space() {
	s.WriteString(rapid.SampledFrom([]string{"", "", " ", "\t", "\n", "\r", "\r\n  "}).Draw(s.t, "space"))
}

// decode reads a text with encoding/json, which shares no code with jcs.
func decode(t require.TestingT, text string) any {
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

// The canonical form is its own canonical form.
func TestPropertyIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := canonical(t, spell(t, values(4).Draw(t, "value")))
		require.Equal(t, once, canonical(t, once))
	})
}

// To another decoder, text and canonical form mean the same.
func TestPropertyValueIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := spell(t, values(4).Draw(t, "value"))
		require.Equal(t, decode(t, text), decode(t, canonical(t, text)))
	})
}

// Two spellings of one value have one canonical form: member order, white
// space, escapes and number layout do not count.
func TestPropertySpellingDoesNotCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := values(4).Draw(t, "value")
		one, other := spell(t, value), spell(t, value)
		require.Equal(t, canonical(t, one), canonical(t, other))
	})
}

// Section 3.2.3, against the plain way to do it: encode the names as UTF-16
// and compare the arrays.
func TestPropertySection323Order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(strs(), rapid.Just[any](nil), 0, 12).Draw(t, "object")
		names := slices.SortedFunc(maps.Keys(object), func(a, b string) int {
			return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		})

		decoder := json.NewDecoder(strings.NewReader(canonical(t, spell(t, object))))
		_, err := decoder.Token() // the opening brace
		require.NoError(t, err)
		for _, name := range names {
			token, err := decoder.Token()
			require.NoError(t, err)
			require.Equal(t, name, token)
			_, err = decoder.Token() // the value
			require.NoError(t, err)
		}
		require.False(t, decoder.More())
	})
}

// Section 3.2.2.3: what is written reads back as the very same double.
func TestPropertySection3223RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := doubles().Draw(t, "double")
		text := canonical(t, strconv.FormatFloat(in, 'e', 16, 64))
		out, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		// Compared as numbers, not bits: minus zero may become zero.
		require.Zero(t, cmp.Compare(in, out), "%v became %s", in, text)
	})
}
