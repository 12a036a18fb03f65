package action

import "github.com/sluicego/sluice/fsm"

// Machine is the machine of a type: which events lead from which status to
// which.
type Machine = fsm.Machine[Status, Event]

// row keeps the table below legible.
type row = fsm.Row[Status, Event]

// signatureRequest is ACT-1. The order of the statuses is their rank (ACT-4).
var signatureRequest = fsm.MustCompile(fsm.Table[Status, Event]{
	Name:    "signature_request",
	States:  []Status{Draft, Approval, Ongoing, Paused, Expired, Rejected, Declined, Canceled, Done, Deleted},
	Initial: []Status{Draft},
	Rows: []row{
		{Event: EventActivated, From: []Status{Draft}, To: Ongoing},
		{Event: EventActivatedForApproval, From: []Status{Draft}, To: Approval},
		{Event: EventApproved, From: []Status{Approval}, To: Ongoing},
		{Event: EventRejected, From: []Status{Approval}, To: Rejected},
		{Event: EventDone, From: []Status{Ongoing}, To: Done},
		{Event: EventDeclined, From: []Status{Ongoing}, To: Declined},
		{Event: EventCanceled, From: []Status{Approval, Ongoing}, To: Canceled},
		{Event: EventExpired, From: []Status{Approval, Ongoing}, To: Expired},
		{Event: EventReactivated, From: []Status{Expired}, To: Ongoing},
		{Event: EventReactivatedForApproval, From: []Status{Expired}, To: Approval},
		{Event: EventPaused, From: []Status{Ongoing}, To: Paused},
		{Event: EventResumed, From: []Status{Paused}, To: Ongoing},
		{
			Event: EventDeleted,
			From:  []Status{Draft, Paused, Done, Rejected, Declined, Expired, Canceled},
			To:    Deleted,
		},
		{
			Event: EventPermanentlyDeleted,
			From:  []Status{Draft, Paused, Done, Rejected, Declined, Expired, Canceled, Deleted},
			To:    Deleted,
		},
	},
})

// The machines of ACT-2, which differ in what success is called and in whether
// data can be awaited (RES-3).
var (
	verification        = verificationMachine("verification", EventVerified, Verified, true)
	instantVerification = verificationMachine("verification_without_data", EventVerified, Verified, false)
	documentAnalysis    = verificationMachine("document_analysis", EventDone, Done, true)
)

// verificationMachine returns the machine of verifications whose success has
// this event and status. Data can be awaited in some only; the others begin as
// pending.
func verificationMachine(name string, succeeded Event, success Status, awaits bool) *Machine {
	open := []Status{Pending}
	var rows []row
	if awaits {
		open = []Status{AwaitingData, Pending}
		rows = []row{{Event: EventDataReceived, From: []Status{AwaitingData}, To: Pending}}
	}
	return fsm.MustCompile(fsm.Table[Status, Event]{
		Name:    name,
		States:  append(open[:len(open):len(open)], Inconclusive, Failed, success),
		Initial: open,
		Rows: append(rows,
			row{Event: succeeded, From: open, To: success},
			row{Event: EventFailed, From: open, To: Failed},
			row{Event: EventInconclusive, From: open, To: Inconclusive},
		),
	})
}

// noMachine has no statuses: it is that of a type that is none.
var noMachine = new(Machine)

// Machine returns the machine of a type. Types of one kind may share a machine;
// that of a type that is none has no statuses and refuses every event.
func (t Type) Machine() *Machine {
	switch t.Kind() {
	case KindSignatureRequest:
		return signatureRequest
	case KindVerification:
		if t == TypeIdentityVideoVerification || t == TypeWatchlistVerification {
			return instantVerification
		}
		return verification
	case KindDocumentAnalysis:
		return documentAnalysis
	default:
		return noMachine
	}
}

// Machines returns every machine there is, each once.
func Machines() []*Machine {
	return []*Machine{signatureRequest, verification, instantVerification, documentAnalysis}
}
