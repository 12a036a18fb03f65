package receiver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/internal/failing"
	"github.com/sluicego/sluice/webhookpolicy"
)

// watcher is an answer that looks, at the moment at which it begins, whether the
// event is kept.
type watcher struct {
	*httptest.ResponseRecorder
	kept   func() bool
	before bool // an answer that says so began before the event was kept
}

func (w *watcher) WriteHeader(status int) {
	if status < 400 && !w.kept() {
		w.before = true
	}
	w.ResponseRecorder.WriteHeader(status)
}

func (w *watcher) Write(b []byte) (int, error) {
	if w.Code < 400 && !w.kept() {
		w.before = true
	}
	return w.ResponseRecorder.Write(b)
}

// checkKeptFirst fails if a handler says that an event is kept when it is not, or
// not yet: a process that ends there has lost the event.
func checkKeptFirst(tb testing.TB, newHandler func(receiver.Inbox) http.Handler) {
	tb.Helper()
	for name, fail := range map[string]error{"sound": nil, "broken": errDown} {
		memory := &receiver.Memory{}
		inbox := &faulty{Inbox: memory, keep: func(context.Context) error { return fail }}
		w := &watcher{ResponseRecorder: httptest.NewRecorder(), kept: func() bool {
			events, _ := memory.Claim(context.Background(), 1, noon, 0)
			return len(events) == 1
		}}
		newHandler(inbox).ServeHTTP(w, call(tb, body(tb, "e", "failed"), secret))
		if w.before {
			tb.Errorf("with a %s inbox it answers %d before the event is kept", name, w.Code)
		}
		if fail == nil && !w.kept() {
			tb.Errorf("the event is not kept at all")
		}
	}
}

func TestHandler_keepsFirst(t *testing.T) {
	checkKeptFirst(t, func(inbox receiver.Inbox) http.Handler { return handler(t, options(inbox)) })
}

// TestHandler_keepsFirst_Twin shows that the test above is not blind.
func TestHandler_keepsFirst_Twin(t *testing.T) {
	keeps := func(inbox receiver.Inbox, r *http.Request) error {
		e := receiver.Event{ID: r.Header.Get(webhookpolicy.HeaderSignature), Body: []byte("{}"), Received: noon}
		_, err := inbox.Keep(r.Context(), e)
		return err
	}
	for name, twin := range map[string]func(receiver.Inbox, http.ResponseWriter, *http.Request){
		"answers and then keeps": func(inbox receiver.Inbox, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_ = keeps(inbox, r)
		},
		"answers with a text and then keeps": func(inbox receiver.Inbox, w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("ok"))
			_ = keeps(inbox, r)
		},
		"keeps, whether or not that fails": func(inbox receiver.Inbox, w http.ResponseWriter, r *http.Request) {
			_ = keeps(inbox, r)
			w.WriteHeader(http.StatusNoContent)
		},
		"keeps beside": func(inbox receiver.Inbox, w http.ResponseWriter, r *http.Request) {
			answered, kept := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(kept)
				<-answered
				_ = keeps(inbox, r)
			}()
			w.WriteHeader(http.StatusNoContent)
			close(answered)
			<-kept
		},
		"keeps nothing": func(_ receiver.Inbox, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := failing.Run(t, func(r *failing.Recorder) {
				checkKeptFirst(r, func(inbox receiver.Inbox) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { twin(inbox, w, r) })
				})
			})
			assert.True(t, r.Failed())
		})
	}
}
