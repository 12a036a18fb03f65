package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/sluicego/sluice/conformance"
)

// The XML that CI systems read: what JUnit's runner for Ant writes.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes the results: a suite for each area, and one for the run itself
// if that failed.
func writeJUnit(w io.Writer, r report, results []conformance.Result) error {
	suites := junitSuites{
		Name: r.Name, Tests: r.Total.Vectors, Failures: r.Total.Failed + r.Total.NotAsked, Skipped: r.Total.Unknown,
	}
	if r.strict {
		suites.Failures, suites.Skipped = suites.Failures+suites.Skipped, 0
	}
	rest := results
	for _, area := range r.Areas {
		suites.Suites = append(suites.Suites, junitArea(area.Area, rest[:area.Vectors], r.strict))
		rest = rest[area.Vectors:]
	}
	if r.Failure != "" {
		suites.Tests, suites.Failures = suites.Tests+1, suites.Failures+1
		suites.Suites = append(suites.Suites, junitRun(r))
	}
	text, err := xml.MarshalIndent(suites, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

// junitRun is the suite of a run that failed, with one case.
func junitRun(r report) junitSuite {
	message := &junitMessage{Message: r.Failure, Text: r.Failure + r.stderr() + "\n"}
	run := junitCase{Class: "conform", Name: "run", Time: "0.000", Failure: message}
	return junitSuite{Name: run.Class, Tests: 1, Failures: 1, Time: run.Time, Cases: []junitCase{run}}
}

func junitArea(area string, results []conformance.Result, strict bool) junitSuite {
	suite := junitSuite{Name: area, Tests: len(results)}
	var seconds float64
	for _, result := range results {
		c := junitCase{
			Class: area, Name: strings.TrimPrefix(result.Vector.ID, area+"/"),
			Time: fmt.Sprintf("%.3f", result.Took.Seconds()),
		}
		seconds += result.Took.Seconds()
		message := &junitMessage{Message: result.Vector.Shows, Text: result.String()}
		switch v := result.Verdict; {
		case v == conformance.Passed:
		case v == conformance.Unknown && !strict:
			c.Skipped = message
			suite.Skipped++
		default:
			c.Failure = message
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = fmt.Sprintf("%.3f", seconds)
	return suite
}
