package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What happens in a month depends on nothing but the number of sessions, and no
// session is lost.
func TestMonth(t *testing.T) {
	one := month(8000, shards, 1)
	require.Equal(t, one, month(8000, shards, 2))
	require.Equal(t, 8000, one.sessions)
	require.Equal(t, 8000, one.done+one.givenUp+one.open)
	require.Equal(t, one.commands, one.taken+one.duplicate+one.stale+one.refused)
	for name, n := range map[string]int{
		"told twice": one.duplicate, "told too late": one.stale, "refused": one.refused,
		"retries": one.retries, "resolutions": one.resolutions, "deletions": one.deletions, "given up": one.givenUp,
	} {
		require.Positive(t, n, name)
	}
}
