package main

import (
	"context"
	"slices"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
)

// The names of the contestants of more than one section.
const (
	nameSluice    = "sluice"
	nameHand      = "table by hand"
	nameSwitch    = "switch"
	nameNested    = "map of maps"
	nameLoop      = "looplab/fsm"
	nameStateless = "qmuntal/stateless"
)

// walked leads from ongoing to ongoing in four steps.
var walked = [4]action.Event{action.EventPaused, action.EventResumed, action.EventExpired, action.EventReactivated}

var walkedTexts = [4]string{"paused", "resumed", "expired", "reactivated"}

// What the contestants compute is kept, lest the compiler leave it out.
//
//nolint:unused // they are written to, and that is the purpose
var (
	keptStatus action.Status
	keptNumber int
	keptWord   uint64
	keptText   string
	keptAny    any
)

// must is for what the bench has made itself.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fleet is how many entities there are of those that move independently.
const fleet = 1000

func holdTransition(_ context.Context, s settings) (report.Section, error) {
	section := report.Section{
		Title: "One transition",
		About: []string{
			"The machine of signature requests: 10 statuses, 14 events. A thousand entities are in all statuses, in no order, and each" +
				" gets an event that its status allows, as webhooks come; one entity that takes step after step shows the latency, since each" +
				" step waits for the last. Who has an entity for each is set back to its status before, by SetState or its storage.",
		},
	}
	steps := s.Hold(mixedContest())
	rest := []measure.Result{
		s.Hold(walkContest()), s.Hold(canContest()), s.Hold(allowedContest()), s.Hold(tableContest()), s.Hold(entityContest()),
	}
	for _, r := range append([]measure.Result{steps}, rest...) {
		addContest(&section, r)
	}
	entities := s.scaled(10_000, 100)
	section.Tables = append(section.Tables, entityBytes(entities))
	section.Goals = []report.Goal{
		report.AtMost("a step of many entities: sluice ÷ table by hand", "%.2f×", 1.2, timesOf(steps, nameHand).Inverse()),
		report.AtMost("step after step: sluice ÷ table by hand", "%.2f×", 1.2, timesOf(rest[0], nameHand).Inverse()),
		report.AtMost("is an event allowed: sluice ÷ table by hand", "%.2f×", 1.2, timesOf(rest[1], nameHand).Inverse()),
		report.AtMost("which events are allowed: sluice ÷ table by hand", "%.2f×", 1.2, timesOf(rest[2], nameHand).Inverse()),
		report.AtLeast("a step of many entities: looplab/fsm ÷ sluice", "%.0f×", 200, timesOf(steps, nameLoop)),
		report.AtLeast("step after step: looplab/fsm ÷ sluice", "%.0f×", 200, timesOf(rest[0], nameLoop)),
		report.AtMost("allocations of a step", "%.0f", 0, measure.Exactly(steps.Rows[0].Allocs)),
	}
	section.Charts = []report.Chart{barsOf("transition", "A step of each of a thousand entities", steps)}
	return section, nil
}

// addContest adds the table of a result to a section, and its notes once.
func addContest(section *report.Section, r measure.Result) {
	table, notes := report.Contest(r)
	section.Tables = append(section.Tables, table)
	for _, n := range notes {
		if !slices.Contains(section.Notes, n) {
			section.Notes = append(section.Notes, n)
		}
	}
}

// timesOf returns how many times as long as the first a contestant takes.
func timesOf(r measure.Result, name string) measure.Spread {
	for _, row := range r.Rows {
		if row.Name == name {
			return row.Times
		}
	}
	panic("bench: nobody is called " + name)
}

// barsOf returns the chart of how many times as long as the first the others take.
func barsOf(file, title string, r measure.Result) report.Chart {
	var bars []report.Bar
	for _, row := range r.Rows[1:] {
		bars = append(bars, report.Bar{Label: row.Name, Value: row.Times.Median})
	}
	return report.Chart{
		File: file, Alt: title + ": how many times as long as sluice others take",
		Draw: report.Bars(title, "times as long as sluice", bars),
	}
}

const (
	lacksMachine = "knows the next status alone: no reachability, rank or paths, no errors that say what would be allowed," +
		" and no check of the table"
	lacksLoop = "knows neither reachability nor rank, and has no check of the table; it has callbacks and locks, which" +
		" sluice has not (package fsm/looplab brings them)"
	lacksStateless = "knows neither reachability nor rank; it has actions on entry and exit, guards and hierarchical states," +
		" which sluice has not"
)
