package main

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// history returns so many events of one session, which there can be, without
// making all the sessions on the way: resources are linked as long as there are
// fewer than so many, each followed by an observation of it; from then on they are
// observed in turn.
func history(events, resources int) []session.Event {
	const g = group.CompanyVerification
	list := make([]session.Event, 0, events)
	list = append(list, session.Event{
		SessionID: id(idSession, 0), Version: 1, At: noon, Session: session.Move{To: session.Awaiting},
		Fact: session.Created{
			Name: "Onboarding of Kelly Smith", TemplateID: guide.ID, WorkspaceID: workspace, Groups: []group.Type{g},
		},
	})
	stays := session.Move{From: session.Ongoing, To: session.Ongoing}
	var ids []string
	for i := 1; i < events; i++ {
		at := noon.Add(time.Duration(i) * time.Second)
		e := session.Event{
			SessionID: id(idSession, 0), Version: i + 1, At: at, GroupType: g, Group: stays, Session: stays,
		}
		switch {
		case i%2 == 1 && len(ids) < resources:
			ids = append(ids, id(idResource, i))
			e.Fact = session.Linked{
				Resource: action.Resource{
					ID: ids[len(ids)-1], Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: at, AsOf: at,
				},
				Inputs: attempt.Digest{1},
			}
		case len(ids) < resources:
			e.Fact = session.Observed{ResourceID: ids[len(ids)-1], Status: action.Pending, AsOf: at}
		default:
			e.Fact = session.Observed{ResourceID: ids[i%len(ids)], Status: action.Pending, AsOf: at}
		}
		if i == 1 {
			e.Group.From, e.Session.From = session.Awaiting, session.Awaiting
		}
		list = append(list, e)
	}
	return list
}

func holdReplay(_ context.Context, s settings) (report.Section, error) {
	section := report.Section{
		Title: "Replay: a session out of its events",
		About: []string{
			"Every event is held against the rules again, as when it was new. A session of ten resources whose providers report" +
				" again and again, and one that gets another resource with every second event. All sizes take turns, so that they" +
				" can be compared.",
		},
	}
	t := report.Table{
		Caption: "Replay",
		Header:  []string{"", "events", "resources", "events per second", "least to most", "time per event", "allocations", "bytes"},
	}
	var lines []report.Line
	for _, shape := range []struct {
		name      string
		resources func(events int) int
	}{
		{"ten resources", func(events int) int { return min(10, events/2) }},
		{"a resource in every second event", func(events int) int { return events / 2 }},
	} {
		line := report.Line{Label: shape.name}
		var contest measure.Contest
		sizes := s.sizes(10)
		for _, n := range sizes {
			contest.Contestants = append(contest.Contestants, replaying(n, shape.resources(n)))
		}
		var times []float64
		for i, row := range s.Hold(contest).Rows {
			times = append(times, row.Times.Median)
			n := float64(sizes[i])
			line.X, line.Y = append(line.X, n), append(line.Y, 1e9/row.NS.Median)
			t.Rows = append(t.Rows, []string{
				shape.name, report.Significant(n), report.Significant(float64(shape.resources(sizes[i]))),
				report.Significant(1e9 / row.NS.Median),
				report.Significant(1e9/row.NS.Most) + " to " + report.Significant(1e9/row.NS.Least),
				report.Duration(row.NS.Median), report.Count(row.Allocs), report.Count(row.Bytes),
			})
		}
		lines = append(lines, line)
		section.Goals = append(section.Goals, report.AtMost(
			"replay is flat: the slowest ÷ the fastest of all sizes, with "+shape.name,
			"%.2f×", 1.5, measure.Exactly(slices.Max(times)/slices.Min(times))))
	}
	section.Tables = []report.Table{t}
	section.Charts = []report.Chart{{
		File: "replay", Alt: "Events per second of a replay, from ten events to a million",
		Draw: report.Lines("Replay", "events of the session", "events per second", lines),
	}}
	return section, nil
}

// replaying replays a history of so many events.
func replaying(events, resources int) measure.Contestant {
	h := history(events, resources)
	return measure.Contestant{Name: strconv.Itoa(events), Per: events, Do: repeat(func() {
		replayed, err := session.Replay(h)
		must(err)
		keptNumber += replayed.Version()
	})}
}
