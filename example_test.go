package sluice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
)

// The lines between the marks are those of the README.
func Example() {
	ctx, now := context.Background(), time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	eventTime := now.Add(time.Hour)
	template := session.Template{
		ID: "35a07993", Name: "Customer onboarding", Workspaces: []string{"814aac47"},
		ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest},
	}
	idCheck := action.Resource{
		ID: "79a291fc", Type: action.TypeIdentityDocumentVerification,
		Status: action.Pending, CreatedAt: now, AsOf: now,
	}
	secret, form := []byte("of the host, for digests of inputs"), `{"name":"Kelly Smith","document":"id_card"}`

	// README
	store := new(memstore.Store) // or sqlite.Open, or postgres.Open, or your own
	id := "c0cbf043"
	_, _, err := session.Update(ctx, store, id, session.Create{ID: id, Name: "Kelly Smith", Template: template}, now)
	check(err)
	inputs, err := attempt.NewDigester(id, secret).Digest(json.RawMessage(form))
	check(err)
	_, _, err = session.Update(ctx, store, id, session.Link{Resource: idCheck, Inputs: inputs}, now)
	check(err)
	// A webhook says that the check failed. It may come late, twice, or out of order.
	s, change, err := session.UpdateByResource(ctx, store, idCheck.ID,
		session.Observe{ResourceID: idCheck.ID, Status: action.Failed, AsOf: eventTime}, now)
	check(err)
	fmt.Println(s.Status(), change.Announcements()) // what subscribers are to hear
	for _, b := range s.Blockers() {                // what blocks, and every way out
		fmt.Println(b)
	}
	// README end

	// Output:
	// blocked [workflow_action_group.blocked workflow_session.blocked]
	// identity_document_verification 79a291fc is failed (attempt 1): retry with changed inputs (9 attempts left); or resolve by hand, if it was checked outside
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
