package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/transcript"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file, or writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// output runs the program and returns what it prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, &stdout, &stderr)
	require.Zero(t, status, stderr.String())
	assert.Empty(t, stderr.String())
	return stdout.String()
}

func TestOutput(t *testing.T) { golden(t, "onboarding.golden", output(t)) }

func TestOutputAsJSON(t *testing.T) { golden(t, "onboarding.jsonl", output(t, "-json")) }

func TestNoLineIsLongerThanATerminalIsWide(t *testing.T) {
	for line := range strings.Lines(output(t)) {
		assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, line)
	}
}

func TestColorsAreAllThatColorAdds(t *testing.T) {
	var colored bytes.Buffer
	require.NoError(t, play(t.Context(), new(memstore.Store), &textTeller{transcript.Printer{W: &colored, Color: true}}, 0))
	ansi := regexp.MustCompile("\x1b\\[[0-9]+m")
	assert.Regexp(t, ansi, colored.String())
	assert.Equal(t, output(t), ansi.ReplaceAllString(colored.String(), ""))
}

// recorder keeps the steps of a story.
type recorder struct{ steps []transcript.Step }

func (*recorder) chapter(string, string) error { return nil }

func (r *recorder) step(s transcript.Step) error {
	r.steps = append(r.steps, s)
	return nil
}

// Every reason for which a retry or a resolution can be refused is in the
// story, and every outcome of a webhook.
func TestTheStoryLeavesNothingOut(t *testing.T) {
	var told recorder
	require.NoError(t, play(t.Context(), new(memstore.Store), &told, 0))
	rules, outcomes := map[string]bool{}, map[action.Outcome]bool{}
	for _, s := range told.steps {
		var refusal *session.Refusal
		if errors.As(s.Err, &refusal) {
			rules[refusal.Rule] = true
		} else {
			outcomes[s.Change.Outcome] = true
		}
	}
	for _, rule := range []string{
		"ATT-1", "ATT-2", "ATT-3", "ATT-4", "ATT-5", "ATT-6", "ATT-8", "ATT-12", "ACT-4", "RSL-1", "RSL-5",
	} {
		assert.True(t, rules[rule], rule)
	}
	for _, o := range []action.Outcome{action.Taken, action.Duplicate, action.Stale, action.Frozen} {
		assert.True(t, outcomes[o], o)
	}
}

// The first chapter shows the sessions that the guide to a first session shows,
// step by step.
func TestTheFirstSession(t *testing.T) {
	var told recorder
	st := newStory(new(memstore.Store), &told)
	st.firstSession(t.Context())
	require.NoError(t, st.err)
	const card = `{"resource": {"id": "` + kellyCard + `", "created_at": "2025-09-22T14:32:00+00:00",
		"type": "identity_document_verification", "status": "verified", "previous_attempt_id": null},
		"resolution": null, "previous_attempts": []}`
	document := func(status, identity, cards, signature, contracts, updated string) string {
		return `{"id": "` + kelly + `", "name": "Onboarding of Kelly Smith",
			"workflow_template_id": "` + template + `", "workspace_id": "` + workspace + `", "status": "` + status + `",
			"action_groups": [
				{"type": "identity_verification", "status": "` + identity + `", "actions": [` + cards + `]},
				{"type": "signature_request", "status": "` + signature + `", "actions": [` + contracts + `]}],
			"created_at": "2025-09-22T14:30:00+00:00", "updated_at": "` + updated + `"}`
	}
	want := map[int]string{
		0: document("awaiting", "awaiting", "", "awaiting", "", "2025-09-22T14:30:00+00:00"),
		1: document("ongoing", "done", card, "awaiting", "", "2025-09-22T14:32:30+00:00"),
		4: document("done", "done", card, "done", `{"resource": {"id": "6f7001fc-1e6d-4f0b-a2c9-57d0c3b8e941",
			"created_at": "2025-09-22T14:34:00+00:00", "type": "signature_request", "status": "done",
			"previous_attempt_id": null}, "resolution": null, "previous_attempts": []}`, "2025-09-22T14:40:00+00:00"),
	}
	require.Len(t, told.steps, 5)
	for i, want := range want {
		got, err := json.Marshal(told.steps[i].Session)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got), "step %d", i+1)
	}
}

// What the store keeps agrees with what happened.
func TestHistoriesReplay(t *testing.T) {
	store := new(memstore.Store)
	st := newStory(store, new(recorder))
	st.firstSession(t.Context())
	st.threeAttempts(t.Context())
	st.refusedRetries(t.Context())
	require.NoError(t, st.err)
	page, err := store.List(t.Context(), session.Query{})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	for _, s := range page.Items {
		require.NoError(t, session.Verify(t.Context(), store, s.ID()))
	}
}

func TestAStoryThatGoesWrongEndsThere(t *testing.T) {
	var told recorder
	st := newStory(new(memstore.Store), &told)
	st.chapter(kelly, "t", "t")
	require.True(t, st.at("2025-09-22 14:30:00", "A session is created"))
	st.refused("ATT-1", st.onboards(t.Context(), "Kelly Smith"))
	require.EqualError(t, st.err, "chapter 1, step 1: a refusal under ATT-1 was expected")
	assert.False(t, st.at("2025-09-22 14:31:00", "Nothing more happens"))
	st.do(errors.New("another error"))
	assert.Len(t, told.steps, 1)
	require.EqualError(t, st.err, "chapter 1, step 1: a refusal under ATT-1 was expected", "the first error is kept")
}

func TestCommandLine(t *testing.T) {
	tests := map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"unknown flag": {[]string{"-xml"}, 2, "flag provided but not defined: -xml"},
		"argument":     {[]string{"kelly"}, 2, `onboarding: no argument is wanted, got "kelly"`},
		"help":         {[]string{"-h"}, 0, "-json"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.status, run(t.Context(), tt.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), tt.stderr)
			assert.Contains(t, stderr.String(), "Usage of onboarding")
			assert.Empty(t, stdout.String())
		})
	}
}

// broken cannot be written to.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, args := range [][]string{nil, {"-json"}} {
		var stderr bytes.Buffer
		assert.Equal(t, 1, run(t.Context(), args, broken{}, &stderr))
		assert.Contains(t, stderr.String(), "the disk is full")
	}
}
