// Delivery shows how webhooks reach those who subscribed to them: a host with
// sessions in an SQLite file, and two receivers on the loopback interface, of
// which one is well and the other fails in all the ways. It tells line by line
// what is called, what comes back, and what follows.
//
//	go run ./examples/delivery -fast
//	go run ./examples/delivery -db delivery.db
//
// By itself it takes the four days that the schedule of retries takes. With -fast
// they are over in about a minute, and times are shown as they would have been.
// It can be stopped at any moment; with -db it goes on there when it is started
// again.
//
// What a host needs is in sender.go, which is written to be copied. provider.go is
// who tells the host by webhooks, receivers.go whom the host tells, show.go the
// narrator, and this file the play.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// fast is how many times as fast as the rules -fast is: four days take a minute.
const fast = 5760

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main without the process: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("delivery", flag.ContinueOnError)
	flags.SetOutput(stderr)
	hurry := flags.Bool("fast", false, fmt.Sprintf("the same as -speed %d: four days in about a minute", fast))
	speed := flags.Int("speed", 1, "go so many `times` as fast as the rules")
	path := flags.String("db", "", "keep everything in this SQLite `file`, and go on from there (default a temporary file)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // flags has said why
	}
	if *hurry {
		*speed = fast
	}
	if flags.NArg() > 0 || *speed < 1 || *speed > 1_000_000 {
		complain(stderr, errors.New("no arguments are wanted, and a speed from 1 to 1000000"))
		flags.Usage()
		return 2
	}
	if err := playIn(ctx, *path, *speed, stdout); err != nil {
		complain(stderr, err)
		return 1
	}
	return 0
}

// complain writes to standard error. If that fails, nobody is left to be told.
func complain(stderr io.Writer, err error) { _, _ = fmt.Fprintln(stderr, "delivery:", err) }

// playIn plays in a database, or in a temporary one for "".
func playIn(ctx context.Context, path string, speed int, out io.Writer) (err error) {
	kept := path != ""
	if !kept {
		dir, err := os.MkdirTemp("", "delivery-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is temporary
		path = filepath.Join(dir, "delivery.db")
	}
	doors, err := newEndpoints(speed)
	if err != nil {
		return err
	}
	n := &narrator{out: out, clock: clock{time.Now(), speed}, doors: doors}
	s, err := open(ctx, path, speed, doors, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	defer doors.close()
	p := &play{sender: s, narrator: n, doors: doors}
	if p.provider, err = newProvider(ctx, s, doors); err != nil {
		return err
	}
	defer p.provider.door.close()
	if err := p.play(ctx); ctx.Err() == nil || err == nil {
		return err
	}
	return p.stopped(context.WithoutCancel(ctx), kept)
}

// play is what happens, in the order in which it does.
type play struct {
	*sender
	*narrator
	doors    endpoints
	provider *provider
}

func (p *play) play(ctx context.Context) error {
	p.intro()
	for _, d := range p.doors {
		if err := p.subscribe(ctx, d); err != nil {
			return err
		}
	}
	var err error
	if p.clock.origin, err = p.begun(ctx); err != nil {
		return err
	}
	if err := p.deliverer.Start(ctx); err != nil {
		return err
	}
	if err := p.onboard(ctx, kelly); err != nil {
		return err
	}
	if err := p.mend(ctx, p.doors.named("archive"), 20*time.Hour); err != nil {
		return err
	}
	if err := p.until(ctx, 30*time.Hour); err != nil {
		return err
	}
	if err := p.onboard(ctx, noah); err != nil {
		return err
	}
	if err := p.waitFor(ctx, p.idle); err != nil {
		return err
	}
	return p.finale(ctx)
}

// mend has an endpoint be well from a time on, or once it is suspended if that
// is later.
func (p *play) mend(ctx context.Context, d *endpoint, at time.Duration) error {
	var e delivery.Endpoint
	err := p.waitFor(ctx, func(ctx context.Context) (bool, error) {
		var err error
		e, err = p.deliverer.Endpoint(ctx, d.url)
		return e.Health.Condition() != webhookpolicy.Open || !e.Health.ReleasedAt().IsZero(), err
	})
	if err != nil {
		return err
	}
	if err := p.until(ctx, at); err != nil {
		return err
	}
	if e, err = p.deliverer.Endpoint(ctx, d.url); err != nil {
		return err
	}
	d.mended.Store(true)
	if e.Health.Condition() != webhookpolicy.Open {
		p.say(d.id, fmt.Sprintf("is well again, which nobody tells the host; deliveries parked for it: %d", e.Parked))
	}
	return nil
}

// finale shows what is left at the end, and what can be done about it.
func (p *play) finale(ctx context.Context) error {
	dead, err := p.deliverer.Deliveries(ctx, delivery.Query{States: []webhookpolicy.State{webhookpolicy.Exhausted}})
	if err != nil {
		return err
	}
	p.heading("Dead letters: Deliverer.Deliveries")
	for _, d := range dead.Deliveries {
		p.listed(d)
	}
	if len(dead.Deliveries) > 0 {
		if err := p.revive(ctx, dead.Deliveries[0].EventID()); err != nil {
			return err
		}
	}
	stats, err := p.deliverer.Stats(ctx)
	if err == nil {
		p.say("host", fmt.Sprintf("nothing waits any more; dead letters: %d", stats.Exhausted))
	}
	return err
}

// revive tells the story of a dead letter, and sends it once more.
func (p *play) revive(ctx context.Context, eventID string) error {
	p.heading("The story of the first one: Deliverer.Explain")
	story, err := p.deliverer.Explain(ctx, eventID)
	if err != nil {
		return err
	}
	p.story(story)
	p.heading("All is well again, and it is sent once more: Deliverer.Replay")
	for _, d := range p.doors {
		d.mended.Store(true)
	}
	if err := p.deliverer.Replay(ctx, eventID); err != nil {
		return err
	}
	return p.waitFor(ctx, p.idle)
}

// stopped tells what was left undone.
func (p *play) stopped(ctx context.Context, kept bool) error {
	if err := p.deliverer.Stop(ctx); err != nil {
		return err
	}
	p.heading("Stopped. What waits:")
	page, err := p.deliverer.Deliveries(ctx, delivery.Query{States: []webhookpolicy.State{
		webhookpolicy.Pending, webhookpolicy.Waiting, webhookpolicy.Parked,
	}})
	if err != nil {
		return err
	}
	for _, d := range page.Deliveries {
		p.listed(d)
	}
	if kept {
		p.heading("Started again with the same -db and speed, it goes on here.")
	}
	return nil
}

// idle reports whether there is nothing left to do.
func (p *play) idle(ctx context.Context) (bool, error) {
	announced, err := p.store.Announced(ctx, "", 1)
	if err != nil || len(announced) > 0 {
		return false, err
	}
	stats, err := p.deliverer.Stats(ctx)
	return stats.Waiting+stats.Parked == 0, err
}

// until waits until a time of the story.
func (p *play) until(ctx context.Context, at time.Duration) error {
	return p.waitFor(ctx, func(context.Context) (bool, error) { return p.clock.since(time.Now()) >= at, nil })
}

// waitFor waits until a condition holds.
func (p *play) waitFor(ctx context.Context, holds func(context.Context) (bool, error)) error {
	ticker := time.NewTicker(max(time.Second/time.Duration(p.clock.speed), 20*time.Millisecond))
	defer ticker.Stop()
	for {
		if held, err := holds(ctx); held || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
