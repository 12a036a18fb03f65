package ownstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/examples/ownstore"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// A host opens its database, and the store in it. Everything else goes through
// session.Update.
func Example() {
	dir, err := os.MkdirTemp("", "ownstore")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()

	// Another process that has the file open is waited for, but not for ever.
	db, err := bolt.Open(filepath.Join(dir, "host.db"), 0o600, &bolt.Options{Timeout: time.Second})
	check(err)
	defer func() { check(db.Close()) }()
	store, err := ownstore.New(db)
	check(err)

	ctx, now := context.Background(), time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)
	_, _, err = session.Update(ctx, store, "c0cbf043", session.Create{
		ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47",
		Template: session.Template{
			ID: "35a07993", Name: "Onboarding", ActionGroups: []group.Type{group.IdentityVerification},
		},
	}, now)
	check(err)
	_, _, err = session.Update(ctx, store, "c0cbf043", session.Link{Resource: action.Resource{
		ID: "79a291fc", Type: action.TypeIdentityVideoVerification, Status: action.Pending,
		CreatedAt: now, AsOf: now,
	}}, now)
	check(err)
	// A webhook names the resource alone: this is what a session.Finder is for.
	s, _, err := session.UpdateByResource(ctx, store, "79a291fc", session.Observe{
		ResourceID: "79a291fc", Status: action.Failed, AsOf: now.Add(time.Hour),
	}, now.Add(time.Hour))
	check(err)
	fmt.Println(s)

	// The events are kept too, and lead to what is stored.
	events, err := store.History(ctx, "c0cbf043", 0)
	check(err)
	for _, e := range events {
		fmt.Printf("%d %T\n", e.Version, e.Fact)
	}
	fmt.Println(session.Verify(ctx, store, "c0cbf043"))
	// Output:
	// session c0cbf043, version 3, blocked
	// 1 session.Created
	// 2 session.Linked
	// 3 session.Observed
	// <nil>
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
