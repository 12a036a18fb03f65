package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

// A session is created together with a row of the host's own. A webhook then
// tells of its resource; what that announces waits in the outbox until somebody
// has dealt with it, also if the program ends in between.
func Example() {
	dir, err := os.MkdirTemp("", "onboarding-")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	ctx, now := context.Background(), time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	path := filepath.Join(dir, "onboarding.db")

	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	check(err)
	_, err = store.Writer().ExecContext(ctx, "CREATE TABLE customers (name TEXT, session_id TEXT)")
	check(err)
	err = store.InTx(ctx, func(ctx context.Context, tx *sql.Tx, joined *sqlite.Joined) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO customers VALUES (?1, ?2)", "Kelly Smith", "c0cbf043")
		if err != nil {
			return err
		}
		_, _, err = session.Update(ctx, joined, "c0cbf043", session.Create{
			ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47",
			Template: session.Template{
				ID: "35a07993", Name: "Onboarding", ActionGroups: []group.Type{group.IdentityVerification},
			},
		}, now)
		return err
	})
	check(err)
	_, _, err = session.Update(ctx, store, "c0cbf043", session.Link{Resource: action.Resource{
		ID: "79a291fc", Type: action.TypeIdentityVideoVerification, Status: action.Pending, CreatedAt: now, AsOf: now,
	}}, now)
	check(err)
	check(store.Close())

	store, err = sqlite.Open(ctx, path, sqlite.Options{})
	check(err)
	webhook := session.Observe{ResourceID: "79a291fc", Status: action.Failed, AsOf: now.Add(time.Hour)}
	_, _, err = session.UpdateByResource(ctx, store, webhook.ResourceID, webhook, now.Add(time.Hour))
	check(err)
	entries, err := store.Claim(ctx, 10, now.Add(time.Hour), time.Minute)
	check(err)
	for _, e := range entries {
		fmt.Println(e.ID())
	}
	check(store.Acknowledge(ctx, entries...))
	n, err := session.VerifyAll(ctx, store, func(_ string, err error) error { return err })
	fmt.Println(n, "session verified:", err)
	check(store.Close())
	// Output:
	// c0cbf043/2/workflow_action_group.started
	// c0cbf043/2/workflow_session.started
	// c0cbf043/3/workflow_action_group.blocked
	// c0cbf043/3/workflow_session.blocked
	// 1 session verified: <nil>
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
