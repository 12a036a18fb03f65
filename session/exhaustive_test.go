package session

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// The whole space, of up to 2 actions in each of 2 groups with up to 3 attempts
// each, has 12 attempts.
var exhaustiveAttempts = flag.Int("exhaustive.attempts", exhaustiveDefault,
	"explore every session with so many attempts in all (12: the whole space)")

// TestExhaustive explores, breadth-first, every session that can be reached
// with one signature request group and one verification group, under all
// commands and events, and checks in each of them:
//
//   - its status and those of its groups are what a plain transcription of
//     GRP-1 to GRP-4 and SES-2 says;
//   - no command changes a previous attempt (ATT-9);
//   - no command that is refused, or tells nothing new, changes anything;
//   - events tell how statuses moved (SES-7);
//   - if it is blocked, every way out that is offered is accepted, and some
//     sequence of them leads out of the block (SES-9).
//
// Sessions are told apart by value: times and ids are left out, and the actions
// of a group are a multiset (GRP-5).
func TestExhaustive(t *testing.T) {
	if testing.Short() {
		*exhaustiveAttempts = 2
	}
	e := &explorer{visited: map[state]bool{{}: true}}
	for level := []state{{}}; len(level) > 0; {
		level = e.explore(t, level)
	}
	t.Logf("at most %d attempts: %d states, %d blocked; %d transitions to another state, "+
		"%d commands refused, %d without news",
		*exhaustiveAttempts, len(e.visited), e.blocked, e.taken, e.refused, e.idle)
	require.Positive(t, e.blocked)
	require.Positive(t, e.refused)
	require.Positive(t, e.idle)
}

const (
	maxActions  = 2
	maxAttempts = 3
)

var (
	exhaustiveGroups = [2]group.Type{group.SignatureRequest, group.CompanyVerification}
	exhaustiveTypes  = [2]action.Type{action.TypeSignatureRequest, action.TypeCompanyVerification}
	past             = time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	later            = past.Add(time.Hour)
)

// code is a chain by value: the status of every attempt, oldest first, and
// whether it is resolved. The zero code is no chain.
type code struct {
	attempts [maxAttempts]action.Status
	resolved bool
}

func (c code) len() int {
	n := 0
	for ; n < maxAttempts && c.attempts[n] != 0; n++ {
	}
	return n
}

func (c code) compare(o code) int {
	if i := slices.Compare(c.attempts[:], o.attempts[:]); i != 0 {
		return i
	}
	if c.resolved == o.resolved {
		return 0
	} else if c.resolved {
		return 1
	}
	return -1
}

// state is a session by value: the chains of both groups, each sorted.
type state [2][maxActions]code

// encode returns the state of a session, and whether it is within bounds.
func encode(s Session) (state, bool) {
	var st state
	attempts := 0
	for g := range s.groups {
		if len(s.groups[g].actions) > maxActions {
			return st, false
		}
		for a, c := range s.groups[g].actions {
			if c.Len() > maxAttempts {
				return st, false
			}
			for n, at := range c.Attempts() {
				st[g][a].attempts[n-1] = at.Resource.Status
				attempts++
			}
			_, st[g][a].resolved = c.Resolution()
		}
		slices.SortFunc(st[g][:len(s.groups[g].actions)], code.compare)
	}
	return st, attempts <= *exhaustiveAttempts
}

// build returns a session that has a state.
func (st state) build(t require.TestingT) Session {
	s := Session{
		id: "s", name: "n", templateID: "t", workspaceID: "w",
		createdAt: past, updatedAt: past, version: 1,
	}
	for g := range st {
		s.groups = append(s.groups, Group{typ: exhaustiveGroups[g]})
		for a, c := range st[g] {
			if c.len() > 0 {
				s.groups[g].put(a, c.build(t, g, a))
			}
		}
	}
	return s
}

// build leads a chain to its code through the operations of a chain alone.
func (c code) build(t require.TestingT, g, a int) attempt.Chain {
	n := c.len()
	final := c.attempts[n-1]
	linked := final // the status in which the newest attempt is linked
	switch {
	case final == action.Deleted:
		linked = action.Canceled
	case c.resolved && final.IsComplete():
		linked = action.Pending
	}
	var chain attempt.Chain
	var err error
	for i := range n {
		next := attemptOf(g, a, i+1, c.attempts[i])
		if i == n-1 {
			next.Resource.Status = linked
		}
		if i == 0 {
			chain, err = attempt.Start(next)
		} else {
			chain, err = chain.Retry(attempt.Retry{Replaces: idOf(g, a, i), Next: next})
		}
		require.NoError(t, err)
	}
	if c.resolved {
		chain, err = chain.Resolve(idOf(g, a, n), attempt.Resolution{At: past})
		require.NoError(t, err)
	}
	if linked != final {
		chain, _, err = chain.Observe(idOf(g, a, n), final, past)
		require.NoError(t, err)
	}
	return chain
}

func idOf(g, a, n int) string { return string([]byte{'a' + byte(g), '0' + byte(a), '0' + byte(n)}) }

func attemptOf(g, a, n int, s action.Status) attempt.Attempt {
	return attempt.Attempt{
		Resource: action.Resource{
			ID: idOf(g, a, n), Type: exhaustiveTypes[g], Status: s, CreatedAt: past, AsOf: past,
		},
		Inputs: attempt.Digest{byte(n)},
	}
}

// commands lists every command that concerns the action in a slot, which has n
// attempts: each event, each status observed late, in time and of a previous
// attempt, each retry, allowed or not, and a resolution.
func commands(g, a, n int) []Command {
	main := idOf(g, a, n)
	list := []Command{Resolve{ResourceID: main}, Resolve{ResourceID: idOf(g, a, 1)}}
	for _, e := range action.Events() {
		list = append(list, Transition{main, e, later}, Transition{main, e, past.Add(-time.Hour)})
		if n > 1 {
			list = append(list, Transition{idOf(g, a, 1), e, later})
		}
	}
	for _, s := range action.Statuses() {
		list = append(list, Observe{main, s, later}, Observe{main, s, past}, Observe{main, s, past.Add(-time.Hour)})
		if n > 1 {
			list = append(list, Observe{idOf(g, a, n-1), s, later})
		}
		next := attemptOf(g, a, n+1, s)
		list = append(list, Link{next.Resource, next.Inputs, main})
		if n > 1 {
			list = append(list, Link{next.Resource, next.Inputs, idOf(g, a, 1)})
		}
	}
	next := attemptOf(g, a, n+1, action.Draft)
	for _, typ := range []action.Type{exhaustiveTypes[1-g], action.TypeWatchlistVerification} {
		r := next.Resource
		r.Type, r.Status = typ, typ.Machine().Initial()[0]
		list = append(list, Link{r, next.Inputs, main})
	}
	same := attemptOf(g, a, n+1, exhaustiveTypes[g].Machine().Initial()[0])
	return append(list,
		Link{same.Resource, attempt.Digest{byte(n)}, main}, // the inputs as they were
		Link{same.Resource, attempt.Digest{}, main},
		Link{attemptOf(g, a, n, action.Pending).Resource, next.Inputs, main}, // a resource that is taken
	)
}

// links lists every link of a new action to a group.
func links(g, a int) []Command {
	var list []Command
	for _, s := range action.Statuses() {
		next := attemptOf(g, a, 1, s)
		list = append(list, Link{Resource: next.Resource, Inputs: next.Inputs})
	}
	return list
}

// prepared holds the commands of every slot, and of every group.
var prepared = sync.OnceValue(func() (p struct {
	slots [2][maxActions][maxAttempts + 1][]Command
	links [2][maxActions + 1][]Command
}) {
	for g := range 2 {
		for a := range maxActions {
			for n := 1; n <= maxAttempts; n++ {
				p.slots[g][a][n] = commands(g, a, n)
			}
		}
		for a := range maxActions + 1 {
			p.links[g][a] = links(g, a)
		}
	}
	return p
})

// explorer counts what it sees.
type explorer struct {
	mu                            sync.Mutex
	visited                       map[state]bool
	blocked, taken, refused, idle int
}

// explore checks a level of the search and returns the next one.
func (e *explorer) explore(t *testing.T, level []state) []state {
	workers := runtime.GOMAXPROCS(0)
	found := make([][]state, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(level) && !t.Failed(); i += workers {
				found[w] = append(found[w], e.visit(t, level[i])...)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	var next []state
	for _, st := range slices.Concat(found...) {
		if !e.visited[st] {
			e.visited[st] = true
			next = append(next, st)
		}
	}
	return next
}

// visit applies every command to a state and returns where they lead.
func (e *explorer) visit(t *testing.T, st state) []state {
	s := st.build(t)
	checkStatuses(t, s)
	v := visit{explorer: e, t: t, st: st, s: s}
	p := prepared()
	for g := range s.groups {
		for a, c := range s.groups[g].actions {
			v.apply(p.slots[g][a][c.Len()])
		}
		v.apply(p.links[g][len(s.groups[g].actions)])
	}
	if s.Status() == Blocked {
		v.leave()
	}
	if !s.Equal(st.build(t)) {
		t.Errorf("a command changed the session that it was applied to: %v", st)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.taken += len(v.next)
	e.refused += v.refused
	e.idle += v.idle
	if s.Status() == Blocked {
		e.blocked++
	}
	return v.next
}

// visit is one state while it is visited.
type visit struct {
	*explorer
	t             *testing.T
	st            state
	s             Session
	next          []state
	refused, idle int
}

func (v *visit) apply(commands []Command) {
	for _, c := range commands {
		next, change, err := Apply(v.s, c, later)
		switch {
		case err != nil || len(change.Events) == 0:
			if &next.groups[0] != &v.s.groups[0] || next.version != v.s.version || len(change.Events) > 0 {
				v.t.Errorf("%+v changed %v, with error %v", c, v.st, err)
			}
			if err != nil {
				v.refused++
			} else {
				v.idle++
			}
		default:
			v.taken(c, next, change.Events[0])
		}
	}
}

// taken checks what a command led to.
func (v *visit) taken(c Command, next Session, e Event) {
	for g := range v.s.groups {
		for a := range v.s.groups[g].actions {
			before, after := v.s.groups[g].actions[a], next.groups[g].actions[a]
			if !frozen(before, after) {
				v.t.Errorf("%+v changed a previous attempt of %v", c, v.st)
			}
		}
		if t := v.s.groups[g].typ; e.GroupType == t &&
			(e.Group != Move{v.s.groups[g].Status(), next.groups[g].Status()}) {
			v.t.Errorf("%+v: group %s of %v moved %v", c, t, v.st, e.Group)
		}
	}
	if (e.Session != Move{v.s.Status(), next.Status()}) || e.Version != v.s.version+1 || next.version != e.Version {
		v.t.Errorf("%+v: %v moved %v to version %d", c, v.st, e.Session, e.Version)
	}
	if st, within := encode(next); within {
		v.next = append(v.next, st)
	}
}

// frozen reports whether the attempts that were previous before, and the one
// that was replaced since, are as they were.
func frozen(before, after attempt.Chain) bool {
	var old []attempt.Attempt
	for n, at := range before.Attempts() {
		if n < after.Len() {
			old = append(old, at)
		}
	}
	for n, at := range after.Attempts() {
		if n < after.Len() && at != old[n-1] {
			return false
		}
	}
	return true
}

// leave takes every way out that a blocked state offers, and then one after the
// other until nothing blocks.
func (v *visit) leave() {
	blockers := v.s.Blockers()
	if len(blockers) == 0 {
		v.t.Errorf("%v is blocked by nothing", v.st)
	}
	s := v.s
	for _, b := range blockers {
		if len(b.WaysOut) == 0 {
			v.t.Errorf("%v: no way out of %s", v.st, b)
			return
		}
		for _, w := range b.WaysOut {
			if _, change, err := Apply(v.s, fillIn(w), later); err != nil || len(change.Events) == 0 {
				v.t.Errorf("%v: the way out %s of %s is refused: %v", v.st, w, b, err)
			}
		}
		// A different one for each number of attempts, so that all are taken.
		next, _, err := Apply(s, fillIn(b.WaysOut[b.Attempt%len(b.WaysOut)]), later)
		if err != nil {
			v.t.Errorf("%v: %v", v.st, err)
		}
		s = next
	}
	if s.Status() == Blocked {
		v.t.Errorf("%v: the ways out do not lead out", v.st)
	}
}

// fillIn adds what only a host knows.
func fillIn(w WayOut) Command {
	switch c := w.Command.(type) {
	case Link:
		c.Resource.ID, c.Resource.Status = "new "+c.PreviousAttemptID, c.Resource.Type.Machine().Initial()[0]
		c.Resource.CreatedAt, c.Resource.AsOf = later, later
		c.Inputs = attempt.Digest{0xff}
		return c
	case Transition:
		c.At = later
		return c
	default:
		return c
	}
}

// checkStatuses compares with a plain transcription of GRP and SES.
func checkStatuses(t *testing.T, s Session) {
	var groups []string
	for _, g := range s.groups {
		var entries []string
		for _, c := range g.actions {
			if _, resolved := c.Resolution(); resolved {
				entries = append(entries, "resolved")
			} else {
				entries = append(entries, c.Main().Resource.Status.String())
			}
		}
		want := plainGroup(entries)
		groups = append(groups, want)
		if got := g.Status().String(); got != want {
			t.Errorf("GRP: a group of %v is %s; the spec says %s", entries, got, want)
		}
	}
	if got, want := s.Status().String(), plainSession(groups); got != want {
		t.Errorf("SES-2: a session of %v is %s; the spec says %s", groups, got, want)
	}
}

// plainGroup is GRP-1 to GRP-4, sentence by sentence.
func plainGroup(entries []string) string {
	counting := slices.DeleteFunc(slices.Clone(entries), func(s string) bool { return s == "deleted" })
	every := func(ok ...string) bool {
		return !slices.ContainsFunc(counting, func(s string) bool { return !slices.Contains(ok, s) })
	}
	some := func(of ...string) bool {
		return slices.ContainsFunc(counting, func(s string) bool { return slices.Contains(of, s) })
	}
	switch {
	case every("draft"): // nothing counts, or all of it is draft
		return "awaiting"
	case some("rejected", "declined", "canceled", "expired", "failed", "inconclusive"):
		return "blocked"
	case some("done", "verified", "resolved") && every("done", "verified", "resolved", "draft"):
		return "done"
	default:
		return "ongoing"
	}
}

// plainSession is SES-2.
func plainSession(groups []string) string {
	count := func(s string) (n int) {
		for _, g := range groups {
			if g == s {
				n++
			}
		}
		return n
	}
	switch len(groups) {
	case count("awaiting"):
		return "awaiting"
	case count("done"):
		return "done"
	}
	if count("blocked") > 0 {
		return "blocked"
	}
	return "ongoing"
}

// TestExhaustive_Builds shows that a state and the session built from it are
// the same, for every chain that there is.
func TestExhaustive_Builds(t *testing.T) {
	for _, g := range []int{0, 1} {
		for _, s := range exhaustiveTypes[g].Machine().States() {
			st := state{}
			st[g][0].attempts[0] = s
			got, _ := encode(st.build(t))
			require.Equal(t, st, got, fmt.Sprint(st))
		}
	}
}
