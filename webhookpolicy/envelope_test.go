package webhookpolicy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

var sampleBody = members{
	{"event_id", `"e1"`},
	{"event_name", `"signer.done"`},
	{"event_time", `"1758551400"`},
	{"subscription_id", `"s1"`},
	{"subscription_description", `"onboarding"`},
	{"sandbox", `false`},
	{"data", `{"signer": {"id":"kelly",  "n":1.50e2}}`},
}

var sampleEnvelope = webhookpolicy.Envelope{
	EventID: "e1", EventName: "signer.done", EventTime: subscribedAt,
	SubscriptionID: "s1", SubscriptionDescription: "onboarding",
	Data: json.RawMessage(`{"signer": {"id":"kelly",  "n":1.50e2}}`),
}

func parse(text string) (webhookpolicy.Envelope, error) {
	return webhookpolicy.ParseEnvelope([]byte(text), webhookpolicy.Limits{})
}

func TestEnvelope(t *testing.T) {
	t.Run("WHK-10: the body of a subscription's call", func(t *testing.T) {
		e := subscribed(t, "s1").Envelope("e1", "signer.done", subscribedAt.Add(time.Millisecond).In(time.FixedZone("", 3600)), sampleEnvelope.Data)
		assert.Equal(t, sampleEnvelope, e)
		body, err := e.Encode()
		require.NoError(t, err)
		assert.Equal(t, sampleBody.String(), string(body))
		read, err := parse(string(body))
		require.NoError(t, err)
		assert.Equal(t, e, read)
	})
	t.Run("WHK-10: sandbox", func(t *testing.T) {
		e := subscribed(t, "s1", sandbox, inWorkspaces()).Envelope("e1", "signer.done", subscribedAt, sampleEnvelope.Data)
		body, err := e.Encode()
		require.NoError(t, err)
		assert.Equal(t, sampleBody.with("sandbox", "true").String(), string(body))
	})
	t.Run("WHK-10: the same bytes whenever they are made", func(t *testing.T) {
		e := sampleEnvelope
		e.Extra = map[string]json.RawMessage{"z": json.RawMessage("1"), "a": json.RawMessage("[ 2 ]"), "é<": json.RawMessage(`"x"`)}
		for range 20 {
			body, err := e.Encode()
			require.NoError(t, err)
			require.Equal(t, sampleBody.with("a", "[ 2 ]").with("z", "1").String()[:len(sampleBody.with("a", "[ 2 ]").with("z", "1").String())-1]+
				`,"é\u003c":"x"}`, string(body))
		}
	})
	t.Run("WHK-10: space around data is left out, space within is kept", func(t *testing.T) {
		e := sampleEnvelope
		e.Data = json.RawMessage("\n { \"a\" :\t1 } \r\n")
		body, err := e.Encode()
		require.NoError(t, err)
		read, err := parse(string(body))
		require.NoError(t, err)
		assert.Equal(t, "{ \"a\" :\t1 }", string(read.Data))
	})
	t.Run("WHK-9: every call of a delivery has the same event_id and body", func(t *testing.T) {
		s := subscribed(t, "s1")
		body, err := s.Envelope(webhookpolicy.EventID("o1", "s1"), "signer.done", subscribedAt, sampleEnvelope.Data).Encode()
		require.NoError(t, err)
		var bodies []string
		for retry := range 9 {
			headers, err := webhookpolicy.DefaultPolicy().Headers(body, s.Secret(), retry, later(retry*1000))
			require.NoError(t, err)
			e, err := webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{s.Secret()}, Tolerance: time.Second}.
				Receive(body, headers[2].Value, headers[3].Value, later(retry*1000))
			require.NoError(t, err)
			assert.Equal(t, webhookpolicy.EventID("o1", "s1"), e.EventID)
			again, err := e.Encode()
			require.NoError(t, err)
			bodies = append(bodies, string(again))
		}
		for _, b := range bodies {
			assert.Equal(t, string(body), b)
		}
	})
}

func TestEventID(t *testing.T) {
	t.Run("WHK-9: one per event and subscription", func(t *testing.T) {
		ids := map[string]string{}
		for _, occurrence := range []string{"", "a", "ab", "b", "1", "o1"} {
			for _, subscription := range []string{"", "a", "ba", "b", "bb", "s1"} {
				id := webhookpolicy.EventID(occurrence, subscription)
				assert.Equal(t, id, webhookpolicy.EventID(occurrence, subscription))
				assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
				assert.Empty(t, ids[id], "%q and %q share it", ids[id], occurrence+"/"+subscription)
				ids[id] = occurrence + "/" + subscription
			}
		}
	})
	t.Run("WHK-9: the same for ever", func(t *testing.T) {
		// printf '\0\0\0\0\0\0\0\14occurrence 15a1e' | openssl dgst -sha256
		// gives 6adcec1dce47d89d7c11106219422b87..., in which two digits are
		// those of version and variant.
		assert.Equal(t, "6adcec1d-ce47-889d-bc11-106219422b87", webhookpolicy.EventID("occurrence 1", "5a1e"))
	})
}

func TestEnvelope_EncodeRefused(t *testing.T) {
	var messages strings.Builder
	for _, test := range []struct {
		name   string
		change func(*webhookpolicy.Envelope)
		is     error
		broken []string
	}{
		{"WHK-9: no event_id", func(e *webhookpolicy.Envelope) { e.EventID = "" }, webhookpolicy.ErrInvalidID, []string{"WHK-9 event_id"}},
		{"WHK-9: a long event_id", func(e *webhookpolicy.Envelope) { e.EventID = strings.Repeat("x", 129) }, webhookpolicy.ErrInvalidID, []string{"WHK-9 event_id"}},
		{"WHK-10: no name", func(e *webhookpolicy.Envelope) { e.EventName = "" }, webhookpolicy.ErrInvalidID, []string{"WHK-10 event_name"}},
		{"WHK-10: no time", func(e *webhookpolicy.Envelope) { e.EventTime = time.Time{} }, webhookpolicy.ErrInvalidTime, []string{"WHK-10 event_time"}},
		{"WHK-10: a time before 1970", func(e *webhookpolicy.Envelope) { e.EventTime = time.Unix(-1, 0) }, webhookpolicy.ErrInvalidTime, []string{"WHK-10 event_time"}},
		{"WHK-10: no subscription", func(e *webhookpolicy.Envelope) { e.SubscriptionID = "" }, webhookpolicy.ErrInvalidID, []string{"WHK-10 subscription_id"}},
		{"WHK-10: a description that is no text", func(e *webhookpolicy.Envelope) { e.SubscriptionDescription = "\xff" }, webhookpolicy.ErrInvalidDescription, []string{"WHK-10 subscription_description"}},
		{"WHK-10: no data", func(e *webhookpolicy.Envelope) { e.Data = nil }, webhookpolicy.ErrInvalidData, []string{"WHK-10 data"}},
		{"WHK-10: data of spaces", func(e *webhookpolicy.Envelope) { e.Data = json.RawMessage("  ") }, webhookpolicy.ErrInvalidData, []string{"WHK-10 data"}},
		{"WHK-10: data of two values", func(e *webhookpolicy.Envelope) { e.Data = json.RawMessage("1 2") }, webhookpolicy.ErrInvalidData, []string{"WHK-10 data"}},
		{"WHK-10: data that ends the envelope", func(e *webhookpolicy.Envelope) { e.Data = json.RawMessage(`1,"sandbox":true`) }, webhookpolicy.ErrInvalidData, []string{"WHK-10 data"}},
		{"WHK-10: data that is no text", func(e *webhookpolicy.Envelope) { e.Data = json.RawMessage("\"\xff\"") }, webhookpolicy.ErrInvalidData, []string{"WHK-10 data"}},
		{"WHK-10: an extra member in the place of another", func(e *webhookpolicy.Envelope) {
			e.Extra = map[string]json.RawMessage{"sandbox": json.RawMessage("true")}
		}, webhookpolicy.ErrInvalidData, []string{"WHK-10 sandbox"}},
		{"WHK-10: extra members that are none", func(e *webhookpolicy.Envelope) {
			e.Extra = map[string]json.RawMessage{"b": nil, "a": json.RawMessage("{"), "\xff": json.RawMessage("1")}
		}, webhookpolicy.ErrInvalidData, []string{"WHK-10 a", "WHK-10 b", "WHK-10 \xff"}},
		{"WHK-9 and WHK-10: nothing at all", func(e *webhookpolicy.Envelope) { *e = webhookpolicy.Envelope{} }, webhookpolicy.ErrInvalidID, []string{
			"WHK-9 event_id", "WHK-10 event_name", "WHK-10 event_time", "WHK-10 subscription_id", "WHK-10 data",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := sampleEnvelope
			test.change(&e)
			body, err := e.Encode()
			assert.Nil(t, body)
			require.ErrorIs(t, err, test.is)
			assert.Equal(t, test.broken, broken(err))
			fmt.Fprintf(&messages, "%s\n\t%s\n", test.name, strings.ReplaceAll(err.Error(), "\n", "\n\t"))
		})
	}
	golden(t, "envelope_refused.txt", messages.String())
}

func TestParseEnvelope(t *testing.T) {
	t.Run("WHK-10: unknown members are kept, to the byte", func(t *testing.T) {
		text := sampleBody.with("future", `{ "a": [1.0] }`).with("Sandbox", "true").with("", "null").String()
		e, err := parse(text)
		require.NoError(t, err)
		assert.Equal(t, map[string]json.RawMessage{
			"future": json.RawMessage(`{ "a": [1.0] }`), "Sandbox": json.RawMessage("true"), "": json.RawMessage("null"),
		}, e.Extra)
		assert.False(t, e.Sandbox)
	})
	t.Run("WHK-10: any order, any space", func(t *testing.T) {
		reversed := "\n{"
		for i, nv := range sampleBody {
			reversed += fmt.Sprintf(" %q : %s\t", sampleBody[len(sampleBody)-1-i][0], sampleBody[len(sampleBody)-1-i][1])
			if i < len(sampleBody)-1 {
				reversed += ","
			}
			_ = nv
		}
		e, err := parse(reversed + "} ")
		require.NoError(t, err)
		assert.Equal(t, sampleEnvelope, e)
	})
	t.Run("WHK-10: events of the future", func(t *testing.T) {
		e, err := parse(sampleBody.with("event_name", `"future.thing"`).String())
		require.NoError(t, err)
		assert.Equal(t, webhookpolicy.EventName("future.thing"), e.EventName)
		assert.False(t, e.EventName.Known())
	})
	t.Run("WHK-10: a description null is none", func(t *testing.T) {
		e, err := parse(sampleBody.with("subscription_description", "null").String())
		require.NoError(t, err)
		assert.Empty(t, e.SubscriptionDescription)
	})
	t.Run("WHK-10: data is any value", func(t *testing.T) {
		for _, data := range []string{"null", "[]", `"x"`, "0", "false", `{"a":1,"a":2}`} {
			e, err := parse(sampleBody.with("data", data).String())
			require.NoError(t, err)
			assert.Equal(t, data, string(e.Data))
		}
	})
	t.Run("WHK-10: what is read does not change with the buffer", func(t *testing.T) {
		buffer := []byte(sampleBody.with("x", "[1]").String())
		e, err := webhookpolicy.ParseEnvelope(buffer, webhookpolicy.Limits{})
		require.NoError(t, err)
		clear(buffer)
		assert.Equal(t, string(sampleEnvelope.Data), string(e.Data))
		assert.Equal(t, "[1]", string(e.Extra["x"]))
	})
}

func TestParseEnvelope_Limits(t *testing.T) {
	text := sampleBody.with("data", `{"a":[[]]}`).String() // four deep
	for _, test := range []struct {
		name   string
		limits webhookpolicy.Limits
		is     error
		says   string
	}{
		{"WHK-10: as large and as deep as is allowed", webhookpolicy.Limits{Bytes: len(text), Depth: 4}, nil, ""},
		{"WHK-10: too large", webhookpolicy.Limits{Bytes: len(text) - 1}, webhookpolicy.ErrTooLarge, "webhookpolicy: invalid envelope at byte 166: it has 167 bytes; at most 166 are read"},
		{"WHK-10: too deep", webhookpolicy.Limits{Depth: 3}, webhookpolicy.ErrTooDeep, "webhookpolicy: invalid envelope at byte 162: more than 3 objects and lists stand in each other"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := webhookpolicy.ParseEnvelope([]byte(text), test.limits)
			if test.is == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.is)
			require.ErrorIs(t, err, webhookpolicy.ErrDocument)
			require.EqualError(t, err, test.says)
		})
	}
	t.Run("WHK-10: by negative limits nothing is read", func(t *testing.T) {
		_, err := webhookpolicy.ParseEnvelope([]byte(text), webhookpolicy.Limits{Bytes: -1})
		require.ErrorIs(t, err, webhookpolicy.ErrTooLarge)
		_, err = webhookpolicy.ParseEnvelope([]byte(text), webhookpolicy.Limits{Depth: -1})
		require.EqualError(t, err, "webhookpolicy: invalid envelope at byte 0: more than -1 objects and lists stand in each other")
	})
	deep := func(n int) string {
		return sampleBody.with("data", strings.Repeat("[", n)+strings.Repeat("]", n)).String()
	}
	large := func(n int) string {
		return sampleBody.with("data", `"`+strings.Repeat("x", n-len(sampleBody.with("data", `""`).String()))+`"`).String()
	}
	t.Run("WHK-10: by default 64 deep and 1 MiB", func(t *testing.T) {
		for _, text := range []string{deep(63), large(1 << 20)} {
			_, err := parse(text)
			require.NoError(t, err)
		}
		_, err := parse(deep(64))
		require.ErrorIs(t, err, webhookpolicy.ErrTooDeep)
		_, err = parse(large(1<<20 + 1))
		require.ErrorIs(t, err, webhookpolicy.ErrTooLarge)
	})
	t.Run("WHK-10: depth is not that of texts, nor of what is closed", func(t *testing.T) {
		_, err := webhookpolicy.ParseEnvelope([]byte(sampleBody.with("data", `"[[[[\"{{{{\\"`).
			with("x", "[[],[],{}]").with("y", `"\\"`).String()), webhookpolicy.Limits{Depth: 3})
		require.NoError(t, err)
	})
}

func TestParseEnvelope_Refused(t *testing.T) {
	var messages strings.Builder
	for _, test := range []struct {
		name, text string
		member     string
		is         error
	}{
		{"WHK-10: nothing", "", "", nil},
		{"WHK-10: cut off", sampleBody.String()[:50], "", nil},
		{"WHK-10: a comma too many", strings.Replace(sampleBody.String(), ",", ",,", 1), "", nil},
		{"WHK-10: two bodies", sampleBody.String() + sampleBody.String(), "", nil},
		{"WHK-10: a list", "\n[]", "", nil},
		{"WHK-10: null", "null", "", nil},
		{"WHK-10: not UTF-8", sampleBody.with("x", "\"\xc3\"").String(), "", nil},
		{"WHK-10: not UTF-8 from the beginning", "\xff", "", nil},
		{"WHK-10: closed too often", "]]" + sampleBody.String(), "", nil},
		{"WHK-10: a member twice", sampleBody.String()[:len(sampleBody.String())-1] + `,"sandbox":true}`, "sandbox", nil},
		{"WHK-10: an unknown member twice", `{"a":1,"b":2,"\u0061":3}`, "a", nil},
		{"WHK-10: empty", "{}", "event_id", nil},
		{"WHK-9: no event_id", sampleBody.with("event_id", "").String(), "event_id", nil},
		{"WHK-9: an event_id null", sampleBody.with("event_id", "null").String(), "event_id", nil},
		{"WHK-9: an empty event_id", sampleBody.with("event_id", `""`).String(), "event_id", webhookpolicy.ErrInvalidID},
		{"WHK-9: a number for event_id", sampleBody.with("event_id", "5").String(), "event_id", nil},
		{"WHK-10: an empty event_name", sampleBody.with("event_name", `""`).String(), "event_name", webhookpolicy.ErrInvalidID},
		{"WHK-10: a number for event_time", sampleBody.with("event_time", "1758551400").String(), "event_time", nil},
		{"WHK-10: an empty event_time", sampleBody.with("event_time", `""`).String(), "event_time", nil},
		{"WHK-10: an event_time with a zero before it", sampleBody.with("event_time", `"01758551400"`).String(), "event_time", nil},
		{"WHK-10: an event_time with a fraction", sampleBody.with("event_time", `"1758551400.5"`).String(), "event_time", nil},
		{"WHK-10: an event_time of RFC 3339", sampleBody.with("event_time", `"2025-09-22T14:30:00Z"`).String(), "event_time", nil},
		{"WHK-10: an event_time before 1970", sampleBody.with("event_time", `"-1"`).String(), "event_time", webhookpolicy.ErrInvalidTime},
		{"WHK-10: an event_time after 9999", sampleBody.with("event_time", `"253402300800"`).String(), "event_time", webhookpolicy.ErrInvalidTime},
		{"WHK-10: an event_time beyond numbers", sampleBody.with("event_time", `"9223372036854775808"`).String(), "event_time", nil},
		{"WHK-10: a text for sandbox", sampleBody.with("sandbox", `"false"`).String(), "sandbox", nil},
		{"WHK-10: no data", sampleBody.with("data", "").String(), "data", nil},
		{"WHK-10: no description", sampleBody.with("subscription_description", "").String(), "subscription_description", nil},
		{"WHK-10: NUL in the description", sampleBody.with("subscription_description", `"\u0000"`).String(), "subscription_description", webhookpolicy.ErrInvalidDescription},
		{"WHK-10: everything wrong", `{"event_id":"","event_name":"","event_time":"","subscription_id":"","subscription_description":"\u0000","sandbox":false,"data":1}`, "event_time", nil},
		{"WHK-10: everything of another kind", `{"event_id":1,"event_name":[],"event_time":{},"subscription_id":false,"subscription_description":[],"sandbox":0,"data":1}`, "event_id", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := parse(test.text)
			assert.Zero(t, e)
			require.ErrorIs(t, err, webhookpolicy.ErrDocument)
			var wrong *webhookpolicy.DocumentError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, "envelope", wrong.Document)
			assert.Equal(t, test.member, wrong.Member)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			fmt.Fprintf(&messages, "%s\n\t%s\n", test.name, strings.ReplaceAll(err.Error(), "\n", "\n\t"))
		})
	}
	golden(t, "envelope_documents.txt", messages.String())
}

// A name from outside does not fill a log, nor break its lines.
func TestDocumentError_Member(t *testing.T) {
	name := strings.Repeat("x", 1000)
	_, err := parse(fmt.Sprintf(`{%q:1,%[1]q:2}`, name))
	require.EqualError(t, err, "webhookpolicy: invalid envelope, "+name[:64]+"... at byte 1006: it stands there twice")
	_, err = parse(`{"\n":1,"\n":2}`)
	require.EqualError(t, err, `webhookpolicy: invalid envelope, "\n" at byte 8: it stands there twice`)
}

var jsonValues = rapid.SampledFrom([]string{
	"null", "true", "0", "-1.50e+3", `"x"`, `"\u00e9\ud83d\ude00<&>"`, "[]", `{ "a" : [ 1 , {} ] }`, `{"a":1,"a":2}`, `[[[[[]]]]]`,
})

func drawEnvelope(t *rapid.T) webhookpolicy.Envelope {
	text := rapid.StringN(0, 8, -1).Filter(isText)
	id := rapid.StringN(1, 8, -1).Filter(isText)
	e := webhookpolicy.Envelope{
		EventID: id.Draw(t, "event_id"), SubscriptionID: id.Draw(t, "subscription_id"),
		EventName:               webhookpolicy.EventName(rapid.OneOf(rapid.SampledFrom([]string{"signer.done"}), id).Draw(t, "event_name")),
		EventTime:               time.Unix(rapid.Int64Range(0, 253402300799).Draw(t, "event_time"), 0).UTC(),
		SubscriptionDescription: text.Draw(t, "description"), Sandbox: rapid.Bool().Draw(t, "sandbox"),
		Data: json.RawMessage(jsonValues.Draw(t, "data")),
	}
	for _, name := range rapid.SliceOfNDistinct(text, 0, 3, rapid.ID[string]).Draw(t, "extra") {
		if e.Extra == nil {
			e.Extra = map[string]json.RawMessage{}
		}
		e.Extra[name] = json.RawMessage(jsonValues.Draw(t, "value"))
	}
	return e
}

// WHK-10: what is encoded is decoded to the same, and is JSON to others too.
func TestEnvelope_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEnvelope(t)
		body, err := e.Encode()
		require.NoError(t, err)
		read, err := parse(string(body))
		require.NoError(t, err)
		require.Equal(t, e, read)

		var plain map[string]any
		require.NoError(t, json.Unmarshal(body, &plain))
		require.Len(t, plain, 7+len(e.Extra))
		require.Equal(t, e.EventID, plain["event_id"])
		require.Equal(t, string(e.EventName), plain["event_name"])
		require.Equal(t, fmt.Sprint(e.EventTime.Unix()), plain["event_time"])
		require.Equal(t, e.SubscriptionID, plain["subscription_id"])
		require.Equal(t, e.SubscriptionDescription, plain["subscription_description"])
		require.Equal(t, e.Sandbox, plain["sandbox"])
	})
}
