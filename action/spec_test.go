package action_test

import (
	"slices"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
)

// This file is the spec of RES and ACT, copied by hand as text. The tests
// compare the package with it; nothing here is computed by the package but the
// reading of names, which TestRES1_Types and its neighbors check one by one.

// specRow is a row of ACT-1 or ACT-2.
type specRow struct {
	event, webhook, from, to string
}

// specType is what the spec says of one resource type.
type specType struct {
	text    string
	kind    string
	initial string // where the histories of ACT-5 begin
	rank    string // RES-2, RES-3; in the order of ACT-4
	rows    []specRow
}

const (
	signatureRequestRank = "draft, approval, ongoing, paused, expired, rejected, declined, canceled, done, deleted"
	verificationRank     = "awaiting_data, pending, inconclusive, failed, verified"
	instantRank          = "pending, inconclusive, failed, verified"
	documentAnalysisRank = "awaiting_data, pending, inconclusive, failed, done"
)

// specTypes is RES-1, with what RES-2, RES-3 and ACT say of each type.
var specTypes = []specType{
	{"signature_request", "signature_request", "draft", signatureRequestRank, act1},
	verificationType("identity_document"),
	instantType("identity_video"),
	verificationType("proof_of_address"),
	verificationType("company"),
	instantType("watchlist"),
	verificationType("bank_account"),
	verificationType("bank_account_connection"),
	verificationType("bank_account_lookup"),
	analysisType("social_security"),
	analysisType("company_certificate"),
	analysisType("business_registration_certificate"),
	analysisType("driver_licence"),
	analysisType("rne_certificate"),
	analysisType("temporary_vehicle_registration"),
	analysisType("vehicle_registration"),
	analysisType("auto_insurance_claims_history"),
	analysisType("payslip"),
	analysisType("invoice"),
}

// act1 is the table of ACT-1.
var act1 = []specRow{
	{"activated", "signature_request.activated", "draft", "ongoing"},
	{"activated_for_approval", "signature_request.activated", "draft", "approval"},
	{"approved", "signature_request.approved", "approval", "ongoing"},
	{"rejected", "signature_request.rejected", "approval", "rejected"},
	{"done", "signature_request.done", "ongoing", "done"},
	{"declined", "signature_request.declined", "ongoing", "declined"},
	{"canceled", "signature_request.canceled", "approval, ongoing", "canceled"},
	{"expired", "signature_request.expired", "approval, ongoing", "expired"},
	{"reactivated", "signature_request.reactivated", "expired", "ongoing"},
	{"reactivated_for_approval", "signature_request.reactivated", "expired", "approval"},
	{"paused", "signature_request.paused", "ongoing", "paused"},
	{"resumed", "signature_request.resumed", "paused", "ongoing"},
	{
		"deleted", "signature_request.deleted",
		"draft, paused, done, rejected, declined, expired, canceled", "deleted",
	},
	{
		"permanently_deleted", "signature_request.permanently_deleted",
		"draft, paused, done, rejected, declined, expired, canceled, deleted", "deleted",
	},
}

// The sentence of ACT-2, once for each of the three machines that it makes.
func verificationType(name string) specType {
	webhook := "verification." + name + ".done"
	return specType{
		name + "_verification", "verification", "awaiting_data, pending", verificationRank,
		[]specRow{
			{"data_received", "", "awaiting_data", "pending"},
			{"verified", webhook, "awaiting_data, pending", "verified"},
			{"failed", webhook, "awaiting_data, pending", "failed"},
			{"inconclusive", webhook, "awaiting_data, pending", "inconclusive"},
		},
	}
}

func instantType(name string) specType {
	webhook := "verification." + name + ".done"
	return specType{
		name + "_verification", "verification", "pending", instantRank,
		[]specRow{
			{"verified", webhook, "pending", "verified"},
			{"failed", webhook, "pending", "failed"},
			{"inconclusive", webhook, "pending", "inconclusive"},
		},
	}
}

func analysisType(name string) specType {
	const webhook = "document_analysis.done"
	return specType{
		name + "_document_analysis", "document_analysis", "awaiting_data, pending", documentAnalysisRank,
		[]specRow{
			{"data_received", "", "awaiting_data", "pending"},
			{"done", webhook, "awaiting_data, pending", "done"},
			{"failed", webhook, "awaiting_data, pending", "failed"},
			{"inconclusive", webhook, "awaiting_data, pending", "inconclusive"},
		},
	}
}

// fourTypes has one type for each machine.
var fourTypes = []action.Type{
	action.TypeSignatureRequest,
	action.TypeIdentityDocumentVerification,
	action.TypeWatchlistVerification,
	action.TypePayslipDocumentAnalysis,
}

// words splits a list of the spec.
func words(list string) []string { return strings.Split(list, ", ") }

func (st specType) has(status string) bool { return slices.Contains(words(st.rank), status) }

// next returns where an event leads from a status, "" if nowhere.
func (st specType) next(status, event string) string {
	for _, row := range st.rows {
		if row.event == event && slices.Contains(words(row.from), status) {
			return row.to
		}
	}
	return ""
}

// allowed returns the events that a status allows, in the order of the table.
func (st specType) allowed(status string) []string {
	var events []string
	for _, row := range st.rows {
		if slices.Contains(words(row.from), status) {
			events = append(events, row.event)
		}
	}
	return events
}

// row returns the row of an event.
func (st specType) row(event string) (specRow, bool) {
	i := slices.IndexFunc(st.rows, func(row specRow) bool { return row.event == event })
	if i < 0 {
		return specRow{}, false
	}
	return st.rows[i], true
}

// reaches walks the table from one status in search of another.
func (st specType) reaches(from, to string) bool {
	seen := []string{from}
	for i := 0; i < len(seen); i++ {
		for _, event := range st.allowed(seen[i]) {
			if next := st.next(seen[i], event); !slices.Contains(seen, next) {
				seen = append(seen, next)
			}
		}
	}
	return slices.Contains(seen, to)
}

// eventBetween returns an event that leads from one status to another, zero if
// there is none.
func (st specType) eventBetween(from, to action.Status) action.Event {
	for _, e := range action.Events() {
		if st.next(from.String(), e.String()) == to.String() {
			return e
		}
	}
	return 0
}

// rankOf returns the position of a status in the list of ACT-4.
func (st specType) rankOf(status string) int { return slices.Index(words(st.rank), status) }

// specOf returns what the spec says of a type.
func specOf(t action.Type) specType { return specTypes[t-1] }

// statusOf returns the status of that name.
func statusOf(text string) action.Status {
	s, err := action.ParseStatus(text)
	if err != nil {
		panic(err)
	}
	return s
}

// Values that the spec does not list.
const (
	noStatus = action.Status(200)
	noEvent  = action.Event(200)
	noType   = action.Type(200)
)

// at returns a provider's time, some seconds after noon of an ordinary day.
func at(seconds int) time.Time {
	return time.Date(2026, time.March, 2, 12, 0, seconds, 0, time.UTC)
}

// resource returns a resource as it was linked.
func resource(t action.Type, s action.Status, asOf time.Time) action.Resource {
	return action.Resource{
		ID: "79a291fc", Type: t, Status: s, WorkspaceID: "w1",
		CreatedAt: at(-3600), AsOf: asOf,
	}
}
