package caller

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sluicego/sluice/webhookpolicy"
)

// ErrRequest is what every [*RequestError] unwraps to.
var ErrRequest = errors.New("caller: invalid request")

// RequestError says what of a [Request] makes a call impossible. Nothing was
// looked up or connected to. Its message never has a secret in it, nor the
// endpoint, which may carry credentials.
type RequestError struct {
	Field  string // of the Request: "Endpoint"
	Reason string // why, as a clause
	Err    error  // what errors.Is finds besides ErrRequest, nil if nothing
}

// Error returns a message that reads well alone:
//
//	caller: invalid request: Endpoint: its scheme is not https
func (e *RequestError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrRequest, e.Field, e.Reason)
}

// Unwrap returns ErrRequest, and Err unless it is nil.
func (e *RequestError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrRequest}
	}
	return []error{ErrRequest, e.Err}
}

// Request is a call to be made: what a [webhookpolicy.Decision] asks for, with
// the body and the key that it does not know.
type Request struct {
	// Endpoint is an https URL (SUB-4), or with Options.PlainHTTP an http one.
	Endpoint string
	// Body is sent and signed to the byte. It is not copied, and may be read
	// for a while after the call has ended: nobody may change it.
	Body []byte
	// Secret is the key that the body is signed with (WHK-11).
	Secret webhookpolicy.Secret
	// Number is that of the call, 0 for the first (WHK-6).
	Number int
	// Timeout is how long the call may take. Zero is what the policy grants a
	// call of the number (WHK-2).
	Timeout time.Duration
}

// check returns the URL of the endpoint, or a *RequestError.
func (r *Request) check(t targets) (*url.URL, error) {
	switch {
	case r.Secret.IsZero():
		return nil, &RequestError{"Secret", "there is no key to sign with", webhookpolicy.ErrInvalidSecret}
	case len(r.Body) == 0:
		return nil, &RequestError{"Body", "it is empty", nil}
	case r.Number < 0:
		return nil, &RequestError{"Number", "it is negative", nil}
	case r.Timeout < 0:
		return nil, &RequestError{"Timeout", "it is negative", nil}
	}
	u, reason := t.parse(r.Endpoint)
	if reason != "" {
		return nil, &RequestError{"Endpoint", reason, webhookpolicy.ErrInvalidEndpoint}
	}
	return u, nil
}

// Reasons that endpoints and redirects share.
var (
	tooLong     = fmt.Sprintf("it has more than %d characters", webhookpolicy.MaxEndpoint)
	hasFragment = "it has a fragment, which no server gets to see"
)

// targets says which URLs may be called: those of endpoints and of redirects
// alike (WHK-1, SUB-4).
type targets struct{ plain bool }

// parse returns the URL of a text, or why it is none that may be called.
func (t targets) parse(text string) (*url.URL, string) {
	switch {
	case utf8.RuneCountInString(text) > webhookpolicy.MaxEndpoint:
		return nil, tooLong
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c)
	}):
		return nil, "it contains what a URL has in escaped form"
	case strings.Contains(text, "#"):
		return nil, hasFragment
	}
	// The parser's error repeats the URL, which may hold a password.
	u, err := url.Parse(text)
	if err != nil {
		return nil, "it cannot be read as a URL"
	}
	return u, t.check(u)
}

// check returns why a URL must not be called, or "".
func (t targets) check(u *url.URL) string {
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !t.plain):
		return "its scheme is not https"
	case u.Opaque != "" || u.Hostname() == "":
		return "it names no host"
	case u.User != nil:
		return "it contains a user name or a password"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "its port is not from 1 to 65535"
		}
	}
	return ""
}

// follow returns where a redirect leads, or why it must not be followed. The
// text of a Location may be relative.
func (t targets) follow(from *url.URL, location string) (*url.URL, string) {
	if strings.Contains(location, "#") {
		return nil, hasFragment
	}
	to, err := from.Parse(location)
	switch {
	case err != nil || !utf8.ValidString(location):
		return nil, "it cannot be read as a URL"
	case from.Scheme == "https" && to.Scheme != "https":
		return nil, "it leads away from https"
	case utf8.RuneCountInString(to.String()) > webhookpolicy.MaxEndpoint:
		return nil, tooLong
	}
	return to, t.check(to)
}

// sameOrigin reports whether two URLs have scheme, host and port in common.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// port returns the port that a URL is called at.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}
