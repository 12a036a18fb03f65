package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"github.com/sluicego/sluice/store/sqlite"
)

// What the bare driver writes to is as the tables of the store are, but for marks
// and what holds entries of the outbox.
const (
	bareSQLiteTables = `
		CREATE TABLE sessions (
			id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL,
			workspace_id TEXT NOT NULL, template_id TEXT NOT NULL,
			created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, snapshot TEXT NOT NULL
		) STRICT;
		CREATE TABLE events (
			session_id TEXT NOT NULL REFERENCES sessions (id), version INTEGER NOT NULL,
			at INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (session_id, version)
		) STRICT, WITHOUT ROWID;
		CREATE TABLE resources (
			id TEXT NOT NULL PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id)
		) STRICT, WITHOUT ROWID;
		CREATE TABLE outbox (
			position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL,
			version INTEGER NOT NULL, name TEXT NOT NULL, group_type TEXT, status TEXT NOT NULL, at TEXT NOT NULL
		) STRICT;`
	// bareIndexes are those that lists need, on both databases.
	bareIndexes = `
		CREATE INDEX sessions_created ON sessions (created_at, id);
		CREATE INDEX sessions_status ON sessions (status, created_at, id);
		CREATE INDEX sessions_workspace ON sessions (workspace_id, created_at, id);
		CREATE INDEX sessions_template ON sessions (template_id, created_at, id);
		CREATE INDEX sessions_updated ON sessions (updated_at, created_at, id, status, workspace_id, template_id);`
)

// withoutIndexes is what the bare driver lacks where it has no indexes.
const withoutIndexes = "a list by status, workspace, template or time reads every session"

// bareSQLite is a program that somebody writes by hand for sessions in SQLite.
type bareSQLite struct {
	db                                      *sql.DB
	create, update, event, resource, outbox *sql.Stmt
}

// openSQLiteSavers opens files in a temporary folder.
func openSQLiteSavers(ctx context.Context, p *savesPlace) error {
	p.name = "SQLite"
	folder, err := os.MkdirTemp("", "sluice-bench-saves-")
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() error { return os.RemoveAll(folder) })
	bare, err := openBareSQLite(ctx, filepath.Join(folder, "bare.db"), bareSQLiteTables+bareIndexes)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, bare.db.Close)
	store, err := sqlite.Open(ctx, filepath.Join(folder, "store.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, store.Close)
	plain, err := openBareSQLite(ctx, filepath.Join(folder, "plain.db"), bareSQLiteTables)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, plain.db.Close)
	p.savers = []saver{
		{name: "bare driver", save: bare.save, count: countSQLite(bare.db, "")},
		{
			name:  "store/sqlite",
			save:  func(ctx context.Context, s saved) error { return store.Save(ctx, s.next, s.events) },
			count: countSQLite(store.Readers(), "sluice_"),
		},
		{name: "bare driver without indexes", about: withoutIndexes, save: plain.save, count: countSQLite(plain.db, "")},
	}
	var version string
	if err := bare.db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		return fmt.Errorf("the version of SQLite: %w", err)
	}
	p.notes = append(p.notes, fmt.Sprintf("SQLite is %s, in WAL mode with synchronous=FULL,"+
		" and one connection writes: 16 writers wait for it.", version))
	return nil
}

// countSQLite counts in tables whose names begin so.
func countSQLite(db *sql.DB, prefix string) func(context.Context, savesKind) (savesCount, error) {
	return func(ctx context.Context, kind savesKind) (n savesCount, err error) {
		err = db.QueryRowContext(ctx, kind.query(prefix)).Scan(&n.rows, &n.characters)
		return n, err
	}
}

// openBareSQLite makes a file with tables, with the settings that the store has.
func openBareSQLite(ctx context.Context, path, tables string) (*bareSQLite, error) {
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "foreign_keys(1)",
	}}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("bare driver: %w", err)
	}
	db.SetMaxOpenConns(1)
	b := &bareSQLite{db: db}
	if err := b.prepare(ctx, tables); err != nil {
		return nil, fmt.Errorf("bare driver: %w", errors.Join(err, db.Close()))
	}
	return b, nil
}

// prepare makes the tables, and prepares the statements. They are closed with the
// connection.
func (b *bareSQLite) prepare(ctx context.Context, tables string) error {
	if _, err := b.db.ExecContext(ctx, tables); err != nil {
		return err
	}
	for _, s := range []struct {
		into  **sql.Stmt
		query string
	}{
		{&b.create, `INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`},
		{&b.update, `UPDATE sessions SET version = ?3, status = ?4, updated_at = ?5, snapshot = ?6 WHERE id = ?1 AND version = ?2`},
		{&b.event, `INSERT INTO events VALUES (?1, ?2, ?3, ?4)`},
		{&b.resource, `INSERT INTO resources VALUES (?1, ?2)`},
		{&b.outbox, `INSERT INTO outbox (session_id, version, name, group_type, status, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`},
	} {
		var err error
		if *s.into, err = b.db.PrepareContext(ctx, s.query); err != nil { //nolint:sqlclosecheck // closed with the connection
			return err
		}
	}
	return nil
}

// save writes rows in one transaction.
func (b *bareSQLite) save(ctx context.Context, s saved) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit that is nothing
	if err := b.write(ctx, tx, s.rows); err != nil {
		return err
	}
	return tx.Commit()
}

func (b *bareSQLite) write(ctx context.Context, tx *sql.Tx, r savedRows) error {
	exec := func(stmt *sql.Stmt, args ...any) (sql.Result, error) {
		return tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	if err := b.writeSession(exec, r); err != nil {
		return err
	}
	for _, e := range r.events {
		if _, err := exec(b.event, r.id, e.version, e.at, e.text); err != nil {
			return err
		}
	}
	for _, id := range r.links {
		if _, err := exec(b.resource, id, r.id); err != nil {
			return err
		}
	}
	for _, a := range r.announcements {
		if _, err := exec(b.outbox, r.id, a.version, a.name, a.group, a.status, a.at); err != nil {
			return err
		}
	}
	return nil
}

// writeSession writes the row of the session, if the version is there that the
// save is based on.
func (b *bareSQLite) writeSession(exec func(*sql.Stmt, ...any) (sql.Result, error), r savedRows) error {
	if r.from == 0 {
		_, err := exec(b.create, r.id, r.version, r.status, r.workspace, r.template, r.created, r.updated, r.snapshot)
		return err
	}
	result, err := exec(b.update, r.id, r.from, r.version, r.status, r.updated, r.snapshot)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errOtherVersion, err)
	}
	return nil
}

// errOtherVersion is what the bare driver says when somebody else was faster.
var errOtherVersion = errors.New("the session has another version")
