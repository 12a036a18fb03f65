package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
)

var (
	errLost = errors.New("the connection was lost")
	errDisk = errors.New("the disk is full")
)

// fate is what becomes of a Save.
type fate int

const (
	done        fate = iota // and the caller hears of it
	doneUnheard             // but the caller does not hear of it
	notDone                 // and the caller does not hear of that
	doneLater               // perhaps: the database still works on it
	refusedFate             // for a reason that is known
)

// unsteady is a database at the end of a bad line, with other writers. What
// happens it is told in advance, by dice: with a low one all goes well, and so it
// does when there are none left.
type unsteady struct {
	*memstore.Store
	dice    []int
	late    int             // before how many of the next saves somebody else comes
	queue   []underWay      // saves that the database still works on
	saved   map[string]bool // by mark
	others  int             // what others have done
	saves   int
	outages int  // errors that are not about outcomes
	rebases bool // a fault: what is late is done over what others have saved
}

type underWay struct {
	mark   string
	next   session.Session
	events []session.Event
}

func (u *unsteady) roll() int {
	if len(u.dice) == 0 || u.late > 0 {
		return 0
	}
	die := u.dice[0]
	u.dice = u.dice[1:]
	return die
}

// meanwhile is what happens between two steps of the caller: often nothing.
func (u *unsteady) meanwhile() {
	switch u.roll() {
	case 8, 9:
		u.other(u.roll())
	case 10, 11, 12:
		u.goOn(1)
	case 13:
		u.goOn(len(u.queue))
	case 14:
		u.goOn(1)
		u.other(u.roll())
	}
}

// goOn has the database do the first of what it still works on, unless a
// version was saved since on which that was not built.
func (u *unsteady) goOn(n int) {
	for ; n > 0 && len(u.queue) > 0; n-- {
		s := u.queue[0]
		u.queue = u.queue[1:]
		err := u.Store.Save(context.Background(), s.next, s.events)
		if errors.Is(err, session.ErrConflict) && u.rebases {
			err = u.rebase(s)
		}
		u.saved[s.mark] = err == nil
	}
}

// rebase saves what a late save was about over what is stored by now.
func (u *unsteady) rebase(s underWay) error {
	stored, err := u.Store.Load(context.Background(), s.next.ID())
	if err != nil {
		return err
	}
	next, change, err := session.Apply(stored, paused, s.events[0].At)
	if err != nil {
		return err
	}
	return u.Store.Save(context.Background(), next, change.Events)
}

// other is another writer, who has a good line.
func (u *unsteady) other(what int) {
	u.others++
	s, err := u.Store.Load(context.Background(), "s1")
	commands := []session.Command{
		observe("b", "pending", 100+u.others), // moves the as-of alone
		event("a", "resumed", 10),
		event("a", "paused", 10),
		link("new", company, "failed"),
		resolve("b"),
		observe("b", "failed", 5_000), // as one under test
	}
	c := commands[what%len(commands)]
	if err != nil {
		c = namedOther
	}
	next, change, err := session.Apply(s, c, at(10_000+u.others))
	if err == nil && len(change.Events) > 0 {
		_ = u.Store.Save(context.Background(), next, change.Events)
	}
}

func (u *unsteady) Load(ctx context.Context, id string) (session.Session, error) {
	u.meanwhile()
	if u.roll() == 15 {
		u.outages++
		return session.Session{}, errLost
	}
	return u.Store.Load(ctx, id)
}

func (u *unsteady) Save(ctx context.Context, next session.Session, events []session.Event) error {
	u.meanwhile()
	u.saves++
	if u.late > 0 {
		u.other(0)
		u.late--
		return u.Store.Save(ctx, next, events)
	}
	return u.save(ctx, next, events, u.fate())
}

// save saves with a fate.
func (u *unsteady) save(ctx context.Context, next session.Session, events []session.Event, f fate) error {
	s := underWay{fmt.Sprint("save ", u.saves), next, events}
	switch f {
	case done:
		return u.Store.Save(ctx, next, events)
	case doneUnheard:
		u.queue = append(u.queue, s)
		u.goOn(len(u.queue))
	case doneLater:
		u.queue = append(u.queue, s)
	case refusedFate:
		u.outages++
		return errDisk
	case notDone:
	}
	return fmt.Errorf("commit: %w", &session.OutcomeError{
		SessionID: next.ID(), Version: next.Version(), Mark: s.mark, Err: errLost,
	})
}

func (u *unsteady) fate() fate {
	switch u.roll() {
	case 6, 7, 8:
		return doneUnheard
	case 9, 10:
		return notDone
	case 11, 12, 13, 14:
		return doneLater
	case 15:
		return refusedFate
	default:
		return done
	}
}

func (u *unsteady) Confirm(_ context.Context, unknown *session.OutcomeError) (bool, error) {
	u.meanwhile()
	if u.roll() == 15 {
		u.outages++
		return false, errLost
	}
	saved := u.saved[unknown.Mark]
	u.meanwhile()
	return saved, nil
}

// byVersion is an unsteady store with a fault: it takes a version that is there
// for the save that was asked for, whoever saved it.
type byVersion struct{ *unsteady }

func (b byVersion) Confirm(ctx context.Context, unknown *session.OutcomeError) (bool, error) {
	s, err := b.Store.Load(ctx, unknown.SessionID)
	return s.Version() >= unknown.Version && err == nil, nil
}

// mute is an unsteady store that cannot confirm.
type mute struct{ session.Store }

// weather is what happens around one Update.
type weather struct {
	Command int
	Late    int
	Dice    []int
}

// ours is the time of the command under test, and of no other.
var ours = at(50_000).Add(time.Nanosecond)

// paused can be applied twice, if somebody else resumed in the same second.
var paused = event("a", "paused", 10)

var namedOther = func() session.Create {
	c := create(group.CompanyVerification, group.SignatureRequest)
	c.Name = "Somebody else's"
	return c
}()

// commands under test.
var unsteadyCommands = []session.Command{
	paused,
	link("new", company, "pending"),
	observe("b", "failed", 5_000),
	resolve("b"),
	create(group.CompanyVerification, group.SignatureRequest),
}

// dice fall evenly, which small numbers do not.
var dice = rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})

// weathers draws what happens; most of it is well.
func weathers() *rapid.Generator[weather] {
	return rapid.Custom(func(t *rapid.T) weather {
		return weather{
			Command: rapid.IntRange(0, len(unsteadyCommands)-1).Draw(t, "command"),
			// Update tries 16 times: so many others bring it near its end.
			Late: rapid.SampledFrom([]int{0, 0, 0, 1, 13, 14, 15, 16}).Draw(t, "late"),
			Dice: rapid.SliceOfN(dice, 20, 60).Draw(t, "dice"),
		}
	})
}

// begin returns the store before the Update.
func (w weather) begin(t require.TestingT) *unsteady {
	u := &unsteady{Store: new(memstore.Store), late: w.Late, saved: map[string]bool{}}
	if _, isCreate := unsteadyCommands[w.Command].(session.Create); !isCreate {
		var s session.Session
		for i, c := range []session.Command{
			create(group.CompanyVerification, group.SignatureRequest),
			link("a", signature, "ongoing"), link("b", company, "pending"),
		} {
			next, change, err := session.Apply(s, c, at(i))
			require.NoError(t, err)
			require.NoError(t, u.Store.Save(context.Background(), next, change.Events))
			s = next
		}
	}
	u.dice = w.Dice
	return u
}

// updating is session.Update, or a twin of it.
type updating func(
	ctx context.Context, store session.Store, id string, c session.Command, now time.Time,
) (session.Session, session.Change, error)
