package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// retryAfter is how many seconds a sender is asked to wait when an event could
// not be kept.
const retryAfter = "60"

// RequestError says why a call was not answered 204. It has nothing of the body
// or of a key in it.
type RequestError struct {
	Status int    // of the answer
	Reason string // why, as a clause
	Err    error  // what errors.Is finds; may be nil
}

// Error returns a message that reads well alone:
//
//	receiver: answered 503: the event could not be kept: sqlite: full
func (e *RequestError) Error() string {
	text := fmt.Sprintf("receiver: answered %d: %s", e.Status, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *RequestError) Unwrap() error { return e.Err }

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refused := h.receive(w, r)
	if refused == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.o.Report(refused)
	switch refused.Status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	http.Error(w, http.StatusText(refused.Status), refused.Status)
}

// receive keeps the event of a request, or says why not.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) *RequestError {
	// First of all, since the server reads on in what is refused unread. When the
	// body is read it takes the deadline away by itself.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.o.ReadTimeout)) // see ReadTimeout
	if r.Method != http.MethodPost {
		return &RequestError{http.StatusMethodNotAllowed, "it is no POST", nil}
	}
	if !identity(r.Header) {
		return &RequestError{http.StatusUnsupportedMediaType, "the body is encoded", nil}
	}
	body, refused := h.read(w, r)
	if refused != nil {
		return refused
	}
	now := h.o.Now()
	envelope, refused := h.open(r, body, now)
	if refused != nil {
		return refused
	}
	// A sender who hangs up too early finds it kept when it calls again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.o.KeepTimeout)
	defer cancel()
	event := Event{ID: envelope.EventID, Body: body, Received: micros(now)}
	if _, err := h.o.Inbox.Keep(ctx, event); err != nil {
		return &RequestError{http.StatusServiceUnavailable, "the event could not be kept", err}
	}
	return nil
}

// identity reports whether a body is as it was signed.
func identity(header http.Header) bool {
	for _, line := range header.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			coding = strings.TrimSpace(coding)
			if coding != "" && !strings.EqualFold(coding, "identity") {
				return false
			}
		}
	}
	return true
}

// read reads the body of a request, in bounds.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) ([]byte, *RequestError) {
	tooLong := &RequestError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", h.bytes), nil}
	if r.ContentLength > h.bytes {
		return nil, tooLong
	}
	if r.Body == nil { // which no server gives, but a test may
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.bytes))
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, tooLong
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &RequestError{http.StatusRequestTimeout, "the body took too long", os.ErrDeadlineExceeded}
	default:
		return nil, &RequestError{http.StatusBadRequest, "the body broke off", err}
	}
}

// open returns the envelope of an authentic body.
func (h *Handler) open(r *http.Request, body []byte, now time.Time) (webhookpolicy.Envelope, *RequestError) {
	receiver := h.o.Receiver
	if h.o.Secrets != nil {
		secrets, err := h.o.Secrets(r)
		if err != nil {
			return webhookpolicy.Envelope{}, &RequestError{http.StatusServiceUnavailable, "the keys could not be had", err}
		}
		receiver.Secrets = secrets
	}
	signature, err := single(r.Header, h.o.SignatureHeader)
	if err != nil {
		return webhookpolicy.Envelope{}, unauthorized(err)
	}
	issuedAt, err := single(r.Header, h.o.IssuedAtHeader)
	if err != nil {
		return webhookpolicy.Envelope{}, unauthorized(err)
	}
	envelope, err := receiver.Receive(body, signature, issuedAt, now)
	switch {
	case err == nil:
		return envelope, nil
	case errors.As(err, new(*webhookpolicy.SignatureError)):
		return webhookpolicy.Envelope{}, unauthorized(err)
	default:
		return webhookpolicy.Envelope{}, unreadable(err)
	}
}

// single returns the value of a header, "" if it has none. Of two, another reader
// might take the other one.
func single(header http.Header, name string) (string, error) {
	switch values := header.Values(name); len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	default:
		return "", webhookpolicy.ErrMalformedHeader
	}
}

// unauthorized keeps of an error what kind it is. A header that is quoted might
// be a key that was put into the wrong place.
func unauthorized(err error) *RequestError {
	kind := webhookpolicy.ErrSignatureMismatch
	for _, k := range []error{
		webhookpolicy.ErrMalformedHeader, webhookpolicy.ErrIssuedAt, webhookpolicy.ErrInvalidSecret,
	} {
		if errors.Is(err, k) {
			kind = k
		}
	}
	return &RequestError{http.StatusUnauthorized, "it is not authentic", kind}
}

// unreadable keeps of an error where it is, and what kind; the rest may quote the
// body.
func unreadable(err error) *RequestError {
	where, kind := "", webhookpolicy.ErrDocument
	if bad, ok := errors.AsType[*webhookpolicy.DocumentError](err); ok {
		where = fmt.Sprintf(" at byte %d", bad.Offset)
	}
	if errors.Is(err, webhookpolicy.ErrTooDeep) {
		kind = webhookpolicy.ErrTooDeep
	}
	return &RequestError{http.StatusBadRequest, "it is authentic, and no envelope" + where, kind}
}

// micros returns a time as an [Event] has it.
func micros(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }
