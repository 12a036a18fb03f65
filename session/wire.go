package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
)

// ErrDocument is what every [*DocumentError] unwraps to.
var ErrDocument = errors.New("session: invalid document")

// DocumentError says that a JSON text is not the document it should be.
type DocumentError struct {
	Document string // what it should be: "session", "snapshot", "command", "event", "page"
	Path     string // where in it: "action_groups[0].actions[1].resource"; "" for the whole
	Err      error  // what is wrong there, and what would be right
}

// Error says what the document is no good as, and where.
func (e *DocumentError) Error() string {
	where := e.Document
	if e.Path != "" {
		where += ", " + e.Path
	}
	return fmt.Sprintf("session: invalid %s: %v", where, e.Err)
}

// unreadable returns the DocumentError of a text that encoding/json refused. It
// says where in the document that was, in the document's words instead of Go's.
func unreadable(document string, err error) *DocumentError {
	var inner *DocumentError // of a document within this one
	if errors.As(err, &inner) {
		return within(document, inner.Document, inner)
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		path := slices.DeleteFunc(strings.Split(mistyped.Field, "."), func(member string) bool {
			return member != strings.ToLower(member) // an embedded Go type
		})
		return &DocumentError{document, strings.Join(path, "."),
			reworded{kindOf(mistyped.Type) + " is wanted, not " + article(mistyped.Value), err}}
	}
	var notTime *time.ParseError
	if errors.As(err, &notTime) {
		text := strings.Trim(notTime.Value, `"`)
		return &DocumentError{document, "", reworded{fmt.Sprintf("%q is no time; %s", text, wantedTime), err}}
	}
	if member, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return &DocumentError{document, "", reworded{"there is no member " + member, err}}
	}
	return &DocumentError{document, "", err}
}

// within returns the error of a document that is a member of another.
func within(document, member string, inner *DocumentError) *DocumentError {
	return &DocumentError{document, strings.TrimSuffix(member+"."+inner.Path, "."), inner.Err}
}

// reworded is an error in other words.
type reworded struct {
	text string
	err  error
}

func (r reworded) Error() string { return r.text }
func (r reworded) Unwrap() error { return r.err }

// article puts an article before what encoding/json calls a JSON value.
func article(value string) string {
	if strings.HasPrefix(value, "array") || strings.HasPrefix(value, "object") {
		return "an " + value
	}
	return "a " + value
}

// kindOf says what JSON a Go type is written as.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int:
		return "a whole number"
	default: // enumerations and digests, which have text forms
		return "a text"
	}
}

// Unwrap returns ErrDocument and Err.
func (e *DocumentError) Unwrap() []error { return []error{ErrDocument, e.Err} }

const wantedTime = "RFC 3339 is wanted, as 2025-09-22T14:30:00+00:00 (SES-10)"

// formatTime returns what appendTime writes; nil for the zero time.
func formatTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := string(appendTime(nil, t))
	return &text
}

// appendTime writes a time as the public API does: RFC 3339 with a numeric
// offset, in UTC (SES-10).
func appendTime(text []byte, t time.Time) []byte {
	text = t.UTC().AppendFormat(text, time.RFC3339) // which ends in Z
	return append(text[:len(text)-1], "+00:00"...)
}

// parseTime reads a time of any offset, in whole seconds; the zero time for
// nil.
func parseTime(text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.RFC3339, *text, time.UTC)
	if err != nil {
		return t, fmt.Errorf("%q is no time; %s", *text, wantedTime)
	}
	if reason := action.CheckTime(t); reason != "" {
		return t, fmt.Errorf("%q: %s (SES-10)", *text, reason)
	}
	return action.Seconds(t), nil
}

// deref returns "" for a text that is not there.
func deref(id *string) string {
	if id == nil {
		return ""
	}
	return *id
}

// strict decodes one JSON text and refuses members that v does not have.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
