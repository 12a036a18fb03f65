package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
)

func TestWebhooks(t *testing.T) {
	observed := func(s action.Status) session.Observe {
		return session.Observe{ResourceID: "r1", Status: s, AsOf: time.Unix(1758551998, 0)}
	}
	tests := map[string]struct {
		body  string
		want  session.Observe
		tells bool
		err   string
	}{
		"of a signature request": {
			body:  `{"event_name": "signature_request.done", "event_time": "1758551998", "data": {"signature_request": {"id": "r1", "status": "done"}}}`,
			want:  observed(action.Done),
			tells: true,
		},
		"of a verification": {
			body:  `{"event_name": "verification.company.done", "event_time": "1758551998", "data": {"company": {"id": "r1", "status": "failed"}}}`,
			want:  observed(action.Failed),
			tells: true,
		},
		"of a document analysis": {
			body:  `{"event_name": "document_analysis.done", "event_time": "1758551998", "data": {"document_analysis": {"id": "r1", "status": "done"}}}`,
			want:  observed(action.Done),
			tells: true,
		},
		"of a signer, which moves no resource": {
			body: `{"event_name": "signer.done", "event_time": "1758551998", "data": {"signature_request": {"id": "r1", "status": "ongoing"}}}`,
		},
		"without a name":        {body: `{"event_time": "1"}`, err: `webhook: "" is no event`},
		"without its resource":  {body: `{"event_name": "signature_request.done", "event_time": "1", "data": {}}`, err: "webhook signature_request.done"},
		"with a strange status": {body: `{"event_name": "document_analysis.done", "event_time": "1", "data": {"document_analysis": {"id": "r1", "status": "gone"}}}`, err: `unknown status "gone"`},
		"with a broken time":    {body: `{"event_name": "signature_request.done", "event_time": "noon"}`, err: "decode"},
		"that is no JSON":       {body: `<xml>`, err: "decode"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, tells, err := observationOf([]byte(tt.body))
			assert.Equal(t, tt.tells, tells)
			assert.Equal(t, tt.want, got)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
		})
	}
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	h := newStory(new(memstore.Store), new(recorder)).host
	ctx := t.Context()
	bad := []byte(`{"name": 1, "workflow_session_id": 1, "reason": 1, "id": 1}`)
	good := []byte(`{"workflow_session_id": "s1"}`)
	answer := []byte(`{"id": "v1", "status": "pending"}`)
	require.ErrorContains(t, h.createSession(ctx, "s1", bad), "decode")
	require.ErrorContains(t, h.createSession(ctx, "s1", []byte(`{"workflow_template_id": "t9"}`)), `there is no template "t9"`)
	require.ErrorContains(t, h.initiated(ctx, action.TypeCompanyVerification, bad, answer), "decode")
	require.ErrorContains(t, h.initiated(ctx, action.TypeCompanyVerification, good, bad), "decode")
	require.ErrorIs(t, h.initiated(ctx, action.TypeCompanyVerification, good, answer), session.ErrNotFound)
	require.ErrorContains(t, h.resolve(ctx, "s1", "v1", "m.keller", bad), "decode")
	require.ErrorContains(t, h.webhook(ctx, bad), "webhook")
}
