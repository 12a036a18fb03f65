package main

import (
	"fmt"
	"time"

	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/webhookpolicy"
)

// subscribers returns so many subscriptions: each of a workspace of its own to two
// events, as customers of a platform have them, and five of the platform itself,
// which match whatever happens.
func subscribers(n int) []webhookpolicy.Subscription {
	list := make([]webhookpolicy.Subscription, n)
	for i := range list {
		settings := webhookpolicy.Settings{
			Endpoint: "https://example.com/webhooks", Description: "onboarding", Enabled: true, AutoRetry: true,
			Secret: webhookpolicy.NewSecret(webhookKey),
			Events: []webhookpolicy.EventName{
				webhookpolicy.EventWorkflowSessionBlocked, webhookpolicy.EventWorkflowSessionDone,
			},
			Scopes:     []string{"public_api"},
			Workspaces: []string{id(idWorkspace, i)},
		}
		if i < 5 {
			settings.Events = []webhookpolicy.EventName{webhookpolicy.Wildcard}
			settings.Scopes, settings.Workspaces = []string{webhookpolicy.Wildcard}, []string{webhookpolicy.Wildcard}
		}
		subscription, err := webhookpolicy.NewSubscription(id(idSubscription, i), settings, noon)
		must(err)
		list[i] = subscription
	}
	return list
}

func holdMatcher(s settings) (report.Section, error) {
	section := report.Section{
		Title: "Who is to hear of it: Matcher, and Decide",
		About: []string{
			"An event of one workspace, which five subscriptions to everything and one of that workspace match, beside asking" +
				" each subscription in turn. Then what becomes of a call: what Decide says of one that is about to be made, or was made.",
		},
		Notes: []string{"asking each is done by the same package: Subscription.Matches"},
	}
	t := report.Table{
		Caption: "Match, and what it takes to be ready for it",
		Header:  []string{"subscriptions", "match", "least to most", "asking each", "times Matcher", "put in, each", "bytes, each"},
	}
	var ours, each report.Line
	for _, n := range s.sizes(10) {
		list := subscribers(n)
		var m *webhookpolicy.Matcher
		var took float64
		_, kept := measure.Kept(func() *webhookpolicy.Matcher {
			took = measure.Time(func() { m = webhookpolicy.NewMatcher(list...) })
			return m
		})
		r := s.Hold(matchContest(m, list))
		t.Rows = append(t.Rows, []string{
			report.Significant(float64(n)), report.Duration(r.Rows[0].NS.Median),
			report.Duration(r.Rows[0].NS.Least) + " to " + report.Duration(r.Rows[0].NS.Most),
			report.Duration(r.Rows[1].NS.Median), report.Times(r.Rows[1].Times.Median),
			report.Duration(took / float64(n)), report.Significant(float64(kept) / float64(n)),
		})
		ours.X, ours.Y = append(ours.X, float64(n)), append(ours.Y, r.Rows[0].NS.Median)
		each.X, each.Y = append(each.X, float64(n)), append(each.Y, r.Rows[1].NS.Median)
	}
	ours.Label, each.Label = "Matcher", "asking each"
	section.Tables = append(section.Tables, t)
	section.Charts = []report.Chart{{
		File: "matcher", Alt: "A match takes the same time among ten and among a million subscriptions",
		Draw: report.Lines("An event that six subscriptions match", "subscriptions", "nanoseconds", []report.Line{ours, each}),
	}}
	section.Tables = append(section.Tables, decideTable(s))
	return section, nil
}

func matchContest(m *webhookpolicy.Matcher, list []webhookpolicy.Subscription) measure.Contest {
	room := make([]webhookpolicy.Subscription, 0, 16)
	events := make([]webhookpolicy.Event, 64)
	for i := range events {
		events[i] = webhookpolicy.Event{
			Name: webhookpolicy.EventWorkflowSessionDone, Scope: "public_api",
			Workspace: id(idWorkspace, 5+i*(len(list)-5)/len(events)),
		}
	}
	return measure.Contest{Name: "Match", Unit: "event", Contestants: []measure.Contestant{
		{Name: nameSluice, Do: func(n int) {
			for i := range n {
				found := len(m.AppendMatches(room[:0], events[i%len(events)]))
				mustBe(6, found)
			}
		}},
		{Name: "asking each", Do: func(n int) {
			for i := range n {
				found := 0
				for j := range list {
					if list[j].Matches(events[i%len(events)]) {
						found++
					}
				}
				mustBe(6, found)
			}
		}},
	}}
}

// mustBe is for what is known beforehand.
func mustBe(want, got int) {
	if want != got {
		panic(fmt.Sprintf("bench: %d is wanted, not %d", want, got))
	}
}

// decideTable returns what Decide takes for each outcome of a call.
func decideTable(s settings) report.Table {
	policy := webhookpolicy.DefaultPolicy()
	subscription := subscribers(6)[5]
	d := webhookpolicy.NewDelivery(id(idEvent, 0), subscription.ID(), noon)
	began, ended := noon, noon.Add(time.Second)
	t := report.Table{Caption: "Decide", Header: []string{"a call", "time", "least to most", "allocations"}}
	for _, c := range []struct {
		name    string
		outcome webhookpolicy.Outcome
	}{
		{"is due", webhookpolicy.Outcome{}},
		{"was answered by 204", webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 204, Began: began, Ended: ended}},
		{"was answered by 500, and is made again", webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 500, Began: began, Ended: ended}},
		{"was not answered in time", webhookpolicy.Outcome{Result: webhookpolicy.TimedOut, Began: began, Ended: ended}},
	} {
		row := s.Hold(measure.Contest{Name: c.name, Unit: "decision", Contestants: []measure.Contestant{
			{Name: nameSluice, Do: func(n int) {
				for range n {
					_, decision := webhookpolicy.Decide(policy, subscription, webhookpolicy.Health{}, d, c.outcome, ended)
					keptNumber += int(decision.Verdict)
				}
			}},
		}}).Rows[0]
		t.Rows = append(t.Rows, []string{
			c.name, report.Duration(row.NS.Median), report.Duration(row.NS.Least) + " to " + report.Duration(row.NS.Most),
			report.Count(row.Allocs),
		})
	}
	return t
}
