package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// width is how many characters a line of a vector file has, if it can be broken.
const width = 120

// node is a JSON value with its members in order and its scalars as written.
type node struct {
	scalar  string
	open    byte // '{', '[' or 0
	names   []string
	members []node
}

// parse reads one value. Go's decoder would lose how scalars are written.
func parse(d *scanner) (n node, err error) {
	switch c := d.next(); c {
	case '{', '[':
		n.open = c
		for first := true; ; first = false {
			if t := d.peek(); t == '}' || t == ']' {
				d.next()
				return n, nil
			}
			if !first && d.next() != ',' {
				return n, fmt.Errorf("a comma is missing at byte %d", d.at)
			}
			if c == '{' {
				d.peek()
				n.names = append(n.names, d.scalar())
				if d.next() != ':' {
					return n, fmt.Errorf("a colon is missing at byte %d", d.at)
				}
			}
			member, err := parse(d)
			if err != nil {
				return n, err
			}
			n.members = append(n.members, member)
		}
	default:
		d.at--
		n.scalar = d.scalar()
		return n, nil
	}
}

// scanner walks over a valid JSON text.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) peek() byte {
	for s.at < len(s.text) && bytes.IndexByte([]byte(" \t\r\n"), s.text[s.at]) >= 0 {
		s.at++
	}
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) next() byte {
	c := s.peek()
	s.at++
	return c
}

func (s *scanner) scalar() string {
	begin := s.at
	if s.text[s.at] == '"' {
		for s.at++; s.text[s.at] != '"'; s.at++ {
			if s.text[s.at] == '\\' {
				s.at++
			}
		}
		s.at++
	} else {
		for s.at < len(s.text) && bytes.IndexByte([]byte(",:]} \t\r\n"), s.text[s.at]) < 0 {
			s.at++
		}
	}
	return string(s.text[begin:s.at])
}

// line is the value in one line.
func (n node) line() string {
	if n.open == 0 {
		return n.scalar
	}
	parts := make([]string, len(n.members))
	for i, m := range n.members {
		if parts[i] = m.line(); n.open == '{' {
			parts[i] = n.names[i] + ": " + parts[i]
		}
	}
	return string(n.open) + strings.Join(parts, ", ") + string(n.open+2)
}

// write appends the value at an indentation. The first three levels (the file,
// its list of vectors, a vector) and the steps of a vector always stand in
// several lines; the rest does if it is too long for one.
func (n node) write(b *strings.Builder, indent, used int, name string) {
	line := n.line()
	broken := indent < 3 || (indent == 3 && (name == `"when"` || name == `"then"`))
	if n.open == 0 || len(n.members) == 0 || !broken && used+utf8.RuneCountInString(line) <= width {
		b.WriteString(line)
		return
	}
	pad := strings.Repeat("  ", indent+1)
	b.WriteByte(n.open)
	for i, m := range n.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + pad)
		label := ""
		if n.open == '{' {
			label = n.names[i]
			b.WriteString(label + ": ")
		}
		m.write(b, indent+1, len(pad)+len(label)+3, label)
	}
	b.WriteString("\n" + pad[2:] + string(n.open+2))
}

// format returns the one way in which a vector file is written.
func format(text []byte) ([]byte, error) {
	if !json.Valid(text) {
		return nil, json.Unmarshal(text, new(any))
	}
	n, err := parse(&scanner{text: text})
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	n.write(&b, 0, 0, "")
	return []byte(b.String() + "\n"), nil
}
