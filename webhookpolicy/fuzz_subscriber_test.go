package webhookpolicy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/webhookpolicy"
)

// The law of every decoder: no text makes it panic; what it refuses, it refuses
// with its own error; and what it accepts is written and read to the same.

func FuzzParseEnvelope(f *testing.F) {
	f.Add([]byte(sampleBody.String()))
	f.Add([]byte(sampleBody.with("x", `{"a":[1]}`).with("event_id", `"\ud800"`).String()))
	f.Add([]byte(` {"event_id":"","event_time":"-0","data":null,"":[[[]]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := webhookpolicy.ParseEnvelope(body, webhookpolicy.Limits{})
		if err != nil {
			require.ErrorIs(t, err, webhookpolicy.ErrDocument)
			require.Zero(t, e)
			return
		}
		assert.True(t, json.Valid(body))
		written, err := e.Encode()
		require.NoError(t, err)
		again, err := webhookpolicy.ParseEnvelope(written, webhookpolicy.Limits{Bytes: len(written)})
		require.NoError(t, err)
		require.Equal(t, e, again)
		twice, err := again.Encode()
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice))
	})
}

func FuzzParseSubscription(f *testing.F) {
	f.Add([]byte(sampleDocument.String()))
	f.Add([]byte(sampleDocument.with("sandbox", "true").with("workspaces", `["*"]`).with("scopes", `["*"]`).String()))
	f.Add([]byte(sampleDocument.with("secret_key", `"[redacted]"`).with("endpoint", `"HTTPS://é:0/%41"`).String()))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := webhookpolicy.ParseSubscription(text)
		var settings webhookpolicy.Settings
		as := json.Unmarshal(text, &settings)
		if err != nil {
			require.True(t, errors.Is(err, webhookpolicy.ErrDocument) || errors.As(err, new(*webhookpolicy.FieldError)), err)
			require.True(t, s.IsZero())
			return
		}
		written, err := s.RevealJSON()
		require.NoError(t, err)
		again, err := webhookpolicy.ParseSubscription(written)
		require.NoError(t, err)
		require.True(t, again.Equal(s))
		require.NoError(t, as, "a document of a subscription is one of settings")
		created, err := webhookpolicy.NewSubscription(s.ID(), settings, s.CreatedAt())
		require.NoError(t, err)
		require.True(t, created.Settings().Secret.Equal(s.Secret()))
		redacted, err := json.Marshal(s)
		require.NoError(t, err)
		require.Contains(t, string(redacted), `"secret_key":"[redacted]"`)
	})
}

func FuzzParseSignature(f *testing.F) {
	f.Add("sha256=" + knownSignatures[0].hex)
	f.Add("sha256=" + strings.ToUpper(knownSignatures[0].hex))
	f.Add("sha256=")
	f.Add("")
	f.Fuzz(func(t *testing.T, header string) {
		s, err := webhookpolicy.ParseSignature(header)
		if err != nil {
			require.ErrorIs(t, err, webhookpolicy.ErrMalformedHeader)
			require.Zero(t, s)
			require.Less(t, len(err.Error()), 500)
			require.Error(t, webhookpolicy.Verify(nil, header, webhookpolicy.NewSecret(theKey)))
			return
		}
		digits, found := strings.CutPrefix(header, "sha256=")
		require.True(t, found)
		require.Equal(t, "sha256="+strings.ToLower(digits), s.String())
	})
}
