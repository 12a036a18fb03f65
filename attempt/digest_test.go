package attempt_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/attempt"
)

const (
	sessionID = "0c4a1f9e-5b0d-4f2c-9a57-2d6f0a1b7c33"
	secret    = "0123456789abcdef0123456789abcdef"
)

// raw is a form as it came in the body of a request.
func raw(text string) json.RawMessage { return json.RawMessage(text) }

func file(field, content string) attempt.File {
	return attempt.File{Field: field, Content: strings.NewReader(content)}
}

// ATT-6: digests computed by another program. With
//
//	S=0c4a1f9e-5b0d-4f2c-9a57-2d6f0a1b7c33
//	K=0123456789abcdef0123456789abcdef
//
// a digest without secret is printed by
//
//	printf %s MESSAGE | openssl dgst -sha256 -hmac $S
//
// and one with the secret K by
//
//	H=$(printf %s $S | openssl dgst -sha256 -hmac $K -r | cut -d' ' -f1)
//	printf %s MESSAGE | openssl dgst -sha256 -mac HMAC -macopt hexkey:$H
//
// The hash of a file in a message is printed by
//
//	printf %s 'front of the card' | sha256sum
func TestDigestVectors(t *testing.T) {
	plain, keyed := attempt.NewDigester(sessionID, nil), attempt.NewDigester(sessionID, []byte(secret))
	tests := []struct {
		name     string
		digester attempt.Digester
		form     string
		files    []attempt.File
		want     string
	}{
		{
			// MESSAGE: {}
			"ATT-6: no inputs", plain, `{}`, nil,
			"3b0c3f4edf9f7228eb22836a75904d5d8ca3246d05187bf0141fa60beaebaa86",
		},
		{
			// MESSAGE: {"first_name":"Kelly","last_name":"Smith"}
			"ATT-6: the session id is the key", plain, `{"first_name":"Kelly","last_name":"Smith"}`, nil,
			"3430b4b8f5439da6f67f77f1f2ab3cf5484456f19aa3544eb087b830b3b4a7f1",
		},
		{
			// MESSAGE: {"first_name":"Kelly","last_name":"Smith"}
			"ATT-6: the secret keys the session id", keyed, `{"first_name":"Kelly","last_name":"Smith"}`, nil,
			"c3e0e75f1cd605709a1029625a33eb415a1c29d17b3fa3bac460ee2318ef0c55",
		},
		{
			// MESSAGE: {"first_name":"Kelly","last_name":"Smith"}
			"ATT-6: three members are left out", plain,
			`{"workspace_id":null,"last_name":"Smith","workflow_session_id":"w","first_name":"Kelly","previous_attempt_id":"p"}`,
			nil, "3430b4b8f5439da6f67f77f1f2ab3cf5484456f19aa3544eb087b830b3b4a7f1",
		},
		{
			// MESSAGE: {"amount":100,"name":"Zoë","tags":[true,null]}
			"ATT-6: canonical JSON", plain, ` { "tags" : [ true , null ] , "n\u0061me" : "Zo\u00eb" , "amount" : 1.00e+2 } `, nil,
			"1083d6da32de2ad46ff462f0f140ae1c9cce53f7819de5bad0ca2161cf3b8a4a",
		},
		{
			// MESSAGE: {"document":{"sha256":"f6f5cb45fd908195ca07fbbd8ced4f4c335fb266a5de38a488a8c0f3654e195c"},"first_name":"Kelly"}
			"ATT-6: a file counts by its content", plain, `{"first_name":"Kelly"}`,
			[]attempt.File{file("document", "front of the card")},
			"b7a842353ec98407b30a02ed22ebbe611e2d602169f07ea28050d69aff73c8d2",
		},
		{
			// MESSAGE: {"documents":[{"sha256":"f6f5cb45fd908195ca07fbbd8ced4f4c335fb266a5de38a488a8c0f3654e195c"},{"sha256":"a28adb8b95eb09bef42f0a8d3cfc06957ca1acf33a6848a00a5d66b53fe8c3e0"}],"first_name":"Kelly"}
			"ATT-6: several files of one field", plain, `{"first_name":"Kelly"}`,
			[]attempt.File{file("documents", "front of the card"), file("documents", "back of the card")},
			"8018a8ac37da3cbfb96f17792fbe311003fee8e729b9cefbefca3400a2db40e9",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.digester.Digest(raw(test.form), test.files...)
			require.NoError(t, err)
			require.Equal(t, test.want, got.String())
		})
	}
}

// digestOf is the digest of a form in the session of the tests.
func digestOf(t require.TestingT, form any, files ...attempt.File) attempt.Digest {
	d, err := attempt.NewDigester(sessionID, nil).Digest(form, files...)
	require.NoError(t, err)
	return d
}

// ATT-6: what is left out is left out at the top alone, and nothing else is.
func TestDigestLeavesOut(t *testing.T) {
	bare := digestOf(t, raw(`{"a":1}`))
	for _, name := range []string{"workflow_session_id", "previous_attempt_id", "workspace_id"} {
		assert.Equal(t, bare, digestOf(t, raw(`{"a":1,"`+name+`":"x"}`)), name)
		assert.Equal(t, bare, digestOf(t, raw(`{"a":1,"`+name+`":{"b":2}}`)), name)
		assert.NotEqual(t, digestOf(t, raw(`{"a":{"`+name+`":1}}`)), digestOf(t, raw(`{"a":{"`+name+`":2}}`)), name)
		assert.NotEqual(t, digestOf(t, raw(`{"a":[{"`+name+`":1}]}`)), digestOf(t, raw(`{"a":[{}]}`)), name)
	}
	for _, name := range []string{"workspace", "session_id", "Workspace_id", "workspace_ids", "id", ""} {
		assert.NotEqual(t, bare, digestOf(t, raw(`{"a":1,"`+name+`":"x"}`)), name)
	}
}

// ATT-6: the content of files counts, and the field that each belongs to.
func TestDigestFiles(t *testing.T) {
	form := raw(`{"first_name":"Kelly"}`)
	same := digestOf(t, form, file("front", "F"), file("back", "B"))
	assert.Equal(t, same, digestOf(t, form, file("back", "B"), file("front", "F")), "fields have no order")
	slow := attempt.File{Field: "front", Content: iotest.OneByteReader(strings.NewReader("F"))}
	assert.Equal(t, same, digestOf(t, form, file("back", "B"), slow), "content is content, however it is read")

	different := map[string]attempt.Digest{
		"two fields":          same,
		"no file":             digestOf(t, form),
		"one file":            digestOf(t, form, file("front", "F")),
		"empty file":          digestOf(t, form, file("front", "")),
		"another field":       digestOf(t, form, file("back", "F")),
		"contents exchanged":  digestOf(t, form, file("front", "B"), file("back", "F")),
		"two of a field":      digestOf(t, form, file("front", "F"), file("front", "B")),
		"in the other order":  digestOf(t, form, file("front", "B"), file("front", "F")),
		"twice the same":      digestOf(t, form, file("front", "F"), file("front", "F")),
		"cut elsewhere":       digestOf(t, form, file("front", "FB"), file("front", "")),
		"content as a member": digestOf(t, raw(`{"first_name":"Kelly","front":"F"}`)),
	}
	requireDistinct(t, different)
}

// requireDistinct checks that no two of the digests are equal, nor any zero.
func requireDistinct(t *testing.T, digests map[string]attempt.Digest) {
	t.Helper()
	names := map[attempt.Digest]string{{}: "zero"}
	for name, d := range digests {
		assert.Empty(t, names[d], "as for %s", name)
		names[d] = name
	}
}

// ATT-6: the session and the secret of the host key the digest.
func TestDigestKey(t *testing.T) {
	digest := func(session, secret string) attempt.Digest {
		d, err := attempt.NewDigester(session, []byte(secret)).Digest(raw(`{"a":1}`))
		require.NoError(t, err)
		return d
	}
	requireDistinct(t, map[string]attempt.Digest{
		"session":                digest("s1", ""),
		"other session":          digest("s2", ""),
		"session and secret":     digest("s1", "k1"),
		"other session, secret":  digest("s2", "k1"),
		"session, other secret":  digest("s1", "k2"),
		"exchanged":              digest("k1", "s1"),
		"one after the other":    digest("s1k1", ""),
		"a session of 128 bytes": digest(strings.Repeat("s", 128), ""),
		"one a byte shorter":     digest(strings.Repeat("s", 127), ""),
	})

	none, err := attempt.NewDigester("s1", nil).Digest(raw(`{"a":1}`))
	require.NoError(t, err)
	require.Equal(t, digest("s1", ""), none, "an empty secret is none")
}

// The secret is the caller's: what becomes of its bytes later changes nothing.
func TestDigesterKeepsNoSecret(t *testing.T) {
	bytes := []byte(secret)
	d := attempt.NewDigester(sessionID, bytes)
	clear(bytes)
	got, err := d.Digest(raw(`{"first_name":"Kelly","last_name":"Smith"}`))
	require.NoError(t, err)
	require.Equal(t, "c3e0e75f1cd605709a1029625a33eb415a1c29d17b3fa3bac460ee2318ef0c55", got.String())
}

// A form may be any Go value; what counts is the JSON that it is.
func TestDigestOfGoValues(t *testing.T) {
	type address struct {
		City string `json:"city"`
	}
	want := digestOf(t, raw(`{"name":"A <b> & c","age":30,"address":{"city":"Caen"}}`))
	assert.Equal(t, want, digestOf(t, map[string]any{
		"name": "A <b> & c", "age": 30.0, "address": address{City: "Caen"},
	}))
	assert.Equal(t, want, digestOf(t, &struct {
		Age     json.Number `json:"age"`
		Address any         `json:"address"`
		Name    string      `json:"name"`
		Session string      `json:"workflow_session_id"`
	}{"30", map[string]string{"city": "Caen"}, "A <b> & c", "s1"}))
}

func TestDigestRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001)
	tests := []struct {
		name  string
		form  any
		files []attempt.File
		says  string
	}{
		{"nothing", nil, nil, "a JSON object is wanted"},
		{"null", raw(`null`), nil, "a JSON object is wanted"},
		{"an array", raw(`[{"a":1}]`), nil, "a JSON object is wanted"},
		{"a string", raw(`"{}"`), nil, "a JSON object is wanted"},
		{"a number", raw(`1`), nil, "a JSON object is wanted"},
		{"a boolean", raw(`true`), nil, "a JSON object is wanted"},
		{"bytes that are not marked as JSON", []byte(`{"a":1}`), nil, "a JSON object is wanted"},
		{"an empty body", raw(``), nil, "invalid inputs"},
		{"a body that was cut", raw(`{"a":`), nil, "invalid inputs"},
		{"two bodies", raw(`{}{}`), nil, "invalid inputs"},
		{"a member twice", raw(`{"a":1,"a":1}`), nil, `member name "a"`},
		{"a member twice, below", raw(`{"a":[{"b":1,"\u0062":2}]}`), nil, `member name "b"`},
		{"a member twice, left out", raw(`{"workspace_id":1,"workspace_id":1}`), nil, `member name "workspace_id"`},
		{"half a character", raw(`{"a":"\ud800"}`), nil, "lone surrogate"},
		{"bytes that are no text", raw("{\"a\":\"\xff\"}"), nil, "not UTF-8"},
		{"a number beyond all", raw(`{"a":1e400}`), nil, "too large"},
		{"a pit", raw(deep), nil, "nested too deep"},
		{"a Go value that is no JSON", map[string]any{"a": math.NaN()}, nil, "unsupported value"},
		{"a field that is member and file", raw(`{"front":"x"}`), []attempt.File{file("front", "F")}, `field "front"`},
		{"a field that is null and file", raw(`{"front":null}`), []attempt.File{file("front", "F")}, `field "front"`},
	}
	for _, test := range tests {
		t.Run("ATT-6: "+test.name, func(t *testing.T) {
			got, err := attempt.NewDigester(sessionID, nil).Digest(test.form, test.files...)
			require.ErrorIs(t, err, attempt.ErrInvalidInputs)
			require.ErrorContains(t, err, test.says)
			require.Zero(t, got)
		})
	}
}

// A file that cannot be read has no digest, and the reader's error is passed on
// as such: the inputs are not invalid.
func TestDigestReaderError(t *testing.T) {
	errDisk := errors.New("disk on fire")
	for name, reader := range map[string]attempt.File{
		"at once": {Field: "front", Content: iotest.ErrReader(errDisk)},
		"midway":  {Field: "front", Content: iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("FFFF")))},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := attempt.NewDigester(sessionID, nil).Digest(raw(`{}`), file("back", "B"), reader)
			require.ErrorContains(t, err, `file of field "front"`)
			require.NotErrorIs(t, err, attempt.ErrInvalidInputs)
			require.Zero(t, got)
			if name == "at once" {
				require.ErrorIs(t, err, errDisk)
			} else {
				require.ErrorIs(t, err, iotest.ErrTimeout)
			}
		})
	}
}

// ATT-6: a digester of no session would make digests that differ from those of
// the session's own, and are the same for all sessions.
func TestZeroDigester(t *testing.T) {
	_, err := attempt.Digester{}.Digest(map[string]string{"a": "b"})
	require.ErrorContains(t, err, "NewDigester")
}
