package group_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
)

// admission is RES-1, transcribed by hand.
var admission = []struct {
	group    string
	admitted []string
}{
	{"signature_request", []string{"signature_request"}},
	{"identity_verification", []string{"identity_document_verification", "identity_video_verification"}},
	{"proof_of_address_verification", []string{"proof_of_address_verification"}},
	{"company_verification", []string{"company_verification"}},
	{"watchlist_verification", []string{"watchlist_verification"}},
	{"bank_account_verification", []string{
		"bank_account_verification", "bank_account_connection_verification", "bank_account_lookup_verification",
	}},
	{"document_analysis", []string{
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
	}},
}

// RES-1: each group type admits exactly the resource types of its row, in its
// order, and each of these enters no other group.
func TestAdmission(t *testing.T) {
	require.Len(t, group.Types(), len(admission))
	total := 0
	for i, row := range admission {
		typ, err := group.ParseType(row.group)
		require.NoError(t, err)
		assert.Equal(t, typ, group.Types()[i])

		var admitted []string
		for _, r := range typ.Admits() {
			admitted = append(admitted, r.String())
			assert.Equal(t, typ, group.TypeOf(r))
		}
		assert.Equal(t, row.admitted, admitted)
		total += len(admitted)
	}
	require.Len(t, action.Types(), total, "every resource type enters a group")
}

// RES-6: a type that is none is never mapped to a neighbour.
func TestAdmissionOfUnknownTypes(t *testing.T) {
	for i := range 256 {
		r, typ := action.Type(i), group.Type(i)
		assert.Equal(t, r.IsValid(), group.TypeOf(r).IsValid(), "resource type %d", i)
		if !r.IsValid() {
			assert.Zero(t, group.TypeOf(r), "resource type %d", i)
		}
		assert.Equal(t, i >= 1 && i <= 7, typ.IsValid(), "group type %d", i)
		if !typ.IsValid() {
			assert.Empty(t, typ.Admits(), "group type %d", i)
		}
	}
}
