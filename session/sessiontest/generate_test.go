package sessiontest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
)

func TestTemplates(t *testing.T) {
	scopes := map[int]bool{}
	rapid.Check(t, func(t *rapid.T) {
		template := sessiontest.Templates().Draw(t, "template")
		require.NoError(t, template.Check())
		text, err := json.Marshal(template)
		require.NoError(t, err)
		var read session.Template
		require.NoError(t, json.Unmarshal(text, &read))
		assert.Equal(t, template, read)
		scopes[min(len(template.Workspaces), 2)] = true
	})
	assert.Len(t, scopes, 3, "scoped to no workspace, to one, to several")
}

func TestResources(t *testing.T) {
	draw(t, 200)
	for _, typ := range action.Types() {
		seen := map[action.Status]bool{}
		rapid.Check(t, func(t *rapid.T) {
			r := sessiontest.Resources("r", typ).Draw(t, "resource")
			_, err := attempt.Start(attempt.Attempt{Resource: r})
			require.NoError(t, err, "it can be linked")
			assert.Equal(t, "r", r.ID)
			assert.Equal(t, typ, r.Type)
			assert.Equal(t, action.Seconds(r.AsOf), r.AsOf)
			assert.Equal(t, action.Seconds(r.CreatedAt), r.CreatedAt)
			assert.False(t, r.AsOf.Before(r.CreatedAt))
			seen[r.Status] = true
		})
		for _, s := range typ.Machine().States() {
			assert.Equal(t, s != action.Deleted, seen[s], "%s as %s", typ, s)
		}
	}
}

// Observations are a history: told in order, none of them contradicts another
// or is stale, and all orders end as that one (ACT-5).
func TestObservations(t *testing.T) {
	tied, longest := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		// The machine of signature requests is the one that has cycles.
		typ := rapid.OneOf(rapid.Just(action.TypeSignatureRequest), rapid.SampledFrom(action.Types())).Draw(t, "type")
		r := sessiontest.Resources("r", typ).Draw(t, "resource")
		told := sessiontest.Observations(r).Draw(t, "observations")
		before := r.AsOf
		for _, o := range told {
			require.False(t, o.AsOf.Before(before), "time goes on")
			require.Equal(t, "r", o.ResourceID)
			if o.AsOf.Equal(before) {
				tied++
			}
			before = o.AsOf
		}
		longest = max(longest, len(told))
		again := rapid.Permutation(slices.Concat(told, told)).Draw(t, "as webhooks bring them")
		assert.Equal(t, observe(t, r, told), observe(t, r, again))
	})
	assert.Positive(t, tied, "observations as of the same second")
	assert.Greater(t, longest, 4)
}

func observe(t require.TestingT, r action.Resource, told []session.Observe) action.Resource {
	for _, o := range told {
		var err error
		r, _, err = r.Observe(o.Status, o.AsOf)
		require.NoError(t, err)
	}
	return r
}

// counts of what came of the commands of many scripts.
type counts struct {
	commands, taken, nothing, refused, blocked int
	kinds                                      map[string]int // command and outcome
	rules                                      map[string]int // of refusals
	ends                                       map[session.Status]int
	longest                                    int // chain of attempts
}

func count(t *testing.T) counts {
	c := counts{kinds: map[string]int{}, rules: map[string]int{}, ends: map[session.Status]int{}}
	rapid.Check(t, func(t *rapid.T) {
		var s session.Session
		for i, step := range sessiontest.Scripts("s").Draw(t, "script") {
			next, change, err := session.Apply(s, step.Command, step.Now)
			if i > 0 {
				c.add(s, step, change, err)
			}
			s = next
		}
		c.ends[s.Status()]++
		for g := range s.Groups() {
			for chain := range g.Actions() {
				c.longest = max(c.longest, chain.Len())
			}
		}
	})
	return c
}

func (c *counts) add(before session.Session, step sessiontest.Step, change session.Change, err error) {
	c.commands++
	if before.Status() == session.Blocked {
		c.blocked++
	}
	outcome := change.Outcome.String()
	var refusal *session.Refusal
	switch {
	case errors.As(err, &refusal):
		c.refused++
		c.rules[refusal.Rule]++
		outcome = "refused"
	case len(change.Events) == 0:
		c.nothing++
	default:
		c.taken++
	}
	c.kinds[fmt.Sprintf("%T %s", step.Command, outcome)]++
}

// Scripts tell more than one story: enough is accepted, enough refused, for
// every rule, and sessions are blocked half of the time.
func TestProportions(t *testing.T) {
	draw(t, 500)
	c := count(t)
	share := func(n int) int { return 100 * n / c.commands }
	t.Logf("of %d commands %d %% taken, %d %% nothing new, %d %% refused; %d %% to blocked sessions",
		c.commands, share(c.taken), share(c.nothing), share(c.refused), share(c.blocked))
	t.Logf("the sessions end as %v; the commands were %v; the rules %v", c.ends, c.kinds, c.rules)

	assert.GreaterOrEqual(t, share(c.taken), 45)
	assert.GreaterOrEqual(t, share(c.refused), 25)
	assert.GreaterOrEqual(t, share(c.nothing), 8)
	assert.GreaterOrEqual(t, share(c.blocked), 40)
	for _, s := range []session.Status{session.Awaiting, session.Ongoing, session.Blocked, session.Done} {
		assert.GreaterOrEqual(t, c.ends[s], 25, s)
	}
	assert.Equal(t, attempt.Max, c.longest)
	for _, kind := range []string{
		"session.Create refused",
		"session.Link taken", "session.Link refused",
		"session.Observe taken", "session.Observe duplicate", "session.Observe stale", "session.Observe frozen",
		"session.Observe refused",
		"session.Transition taken", "session.Transition stale", "session.Transition frozen",
		"session.Transition refused",
		"session.Resolve taken", "session.Resolve refused",
	} {
		assert.GreaterOrEqual(t, c.kinds[kind], 10, kind)
	}
	for _, rule := range []string{
		"ACT-3", "ACT-4", "ATT-1", "ATT-2", "ATT-3", "ATT-4", "ATT-5", "ATT-6", "ATT-8", "ATT-12",
		"RES-6", "RSL-1", "RSL-2", "RSL-4", "RSL-5", "SES-1", "SES-4", "SES-11", "SES-12",
	} {
		assert.GreaterOrEqual(t, c.rules[rule], 10, rule)
	}
}

// Commands can be sent: all of them can be written and read.
func TestCommandsAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, step := range sessiontest.Scripts("s").Draw(t, "script") {
			text, err := session.MarshalCommand(step.Command)
			require.NoError(t, err)
			read, err := session.UnmarshalCommand(text)
			require.NoError(t, err)
			assert.Equal(t, step.Command, read)
		}
	})
}

// For no session there are creations, which are accepted.
func TestCommandsForNoSession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := sessiontest.Commands(session.Session{}, time.Unix(0, 0)).Draw(t, "command")
		s, _, err := session.Apply(session.Session{}, c, time.Unix(0, 0))
		require.NoError(t, err)
		assert.Equal(t, session.Awaiting, s.Status())
	})
}

// A script is the life of one session, and Sessions are where scripts lead to.
func TestScripts(t *testing.T) {
	back := 0
	rapid.Check(t, func(t *rapid.T) {
		script := sessiontest.Scripts("s").Draw(t, "script")
		require.IsType(t, session.Create{}, script[0].Command)
		s, events := play(t, script)
		assert.Equal(t, "s", s.ID())
		replayed, err := session.Replay(events)
		require.NoError(t, err)
		assert.True(t, replayed.Equal(s))
		for i, step := range script[1:] {
			if step.Now.Before(script[i].Now) {
				back++
			}
		}
	})
	assert.Positive(t, back, "the clock was set back")
}

func play(t require.TestingT, script []sessiontest.Step) (session.Session, []session.Event) {
	var s session.Session
	var events []session.Event
	for _, step := range script {
		next, change, err := session.Apply(s, step.Command, step.Now)
		require.True(t, err == nil || s.Equal(next), "what is refused changes nothing")
		s, events = next, append(events, change.Events...)
	}
	return s, events
}

// Sessions of different names have no resource in common, however long and
// alike the names are.
func TestNoResourceInCommon(t *testing.T) {
	long := string(slices.Repeat([]byte("i"), action.MaxIDBytes-1))
	rapid.Check(t, func(t *rapid.T) {
		owner := map[string]string{}
		for _, id := range []string{"s", "s.1", "S", long + "1", long + "2"} {
			s := sessiontest.Sessions(id).Draw(t, "session")
			require.Equal(t, id, s.ID())
			for g := range s.Groups() {
				for c := range g.Actions() {
					for _, a := range c.Attempts() {
						if other, ok := owner[a.Resource.ID]; ok {
							t.Fatalf("%s is in %s and in %s", a.Resource.ID, other, id)
						}
						owner[a.Resource.ID] = id
					}
				}
			}
		}
	})
}

func TestStepString(t *testing.T) {
	step := sessiontest.Step{
		Command: session.Observe{ResourceID: "r", Status: action.Failed, AsOf: time.Unix(0, 0).UTC()},
		Now:     time.Date(2025, time.September, 22, 14, 30, 0, 5e8, time.UTC),
	}
	const want = "2025-09-22T14:30:00.5Z session.Observe{ResourceID:r Status:failed AsOf:1970-01-01 00:00:00 +0000 UTC}"
	assert.Equal(t, want, step.String())
	assert.Equal(t, want, fmt.Sprintf("%#v", step), "as rapid shows it")
}
