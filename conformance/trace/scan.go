package trace

// scanner reads JSON from bytes without making values of it. It takes less than
// there is: what it does not take is left to encoding/json, which says what is
// wrong with it if anything is.
type scanner struct {
	data []byte
	pos  int
}

// maxDepth is how deep the scanner follows objects and arrays in each other.
const maxDepth = 64

// peek returns the next byte behind white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take steps over a byte, behind white space, if it comes next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// atEnd reports whether nothing but white space follows.
func (s *scanner) atEnd() bool { return s.peek() == 0 && s.pos == len(s.data) }

// quoted reads a text. plain says that it holds no escapes, so that what stands
// between the quotes is the text.
func (s *scanner) quoted() (inside []byte, plain, ok bool) {
	if !s.take('"') {
		return nil, false, false
	}
	start := s.pos
	plain = true
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], plain, true
		case c == '\\':
			plain = false
			if !s.escape() {
				return nil, false, false
			}
		case c < ' ':
			return nil, false, false
		default:
			s.pos++
		}
	}
	return nil, false, false
}

// escape steps over an escape in a text.
func (s *scanner) escape() bool {
	if s.pos+1 >= len(s.data) {
		return false
	}
	switch s.data[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
		if s.pos+6 > len(s.data) {
			return false
		}
		for _, c := range s.data[s.pos+2 : s.pos+6] {
			if !isDigit(c) && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
		s.pos += 6
		return true
	default:
		return false
	}
}

// text reads a text without escapes.
func (s *scanner) text() ([]byte, bool) {
	inside, plain, ok := s.quoted()
	return inside, plain && ok
}

// member steps to the next member of an object, behind its colon. It is called
// with index 0 behind the brace; more is false behind the closing one.
func (s *scanner) member(index int) (name []byte, more, ok bool) {
	if s.take('}') {
		return nil, false, true
	}
	if index > 0 && !s.take(',') {
		return nil, false, false
	}
	if name, ok = s.text(); !ok || !s.take(':') {
		return nil, false, false
	}
	return name, true, true
}

// value steps over any value, and returns its bytes.
func (s *scanner) value() ([]byte, bool) {
	s.peek()
	start := s.pos
	ok := s.skip(0)
	return s.data[start:s.pos], ok
}

// skip steps over any value.
func (s *scanner) skip(depth int) bool {
	switch c := s.peek(); {
	case c == '"':
		_, _, ok := s.quoted()
		return ok
	case c == '{' || c == '[':
		return depth < maxDepth && s.skipNested(c == '{', depth+1)
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

// skipNested steps over an object or an array.
func (s *scanner) skipNested(object bool, depth int) bool {
	end := byte(']')
	if object {
		end = '}'
	}
	s.pos++
	for n := 0; ; n++ {
		if n == 0 && s.take(end) {
			return true
		}
		if object {
			if _, _, ok := s.quoted(); !ok || !s.take(':') {
				return false
			}
		}
		if !s.skip(depth) {
			return false
		}
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// literal steps over a word.
func (s *scanner) literal(word string) bool {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// number steps over a number.
func (s *scanner) number() bool {
	s.one('-')
	if !s.one('0') && !s.digits() {
		return false
	}
	if s.one('.') && !s.digits() {
		return false
	}
	if s.one('e') || s.one('E') {
		if !s.one('+') {
			s.one('-')
		}
		return s.digits()
	}
	return true
}

// one steps over a byte if it comes next.
func (s *scanner) one(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// digits steps over digits, at least one.
func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && isDigit(s.data[s.pos]) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
