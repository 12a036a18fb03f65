package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/session"
)

// The document of a session as one declares it who only wants to read it.
type (
	plainSession struct {
		ID           string       `json:"id"`
		Name         string       `json:"name"`
		TemplateID   string       `json:"workflow_template_id"`
		WorkspaceID  *string      `json:"workspace_id"`
		Status       string       `json:"status"`
		ActionGroups []plainGroup `json:"action_groups"`
		CreatedAt    time.Time    `json:"created_at"`
		UpdatedAt    time.Time    `json:"updated_at"`
	}
	plainGroup struct {
		Type    string        `json:"type"`
		Status  string        `json:"status"`
		Actions []plainAction `json:"actions"`
	}
	plainAction struct {
		Resource         plainResource    `json:"resource"`
		Resolution       *plainResolution `json:"resolution"`
		PreviousAttempts []plainAttempt   `json:"previous_attempts"`
	}
	plainAttempt struct {
		Resource plainResource `json:"resource"`
	}
	plainResource struct {
		ID                string    `json:"id"`
		CreatedAt         time.Time `json:"created_at"`
		Type              string    `json:"type"`
		Status            string    `json:"status"`
		PreviousAttemptID *string   `json:"previous_attempt_id"`
	}
	plainResolution struct {
		Reason     *string   `json:"reason"`
		ResolvedAt time.Time `json:"resolved_at"`
	}
)

// blockers returns the ids of what blocks, by what the document says of it.
func (s *plainSession) blockers() []string {
	var ids []string
	for _, g := range s.ActionGroups {
		for _, a := range g.Actions {
			if a.Resolution != nil {
				continue
			}
			switch a.Resource.Status {
			case "rejected", "declined", "canceled", "expired", "failed", "inconclusive":
				ids = append(ids, a.Resource.ID)
			}
		}
	}
	return ids
}

const nameJSON = "encoding/json"

func holdDocument(_ context.Context, s settings) (report.Section, error) {
	section := report.Section{
		Title: "The document of a session: read, ask what blocks, write",
		About: []string{
			"The JSON of the public API, all members present, from its text to what blocks and back to text, beside" +
				" encoding/json, as Go has it by default (version 1), into plain structs and a loop over them.",
		},
		Notes: []string{
			"encoding/json: takes any type, status, chain of attempts, resource twice and status that does not follow;" +
				" tells ids of what blocks, without the ways out",
			"json.Marshal checks and compacts once more what MarshalJSON of a session has written, as of any type",
		},
	}
	blocked := onboarding(0, action.Declined)
	var bars []report.Bar
	for _, d := range []struct {
		name string
		s    session.Session
	}{
		{"2 groups, 2 actions", blocked.Session},
		{"7 groups, 7 actions", filled(1).Session},
		{"7 groups, 35 actions", filled(5).Session},
	} {
		text, err := d.s.MarshalJSON()
		if err != nil {
			return report.Section{}, err
		}
		whole := s.Hold(documentContest(fmt.Sprintf("Read, ask and write: %s, %s bytes", d.name, report.Significant(float64(len(text)))), text))
		addContest(&section, whole)
		ratio := timesOf(whole, nameJSON)
		section.Goals = append(section.Goals,
			report.AtMost("a document read, asked and written: sluice ÷ encoding/json: "+d.name, "%.2f×", 1.2, ratio.Inverse()))
		bars = append(bars, report.Bar{Label: d.name, Value: ratio.Median})
		section.Tables = append(section.Tables, documentParts(s, text, d.name))
	}
	section.Charts = []report.Chart{{
		File: "document", Alt: "A document read, asked and written: how many times as long as sluice encoding/json takes",
		Draw: report.Bars("A document, read, asked and written: encoding/json", "times as long as sluice", bars),
	}}
	return section, nil
}

func documentContest(name string, text []byte) measure.Contest {
	return measure.Contest{Name: name, Unit: "document", Contestants: []measure.Contestant{
		{Name: nameSluice, Do: func(n int) {
			for range n {
				s, _, err := session.ParseDocument(text)
				must(err)
				keptNumber += len(s.Blockers())
				written, err := s.MarshalJSON()
				must(err)
				keptNumber += len(written)
			}
		}},
		{Name: "sluice, written by json.Marshal", Do: func(n int) {
			for range n {
				s, _, err := session.ParseDocument(text)
				must(err)
				keptNumber += len(s.Blockers())
				written, err := json.Marshal(s)
				must(err)
				keptNumber += len(written)
			}
		}},
		{Name: nameJSON, Do: func(n int) {
			for range n {
				var s plainSession
				must(json.Unmarshal(text, &s))
				keptNumber += len(s.blockers())
				written, err := json.Marshal(&s)
				must(err)
				keptNumber += len(written)
			}
		}},
	}}
}

// documentParts returns where the time goes.
func documentParts(s settings, text []byte, name string) report.Table {
	ours, _, err := session.ParseDocument(text)
	must(err)
	var theirs plainSession
	must(json.Unmarshal(text, &theirs))
	t := report.Table{Caption: "Where the time goes: " + name, Header: []string{"", nameSluice, nameJSON, "÷ sluice"}}
	for _, part := range []struct {
		name         string
		ours, theirs func()
	}{
		{
			"read",
			func() { _, _, err := session.ParseDocument(text); must(err) },
			func() { must(json.Unmarshal(text, new(plainSession))) },
		},
		{
			"what blocks",
			func() { keptNumber += len(ours.Blockers()) },
			func() { keptNumber += len(theirs.blockers()) },
		},
		{
			"write",
			func() { _, err := ours.MarshalJSON(); must(err) },
			func() { _, err := json.Marshal(&theirs); must(err) },
		},
	} {
		r := s.Hold(measure.Contest{Contestants: []measure.Contestant{
			{Name: nameSluice, Do: repeat(part.ours)}, {Name: nameJSON, Do: repeat(part.theirs)},
		}})
		t.Rows = append(t.Rows, []string{
			part.name, report.Duration(r.Rows[0].NS.Median), report.Duration(r.Rows[1].NS.Median), report.Times(r.Rows[1].Times.Median),
		})
	}
	return t
}

// repeat returns what does something again and again.
func repeat(do func()) func(int) {
	return func(n int) {
		for range n {
			do()
		}
	}
}
