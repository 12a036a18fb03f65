package main

import (
	"flag"
	"io"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm/looplab"
)

var diagram = command{
	name: "diagram", operands: "MACHINE",
	short: "draws the machine of a kind of resource",
	long:  "MACHINE is a resource type, or one of:\n\n  " + strings.Join(machineNames(), "\n  "),
	prepare: func(flags *flag.FlagSet) func(streams, []string) error {
		format := flags.String("format", "mermaid", "the `language`: mermaid, or dot for Graphviz")
		return func(s streams, operands []string) error {
			name, err := only(operands, "a machine")
			if err != nil {
				return err
			}
			m, err := machine(name)
			if err != nil {
				return err
			}
			draw := map[string]func(*action.Machine) string{
				"mermaid": looplab.Mermaid[action.Status, action.Event],
				"dot":     looplab.Dot[action.Status, action.Event],
			}[*format]
			if draw == nil {
				return usagef("there is no format %q; there are mermaid and dot", *format)
			}
			_, err = io.WriteString(s.out, draw(m))
			return err
		}
	},
}

// machine finds a machine by its name, or by a type of the resources that it
// moves: that is what people know.
func machine(name string) (*action.Machine, error) {
	if t, err := action.ParseType(name); err == nil {
		return t.Machine(), nil
	}
	for _, m := range action.Machines() {
		if m.Name() == name {
			return m, nil
		}
	}
	return nil, usagef("there is no resource type or machine %q; the machines are %s", name, strings.Join(machineNames(), ", "))
}

func machineNames() []string {
	var names []string
	for _, m := range action.Machines() {
		names = append(names, m.Name())
	}
	return names
}
