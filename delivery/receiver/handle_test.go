package receiver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/webhookpolicy"
)

// statuses are calls that differ in one thing from one that is answered 204.
func statuses(t *testing.T) []struct {
	name string
	body []byte // of which the call is signed; by nil that of an event
	edit func(*http.Request)
	want int
	is   error // what the report unwraps to; nil for nothing
} {
	sound := body(t, "e", "failed")
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[textproto.CanonicalMIMEHeaderKey(name)] = values }
	}
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	const signature, issuedAt = webhookpolicy.HeaderSignature, webhookpolicy.HeaderIssuedAt
	right := call(t, sound, secret).Header.Get(signature)
	at := func(offset time.Duration) string { return fmt.Sprint(noon.Add(offset).Unix()) }
	deep := []byte(`{"event_id":"e","private":"` + private + `","data":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`)
	malformed, mismatch := webhookpolicy.ErrMalformedHeader, webhookpolicy.ErrSignatureMismatch
	return []struct {
		name string
		body []byte
		edit func(*http.Request)
		want int
		is   error
	}{
		{"sound", nil, nil, 204, nil},
		{"identity is no encoding", nil, set("Content-Encoding", "identity", " Identity ,"), 204, nil},
		{"no content type", nil, set("Content-Type"), 204, nil},
		{"WHK-10: a second early enough", nil, set(issuedAt, at(time.Minute)), 204, nil},
		{"WHK-10: a second late enough", nil, set(issuedAt, at(-time.Minute)), 204, nil},
		{"WHK-11: digits in capitals", nil, set(signature, "sha256="+strings.ToUpper(right[len("sha256="):])), 204, nil},

		{"a GET", nil, method(http.MethodGet), 405, nil},
		{"a PUT", nil, method(http.MethodPut), 405, nil},
		{"a HEAD", nil, method(http.MethodHead), 405, nil},
		{"a method in small letters", nil, method("post"), 405, nil},

		{"encoded", nil, set("Content-Encoding", "gzip"), 415, nil},
		{"encoded, in a list", nil, set("Content-Encoding", "identity, br"), 415, nil},
		{"encoded, in a second line", nil, set("Content-Encoding", "identity", "zstd"), 415, nil},

		{"WHK-11: no signature", nil, set(signature), 401, malformed},
		{"WHK-11: an empty signature", nil, set(signature, ""), 401, malformed},
		{"WHK-11: the key in place of a signature", nil, set(signature, key), 401, malformed},
		{"WHK-11: another hash", nil, set(signature, "sha512="+right[len("sha256="):]), 401, malformed},
		{"WHK-11: a signature that is cut off", nil, set(signature, right[:len(right)-2]), 401, malformed},
		{"WHK-11: two signatures, both right", nil, set(signature, right, right), 401, malformed},
		{"WHK-11: two signatures, the first right", nil, set(signature, right, "sha256="+strings.Repeat("0", 64)), 401, malformed},
		{"WHK-11: two signatures in one", nil, set(signature, right+", "+right), 401, malformed},
		{"WHK-11: the signature of another body", nil, set(signature, "sha256="+strings.Repeat("0", 64)), 401, mismatch},
		{"WHK-11: a byte more", nil, func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(append(sound, ' '))) }, 401, mismatch},
		{"WHK-11: no body", nil, func(r *http.Request) { r.Body = http.NoBody }, 401, mismatch},
		{"WHK-11: not even a body", nil, func(r *http.Request) { r.Body = nil }, 401, mismatch},
		{"WHK-10: no time of issue", nil, set(issuedAt), 401, malformed},
		{"WHK-10: a time of issue that is none", nil, set(issuedAt, key), 401, malformed},
		{"WHK-10: two times of issue", nil, set(issuedAt, at(0), at(0)), 401, malformed},
		{"WHK-10: issued too late", nil, set(issuedAt, at(time.Minute+time.Second)), 401, webhookpolicy.ErrIssuedAt},
		{"WHK-10: issued too early", nil, set(issuedAt, at(-time.Minute-time.Second)), 401, webhookpolicy.ErrIssuedAt},

		{"authentic, and empty", []byte{}, nil, 400, webhookpolicy.ErrDocument},
		{"authentic, and no JSON", []byte(private), nil, 400, webhookpolicy.ErrDocument},
		{"WHK-10: authentic, and no envelope", []byte(`{"event_id":"` + private + `"}`), nil, 400, webhookpolicy.ErrDocument},
		{"WHK-10: authentic, with a time that is none", bytes.Replace(sound, []byte(fmt.Sprint(noon.Unix())), []byte(private), 1), nil, 400, webhookpolicy.ErrDocument},
		{"WHK-9: authentic, without an id", bytes.Replace(sound, []byte(`"e"`), []byte(`""`), 1), nil, 400, webhookpolicy.ErrDocument},
		{"authentic, and too deep", deep, nil, 400, webhookpolicy.ErrTooDeep},

		{"too long", bytes.Repeat([]byte(private), 1<<20), nil, 413, nil},
		{"too long, without saying so", bytes.Repeat([]byte(private), 1<<20), func(r *http.Request) { r.ContentLength = -1 }, 413, nil},
		{"a length that is too long", nil, func(r *http.Request) { r.ContentLength = 1<<20 + 1 }, 413, nil},
		{"a body that breaks off", nil, func(r *http.Request) { r.Body = broken{} }, 400, io.ErrUnexpectedEOF},
	}
}

// broken is a body that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
func (broken) Close() error             { return nil }

// Every status has its calls; what is answered 204 is kept, and nothing else is.
func TestHandler_statuses(t *testing.T) {
	for _, tt := range statuses(t) {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.body
			if text == nil {
				text = body(t, "e", "failed")
			}
			inbox, reported := &receiver.Memory{}, &reports{}
			o := options(inbox)
			o.Report = reported.add
			r := call(t, text, secret)
			if tt.edit != nil {
				tt.edit(r)
			}
			w := answer(handler(t, o), r)
			assert.Equal(t, tt.want, w.Code)
			errs := reported.take()
			if tt.want == http.StatusNoContent {
				assert.Empty(t, errs)
				assert.Zero(t, w.Body.Len())
				assert.Equal(t, []string{"e"}, open(t, inbox))
				return
			}
			assert.Empty(t, open(t, inbox))
			require.Len(t, errs, 1)
			checkRefused(t, w, errs[0], tt.is)
		})
	}
}

// checkRefused holds an answer and what is reported of it together. Neither shows
// a key or anything of a body.
func checkRefused(t *testing.T, w *httptest.ResponseRecorder, reported, is error) {
	t.Helper()
	var refused *receiver.RequestError
	require.ErrorAs(t, reported, &refused)
	assert.Equal(t, w.Code, refused.Status)
	require.ErrorContains(t, reported, fmt.Sprintf("receiver: answered %d: %s", w.Code, refused.Reason))
	if is != nil {
		require.ErrorIs(t, reported, is)
	}
	assert.Equal(t, http.StatusText(w.Code)+"\n", w.Body.String())
	assert.Equal(t, w.Code == http.StatusMethodNotAllowed, w.Header().Get("Allow") == http.MethodPost)
	assert.Equal(t, w.Code == http.StatusServiceUnavailable, w.Header().Get("Retry-After") == "60")
	for _, shown := range []string{
		fmt.Sprintf("%v %+v %#v", reported, refused, refused), fmt.Sprintf("%+v %#v", refused.Err, refused.Err),
		fmt.Sprint(w.Header(), w.Body),
	} {
		assert.NotContains(t, shown, key)
		assert.NotContains(t, shown, private)
	}
}

// WHK-9: a call that comes again is answered alike, and kept once, also when it is
// dealt with by then.
func TestHandler_doubles(t *testing.T) {
	inbox := &receiver.Memory{}
	h := handler(t, options(inbox))
	for range 3 {
		assert.Equal(t, http.StatusNoContent, answer(h, call(t, body(t, "e", "failed"), secret)).Code)
	}
	assert.Equal(t, []string{"e"}, open(t, inbox))
	require.NoError(t, inbox.Done(t.Context(), "e"))
	assert.Equal(t, http.StatusNoContent, answer(h, call(t, body(t, "e", "failed"), secret)).Code)
	assert.Empty(t, open(t, inbox))
}

// first is an inbox that takes one event, as it is.
type first struct {
	receiver.Inbox
	event receiver.Event
}

func (x *first) Keep(_ context.Context, e receiver.Event) (bool, error) {
	x.event = e
	return true, nil
}

// What is kept is what arrived.
func TestHandler_event(t *testing.T) {
	inbox := &first{}
	o := options(inbox)
	now := noon.Add(1234567 * time.Nanosecond).In(time.FixedZone("", 3600))
	o.Now = func() time.Time { return now }
	text := append([]byte(" \n"), body(t, "e", "failed")...)
	require.Equal(t, http.StatusNoContent, answer(handler(t, o), call(t, text, secret)).Code)
	require.Equal(t, receiver.Event{ID: "e", Body: text, Received: noon.Add(1234 * time.Microsecond)}, inbox.event)
	envelope, err := inbox.event.Envelope()
	require.NoError(t, err)
	assert.Equal(t, "e", envelope.EventID)
}

// An event that cannot be kept is to be sent again.
func TestHandler_keepFails(t *testing.T) {
	reported := &reports{}
	o := options(&faulty{Inbox: &receiver.Memory{}, keep: func(context.Context) error { return errDown }})
	o.Report = reported.add
	w := answer(handler(t, o), call(t, body(t, "e", "failed"), secret))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	errs := reported.take()
	require.Len(t, errs, 1)
	checkRefused(t, w, errs[0], errDown)

	o.Report = nil // which tells nobody
	assert.Equal(t, http.StatusServiceUnavailable, answer(handler(t, o), call(t, body(t, "e", "failed"), secret)).Code)
}

// An inbox that takes too long has not kept it.
func TestHandler_keepTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Hour: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			o := options(&faulty{Inbox: &receiver.Memory{}, keep: func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}})
			o.KeepTimeout = timeout
			reported := &reports{}
			o.Report = reported.add
			began := time.Now()
			w := answer(handler(t, o), call(t, body(t, "e", "failed"), secret))
			assert.Equal(t, want, time.Since(began))
			checkRefused(t, w, reported.take()[0], context.DeadlineExceeded)
		})
	}
}

// While a key is replaced, both are valid.
func TestHandler_rotation(t *testing.T) {
	before, after := webhookpolicy.NewSecret("before"), webhookpolicy.NewSecret("after")
	o := options(&receiver.Memory{})
	o.Receiver.Secrets = []webhookpolicy.Secret{before, after}
	h := handler(t, o)
	for id, secret := range map[string]webhookpolicy.Secret{"a": before, "b": after} {
		assert.Equal(t, http.StatusNoContent, answer(h, call(t, body(t, id, "failed"), secret)).Code)
	}
	assert.Equal(t, http.StatusUnauthorized, answer(h, call(t, body(t, "c", "failed"), secret)).Code)
}

// Keys may depend on the request.
func TestHandler_secretsOfRequest(t *testing.T) {
	inbox, reported := &receiver.Memory{}, &reports{}
	o := options(inbox)
	o.Receiver.Secrets = nil
	o.Report = reported.add
	o.Secrets = func(r *http.Request) ([]webhookpolicy.Secret, error) {
		switch r.URL.Path {
		case "/a":
			return []webhookpolicy.Secret{secret}, nil
		case "/b":
			return []webhookpolicy.Secret{webhookpolicy.NewSecret("another"), secret}, nil
		case "/zero":
			return []webhookpolicy.Secret{{}, secret}, nil
		case "/down":
			return nil, errDown
		default:
			return nil, nil
		}
	}
	h := handler(t, o)
	for path, tt := range map[string]struct {
		want int
		is   error
	}{
		"/a": {204, nil}, "/b": {204, nil}, "/down": {503, errDown},
		"/zero": {401, webhookpolicy.ErrInvalidSecret}, "/nobody": {401, webhookpolicy.ErrInvalidSecret},
	} {
		r := call(t, body(t, path, "failed"), secret)
		r.URL.Path = path
		w := answer(h, r)
		assert.Equal(t, tt.want, w.Code, path)
		if errs := reported.take(); tt.want != http.StatusNoContent {
			require.Len(t, errs, 1)
			checkRefused(t, w, errs[0], tt.is)
		}
	}
	assert.ElementsMatch(t, []string{"/a", "/b"}, open(t, inbox))
}

// A body may be as long as the limit, to the byte, however its length is told.
func TestHandler_limit(t *testing.T) {
	text := body(t, "e", "failed")
	for limit, want := range map[int]int{len(text) - 1: 413, len(text): 204, len(text) + 1: 204} {
		o := options(&receiver.Memory{})
		o.Receiver.Limits.Bytes = limit
		h := handler(t, o)
		for _, length := range []int64{int64(len(text)), -1} {
			r := call(t, text, secret)
			r.ContentLength = length
			assert.Equal(t, want, answer(h, r).Code, "%d of %d, told %d", len(text), limit, length)
		}
	}
}

// The sender's policy may name headers otherwise.
func TestHandler_headerNames(t *testing.T) {
	o := options(&receiver.Memory{})
	o.SignatureHeader, o.IssuedAtHeader = "X-Signature", "X-Issued"
	h := handler(t, o)
	r := call(t, body(t, "e", "failed"), secret)
	assert.Equal(t, http.StatusUnauthorized, answer(h, r).Code)
	r = call(t, body(t, "e", "failed"), secret)
	r.Header.Set("X-Signature", r.Header.Get(webhookpolicy.HeaderSignature))
	r.Header.Set("X-Issued", r.Header.Get(webhookpolicy.HeaderIssuedAt))
	assert.Equal(t, http.StatusNoContent, answer(h, r).Code)
}

func TestNew_options(t *testing.T) {
	func() {
		o := options(&receiver.Memory{})
		o.Receiver.Tolerance, o.Now = 0, nil // now is any time
		assert.Equal(t, http.StatusNoContent, answer(handler(t, o), call(t, body(t, "e", "failed"), secret)).Code)
	}()
	for name, spoil := range map[string]func(*receiver.Options){
		"there is no Inbox": func(o *receiver.Options) { o.Inbox = nil },
		"gives the keys":    func(o *receiver.Options) { o.Receiver.Secrets = nil },
		"either Receiver.Secrets or Secrets": func(o *receiver.Options) {
			o.Secrets = func(*http.Request) ([]webhookpolicy.Secret, error) { return nil, errors.New("unasked") }
		},
		"secret key 2 of 2 is empty": func(o *receiver.Options) {
			o.Receiver.Secrets = append(o.Receiver.Secrets, webhookpolicy.Secret{})
		},
		"Limits must not be negative": func(o *receiver.Options) { o.Receiver.Limits.Depth = -1 },
		"must not be negative":        func(o *receiver.Options) { o.Receiver.Limits.Bytes = -1 },
		"times must":                  func(o *receiver.Options) { o.KeepTimeout = -1 },
		"times must not":              func(o *receiver.Options) { o.ReadTimeout = -1 },
		"times must not be negative":  func(o *receiver.Options) { o.Receiver.Tolerance = -1 },
	} {
		o := options(&receiver.Memory{})
		spoil(&o)
		_, err := receiver.New(o)
		require.ErrorIs(t, err, receiver.ErrOptions)
		require.ErrorContains(t, err, name)
	}
}
