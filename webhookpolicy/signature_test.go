package webhookpolicy_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

const signedBody = `{"event_id":"6adcec1d-ce47-889d-bc11-106219422b87","event_name":"signer.done"}`

// The answers were computed by another program:
//
//	printf '%s' BODY | openssl dgst -sha256 -hmac KEY
var knownSignatures = []struct{ name, key, body, hex string }{
	{"WHK-11: a body", "an example of 32 characters, yes", signedBody, "4e0720041518310f933c8e1793af8651e01ede6cf01c896da3a8949454dfae04"},
	{"WHK-11: an empty body", "an example of 32 characters, yes", "", "b054bb4731a3247e8eaa94adc62cb293263e0d109719d17312580bc117e01127"},
	{"WHK-11: a key of two bytes", "é", signedBody, "5d227e8202f0e97658b024c055d2f7db7f7e3555c56a619ce68205fa5ec08210"},
}

func TestSign_KnownAnswers(t *testing.T) {
	for _, test := range knownSignatures {
		t.Run(test.name, func(t *testing.T) {
			s, err := webhookpolicy.Sign([]byte(test.body), webhookpolicy.NewSecret(test.key))
			require.NoError(t, err)
			assert.Equal(t, "sha256="+test.hex, s.String())
			read, err := webhookpolicy.ParseSignature("sha256=" + test.hex)
			require.NoError(t, err)
			assert.Equal(t, s, read)
			require.NoError(t, webhookpolicy.Verify([]byte(test.body), "sha256="+test.hex, webhookpolicy.NewSecret(test.key)))
		})
	}
}

func TestVerify(t *testing.T) {
	body := []byte(signedBody)
	header := "sha256=" + knownSignatures[0].hex
	right := webhookpolicy.NewSecret(knownSignatures[0].key)
	wrong, other := webhookpolicy.NewSecret("an example of 32 characters, no!"), webhookpolicy.NewSecret(theKey)
	var none webhookpolicy.Secret
	list := func(s ...webhookpolicy.Secret) []webhookpolicy.Secret { return s }
	for _, test := range []struct {
		name    string
		body    []byte
		header  string
		secrets []webhookpolicy.Secret
		is      error
		says    string
	}{
		{"WHK-11: the one key", body, header, list(right), nil, ""},
		{"WHK-11: the first of several keys", body, header, list(right, wrong, other), nil, ""},
		{"WHK-11: the last of several keys", body, header, list(wrong, other, right), nil, ""},
		{"WHK-11: upper case", body, "sha256=" + strings.ToUpper(knownSignatures[0].hex), list(right), nil, ""},
		{"WHK-11: another key", body, header, list(wrong), webhookpolicy.ErrSignatureMismatch, "it is of none of the 1 keys"},
		{"WHK-11: other keys", body, header, list(wrong, other), webhookpolicy.ErrSignatureMismatch, "it is of none of the 2 keys"},
		{"WHK-11: another body", append(body, '\n'), header, list(right), webhookpolicy.ErrSignatureMismatch, "it is of none of the 1 keys"},
		{"WHK-11: no body", nil, header, list(right), webhookpolicy.ErrSignatureMismatch, "it is of none of the 1 keys"},
		{"WHK-11: one digit more", body, header[:len(header)-1] + "5", list(right), webhookpolicy.ErrSignatureMismatch, "it is of none of the 1 keys"},
		{"WHK-11: the first digit", body, "sha256=5" + header[8:], list(right), webhookpolicy.ErrSignatureMismatch, "it is of none of the 1 keys"},
		{"WHK-11: no key", body, header, nil, webhookpolicy.ErrInvalidSecret, "there is no secret key to verify with"},
		{"WHK-11: an empty key", body, header, list(none), webhookpolicy.ErrInvalidSecret, "secret key 1 of 1 is empty"},
		{"WHK-11: an empty key behind the right one", body, header, list(right, none), webhookpolicy.ErrInvalidSecret, "secret key 2 of 2 is empty"},
		{"WHK-11: signed with no key", body, "sha256=" + strings.Repeat("0", 64), list(none), webhookpolicy.ErrInvalidSecret, "secret key 1 of 1 is empty"},
		{"WHK-11: no header", body, "", list(right), webhookpolicy.ErrMalformedHeader, "there is none"},
		{"WHK-11: another algorithm", body, "sha512=" + header[7:], list(right), webhookpolicy.ErrMalformedHeader, `it begins with "sha512=4e0720041518310f933c8e1793af8651e01ede6cf01c896da3a894945...", not with "sha256="`},
		{"WHK-11: the bare digits", body, header[7:], list(right), webhookpolicy.ErrMalformedHeader, `it begins with "4e0720041518310f933c8e1793af8651e01ede6cf01c896da3a8949454dfae04", not with "sha256="`},
		{"WHK-11: upper case before the digits", body, "SHA256=" + header[7:], list(right), webhookpolicy.ErrMalformedHeader, `it begins with "SHA256=4e0720041518310f933c8e1793af8651e01ede6cf01c896da3a894945...", not with "sha256="`},
		{"WHK-11: a digit too few", body, header[:len(header)-1], list(right), webhookpolicy.ErrMalformedHeader, "it has 63 digits, not 64"},
		{"WHK-11: a space behind it", body, header + " ", list(right), webhookpolicy.ErrMalformedHeader, "it has 65 digits, not 64"},
		{"WHK-11: no digits", body, "sha256=", list(right), webhookpolicy.ErrMalformedHeader, "it has 0 digits, not 64"},
		{"WHK-11: other digits", body, "sha256=" + strings.Repeat("xy", 32), list(right), webhookpolicy.ErrMalformedHeader, `"` + strings.Repeat("xy", 32) + `" are not all hexadecimal digits`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := webhookpolicy.Verify(test.body, test.header, test.secrets...)
			if test.is == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.is)
			var refused *webhookpolicy.SignatureError
			require.ErrorAs(t, err, &refused)
			require.EqualError(t, err, "webhookpolicy: signature refused: "+test.says+" (WHK-11)")
		})
	}
	t.Run("WHK-11: nothing is signed with no key", func(t *testing.T) {
		s, err := webhookpolicy.Sign(body, none)
		require.EqualError(t, err, "webhookpolicy: signature refused: there is no secret key to sign with (WHK-11)")
		require.ErrorIs(t, err, webhookpolicy.ErrInvalidSecret)
		assert.Zero(t, s)
	})
}

// WHK-11: what is signed is verified, with the key among any others; what is
// changed in a single bit is not.
func TestVerify_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "body")
		keys := rapid.SliceOfNDistinct(rapid.StringN(1, 40, -1), 2, 5, rapid.ID[string]).Draw(t, "keys")
		var secrets []webhookpolicy.Secret
		for _, k := range keys {
			secrets = append(secrets, webhookpolicy.NewSecret(k))
		}
		signed, err := webhookpolicy.Sign(body, secrets[len(secrets)-1])
		require.NoError(t, err)
		require.NoError(t, webhookpolicy.Verify(body, signed.String(), secrets...))
		require.Error(t, webhookpolicy.Verify(body, signed.String(), secrets[:len(secrets)-1]...))

		flip := func(b []byte, bit int) { b[bit/8] ^= 1 << (bit % 8) }
		flip(signed[:], rapid.IntRange(0, 255).Draw(t, "bit of the signature"))
		require.ErrorIs(t, webhookpolicy.Verify(body, signed.String(), secrets...), webhookpolicy.ErrSignatureMismatch)
		signed, err = webhookpolicy.Sign(body, secrets[0])
		require.NoError(t, err)
		flip(body, rapid.IntRange(0, 8*len(body)-1).Draw(t, "bit of the body"))
		require.ErrorIs(t, webhookpolicy.Verify(body, signed.String(), secrets...), webhookpolicy.ErrSignatureMismatch)
	})
}

// WHK-11: a key signs and verifies as crypto/hmac does, however often and by however
// many at once.
func TestSign_Again(t *testing.T) {
	for _, key := range []string{"k", theKey, strings.Repeat("k", 64), strings.Repeat("k", 65)} {
		secret := webhookpolicy.NewSecret(key)
		var wait sync.WaitGroup
		for i := range 4 {
			body := bytes.Repeat([]byte{byte(i)}, 20_000*i) // long enough for all to be in it
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write(body)
			want := webhookpolicy.Signature(mac.Sum(nil))
			wait.Go(func() {
				for range 10 {
					got, _ := webhookpolicy.Sign(body, secret)
					assert.Equal(t, want, got)
					assert.NoError(t, webhookpolicy.Verify(body, want.String(), secret))
				}
			})
		}
		wait.Wait()
	}
}

func TestPolicy_Headers(t *testing.T) {
	body, secret := []byte(signedBody), webhookpolicy.NewSecret(knownSignatures[0].key)
	t.Run("WHK-10 and WHK-6: every header of a call", func(t *testing.T) {
		p := webhookpolicy.DefaultPolicy()
		p.UserAgent = "us"
		headers, err := p.Headers(body, secret, 3, subscribedAt.Add(999*time.Millisecond))
		require.NoError(t, err)
		assert.Equal(t, []string{p.SignatureHeader, p.IssuedAtHeader, p.RetryCountHeader},
			[]string{webhookpolicy.HeaderSignature, webhookpolicy.HeaderIssuedAt, webhookpolicy.HeaderRetryCount})
		assert.Equal(t, []webhookpolicy.Header{
			{Name: "Content-Type", Value: "application/json"},
			{Name: "User-Agent", Value: "us"},
			{Name: "X-Yousign-Signature-256", Value: "sha256=" + knownSignatures[0].hex},
			{Name: "X-Yousign-Issued-At", Value: "1758551400"},
			{Name: "X-Yousign-Retry-Count", Value: "3"},
		}, headers)
	})
	t.Run("WHK-6: names are a setting", func(t *testing.T) {
		p := webhookpolicy.DefaultPolicy()
		p.RetryCountHeader, p.SignatureHeader, p.IssuedAtHeader = "X-Yousign-Retry", "X-S", "X-I"
		headers, err := p.Headers(body, secret, 0, subscribedAt)
		require.NoError(t, err)
		var names []string
		for _, h := range headers {
			names = append(names, h.Name)
		}
		assert.Equal(t, []string{"Content-Type", "User-Agent", "X-S", "X-I", "X-Yousign-Retry"}, names)
		assert.Equal(t, "0", headers[4].Value)
	})
	t.Run("WHK-11: nothing is sent unsigned", func(t *testing.T) {
		headers, err := webhookpolicy.DefaultPolicy().Headers(body, webhookpolicy.Secret{}, 0, subscribedAt)
		require.ErrorIs(t, err, webhookpolicy.ErrInvalidSecret)
		assert.Nil(t, headers)
	})
}

// receive is a call as it arrives, changed by each of these.
func receive(r webhookpolicy.Receiver, issuedAt string, now time.Time) error {
	body := sampleBody.String()
	s, err := webhookpolicy.Sign([]byte(body), webhookpolicy.NewSecret(theKey))
	if err != nil {
		return err
	}
	_, err = r.Receive([]byte(body), s.String(), issuedAt, now)
	return err
}

func TestReceiver_Tolerance(t *testing.T) {
	tolerant := webhookpolicy.Receiver{
		Secrets: []webhookpolicy.Secret{webhookpolicy.NewSecret(theKey)}, Tolerance: 5 * time.Minute,
	}
	strict := webhookpolicy.Receiver{Secrets: tolerant.Secrets, Tolerance: time.Second}
	careless := webhookpolicy.Receiver{Secrets: tolerant.Secrets}
	const issued = "1758551400"
	for _, test := range []struct {
		name   string
		r      webhookpolicy.Receiver
		issued string
		now    time.Time
		is     error
		says   string
	}{
		{"WHK-11: at once", tolerant, issued, subscribedAt, nil, ""},
		{"WHK-11: as late as is tolerated", tolerant, issued, later(300), nil, ""},
		{"WHK-11: fractions do not count", tolerant, issued, later(300).Add(999 * time.Millisecond), nil, ""},
		{"WHK-11: too late", tolerant, issued, later(301), webhookpolicy.ErrIssuedAt, "it was issued 5m1s before now; 5m0s are tolerated"},
		{"WHK-11: as far in the future as is tolerated", tolerant, issued, later(-300), nil, ""},
		{"WHK-11: too far in the future", tolerant, issued, later(-301), webhookpolicy.ErrIssuedAt, "it was issued -5m1s before now; 5m0s are tolerated"},
		{"WHK-11: a second late", strict, issued, later(1), nil, ""},
		{"WHK-11: two seconds late", strict, issued, later(2), webhookpolicy.ErrIssuedAt, "it was issued 2s before now; 1s are tolerated"},
		{"WHK-11: thousands of years ahead", tolerant, "253402300799", subscribedAt, webhookpolicy.ErrIssuedAt, "it was issued -2562047h47m16.854775808s before now; 5m0s are tolerated"},
		{"WHK-11: at the end of time", tolerant, "9223372036854775807", subscribedAt, webhookpolicy.ErrIssuedAt, ""},
		{"WHK-11: at the beginning of time", tolerant, "-9223372036854775808", subscribedAt, webhookpolicy.ErrIssuedAt, ""},
		{"WHK-11: no time", tolerant, "", subscribedAt, webhookpolicy.ErrMalformedHeader, "there is no time at which it was issued"},
		{"WHK-11: another form of time", tolerant, "2025-09-22T14:30:00Z", subscribedAt, webhookpolicy.ErrMalformedHeader, `the time at which it was issued: "2025-09-22T14:30:00Z" is no time; Unix seconds are wanted, as 1758551400`},
		{"WHK-11: a fraction", tolerant, "1758551400.5", subscribedAt, webhookpolicy.ErrMalformedHeader, ""},
		{"WHK-11: a space", tolerant, " 1758551400", subscribedAt, webhookpolicy.ErrMalformedHeader, ""},
		{"WHK-11: a plus", tolerant, "+1758551400", subscribedAt, webhookpolicy.ErrMalformedHeader, ""},
		{"WHK-11: no tolerance is set, long ago", careless, "5", subscribedAt, nil, ""},
		{"WHK-11: no tolerance is set, no time", careless, "", subscribedAt, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := receive(test.r, test.issued, test.now)
			if test.is == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.is)
			if test.says != "" {
				require.EqualError(t, err, "webhookpolicy: signature refused: "+test.says+" (WHK-11)")
			}
		})
	}
}

func TestReceiver(t *testing.T) {
	r := webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{webhookpolicy.NewSecret(theKey)}}
	signed := func(body string) string {
		s, err := webhookpolicy.Sign([]byte(body), r.Secrets[0])
		require.NoError(t, err)
		return s.String()
	}
	t.Run("WHK-11: an authentic call", func(t *testing.T) {
		e, err := r.Receive([]byte(sampleBody.String()), signed(sampleBody.String()), "", subscribedAt)
		require.NoError(t, err)
		assert.Equal(t, sampleEnvelope, e)
	})
	t.Run("WHK-11: the body is not looked at before its signature", func(t *testing.T) {
		e, err := r.Receive([]byte("{"), signed("["), "", subscribedAt)
		require.ErrorIs(t, err, webhookpolicy.ErrSignatureMismatch)
		assert.Zero(t, e)
	})
	t.Run("WHK-10: an authentic body that is no envelope", func(t *testing.T) {
		_, err := r.Receive([]byte("{"), signed("{"), "", subscribedAt)
		require.ErrorIs(t, err, webhookpolicy.ErrDocument)
	})
	t.Run("WHK-10: limits are a setting", func(t *testing.T) {
		small := r
		small.Limits.Bytes = 10
		_, err := small.Receive([]byte(sampleBody.String()), signed(sampleBody.String()), "", subscribedAt)
		require.ErrorIs(t, err, webhookpolicy.ErrTooLarge)
	})
	t.Run("WHK-11: no keys", func(t *testing.T) {
		_, err := webhookpolicy.Receiver{}.Receive([]byte(sampleBody.String()), signed(sampleBody.String()), "", subscribedAt)
		require.ErrorIs(t, err, webhookpolicy.ErrInvalidSecret)
	})
}

// WHK-9: the receiver's side knows an event again.
func TestSeen(t *testing.T) {
	s := webhookpolicy.NewSeen(3)
	assert.False(t, s.Has("a"))
	for _, id := range []string{"a", "b", "a", "c"} {
		s.Add(id)
	}
	for _, id := range []string{"a", "b", "c"} {
		assert.True(t, s.Has(id), id)
	}
	s.Add("d")
	assert.False(t, s.Has("a"), "the oldest is forgotten first")
	assert.True(t, s.Has("b"))
	assert.True(t, s.Has("d"))
	for _, s := range []*webhookpolicy.Seen{new(webhookpolicy.Seen), webhookpolicy.NewSeen(0), webhookpolicy.NewSeen(-1)} {
		s.Add("a")
		assert.True(t, s.Has("a"))
		s.Add("b")
		assert.False(t, s.Has("a"))
		assert.True(t, s.Has("b"))
	}
}

// WHK-9: a Seen has exactly the last distinct ids that were added.
func TestSeen_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "number")
		s := webhookpolicy.NewSeen(n)
		var model []string
		for i := range rapid.IntRange(0, 30).Draw(t, "events") {
			id := fmt.Sprint(rapid.IntRange(0, 7).Draw(t, "id"))
			has := false
			for _, m := range model {
				has = has || m == id
			}
			require.Equal(t, has, s.Has(id), i)
			s.Add(id)
			if !has {
				model = append(model, id)
				model = model[max(0, len(model)-n):]
			}
		}
		for i := range 8 {
			has := false
			for _, m := range model {
				has = has || m == fmt.Sprint(i)
			}
			require.Equal(t, has, s.Has(fmt.Sprint(i)))
		}
	})
}
