package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a file holds, play and explain say something and end with 0 or 1; a
// script that can be read has steps, and each can be played.
func FuzzScript(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sc, err := parseScript(text)
		if err == nil {
			require.NotEmpty(t, sc.steps)
		}
		for _, command := range []string{"play", "explain"} {
			got := sluice(string(text), command, "-")
			require.Contains(t, []int{0, 1}, got.status)
			require.Equal(t, got.status == 1, got.stderr != "")
		}
	})
}
