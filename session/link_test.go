package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// admission is RES-1, copied from the spec.
var admission = map[string][]string{
	"signature_request":             {"signature_request"},
	"identity_verification":         {"identity_document_verification", "identity_video_verification"},
	"proof_of_address_verification": {"proof_of_address_verification"},
	"company_verification":          {"company_verification"},
	"watchlist_verification":        {"watchlist_verification"},
	"bank_account_verification": {
		"bank_account_verification", "bank_account_connection_verification", "bank_account_lookup_verification",
	},
	"document_analysis": {
		"social_security_document_analysis", "company_certificate_document_analysis",
		"business_registration_certificate_document_analysis", "driver_licence_document_analysis",
		"rne_certificate_document_analysis", "temporary_vehicle_registration_document_analysis",
		"vehicle_registration_document_analysis", "auto_insurance_claims_history_document_analysis",
		"payslip_document_analysis", "invoice_document_analysis",
	},
}

// The statuses of RES-2 and RES-3, copied from the spec.
const (
	signatureStatuses    = "draft approval ongoing paused done rejected declined expired canceled deleted"
	verificationStatuses = "pending awaiting_data verified failed inconclusive"
	instantStatuses      = "pending verified failed inconclusive"
	analysisStatuses     = "pending awaiting_data done failed inconclusive"
)

func statusesOf(typ string) []string {
	switch {
	case typ == signature:
		return strings.Fields(signatureStatuses)
	case typ == video, typ == watchlist:
		return strings.Fields(instantStatuses)
	case strings.HasSuffix(typ, "_document_analysis"):
		return strings.Fields(analysisStatuses)
	default:
		return strings.Fields(verificationStatuses)
	}
}

// SES-4, RES-1: a resource enters the group that admits its type, whatever the
// others are; a session without such a group refuses it.
func TestSES4_Admission(t *testing.T) {
	count := 0
	for groupType, types := range admission {
		admits := must(group.ParseType(groupType))
		var others []group.Type
		for _, g := range group.Types() {
			if g != admits {
				others = append(others, g)
			}
		}
		for _, typ := range types {
			count++
			t.Run("RES-1: "+groupType+" admits "+typ, func(t *testing.T) {
				s := begin(t).do(link("a", typ, statusesOf(typ)[1])).s
				for g := range s.Groups() {
					want := 0
					if g.Type() == admits {
						want = 1
					}
					assert.Equal(t, want, g.Len(), g.Type())
				}
			})
			t.Run("SES-4: without "+groupType+" there is no place for "+typ, func(t *testing.T) {
				s := begin(t, others...).s
				var allowed []string
				for _, g := range others {
					allowed = append(allowed, admission[g.String()]...)
				}
				requireRefused(t, s, link("a", typ, statusesOf(typ)[1]), refusal{"SES-4", session.ErrNoGroup, "a", allowed})
			})
		}
	}
	require.Equal(t, 19, count)
}

// SES-4: any status of the type is accepted, except deleted; in a session of
// any status.
func TestSES4_Statuses(t *testing.T) {
	sessions := map[string]*run{
		"awaiting": begin(t),
		"ongoing":  begin(t).do(link("x", watchlist, "pending")),
		"blocked":  begin(t).do(link("x", watchlist, "failed")),
		"done":     begin(t, group.SignatureRequest, group.IdentityVerification, group.CompanyVerification, group.DocumentAnalysis),
	}
	sessions["done"].do(
		link("x", signature, "done"), link("y", identity, "verified"), link("z", company, "verified"), link("v", invoice, "done"))
	for name, r := range sessions {
		require.Equal(t, name, r.s.Status().String())
		for _, typ := range []string{signature, identity, video, company, invoice} {
			for _, status := range statusesOf(typ) {
				t.Run("SES-4: "+name+" takes "+typ+" "+status, func(t *testing.T) {
					c := link("a", typ, status)
					if status == "deleted" {
						requireRefused(t, r.s, c, refusal{"SES-4", attempt.ErrDeleted, "a", nil})
						return
					}
					s, change, err := session.Apply(r.s, c, at(100))
					require.NoError(t, err)
					assert.Equal(t, c.Resource, mainOf(t, s, "a"), "ATT-10: final from the start or not")
					assert.Equal(t, session.Linked(c), change.Events[0].Fact)
				})
			}
		}
	}
}

// A resource that cannot be one is refused before anything is looked at.
func TestLink_Malformed(t *testing.T) {
	tests := []struct {
		name    string
		change  func(r *action.Resource)
		rule    string
		is      error
		subject string
		allowed []string
	}{
		{"SES-11: no id", func(r *action.Resource) { r.ID = "" }, "SES-11", action.ErrInvalidID, "a resource without id", nil},
		{"SES-11: a long id", func(r *action.Resource) { r.ID = strings.Repeat("é", 65) }, "SES-11", action.ErrInvalidID, strings.Repeat("é", 65), nil},
		{"SES-11: a long workspace", func(r *action.Resource) { r.WorkspaceID = strings.Repeat("w", 129) }, "SES-11", action.ErrInvalidID, "a", nil},
		{"RES-6: no type", func(r *action.Resource) { r.Type = 0 }, "RES-6", action.ErrUnknown, "a", typeNames()},
		{"RES-6: no such type", func(r *action.Resource) { r.Type = 200 }, "RES-6", action.ErrUnknown, "a", typeNames()},
		{"RES-6: no status", func(r *action.Resource) { r.Status = 0 }, "RES-6", action.ErrUnknown, "a", byRank},
		{"RES-6: a status of verifications", func(r *action.Resource) { r.Status = action.Verified }, "RES-6", action.ErrUnknown, "a", byRank},
		{"ACT-4: no time of the status", func(r *action.Resource) { r.AsOf = time.Time{} }, "ACT-4", action.ErrInvalidTime, "a", nil},
		{"SES-10: no time of creation", func(r *action.Resource) { r.CreatedAt = time.Time{} }, "SES-10", action.ErrInvalidTime, "a", nil},
	}
	for _, test := range tests {
		for _, previous := range []string{"", "old"} {
			t.Run(test.name+", previous "+previous, func(t *testing.T) {
				s := begin(t).do(link("old", signature, "expired")).s
				c := link("a", signature, "draft")
				c.PreviousAttemptID = previous
				test.change(&c.Resource)
				requireRefused(t, s, c, refusal{test.rule, test.is, test.subject, test.allowed})
			})
		}
	}
}

func typeNames() []string {
	var names []string
	for _, typ := range action.Types() {
		names = append(names, typ.String())
	}
	return names
}

// byRank is the statuses of a signature request in the order of ACT-4.
var byRank = strings.Split("draft, approval, ongoing, paused, expired, rejected, declined, canceled, done, deleted", ", ")

// SES-4: a resource of another workspace is refused; one of the session's, or
// of one that was not told, is not.
func TestSES4_Workspace(t *testing.T) {
	s := begin(t).do(link("old", company, "failed")).s
	for _, c := range []session.Link{link("a", company, "pending"), retry("old", "a", company, "pending")} {
		name := "SES-4: previous " + c.PreviousAttemptID + ", "
		t.Run(name+"of another workspace", func(t *testing.T) {
			c.Resource.WorkspaceID = "w2"
			requireRefused(t, s, c, refusal{"SES-4", session.ErrWorkspace, "a", []string{"w1"}})
		})
		for _, own := range []string{"w1", ""} {
			t.Run(name+"of workspace "+own, func(t *testing.T) {
				c.Resource.WorkspaceID = own
				next, _, err := session.Apply(s, c, start)
				require.NoError(t, err)
				assert.Equal(t, own, mainOf(t, next, "a").WorkspaceID)
			})
		}
	}
}

// ATT-12: a resource stands in one attempt; a second link says where.
func TestATT12_Link(t *testing.T) {
	s := begin(t).do(
		link("a", company, "failed"), retry("a", "b", company, "failed"),
		link("x", signature, "draft"), link("y", signature, "expired"),
	).s
	tests := []struct {
		name    string
		command session.Link
		subject string
		says    string
	}{
		{"the newest attempt", link("b", company, "pending"), "b", "attempt 2 of action 1 of group company_verification of session s1"},
		{"a previous attempt", link("a", company, "pending"), "a", "attempt 1 of action 1 of group company_verification of session s1"},
		{"another group", link("x", company, "pending"), "x", "attempt 1 of action 1 of group signature_request of session s1"},
		{"a retry with itself", retry("b", "b", company, "pending"), "b", "attempt 2 of this action"},
		{"a retry with the one before", retry("b", "a", company, "pending"), "b", "attempt 1 of this action"},
		{"a retry with that of another action", retry("y", "x", signature, "draft"), "y", "attempt 1 of action 1 of group signature_request of session s1"},
	}
	for _, test := range tests {
		t.Run("ATT-12: "+test.name, func(t *testing.T) {
			c := test.command
			c.Inputs = inputs("other")
			requireRefused(t, s, c, refusal{"ATT-12", session.ErrResourceTaken, test.subject, nil})
			require.ErrorContains(t, refusalOf(t, s, c), test.says)
		})
	}
}

// ATT-8: the new attempt becomes the main one at once, and the one before keeps
// its last status.
func TestATT8_Retry(t *testing.T) {
	r := begin(t).do(link("a", company, "pending"), observe("a", "failed", 30))
	change := r.apply(retry("a", "b", company, "pending"))
	assert.Equal(t, session.Linked(retry("a", "b", company, "pending")), change.Events[0].Fact)
	assert.Equal(t, 1, groupOf(t, r.s, group.CompanyVerification).Len(), "it is no new action")
	var got []string
	for n, at := range mustAction(t, r.s, "a").Attempts() {
		got = append(got, fmt.Sprintf("%d %s %s", n, at.Resource.ID, at.Resource.Status))
	}
	assert.Equal(t, []string{"1 a failed", "2 b pending"}, got)
	assert.Equal(t, session.Ongoing, r.s.Status())
}

// ATT-8: previous_attempt_id must be the main resource of an Action of this
// session. The other rules of a retry are package attempt's; here each is
// refused through a session.
func TestRetry_Refused(t *testing.T) {
	r := begin(t).do(
		link("a", company, "failed"), retry("a", "b", company, "inconclusive"),
		link("ok", company, "verified"),
		link("open", company, "pending"),
		link("settled", company, "failed"), resolve("settled"),
		link("sr", signature, "declined"), event("sr", "deleted", 1),
		link("blank", company, "failed"),
		link("bank", bank, "failed"),
		link("n1", watchlist, "failed"),
	)
	for n := 2; n <= 10; n++ {
		r.do(retry(fmt.Sprint("n", n-1), fmt.Sprint("n", n), watchlist, "failed"))
	}
	same := retry("b", "c", company, "pending")
	same.Inputs = inputs("b")
	missing := retry("b", "c", company, "pending")
	missing.Inputs = attempt.Digest{}
	unkept := link("unkept", company, "failed")
	unkept.Inputs = attempt.Digest{}
	r.do(unkept)
	tests := []struct {
		name    string
		command session.Link
		want    refusal
	}{
		{"ATT-8: unknown", retry("nobody", "c", company, "pending"), refusal{"ATT-8", attempt.ErrNotMain, "nobody", nil}},
		{"ATT-8: already replaced", retry("a", "c", company, "pending"), refusal{"ATT-8", attempt.ErrNotMain, "a", []string{"b"}}},
		{"ATT-8: the session itself", retry("s1", "c", company, "pending"), refusal{"ATT-8", attempt.ErrNotMain, "s1", nil}},
		{"ATT-3: resolved", retry("settled", "c", company, "pending"), refusal{"ATT-3", attempt.ErrResolved, "settled", nil}},
		{"ATT-2: verified", retry("ok", "c", company, "pending"), refusal{"ATT-2", attempt.ErrComplete, "ok", nil}},
		{"ATT-1: pending", retry("open", "c", company, "pending"), refusal{"ATT-1", attempt.ErrNotBlocking, "open", []string{"inconclusive", "failed"}}},
		{"ATT-1: deleted", retry("sr", "c", signature, "draft"), refusal{"ATT-1", attempt.ErrNotBlocking, "sr", []string{"expired", "rejected", "declined", "canceled"}}},
		{"ATT-5: the eleventh", retry("n10", "c", watchlist, "pending"), refusal{"ATT-5", attempt.ErrTooMany, "n10", nil}},
		{"ATT-4: another type of the same group", retry("bank", "c", lookup, "pending"), refusal{"ATT-4", attempt.ErrTypeChanged, "bank", []string{bank}}},
		{"ATT-4: another group's type", retry("b", "c", signature, "draft"), refusal{"ATT-4", attempt.ErrTypeChanged, "b", []string{company}}},
		{"ATT-6: the same inputs", same, refusal{"ATT-6", attempt.ErrInputsUnchanged, "b", nil}},
		{"ATT-6: no digest given", missing, refusal{"ATT-6", attempt.ErrInputsUnknown, "b", nil}},
		{"ATT-6: no digest kept", retry("unkept", "c", company, "pending"), refusal{"ATT-6", attempt.ErrInputsUnknown, "unkept", nil}},
		{"ATT-12: taken", func() session.Link {
			c := retry("b", "a", company, "pending")
			c.Inputs = inputs("other")
			return c
		}(), refusal{"ATT-12", attempt.ErrResourceTaken, "b", nil}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			requireRefused(t, r.s, test.command, test.want)
			assert.Equal(t, refusalOf(t, r.s, test.command), r.s.Refusals(test.command)[0], "ATT-13: the first of the list")
		})
	}
}

// ATT-8: an id of another session is foreign here.
func TestATT8_Foreign(t *testing.T) {
	begin(t).do(link("theirs", company, "failed"))
	ours := begin(t).do(link("ours", company, "failed")).s
	requireRefused(t, ours, retry("theirs", "c", company, "pending"), refusal{"ATT-8", attempt.ErrNotMain, "theirs", nil})
}

// ATT-13: Refusals lists everything, in order; the session's own rules last.
func TestATT13_Refusals(t *testing.T) {
	s := begin(t, group.CompanyVerification, group.WatchlistVerification).do(
		link("a", company, "failed"), retry("a", "b", company, "failed"), resolve("b"), link("w", watchlist, "failed"),
	).s
	deleted := retry("nobody", "w", signature, "deleted")
	deleted.Resource.WorkspaceID = "w2"
	worst := retry("a", "w", signature, "deleted")
	worst.Resource.WorkspaceID, worst.Inputs = "w2", inputs("b")
	for _, test := range []struct {
		name    string
		command session.Link
		want    string
	}{
		{"ATT-13: allowed", retry("w", "x", watchlist, "pending"), ""},
		{"ATT-13: a new action", link("x", company, "pending"), ""},
		{"ATT-13: as much as a retry can break", worst, "ATT-3 ATT-8 ATT-4 ATT-6 ATT-12 SES-4 SES-4 SES-4"},
		{"ATT-13: as much as one of an unknown attempt can", deleted, "ATT-8 ATT-12 SES-4 SES-4 SES-4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var rules []string
			for _, r := range s.Refusals(test.command) {
				rules = append(rules, r.Rule)
			}
			assert.Equal(t, test.want, strings.Join(rules, " "))
			_, _, err := session.Apply(s, test.command, start)
			assert.Equal(t, test.want == "", err == nil)
		})
	}
}
