package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// The provider's side of the chapters that bring no bodies of their own: what
// it answers to requests, and its webhooks.

// latency is how long ago a thing happened when the host hears of it.
const latency = 2 * time.Second

// onboards creates the session of the chapter.
func (st *story) onboards(ctx context.Context, customer string) error {
	return st.host.createSession(ctx, st.session, fmt.Appendf(nil,
		`{"name": "Onboarding of %s", "workflow_template_id": %q, "workspace_id": null}`, customer, template))
}

// idCheck asks for an identity document verification of a scan, and gets one
// that has an id and a status. previous is "" for a new Action.
func (st *story) idCheck(ctx context.Context, previous, scan, id, status string) error {
	return st.verification(ctx, action.TypeIdentityDocumentVerification, previous, scan, id, status)
}

// verification is idCheck for any type.
func (st *story) verification(ctx context.Context, t action.Type, previous, scan, id, status string) error {
	file := attempt.File{Field: "file", Content: strings.NewReader(scan)}
	return st.host.initiated(ctx, t, st.request(previous, ""), st.answer(id, status), file)
}

// contract asks for a signature request with a deadline.
func (st *story) contract(ctx context.Context, previous, deadline, id, status string) error {
	fields := fmt.Sprintf(`, "name": "Contract", "delivery_mode": "email", "expiration_date": %q`, deadline)
	return st.host.initiated(ctx, action.TypeSignatureRequest, st.request(previous, fields), st.answer(id, status))
}

// request is the body of a request for a resource.
func (st *story) request(previous, fields string) []byte {
	if previous != "" {
		fields += fmt.Sprintf(`, "previous_attempt_id": %q`, previous)
	}
	return fmt.Appendf(nil, `{"workflow_session_id": %q%s}`, st.session, fields)
}

// answer is the body of the answer to it.
func (st *story) answer(id, status string) []byte {
	made := st.now.Add(-latency).Format(time.RFC3339)
	return fmt.Appendf(nil, `{"id": %q, "status": %q, "workspace_id": %q, "created_at": %q, "updated_at": %q}`,
		id, status, workspace, made, made)
}

// hears sends the host a webhook about what has just happened.
func (st *story) hears(ctx context.Context, event, id, status string) error {
	return st.hearsOf(ctx, st.now.Add(-latency), event, id, status)
}

// hearsOf sends a webhook about what happened at a time.
func (st *story) hearsOf(ctx context.Context, happened time.Time, event, id, status string) error {
	words := strings.Split(event, ".")
	return st.host.webhook(ctx, fmt.Appendf(nil,
		`{"event_name": %q, "event_time": "%d", "data": {%q: {"id": %q, "status": %q}}}`,
		event, happened.Unix(), words[len(words)-2], id, status))
}
