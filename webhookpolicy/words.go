package webhookpolicy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// words are the texts of an enumeration, by value. The String, MarshalText and
// UnmarshalText methods of the enumerations forward to it, so that all of them
// refuse unknown text in the same way: by name, with what is known.
//
// A value whose text is "" stands in no document: zero, where unset is a
// mistake. Enumerations are few and short, so a text is looked for in a list.
type words[T ~uint8] struct {
	what  string // the enumeration, as messages call it
	texts []string
}

// text survives every value: one without a text shows its number.
func (w words[T]) text(v T) string {
	switch {
	case w.has(v):
		return w.texts[v]
	case v == 0:
		return "none"
	default:
		return fmt.Sprintf("%s(%d)", strings.ReplaceAll(w.what, " ", "_"), uint8(v))
	}
}

// has reports whether v may stand in a document.
func (w words[T]) has(v T) bool { return int(v) < len(w.texts) && w.texts[v] != "" }

// marshal is MarshalText of a value. What could not be read back is not written.
func (w words[T]) marshal(v T) ([]byte, error) {
	if !w.has(v) {
		return nil, w.unknown(w.text(v))
	}
	return []byte(w.texts[v]), nil
}

// unmarshal is UnmarshalText: on an error it leaves *v as it was.
func (w words[T]) unmarshal(v *T, text []byte) error {
	i := slices.Index(w.texts, string(text))
	if i < 0 || len(text) == 0 {
		return w.unknown(string(text))
	}
	*v = T(i)
	return nil
}

// unknown refuses a text by name, with what is known. However long the text is,
// the message is short.
func (w words[T]) unknown(text string) error {
	known := slices.DeleteFunc(slices.Clone(w.texts), func(t string) bool { return t == "" })
	return fmt.Errorf("unknown %s %.64q (known: %s)", w.what, text, strings.Join(known, ", "))
}

// span is a duration in documents: "1h30m0s". People write policies by hand,
// where a number would leave its unit to be guessed.
type span time.Duration

// MarshalText writes the form of time.Duration.
func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText reads what time.ParseDuration reads. On an error it leaves *s as
// it was.
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err == nil {
		*s = span(d)
	}
	return err
}
