package stress

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// Write saves from several goroutines, deals with the outbox in another one, and
// tells of everything on the pipe that its parent has given it: of what it is
// about to remove before, and of what was done behind. It goes on until the
// process is killed; an error ends it.
//
// If it is eager, it tells of saves before they are done, which [Subject.Kill]
// must find out.
func Write(store Store, name string, eager bool) error {
	w := writer{store: store, pipe: os.NewFile(3, "pipe"), eager: eager}
	errs := make(chan error)
	for i := range 3 {
		go func() { errs <- w.save(fmt.Sprintf("%s.%d", name, i)) }()
	}
	go func() { errs <- w.remove() }()
	return <-errs
}

// writer is a process that will be killed.
type writer struct {
	store Store
	eager bool

	mu   sync.Mutex
	pipe *os.File
}

func (w *writer) tell(what, id string, version int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := fmt.Fprintf(w.pipe, "%s %s %d\n", what, id, version)
	return err
}

// save leads one session after another through its life.
func (w *writer) save(name string) error {
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s.%d", name, i)
		for n, c := range []session.Command{
			creation(id),
			link(id + ".1"),
			session.Observe{ResourceID: id + ".1", Status: action.Failed, AsOf: noon.Add(time.Second)},
			session.Resolve{ResourceID: id + ".1"},
		} {
			if w.eager {
				if err := w.tell("saved", id, n+1); err != nil {
					return err
				}
			}
			s, _, err := session.Update(context.Background(), w.store, id, c, noon)
			if err != nil {
				return err
			}
			if err := w.tell("saved", id, s.Version()); err != nil {
				return err
			}
		}
	}
}

// remove takes some announcements after the others out of the outbox.
func (w *writer) remove() error {
	for {
		entries, err := w.store.Claim(context.Background(), 3, noon, 0)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := w.tell("removing", e.ID(), 0); err != nil {
				return err
			}
		}
		if err := w.store.Acknowledge(context.Background(), entries...); err != nil {
			return err
		}
		for _, e := range entries {
			if err := w.tell("removed", e.ID(), 0); err != nil {
				return err
			}
		}
	}
}

// Subject is what is killed, at any moment and with no chance to tidy up, and
// looked at.
type Subject struct {
	// Child returns a command that calls Write with the name, on the same data
	// each time.
	Child func(name string) *exec.Cmd
	// Open opens the data, once nothing of the process that was killed goes on.
	Open func() Store

	saved             map[string]int  // version of each session
	removing, removed map[string]bool // ids of announcements
}

// Kill kills so many processes, one after another. It returns what is wrong then:
// nothing after the last one, or else after the first one that did harm.
//
// After each death, every save that was acknowledged has to be there, every
// session has to agree with its events, every resource has to stand in its
// session, and the outbox has to hold what was announced and nobody removed.
func (s *Subject) Kill(t testing.TB, kills int) []string {
	t.Helper()
	s.saved, s.removing, s.removed = map[string]int{}, map[string]bool{}, map[string]bool{}
	random := rand.New(rand.NewPCG(20250922, uint64(kills))) //nolint:gosec // not for secrets
	for round := range kills {
		s.kill(t, round, random)
		store := s.Open()
		faults, err := s.faults(store)
		if err != nil {
			t.Fatalf("after kill %d: %v", round+1, err)
		}
		if err := store.Close(); err != nil {
			t.Fatalf("after kill %d: %v", round+1, err)
		}
		if len(faults) > 0 {
			return faults
		}
	}
	t.Logf("%d kills, %d sessions, %d announcements removed", kills, len(s.saved), len(s.removed))
	if len(s.saved) == 0 || len(s.removed) == 0 {
		return []string{"nothing was written before the processes were killed"}
	}
	return nil
}

// kill starts a process and kills it at a random moment: often while it writes,
// now and then while it opens the store.
func (s *Subject) kill(t testing.TB, round int, random *rand.Rand) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("kill %d: %v", round+1, err)
		}
	}
	output, input, err := os.Pipe()
	must(err)
	cmd := s.Child(fmt.Sprintf("r%d", round))
	cmd.ExtraFiles = append(cmd.ExtraFiles, input)
	must(cmd.Start())
	must(input.Close())
	lines, wait := random.IntN(200), time.Duration(random.IntN(3000))*time.Microsecond
	if round%5 == 0 {
		lines, wait = 0, time.Duration(random.IntN(60_000))*time.Microsecond
	}
	kill := func() { time.AfterFunc(wait, func() { _ = cmd.Process.Kill() }) }
	if lines == 0 {
		kill()
	}
	for scanner := bufio.NewScanner(output); scanner.Scan(); lines-- {
		must(s.heard(scanner.Text()))
		if lines == 1 {
			kill()
		}
	}
	must(output.Close())
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("kill %d: the process did not die of a signal: %v", round+1, err)
	}
}

// heard takes in a line that the process has told.
func (s *Subject) heard(line string) error {
	var what, id string
	var version int
	if _, err := fmt.Sscan(line, &what, &id, &version); err != nil {
		return fmt.Errorf("line %q: %w", line, err)
	}
	switch what {
	case "saved":
		s.saved[id] = version
	case "removing":
		s.removing[id] = true
	case "removed":
		s.removed[id] = true
	}
	return nil
}

// faults compares the store with what was told, and returns how they differ.
func (s *Subject) faults(store Store) (faults []string, err error) {
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	ctx := context.Background()
	announced, versions := map[string]bool{}, map[string]int{}
	for r, err := range store.Sweep(ctx) {
		if err == nil {
			err = r.Verify()
		}
		if err != nil {
			return nil, err
		}
		versions[r.ID] = r.Session.Version()
		for _, a := range (session.Change{Events: r.Events}).Announcements() {
			announced[a.ID()] = true
		}
		found, err := store.Find(ctx, r.ID+".1")
		linked := r.Session.Version() > 1
		fault(linked != (err == nil && found == r.ID), "resource of %s: %q, %v", r.Session, found, err)
	}
	for id, version := range s.saved {
		fault(versions[id] < version, "version %d of session %s was acknowledged, and there is %d", version, id, versions[id])
	}
	there, err := store.Announced(ctx, "", 1<<20)
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, e := range there {
		fault(kept[e.ID()], "%s is there twice", e.ID())
		fault(!announced[e.ID()], "%s is of no save", e.ID())
		fault(s.removed[e.ID()], "%s was removed, and is there", e.ID())
		kept[e.ID()] = true
	}
	for id := range announced {
		gone := s.removed[id] || s.removing[id]
		fault(!kept[id] && !gone, "%s is lost", id)
		// What was being removed when the process died is now known.
		if gone && !kept[id] {
			s.removed[id] = true
		}
	}
	clear(s.removing)
	return faults, nil
}
