package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/sluicego/sluice/conformance/trace"
	"github.com/sluicego/sluice/transcript"
)

var check = command{
	name: "check", operands: "FILE",
	short: "holds the recorded trace of a system against the rules",
	long: `
FILE is a trace: JSON lines, in the order in which things happened. Each has at,
the host's time, and is one of these:

  {"at": "2025-09-22T14:30:00Z", "template": {"id": "t1", "name": "Onboarding",
   "action_groups": [{"type": "identity_verification"}]}}
      a template, for creates that name it

  {"at": "2025-09-22T14:30:00Z", "session": "s1", "command": "create",
   "name": "Kelly", "template_id": "t1", "workspace_id": "w1", "refused": false}
      a command, with the members that it has in a script (see sluice help
      play); a create has template_id, or template. If you like, refused says
      what the system did: false, true, or the rule that it named, as "ATT-6"

  {"at": "2025-09-22T14:33:00Z", "webhook": {"event_name":
   "verification.identity_document.done", "event_time": "1758551580",
   "data": {"verification": {"id": "v1", "status": "failed"}}}}
      a webhook of the provider, as it was received; those that move no
      resource of any session are counted and passed over

  {"at": "2025-09-22T14:33:01Z", "session": "s1", "seen": {
   "status": "blocked", "groups": {"identity_verification": "blocked"},
   "resources": {"v1": "failed"}}}
      what the system showed: any of these members, or the session as the public
      API shows it, of which members may be left out

  {"at": "2025-09-22T14:33:02Z", "session": "s1",
   "announced": "workflow_action_group.blocked",
   "group_type": "identity_verification"}
      an announcement that the system made

Each here stands in one line. A FILE of - is the standard input.

What the rules do not allow is printed, a finding on each line: where it is, the
rule, what was expected and what was seen. A line that cannot be read is a
finding too. The check goes on from what the rules say. A finding that may come
of an earlier one of its session says that it follows the line of the first.

A summary is on standard error; with -json it also stands on the last line, as
the one object whose kind is summary. It also counts commands that the rules
refuse, of which the trace does not say what the system did: no findings.

A trace may be of any length; what does not fit into memory goes into temporary
files, in the folder that TMPDIR names. The exit status is 0 if there is no
finding, 1 if there is one or if the file cannot be read, and 2 if the command
line is wrong.`,
	prepare: func(flags *flag.FlagSet) func(streams, []string) error {
		var c checking
		flags.BoolVar(&c.options.Announcements, "announcements", false,
			"report announcements that were owed and never made")
		flags.BoolVar(&c.asJSON, "json", false, "print findings as JSON, one on each line, and a summary on the last")
		flags.IntVar(&c.most, "max", 0, "stop after so many `findings`, and say so; 0 is never")
		return func(s streams, operands []string) error {
			file, err := only(operands, "a file")
			if err != nil {
				return err
			}
			if c.most < 0 {
				return usagef("-max is %d; it is 0 or more", c.most)
			}
			c.streams = s
			return c.file(file)
		}
	},
}

// checking is one run of check.
type checking struct {
	options trace.Options
	asJSON  bool
	most    int

	streams
	name  string // of the trace, for messages
	found int
}

// errPrinting is that of the standard output, not of the trace.
var errPrinting = errors.New("a finding cannot be printed")

func (c *checking) file(file string) error {
	if os.Getenv("GOGC") == "" {
		// Nearly nothing of what a check allocates stays. To collect it early
		// costs little, and keeps the memory as small for long traces as it is
		// for short ones.
		defer debug.SetGCPercent(debug.SetGCPercent(50))
	}
	if file == "-" {
		c.name = "standard input"
		return c.trace(c.in)
	}
	f, err := os.Open(file) //nolint:gosec // the file that the user names
	if err != nil {
		return err
	}
	c.name = file
	return errors.Join(c.trace(f), f.Close())
}

// totals is the last line of JSON. Its kind is none of a finding.
type totals struct {
	Kind    string        `json:"kind"`
	Summary trace.Summary `json:"summary"`
}

// trace checks a trace. That there are findings is an error, for the exit
// status.
func (c *checking) trace(r io.Reader) error {
	summary, err := trace.Check(r, c.options, c.print)
	switch {
	case errors.Is(err, errPrinting):
		return err
	case err != nil:
		return fmt.Errorf("%s: %w", c.name, err)
	}
	if c.asJSON {
		if err := json.NewEncoder(c.out).Encode(totals{"summary", summary}); err != nil {
			return fmt.Errorf("the summary cannot be printed: %w", err)
		}
	}
	if summary.Findings > 0 {
		return fmt.Errorf("%s: %s", c.name, summary)
	}
	complain(c.err, "sluice check: %s: %s\n", transcript.Visible(c.name), summary)
	return nil
}

// print prints a finding.
func (c *checking) print(f trace.Finding) error {
	var err error
	if c.asJSON {
		err = json.NewEncoder(c.out).Encode(f)
	} else {
		// What stands in a trace must not play with the terminal.
		_, err = fmt.Fprintln(c.out, transcript.Visible(fmt.Sprintf("%s:%d: %s", c.name, f.Line, f.Message())))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errPrinting, err)
	}
	if c.found++; c.found == c.most {
		return trace.ErrStop
	}
	return nil
}
