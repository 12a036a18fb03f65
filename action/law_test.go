package action_test

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
)

// observation is what a provider tells: a status, as of a time.
type observation struct {
	status action.Status
	at     time.Time
}

func (o observation) String() string {
	return fmt.Sprintf("%s at %s", o.status, o.at.UTC().Format("15:04:05.999999999"))
}

// story is what befell a resource, and in which order it was told.
type story struct {
	history []observation // in true order; whole seconds
	linked  action.Resource
	told    []observation
}

// observe is Observe or what somebody takes for it.
type observe func(action.Resource, action.Status, time.Time) (action.Resource, action.Outcome, error)

// converges is the law ACT-5: it returns how observing a story fails to end in
// the latest entry of its history: the latest by time, then by rank.
//
// Why that one, wherever in the history the link was: of two entries the one
// with the greater pair is the later, or both share a second. If they share it
// and the greater came first, the two are in a cycle of the table, since ranks
// agree with time everywhere else; so each reaches the other. Either way the
// present entry is never refused the one that is greater.
func converges(observe observe, s story) error {
	spec := specOf(s.linked.Type)
	latest := slices.MaxFunc(s.history, func(a, b observation) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(spec.rankOf(a.status.String()), spec.rankOf(b.status.String())))
	})
	want := s.linked
	want.Status, want.AsOf = latest.status, latest.at

	r := s.linked
	for i, o := range s.told {
		next, _, err := observe(r, o.status, o.at)
		if err != nil {
			return fmt.Errorf("history %v, linked as %s, told %v: %w", s.history, s.linked.Status, s.told[:i+1], err)
		}
		r = next
	}
	if r != want {
		return fmt.Errorf("history %v, linked as %s, told %v: ends as %s, not as %s",
			s.history, s.linked.Status, s.told, observation{r.Status, r.AsOf}, latest)
	}
	return nil
}

// ACT-5: long histories, told in any order, some of it more than once.
func TestACT5_AnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, converges(action.Resource.Observe, storyOf().Draw(t, "story")))
	})
}

// ACT-5: every short history in every order.
func TestACT5_EveryOrderOfShortHistories(t *testing.T) {
	stories := 0
	for s := range shortStories() {
		stories++
		require.NoError(t, converges(action.Resource.Observe, s))
	}
	t.Logf("ACT-5: %d stories", stories)
}

// ACT-5: told in true order, observations end where strict events do.
func TestACT5_ObservingIsFollowing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := storyOf().Draw(t, "story")
		spec := specOf(s.linked.Type)
		followed := resource(s.linked.Type, s.history[0].status, s.history[0].at)
		observed := followed
		for i, o := range s.history[1:] {
			event := spec.eventBetween(followed.Status, o.status)
			if event == 0 {
				continue // told again: there was no event
			}
			o.at = at(i + 1) // in seconds of their own
			var err error
			followed, _, err = followed.Transition(event, o.at)
			require.NoError(t, err)
			observed, _, err = observed.Observe(o.status, o.at)
			require.NoError(t, err)
			require.Equal(t, observation{o.status, o.at}, observation{followed.Status, followed.AsOf})
			require.Equal(t, followed, observed)
		}
	})
}

// twins are readings of ACT-4 with a sentence left out, as integrations have
// them. None of them converges.
var twins = []struct {
	name    string
	observe observe
}{
	{"the last to arrive wins", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		r.Status, r.AsOf = s, action.Seconds(t)
		return r, action.Taken, nil
	}},
	{"an event's table decides, late or not", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		if r.Type.Machine().Reaches(r.Status, s) {
			r.Status, r.AsOf = s, action.Seconds(t)
		}
		return r, action.Taken, nil
	}},
	{"in one second the first to arrive wins", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		if t.Unix() == r.AsOf.Unix() {
			return r, action.Duplicate, nil
		}
		return r.Observe(s, t)
	}},
	{"in one second the last to arrive wins", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		if t.Unix() == r.AsOf.Unix() {
			r.Status = s
			return r, action.Taken, nil
		}
		return r.Observe(s, t)
	}},
	{"fractions of a second count", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		if t.Before(r.AsOf) {
			return r, action.Stale, nil
		}
		next, outcome, err := r.Observe(s, t)
		if outcome == action.Taken {
			next.AsOf = t
		}
		return next, outcome, err
	}},
	{"no status may be skipped", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		next, outcome, err := r.Observe(s, t)
		if next.Status != r.Status && specOf(r.Type).eventBetween(r.Status, s) == 0 {
			return r, 0, action.ErrContradiction
		}
		return next, outcome, err
	}},
	{"as-of stays when the status stays", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		if s == r.Status {
			return r, action.Duplicate, nil
		}
		return r.Observe(s, t)
	}},
	{"what is late contradicts", func(r action.Resource, s action.Status, t time.Time) (action.Resource, action.Outcome, error) {
		next, outcome, err := r.Observe(s, t)
		if outcome == action.Stale && !r.Type.Machine().Reaches(r.Status, s) {
			return r, 0, action.ErrContradiction
		}
		return next, outcome, err
	}},
}

// ACT-5 can fail: both sets of stories tell a broken reading from Observe.
func TestACT5_BrokenTwins(t *testing.T) {
	generated := func(yield func(story) bool) {
		stories := storyOf()
		for seed := range 200 {
			if !yield(stories.Example(seed)) {
				return
			}
		}
	}
	for _, twin := range twins {
		for name, stories := range map[string]iter.Seq[story]{"short": shortStories(), "generated": generated} {
			t.Run("ACT-5: "+name+" stories: "+twin.name, func(t *testing.T) {
				for s := range stories {
					if err := converges(twin.observe, s); err != nil {
						t.Log(err)
						return
					}
				}
				assert.Fail(t, "no story shows that this is wrong")
			})
		}
	}
}

// storyOf generates a walk through the table of a type, linked anywhere, told
// completely, in any order and with repetitions.
func storyOf() *rapid.Generator[story] {
	return rapid.Custom(func(t *rapid.T) story {
		s := story{linked: resource(rapid.SampledFrom(action.Types()).Draw(t, "type"), 0, time.Time{})}
		s.history = historyOf(t, specOf(s.linked.Type))

		linkable := slices.DeleteFunc(slices.Clone(s.history), func(o observation) bool { return o.status == action.Deleted })
		link := rapid.SampledFrom(linkable).Draw(t, "linked")
		s.linked.Status, s.linked.AsOf = link.status, link.at

		again := rapid.SliceOfN(rapid.SampledFrom(s.history), 0, 6).Draw(t, "again")
		s.told = rapid.Permutation(append(again, s.history...)).Draw(t, "told")
		for i := range s.told {
			fraction := rapid.IntRange(0, 999_999_999).Draw(t, "fraction")
			s.told[i].at = s.told[i].at.Add(time.Duration(fraction))
		}
		return s
	})
}

// historyOf walks from an initial status. Now and then the provider tells the
// same status as of a later time.
func historyOf(t *rapid.T, spec specType) []observation {
	status := rapid.SampledFrom(words(spec.initial)).Draw(t, "initial")
	second := 0
	history := []observation{{statusOf(status), at(second)}}
	for range rapid.IntRange(0, 12).Draw(t, "events") {
		event := rapid.SampledFrom(append(spec.allowed(status), "")).Draw(t, "event")
		if event != "" {
			status = spec.next(status, event)
		}
		second += rapid.SampledFrom([]int{0, 0, 1, 1, 3600}).Draw(t, "seconds")
		history = append(history, observation{statusOf(status), at(second)})
	}
	return history
}

// shortStories yields every history of at most four entries, of each machine,
// for every distribution over seconds, every link and every order of telling.
// What is told first bears the largest fraction of a second.
func shortStories() iter.Seq[story] {
	return func(yield func(story) bool) {
		for _, typ := range fourTypes {
			for _, initial := range words(specOf(typ).initial) {
				start := []observation{{statusOf(initial), at(0)}}
				if !tellAll(typ, start, yield) {
					return
				}
			}
		}
	}
}

// tellAll yields the stories of a history and of all that begin with it.
func tellAll(typ action.Type, history []observation, yield func(story) bool) bool {
	for _, link := range history {
		if link.status == action.Deleted {
			continue
		}
		linked := resource(typ, link.status, link.at)
		for told := range permutations(history) {
			for i := range told {
				told[i].at = told[i].at.Add(time.Duration(len(told)-i) * 100 * time.Millisecond)
			}
			if !yield(story{history, linked, told}) {
				return false
			}
		}
	}
	if len(history) == 4 {
		return true
	}
	spec, last := specOf(typ), history[len(history)-1]
	for _, event := range spec.allowed(last.status.String()) {
		for _, pause := range []time.Duration{0, time.Second} {
			next := observation{statusOf(spec.next(last.status.String(), event)), last.at.Add(pause)}
			if !tellAll(typ, append(slices.Clone(history), next), yield) {
				return false
			}
		}
	}
	return true
}

// permutations yields every order of a list, each as a copy.
func permutations[T any](list []T) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		var place func(done, rest []T) bool
		place = func(done, rest []T) bool {
			if len(rest) == 0 {
				return yield(slices.Clone(done))
			}
			for i, v := range rest {
				left := slices.Delete(slices.Clone(rest), i, i+1)
				if !place(append(slices.Clone(done), v), left) {
					return false
				}
			}
			return true
		}
		place(nil, list)
	}
}
