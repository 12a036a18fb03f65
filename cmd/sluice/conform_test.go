package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/conformance/answer"
)

// TestMain lets this program be a peer, or sluice itself, where its arguments say
// so.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "peer":
		os.Exit(bePeer(os.Args[2]))
	case len(os.Args) > 2 && os.Args[1] == "sluice":
		os.Exit(run(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	// A program that looks for races waits a second before it ends, unless told.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// bePeer answers as this library does, but for what its kind does wrong.
func bePeer(kind string) int {
	name, status := "a peer", 0
	answers := answer.Answer
	at := func(id string, wrong conformance.Answer) {
		right := answers
		answers = func(q conformance.Question) (conformance.Then, error) {
			if before, _, _ := strings.Cut(q.ID, "#"); strings.HasPrefix(before, id) {
				return wrong(q)
			}
			return right(q)
		}
	}
	unknown := func(conformance.Question) (conformance.Then, error) {
		return conformance.Then{}, conformance.ErrUnknownArea
	}
	crash := func(conformance.Question) (conformance.Then, error) {
		_, _ = fmt.Fprint(os.Stderr, "Traceback:\n  line 7 \x1b[2J\n")
		os.Exit(3)
		return conformance.Then{}, nil
	}
	switch kind {
	case "right":
	case "answer":
		return run([]string{"answer"}, os.Stdin, os.Stdout, os.Stderr)
	case "nameless":
		name = ""
	case "partly":
		at("match/", unknown)
		at("group/awaiting/d", func(conformance.Question) (conformance.Then, error) {
			return conformance.Then{}, fmt.Errorf("what is a draft?")
		})
	case "wrong":
		at("group/awaiting/drafts", func(conformance.Question) (conformance.Then, error) {
			return conformance.Then{
				Steps: []json.RawMessage{[]byte(`{"status":"awaiting"}`), []byte(`{"status":"\u001b[2J<on\u009bgoing>"}`)},
				End:   []byte(`{"status":"ongoing"}`),
			}, nil
		})
		at("group/awaiting/empty", func(conformance.Question) (conformance.Then, error) {
			return conformance.Then{}, fmt.Errorf("what is a group?")
		})
		name = "a \x1b[2J peer"
	case "orders":
		at("group/any-order/all-four", func(q conformance.Question) (conformance.Then, error) {
			then, err := answer.Answer(q)
			if strings.HasSuffix(q.ID, "#2-1-3-4") {
				then.End = []byte(`{"status":"done"}`)
			}
			return then, err
		})
	case "crashing":
		at("group/awaiting/drafts", crash)
	case "dying":
		at("", crash)
	case "partial":
		at("match/", unknown)
	case "ignorant":
		at("", unknown)
	case "mute":
		<-time.After(time.Minute)
		return 1
	case "page":
		_, _ = fmt.Println("<html>")
		return 0
	case "broken":
		_, _ = fmt.Fprint(os.Stderr, "Traceback:\r\n  line 7 \x1b[2J\nImportError\n\n")
		return 4
	case "ill":
		status = 3
		defer func() { _, _ = fmt.Fprint(os.Stderr, "Traceback:\n  line 9\n") }()
	case "interrupting", "terminating":
		at("group/awaiting/deleted", func(conformance.Question) (conformance.Then, error) {
			return conformance.Then{}, interrupt(map[string]os.Signal{"interrupting": os.Interrupt, "terminating": syscall.SIGTERM}[kind])
		})
	}
	if err := conformance.Serve(os.Stdin, os.Stdout, name, answers); err != nil {
		return 1
	}
	return status
}

// interrupt tells the program that asks to stop, and is silent then.
func interrupt(signal os.Signal) error {
	asking, err := os.FindProcess(os.Getppid())
	if err == nil {
		err = asking.Signal(signal)
	}
	if err == nil {
		<-time.After(time.Minute)
	}
	return err
}

// conforms is sluice with a command line in which PEER is this program.
func conforms(line string) result {
	var args []string
	for _, word := range strings.Fields(line) {
		if word == "PEER" {
			args = append(args, os.Args[0], "peer")
		} else {
			args = append(args, word)
		}
	}
	return sluice("", args...)
}

var (
	duration = regexp.MustCompile(`, in [0-9.]+[a-zµ]+\n`)
	seconds  = regexp.MustCompile(`time="[0-9]+\.[0-9]{3}"`)
)

// normal is an output without what is different each time.
func normal(text string) string {
	text = strings.ReplaceAll(text, fmt.Sprintf("%q %q", os.Args[0], "peer"), "PEER")
	return seconds.ReplaceAllString(duration.ReplaceAllString(text, ", in TIME\n"), `time="TIME"`)
}

// golden holds a text against a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// Every file in testdata/golden/conform is a command line and what it leads to.
func TestConform(t *testing.T) {
	tests := map[string]string{
		"help":           "help conform",
		"list":           "conform -list -run ^match/enabled/",
		"right":          "conform -run ^(group/awaiting|match/enabled)/ -- PEER right",
		"nameless":       "conform -run ^match/enabled/ -- PEER nameless",
		"wrong":          "conform -run ^(group/awaiting|match/enabled)/ -- PEER wrong",
		"wrong_json":     "conform -json -run ^group/awaiting/ -- PEER wrong",
		"orders":         "conform -run ^group/any-order/all-four$ -- PEER orders",
		"crash":          "conform -run ^group/awaiting/ -- PEER crashing",
		"partial":        "conform -run ^(group/awaiting|match/enabled)/ -- PEER partial",
		"partial_strict": "conform -strict -run ^(group/awaiting|match/enabled)/ -- PEER partial",
		"ignorant":       "conform -run ^match/enabled/ -- PEER ignorant",
		"partial_wrong":  "conform -strict -max 1 -run ^(group/awaiting|match/enabled)/ -- PEER partly",
		"one":            "conform -run ^group/awaiting/empty$ -- PEER right",
		"ill":            "conform -run ^match/enabled/ -- PEER ill",
		"broken":         "conform -run ^match/enabled/ -- PEER broken",
		"mute":           "conform -timeout 100ms -run ^match/enabled/ -- PEER mute",
		"page":           "conform -run ^match/enabled/ -- PEER page",
		"no_program":     "conform -- testdata/none -v",
		"no_command":     "conform -strict",
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			got := conforms(line).String()
			assert.NotContains(t, got, "\x1b", "the terminal obeys nothing that a program says")
			golden(t, filepath.Join("testdata", "golden", "conform", name+".txt"), "$ sluice "+line+"\n"+normal(got))
		})
	}
	files, err := filepath.Glob("testdata/golden/conform/*.txt")
	require.NoError(t, err)
	assert.Len(t, files, len(tests), "files that no test reads")
}

func TestConform_helpFitsATerminal(t *testing.T) {
	for _, command := range []string{"conform", "answer"} {
		for line := range strings.Lines(strings.ReplaceAll(sluice("", "help", command).stdout, "\t", "    ")) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, line)
		}
	}
}

// This library passes everything, asked as any other program is.
func TestConform_answer(t *testing.T) {
	got := conforms("conform -- PEER answer")
	assert.Zero(t, got.status, got)
	assert.Contains(t, got.stdout, fmt.Sprintf(": all %d vectors pass, in ", len(conformance.Vectors())))
	for _, area := range conformance.Areas() {
		assert.Regexp(t, `\n +`+area+` +[1-9]`, got.stdout)
	}
}

// Lines of JSON are one for each vector, and one of totals that adds up.
func TestConform_json(t *testing.T) {
	got := conforms("conform -json -run ^(group|match)/ -- PEER wrong")
	assert.Equal(t, 1, got.status)
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	var total struct {
		Name  string
		Areas []counts
		Total counts
	}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &total))
	counted := counts{Area: "all"}
	for _, line := range lines[:len(lines)-1] {
		var r resultJSON
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		counted.add(r.Verdict)
	}
	assert.Equal(t, counted, total.Total)
	assert.Equal(t, 2, total.Total.Failed)
	require.Len(t, total.Areas, 2)
	assert.Equal(t, total.Total.Vectors, total.Areas[0].Vectors+total.Areas[1].Vectors)
	assert.Equal(t, "a \x1b[2J peer", total.Name, "JSON has it as it is, escaped")
}

// A program that dies each time is given up, and what was not asked counts as
// wrong.
func TestConform_givenUp(t *testing.T) {
	got := conforms("conform -run ^group/ -- PEER dying")
	assert.Equal(t, 1, got.status)
	assert.Equal(t, 10, strings.Count(got.stdout, "  failure   it ended (exit status 3)\n"))
	n := 0
	for _, v := range conformance.Vectors() {
		if v.Area() == "group" {
			n++
		}
	}
	require.Greater(t, n, 10)
	assert.Regexp(t, fmt.Sprintf(`\n +group +%d +0 +10 +0 +%d\n`, n, n-10), got.stdout)
	assert.Equal(t, fmt.Sprintf("sluice conform: all 10 vectors that were asked fail; %d were not asked: "+
		"the program was given up after 10 vectors in a row without an answer\n", n-10), got.stderr)
	assert.Contains(t, got.stdout, strings.TrimSuffix(strings.TrimPrefix(got.stderr, "sluice conform"), "\n")+", in ")
}

// junit is the XML as CI systems read it.
type junit struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string  `xml:"classname,attr"`
			Name    string  `xml:"name,attr"`
			Time    float64 `xml:"time,attr"`
			Failure *string `xml:"failure"`
			Skipped *string `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// The counts in the XML are those of its cases, each of which fails, is skipped
// or neither.
func TestConform_junit(t *testing.T) {
	tests := map[string]struct{ failures, skipped int }{
		"-run ^(group/awaiting|match/enabled)/ -- PEER right":           {0, 0},
		"-run ^(group/awaiting|match/enabled)/ -- PEER wrong":           {2, 0},
		"-run ^(group/awaiting|match/enabled)/ -- PEER crashing":        {1, 0},
		"-run ^(group/awaiting|match/enabled)/ -- PEER partial":         {0, len(matching("match/enabled/"))},
		"-strict -run ^(group/awaiting|match/enabled)/ -- PEER partial": {len(matching("match/enabled/")), 0},
		"-run ^group/ -- PEER dying":                                    {len(matching("group/")), 0},
	}
	for line, tt := range tests {
		t.Run(line, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "report.xml")
			conforms("conform -junit " + file + " " + line)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var report junit
			require.NoError(t, xml.Unmarshal(text, &report))
			assert.Equal(t, tt.failures, report.Failures)
			assert.Equal(t, tt.skipped, report.Skipped)

			tests, failures, skipped := 0, 0, 0
			for _, suite := range report.Suites {
				assert.Len(t, suite.Cases, suite.Tests)
				tests, failures, skipped = tests+suite.Tests, failures+suite.Failures, skipped+suite.Skipped
				for _, c := range suite.Cases {
					assert.Equal(t, suite.Name, c.Class)
					assert.Len(t, matching(c.Class+"/"+c.Name), 1)
					assert.GreaterOrEqual(t, c.Time, 0.0)
					assert.False(t, c.Failure != nil && c.Skipped != nil)
					if c.Failure != nil {
						suite.Failures--
					}
					if c.Skipped != nil {
						suite.Skipped--
					}
				}
				assert.Zero(t, suite.Failures, suite.Name)
				assert.Zero(t, suite.Skipped, suite.Name)
			}
			assert.Equal(t, [3]int{report.Tests, report.Failures, report.Skipped}, [3]int{tests, failures, skipped})
		})
	}
}

// matching returns the ids that are this one, or begin so.
func matching(id string) []string {
	var list []string
	for _, v := range conformance.Vectors() {
		if v.ID == id || strings.HasSuffix(id, "/") && strings.HasPrefix(v.ID, id) {
			list = append(list, v.ID)
		}
	}
	return list
}

// The XML of a failure and of a crash, as a CI system shows them.
func TestConform_junitFile(t *testing.T) {
	for _, kind := range []string{"wrong", "crashing", "partial"} {
		file := filepath.Join(t.TempDir(), "report.xml")
		conforms("conform -junit " + file + " -run ^(group/awaiting|match/enabled)/ -- PEER " + kind)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		golden(t, filepath.Join("testdata", "golden", "conform", kind+".xml"), normal(string(text)))
	}
}

// A list in JSON has the vectors as they are.
func TestConform_listJSON(t *testing.T) {
	got := conforms("conform -list -json")
	require.Zero(t, got.status)
	assert.Contains(t, got.stdout, "<")
	assert.NotContains(t, got.stdout, `\u003c`)
	d := json.NewDecoder(strings.NewReader(got.stdout))
	var ids []string
	for {
		var v conformance.Vector
		err := d.Decode(&v)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		ids = append(ids, v.ID)
	}
	var want []string
	for _, v := range conformance.Vectors() {
		want = append(want, v.ID)
	}
	assert.Equal(t, want, ids)
}

func TestConform_usage(t *testing.T) {
	for line, reason := range map[string]string{
		"conform":                            "a command is wanted, behind --",
		"conform --":                         "a command is wanted, behind --",
		"conform -list -- PEER right":        `-list asks nobody; got [`,
		"conform -run [ -- PEER right":       "-run: error parsing regexp: missing closing ]: `[`",
		"conform -run ^none$ -- PEER right":  `-run: no vector has an id that matches "^none$"`,
		"conform -timeout 0s -- PEER right":  "-timeout: 0s is no time to answer in",
		"conform -timeout -1s -- PEER right": "-timeout: -1s is no time to answer in",
		"conform -timeout soon":              `invalid value "soon" for flag -timeout: a duration is wanted, as 5s or 1m`,
		"conform -verbose -- PEER right":     "flag provided but not defined: -verbose",
		"conform -timeout 5 -- PEER right":   `invalid value "5" for flag -timeout: it has no unit; is "5s" meant?`,
		"conform -max -1 -- PEER right":      "-max is -1; it is 0 or more",
		"conform -max 1 -json -- PEER right": "-max does not go with -json, which has a line for each vector",
		"conform -list -junit x.xml":         "-list asks nobody; there is nothing for -junit to write",
		"conform python3 -u peer.py":         `the command stands behind --, and there is none before "python3"`,
		"conform -strict python3 -- peer.py": `the command stands behind --, and there is none before "python3"`,
	} {
		got := conforms(line)
		assert.Equal(t, 2, got.status, line)
		assert.Empty(t, got.stdout)
		assert.Contains(t, got.stderr, "sluice conform: "+reason)
		assert.Contains(t, got.stderr, "\nusage: sluice conform [FLAGS] -- CMD")
	}
}

// What stands behind -- is the command's, flags too.
func TestConform_flagsOfTheCommand(t *testing.T) {
	got := conforms("conform -run ^match/enabled/ -- testdata/none -strict -json")
	assert.Contains(t, got.stderr, "testdata/none")
	assert.Empty(t, got.stdout)
	assert.Equal(t, 1, got.status)
}

func TestConform_cannotWrite(t *testing.T) {
	peer := " -- " + os.Args[0] + " peer "
	for _, line := range []string{
		"conform -list", "conform -list -json", "conform -run ^match/enabled/" + peer + "right",
		"conform -json -run ^match/enabled/" + peer + "right", "conform -run ^group/awaiting/" + peer + "wrong",
	} {
		var stderr strings.Builder
		assert.Equal(t, 1, run(strings.Fields(line), strings.NewReader(""), full{}, &stderr), line)
		assert.Contains(t, stderr.String(), "no space left", line)
	}
}

// On a terminal it tells how far it is, and nowhere else.
func TestConform_progress(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer func() { assert.NoError(t, null.Close()) }()
	var stdout strings.Builder
	args := []string{"conform", "-run", "^group/", "--", os.Args[0], "peer", "right"}
	assert.Zero(t, run(args, strings.NewReader(""), &stdout, null))
	assert.NotContains(t, stdout.String(), "\r")
	assert.Empty(t, conforms("conform -run ^group/ -- PEER right").stderr)
}
