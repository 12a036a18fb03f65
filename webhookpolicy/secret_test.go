package webhookpolicy_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/webhookpolicy"
)

// shown are the forms in which a key could be shown.
func shown(key string) []string {
	decimal := strings.Trim(fmt.Sprint([]byte(key)), "[]")
	return []string{
		key, key[:8], key[8:16], key[24:],
		hex.EncodeToString([]byte(key))[:16], strings.ToUpper(hex.EncodeToString([]byte(key)))[:16],
		fmt.Sprintf("% x", key)[:20], decimal[:20], strings.ReplaceAll(decimal, " ", ", ")[:20],
		strings.ReplaceAll(fmt.Sprintf("%#v", []byte(key))[len("[]byte{"):], "}", "")[:20],
		base64.StdEncoding.EncodeToString([]byte(key))[:16], base64.URLEncoding.EncodeToString([]byte(key))[:16],
	}
}

var forms = shown(theKey)

// leaks returns a form in which a text shows the key, "" if it does in none.
func leaks(text string) string {
	for _, form := range forms {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// The check finds what it is to find.
func TestLeaks(t *testing.T) {
	raw := []byte(theKey)
	for _, text := range []string{
		fmt.Sprint(theKey), fmt.Sprintf("%q", theKey), fmt.Sprintf("%x", theKey), fmt.Sprintf("%X", theKey), fmt.Sprintf("% x", raw),
		fmt.Sprint(raw), fmt.Sprintf("%d", raw), fmt.Sprintf("%#v", raw), fmt.Sprintf("%v", struct{ k string }{theKey}),
		base64.StdEncoding.EncodeToString(raw),
	} {
		assert.NotEmpty(t, leaks(text), text)
	}
	assert.Empty(t, leaks("[redacted]"))
}

// Where methods cannot be called, and where they can.
type (
	exported   struct{ Key webhookpolicy.Secret }
	unexported struct{ key webhookpolicy.Secret }
	deep       struct {
		list []map[string]*unexported
		host struct {
			s        webhookpolicy.Subscription
			settings *webhookpolicy.Settings
		}
		any any
	}
)

// holders is the key in all kinds of places.
func holders(t *testing.T) map[string]any {
	s, settings := subscribed(t, "s1"), wanted()
	k := settings.Secret
	d := deep{list: []map[string]*unexported{{"a": {k}}}, any: k}
	d.host.s, d.host.settings = s, &settings
	return map[string]any{
		"secret": k, "pointer": &k, "exported field": exported{k}, "unexported field": unexported{k},
		"pointer to a struct": &unexported{k}, "slice": []webhookpolicy.Secret{k}, "array": [1]webhookpolicy.Secret{k},
		"map": map[string]webhookpolicy.Secret{"a": k}, "map key": map[webhookpolicy.Secret]int{k: 1}, "interface": []any{k, &k},
		"subscription": s, "pointer to a subscription": &s, "subscriptions": []webhookpolicy.Subscription{s},
		"settings": settings, "pointer to settings": &settings, "deep": d, "pointer to deep": &d,
		"matcher": webhookpolicy.NewMatcher(s), "receiver": webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{k}},
		"reflected": reflect.ValueOf(k), "reveal": exported{k}.Key.String,
	}
}

// SUB-4: no verb of fmt shows a key, wherever it stands.
func TestSecret_Format(t *testing.T) {
	for name, holder := range holders(t) {
		t.Run("SUB-4: "+name, func(t *testing.T) {
			for _, flags := range []string{"", "+", "#", "+#", " ", "-40", "08", ".3", "# "} {
				for _, verb := range "vsqxXdboOUcteEfFgGpTw" {
					format := "%" + flags + string(verb)
					assert.Empty(t, leaks(fmt.Sprintf(format, holder)), format)
				}
			}
			assert.Empty(t, leaks(fmt.Sprint(holder)))
			assert.Empty(t, leaks(fmt.Errorf("holding %v", holder).Error()))
		})
	}
	k := webhookpolicy.NewSecret(theKey)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%-20v"} {
		assert.Equal(t, "[redacted]", fmt.Sprintf(format, k), format)
	}
	assert.Equal(t, "[redacted]", k.String())
	assert.Equal(t, "[redacted]", k.GoString())
	assert.Equal(t, "none", webhookpolicy.Secret{}.String())
	assert.Equal(t, "{[redacted]}", fmt.Sprint(exported{k}))
	assert.Equal(t, "none", fmt.Sprintf("%d", webhookpolicy.Secret{}))
}

// SUB-4: no handler of log/slog shows a key.
func TestSecret_Slog(t *testing.T) {
	for name, holder := range holders(t) {
		t.Run("SUB-4: "+name, func(t *testing.T) {
			var out bytes.Buffer
			for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
				log := slog.New(h).With("with", holder)
				log.Info("message", "any", holder, slog.Group("group", "in", holder), "err", fmt.Errorf("%v", holder))
			}
			assert.Empty(t, leaks(out.String()), out.String())
		})
	}
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("m", "key", webhookpolicy.NewSecret(theKey), "none", webhookpolicy.Secret{}, "s", subscribed(t, "s1"))
	}
	assert.Contains(t, out.String(), "key=[redacted]")
	assert.Contains(t, out.String(), `"key":"[redacted]"`)
	assert.Contains(t, out.String(), `"secret_key":"[redacted]"`)
}

// SUB-4: no encoder shows a key, and no database takes one.
func TestSecret_Encode(t *testing.T) {
	for name, holder := range holders(t) {
		t.Run("SUB-4: "+name, func(t *testing.T) {
			text, _ := json.Marshal(holder) // functions have no JSON
			assert.Empty(t, leaks(string(text)))
			text, _ = xml.Marshal(holder)
			assert.Empty(t, leaks(string(text)))
			var out bytes.Buffer
			_ = gob.NewEncoder(&out).Encode(holder)
			assert.Empty(t, leaks(out.String()))
		})
	}
	_, err := sqlValue(webhookpolicy.NewSecret(theKey))
	require.ErrorContains(t, err, "unsupported type")
	assert.Empty(t, leaks(err.Error()))
}

// SUB-4: what compares by reflection and prints what it found shows no key.
func TestSecret_Reflection(t *testing.T) {
	for name, holder := range holders(t) {
		t.Run("SUB-4: "+name, func(t *testing.T) {
			var said recorder
			assert.Equal(&said, "something else", holder)
			assert.Equal(&said, []any{holder}, []any{1})
			assert.Nil(&said, holder)
			assert.Contains(&said, []any{holder}, 5)
			assert.Empty(&said, []any{holder})
			assert.NotEmpty(t, said.text.String())
			assert.Empty(t, leaks(said.text.String()), said.text.String())
		})
	}
	var said recorder
	s := subscribed(t, "s1")
	changed, err := s.Update(wanted(key(strings.Repeat("x", 32))), later(1))
	require.NoError(t, err)
	assert.Equal(&said, s, changed)
	assert.Contains(t, said.text.String(), "Diff:", "testify looks into unexported fields")
	assert.Empty(t, leaks(said.text.String()))
}

// recorder keeps what an assertion that fails would say.
type recorder struct{ text strings.Builder }

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(&r.text, format, args...) }

// SUB-4: neither a recovered panic shows a key, nor one that ends the program.
func TestSecret_Panic(t *testing.T) {
	if os.Getenv("SLUICE_PANIC") != "" {
		panic(webhookpolicy.NewSecret(theKey))
	}
	func() {
		defer func() { assert.Empty(t, leaks(fmt.Sprint(recover()))) }()
		panic(wanted())
	}()
	program := exec.Command(os.Args[0], "-test.run", "^TestSecret_Panic$")
	program.Env = append(os.Environ(), "SLUICE_PANIC=1")
	out, err := program.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "panic:")
	assert.Contains(t, string(out), "TestSecret_Panic")
	assert.Empty(t, leaks(string(out)))
}

// SUB-4: no error of the package shows a key.
func TestSecret_Errors(t *testing.T) {
	wrong := theKey + "x"
	_, created := webhookpolicy.NewSubscription("s1", wanted(key(wrong)), subscribedAt)
	_, updated := subscribed(t, "s1").Update(wanted(key(wrong)), subscribedAt)
	var settings webhookpolicy.Settings
	quoted := sampleDocument[9][1]
	list := []error{
		created, updated,
		webhookpolicy.Verify([]byte("body"), "sha256="+strings.Repeat("0", 64), webhookpolicy.NewSecret(theKey)),
		json.Unmarshal([]byte(`{"secret_key":[`+quoted+`]}`), &settings),
		json.Unmarshal([]byte(`{"secret_key":{"a":`+quoted+`}}`), &settings),
		json.Unmarshal([]byte(`{"endpoint":5,"secret_key":`+quoted+`}`), &settings),
	}
	for _, text := range []string{
		sampleDocument.with("secret_key", `["`+theKey+`"]`).String(), sampleDocument.with("secret_key", `"`+wrong+`"`).String(),
		sampleDocument.with("id", "").String(), sampleDocument.String() + "x",
	} {
		_, err := webhookpolicy.ParseSubscription([]byte(text))
		list = append(list, err)
	}
	for _, err := range list {
		require.Error(t, err)
		for ; err != nil; err = errors.Unwrap(err) {
			assert.Empty(t, leaks(fmt.Sprintf("%v %+v %#v", err, err, err)))
		}
	}
}

func TestSecret(t *testing.T) {
	a, b := webhookpolicy.NewSecret(theKey), webhookpolicy.NewSecret(theKey)
	assert.True(t, a.Equal(b))
	assert.False(t, a.Equal(webhookpolicy.NewSecret(theKey[1:])))
	assert.False(t, a.Equal(webhookpolicy.Secret{}))
	assert.True(t, webhookpolicy.Secret{}.Equal(webhookpolicy.NewSecret("")))
	assert.Equal(t, theKey, a.Reveal())
	assert.Empty(t, webhookpolicy.Secret{}.Reveal())
	assert.False(t, a.IsZero())
	assert.True(t, webhookpolicy.NewSecret("").IsZero())
	copied := a
	assert.Equal(t, a, copied, "a copy is the same by any measure")

	for _, test := range []struct {
		text string
		want webhookpolicy.Secret
	}{{theKey, a}, {"", webhookpolicy.Secret{}}, {"[redacted", webhookpolicy.NewSecret("[redacted")}} {
		var read webhookpolicy.Secret
		require.NoError(t, read.UnmarshalText([]byte(test.text)))
		assert.True(t, read.Equal(test.want), test.text)
	}
	read := a
	require.ErrorIs(t, read.UnmarshalText([]byte("[redacted]")), webhookpolicy.ErrInvalidSecret)
	assert.True(t, read.Equal(a))
	text, err := webhookpolicy.Secret{}.MarshalText()
	require.NoError(t, err)
	assert.Empty(t, text)
	buffer := []byte(theKey)
	require.NoError(t, read.UnmarshalText(buffer))
	buffer[0] = 'X'
	assert.Equal(t, theKey, read.Reveal(), "the decoder's buffer is not kept")
}

func TestSecretFromRandom(t *testing.T) {
	t.Run("SUB-4: 32 characters of 24 bytes", func(t *testing.T) {
		// printf '%s' 'ABCDEFGHIJKLMNOPQRSTUVW?' | base64
		k := webhookpolicy.SecretFromRandom([24]byte([]byte("ABCDEFGHIJKLMNOPQRSTUVW?")))
		assert.Equal(t, "QUJDREVGR0hJSktMTU5PUFFSU1RVVlc_", k.Reveal())
		_, err := webhookpolicy.NewSubscription("s1", wanted(key(k.Reveal())), subscribedAt)
		require.NoError(t, err)
	})
	t.Run("SUB-4: every byte counts", func(t *testing.T) {
		seen := map[string]bool{}
		for i := range 24 {
			var random [24]byte
			random[i] = 1
			seen[webhookpolicy.SecretFromRandom(random).Reveal()] = true
		}
		assert.Len(t, seen, 24)
	})
	t.Run("SUB-4: bytes that nobody filled make no key", func(t *testing.T) {
		assert.True(t, webhookpolicy.SecretFromRandom([24]byte{}).IsZero())
	})
}
