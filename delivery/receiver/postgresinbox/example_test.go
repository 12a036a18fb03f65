package postgresinbox_test

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/delivery/receiver/postgresinbox"
)

// The work that an event asks for is a row of the host's own. It is kept together
// with the mark that the event is dealt with, so that it is done once, also if the
// program ends at any moment.
func ExampleInbox_DoneTx() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://app@db/onboarding")
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	inbox, err := postgresinbox.New(ctx, pool)
	if err != nil {
		panic(err)
	}
	events, err := inbox.Claim(ctx, 10, time.Now(), time.Minute)
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO mails VALUES ($1)", e.ID); err != nil {
				return err
			}
			return inbox.DoneTx(ctx, tx, e.ID)
		})
		if err != nil {
			panic(err)
		}
	}
}

// An inbox that a newer program has used is refused.
func ExampleOpen_newer() {
	var err error = &receiver.VersionError{Database: 3, Program: 2} // as Open returns it
	fmt.Println(err)
	// Output:
	// receiver: the inbox has version 3, but this program works with version 2; a newer program is needed
}
