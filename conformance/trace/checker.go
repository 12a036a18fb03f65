package trace

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// checker replays the lines of a trace, in their order.
type checker struct {
	options   Options
	report    func(Finding) error
	sessions  *sessions
	templates map[string]session.Template
	diverged  divergence
	summary   Summary

	// due lists what became due, for the end: it is nil unless that is asked.
	due *dueList
}

func newChecker(o Options, report func(Finding) error) *checker {
	c := &checker{options: o, report: report, sessions: newSessions(o), templates: map[string]session.Template{}}
	c.diverged = divergence{in: c.sessions, first: map[[sha256.Size]byte]int{}}
	if o.Announcements {
		c.due = &dueList{dir: o.TempDir}
	}
	return c
}

func (c *checker) close() error { return errors.Join(c.sessions.spill.close(), c.due.close()) }

// found reports a finding of a line. What cannot be read follows from nothing,
// but a session may differ from then on, since nobody knows what it was told.
func (c *checker) found(e *entry, k Kind, f Finding) error {
	f.Line, f.Kind, f.Session = e.line, k, string(e.session)
	if f.Session != "" {
		// To announce changes nothing of a session.
		first, err := c.diverged.since(e.session, e.line, k != KindAnnounced && k != KindOwed)
		if err != nil {
			return err
		}
		if first < e.line && k != KindUnreadable {
			f.Follows = first
		}
	}
	c.summary.Findings++
	c.summary.Diverged = c.diverged.count
	return c.report(f)
}

// apply checks a line.
func (c *checker) apply(e *entry) error {
	c.summary.Lines++
	var err error
	switch e.kind {
	case lineBlank:
		return nil
	case lineUnreadable:
		return c.found(e, KindUnreadable, Finding{Seen: e.problem})
	case lineTemplate:
		c.summary.Templates++
		err = c.template(e)
	case lineCommand:
		c.summary.Commands++
		err = c.command(e)
	case lineWebhook:
		c.summary.Webhooks++
		err = c.webhook(e)
	case lineSeen:
		c.summary.Seen++
		err = c.seen(e)
	case lineAnnounced:
		c.summary.Announced++
		err = c.announced(e)
	}
	if err != nil {
		return err
	}
	return c.sessions.trim()
}

// template keeps a template for the creates that name it.
func (c *checker) template(e *entry) error {
	if e.told == nil {
		return c.found(e, KindTemplate, Finding{
			Rule: e.fault.rule, Subject: "template", Expected: "one that sessions can be created from", Seen: e.fault.reason,
		})
	}
	// A template that is told again is another one from then on.
	c.templates[e.told.ID] = *e.told
	if len(c.templates) < maxTemplates {
		return nil
	}
	for id, t := range c.templates {
		text, err := json.Marshal(t)
		if err == nil {
			err = c.sessions.spill.put(c.sessions.keyOf(spilledTemplate, []byte(id)), text)
		}
		if err != nil {
			return err
		}
	}
	clear(c.templates)
	return nil
}

// templateOf returns the template of an id, and whether it was told.
func (c *checker) templateOf(id string) (t session.Template, found bool, err error) {
	if t, found = c.templates[id]; found {
		return t, true, nil
	}
	text, found, err := c.sessions.spill.get(c.sessions.keyOf(spilledTemplate, []byte(id)))
	if err == nil && found {
		err = json.Unmarshal(text, &t)
	}
	return t, found, err
}

// webhook checks what a provider reported: it cannot contradict what was known
// (ACT-4).
func (c *checker) webhook(e *entry) error {
	o := &e.observe
	if !o.moves {
		c.summary.PassedOver++
		return nil
	}
	l, err := c.sessions.owner(o.resource)
	if err != nil {
		return err
	}
	if l == nil {
		c.summary.PassedOver++
		return nil
	}
	id, _ := c.sessions.in(l, o.resource)
	err = c.do(e, l, session.Observe{ResourceID: id, Status: o.status, AsOf: o.asOf})
	refusal := refusalOf(err)
	if refusal == nil {
		return err
	}
	e.session = []byte(l.ID())
	expected := "no such report"
	if len(refusal.Allowed) > 0 {
		expected = strings.Join(refusal.Allowed, " or ")
	}
	return c.found(e, KindWebhook, Finding{
		Rule: refusal.Rule, Subject: "resource " + id, Expected: expected,
		Seen: string(o.text) + " by " + string(o.event),
	})
}

// do applies a command to a live session, and notes what follows from it.
func (c *checker) do(e *entry, l *live, command session.Command) error {
	next, change, err := session.Apply(l.Session, command, e.at)
	if err != nil || len(change.Events) == 0 {
		return err
	}
	l.Session, l.changed = next, true
	for _, kind := range l.owed.add(change, e.line) {
		if err := c.due.add(e.line, kind, l.ID()); err != nil {
			return err
		}
	}
	return nil
}

// refusalOf returns the refusal that an error is.
func refusalOf(err error) *action.Refusal {
	var refusal *action.Refusal
	if err == nil || !errors.As(err, &refusal) {
		return nil
	}
	return refusal
}

// unknownSession reports that a line is of a session that there is not.
func (c *checker) unknownSession(e *entry, k Kind, seen string) error {
	return c.found(e, k, Finding{Rule: "SES-1", Subject: "session", Expected: "none of this id", Seen: seen})
}

// announced checks that an announcement was owed (SES-7).
func (c *checker) announced(e *entry) error {
	l, err := c.sessions.get(e.session)
	if err != nil {
		return err
	}
	if l == nil {
		return c.unknownSession(e, KindAnnounced, e.owed.String())
	}
	if !l.owed.pay(e.owed) {
		return c.found(e, KindAnnounced, Finding{
			Rule: "SES-7", Subject: e.owed.String(), Expected: "none that is not owed", Seen: "one",
		})
	}
	l.changed = true
	return nil
}

// end reports what is still owed.
func (c *checker) end() error {
	return c.due.each(func(line int, kind owedKind, id []byte) error {
		owed, err := c.sessions.owedBy(id)
		if err != nil {
			return err
		}
		// What was paid, or is owed anew since, has another line.
		i := owed.index(kind)
		if i < 0 || owed[i].since != line {
			return nil
		}
		return c.found(&entry{line: line, session: id}, KindOwed, Finding{
			Rule: "SES-7", Subject: kind.String(), Expected: "it from this line on",
			Seen: fmt.Sprintf("none until the end (%d missing)", owed[i].count),
		})
	})
}

// dueList is a temporary file of what became due, in the order of the lines.
// Nil lists nothing.
type dueList struct {
	dir  string
	file *tempFile
	w    *bufio.Writer
	b    []byte
}

func (d *dueList) add(line int, kind owedKind, id string) error {
	if d == nil {
		return nil
	}
	if d.file == nil {
		var err error
		if d.file, err = newTempFile(d.dir); err != nil {
			return err
		}
		d.w = bufio.NewWriter(d.file)
	}
	d.b = binary.AppendUvarint(d.b[:0], uint64(line)) //nolint:gosec // a line is not negative
	d.b = append(d.b, byte(kind))
	d.b = binary.AppendUvarint(d.b, uint64(len(id)))
	d.b = append(d.b, id...)
	_, err := d.w.Write(d.b)
	return err
}

// each reads the list.
func (d *dueList) each(do func(line int, kind owedKind, id []byte) error) error {
	if d == nil || d.file == nil {
		return nil
	}
	if err := d.w.Flush(); err != nil {
		return err
	}
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReader(d.file)
	for {
		line, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		kind, err2 := r.ReadByte()
		size, err3 := binary.ReadUvarint(r)
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		id := make([]byte, size)
		if _, err := io.ReadFull(r, id); err != nil {
			return err
		}
		if err := do(int(line), owedKind(kind), id); err != nil { //nolint:gosec // add wrote it
			return err
		}
	}
}

func (d *dueList) close() error {
	if d == nil {
		return nil
	}
	return d.file.close()
}
