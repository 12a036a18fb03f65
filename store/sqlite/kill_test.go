package sqlite_test

import (
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/stress"
	"github.com/sluicego/sluice/store/sqlite"
)

// How long the long tests are.
var (
	commands = flag.Int("commands", 1000, "commands of 16 writers on one session")
	kills    = flag.Int("kills", 20, "how often TestKilled kills a process that writes")
)

// Processes that write to one file are killed, one after another. After each
// death, nothing that was acknowledged is lost, and the file is whole.
//
// This shows what becomes of a process that dies. That a save outlives the power
// too rests on synchronous=FULL, and on a disk that does what it is told.
func TestKilled(t *testing.T) {
	t.Parallel()
	if role() == "" {
		assert.Empty(t, victims(t).Kill(t, *kills))
		return
	}
	require.NoError(t, stress.Write(open(t, os.Getenv(pathVariable)), role(), false))
}

// A process that acknowledges a save before it is done is found out.
func TestKilledTwin(t *testing.T) {
	if role() == "" {
		faults := victims(t).Kill(t, 40)
		require.NotEmpty(t, faults)
		assert.Contains(t, faults[0], "was acknowledged")
		return
	}
	require.NoError(t, stress.Write(open(t, os.Getenv(pathVariable)), role(), true))
}

// victims are processes that run the test once more.
func victims(t *testing.T) *stress.Subject {
	path := file(t)
	return &stress.Subject{
		Child: func(name string) *exec.Cmd { return child(t, name, path) },
		Open: func() stress.Store {
			store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			require.NoError(t, err)
			intact(t, store.Writer())
			return store
		},
	}
}
