package action

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluicego/sluice/internal/enum"
)

// UnknownError says that a text names no type, kind, status or event; it lists
// what is known (RES-6).
type UnknownError = enum.UnknownError

// What the errors of this package unwrap to. An event that a status does not
// allow unwraps to [github.com/sluicego/sluice/fsm.ErrNotAllowed] (ACT-3).
var (
	// ErrUnknown: a name, or a numeric value, that the spec does not list, or
	// a status that resources of the type do not have (RES-6).
	ErrUnknown = enum.ErrUnknown
	// ErrContradiction: an observed status that the present one cannot lead to
	// (ACT-4).
	ErrContradiction = errors.New("action: contradiction")
	// ErrInvalidID: an id that is empty, too long or not text (SES-11).
	ErrInvalidID = errors.New("action: invalid id")
	// ErrInvalidTime: a time that is missing or cannot be written (ACT-4).
	ErrInvalidTime = errors.New("action: invalid time")
)

// Refusal is the error of whatever a rule forbids. Nothing has changed when it
// is returned.
type Refusal struct {
	Op      string   // what was refused, behind the name of its package: "attempt: retry"
	Subject string   // of what: an id
	Rule    string   // the id of the rule in the spec: "ATT-6"
	Reason  string   // why, as a clause
	Allowed []string // what the rule would have let pass; empty where that is no list
	Err     error    // what errors.Is finds: the sentinel of the rule
}

// Error returns a message that reads well alone:
//
//	attempt: retry of 79a291fc refused: inputs are those of attempt 2 (ATT-6)
func (r *Refusal) Error() string {
	var allowed string
	if len(r.Allowed) > 0 {
		allowed = "; allowed: " + strings.Join(r.Allowed, ", ")
	}
	return fmt.Sprintf("%s of %s refused: %s%s (%s)", r.Op, printable(r.Subject), printable(r.Reason), allowed, r.Rule)
}

// printable keeps an id from breaking a line of a log: an empty text is quoted,
// and one with characters that cannot be printed.
func printable(text string) string {
	if text == "" || strings.ContainsFunc(text, func(c rune) bool { return !strconv.IsPrint(c) }) {
		return strconv.Quote(text)
	}
	return text
}

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

// MaxIDBytes is the length that no id exceeds (SES-11).
const MaxIDBytes = 128

// CheckID returns a reason why id cannot be one (SES-11), or "". An id is
// opaque, but for what no document or database keeps as it is: a byte sequence
// that is not UTF-8, and NUL.
func CheckID(id string) string {
	switch {
	case id == "":
		return "the id is empty"
	case len(id) > MaxIDBytes:
		return fmt.Sprintf("the id has %d bytes; at most %d are allowed", len(id), MaxIDBytes)
	case !utf8.ValidString(id):
		return "the id is not valid UTF-8"
	case strings.ContainsRune(id, 0):
		return "the id contains a NUL character"
	default:
		return ""
	}
}

// CheckTime returns a reason why t, in whole seconds, cannot stand in a
// document, or "".
func CheckTime(t time.Time) string {
	switch at := t.Unix(); {
	case at == firstSecond: // of which the zero time is the beginning
		return "the time is missing"
	case at < firstSecond || at > lastSecond:
		return "the time is outside the years 1 to 9999"
	default:
		return ""
	}
}

// The first second of the year 1, and the last of the year 9999.
var (
	firstSecond = time.Time{}.Unix()
	lastSecond  = time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC).Unix() - 1
)
