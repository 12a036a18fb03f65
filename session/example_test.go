package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
)

// Kelly Smith is onboarded: her identity is verified at the second try, and
// the refused third one says why.
func Example() {
	now := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	template := session.Template{
		ID: "35a07993", Name: "Customer onboarding",
		ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest},
		Workspaces:   []string{"814aac47"},
	}
	s, change, err := session.New(session.Create{
		ID: "c0cbf043", Name: "Onboarding of Kelly Smith", Template: template,
	}, now)
	if err != nil {
		panic(err)
	}
	do := func(c session.Command) {
		now = now.Add(time.Minute)
		if s, change, err = session.Apply(s, c, now); err != nil {
			fmt.Println(err)
			return
		}
		for _, a := range change.Announcements() {
			fmt.Println("announced:", a.Name)
		}
	}

	inputs := attempt.NewDigester(s.ID(), nil)
	blurred, _ := inputs.Digest(map[string]string{"photo": "blurred"})
	sharp, _ := inputs.Digest(map[string]string{"photo": "sharp"})

	idCheck := action.Resource{
		ID: "79a291fc", Type: action.TypeIdentityDocumentVerification, Status: action.Pending,
		CreatedAt: now, AsOf: now,
	}
	do(session.Link{Resource: idCheck, Inputs: blurred})
	do(session.Observe{ResourceID: "79a291fc", Status: action.Failed, AsOf: now})
	for _, b := range s.Blockers() {
		fmt.Println(b)
	}

	second := idCheck
	second.ID, second.Status = "8d11f3a0", action.Verified
	do(session.Link{Resource: second, Inputs: sharp, PreviousAttemptID: "79a291fc"})
	fmt.Println(s.Status())

	third := idCheck
	third.ID = "90b2c677"
	do(session.Link{Resource: third, Inputs: blurred, PreviousAttemptID: "8d11f3a0"})
	fmt.Println(errors.Is(err, attempt.ErrComplete))
	// Output:
	// announced: workflow_action_group.started
	// announced: workflow_session.started
	// announced: workflow_action_group.blocked
	// announced: workflow_session.blocked
	// identity_document_verification 79a291fc is failed (attempt 1): retry with changed inputs (9 attempts left); or resolve by hand, if it was checked outside
	// announced: workflow_action_group.done
	// announced: workflow_session.started
	// ongoing
	// attempt: retry of 8d11f3a0 refused: attempt 2 is verified (ATT-2)
	// true
}

// A host updates a session by the resource that a webhook tells of.
func ExampleUpdateByResource() {
	ctx := context.Background()
	now := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	store := new(memstore.Store) // or one over a database

	s, change, err := session.New(session.Create{
		ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47",
		Template: session.Template{
			ID: "35a07993", Name: "Contract", ActionGroups: []group.Type{group.SignatureRequest},
		},
	}, now)
	if err != nil {
		panic(err)
	}
	if err := store.Save(ctx, s, change.Events); err != nil {
		panic(err)
	}
	contract := action.Resource{
		ID: "6f7001fc", Type: action.TypeSignatureRequest, Status: action.Ongoing, CreatedAt: now, AsOf: now,
	}
	if _, _, err := session.Update(ctx, store, "c0cbf043", session.Link{Resource: contract}, now); err != nil {
		panic(err)
	}

	// The webhook comes twice; the second time nothing is saved.
	done := session.Observe{ResourceID: "6f7001fc", Status: action.Done, AsOf: now.Add(time.Hour)}
	for range 2 {
		s, change, err = session.UpdateByResource(ctx, store, "6f7001fc", done, now.Add(time.Hour))
		fmt.Println(s, change.Outcome, err)
	}
	fmt.Println(session.Verify(ctx, store, "c0cbf043"))
	// Output:
	// session c0cbf043, version 3, done taken <nil>
	// session c0cbf043, version 3, done duplicate <nil>
	// <nil>
}

// The statuses of a document follow from its actions, whatever it shows.
func ExampleParseDocument() {
	s, mismatches, err := session.ParseDocument([]byte(`{
		"id": "c0cbf043",
		"status": "done",
		"action_groups": [{
			"type": "signature_request",
			"status": "awaiting",
			"actions": [{"resource": {"id": "6f7001fc", "type": "signature_request", "status": "done"}}]
		}]
	}`))
	fmt.Println(s.Status(), err)
	for _, m := range mismatches {
		fmt.Println(m)
	}
	// Output:
	// done <nil>
	// group signature_request is shown as awaiting; it is done
}

// Everything that refuses a link can be asked before it is tried.
func ExampleSession_Refusals() {
	now := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	s, _, err := session.New(session.Create{
		ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47",
		Template: session.Template{ID: "35a07993", Name: "Contract", ActionGroups: []group.Type{group.SignatureRequest}},
	}, now)
	if err != nil {
		panic(err)
	}
	idCheck := action.Resource{
		ID: "79a291fc", Type: action.TypeWatchlistVerification, Status: action.Pending, WorkspaceID: "2b6f0d11",
		CreatedAt: now, AsOf: now,
	}
	for _, r := range s.Refusals(session.Link{Resource: idCheck}) {
		fmt.Println(r)
	}
	// Output:
	// session: link of 79a291fc refused: it lives in workspace 2b6f0d11; allowed: 814aac47 (SES-4)
	// session: link of 79a291fc refused: no group of session c0cbf043 admits type watchlist_verification; allowed: signature_request (SES-4)
}
