package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/webhookpolicy"
)

// key is what no answer, error or report may show, and private what a body has
// that none may show either.
const (
	key     = "0123456789abcdef0123456789abcdef"
	private = "kelly-smith"
)

var (
	secret = webhookpolicy.NewSecret(key)
	noon   = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)
)

func atNoon() time.Time { return noon }

// body returns the body of an event, which tells of a company verification.
func body(tb testing.TB, id, status string) []byte {
	tb.Helper()
	return encode(tb, id, webhookpolicy.EventVerificationCompanyDone, noon,
		map[string]any{"company": map[string]string{"id": "r", "status": status, "name": private}})
}

func encode(tb testing.TB, id string, name webhookpolicy.EventName, at time.Time, data any) []byte {
	tb.Helper()
	raw, err := json.Marshal(data)
	require.NoError(tb, err)
	text, err := webhookpolicy.Envelope{
		EventID: id, EventName: name, EventTime: at, SubscriptionID: "s", Data: raw,
	}.Encode()
	require.NoError(tb, err)
	return text
}

// options are sound, and report to nobody.
func options(inbox receiver.Inbox) receiver.Options {
	return receiver.Options{
		Receiver: webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{secret}, Tolerance: time.Minute},
		Inbox:    inbox, Now: atNoon,
	}
}

func handler(tb testing.TB, o receiver.Options) *receiver.Handler {
	tb.Helper()
	h, err := receiver.New(o)
	require.NoError(tb, err)
	return h
}

// call returns a call that is signed with a secret and issued at noon.
func call(tb testing.TB, body []byte, secret webhookpolicy.Secret) *http.Request {
	tb.Helper()
	r := httptest.NewRequest(http.MethodPost, "/webhooks", bytes.NewReader(body))
	headers, err := webhookpolicy.DefaultPolicy().Headers(body, secret, 0, noon)
	require.NoError(tb, err)
	for _, h := range headers {
		r.Header.Set(h.Name, h.Value)
	}
	return r
}

// answer returns what a handler answers to a call.
func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// open returns the ids of the events that are not dealt with, and holds them for
// a year.
func open(tb testing.TB, inbox receiver.Inbox) []string {
	tb.Helper()
	events, err := inbox.Claim(tb.Context(), 1000, noon.AddDate(1, 0, 0), 0)
	require.NoError(tb, err)
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

// keep keeps events.
func keep(tb testing.TB, inbox receiver.Inbox, events ...receiver.Event) {
	tb.Helper()
	for _, e := range events {
		_, err := inbox.Keep(tb.Context(), e)
		require.NoError(tb, err)
	}
}

// noted is an inbox that notes what is not dealt with, so that a test can see it
// without a claim.
type noted struct {
	receiver.Memory
	mu  sync.Mutex
	ids []string
}

func (x *noted) Keep(ctx context.Context, e receiver.Event) (bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	isNew, err := x.Memory.Keep(ctx, e)
	if isNew {
		x.ids = append(x.ids, e.ID)
	}
	return isNew, err
}

func (x *noted) Done(ctx context.Context, ids ...string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	err := x.Memory.Done(ctx, ids...)
	if err == nil {
		x.ids = slices.DeleteFunc(x.ids, func(id string) bool { return slices.Contains(ids, id) })
	}
	return err
}

// open returns the ids of the events that are not dealt with.
func (x *noted) open() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.ids)
}

// errDown is what a broken database says.
var errDown = errors.New("the database is down")

// faulty is an inbox whose calls may fail.
type faulty struct {
	receiver.Inbox
	keep        func(ctx context.Context) error
	claim, done func() error
}

func (x *faulty) Keep(ctx context.Context, e receiver.Event) (bool, error) {
	if x.keep != nil {
		if err := x.keep(ctx); err != nil {
			return false, err
		}
	}
	return x.Inbox.Keep(ctx, e)
}

func (x *faulty) Claim(ctx context.Context, limit int, now time.Time, lease time.Duration) ([]receiver.Event, error) {
	if x.claim != nil {
		if err := x.claim(); err != nil {
			return nil, err
		}
	}
	return x.Inbox.Claim(ctx, limit, now, lease)
}

func (x *faulty) Done(ctx context.Context, ids ...string) error {
	if x.done != nil {
		if err := x.done(); err != nil {
			return err
		}
	}
	return x.Inbox.Done(ctx, ids...)
}

// reports takes down what is reported.
type reports struct {
	mu   sync.Mutex
	errs []error
}

func (r *reports) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

// take returns what was reported since it was last asked.
func (r *reports) take() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := r.errs
	r.errs = nil
	return errs
}

// pipes is a listener whose connections are in memory, so that time in a bubble
// of synctest is theirs as well.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// serve serves a handler within a bubble, and returns how to connect to it. What
// goes wrong on a connection is said to nobody.
func serve(t *testing.T, h http.Handler) func() net.Conn {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h, ErrorLog: quiet}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(p)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return func() net.Conn {
		ours, theirs := net.Pipe()
		p.conns <- theirs
		return ours
	}
}
