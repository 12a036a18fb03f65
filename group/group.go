// Package group knows the groups of a session: which resources each type of
// group admits (RES-1), and the status of a group (GRP).
//
// # The status is a join
//
// Each [Entry] of a group says one of four things, and a group's status is the
// strongest of what its entries say (GRP-5):
//
//	awaiting < done < ongoing < blocked
//
// Nothing that counts is awaiting, the weakest. One draft more leaves a group
// as it was; one success makes an awaiting group done; one entry under way
// makes a done group ongoing; one that blocks, blocks. [Status.Join] is the
// maximum of two, hence commutative, associative and idempotent, and the status
// of a group depends on nothing but the set of its entries: not on their order,
// number or history. That is why a group may be computed in parts, and why a
// webhook that comes twice does no harm.
package group

import (
	"database/sql/driver"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/internal/enum"
)

// Type is the type of a group (RES-1). Zero is none.
type Type uint8

// The group types of RES-1.
const (
	SignatureRequest Type = iota + 1
	IdentityVerification
	ProofOfAddressVerification
	CompanyVerification
	WatchlistVerification
	BankAccountVerification
	DocumentAnalysis
)

// The texts stand in the order of the constants.
var types = enum.New[Type]("group type",
	"signature_request", "identity_verification", "proof_of_address_verification",
	"company_verification", "watchlist_verification", "bank_account_verification",
	"document_analysis")

// Types returns every group type, in the order of RES-1.
func Types() []Type { return types.All() }

// ParseType returns the group type that text names, or an
// [*action.UnknownError] (RES-6).
func ParseType(text string) (Type, error) { return types.Parse(text) }

// IsValid reports whether t is a group type that the spec lists.
func (t Type) IsValid() bool { return types.Has(t) }

// String returns the text form, "none" for zero.
func (t Type) String() string { return types.String(t) }

// GoString is String, for the printers of tests.
func (t Type) GoString() string { return t.String() }

// MarshalText returns the text form; zero and unknown values are an
// [*action.UnknownError].
func (t Type) MarshalText() ([]byte, error) { return types.MarshalText(t) }

// UnmarshalText reads the text form; an unknown text is an
// [*action.UnknownError].
func (t *Type) UnmarshalText(text []byte) error { return types.UnmarshalText(t, text) }

// Scan reads the text form from a database; NULL is zero.
func (t *Type) Scan(src any) error { return types.Scan(t, src) }

// Value writes the text form to a database; zero is NULL.
func (t Type) Value() (driver.Value, error) { return types.Value(t) }

// TypeOf returns the group type that admits resources of a type (RES-1), zero
// for a resource type that is none.
func TypeOf(t action.Type) Type {
	switch t {
	case action.TypeSignatureRequest:
		return SignatureRequest
	case action.TypeIdentityDocumentVerification, action.TypeIdentityVideoVerification:
		return IdentityVerification
	case action.TypeProofOfAddressVerification:
		return ProofOfAddressVerification
	case action.TypeCompanyVerification:
		return CompanyVerification
	case action.TypeWatchlistVerification:
		return WatchlistVerification
	case action.TypeBankAccountVerification,
		action.TypeBankAccountConnectionVerification,
		action.TypeBankAccountLookupVerification:
		return BankAccountVerification
	default:
		if t.Kind() == action.KindDocumentAnalysis {
			return DocumentAnalysis
		}
		return 0
	}
}

// Admits returns the resource types that a group of this type admits (RES-1).
func (t Type) Admits() []action.Type {
	var admitted []action.Type
	for _, r := range action.Types() {
		if TypeOf(r) == t {
			admitted = append(admitted, r)
		}
	}
	return admitted
}
