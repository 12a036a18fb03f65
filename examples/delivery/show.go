package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// clock tells times as they would be if all went as slowly as the rules have it.
type clock struct {
	origin time.Time
	speed  int
}

// since returns how far the story is at a time.
func (c clock) since(t time.Time) time.Duration { return c.stretch(t.Sub(c.origin)) }

func (c clock) stretch(d time.Duration) time.Duration { return d * time.Duration(c.speed) }

// narrator tells what happens. It is the delivery.Observer of the sender, and has
// what it needs of the log besides.
type narrator struct {
	mu    sync.Mutex
	out   io.Writer
	clock clock
	doors endpoints
	told  map[string]bool // notes are told once
}

// CallBegins implements delivery.Observer.
func (n *narrator) CallBegins(ctx context.Context, c delivery.CallInfo) (context.Context, func(delivery.CallEnd)) {
	return ctx, func(e delivery.CallEnd) { n.called(c, e) }
}

// called tells how a call ended.
func (n *narrator) called(c delivery.CallInfo, e delivery.CallEnd) {
	what := fmt.Sprintf("call %d:", c.Number)
	if c.Probe {
		what = "probe: "
	}
	answer, follows := n.answer(e.Outcome), n.follows(c, e)
	if e.Err != nil {
		answer, follows = "broken off", "it is made again"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.line(c.SubscriptionID, fmt.Sprintf("%-20s  %s %s: %s", event(c.EventName, c.EventID), what, answer, follows))
	for _, note := range notes {
		if e.Err == nil && note.on(c, e) {
			n.note(note.text)
		}
	}
}

// answer says how a call ended, but not how long it took: that is not to be
// stretched.
func (n *narrator) answer(o webhookpolicy.Outcome) string {
	return webhookpolicy.Outcome{Result: o.Result, Status: o.Status, RetryAfter: n.clock.stretch(o.RetryAfter)}.String()
}

// follows says what the sender does next.
func (n *narrator) follows(c delivery.CallInfo, e delivery.CallEnd) string {
	switch e.Decision.Verdict {
	case webhookpolicy.Wait:
		return "next call in " + spell(n.clock.stretch(e.Decision.At.Sub(e.Outcome.Ended)))
	case webhookpolicy.Park:
		if c.Probe {
			return "stays parked"
		}
		return "parked"
	case webhookpolicy.Done:
		return "delivered"
	case webhookpolicy.Exhaust:
		return "given up"
	case webhookpolicy.Cancel:
		return "canceled, " + e.Decision.Reason.String()
	default:
		return "nothing"
	}
}

// notes say what a newcomer does not know, when it happens for the first time.
var notes = []struct {
	on   func(delivery.CallInfo, delivery.CallEnd) bool
	text string
}{
	{func(c delivery.CallInfo, e delivery.CallEnd) bool {
		return c.SubscriptionID != "desk" && c.Number == 0 && e.Decision.Verdict == webhookpolicy.Wait
	}, `WHK-3: what fails is called again, up to 8 times: 2 min, 6 min, 30 min, 1 h,
5 h, 18 h, 24 h and 48 h after the call before. All have the same event id.`},
	{func(c delivery.CallInfo, e delivery.CallEnd) bool {
		return c.SubscriptionID == "desk" && c.Number == 0 && e.Decision.Verdict == webhookpolicy.Wait
	}, `WHK-5: auto_retry is off here. But a first call has little time, so one that
timed out gets one retry all the same.`},
	{func(c delivery.CallInfo, e delivery.CallEnd) bool {
		return c.SubscriptionID == "desk" && e.Decision.Verdict == webhookpolicy.Exhaust
	}, `WHK-4: auto_retry is off here, and this was no time-out: there is no retry.`},
	{func(_ delivery.CallInfo, e delivery.CallEnd) bool {
		return e.Outcome.Success() && e.Outcome.Status >= 300
	}, `WHK-1: a redirect is a success, and nobody is sent there.`},
	{func(_ delivery.CallInfo, e delivery.CallEnd) bool {
		return e.Outcome.Result == webhookpolicy.BodyTooLong
	}, `WHK-13: the status counts. Of the body, a gzip bomb, no more than 16 KiB are read.`},
	{func(_ delivery.CallInfo, e delivery.CallEnd) bool { return e.Outcome.RetryAfter > 0 },
		`WHK-13: Retry-After puts the next call off, by 24 h at most, and never forward.`},
	{func(_ delivery.CallInfo, e delivery.CallEnd) bool { return e.Outcome.Status == http.StatusGone },
		`WHK-13: 410 is a failure like others, unless Policy.GoneEnds says otherwise.`},
	{func(c delivery.CallInfo, e delivery.CallEnd) bool { return c.Probe && !e.Outcome.Success() },
		`WHK-8: a probe that fails does not count: the call keeps its number. The time to
the next probe doubles, up to 6 h.`},
	{func(c delivery.CallInfo, e delivery.CallEnd) bool {
		return c.Number == webhookpolicy.MaxRetries && e.Decision.Verdict == webhookpolicy.Exhaust
	}, `WHK-3: that was the ninth call. The delivery is a dead letter now.`},
}

// say tells what is no call.
func (n *narrator) say(who, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.line(who, text)
}

func (n *narrator) heading(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.print("\n%s\n\n", text)
}

// line prints a line with its time. The lock is held.
func (n *narrator) line(who, text string) {
	t := n.clock.since(time.Now()).Truncate(time.Second)
	n.print("%d d %02d:%02d:%02d  %-8s  %s\n", t/day, t%day/time.Hour, t%time.Hour/time.Minute, t%time.Minute/time.Second, who, text)
}

// note prints what has not been told. The lock is held.
func (n *narrator) note(text string) {
	if n.told[text] {
		return
	}
	if n.told == nil {
		n.told = map[string]bool{}
	}
	n.told[text] = true
	n.print("                       | %s\n", strings.ReplaceAll(text, "\n", "\n                       | "))
}

// print prints. If that fails, the story goes on without listeners.
func (n *narrator) print(format string, args ...any) { _, _ = fmt.Fprintf(n.out, format, args...) }

// intro says who is there.
func (n *narrator) intro() {
	n.print("A host onboards customers. Four subscribers are told of their sessions, at\ntwo receivers:\n\n")
	for _, d := range n.doors {
		n.print("  %-7s  %s\n", d.id, d.about)
	}
	if n.clock.speed == 1 {
		n.print("\nThe whole story takes four days; -fast has it in a minute.\n\n")
		return
	}
	n.print("\nAll goes %d times as fast as the rules have it, and times are shown as they\n"+
		"would have been. Calls and the queue are no faster: half a second of theirs seems\nto be %s.\n\n",
		n.clock.speed, spell(n.clock.stretch(time.Second/2)))
}

// listed prints a delivery of a list.
func (n *narrator) listed(d delivery.Delivery) {
	text := d.State().String()
	switch d.State() {
	case webhookpolicy.Pending, webhookpolicy.Waiting:
		text = fmt.Sprintf("call %d in %s", d.Number(), spell(max(n.clock.stretch(time.Until(d.Due())), 0)))
	case webhookpolicy.Parked:
		text = fmt.Sprintf("call %d, parked until the endpoint is released", d.Number())
	case webhookpolicy.Exhausted:
		text = fmt.Sprintf("given up, calls made: %d", d.Number())
	default:
	}
	n.print("  %-7s  %-20s  %s\n", d.SubscriptionID(), event(d.EventName, d.EventID()), text)
}

// story prints the timeline of a delivery, in the times of the story.
func (n *narrator) story(s delivery.Story) {
	t := s.Timeline
	at := func(t time.Time) time.Time { return n.clock.origin.Add(n.clock.since(t)) }
	t.Created = at(t.Created)
	for i := range t.Calls {
		c := &t.Calls[i]
		c.At, c.After = at(c.At), n.clock.stretch(c.After).Truncate(time.Second)
		c.Outcome.Began, c.Outcome.Ended = time.Time{}, time.Time{} // how long it took is not to be stretched
		c.Outcome.RetryAfter = n.clock.stretch(c.Outcome.RetryAfter)
	}
	n.print("%s", t)
}

// logHandler tells what is in the log and not in the calls: an endpoint that is
// suspended, or released, and what goes wrong with the deliverer itself.
type logHandler struct{ *narrator }

func (h logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (h logHandler) WithAttrs([]slog.Attr) slog.Handler               { return h }
func (h logHandler) WithGroup(string) slog.Handler                    { return h }

func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	who, attrs := "", ""
	r.Attrs(func(a slog.Attr) bool {
		for _, d := range h.doors {
			if a.Key == "host" && strings.Contains(d.url, a.Value.String()) {
				who = d.id
			}
		}
		attrs += fmt.Sprintf(" %s", a)
		return true
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case r.Message == "endpoint suspended":
		h.line(who, "SUSPENDED")
		h.note(`WHK-8: too many retried calls failed. The endpoint is called no more, and what
falls due is parked. Now and then the oldest delivery may try: a probe.`)
	case r.Message == "endpoint released by a probe":
		h.line(who, "RELEASED by a probe")
		h.note(`WHK-8: what was parked goes out, oldest first, 10 in a second.`)
	case r.Level >= slog.LevelError:
		h.line(who, r.Message+attrs)
	}
	return nil
}

const day = 24 * time.Hour

// spell writes a duration in its two largest units.
func spell(d time.Duration) string {
	units := []struct {
		length time.Duration
		name   string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	d = d.Round(time.Second)
	var parts []string
	for _, u := range units {
		if count := d / u.length; count > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", count, u.name))
		}
		d %= u.length
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts, " ")
}

// event names an event of a delivery in short.
func event(name webhookpolicy.EventName, id string) string {
	return short(string(name)) + " " + id[:min(4, len(id))]
}

func short(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "workflow_"), "action_")
}
