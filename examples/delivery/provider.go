package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// customer is somebody whom the host takes through a session, with what the
// provider makes for it.
type customer struct {
	name, session, card, contract string
	end                           action.Status // of the contract
}

var (
	kelly = customer{
		"Kelly Smith", "c0cbf043-5d0e-4a8c-b1a7-9be3f1f5e2c4",
		"79a291fc-8c52-4a35-9d2b-6f1f0e7a4b38", "6f7001fc-1e6d-4f0b-a2c9-57d0c3b8e941", action.Done,
	}
	noah = customer{
		"Noah Martin", "1f6c0a9e-47d2-4c3b-8e15-90ab6d3f2c71",
		"b3e7d1a4-5c28-4f90-9a6d-07c4e8f1b256", "e91d4b70-3a6f-4812-b5c9-d20f7a8e6c43", action.Declined,
	}
)

// template is what customers are taken through.
var template = session.Template{
	ID: "35a07993-2b0c-4b7e-9f53-0c8c1d6d5a10", Name: "Customer onboarding",
	ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest},
}

const workspace = "814aac47-6f3e-4b0a-8a4d-2f6f9f0f7c11"

// onboard plays what happens in a session, from where it is.
func (p *play) onboard(ctx context.Context, c customer) error {
	made := time.Now().Add(-time.Minute)
	link := func(id string, t action.Type, status action.Status) session.Link {
		return session.Link{Resource: action.Resource{
			ID: id, Type: t, Status: status, WorkspaceID: workspace, CreatedAt: made, AsOf: made,
		}}
	}
	for _, step := range []func() error{
		func() error {
			return p.change(ctx, c.name+" becomes a customer", c.session, session.Create{
				ID: c.session, Name: "Onboarding of " + c.name, Template: template, DefaultWorkspaceID: workspace,
			})
		},
		func() error {
			return p.change(ctx, "an identity card is looked at", c.session,
				link(c.card, action.TypeIdentityDocumentVerification, action.Pending))
		},
		func() error {
			return p.tell(ctx, webhookpolicy.EventVerificationIdentityDocumentDone, c.session, c.card, action.Verified)
		},
		func() error {
			return p.change(ctx, "a contract is sent", c.session,
				link(c.contract, action.TypeSignatureRequest, action.Ongoing))
		},
		func() error {
			return p.tell(ctx, webhookpolicy.EventName("signature_request."+c.end.String()), c.session, c.contract, c.end)
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// provider looks at identity cards and has contracts signed. What becomes of them
// it tells the host, by webhooks of its own.
type provider struct {
	caller *caller.Caller
	secret webhookpolicy.Secret // which the host knows
	door   *endpoint            // of the host
}

// newProvider returns a provider whom a host listens to.
func newProvider(ctx context.Context, host *sender, doors endpoints) (*provider, error) {
	c, err := caller.New(calls(doors))
	if err != nil {
		return nil, err
	}
	door := &endpoint{id: "host", certificate: doors[0].certificate}
	if err := host.hear(ctx, door); err != nil {
		return nil, err
	}
	secret := newSecret()
	return &provider{c, secret, door}, door.serve("", secret)
}

// call makes the call of a webhook about a resource.
func (p *provider) call(ctx context.Context, name webhookpolicy.EventName, id string, status action.Status) (caller.Record, error) {
	words := strings.Split(string(name), ".")
	data, err := json.Marshal(map[string]any{words[len(words)-2]: map[string]any{"id": id, "status": status}})
	if err != nil {
		return caller.Record{}, err
	}
	body, err := webhookpolicy.Envelope{
		EventID:   webhookpolicy.EventID(id+" "+status.String(), p.door.id),
		EventName: name, EventTime: time.Now(), SubscriptionID: p.door.id, Data: data,
	}.Encode()
	if err != nil {
		return caller.Record{}, err
	}
	return p.caller.Call(ctx, caller.Request{
		Endpoint: p.door.url, Body: body, Secret: p.secret, Timeout: 10 * time.Second,
	})
}

// tell has the provider tell the status of a resource, until the session shows it.
func (p *play) tell(ctx context.Context, name webhookpolicy.EventName, session, id string, status action.Status) error {
	arrived := func(ctx context.Context) (bool, error) {
		s, err := p.store.Load(ctx, session)
		chain, _ := s.Action(id)
		return chain.Main().Resource.Status == status, err
	}
	if there, err := arrived(ctx); there || err != nil {
		return err
	}
	record, err := p.provider.call(ctx, name, id, status)
	if err != nil {
		return err
	}
	p.say("provider", "calls the host, "+string(name)+": "+p.answer(record.Outcome))
	return p.waitFor(ctx, arrived)
}
