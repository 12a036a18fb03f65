package enum_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/enum"
)

// gate is an enumeration as the packages of this module have them.
type gate uint8

const (
	open gate = iota + 1
	halfShut
	shut
)

// before is a destination's value that no decoder yields.
const before gate = 77

var gates = enum.New[gate]("lock gate", "open", "half_shut", "shut")

func TestNames_All(t *testing.T) {
	assert.Equal(t, []gate{open, halfShut, shut}, gates.All())
	gates.All()[0] = shut
	assert.Equal(t, []gate{open, halfShut, shut}, gates.All(), "the list is the caller's")
	assert.Empty(t, enum.New[gate]("nothing").All())
}

func TestNames_Values(t *testing.T) {
	tests := []struct {
		value  gate
		has    bool
		string string
	}{
		{0, false, "none"},
		{open, true, "open"},
		{halfShut, true, "half_shut"},
		{shut, true, "shut"},
		{4, false, "lock_gate(4)"},
		{255, false, "lock_gate(255)"},
	}
	for _, tt := range tests {
		t.Run(tt.string, func(t *testing.T) {
			assert.Equal(t, tt.has, gates.Has(tt.value))
			assert.Equal(t, tt.string, gates.String(tt.value))

			text, err := gates.MarshalText(tt.value)
			if !tt.has {
				requireUnknown(t, err, tt.string)
				assert.Nil(t, text)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.string, string(text))
			text[0] = '!'
			assert.Equal(t, tt.string, gates.String(tt.value), "the text is the caller's")
		})
	}
}

// An enumeration may be as large as its type allows.
func TestNames_Largest(t *testing.T) {
	texts := make([]string, 255)
	for i := range texts {
		texts[i] = fmt.Sprintf("n%d", i+1)
	}
	n := enum.New[gate]("number", texts...)
	assert.Len(t, n.All(), 255)
	assert.True(t, n.Has(255))
	assert.False(t, n.Has(0))
	assert.Equal(t, "n255", n.String(255))
	v, err := n.Parse("n255")
	require.NoError(t, err)
	assert.Equal(t, gate(255), v)
}

// A text need not differ from others in length or first letter.
func TestNames_Alike(t *testing.T) {
	n := enum.New[gate]("thing", "seal", "sill", "", "soak", "slot", "s", "\x00")
	for _, v := range n.All() {
		var decoded gate
		require.NoError(t, n.UnmarshalText(&decoded, []byte(n.String(v))))
		assert.Equal(t, v, decoded)
		parsed, err := n.Parse(n.String(v))
		require.NoError(t, err)
		assert.Equal(t, v, parsed)
	}
	for _, text := range []string{"sand", "slop", "slo", "t", "\x01"} {
		_, err := n.Parse(text)
		require.ErrorIs(t, err, enum.ErrUnknown, text)
		require.ErrorIs(t, n.UnmarshalText(new(gate), []byte(text)), enum.ErrUnknown, text)
	}
}

// To read a known text costs no memory, however long it is.
func TestNames_Allocations(t *testing.T) {
	for _, v := range action.Types() {
		text := []byte(v.String())
		var read action.Type
		require.Zero(t, testing.AllocsPerRun(10, func() { _ = read.UnmarshalText(text) }), v)
		require.Equal(t, v, read)
	}
}

// BenchmarkParse reads statuses in turn.
func BenchmarkParse(b *testing.B) {
	var texts []string
	for _, s := range action.Statuses() {
		texts = append(texts, s.String())
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range texts {
			_, _ = action.ParseStatus(text)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(texts)), "ns/text")
}

// knownTests are the texts that name a member; unknownTests come near to one.
var (
	knownTests = []struct {
		text string
		want gate
	}{
		{"open", open},
		{"half_shut", halfShut},
		{"shut", shut},
	}
	unknownTests = []struct{ name, text string }{
		{"empty", ""},
		{"zero's", "none"},
		{"upper case", "Open"},
		{"spaces", " open "},
		{"hyphen", "half-shut"},
		{"prefix", "half"},
		{"more", "shut!"},
		{"the number", "1"},
		{"the form of a value out of range", "lock_gate(4)"},
		{"NUL", "open\x00"},
		{"not UTF-8", "\xff"},
	}
)

// decoders are the ways in that take a text.
var decoders = map[string]func(v *gate, text string) error{
	"UnmarshalText": func(v *gate, text string) error { return gates.UnmarshalText(v, []byte(text)) },
	"Scan string":   func(v *gate, text string) error { return gates.Scan(v, text) },
	"Scan bytes":    func(v *gate, text string) error { return gates.Scan(v, []byte(text)) },
	"Parse": func(v *gate, text string) error {
		got, err := gates.Parse(text)
		if err == nil {
			*v = got
		} else if got != 0 {
			return fmt.Errorf("%d beside the error %w", got, err)
		}
		return err
	},
}

func TestNames_Decode(t *testing.T) {
	for name, decode := range decoders {
		for _, tt := range knownTests {
			t.Run(name+": "+tt.text, func(t *testing.T) {
				v := before
				require.NoError(t, decode(&v, tt.text))
				assert.Equal(t, tt.want, v)
			})
		}
		for _, tt := range unknownTests {
			t.Run("RES-6: "+name+": "+tt.name, func(t *testing.T) {
				v := before
				requireUnknown(t, decode(&v, tt.text), tt.text)
				assert.Equal(t, before, v, "the destination is left as it was")
			})
		}
	}
}

func TestNames_Scan(t *testing.T) {
	t.Run("NULL is zero", func(t *testing.T) {
		v := before
		require.NoError(t, gates.Scan(&v, nil))
		assert.Zero(t, v)
	})
	t.Run("an empty text is not NULL", func(t *testing.T) {
		v := before
		requireUnknown(t, gates.Scan(&v, []byte(nil)), "")
		assert.Equal(t, before, v)
	})
	for _, src := range []any{int64(1), 1, uint8(1), 1.0, true, gate(1), []string{"open"}, struct{}{}, new(string)} {
		t.Run(fmt.Sprintf("%T", src), func(t *testing.T) {
			v := before
			err := gates.Scan(&v, src)
			require.EqualError(t, err, fmt.Sprintf("cannot scan %T into a lock gate: a text is wanted", src))
			require.NotErrorIs(t, err, enum.ErrUnknown, "it is no name at all")
			assert.Equal(t, before, v)
		})
	}
}

func TestNames_Value(t *testing.T) {
	t.Run("zero is NULL", func(t *testing.T) {
		value, err := gates.Value(0)
		require.NoError(t, err)
		assert.Nil(t, value)
	})
	for _, tt := range knownTests {
		t.Run(tt.text, func(t *testing.T) {
			value, err := gates.Value(tt.want)
			require.NoError(t, err)
			assert.Equal(t, tt.text, value)
		})
	}
	for _, v := range []gate{4, 255} {
		t.Run("RES-6: "+gates.String(v), func(t *testing.T) {
			value, err := gates.Value(v)
			requireUnknown(t, err, gates.String(v))
			assert.Nil(t, value, "there is nothing to store")
		})
	}
}

func TestUnknownError(t *testing.T) {
	_, err := gates.Parse("ajar\n")
	require.EqualError(t, err, `unknown lock gate "ajar\n" (RES-6; known: open, half_shut, shut)`)
	require.EqualError(t, enum.ErrUnknown, "unknown name")

	var unknown *enum.UnknownError
	require.ErrorAs(t, err, &unknown)
	unknown.Known[0] = "ajar"
	_, err = gates.Parse("ajar")
	requireUnknown(t, err, "ajar")

	_, err = gates.MarshalText(0)
	require.ErrorAs(t, err, &unknown)
	unknown.Known[0] = "ajar"
	_, err = gates.MarshalText(0)
	requireUnknown(t, err, "none")
}

// requireUnknown asserts what RES-6 wants of an error: what was given, by
// name, and what is known.
func requireUnknown(t *testing.T, err error, text string) {
	t.Helper()
	require.ErrorIs(t, err, enum.ErrUnknown)
	var unknown *enum.UnknownError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, &enum.UnknownError{
		What: "lock gate", Text: text, Known: []string{"open", "half_shut", "shut"},
	}, unknown)
	assert.Equal(t, enum.ErrUnknown, errors.Unwrap(unknown))
}

// Whatever the names, what is encoded is decoded to the same.
func TestNames_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfNDistinct(rapid.String(), 1, 255, rapid.ID).Draw(t, "texts")
		n := enum.New[gate]("thing", texts...)
		require.Len(t, n.All(), len(texts))
		for i, v := range n.All() {
			require.Equal(t, i+1, int(v))
			require.Equal(t, texts[i], n.String(v))
			text, err := n.MarshalText(v)
			require.NoError(t, err)
			value, err := n.Value(v)
			require.NoError(t, err)
			var unmarshaled, scanned gate
			require.NoError(t, n.UnmarshalText(&unmarshaled, text))
			require.NoError(t, n.Scan(&scanned, value))
			require.Equal(t, []gate{v, v}, []gate{unmarshaled, scanned})
		}
	})
}

// FuzzNames: every decoder agrees with Parse on every input.
func FuzzNames(f *testing.F) {
	for _, tt := range knownTests {
		f.Add(tt.text)
	}
	for _, tt := range unknownTests {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wantErr := gates.Parse(text)
		if wantErr != nil {
			want = before
		} else {
			assert.Equal(t, text, gates.String(want))
		}
		for name, decode := range decoders {
			v := before
			assert.Equal(t, wantErr, decode(&v, text), name)
			assert.Equal(t, want, v, name)
		}
	})
}
