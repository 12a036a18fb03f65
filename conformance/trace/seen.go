package trace

import (
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// seen compares what was shown of a session with what the rules say.
func (c *checker) seen(e *entry) error {
	l, err := c.sessions.get(e.session)
	if err != nil {
		return err
	}
	v := viewer{c: c, e: e, l: l}
	switch {
	case l == nil:
		return c.unknownSession(e, KindSeen, "one")
	case e.fault.rule != "":
		v.differ(e.fault.rule, "document", "that of a session", e.fault.reason)
	case e.seen.document != nil:
		v.document(e.seen.document)
	default:
		v.short(&e.seen)
	}
	return v.err
}

// viewer looks at a session as it was shown.
type viewer struct {
	c   *checker
	e   *entry
	l   *live
	err error // of the first report that failed
}

// differ reports a difference.
func (v *viewer) differ(rule, subject, expected, seen string) {
	if v.err == nil {
		v.err = v.c.found(v.e, KindSeen, Finding{Rule: rule, Subject: subject, Expected: expected, Seen: clip(seen)})
	}
}

// same reports a difference between a text that was shown, if it was, and what
// it should be.
func (v *viewer) same(rule, subject string, shown *string, want string) {
	if shown != nil && *shown != want {
		v.differ(rule, subject, want, *shown)
	}
}

// groupRules are the rules of the statuses of a group.
var groupRules = map[group.Status]string{
	group.Awaiting: "GRP-1", group.Blocked: "GRP-2", group.Done: "GRP-3", group.Ongoing: "GRP-4",
}

// short compares the short form.
func (v *viewer) short(s *seenEntry) {
	if want := v.l.Status().String(); s.status != nil && string(s.status) != want {
		v.differ("SES-2", "status", want, string(s.status))
	}
	for _, p := range s.groups {
		t := groupTypes[string(p.name)]
		g, ok := v.l.Group(t)
		switch {
		case !ok:
			v.differ("SES-1", "group "+string(p.name), "no such group", string(p.value))
		case string(p.value) != g.Status().String():
			v.differ(groupRules[g.Status()], "group "+t.String(), g.Status().String(), string(p.value))
		}
	}
	for _, p := range s.resources {
		id, ok := v.c.sessions.in(v.l, p.name)
		if !ok {
			v.differ("SES-4", "resource "+id, "no such resource", string(p.value))
			continue
		}
		want, rule := statusOf(v.l.Session, id)
		if string(p.value) != want.String() {
			v.differ(rule, "resource "+id, want.String(), string(p.value))
		}
	}
}

// statusOf returns the status of a resource, and the rule that it follows: the
// newest attempt follows its provider, the others are frozen.
func statusOf(s session.Session, resourceID string) (action.Status, string) {
	chain, _ := s.Action(resourceID)
	if main := chain.Main().Resource; main.ID == resourceID {
		return main.Status, "ACT-4"
	}
	for _, a := range chain.Attempts() {
		if a.Resource.ID == resourceID {
			return a.Resource.Status, "ATT-9"
		}
	}
	return 0, "ACT-4"
}

// document compares a document of the public API.
func (v *viewer) document(d *document) {
	s, shown := v.l.Session, &d.shown
	v.same("SES-1", "id", &shown.ID, s.ID())
	v.same("SES-2", "status", shown.Status, s.Status().String())
	v.same("SES-11", "name", shown.Name, s.Name())
	v.same("SES-3", "workspace", shown.WorkspaceID, s.WorkspaceID())
	v.same("SES-1", "template", shown.TemplateID, s.TemplateID())
	v.sameTime("SES-1", "created_at", shown.CreatedAt, d.session.CreatedAt(), s.CreatedAt())
	v.sameTime("SES-8", "updated_at", shown.UpdatedAt, d.session.UpdatedAt(), s.UpdatedAt())
	mains := mainsOf(d.session, d.shown.Groups)
	wanted := mainsOf(s, nil)
	i := 0
	for g := range d.session.Groups() {
		if _, ok := s.Group(g.Type()); !ok {
			v.differ("SES-1", "group "+g.Type().String(), "no such group", "one")
		}
		v.extra(g, wanted)
		i++
	}
	for g := range s.Groups() {
		v.group(g, d, mains)
	}
}

// sameTime compares a time that was shown, if it was.
func (v *viewer) sameTime(rule, subject string, text *string, shown, want time.Time) {
	if text != nil && !shown.Equal(want) {
		v.differ(rule, subject, want.Format(time.RFC3339), *text)
	}
}

// shownMain is an Action that is found by its main resource.
type shownMain struct {
	chain attempt.Chain
	shown shownAction
}

// mainsOf lists the Actions of a session by their main resources.
func mainsOf(s session.Session, shown []shownGroup) map[string]shownMain {
	m := map[string]shownMain{}
	i := 0
	for g := range s.Groups() {
		j := 0
		for chain := range g.Actions() {
			a := shownMain{chain: chain}
			if shown != nil {
				a.shown = shown[i].Actions[j]
			}
			m[chain.Main().Resource.ID] = a
			j++
		}
		i++
	}
	return m
}

// extra reports the Actions of a group that was shown which are none. An older
// attempt in the place of the newest is reported with that.
func (v *viewer) extra(g session.Group, wanted map[string]shownMain) {
	for chain := range g.Actions() {
		id := chain.Main().Resource.ID
		if _, ok := wanted[id]; ok {
			continue
		}
		if _, ok := v.c.sessions.in(v.l, []byte(id)); !ok {
			v.differ("SES-4", "resource "+id, "no action with it", "one in group "+g.Type().String())
		}
	}
}

// group compares a group with what was shown of it.
func (v *viewer) group(g session.Group, d *document, mains map[string]shownMain) {
	t := g.Type()
	i := 0
	for other := range d.session.Groups() {
		if other.Type() == t {
			break
		}
		i++
	}
	if i == len(d.shown.Groups) {
		v.differ("SES-1", "group "+t.String(), g.Status().String(), "none")
		return
	}
	shown := d.shown.Groups[i]
	v.same(groupRules[g.Status()], "group "+t.String(), shown.Status, g.Status().String())
	if shown.Actions == nil {
		return
	}
	for chain := range g.Actions() {
		id := chain.Main().Resource.ID
		if other, ok := mains[id]; ok {
			v.action(chain, other)
			continue
		}
		v.missing(chain, mains)
	}
}

// missing reports an Action that was not shown, or with an older attempt.
func (v *viewer) missing(chain attempt.Chain, mains map[string]shownMain) {
	id := chain.Main().Resource.ID
	for _, a := range chain.Attempts() {
		if _, ok := mains[a.Resource.ID]; ok {
			v.differ("ATT-8", "main resource of the action", id, a.Resource.ID)
			return
		}
	}
	v.differ("SES-4", "resource "+id, "an action with it", "none")
}

// action compares an Action with what was shown of it.
func (v *viewer) action(want attempt.Chain, seen shownMain) {
	r, shown := want.Main().Resource, seen.chain.Main().Resource
	if shown.Type != r.Type {
		v.differ("RES-1", "type of resource "+r.ID, r.Type.String(), shown.Type.String())
		return
	}
	if shown.Status != r.Status {
		v.differ("ACT-4", "resource "+r.ID, r.Status.String(), shown.Status.String())
	}
	if seen.shown.PreviousAttempts != nil {
		v.previous(want, seen.chain)
	}
	if seen.shown.Resolution != nil {
		v.resolution(want, seen)
	}
}

// previous compares the previous attempts of an Action.
func (v *viewer) previous(want, seen attempt.Chain) {
	wantIDs, seenIDs := idsOf(want), idsOf(seen)
	id := want.Main().Resource.ID
	if wantIDs != seenIDs {
		v.differ("ATT-8", "attempts before resource "+id, wantIDs, seenIDs)
		return
	}
	statuses := make([]action.Status, 0, want.Len())
	for _, a := range want.Attempts() {
		statuses = append(statuses, a.Resource.Status)
	}
	for n, a := range seen.Attempts() {
		if n < want.Len() && a.Resource.Status != statuses[n-1] {
			v.differ("ATT-9", "resource "+a.Resource.ID, statuses[n-1].String(), a.Resource.Status.String())
		}
	}
}

// idsOf lists the resources of the previous attempts.
func idsOf(c attempt.Chain) string {
	var ids []string
	for n, a := range c.Attempts() {
		if n < c.Len() {
			ids = append(ids, a.Resource.ID)
		}
	}
	if ids == nil {
		return "none"
	}
	return strings.Join(ids, ", ")
}

// resolution compares the resolution of an Action.
func (v *viewer) resolution(want attempt.Chain, seen shownMain) {
	subject := "resolution of resource " + want.Main().Resource.ID
	w, resolved := want.Resolution()
	s, shown := seen.chain.Resolution()
	r := seen.shown.resolution()
	switch {
	case resolved && !shown:
		v.differ("RSL-4", subject, "one", "none")
	case !resolved && shown:
		v.differ("RSL-4", subject, "none", "one")
	case resolved:
		if r.Reason != nil && s.Reason != w.Reason {
			v.differ("RSL-4", "reason of the "+subject, orNone(w.Reason), orNone(s.Reason))
		}
		if r.ResolvedAt != nil && !s.At.Equal(w.At) {
			v.differ("RSL-4", "time of the "+subject, w.At.Format(time.RFC3339), s.At.Format(time.RFC3339))
		}
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
