// Package jsonscan reads JSON objects and lists in one pass over a text, without
// reflection and without memory of its own.
//
// The idea: whoever wants a few members of an object has to check the syntax of
// the whole, and by then has been past them. A [Scanner] checks as it goes, and
// hands out the members as they stand:
//
//	s := jsonscan.New(text, jsonscan.MaxDepth)
//	for s.Enter(); s.Next(); {
//		if string(s.Name()) == "id" {
//			id = s.Value()
//		}
//	}
//	if !s.End() {
//		return errors.New("it is no JSON object")
//	}
//
// EnterList and NextElement do the same with the elements of a list.
//
// The rules:
//
//   - What it takes and refuses is what json.Valid does, and names and texts are
//     what json.Unmarshal makes of them: escapes are left to it.
//   - Nothing is certain before End: what was handed out may be part of a text that
//     is not sound.
//   - A name that stands twice is handed out twice.
//   - It says that a text is refused, never why. Whoever wants to know asks
//     encoding/json, which has all the time then.
package jsonscan

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// MaxDepth is how many objects and lists may stand in each other for
// encoding/json.
const MaxDepth = 10000

// Scanner reads one text, from its beginning to its end. Nothing that it hands out
// is a copy, but for names that are written with escapes.
type Scanner struct {
	text  []byte
	pos   int // the next byte to read, none after a fault
	next  expected
	depth int // objects and lists that were entered and not left
	limit int

	nameFrom, nameTo int // the last name, in its quotes
	escaped          bool
}

// expected is what stands at the next byte, but for space.
type expected uint8

const (
	expectValue  expected = iota
	expectFirst           // a name or an element, or the end of what has none
	expectFollow          // a comma, or the end: of the object, the list or the text
)

// New returns a Scanner of a text in which at most limit objects and lists may
// stand in each other.
func New(text []byte, limit int) Scanner { return Scanner{text: text, limit: limit} }

// Enter goes into the object that is the next value, and reports false if the next
// value is another one. Then nothing is read, and [Scanner.Value] gives it. What
// was entered is left by Next.
func (s *Scanner) Enter() bool { return s.enter('{') }

// EnterList is Enter for a list, which is left by NextElement.
func (s *Scanner) EnterList() bool { return s.enter('[') }

func (s *Scanner) enter(begin byte) bool {
	at := space(s.text, s.pos)
	if s.next != expectValue || peek(s.text, at) != begin || s.depth >= s.limit {
		return false
	}
	s.pos, s.next = at+1, expectFirst
	s.depth++
	return true
}

// Next goes on to the next member, past the value of the last one if that was not
// read, and reports false behind the last member, or if there is a fault.
func (s *Scanner) Next() bool {
	if !s.follow('}') {
		return false
	}
	s.nameFrom = s.pos
	s.nameTo, s.escaped = str(s.text, s.pos)
	s.pos = colon(s.text, s.nameTo)
	return s.pos != none
}

// NextElement is Next for the elements of a list.
func (s *Scanner) NextElement() bool { return s.follow(']') }

// follow goes to where the next member or element begins, and reports false behind
// the end.
func (s *Scanner) follow(end byte) bool {
	if s.depth == 0 {
		return false
	}
	if s.next == expectValue {
		s.Value()
	}
	at := space(s.text, s.pos)
	switch c := peek(s.text, at); {
	case c == end:
		s.pos, s.next = at+1, expectFollow
		s.depth--
		return false
	case s.next == expectFirst: // nothing stands before the first
	case c == ',':
		at = space(s.text, at+1)
	default:
		at = none
	}
	s.pos, s.next = at, expectValue
	return at != none
}

// Name returns the name of the member, of which bytes that are not UTF-8 are as
// they stand.
func (s *Scanner) Name() []byte {
	if s.escaped {
		return []byte(decode(s.text[s.nameFrom:s.nameTo]))
	}
	return s.text[s.nameFrom+1 : s.nameTo-1 : s.nameTo-1]
}

// Value reads the next value and returns its text, nil if there is none.
func (s *Scanner) Value() []byte {
	if s.next != expectValue {
		return nil
	}
	from := space(s.text, s.pos)
	s.pos, s.next = value(s.text, from, s.limit-s.depth), expectFollow
	if s.pos == none {
		return nil
	}
	return s.text[from:s.pos:s.pos]
}

// Null reads the next value if it is null, and reports whether it is.
func (s *Scanner) Null() bool {
	if s.next != expectValue || peek(s.text, space(s.text, s.pos)) != 'n' {
		return false
	}
	return s.Value() != nil
}

// End reports whether the text was read to its end and is sound.
func (s *Scanner) End() bool {
	return s.depth == 0 && s.next == expectFollow && s.pos != none && space(s.text, s.pos) == len(s.text)
}

// Text returns what a value says if it is a text. The value must be sound.
func Text(value []byte) (text string, ok bool) {
	if plain := Plain(value); plain != nil {
		return string(plain), true
	}
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	return decode(value), true
}

// Plain returns the letters of a text, which are part of the value. It returns nil
// for other values, and for texts with escapes or with bytes that are not UTF-8. The
// value must be sound.
func Plain(value []byte) []byte {
	if len(value) == 0 || value[0] != '"' {
		return nil
	}
	letters := value[1 : len(value)-1]
	if bytes.IndexByte(letters, '\\') >= 0 || !utf8.Valid(letters) {
		return nil
	}
	return letters
}

// decode returns what a text says, however it is written.
func decode(value []byte) (text string) {
	_ = json.Unmarshal(value, &text) // a text always says something
	return text
}
