package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// call is a webhook as it arrives.
type call struct {
	body      []byte
	signature string
}

// The provider's webhooks: so many, one in 16 comes twice, and then all over again.
const (
	callCount   = 512
	callsDouble = 16
)

const (
	webhookKey   = "k7Qp2vXw9Zr4Tt6Yb1Nn3Mm5Ll8Jj0Hh"
	webhookLacks = "knows neither attempts nor resolutions nor ways out, and refuses without reasons; of two reports of one second" +
		" it believes the last; takes bodies of any size and depth, names in any case, and of doubled ones the last"
)

// happened are the events of a signature request, again and again, and the status
// in which each leaves it.
var happened = [4]struct {
	name   webhookpolicy.EventName
	status action.Status
}{
	{webhookpolicy.EventSignatureRequestExpired, action.Expired},
	{webhookpolicy.EventSignatureRequestReactivated, action.Ongoing},
	{webhookpolicy.EventSignatureRequestPaused, action.Paused},
	{webhookpolicy.EventSignatureRequestResumed, action.Ongoing},
}

// newCalls returns the webhooks about the signature request of an onboarding. The
// data is that of the platform's guide, as far as it fits every event.
func newCalls(resource string) []call {
	const data = `{"signature_request":{"id":%q,"status":%q,"source":"public_api","name":"Kelly Smith contract",` +
		`"created_at":"2025-09-22T14:34:00+00:00","email_custom_note":null,"ordered_signers":false,"timezone":"Europe/Paris",` +
		`"reminder_settings":null,"expiration_date":"2026-03-22T14:34:00+00:00","delivery_mode":"email","external_id":null,` +
		`"workspace_id":%q,"audit_trail_locale":"en","signers_allowed_to_decline":false}}`
	secret := webhookpolicy.NewSecret(webhookKey)
	calls := make([]call, 0, callCount)
	for i := range callCount - callCount/callsDouble {
		e := happened[i%len(happened)]
		body, err := webhookpolicy.Envelope{
			EventID: id(idEvent, i), EventName: e.name, EventTime: noon.Add(time.Duration(i+1) * time.Minute),
			SubscriptionID: id(idSubscription, 0), SubscriptionDescription: "onboarding",
			Data: fmt.Appendf(nil, data, resource, e.status, workspace),
		}.Encode()
		must(err)
		signature, err := webhookpolicy.Sign(body, secret)
		must(err)
		calls = append(calls, call{body, signature.String()})
		if (len(calls)+1)%callsDouble == 0 {
			calls = append(calls, calls[len(calls)-1])
		}
	}
	return calls
}

// ourReceiver takes webhooks with sluice: into one session, kept in memory.
type ourReceiver struct {
	receiver webhookpolicy.Receiver
	seen     *webhookpolicy.Seen
	session  session.Session
	now      time.Time
}

// newReceivers returns both sides in the same state: an onboarding whose identity
// is verified, and whose signature request is under way.
func newReceivers() (*ourReceiver, *hostReceiver) {
	l := onboarding(0, action.Ongoing)
	ours := &ourReceiver{
		receiver: webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{webhookpolicy.NewSecret(webhookKey)}},
		seen:     webhookpolicy.NewSeen(callCount), session: l.Session, now: noon.Add(24 * time.Hour),
	}
	mac := hmac.New(sha256.New, []byte(webhookKey))
	return ours, &hostReceiver{mac: mac, seen: map[string]bool{}, session: hostOnboarding(0)}
}

// receive takes one call and returns what is announced of it.
func (r *ourReceiver) receive(body []byte, signature string) ([]session.Announcement, error) {
	observed, tells, err := r.read(body, signature)
	if err != nil || !tells {
		return nil, err
	}
	next, change, err := session.Apply(r.session, observed, r.now)
	if err != nil {
		return nil, err
	}
	r.session = next
	return change.Announcements(), nil
}

// read checks and reads a body, and notes that it was there.
func (r *ourReceiver) read(body []byte, signature string) (observed session.Observe, tells bool, err error) {
	envelope, err := r.receiver.Receive(body, signature, "", r.now)
	if err != nil || r.seen.Has(envelope.EventID) {
		return session.Observe{}, false, err
	}
	observed, tells, err = receiver.ReadObservation(envelope)
	if err == nil {
		r.seen.Add(envelope.EventID)
	}
	return observed, tells, err
}

func holdWebhook(_ context.Context, s settings) (report.Section, error) {
	calls := newCalls(id(idResource, 1))
	var steps []measure.Result
	for _, c := range webhookSteps(calls) {
		steps = append(steps, s.Hold(c))
	}
	whole := steps[len(steps)-1]
	whole.Contest.Name = "A webhook"
	section := report.Section{
		Title: "A provider's webhook, from its bytes to the events that follow",
		About: []string{
			fmt.Sprintf("Bodies of %d bytes: check the signature, parse, see whether it was there before (one in %d was), move the"+
				" resource, compute group and session, say what is to be announced. The host is one that has read the documentation:"+
				" encoding/json, as Go has it by default (version 1), into structs, looplab/fsm for each resource, loops over the texts"+
				" of statuses. Most of the difference is that JSON is read once, by a scanner made for it.", len(calls[0].body), callsDouble),
		},
		Goals: []report.Goal{report.AtLeast("a webhook: encoding/json, looplab/fsm and loops ÷ sluice", "%.1f×", 3, whole.Rows[1].Times)},
	}
	addContest(&section, whole)
	parts, chart := webhookParts(steps)
	section.Tables = append(section.Tables, parts)
	section.Charts = []report.Chart{chart}
	return section, nil
}

// webhookContest has both take all calls, as far as a step of the way.
func webhookContest(name string, calls []call, ours, theirs func(call), restart func()) measure.Contest {
	all := func(take func(call)) func(int) {
		return repeat(func() {
			restart()
			for _, c := range calls {
				take(c)
			}
		})
	}
	return measure.Contest{Name: name, Unit: "webhook", Per: len(calls), Contestants: []measure.Contestant{
		{Name: nameSluice, Do: all(ours)},
		{Name: "encoding/json, looplab/fsm, loops", Lacks: webhookLacks, Do: all(theirs)},
	}}
}

// webhookSteps returns the contests of the way from its beginning to the end of each
// step.
func webhookSteps(calls []call) []measure.Contest {
	ours, theirs := newReceivers()
	start := ours.session
	restart := func() {
		ours.session, ours.seen = start, webhookpolicy.NewSeen(callCount)
		clear(theirs.seen)
		theirs.restart()
	}
	return []measure.Contest{
		webhookContest("signature", calls,
			func(c call) { must(webhookpolicy.Verify(c.body, c.signature, ours.receiver.Secrets...)) },
			func(c call) { mustBe(true, theirs.verified(c.body, c.signature)) }, restart),
		webhookContest("parse, seen before?", calls,
			func(c call) {
				_, _, err := ours.read(c.body, c.signature)
				must(err)
			},
			func(c call) {
				mustBe(true, theirs.verified(c.body, c.signature))
				_, err := theirs.read(c.body)
				must(err)
			}, restart),
		webhookContest("move, compute, announce", calls,
			func(c call) {
				announced, err := ours.receive(c.body, c.signature)
				must(err)
				keptNumber += len(announced)
			},
			func(c call) {
				events, err := theirs.receive(c.body, c.signature)
				must(err)
				keptNumber += len(events)
			}, restart),
	}
}

// restart sets the signature request to where it began.
func (h *hostReceiver) restart() {
	g := h.session.groups[1]
	g.actions[0].machine.SetState("ongoing")
	g.actions[0].asOf = noon.Unix()
	g.status, h.session.status = "ongoing", "ongoing"
}

// webhookParts returns where the time goes: what each step adds.
func webhookParts(steps []measure.Result) (report.Table, report.Chart) {
	t := report.Table{Caption: "Where the time goes: what each step adds", Header: []string{"", nameSluice, "the host"}}
	var names []string
	var before [2]float64
	var times [2][]float64
	for _, step := range steps {
		names = append(names, step.Contest.Name)
		row := []string{step.Contest.Name}
		for side := range times {
			part := step.Rows[side].NS.Median - before[side]
			before[side] = step.Rows[side].NS.Median
			times[side] = append(times[side], max(part, 0)) // of a step that drowns in noise
			row = append(row, report.Duration(part))
		}
		t.Rows = append(t.Rows, row)
	}
	return t, report.Chart{
		File: "webhook", Alt: "Where the time of a webhook goes, with sluice and with a host's own code",
		Draw: report.Stacks("A webhook, from its bytes to the events that follow", "nanoseconds", names,
			[]report.Stack{{Label: "sluice", Parts: times[0]}, {Label: "the host", Parts: times[1]}}),
	}
}
