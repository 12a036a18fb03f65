package jcs

import (
	"math"
	"strconv"
)

// number reads a number by the grammar of RFC 8259 section 6. The grammar is
// checked here because strconv takes more: hexadecimal, Inf, a leading plus.
//
// The value is then taken from the whole text of the number at once. Digits
// beyond the precision of a double still decide which way it is rounded.
func (s *scanner) number() error {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
		// Told here, for "found '1' after the value" would not help anyone who
		// meant to pad a number with zeros.
		if isDigit(s.peek()) {
			return s.failf(s.pos-1, "found a leading zero, want the number without it")
		}
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if err := s.exponent(); err != nil {
		return err
	}

	f, err := strconv.ParseFloat(string(s.text[start:s.pos]), 64)
	if err != nil {
		// The grammar holds, so only the range can be at fault. Section 3.2.2.3
		// has what would be infinite refused; what is too small becomes zero.
		return s.failf(start, "found a number too large for an IEEE 754 double, want at most %g from zero", math.MaxFloat64)
	}
	s.out = appendNumber(s.out, f)
	return nil
}

// exponent reads an exponent if there is one. Unlike the integer part, it may
// have leading zeros.
func (s *scanner) exponent() error {
	if c := s.peek(); c != 'e' && c != 'E' {
		return nil
	}
	s.pos++
	if c := s.peek(); c == '+' || c == '-' {
		s.pos++
	}
	return s.digits()
}

// digits reads one or more digits. JSON has no form with none: neither .5 nor
// 1. is a number.
func (s *scanner) digits() error {
	if !isDigit(s.peek()) {
		return s.failf(s.pos, "found %s in a number, want a digit", s.found())
	}
	for isDigit(s.peek()) {
		s.pos++
	}
	return nil
}

// isDigit reports whether c is one of the digits that JSON knows; unicode.IsDigit
// knows those of other scripts too.
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// appendNumber appends f, which is finite, as ECMAScript's Number::toString
// writes it. strconv finds the same digits, the fewest that read back as f and
// of those the nearest to it; only the layout is ECMAScript's own.
func appendNumber(out []byte, f float64) []byte {
	if f == 0 {
		return append(out, '0') // minus zero loses its sign
	}
	// Between the bounds ECMAScript writes no exponent. Its rule counts decimal
	// digits; comparing doubles comes to the same because the shortest text of
	// a double below a bound is below that bound too.
	if abs := math.Abs(f); 1e-6 <= abs && abs < 1e21 {
		return strconv.AppendFloat(out, f, 'f', -1, 64)
	}
	out = strconv.AppendFloat(out, f, 'e', -1, 64)
	// strconv writes at least two digits of exponent, ECMAScript no leading
	// zero. From 1e+21 up there is none to drop: that leaves 1e-07 to 1e-09.
	if n := len(out); out[n-3] == '-' && out[n-2] == '0' {
		out[n-2] = out[n-1]
		out = out[:n-1]
	}
	return out
}
