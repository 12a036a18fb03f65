package webhookpolicy_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

func TestMatcher(t *testing.T) {
	var m webhookpolicy.Matcher
	assert.Nil(t, m.Match(happened()))
	assert.False(t, m.Remove("s1"))
	assert.True(t, m.Get("s1").IsZero())
	m.Put(webhookpolicy.Subscription{})
	assert.Zero(t, m.Len())

	for _, id := range []string{"s3", "s10", "s1", "s2"} {
		m.Put(subscribed(t, id))
	}
	m.Put(subscribed(t, "s4", inWorkspaces("w9")))
	assert.Equal(t, []string{"s1", "s10", "s2", "s3"}, idsOf(m.Match(happened())), "in the order of ids")
	assert.Equal(t, 5, m.Len())

	m.Put(subscribed(t, "s1", disabled))
	assert.Equal(t, []string{"s10", "s2", "s3"}, idsOf(m.Match(happened())), "SUB-2: disabled")
	assert.False(t, m.Get("s1").Enabled(), "and still there")
	assert.Equal(t, 5, m.Len())
	m.Put(subscribed(t, "s1", endpoint("https://example.org")))
	found := m.Match(happened())
	require.Equal(t, []string{"s1", "s10", "s2", "s3"}, idsOf(found), "enabled again")
	assert.Equal(t, "https://example.org", found[0].Endpoint(), "SUB-1: as it is now")

	assert.True(t, m.Remove("s2"))
	assert.False(t, m.Remove("s2"))
	assert.Equal(t, []string{"s1", "s10", "s3"}, idsOf(m.Match(happened())))
	found[0] = webhookpolicy.Subscription{}
	assert.Equal(t, []string{"s1", "s10", "s3"}, idsOf(m.Match(happened())), "a caller's list is the caller's")
}

// More match than there is room for without the heap.
func TestMatcher_Many(t *testing.T) {
	var m webhookpolicy.Matcher
	var want []string
	for i := range 100 {
		s := subscribed(t, fmt.Sprintf("s%02d", i))
		want = append(want, s.ID())
		m.Put(s)
	}
	assert.Equal(t, want, idsOf(m.Match(happened())))
}

func TestMatcher_AppendMatches(t *testing.T) {
	m := webhookpolicy.NewMatcher(subscribed(t, "s2"), subscribed(t, "s1"))
	first := subscribed(t, "s9", disabled)
	list := m.AppendMatches([]webhookpolicy.Subscription{first}, happened())
	assert.Equal(t, []string{"s9", "s1", "s2"}, idsOf(list))
	assert.Equal(t, []string{"s9"}, idsOf(m.AppendMatches(list[:1], webhookpolicy.Event{})))
	e := happened()
	assert.Zero(t, testing.AllocsPerRun(100, func() { list = m.AppendMatches(list[:0], e) }))
}

// SUB-2: after any additions, replacements and removals a Matcher gives what a
// plain scan of what is there gives.
func TestMatcher_IsPlainScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := map[string]webhookpolicy.Subscription{}
		var m webhookpolicy.Matcher
		drawID := func() string { return fmt.Sprintf("s%d", rapid.IntRange(0, 9).Draw(t, "id")) }
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				s, err := webhookpolicy.NewSubscription(drawID(), drawSettings(t), subscribedAt)
				require.NoError(t, err)
				model[s.ID()] = s
				m.Put(s)
			},
			"remove": func(t *rapid.T) {
				id := drawID()
				_, there := model[id]
				delete(model, id)
				require.Equal(t, there, m.Remove(id))
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(model), m.Len())
				var list []webhookpolicy.Subscription
				for _, id := range slices.Sorted(maps.Keys(model)) {
					list = append(list, model[id])
					require.True(t, m.Get(id).Equal(model[id]))
				}
				for range 4 {
					e := drawEvent(t)
					require.Equal(t, plainScan(list, e), idsOf(m.Match(e)))
				}
			},
		})
		for id := range model {
			m.Remove(id)
		}
		require.Zero(t, m.Len())
		lists, kinds := m.Lists()
		require.Zero(t, lists, "nothing is left behind")
		require.Zero(t, kinds)
	})
}

// The order of adding does not show.
func TestMatcher_Order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := scenes.Draw(t, "scene")
		shuffled := rapid.Permutation(sc.list).Draw(t, "order")
		require.Equal(t, matcherMatches(sc.list, sc.event), matcherMatches(shuffled, sc.event))
	})
}

// Any number of goroutines may match at once.
func TestMatcher_Readers(t *testing.T) {
	m := webhookpolicy.NewMatcher(subscribed(t, "s1"), subscribed(t, "s2", inWorkspaces("*")))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				assert.Len(t, m.Match(happened()), 2)
				assert.Equal(t, 2, m.Len())
			}
		})
	}
	group.Wait()
}

// company is a subscription among many: mostly one event or two of a workspace
// of its own.
func company(tb testing.TB, r *rand.Rand, i int) webhookpolicy.Subscription {
	names := webhookpolicy.EventNames()
	return subscribed(tb, fmt.Sprintf("subscription-%06d", i), forEvents(names[r.IntN(len(names))]),
		ofScopes([]string{"app", "public_api"}[r.IntN(2)]), inWorkspaces(fmt.Sprintf("workspace-%06d", i)))
}

// population is n companies, and ten subscriptions that match crowdEvent.
func population(tb testing.TB, n int) *webhookpolicy.Matcher {
	r := rand.New(rand.NewPCG(1, 2))
	m := new(webhookpolicy.Matcher)
	for i := range n - 10 {
		m.Put(company(tb, r, i))
	}
	for i := range 10 {
		c := []setting{
			forEvents("signer.done"), ofScopes("app"), inWorkspaces("crowded"),
		}
		for bit, wild := range []setting{forEvents("*"), ofScopes("*"), inWorkspaces("*")} {
			if i>>bit&1 != 0 {
				c[bit] = wild
			}
		}
		m.Put(subscribed(tb, fmt.Sprintf("match-%d", i), c...))
	}
	return m
}

var crowdEvent = webhookpolicy.Event{Name: "signer.done", Scope: "app", Workspace: "crowded"}

// One match of ten subscriptions among a thousand and the same among a hundred
// thousand, in one run: the metric ratio is how many times as long the latter
// takes. The smaller ones are measured while they are alone in memory, so that
// the larger ones pay for the garbage collector's work on them.
func BenchmarkMatcher_Match(b *testing.B) {
	var room []webhookpolicy.Subscription
	ways := map[string]func(m *webhookpolicy.Matcher){
		"Match":         func(m *webhookpolicy.Matcher) { m.Match(crowdEvent) },
		"AppendMatches": func(m *webhookpolicy.Matcher) { room = m.AppendMatches(room[:0], crowdEvent) },
	}
	perMatch := map[string]float64{}
	for _, n := range []int{1_000, 100_000} {
		m := population(b, n)
		require.Len(b, m.Match(crowdEvent), 10)
		for way, match := range ways {
			b.Run(fmt.Sprintf("%s/of=%d", way, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					match(m)
				}
				took := float64(b.Elapsed()) / float64(b.N)
				if n == 1_000 {
					perMatch[way] = took
					return
				}
				b.ReportMetric(took/perMatch[way], "ratio")
			})
		}
	}
}

// Adding one subscription to a hundred thousand and removing it.
func BenchmarkMatcher_PutRemove(b *testing.B) {
	m := population(b, 100_000)
	s := subscribed(b, "one more", everything)
	b.ReportAllocs()
	for b.Loop() {
		m.Put(s)
		m.Remove("one more")
	}
}

func BenchmarkSubscription_Matches(b *testing.B) {
	s, e := subscribed(b, "s1"), happened(within("w2"))
	b.ReportAllocs()
	for b.Loop() {
		if !s.Matches(e) {
			b.Fatal("SUB-2")
		}
	}
}

// The memory of a Matcher in bytes for each subscription, beside those of the
// subscriptions' own texts and lists: one combination each, and ten.
func BenchmarkMatcher_Memory(b *testing.B) {
	for _, scopes := range []int{1, 10} {
		b.Run(fmt.Sprintf("combinations=%d", scopes), func(b *testing.B) {
			const n = 20_000
			var list []webhookpolicy.Subscription
			for i := range n {
				s := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}[:scopes]
				list = append(list, subscribed(b, fmt.Sprintf("s%06d", i), forEvents("signer.done"), ofScopes(s...), inWorkspaces(fmt.Sprintf("w%06d", i))))
			}
			for b.Loop() {
				before := heap()
				m := webhookpolicy.NewMatcher(list...)
				b.ReportMetric(float64(heap()-before)/n, "B/subscription")
				runtime.KeepAlive(m)
			}
		})
	}
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
