package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

// host is an application that runs workflow sessions. Its methods are what the
// handlers of a server would call with the bodies that they receive.
//
// Every one of them ends in a command, and told is where all commands come out:
// a refusal is an error that holds a *session.Refusal, and a server would answer
// 409 with it.
type host struct {
	store     session.Store
	templates map[string]session.Template
	workspace string // the default, for templates that are scoped to none
	secret    []byte // keys the digests of inputs; 32 random bytes, kept with the other secrets
	now       func() time.Time
	report    func(context.Context, transcript.Step) error
}

// createSession handles POST /workflow_sessions. The id is the host's to choose.
func (h *host) createSession(ctx context.Context, id string, body []byte) error {
	request, err := decode[createRequest](body)
	if err != nil {
		return err
	}
	template, known := h.templates[request.TemplateID]
	if !known {
		return fmt.Errorf("create session: there is no template %q", request.TemplateID)
	}
	c := session.Create{
		ID: id, Name: request.Name, Template: template,
		WorkspaceID: request.WorkspaceID, DefaultWorkspaceID: h.workspace,
	}
	now := h.now()
	s, change, err := session.New(c, now)
	if err == nil {
		err = h.store.Save(ctx, s, change.Events)
	}
	return h.told(ctx, now, c, s, change, err)
}

// initiated handles the answer to a request that made a resource: a
// verification, or a signature request. It needs the request as well, for the
// session that it names and for the digest of its inputs. Where the request
// names a previous attempt, this is a retry.
func (h *host) initiated(
	ctx context.Context, t action.Type, request, answer []byte, files ...attempt.File,
) error {
	names, err := decode[linkRequest](request)
	if err != nil {
		return err
	}
	resource, err := resourceOf(t, answer)
	if err != nil {
		return err
	}
	// The inputs themselves are not kept, only what tells whether they changed.
	inputs, err := attempt.NewDigester(names.SessionID, h.secret).Digest(json.RawMessage(request), files...)
	if err != nil {
		return err
	}
	return h.update(ctx, names.SessionID, session.Link{
		Resource: resource, Inputs: inputs, PreviousAttemptID: names.PreviousAttemptID,
	})
}

// webhook handles a webhook of the provider. That it may come late, twice or
// out of order is no concern of the host's: Observe sees to it. One about a
// resource of no session is session.ErrNotFound, and one that cannot be true a
// refusal; a server answers both with 200, or they would come again for days.
func (h *host) webhook(ctx context.Context, body []byte) error {
	c, tells, err := observationOf(body)
	if err != nil || !tells {
		return err
	}
	now := h.now()
	s, change, err := session.UpdateByResource(ctx, h.store, c.ResourceID, c, now)
	return h.told(ctx, now, c, s, change, err)
}

// resolve handles the wish of a person, who is signed in, to vouch for an
// Action.
func (h *host) resolve(ctx context.Context, sessionID, resourceID, person string, body []byte) error {
	request, err := decode[resolveRequest](body)
	if err != nil {
		return err
	}
	return h.update(ctx, sessionID, session.Resolve{
		ResourceID: resourceID, Reason: request.Reason, By: person,
	})
}

// update applies a command to a stored session.
func (h *host) update(ctx context.Context, sessionID string, c session.Command) error {
	now := h.now()
	s, change, err := session.Update(ctx, h.store, sessionID, c, now)
	return h.told(ctx, now, c, s, change, err)
}

// told reports what came of a command. Whom a server would call about it waits
// in the store's outbox.
func (h *host) told(
	ctx context.Context, now time.Time, c session.Command, s session.Session, change session.Change, err error,
) error {
	step := transcript.Step{At: now, Command: c, Session: s, Change: change, Err: err}
	if failed := h.report(ctx, step); failed != nil {
		return failed
	}
	return err
}
