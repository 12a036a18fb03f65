package action_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
)

// enumeration is what Type, Kind, Status and Event have in common.
type enumeration interface {
	~uint8
	fmt.Stringer
	encoding.TextMarshaler
	driver.Valuer
	IsValid() bool
}

// decoder is what pointers to them have in common.
type decoder[T any] interface {
	*T
	encoding.TextUnmarshaler
	sql.Scanner
}

func TestRES6_TextOfTypes(t *testing.T) {
	var known []string
	for _, st := range specTypes {
		known = append(known, st.text)
	}
	testTextForms(t, "resource type", known, action.Types(), action.ParseType)
}

func TestRES6_TextOfKinds(t *testing.T) {
	testTextForms(t, "resource kind",
		[]string{"signature_request", "verification", "document_analysis"},
		[]action.Kind{action.KindSignatureRequest, action.KindVerification, action.KindDocumentAnalysis},
		action.ParseKind)
}

func TestRES6_TextOfStatuses(t *testing.T) {
	var known []string
	var all []action.Status
	for _, tt := range statusConstants {
		known = append(known, tt.text)
		all = append(all, tt.constant)
	}
	testTextForms(t, "status", known, all, action.ParseStatus)
}

func TestRES6_TextOfEvents(t *testing.T) {
	var known []string
	var all []action.Event
	for _, tt := range eventConstants {
		known = append(known, tt.text)
		all = append(all, tt.constant)
	}
	assert.ElementsMatch(t, all, action.Events(), "RES-6: these and no others")
	testTextForms(t, "event", known, all, action.ParseEvent)
}

// testTextForms checks every text form of an enumeration against RES-6. The
// names and the values are given in the same order.
func testTextForms[T enumeration, P decoder[T]](
	t *testing.T, what string, known []string, all []T, parse func(string) (T, error),
) {
	t.Helper()
	require.Len(t, all, len(known))
	for i, text := range known {
		t.Run("RES-6: "+text, func(t *testing.T) { testKnown[T, P](t, all[i], text, parse) })
	}
	unknown := []struct{ name, text string }{
		{"empty", ""},
		{"zero's", "none"},
		{"upper case", "DONE"},
		{"title case", "Signature_request"},
		{"space before", " done"},
		{"space after", "done "},
		{"newline after", "done\n"},
		{"hyphen", "awaiting-data"},
		{"prefix", "signature"},
		{"neighbor", "signature_requests"},
		{"number", "1"},
		{"out-of-range form", "status(200)"},
		{"not UTF-8", "done\xff"},
	}
	for _, tt := range unknown {
		t.Run("RES-6: refused: "+tt.name, func(t *testing.T) {
			testUnknown[T, P](t, what, tt.text, known, parse)
		})
	}
	for _, v := range []T{0, T(len(known) + 1), 200, 255} {
		t.Run("RES-6: refused: "+v.String(), func(t *testing.T) {
			assert.False(t, v.IsValid())
			text, err := v.MarshalText()
			assert.Empty(t, text)
			requireUnknown(t, err, what, v.String(), known)
			_, err = json.Marshal(struct{ X T }{v})
			requireUnknown(t, err, what, v.String(), known)
			value, err := v.Value()
			if v == 0 {
				require.NoError(t, err, "zero is NULL")
				assert.Nil(t, value)
				return
			}
			requireUnknown(t, err, what, v.String(), known)
			assert.Nil(t, value, "nothing to store beside an error")
		})
	}
	t.Run("RES-6: NULL and null are none", func(t *testing.T) { testNull[T, P](t) })
	t.Run("RES-6: only a text is a name", func(t *testing.T) {
		for _, src := range []any{int64(1), 1.0, true, struct{}{}} {
			v := T(77)
			require.Error(t, P(&v).Scan(src))
			assert.Equal(t, T(77), v)
		}
		for _, src := range []string{"1", "true", "{}", "[]", `["done"]`} {
			v := T(77)
			require.Error(t, json.Unmarshal([]byte(src), &v))
			assert.Equal(t, T(77), v)
		}
	})
}

func testKnown[T enumeration, P decoder[T]](t *testing.T, v T, text string, parse func(string) (T, error)) {
	t.Helper()
	assert.True(t, v.IsValid())
	assert.Equal(t, text, v.String())
	got, err := parse(text)
	require.NoError(t, err)
	assert.Equal(t, v, got)

	encoded, err := v.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, text, string(encoded))
	var decoded T
	require.NoError(t, P(&decoded).UnmarshalText([]byte(text)))
	assert.Equal(t, v, decoded)

	value, err := v.Value()
	require.NoError(t, err)
	assert.Equal(t, text, value)
	for _, src := range []any{text, []byte(text)} {
		var scanned T
		require.NoError(t, P(&scanned).Scan(src))
		assert.Equal(t, v, scanned)
	}

	type document struct {
		One T         `json:"one"`
		All []T       `json:"all"`
		By  map[T]int `json:"by"`
	}
	want := document{v, []T{v, v}, map[T]int{v: 1}}
	asJSON, err := json.Marshal(want)
	require.NoError(t, err)
	assert.JSONEq(t, fmt.Sprintf(`{"one":%q,"all":[%[1]q,%[1]q],"by":{%[1]q:1}}`, text), string(asJSON))
	var back document
	require.NoError(t, json.Unmarshal(asJSON, &back))
	assert.Equal(t, want, back)
}

// testUnknown tries a text in every form that takes one. What was there before
// stays there.
func testUnknown[T enumeration, P decoder[T]](
	t *testing.T, what, text string, known []string, parse func(string) (T, error),
) {
	t.Helper()
	got, err := parse(text)
	requireUnknown(t, err, what, text, known)
	assert.Zero(t, got)
	decode := map[string]func(P) error{
		"UnmarshalText": func(p P) error { return p.UnmarshalText([]byte(text)) },
		"Scan string":   func(p P) error { return p.Scan(text) },
		"Scan bytes":    func(p P) error { return p.Scan([]byte(text)) },
	}
	for name, decode := range decode {
		v := T(77)
		requireUnknown(t, decode(&v), what, text, known)
		assert.Equal(t, T(77), v, name)
	}
	quoted, err := json.Marshal(text) // JSON has no text that is not UTF-8.
	require.NoError(t, err)
	var asJSON string
	require.NoError(t, json.Unmarshal(quoted, &asJSON))
	v := T(77)
	requireUnknown(t, json.Unmarshal(quoted, &v), what, asJSON, known)
	assert.Equal(t, T(77), v)
}

func testNull[T enumeration, P decoder[T]](t *testing.T) {
	t.Helper()
	v := T(77)
	require.NoError(t, P(&v).Scan(nil))
	assert.Zero(t, v, "NULL is zero")
	var w T
	require.NoError(t, json.Unmarshal([]byte("null"), &w), "to encoding/json null is nothing at all")
	assert.Zero(t, w)
	assert.Equal(t, "none", w.String())
}

// requireUnknown asserts the error of RES-6: which text, and what is known.
func requireUnknown(t *testing.T, err error, what, text string, known []string) {
	t.Helper()
	require.ErrorIs(t, err, action.ErrUnknown)
	var unknown *action.UnknownError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, what, unknown.What)
	assert.Equal(t, text, unknown.Text)
	assert.ElementsMatch(t, known, unknown.Known)
	assert.Contains(t, err.Error(), fmt.Sprintf("unknown %s %q (RES-6; known: ", what, text))
	for _, name := range known {
		assert.Contains(t, err.Error(), name)
	}
}

// RES-6: who changes the list in one error does not change what is known.
func TestRES6_KnownIsACopy(t *testing.T) {
	_, err := action.ParseKind("seal")
	var unknown *action.UnknownError
	require.ErrorAs(t, err, &unknown)
	unknown.Known[0] = "seal"
	assert.Equal(t, "signature_request", action.KindSignatureRequest.String())
	_, err = action.ParseKind("seal")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "known: seal")
}
