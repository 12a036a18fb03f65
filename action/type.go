package action

import (
	"database/sql/driver"

	"github.com/sluicego/sluice/internal/enum"
)

// Type is the type of a resource (RES-1). Zero is none.
type Type uint8

// The resource types of RES-1.
const (
	TypeSignatureRequest Type = iota + 1
	TypeIdentityDocumentVerification
	TypeIdentityVideoVerification
	TypeProofOfAddressVerification
	TypeCompanyVerification
	TypeWatchlistVerification
	TypeBankAccountVerification
	TypeBankAccountConnectionVerification
	TypeBankAccountLookupVerification
	TypeSocialSecurityDocumentAnalysis
	TypeCompanyCertificateDocumentAnalysis
	TypeBusinessRegistrationCertificateDocumentAnalysis
	TypeDriverLicenceDocumentAnalysis
	TypeRNECertificateDocumentAnalysis
	TypeTemporaryVehicleRegistrationDocumentAnalysis
	TypeVehicleRegistrationDocumentAnalysis
	TypeAutoInsuranceClaimsHistoryDocumentAnalysis
	TypePayslipDocumentAnalysis
	TypeInvoiceDocumentAnalysis
)

// The texts stand in the order of the constants.
var types = enum.New[Type]("resource type",
	"signature_request",
	"identity_document_verification",
	"identity_video_verification",
	"proof_of_address_verification",
	"company_verification",
	"watchlist_verification",
	"bank_account_verification",
	"bank_account_connection_verification",
	"bank_account_lookup_verification",
	"social_security_document_analysis",
	"company_certificate_document_analysis",
	"business_registration_certificate_document_analysis",
	"driver_licence_document_analysis",
	"rne_certificate_document_analysis",
	"temporary_vehicle_registration_document_analysis",
	"vehicle_registration_document_analysis",
	"auto_insurance_claims_history_document_analysis",
	"payslip_document_analysis",
	"invoice_document_analysis",
)

// Types returns every resource type, in the order of RES-1.
func Types() []Type { return types.All() }

// ParseType returns the resource type that text names, or an [*UnknownError] (RES-6).
func ParseType(text string) (Type, error) { return types.Parse(text) }

// IsValid reports whether t is a resource type that the spec lists.
func (t Type) IsValid() bool { return types.Has(t) }

// String returns the text form, "none" for zero.
func (t Type) String() string { return types.String(t) }

// GoString is String, for the printers of tests.
func (t Type) GoString() string { return t.String() }

// MarshalText returns the text form; zero and unknown values are an
// [*UnknownError].
func (t Type) MarshalText() ([]byte, error) { return types.MarshalText(t) }

// UnmarshalText reads the text form; an unknown text is an [*UnknownError].
func (t *Type) UnmarshalText(text []byte) error { return types.UnmarshalText(t, text) }

// Scan reads the text form from a database; NULL is zero.
func (t *Type) Scan(src any) error { return types.Scan(t, src) }

// Value writes the text form to a database; zero is NULL.
func (t Type) Value() (driver.Value, error) { return types.Value(t) }

// Kind is what the types of a kind share: their statuses, their machine and
// the family of their webhooks. Zero is none.
type Kind uint8

// The kinds of resources. A document analysis is a verification in every rule
// of the spec; it is a kind because its success is called done (RES-3).
const (
	// KindSignatureRequest is the kind of signature requests.
	KindSignatureRequest Kind = iota + 1
	// KindVerification is the kind of all verifications but document analyses.
	KindVerification
	// KindDocumentAnalysis is the kind of document analyses.
	KindDocumentAnalysis
)

var kinds = enum.New[Kind]("resource kind",
	"signature_request", "verification", "document_analysis")

// ParseKind returns the resource kind that text names, or an [*UnknownError] (RES-6).
func ParseKind(text string) (Kind, error) { return kinds.Parse(text) }

// IsValid reports whether k is a resource kind that the spec lists.
func (k Kind) IsValid() bool { return kinds.Has(k) }

// String returns the text form, "none" for zero.
func (k Kind) String() string { return kinds.String(k) }

// GoString is String, for the printers of tests.
func (k Kind) GoString() string { return k.String() }

// MarshalText returns the text form; zero and unknown values are an
// [*UnknownError].
func (k Kind) MarshalText() ([]byte, error) { return kinds.MarshalText(k) }

// UnmarshalText reads the text form; an unknown text is an [*UnknownError].
func (k *Kind) UnmarshalText(text []byte) error { return kinds.UnmarshalText(k, text) }

// Scan reads the text form from a database; NULL is zero.
func (k *Kind) Scan(src any) error { return kinds.Scan(k, src) }

// Value writes the text form to a database; zero is NULL.
func (k Kind) Value() (driver.Value, error) { return kinds.Value(k) }

// Kind returns the kind of a type, zero for a type that is none.
func (t Type) Kind() Kind {
	switch {
	case t == TypeSignatureRequest:
		return KindSignatureRequest
	case t.IsValid() && t < TypeSocialSecurityDocumentAnalysis:
		return KindVerification
	case t.IsValid():
		return KindDocumentAnalysis
	default:
		return 0
	}
}

// IsVerification reports whether resources of this type are verifications,
// document analyses included.
func (t Type) IsVerification() bool { return t.IsValid() && t != TypeSignatureRequest }
