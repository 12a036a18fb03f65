package webhookpolicy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

// sampleDocument is the public API's document of a subscription, in the order
// in which it is written.
var sampleDocument = members{
	{"id", `"s1"`},
	{"endpoint", `"https://example.com/hooks?for=us"`},
	{"description", `"onboarding"`},
	{"sandbox", `false`},
	{"enabled", `true`},
	{"auto_retry", `true`},
	{"subscribed_events", `["signer.done","contact.created"]`},
	{"scopes", `["app"]`},
	{"workspaces", `["w1","w2"]`},
	{"secret_key", `"` + strings.ReplaceAll(theKey, ">", `\u003e`) + `"`},
	{"created_at", `"2025-09-22T14:30:00+00:00"`},
	{"updated_at", `"2025-09-22T14:30:00+00:00"`},
}

// members are those of a JSON object, as written.
type members [][2]string

func (m members) String() string {
	var list []string
	for _, nv := range m {
		list = append(list, fmt.Sprintf("%q:%s", nv[0], nv[1]))
	}
	return "{" + strings.Join(list, ",") + "}"
}

// with is the object with another value in one member, without it for "".
func (m members) with(name, value string) members {
	m = slices.Clone(m)
	i := slices.IndexFunc(m, func(nv [2]string) bool { return nv[0] == name })
	switch {
	case i < 0:
		return append(m, [2]string{name, value})
	case value == "":
		return slices.Delete(m, i, i+1)
	}
	m[i][1] = value
	return m
}

func TestSubscription_JSON(t *testing.T) {
	s := subscribed(t, "s1")
	t.Run("SUB-1: the public API's document, with the key", func(t *testing.T) {
		text, err := s.RevealJSON()
		require.NoError(t, err)
		assert.Equal(t, sampleDocument.String(), string(text))
		read, err := webhookpolicy.ParseSubscription(text)
		require.NoError(t, err)
		assert.True(t, read.Equal(s))
	})
	t.Run("SUB-4: json.Marshal redacts the key", func(t *testing.T) {
		text, err := json.Marshal(s)
		require.NoError(t, err)
		assert.Equal(t, sampleDocument.with("secret_key", `"[redacted]"`).String(), string(text))
		_, err = webhookpolicy.ParseSubscription(text)
		require.EqualError(t, err, `webhookpolicy: invalid subscription, secret_key at byte 242: `+
			`the key is redacted; only Reveal and RevealJSON give it (SUB-4)`)
		require.ErrorIs(t, err, webhookpolicy.ErrInvalidSecret)
	})
	t.Run("SUB-1: times of any offset and fraction", func(t *testing.T) {
		read, err := webhookpolicy.ParseSubscription([]byte(sampleDocument.
			with("created_at", `"2025-09-22T16:30:00.9+02:00"`).with("updated_at", `"2025-09-22T14:31:00Z"`).String()))
		require.NoError(t, err)
		assert.Equal(t, subscribedAt, read.CreatedAt())
		assert.Equal(t, later(60), read.UpdatedAt())
	})
	for _, test := range []struct {
		name   string
		text   members
		change setting
	}{
		{"SUB-3: absent workspaces", sampleDocument.with("workspaces", ""), inWorkspaces()},
		{"SUB-3: null workspaces", sampleDocument.with("workspaces", "null"), inWorkspaces()},
		{"SUB-1: absent description", sampleDocument.with("description", ""), describedAs("")},
		{"SUB-1: null description", sampleDocument.with("description", "null"), describedAs("")},
		{"SUB-1: unknown members", sampleDocument.with("Endpoint", `5`).with("future", `{"a":[]}`), allOf()},
	} {
		t.Run(test.name, func(t *testing.T) {
			var read webhookpolicy.Subscription
			require.NoError(t, json.Unmarshal([]byte(" "+test.text.String()+"\n"), &read))
			assert.True(t, read.Equal(subscribed(t, "s1", test.change)))
		})
	}
	t.Run("SUB-1: the zero subscription is null", func(t *testing.T) {
		for _, write := range []func(webhookpolicy.Subscription) ([]byte, error){
			webhookpolicy.Subscription.MarshalJSON, webhookpolicy.Subscription.RevealJSON,
		} {
			text, err := write(webhookpolicy.Subscription{})
			require.NoError(t, err)
			assert.Equal(t, "null", string(text))
		}
		into := s
		require.NoError(t, into.UnmarshalJSON([]byte(" null ")))
		assert.True(t, into.Equal(s), "as encoding/json has it")
	})
}

// Whatever is no document of a subscription is refused, and told where.
func TestParseSubscription_Refused(t *testing.T) {
	var messages strings.Builder
	for _, test := range []struct {
		name, text string
		is         error
	}{
		{"SUB-1: nothing", "", webhookpolicy.ErrDocument},
		{"SUB-1: cut off", sampleDocument.String()[:40], webhookpolicy.ErrDocument},
		{"SUB-1: something behind it", sampleDocument.String() + "x", webhookpolicy.ErrDocument},
		{"SUB-1: a list", " []", webhookpolicy.ErrDocument},
		{"SUB-1: null", "null", webhookpolicy.ErrDocument},
		{"SUB-1: not UTF-8", `{"id":"` + "\xff" + `"}`, webhookpolicy.ErrDocument},
		{"SUB-1: too deep", strings.Repeat("[", 65), webhookpolicy.ErrTooDeep},
		{"SUB-1: a member twice", `{"id":"s1","id":"s2"}`, webhookpolicy.ErrDocument},
		{"SUB-1: nothing in it", `{}`, webhookpolicy.ErrDocument},
		{"SUB-1: null everywhere", `{"id":null,"endpoint":null,"secret_key":null,"sandbox":null,"enabled":null,"auto_retry":null,"subscribed_events":null,"scopes":null,"created_at":null,"updated_at":null}`, webhookpolicy.ErrDocument},
		{"SUB-1: other kinds", `{"id":5,"endpoint":{},"description":[],"secret_key":8391,"sandbox":"false","enabled":1,"auto_retry":null,"subscribed_events":"*","scopes":[true],"workspaces":["w",null],"created_at":1758551400,"updated_at":"today"}`, webhookpolicy.ErrDocument},
		{"SUB-1: an empty id", sampleDocument.with("id", `""`).String(), webhookpolicy.ErrInvalidID},
		{"SUB-1: updated before it was created", sampleDocument.with("updated_at", `"2025-09-22T14:29:59+00:00"`).String(), webhookpolicy.ErrInvalidTime},
		{"SUB-1: created before 1970", sampleDocument.with("created_at", `"1969-09-22T14:29:59+00:00"`).String(), webhookpolicy.ErrInvalidTime},
		{"SUB-3: an empty list", sampleDocument.with("workspaces", `[]`).String(), webhookpolicy.ErrInvalidList},
		{"SUB-3: an unknown event", sampleDocument.with("subscribed_events", `["user.deleted"]`).String(), webhookpolicy.ErrUnknownEvent},
		{"SUB-4: http, and a short key", sampleDocument.with("endpoint", `"http://example.com"`).with("secret_key", `"short"`).String(), webhookpolicy.ErrInvalidEndpoint},
		{"SUB-4: an empty key", sampleDocument.with("secret_key", `""`).String(), webhookpolicy.ErrInvalidSecret},
		{"SUB-5: a sandbox subscription of workspaces", sampleDocument.with("sandbox", "true").String(), webhookpolicy.ErrSandboxWorkspaces},
	} {
		t.Run(test.name, func(t *testing.T) {
			read, err := webhookpolicy.ParseSubscription([]byte(test.text))
			require.ErrorIs(t, err, test.is)
			assert.True(t, read.IsZero())
			fmt.Fprintf(&messages, "%s\n\t%s\n", test.name, strings.ReplaceAll(err.Error(), "\n", "\n\t"))
			assert.NotContains(t, err.Error(), "8391")

			into := subscribed(t, "kept")
			if test.text != "null" {
				require.EqualError(t, into.UnmarshalJSON([]byte(test.text)), err.Error())
			}
			assert.True(t, into.Equal(subscribed(t, "kept")), "an error leaves it as it was")
		})
	}
	golden(t, "subscription_documents.txt", messages.String())
}

func TestSettings_JSON(t *testing.T) {
	t.Run("SUB-1: a request to update changes what it names", func(t *testing.T) {
		for _, test := range []struct {
			text   string
			change setting
		}{
			{`{}`, allOf()},
			{` null `, allOf()},
			{`{"endpoint":"https://example.org"}`, endpoint("https://example.org")},
			{`{"description":""}`, describedAs("")},
			{`{"secret_key":"other"}`, key("other")},
			{`{"secret_key":""}`, key("")},
			{`{"sandbox":true}`, sandbox},
			{`{"enabled":false}`, disabled},
			{`{"auto_retry":false}`, onlyOnce},
			{`{"subscribed_events":["*"]}`, forEvents("*")},
			{`{"subscribed_events":["what.ever"]}`, forEvents("what.ever")}, // the rules come later
			{`{"scopes":["a","b"]}`, ofScopes("a", "b")},
			{`{"workspaces":["w3"]}`, inWorkspaces("w3")},
			{`{"workspaces":null}`, inWorkspaces()},
			{`{"workspaces":[]}`, inWorkspaces([]string{}...)},
			{`{"endpoint":null,"description":null,"secret_key":null,"sandbox":null,"enabled":null,"auto_retry":null,"subscribed_events":null,"scopes":null}`, allOf()},
			{`{"id":"other","created_at":5,"future":{}}`, allOf()},
		} {
			settings := wanted()
			require.NoError(t, json.Unmarshal([]byte(test.text), &settings), test.text)
			want := wanted(test.change)
			assert.Equal(t, want.Secret.Reveal(), settings.Secret.Reveal(), test.text)
			settings.Secret, want.Secret = webhookpolicy.Secret{}, webhookpolicy.Secret{}
			assert.Equal(t, want, settings, test.text)
		}
	})
	t.Run("SUB-4: json.Marshal redacts the key", func(t *testing.T) {
		text, err := json.Marshal(wanted(inWorkspaces()))
		require.NoError(t, err)
		assert.Equal(t, `{"endpoint":"https://example.com/hooks?for=us","description":"onboarding","secret_key":"[redacted]",`+
			`"sandbox":false,"enabled":true,"auto_retry":true,"subscribed_events":["signer.done","contact.created"],`+
			`"scopes":["app"],"workspaces":null}`, string(text))
		var read webhookpolicy.Settings
		require.ErrorIs(t, json.Unmarshal(text, &read), webhookpolicy.ErrInvalidSecret)
	})
	t.Run("SUB-1: on an error everything stays", func(t *testing.T) {
		for _, text := range []string{
			`[]`, `{"endpoint":"https://example.org","sandbox":5}`, `{"enabled":false,"enabled":true}`, `{"scopes":["a"],"workspaces":[null]}`,
		} {
			settings := wanted()
			err := settings.UnmarshalJSON([]byte(text))
			require.ErrorIs(t, err, webhookpolicy.ErrDocument, text)
			var wrong *webhookpolicy.DocumentError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, "settings", wrong.Document)
			assert.Equal(t, wanted().Endpoint, settings.Endpoint)
			assert.Equal(t, wanted().Scopes, settings.Scopes)
			assert.True(t, settings.Enabled)
		}
	})
}

// SUB-1: what is written with its key is read to the same.
func TestSubscription_JSONProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := webhookpolicy.NewSubscription(
			rapid.StringN(1, 8, -1).Filter(isText).Draw(t, "id"), drawSettings(t), subscribedAt)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "updated") {
			s, err = s.Update(drawSettings(t), later(rapid.IntRange(-5, 1e6).Draw(t, "seconds")))
			require.NoError(t, err)
		}
		text, err := s.RevealJSON()
		require.NoError(t, err)
		read, err := webhookpolicy.ParseSubscription(text)
		require.NoError(t, err)
		require.True(t, read.Equal(s))
		again, err := read.RevealJSON()
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	})
}
