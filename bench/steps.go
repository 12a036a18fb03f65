package main

import (
	"context"
	"slices"

	loop "github.com/looplab/fsm"
	"github.com/qmuntal/stateless"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/fsm"
)

// passes returns what takes a fleet of statuses step by step. The loops over the
// fleet are the contestants' own, so that all can be inlined into them.
func passes(pass func([]action.Status, action.Event)) func(int) {
	statuses := slices.Repeat([]action.Status{action.Ongoing}, fleet)
	round := 0
	return func(n int) {
		for range n {
			pass(statuses, walked[round&3])
			round++
		}
	}
}

// fleetContest: each of a thousand entities takes a step, then each the next one.
func fleetContest() measure.Contest {
	hand, maps := newByHand(), newNested()
	return measure.Contest{
		Name: "A thousand entities, a step each", Unit: "step", Per: fleet,
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: passes(func(fleet []action.Status, e action.Event) {
				for i, s := range fleet {
					next, err := machine.Next(s, e)
					must(err)
					fleet[i] = next
				}
			})},
			{Name: nameHand, Lacks: lacksMachine, Do: passes(func(fleet []action.Status, e action.Event) {
				for i, s := range fleet {
					next, err := hand.next(s, e)
					must(err)
					fleet[i] = next
				}
			})},
			{Name: nameSwitch, Lacks: lacksMachine, Do: passes(func(fleet []action.Status, e action.Event) {
				for i, s := range fleet {
					next, err := bySwitch(s, e)
					must(err)
					fleet[i] = next
				}
			})},
			{Name: nameNested, Lacks: lacksMachine, Do: passes(func(fleet []action.Status, e action.Event) {
				for i, s := range fleet {
					next, err := maps.next(s, e)
					must(err)
					fleet[i] = next
				}
			})},
			loopFleet(), statelessFleet(),
		},
	}
}

func loopFleet() measure.Contestant {
	entities := make([]*loop.FSM, fleet)
	for i := range entities {
		entities[i] = newLoop("ongoing")
	}
	ctx, round := context.Background(), 0
	return measure.Contestant{Name: nameLoop, Lacks: lacksLoop, Do: func(n int) {
		for range n {
			for _, f := range entities {
				must(f.Event(ctx, walkedTexts[round&3]))
			}
			round++
		}
	}}
}

func statelessFleet() measure.Contestant {
	entities := make([]*stateless.StateMachine, fleet)
	for i := range entities {
		entities[i] = newStateless(action.Ongoing, itself[action.Status], itself[action.Event])
	}
	round := 0
	return measure.Contestant{Name: nameStateless, Lacks: lacksStateless, Do: func(n int) {
		for range n {
			for _, m := range entities {
				must(m.Fire(walked[round&3]))
			}
			round++
		}
	}}
}

// walkContest: one entity takes step after step. Each begins where the last one
// ended, so that a processor cannot take two at once.
func walkContest() measure.Contest {
	hand, maps := newByHand(), newNested()
	f, m := newLoop("ongoing"), newStateless(action.Ongoing, itself[action.Status], itself[action.Event])
	ctx := context.Background()
	return measure.Contest{
		Name: "One entity, step after step", Unit: "step", Per: len(walked),
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: func(n int) {
				s := action.Ongoing
				for i := range n * len(walked) {
					next, err := machine.Next(s, walked[i&3])
					must(err)
					s = next
				}
				keptStatus = s
			}},
			{Name: nameHand, Do: func(n int) {
				s := action.Ongoing
				for i := range n * len(walked) {
					next, err := hand.next(s, walked[i&3])
					must(err)
					s = next
				}
				keptStatus = s
			}},
			{Name: nameSwitch, Do: func(n int) {
				s := action.Ongoing
				for i := range n * len(walked) {
					next, err := bySwitch(s, walked[i&3])
					must(err)
					s = next
				}
				keptStatus = s
			}},
			{Name: nameNested, Do: func(n int) {
				s := action.Ongoing
				for i := range n * len(walked) {
					next, err := maps.next(s, walked[i&3])
					must(err)
					s = next
				}
				keptStatus = s
			}},
			{Name: nameLoop, Do: func(n int) {
				for i := range n * len(walked) {
					must(f.Event(ctx, walkedTexts[i&3]))
				}
			}},
			{Name: nameStateless, Do: func(n int) {
				for i := range n * len(walked) {
					must(m.Fire(walked[i&3]))
				}
			}},
		},
	}
}

// canContest asks whether ongoing allows one event after another.
func canContest() measure.Contest {
	hand, maps := newByHand(), newNested()
	f, m := newLoop("ongoing"), newStateless(action.Ongoing, itself[action.Status], itself[action.Event])
	asking := func(can func(i int) bool) func(int) {
		return func(n int) {
			for i := range n {
				if can(i) {
					keptNumber++
				}
			}
		}
	}
	return measure.Contest{
		Name: "Is an event allowed? (Can)", Unit: "question", Per: 1,
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: asking(func(i int) bool { return machine.Can(action.Ongoing, walked[i&3]) })},
			{Name: nameHand, Do: asking(func(i int) bool { return hand.can(action.Ongoing, walked[i&3]) })},
			{Name: nameSwitch, Do: asking(func(i int) bool { _, err := bySwitch(action.Ongoing, walked[i&3]); return err == nil })},
			{Name: nameNested, Do: asking(func(i int) bool { _, ok := maps[action.Ongoing][walked[i&3]]; return ok })},
			{Name: nameLoop, Do: asking(func(i int) bool { return f.Can(walkedTexts[i&3]) })},
			{Name: nameStateless, Do: asking(func(i int) bool { ok, err := m.CanFire(walked[i&3]); must(err); return ok })},
		},
	}
}

// allowedContest lists the five events that ongoing allows.
func allowedContest() measure.Contest {
	hand, maps := newByHand(), newNested()
	f, m := newLoop("ongoing"), newStateless(action.Ongoing, itself[action.Status], itself[action.Event])
	listing := func(count func() int) func(int) {
		return func(n int) {
			for range n {
				keptNumber += count()
			}
		}
	}
	return measure.Contest{
		Name: "Which events are allowed?", Unit: "list",
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: listing(func() (n int) {
				for e := range machine.Allowed(action.Ongoing) {
					n += int(e)
				}
				return n
			})},
			{Name: nameHand, Do: listing(func() (n int) {
				for e, next := range hand[action.Ongoing] {
					if next != 0 {
						n += e
					}
				}
				return n
			})},
			{Name: nameNested, Do: listing(func() (n int) {
				for e := range maps[action.Ongoing] {
					n += int(e)
				}
				return n
			})},
			{Name: nameLoop, Do: listing(func() int { return len(f.AvailableTransitions()) })},
			{Name: nameStateless, Do: listing(func() int {
				events, err := m.PermittedTriggers()
				must(err)
				return len(events)
			})},
		},
	}
}

// tableContest makes a machine from its table, which is done once in a program.
func tableContest() measure.Contest {
	table := fsm.Table[action.Status, action.Event]{
		Name: machine.Name(), States: machine.States(), Initial: machine.Initial(), Rows: machine.Rows(),
	}
	return measure.Contest{
		Name: "Make the table, once in a program", Unit: "table",
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: func(n int) {
				for range n {
					m, err := fsm.Compile(table)
					must(err)
					keptAny = m
				}
			}},
			{Name: nameHand, Do: func(n int) {
				for range n {
					keptAny = newByHand()
				}
			}},
			{Name: nameNested, Do: func(n int) {
				for range n {
					keptAny = newNested()
				}
			}},
		},
	}
}

// entityContest makes one entity more. That of sluice, and of what is written by
// hand, is a byte beside the entity's id.
func entityContest() measure.Contest {
	return measure.Contest{
		Name: "Make an entity", Unit: "entity",
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: func(n int) {
				for range n {
					s := action.Draft
					keptAny = &s
				}
			}},
			{Name: nameLoop, Do: func(n int) {
				for range n {
					keptAny = newLoop("draft")
				}
			}},
			{Name: nameStateless, Do: func(n int) {
				for range n {
					keptAny = newStateless(action.Draft, itself[action.Status], itself[action.Event])
				}
			}},
		},
	}
}

// entityBytes returns the table of how many bytes an entity takes, of many.
func entityBytes(n int) report.Table {
	t := report.Table{Caption: "Bytes of an entity, of " + report.Significant(float64(n)), Header: []string{"", "bytes"}}
	add := func(name string, kept uint64) {
		t.Rows = append(t.Rows, []string{name, report.Significant(float64(kept) / float64(n))})
	}
	_, statuses := measure.Kept(func() []action.Status { return make([]action.Status, n) })
	add(nameSluice+", and whatever is written by hand", statuses)
	_, loops := measure.Kept(func() []*loop.FSM {
		list := make([]*loop.FSM, n)
		for i := range list {
			list[i] = newLoop("draft")
		}
		return list
	})
	add(nameLoop, loops)
	_, machines := measure.Kept(func() []*stateless.StateMachine {
		list := make([]*stateless.StateMachine, n)
		for i := range list {
			list[i] = newStateless(action.Draft, itself[action.Status], itself[action.Event])
		}
		return list
	})
	add(nameStateless, machines)
	return t
}
