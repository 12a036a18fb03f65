package attempt_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/fsm"
)

// model is a chain as the sentences of the spec have it: a list of tries, each
// of a few words, and what somebody said of them. Nothing in it is shared and
// nothing is clever.
//
// What an observation does to a resource is not a rule of this package; there
// the model asks package action.
type model struct {
	tries    []modelTry // oldest first
	resolved string     // what was said, "" if nobody did
}

type modelTry struct {
	id, typ, status, inputs string
	asOf                    int // seconds
}

func (m model) main() modelTry { return m.tries[len(m.tries)-1] }

// number is the number of the attempt that a resource stands in; 0 for none.
func (m model) number(id string) int {
	for i, try := range m.tries {
		if try.id == id {
			return i + 1
		}
	}
	return 0
}

// Words of the rules.
var (
	notFinal = []string{"pending", "awaiting_data", "draft", "approval", "ongoing", "paused"} // ATT-1
	success  = []string{"verified", "done"}                                                   // ATT-2
	settable = []string{"pending", "awaiting_data", "failed", "inconclusive"}                 // RSL-2
)

// modelRetry is a retry in words.
type modelRetry struct {
	replaces  string
	next      modelTry
	elsewhere string
}

// broken is every rule that a retry breaks, in the order of ATT-13.
func (m model) broken(r modelRetry) []string {
	main, next := m.main(), r.next
	var rules []string
	for _, rule := range []struct {
		id     string
		broken bool
	}{
		{"ATT-3", m.resolved != ""},
		{"ATT-2", slices.Contains(success, main.status)},
		{"ATT-1", slices.Contains(notFinal, main.status) || main.status == "deleted"},
		{"ATT-8", r.replaces != main.id},
		{"ATT-5", len(m.tries) == 10},
		{"ATT-4", next.typ != main.typ},
		{"ATT-6", next.inputs == main.inputs || next.inputs == "" || main.inputs == ""},
		{"ATT-12", m.number(next.id) > 0 || r.elsewhere != ""},
		{"SES-4", next.status == "deleted"},
	} {
		if rule.broken {
			rules = append(rules, rule.id)
		}
	}
	return rules
}

// eventsOf lists the events of ACT-1 or ACT-2.
func eventsOf(typ string) []string {
	switch {
	case typ == signature:
		return []string{
			"activated", "activated_for_approval", "approved", "rejected", "done", "declined", "canceled",
			"expired", "reactivated", "reactivated_for_approval", "paused", "resumed", "deleted", "permanently_deleted",
		}
	case strings.HasSuffix(typ, "document_analysis"):
		return []string{"data_received", "done", "failed", "inconclusive"}
	case typ == "identity_video_verification" || typ == "watchlist_verification":
		return []string{"verified", "failed", "inconclusive"}
	default:
		return []string{"data_received", "verified", "failed", "inconclusive"}
	}
}

// retry is the model with one try more.
func (m model) retry(r modelRetry) model {
	m.tries = append(slices.Clone(m.tries), r.next)
	return m
}

// follow is the model after move happened to one of its resources, and the
// outcome, or the rule that refuses.
func (m model) follow(id string, move func(action.Resource) (action.Resource, action.Outcome, error)) (model, string) {
	n := m.number(id)
	if n == 0 {
		return m, "SES-12"
	}
	next, outcome, err := move(m.tries[n-1].resource())
	var event *fsm.EventError[action.Status, action.Event]
	foreign := errors.As(err, &event) && !slices.Contains(eventsOf(m.tries[0].typ), event.Event.String())
	if refused := ruleOf(err); refused == "RES-6" || foreign {
		return m, refused // no resource of the type has such a status or event
	} else if n < len(m.tries) {
		return m, "frozen" // ATT-9
	} else if err != nil {
		return m, refused
	}
	m.tries = slices.Clone(m.tries)
	m.tries[n-1].status = next.Status.String()
	m.tries[n-1].asOf = int(next.AsOf.Sub(at(0)).Seconds())
	return m, outcome.String()
}

// resolve is the model after somebody vouched, or the rule that refuses.
func (m model) resolve(id, said string, characters int) (model, string) {
	main := m.main()
	switch {
	case m.number(id) == 0:
		return m, "SES-12"
	case main.typ == signature:
		return m, "RSL-1"
	case id != main.id:
		return m, "RSL-2"
	case m.resolved != "":
		return m, "RSL-5"
	case !slices.Contains(settable, main.status):
		return m, "RSL-2"
	case characters > 150:
		return m, "RSL-4"
	}
	m.resolved = said
	return m, ""
}

func (t modelTry) attempt() attempt.Attempt {
	a := try(t.id, t.typ, t.status, t.inputs)
	a.Resource.AsOf = at(t.asOf)
	return a
}

func (t modelTry) resource() action.Resource { return t.attempt().Resource }

// shows is what a chain should show, in the words of shows below.
func (m model) shows() string {
	var b strings.Builder
	for i, t := range m.tries {
		fmt.Fprintf(&b, "%d: %s %s %s +%d %q\n", i+1, t.id, t.typ, t.status, t.asOf, t.inputs)
	}
	used := 0
	if m.main().typ != signature {
		used = len(m.tries) // ATT-11
	}
	_, refused := m.resolve(m.main().id, "", 0)
	fmt.Fprintf(&b, "main %s, %d attempts, %d left, %d used\n",
		m.main().id, len(m.tries), 10-len(m.tries), used)
	fmt.Fprintf(&b, "resolved %q, resolvable %t\n", m.resolved, refused == "")
	return b.String()
}

// shows is everything that can be asked of a chain, as text.
func shows(c attempt.Chain) string {
	var b strings.Builder
	for n, a := range c.Attempts() {
		r := a.Resource
		if c.Number(r.ID) != n {
			n = -1
		}
		text := strings.TrimRight(string(a.Inputs[:]), "\x00")
		fmt.Fprintf(&b, "%d: %s %s %s +%d %q\n", n, r.ID, r.Type, r.Status, int(r.AsOf.Sub(at(0)).Seconds()), text)
	}
	said := ""
	if r, ok := c.Resolution(); ok {
		said = sentence(r)
	}
	fmt.Fprintf(&b, "main %s, %d attempts, %d left, %d used\n",
		c.Main().Resource.ID, c.Len(), c.Left(), c.VerificationsUsed())
	fmt.Fprintf(&b, "resolved %q, resolvable %t\n", said, c.Resolvable())
	return b.String()
}

func sentence(r attempt.Resolution) string {
	return fmt.Sprintf("%s by %s at +%d", r.Reason, r.By, int(r.At.Sub(at(0)).Seconds()))
}
