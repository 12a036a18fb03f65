package postgres_test

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/postgres"
)

// A session and a row of the host are kept together or not at all.
func ExampleStore_InTx() {
	ctx := context.Background()
	store, err := postgres.Open(ctx, "postgres://app@db/onboarding", postgres.Options{
		StatementTimeout: 5 * time.Second,
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()

	command := create("c0cbf043")
	err = store.InTx(ctx, func(ctx context.Context, tx pgx.Tx, sessions *postgres.Joined) error {
		if _, err := tx.Exec(ctx, `INSERT INTO customers VALUES ('Kelly Smith', $1)`, command.ID); err != nil {
			return err
		}
		_, _, err := session.Update(ctx, sessions, command.ID, command, time.Now())
		return err
	})
	if err != nil {
		panic(err)
	}
}

// A database that a newer program has used is refused.
func ExampleVersionError() {
	err := &postgres.VersionError{Database: 3, Program: 2}
	fmt.Println(err)
	// Output:
	// postgres: the database has version 3, but this program works with version 2; a newer program is needed
}
