package sqlite_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

var commands = flag.Int("commands", 1000, "commands of 16 writers on one session")

var kills = flag.Int("kills", 20, "how often TestKilled kills a process that writes")

// A process that writes is killed at any moment, with no chance to tidy up, and
// another one takes its place, again and again on one file. After each death,
// every save that was acknowledged is there, every session agrees with its
// events, the outbox holds what was announced and nobody removed, and the file is
// whole.
//
// This shows what becomes of a process that dies. That a save outlives the power
// too rests on synchronous=FULL, and on a disk that does what it is told.
func TestKilled(t *testing.T) {
	t.Parallel()
	if role() != "" {
		writeUntilKilled(t, os.Getenv(pathVariable), role(), false)
		return
	}
	told := newTestimony()
	assert.Empty(t, told.killAll(t, *kills))
	t.Logf("%d kills, %d sessions, %d announcements removed", *kills, len(told.saved), len(told.removed))
	assert.NotEmpty(t, told.removed)
}

// A process that acknowledges a save before it is done is found out.
func TestKilledTwin(t *testing.T) {
	if role() != "" {
		writeUntilKilled(t, os.Getenv(pathVariable), role(), true)
		return
	}
	faults := newTestimony().killAll(t, 40)
	require.NotEmpty(t, faults)
	assert.Contains(t, faults[0], "was acknowledged")
}

// writeUntilKilled saves from several goroutines, deals with the outbox in
// another one, and tells of everything on a pipe: of what it is about to remove
// before, and of what was done behind.
//
// What is eager tells before.
func writeUntilKilled(t *testing.T, path, name string, eager bool) {
	t.Helper()
	ctx := context.Background()
	pipe := os.NewFile(3, "pipe")
	tell := func(what, id string, version int) {
		_, err := fmt.Fprintf(pipe, "%s %s %d\n", what, id, version)
		check(err)
	}
	store := open(t, path)
	var all sync.WaitGroup
	for w := range 3 {
		all.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%s.%d.%d", name, w, i)
				for _, c := range []session.Command{
					create(id), link(id+".1", action.Pending), observe(id+".1", action.Failed, 1),
					session.Resolve{ResourceID: id + ".1"},
				} {
					if eager {
						tell("saved", id, 1)
					}
					s, _, err := session.Update(ctx, store, id, c, noon)
					check(err)
					tell("saved", id, s.Version())
				}
			}
		})
	}
	all.Go(func() {
		for {
			entries, err := store.Claim(ctx, 3, noon, 0)
			check(err)
			for _, e := range entries {
				tell("removing", e.ID(), 0)
			}
			check(store.Acknowledge(ctx, entries...))
			for _, e := range entries {
				tell("removed", e.ID(), 0)
			}
		}
	})
	all.Wait()
}

// testimony is what the processes that were killed have told.
type testimony struct {
	saved             map[string]int  // version of each session
	removing, removed map[string]bool // ids of announcements
}

func newTestimony() *testimony {
	return &testimony{saved: map[string]int{}, removing: map[string]bool{}, removed: map[string]bool{}}
}

// killAll kills one process after another, on one file, and returns what is wrong
// then: nothing after the last one, or else after the first one that did harm.
func (told *testimony) killAll(t *testing.T, kills int) []string {
	t.Helper()
	random := rand.New(rand.NewPCG(20250922, uint64(kills)))
	path := file(t)
	for round := range kills {
		told.kill(t, path, round, random)
		store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.NoError(t, err)
		faults := told.check(t, store)
		require.NoError(t, store.Close())
		if len(faults) > 0 {
			return faults
		}
	}
	return nil
}

// kill starts a process and kills it at a random moment: often while it writes,
// now and then while it opens the file.
func (told *testimony) kill(t *testing.T, path string, round int, random *rand.Rand) {
	t.Helper()
	output, input, err := os.Pipe()
	require.NoError(t, err)
	cmd := child(t, fmt.Sprintf("r%d", round), path)
	cmd.ExtraFiles = append(cmd.ExtraFiles, input)
	require.NoError(t, cmd.Start())
	require.NoError(t, input.Close())
	lines, wait := random.IntN(200), time.Duration(random.IntN(3000))*time.Microsecond
	if round%5 == 0 {
		lines, wait = 0, time.Duration(random.IntN(60_000))*time.Microsecond
	}
	kill := func() { time.AfterFunc(wait, func() { _ = cmd.Process.Kill() }) }
	if lines == 0 {
		kill()
	}
	for scanner := bufio.NewScanner(output); scanner.Scan(); lines-- {
		var what, id string
		version := 0
		_, err := fmt.Sscan(scanner.Text(), &what, &id, &version)
		require.NoError(t, err, scanner.Text())
		switch what {
		case "saved":
			told.saved[id] = version
		case "removing":
			told.removing[id] = true
		case "removed":
			told.removed[id] = true
		}
		if lines == 1 {
			kill()
		}
	}
	require.NoError(t, output.Close())
	var exit interface{ ExitCode() int }
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, -1, exit.ExitCode(), "it did not die of a signal")
}

// check compares the store with what was told, and returns how they differ.
func (told *testimony) check(t *testing.T, store *sqlite.Store) (faults []string) {
	t.Helper()
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	intact(t, store.Writer())
	verified(t, store)
	announced, versions := map[string]bool{}, map[string]int{}
	for r, err := range store.Sweep(t.Context()) {
		require.NoError(t, err)
		versions[r.ID] = r.Session.Version()
		for _, a := range (session.Change{Events: r.Events}).Announcements() {
			announced[a.ID()] = true
		}
		found, err := store.Find(t.Context(), r.ID+".1")
		linked := r.Session.Version() > 1
		fault(linked != (err == nil && found == r.ID), "resource of %s: %q, %v", r.Session, found, err)
	}
	for id, version := range told.saved {
		fault(versions[id] < version, "version %d of session %s was acknowledged, and there is %d", version, id, versions[id])
	}
	there, err := store.Announced(t.Context(), "", 1<<20)
	require.NoError(t, err)
	kept := map[string]bool{}
	for _, e := range there {
		fault(kept[e.ID()], "%s is there twice", e.ID())
		fault(!announced[e.ID()], "%s is of no save", e.ID())
		fault(told.removed[e.ID()], "%s was removed, and is there", e.ID())
		kept[e.ID()] = true
	}
	for id := range announced {
		gone := told.removed[id] || told.removing[id]
		fault(!kept[id] && !gone, "%s is lost", id)
		// What was being removed when the process died is now known.
		if gone && !kept[id] {
			told.removed[id] = true
		}
	}
	clear(told.removing)
	return faults
}
