package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
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

func holdMatcher(_ context.Context, s settings) (report.Section, error) {
	section := report.Section{
		Title: "Who is to hear of it: Matcher, and Decide",
		About: []string{
			"An event of one workspace after another, in no order; each is matched by five subscriptions to everything and one of" +
				" that workspace. Beside: a map of subscriptions by their workspace, as one would write it who knows that nearly all" +
				" name one, which asks those of the workspace and those of all; and asking every subscription. Then what becomes of a" +
				" call: what Decide says of one that is about to be made, or was made.",
			"With many subscriptions it is the memory that is waited for: a million of them take half a gigabyte.",
		},
		Notes: []string{
			nameByWorkspace + ": asks every subscription that names no workspace, however many there are, and gives them in no order;" +
				" it and asking each use Subscription.Matches",
		},
	}
	t := report.Table{
		Caption: "Match, and what it takes to be ready for it",
		Header: []string{
			"subscriptions", "Matcher", "least to most", nameByWorkspace, "÷ Matcher", nameEach, "÷ Matcher", "Put, each", "bytes, each",
		},
	}
	var lines [3]report.Line
	for _, n := range s.sizes(10) {
		list := subscribers(n)
		m := new(webhookpolicy.Matcher)
		var took float64
		_, kept := measure.Kept(func() *webhookpolicy.Matcher {
			took = measure.Time(func() {
				for _, one := range list {
					m.Put(one)
				}
			})
			return m
		})
		r := s.Hold(matchContest(m, list))
		t.Rows = append(t.Rows, []string{
			report.Significant(float64(n)), report.Duration(r.Rows[0].NS.Median),
			report.Duration(r.Rows[0].NS.Least) + " to " + report.Duration(r.Rows[0].NS.Most),
			report.Duration(r.Rows[1].NS.Median), report.Times(r.Rows[1].Times.Median),
			report.Duration(r.Rows[2].NS.Median), report.Times(r.Rows[2].Times.Median),
			report.Duration(took / float64(n)), report.Significant(math.Round(float64(kept) / float64(n))),
		})
		for i := range lines {
			lines[i].Label = r.Rows[i].Name
			lines[i].X = append(lines[i].X, float64(n))
			lines[i].Y = append(lines[i].Y, r.Rows[i].NS.Median)
		}
	}
	section.Tables = []report.Table{t, decideTable(s)}
	section.Charts = []report.Chart{{
		File: "matcher", Alt: "The time of a match among ten to a million subscriptions",
		Draw: report.Lines("An event that six subscriptions match", "subscriptions", "nanoseconds", lines[:]),
	}}
	return section, nil
}

const (
	nameByWorkspace = "map by workspace"
	nameEach        = "asking each"
)

// byWorkspace is a matcher by hand: subscriptions by the workspaces that they name.
type byWorkspace map[string][]webhookpolicy.Subscription

func newByWorkspace(list []webhookpolicy.Subscription) byWorkspace {
	m := byWorkspace{}
	for _, s := range list {
		for _, w := range s.Settings().Workspaces {
			m[w] = append(m[w], s)
		}
	}
	return m
}

func (m byWorkspace) appendMatches(found []webhookpolicy.Subscription, e webhookpolicy.Event) []webhookpolicy.Subscription {
	for _, workspace := range [...]string{e.Workspace, webhookpolicy.Wildcard} {
		list := m[workspace]
		for i := range list {
			if list[i].Matches(e) {
				found = append(found, list[i])
			}
		}
	}
	return found
}

func matchContest(m *webhookpolicy.Matcher, list []webhookpolicy.Subscription) measure.Contest {
	room := make([]webhookpolicy.Subscription, 0, 16)
	hand := newByWorkspace(list)
	random := rand.New(rand.NewPCG(5, uint64(len(list)))) //nolint:gosec // the same every time
	events := make([]webhookpolicy.Event, 1<<16)
	for i := range events {
		events[i] = webhookpolicy.Event{
			Name: webhookpolicy.EventWorkflowSessionDone, Scope: "public_api",
			Workspace: list[5+random.IntN(len(list)-5)].Settings().Workspaces[0],
		}
	}
	next := [3]int{}
	matching := func(who int, count func(webhookpolicy.Event) int) func(int) {
		return func(n int) {
			for range n {
				next[who]++
				mustBe(6, count(events[next[who]%len(events)]))
			}
		}
	}
	return measure.Contest{Name: "Match", Unit: "event", Contestants: []measure.Contestant{
		{Name: "Matcher", Do: matching(0, func(e webhookpolicy.Event) int { return len(m.AppendMatches(room[:0], e)) })},
		{Name: nameByWorkspace, Do: matching(1, func(e webhookpolicy.Event) int { return len(hand.appendMatches(room[:0], e)) })},
		{Name: nameEach, Do: matching(2, func(e webhookpolicy.Event) (found int) {
			for i := range list {
				if list[i].Matches(e) {
					found++
				}
			}
			return found
		})},
	}}
}

// mustBe is for what is known beforehand.
func mustBe[T comparable](want, got T) {
	if want != got {
		panic(fmt.Sprintf("bench: %v is wanted, not %v", want, got))
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
