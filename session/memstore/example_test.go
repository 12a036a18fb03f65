package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
)

// A webhook tells of a resource. The session that has it is found and updated,
// and a list shows what is blocked now.
func Example() {
	ctx := context.Background()
	now := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	var store memstore.Store // empty and ready

	s, change, err := session.New(session.Create{
		ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47",
		Template: session.Template{
			ID: "35a07993", Name: "Onboarding", ActionGroups: []group.Type{group.IdentityVerification},
		},
	}, now)
	if err != nil {
		panic(err)
	}
	if err := store.Save(ctx, s, change.Events); err != nil {
		panic(err)
	}
	_, _, err = session.Update(ctx, &store, "c0cbf043", session.Link{Resource: action.Resource{
		ID: "79a291fc", Type: action.TypeIdentityVideoVerification, Status: action.Pending,
		CreatedAt: now, AsOf: now,
	}}, now)
	if err != nil {
		panic(err)
	}

	webhook := session.Observe{ResourceID: "79a291fc", Status: action.Failed, AsOf: now.Add(time.Hour)}
	_, change, err = session.UpdateByResource(ctx, &store, webhook.ResourceID, webhook, now.Add(time.Hour))
	if err != nil {
		panic(err)
	}
	for _, a := range change.Announcements() {
		fmt.Println("announced:", a.Name)
	}

	page, err := store.List(ctx, session.Query{Status: session.Blocked})
	if err != nil {
		panic(err)
	}
	for _, s := range page.Items {
		fmt.Println("blocked:", s.ID())
	}
	events, err := store.History(ctx, "c0cbf043", 0)
	fmt.Println(len(events), "events", err)
	// Output:
	// announced: workflow_action_group.blocked
	// announced: workflow_session.blocked
	// blocked: c0cbf043
	// 3 events <nil>
}
