package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// Several processes work on one file at once: on sessions of their own, on one
// that they share, and on its outbox. Nothing is lost, and nothing is done twice.
func TestProcesses(t *testing.T) {
	t.Parallel()
	const processes, updates = 3, 25
	if role() != "" {
		work(t, os.Getenv(pathVariable), role(), updates)
		return
	}
	path := file(t)
	store := open(t, path)
	put(t, store, "shared", link("r", action.AwaitingData))
	execute(t, store.Writer(), "CREATE TABLE handled (id TEXT PRIMARY KEY)")
	var children []*exec.Cmd
	for i := range processes {
		children = append(children, child(t, fmt.Sprintf("p%d", i), path))
	}
	passes(t, children...)

	shared, err := store.Load(t.Context(), "shared")
	require.NoError(t, err)
	assert.Equal(t, 2+processes*updates, shared.Version())
	assert.Equal(t, 1+processes*updates, verified(t, store))
	rest, err := store.Announced(t.Context(), "", 1000)
	require.NoError(t, err)
	handled := count(t, store.Readers(), "SELECT count(*) FROM handled")
	announced := 0
	for r, err := range store.Sweep(t.Context()) {
		require.NoError(t, err)
		announced += len(session.Change{Events: r.Events}.Announcements())
	}
	assert.Equal(t, announced, handled+len(rest))
	intact(t, store.Writer())
}

// work is one of several processes.
func work(t *testing.T, path, name string, updates int) {
	t.Helper()
	ctx := context.Background()
	store := open(t, path)
	for i := range updates {
		putBlocked(t, store, fmt.Sprintf("%s.%d", name, i))
		update(t, store, "shared", link(fmt.Sprintf("r.%s.%d", name, i), action.AwaitingData))
		entries, err := store.Claim(ctx, 4, noon, time.Hour)
		require.NoError(t, err)
		for _, e := range entries {
			// No other process may have handled it.
			execute(t, store.Writer(), "INSERT INTO handled VALUES (?1)", e.ID())
		}
		require.NoError(t, store.Acknowledge(ctx, entries...))
	}
}
