package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// bodies are the requests, answers and webhooks of the first chapter.
//
//go:embed requests
var bodies embed.FS

// What the host reads of the bodies. They hold more; what is said about people
// is not sluice's business.
type (
	createRequest struct {
		Name        string `json:"name"`
		TemplateID  string `json:"workflow_template_id"`
		WorkspaceID string `json:"workspace_id"` // null is read as ""
	}
	// linkRequest is what requests for any resource have in common.
	linkRequest struct {
		SessionID         string `json:"workflow_session_id"`
		PreviousAttemptID string `json:"previous_attempt_id"`
	}
	resourceAnswer struct {
		ID          string        `json:"id"`
		Status      action.Status `json:"status"`
		WorkspaceID string        `json:"workspace_id"`
		CreatedAt   time.Time     `json:"created_at"`
		UpdatedAt   time.Time     `json:"updated_at"`
	}
	resolveRequest struct {
		Reason string `json:"reason"`
	}
	webhook struct {
		Name string                     `json:"event_name"`
		Time int64                      `json:"event_time,string"` // Unix seconds
		Data map[string]json.RawMessage `json:"data"`
	}
)

func decode[T any](body []byte) (T, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("decode %T: %w", v, err)
	}
	return v, nil
}

// resourceOf reads the answer to a request. It does not name the type of what
// was made; the endpoint does.
func resourceOf(t action.Type, body []byte) (action.Resource, error) {
	answer, err := decode[resourceAnswer](body)
	if err != nil {
		return action.Resource{}, err
	}
	asOf := answer.UpdatedAt
	if asOf.IsZero() {
		asOf = answer.CreatedAt // of a signature request nothing else is told
	}
	return action.Resource{
		ID: answer.ID, Type: t, Status: answer.Status, WorkspaceID: answer.WorkspaceID,
		CreatedAt: answer.CreatedAt, AsOf: asOf,
	}, nil
}

// observationOf reads a webhook. Most tell of signers, contacts and the like,
// and nothing of a resource's status: then tells is false.
func observationOf(body []byte) (observed session.Observe, tells bool, err error) {
	hook, err := decode[webhook](body)
	if err != nil {
		return session.Observe{}, false, err
	}
	// The name is signature_request.EVENT, verification.KIND.done or
	// document_analysis.done; the resource stands under the word before the last.
	words := strings.Split(hook.Name, ".")
	switch {
	case len(words) < 2:
		return session.Observe{}, false, fmt.Errorf("webhook: %q is no event", hook.Name)
	case words[0] != "signature_request" && words[0] != "verification" && words[0] != "document_analysis":
		return session.Observe{}, false, nil
	}
	resource, err := decode[resourceAnswer](hook.Data[words[len(words)-2]])
	if err != nil {
		return session.Observe{}, false, fmt.Errorf("webhook %s: %w", hook.Name, err)
	}
	return session.Observe{
		ResourceID: resource.ID, Status: resource.Status, AsOf: time.Unix(hook.Time, 0),
	}, true, nil
}
