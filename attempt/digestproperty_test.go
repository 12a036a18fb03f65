package attempt_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/attempt"
)

// form is the inputs of an attempt as a person would compare them: members by
// name, and the contents of the files of each field in their order.
type form struct {
	members map[string]any
	files   map[string][]string
}

// sameInputs is ATT-6 without a digest: nothing differs but what is left out.
func sameInputs(a, b form) bool {
	return reflect.DeepEqual(counting(a.members), counting(b.members)) && reflect.DeepEqual(a.files, b.files)
}

func counting(members map[string]any) map[string]any {
	members = maps.Clone(members)
	for _, name := range []string{"workflow_session_id", "previous_attempt_id", "workspace_id"} {
		delete(members, name)
	}
	return members
}

// The worlds of members and of files are small, so that two draws are often
// the same, and nearly the same even more often.
var (
	memberNames = []string{"a", "b", "é", "", "\U0001F600", "workflow_session_id", "previous_attempt_id", "workspace_id"}
	scalars     = []any{nil, true, false, 0.0, 1.0, -1.5, 100.0, 1e21, 1e-7, "", "1", "a", "é\"\\\n", "\U0001F600"}
	fileFields  = []string{"front", "back"}
	contents    = []string{"", "F", "B"}
)

func drawValue(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return rapid.SampledFrom(scalars)
	}
	inner := drawValue(depth - 1)
	return rapid.OneOf(
		rapid.SampledFrom(scalars),
		rapid.SliceOfN(inner, 0, 2).AsAny(),
		rapid.MapOfN(rapid.SampledFrom(memberNames), inner, 0, 2).AsAny(),
	)
}

func drawForm(t *rapid.T) form {
	return form{
		members: rapid.MapOfN(rapid.SampledFrom(memberNames), drawValue(2), 0, 4).Draw(t, "members"),
		files: rapid.MapOfN(rapid.SampledFrom(fileFields),
			rapid.SliceOfN(rapid.SampledFrom(contents), 1, 3), 0, 2).Draw(t, "files"),
	}
}

// drawOther draws a form that is f, or differs from it in a place or two, or is
// altogether another.
func drawOther(t *rapid.T, f form) form {
	switch rapid.SampledFrom([]string{"none", "member", "file", "all"}).Draw(t, "difference") {
	case "member":
		f.members = maps.Clone(f.members)
		name := rapid.SampledFrom(memberNames).Draw(t, "name")
		delete(f.members, name)
		if rapid.Bool().Draw(t, "set") {
			f.members[name] = drawValue(2).Draw(t, "value")
		}
	case "file":
		f.files = maps.Clone(f.files)
		field := rapid.SampledFrom(fileFields).Draw(t, "field")
		if sent := f.files[field]; len(sent) > 1 {
			f.files[field] = rapid.Permutation(sent).Draw(t, "order")
		} else {
			f.files[field] = []string{rapid.SampledFrom(contents).Draw(t, "content")}
		}
	case "all":
		return drawForm(t)
	}
	return f
}

// digestOfForm is the digest of one of the many texts that stand for a form,
// with the fields of its files in any order.
func digestOfForm(t *rapid.T, f form) attempt.Digest {
	s := &speller{t: t}
	s.value(f.members)
	var files []attempt.File
	for _, field := range s.shuffled(slices.Sorted(maps.Keys(f.files))) {
		for _, content := range f.files[field] {
			files = append(files, file(field, content))
		}
	}
	return digestOf(t, raw(s.String()), files...)
}

// ATT-6: two digests are equal exactly if the inputs are: member order, white
// space, the spelling of numbers and escapes do not matter; a value, a member,
// the content of a file and the order of two files of a field do.
func TestPropertyDigestEqualIfAndOnlyIfInputsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := drawForm(t)
		other := drawOther(t, one)
		require.Equal(t, sameInputs(one, other), digestOfForm(t, one) == digestOfForm(t, other),
			"%v\n%v", one, other)
	})
}

// speller writes a value as a JSON text with everything left to chance that
// JSON leaves to the writer.
type speller struct {
	t *rapid.T
	strings.Builder
}

// shuffled is the names in any order. They come sorted, since the order of a
// map would make a failure that cannot be repeated.
func (s *speller) shuffled(sorted []string) []string {
	if len(sorted) < 2 {
		return sorted
	}
	return rapid.Permutation(sorted).Draw(s.t, "order")
}

func (s *speller) value(v any) {
	s.space()
	defer s.space()
	switch v := v.(type) {
	case string:
		s.text(v)
	case float64:
		s.number(v)
	case []any:
		s.list("[]", len(v), func(i int) { s.value(v[i]) })
	case map[string]any:
		names := s.shuffled(slices.Sorted(maps.Keys(v)))
		s.list("{}", len(names), func(i int) {
			s.space()
			s.text(names[i])
			s.space()
			s.WriteByte(':')
			s.value(v[names[i]])
		})
	case bool:
		s.WriteString(strconv.FormatBool(v))
	default:
		s.WriteString("null")
	}
}

func (s *speller) list(brackets string, n int, item func(i int)) {
	s.WriteByte(brackets[0])
	for i := range n {
		if i > 0 {
			s.WriteByte(',')
		}
		item(i)
	}
	s.space()
	s.WriteByte(brackets[1])
}

// number writes 1 as 1, 1.000, 1E+00, 1.0000000000000000e+00 or 1.0e-0.
func (s *speller) number(v float64) {
	plain := strconv.FormatFloat(v, 'f', -1, 64)
	point := plain
	if !strings.Contains(plain, ".") {
		point += ".0"
	}
	s.WriteString(rapid.SampledFrom([]string{
		plain, point + "00", strconv.FormatFloat(v, 'E', -1, 64),
		strconv.FormatFloat(v, 'e', 16, 64), point + "e-0",
	}).Draw(s.t, "number"))
}

func (s *speller) text(v string) {
	s.WriteByte('"')
	for _, r := range v {
		mustEscape := r < ' ' || r == '"' || r == '\\'
		if !mustEscape && !rapid.Bool().Draw(s.t, "escape") {
			s.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			_, _ = fmt.Fprintf(s, `\u%04x`, unit)
		}
	}
	s.WriteByte('"')
}

func (s *speller) space() {
	s.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "\r\n\t"}).Draw(s.t, "space"))
}
