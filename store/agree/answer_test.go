package agree_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	driver "modernc.org/sqlite"

	"github.com/sluicego/sluice/session"
)

// answer is what a store says. Two stores agree if each says what the other does.
type answer struct {
	said     []string // a line for each thing
	sessions []session.Session
	err      error
}

// say adds a line.
func (a *answer) say(format string, args ...any) {
	a.said = append(a.said, fmt.Sprintf(format, args...))
}

// add adds sessions.
func (a *answer) add(sessions ...session.Session) {
	for _, s := range sessions {
		a.sessions = append(a.sessions, s)
		a.say("%s", snapshot(s))
	}
}

// snapshot returns what is kept of a session, or why nothing can be.
func snapshot(s session.Session) string {
	text, err := s.Snapshot()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// addEvents adds events, with all that their JSON has and what it leaves out: the
// zones of times.
func (a *answer) addEvents(events []session.Event) {
	for _, e := range events {
		text, err := json.Marshal(e)
		a.say("%s %v\n%+v", text, err, e)
	}
}

// differs returns how another answer differs, "" if it does not.
func (a answer) differs(b answer) string {
	var all []string
	if !slices.Equal(a.said, b.said) {
		all = append(all, fmt.Sprintf("it says\n\t%s\nwhere the reference says\n\t%s",
			strings.Join(b.said, "\n\t"), strings.Join(a.said, "\n\t")))
	}
	if !slices.EqualFunc(a.sessions, b.sessions, session.Session.Equal) {
		all = append(all, fmt.Sprintf("its sessions\n\t%v\nare not equal to\n\t%v", b.sessions, a.sessions))
	}
	if want, got := describe(a.err), describe(b.err); want != got {
		all = append(all, fmt.Sprintf("its error is\n\t%s\nthat of the reference\n\t%s", got, want))
	}
	return strings.Join(all, "\n")
}

// sentinels are what errors of stores and of what they are used for unwrap to.
var sentinels = map[string]error{
	"ErrInvalidTemplate": session.ErrInvalidTemplate,
	"ErrInvalidName":     session.ErrInvalidName,
	"ErrWorkspace":       session.ErrWorkspace,
	"ErrNoGroup":         session.ErrNoGroup,
	"ErrExists":          session.ErrExists,
	"ErrNoSession":       session.ErrNoSession,
	"ErrNoCommand":       session.ErrNoCommand,
	"ErrResourceTaken":   session.ErrResourceTaken,
	"ErrUnknownResource": session.ErrUnknownResource,
	"ErrNotFound":        session.ErrNotFound,
	"ErrConflict":        session.ErrConflict,
	"ErrInvalidSave":     session.ErrInvalidSave,
	"ErrInvalidQuery":    session.ErrInvalidQuery,
	"ErrUnsupported":     session.ErrUnsupported,
	"ErrUnknownOutcome":  session.ErrUnknownOutcome,
	"ErrCorrupt":         session.ErrCorrupt,
	"ErrCursor":          session.ErrCursor,
	"ErrDocument":        session.ErrDocument,
	"ErrHistory":         session.ErrHistory,
	"canceled":           context.Canceled,
	"deadline":           context.DeadlineExceeded,
}

// describe returns what is to be the same of an error: what it unwraps to, what
// those say that have something to say, and its text.
func describe(err error) string {
	if err == nil {
		return "none"
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(sentinels)) {
		if errors.Is(err, sentinels[name]) {
			lines = append(lines, name)
		}
	}
	for e := range within(err) {
		switch e := e.(type) { //nolint:errorlint // within yields what is wrapped
		case *session.Refusal:
			lines = append(lines, fmt.Sprintf("refusal: %s, %s, %s, %s", e.Op, e.Subject, e.Rule, e.Reason))
		case *session.CursorError:
			lines = append(lines, fmt.Sprintf("cursor: %q, %s", e.Cursor, e.Reason))
		case *session.CorruptError:
			lines = append(lines, fmt.Sprintf("corrupt: %q, %d, %s", e.SessionID, e.Version, e.Column))
		case *session.HistoryError:
			lines = append(lines, fmt.Sprintf("history: %q, %d, %s", e.SessionID, e.Version, e.Reason))
		}
	}
	text := fmt.Sprintf("text: %q", err)
	if ofDriver(err) {
		text = "text of a driver"
	}
	return strings.Join(append(lines, text), "\n\t")
}

// ofDriver reports whether an error comes from a database: what that says is its
// own, and nothing that a store promises.
func ofDriver(err error) bool {
	var inPostgres interface{ SQLState() string }
	var inSQLite *driver.Error
	return errors.As(err, &inPostgres) || errors.As(err, &inSQLite)
}

// within yields an error and all that it wraps.
func within(err error) func(yield func(error) bool) {
	return func(yield func(error) bool) { walk(err, yield) }
}

// walk yields until it is told to stop, and returns whether it was not.
func walk(err error, yield func(error) bool) bool {
	if !yield(err) {
		return false
	}
	switch e := err.(type) { //nolint:errorlint // these are the two ways of wrapping
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return walk(inner, yield)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil && !walk(inner, yield) {
				return false
			}
		}
	}
	return true
}
