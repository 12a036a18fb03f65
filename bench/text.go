package main

import (
	"context"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
)

// move is a transition in texts, as a webhook and a database have it.
type move struct{ status, event, next string }

// moves are all transitions of the machine but the one that stays where it is,
// which looplab/fsm reports as an error.
var moves = func() []move {
	var list []move
	for _, r := range machine.Rows() {
		for _, s := range r.From {
			if s != r.To {
				list = append(list, move{s.String(), r.Event.String(), r.To.String()})
			}
		}
	}
	return list
}()

func holdText(_ context.Context, s settings) (report.Section, error) {
	r := s.Hold(textContest())
	section := report.Section{
		Title: "From the text of a status and of an event",
		About: []string{
			"A database says that a signature request is \"ongoing\", a webhook that it is \"expired\". What is it then? All" +
				" transitions of the machine, one after another; texts in, text out.",
		},
		Goals:  []report.Goal{report.AtLeast("from texts to text: looplab/fsm ÷ sluice", "%.0f×", 10, timesOf(r, nameLoop))},
		Charts: []report.Chart{barsOf("text", "From the texts of status and event to the next status", r)},
	}
	addContest(&section, r)
	return section, nil
}

// ofText is one move of sluice.
func ofText(status, event string) (string, error) {
	s, err := action.ParseStatus(status)
	if err != nil {
		return "", err
	}
	e, err := action.ParseEvent(event)
	if err != nil {
		return "", err
	}
	next, err := machine.Next(s, e)
	return next.String(), err
}

// textContest: texts in, text out. The rivals keep no entity: theirs is set to the
// status that was stored.
func textContest() measure.Contest {
	ctx := context.Background()
	f := newLoop("draft")
	stored := "draft"
	external := newExternal(&stored, action.Status.String, action.Event.String)
	maps := map[string]map[string]string{}
	for _, m := range moves {
		if maps[m.status] == nil {
			maps[m.status] = map[string]string{}
		}
		maps[m.status][m.event] = m.next
	}
	return measure.Contest{
		Name: "Texts in, text out", Unit: "move", Per: len(moves),
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: moving(ofText)},
			{Name: nameNested + " of texts", Lacks: lacksMachine, Do: moving(func(status, event string) (string, error) {
				if next, ok := maps[status][event]; ok {
					return next, nil
				}
				return status, errNotAllowed
			})},
			{Name: nameLoop, Lacks: "takes any text for a status; " + lacksLoop, Do: moving(func(status, event string) (string, error) {
				f.SetState(status)
				err := f.Event(ctx, event)
				return f.Current(), err
			})},
			{
				Name: nameStateless, Lacks: "takes any text for a status; " + lacksStateless,
				Do: moving(func(status, event string) (string, error) {
					stored = status
					err := external.Fire(event)
					return stored, err
				}),
			},
		},
	}
}

// moving makes every move, again and again.
func moving(next func(status, event string) (string, error)) func(int) {
	return func(n int) {
		for range n {
			for _, m := range moves {
				text, err := next(m.status, m.event)
				must(err)
				keptText = text
			}
		}
	}
}
