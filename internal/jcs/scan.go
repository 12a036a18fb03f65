package jcs

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how many arrays and objects may be open at once. It bounds the
// stack that a hostile text can use; the package comment promises the figure.
const maxDepth = 1000

// scanner reads text by recursive descent and writes the canonical form as it
// goes. No tree is built: only an object has to be revisited, to sort it, and
// its members can be moved within out.
//
// encoding/json is no base for this: it takes duplicate names, and replaces
// lone surrogates and invalid UTF-8 where this package must refuse them.
type scanner struct {
	text  []byte
	pos   int // the next byte to read
	depth int // arrays and objects now open
	out   []byte

	// Kept between uses only for their capacity: neither holds anything that a
	// later step may rely on.
	decoded  []byte // the string read last
	unsorted []byte
}

// span is where one member was written in scanner.out.
//
// Positions, not slices: out may be moved as it grows.
type span struct{ start, end int }

// value reads any JSON value. Callers skip the space before it.
//
// The first byte tells which kind of value it must be, so nothing is ever read
// twice and a fault is always reported for the kind that was begun.
func (s *scanner) value() error {
	switch c := s.peek(); {
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '"':
		content, err := s.str()
		if err != nil {
			return err
		}
		s.out = appendString(s.out, content)
		return nil
	case c == '-' || isDigit(c):
		return s.number()
	case c == 'n':
		return s.literal("null")
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	default:
		return s.failf(s.pos, "found %s, want a value: an object, array, string, number, true, false or null", s.found())
	}
}

// literal reads a word that is its own canonical form. What follows the word
// is left to the caller, who refuses "nullx" just as it refuses "null x".
func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.text[s.pos:], []byte(word)) {
		return s.failf(s.pos, "found a word that is no literal, want %s", word)
	}
	s.pos += len(word)
	s.out = append(s.out, word...)
	return nil
}

// array reads an array; its elements are written in the order they come, for
// that order is part of the value.
func (s *scanner) array() error {
	s.out = append(s.out, '[')
	first := len(s.out)
	err := s.list(']', func() error {
		// No element is empty, so any output at all means one came before.
		if len(s.out) > first {
			s.out = append(s.out, ',')
		}
		return s.value()
	})
	s.out = append(s.out, ']')
	return err
}

// object reads an object. Its members are first written in the order they
// come, without commas, then put in the order of section 3.2.3. The commas
// wait because which member goes without one is known only after sorting.
//
// One map serves two ends: it finds a name that is used twice at once, and it
// leads from a sorted name to its member.
func (s *scanner) object() error {
	s.out = append(s.out, '{')
	first := len(s.out)
	members := map[string]span{}
	err := s.list('}', func() error { return s.member(members) })
	if err != nil {
		return err
	}
	s.sort(first, members)
	s.out = append(s.out, '}')
	return nil
}

// member reads one name and its value and notes in members where they went.
func (s *scanner) member(members map[string]span) error {
	at, start := s.pos, len(s.out)
	if s.peek() != '"' {
		return s.failf(at, "found %s, want a member name in double quotes", s.found())
	}
	content, err := s.str()
	if err != nil {
		return err
	}
	// Names are compared as decoded: "a" and "\u0061" are one name twice. It is
	// checked before the value is read so that the first fault is the one told.
	name := string(content)
	if _, twice := members[name]; twice {
		return s.failf(at, "member name %.40q is in this object already, want each name once", name)
	}
	s.out = append(appendString(s.out, content), ':')

	s.space()
	if s.peek() != ':' {
		return s.failf(s.pos, "found %s after a member name, want ':'", s.found())
	}
	s.pos++
	s.space()
	if err := s.value(); err != nil {
		return err
	}
	members[name] = span{start, len(s.out)}
	return nil
}

// sort rewrites the members, which fill out from first on, in canonical order
// with commas between them.
func (s *scanner) sort(first int, members map[string]span) {
	// The copy is needed because spans of the old order are overwritten while
	// they are still to be read. Members hold finished text, so moving their
	// bytes is all there is to do, whatever is nested in them.
	s.unsorted = append(s.unsorted[:0], s.out[first:]...)
	s.out = s.out[:first]
	for i, name := range slices.SortedFunc(maps.Keys(members), compareUTF16) {
		if i > 0 {
			s.out = append(s.out, ',')
		}
		m := members[name]
		s.out = append(s.out, s.unsorted[m.start-first:m.end-first]...)
	}
}

// list reads from an opening bracket to its closing one and calls item at the
// start of each element or member. Arrays and objects share it, so the rules
// for commas and the limit on depth are in one place.
func (s *scanner) list(closing byte, item func() error) error {
	if s.depth == maxDepth {
		return s.failf(s.pos, "nested too deep, want at most %d arrays and objects inside one another", maxDepth)
	}
	s.depth++
	defer func() { s.depth-- }()

	s.pos++
	s.space()
	if s.peek() == closing {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case closing:
			s.pos++
			return nil
		case ',':
			// The closing bracket is not looked for here: after a comma, item
			// has to find something, or the comma was one too many.
			s.pos++
			s.space()
		default:
			return s.failf(s.pos, "found %s, want ',' or %q", s.found(), closing)
		}
	}
}

// peek returns the next byte without taking it, or 0 at the end of the text. That 0 is safe to
// compare with: no JSON token starts with a zero byte.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// space skips the four characters that RFC 8259 section 2 counts as white
// space; the wider sets of package unicode would take texts that are not JSON.
func (s *scanner) space() {
	for {
		switch s.peek() {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// found names what stands at pos, for the reason of an error. It shows one
// character, quoted, so that no text can garble the line it is logged in.
func (s *scanner) found() string {
	if s.pos >= len(s.text) {
		return "the end of the text"
	}
	r, size := utf8.DecodeRune(s.text[s.pos:])
	if r == utf8.RuneError && size == 1 {
		// A rune would be shown as U+FFFD, which is not in the text.
		return fmt.Sprintf("byte 0x%02X, which is not UTF-8", s.text[s.pos])
	}
	return fmt.Sprintf("%q", r)
}

// failf makes the error for a fault at offset at. It returns the interface so
// that no caller can turn a nil *SyntaxError into an error.
func (s *scanner) failf(at int, format string, args ...any) error {
	return &SyntaxError{Offset: at, Reason: fmt.Sprintf(format, args...)}
}

// compareUTF16 orders names by their UTF-16 code units, as section 3.2.3 asks.
// Bytes and code points would sort the same but for one case: a character
// above U+FFFF starts with a surrogate, which is less than U+E000 to U+FFFF.
func compareUTF16(a, b string) int {
	for a != "" && b != "" {
		ra, size := utf8.DecodeRuneInString(a)
		rb, _ := utf8.DecodeRuneInString(b)
		if ra != rb {
			// With equal lead surrogates the trailing ones decide, and they
			// are in the order of the code points.
			return cmp.Or(cmp.Compare(leadUnit(ra), leadUnit(rb)), cmp.Compare(ra, rb))
		}
		// Equal runes have equal sizes, for names are valid UTF-8.
		a, b = a[size:], b[size:]
	}
	return cmp.Compare(len(a), len(b))
}

// leadUnit returns the first UTF-16 code unit of r. EncodeRune has no pair for
// a character that is a single unit, and says so with U+FFFD.
func leadUnit(r rune) rune {
	if lead, _ := utf16.EncodeRune(r); lead != unicode.ReplacementChar {
		return lead
	}
	return r
}
