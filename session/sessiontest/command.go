package sessiontest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// Commands generates commands for a session at a time. About half of them
// change it: links, retries, reports and events of what it has, resolutions,
// ways out of what blocks it. Some tell nothing new: late and repeated reports,
// those of previous attempts. The others are refused, each for one reason:
// inputs that did not change, events that a status does not allow, reports that
// contradict each other, resources that the session does not have, texts that
// are too long.
//
// All of them can be written as JSON. For the zero Session they are creations.
func Commands(s session.Session, now time.Time) *rapid.Generator[session.Command] {
	return rapid.Custom(func(t *rapid.T) session.Command {
		if s.IsZero() {
			return creations(ids().Draw(t, "id")).Draw(t, "creation")
		}
		sc := scene{t, s, now, actions(s)}
		return rapid.SampledFrom(sc.ideas()).Draw(t, "idea")(sc)
	})
}

// scene is what a command is drawn for.
type scene struct {
	*rapid.T
	s       session.Session
	now     time.Time
	actions []attempt.Chain // of all groups
}

// idea draws a command of one sort.
type idea func(scene) session.Command

// ideas returns what can be done, as often as it should be done. rapid likes
// the first ones best.
func (sc scene) ideas() []idea {
	var list []idea
	add := func(times int, ideas ...idea) {
		for range times {
			list = append(list, ideas...)
		}
	}
	add(1, scene.link)
	if len(sc.actions) > 0 {
		add(1, scene.news, scene.success, scene.event, scene.resolve, scene.retry,
			scene.oldNews, scene.oldEvent, scene.contradiction, scene.wrongEvent, scene.spoiltRetry)
	}
	if len(sc.actions) < 4 {
		add(2, scene.link)
	}
	if sc.s.Status() == session.Blocked {
		add(3, scene.wayOut)
	}
	add(1, scene.spoiltLink, scene.nonsense)
	return list
}

// link draws a new Action for a group of the session.
func (sc scene) link() session.Command { return sc.newAction() }

// newAction is link, with the type that it has.
func (sc scene) newAction() session.Link {
	groups := slices.Collect(sc.s.Groups())
	admitted := sample(sc, "group", groups).Type().Admits()
	return session.Link{
		Resource: sc.resource(sample(sc, "type", admitted)),
		Inputs:   sc.inputs(attempt.Digest{}),
	}
}

// retry draws another attempt for any Action, blocking or not.
func (sc scene) retry() session.Command {
	return sc.nextAttempt(sample(sc, "action", sc.actions))
}

// nextAttempt draws a retry of an Action with inputs that were changed.
func (sc scene) nextAttempt(c attempt.Chain) session.Link {
	main := c.Main()
	return session.Link{
		Resource:          sc.resource(main.Resource.Type),
		Inputs:            sc.inputs(main.Inputs),
		PreviousAttemptID: main.Resource.ID,
	}
}

// news draws a report that a resource can follow.
func (sc scene) news() session.Command {
	r := sample(sc, "action", sc.actions).Main().Resource
	return sc.observe(r, gaps().Draw(sc.T, "later by"), func(s action.Status) bool {
		return r.Type.Machine().Reaches(r.Status, s)
	})
}

// success draws the report that an Action is complete, if one can still be.
func (sc scene) success() session.Command {
	r := sc.action(func(c attempt.Chain) bool {
		r := c.Main().Resource
		return !r.Status.IsComplete() && len(successes(r)) > 0
	}).Main().Resource
	return sc.observe(r, time.Second+gaps().Draw(sc.T, "later by"), func(s action.Status) bool {
		return slices.Contains(successes(r), s)
	})
}

// successes returns the complete statuses that a resource can reach.
func successes(r action.Resource) []action.Status {
	return slices.DeleteFunc(r.Type.Machine().States(), func(s action.Status) bool {
		return !s.IsComplete() || !r.Type.Machine().Reaches(r.Status, s)
	})
}

// oldNews draws a report of what is known, or was: of earlier times, and of
// previous attempts.
func (sc scene) oldNews() session.Command {
	r := sc.attempt(sc.action(wasRetried)).Resource
	earlier := gaps().Draw(sc.T, "earlier by")
	return sc.observe(r, -earlier, func(s action.Status) bool { return earlier > 0 || s == r.Status })
}

// contradiction draws a report that a resource cannot follow, if there is one.
func (sc scene) contradiction() session.Command {
	r := sample(sc, "action", sc.actions).Main().Resource
	machine := r.Type.Machine()
	later := time.Second + gaps().Draw(sc.T, "later by")
	return sc.observe(r, later, func(s action.Status) bool { return !machine.Reaches(r.Status, s) })
}

// observe draws a report of one of the statuses that fit, or else of the
// present one.
func (sc scene) observe(r action.Resource, after time.Duration, fits func(action.Status) bool) session.Observe {
	statuses := slices.DeleteFunc(r.Type.Machine().States(), func(s action.Status) bool { return !fits(s) })
	if len(statuses) == 0 {
		statuses = []action.Status{r.Status}
	}
	return session.Observe{
		ResourceID: r.ID, Status: sample(sc, "status", statuses), AsOf: action.Seconds(r.AsOf.Add(after)),
	}
}

// event draws an event that a status allows, if there is one.
func (sc scene) event() session.Command {
	r := sc.action(func(c attempt.Chain) bool {
		r := c.Main().Resource
		return !slices.Contains(r.Type.Machine().Terminal(), r.Status)
	}).Main().Resource
	events := slices.Collect(r.Type.Machine().Allowed(r.Status))
	if len(events) == 0 {
		return sc.wrongEvent()
	}
	return session.Transition{ResourceID: r.ID, Event: sample(sc, "event", events), At: sc.after(r)}
}

// oldEvent draws an event from before the last that is known of a resource.
func (sc scene) oldEvent() session.Command {
	r := sc.attempt(sample(sc, "action", sc.actions)).Resource
	var events []action.Event
	for _, row := range r.Type.Machine().Rows() {
		events = append(events, row.Event)
	}
	earlier := time.Second + gaps().Draw(sc.T, "earlier by")
	return session.Transition{
		ResourceID: r.ID, Event: sample(sc, "event", events), At: action.Seconds(r.AsOf.Add(-earlier)),
	}
}

// wrongEvent draws an event that a status does not allow, be it one of other
// statuses or one of other types (ACT-3).
func (sc scene) wrongEvent() session.Command {
	r := sample(sc, "action", sc.actions).Main().Resource
	events := slices.DeleteFunc(action.Events(), func(e action.Event) bool {
		return r.Type.Machine().Can(r.Status, e)
	})
	return session.Transition{ResourceID: r.ID, Event: sample(sc, "event", events), At: sc.after(r)}
}

// resolve draws a resolution of any Action.
func (sc scene) resolve() session.Command {
	return session.Resolve{
		ResourceID: sample(sc, "action", sc.actions).Main().Resource.ID,
		Reason:     sample(sc, "reason", []string{"", "seen in person", "vu «en personne» 🙂\n", strings.Repeat("é", attempt.MaxReason)}),
		By:         sample(sc, "by", []string{"", "kim@example.com"}),
	}
}

// wayOut takes one of the ways that a blocked session names, with what only
// the host knows filled in.
func (sc scene) wayOut() session.Command {
	b := sample(sc, "blocker", sc.s.Blockers())
	switch c := sample(sc, "way out", b.WaysOut).Command.(type) {
	case session.Link:
		main, _ := sc.s.Action(c.PreviousAttemptID)
		c.Resource = sc.resource(c.Resource.Type)
		c.Inputs = sc.inputs(main.Main().Inputs)
		return c
	case session.Resolve:
		c.Reason, c.By = "seen in person", "kim@example.com"
		return c
	case session.Transition:
		c.At = sc.after(b.Resource)
		return c
	default:
		panic(fmt.Sprintf("sessiontest: %T is no way out", c))
	}
}

// resource draws a resource that the session does not have yet. Providers tell
// in which workspace it lives, or do not.
func (sc scene) resource(t action.Type) action.Resource {
	r := resources(newID(sc.s, sc.actions), t, sc.now).Draw(sc.T, "resource")
	if rapid.Bool().Draw(sc.T, "tells its workspace") {
		r.WorkspaceID = sc.s.WorkspaceID()
	}
	return r
}

// inputs draws a digest that is not the one. There are few of them, so that
// those of an earlier attempt come back (ATT-6 allows it).
func (sc scene) inputs(not attempt.Digest) attempt.Digest {
	digester := attempt.NewDigester(sc.s.ID(), nil)
	for n := rapid.IntRange(1, 3).Draw(sc.T, "inputs"); ; n++ {
		d, err := digester.Digest(map[string]int{"try": n})
		if err != nil {
			panic(err) // it is an object
		}
		if d != not {
			return d
		}
	}
}

// attempt draws one of the attempts of an Action.
func (sc scene) attempt(c attempt.Chain) attempt.Attempt {
	var all []attempt.Attempt
	for _, a := range c.Attempts() {
		all = append(all, a)
	}
	return sample(sc, "attempt", all)
}

// after returns a time at which an event is not stale.
func (sc scene) after(r action.Resource) time.Time {
	if now := action.Seconds(sc.now); now.After(r.AsOf) {
		return now
	}
	return r.AsOf
}

// action draws an Action that has a property, or any if none has it.
func (sc scene) action(has func(attempt.Chain) bool) attempt.Chain {
	fit := slices.DeleteFunc(slices.Clone(sc.actions), func(c attempt.Chain) bool { return !has(c) })
	if len(fit) == 0 {
		fit = sc.actions
	}
	return sample(sc, "action", fit)
}

// wasRetried tells of an Action that it has previous attempts, which are
// frozen.
func wasRetried(c attempt.Chain) bool { return c.Len() > 1 }

// canBeRetried tells of an Action that it may have another attempt, if it has
// not had too many.
func canBeRetried(c attempt.Chain) bool {
	_, resolved := c.Resolution()
	return !resolved && c.Main().Resource.Status.IsBlocking()
}

// sample draws one of several values.
func sample[E any](sc scene, what string, values []E) E {
	return rapid.SampledFrom(values).Draw(sc.T, what)
}

// actions returns the Actions of all groups.
func actions(s session.Session) []attempt.Chain {
	var list []attempt.Chain
	for g := range s.Groups() {
		list = slices.AppendSeq(list, g.Actions())
	}
	return list
}

// newID returns an id that no resource of the session has, and that none of a
// session of another name is given.
func newID(s session.Session, actions []attempt.Chain) string {
	n := 1
	for _, c := range actions {
		n += c.Len()
	}
	prefix := s.ID()
	if len(prefix) > action.MaxIDBytes/2 {
		sum := sha256.Sum256([]byte(prefix))
		prefix = hex.EncodeToString(sum[:])
	}
	for ; ; n++ {
		id := fmt.Sprintf("%s.%d", prefix, n)
		if _, taken := s.Action(id); !taken {
			return id
		}
	}
}

// otherTypes returns the resource types that a session has no group for.
func otherTypes(s session.Session) []action.Type {
	return slices.DeleteFunc(action.Types(), func(t action.Type) bool {
		_, admitted := s.Group(group.TypeOf(t))
		return admitted
	})
}
