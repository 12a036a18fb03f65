package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// Occurrence is something that happened and that subscribers are to hear of.
type Occurrence struct {
	// ID is what tells it from everything else that ever happens. The ids of its
	// events are made of it, so that what is published twice is delivered once.
	ID string
	// Event is what subscriptions look at.
	Event webhookpolicy.Event
	// At is when it happened.
	At time.Time
	// Data is what it is about: one JSON value (WHK-10).
	Data json.RawMessage
}

// Publish makes a delivery for each subscription that an occurrence matches now.
// All of them are kept, or none with an error; what was published before is passed
// over. An error that unwraps to [ErrOccurrence] says what is wrong with one.
func (d *Deliverer) Publish(ctx context.Context, occurrences ...Occurrence) error {
	return d.inTx(ctx, "publish", func(ctx context.Context, tx engine.Tx) error {
		return d.PublishIn(ctx, tx, occurrences...)
	})
}

// PublishIn is [Deliverer.Publish] in a transaction of the host, which Join of the
// queue binds to, the one that New was given: what happened and that it is told are
// kept together.
//
//	queue := sqlitequeue.On(store) // before delivery.New
//	err := store.InTx(ctx, func(ctx context.Context, tx *sql.Tx, joined *sqlite.Joined) error {
//		// the host's own rows, and then
//		return deliverer.PublishIn(ctx, queue.Join(tx), occurrence)
//	})
func (d *Deliverer) PublishIn(ctx context.Context, tx Tx, occurrences ...Occurrence) error {
	if err := d.directory.refresh(ctx, tx); err != nil {
		return err
	}
	now := d.now()
	var rows []*row
	seen := map[string]bool{}
	for _, o := range occurrences {
		fresh, err := d.rowsOf(o, now)
		if err != nil {
			return err
		}
		for _, r := range fresh {
			if !seen[r.EventID] {
				seen[r.EventID] = true
				rows = append(rows, r)
			}
		}
	}
	fresh, err := insertRows(ctx, tx, rows)
	if err != nil {
		return err
	}
	var jobs []engine.Job
	for _, r := range rows {
		if fresh[r.EventID] {
			jobs = append(jobs, callJob(r, now, now))
		}
	}
	return tx.Insert(ctx, jobs...)
}

// rowsOf returns the deliveries of an occurrence.
func (d *Deliverer) rowsOf(o Occurrence, now time.Time) ([]*row, error) {
	switch {
	case o.ID == "":
		return nil, fmt.Errorf("%w: it has no id", ErrOccurrence)
	case o.Event.Name == "":
		return nil, fmt.Errorf("%w: %s has no name of an event", ErrOccurrence, o.ID)
	}
	var rows []*row
	for _, s := range d.directory.match(o.Event) {
		id := webhookpolicy.EventID(o.ID, s.ID())
		body, err := s.Envelope(id, o.Event.Name, o.At, o.Data).Encode()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrOccurrence, o.ID, err)
		}
		r := &row{EventID: id, SubscriptionID: s.ID(), EventName: string(o.Event.Name), Body: string(body)}
		if err := r.put(webhookpolicy.NewDelivery(id, s.ID(), now), s.Endpoint(), now); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// Describe is what an announcement is to subscribers if [Options.Describe] says
// nothing else: an event of production, created through the public API, in the
// workspace of the session. Its data is the session as the public API shows it,
// under workflow_session; that of a group has its type and status besides, under
// workflow_action_group.
func Describe(_ context.Context, a session.Announcement, s session.Session) (webhookpolicy.Event, json.RawMessage, error) {
	e := webhookpolicy.Event{
		Name: webhookpolicy.EventName(a.Name), Scope: webhookpolicy.ScopePublicAPI, Workspace: s.WorkspaceID(),
	}
	members := map[string]any{"workflow_session": s}
	if a.GroupType != 0 {
		members["workflow_action_group"] = map[string]any{"type": a.GroupType, "status": a.Status}
	}
	data, err := json.Marshal(members)
	return e, data, err
}

// Of the outbox of the store.
const (
	announceBatch = 100
	// announceLease is how long an announcement is left alone that could not be
	// published, or whose process has died.
	announceLease = time.Minute
)

// Wake has the outbox of the store looked at now. A host that calls it after a
// save in the same process saves some milliseconds.
func (d *Deliverer) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// announceAll publishes what is in the outbox of the store, until ctx ends.
func (d *Deliverer) announceAll(ctx context.Context) {
	if d.o.Outbox < 0 {
		return
	}
	const longest = 5 * time.Second
	wait := d.o.Outbox
	for {
		n, err := d.announce(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.o.Logger.Error("announcements are not published", "error", err)
			wait = min(2*wait, longest)
		case n == announceBatch:
			continue
		default:
			wait = d.o.Outbox
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-d.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// announce publishes some announcements, and returns how many it has dealt with.
func (d *Deliverer) announce(ctx context.Context) (int, error) {
	waiting := false
	err := d.queue.Query(ctx, func(scan engine.Scan) error { return scan(&waiting) },
		`SELECT EXISTS (SELECT 1 FROM sluice_outbox WHERE held_until IS NULL OR held_until <= $1)`, micros(d.now()))
	if err != nil || !waiting {
		return 0, err
	}
	n := 0
	failpoint("announce: before")
	err = d.queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		store, err := tx.Store(ctx)
		if err != nil {
			return err
		}
		entries, err := store.Claim(ctx, announceBatch, d.now(), announceLease)
		if errors.Is(err, session.ErrCorrupt) {
			d.o.Logger.Error("an announcement cannot be read, and stays in the outbox", "error", err)
		} else if err != nil {
			return err
		}
		var occurrences []Occurrence
		var published []session.Entry
		for _, e := range entries {
			o, err := d.occurrence(ctx, store, e)
			if err != nil {
				d.o.Logger.Error("an announcement is not published, and stays in the outbox",
					"session_id", e.SessionID, "event_name", e.Name, "error", err)
				continue
			}
			occurrences, published = append(occurrences, o), append(published, e)
		}
		if err := d.PublishIn(ctx, tx, occurrences...); err != nil {
			return err
		}
		n = len(entries)
		if err := store.Acknowledge(ctx, published...); err != nil {
			return err
		}
		failpoint("announce: about to commit")
		return nil
	})
	failpoint("announce: committed")
	return n, err
}

// occurrence returns what an announcement tells.
func (d *Deliverer) occurrence(ctx context.Context, store engine.Store, e session.Entry) (Occurrence, error) {
	if e.Status == 0 {
		return Occurrence{}, errors.New("it cannot be read")
	}
	s, err := sessionAt(ctx, store, e.SessionID, e.Version)
	if err != nil {
		return Occurrence{}, err
	}
	event, data, err := d.o.Describe(ctx, e.Announcement, s)
	if err != nil {
		return Occurrence{}, fmt.Errorf("describe it: %w", err)
	}
	o := Occurrence{ID: e.ID(), Event: event, At: e.At, Data: data}
	_, err = d.rowsOf(o, d.now()) // what it cannot be published for is its own fault
	return o, err
}

// sessionAt returns a session as it was in a version.
func sessionAt(ctx context.Context, store engine.Store, id string, version int) (session.Session, error) {
	s, err := store.Load(ctx, id)
	if err != nil || s.Version() == version {
		return s, err
	}
	events, err := store.History(ctx, id, 0)
	if err != nil {
		return s, err
	}
	if version < 1 || version > len(events) {
		return s, fmt.Errorf("session %s has no version %d", id, version)
	}
	return session.Replay(events[:version])
}
