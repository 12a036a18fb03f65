package jcs

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The letters of the two-character escapes and, at the same index, what they
// stand for. The solidus is here for reading only: it may be escaped in the
// input but never is in the output.
const (
	escapeLetters = `"\btnfr/`
	escapeMeaning = "\"\\\b\t\n\f\r/"
)

// str reads a string, from its opening quote, and returns the content it stands
// for. The result is good until the next call of str.
//
// Decoding and writing are apart, although most strings are canonical already:
// members sort by their decoded names, and content that can be spelt in many
// ways has to pass through a form that knows only one.
func (s *scanner) str() ([]byte, error) {
	opening := s.pos
	s.pos++
	s.decoded = s.decoded[:0]
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		if c == '"' {
			s.pos++
			return s.decoded, nil
		}
		if err := s.character(c); err != nil {
			return nil, err
		}
	}
	// The start is told as well: a missing quote is seldom near the end.
	return nil, s.failf(s.pos, "found the end of the text in the string that starts at byte %d, want '\"'", opening)
}

// character reads one character or escape, which starts with c. The closing
// quote is not for it: str has looked for that before.
func (s *scanner) character(c byte) error {
	switch {
	case c == '\\':
		return s.escape()
	case c < ' ':
		// The canonical form of the character shows how to write it.
		return s.failf(s.pos, "found the control character U+%04X in a string, want it escaped: %s", c, appendString(nil, []byte{c}))
	case c < utf8.RuneSelf:
		s.decoded = append(s.decoded, c)
		s.pos++
		return nil
	}
	// DecodeRune also refuses surrogates encoded as if they were characters,
	// overlong forms, and what lies above U+10FFFF.
	r, size := utf8.DecodeRune(s.text[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return s.failf(s.pos, "found %s, want a string in UTF-8", s.found())
	}
	s.decoded = append(s.decoded, s.text[s.pos:s.pos+size]...)
	s.pos += size
	return nil
}

// escape reads one escape, from its backslash. At the end of the text peek
// gives a zero byte, which is no escape letter either.
func (s *scanner) escape() error {
	at := s.pos
	s.pos++
	c := s.peek()
	if c == 'u' {
		return s.unicodeEscape(at)
	}
	i := strings.IndexByte(escapeLetters, c)
	if i < 0 {
		return s.failf(at, `found %s after a backslash, want one of %s or u`, s.found(), escapeLetters)
	}
	s.decoded = append(s.decoded, escapeMeaning[i])
	s.pos++
	return nil
}

// unicodeEscape reads \uXXXX, or a pair of them that stands for one character
// above U+FFFF. The backslash is at offset at; pos is at the u.
//
// A surrogate without its other half is no character and has no UTF-8 form, so
// section 3.2.2.2 has it refused.
func (s *scanner) unicodeEscape(at int) error {
	r, err := s.hex4()
	if err != nil {
		return err
	}
	// A low surrogate goes the same way as a high one: as the first half it can
	// only fail, and the reason is the same.
	if utf16.IsSurrogate(r) {
		high := r
		if !bytes.HasPrefix(s.text[s.pos:], []byte(`\u`)) {
			return s.failLone(at, high)
		}
		s.pos++
		low, err := s.hex4()
		if err != nil {
			return err
		}
		// DecodeRune checks both halves, and gives U+FFFD if either is wrong.
		// No right pair stands for U+FFFD itself.
		if r = utf16.DecodeRune(high, low); r == unicode.ReplacementChar {
			return s.failLone(at, high)
		}
	}
	s.decoded = utf8.AppendRune(s.decoded, r)
	return nil
}

// failLone refuses the surrogate escape at offset at. Putting U+FFFD in its
// place, as many decoders do, would give different texts one canonical form.
func (s *scanner) failLone(at int, surrogate rune) error {
	return s.failf(at, `found the lone surrogate \u%04x, want a pair: \ud800 to \udbff, then \udc00 to \udfff`, surrogate)
}

// hex4 reads the u of an escape and the four digits after it. It goes digit by
// digit, where strconv would tell only that the four are wrong, not which.
func (s *scanner) hex4() (rune, error) {
	s.pos++
	var r rune
	for range 4 {
		c := s.peek()
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, s.failf(s.pos, `found %s, want four hexadecimal digits after \u`, s.found())
		}
		r = r<<4 | rune(c)
		s.pos++
	}
	return r, nil
}

// appendString appends content, which is valid UTF-8, as a string of section
// 3.2.2.2. Going byte by byte is sound: no byte of a longer UTF-8 sequence is
// below U+0080.
func appendString(out, content []byte) []byte {
	const hexDigits = "0123456789abcdef"
	out = append(out, '"')
	for _, c := range content {
		if c >= ' ' && c != '"' && c != '\\' {
			out = append(out, c)
			continue
		}
		if i := strings.IndexByte(escapeMeaning, c); i >= 0 {
			out = append(out, '\\', escapeLetters[i])
			continue
		}
		out = append(out, `\u00`...)
		out = append(out, hexDigits[c>>4], hexDigits[c&0xf])
	}
	return append(out, '"')
}
