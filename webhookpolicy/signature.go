package webhookpolicy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync/atomic"
)

// What a [*SignatureError] unwraps to. A missing key unwraps to
// [ErrInvalidSecret].
var (
	// ErrMalformedHeader: a header that has not the form of its kind.
	ErrMalformedHeader = errors.New("webhookpolicy: malformed header")
	// ErrSignatureMismatch: the signature is of another body, or under another
	// key.
	ErrSignatureMismatch = errors.New("webhookpolicy: signature does not match")
	// ErrIssuedAt: the call was issued too long ago, or too far in the future.
	ErrIssuedAt = errors.New("webhookpolicy: issued at another time")
)

// SignatureError says why a call cannot be signed, or is not authentic (WHK-11).
type SignatureError struct {
	Reason string // why, as a clause; it tells nothing of keys
	Err    error  // what errors.Is finds
}

// Error returns a message that reads well alone:
//
//	webhookpolicy: signature refused: it is of none of the 2 keys (WHK-11)
func (e *SignatureError) Error() string {
	return fmt.Sprintf("webhookpolicy: signature refused: %s (WHK-11)", e.Reason)
}

// Unwrap returns Err.
func (e *SignatureError) Unwrap() error { return e.Err }

// Signature is the HMAC-SHA-256 of a raw body under a secret key (WHK-11). Its
// text is that of the header. Zero is none.
type Signature [sha256.Size]byte

const signaturePrefix = "sha256="

// String returns the value of the header: "sha256=" and 64 hexadecimal digits.
func (s Signature) String() string { return signaturePrefix + hex.EncodeToString(s[:]) }

// ParseSignature reads the value of the header, in digits of either case, or
// returns a [*SignatureError] that unwraps to [ErrMalformedHeader].
func ParseSignature(header string) (Signature, error) {
	malformed := func(format string, args ...any) (Signature, error) {
		return Signature{}, &SignatureError{fmt.Sprintf(format, args...), ErrMalformedHeader}
	}
	if header == "" {
		return malformed("there is none")
	}
	digits, ok := strings.CutPrefix(header, signaturePrefix)
	if !ok {
		return malformed("it begins with %s, not with %q", clip(header), signaturePrefix)
	}
	var s Signature
	var text [2 * len(s)]byte // a conversion to []byte would allocate
	if len(digits) != len(text) {
		return malformed("it has %d digits, not %d", len(digits), len(text))
	}
	copy(text[:], digits)
	if _, err := hex.Decode(s[:], text[:]); err != nil {
		return malformed("%s are not all hexadecimal digits", clip(digits))
	}
	return s, nil
}

// Sign returns the signature of a body, to the byte as it is sent. It refuses
// the zero Secret with a [*SignatureError]: anybody could sign with no key.
func Sign(body []byte, secret Secret) (Signature, error) {
	if secret.IsZero() {
		return Signature{}, &SignatureError{"there is no secret key to sign with", ErrInvalidSecret}
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write(body)
	return Signature(mac.Sum(nil)), nil
}

// signer computes signatures under one key, one at a time.
type signer struct {
	mac hash.Hash
	sum Signature // here, so that no call allocates one
}

// signing returns Sign under one key, for Verify. It keeps a signer, since to make
// one takes as long as to sign half a kilobyte; calls at the same time make their
// own. Sign keeps none: a receiver has a key or two, a sender one for each
// subscription.
func signing(key string) func(body []byte) Signature {
	var kept atomic.Pointer[signer]
	return func(body []byte) Signature {
		s := kept.Swap(nil)
		if s == nil {
			s = &signer{mac: hmac.New(sha256.New, []byte(key))}
		} else {
			s.mac.Reset()
		}
		s.mac.Write(body)
		s.mac.Sum(s.sum[:0])
		sum := s.sum // before others get at it
		kept.Store(s)
		return sum
	}
}

// Verify checks the header of a body, to the byte as it arrived, against one or
// more secrets, and returns nil if it is of one of them. Several are valid at
// once while a key is replaced: the sender changes over at its own time.
//
// Otherwise it returns a [*SignatureError]. No secrets at all, and a zero one
// among them, are refused, since both come of a lost configuration. The time
// that it takes tells neither how much of a signature was right nor which of
// the secrets it was.
func Verify(body []byte, header string, secrets ...Secret) error {
	given, err := ParseSignature(header)
	if err != nil {
		return err
	}
	if len(secrets) == 0 {
		return &SignatureError{"there is no secret key to verify with", ErrInvalidSecret}
	}
	valid := false
	for i, secret := range secrets {
		if secret.IsZero() {
			return &SignatureError{fmt.Sprintf("secret key %d of %d is empty", i+1, len(secrets)), ErrInvalidSecret}
		}
		want := secret.sealed.sign(body)
		if hmac.Equal(given[:], want[:]) {
			valid = true // and go on, so that the time is the same
		}
	}
	if !valid {
		return &SignatureError{fmt.Sprintf("it is of none of the %d keys", len(secrets)), ErrSignatureMismatch}
	}
	return nil
}
