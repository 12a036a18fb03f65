package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"

	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

var play = command{
	name: "play", operands: "FILE",
	short: "plays a script of commands and tells what each does",
	long: `
FILE is a JSON object: steps, the list of commands, the first of them a create;
template, for creates that bring none; and, if you like, a title.

  {
    "template": {"id": "t1", "name": "Onboarding", "action_groups": [
      {"type": "identity_verification"}, {"type": "signature_request"}]},
    "steps": [
      {"at": "2025-09-22T14:30:00Z", "note": "A session begins",
       "command": "create", "id": "s1", "name": "Kelly", "workspace_id": "w1"},
      {"at": "2025-09-22T14:32:00Z", "note": "She sends a photo",
       "command": "link", "inputs": {"photo": "blurred"},
       "resource": {"id": "v1", "type": "identity_document_verification",
                    "status": "pending"}},
      {"at": "2025-09-22T14:33:00Z",
       "command": "observe", "resource_id": "v1", "status": "failed"},
      {"at": "2025-09-22T14:40:00Z",
       "command": "resolve", "resource_id": "v1", "reason": "seen in person"}
    ]
  }

Every step has at, the time of the command; a note is its title. The commands
and their members are:

  create      id, name, workspace_id or default_workspace_id, template
  link        resource, with id, type and status; inputs; and, for a retry,
              previous_attempt_id, the resource of the attempt to be replaced
  transition  resource_id, event: what the host itself brought about
  observe     resource_id, status, as_of: what the provider reported
  resolve     resource_id, reason, by

The inputs are an object: what the resource was made from. They are digested and
not kept. The provider's times, as_of and created_at, are those of the command
where they are left out.

A command that is refused changes nothing, and the script goes on.`,
	prepare: func(flags *flag.FlagSet) func(streams, []string) error {
		var p player
		flags.BoolVar(&p.asJSON, "json", false,
			"print the session as the public API shows it, one line of JSON after\neach step, and refusals on standard error")
		flags.BoolVar(&p.strict, "strict", false, "stop at a command that is refused, with exit status 1")
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
			read, err := parseScript(data)
			if err != nil {
				return inFile(name, data, err)
			}
			p.streams, p.name = s, name
			p.printer = transcript.Printer{W: s.out, Color: color(s.out)}
			return p.play(read)
		}
	},
}

// player plays a script.
type player struct {
	asJSON, strict bool

	streams
	name    string // of the script, for messages
	printer transcript.Printer
}

func (p *player) play(sc script) error {
	if sc.title != "" && !p.asJSON {
		if err := p.printer.Heading(sc.title); err != nil {
			return err
		}
	}
	var s session.Session
	for i, st := range sc.steps {
		next, change, refused := session.Apply(s, st.command, st.at)
		s = next
		if err := p.tell(i+1, st, s, change, refused); err != nil {
			return err
		}
		if refused != nil && p.strict {
			return fmt.Errorf("%s: step %d: %w", p.name, i+1, refused)
		}
	}
	return nil
}

// tell says what came of step n.
func (p *player) tell(n int, st step, s session.Session, change session.Change, refused error) error {
	if !p.asJSON {
		return p.printer.Step(transcript.Step{
			Title: strings.TrimRight(fmt.Sprintf("%d. %s", n, st.note), " "), At: st.at, Command: st.command,
			Session: s, Change: change, Err: refused,
		})
	}
	if refused != nil && !p.strict { // a strict play ends with it
		complain(p.err, "sluice play: %s: step %d: %s\n", p.name, n, oneLine(refused))
	}
	if s.IsZero() {
		// So that lines are steps, also before there is a session.
		_, err := fmt.Fprintln(p.out, "null")
		return err
	}
	return json.NewEncoder(p.out).Encode(s)
}
