package attempt_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// branch is a chain, its model, and what the chain showed when it was made.
type branch struct {
	chain  attempt.Chain
	model  model
	showed string
}

// world is all branches that were ever made, each from some other. Whatever is
// done to one, the others must go on showing what they showed.
type world struct {
	branches []branch
	ids      int
}

// pick draws a branch to go on from: mostly the one that was made last, so that
// chains grow long, at times any.
func (w *world) pick(t *rapid.T) branch {
	i := len(w.branches) - 1
	if rapid.IntRange(0, 4).Draw(t, "go back") == 0 {
		i = rapid.IntRange(0, i).Draw(t, "branch")
	}
	return w.branches[i]
}

// add checks that a command had the right result, and keeps it as a branch.
func (w *world) add(t *rapid.T, c attempt.Chain, m model) {
	require.Equal(t, m.shows(), shows(c))
	w.branches = append(w.branches, branch{c, m, shows(c)})
}

// start makes the first branch.
func start(t *rapid.T) *world {
	w := &world{}
	typ := drawType(t)
	first := w.drawNext(t, typ, drawStatus(t, typ, "status"))
	if first.status == "deleted" {
		first.status = "draft"
	}
	c, err := attempt.Start(first.attempt())
	require.NoError(t, err)
	w.add(t, c, model{tries: []modelTry{first}})
	return w
}

func drawType(t *rapid.T) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(statusesOf))).Draw(t, "type")
}

func drawStatus(t *rapid.T, typ, label string) string {
	return rapid.SampledFrom(statusesOf[typ]).Draw(t, label)
}

// drawNext draws an attempt with a resource that no other has.
func (w *world) drawNext(t *rapid.T, typ, status string) modelTry {
	w.ids++
	return modelTry{
		id: "r" + strconv.Itoa(w.ids), typ: typ, status: status,
		inputs: rapid.SampledFrom([]string{"A", "B", "C", ""}).Draw(t, "inputs"),
		asOf:   rapid.IntRange(0, 20).Draw(t, "as of"),
	}
}

// drawID draws the resource of an attempt of the model, the newest as often as
// all others together, or an unknown one.
func drawID(t *rapid.T, m model, label string) string {
	ids := []string{"unknown"}
	for _, try := range m.tries {
		ids = append(ids, try.id)
	}
	return rapid.OneOf(rapid.Just(m.main().id), rapid.SampledFrom(ids)).Draw(t, label)
}

// retry asks for anything: most of it breaks some rule, often several.
func (w *world) retry(t *rapid.T) {
	b := w.pick(t)
	typ := rapid.OneOf(rapid.Just(b.model.main().typ), rapid.Custom(drawType)).Draw(t, "next type")
	r := modelRetry{replaces: drawID(t, b.model, "replaces"), next: w.drawNext(t, typ, drawStatus(t, typ, "status"))}
	if rapid.IntRange(0, 3).Draw(t, "taken") == 0 {
		r.next.id = drawID(t, b.model, "id")
	}
	r.elsewhere = rapid.SampledFrom([]string{"", "", "", "session 4f1d"}).Draw(t, "elsewhere")
	w.ask(t, b, r)
}

// goodRetry asks for what should be allowed wherever a retry is, and leaves the
// way open for the next one.
func (w *world) goodRetry(t *rapid.T) {
	b := w.pick(t)
	main := b.model.main()
	r := modelRetry{replaces: main.id, next: w.drawNext(t, main.typ, "failed")}
	if main.typ == signature {
		r.next.status = "expired"
	}
	r.next.inputs = map[string]string{"A": "B", "B": "A"}[main.inputs]
	if r.next.inputs == "" {
		r.next.inputs = "A"
	}
	w.ask(t, b, r)
}

// ask compares the whole list of refusals, the first of them, and the result.
func (w *world) ask(t *rapid.T, b branch, r modelRetry) {
	asked := attempt.Retry{Replaces: r.replaces, Next: r.next.attempt(), Elsewhere: r.elsewhere}
	broken := b.model.broken(r)
	refusals := b.chain.Refusals(asked)
	require.Equal(t, broken, rules(refusals))

	got, err := b.chain.Retry(asked)
	if len(broken) == 0 {
		require.NoError(t, err)
		w.add(t, got, b.model.retry(r))
		return
	}
	require.Equal(t, broken[0], ruleOf(err))
	require.EqualError(t, err, refusals[0].Error())
	requireEqual(t, b.chain, got)
}

// ruleOf is the rule that refuses, "" if none does.
func ruleOf(err error) string {
	var refusal *action.Refusal
	if errors.As(err, &refusal) {
		return refusal.Rule
	}
	return ""
}

func (w *world) observe(t *rapid.T) {
	b := w.pick(t)
	id := drawID(t, b.model, "resource")
	typ := rapid.OneOf(rapid.Just(b.model.main().typ), rapid.Custom(drawType)).Draw(t, "type")
	status := must(action.ParseStatus(drawStatus(t, typ, "status")))
	asOf := at(rapid.IntRange(0, 40).Draw(t, "as of"))

	got, outcome, err := b.chain.Observe(id, status, asOf)
	m, want := b.model.follow(id, func(r action.Resource) (action.Resource, action.Outcome, error) {
		return r.Observe(status, asOf)
	})
	w.checkFollowed(t, b, got, outcome, err, m, want)
}

func (w *world) transition(t *rapid.T) {
	b := w.pick(t)
	id := drawID(t, b.model, "resource")
	event := rapid.SampledFrom(action.Events()).Draw(t, "event")
	when := at(rapid.IntRange(0, 40).Draw(t, "at"))

	got, outcome, err := b.chain.Transition(id, event, when)
	m, want := b.model.follow(id, func(r action.Resource) (action.Resource, action.Outcome, error) {
		return r.Transition(event, when)
	})
	w.checkFollowed(t, b, got, outcome, err, m, want)
}

func (w *world) checkFollowed(
	t *rapid.T, b branch, got attempt.Chain, outcome action.Outcome, err error, m model, want string,
) {
	if err != nil {
		require.Equal(t, want, ruleOf(err))
		require.Zero(t, outcome)
	} else {
		require.Equal(t, want, outcome.String())
	}
	if want != "taken" {
		requireEqual(t, b.chain, got)
	}
	w.add(t, got, m)
}

// resolve vouches for a branch. The result is kept, but not as the last, for a
// resolved chain does not grow.
func (w *world) resolve(t *rapid.T) {
	b := w.pick(t)
	id := drawID(t, b.model, "resource")
	r := attempt.Resolution{
		Reason: strings.Repeat("é", rapid.SampledFrom([]int{0, 1, 150, 151}).Draw(t, "characters")),
		By:     rapid.SampledFrom([]string{"", "kelly"}).Draw(t, "by"),
		At:     at(rapid.IntRange(0, 40).Draw(t, "at")),
	}
	got, err := b.chain.Resolve(id, r)
	m, refused := b.model.resolve(id, sentence(r), len([]rune(r.Reason)))
	require.Equal(t, refused, ruleOf(err))
	require.Equal(t, refused == "", err == nil)
	if err != nil {
		requireEqual(t, b.chain, got)
		return
	}
	last := w.branches[len(w.branches)-1]
	w.add(t, got, m)
	w.branches = append(w.branches, last)
}

// The chain does what the model says: ATT-1 to ATT-13 and RSL-1 to RSL-5, in
// any sequence of commands, with the same first refusal and the same list.
//
// With every step: what a chain shows is enough to make it anew. At the end: no
// chain shows anything else than on the day that it was made, though others
// were made from it, from the same one by several ways; and an attempt that was
// replaced shows in every later chain what it showed then (ATT-9).
func TestPropertyModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := start(t)
		t.Repeat(map[string]func(*rapid.T){
			"retry":      w.retry,
			"good retry": w.goodRetry,
			"better try": w.goodRetry, // twice as often, so that ten attempts are reached
			"observe":    w.observe,
			"transition": w.transition,
			"resolve":    w.resolve,
			"": func(t *rapid.T) {
				last := w.branches[len(w.branches)-1].chain
				require.Equal(t, attempt.Max, last.Left()+last.Len())
				made, err := rebuilt(last)
				require.NoError(t, err)
				requireEqual(t, last, made)
			},
		})
		for _, b := range w.branches {
			require.Equal(t, b.showed, shows(b.chain), "an older chain has changed")
		}
	})
}

// ATT-9: whatever comes after a retry, all attempts but the newest stay what
// they were, though their resources are reactivated and deleted.
func TestPropertyFrozen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chainOf(t, try("1", signature, "expired", "1"))
		expired := func(id string) attempt.Retry {
			return attempt.Retry{Replaces: c.Main().Resource.ID, Next: try(id, signature, "expired", id)}
		}
		for n := range rapid.IntRange(1, 9).Draw(t, "retries") {
			c, _ = c.Retry(expired(strconv.Itoa(n + 2)))
		}
		frozen := list(c)[:c.Len()-1]
		for range rapid.IntRange(1, 10).Draw(t, "commands") {
			id := rapid.StringMatching("[1-9]|10").Draw(t, "id")
			when := at(rapid.IntRange(-1, 9).Draw(t, "when"))
			switch rapid.IntRange(0, 3).Draw(t, "command") {
			case 0:
				c, _ = c.Retry(expired(id))
			case 1:
				c, _, _ = c.Observe(id, must(action.ParseStatus(drawStatus(t, signature, "status"))), when)
			case 2:
				c, _, _ = c.Transition(id, rapid.SampledFrom(action.Events()).Draw(t, "event"), when)
			case 3:
				c, _ = c.Resolve(id, attempt.Resolution{At: when})
			}
			require.Equal(t, frozen, list(c)[:len(frozen)])
		}
	})
}

// Two retries of one chain are two chains: neither shows the other's attempt.
func TestPropertyBranches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := failures(t, rapid.IntRange(1, 8).Draw(t, "attempts"))
		before := list(root)
		grow := func(c attempt.Chain, ids ...string) attempt.Chain {
			for _, id := range ids {
				next, err := c.Retry(attempt.Retry{Replaces: c.Main().Resource.ID, Next: try(id, company, "failed", id)})
				require.NoError(t, err)
				c = next
			}
			return c
		}
		left, right := grow(root, "left", "leftmost"), grow(root, "right", "rightmost")
		n := len(before)
		require.Equal(t, before, list(root))
		require.Equal(t, before, list(left)[:n])
		require.Equal(t, before, list(right)[:n])
		require.Equal(t, "left", list(left)[n].Resource.ID)
		require.Equal(t, "right", list(right)[n].Resource.ID)
		requireEqual(t, left, grow(root, "left", "leftmost"))
		require.False(t, left.Equal(right))
	})
}
