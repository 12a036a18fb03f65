package webhookpolicy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// subscriptionJSON is the public API's document of a subscription (SUB-1), for
// writing. It is read member by member, which tells of every fault at once.
type subscriptionJSON struct {
	ID string `json:"id"`
	Settings
	// SecretKey takes the place of the one in Settings, since of two members with
	// one name encoding/json writes the one that is less deep.
	SecretKey string `json:"secret_key"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
}

// stamp is a time in documents: RFC 3339 with a numeric offset, in UTC.
type stamp time.Time

// MarshalText writes whole seconds.
func (s stamp) MarshalText() ([]byte, error) {
	return time.Time(s).UTC().AppendFormat(nil, "2006-01-02T15:04:05-07:00"), nil
}

// UnmarshalText reads times of any offset and cuts off what is less than a
// second.
func (s *stamp) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%s is no time; RFC 3339 is wanted, as 2025-09-22T14:30:00+00:00", clip(string(text)))
	}
	*s = stamp(seconds(t))
	return nil
}

// MarshalJSON writes the public API's document with the secret key redacted, so
// that it can be logged and shown to anybody; null for zero.
//
// [Subscription.UnmarshalJSON] refuses it for its key: stores keep what
// [Subscription.RevealJSON] writes.
func (s Subscription) MarshalJSON() ([]byte, error) { return s.document(redacted) }

// RevealJSON writes the public API's document with the secret key in it; null
// for zero. It is for a store, and for answers to whom the key belongs to.
func (s Subscription) RevealJSON() ([]byte, error) { return s.document(s.Secret().Reveal()) }

func (s Subscription) document(key string) ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	r := s.record
	return json.Marshal(subscriptionJSON{r.id, r.settings, key, stamp(r.createdAt), stamp(r.updatedAt)})
}

// ParseSubscription reads what RevealJSON writes: the public API's document of
// a subscription, with its key. Members that are absent or null are taken for
// "" in case of the description, for the [Wildcard] in case of the workspaces,
// and refused otherwise; members that it does not know are passed over.
//
// A text that is not the document is refused with a [*DocumentError]; one that
// breaks the rules of a subscription, as NewSubscription would, with a
// [*FieldError] for each.
func ParseSubscription(data []byte) (Subscription, error) {
	// A subscription of many workspaces is large, and the host's own.
	o, err := readObject("subscription", data, Limits{Bytes: math.MaxInt, Depth: maxDepth})
	if err != nil {
		return Subscription{}, err
	}
	var r record
	o.require("id", "endpoint", "secret_key", "sandbox", "enabled", "auto_retry",
		"subscribed_events", "scopes", "created_at", "updated_at")
	o.read("id", &r.id, wantText)
	o.settings(&r.settings)
	r.createdAt, r.updatedAt = o.time("created_at"), o.time("updated_at")
	if err := o.err(); err != nil {
		return Subscription{}, err
	}
	return r.checked()
}

// UnmarshalJSON is [ParseSubscription]; null leaves s as it is, and so does an
// error.
func (s *Subscription) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	read, err := ParseSubscription(data)
	if err == nil {
		*s = read
	}
	return err
}

// UnmarshalJSON reads the attributes that the document has and leaves the others
// as they are; a member null makes the workspaces nil, which is the [Wildcard],
// and changes nothing else. On an error, a [*DocumentError], all stay as they
// are. Rules are checked when the settings are used.
func (s *Settings) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	o, err := readObject("settings", data, Limits{Bytes: math.MaxInt, Depth: maxDepth})
	if err != nil {
		return err
	}
	read := *s
	// A host's default, or the present list, would outlive a request for all.
	if _, there := o.members["workspaces"]; there && !o.has("workspaces") {
		read.Workspaces = nil
	}
	o.settings(&read)
	if err := o.err(); err != nil {
		return err
	}
	*s = read
	return nil
}

// settings reads the attributes that are there. Which of them must be is the
// caller's to say.
func (o *object) settings(s *Settings) {
	o.read("endpoint", &s.Endpoint, wantText)
	o.read("description", &s.Description, wantText)
	o.read("secret_key", &s.Secret, wantText)
	o.read("sandbox", &s.Sandbox, wantBool)
	o.read("enabled", &s.Enabled, wantBool)
	o.read("auto_retry", &s.AutoRetry, wantBool)
	readList(o, "subscribed_events", &s.Events)
	readList(o, "scopes", &s.Scopes)
	readList(o, "workspaces", &s.Workspaces)
}

// readList reads a list into new memory: json.Unmarshal would write over the
// elements of the present one, which others may share, and read null as "".
func readList[T ~string](o *object, name string, list *[]T) {
	if !o.has(name) {
		return
	}
	var elements []json.RawMessage
	if !o.read(name, &elements, "a list of texts") {
		return
	}
	texts := make([]T, len(elements))
	for i, element := range elements {
		if element[0] != '"' {
			o.fail(name, fmt.Errorf("a list of texts is wanted, not one with %s", kind(element)))
			return
		}
		_ = json.Unmarshal(element, &texts[i]) // a text, by its first byte
	}
	*list = texts
}

// time reads a time of RFC 3339, zero if it is missing.
func (o *object) time(name string) time.Time {
	var s stamp
	o.read(name, &s, "a time as text")
	return time.Time(s)
}
