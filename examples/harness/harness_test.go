package harness_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/examples/harness"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/session/sessiontest"
	"github.com/sluicego/sluice/transcript"
)

// Who is at the desk, which sessions there are and from which templates of the
// house. rapid takes the first of each when it makes a failure smaller.
var (
	people = []harness.Person{
		{Name: "Kim", Role: harness.Agent}, {Name: "Lee", Role: harness.Customer},
		{Name: "Sam", Role: harness.Supervisor},
	}
	sessions  = []string{"s1", "s2"}
	templates = []session.Template{
		{ID: "t1", Name: "Contract", ActionGroups: []group.Type{group.SignatureRequest}},
		{ID: "t2", Name: "Person", ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest}},
		{ID: "t3", Name: "Anything", ActionGroups: group.Types()},
	}
)

var bug = flag.Bool("bug", false, "give TestDesk the bug to find")

// The desk keeps its promises, whatever people do and webhooks bring.
func TestDesk(t *testing.T) { rapid.Check(t, property(faults{announcementsOnly: *bug}, new(run))) }

// faults are what the test must find.
type faults struct {
	announcementsOnly bool // of the desk
	deaf, stammering  bool // of its mail: notices are lost, or sent twice
}

// property drives a desk and checks what it promises after each command. last
// is the last run afterwards: when rapid has found a failure, the smallest one.
func property(f faults, last *run) func(*rapid.T) {
	return func(t *rapid.T) {
		*last = run{}
		d := newDriver(t, f, last)
		t.Repeat(map[string]func(*rapid.T){
			"command": d.command, "button": d.button, "restart": d.restart, "": d.check,
		})
	}
}

// run is what happened to a desk, and what was wrong in the end.
type run struct {
	steps []transcript.Step
	wrong string
}

// String tells it to people.
func (r run) String() string {
	var text strings.Builder
	printer := transcript.Printer{W: &text}
	for _, s := range r.steps {
		if err := printer.Step(s); err != nil {
			panic(err) // a strings.Builder takes everything
		}
	}
	return text.String() + r.wrong
}

// driver is a desk under test and what it tells.
type driver struct {
	desk    *harness.Desk
	config  harness.Config
	store   *memstore.Store
	now     time.Time
	notices map[string][]session.Announcement // by session
	run     *run
}

func newDriver(t *rapid.T, f faults, r *run) *driver {
	d := &driver{
		store: new(memstore.Store), run: r,
		now:     time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC),
		notices: map[string][]session.Announcement{},
	}
	d.config = harness.Config{
		Store:             d.store,
		Now:               func() time.Time { return d.now },
		Notify:            func(a session.Announcement) { d.notify(f, a) },
		Report:            func(s transcript.Step) { r.steps = append(r.steps, s) },
		AnnouncementsOnly: f.announcementsOnly,
	}
	d.restart(t)
	return d
}

// notify is the mail of the desk.
func (d *driver) notify(f faults, a session.Announcement) {
	copies := 1
	switch {
	case f.deaf && a.GroupType != 0:
		copies = 0
	case f.stammering:
		copies = 2
	}
	d.notices[a.SessionID] = append(d.notices[a.SessionID], slices.Repeat([]session.Announcement{a}, copies)...)
}

// restart ends the process and begins another: all that is kept is in the store.
func (d *driver) restart(t *rapid.T) {
	desk, err := harness.Open(context.Background(), d.config)
	ok(t, err)
	d.desk = desk
}

// command does anything with a session: it comes from a person or, if it is a
// report, from a provider, which may send it twice. What does not exist is
// created.
func (d *driver) command(t *rapid.T) {
	id := rapid.SampledFrom(sessions).Draw(t, "session")
	s := d.load(t, id)
	if s.IsZero() {
		template := rapid.SampledFrom(templates).Draw(t, "template")
		d.press(t, id, session.Create{ID: id, Name: "Onboarding", WorkspaceID: "w1", Template: template})
		return
	}
	c := sessiontest.Commands(s, d.now).Draw(t, "command")
	o, isReport := c.(session.Observe)
	if !isReport {
		d.press(t, id, c)
		return
	}
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		d.tick()
		ok(t, d.desk.Webhook(context.Background(), o))
	}
}

// load returns a session, the zero one if it does not exist.
func (d *driver) load(t *rapid.T, id string) session.Session {
	s, err := d.store.Load(context.Background(), id)
	if !errors.Is(err, session.ErrNotFound) {
		ok(t, err)
	}
	return s
}

// press has somebody give a command, and holds the desk to who may.
func (d *driver) press(t *rapid.T, id string, c session.Command) {
	d.tick()
	p := rapid.SampledFrom(people).Draw(t, "person")
	body, err := session.MarshalCommand(c)
	ok(t, err)
	before := d.load(t, id)
	err = d.desk.Press(context.Background(), p, id, body)
	after := d.load(t, id)
	if forbidden := !may(p, c); forbidden != errors.Is(err, harness.ErrForbidden) {
		t.Logf("%s gives %+v: %v", p, c, err)
		t.Fatal("the desk lets the wrong people do things")
	}
	if err != nil && !after.Equal(before) {
		t.Fatal("a command failed and changed something")
	}
	if r, resolves := c.(session.Resolve); resolves && err == nil {
		chain, _ := after.Action(r.ResourceID)
		if resolution, _ := chain.Resolution(); after.Version() > before.Version() && resolution.By != p.Name {
			t.Fatal("somebody else vouches")
		}
	}
}

// may says who may do what, in the words of the house rules: customers fill in,
// agents also open sessions and look after signature requests, supervisors also
// vouch; nobody does the provider's part.
func may(p harness.Person, c session.Command) bool {
	staff := p.Role == harness.Agent || p.Role == harness.Supervisor
	switch c := c.(type) {
	case session.Link:
		return staff || p.Role == harness.Customer
	case session.Create:
		return staff
	case session.Transition:
		return staff && slices.Contains([]action.Event{action.EventDeleted, action.EventReactivated}, c.Event)
	case session.Resolve:
		return p.Role == harness.Supervisor
	default:
		return false
	}
}

// button presses one of the buttons that the desk shows. It fills in nothing but
// what a retry and a resolution need, and then it works.
func (d *driver) button(t *rapid.T) {
	s := d.load(t, rapid.SampledFrom(sessions).Draw(t, "session"))
	if s.IsZero() {
		t.Skip("there is no such session")
	}
	p := rapid.SampledFrom(people).Draw(t, "person")
	buttons, err := d.desk.Buttons(context.Background(), p, s.ID())
	ok(t, err)
	if len(buttons) == 0 {
		t.Skip("there is no button")
	}
	d.tick()
	c := rapid.SampledFrom(buttons).Draw(t, "button").Command
	switch given := c.(type) {
	case session.Link:
		given.Resource = sessiontest.Resources(fmt.Sprintf("%s.v%d", s.ID(), s.Version()), given.Resource.Type).Draw(t, "resource")
		given.Inputs[0] = byte(s.Version()) // it is another with every retry
		c = given
	case session.Resolve:
		given.Reason = "seen in person"
		c = given
	}
	body, err := session.MarshalCommand(c)
	ok(t, err)
	if err := d.desk.Press(context.Background(), p, s.ID(), body); err != nil {
		t.Log(err)
		t.Fatal("a button that was shown does not work")
	}
}

// tick lets time pass.
func (d *driver) tick() { d.now = d.now.Add(time.Minute) }

// check holds the desk against the store. The texts of failures are always the
// same: to rapid another text is another failure, and no smaller case of this
// one.
func (d *driver) check(t *rapid.T) {
	var blocked []string
	for _, id := range sessions {
		s := d.load(t, id)
		if s.Status() == session.Blocked {
			blocked = append(blocked, id)
		}
		if want := d.announced(t, s); !slices.Equal(d.notices[id], want) {
			d.fail(t, "notices are not what was announced", d.notices[id], want)
		}
	}
	if listed := d.desk.Blocked(); !slices.Equal(listed, blocked) {
		d.fail(t, "the list of blocked sessions is wrong", listed, blocked)
	}
}

// announced is what the history of a session announces.
func (d *driver) announced(t *rapid.T, s session.Session) (all []session.Announcement) {
	if s.IsZero() {
		return nil
	}
	events, err := d.store.History(context.Background(), s.ID(), 0)
	ok(t, err)
	for _, e := range events {
		all = append(all, e.Announcements()...)
	}
	return all
}

// fail tells what happened and what is wrong, and ends the run.
func (d *driver) fail(t *rapid.T, wrong string, desk, store any) {
	d.run.wrong = fmt.Sprintf("%s\n    the desk   %v\n    the store  %v\n", wrong, desk, store)
	t.Logf("what happened:\n\n%s", d.run)
	t.Fatal(wrong)
}

// ok ends the run if what cannot fail has failed.
func ok(t *rapid.T, err error) {
	if err != nil {
		t.Log(err)
		t.Fatal("something failed that cannot")
	}
}
