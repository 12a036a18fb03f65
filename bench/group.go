package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// sessionGroups is into how many groups the entries of a session are divided.
const sessionGroups = 7

// mixture is what entries are made of, so many in a hundred. None of it blocks, so
// that nobody may stop before the end.
var mixture = []struct {
	percent  int
	status   action.Status
	resolved bool
}{
	{55, action.Done, false},
	{15, action.Ongoing, false},
	{10, action.Draft, false},
	{5, action.Paused, false},
	{5, action.Approval, false},
	{5, action.Deleted, false},
	{5, action.Failed, true},
}

// entries returns entries in no order, in the forms of sluice and of two hosts.
func entries(n int) ([]group.Entry, []hostEntry, []hostNumber) {
	random := rand.New(rand.NewPCG(7, uint64(n))) //nolint:gosec // the same every time
	ours, theirs, numbers := make([]group.Entry, n), make([]hostEntry, n), make([]hostNumber, n)
	for i := range n {
		luck := random.IntN(100)
		for _, m := range mixture {
			if luck -= m.percent; luck < 0 {
				ours[i] = group.EntryOf(m.status, m.resolved)
				theirs[i] = hostEntry{m.status.String(), m.resolved}
				numbers[i] = hostNumber{m.status, m.resolved}
				break
			}
		}
	}
	return ours, theirs, numbers
}

const (
	nameTexts   = "loop over texts"
	nameNumbers = "loop over numbers"
	nameReading = "reading as many bytes"
	nameVectors = "reading by vectors"
	nameParsing = "sluice, out of texts"
)

func holdGroup(_ context.Context, s settings) (report.Section, error) {
	section := report.Section{
		Title: "The status of a group, and of a session",
		About: []string{
			"Entries of all sorts but blocking ones, so that all have to be looked at. sluice keeps an entry in a byte, which is" +
				" made once, when a status is read; that is most of the difference. A host that keeps texts has a loop over them, and" +
				" one that keeps statuses as small numbers a loop over those. Out of texts, sluice parses every status first: who has" +
				" texts and wants to keep them is better off with a loop of his own.",
			"The limit is to read as many bytes once, in words, as Go does it; the assembly of bytes.IndexByte has vectors for it." +
				" The same entries are computed again and again: up to some 10,000 of them a processor learns the branches of the" +
				" loops by heart, which it does not where groups differ.",
		},
		Notes: []string{nameTexts + ": takes an unknown status for one that is under way"},
	}
	var lines [5]report.Line
	t := report.Table{Caption: "Group", Header: []string{
		"entries", nameSluice, "least to most", nameTexts, "÷ sluice", nameNumbers, "÷ sluice", nameParsing,
		nameReading, "sluice ÷ it", nameVectors,
	}}
	var last measure.Result
	for _, n := range s.sizes(1) {
		r := s.Hold(groupContest(n))
		last = r
		t.Rows = append(t.Rows, []string{
			report.Significant(float64(n)), report.Duration(r.Rows[0].NS.Median),
			report.Duration(r.Rows[0].NS.Least) + " to " + report.Duration(r.Rows[0].NS.Most),
			report.Duration(r.Rows[1].NS.Median), report.Times(r.Rows[1].Times.Median),
			report.Duration(r.Rows[2].NS.Median), report.Times(r.Rows[2].Times.Median),
			report.Duration(r.Rows[3].NS.Median),
			report.Duration(r.Rows[4].NS.Median), report.Times(1 / r.Rows[4].Times.Median),
			report.Duration(r.Rows[5].NS.Median),
		})
		for i := range lines {
			lines[i].Label = r.Rows[i].Name
			lines[i].X = append(lines[i].X, float64(n))
			lines[i].Y = append(lines[i].Y, r.Rows[i].NS.Median/float64(n))
		}
		section.Goals = append(section.Goals, report.AtLeast(
			fmt.Sprintf("status of a group of %s: loop over texts ÷ sluice", report.Significant(float64(n))),
			"%.1f×", 10, timesOf(r, nameTexts)))
	}
	section.Goals = append(section.Goals, report.AtMost(
		"status of the largest group: sluice ÷ reading its memory once", "%.2f×", 1.5, timesOf(last, nameReading).Inverse()))
	section.Tables = append(section.Tables, t, sessionTable(s))
	section.Charts = []report.Chart{{
		File: "group", Alt: "Time per entry of a group's status: sluice, loops over texts and over numbers, and reading the memory",
		Draw: report.Lines("The status of a group", "entries", "nanoseconds per entry", lines[:]),
	}}
	return section, nil
}

func groupContest(n int) measure.Contest {
	ours, theirs, numbers := entries(n)
	memory := make([]byte, n)
	return measure.Contest{Name: "Group", Unit: "status", Contestants: []measure.Contestant{
		{Name: nameSluice, Do: func(n int) {
			for range n {
				keptNumber += int(group.StatusOf(ours))
			}
		}},
		{Name: nameTexts, Do: func(n int) {
			for range n {
				keptText = hostStatus(theirs)
			}
		}},
		{Name: nameNumbers, Do: func(n int) {
			for range n {
				keptNumber += int(hostNumbersStatus(numbers))
			}
		}},
		{Name: nameParsing, Do: func(n int) {
			for range n {
				status := group.Awaiting
				for _, e := range theirs {
					parsed, err := action.ParseStatus(e.status)
					must(err)
					status = status.Join(group.EntryOf(parsed, e.resolved).Says())
				}
				keptNumber += int(status)
			}
		}},
		{Name: nameReading, Do: func(n int) {
			for range n {
				keptWord |= read(memory)
			}
		}},
		{Name: nameVectors, Do: func(n int) {
			for range n {
				keptNumber += bytes.IndexByte(memory, 1)
			}
		}},
	}}
}

// read reads every byte once, as fast as Go does it in words: four at a time.
func read(memory []byte) uint64 {
	var a, b, c, d uint64
	for ; len(memory) >= 32; memory = memory[32:] {
		a |= binary.LittleEndian.Uint64(memory)
		b |= binary.LittleEndian.Uint64(memory[8:])
		c |= binary.LittleEndian.Uint64(memory[16:])
		d |= binary.LittleEndian.Uint64(memory[24:])
	}
	for ; len(memory) >= 8; memory = memory[8:] {
		a |= binary.LittleEndian.Uint64(memory)
	}
	for _, one := range memory {
		a |= uint64(one)
	}
	return a | b | c | d
}

// sessionTable is the same of sessions, whose entries are those of seven groups.
func sessionTable(s settings) report.Table {
	t := report.Table{Caption: "Session of seven groups", Header: []string{
		"entries", nameSluice, "least to most", nameTexts, "÷ sluice",
	}}
	for _, n := range s.sizes(10) {
		ours, theirs, _ := entries(n)
		part := func(g int) (from, to int) { return g * n / sessionGroups, (g + 1) * n / sessionGroups }
		r := s.Hold(measure.Contest{Name: "Session", Unit: "status", Contestants: []measure.Contestant{
			{Name: nameSluice, Do: repeat(func() {
				var groups [sessionGroups]session.Status
				for g := range groups {
					from, to := part(g)
					groups[g] = group.StatusOf(ours[from:to])
				}
				keptNumber += int(session.StatusOf(groups[:]...))
			})},
			{Name: nameTexts, Do: repeat(func() {
				var groups [sessionGroups]string
				for g := range groups {
					from, to := part(g)
					groups[g] = hostStatus(theirs[from:to])
				}
				keptText = hostSessionStatus(groups[:])
			})},
		}})
		t.Rows = append(t.Rows, []string{
			report.Significant(float64(n)), report.Duration(r.Rows[0].NS.Median),
			report.Duration(r.Rows[0].NS.Least) + " to " + report.Duration(r.Rows[0].NS.Most),
			report.Duration(r.Rows[1].NS.Median), report.Times(r.Rows[1].Times.Median),
		})
	}
	return t
}
