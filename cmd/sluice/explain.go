package main

import (
	"flag"

	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

var explain = command{
	name: "explain", operands: "FILE",
	short: "tells how a session stands and what unblocks it",
	long: `
FILE is a session as the public API shows it: the answer to a request for one.
What the document leaves out may be missing. Statuses of groups and of the
session follow from the actions; where the document shows others, it says so.`,
	prepare: func(flags *flag.FlagSet) func(streams, []string) error {
		color := colorFlag(flags)
		return func(s streams, operands []string) error {
			file, err := only(operands, "a file")
			if err != nil {
				return err
			}
			data, name, err := readFile(s, file)
			if err != nil {
				return err
			}
			read, wrong, err := session.ParseDocument(data)
			if err != nil {
				return inFile(name, data, err)
			}
			p := transcript.Printer{W: s.out, Color: color(s.out)}
			return p.Session(read, wrong...)
		}
	},
}
