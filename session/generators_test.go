package session_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// step is one command of a random life, and what became of it.
type step struct {
	before  session.Session
	command session.Command
	now     time.Time
	after   session.Session
	change  session.Change
	err     error
}

// drawLife draws a life: a session that is created and then given commands,
// many of which rules forbid or which tell nothing new. The host's clock steps
// back at times.
func drawLife(t *rapid.T) []step {
	l := life{t: t, now: start}
	l.apply(session.Session{}, drawCreate(t))
	require.NoError(t, l.steps[0].err)
	for range rapid.IntRange(1, 40).Draw(t, "commands") {
		s := l.last()
		l.apply(s, l.drawCommand(s))
	}
	return l.steps
}

type life struct {
	t     *rapid.T
	now   time.Time
	ids   int
	steps []step
}

func (l *life) last() session.Session { return l.steps[len(l.steps)-1].after }

func (l *life) apply(s session.Session, c session.Command) {
	l.now = l.now.Add(time.Duration(rapid.IntRange(-3_000, 60_000).Draw(l.t, "ms later")) * time.Millisecond)
	after, change, err := session.Apply(s, c, l.now)
	l.steps = append(l.steps, step{s, c, l.now, after, change, err})
}

// events is what a life left behind.
func events(steps []step) []session.Event {
	var list []session.Event
	for _, s := range steps {
		list = append(list, s.change.Events...)
	}
	return list
}

func drawCreate(t *rapid.T) session.Create {
	c := create(rapid.Permutation(group.Types()).Draw(t, "groups")[:rapid.IntRange(1, 4).Draw(t, "number of groups")]...)
	c.Name = rapid.StringN(1, 20, -1).Filter(func(s string) bool { return !slices.Contains([]byte(s), 0) }).Draw(t, "name")
	if rapid.Bool().Draw(t, "scoped") {
		c.Template.Workspaces = []string{"w1", "w2"}
	}
	return c
}

// drawCommand draws any command for a session; about half are accepted.
func (l *life) drawCommand(s session.Session) session.Command {
	t := l.t
	switch rapid.IntRange(0, 9).Draw(t, "command") {
	case 0, 1, 2:
		return l.drawLink(s)
	case 3, 4:
		return l.drawRetry(s)
	case 5, 6, 7:
		r := drawResource(t, s)
		return session.Observe{ResourceID: r.ID, Status: drawStatus(t, r.Type), AsOf: drawTime(t)}
	case 8:
		r := drawResource(t, s)
		return session.Transition{ResourceID: r.ID, Event: drawEvent(t, r), At: drawTime(t)}
	default:
		return session.Resolve{
			ResourceID: drawResource(t, s).ID,
			Reason:     rapid.SampledFrom([]string{"", "seen", "<é>"}).Draw(t, "reason"),
			By:         rapid.SampledFrom([]string{"", "agent 7"}).Draw(t, "by"),
		}
	}
}

func (l *life) drawLink(s session.Session) session.Link {
	var admitted []action.Type
	for g := range s.Groups() {
		admitted = append(admitted, g.Type().Admits()...)
	}
	return l.drawAttempt(rapid.OneOf(
		rapid.SampledFrom(admitted), rapid.SampledFrom(admitted), rapid.SampledFrom(admitted),
		rapid.SampledFrom(action.Types()),
	).Draw(l.t, "type"))
}

// drawRetry draws a retry, mostly one that its action is ready for.
func (l *life) drawRetry(s session.Session) session.Link {
	old := drawResource(l.t, s)
	if b := s.Blockers(); len(b) > 0 && rapid.IntRange(0, 3).Draw(l.t, "retry what blocks") > 0 {
		old = rapid.SampledFrom(b).Draw(l.t, "blocker").Resource
	}
	if rapid.IntRange(0, 9).Draw(l.t, "other type") == 0 {
		old.Type = rapid.SampledFrom(action.Types()).Draw(l.t, "type")
	}
	c := l.drawAttempt(old.Type)
	c.PreviousAttemptID = old.ID
	return c
}

// drawAttempt draws a resource, now and then one that is there already.
func (l *life) drawAttempt(typ action.Type) session.Link {
	l.ids++
	n := l.ids
	if rapid.IntRange(0, 9).Draw(l.t, "taken") == 0 {
		n = rapid.IntRange(1, n).Draw(l.t, "id")
	}
	return session.Link{
		Resource: action.Resource{
			ID: fmt.Sprint("r", n), Type: typ, Status: drawStatus(l.t, typ),
			WorkspaceID: rapid.SampledFrom([]string{"", "w1", "", "w1", "", "w1", "", "w1", "w2"}).Draw(l.t, "workspace"),
			CreatedAt:   drawTime(l.t), AsOf: drawTime(l.t),
		},
		Inputs: inputs(rapid.SampledFrom([]string{"A", "B", "C", "D", "E", "F", ""}).Draw(l.t, "inputs")),
	}
}

// resourcesOf is every resource of a session, those of previous attempts
// included, and which of them are main.
func resourcesOf(s session.Session) (all, main []action.Resource) {
	for g := range s.Groups() {
		for c := range g.Actions() {
			for _, at := range c.Attempts() {
				all = append(all, at.Resource)
			}
			main = append(main, c.Main().Resource)
		}
	}
	return all, main
}

// drawResource draws a resource of a session: mostly a main one, at times one
// that it does not have.
func drawResource(t *rapid.T, s session.Session) action.Resource {
	nobody := resource("nobody", company, "failed")
	all, main := resourcesOf(s)
	if len(all) == 0 {
		return nobody
	}
	return rapid.OneOf(
		rapid.SampledFrom(main), rapid.SampledFrom(main), rapid.SampledFrom(main),
		rapid.SampledFrom(append(all, nobody)),
	).Draw(t, "resource")
}

// drawStatus draws a status, nearly always one that the type has.
func drawStatus(t *rapid.T, typ action.Type) action.Status {
	if rapid.IntRange(0, 29).Draw(t, "any status") == 0 {
		return rapid.SampledFrom(action.Statuses()).Draw(t, "status")
	}
	return rapid.SampledFrom(typ.Machine().States()).Draw(t, "status")
}

// drawEvent draws an event, mostly one that the status allows.
func drawEvent(t *rapid.T, r action.Resource) action.Event {
	allowed := slices.Collect(r.Type.Machine().Allowed(r.Status))
	if len(allowed) == 0 || rapid.IntRange(0, 4).Draw(t, "any event") == 0 {
		return rapid.SampledFrom(action.Events()).Draw(t, "event")
	}
	return rapid.SampledFrom(allowed).Draw(t, "event")
}

// drawTime draws a provider's time, with frequent ties, with fractions and
// zones.
func drawTime(t *rapid.T) time.Time {
	moment := at(rapid.IntRange(0, 12).Draw(t, "second"))
	switch rapid.IntRange(0, 4).Draw(t, "form of the time") {
	case 0:
		moment = moment.Add(time.Duration(rapid.IntRange(0, 999_999_999).Draw(t, "fraction")))
	case 1:
		moment = moment.In(time.FixedZone("", 3600*rapid.IntRange(-11, 11).Draw(t, "zone")))
	}
	return moment
}

// drawSession draws a session that a life leads to.
func drawSession(t *rapid.T) session.Session {
	steps := drawLife(t)
	return steps[len(steps)-1].after
}
