package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/transcript"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// stopper ends the process, as it were, with a step: before it was told of, or
// after.
type stopper struct {
	recorder
	at     int
	before bool
	stop   context.CancelFunc
}

var errKilled = errors.New("killed")

func (s *stopper) step(step transcript.Step) error {
	s.at--
	switch {
	case s.at > 0:
	case s.before:
		return errKilled
	default:
		s.stop()
	}
	return s.recorder.step(step)
}

// Wherever the play is stopped, the next run goes on there: together they tell
// each step once, but for steps that changed nothing, which may be told again,
// and the one that was cut off, which may be left out.
func TestThePlayGoesOnWhereItWas(t *testing.T) {
	var whole recorder
	require.NoError(t, play(t.Context(), new(memstore.Store), &whole, 0))
	for n := 1; n <= len(whole.steps); n++ {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("stopped at step %d, before it is told %t", n, before), func(t *testing.T) {
				store := new(memstore.Store)
				ctx, cancel := context.WithCancel(t.Context())
				first := stopper{at: n, before: before, stop: cancel}
				err := play(ctx, store, &first, 0)
				if before {
					require.ErrorIs(t, err, errKilled)
				} else {
					require.ErrorIs(t, err, context.Canceled)
				}
				var second recorder
				require.NoError(t, play(t.Context(), store, &second, 0))

				from := n
				for from > 0 && len(whole.steps[from-1].Change.Events) == 0 {
					from--
				}
				if whole.steps[from].Title[:2] != whole.steps[max(from-1, 0)].Title[:2] {
					from = n // a chapter that is over is not gone back to
				}
				assert.Equal(t, whole.steps[from:], second.steps)
			})
		}
	}
}

// In parts, the program prints on a store of every kind what it prints at once.
func TestEveryDatabase(t *testing.T) {
	whole := output(t, "-json")
	for name, where := range map[string]string{
		"SQLite":     filepath.Join(t.TempDir(), "onboarding.db"),
		"PostgreSQL": pgtest.Database(t),
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			ctx, cancel := context.WithCancel(t.Context())
			full := &cutOff{Buffer: &stdout, lines: 12, stop: cancel}
			require.Equal(t, 1, run(ctx, []string{"-json", "-db", where}, full, &stderr))
			assert.Equal(t, "onboarding: stopped; run again with the same -db, it goes on here\n", stderr.String())
			stdout.WriteString(output(t, "-json", "-db", where))
			assert.Equal(t, strings.Split(whole, "\n"), strings.Split(stdout.String(), "\n"))
		})
	}
}

// cutOff stops the program after some lines.
type cutOff struct {
	*bytes.Buffer
	lines int
	stop  context.CancelFunc
}

func (c *cutOff) Write(p []byte) (int, error) {
	if c.lines -= bytes.Count(p, []byte("\n")); c.lines == 0 {
		c.stop()
	}
	return c.Buffer.Write(p)
}

func TestDatabasesThatCannotBeOpened(t *testing.T) {
	note := filepath.Join(t.TempDir(), "note.txt")
	require.NoError(t, os.WriteFile(note, []byte(strings.Repeat("not a database\n", 100)), 0o600))
	for where, says := range map[string]string{
		note:                         "sqlite: open " + note,
		"postgres://localhost:bad/x": "postgres: open",
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, 1, run(t.Context(), []string{"-db", where}, &stdout, &stderr))
		assert.Contains(t, stderr.String(), "onboarding: "+says)
		assert.Empty(t, stdout.String())
	}
}
