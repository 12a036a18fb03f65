package webhookpolicy_test

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

// sqlValue is what database/sql hands to a driver.
func sqlValue(v any) (driver.Value, error) { return driver.DefaultParameterConverter.ConvertValue(v) }

type setting = func(*webhookpolicy.Settings)

func endpoint(url string) setting { return func(s *webhookpolicy.Settings) { s.Endpoint = url } }
func key(text string) setting {
	return func(s *webhookpolicy.Settings) { s.Secret = webhookpolicy.NewSecret(text) }
}
func describedAs(text string) setting {
	return func(s *webhookpolicy.Settings) { s.Description = text }
}
func forEvents(list ...webhookpolicy.EventName) setting {
	return func(s *webhookpolicy.Settings) { s.Events = list }
}
func ofScopes(list ...string) setting { return func(s *webhookpolicy.Settings) { s.Scopes = list } }
func inWorkspaces(list ...string) setting {
	return func(s *webhookpolicy.Settings) { s.Workspaces = list }
}
func sandbox(s *webhookpolicy.Settings)  { s.Sandbox = true }
func disabled(s *webhookpolicy.Settings) { s.Enabled = false }
func onlyOnce(s *webhookpolicy.Settings) { s.AutoRetry = false }
func allOf(changes ...setting) setting {
	return func(s *webhookpolicy.Settings) {
		for _, c := range changes {
			c(s)
		}
	}
}

func TestNewSubscription(t *testing.T) {
	t.Run("SUB-1: every attribute is there", func(t *testing.T) {
		s := subscribed(t, "s1")
		assert.Equal(t, "s1", s.ID())
		assert.Equal(t, "https://example.com/hooks?for=us", s.Endpoint())
		assert.Equal(t, "onboarding", s.Description())
		assert.Equal(t, theKey, s.Secret().Reveal())
		assert.False(t, s.Sandbox())
		assert.True(t, s.Enabled())
		assert.True(t, s.AutoRetry())
		assert.Equal(t, []webhookpolicy.EventName{"signer.done", "contact.created"}, s.Events())
		assert.Equal(t, []string{"app"}, s.Scopes())
		assert.Equal(t, []string{"w1", "w2"}, s.Workspaces())
		assert.Equal(t, subscribedAt, s.CreatedAt())
		assert.Equal(t, subscribedAt, s.UpdatedAt())
		assert.False(t, s.IsZero())
		other := subscribed(t, "s1", sandbox, disabled, onlyOnce, inWorkspaces("*"))
		assert.True(t, other.Sandbox())
		assert.False(t, other.Enabled())
		assert.False(t, other.AutoRetry())
	})
	t.Run("SUB-1: times are whole seconds of UTC", func(t *testing.T) {
		s, err := webhookpolicy.NewSubscription("s1", wanted(),
			subscribedAt.Add(999*time.Millisecond).In(time.FixedZone("", 3600)))
		require.NoError(t, err)
		assert.Equal(t, subscribedAt, s.CreatedAt())
	})
	t.Run("SUB-3: nil workspaces are the wildcard", func(t *testing.T) {
		assert.Equal(t, []string{"*"}, subscribed(t, "s1", inWorkspaces()).Workspaces())
	})
	t.Run("SUB-1: the zero subscription is none", func(t *testing.T) {
		var none webhookpolicy.Subscription
		assert.True(t, none.IsZero())
		assert.False(t, none.Enabled())
		assert.Equal(t, "none", none.String())
		assert.True(t, none.Secret().IsZero())
		_, err := none.Update(wanted(), subscribedAt)
		assert.Equal(t, []string{"SUB-1 id"}, broken(err), "what was deleted cannot be changed")
	})
}

// Whoever changes a list that was given or returned changes no subscription.
func TestSubscription_Immutable(t *testing.T) {
	settings := wanted()
	s, err := webhookpolicy.NewSubscription("s1", settings, subscribedAt)
	require.NoError(t, err)
	spoil := func(s webhookpolicy.Settings) { s.Events[0], s.Scopes[0], s.Workspaces[0] = "*", "*", "*" }
	spoil(settings)
	spoil(s.Settings())
	s.Events()[0], s.Scopes()[0], s.Workspaces()[0] = "*", "*", "*"
	assert.True(t, s.Equal(subscribed(t, "s1")))

	settings = s.Settings()
	require.NoError(t, settings.UnmarshalJSON([]byte(`{"scopes":["x"],"subscribed_events":["*"],"workspaces":["*"]}`)))
	assert.True(t, s.Equal(subscribed(t, "s1")))
}

// wrongSettings are settings that break rules, and what they break.
var wrongSettings = []struct {
	name   string
	change setting
	is     error
	broken []string
}{
	{"SUB-3: no events", forEvents(), webhookpolicy.ErrInvalidList, []string{"SUB-3 subscribed_events"}},
	{"SUB-3: no scopes", ofScopes(), webhookpolicy.ErrInvalidList, []string{"SUB-3 scopes"}},
	{"SUB-3: an empty list of workspaces", inWorkspaces([]string{}...), webhookpolicy.ErrInvalidList, []string{"SUB-3 workspaces"}},
	{"SUB-3: an event twice", forEvents("signer.done", "contact.created", "signer.done"), webhookpolicy.ErrInvalidList, []string{"SUB-3 subscribed_events[2]"}},
	{"SUB-3: a scope twice", ofScopes("app", "app"), webhookpolicy.ErrInvalidList, []string{"SUB-3 scopes[1]"}},
	{"SUB-3: a workspace twice", inWorkspaces("w", "v", "w"), webhookpolicy.ErrInvalidList, []string{"SUB-3 workspaces[2]"}},
	{"SUB-3: the wildcard twice", ofScopes("*", "*"), webhookpolicy.ErrInvalidList, []string{"SUB-3 scopes[0]", "SUB-3 scopes[1]"}},
	{"SUB-3: the wildcard before an event", forEvents("*", "signer.done"), webhookpolicy.ErrInvalidList, []string{"SUB-3 subscribed_events[0]"}},
	{"SUB-3: the wildcard behind a scope", ofScopes("app", "*"), webhookpolicy.ErrInvalidList, []string{"SUB-3 scopes[1]"}},
	{"SUB-3: the wildcard beside a workspace", inWorkspaces("w", "*"), webhookpolicy.ErrInvalidList, []string{"SUB-3 workspaces[1]"}},
	{"SUB-3: an unknown event", forEvents("signer.done", "signer.finished"), webhookpolicy.ErrUnknownEvent, []string{"SUB-3 subscribed_events[1]"}},
	{"SUB-3: an unknown family", forEvents("signers.done"), webhookpolicy.ErrUnknownEvent, []string{"SUB-3 subscribed_events[0]"}},
	{"SUB-3: an empty event", forEvents(""), webhookpolicy.ErrUnknownEvent, []string{"SUB-3 subscribed_events[0]"}},
	{"SUB-3: a family", forEvents("signer.*"), webhookpolicy.ErrUnknownEvent, []string{"SUB-3 subscribed_events[0]"}},
	{"SUB-3: an empty scope", ofScopes("app", ""), webhookpolicy.ErrInvalidList, []string{"SUB-3 scopes[1]"}},
	{"SUB-3: a scope that is no text", ofScopes("\xff"), webhookpolicy.ErrInvalidList, []string{"SUB-3 scopes[0]"}},
	{"SUB-3: an empty workspace", inWorkspaces(""), webhookpolicy.ErrInvalidList, []string{"SUB-3 workspaces[0]"}},
	{"SUB-3: a workspace with a long id", inWorkspaces(strings.Repeat("x", 129)), webhookpolicy.ErrInvalidList, []string{"SUB-3 workspaces[0]"}},
	{"SUB-4: no endpoint", endpoint(""), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: http", endpoint("http://example.com"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: another scheme", endpoint("ftps://example.com"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: no scheme, no host", endpoint("example.com/hooks"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint", "SUB-4 endpoint"}},
	{"SUB-4: no host", endpoint("https:///hooks"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: opaque", endpoint("https:example.com"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a port without host", endpoint("https://:443/"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: the port 0", endpoint("https://example.com:0/"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: the port 65536", endpoint("https://example.com:65536/"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a port that is no number", endpoint("https://example.com:x/"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a password", endpoint("https://me:pa55word@example.com/"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a fragment", endpoint("https://example.com/#top"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: an empty fragment", endpoint("https://example.com/#"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a space", endpoint("https://example.com/a b"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a newline", endpoint("https://example.com/\n"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: NUL", endpoint("https://example.com/\x00"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a URL that is no text", endpoint("https://example.com/\xff"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: a wrong escape", endpoint("https://example.com/%zz"), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: 1025 characters", endpoint("https://example.com/" + strings.Repeat("x", 1005)), webhookpolicy.ErrInvalidEndpoint, []string{"SUB-4 endpoint"}},
	{"SUB-4: everything about the endpoint", endpoint("http://u:p@:0/#" + strings.Repeat("x", 1020)), webhookpolicy.ErrInvalidEndpoint, []string{
		"SUB-4 endpoint", "SUB-4 endpoint", "SUB-4 endpoint", "SUB-4 endpoint", "SUB-4 endpoint", "SUB-4 endpoint",
	}},
	{"SUB-4: a description of 129 characters", describedAs(strings.Repeat("é", 129)), webhookpolicy.ErrInvalidDescription, []string{"SUB-4 description"}},
	{"SUB-4: a description that is no text", describedAs("\xff"), webhookpolicy.ErrInvalidDescription, []string{"SUB-4 description"}},
	{"SUB-4: NUL in the description", describedAs("a\x00b"), webhookpolicy.ErrInvalidDescription, []string{"SUB-4 description"}},
	{"SUB-4: no secret key", key(""), webhookpolicy.ErrInvalidSecret, []string{"SUB-4 secret_key"}},
	{"SUB-4: a secret key of 31 characters", key(theKey[1:]), webhookpolicy.ErrInvalidSecret, []string{"SUB-4 secret_key"}},
	{"SUB-4: a secret key of 33 characters", key(theKey + "x"), webhookpolicy.ErrInvalidSecret, []string{"SUB-4 secret_key"}},
	{"SUB-4: a secret key of 32 bytes, 16 characters", key(strings.Repeat("é", 16)), webhookpolicy.ErrInvalidSecret, []string{"SUB-4 secret_key"}},
	{"SUB-4: a secret key that is no text", key(strings.Repeat("\xff", 32)), webhookpolicy.ErrInvalidSecret, []string{"SUB-4 secret_key"}},
	{"SUB-5: a sandbox subscription of a workspace", allOf(sandbox, inWorkspaces("w")), webhookpolicy.ErrSandboxWorkspaces, []string{"SUB-5 workspaces"}},
	{"SUB-5: a sandbox subscription of two workspaces", allOf(sandbox, inWorkspaces("w", "v")), webhookpolicy.ErrSandboxWorkspaces, []string{"SUB-5 workspaces"}},
	{"SUB-5 and SUB-3: a workspace beside the wildcard", allOf(sandbox, inWorkspaces("*", "w")), webhookpolicy.ErrSandboxWorkspaces, []string{"SUB-3 workspaces[0]", "SUB-5 workspaces"}},
	{"SUB-3: a sandbox subscription of no workspace", allOf(sandbox, inWorkspaces([]string{}...)), webhookpolicy.ErrInvalidList, []string{"SUB-3 workspaces"}},
	{"SUB-3, SUB-4 and SUB-5: all at once", allOf(
		sandbox, endpoint("http://example.com"), describedAs(strings.Repeat("x", 129)), key("short"),
		forEvents("a.b", "*"), ofScopes(""), inWorkspaces("w", "w"),
	), webhookpolicy.ErrInvalidEndpoint, []string{
		"SUB-4 endpoint", "SUB-4 description", "SUB-4 secret_key",
		"SUB-3 subscribed_events[0]", "SUB-3 subscribed_events[1]", "SUB-3 scopes[0]", "SUB-3 workspaces[1]", "SUB-5 workspaces",
	}},
}

// Creation and update refuse the same, and tell of everything at once.
func TestSubscription_Refused(t *testing.T) {
	var messages strings.Builder
	for _, test := range wrongSettings {
		t.Run(test.name, func(t *testing.T) {
			wrong := wanted(test.change)
			created, err := webhookpolicy.NewSubscription("s1", wrong, subscribedAt)
			assert.Equal(t, test.broken, broken(err))
			require.ErrorIs(t, err, test.is)
			assert.True(t, created.IsZero())
			fmt.Fprintf(&messages, "%s\n\t%s\n", test.name, strings.ReplaceAll(err.Error(), "\n", "\n\t"))

			s := subscribed(t, "s1")
			updated, again := s.Update(wrong, later(1))
			require.EqualError(t, again, err.Error())
			assert.True(t, updated.Equal(s))
			for _, leak := range []string{theKey, "pa55word"} {
				assert.NotContains(t, err.Error(), leak)
			}
		})
	}
	golden(t, "subscription_refused.txt", messages.String())
}

func TestNewSubscription_IDAndTime(t *testing.T) {
	for _, test := range []struct {
		name, id string
		now      time.Time
		is       error
		says     string
	}{
		{"SUB-1: no id", "", subscribedAt, webhookpolicy.ErrInvalidID, "webhookpolicy: a subscription without valid id: id: it is empty (SUB-1)"},
		{"SUB-1: a long id", strings.Repeat("x", 129), subscribedAt, webhookpolicy.ErrInvalidID, "webhookpolicy: a subscription without valid id: id: it has 129 bytes; at most 128 are allowed (SUB-1)"},
		{"SUB-1: an id that is no text", "\xff", subscribedAt, webhookpolicy.ErrInvalidID, "webhookpolicy: a subscription without valid id: id: it is not valid UTF-8 (SUB-1)"},
		{"SUB-1: no time", "s1", time.Time{}, webhookpolicy.ErrInvalidTime, "webhookpolicy: subscription s1: created_at: the time is missing (SUB-1)"},
		{"SUB-1: a time too early", "s1", time.Unix(-1, 0), webhookpolicy.ErrInvalidTime, "webhookpolicy: subscription s1: created_at: the time is outside the years 1970 to 9999 (SUB-1)"},
		{"SUB-1: a time too late", "s\n1", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), webhookpolicy.ErrInvalidTime, `webhookpolicy: "subscription s\n1": created_at: the time is outside the years 1970 to 9999 (SUB-1)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := webhookpolicy.NewSubscription(test.id, wanted(), test.now)
			require.ErrorIs(t, err, test.is)
			require.EqualError(t, err, test.says)
		})
	}
	for name, now := range map[string]time.Time{
		"the first second": time.Unix(0, 0), "the last one": time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		_, err := webhookpolicy.NewSubscription(strings.Repeat("é", 64), wanted(), now)
		require.NoError(t, err, name)
	}
}

// What the rules allow, at their edges.
func TestNewSubscription_Allowed(t *testing.T) {
	for _, test := range []struct {
		name   string
		change setting
	}{
		{"SUB-3: the wildcard everywhere", allOf(forEvents("*"), ofScopes("*"), inWorkspaces("*"))},
		{"SUB-3: every event of the catalogue", forEvents(webhookpolicy.EventNames()...)},
		{"SUB-3: scopes are open", ofScopes("app", "public_api", "a scope of the future", "App", "app*")},
		{"SUB-4: 1024 characters", endpoint("https://example.com/" + strings.Repeat("é", 1004))},
		{"SUB-4: upper case", endpoint("HTTPS://EXAMPLE.com/")},
		{"SUB-4: an address and a port", endpoint("https://[2001:db8::1]:65535/?a=b&c=%20d")},
		{"SUB-4: no path", endpoint("https://example.com")},
		{"SUB-4: no description", describedAs("")},
		{"SUB-4: a description of 128 characters", describedAs(strings.Repeat("é", 128))},
		{"SUB-4: a secret key of 32 characters, 64 bytes", key(strings.Repeat("é", 32))},
		{"SUB-5: a sandbox subscription of all workspaces", allOf(sandbox, inWorkspaces("*"))},
		{"SUB-5: a sandbox subscription that says nothing of workspaces", allOf(sandbox, inWorkspaces())},
		{"SUB-5: a subscription of production", inWorkspaces("w")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := webhookpolicy.NewSubscription("s1", wanted(test.change), subscribedAt)
			require.NoError(t, err)
			want := wanted(test.change)
			assert.Equal(t, want.Endpoint, s.Endpoint(), "SUB-4: the exact URL")
			assert.Equal(t, want.Events, s.Events())
			assert.Equal(t, want.Scopes, s.Scopes())
			assert.Equal(t, want.Description, s.Description())
			assert.True(t, want.Secret.Equal(s.Secret()))
		})
	}
}

func TestSubscription_Update(t *testing.T) {
	created := subscribed(t, "s1")
	for _, test := range []struct {
		name   string
		change setting
	}{
		{"SUB-1: endpoint", endpoint("https://example.org/")},
		{"SUB-1: description", describedAs("other")},
		{"SUB-1: secret_key", key(strings.Repeat("x", 32))},
		{"SUB-1: sandbox", allOf(sandbox, inWorkspaces("*"))},
		{"SUB-1: enabled", disabled},
		{"SUB-1: auto_retry", onlyOnce},
		{"SUB-1: subscribed_events", forEvents("*")},
		{"SUB-1: scopes", ofScopes("public_api")},
		{"SUB-1: workspaces", inWorkspaces("w2", "w1")},
		{"SUB-1: workspaces left out", inWorkspaces()},
	} {
		t.Run(test.name+" can be updated", func(t *testing.T) {
			next, err := created.Update(wanted(test.change), later(5))
			require.NoError(t, err)
			assert.Equal(t, later(5), next.UpdatedAt())
			assert.Equal(t, subscribedAt, next.CreatedAt())
			assert.Equal(t, "s1", next.ID())
			assert.False(t, next.Equal(created))
			fresh := subscribed(t, "s1", test.change)
			back, err := fresh.Update(next.Settings(), later(5))
			require.NoError(t, err)
			assert.True(t, back.Equal(fresh), "all else is as in one created so")
			assert.True(t, created.Equal(subscribed(t, "s1")), "the older value stays as it was")
		})
	}
	t.Run("SUB-1: updated_at never moves backwards", func(t *testing.T) {
		next, err := created.Update(wanted(disabled), later(5))
		require.NoError(t, err)
		again, err := next.Update(wanted(), later(3))
		require.NoError(t, err)
		assert.Equal(t, later(5), again.UpdatedAt())
		assert.True(t, again.Enabled())
		before, err := created.Update(wanted(disabled), later(-5))
		require.NoError(t, err)
		assert.Equal(t, subscribedAt, before.UpdatedAt())
	})
	t.Run("SUB-1: an update that changes nothing", func(t *testing.T) {
		same, err := created.Update(wanted(key(theKey)), later(5))
		require.NoError(t, err)
		assert.True(t, same.Equal(created))
		assert.Equal(t, subscribedAt, same.UpdatedAt())
	})
}

// Any sequence of updates, sound or not, on a clock that steps back: what is
// left keeps the rules, and its times never go back.
func TestSubscription_UpdateProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := subscribed(t, "s1")
		for range rapid.IntRange(1, 10).Draw(rt, "updates") {
			settings := drawSettings(rt)
			if rapid.IntRange(0, 3).Draw(rt, "wrong") == 0 {
				rapid.SampledFrom(wrongSettings).Draw(rt, "how").change(&settings)
			}
			now := later(rapid.IntRange(-50, 50).Draw(rt, "now"))
			next, err := s.Update(settings, now)
			_, created := webhookpolicy.NewSubscription("s1", settings, now)
			require.Equal(rt, created == nil, err == nil, "the same rules")
			require.False(rt, next.UpdatedAt().Before(s.UpdatedAt()))
			require.Equal(rt, s.CreatedAt(), next.CreatedAt())
			if err != nil {
				require.True(rt, next.Equal(s))
				continue
			}
			again, err := next.Update(settings, now.Add(time.Hour))
			require.NoError(rt, err)
			require.True(rt, again.Equal(next), "once is enough")
			s = next
		}
	})
}

func TestSubscription_String(t *testing.T) {
	assert.Equal(t, "subscription s1: enabled, production, events [signer.done contact.created], scopes [app], workspaces [w1 w2]",
		subscribed(t, "s1").String())
	assert.Equal(t, "subscription s1: disabled, sandbox, events [*], scopes [app], workspaces [*]",
		subscribed(t, "s1", sandbox, disabled, forEvents("*"), inWorkspaces("*")).String())
}
