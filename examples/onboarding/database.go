package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sluicego/sluice/store/postgres"
	"github.com/sluicego/sluice/store/sqlite"
)

// open opens a store: the one line of a host that tells which.
func open(ctx context.Context, where string) (interface {
	database
	io.Closer
}, error) {
	if strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://") {
		return postgres.Open(ctx, where, postgres.Options{})
	}
	return sqlite.Open(ctx, where, sqlite.Options{})
}

// playIn tells the story from a database, or in a temporary one for "".
func playIn(ctx context.Context, where string, out teller, pace time.Duration) (err error) {
	if where == "" {
		dir, err := os.MkdirTemp("", "onboarding-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is temporary
		where = filepath.Join(dir, "onboarding.db")
	}
	store, err := open(ctx, where)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return play(ctx, store, out, pace)
}
