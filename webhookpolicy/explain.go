package webhookpolicy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Timeline is what happened to a delivery and what comes next, for people: as
// data for a page of a host's own, and by String as a text.
type Timeline struct {
	EventID        string
	SubscriptionID string
	Created        time.Time
	State          State
	Reason         Reason // of the cancellation
	// Calls are those that were made and counted, oldest first (WHK-3).
	Calls []Entry
	// FailedProbes were made besides and did not count; LastProbe is how the
	// last of them ended (WHK-8).
	FailedProbes int
	LastProbe    Outcome
	// Next is the call that comes next, and CallsLeft how many can still be
	// made with it; both are zero after the end.
	Next      Entry
	CallsLeft int
}

// Entry is one call in a timeline, made or to be made.
type Entry struct {
	Number  int           // what the call says of itself (WHK-6)
	At      time.Time     // when it began; for the next one, when it falls due
	After   time.Duration // from the creation of the delivery to At
	Timeout time.Duration // what the policy grants (WHK-2)
	Outcome Outcome       // zero for the next one
}

// Explain returns what happened at each call for a delivery, and what comes
// next by a policy. What the subscription or the endpoint may yet prevent, it
// does not know. Of the zero Delivery it tells nothing.
func Explain(d Delivery, p Policy) Timeline {
	t := Timeline{
		EventID: d.eventID, SubscriptionID: d.subscriptionID, Created: d.created,
		State: d.state, Reason: d.reason,
	}
	entry := func(number int, at time.Time, o Outcome) Entry {
		return Entry{number, at, at.Sub(d.created), p.Timeout(number), o}
	}
	for number, o := range d.Calls() {
		t.Calls = append(t.Calls, entry(number, o.Began, o))
	}
	t.FailedProbes, t.LastProbe = d.Probes()
	if left := 1 + p.retries() - d.Number(); !d.IsZero() && !d.state.IsEnd() && left > 0 {
		t.Next, t.CallsLeft = entry(d.Number(), d.due, Outcome{}), left
	}
	return t
}

// Timetable returns the timeline of a delivery that is created at start, to an
// endpoint that no suspension holds up (WHK-3). The n-th outcome, from 0 on, is
// how the call of that number ends; the last one goes for all further calls, and
// without any every call ends in a time-out. Of the times of an outcome only the
// difference matters, how long the call took: a time-out without one takes all
// that the policy grants.
//
// It is Decide itself, asked in virtual time: what it tells is what will happen.
func Timetable(p Policy, autoRetry bool, start time.Time, outcomes ...Outcome) Timeline {
	d := NewDelivery("", "", start) // String passes over ids that are not there
	t := terms{enabled: true, autoRetry: autoRetry}
	now := d.due
	for !d.state.IsEnd() {
		decision := decide(&p, t, &Health{}, &d, &Outcome{}, now)
		if decision.Verdict != Call {
			now = decision.At
			continue
		}
		o := Outcome{Result: TimedOut}
		if last := len(outcomes) - 1; last >= 0 {
			o = outcomes[min(d.Number(), last)]
		}
		took := o.Took()
		if o.Result == TimedOut && took == 0 {
			took = decision.Timeout
		}
		o.Began, o.Ended = now, now.Add(took)
		decide(&p, t, &Health{}, &d, &o, o.Ended)
	}
	return Explain(d, p)
}

// String returns the timeline as a text, one line for each call: its number, when
// it began, how long that is after the delivery was created, and how it ended.
// What comes next, or how the delivery ended, stands in the last line.
//
//	event 8f14e45f to subscription 3c59dc04: waiting
//	  0  2025-09-22T14:30:00Z  0 s          timed out after 1 s
//	  1  2025-09-22T14:32:01Z  2 min 1 s    due, with 10 s to answer; 8 calls left
func (t Timeline) String() string {
	var b strings.Builder
	if t.EventID != "" {
		fmt.Fprintf(&b, "event %s to subscription %s: %s\n", printable(t.EventID), printable(t.SubscriptionID), t.ending())
	}
	// Ends of calls stand below each other, however long the times before are.
	width := len(spell(t.Next.After))
	for _, e := range t.Calls {
		width = max(width, len(spell(e.After)))
	}
	line := func(e Entry, what string) {
		fmt.Fprintf(&b, "  %d  %s  %-*s  %s\n", e.Number, e.At.UTC().Format(time.RFC3339), width, spell(e.After), what)
	}
	for _, e := range t.Calls {
		line(e, e.Outcome.String())
	}
	if t.FailedProbes > 0 {
		fmt.Fprintf(&b, "  %s did not count; the last one, at %s: %s\n", plural(t.FailedProbes, "failed probe"),
			t.LastProbe.Began.Format(time.RFC3339), t.LastProbe)
	}
	switch {
	case t.CallsLeft == 0:
		fmt.Fprintf(&b, "  %s\n", t.ending())
	case t.State == Parked:
		line(t.Next, fmt.Sprintf("due, but not before the endpoint is released; %s left", plural(t.CallsLeft, "call")))
	default:
		line(t.Next, fmt.Sprintf("due, with %s to answer; %s left", spell(t.Next.Timeout), plural(t.CallsLeft, "call")))
	}
	return b.String()
}

// ending says where the delivery stands, with the reason if there is one.
func (t Timeline) ending() string {
	if t.State == Canceled {
		return fmt.Sprintf("canceled: %s", t.Reason)
	}
	return t.State.String()
}

// plural counts things whose plural is regular.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// spell writes a duration as the spec does: "96 h 38 min", "1.5 s", "230 ms".
// Days are left in hours, as the schedule is told.
func spell(d time.Duration) string {
	if d < 0 {
		return "-" + spell(-max(d, -1<<62))
	}
	var parts []string
	if h := d / time.Hour; h > 0 {
		parts = append(parts, fmt.Sprintf("%d h", h))
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		parts = append(parts, fmt.Sprintf("%d min", m))
	}
	switch rest := d % time.Minute; {
	case rest == 0 && len(parts) > 0:
	case rest > 0 && rest < time.Second && len(parts) == 0:
		parts = append(parts, fraction(rest, time.Millisecond)+" ms")
	default:
		parts = append(parts, fraction(rest, time.Second)+" s")
	}
	return strings.Join(parts, " ")
}

// fraction writes d in a unit with as many decimals as it has, up to a
// millionth of a second.
func fraction(d, unit time.Duration) string {
	n := float64(d.Truncate(time.Microsecond)) / float64(unit)
	return strconv.FormatFloat(n, 'f', -1, 64)
}
