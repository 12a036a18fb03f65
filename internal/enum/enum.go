// Package enum gives enumerations over uint8 their text forms.
//
// A [Names] holds the texts of one enumeration. The types that use it forward
// their String, MarshalText, UnmarshalText, Scan and Value methods to it, so
// that all of them refuse unknown text in the same way: by name, with what is
// known (RES-6).
package enum

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnknown is what every [*UnknownError] unwraps to.
var ErrUnknown = errors.New("unknown name")

// UnknownError says that a text names no member of an enumeration (RES-6).
type UnknownError struct {
	What  string   // the enumeration: "resource type"
	Text  string   // what was given
	Known []string // every name that there is
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown %s %q (RES-6; known: %s)", e.What, clip(e.Text), strings.Join(e.Known, ", "))
}

// clip keeps a message short, whatever was given.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// Unwrap returns ErrUnknown.
func (e *UnknownError) Unwrap() error { return ErrUnknown }

// Names are the texts of an enumeration whose members count from 1. Zero is
// "none": it has no text in a document, and NULL in a database.
type Names[T ~uint8] struct {
	what   string
	texts  []string
	byText map[string]T
	likely [256]named[T] // by slot: a look here is cheaper than one into byText
}

// named is a member and its text; the zero named is none.
type named[T ~uint8] struct {
	value T
	text  string
}

// New names the members of an enumeration in their order, from 1 on. It panics
// on a text that names two of them, and on more than 255.
func New[T ~uint8](what string, texts ...string) *Names[T] {
	n := &Names[T]{what: what, texts: texts, byText: make(map[string]T, len(texts))}
	for i, v := range n.All() {
		n.byText[texts[i]] = v
		n.likely[slot(texts[i])] = named[T]{v, texts[i]}
	}
	if len(n.byText) != len(texts) || len(texts) > 255 {
		panic("enum: " + what + ": a name stands twice, or there are more than 255")
	}
	return n
}

// All returns the members in order.
func (n *Names[T]) All() []T {
	all := make([]T, len(n.texts))
	for i := range all {
		all[i] = T(i + 1)
	}
	return all
}

// Has reports whether v is a member; zero is none.
func (n *Names[T]) Has(v T) bool { return v != 0 && int(v) <= len(n.texts) }

// String returns the text of v. It survives every value: zero is "none", and
// one that is no member shows its number.
func (n *Names[T]) String(v T) string {
	switch {
	case v == 0:
		return "none"
	case n.Has(v):
		return n.texts[v-1]
	default:
		return fmt.Sprintf("%s(%d)", strings.ReplaceAll(n.what, " ", "_"), uint8(v))
	}
}

// Parse returns the member that text names, or an [*UnknownError].
func (n *Names[T]) Parse(text string) (T, error) {
	if v, ok := find(n, text); ok {
		return v, nil
	}
	return 0, &UnknownError{n.what, text, slices.Clone(n.texts)}
}

// find returns the member that text names, and whether there is one. It makes no
// copy of text.
func find[T ~uint8, S string | []byte](n *Names[T], text S) (T, bool) {
	if m := &n.likely[slot(text)]; m.value != 0 && m.text == string(text) {
		return m.value, true
	}
	v, ok := n.byText[string(text)]
	return v, ok
}

// slot tells texts apart by length and first letter. Of two texts with one slot
// the former has to be looked up; no enumeration of the spec has such two.
func slot[S string | []byte](text S) uint8 {
	if len(text) == 0 {
		return 0
	}
	return uint8(24*len(text)&0xff) + text[0]
}

// MarshalText returns the text of v, or an [*UnknownError] if v is no member.
func (n *Names[T]) MarshalText(v T) ([]byte, error) {
	if !n.Has(v) {
		return nil, &UnknownError{n.what, n.String(v), slices.Clone(n.texts)}
	}
	return []byte(n.texts[v-1]), nil
}

// UnmarshalText sets *v to the member that text names. On an [*UnknownError]
// it leaves *v as it was.
func (n *Names[T]) UnmarshalText(v *T, text []byte) error {
	got, ok := find(n, text)
	if !ok {
		return &UnknownError{n.what, string(text), slices.Clone(n.texts)}
	}
	*v = got
	return nil
}

// Scan sets *v from a database value: a text form, or NULL for zero. On an
// error it leaves *v as it was.
func (n *Names[T]) Scan(v *T, src any) error {
	switch src := src.(type) {
	case nil:
		*v = 0
		return nil
	case string:
		return n.UnmarshalText(v, []byte(src))
	case []byte:
		return n.UnmarshalText(v, src)
	default:
		return fmt.Errorf("cannot scan %T into a %s: a text is wanted", src, n.what)
	}
}

// Value returns the database value of v: its text, or nil for zero. A value
// that is no member is an [*UnknownError].
func (n *Names[T]) Value(v T) (driver.Value, error) {
	if v == 0 {
		return nil, nil
	}
	text, err := n.MarshalText(v)
	if err != nil {
		return nil, err
	}
	return string(text), nil
}
