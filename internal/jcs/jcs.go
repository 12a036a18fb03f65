// Package jcs writes JSON in the one form that RFC 8785, the JSON
// Canonicalization Scheme, allows for each value.
//
// The idea: a hash or a signature covers bytes, but two programs that mean the
// same JSON value may spell it with other bytes. After [Transform] they spell
// it with the same ones, so the bytes can be hashed, signed and compared.
//
// The rules, by section of RFC 8785:
//
//   - 3.2.1: no white space between tokens.
//   - 3.2.2.1: the literals are null, true and false.
//   - 3.2.2.2: a string is written as it is, in UTF-8, without Unicode
//     normalization. Only the quotation mark, the backslash and the characters
//     below U+0020 are escaped: \b \t \n \f \r where they apply, \u00xx in
//     lower case for the others.
//   - 3.2.2.3: a number is written as ECMAScript's Number::toString writes the
//     IEEE 754 double nearest to it: the fewest digits that read back as the
//     same double, with an exponent from 1e+21 up and below 1e-6. Minus zero
//     is 0.
//   - 3.2.3: the members of an object are sorted by name, compared as arrays
//     of UTF-16 code units. Array elements keep their order.
//   - 3.2.4: the result is UTF-8.
//
// The input must be I-JSON, as section 3.1 asks. Refused with a [SyntaxError]
// are texts that are not JSON (RFC 8259), a byte order mark, data after the
// value, two members of one object with the same name, surrogates without
// their other half, bytes that are not UTF-8, numbers too large for a double,
// and arrays and objects nested more than 1000 deep.
//
// Limits to know of:
//
//   - Numbers are doubles. 9007199254740993 and 9007199254740992 are the same
//     double, hence have the same canonical form, and 1e-400 is 0. Appendix D
//     advises to carry wider numbers in strings.
//   - The noncharacters of Unicode, such as U+FFFF, pass as they are: section
//     3.2.2.2 gives no reason to refuse them.
//   - The time taken grows with the length of the text, except that each level
//     of nested objects moves the bytes inside it once more to sort them.
package jcs

import (
	"fmt"
)

// SyntaxError says where and why a text was refused. Every error of
// [Transform] is one.
type SyntaxError struct {
	// Offset is the zero-based offset of the byte where the fault starts; it
	// is the length of the text when the text ends too early.
	Offset int
	// Reason says what is wrong and what would be right.
	Reason string
}

// Error gives the offset and the reason in one line.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("jcs: byte %d: %s", e.Offset, e.Reason)
}

// Transform returns the RFC 8785 canonical form of one JSON text.
//
// The text is left unchanged and the result shares no memory with it. The
// error, if any, is a *[SyntaxError] for the first fault in the text.
func Transform(text []byte) ([]byte, error) {
	// Most texts shrink, so their own length is room enough.
	s := &scanner{text: text, out: make([]byte, 0, len(text))}
	s.space()
	if err := s.value(); err != nil {
		return nil, err
	}
	s.space()
	// A second value, or a stray bracket, would be lost from the hash: two
	// texts that differ only there must not become one.
	if s.pos < len(s.text) {
		return nil, s.failf(s.pos, "found %s after the value, want the end of the text", s.found())
	}
	return s.out, nil
}
