package session

import (
	"errors"
	"fmt"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// ErrHistory is what every [*HistoryError] unwraps to.
var ErrHistory = errors.New("session: broken history")

// HistoryError says which event of a session cannot have happened.
type HistoryError struct {
	SessionID string
	Version   int // that the event has or should have
	Reason    string
	Err       error // what refuses the event; may be nil
}

// Error names the session and the event.
func (e *HistoryError) Error() string {
	text := fmt.Sprintf("session: history of %s, event %d: %s", e.SessionID, e.Version, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns ErrHistory and, if there is one, what refuses the event.
func (e *HistoryError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrHistory}
	}
	return []error{ErrHistory, e.Err}
}

// Replay returns the session that a history leads to, from its creation on.
// The time that it takes is linear in the number of events.
//
// It holds every event against the rules, as Apply did when the event was new,
// and refuses with a [*HistoryError] a history in which an event is missing,
// out of order, of another session, forbidden, or says that statuses moved
// where they did not.
func Replay(events []Event) (Session, error) {
	var r replayer
	r.makeRoom(events)
	for i, e := range events {
		if err := r.take(i+1, e); err != nil {
			return Session{}, err
		}
	}
	return r.s, nil
}

// replayer owns its session and knows the place of every resource, so that no
// event costs more than another.
type replayer struct {
	s      Session
	places map[string]place
	room   [1 << 8]int // for how many Actions, by the type of their group
}

// makeRoom looks at how much there will be, so that nothing has to grow.
func (r *replayer) makeRoom(events []Event) {
	resources := 0
	for i := range events {
		if linked, ok := events[i].Fact.(Linked); ok {
			resources++
			if linked.PreviousAttemptID == "" {
				r.room[events[i].GroupType]++
			}
		}
	}
	r.places = make(map[string]place, resources)
}

// broken returns a HistoryError about an event that is due as the given version.
func broken(e Event, version int, err error, format string, args ...any) error {
	return &HistoryError{e.SessionID, version, fmt.Sprintf(format, args...), err}
}

// take checks what stands around the fact of an event, makes the fact true, and
// compares what that moved with what the event says.
func (r *replayer) take(version int, e Event) error {
	_, isCreation := e.Fact.(Created)
	switch {
	case e.Version != version:
		return broken(e, version, nil, "its version is %d", e.Version)
	case isCreation != (version == 1):
		return broken(e, version, nil,
			"a history has one creation, its first event; this one is %s", nameOf(e.Fact))
	case version > 1 && e.SessionID != r.s.id:
		return broken(e, version, nil, "the history is that of session %s", r.s.id)
	}
	if e.Fact == nil {
		return broken(e, version, nil, "it has no fact")
	}
	if reason := action.CheckTime(e.At); reason != "" {
		return broken(e, version, nil, "%s", reason)
	}
	again, err := r.apply(version, e)
	if err != nil {
		return err
	}
	if again.GroupType != e.GroupType || again.Group != e.Group || again.Session != e.Session {
		return broken(e, version, nil,
			"it says that group %s moved %v and the session %v; the rules say %s %v and %v",
			e.GroupType, e.Group, e.Session, again.GroupType, again.Group, again.Session)
	}
	return nil
}

// apply makes the fact of an event true and returns the event that tells of it.
func (r *replayer) apply(version int, e Event) (Event, error) {
	var again Event
	if created, ok := e.Fact.(Created); ok {
		if err := created.check(e.SessionID); err != nil {
			return Event{}, broken(e, version, err, "created is forbidden")
		}
		r.s, again = begin(e.SessionID, created, e.At)
		for i := range r.s.groups {
			g := &r.s.groups[i]
			g.actions = make([]attempt.Chain, 0, r.room[g.typ])
		}
		return again, nil
	}
	linked, isLink := e.Fact.(Linked)
	if isLink {
		if _, taken := r.places[linked.Resource.ID]; taken {
			return Event{}, broken(e, version, ErrResourceTaken, "%s is linked twice", linked.Resource.ID)
		}
	}
	if w := linked.Resource.WorkspaceID; w != "" && w != r.s.workspaceID {
		return Event{}, broken(e, version, r.s.refuseWorkspace(linked.Resource), "linked is forbidden")
	}
	var p place
	found := false
	if id := subject(e.Fact); id != "" {
		p, found = r.places[id]
	}
	next, outcome, err := r.s.step(e.Fact, p, found, e.At)
	if err != nil {
		return Event{}, broken(e, version, err, "%s is forbidden", nameOf(e.Fact))
	}
	if outcome != action.Taken {
		return Event{}, broken(e, version, nil, "%s tells nothing new: it is %s", nameOf(e.Fact), outcome)
	}
	if isLink {
		r.places[linked.Resource.ID] = next.place
	}
	return r.s.install(next, e.Fact, e.At), nil
}

// check holds a creation against the rules that Create is held against.
func (f Created) check(sessionID string) error {
	for _, id := range []string{sessionID, f.WorkspaceID} {
		if reason := action.CheckID(id); reason != "" {
			return Session{id: sessionID}.refuse("create", "SES-11", action.ErrInvalidID, "%s", reason)
		}
	}
	return Template{ID: f.TemplateID, Name: f.Name, ActionGroups: f.Groups}.Check()
}

// nameOf is for errors, which meet events without a fact too.
func nameOf(f Fact) string {
	if f == nil {
		return "no fact"
	}
	return f.factName()
}
