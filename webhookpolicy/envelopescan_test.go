package webhookpolicy_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/webhookpolicy"
)

// agree holds the fast way of reading a body against the thorough one, which is
// made of encoding/json.
func agree(t require.TestingT, body []byte, limits webhookpolicy.Limits) {
	before := bytes.Clone(body)
	want, wrong := webhookpolicy.ExamineEnvelope(body, limits)
	scanned, sound := webhookpolicy.ScanEnvelope(body, limits)
	switch {
	case sound:
		require.NoError(t, wrong, "%q", body)
		require.Equal(t, want, scanned, "%q", body)
	case wrong == nil:
		require.Contains(t, string(body), `\`, "what is usual is read the fast way")
	}
	got, err := webhookpolicy.ParseEnvelope(body, limits)
	require.Equal(t, want, got, "%q", body)
	require.Equal(t, wrong, err, "%q", body)
	require.Equal(t, before, body)
}

func FuzzParseEnvelope_Agree(f *testing.F) {
	f.Add([]byte(benchBody))
	f.Add([]byte(sampleBody.with("x", `{"a":[1]}`).with("event_id", `"\ud800"`).String()))
	f.Add([]byte(sampleBody.with("event_time", `"\u0031"`).with("\\u0078", "1").String()))
	f.Add([]byte(` {"event_id":"","event_time":"-0","data":null,"":[[[]]],"":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		agree(t, body, webhookpolicy.Limits{})
		agree(t, body, webhookpolicy.Limits{Bytes: len(body), Depth: 3})
	})
}

// What may stand in the place of a member, of its value, or between them.
var (
	oddNames  = []string{"x", "", "Sandbox", "event\\u005fid", "d\\u0061ta", "\\ud800", "\\u0000", "é", "\xff", "x\\q", "\n"}
	oddValues = []string{
		`""`, `"x"`, `"é"`, `"\u00e9\/"`, `"\u0000"`, `"\ud800"`, "\"\xff\"", `"0"`, `"-0"`, `"-1"`, `"+1"`, `"01"`, `"-"`, `"\u0031"`,
		`"9223372036854775807"`, `"9223372036854775808"`, `"253402300799"`, `"253402300800"`, `"signature_request.done"`,
		`"signer\u002edone"`, "null", "true", "false", "0", "-1.5e3", "[]", "{}", `{ "a" : [ 1 ] }`, `{"a":1,"a":2}`, "[[[]]]",
		"01", "tru", "[1,]", `{"a"}`, "", `"` + strings.Repeat("x", 128) + `"`, `"` + strings.Repeat("x", 129) + `"`, "\"\t\"",
	}
	spaces = []string{"", "", "", " ", "\n\t", "\v"}
)

// drawBody draws a body that is sound but for a few members, or a few bytes.
func drawBody(t *rapid.T) []byte {
	names, values := rapid.SampledFrom(oddNames), rapid.SampledFrom(oddValues)
	var list members
	for _, m := range rapid.Permutation(sampleBody).Draw(t, "members") {
		switch rapid.IntRange(0, 19).Draw(t, "change") {
		case 0:
			continue
		case 1:
			list = append(list, m, m)
			continue
		case 2:
			m[0] = names.Draw(t, "name")
		case 3, 4, 5:
			m[1] = values.Draw(t, "value")
		case 6:
			list = append(list, [2]string{names.Draw(t, "name"), values.Draw(t, "value")})
		}
		list = append(list, m)
	}
	space := rapid.SampledFrom(spaces)
	var b strings.Builder
	for i, m := range list {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `%s"%s"%s:%s%s%[3]s`, space.Draw(t, "space"), m[0], space.Draw(t, "space"), space.Draw(t, "space"), m[1])
	}
	body := []byte("{" + b.String() + "}")
	if rapid.IntRange(0, 3).Draw(t, "damage") == 0 {
		body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("{}[]\",:\\ \x00\xff0a")).Draw(t, "byte")
	}
	return body
}

// WHK-10: whatever of a body is unusual, both ways read the same, and refuse the
// same with the same errors.
func TestParseEnvelope_Agree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := drawBody(t)
		agree(t, body, webhookpolicy.Limits{})
		agree(t, body, webhookpolicy.Limits{Bytes: len(body) - rapid.IntRange(0, 1).Draw(t, "too large"), Depth: rapid.IntRange(-1, 4).Draw(t, "depth")})
	})
}

// What is sound is read the fast way; what is not has the thorough one say why.
func TestParseEnvelope_Ways(t *testing.T) {
	extra := func(more string) string { return strings.TrimSuffix(sampleBody.String(), "}") + more + "}" }
	for _, test := range []struct {
		name, body string
		sound      bool
	}{
		{"WHK-10: the usual", benchBody, true},
		{"WHK-10: with space", "\n" + strings.ReplaceAll(sampleBody.String(), ",", " ,\t") + " ", true},
		{"WHK-10: further members", extra(`,"x":1,"\u0079":{ }`), true},
		{"WHK-10: a further member twice", extra(`,"x":1,"\u0078":1`), false},
		{"WHK-10: a member twice", extra(`,"d\u0061ta":1`), false},
		{"WHK-10: a description null", sampleBody.with("subscription_description", "null").String(), true},
		{"WHK-10: a description with escapes", sampleBody.with("subscription_description", `"\u00e9\/"`).String(), true},
		{"WHK-10: NUL in the description", sampleBody.with("subscription_description", `"\u0000"`).String(), false},
		{"WHK-10: data null", sampleBody.with("data", "null").String(), true},
		{"WHK-10: the sandbox", sampleBody.with("sandbox", "true").String(), true},
		{"WHK-10: a sandbox null", sampleBody.with("sandbox", "null").String(), false},
		{"WHK-9: an empty event_id", sampleBody.with("event_id", `""`).String(), false},
		{"WHK-10: the end is missing", strings.TrimSuffix(sampleBody.String(), "}"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, sound := webhookpolicy.ScanEnvelope([]byte(test.body), webhookpolicy.Limits{})
			assert.Equal(t, test.sound, sound)
			agree(t, []byte(test.body), webhookpolicy.Limits{})
		})
	}
}

// Every event of the catalogue is known by its text, also one with escapes.
func TestParseEnvelope_EventNames(t *testing.T) {
	for _, name := range webhookpolicy.EventNames() {
		for _, text := range []string{string(name), strings.Replace(string(name), ".", `\u002e`, 1)} {
			e, sound := webhookpolicy.ScanEnvelope([]byte(sampleBody.with("event_name", `"`+text+`"`).String()), webhookpolicy.Limits{})
			assert.True(t, sound)
			assert.Equal(t, name, e.EventName)
		}
	}
}

// Times have one form, that of strconv.
func TestParseUnix(t *testing.T) {
	form := rapid.OneOf(
		rapid.StringMatching(`[-+]?[0-9]{0,3}`), rapid.StringMatching(`-?[0-9]{18,20}`), rapid.String(),
		rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := form.Draw(t, "text")
		n, err := strconv.ParseInt(text, 10, 64)
		got, wrong := webhookpolicy.ParseUnix(text)
		require.Equal(t, err == nil && strconv.FormatInt(n, 10) == text, wrong == nil, text)
		if wrong == nil {
			require.Equal(t, n, got.Unix())
		}
	})
}

// Memory is taken for what an envelope holds: three texts and the data.
func TestReceiver_ReceiveAllocations(t *testing.T) {
	r := webhookpolicy.Receiver{Secrets: []webhookpolicy.Secret{webhookpolicy.NewSecret(theKey)}}
	body := []byte(benchBody)
	signature, err := webhookpolicy.Sign(body, r.Secrets[0])
	require.NoError(t, err)
	header := signature.String()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		_, err = r.Receive(body, header, "", subscribedAt)
	}), 4.0)
	require.NoError(t, err)
}
