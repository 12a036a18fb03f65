// Package trace holds the recorded trace of a system against the rules.
//
// A trace says, line by line, what a system under test was told and what it did
// and showed: commands, webhooks of providers, sessions as they were shown, and
// announcements. [Check] replays it by the rules and reports every line that
// they do not allow: a status that is another, a command that was refused where
// it should have been accepted, an announcement too many.
//
//	summary, err := trace.Check(file, trace.Options{}, func(f trace.Finding) error {
//		fmt.Println(f) // line 812: session s1: group identity_verification (GRP-2): expected blocked, seen ongoing
//		return nil
//	})
//
// After a finding the replay goes on from what the rules say, never from what
// was seen: one mistake is told where it is made, and again wherever it shows,
// with the line in which the session diverged.
//
// The format of a trace stands in conformance/TRACE.md.
//
// # Memory
//
// A trace may be of any length, and have any number of sessions. Those that
// were mentioned last are kept in memory, the others in a temporary file, from
// which they are read when they are mentioned again. What is in memory is
// bounded by [Options], and by the length of the longest line.
package trace

import (
	"errors"
	"fmt"
	"io"
	"runtime"
)

// The limits where [Options] name none.
const (
	DefaultMaxLine     = 16 << 20 // bytes of a line
	DefaultMaxSessions = 768      // sessions in memory
	DefaultMaxBytes    = 4 << 20  // bytes of sessions in memory, about
)

// ErrStop is what a report returns to end a check that shall not fail.
var ErrStop = errors.New("trace: stop")

// Options say how a trace is checked. The zero Options are the usual ones.
type Options struct {
	// Announcements: an announcement that is owed and never made is a finding
	// (SES-7). It is for traces that record all that were made.
	Announcements bool
	// MaxLine is how many bytes a line has at most, DefaultMaxLine for 0. A
	// longer one is unreadable, and is passed over without being kept.
	MaxLine int
	// MaxSessions and MaxBytes say how many sessions stay in memory, by number
	// and by their approximate size; the defaults for 0. One always does.
	MaxSessions, MaxBytes int
	// TempDir is where the temporary files are made, [os.TempDir] for "". They
	// are made only if the sessions in memory become too many.
	TempDir string
	// Workers is how many goroutines read lines, as many as there are
	// processors for 0. What is found does not depend on it.
	Workers int
}

// withDefaults fills in what is left out.
func (o Options) withDefaults() Options {
	orDefault := func(n *int, usual int) {
		if *n <= 0 {
			*n = usual
		}
	}
	orDefault(&o.MaxLine, DefaultMaxLine)
	orDefault(&o.MaxSessions, DefaultMaxSessions)
	orDefault(&o.MaxBytes, DefaultMaxBytes)
	orDefault(&o.Workers, min(runtime.GOMAXPROCS(0), 8))
	return o
}

// Kind says what a finding is about.
type Kind string

// The kinds of findings: one for each kind of line, one for what cannot be
// read, and one for what is missing at the end.
const (
	KindUnreadable Kind = "unreadable" // a line that is none of a trace
	KindTemplate   Kind = "template"   // a template that no session can be created from
	KindCommand    Kind = "command"    // accepted or refused against the rules
	KindWebhook    Kind = "webhook"    // a report that contradicts those before it
	KindSeen       Kind = "seen"       // something else was shown
	KindAnnounced  Kind = "announced"  // an announcement that was not owed
	KindOwed       Kind = "owed"       // an announcement that was never made
)

// Finding is one thing that the rules do not allow.
type Finding struct {
	Line    int    `json:"line"` // from 1 on
	Kind    Kind   `json:"kind"`
	Session string `json:"session,omitempty"` // "" if the line names none
	// Rule is the id of the rule in the spec, "" if the line is unreadable.
	Rule     string `json:"rule,omitempty"`
	Subject  string `json:"subject,omitempty"` // "group identity_verification"
	Expected string `json:"expected,omitempty"`
	// Reason is why the rules refuse a command, "" if they do not.
	Reason string `json:"reason,omitempty"`
	Seen   string `json:"seen"` // of an unreadable line: what is wrong with it
	// Follows is the line in which the session diverged, if that is before this
	// one, which may then come of it: the line of its first finding that is not
	// about an announcement. It is 0 otherwise, and of an unreadable line.
	Follows int `json:"follows,omitempty"`
}

// String returns the finding in a line that reads well alone. It holds whatever
// stands in the trace, control characters included.
func (f Finding) String() string { return fmt.Sprintf("line %d: %s", f.Line, f.Message()) }

// Message is String without the number of the line.
func (f Finding) Message() string {
	if f.Kind == KindUnreadable {
		return "unreadable: " + f.Seen
	}
	expected := f.Expected
	if f.Reason != "" {
		expected += " (" + f.Reason + ")"
	}
	text := fmt.Sprintf("%s (%s): expected %s, seen %s", f.Subject, f.Rule, expected, f.Seen)
	if f.Session != "" {
		text = "session " + f.Session + ": " + text
	}
	if f.Follows != 0 {
		text += fmt.Sprintf(" (follows line %d)", f.Follows)
	}
	return text
}

// Summary counts what was checked.
type Summary struct {
	Lines      int `json:"lines"` // blank ones included
	Templates  int `json:"templates"`
	Commands   int `json:"commands"`
	Webhooks   int `json:"webhooks"`
	PassedOver int `json:"passed_over"` // webhooks that move no resource of any session
	Seen       int `json:"seen"`
	Announced  int `json:"announced"`
	Sessions   int `json:"sessions"` // that were created
	Findings   int `json:"findings"`
	// Diverged counts the sessions with findings that are not about
	// announcements alone, also those that the rules do not know.
	Diverged int `json:"diverged"`
	// Untold counts the commands that the rules refuse, of which the trace does
	// not say what the system did.
	Untold int `json:"untold"`
	// Stopped says that report ended the check: nothing is known of what
	// follows.
	Stopped bool `json:"stopped"`
}

// String returns the summary in a sentence without an end.
func (s Summary) String() string {
	text := fmt.Sprintf("%s in %s: %s, %s (%d passed over), %s, %s, %s",
		count(s.Findings, "finding"), count(s.Lines, "line"), count(s.Commands, "command"),
		count(s.Webhooks, "webhook"), s.PassedOver, count(s.Seen, "look"),
		count(s.Announced, "announcement"), count(s.Sessions, "session"))
	if s.Diverged > 0 {
		text += "; " + count(s.Diverged, "session") + " diverged"
	}
	if s.Untold > 0 {
		text += "; " + count(s.Untold, "command") + " refused by the rules, of which the trace does not say what the system did"
	}
	if s.Stopped {
		text += "; stopped there: what follows was not checked"
	}
	return text
}

// count puts a number before a noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Check replays a trace and reports what the rules do not allow, in the order
// of the lines; what is owed comes behind everything else.
//
// An error of report ends the check and is returned, but for [ErrStop], which
// ends it alone. Otherwise the error is that of reading the trace, or of the
// temporary files; findings are no error. The summary is of what was checked
// until then.
//
// Lines are read ahead. A check that ends early returns when the Read of r that
// is under way does.
func Check(r io.Reader, o Options, report func(Finding) error) (Summary, error) {
	c := newChecker(o.withDefaults(), report)
	err := c.run(r)
	if closed := c.close(); err == nil {
		err = closed
	}
	if errors.Is(err, ErrStop) {
		c.summary.Stopped, err = true, nil
	}
	return c.summary, err
}
