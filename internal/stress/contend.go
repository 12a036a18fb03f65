package stress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// Writers is how many write to one session at once.
const Writers = 16

// Contend has many writers update one session until so many commands were tried.
// It fails the test unless each save is a version and none is lost, no writer is
// kept from writing, and hardly any is told of a conflict after all tries of
// Update.
func Contend(t testing.TB, store Store, commands int) {
	t.Helper()
	c := &contest{Store: store, commands: int64(commands)}
	for _, command := range append([]session.Command{creation("a")}, links()...) {
		if _, _, err := session.Update(context.Background(), c, "a", command, noon); err != nil {
			t.Fatal(err)
		}
	}
	begun := c.saved.Load()
	var all sync.WaitGroup
	for i := range Writers {
		all.Go(func() { c.write(t, i) })
	}
	all.Wait()

	s, err := store.Load(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if int64(s.Version()) != c.saved.Load() {
		t.Errorf("%s after %d saves", s, c.saved.Load())
	}
	if _, err := session.VerifyAll(context.Background(), store, func(_ string, err error) error { return err }); err != nil {
		t.Error(err)
	}
	slowest, fair := slices.Min(c.wins[:]), commands/Writers
	t.Logf("%d saves, %d late; %d of %d commands refused; slowest writer %d, fastest %d, fair share %d",
		c.saved.Load()-begun, c.late.Load(), c.refused.Load(), commands, slowest, slices.Max(c.wins[:]), fair)
	if slowest < fair/4 {
		t.Errorf("the slowest writer got %d of %d", slowest, fair)
	}
	// One who is late meets one other in his next try, and not all: one chance in
	// two to be late again, sixteen times.
	if c.refused.Load() > int64(1+commands/200) {
		t.Errorf("%d commands were refused", c.refused.Load())
	}
}

// links returns the commands that link a resource for each writer, so that no
// report is stale.
func links() []session.Command {
	var commands []session.Command
	for i := range Writers {
		commands = append(commands, link(fmt.Sprint("r", i)))
	}
	return commands
}

// contest counts the saves of a store: those that succeeded, and those that were
// late.
type contest struct {
	Store
	commands             int64
	next                 atomic.Int64
	saved, late, refused atomic.Int64
	wins                 [Writers]int
}

// Save implements [session.Store].
func (c *contest) Save(ctx context.Context, next session.Session, events []session.Event) error {
	err := c.Store.Save(ctx, next, events)
	if err == nil {
		c.saved.Add(1)
	} else if errors.Is(err, session.ErrConflict) {
		c.late.Add(1)
	}
	return err
}

// write is one writer.
func (c *contest) write(t testing.TB, i int) {
	for n := c.next.Add(1); n <= c.commands; n = c.next.Add(1) {
		report := session.Observe{
			ResourceID: fmt.Sprint("r", i), Status: action.Pending, AsOf: noon.Add(time.Duration(n) * time.Second),
		}
		_, _, err := session.Update(context.Background(), c, "a", report, noon)
		switch {
		case errors.Is(err, session.ErrConflict):
			c.refused.Add(1)
		case err != nil:
			t.Errorf("writer %d: %v", i, err)
			return
		default:
			c.wins[i]++
		}
	}
}
