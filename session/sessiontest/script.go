package sessiontest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

// Step is a command and the time that comes with it.
type Step struct {
	Command session.Command
	Now     time.Time
}

// String returns the step for the log of a test.
func (s Step) String() string {
	return fmt.Sprintf("%s %T%+v", s.Now.Format(time.RFC3339Nano), s.Command, s.Command)
}

// GoString returns the text of String: rapid shows what it drew that way.
func (s Step) GoString() string { return s.String() }

// maxSteps is how many commands a script has at most, besides the creation.
const maxSteps = 50

// Scripts generates the lives of a session with an id: its creation, then
// commands as [Commands] makes them, each for the session that the ones before
// led to. Times move forward but for a clock that is set back now and then.
func Scripts(id string) *rapid.Generator[[]Step] {
	return rapid.Custom(func(t *rapid.T) []Step {
		script, _ := play(t, id)
		return script
	})
}

// Sessions generates sessions with an id, of all statuses: what [Scripts] lead
// to.
func Sessions(id string) *rapid.Generator[session.Session] {
	return rapid.Custom(func(t *rapid.T) session.Session {
		_, s := play(t, id)
		return s
	})
}

// play draws a script, and returns it with where it leads to.
func play(t *rapid.T, id string) ([]Step, session.Session) {
	now := times().Draw(t, "now")
	p := player{T: t}
	p.do(creations(id).Draw(t, "creation"), now)
	for range rapid.IntRange(0, maxSteps).Draw(t, "number of commands") {
		now = now.Add(ticks().Draw(t, "tick"))
		p.do(Commands(p.s, now).Draw(t, "command"), now)
	}
	if rapid.IntRange(0, 9).Draw(t, "insists") == 9 {
		p.insist(now)
	}
	return p.script, p.s
}

// player writes a script.
type player struct {
	*rapid.T
	s      session.Session
	script []Step
}

func (p *player) do(c session.Command, now time.Time) {
	p.script = append(p.script, Step{c, now})
	if next, _, err := session.Apply(p.s, c, now); err == nil {
		p.s = next
	}
}

// insist retries an Action, unsuccessfully, until it has as many attempts as it
// may have, and once more (ATT-5). Chance alone hardly gets there.
func (p *player) insist(now time.Time) {
	sc := scene{p.T, p.s, now, actions(p.s)}
	c := sc.newAction()
	for range attempt.Max + 1 {
		c.Resource.Status = action.Failed
		if c.Resource.Type == action.TypeSignatureRequest {
			c.Resource.Status = action.Declined
		}
		p.do(c, now)
		chain, ok := p.s.Action(c.Resource.ID)
		if !ok {
			return
		}
		c = scene{p.T, p.s, now, actions(p.s)}.nextAttempt(chain)
	}
}

// ticks generates the times between two commands of a host, whose clock knows
// fractions of a second and may be set back.
func ticks() *rapid.Generator[time.Duration] {
	return rapid.SampledFrom([]time.Duration{
		time.Minute, 0, 1, 123456789 * time.Nanosecond, time.Second, time.Hour, 24 * time.Hour,
		-time.Second, -time.Hour,
	})
}
