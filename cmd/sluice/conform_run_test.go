package main

import (
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
)

// A run that is told to stop shows what there is so far: as text, as JSON and as
// JUnit. The peer tells it, and is silent then.
func TestConform_interrupted(t *testing.T) {
	const sentence = "all 2 vectors that were asked pass; 7 were not asked: interrupted"
	for _, kind := range []string{"interrupting", "terminating"} {
		t.Run(kind, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "report.xml")
			ask := func(flags ...string) (stdout, stderr string) {
				args := append([]string{"sluice", "conform", "-run", "^(group/awaiting|match/enabled)/"}, flags...)
				cmd := exec.CommandContext(t.Context(), os.Args[0], append(args, "--", os.Args[0], "peer", kind)...)
				text, err := cmd.Output()
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit)
				assert.Equal(t, 1, exit.ExitCode(), "%v", exit)
				return string(text), string(exit.Stderr)
			}
			stdout, stderr := ask("-junit", file)
			assert.Equal(t, "sluice conform: "+strings.TrimPrefix(sentence, "all 2 vectors that were asked pass; ")+"\n", stderr)
			assert.Contains(t, stdout, "a peer: "+sentence+", in ")
			assert.Regexp(t, `\n +group +6 +2 +0 +0 +4\n +match +3 +0 +0 +0 +3\n +all +9 +2 +0 +0 +7\n`, stdout)

			var report junit
			readXML(t, file, &report)
			assert.Equal(t, [3]int{10, 8, 0}, [3]int{report.Tests, report.Failures, report.Skipped})
			run := report.Suites[len(report.Suites)-1]
			assert.Equal(t, "interrupted\n", *run.Cases[0].Failure)

			stdout, _ = ask("-json")
			lines := strings.Split(strings.TrimSpace(stdout), "\n")
			require.Len(t, lines, 10)
			assert.Contains(t, lines[1], `"verdict":"passed"`)
			assert.Contains(t, lines[2], `"verdict":"not asked","failure":"interrupted"`)
			assert.True(t, strings.HasSuffix(lines[9], `"not_asked":7},"failure":"interrupted"}`), lines[9])
		})
	}
}

func readXML(t *testing.T, file string, v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(text, v))
}

// What is wrong with the run itself is a case of its own, also where there is no
// other.
func TestConform_junitOfTheRun(t *testing.T) {
	for kind, want := range map[string]struct {
		tests int
		text  string
	}{
		"ill":    {4, "the program does not end as it should at the end of its input: exit status 3; it wrote to standard error:\nTraceback:\n  line 9\n"},
		"broken": {1, "does not greet: it ended (exit status 4); it wrote to standard error:\nTraceback:"},
	} {
		file := filepath.Join(t.TempDir(), "report.xml")
		assert.Equal(t, 1, conforms("conform -junit "+file+" -run ^match/enabled/ -- PEER "+kind).status)
		var report junit
		readXML(t, file, &report)
		assert.Equal(t, [2]int{want.tests, 1}, [2]int{report.Tests, report.Failures})
		run := report.Suites[len(report.Suites)-1]
		assert.Equal(t, "conform", run.Name)
		assert.Contains(t, *run.Cases[0].Failure, want.text)
	}
}

// A report that cannot be written is told before anybody is asked.
func TestConform_junitCannotBeWritten(t *testing.T) {
	asked := filepath.Join(t.TempDir(), "asked")
	got := sluice("", "conform", "-junit", "testdata/none/report.xml", "--", "touch", asked)
	assert.Equal(t, 1, got.status)
	assert.Equal(t, "sluice conform: open testdata/none/report.xml: no such file or directory\n", got.stderr)
	assert.Empty(t, got.stdout)
	assert.NoFileExists(t, asked)

	if _, err := os.Stat("/dev/full"); err == nil {
		got = conforms("conform -junit /dev/full -run ^match/enabled/ -- PEER right")
		assert.Equal(t, 1, got.status)
		assert.Contains(t, got.stderr, "no space left")
		assert.Contains(t, got.stdout, "vectors pass", "the report for people is there")
	}
}

// The sentence at the end, and why a run fails.
func TestReport_sentence(t *testing.T) {
	const (
		passed, failed, unknown, notAsked = conformance.Passed, conformance.Failed, conformance.Unknown, conformance.NotAsked
	)
	type verdicts = map[conformance.Verdict]int
	end := &conformance.ProgramError{Kind: conformance.ErrEnd, Reason: errors.New("it goes on"), Stderr: "why\n"}
	const ends = "the program does not end as it should at the end of its input: it goes on"
	tests := map[string]struct {
		verdicts        verdicts
		strict          bool
		err             error
		sentence, fault string
	}{
		"all":            {verdicts{passed: 3}, false, nil, "all 3 vectors pass", ""},
		"one":            {verdicts{passed: 1}, true, nil, "the one vector passes", ""},
		"one fails":      {verdicts{failed: 1}, false, nil, "the one vector fails", "the one vector fails"},
		"one of three":   {verdicts{failed: 1, passed: 2}, false, nil, "1 of 3 vectors fails", "1 of 3 vectors fails"},
		"two of three":   {verdicts{failed: 2, passed: 1}, false, nil, "2 of 3 vectors fail", "2 of 3 vectors fail"},
		"three of three": {verdicts{failed: 3}, false, nil, "all 3 vectors fail", "all 3 vectors fail"},
		"some areas": {
			verdicts{passed: 2, unknown: 1}, false, nil,
			"all 2 vectors of the areas that it knows pass; 1 is of an area that it does not know", "",
		},
		"some areas, strictly": {
			verdicts{passed: 2, unknown: 263}, true, nil,
			"all 2 vectors of the areas that it knows pass; -strict: 263 vectors of areas that the program does not know count as wrong",
			"-strict: 263 vectors of areas that the program does not know count as wrong",
		},
		"some areas, and wrong": {
			verdicts{passed: 1, failed: 1, unknown: 2}, false, nil,
			"1 of 2 vectors of the areas that it knows fails; 2 are of areas that it does not know",
			"1 of 2 vectors of the areas that it knows fails",
		},
		"no area": {verdicts{unknown: 2}, false, nil, "it knows no area that it was asked", "it knows no area that it was asked"},
		"no area, strictly": {
			verdicts{unknown: 1}, true, nil,
			"it knows no area that it was asked; -strict: 1 vector of an area that the program does not know counts as wrong",
			"it knows no area that it was asked; -strict: 1 vector of an area that the program does not know counts as wrong",
		},
		"given up": {
			verdicts{passed: 1, failed: 10, unknown: 1, notAsked: 1}, false, nil,
			"10 of 11 vectors that were asked of the areas that it knows fail; 1 is of an area that it does not know; 1 was not asked: given up",
			"10 of 11 vectors that were asked of the areas that it knows fail; 1 was not asked: given up",
		},
		"nothing asked": {verdicts{notAsked: 2}, false, errors.New("given up"), "2 were not asked: given up", "2 were not asked: given up"},
		"does not end": {
			verdicts{passed: 2}, false, end,
			"all 2 vectors pass; " + ends, ends + "; it wrote to standard error:\nwhy\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var results []conformance.Result
			for verdict, n := range tt.verdicts {
				for range n {
					results = append(results, conformance.Result{
						Vector: conformance.Vector{ID: "a/b/c"}, Verdict: verdict,
						Failure: map[conformance.Verdict]string{notAsked: "given up"}[verdict],
					})
				}
			}
			r := tally("a peer", results, tt.strict, tt.err)
			assert.Equal(t, tt.sentence, r.sentence())
			if tt.fault == "" {
				assert.NoError(t, r.verdict())
			} else {
				assert.EqualError(t, r.verdict(), tt.fault)
			}
		})
	}
}
