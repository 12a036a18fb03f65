package main

import (
	"encoding/json"
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
	return ours, &hostReceiver{secret: []byte(webhookKey), seen: map[string]bool{}, session: hostOnboarding(0)}
}

// receive takes one call and returns what is announced of it.
func (r *ourReceiver) receive(body []byte, signature string) ([]session.Announcement, error) {
	envelope, err := r.receiver.Receive(body, signature, "", r.now)
	if err != nil || r.seen.Has(envelope.EventID) {
		return nil, err
	}
	observed, tells, err := receiver.ReadObservation(envelope)
	if err != nil || !tells {
		return nil, err
	}
	next, change, err := session.Apply(r.session, observed, r.now)
	if err != nil {
		return nil, err
	}
	r.session = next
	r.seen.Add(envelope.EventID)
	return change.Announcements(), nil
}

func holdWebhook(s settings) (report.Section, error) {
	ours, theirs := newReceivers()
	calls := newCalls(id(idResource, 1))
	r := s.Hold(webhookContest(ours, theirs, calls))
	section := report.Section{
		Title: "A provider's webhook, from its bytes to the events that follow",
		About: []string{
			fmt.Sprintf("Bodies of %d bytes: check the signature, parse, see whether it was there before (one in %d was), move the"+
				" resource, compute group and session, say what is to be announced. The host is one that has read the documentation:"+
				" encoding/json into structs, looplab/fsm for each resource, loops over the texts of statuses.", len(calls[0].body), callsDouble),
		},
		Goals: []report.Goal{report.AtLeast("a webhook, faster than encoding/json, looplab/fsm and loops", "%.1f×", 3, r.Rows[1].Times.Median)},
	}
	addContest(&section, r)
	parts, chart := webhookParts(s, calls, r)
	section.Tables = append(section.Tables, parts)
	section.Charts = []report.Chart{chart}
	return section, nil
}

func webhookContest(ours *ourReceiver, theirs *hostReceiver, calls []call) measure.Contest {
	start := ours.session
	return measure.Contest{
		Name: "A webhook", Unit: "webhook", Per: len(calls),
		Contestants: []measure.Contestant{
			{Name: nameSluice, Do: repeat(func() {
				ours.session, ours.seen = start, webhookpolicy.NewSeen(callCount)
				for _, c := range calls {
					announced, err := ours.receive(c.body, c.signature)
					must(err)
					keptNumber += len(announced)
				}
			})},
			{Name: "encoding/json, looplab/fsm, loops", Lacks: webhookLacks, Do: repeat(func() {
				clear(theirs.seen)
				theirs.restart()
				for _, c := range calls {
					events, err := theirs.receive(c.body, c.signature)
					must(err)
					keptNumber += len(events)
				}
			})},
		},
	}
}

// restart sets the signature request to where it began.
func (h *hostReceiver) restart() {
	g := h.session.groups[1]
	g.actions[0].machine.SetState("ongoing")
	g.actions[0].asOf = noon.Unix()
	g.status, h.session.status = "ongoing", "ongoing"
}

// part is a step of the way, on both sides.
type part struct {
	name         string
	ours, theirs func()
}

// webhookSteps are the steps of a webhook.
func webhookSteps(ours *ourReceiver, theirs *hostReceiver, c call) []part {
	envelope, err := webhookpolicy.ParseEnvelope(c.body, webhookpolicy.Limits{})
	must(err)
	observed, _, err := receiver.ReadObservation(envelope)
	must(err)
	return []part{
		{
			"signature",
			func() { must(webhookpolicy.Verify(c.body, c.signature, ours.receiver.Secrets...)) },
			func() { keptAny = theirs.verified(c.body, c.signature) },
		},
		{
			"parse",
			func() {
				e, err := webhookpolicy.ParseEnvelope(c.body, webhookpolicy.Limits{})
				must(err)
				_, _, err = receiver.ReadObservation(e)
				must(err)
			},
			func() {
				e, at, err := hostParse(c.body)
				must(err)
				var data hostData
				must(json.Unmarshal(e.Data, &data))
				keptNumber += int(at) + len(data.SignatureRequest.ID)
			},
		},
		{
			"move and compute",
			func() {
				_, change, err := session.Apply(ours.session, observed, ours.now)
				must(err)
				keptNumber += len(change.Announcements())
			},
			func() {
				theirs.restart()
				events, err := theirs.session.move(id(idResource, 1), "expired", noon.Unix()+60)
				must(err)
				keptNumber += len(events)
			},
		},
	}
}

// webhookParts returns where the time goes, step by step, of the whole.
func webhookParts(s settings, calls []call, whole measure.Result) (report.Table, report.Chart) {
	ours, theirs := newReceivers()
	t := report.Table{Caption: "Where the time goes", Header: []string{"", nameSluice, "the host"}}
	left := [2]float64{whole.Rows[0].NS.Median, whole.Rows[1].NS.Median}
	var names []string
	times := [2][]float64{}
	add := func(name string, took [2]float64) {
		names = append(names, name)
		t.Rows = append(t.Rows, []string{name, report.Duration(took[0]), report.Duration(took[1])})
		for side := range took {
			times[side] = append(times[side], took[side])
			left[side] -= took[side]
		}
	}
	for _, p := range webhookSteps(ours, theirs, calls[0]) {
		r := s.Hold(measure.Contest{Contestants: []measure.Contestant{{Do: repeat(p.ours)}, {Do: repeat(p.theirs)}}})
		add(p.name, [2]float64{r.Rows[0].NS.Median, r.Rows[1].NS.Median})
	}
	add("the rest", [2]float64{max(left[0], 0), max(left[1], 0)})
	return t, report.Chart{
		File: "webhook", Alt: "Where the time of a webhook goes, with sluice and with a host's own code",
		Draw: report.Stacks("A webhook, from its bytes to the events that follow", "nanoseconds", names,
			[]report.Stack{{Label: "sluice", Parts: times[0]}, {Label: "the host", Parts: times[1]}}),
	}
}
