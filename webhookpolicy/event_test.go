package webhookpolicy_test

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// specCatalogue is the catalogue in the words of the spec.
const specCatalogue = `
signature_request.{activated,done,expired,reactivated,reminder_executed,automatic_reminder_executed,approved,rejected,declined,canceled,deleted,permanently_deleted,paused,resumed}
signer.{notified,link_opened,done,sender_contacted,identification_blocked,identification_succeeded,identification_failed,identification_expired,error,declined,identity_saved,notification_delivery_failed}
contact.{created}
user.{completed}
approver.{notified,approved,rejected,notification_delivery_failed}
electronic_seal.{done,error}
document_analysis.{done}
verification.{identity_video.done,identity_document.done,bank_account.done,bank_account_connection.done,bank_account_lookup.done,company.done,watchlist.done,proof_of_address.done}
workflow_action_group.{started,blocked,done}
workflow_session.{started,blocked,done}
applicant.{notified,processed,session_blocked}`

// specEvents returns the names, and the families in order.
func specEvents() (names []webhookpolicy.EventName, families []string) {
	for line := range strings.Lines(strings.TrimSpace(specCatalogue)) {
		family, rest, _ := strings.Cut(strings.TrimSpace(line), ".{")
		families = append(families, family)
		for name := range strings.SplitSeq(strings.TrimSuffix(rest, "}"), ",") {
			names = append(names, webhookpolicy.EventName(family+"."+name))
		}
	}
	return names, families
}

func TestEventNames(t *testing.T) {
	names, families := specEvents()
	require.Len(t, names, 52)
	assert.Equal(t, names, webhookpolicy.EventNames(), "SUB-3: these and no others")
	assert.Equal(t, families, webhookpolicy.EventFamilies())
	for _, n := range names {
		t.Run("SUB-3: "+string(n), func(t *testing.T) {
			assert.True(t, n.Known())
			got, err := webhookpolicy.ParseEventName(string(n))
			require.NoError(t, err)
			assert.Equal(t, n, got)
			assert.Contains(t, families, n.Family())
			assert.Contains(t, webhookpolicy.EventNames(n.Family()), n)
		})
	}
	assert.Equal(t, []webhookpolicy.EventName{
		webhookpolicy.EventUserCompleted, webhookpolicy.EventElectronicSealDone, webhookpolicy.EventElectronicSealError,
	}, webhookpolicy.EventNames("electronic_seal", "user", "nobody"))
	assert.Empty(t, webhookpolicy.EventNames(""))
	webhookpolicy.EventNames()[0] = "changed"
	assert.Equal(t, names, webhookpolicy.EventNames(), "a caller's list is the caller's")
}

func TestEventName_Family(t *testing.T) {
	for name, want := range map[webhookpolicy.EventName]string{
		"signer.done": "signer", "verification.company.done": "verification",
		"future.thing": "future", "signer": "", "": "", webhookpolicy.Wildcard: "",
	} {
		assert.Equal(t, want, name.Family(), "%q", name)
	}
}

// What the rest of sluice announces is in the catalogue.
func TestEventNames_OfSessions(t *testing.T) {
	for _, typ := range action.Types() {
		for _, e := range action.Events() {
			if name := typ.Webhook(e); name != "" {
				assert.True(t, webhookpolicy.EventName(name).Known(), name)
			}
		}
	}
	s, _, err := session.New(session.Create{ID: "s", Name: "n", Template: session.Template{
		ID: "t", Name: "n", ActionGroups: []group.Type{group.CompanyVerification},
	}, WorkspaceID: "w"}, subscribedAt)
	require.NoError(t, err)
	for _, status := range []action.Status{action.Pending, action.Failed, action.Verified} {
		_, change, err := session.Apply(s, session.Link{Resource: action.Resource{
			ID: "r", Type: action.TypeCompanyVerification, Status: status, CreatedAt: subscribedAt, AsOf: subscribedAt,
		}}, subscribedAt)
		require.NoError(t, err)
		require.NotEmpty(t, change.Announcements())
		for _, a := range change.Announcements() {
			assert.True(t, webhookpolicy.EventName(a.Name).Known(), a.Name)
		}
	}
}

func TestParseEventName_Unknown(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "the wildcard": "*", "upper case": "signer.DONE", "space": "signer.done ", "prefix": "signer",
		"neighbor": "signer.finished", "future": "future.thing", "long": strings.Repeat("x", 1000), "not UTF-8": "signer.\xff",
	} {
		t.Run("SUB-3: refused: "+name, func(t *testing.T) {
			got, err := webhookpolicy.ParseEventName(text)
			assert.Empty(t, got)
			require.ErrorIs(t, err, webhookpolicy.ErrUnknownEvent)
			var unknown *webhookpolicy.UnknownEventError
			require.ErrorAs(t, err, &unknown)
			assert.Equal(t, text, unknown.Name)
			assert.Less(t, len(err.Error()), 600)
			if webhookpolicy.EventName(text).Family() == "signer" {
				assert.Equal(t, webhookpolicy.EventNames("signer"), unknown.Known)
			} else {
				assert.Empty(t, unknown.Known)
			}
		})
	}
	_, err := webhookpolicy.ParseEventName("approver.done")
	require.EqualError(t, err, `webhookpolicy: unknown event "approver.done"; known: `+
		`approver.notified, approver.approved, approver.rejected, approver.notification_delivery_failed (SUB-3)`)
	_, err = webhookpolicy.ParseEventName("signers.done")
	require.EqualError(t, err, `webhookpolicy: unknown event "signers.done"; known families: `+
		`signature_request, signer, contact, user, approver, electronic_seal, document_analysis, verification, `+
		`workflow_action_group, workflow_session, applicant (SUB-3)`)
}

// The forms of a name are those of its string, also for names of the future.
func TestEventName_Forms(t *testing.T) {
	for _, n := range []webhookpolicy.EventName{webhookpolicy.EventSignerDone, "future.thing"} {
		type document struct {
			One webhookpolicy.EventName         `json:"one"`
			All []webhookpolicy.EventName       `json:"all"`
			By  map[webhookpolicy.EventName]int `json:"by"`
		}
		want := document{n, []webhookpolicy.EventName{n}, map[webhookpolicy.EventName]int{n: 1}}
		text, err := json.Marshal(want)
		require.NoError(t, err)
		assert.Equal(t, strings.ReplaceAll(`{"one":"N","all":["N"],"by":{"N":1}}`, "N", string(n)), string(text))
		var read document
		require.NoError(t, json.Unmarshal(text, &read))
		assert.Equal(t, want, read)

		for _, src := range []any{string(n), []byte(n)} {
			var stored sql.Null[webhookpolicy.EventName]
			require.NoError(t, stored.Scan(src))
			assert.Equal(t, n, stored.V)
		}
		value, err := sqlValue(n)
		require.NoError(t, err)
		assert.Equal(t, string(n), value)
	}
	assert.False(t, slices.Contains(webhookpolicy.EventNames(), webhookpolicy.Wildcard))
}
