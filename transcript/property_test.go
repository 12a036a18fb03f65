package transcript_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

// Whatever is told, lines are short and harmless, colours add nothing but
// themselves, and the same steps give the same text.
func TestLinesOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`([a-z]{1,20} ?){0,20}`),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		)
		draw := func(label string) string { return text.Draw(t, label) }
		at := time.Unix(rapid.Int64Range(-1e11, 3e11).Draw(t, "time"), 0)
		resource := action.Resource{
			ID: draw("id"), Type: rapid.SampledFrom(action.Types()).Draw(t, "type"),
			Status: rapid.SampledFrom(action.Statuses()).Draw(t, "status"), CreatedAt: at, AsOf: at,
		}
		commands := []session.Command{
			session.Create{
				ID: draw("session"), Name: draw("name"), WorkspaceID: draw("workspace"),
				Template: session.Template{ID: draw("template"), Name: draw("template name"), ActionGroups: group.Types()},
			},
			session.Link{Resource: resource, PreviousAttemptID: draw("previous")},
			session.Observe{ResourceID: resource.ID, Status: resource.Status, AsOf: at.Add(time.Hour)},
			session.Transition{ResourceID: resource.ID, Event: rapid.SampledFrom(action.Events()).Draw(t, "event"), At: at},
			session.Resolve{ResourceID: resource.ID, Reason: draw("reason"), By: draw("by")},
		}
		var outs [3]bytes.Buffer
		printers := [3]transcript.Printer{{W: &outs[0]}, {W: &outs[1]}, {W: &outs[2], Color: true}}
		tell := func(f func(*transcript.Printer) error) {
			for i := range printers {
				assert.NoError(t, f(&printers[i]))
			}
		}
		title := draw("title")
		tell(func(p *transcript.Printer) error { return errors.Join(p.Heading(title), p.Text(title)) })
		var s session.Session
		for _, c := range commands {
			next, change, err := session.Apply(s, c, at)
			tell(func(p *transcript.Printer) error {
				return p.Step(transcript.Step{Title: title, At: at, Command: c, Session: next, Change: change, Err: err})
			})
			s = next
		}
		tell(func(p *transcript.Printer) error { return p.Session(s) })
		checkLines(t, outs[0].String())
		assert.Equal(t, outs[0].String(), outs[1].String())
		assert.Equal(t, outs[0].String(), ansi.ReplaceAllString(outs[2].String(), ""))
	})
}
