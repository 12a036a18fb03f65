package transcript

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// moment writes a time for people. Everything is in UTC, whatever the zone of
// whoever reads it: a transcript is quoted to others. No time is "".
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// heading puts a title to the left and the time to the right, where a column of
// times forms down the transcript. Without a title the time is the title.
func (pg *page) heading(title string, at time.Time) {
	when := moment(at)
	switch {
	case title == "" && when == "":
		return
	case title == "":
		title, when = when, ""
	}
	left := width - len(when)
	for _, part := range wrap(title, left-2) {
		if when == "" {
			pg.add(span{part, bold})
			continue
		}
		pg.add(span{pad(part, left), bold}, span{when, dim})
		when = ""
	}
}

// field is a label and its value.
type field struct{ label, value string }

// command says what is asked for. An id has a line of its own, as far as it
// can: ids are looked for, and copied.
func (pg *page) command(s Step) {
	switch c := s.Command.(type) {
	case nil:
	case session.Create:
		pg.fields(field{"create", c.ID}, field{"name", c.Name},
			field{"template", c.Template.Name}, field{"", c.Template.ID},
			field{"workspace", cmp.Or(c.WorkspaceID, s.Session.WorkspaceID())})
	case session.Link:
		inputs := field{} // digests tell people nothing, but that one is missing does
		if c.Inputs.IsZero() {
			inputs = field{"inputs", "not told"}
		}
		pg.fields(field{"link", c.Resource.ID + ": " + c.Resource.Status.String()},
			field{"type", c.Resource.Type.String()}, field{"after", c.PreviousAttemptID}, inputs)
	case session.Transition:
		at := field{"at", moment(c.At)} // mostly that of the step, which stands above
		if action.Seconds(c.At).Equal(action.Seconds(s.At)) {
			at = field{}
		}
		pg.fields(field{"transition", c.ResourceID + ": " + c.Event.String()}, at)
	case session.Observe:
		pg.fields(field{"observe", c.ResourceID + ": " + c.Status.String()}, field{"as of", moment(c.AsOf)})
	case session.Resolve:
		pg.fields(field{"resolve", c.ResourceID}, field{"by", c.By}, field{"reason", c.Reason})
	default:
		pg.fields(field{"command", fmt.Sprintf("%T", c)})
	}
}

// fields adds what has a value, and the first in any case: it says which
// command it is.
func (pg *page) fields(list ...field) {
	for i, f := range list {
		if f.value != "" || i == 0 {
			pg.item(f.label, plain, Visible(f.value))
		}
	}
}

// outcome says why a step changed nothing. Of one that did, the table tells.
// An outcome that is no error is not written as one: a host that sees stale
// webhooks has nothing to repair.
func (pg *page) outcome(s Step) {
	if s.Err != nil {
		for _, err := range split(s.Err) {
			pg.refused(s.Command, err)
		}
		return
	}
	switch s.Change.Outcome {
	case action.Taken:
	case action.Duplicate:
		pg.item("duplicate", yellow, "it is known already (ACT-4)")
	case action.Stale:
		pg.item("stale", yellow, Visible(known(s)))
	case action.Frozen:
		pg.item("frozen", yellow, Visible(frozen(s)))
	}
}

// refused writes one error. The command stands above, and so its ids are not
// repeated; another subject is named. What a [session.Refusal] is wrapped in,
// such as a failed save, says nothing that matters to people; other errors are
// written in full.
func (pg *page) refused(c session.Command, err error) {
	var r *session.Refusal
	if !errors.As(err, &r) {
		pg.item("failed", red, Visible(err.Error()))
		return
	}
	_, what, found := strings.Cut(r.Op, ": ")
	if !found {
		what = r.Op
	}
	if r.Subject != "" && !slices.Contains(ids(c), r.Subject) {
		what += " of " + r.Subject
	}
	pg.item("refused", red, Visible(fmt.Sprintf("%s: %s (%s)", what, r.Reason, r.Rule)))
	if len(r.Allowed) > 0 {
		pg.item("allowed", plain, Visible(strings.Join(r.Allowed, ", ")))
	}
}

// ids returns the ids that a command names, the one that it is about first.
func ids(c session.Command) []string {
	switch c := c.(type) {
	case session.Create:
		return []string{c.ID, c.Template.ID}
	case session.Link:
		return []string{c.Resource.ID, c.PreviousAttemptID}
	case session.Transition:
		return []string{c.ResourceID}
	case session.Observe:
		return []string{c.ResourceID}
	case session.Resolve:
		return []string{c.ResourceID}
	default:
		return []string{""}
	}
}

// split takes apart what [errors.Join] joined, as [session.Template.Check]
// does, and nothing else: other errors that hold several say more than those.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	parts := joined.Unwrap()
	if again := errors.Join(parts...); again != nil && again.Error() == err.Error() {
		return parts
	}
	return []error{err}
}

// known says what is known that a stale report came after.
func known(s Step) string {
	chain, ok := s.Session.Action(ids(s.Command)[0])
	if !ok {
		return "something later is known (ACT-4)"
	}
	r := chain.Main().Resource
	return fmt.Sprintf("it is known to be %s as of %s (ACT-4)", r.Status, moment(r.AsOf))
}

// frozen says where the resource of a previous attempt stands.
func frozen(s Step) string {
	id := ids(s.Command)[0]
	chain, _ := s.Session.Action(id)
	for n, a := range chain.Attempts() {
		if a.Resource.ID == id {
			return fmt.Sprintf("attempt %d of %d was replaced, and stays %s (ATT-9)", n, chain.Len(), a.Resource.Status)
		}
	}
	return "it is a previous attempt, and stays as it was (ATT-9)"
}

// announcements lists what subscribers hear.
func (pg *page) announcements(c session.Change) {
	label := "announced"
	for _, a := range c.Announcements() {
		text := a.Name
		if a.GroupType != 0 {
			text = pad(text, len("workflow_action_group.blocked  ")) + a.GroupType.String()
		}
		pg.item(label, cyan, text)
		label = ""
	}
}

// blockers lists what blocks a session, and the ways out. The type is left out:
// the id leads to it in the table above.
func (pg *page) blockers(s session.Session) {
	for _, b := range s.Blockers() {
		pg.item("blocked by", red, Visible(fmt.Sprintf("%s, %s (attempt %d)",
			b.Resource.ID, b.Resource.Status, b.Attempt)))
		label := "ways out"
		if len(b.WaysOut) == 1 {
			label = "way out"
		}
		for _, w := range b.WaysOut {
			pg.item(label, plain, w.String())
			label = ""
		}
	}
}
