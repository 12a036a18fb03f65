package action_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
)

// A verification awaits the applicant's data from 12:00 on and is verified at
// 12:03. The first webhook meets a server that is being deployed, so that the
// platform calls again later. It arrives last, with the event_time it always
// had.
//
// Who stores what arrived last now waits for data that came long ago, and the
// applicant is asked again. Observe compares the times that the provider gave.
func Example() {
	noon := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	webhooks := []struct {
		status    action.Status
		eventTime time.Time
	}{
		{action.Pending, noon.Add(2 * time.Minute)},
		{action.Verified, noon.Add(3 * time.Minute)},
		{action.Verified, noon.Add(3 * time.Minute)}, // twice, as webhooks come
		{action.AwaitingData, noon},                  // late: the retry of the first call
	}

	naive := action.AwaitingData
	check := action.Resource{
		ID:        "79a291fc",
		Type:      action.TypeIdentityDocumentVerification,
		Status:    action.AwaitingData,
		CreatedAt: noon,
		AsOf:      noon,
	}
	for _, w := range webhooks {
		naive = w.status

		var outcome action.Outcome
		var err error
		check, outcome, err = check.Observe(w.status, w.eventTime)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %-13s %s\n", w.eventTime.Format("15:04"), w.status, outcome)
	}
	fmt.Println("stored as it arrived:", naive)
	fmt.Println("observed:            ", check.Status, "as of", check.AsOf.Format("15:04"))
	// Output:
	// 12:02 pending       taken
	// 12:03 verified      taken
	// 12:03 verified      duplicate
	// 12:00 awaiting_data stale
	// stored as it arrived: awaiting_data
	// observed:             verified as of 12:03
}

// What no order of arrival explains is not guessed at: the two reports
// contradict each other, and somebody should look.
func ExampleResource_Observe() {
	noon := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	check := action.Resource{
		ID:        "79a291fc",
		Type:      action.TypeIdentityDocumentVerification,
		Status:    action.Verified,
		CreatedAt: noon,
		AsOf:      noon,
	}
	after, _, err := check.Observe(action.Failed, noon.Add(time.Hour))
	fmt.Println(err)
	fmt.Println(errors.Is(err, action.ErrContradiction), after == check)
	// Output:
	// action: observation of 79a291fc refused: failed as of 2026-03-02T13:00:00+00:00 cannot follow verified as of 2026-03-02T12:00:00+00:00; allowed: verified (ACT-4)
	// true true
}

// A host that makes the changes itself applies events. What the present status
// does not allow is refused, with what it does allow.
func ExampleResource_Transition() {
	noon := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	contract := action.Resource{
		ID:        "c0ffee11",
		Type:      action.TypeSignatureRequest,
		Status:    action.Draft,
		CreatedAt: noon,
		AsOf:      noon,
	}
	contract, outcome, err := contract.Transition(action.EventActivated, noon.Add(time.Minute))
	fmt.Println(contract.Status, outcome, err)

	contract, _, err = contract.Transition(action.EventApproved, noon.Add(time.Hour))
	fmt.Println(contract.Status)
	fmt.Println(err)
	// Output:
	// ongoing taken <nil>
	// ongoing
	// action: event of c0ffee11 refused: ongoing does not allow approved in machine signature_request; allowed: done, declined, canceled, expired, paused (ACT-3)
}

// A refusal is data: the rule, the subject, what the rule would have let pass.
// What it unwraps to is the sentinel of the rule, or the machine's own error.
func ExampleRefusal() {
	noon := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	check := action.Resource{
		ID:        "79a291fc",
		Type:      action.TypeWatchlistVerification,
		Status:    action.Pending,
		CreatedAt: noon,
		AsOf:      noon,
	}
	_, _, err := check.Transition(action.EventCanceled, noon.Add(time.Minute))

	var refusal *action.Refusal
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Rule, refusal.Subject, refusal.Allowed)
	}
	var event *fsm.EventError[action.Status, action.Event]
	if errors.As(err, &event) {
		fmt.Println(event.Machine(), event.State, event.Event)
	}
	fmt.Println(errors.Is(err, fsm.ErrNotAllowed))
	// Output:
	// ACT-3 79a291fc [verified failed inconclusive]
	// verification_without_data pending canceled
	// true
}

// A name that the spec does not list is refused, never mapped to a neighbor.
func ExampleParseType() {
	_, err := action.ParseKind("electronic_seal")
	fmt.Println(err)

	typ, err := action.ParseType("bank_account_lookup_verification")
	fmt.Println(typ.Kind(), err)
	fmt.Println(typ.Webhook(action.EventVerified))
	// Output:
	// unknown resource kind "electronic_seal" (RES-6; known: signature_request, verification, document_analysis)
	// verification <nil>
	// verification.bank_account_lookup.done
}
