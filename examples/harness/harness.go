// Package harness is a small host application, and a test that drives it with
// the generators of sessiontest: a model for the tests of your own.
//
// The application is a [Desk], at which customers are onboarded. It adds what
// sluice leaves to its hosts: who may press which button, whom to notify of
// what, and a list of the blocked sessions that is kept up to date by what
// happens, so that the page which shows it need not ask the database.
//
// The test knows no scenarios. Commands and webhooks are generated, some come
// twice, and what the desk shows is held against what the store keeps.
// [Config].AnnouncementsOnly is a bug to find; README.md shows what is left of the
// failure when rapid has made it as small as it can.
package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

// What the desk says no to, whatever sluice would say.
var (
	// ErrForbidden: the button is not for this person.
	ErrForbidden = errors.New("desk: forbidden")
	// ErrNoReason: nobody vouches for anything without saying why.
	ErrNoReason = errors.New("desk: a resolution needs a reason")
)

// Role is what a person is at the desk. Each role may do what those before it
// may.
type Role uint8

// The roles.
const (
	Customer   Role = iota + 1 // fills in forms, again if need be
	Agent                      // opens sessions, deletes and reactivates signature requests
	Supervisor                 // vouches for what was checked outside
	nobody                     // has what no button is for
)

// String returns the role in a word.
func (r Role) String() string {
	return [...]string{"stranger", "customer", "agent", "supervisor", "nobody"}[min(r, nobody)]
}

// Person is somebody who is signed in.
type Person struct {
	Name string
	Role Role
}

// String returns the name and the role.
func (p Person) String() string { return fmt.Sprintf("%s, %s", p.Name, p.Role) }

// needs returns the role that a command takes. What a provider reports is none
// of it: reports come by webhook.
func needs(c session.Command) Role {
	switch c := c.(type) {
	case session.Link:
		return Customer
	case session.Create:
		return Agent
	case session.Transition:
		if c.Event == action.EventDeleted || c.Event == action.EventReactivated {
			return Agent
		}
	case session.Resolve:
		return Supervisor
	}
	return nobody
}

// Store is what the desk needs of a Store: webhooks name resources, and after a
// restart the list begins with what is blocked.
type Store interface {
	session.Store
	session.Finder
	session.Lister
}

// Config is what a desk is made of.
type Config struct {
	Store Store
	Now   func() time.Time
	// Notify tells people, by mail or otherwise, and is called once for every
	// announcement. If the process may end in between, a session.Outbox is
	// what keeps the promise.
	Notify func(session.Announcement)
	// Report is told of every command and what came of it, as a log is.
	Report func(transcript.Step)

	// AnnouncementsOnly is a bug: the list of blocked sessions follows what is
	// announced. That looks right, since a session that is blocked announces it,
	// and so do those that start or are done. But to become awaiting is not
	// announced (SES-7), and that is what a session becomes when the signature
	// request that blocks is deleted (GRP-6) and there is nothing else.
	AnnouncementsOnly bool
}

// Desk is the application. Its methods are what the routes of a server call,
// many at a time.
type Desk struct {
	Config

	mu    sync.Mutex
	stand map[string]standing // by session
	odd   []string
}

// standing is how a session stands as of a version.
type standing struct {
	version int
	status  session.Status
}

// Open returns a desk whose list begins with the sessions that are blocked now.
// Nobody else may change sessions in the store.
func Open(ctx context.Context, c Config) (*Desk, error) {
	d := &Desk{Config: c, stand: map[string]standing{}}
	for q := (session.Query{Status: session.Blocked}); ; {
		page, err := c.Store.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list what is blocked: %w", err)
		}
		for _, s := range page.Items {
			d.stands(s.ID(), standing{s.Version(), s.Status()})
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			return d, nil
		}
	}
}

// Buttons returns the ways out of what blocks a session that a person may take.
// Each comes back to Press as JSON, with what was missing filled in.
func (d *Desk) Buttons(ctx context.Context, p Person, sessionID string) ([]session.WayOut, error) {
	s, err := d.Store.Load(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	var buttons []session.WayOut
	for _, b := range s.Blockers() {
		for _, way := range b.WaysOut {
			if p.Role >= needs(way.Command) {
				buttons = append(buttons, way)
			}
		}
	}
	return buttons, nil
}

// Press handles a command that a person gives. Whatever the body says, it is
// this person who vouches, and an event happens now.
func (d *Desk) Press(ctx context.Context, p Person, sessionID string, body []byte) error {
	c, err := session.UnmarshalCommand(body)
	if err != nil {
		return err
	}
	if p.Role < needs(c) {
		return fmt.Errorf("%w: %s may not give this command", ErrForbidden, p)
	}
	now := d.Now()
	switch given := c.(type) {
	case session.Resolve:
		if given.Reason == "" {
			return ErrNoReason
		}
		given.By = p.Name
		c = given
	case session.Transition:
		given.At = now
		c = given
	}
	s, change, err := session.Update(ctx, d.Store, sessionID, c, now)
	return d.done(transcript.Step{Title: p.String(), At: now, Command: c, Session: s, Change: change, Err: err})
}

// Webhook handles what a provider reports. An error asks the provider to report
// it again; so there is none for what would be refused again, or is about a
// resource of no session. People should look at that: see Odd.
func (d *Desk) Webhook(ctx context.Context, o session.Observe) error {
	now := d.Now()
	s, change, err := session.UpdateByResource(ctx, d.Store, o.ResourceID, o, now)
	err = d.done(transcript.Step{Title: "webhook", At: now, Command: o, Session: s, Change: change, Err: err})
	var refusal *session.Refusal
	if errors.As(err, &refusal) || errors.Is(err, session.ErrNotFound) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.odd = append(d.odd, err.Error())
		return nil
	}
	return err
}

// Blocked returns the sessions that are blocked, sorted.
func (d *Desk) Blocked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(d.stand)) {
		if d.stand[id].status == session.Blocked {
			ids = append(ids, id)
		}
	}
	return ids
}

// Odd returns what came by webhook and could not be.
func (d *Desk) Odd() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.odd)
}

// done is where all commands come out.
func (d *Desk) done(step transcript.Step) error {
	d.Report(step)
	if step.Err != nil {
		return step.Err
	}
	for _, a := range step.Change.Announcements() {
		d.Notify(a)
		if d.AnnouncementsOnly && a.GroupType == 0 {
			d.stands(a.SessionID, standing{a.Version, a.Status})
		}
	}
	for _, e := range step.Change.Events {
		if !d.AnnouncementsOnly && e.Session.Moved() {
			d.stands(e.SessionID, standing{e.Version, e.Session.To})
		}
	}
	return nil
}

// stands notes how a session stands, unless more is known: of two commands that
// are saved at about the same time, the later may come out first.
func (d *Desk) stands(sessionID string, now standing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.version > d.stand[sessionID].version {
		d.stand[sessionID] = now
	}
}
