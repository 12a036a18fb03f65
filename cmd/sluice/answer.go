package main

import (
	"errors"
	"flag"
	"runtime/debug"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/conformance/answer"
)

var answerCommand = command{
	name:  "answer",
	short: "answers the conformance questions with this library",
	long: `
It reads a question per line on the standard input and writes an answer per line
on the standard output, until the input ends: the other side of sluice conform.

  sluice conform -- sluice answer`,
	prepare: func(*flag.FlagSet) func(streams, []string) error {
		return func(s streams, operands []string) error {
			if len(operands) > 0 {
				return usagef("nothing is wanted; got %q", operands)
			}
			info, _ := debug.ReadBuildInfo()
			if err := conformance.Serve(s.in, s.out, versionText(info), answer.Answer); err != nil {
				return errors.New(plain(err))
			}
			return nil
		}
	},
}
