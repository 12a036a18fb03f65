package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

// none is the place of what is not there. Each function below returns where that
// ends which begins at i, or none; and at none they find nothing, so that a fault
// goes through to whoever looks for it.
const none = -1

// peek returns the byte at i, or 0 if there is none. That 0 is safe to compare with:
// no JSON token has a zero byte.
func peek(text []byte, i int) byte {
	if uint(i) < uint(len(text)) {
		return text[i]
	}
	return 0
}

// space skips what RFC 8259 section 2 counts as white space.
func space(text []byte, i int) int {
	for c := peek(text, i); c <= ' '; c = peek(text, i) {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return i
		}
		i++
	}
	return i
}

// value reads any value. Callers skip the space before it. Depth is how many objects
// and lists may stand in each other there, which bounds the stack.
func value(text []byte, i, depth int) int {
	switch c := peek(text, i); {
	case c == '"':
		end, _ := str(text, i)
		return end
	case c == '{' && depth > 0:
		return object(text, i, depth-1)
	case c == '[' && depth > 0:
		return list(text, i, depth-1)
	case c == '-' || isDigit(c):
		return number(text, i)
	case c == 't':
		return literal(text, i, "true")
	case c == 'f':
		return literal(text, i, "false")
	case c == 'n':
		return literal(text, i, "null")
	default:
		return none
	}
}

func object(text []byte, i, depth int) int {
	i = space(text, i+1)
	if peek(text, i) == '}' {
		return i + 1
	}
	for {
		i, _ = str(text, i)
		if i = space(text, i); peek(text, i) != ':' {
			return none
		}
		i = space(text, value(text, space(text, i+1), depth))
		switch peek(text, i) {
		case ',':
			i = space(text, i+1)
		case '}':
			return i + 1
		default:
			return none
		}
	}
}

func list(text []byte, i, depth int) int {
	i = space(text, i+1)
	if peek(text, i) == ']' {
		return i + 1
	}
	for {
		i = space(text, value(text, i, depth))
		switch peek(text, i) {
		case ',':
			i = space(text, i+1)
		case ']':
			return i + 1
		default:
			return none
		}
	}
}

// colon reads what separates a name from its value.
func colon(text []byte, i int) int {
	i = space(text, i)
	if peek(text, i) != ':' {
		return none
	}
	return i + 1
}

func literal(text []byte, i int, word string) int {
	if end := i + len(word); end <= len(text) && string(text[i:end]) == word {
		return end
	}
	return none
}

// number reads a number by the grammar of RFC 8259 section 6.
func number(text []byte, i int) int {
	if peek(text, i) == '-' {
		i++
	}
	if peek(text, i) == '0' {
		i++ // and no digit follows
	} else {
		i = digits(text, i)
	}
	if peek(text, i) == '.' {
		i = digits(text, i+1)
	}
	if c := peek(text, i); c == 'e' || c == 'E' {
		i++
		if c := peek(text, i); c == '+' || c == '-' {
			i++
		}
		i = digits(text, i)
	}
	return i
}

// digits reads one or more digits.
func digits(text []byte, i int) int {
	if !isDigit(peek(text, i)) {
		return none
	}
	for isDigit(peek(text, i)) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// str reads a text, from its opening quote, and reports whether it has escapes.
func str(text []byte, i int) (end int, escaped bool) {
	if peek(text, i) != '"' {
		return none, false
	}
	for i = ordinary(text, i+1); ; i = ordinary(text, i) {
		switch peek(text, i) {
		case '"':
			return i + 1, escaped
		case '\\':
			i, escaped = escape(text, i+1), true
		default: // a control character, the end of the text, or a wrong escape
			return none, false
		}
	}
}

// escape reads what follows a backslash.
func escape(text []byte, i int) int {
	switch peek(text, i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for range 4 {
			i++
			if c := peek(text, i); !isDigit(c) && (c|0x20 < 'a' || 'f' < c|0x20) {
				return none
			}
		}
		return i + 1
	default:
		return none
	}
}

// ordinary skips what stands in a text for itself: all but the quote, the backslash
// and control characters. Most of a body is that, so it is read in words of eight
// bytes, and what is left of the text byte by byte.
func ordinary(text []byte, i int) int {
	for ; 0 <= i && i <= len(text)-8; i += 8 {
		if found := special(binary.LittleEndian.Uint64(text[i:])); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for c := peek(text, i); c >= ' ' && c != '"' && c != '\\'; c = peek(text, i) {
		i++
	}
	return i
}

// special finds the first byte of a word that is not ordinary: the lowest bit of the
// result is in it, and the result is 0 if there is none.
//
// To subtract from a byte borrows if it is less, which sets its highest bit; a byte
// that had that bit before is no ASCII, and left out. A quote less than 1 is a quote,
// once the quotes are turned into zeros. What is borrowed goes to higher bytes, so the
// lowest one is right.
func special(word uint64) uint64 {
	const each = 0x0101010101010101
	quotes, backslashes := word^'"'*each, word^'\\'*each
	less := (word - ' '*each) | (quotes - each) | (backslashes - each)
	return less &^ word & (0x80 * each)
}
