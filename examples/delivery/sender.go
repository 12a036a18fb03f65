package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/delivery/receiver/sqliteinbox"
	"github.com/sluicego/sluice/delivery/sqlitequeue"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

// sender is a host that runs sessions and tells subscribers of them.
type sender struct {
	store     *sqlite.Store
	deliverer *delivery.Deliverer
	narrator  *narrator
	feeding   sync.WaitGroup
	deafen    context.CancelFunc // ends the feeding
}

// open opens the store, and over it what delivers.
func open(ctx context.Context, path string, speed int, doors endpoints, n *narrator) (*sender, error) {
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	deliverer, err := delivery.New(ctx, sqlitequeue.On(store), delivery.Options{
		Policy: policy(speed),
		// A host on the Internet leaves Call out: addresses that are not public
		// are refused then (WHK-12), and certificates are those of the system.
		Call:     calls(doors),
		Poll:     10 * time.Millisecond,
		Observer: n,
		Logger:   slog.New(logHandler{n}),
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &sender{store: store, deliverer: deliverer, narrator: n, deafen: func() {}}, nil
}

// calls are the options of calls to the loopback address.
func calls(doors endpoints) caller.Options {
	return caller.Options{
		Policy: webhookpolicy.DefaultPolicy(),
		Allow:  []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, TLS: doors.trusted(),
	}
}

// close waits for what is under way, and closes the store after that.
func (s *sender) close() error {
	s.deafen()
	s.feeding.Wait()
	return errors.Join(s.deliverer.Stop(context.Background()), s.store.Close())
}

// policy is that of the rules, so many times as fast.
func policy(speed int) webhookpolicy.Policy {
	p := webhookpolicy.DefaultPolicy()
	p.MinEnded = 10 // and not 20, since there are few events here
	if speed == 1 {
		return p
	}
	faster := func(d time.Duration) time.Duration { return max(d/time.Duration(speed), 1) }
	for i := range p.Delays {
		p.Delays[i] = faster(p.Delays[i])
	}
	p.MaxRetryAfter, p.ProbeAfter, p.ProbeMax = faster(p.MaxRetryAfter), faster(p.ProbeAfter), faster(p.ProbeMax)
	p.Window = max(faster(p.Window), time.Minute) // the shortest that there is
	p.FirstTimeout = 750 * time.Millisecond       // receivers do not become faster
	return p
}

// begun returns when the story began: now, unless it goes on.
func (s *sender) begun(ctx context.Context) (time.Time, error) {
	oldest, err := s.deliverer.Deliveries(ctx, delivery.Query{Limit: 1})
	if err != nil || len(oldest.Deliveries) == 0 {
		return time.Now(), err
	}
	return oldest.Deliveries[0].Created(), nil
}

// subscribe has an endpoint be told what it wants to hear. One that is known is
// found where it was.
func (s *sender) subscribe(ctx context.Context, d *endpoint) error {
	known, err := s.deliverer.Subscription(ctx, d.id)
	if err == nil {
		return d.serve(known.Endpoint(), known.Secret())
	}
	if !errors.Is(err, delivery.ErrNotFound) {
		return err
	}
	secret := newSecret()
	if err := d.serve("", secret); err != nil {
		return err
	}
	subscription, err := webhookpolicy.NewSubscription(d.id, webhookpolicy.Settings{
		Endpoint: d.url, Secret: secret, Enabled: true, AutoRetry: d.autoRetry,
		Events: d.wants, Scopes: []string{webhookpolicy.ScopePublicAPI},
	}, time.Now())
	if err != nil {
		return err
	}
	return s.deliverer.CreateSubscription(ctx, subscription)
}

func newSecret() webhookpolicy.Secret {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails
	return webhookpolicy.SecretFromRandom(random)
}

// hear has a door where the provider tells what became of things. What it tells is
// kept first, in the database of the store, and fed into the sessions after that.
func (s *sender) hear(ctx context.Context, door *endpoint) error {
	inbox, err := sqliteinbox.New(ctx, s.store.Writer())
	if err != nil {
		return err
	}
	feed, err := receiver.NewFeed(receiver.FeedOptions{
		Inbox: inbox, Store: s.store, Poll: 20 * time.Millisecond,
		Report: func(err error) { s.narrator.say("host", err.Error()) },
	})
	if err != nil {
		return err
	}
	door.inbox = inbox
	ctx, s.deafen = context.WithCancel(ctx)
	s.feeding.Go(func() { _ = feed.Run(ctx) }) // it ends with ctx, and tells so
	return nil
}

// change applies a command to a session. Whom to tell of it is not its business:
// the store keeps the announcements with the change, and the deliverer finds them
// there. What was done before is passed over.
func (s *sender) change(ctx context.Context, title, id string, c session.Command) error {
	_, _, err := session.Update(ctx, s.store, id, c, time.Now())
	switch {
	case errors.Is(err, session.ErrExists) || errors.Is(err, session.ErrResourceTaken):
		return nil
	case err != nil:
		return err
	}
	s.deliverer.Wake()
	s.narrator.say("host", title)
	return nil
}
