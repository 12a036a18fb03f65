package trace

import (
	"errors"

	"github.com/sluicego/sluice/session"
)

// verdict is what the rules say to a command.
type verdict struct {
	refused bool
	rule    string // that refuses it
	reason  string // why, as a clause
	// also is another rule that may be named as well: where a resource stands
	// in another session, a host whose store says so comes to that last.
	also string
}

// String returns the verdict, or what the system under test did, as findings
// show it.
func (v verdict) String() string {
	switch {
	case !v.refused:
		return "accepted"
	case v.rule == "":
		return "refused"
	default:
		return "refused by " + v.rule
	}
}

// command gives a command to the rules, and compares what they say with what
// the system under test did.
func (c *checker) command(e *entry) error {
	l, err := c.sessions.get(e.session)
	if err != nil {
		return err
	}
	v, err := c.judge(e, l)
	if err != nil {
		return err
	}
	told := e.command.refused
	did := verdict{refused: told.yes, rule: told.rule}
	switch {
	case !told.given:
		if v.refused {
			c.summary.Untold++
		}
		return nil
	case v.refused == did.refused && (did.rule == "" || did.rule == v.rule || did.rule == v.also):
		return nil
	}
	rule := v.rule
	if rule == "" {
		rule = did.rule
	}
	if rule == "" {
		rule = usualRules[e.command.name]
	}
	return c.found(e, KindCommand, Finding{
		Rule: rule, Subject: subjectOf(e), Expected: v.String(), Reason: reasonOf(v, e), Seen: did.String(),
	})
}

// reasonOf says why the rules refuse a command, which knows its names that are
// not listed as none.
func reasonOf(v verdict, e *entry) string {
	if e.command.unlisted != "" && (v.rule == "RES-6" || v.rule == "ACT-3") {
		return e.command.unlisted
	}
	return clip(v.reason)
}

// usualRules are the rules by which commands are accepted.
var usualRules = map[string]string{
	"create": "SES-1", "link": "SES-4", "transition": "ACT-3", "observe": "ACT-4", "resolve": "RSL-2",
}

// subjectOf says what a command is about.
func subjectOf(e *entry) string {
	id := string(e.observe.resource)
	switch c := e.command.value.(type) {
	case session.Link:
		id = c.Resource.ID
	case session.Transition:
		id = c.ResourceID
	case session.Resolve:
		id = c.ResourceID
	}
	if id == "" {
		return e.command.name
	}
	return e.command.name + " of " + clip(id)
}

// The verdicts on a session that is there, or is not, against SES-1.
var (
	existing = verdict{refused: true, rule: "SES-1", reason: "it exists already"}
	absent   = verdict{refused: true, rule: "SES-1", reason: "it was never created"}
)

// judge applies a command by the rules. The error is that of the checker, not
// of the command.
func (c *checker) judge(e *entry, l *live) (verdict, error) {
	create, isCreate := e.command.value.(session.Create)
	switch {
	case e.fault.rule != "":
		switch exists := l != nil; {
		case exists && e.command.name == "create":
			return existing, nil
		case !exists && e.command.name != "create":
			return absent, nil
		}
		return verdict{refused: true, rule: e.fault.rule, reason: e.fault.reason}, nil
	case isCreate:
		return c.create(e, l, create)
	case l == nil:
		return absent, nil
	case e.command.name == "observe":
		id, _ := c.sessions.in(l, e.observe.resource)
		return ruled(c.do(e, l, session.Observe{ResourceID: id, Status: e.observe.status, AsOf: e.observe.asOf}))
	case e.command.name == "link":
		return c.link(e, l)
	default:
		return ruled(c.do(e, l, e.command.value))
	}
}

// ruled makes a verdict of what a command led to.
func ruled(err error) (verdict, error) {
	refusal := refusalOf(err)
	if refusal == nil {
		return verdict{}, err
	}
	return verdict{refused: true, rule: refusal.Rule, reason: refusal.Reason}, nil
}

// create creates a session.
func (c *checker) create(e *entry, l *live, command session.Create) (verdict, error) {
	if id := e.command.templateID; id != "" {
		t, told, err := c.templateOf(id)
		if err != nil {
			return verdict{}, err
		}
		if !told {
			e.command.refused = refused{} // there is nothing to compare it with
			return verdict{}, c.found(e, KindUnreadable, Finding{
				Seen: "template_id: no line before told a template " + clip(id),
			})
		}
		command.Template = t
	}
	var before session.Session
	if l != nil {
		before = l.Session
	}
	next, _, err := session.Apply(before, command, e.at)
	if err != nil {
		return ruled(err)
	}
	c.sessions.add(next)
	c.summary.Sessions++
	return verdict{}, nil
}

// link links a resource, which may stand in another session (ATT-12).
func (c *checker) link(e *entry, l *live) (verdict, error) {
	command, ok := e.command.value.(session.Link)
	if !ok {
		return verdict{}, errors.New("trace: a link that is none")
	}
	id := command.Resource.ID
	owner, err := c.sessions.ownerID(id)
	if err != nil {
		return verdict{}, err
	}
	if owner != "" && owner != l.ID() {
		_, _, err := session.Apply(l.Session, command, e.at)
		v, err := ruled(err)
		// SES-4 comes behind ATT-12 (ATT-13).
		if !v.refused || v.rule == "SES-4" {
			v = verdict{refused: true, rule: "ATT-12", reason: "it stands in session " + owner, also: v.rule}
		}
		return v, err
	}
	v, err := ruled(c.do(e, l, command))
	if err == nil && !v.refused {
		c.sessions.linked(l, id)
	}
	return v, err
}
