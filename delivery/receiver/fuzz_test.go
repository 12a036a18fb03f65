package receiver_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/webhookpolicy"
)

// FuzzHandler: whatever arrives, a sound inbox is never answered for with 5xx,
// and what is kept is authentic (WHK-11) and an envelope (WHK-10), to the byte.
func FuzzHandler(f *testing.F) {
	sound := body(f, "e", "failed")
	r := call(f, sound, secret)
	signature, issuedAt := r.Header.Get(webhookpolicy.HeaderSignature), r.Header.Get(webhookpolicy.HeaderIssuedAt)
	f.Add("POST", sound, false, signature, issuedAt, "", int64(-1))
	f.Add("POST", sound, true, "", issuedAt, "identity", int64(len(sound)))
	f.Add("POST", sound[1:], true, "", issuedAt, "", int64(5))
	f.Add("POST", []byte("{}"), true, "sha256=", "", "gzip", int64(0))
	f.Add("POST", bytes.Repeat([]byte("["), 3000), true, "", issuedAt, "", int64(-1))
	f.Add("POST", []byte(`{"event_id":"\u0000","event_time":"99999999999999999999"}`), true, "", issuedAt, "", int64(-1))
	f.Add("BREW", []byte{}, false, "sha256=\x00", "-0", "\x00,,", int64(1<<60))
	f.Fuzz(func(t *testing.T, method string, text []byte, sign bool, signature, issuedAt, coding string, length int64) {
		inbox := &receiver.Memory{}
		o := options(inbox)
		o.Receiver.Limits.Bytes = 2000
		var reported []error
		o.Report = func(err error) { reported = append(reported, err) }
		r := call(t, text, secret)
		if !sign {
			r.Header[webhookpolicy.HeaderSignature] = []string{signature}
		}
		r.Method, r.ContentLength = method, length
		r.Header[webhookpolicy.HeaderIssuedAt] = []string{issuedAt}
		r.Header["Content-Encoding"] = []string{coding}
		w := answer(handler(t, o), r)

		kept, err := inbox.Claim(t.Context(), 10, noon, 0)
		require.NoError(t, err)
		assert.Less(t, w.Code, 500)
		assert.Equal(t, w.Code == http.StatusNoContent, len(kept) == 1)
		assert.Equal(t, w.Code == http.StatusNoContent, len(reported) == 0)
		for _, e := range kept {
			given := r.Header.Get(webhookpolicy.HeaderSignature)
			require.NoError(t, webhookpolicy.Verify(text, given, secret))
			assert.Equal(t, text, e.Body)
			envelope, err := e.Envelope()
			require.NoError(t, err)
			assert.Equal(t, envelope.EventID, e.ID)
			assert.Equal(t, http.MethodPost, method)
			assert.LessOrEqual(t, len(text), 2000)
		}
	})
}

// FuzzReadObservation: whatever the data is, what is read of it has a resource, a
// status that there is (RES-6) and the time of the event (ACT-4), and is what
// encoding/json reads.
func FuzzReadObservation(f *testing.F) {
	for _, name := range webhookpolicy.EventNames() {
		f.Add(string(name), []byte(`{"signature_request":{"id":"r","status":"done"}}`))
		f.Add(string(name), []byte(`{"company":{"id":"r","status":"failed","status":"verified"}}`))
	}
	f.Add("verification..done", []byte(`{"":{}}`))
	f.Add("document_analysis.done", []byte(`{"document_analysis":{"id":null,"status":[]}}`))
	f.Add("signature_request.done", []byte(`null`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		at := noon.Add(time.Hour)
		e := webhookpolicy.Envelope{EventID: "e", EventName: webhookpolicy.EventName(name), EventTime: at, Data: data}
		agree(t, e)
		observed, tells, err := receiver.ReadObservation(e)
		if !tells {
			assert.Zero(t, observed)
			return
		}
		require.NoError(t, err)
		assert.True(t, slices.Contains(webhookpolicy.EventNames(), webhookpolicy.EventName(name)))
		assert.NotEmpty(t, observed.ResourceID)
		assert.True(t, observed.Status.IsValid())
		assert.Equal(t, at, observed.AsOf)
	})
}
