package transcript

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

// The columns of the table, behind the margin. An id of 36 characters, the
// length of a UUID, fits between the number of its attempt and the status; the
// longest status fits before the note, and the longest note before the end of
// the line.
const (
	columnID     = 10
	columnStatus = 48
	columnNote   = 63
)

// table adds the table of a session to a page, unless it is the one that was
// shown last: of many steps that change nothing, what they say of themselves
// is what matters.
//
// Lines that the last table did not have are marked. Lines are compared as
// texts; those that matter hold the id of a resource, and are never alike.
func (p *Printer) table(pg *page, s session.Session) (shown bool) {
	rows := rowsOf(s)
	now := make([]string, len(rows))
	for i, r := range rows {
		now[i] = text(r)
	}
	again := p.shownID == s.ID()
	if again && slices.Equal(now, p.shown) {
		pg.item("session", plain, "as it was: "+s.Status().String())
		return false
	}
	pg.blank()
	for i, r := range rows {
		mark := "    "
		if again && !slices.Contains(p.shown, now[i]) {
			mark = "  > "
		}
		pg.add(slices.Insert(r, 0, span{mark, bold})...)
	}
	pg.blank()
	p.shown, p.shownID = now, s.ID()
	return true
}

// rowsOf returns the lines of a session's table.
func rowsOf(s session.Session) [][]span {
	name := s.Name()
	if name == "" {
		name = s.ID() // abbreviated documents leave the name out
	}
	rows := row("", bold, Visible(name), statusSpan(s.Status()), "")
	for g := range s.Groups() {
		rows = append(rows, row("  ", plain, g.Type().String(), statusSpan(g.Status()), "")...)
		for c := range g.Actions() {
			rows = append(rows, []span{{"    " + c.Main().Resource.Type.String(), plain}})
			rows = append(rows, attemptRows(c)...)
		}
	}
	return rows
}

// attemptRows returns the lines of an Action, oldest attempt first, so that the
// one that counts stands last and time runs downwards, as between steps.
func attemptRows(c attempt.Chain) [][]span {
	var rows [][]span
	resolution, resolved := c.Resolution()
	for n, a := range c.Attempts() {
		r := a.Resource
		status, idStyle, note := span{r.Status.String(), resourceStyle(r.Status)}, plain, ""
		switch {
		case n < c.Len():
			// Its status is history: it must not look like one that blocks.
			status.style, idStyle, note = dim, dim, "frozen"
		case r.Status == action.Deleted:
			idStyle, note = dim, "not counted"
		case resolved:
			status.style, note = dim, "resolved"
		}
		number := pad("      #"+strconv.Itoa(n), columnID)
		rows = append(rows, row(number, idStyle, Visible(r.ID), status, note)...)
	}
	if resolved {
		said := "on " + moment(resolution.At)
		if resolution.By != "" {
			said += " by " + resolution.By
		}
		if resolution.Reason != "" {
			said += ": " + resolution.Reason
		}
		for _, part := range wrap(Visible(said), width-margin-columnID) {
			rows = append(rows, []span{{strings.Repeat(" ", columnID) + part, green}})
		}
	}
	return rows
}

// row returns the lines of a name, a status and a note in their columns. A name
// that is too long goes on below, under its beginning: nothing is cut, since
// ids that differ in what was cut would look the same.
func row(lead string, s style, name string, status span, note string) [][]span {
	var rows [][]span
	for i, part := range wrap(name, columnStatus-2-len(lead)) {
		if i > 0 {
			rows = append(rows, []span{{strings.Repeat(" ", len(lead)) + part, s}})
			continue
		}
		status.text = pad(status.text, columnNote-columnStatus)
		rows = append(rows, []span{{pad(lead+part, columnStatus), s}, status, {note, dim}})
	}
	return rows
}

func statusSpan(s session.Status) span {
	switch s {
	case session.Blocked:
		return span{s.String(), red}
	case session.Ongoing:
		return span{s.String(), yellow}
	case session.Done:
		return span{s.String(), green}
	default:
		return span{s.String(), dim}
	}
}

func resourceStyle(s action.Status) style {
	switch {
	case s.IsBlocking():
		return red
	case s.IsComplete():
		return green
	case s == action.Deleted:
		return dim
	default:
		return yellow
	}
}

// about says what a table does not: whose it is, and since when.
func (pg *page) about(s session.Session) {
	list := []field{
		{"session", s.ID()}, {"template", s.TemplateID()}, {"workspace", s.WorkspaceID()},
		{"created", moment(s.CreatedAt())}, {"updated", moment(s.UpdatedAt())},
	}
	switch n := s.VerificationsUsed(); n {
	case 0:
	case 1:
		list = append(list, field{"used", "1 verification"})
	default:
		list = append(list, field{"used", fmt.Sprintf("%d verifications", n)})
	}
	pg.fields(list...)
}
