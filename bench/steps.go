package main

import (
	"context"
	"math/rand/v2"

	loop "github.com/looplab/fsm"
	"github.com/qmuntal/stateless"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/fsm"
)

// mixed are a thousand entities in no order: a status each, and an event that it
// allows.
var mixed = func() (list [fleet]struct {
	status action.Status
	event  action.Event
	texts  [2]string
}) {
	random := rand.New(rand.NewPCG(3, 1)) //nolint:gosec // the same every time
	for i := range list {
		m := moves[random.IntN(len(moves))]
		list[i].texts = [2]string{m.status, m.event}
		list[i].status, _ = action.ParseStatus(m.status) // both are of the machine
		list[i].event, _ = action.ParseEvent(m.event)
	}
	return list
}()

// mixedContest: each of a thousand entities takes a step from its own status. The
// loops over them are the contestants' own, so that all can be inlined into them.
func mixedContest() measure.Contest {
	hand, maps := newByHand(), newNested()
	return measure.Contest{
		Name: "A thousand entities, a step each", Unit: "step", Per: fleet,
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: repeat(func() {
				sum := action.Status(0)
				for i := range mixed {
					next, err := machine.Next(mixed[i].status, mixed[i].event)
					must(err)
					sum += next
				}
				keptStatus = sum
			})},
			{Name: nameHand, Lacks: lacksMachine, Do: repeat(func() {
				sum := action.Status(0)
				for i := range mixed {
					next, err := hand.next(mixed[i].status, mixed[i].event)
					must(err)
					sum += next
				}
				keptStatus = sum
			})},
			{Name: nameSwitch, Lacks: lacksMachine, Do: repeat(func() {
				sum := action.Status(0)
				for i := range mixed {
					next, err := bySwitch(mixed[i].status, mixed[i].event)
					must(err)
					sum += next
				}
				keptStatus = sum
			})},
			{Name: nameNested, Lacks: lacksMachine, Do: repeat(func() {
				sum := action.Status(0)
				for i := range mixed {
					next, err := maps.next(mixed[i].status, mixed[i].event)
					must(err)
					sum += next
				}
				keptStatus = sum
			})},
			loopFleet(), statelessFleet(),
		},
	}
}

func loopFleet() measure.Contestant {
	entities := make([]*loop.FSM, fleet)
	for i := range entities {
		entities[i] = newLoop(mixed[i].texts[0])
	}
	ctx := context.Background()
	return measure.Contestant{Name: nameLoop, Lacks: lacksLoop, Do: repeat(func() {
		for i, f := range entities {
			f.SetState(mixed[i].texts[0])
			must(f.Event(ctx, mixed[i].texts[1]))
		}
	})}
}

func statelessFleet() measure.Contestant {
	var stored action.Status
	m := newExternal(&stored, itself[action.Status], itself[action.Event])
	return measure.Contestant{Name: nameStateless, Lacks: lacksStateless, Do: repeat(func() {
		for i := range mixed {
			stored = mixed[i].status
			must(m.Fire(mixed[i].event))
		}
	})}
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
	return measure.Contest{
		Name: "Is an event allowed? (Can)", Unit: "question",
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: func(n int) {
				for i := range n {
					if machine.Can(action.Ongoing, walked[i&3]) {
						keptNumber++
					}
				}
			}},
			{Name: nameHand, Do: func(n int) {
				for i := range n {
					if hand.can(action.Ongoing, walked[i&3]) {
						keptNumber++
					}
				}
			}},
			{Name: nameSwitch, Do: func(n int) {
				for i := range n {
					if _, err := bySwitch(action.Ongoing, walked[i&3]); err == nil {
						keptNumber++
					}
				}
			}},
			{Name: nameNested, Do: func(n int) {
				for i := range n {
					if _, ok := maps[action.Ongoing][walked[i&3]]; ok {
						keptNumber++
					}
				}
			}},
			{Name: nameLoop, Do: func(n int) {
				for i := range n {
					if f.Can(walkedTexts[i&3]) {
						keptNumber++
					}
				}
			}},
			{Name: nameStateless, Do: func(n int) {
				for i := range n {
					ok, err := m.CanFire(walked[i&3])
					must(err)
					if ok {
						keptNumber++
					}
				}
			}},
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
		Name: "Make an entity (that of sluice, and of all by hand, is a byte)", Unit: "entity",
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
