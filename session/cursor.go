package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
)

// ErrCursor is what every [*CursorError] unwraps to.
var ErrCursor = errors.New("session: invalid cursor")

// CursorError says that a text is no cursor of a list and no position in an
// [Outbox].
type CursorError struct {
	Cursor string
	Reason string
}

// Error says what a cursor would be.
func (e *CursorError) Error() string {
	return fmt.Sprintf("session: invalid cursor %q: %s; give one that was returned, or none for the beginning", e.Cursor, e.Reason)
}

// Unwrap returns ErrCursor.
func (e *CursorError) Unwrap() error { return ErrCursor }

// Position is a place in the order of a list (see [Lister]): behind the session
// that was created then and has this id. The zero Position is before all.
//
// It is for those who write a Store: its text is a cursor, which stays good
// through writes and restarts, since neither part of it ever changes.
type Position struct {
	CreatedAt time.Time // whole seconds
	ID        string
}

// PositionOf returns the position behind a session.
func PositionOf(s Session) Position { return Position{s.createdAt, s.id} }

// Compare returns -1, 0 or 1 as p is before, at or behind o.
func (p Position) Compare(o Position) int {
	if c := p.CreatedAt.Compare(o.CreatedAt); c != 0 {
		return c
	}
	return strings.Compare(p.ID, o.ID)
}

// Cursor returns the text of a position, "" for the zero Position.
func (p Position) Cursor() string {
	if p == (Position{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", p.CreatedAt.Unix(), p.ID))
}

// ParseCursor reads what Cursor writes; anything else is a [*CursorError].
func ParseCursor(cursor string) (Position, error) {
	if cursor == "" {
		return Position{}, nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return Position{}, &CursorError{cursor, "it is not base64url"}
	}
	seconds, id, _ := strings.Cut(string(text), " ")
	var unix int64
	if err := json.Unmarshal([]byte(seconds), &unix); err != nil || action.CheckID(id) != "" {
		return Position{}, &CursorError{cursor, "it holds no position"}
	}
	p := Position{time.Unix(unix, 0).UTC(), id}
	// Other spellings of the same position were never given out.
	if p.Cursor() != cursor {
		return Position{}, &CursorError{cursor, "it holds no position"}
	}
	return p, nil
}

// pageJSON is the form in which the public API lists anything.
type pageJSON struct {
	Meta struct {
		NextCursor *string `json:"next_cursor"`
	} `json:"meta"`
	Data []json.RawMessage `json:"data"`
}

// MarshalJSON writes the public API's form of a list (SES-10).
func (p Page[T]) MarshalJSON() ([]byte, error) {
	wire := pageJSON{Data: make([]json.RawMessage, len(p.Items))}
	if p.NextCursor != "" {
		wire.Meta.NextCursor = &p.NextCursor
	}
	for i, item := range p.Items {
		text, err := json.Marshal(item)
		if err != nil {
			return nil, itemError(i, err)
		}
		wire.Data[i] = text
	}
	return json.Marshal(wire)
}

// itemError says which item of a page is wrong, and where in it.
func itemError(i int, err error) error {
	var inner *DocumentError
	if !errors.As(err, &inner) {
		inner = unreadable("page", err)
	}
	return within("page", fmt.Sprintf("data[%d]", i), inner)
}

// UnmarshalJSON reads the public API's form of a list. On an error it leaves p
// as it was.
func (p *Page[T]) UnmarshalJSON(data []byte) error {
	var wire pageJSON
	if err := json.Unmarshal(data, &wire); err != nil {
		return unreadable("page", err)
	}
	if wire.Data == nil {
		return &DocumentError{"page", "data", errors.New("it is missing (SES-10)")}
	}
	read := Page[T]{NextCursor: deref(wire.Meta.NextCursor)}
	for i, text := range wire.Data {
		var item T
		if err := json.Unmarshal(text, &item); err != nil {
			return itemError(i, err)
		}
		read.Items = append(read.Items, item)
	}
	*p = read
	return nil
}
