package action_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
)

func TestRES1_Types(t *testing.T) {
	tests := []struct {
		constant action.Type
		text     string
	}{
		{action.TypeSignatureRequest, "signature_request"},
		{action.TypeIdentityDocumentVerification, "identity_document_verification"},
		{action.TypeIdentityVideoVerification, "identity_video_verification"},
		{action.TypeProofOfAddressVerification, "proof_of_address_verification"},
		{action.TypeCompanyVerification, "company_verification"},
		{action.TypeWatchlistVerification, "watchlist_verification"},
		{action.TypeBankAccountVerification, "bank_account_verification"},
		{action.TypeBankAccountConnectionVerification, "bank_account_connection_verification"},
		{action.TypeBankAccountLookupVerification, "bank_account_lookup_verification"},
		{action.TypeSocialSecurityDocumentAnalysis, "social_security_document_analysis"},
		{action.TypeCompanyCertificateDocumentAnalysis, "company_certificate_document_analysis"},
		{action.TypeBusinessRegistrationCertificateDocumentAnalysis, "business_registration_certificate_document_analysis"},
		{action.TypeDriverLicenceDocumentAnalysis, "driver_licence_document_analysis"},
		{action.TypeRNECertificateDocumentAnalysis, "rne_certificate_document_analysis"},
		{action.TypeTemporaryVehicleRegistrationDocumentAnalysis, "temporary_vehicle_registration_document_analysis"},
		{action.TypeVehicleRegistrationDocumentAnalysis, "vehicle_registration_document_analysis"},
		{action.TypeAutoInsuranceClaimsHistoryDocumentAnalysis, "auto_insurance_claims_history_document_analysis"},
		{action.TypePayslipDocumentAnalysis, "payslip_document_analysis"},
		{action.TypeInvoiceDocumentAnalysis, "invoice_document_analysis"},
	}
	var listed []action.Type
	for i, tt := range tests {
		t.Run("RES-1: "+tt.text, func(t *testing.T) {
			assert.Equal(t, tt.text, tt.constant.String())
			assert.True(t, tt.constant.IsValid())
			assert.Equal(t, tt.text, specTypes[i].text, "the copy of the spec has the types in this order")
			assert.Equal(t, specTypes[i].kind, tt.constant.Kind().String())
			assert.Equal(t, tt.text != "signature_request", tt.constant.IsVerification())
		})
		listed = append(listed, tt.constant)
	}
	t.Run("RES-1: these and no others", func(t *testing.T) {
		assert.Equal(t, listed, action.Types())
		assert.Len(t, action.Types(), 19)
		for _, other := range []action.Type{0, 20, noType, 255} {
			assert.False(t, other.IsValid())
			assert.False(t, other.IsVerification())
			assert.Zero(t, other.Kind())
			assert.Empty(t, other.Machine().States())
		}
	})
	t.Run("RES-1: kinds", func(t *testing.T) {
		assert.Equal(t, "signature_request", action.KindSignatureRequest.String())
		assert.Equal(t, "verification", action.KindVerification.String())
		assert.Equal(t, "document_analysis", action.KindDocumentAnalysis.String())
		for _, k := range []action.Kind{action.KindSignatureRequest, action.KindVerification, action.KindDocumentAnalysis} {
			assert.True(t, k.IsValid())
		}
		for _, k := range []action.Kind{0, 4, 255} {
			assert.False(t, k.IsValid())
		}
	})
}

// statusConstants pairs each constant with its name in RES-2 and RES-3.
var statusConstants = []struct {
	constant action.Status
	text     string
}{
	{action.Draft, "draft"},
	{action.Approval, "approval"},
	{action.Ongoing, "ongoing"},
	{action.Paused, "paused"},
	{action.Done, "done"},
	{action.Rejected, "rejected"},
	{action.Declined, "declined"},
	{action.Expired, "expired"},
	{action.Canceled, "canceled"},
	{action.Deleted, "deleted"},
	{action.Pending, "pending"},
	{action.AwaitingData, "awaiting_data"},
	{action.Verified, "verified"},
	{action.Failed, "failed"},
	{action.Inconclusive, "inconclusive"},
}

func TestRES2_SignatureRequestStatuses(t *testing.T) {
	t.Run("RES-2: names", func(t *testing.T) {
		var listed []action.Status
		for _, tt := range statusConstants {
			assert.Equal(t, tt.text, tt.constant.String())
			assert.True(t, tt.constant.IsValid())
			listed = append(listed, tt.constant)
		}
		assert.ElementsMatch(t, listed, action.Statuses(), "RES-2 and RES-3: these and no others")
		for _, other := range []action.Status{0, 16, noStatus, 255} {
			assert.False(t, other.IsValid())
		}
	})
	t.Run("RES-2: statuses of a signature request", func(t *testing.T) {
		assert.ElementsMatch(t, []action.Status{
			action.Draft, action.Approval, action.Ongoing, action.Paused, action.Done,
			action.Rejected, action.Declined, action.Expired, action.Canceled, action.Deleted,
		}, action.TypeSignatureRequest.Machine().States())
	})
}

func TestRES3_VerificationStatuses(t *testing.T) {
	for _, typ := range action.Types() {
		if !typ.IsVerification() {
			continue
		}
		t.Run("RES-3: "+typ.String(), func(t *testing.T) {
			m := typ.Machine()
			want := []action.Status{action.Pending, action.Failed, action.Inconclusive}
			if typ != action.TypeIdentityVideoVerification && typ != action.TypeWatchlistVerification {
				want = append(want, action.AwaitingData)
			}
			if specOf(typ).kind == "document_analysis" {
				want = append(want, action.Done)
			} else {
				want = append(want, action.Verified)
			}
			assert.ElementsMatch(t, want, m.States())
			assert.False(t, m.Has(action.Deleted), "no verification has deleted")
		})
	}
}

func TestRES4_Blocking(t *testing.T) {
	blocking := map[string][]string{
		"signature_request": {"rejected", "declined", "canceled", "expired"},
		"verification":      {"failed", "inconclusive"},
		"document_analysis": {"failed", "inconclusive"},
	}
	for _, typ := range action.Types() {
		t.Run("RES-4: "+typ.String(), func(t *testing.T) {
			for _, text := range words(specOf(typ).rank) {
				want := assert.False
				for _, b := range blocking[specOf(typ).kind] {
					if b == text {
						want = assert.True
					}
				}
				want(t, statusOf(text).IsBlocking(), text)
			}
		})
	}
	t.Run("RES-4: what is no status does not block", func(t *testing.T) {
		assert.False(t, action.Status(0).IsBlocking())
		assert.False(t, noStatus.IsBlocking())
	})
}

func TestRES5_Complete(t *testing.T) {
	complete := map[string]string{
		"signature_request": "done",
		"verification":      "verified",
		"document_analysis": "done",
	}
	for _, typ := range action.Types() {
		t.Run("RES-5: "+typ.String(), func(t *testing.T) {
			for _, text := range words(specOf(typ).rank) {
				assert.Equal(t, text == complete[specOf(typ).kind], statusOf(text).IsComplete(), text)
				assert.False(t, statusOf(text).IsComplete() && statusOf(text).IsBlocking(), text)
			}
		})
	}
	t.Run("RES-5: what is no status is not complete", func(t *testing.T) {
		assert.False(t, action.Status(0).IsComplete())
		assert.False(t, noStatus.IsComplete())
	})
}

// RES-6: every way into the package refuses a status that the type does not
// have, by name and with the list of those that it has.
func TestRES6_StatusesOfTheType(t *testing.T) {
	watchlist := func(s action.Status) action.Resource {
		return resource(action.TypeWatchlistVerification, s, at(0))
	}
	observe := func(r action.Resource, s action.Status, seconds int) (before, after action.Resource, err error) {
		after, _, err = r.Observe(s, at(seconds))
		return r, after, err
	}
	ways := []struct {
		name string
		try  func(foreign action.Status) (before, after action.Resource, err error)
	}{
		{"check", func(foreign action.Status) (before, after action.Resource, err error) {
			r := watchlist(foreign)
			return r, r, r.Check()
		}},
		{"event", func(foreign action.Status) (before, after action.Resource, err error) {
			r := watchlist(foreign)
			after, _, err = r.Transition(action.EventFailed, at(60))
			return r, after, err
		}},
		{"early event", func(foreign action.Status) (before, after action.Resource, err error) {
			r := watchlist(foreign)
			after, _, err = r.Transition(action.EventFailed, at(-60))
			return r, after, err
		}},
		{"observed", func(foreign action.Status) (before, after action.Resource, err error) {
			return observe(watchlist(action.Pending), foreign, 60)
		}},
		{"observed late", func(foreign action.Status) (before, after action.Resource, err error) {
			return observe(watchlist(action.Pending), foreign, -60)
		}},
		{"present when observed", func(foreign action.Status) (before, after action.Resource, err error) {
			return observe(watchlist(foreign), action.Pending, 60)
		}},
		{"present when observed late", func(foreign action.Status) (before, after action.Resource, err error) {
			return observe(watchlist(foreign), action.Pending, -60)
		}},
	}
	foreign := []struct {
		status action.Status
		text   string
	}{
		{0, "none"},
		{action.Deleted, "deleted"},
		{action.Done, "done"},
		{action.AwaitingData, "awaiting_data"},
		{noStatus, "status(200)"},
	}
	for _, way := range ways {
		for _, tt := range foreign {
			t.Run("RES-6: "+way.name+": "+tt.text, func(t *testing.T) {
				before, after, err := way.try(tt.status)
				var refusal *action.Refusal
				require.ErrorAs(t, err, &refusal)
				require.ErrorIs(t, err, action.ErrUnknown)
				assert.Equal(t, before, after)
				assert.Equal(t, "RES-6", refusal.Rule)
				assert.Equal(t, "79a291fc", refusal.Subject)
				assert.Equal(t, []string{"pending", "inconclusive", "failed", "verified"}, refusal.Allowed)
				assert.Contains(t, err.Error(), tt.text+" is no status of type watchlist_verification")
			})
		}
	}
}

func TestRES6_TypeOfTheResource(t *testing.T) {
	for _, tt := range []struct {
		typ  action.Type
		text string
	}{{0, "none"}, {noType, "resource_type(200)"}} {
		t.Run("RES-6: "+tt.text, func(t *testing.T) {
			r := resource(tt.typ, action.Pending, at(0))
			observed, _, observeErr := r.Observe(action.Pending, at(60))
			moved, _, moveErr := r.Transition(action.EventFailed, at(60))
			assert.Equal(t, r, observed)
			assert.Equal(t, r, moved)
			for _, err := range []error{r.Check(), observeErr, moveErr} {
				var refusal *action.Refusal
				require.ErrorAs(t, err, &refusal)
				require.ErrorIs(t, err, action.ErrUnknown)
				assert.Equal(t, "RES-6", refusal.Rule)
				assert.Len(t, refusal.Allowed, 19)
				assert.Contains(t, err.Error(), tt.text)
				assert.Contains(t, err.Error(), "proof_of_address_verification")
			}
		})
	}
}

// A type that is none has a machine that refuses everything, so that nobody
// needs to ask first.
func TestMachineOfNoType(t *testing.T) {
	for _, none := range []action.Type{0, 200} {
		m := none.Machine()
		assert.False(t, m.Can(action.Draft, action.EventActivated))
		assert.False(t, m.Has(action.Draft))
		_, err := m.Next(action.Draft, action.EventActivated)
		assert.ErrorIs(t, err, fsm.ErrUnknownState)
	}
}
