package action_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
)

func FuzzType(f *testing.F)   { fuzzText(f, action.ParseType, action.Types()) }
func FuzzStatus(f *testing.F) { fuzzText(f, action.ParseStatus, action.Statuses()) }
func FuzzEvent(f *testing.F)  { fuzzText(f, action.ParseEvent, action.Events()) }

func FuzzKind(f *testing.F) {
	fuzzText(f, action.ParseKind, []action.Kind{
		action.KindSignatureRequest, action.KindVerification, action.KindDocumentAnalysis,
	})
}

// fuzzText checks that whatever the input every decoder agrees with Parse,
// that decode(encode(x)) is x, and that an error leaves the destination alone.
// RES-6.
func fuzzText[T enumeration, P decoder[T]](f *testing.F, parse func(string) (T, error), all []T) {
	f.Helper()
	for _, v := range all {
		f.Add([]byte(v.String()))
		f.Add([]byte(`"` + v.String() + `"`))
	}
	for _, seed := range []string{"", "none", "null", `"null"`, `""`, "0", "1", "DONE", "don\x00e", "done\xff", `"\u0064one"`, "{}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		before := T(77)
		parsed, parseErr := parse(string(input))
		want := parsed
		if parseErr != nil {
			require.ErrorIs(t, parseErr, action.ErrUnknown)
			require.Zero(t, parsed)
			want = before
		} else {
			requireRoundTrip[T, P](t, parsed, string(input))
		}
		unmarshaled, ofString, ofBytes := before, before, before
		assert.Equal(t, parseErr, P(&unmarshaled).UnmarshalText(input))
		assert.Equal(t, parseErr, P(&ofString).Scan(string(input)))
		assert.Equal(t, parseErr, P(&ofBytes).Scan(input))
		assert.Equal(t, []T{want, want, want}, []T{unmarshaled, ofString, ofBytes})

		ofJSON := before
		if err := json.Unmarshal(input, &ofJSON); err != nil {
			assert.Equal(t, before, ofJSON)
		} else if ofJSON != before { // null is nothing at all
			requireRoundTrip[T, P](t, ofJSON, ofJSON.String())
		}
	})
}

// requireRoundTrip encodes a value and decodes it in every form.
func requireRoundTrip[T enumeration, P decoder[T]](t *testing.T, v T, text string) {
	t.Helper()
	require.True(t, v.IsValid())
	require.Equal(t, text, v.String())
	asText, err := v.MarshalText()
	require.NoError(t, err)
	asValue, err := v.Value()
	require.NoError(t, err)
	asJSON, err := json.Marshal(v)
	require.NoError(t, err)

	var ofText, ofValue, ofJSON T
	require.NoError(t, P(&ofText).UnmarshalText(asText))
	require.NoError(t, P(&ofValue).Scan(asValue))
	require.NoError(t, json.Unmarshal(asJSON, &ofJSON))
	require.Equal(t, []T{v, v, v}, []T{ofText, ofValue, ofJSON})
}

// FuzzObserve reads a resource and what is told of it from bytes, three for
// each observation: a status, a second and the fraction of it. ACT-4.
func FuzzObserve(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 2, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{2, 13, 10, 0, 14, 20, 0, 11, 0, 0, 14, 20, 255})
	f.Add([]byte{0, 3, 10, 0, 4, 10, 9, 2, 10, 200, 9, 10, 0, 9, 11, 0})
	f.Add([]byte{5, 11, 10, 255, 11, 10, 0, 12, 10, 1, 200, 10, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, input []byte) {
		next := func() (b byte) {
			if len(input) > 0 {
				b, input = input[0], input[1:]
			}
			return b
		}
		moment := func() time.Time {
			seconds, fraction := int(next()), time.Duration(next())
			if seconds == 255 {
				return time.Time{}
			}
			return at(seconds).Add(fraction * 3921568) // 255 of them are a second
		}
		typ := action.Types()[int(next())%len(action.Types())]
		statuses := typ.Machine().States()
		r := resource(typ, statuses[int(next())%len(statuses)], moment())
		for len(input) > 0 {
			var err error
			r, err = agree(r, observation{action.Status(next()), moment()})
			require.NoError(t, err)
		}
	})
}
