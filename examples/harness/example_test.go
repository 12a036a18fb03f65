package harness_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/sluicego/sluice/examples/harness"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/transcript"
)

// A desk in use: what the routes of a server would call, with the bodies that
// they receive.
func Example() {
	now := time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)
	ctx := context.Background()
	desk, err := harness.Open(ctx, harness.Config{
		Store:  new(memstore.Store),
		Now:    func() time.Time { return now },
		Notify: func(a session.Announcement) { fmt.Println("mail:", a) },
		Report: func(transcript.Step) {},
	})
	if err != nil {
		log.Fatal(err)
	}
	kim := harness.Person{Name: "Kim", Role: harness.Agent}
	for _, body := range []string{
		`{"command": "create", "id": "c0cbf043", "name": "Kelly Smith", "workspace_id": "814aac47",
			"template": {"id": "35a07993", "name": "Onboarding", "action_groups": [{"type": "signature_request"}]}}`,
		`{"command": "link", "resource": {"id": "6f7001fc", "type": "signature_request", "status": "declined",
			"created_at": "2025-09-22T14:25:00Z", "as_of": "2025-09-22T14:29:00Z"}}`,
	} {
		if err := desk.Press(ctx, kim, "c0cbf043", []byte(body)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("blocked:", desk.Blocked())
	buttons, err := desk.Buttons(ctx, kim, "c0cbf043")
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range buttons {
		fmt.Println("button:", b)
	}
	fmt.Println(desk.Press(ctx, kim, "c0cbf043", []byte(`{"command": "resolve", "resource_id": "6f7001fc"}`)))
	fmt.Println(desk.Press(ctx, kim, "c0cbf043", []byte(`{"command": "transition", "resource_id": "6f7001fc", "event": "deleted"}`)))
	fmt.Println("blocked:", desk.Blocked())
	// Output:
	// mail: workflow_action_group.blocked
	// mail: workflow_session.blocked
	// blocked: [c0cbf043]
	// button: delete it and create another
	// desk: forbidden: Kim, agent may not give this command
	// <nil>
	// blocked: []
}
