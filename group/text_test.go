package group_test

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
	"github.com/sluicego/sluice/group"
)

// enum is what both enumerations of the package offer.
type enum interface {
	comparable
	~uint8
	fmt.Stringer
	encoding.TextMarshaler
	driver.Valuer
	IsValid() bool
}

// reader is what a pointer to one offers.
type reader[T any] interface {
	*T
	encoding.TextUnmarshaler
	sql.Scanner
}

// The names as the spec has them; their order is that of the constants.
var (
	typeNames = []string{
		"signature_request", "identity_verification", "proof_of_address_verification", "company_verification",
		"watchlist_verification", "bank_account_verification", "document_analysis",
	}
	typeConstants = []group.Type{
		group.SignatureRequest, group.IdentityVerification, group.ProofOfAddressVerification,
		group.CompanyVerification, group.WatchlistVerification, group.BankAccountVerification, group.DocumentAnalysis,
	}
	statusNames     = []string{"awaiting", "done", "ongoing", "blocked"}
	statusConstants = []group.Status{group.Awaiting, group.Done, group.Ongoing, group.Blocked}
)

// RES-6: a type or status that is not listed is refused by name, with what is
// known.
func TestTextForms(t *testing.T) {
	t.Run("type", func(t *testing.T) {
		require.Equal(t, typeConstants, group.Types())
		checkTexts(t, "group type", typeNames, group.Types(), group.ParseType)
		require.Equal(t, "group_type(99)", group.Type(99).String())
		_, err := group.ParseType("signature")
		require.EqualError(t, err, `unknown group type "signature" (RES-6; known: signature_request, `+
			"identity_verification, proof_of_address_verification, company_verification, watchlist_verification, "+
			"bank_account_verification, document_analysis)")
	})
	t.Run("status", func(t *testing.T) {
		require.Equal(t, statusConstants, group.Statuses())
		checkTexts(t, "group status", statusNames, group.Statuses(), group.ParseStatus)
		require.Equal(t, "group_status(99)", group.Status(99).String())
		_, err := group.ParseStatus("started")
		require.EqualError(t, err,
			`unknown group status "started" (RES-6; known: awaiting, done, ongoing, blocked)`)
	})
}

func checkTexts[T enum, P reader[T]](
	t *testing.T, what string, names []string, members []T, parse func(string) (T, error),
) {
	t.Helper()
	require.Len(t, members, len(names))
	for i, name := range names {
		member := members[i]
		require.True(t, member.IsValid())
		require.Equal(t, name, member.String())
		checkRoundTrip[T, P](t, member, parse)
	}

	var zero T
	require.False(t, zero.IsValid())
	require.Equal(t, "none", zero.String())
	value, err := zero.Value()
	require.NoError(t, err)
	require.Nil(t, value, "zero is NULL")
	read := members[0]
	require.NoError(t, P(&read).Scan(nil))
	require.Equal(t, zero, read)

	for _, invalid := range []T{zero, T(len(names) + 1), 255} {
		_, err := invalid.MarshalText()
		requireUnknown(t, err, what, invalid.String(), names)
		if invalid != zero {
			_, err = invalid.Value()
			requireUnknown(t, err, what, invalid.String(), names)
		}
	}
	for _, text := range []string{"", "none", " " + names[0], names[0] + "\n", "Blocked", "AWAITING", "deleted", "0", "1"} {
		got, err := parse(text)
		require.Zero(t, got)
		requireUnknown(t, err, what, text, names)
		read := members[0]
		requireUnknown(t, P(&read).UnmarshalText([]byte(text)), what, text, names)
		requireUnknown(t, P(&read).Scan(text), what, text, names)
		requireUnknown(t, P(&read).Scan([]byte(text)), what, text, names)
		require.EqualError(t, P(&read).Scan(1), "cannot scan int into a "+what+": a text is wanted")
		require.Equal(t, members[0], read, "an error changes nothing")
	}
}

func checkRoundTrip[T enum, P reader[T]](t *testing.T, member T, parse func(string) (T, error)) {
	t.Helper()
	parsed, err := parse(member.String())
	require.NoError(t, err)
	require.Equal(t, member, parsed)

	document, err := json.Marshal(member)
	require.NoError(t, err)
	require.Equal(t, `"`+member.String()+`"`, string(document))
	var read T
	require.NoError(t, json.Unmarshal(document, &read))
	require.Equal(t, member, read)

	value, err := member.Value()
	require.NoError(t, err)
	require.Equal(t, member.String(), value)
	for _, src := range []any{value, []byte(member.String())} {
		var scanned T
		require.NoError(t, P(&scanned).Scan(src))
		require.Equal(t, member, scanned)
	}
}

func requireUnknown(t *testing.T, err error, what, text string, known []string) {
	t.Helper()
	var unknown *action.UnknownError
	require.ErrorAs(t, err, &unknown)
	require.ErrorIs(t, err, action.ErrUnknown)
	assert.Equal(t, action.UnknownError{What: what, Text: text, Known: known}, *unknown)
}

// FuzzType and FuzzStatus: whatever text is given, it is a name that is written
// back as it was, or it is refused and changes nothing (RES-6).
func FuzzType(f *testing.F) { fuzz(f, typeNames, group.CompanyVerification) }

func FuzzStatus(f *testing.F) { fuzz(f, statusNames, group.Ongoing) }

func fuzz[T enum, P reader[T]](f *testing.F, names []string, before T) {
	for _, name := range append(names, "", "none", "Done", "done ", "\xff") {
		f.Add([]byte(name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, scanned := before, before
		err := P(&got).UnmarshalText(text)
		require.Equal(t, err, P(&scanned).Scan(string(text)))
		require.Equal(t, got, scanned)
		if err != nil {
			require.ErrorIs(t, err, action.ErrUnknown)
			require.NotContains(t, names, string(text))
			require.Equal(t, before, got)
			return
		}
		require.Contains(t, names, string(text))
		written, err := got.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, written)
	})
}
