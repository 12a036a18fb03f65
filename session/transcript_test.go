package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// TestTranscripts lives through the lives of testdata/transcripts, which are
// written for people. A file is paragraphs; each has comments, a command, a
// line of dashes, and what came of it:
//
//	# A comment.
//	14:32:00 observe 79a291fc failed
//	----
//	event 3: identity_verification ongoing -> blocked, session ongoing -> blocked
//
// The commands are
//
//	TIME create ID NAME groups=TYPE,TYPE [workspace=W]
//	TIME link ID TYPE STATUS [inputs=TEXT] [replaces=ID] [workspace=W] [as-of=TIME]
//	TIME event ID EVENT [as-of=TIME]
//	TIME observe ID STATUS [as-of=TIME]
//	TIME resolve ID [reason=TEXT] [by=WHO]
//	show, blockers, replay
//
// with _ for a space. A time of a resource that is not given is the time of the
// command. With -update, what came of it is written anew.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			p := &play{t: t}
			var got []string
			for paragraph := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
				head, _, isCommand := strings.Cut(paragraph, "\n----")
				if isCommand {
					lines := strings.Split(head, "\n")
					paragraph = head + "\n----\n" + p.line(lines[len(lines)-1])
				}
				got = append(got, paragraph)
			}
			golden(t, filepath.Join("transcripts", filepath.Base(file)), strings.Join(got, "\n\n")+"\n")

			again, err := session.Replay(p.events)
			require.NoError(t, err)
			assert.True(t, again.Equal(p.s))
		})
	}
}

// play is the session of a transcript.
type play struct {
	t      *testing.T
	s      session.Session
	events []session.Event
}

// line does what a line of a transcript says, and returns what came of it.
func (p *play) line(line string) string {
	switch line {
	case "show":
		return p.show()
	case "blockers":
		var list []string
		for _, b := range p.s.Blockers() {
			list = append(list, b.String())
		}
		return strings.Join(append(list, fmt.Sprintf("%d in all", len(list))), "\n")
	case "replay":
		again, err := session.Replay(p.events)
		require.NoError(p.t, err)
		return fmt.Sprintf("%d events lead to %s; it is the same: %t", len(p.events), again, again.Equal(p.s))
	}
	words := strings.Fields(line)
	now := clock(p.t, words[0])
	next, change, err := session.Apply(p.s, p.command(now, words[1:]), now)
	if err != nil {
		assert.True(p.t, next.Equal(p.s))
		return "refused: " + err.Error()
	}
	p.s, p.events = next, append(p.events, change.Events...)
	if len(change.Events) == 0 {
		return "nothing new: " + change.Outcome.String()
	}
	out := ""
	for _, e := range change.Events {
		out += fmt.Sprintf("event %d: ", e.Version)
		if e.GroupType != 0 {
			out += fmt.Sprintf("%s %s, ", e.GroupType, move(e.Group))
		}
		out += "session " + move(e.Session)
	}
	for _, name := range names(change) {
		out += "\nannounced: " + name
	}
	return out
}

func move(m session.Move) string {
	if !m.Moved() {
		return "stays " + m.To.String()
	}
	return m.From.String() + " -> " + m.To.String()
}

// clock is a time of the day of the transcripts.
func clock(t *testing.T, text string) time.Time {
	t.Helper()
	day, err := time.Parse(time.TimeOnly, text)
	require.NoError(t, err)
	return time.Date(2025, time.September, 22, day.Hour(), day.Minute(), day.Second(), 0, time.UTC)
}

// command reads a command without its time.
func (p *play) command(now time.Time, words []string) session.Command {
	options := map[string]string{"as-of": now.Format(time.TimeOnly)}
	var args []string
	for _, w := range words {
		if name, value, ok := strings.Cut(w, "="); ok {
			options[name] = value
		} else {
			args = append(args, w)
		}
	}
	asOf := clock(p.t, options["as-of"])
	switch id := args[1]; args[0] {
	case "create":
		c := session.Create{
			ID: id, Name: spaced(args[2]), WorkspaceID: options["workspace"],
			Template: session.Template{ID: "35a07993", Name: "Customer onboarding", Workspaces: []string{"sales", "support"}},
		}
		for name := range strings.SplitSeq(options["groups"], ",") {
			c.Template.ActionGroups = append(c.Template.ActionGroups, must(group.ParseType(name)))
		}
		return c
	case "link":
		return session.Link{
			Resource: action.Resource{
				ID: id, Type: must(action.ParseType(args[2])), Status: must(action.ParseStatus(args[3])),
				WorkspaceID: options["workspace"], CreatedAt: asOf, AsOf: asOf,
			},
			Inputs: inputs(options["inputs"]), PreviousAttemptID: options["replaces"],
		}
	case "event":
		return session.Transition{ResourceID: id, Event: must(action.ParseEvent(args[2])), At: asOf}
	case "observe":
		return session.Observe{ResourceID: id, Status: must(action.ParseStatus(args[2])), AsOf: asOf}
	case "resolve":
		return session.Resolve{ResourceID: id, Reason: spaced(options["reason"]), By: spaced(options["by"])}
	default:
		require.Fail(p.t, "no command", "%q", words)
		return nil
	}
}

func spaced(text string) string { return strings.ReplaceAll(text, "_", " ") }

// show is a session for people.
func (p *play) show() string {
	out := fmt.Sprintf("%s, updated at %s", p.s, p.s.UpdatedAt().Format(time.TimeOnly))
	for g := range p.s.Groups() {
		out += fmt.Sprintf("\n  %s: %s", g.Type(), g.Status())
		for c := range g.Actions() {
			out += "\n    " + showAction(c)
		}
	}
	return out
}

func showAction(c attempt.Chain) string {
	var attempts []string
	for _, at := range c.Attempts() {
		attempts = append(attempts, fmt.Sprintf("%s %s", at.Resource.ID, at.Resource.Status))
	}
	out := strings.Join(attempts, ", then ")
	if r, ok := c.Resolution(); ok {
		out += fmt.Sprintf("; resolved by %s: %s", r.By, r.Reason)
	}
	return out
}
