package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/bench/internal/measure"
)

func TestRun_Refused(t *testing.T) {
	sound := settings{measure.Effort{Rounds: 1, Turn: time.Microsecond}, false}
	nowhere, occupied := filepath.Join(t.TempDir(), "nowhere"), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(occupied, "charts"), nil, 0o600))
	for _, tt := range []struct {
		name      string
		s         settings
		only, out string
		args      []string
		told      string
	}{
		{"an argument", sound, "", ".", []string{"text"}, `unexpected argument "text"`},
		{"no rounds", settings{measure.Effort{Turn: 1}, true}, "", ".", nil, "-rounds is 0"},
		{"no turn", settings{measure.Effort{Rounds: 1}, true}, "", ".", nil, "-turn 0s"},
		{"no expression", sound, "(", "", nil, "-only: "},
		{"no section", sound, "^none$", "", nil, "transition, text, group"},
		{"a part to write", sound, "^text$", ".", nil, "-out is for whole pages"},
		{"little to write", settings{sound.Effort, true}, "", ".", nil, "-out is for whole pages"},
		{"too little for the repository", sound, "", folder, nil, "1 rounds of 1µs are too few"},
		{"no folder", sound, "", nowhere, nil, "there is no folder " + nowhere},
		{"charts is a file", sound, "", occupied, nil, "charts: not a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			require.ErrorContains(t, run(context.Background(), tt.s, tt.only, tt.out, tt.args, &stdout), tt.told)
			assert.Empty(t, stdout.String())
		})
	}
}

func TestRun_Only(t *testing.T) {
	var stdout bytes.Buffer
	s := settings{measure.Effort{Rounds: 1, Turn: time.Microsecond}, true}
	require.NoError(t, run(context.Background(), s, "^text$", "", nil, &stdout))
	assert.Contains(t, stdout.String(), "## From the text of a status and of an event")
	assert.Contains(t, stdout.String(), "the figures say nothing")
	assert.NotContains(t, stdout.String(), "## Memory")
}
