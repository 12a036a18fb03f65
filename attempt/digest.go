package attempt

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sluicego/sluice/internal/jcs"
)

// ErrInvalidInputs says that inputs are no JSON object that has one meaning.
var ErrInvalidInputs = errors.New("attempt: invalid inputs")

// Digest stands for the inputs of an attempt, which are never kept (ATT-6).
// Two digests of one session are equal exactly if the inputs are. Zero means
// that the inputs are not known.
type Digest [sha256.Size]byte

// IsZero reports whether the inputs are not known.
func (d Digest) IsZero() bool { return d == Digest{} }

// String returns the digest in hexadecimal, "" for zero.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// MarshalText returns the text of String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes. On an error it leaves the
// digest as it was.
func (d *Digest) UnmarshalText(text []byte) error {
	var read Digest
	if n := hex.DecodedLen(len(text)); len(text) > 0 && (len(text)%2 != 0 || n != len(read)) {
		return fmt.Errorf("attempt: a digest has %d hexadecimal digits, not %d (ATT-6)", 2*len(read), len(text))
	}
	if _, err := hex.Decode(read[:], text); err != nil {
		return fmt.Errorf("attempt: digest: %w (ATT-6)", err)
	}
	*d = read
	return nil
}

// Scan reads the text form from a database; NULL is zero.
func (d *Digest) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*d = Digest{}
		return nil
	case string:
		return d.UnmarshalText([]byte(src))
	case []byte:
		return d.UnmarshalText(src)
	default:
		return fmt.Errorf("attempt: cannot scan %T into a digest: a text is wanted", src)
	}
}

// Value writes the text form to a database; zero is NULL.
func (d Digest) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// Digester makes the digests of one session. The zero Digester belongs to none
// and makes no digest.
type Digester struct {
	key []byte
}

// NewDigester returns the digester of a session. With a secret of the host,
// which should be as long as a hash, nobody who sees a digest can tell by
// trying what the inputs were; without one, somebody who knows the session id
// can. The key is the session id alone, or else the HMAC-SHA-256 of the
// session id under the secret.
func NewDigester(sessionID string, secret []byte) Digester {
	key := []byte(sessionID)
	if len(secret) > 0 {
		mac := hmac.New(sha256.New, secret)
		mac.Write(key)
		key = mac.Sum(nil)
	}
	return Digester{key}
}

// File is a file among the inputs. It counts by its content alone: neither its
// name nor its type does.
type File struct {
	Field   string // the name of the form's field
	Content io.Reader
}

// leftOut are the inputs that say where an attempt goes, not what it checks.
var leftOut = []string{"workflow_session_id", "previous_attempt_id", "workspace_id"}

// Digest returns the HMAC-SHA-256 of the inputs as canonical JSON (RFC 8785).
//
// The form is any value that encoding/json writes as an object; give the body
// of a request as a [json.RawMessage]. Each field of files is added as a member:
// an object with the member sha256 for one file, an array of such for several,
// in their order. The members workflow_session_id, previous_attempt_id and
// workspace_id are left out.
//
// Inputs are the same if they are as JSON: numbers count as the doubles that
// they are there, and what encoding/json replaces in Go strings that are not
// UTF-8 counts as replaced.
//
// It returns an error that unwraps to [ErrInvalidInputs] if the form is no
// object, if a field is both a member and a file, or if the JSON has no single
// meaning (see RFC 8785); and the error of a file that cannot be read. No error
// repeats what the inputs are.
func (d Digester) Digest(form any, files ...File) (Digest, error) {
	if len(d.key) == 0 {
		return Digest{}, errors.New("attempt: the Digester belongs to no session; NewDigester makes one that does (ATT-6)")
	}
	members, err := object(form)
	if err != nil {
		return Digest{}, err
	}
	if err := addFiles(members, files); err != nil {
		return Digest{}, err
	}
	for _, name := range leftOut {
		delete(members, name)
	}
	canonical, err := canonical(members)
	if err != nil {
		return Digest{}, err
	}
	mac := hmac.New(sha256.New, d.key)
	mac.Write(canonical)
	return Digest(mac.Sum(nil)), nil
}

// object returns the members of a form.
func object(form any) (map[string]json.RawMessage, error) {
	text, err := canonical(form)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, fmt.Errorf("%w: a JSON object is wanted", ErrInvalidInputs)
	}
	return members, nil
}

// addFiles adds the hashes of files as members. It reads each file once, to its
// end, and keeps nothing of it.
func addFiles(members map[string]json.RawMessage, files []File) error {
	type sum struct {
		SHA256 string `json:"sha256"`
	}
	fields := map[string][]sum{}
	for _, f := range files {
		if _, doubled := members[f.Field]; doubled {
			return fmt.Errorf("%w: field %q is both a member and a file", ErrInvalidInputs, f.Field)
		}
		if f.Content == nil {
			return fmt.Errorf("%w: the file of field %q has no content", ErrInvalidInputs, f.Field)
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, f.Content); err != nil {
			return fmt.Errorf("attempt: file of field %q: %w", f.Field, err)
		}
		fields[f.Field] = append(fields[f.Field], sum{hex.EncodeToString(hash.Sum(nil))})
	}
	for field, sums := range fields {
		var value any = sums
		if len(sums) == 1 {
			value = sums[0]
		}
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("attempt: file of field %q: %w", field, err)
		}
		members[field] = text
	}
	return nil
}

// canonical returns the one JSON text that all spellings of a value share. A
// RawMessage is read as it is: encoding/json would mend what RFC 8785 refuses.
func canonical(v any) ([]byte, error) {
	text, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(v); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalidInputs, err)
		}
	}
	text, err := jcs.Transform(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidInputs, err)
	}
	return text, nil
}
