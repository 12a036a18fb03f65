package webhookpolicy

import (
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"io"
)

// SecretCharacters is how many characters the secret key of a subscription has
// (SUB-4).
const SecretCharacters = 32

// redacted stands for every key wherever one would be shown.
const redacted = "[redacted]"

// Secret is the key that calls are signed with. Zero is none.
//
// [Secret.Reveal] alone gives the key. Whatever else shows a Secret, also deep
// within other values, shows "[redacted]", or for zero "none": all verbs of fmt,
// handlers of log/slog, errors, and encoding/json. So does the JSON of what
// holds one; [Subscription.RevealJSON] is the exception, by name.
//
// A database does not take a Secret for a value, so that none is stored by
// accident: store what Reveal gives.
//
// Secrets are compared with [Secret.Equal]; == and reflect.DeepEqual tell
// different ones apart, but may also say so of two that hold the same key.
type Secret struct {
	// The pointer keeps the key from fmt where it cannot call methods, in
	// unexported fields of others: it prints an address.
	sealed *sealed
}

// sealed holds a key in closures, for printers that bypass methods and follow
// pointers by reflection: nothing shows what a function has captured.
type sealed struct {
	reveal func() string
	sign   func(body []byte) Signature
}

// NewSecret returns the secret of a key, zero for "". Any key is taken, since
// a receiver may need ones of other senders; a [Subscription] takes only those
// of 32 characters (SUB-4).
func NewSecret(key string) Secret {
	if key == "" {
		return Secret{}
	}
	return Secret{&sealed{func() string { return key }, signing(key)}}
}

// SecretFromRandom makes a key of 32 characters out of 192 random bits, for
// subscriptions that come without one (SUB-4). The package has no randomness of
// its own:
//
//	var random [24]byte
//	rand.Read(random[:]) // of crypto/rand
//	settings.Secret = webhookpolicy.SecretFromRandom(random)
//
// Bytes that nobody has filled are not random: of zeros alone it makes the zero
// Secret, which no subscription takes.
func SecretFromRandom(random [24]byte) Secret {
	if random == [24]byte{} {
		return Secret{}
	}
	return NewSecret(base64.RawURLEncoding.EncodeToString(random[:]))
}

// Reveal returns the key, "" for zero. It is for signing, for storing, and for
// showing it to whom it belongs to.
func (s Secret) Reveal() string {
	if s.sealed == nil {
		return ""
	}
	return s.sealed.reveal()
}

// IsZero reports whether there is no key.
func (s Secret) IsZero() bool { return s.sealed == nil }

// Equal reports whether both hold the same key, in a time that does not tell
// how much of it is the same.
func (s Secret) Equal(o Secret) bool {
	return hmac.Equal([]byte(s.Reveal()), []byte(o.Reveal()))
}

// String returns "[redacted]", "none" for zero.
func (s Secret) String() string {
	if s.IsZero() {
		return "none"
	}
	return redacted
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb: without it the verbs
// that are not for texts, %d for one, would look inside.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // a fmt.State keeps its error to itself
}

// MarshalText returns "[redacted]", "" for zero. Encoders, also those of log
// handlers, write that in place of the key.
func (s Secret) MarshalText() ([]byte, error) {
	if s.IsZero() {
		return nil, nil
	}
	return []byte(redacted), nil
}

// UnmarshalText reads a key; "" is zero. It refuses what MarshalText writes,
// with [ErrInvalidSecret]: a redacted document would otherwise be read as one
// with that key.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == redacted {
		return &fault{"the key is redacted; only Reveal and RevealJSON give it (SUB-4)", ErrInvalidSecret}
	}
	*s = NewSecret(string(text))
	return nil
}
