// Package transcript tells people what happens to sessions, step by step: in a
// command line, in a log, in the golden file of a test.
//
// A [Step] is one command and what came of it. A [Printer] writes it: the
// command in words, or the refusal with its reason; the session as a table;
// what was announced; and, when the session is blocked, what blocks it and
// every way out.
//
//	Her photo cannot be read                                 2025-09-22 14:32:00 UTC
//	    observe     79a291fc: failed
//	    as of       2025-09-22 14:31:58 UTC
//
//	  > Onboarding of Kelly Smith                       blocked
//	  >   identity_verification                         blocked
//	        identity_document_verification
//	  >       #1  79a291fc                              failed
//	      signature_request                             awaiting
//
//	    announced   workflow_action_group.blocked  identity_verification
//	                workflow_session.blocked
//	    blocked by  79a291fc, failed (attempt 1)
//	    ways out    retry with changed inputs (9 attempts left)
//	                resolve by hand, if it was checked outside
//
// A line of the table that is new since the table before is marked with >. A
// table that says nothing new is left out.
//
// # Where to use it
//
// In a command line, give the Printer standard output, and colour if that is a
// terminal and NO_COLOR is not set. In a host, give it what the log is written
// to, at the one place where commands come out of [session.Update], refused ones
// included. In a test, give it a buffer: the transcript of a story, kept in a
// golden file, shows in a review what a change of the code changes for people.
//
// # What can be relied on
//
// The text is for people: it may change in any version. Within one it depends
// on nothing but the steps, so that golden files hold. No line has more than
// 80 characters, whatever the names. Names, ids and reasons come from
// outside: whatever in them could move a cursor, colour a line or begin a new
// one is written as Go escapes it, so that a session cannot draw on the
// terminal of whoever looks at it.
package transcript

import (
	"io"
	"time"

	"github.com/sluicego/sluice/session"
)

// Step is something that happened to a session, or was tried. Whatever is zero
// is left out.
type Step struct {
	// Title says what happened, in the host's words.
	Title string
	// At is the time that came with the command.
	At time.Time
	// Command is what was asked; nil if nothing was.
	Command session.Command

	// Session is what [session.Apply] or [session.Update] returned: the session
	// afterwards, which is that of before when the command was refused.
	Session session.Session
	// Change is what they returned with it.
	Change session.Change
	// Err is the error that they returned. One that holds a [*session.Refusal]
	// is told as a refusal, with its reason and its rule, any other as a failure.
	Err error
}

// Printer writes steps. It remembers the table that it wrote last, and so is
// for one goroutine; a host whose handlers run side by side gives each its own.
// The methods make one call of Write each, so that steps do not mix in a log
// that several Printers share, and return the error of that call.
type Printer struct {
	W     io.Writer
	Color bool // whether to use the colours of an ANSI terminal

	// The table that was shown last, without colours, and whose it was.
	shown   []string
	shownID string
}

// Heading begins a part of the transcript.
func (p *Printer) Heading(title string) error {
	var pg page
	for _, part := range wrap(Visible(title), width) {
		pg.add(span{part, bold})
		pg.add(span{rule(part), bold})
	}
	pg.blank()
	return p.print(pg)
}

// Text writes a paragraph. Line breaks and indentation in it are those of a
// source file and mean nothing.
func (p *Printer) Text(text string) error {
	var pg page
	for _, part := range wrap(Visible(unindent(text)), width) {
		pg.add(span{part, plain})
	}
	pg.blank()
	return p.print(pg)
}

// Step writes a step.
func (p *Printer) Step(s Step) error {
	var pg page
	pg.heading(Visible(s.Title), s.At)
	pg.command(s)
	pg.outcome(s)
	if !s.Session.IsZero() {
		shown := p.table(&pg, s.Session)
		pg.announcements(s.Change)
		if shown {
			pg.blockers(s.Session)
		}
	}
	pg.blank()
	return p.print(pg)
}

// Session writes how a session stands, when nothing happened to it: all about
// it, and what keeps it blocked. Statuses that a document showed wrongly, as
// [session.ParseDocument] lists them, are written as well.
func (p *Printer) Session(s session.Session, wrong ...session.Mismatch) error {
	var pg page
	pg.about(s)
	for _, m := range wrong {
		pg.item("mismatch", red, m.String())
	}
	p.shownID = "" // whoever asks for a table gets it
	p.table(&pg, s)
	pg.blockers(s)
	if s.Status() != session.Blocked {
		pg.item("blocked by", plain, "nothing")
	}
	pg.blank()
	return p.print(pg)
}

// print writes a page in one go.
func (p *Printer) print(pg page) error {
	_, err := io.WriteString(p.W, pg.render(p.Color))
	return err
}
