package sqliteinbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/delivery/receiver/sqliteinbox"
)

// The work that an event asks for is a row of the host's own. It is kept together
// with the mark that the event is dealt with, so that it is done once, also if the
// program ends at any moment.
func Example() {
	dir, err := os.MkdirTemp("", "inbox-")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	ctx, now := context.Background(), time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)

	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "host.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	check(err)
	defer func() { check(db.Close()) }()
	_, err = db.ExecContext(ctx, "CREATE TABLE mails (about TEXT)")
	check(err)
	inbox, err := sqliteinbox.New(ctx, db)
	check(err)
	// This is what a receiver.Handler does.
	_, err = inbox.Keep(ctx, receiver.Event{ID: "8f14e45f", Body: []byte(`{}`), Received: now})
	check(err)

	events, err := inbox.Claim(ctx, 10, now, time.Minute)
	check(err)
	for _, e := range events {
		tx, err := db.BeginTx(ctx, nil)
		check(err)
		_, err = tx.ExecContext(ctx, "INSERT INTO mails VALUES (?1)", e.ID)
		check(err)
		check(inbox.DoneTx(ctx, tx, e.ID))
		check(tx.Commit())
	}

	isNew, err := inbox.Keep(ctx, receiver.Event{ID: "8f14e45f", Body: []byte(`{}`), Received: now.Add(time.Hour)})
	check(err)
	fmt.Println("new when it comes again:", isNew)
	var mails int
	check(db.QueryRowContext(ctx, "SELECT count(*) FROM mails").Scan(&mails))
	fmt.Println("mails:", mails)
	// Output:
	// new when it comes again: false
	// mails: 1
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
