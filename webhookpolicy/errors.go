package webhookpolicy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What a [*FieldError] unwraps to. An unknown event unwraps to
// [ErrUnknownEvent].
var (
	// ErrInvalidID: an id that is empty, too long or not text (SUB-1, WHK-9).
	ErrInvalidID = errors.New("webhookpolicy: invalid id")
	// ErrInvalidTime: a time that is missing or cannot be written (SUB-1,
	// WHK-10).
	ErrInvalidTime = errors.New("webhookpolicy: invalid time")
	// ErrInvalidList: a list that is empty, holds something twice, or has
	// others beside the wildcard (SUB-3).
	ErrInvalidList = errors.New("webhookpolicy: invalid list")
	// ErrInvalidEndpoint: an endpoint that cannot be called securely (SUB-4).
	ErrInvalidEndpoint = errors.New("webhookpolicy: invalid endpoint")
	// ErrInvalidDescription: a description that is too long or not text
	// (SUB-4).
	ErrInvalidDescription = errors.New("webhookpolicy: invalid description")
	// ErrInvalidSecret: a secret key that is missing or has the wrong length
	// (SUB-4, WHK-11).
	ErrInvalidSecret = errors.New("webhookpolicy: invalid secret key")
	// ErrSandboxWorkspaces: a sandbox subscription that names workspaces
	// (SUB-5).
	ErrSandboxWorkspaces = errors.New("webhookpolicy: sandbox subscription with workspaces")
	// ErrInvalidData: a member of an envelope that is no JSON value, or stands
	// where another member belongs (WHK-10).
	ErrInvalidData = errors.New("webhookpolicy: invalid data")
)

// FieldError says which rule one field breaks. Where several fields break
// rules, the errors are joined, and [errors.As] finds the first. Its message
// never has a secret key in it, nor an endpoint, which may carry credentials.
type FieldError struct {
	Subject string // whose field: "subscription 5a1e"
	Field   string // its name in JSON: "endpoint", "workspaces[1]"
	Rule    string // the id of the rule in the spec: "SUB-4"
	Reason  string // why, as a clause
	Err     error  // what errors.Is finds: the sentinel of the rule
}

// Error returns a message that reads well alone:
//
//	webhookpolicy: subscription 5a1e: endpoint: its scheme is not https (SUB-4)
func (e *FieldError) Error() string {
	return fmt.Sprintf("webhookpolicy: %s: %s: %s (%s)", printable(e.Subject), printable(e.Field), e.Reason, e.Rule)
}

// Unwrap returns Err.
func (e *FieldError) Unwrap() error { return e.Err }

// ErrDocument is what every [*DocumentError] unwraps to.
var ErrDocument = errors.New("webhookpolicy: invalid document")

// What a [*DocumentError] may unwrap to besides.
var (
	// ErrTooLarge: the text has more bytes than the limit.
	ErrTooLarge = errors.New("webhookpolicy: document too large")
	// ErrTooDeep: more objects and arrays stand in each other than the limit.
	ErrTooDeep = errors.New("webhookpolicy: document too deep")
)

// DocumentError says what is wrong with a JSON text, and where.
type DocumentError struct {
	Document string // what it should be: "envelope", "subscription", "settings"
	Member   string // which member of it is wrong; "" for the whole
	Offset   int    // where that begins, in bytes from 0 on; with wrong syntax, how many were read
	Err      error  // what is wrong there, and what would be right
}

// Error returns a message that reads well alone:
//
//	webhookpolicy: invalid envelope, event_time at byte 41: a text is wanted, not a number
func (e *DocumentError) Error() string {
	where := e.Document
	if e.Member != "" {
		where += ", " + printable(short(e.Member))
	}
	return fmt.Sprintf("webhookpolicy: invalid %s at byte %d: %v", where, e.Offset, e.Err)
}

// Unwrap returns ErrDocument and Err.
func (e *DocumentError) Unwrap() []error { return []error{ErrDocument, e.Err} }

// fault is an error within a DocumentError, whose message says the rest: a text
// for people, and what errors.Is and errors.As find.
type fault struct {
	text string
	err  error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.err }

// maxIDBytes is the length that no id exceeds, as elsewhere in sluice.
const maxIDBytes = 128

// checkID returns why id cannot be one, or "". Ids are opaque, but for what no
// document or database keeps as it is.
func checkID(id string) string {
	if id == "" {
		return "it is empty"
	}
	if len(id) > maxIDBytes {
		return fmt.Sprintf("it has %d bytes; at most %d are allowed", len(id), maxIDBytes)
	}
	return checkText(id)
}

// checkText returns why a text cannot be kept as it is, or "".
func checkText(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "it is not valid UTF-8"
	case strings.ContainsRune(text, 0):
		return "it contains a NUL character"
	default:
		return ""
	}
}

// checkTime returns why a time cannot stand in a document, or "".
func checkTime(t time.Time) string {
	switch year := t.UTC().Year(); {
	case t.IsZero():
		return "the time is missing"
	case year < 1970 || year > 9999:
		return "the time is outside the years 1970 to 9999"
	default:
		return ""
	}
}

// seconds returns t in whole seconds and UTC, as documents have it.
func seconds(t time.Time) time.Time { return time.Unix(t.Unix(), 0).UTC() }

// printable keeps a name from breaking a line of a log.
func printable(text string) string {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !strconv.IsPrint(c) }) {
		return strconv.Quote(text)
	}
	return text
}

// clip quotes a text from outside, and keeps a message short, whatever it is.
func clip(text string) string { return strconv.Quote(short(text)) }

func short(text string) string {
	const most = 64
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
