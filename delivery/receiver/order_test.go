package receiver_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/internal/failing"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/session/sessiontest"
	"github.com/sluicego/sluice/webhookpolicy"
)

// checkOrder is ACT-5 for a feed: whatever a provider tells of a resource, in
// whatever order and however often it arrives, whether before the link or behind
// it, with batches cut and databases failing anywhere, the session ends as if all
// had been observed in order.
func checkOrder(tb rapid.TB, read func(webhookpolicy.Envelope) (session.Observe, bool, error)) {
	rapid.Check(tb, func(t *rapid.T) {
		// Signature requests have the long lives.
		typ := action.TypeSignatureRequest
		if rapid.IntRange(0, 3).Draw(t, "verification") == 0 {
			typ = rapid.SampledFrom(action.Types()).Draw(t, "type")
		}
		resource := sessiontest.Resources("r", typ).Draw(t, "resource")
		history := sessiontest.Observations(resource).Draw(t, "history")

		ordered := new(memstore.Store)
		start(t, ordered, typ)
		apply(t, ordered, session.Link{Resource: resource})
		for _, o := range history {
			apply(t, ordered, o)
		}

		a := arrival{inbox: &noted{}, store: new(memstore.Store), link: session.Link{Resource: resource}, now: noon, read: read}
		start(t, a.store, typ)
		a.play(t, shuffled(t, typ, history))
		want, got := resourceOf(t, ordered), resourceOf(t, a.store)
		if got != want {
			t.Fatalf("the resource ends as\n%+v\nwant\n%+v", got, want)
		}
	})
}

// start creates a session with a group for resources of a type.
func start(t rapid.TB, store session.Store, typ action.Type) {
	apply(t, store, session.Create{
		ID: "s", Name: "Onboarding", WorkspaceID: "w",
		Template: session.Template{ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.TypeOf(typ)}},
	})
}

func apply(t rapid.TB, store session.Store, c session.Command) {
	if _, _, err := session.Update(context.Background(), store, "s", c, noon); err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
}

// resourceOf returns the resource of the session, which is its only one.
func resourceOf(t rapid.TB, store session.Store) action.Resource {
	s, err := store.Load(context.Background(), "s")
	if err != nil {
		t.Fatal(err)
	}
	chain, there := s.Action("r")
	if !there {
		t.Fatalf("the resource is not linked")
	}
	return chain.Main().Resource
}

// shuffled are the events of a history, each once or more, in any order. A double
// has the id of the first, or one of its own, as another subscription gives it.
func shuffled(t *rapid.T, typ action.Type, history []session.Observe) []receiver.Event {
	name := map[action.Kind]webhookpolicy.EventName{
		action.KindSignatureRequest: webhookpolicy.EventSignatureRequestActivated,
		action.KindVerification:     webhookpolicy.EventVerificationCompanyDone,
		action.KindDocumentAnalysis: webhookpolicy.EventDocumentAnalysisDone,
	}[typ.Kind()]
	member := map[action.Kind]string{
		action.KindSignatureRequest: "signature_request",
		action.KindVerification:     "company",
		action.KindDocumentAnalysis: "document_analysis",
	}[typ.Kind()]
	var events []receiver.Event
	for i, o := range history {
		for double := range rapid.IntRange(1, 3).Draw(t, "times") {
			id := fmt.Sprintf("%d/%d", i, double/2)
			data := fmt.Sprintf(`{%q:{"id":%q,"status":%q}}`, member, o.ResourceID, o.Status)
			text, err := webhookpolicy.Envelope{
				EventID: id, EventName: name, EventTime: o.AsOf, SubscriptionID: "s", Data: []byte(data),
			}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, receiver.Event{ID: id, Body: text, Received: noon})
		}
	}
	return rapid.Permutation(events).Draw(t, "events")
}

// arrival is how events come in.
type arrival struct {
	inbox *noted
	store *memstore.Store
	link  session.Link
	now   time.Time
	read  func(webhookpolicy.Envelope) (session.Observe, bool, error)
	fails bool // every database, at any moment
}

// play keeps events while two feeds are at work, and links the resource at some
// moment. In the end nothing fails, and everything is dealt with.
func (a *arrival) play(t *rapid.T, events []receiver.Event) {
	fault := func() error {
		if a.fails && rapid.IntRange(0, 3).Draw(t, "fault") == 0 {
			return errDown
		}
		return nil
	}
	options := receiver.FeedOptions{
		Inbox: &faulty{Inbox: a.inbox, claim: fault, done: fault},
		Store: down{a.store, func(context.Context, string) error { return fault() }},
		Read:  a.read, Batch: rapid.IntRange(1, 4).Draw(t, "batch"), Patience: 1000 * time.Hour,
		Now:    func() time.Time { return a.now },
		Report: func(err error) { t.Fatalf("reported: %v", err) },
	}
	var feeds []*receiver.Feed
	for range 2 {
		f, err := receiver.NewFeed(options)
		if err != nil {
			t.Fatal(err)
		}
		feeds = append(feeds, f)
	}
	linkAt := rapid.IntRange(0, len(events)).Draw(t, "link at")
	a.fails = true
	for i := range len(events) + 1 {
		if i == linkAt {
			apply(t, a.store, a.link)
		}
		if i < len(events) {
			if _, err := a.inbox.Keep(context.Background(), events[i]); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.Bool().Draw(t, "step") {
			_, _ = feeds[i%2].Step(context.Background()) // what failed is tried again
			a.now = a.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "half leases")) * 30 * time.Second)
		}
	}
	a.fails = false
	for range 2*len(events) + 1 {
		a.now = a.now.Add(time.Minute)
		if _, err := feeds[0].Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if left := a.inbox.open(); len(left) > 0 {
		t.Fatalf("left are %q", left)
	}
}

func TestFeed_anyOrder(t *testing.T) { checkOrder(t, nil) }

// TestFeed_anyOrder_Twin shows that the property is not blind: events whose time
// is that of their arrival end otherwise.
func TestFeed_anyOrder_Twin(t *testing.T) {
	for name, spoil := range map[string]func(o *session.Observe){
		"as of the arrival": func() func(*session.Observe) {
			arrived := noon.AddDate(1, 0, 0)
			return func(o *session.Observe) {
				arrived = arrived.Add(time.Second)
				o.AsOf = arrived
			}
		}(),
		"all at once": func(o *session.Observe) { o.AsOf = noon.AddDate(10, 0, 0) },
		"never":       func(o *session.Observe) { o.AsOf = time.Unix(1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			failing.Draw(t, 100, 30)
			r := failing.Run(t, func(r *failing.Recorder) {
				checkOrder(r, func(e webhookpolicy.Envelope) (session.Observe, bool, error) {
					o, tells, err := receiver.ReadObservation(e)
					spoil(&o)
					return o, tells, err
				})
			})
			assert.True(t, r.Failed())
		})
	}
}
