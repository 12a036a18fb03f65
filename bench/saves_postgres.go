package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/store/postgres"
)

// What the bare driver writes to is as the tables of the store are, but for marks
// and what orders and holds entries of the outbox.
const barePostgresTables = `
	CREATE TABLE sessions (
		id text COLLATE "C" NOT NULL PRIMARY KEY, version bigint NOT NULL, status text COLLATE "C" NOT NULL,
		workspace_id text COLLATE "C" NOT NULL, template_id text COLLATE "C" NOT NULL,
		created_at bigint NOT NULL, updated_at bigint NOT NULL, snapshot json NOT NULL
	);
	CREATE TABLE events (
		session_id text COLLATE "C" NOT NULL REFERENCES sessions (id), version bigint NOT NULL,
		at bigint NOT NULL, event json NOT NULL, PRIMARY KEY (session_id, version)
	);
	CREATE TABLE resources (
		id text COLLATE "C" NOT NULL PRIMARY KEY, session_id text COLLATE "C" NOT NULL REFERENCES sessions (id)
	);
	CREATE TABLE outbox (
		position bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY, session_id text COLLATE "C" NOT NULL,
		version bigint NOT NULL, name text COLLATE "C" NOT NULL, group_type text COLLATE "C",
		status text COLLATE "C" NOT NULL, at text COLLATE "C" NOT NULL
	);`

// postgresServer has a database for the savers of a place.
type postgresServer struct {
	place    *savesPlace
	url      string // of any database
	database string
	admin    *pgx.Conn // to that database
	schemas  int       // how many there are
}

// openPostgresSavers makes a database on the server that the environment names, or
// on one that is started from the binaries that are installed.
func openPostgresSavers(ctx context.Context, p *savesPlace) error {
	p.name = "PostgreSQL"
	server, err := startPostgres(ctx, p)
	if err != nil {
		return err
	}
	const named, unnamed = pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec
	for _, who := range []struct {
		name, about string
		open        func(ctx context.Context, mode pgx.QueryExecMode) (saver, error)
		mode        pgx.QueryExecMode
	}{
		{
			"bare driver", "readers cannot follow its outbox while others save, since positions are not in the order" +
				" of commits", server.bare(barePostgresTables + bareIndexes), named,
		},
		{
			"store/postgres", "as it opens by default: statements have no names, so that connections may go through" +
				" a pooler, and PostgreSQL plans each anew", server.store, unnamed,
		},
		{
			"store/postgres, named", "with default_query_exec_mode=cache_statement, for connections that go through" +
				" no pooler", server.store, named,
		},
		{
			"bare driver, unnamed", "statements have no names, as the store has it by default",
			server.bare(barePostgresTables + bareIndexes), unnamed,
		},
		{"bare driver without indexes", withoutIndexes, server.bare(barePostgresTables), named},
	} {
		s, err := who.open(ctx, who.mode)
		if err != nil {
			return fmt.Errorf("%s: %w", who.name, err)
		}
		s.name, s.about = who.name, who.about
		p.savers = append(p.savers, s)
	}
	return nil
}

// startPostgres finds a server, or starts one, and notes what it is.
func startPostgres(ctx context.Context, p *savesPlace) (*postgresServer, error) {
	s := &postgresServer{place: p, url: os.Getenv(pgtest.Env)}
	if s.url == "" {
		server, err := pgtest.Launch(pgtest.Config{Fsync: true, Settings: []string{"autovacuum=on"}})
		if err != nil {
			return nil, err
		}
		p.closers = append(p.closers, server.Close)
		s.url = server.URL("postgres")
	}
	if err := s.createDatabase(ctx); err != nil {
		return nil, fmt.Errorf("PostgreSQL: %w", err)
	}
	var version, fsync, commit string
	err := s.admin.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('fsync'),
		current_setting('synchronous_commit')`).Scan(&version, &fsync, &commit)
	if err != nil {
		return nil, fmt.Errorf("the version of PostgreSQL: %w", err)
	}
	p.notes = append(p.notes, fmt.Sprintf("PostgreSQL is %s, with fsync=%s and synchronous_commit=%s,"+
		" and everybody has 16 connections.", version, fsync, commit))
	return s, nil
}

// createDatabase makes the database, which is dropped in the end, and connects to
// it.
func (s *postgresServer) createDatabase(ctx context.Context) error {
	outside, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	s.place.closers = append(s.place.closers, func() error { return outside.Close(ctx) })
	s.database = "sluice_bench_" + strings.ToLower(rand.Text()[:16])
	if _, err := outside.Exec(ctx, "CREATE DATABASE "+s.database); err != nil {
		return err
	}
	s.place.closers = append(s.place.closers, func() error {
		_, err := outside.Exec(ctx, "DROP DATABASE "+s.database+" WITH (FORCE)")
		return err
	})
	config := outside.Config()
	config.Database = s.database
	if s.admin, err = pgx.ConnectConfig(ctx, config); err != nil {
		return err
	}
	s.place.closers = append(s.place.closers, func() error { return s.admin.Close(ctx) })
	return nil
}

// schema makes a schema, and returns the configuration of connections that find
// it first.
func (s *postgresServer) schema(ctx context.Context, mode pgx.QueryExecMode) (func(*pgxpool.Config), error) {
	s.schemas++
	name := fmt.Sprintf("s%d", s.schemas)
	if _, err := s.admin.Exec(ctx, "CREATE SCHEMA "+name); err != nil {
		return nil, fmt.Errorf("create a schema: %w", err)
	}
	return func(c *pgxpool.Config) {
		c.ConnConfig.Database, c.ConnConfig.DefaultQueryExecMode = s.database, mode
		c.ConnConfig.RuntimeParams["search_path"] = name
		c.MaxConns = 16
	}, nil
}

// store opens a store in a schema of its own.
func (s *postgresServer) store(ctx context.Context, mode pgx.QueryExecMode) (saver, error) {
	configure, err := s.schema(ctx, mode)
	if err != nil {
		return saver{}, err
	}
	store, err := postgres.Open(ctx, s.url, postgres.Options{Configure: configure})
	if err != nil {
		return saver{}, err
	}
	s.place.closers = append(s.place.closers, store.Close)
	return saver{
		save:  func(ctx context.Context, one saved) error { return store.Save(ctx, one.next, one.events) },
		count: countPostgres(store.Pool(), "sluice_"),
	}, nil
}

// bare opens a bare driver on tables in a schema of its own.
func (s *postgresServer) bare(tables string) func(context.Context, pgx.QueryExecMode) (saver, error) {
	return func(ctx context.Context, mode pgx.QueryExecMode) (saver, error) {
		configure, err := s.schema(ctx, mode)
		if err != nil {
			return saver{}, err
		}
		config, err := pgxpool.ParseConfig(s.url)
		if err != nil {
			return saver{}, err
		}
		configure(config)
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return saver{}, err
		}
		s.place.closers = append(s.place.closers, func() error { pool.Close(); return nil })
		if _, err := pool.Exec(ctx, tables, pgx.QueryExecModeSimpleProtocol); err != nil {
			return saver{}, fmt.Errorf("make the tables: %w", err)
		}
		return saver{save: barePostgres{pool}.save, count: countPostgres(pool, "")}, nil
	}
}

// countPostgres counts in tables whose names begin so.
func countPostgres(pool *pgxpool.Pool, prefix string) func(context.Context, savesKind) (savesCount, error) {
	return func(ctx context.Context, kind savesKind) (n savesCount, err error) {
		err = pool.QueryRow(ctx, kind.query(prefix)).Scan(&n.rows, &n.characters)
		return n, err
	}
}

// barePostgres is a program that somebody writes by hand for sessions in PostgreSQL.
type barePostgres struct{ pool *pgxpool.Pool }

// save writes rows in a batch, which is one transaction and one round trip. An
// update that finds another version changes nothing, and then the event fails,
// whose version is there already: so nothing is kept.
func (b barePostgres) save(ctx context.Context, s saved) error {
	r, batch := s.rows, &pgx.Batch{}
	if r.from == 0 {
		batch.Queue(`INSERT INTO sessions VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			r.id, r.version, r.status, r.workspace, r.template, r.created, r.updated, r.snapshot)
	} else {
		batch.Queue(`UPDATE sessions SET version = $3, status = $4, updated_at = $5, snapshot = $6 WHERE id = $1 AND version = $2`,
			r.id, r.from, r.version, r.status, r.updated, r.snapshot)
	}
	for _, e := range r.events {
		batch.Queue(`INSERT INTO events VALUES ($1, $2, $3, $4)`, r.id, e.version, e.at, e.text)
	}
	for _, id := range r.links {
		batch.Queue(`INSERT INTO resources VALUES ($1, $2)`, id, r.id)
	}
	for _, a := range r.announcements {
		batch.Queue(`INSERT INTO outbox (session_id, version, name, group_type, status, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			r.id, a.version, a.name, a.group, a.status, a.at)
	}
	results := b.pool.SendBatch(ctx, batch)
	tag, err := results.Exec()
	if err == nil && tag.RowsAffected() != 1 {
		err = errOtherVersion
	}
	return errors.Join(err, results.Close())
}
