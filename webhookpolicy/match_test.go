package webhookpolicy_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

// happened is an event that subscribed is subscribed to.
func happened(change ...func(*webhookpolicy.Event)) webhookpolicy.Event {
	e := webhookpolicy.Event{Name: "signer.done", Scope: "app", Workspace: "w1"}
	for _, c := range change {
		c(&e)
	}
	return e
}

func named(n webhookpolicy.EventName) func(*webhookpolicy.Event) {
	return func(e *webhookpolicy.Event) { e.Name = n }
}
func scoped(s string) func(*webhookpolicy.Event) {
	return func(e *webhookpolicy.Event) { e.Scope = s }
}
func within(w string) func(*webhookpolicy.Event) {
	return func(e *webhookpolicy.Event) { e.Workspace = w }
}
func inSandbox(e *webhookpolicy.Event) { e.Sandbox = true }

var everything = allOf(forEvents("*"), ofScopes("*"), inWorkspaces("*"))

func TestSubscription_Matches(t *testing.T) {
	for _, test := range []struct {
		name   string
		change setting
		event  webhookpolicy.Event
		want   bool
	}{
		{"SUB-2: all of it is listed", allOf(), happened(), true},
		{"SUB-2: other elements of the lists", allOf(), happened(named("contact.created"), within("w2")), true},
		{"SUB-2: disabled", disabled, happened(), false},
		{"SUB-2: disabled, and everything wanted", allOf(disabled, everything), happened(), false},
		{"SUB-2: of the sandbox, production wanted", everything, happened(inSandbox), false},
		{"SUB-2: of production, the sandbox wanted", allOf(everything, sandbox), happened(), false},
		{"SUB-2: of the sandbox, the sandbox wanted", allOf(everything, sandbox), happened(inSandbox), true},
		{"SUB-2: another event", allOf(), happened(named("signer.declined")), false},
		{"SUB-2: an event that begins so", allOf(), happened(named("signer.done.again")), false},
		{"SUB-2: another scope", allOf(), happened(scoped("public_api")), false},
		{"SUB-2: another workspace", allOf(), happened(within("w3")), false},
		{"SUB-2: the wildcard covers events", forEvents("*"), happened(named("user.completed")), true},
		{"SUB-2: the wildcard covers events of the future", forEvents("*"), happened(named("future.thing")), true},
		{"SUB-2: the wildcard of events covers no scope", forEvents("*"), happened(scoped("public_api")), false},
		{"SUB-2: the wildcard covers scopes of the future", ofScopes("*"), happened(scoped("future")), true},
		{"SUB-2: the wildcard of scopes covers no workspace", ofScopes("*"), happened(within("w3")), false},
		{"SUB-2: the wildcard covers workspaces", inWorkspaces("*"), happened(within("w9")), true},
		{"SUB-2: the wildcard of workspaces covers no event", inWorkspaces("*"), happened(named("user.completed")), false},
		{"SUB-2: no scope, scopes listed", allOf(), happened(scoped("")), false},
		{"SUB-2: no scope, the wildcard", ofScopes("*"), happened(scoped("")), true},
		{"SUB-2: no workspace, workspaces listed", allOf(), happened(within("")), false},
		{"SUB-2: no workspace, the wildcard", inWorkspaces("*"), happened(within("")), true},
		{"SUB-2: a scope called as the wildcard", allOf(), happened(scoped("*")), false},
		{"SUB-2: a scope called as the wildcard, the wildcard", ofScopes("*"), happened(scoped("*")), true},
		{"SUB-2: nothing happened", everything, webhookpolicy.Event{}, false},
		{"SUB-2: an event without name", everything, happened(named("")), false},
		{"SUB-2: an event called as the wildcard", everything, happened(named("*")), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := subscribed(t, "s1", test.change)
			assert.Equal(t, test.want, s.Matches(test.event))
			found := webhookpolicy.NewMatcher(s).Match(test.event)
			if !test.want {
				assert.Nil(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.True(t, found[0].Equal(s))
		})
	}
	t.Run("SUB-2: the zero subscription matches nothing", func(t *testing.T) {
		assert.False(t, webhookpolicy.Subscription{}.Matches(happened()))
		assert.False(t, webhookpolicy.Subscription{}.Matches(webhookpolicy.Event{}))
	})
}

func TestSubscription_MatchesAllocs(t *testing.T) {
	hit, miss := subscribed(t, "s1"), subscribed(t, "s2", inWorkspaces("w3"))
	e := happened(within("w2"))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if !hit.Matches(e) || miss.Matches(e) {
			t.Error("SUB-2")
		}
	}))
}

// The alphabets are small, so that much matches and much nearly does.

func drawSettings(t *rapid.T) webhookpolicy.Settings {
	s := wanted()
	s.Enabled = rapid.IntRange(0, 4).Draw(t, "enabled") > 0
	s.Sandbox = rapid.IntRange(0, 3).Draw(t, "sandbox") == 0
	s.AutoRetry = rapid.Bool().Draw(t, "auto_retry")
	s.Endpoint = rapid.SampledFrom([]string{"https://example.com/a", "https://example.com/b"}).Draw(t, "endpoint")
	s.Description = rapid.StringN(0, 5, -1).Filter(isText).Draw(t, "description")
	s.Events = drawList(t, "events", webhookpolicy.EventNames("approver")...)
	s.Scopes = drawList(t, "scopes", "app", "public_api", "<é>")
	if s.Workspaces = drawList(t, "workspaces", "w1", "w2", "w3"); s.Sandbox {
		s.Workspaces = nil
	}
	return s
}

func drawList[T ~string](t *rapid.T, what string, of ...T) []T {
	if rapid.IntRange(0, 2).Draw(t, what+": all") == 0 {
		return []T{webhookpolicy.Wildcard}
	}
	return rapid.Permutation(of).Draw(t, what)[:rapid.IntRange(1, len(of)).Draw(t, what+": how many")]
}

func isText(s string) bool { return !slices.Contains([]byte(s), 0) }

func drawEvent(t *rapid.T) webhookpolicy.Event {
	return webhookpolicy.Event{
		Name:      rapid.SampledFrom(append(webhookpolicy.EventNames("approver"), "future.thing", "", "*")).Draw(t, "name"),
		Scope:     rapid.SampledFrom([]string{"app", "public_api", "<é>", "future", "", "*"}).Draw(t, "scope"),
		Workspace: rapid.SampledFrom([]string{"w1", "w2", "w3", "w4", "", "*"}).Draw(t, "workspace"),
		Sandbox:   rapid.IntRange(0, 3).Draw(t, "in sandbox") == 0,
	}
}

// matching says which of some subscriptions an event matches, in the order of
// their ids. The subscriptions stand in that order.
type matching func(list []webhookpolicy.Subscription, e webhookpolicy.Event) []string

// plainScan is SUB-2, word for word.
func plainScan(list []webhookpolicy.Subscription, e webhookpolicy.Event) []string {
	return scan(list, e, specRules)
}

// rules is SUB-2 in parts, for twins to leave one out.
type rules struct {
	enabled, sandbox, event, scope, workspace func(webhookpolicy.Subscription, webhookpolicy.Event) bool
}

func listed[T ~string](list []T, v T) bool {
	return slices.Contains(list, "*") || v != "" && slices.Contains(list, v)
}

var specRules = rules{
	enabled: func(s webhookpolicy.Subscription, _ webhookpolicy.Event) bool { return s.Enabled() },
	sandbox: func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool { return s.Sandbox() == e.Sandbox },
	event: func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool {
		return e.Name != "" && e.Name != "*" && listed(s.Events(), e.Name)
	},
	scope: func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool { return listed(s.Scopes(), e.Scope) },
	workspace: func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool {
		return listed(s.Workspaces(), e.Workspace)
	},
}

func scan(list []webhookpolicy.Subscription, e webhookpolicy.Event, r rules) []string {
	var ids []string
	for _, s := range list {
		if r.enabled(s, e) && r.sandbox(s, e) && r.event(s, e) && r.scope(s, e) && r.workspace(s, e) {
			ids = append(ids, s.ID())
		}
	}
	return ids
}

// The implementations: each subscription for itself, and a Matcher.

func eachMatches(list []webhookpolicy.Subscription, e webhookpolicy.Event) []string {
	var ids []string
	for _, s := range list {
		if s.Matches(e) {
			ids = append(ids, s.ID())
		}
	}
	return ids
}

func matcherMatches(list []webhookpolicy.Subscription, e webhookpolicy.Event) []string {
	return idsOf(webhookpolicy.NewMatcher(list...).Match(e))
}

func idsOf(list []webhookpolicy.Subscription) []string {
	var ids []string
	for _, s := range list {
		ids = append(ids, s.ID())
	}
	return ids
}

// scene is some subscriptions and an event.
type scene struct {
	list  []webhookpolicy.Subscription
	event webhookpolicy.Event
}

var scenes = rapid.Custom(func(t *rapid.T) scene {
	var sc scene
	for i := range rapid.IntRange(0, 12).Draw(t, "subscriptions") {
		s, err := webhookpolicy.NewSubscription(fmt.Sprintf("s%02d", i), drawSettings(t), subscribedAt)
		require.NoError(t, err)
		sc.list = append(sc.list, s)
	}
	sc.event = drawEvent(t)
	return sc
})

// disagrees reports whether an implementation differs from the rule.
func (sc scene) disagrees(m matching) bool {
	return !slices.Equal(plainScan(sc.list, sc.event), m(sc.list, sc.event))
}

// SUB-2: whatever there is, what matches is what the rule says.
func TestMatch_IsPlainScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := scenes.Draw(t, "scene")
		require.False(t, sc.disagrees(eachMatches), "Matches")
		require.False(t, sc.disagrees(matcherMatches), "Matcher")
	})
}

// The same check finds out each twin that gets one part of SUB-2 wrong, and
// none that gets all right.
func TestMatch_BrokenTwins(t *testing.T) {
	always := func(webhookpolicy.Subscription, webhookpolicy.Event) bool { return true }
	twin := func(change func(*rules)) matching {
		r := specRules
		change(&r)
		return func(list []webhookpolicy.Subscription, e webhookpolicy.Event) []string { return scan(list, e, r) }
	}
	found := func(m matching) bool {
		for seed := range 300 {
			if scenes.Example(seed).disagrees(m) {
				return true
			}
		}
		return false
	}
	for _, test := range []struct {
		name string
		twin matching
	}{
		{"SUB-2: disabled ones are called", twin(func(r *rules) { r.enabled = always })},
		{"SUB-2: the sandbox is ignored", twin(func(r *rules) { r.sandbox = always })},
		{"SUB-2: the event is ignored", twin(func(r *rules) { r.event = always })},
		{"SUB-2: the scope is ignored", twin(func(r *rules) { r.scope = always })},
		{"SUB-2: the workspace is ignored", twin(func(r *rules) { r.workspace = always })},
		{"SUB-2: the wildcard of events is forgotten", twin(func(r *rules) {
			r.event = func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool {
				return e.Name != "*" && slices.Contains(s.Events(), e.Name)
			}
		})},
		{"SUB-2: the wildcard of scopes is forgotten", twin(func(r *rules) {
			r.scope = func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool {
				return slices.Contains(s.Scopes(), e.Scope)
			}
		})},
		{"SUB-2: the wildcard covers what the catalogue has", twin(func(r *rules) {
			right := r.event
			r.event = func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool { return e.Name.Known() && right(s, e) }
		})},
		{"SUB-2: no workspace matches every list", twin(func(r *rules) {
			right := r.workspace
			r.workspace = func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool {
				return e.Workspace == "" || right(s, e)
			}
		})},
		{"SUB-2: no scope matches nothing", twin(func(r *rules) {
			right := r.scope
			r.scope = func(s webhookpolicy.Subscription, e webhookpolicy.Event) bool { return e.Scope != "" && right(s, e) }
		})},
	} {
		t.Run(test.name, func(t *testing.T) { assert.True(t, found(test.twin), "nobody noticed") })
	}
	assert.False(t, found(twin(func(*rules) {})))
}
