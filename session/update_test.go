package session_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// unknowns returns every OutcomeError in an error.
func unknowns(err error) []*session.OutcomeError {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case *session.OutcomeError:
		return []*session.OutcomeError{e}
	case interface{ Unwrap() []error }:
		var all []*session.OutcomeError
		for _, part := range e.Unwrap() {
			all = append(all, unknowns(part)...)
		}
		return all
	case interface{ Unwrap() error }:
		return unknowns(e.Unwrap())
	default:
		return nil
	}
}

// tale is what came of one Update.
type tale struct {
	s       session.Session
	change  session.Change
	err     error
	store   *unsteady
	history []session.Event // after all is over
	applied []session.Event // those of the command
}

// play has a command updated in a weather, with whatever store is made of the
// unsteady one.
func (w weather) play(t require.TestingT, update updating, as func(*unsteady) session.Store) tale {
	u := w.begin(t)
	told := tale{store: u}
	told.s, told.change, told.err = update(context.Background(), as(u), "s1", unsteadyCommands[w.Command], ours)
	u.goOn(len(u.queue)) // what may still happen does
	told.history, _ = u.History(context.Background(), "s1", 0)
	for _, e := range told.history {
		if e.At.Equal(ours) {
			told.applied = append(told.applied, e)
		}
	}
	return told
}

// fault returns how a tale breaks the law of Update, "" if it does not.
func (l tale) fault() string {
	open := unknowns(l.err)
	switch {
	case len(l.applied) > 1:
		return fmt.Sprintf("it was applied %d times", len(l.applied))
	case l.err == nil && !reflect.DeepEqual(l.change.Events, l.applied):
		return fmt.Sprintf("it says that %d events were saved, and %d were", len(l.change.Events), len(l.applied))
	case l.err != nil && len(open) == 0 && len(l.applied) > 0:
		return fmt.Sprintf("it was applied, and says: %v", l.err)
	case l.err != nil && !reflect.DeepEqual(l.change, session.Change{}):
		return "it returns an error and a change"
	case len(open) > 0 && !errors.Is(l.err, session.ErrUnknownOutcome):
		return "the error does not unwrap to ErrUnknownOutcome"
	}
	named := 0
	for _, o := range open {
		if l.store.saved[o.Mark] {
			named++
		}
	}
	if len(open) > 0 && named != len(l.applied) {
		return fmt.Sprintf("it was applied %d times, and %d of the saves are named", len(l.applied), named)
	}
	return cmp.Or(l.diligent(open), l.truthful())
}

// diligent says whether Update left open what it could have found out.
func (l tale) diligent(open []*session.OutcomeError) string {
	if len(open) > 0 && l.store.outages == 0 && l.store.saves < 16 {
		return "it leaves open what it could have found out"
	}
	return ""
}

// truthful says whether the session that Update returned is one that there
// was: after the change, or as it was loaded.
func (l tale) truthful() string {
	version := l.s.Version()
	if n := len(l.change.Events); n > 0 && l.change.Events[n-1].Version != version {
		return fmt.Sprintf("it returns version %d after event %d", version, l.change.Events[n-1].Version)
	}
	if version > len(l.history) {
		return fmt.Sprintf("it returns version %d, of %d", version, len(l.history))
	}
	if s, err := session.Replay(l.history[:version]); err != nil || !s.Equal(l.s) {
		return fmt.Sprintf("it returns %s, which never was: %v", l.s, err)
	}
	return ""
}

func itself(u *unsteady) session.Store { return u }

// The law of Update: a command is applied at most once, and exactly once if
// there is no error and something to change; an error that leaves it open
// whether it was names the save by which it was, and any other error says that
// it was not.
func TestUpdate_Unsteady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := weathers().Draw(t, "weather")
		if fault := w.play(t, session.Update, itself).fault(); fault != "" {
			t.Fatal(fault)
		}
	})
}

// A store that lost the ability to confirm is no Confirmer; then Update says
// that it does not know, and nothing worse.
func TestUpdate_UnsteadyMute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := weathers().Draw(t, "weather")
		told := w.play(t, session.Update, func(u *unsteady) session.Store { return mute{u} })
		told.store.outages++ // it could not have found out
		if fault := told.fault(); fault != "" {
			t.Fatal(fault)
		}
	})
}

// scripted is an unsteady store that is told in words what happens, and in which
// order it is called.
type scripted struct {
	*unsteady
	t     *testing.T
	steps []string
}

// next goes on to the next call, and returns how that goes.
func (s *scripted) next(call string) (how string) {
	for len(s.steps) > 0 {
		step := s.steps[0]
		s.steps = s.steps[1:]
		switch step {
		case "goes on":
			s.goOn(1)
		case "other":
			s.other(0)
		case "resumed":
			s.other(1)
		default:
			name, how, _ := strings.Cut(step, " ")
			require.Equal(s.t, name, call, "before %q", s.steps)
			return how
		}
	}
	require.Fail(s.t, "one call too many", call)
	return ""
}

func (s *scripted) Load(ctx context.Context, id string) (session.Session, error) {
	if s.next("load") == "lost" {
		return session.Session{}, errLost
	}
	return s.Store.Load(ctx, id)
}

func (s *scripted) Save(ctx context.Context, next session.Session, events []session.Event) error {
	fates := map[string]fate{"": done, "unheard": doneUnheard, "lost": notDone, "later": doneLater, "full": refusedFate}
	f, ok := fates[s.next("save")]
	require.True(s.t, ok)
	s.saves++
	return s.save(ctx, next, events, f)
}

func (s *scripted) Confirm(ctx context.Context, unknown *session.OutcomeError) (bool, error) {
	if s.next("confirm") == "lost" {
		return false, errLost
	}
	return s.unsteady.Confirm(ctx, unknown)
}

// times is a part of a script some times over.
func times(n int, part string) string { return strings.Repeat(part+", ", n) }

// What Update does when it is not told what became of a save, step by step.
func TestUpdate_Unknown(t *testing.T) {
	const (
		lost    = "save session s1: commit: session: whether version 4 of session s1 was saved is not known: the connection was lost"
		applied = ""
	)
	conflicts := times(15, "load, other, save")
	tests := []struct {
		name, script string
		says         string // the error
		version      int    // that is returned
		once         bool   // the command was applied
	}{
		{"it was done", "load, save unheard, load, confirm", applied, 4, true},
		{"it was not done", "load, save lost, load, confirm, save", applied, 4, true},
		{"it was done meanwhile", "load, save later, load, goes on, confirm", applied, 4, true},
		{"it is done while the next one is on its way", "load, save later, load, confirm, goes on, save, load, confirm", applied, 4, true},
		{"it never is: the next one is", "load, save later, load, confirm, save, goes on", applied, 4, true},
		{"it never is: somebody else was first", "load, save later, other, load, confirm, save", applied, 5, true},
		{
			"it was done, and undone by somebody else in the same second",
			"load, save unheard, resumed, load, confirm", applied, 4, true,
		},
		{
			"it is done and undone after it was asked for",
			"load, save later, load, confirm, goes on, resumed, save, load, confirm", applied, 4, true,
		},
		{"several, of which the second was done", "load, save lost, load, confirm, save unheard, load, confirm, confirm", applied, 4, true},
		{"several, of which the first was done", "load, save later, load, confirm, save lost, goes on, load, confirm", applied, 4, true},
		{
			"those that can be done no more are asked for no more",
			"load, save lost, other, load, confirm, save lost, other, load, confirm, save", applied, 6, true,
		},
		{"it cannot load", "load, save unheard, load lost", lost + "\nload session s1: the connection was lost", 0, true},
		{"it cannot confirm", "load, save unheard, load, confirm lost", lost + "\nthe connection was lost", 4, true},
		{
			"it cannot save again, and then the first is done",
			"load, save later, load, confirm, save full, goes on", lost + "\nsave session s1: the disk is full", 3, true,
		},
		{"it cannot save any more, but knows", "load, save later, other, load, confirm, save full", "save session s1: the disk is full", 4, false},
		{"the last one was done", conflicts + "load, save unheard, load, confirm", applied, 19, true},
		{
			"the last one was too late, for one of its own",
			times(14, "load, other, save") + "load, save later, load, confirm, goes on, save, load, confirm", applied, 18, true,
		},
		{
			"the last one was too late, for somebody else's",
			times(14, "load, other, save") + "load, save later, load, confirm, other, save, load, confirm",
			"save session s1: session s1 is stored in version 18, not 17: session: conflict", 18, false,
		},
		{
			"the last one is open, and is done afterwards", conflicts + "load, save later, load, confirm, goes on",
			strings.Replace(lost, "version 4", "version 19", 1), 18, true,
		},
		{
			"the last one can be done no more",
			"load, save lost, other, " + times(15, "load, confirm, save lost, other") + "load, confirm",
			"save session s1: session: conflict", 19, false,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var store *scripted
			told := weather{}.play(t, session.Update, func(u *unsteady) session.Store {
				store = &scripted{u, t, strings.Split(test.script, ", ")}
				return store
			})
			assert.True(t, len(store.steps) == 0 || slices.Equal(store.steps, []string{"goes on"}), "left: %q", store.steps)
			if test.says == "" {
				require.NoError(t, told.err)
			} else {
				require.EqualError(t, told.err, test.says)
			}
			assert.Equal(t, test.version, told.s.Version())
			assert.Equal(t, test.once, len(told.applied) == 1)
			assert.Equal(t, strings.Contains(test.says, "not known"), errors.Is(told.err, session.ErrUnknownOutcome))
			told.store.outages++ // the table says what could be found out
			assert.Empty(t, told.fault())
		})
	}
}

// examples is how many weathers the twins are looked at in.
const examples = 5_000

// firstFault returns the first of many weathers in which an update breaks the
// law so that the fault has a text in it; "" if it does not.
func firstFault(t *testing.T, update updating, as func(*unsteady) session.Store, says string) (weather, string) {
	t.Helper()
	for seed := range examples {
		w := weathers().Example(seed)
		if fault := w.play(t, update, as).fault(); fault != "" && strings.Contains(fault, says) {
			return w, fault
		}
	}
	return weather{}, ""
}

// The property would notice: here is what it says of updates and of stores with
// one fault each.
func TestUpdate_BrokenTwins(t *testing.T) {
	tests := []struct {
		name   string
		update updating
		store  func(*unsteady) session.Store
		says   string
	}{
		{"no fault", twin{}.update, itself, ""},
		{"Confirm before Load", twin{asksFirst: true}.update, itself, "applied 2 times"},
		{"what is not known is taken for not done", twin{forgets: true}.update, itself, "applied 2 times"},
		{"what is not known is taken for done", twin{trusts: true}.update, itself, "0 were"},
		{"an error of Load hides what is not known", twin{hidesByLoad: true}.update, itself, "it was applied, and says"},
		{"an error of Save hides what is not known", twin{hidesBySave: true}.update, itself, "it was applied, and says"},
		{"an error of Confirm hides what is not known", twin{hidesByConfirm: true}.update, itself, "it was applied, and says"},
		{"the last conflict is not looked into", twin{endsEarly: true}.update, itself, "it was applied, and says"},
		{"the last of several is named alone", twin{namesLast: true}.update, itself, "named"},
		{"what is settled is left open", twin{keepsOpen: true}.update, itself, "it leaves open"},
		{"the change of another try is returned", twin{mixes: true}.update, itself, "events were saved"},
		{"a store that asks for the version", session.Update, func(u *unsteady) session.Store { return byVersion{u} }, "0 were"},
		{"a store that does late saves over others", session.Update, func(u *unsteady) session.Store {
			u.rebases = true
			return u
		}, "applied 2 times"},
		{"a store that cannot confirm", session.Update, func(u *unsteady) session.Store { return mute{u} }, "it leaves open"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, fault := firstFault(t, test.update, test.store, test.says)
			t.Logf("%+v: %s", w, fault)
			if test.says == "" {
				assert.Empty(t, fault)
				return
			}
			assert.NotEmpty(t, fault, "nobody noticed")
		})
	}
}

// The weathers are bad enough: of everything that can become of an Update there
// is something to see.
func TestWeathers(t *testing.T) {
	seen := map[string]int{}
	for seed := range examples {
		w := weathers().Example(seed)
		told := w.play(t, session.Update, itself)
		open := unknowns(told.err)
		kind := "refused"
		switch {
		case told.err == nil && len(told.change.Events) > 0:
			kind = "applied"
		case told.err == nil:
			kind = "nothing new"
		case len(open) > 1:
			kind = "several are open"
		case len(open) == 1:
			kind = "one is open"
		case errors.Is(told.err, session.ErrConflict):
			kind = "conflict"
		case errors.Is(told.err, errDisk), errors.Is(told.err, errLost):
			kind = "outage"
		}
		if told.store.saves > 1 && len(told.applied) > 0 {
			kind += ", after several saves"
		}
		seen[kind]++
	}
	t.Log(seen)
	for _, kind := range []string{
		"applied", "applied, after several saves", "nothing new", "several are open", "one is open",
		"several are open, after several saves", "one is open, after several saves",
		"conflict", "outage", "refused",
	} {
		assert.GreaterOrEqual(t, seen[kind], 10, kind)
	}
}
