package receiver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// tells are the names that ACT-1 and ACT-2 list, with what the resource stands
// under.
var tells = map[webhookpolicy.EventName]string{
	"signature_request.activated":               "signature_request",
	"signature_request.approved":                "signature_request",
	"signature_request.rejected":                "signature_request",
	"signature_request.done":                    "signature_request",
	"signature_request.declined":                "signature_request",
	"signature_request.canceled":                "signature_request",
	"signature_request.expired":                 "signature_request",
	"signature_request.reactivated":             "signature_request",
	"signature_request.paused":                  "signature_request",
	"signature_request.resumed":                 "signature_request",
	"signature_request.deleted":                 "signature_request",
	"signature_request.permanently_deleted":     "signature_request",
	"verification.identity_document.done":       "identity_document",
	"verification.identity_video.done":          "identity_video",
	"verification.proof_of_address.done":        "proof_of_address",
	"verification.company.done":                 "company",
	"verification.watchlist.done":               "watchlist",
	"verification.bank_account.done":            "bank_account",
	"verification.bank_account_connection.done": "bank_account_connection",
	"verification.bank_account_lookup.done":     "bank_account_lookup",
	"document_analysis.done":                    "document_analysis",
}

// ACT-1, ACT-2: these events tell of a status, as of their time (ACT-4); no other
// one does, whatever is in it.
func TestReadObservation_names(t *testing.T) {
	for _, name := range append(webhookpolicy.EventNames(), "", "*", "verification", "verification.future.done", "signature_request.cloned") {
		member, want := tells[name]
		if !want {
			member = strings.Split(string(name), ".")[0]
		}
		e := webhookpolicy.Envelope{
			EventName: name, EventTime: noon.Add(time.Second),
			Data: []byte(`{"other":1,"` + member + `":{"name":"` + private + `","status":"done","id":"é"}}`),
		}
		observed, tells, err := receiver.ReadObservation(e)
		require.NoError(t, err, name)
		require.Equal(t, want, tells, name)
		if want {
			assert.Equal(t, session.Observe{ResourceID: "é", Status: action.Done, AsOf: noon.Add(time.Second)}, observed)
		}
	}
	assert.Subset(t, webhookpolicy.EventNames(), keys(tells))
}

func keys[K comparable, V any](m map[K]V) []K {
	var all []K
	for k := range m {
		all = append(all, k)
	}
	return all
}

func TestReadObservation(t *testing.T) {
	for _, tt := range []struct {
		name string
		data string
		want action.Status
		err  string
		is   error
	}{
		{"RES-3: a status", `{"company":{"id":"r","status":"inconclusive"}}`, action.Inconclusive, "", nil},
		{"under the family", `{"verification":{"id":"r","status":"failed"}}`, action.Failed, "", nil},
		{"under both", `{"verification":{"id":"q","status":"verified"},"company":{"id":"r","status":"failed"}}`, action.Failed, "", nil},
		{"names in capitals are others", `{"company":{"id":"r","ID":"q","status":"failed","Status":"verified"},"Company":{}}`, action.Failed, "", nil},

		{"nothing", ``, 0, "data is no object", receiver.ErrPayload},
		{"null", `null`, 0, "data has no company", receiver.ErrPayload},
		{"a list", `[]`, 0, "data is no object", receiver.ErrPayload},
		{"of something else", `{"watchlist":{"id":"r","status":"failed"}}`, 0, "data has no company", receiver.ErrPayload},
		{"a text for a resource", `{"company":"r"}`, 0, "the resource is no object", receiver.ErrPayload},
		{"no resource", `{"company":null}`, 0, "the resource has no id", receiver.ErrPayload},
		{"an empty id", `{"company":{"id":"","status":"failed"}}`, 0, "the resource has no id", receiver.ErrPayload},
		{"a number for an id", `{"company":{"id":5,"status":"failed"}}`, 0, "the resource has no id", receiver.ErrPayload},
		{"no status", `{"company":{"id":"r","Status":"failed"}}`, 0, "the resource has no status", receiver.ErrPayload},
		{"null for a status", `{"company":{"id":"r","status":null}}`, 0, "the resource has no status", receiver.ErrPayload},
		{"RES-6: an unknown status", `{"company":{"id":"r","status":"Failed"}}`, 0, `unknown status "Failed"`, action.ErrUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			observed, tells, err := receiver.ReadObservation(webhookpolicy.Envelope{
				EventName: webhookpolicy.EventVerificationCompanyDone, EventTime: noon, Data: []byte(tt.data),
			})
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
				require.ErrorContains(t, err, tt.err)
				assert.False(t, tells)
				assert.Zero(t, observed)
				return
			}
			require.NoError(t, err)
			assert.True(t, tells)
			assert.Equal(t, session.Observe{ResourceID: "r", Status: tt.want, AsOf: noon}, observed)
		})
	}
}

// The error names both versions.
func TestVersionError(t *testing.T) {
	err := &receiver.VersionError{Database: 3, Program: 2}
	require.EqualError(t, err, "receiver: the inbox has version 3, but this program works with version 2; a newer program is needed")
	require.ErrorIs(t, err, receiver.ErrVersion)
}
