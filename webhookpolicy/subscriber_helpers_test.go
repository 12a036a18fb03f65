package webhookpolicy_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/webhookpolicy"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, path)
}

// theKey is the secret key of subscribed.
const theKey = "k3y-THAT-nobody-is-to-see_0123.>"

var subscribedAt = time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)

// later is a time that many seconds after subscribedAt.
func later(seconds int) time.Time {
	return subscribedAt.Add(time.Duration(seconds) * time.Second)
}

// wanted are settings that keep every rule, changed by each of these.
func wanted(change ...func(*webhookpolicy.Settings)) webhookpolicy.Settings {
	s := webhookpolicy.Settings{
		Endpoint:    "https://example.com/hooks?for=us",
		Description: "onboarding",
		Secret:      webhookpolicy.NewSecret(theKey),
		Enabled:     true,
		AutoRetry:   true,
		Events:      []webhookpolicy.EventName{webhookpolicy.EventSignerDone, webhookpolicy.EventContactCreated},
		Scopes:      []string{webhookpolicy.ScopeApp},
		Workspaces:  []string{"w1", "w2"},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

// subscribed is a subscription of such settings.
func subscribed(t testing.TB, id string, change ...func(*webhookpolicy.Settings)) webhookpolicy.Subscription {
	t.Helper()
	s, err := webhookpolicy.NewSubscription(id, wanted(change...), subscribedAt)
	require.NoError(t, err)
	return s
}

// broken are the rules that an error names, field by field.
func broken(err error) []string {
	var list []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			list = append(list, broken(e)...)
		}
		return list
	}
	var f *webhookpolicy.FieldError
	if errors.As(err, &f) {
		list = append(list, f.Rule+" "+f.Field)
	}
	return list
}
