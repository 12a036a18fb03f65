package receiver_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/delivery/receiver/sqliteinbox"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/webhookpolicy"
)

// A sender's calls, over a real connection, end in a session: it is blocked when
// its signature request expires, and done in the end, although the webhooks come
// twice and in another order, and the database of the inbox is gone for a while.
func TestBothSides(t *testing.T) {
	ctx := t.Context()
	store := new(memstore.Store)
	signatureRequest(t, store)
	kept, err := sqliteinbox.Open(ctx, filepath.Join(t.TempDir(), "webhooks.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, kept.Close()) }()
	inbox := &faulty{Inbox: kept}

	o := options(inbox)
	o.Now = nil // calls are issued now
	server := httptest.NewServer(handler(t, o))
	defer server.Close()
	sender, err := caller.New(caller.Options{
		Policy: webhookpolicy.DefaultPolicy(), PlainHTTP: true,
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	})
	require.NoError(t, err)
	defer sender.CloseIdleConnections()

	f := feed(t, receiver.FeedOptions{Inbox: inbox, Store: store, Report: func(err error) { t.Error(err) }})
	calls := func(want int, secret webhookpolicy.Secret, minute int, name webhookpolicy.EventName, status string) {
		t.Helper()
		body := encode(t, string(name), name, noon.Add(time.Duration(minute)*time.Minute),
			map[string]any{"signature_request": map[string]string{"id": "r", "status": status}})
		record, err := sender.Call(ctx, caller.Request{
			Endpoint: server.URL + "/webhooks", Body: body, Secret: secret, Timeout: 10 * time.Second,
		})
		require.NoError(t, err)
		assert.Equal(t, want, record.Outcome.Status)
	}
	ends := func(dealt int, want session.Status) {
		t.Helper()
		step(t, f, dealt)
		s, err := store.Load(ctx, "s")
		require.NoError(t, err)
		assert.Equal(t, want, s.Status())
	}

	calls(204, secret, 1, webhookpolicy.EventSignatureRequestExpired, "expired")
	ends(1, session.Blocked)
	calls(204, secret, 3, webhookpolicy.EventSignatureRequestDone, "done")
	inbox.keep = func(context.Context) error { return errDown }
	calls(503, secret, 2, webhookpolicy.EventSignatureRequestReactivated, "ongoing")
	inbox.keep = nil
	calls(204, secret, 2, webhookpolicy.EventSignatureRequestReactivated, "ongoing")
	calls(204, secret, 3, webhookpolicy.EventSignatureRequestDone, "done")
	calls(401, webhookpolicy.NewSecret("another"), 4, webhookpolicy.EventSignatureRequestDeleted, "deleted")
	ends(2, session.Done)
	ends(0, session.Done)
}

// Streams of HTTP/2 have their own deadlines.
func TestHandler_http2(t *testing.T) {
	inbox := &receiver.Memory{}
	server := httptest.NewUnstartedServer(handler(t, options(inbox)))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for id, want := range map[string]int{"e": http.StatusNoContent, "f": http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(body(t, id, "failed")))
		require.NoError(t, err)
		r.Header = call(t, body(t, "e", "failed"), secret).Header
		response, err := server.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, 2, response.ProtoMajor)
		assert.Equal(t, want, response.StatusCode)
	}
	assert.Equal(t, []string{"e"}, open(t, inbox))
}

// signatureRequest creates the session s, in which the signature request r is
// ongoing.
func signatureRequest(t *testing.T, store session.Store) {
	t.Helper()
	for _, c := range []session.Command{
		session.Create{ID: "s", Name: "Onboarding", WorkspaceID: "w", Template: session.Template{
			ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.SignatureRequest},
		}},
		session.Link{Resource: action.Resource{
			ID: "r", Type: action.TypeSignatureRequest, Status: action.Ongoing, CreatedAt: noon, AsOf: noon,
		}},
	} {
		_, _, err := session.Update(t.Context(), store, "s", c, noon)
		require.NoError(t, err)
	}
}

var _ http.Handler = (*receiver.Handler)(nil)
