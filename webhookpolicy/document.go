package webhookpolicy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits bound what is read of a document from outside, before anything is made
// of it. A zero field has its default; by a negative one nothing is read.
type Limits struct {
	Bytes int // how many bytes the whole has; by default 1 MiB
	Depth int // how many objects and lists stand in each other; by default 64
}

// The defaults of Limits.
const (
	maxBytes = 1 << 20
	maxDepth = 64
)

func (l Limits) orDefault() Limits {
	return Limits{cmp.Or(l.Bytes, maxBytes), cmp.Or(l.Depth, maxDepth)}
}

// object is a JSON object from outside, member by member. It is read with less
// tolerance than encoding/json has: names are those that the spec writes, to
// the letter, and none stands twice, so that two readers of one signed text
// cannot read different things.
type object struct {
	document string // what errors call it
	members  map[string]member
	faults   []error // each a *DocumentError
}

// member is a value as it stands in the text, and where.
type member struct {
	value  json.RawMessage
	offset int
}

// readObject reads the members of one object, or returns a [*DocumentError].
func readObject(document string, data []byte, limits Limits) (*object, error) {
	o := &object{document: document, members: map[string]member{}}
	fail := func(name string, at int, err error) (*object, error) {
		return nil, &DocumentError{document, name, at, err}
	}
	if len(data) > limits.Bytes {
		return fail("", limits.Bytes, &fault{
			fmt.Sprintf("it has %d bytes; at most %d are read", len(data), limits.Bytes), ErrTooLarge,
		})
	}
	if at := invalidUTF8(data); at >= 0 {
		return fail("", at, errors.New("it is not valid UTF-8"))
	}
	// Before the syntax, so that no parser meets what is too deep.
	if at := tooDeep(data, limits.Depth); at >= 0 {
		return fail("", at, &fault{
			fmt.Sprintf("more than %d objects and lists stand in each other", limits.Depth), ErrTooDeep,
		})
	}
	var whole json.RawMessage
	// Into a RawMessage nothing is decoded: this only checks the syntax.
	if err := json.Unmarshal(data, &whole); err != nil {
		syntax := new(json.SyntaxError)
		errors.As(err, &syntax)
		return fail("", int(syntax.Offset), err)
	}
	if whole[0] != '{' {
		return fail("", bytes.IndexByte(data, whole[0]), fmt.Errorf("an object is wanted, not %s", kind(whole)))
	}
	// The syntax is sound from here on, so tokens come without errors: a brace,
	// then names, with a value behind each.
	d := json.NewDecoder(bytes.NewReader(data))
	_, _ = d.Token()
	for d.More() {
		from := int(d.InputOffset())
		token, _ := d.Token()
		name, _ := token.(string)
		if _, twice := o.members[name]; twice {
			return fail(name, from+bytes.IndexByte(data[from:], '"'), errors.New("it stands there twice"))
		}
		var m member
		_ = d.Decode(&m.value)
		m.offset = int(d.InputOffset()) - len(m.value)
		o.members[name] = m
	}
	return o, nil
}

// fail notes a fault of a member, at its value; at 0 if it is missing.
func (o *object) fail(name string, err error) {
	o.faults = append(o.faults, &DocumentError{o.document, name, o.members[name].offset, err})
}

// err returns all faults, joined.
func (o *object) err() error { return errors.Join(o.faults...) }

// has reports whether a member is there and not null.
func (o *object) has(name string) bool {
	m, ok := o.members[name]
	return ok && string(m.value) != "null"
}

// require notes a fault for each member that is missing or null.
func (o *object) require(names ...string) {
	for _, name := range names {
		if !o.has(name) {
			o.fail(name, errMissing)
		}
	}
}

// requireAny is require for members that may be null.
func (o *object) requireAny(names ...string) {
	for _, name := range names {
		if _, ok := o.members[name]; !ok {
			o.fail(name, errMissing)
		}
	}
}

var errMissing = errors.New("it is missing")

// read decodes a member into v, which want describes, and reports whether that
// was done: what is missing or null leaves v as it is.
func (o *object) read(name string, v any, want string) bool {
	if !o.has(name) {
		return false
	}
	value := o.members[name].value
	err := json.Unmarshal(value, v)
	// Its own message tells Go types, which nobody outside knows, and might tell
	// the value, which may be a key.
	if errors.As(err, new(*json.UnmarshalTypeError)) {
		err = fmt.Errorf("%s is wanted, not %s", want, kind(value))
	}
	if err != nil {
		o.fail(name, err)
	}
	return err == nil
}

// What members hold, as errors put it.
const (
	wantText = "a text"
	wantBool = "true or false"
)

// kind says in words what a JSON value is. One that is sound shows it in its
// first byte.
func kind(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// invalidUTF8 returns where data stops being UTF-8, -1 if nowhere. JSON must be
// that; encoding/json would take it for another text, without saying so.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// tooDeep returns where more than limit objects and lists are open, -1 if
// nowhere. Of a text that is no JSON it says something harmless.
func tooDeep(data []byte, limit int) int {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++ // whatever is escaped ends no text
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}
