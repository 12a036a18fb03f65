package webhookpolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Wildcard covers everything that a list of a subscription can hold, also what
// does not exist yet. It stands alone in its list (SUB-3).
const Wildcard = "*"

// The two main scopes (SUB-3). Others are taken as well.
const (
	ScopeApp       = "app"        // the resource was created in the application
	ScopePublicAPI = "public_api" // the resource was created through the public API
)

// EventName names a kind of event: "signature_request.done". Zero is none.
//
// It is a string, and its text, JSON and SQL forms are that string, because a
// subscription to the [Wildcard] also covers names of the future: they must
// survive in queues, stores and envelopes of hosts that do not know them.
// Where an unknown name can only be a mistake, in the list of a subscription,
// it is refused (SUB-3); [ParseEventName] refuses it likewise.
type EventName string

// The catalogue of events, family by family.
const (
	// The life of a signature request as a whole. The status in the payload
	// tells which way an activated or a reactivated one goes on; done comes when
	// all signers have signed, and declined and canceled also tell of a signer's
	// refusal and error.
	EventSignatureRequestActivated                 EventName = "signature_request.activated"
	EventSignatureRequestDone                      EventName = "signature_request.done"
	EventSignatureRequestExpired                   EventName = "signature_request.expired"
	EventSignatureRequestReactivated               EventName = "signature_request.reactivated"
	EventSignatureRequestReminderExecuted          EventName = "signature_request.reminder_executed"
	EventSignatureRequestAutomaticReminderExecuted EventName = "signature_request.automatic_reminder_executed"
	EventSignatureRequestApproved                  EventName = "signature_request.approved"
	EventSignatureRequestRejected                  EventName = "signature_request.rejected"
	EventSignatureRequestDeclined                  EventName = "signature_request.declined"
	EventSignatureRequestCanceled                  EventName = "signature_request.canceled"
	EventSignatureRequestDeleted                   EventName = "signature_request.deleted"
	EventSignatureRequestPermanentlyDeleted        EventName = "signature_request.permanently_deleted"
	EventSignatureRequestPaused                    EventName = "signature_request.paused"
	EventSignatureRequestResumed                   EventName = "signature_request.resumed"

	// One signer within a signature request: from being allowed to sign, over
	// the check of identity, to the end. Done comes once for each signer, whether
	// or not others have still to sign.
	EventSignerNotified                   EventName = "signer.notified"
	EventSignerLinkOpened                 EventName = "signer.link_opened"
	EventSignerDone                       EventName = "signer.done"
	EventSignerSenderContacted            EventName = "signer.sender_contacted"
	EventSignerIdentificationBlocked      EventName = "signer.identification_blocked"
	EventSignerIdentificationSucceeded    EventName = "signer.identification_succeeded"
	EventSignerIdentificationFailed       EventName = "signer.identification_failed"
	EventSignerIdentificationExpired      EventName = "signer.identification_expired"
	EventSignerError                      EventName = "signer.error"
	EventSignerDeclined                   EventName = "signer.declined"
	EventSignerIdentitySaved              EventName = "signer.identity_saved"
	EventSignerNotificationDeliveryFailed EventName = "signer.notification_delivery_failed"

	// A contact, but for those of a CSV import.
	EventContactCreated EventName = "contact.created"

	// An invited user who filled in a profile and can begin.
	EventUserCompleted EventName = "user.completed"

	// One approver of a signature request.
	EventApproverNotified                   EventName = "approver.notified"
	EventApproverApproved                   EventName = "approver.approved"
	EventApproverRejected                   EventName = "approver.rejected"
	EventApproverNotificationDeliveryFailed EventName = "approver.notification_delivery_failed"

	// An electronic seal.
	EventElectronicSealDone  EventName = "electronic_seal.done"
	EventElectronicSealError EventName = "electronic_seal.error"

	// The end of a document analysis or another verification, good or bad: the
	// status in the payload tells. There is no name of its own for failure.
	EventDocumentAnalysisDone                  EventName = "document_analysis.done"
	EventVerificationIdentityVideoDone         EventName = "verification.identity_video.done"
	EventVerificationIdentityDocumentDone      EventName = "verification.identity_document.done"
	EventVerificationBankAccountDone           EventName = "verification.bank_account.done"
	EventVerificationBankAccountConnectionDone EventName = "verification.bank_account_connection.done"
	EventVerificationBankAccountLookupDone     EventName = "verification.bank_account_lookup.done"
	EventVerificationCompanyDone               EventName = "verification.company.done"
	EventVerificationWatchlistDone             EventName = "verification.watchlist.done"
	EventVerificationProofOfAddressDone        EventName = "verification.proof_of_address.done"

	// What package session announces of a group, and of the session itself.
	EventWorkflowActionGroupStarted EventName = "workflow_action_group.started"
	EventWorkflowActionGroupBlocked EventName = "workflow_action_group.blocked"
	EventWorkflowActionGroupDone    EventName = "workflow_action_group.done"
	EventWorkflowSessionStarted     EventName = "workflow_session.started"
	EventWorkflowSessionBlocked     EventName = "workflow_session.blocked"
	EventWorkflowSessionDone        EventName = "workflow_session.done"

	// The person who is taken through a session.
	EventApplicantNotified       EventName = "applicant.notified"
	EventApplicantProcessed      EventName = "applicant.processed"
	EventApplicantSessionBlocked EventName = "applicant.session_blocked"
)

// catalogue is every name, in the order in which messages list them.
var catalogue = []EventName{
	EventSignatureRequestActivated, EventSignatureRequestDone, EventSignatureRequestExpired,
	EventSignatureRequestReactivated, EventSignatureRequestReminderExecuted,
	EventSignatureRequestAutomaticReminderExecuted, EventSignatureRequestApproved,
	EventSignatureRequestRejected, EventSignatureRequestDeclined, EventSignatureRequestCanceled,
	EventSignatureRequestDeleted, EventSignatureRequestPermanentlyDeleted,
	EventSignatureRequestPaused, EventSignatureRequestResumed,
	EventSignerNotified, EventSignerLinkOpened, EventSignerDone, EventSignerSenderContacted,
	EventSignerIdentificationBlocked, EventSignerIdentificationSucceeded,
	EventSignerIdentificationFailed, EventSignerIdentificationExpired, EventSignerError,
	EventSignerDeclined, EventSignerIdentitySaved, EventSignerNotificationDeliveryFailed,
	EventContactCreated,
	EventUserCompleted,
	EventApproverNotified, EventApproverApproved, EventApproverRejected,
	EventApproverNotificationDeliveryFailed,
	EventElectronicSealDone, EventElectronicSealError,
	EventDocumentAnalysisDone,
	EventVerificationIdentityVideoDone, EventVerificationIdentityDocumentDone,
	EventVerificationBankAccountDone, EventVerificationBankAccountConnectionDone,
	EventVerificationBankAccountLookupDone, EventVerificationCompanyDone,
	EventVerificationWatchlistDone, EventVerificationProofOfAddressDone,
	EventWorkflowActionGroupStarted, EventWorkflowActionGroupBlocked, EventWorkflowActionGroupDone,
	EventWorkflowSessionStarted, EventWorkflowSessionBlocked, EventWorkflowSessionDone,
	EventApplicantNotified, EventApplicantProcessed, EventApplicantSessionBlocked,
}

// EventNames returns the catalogue, family by family. With families, as
// [EventName.Family] returns them, it returns theirs alone.
func EventNames(families ...string) []EventName {
	if len(families) == 0 {
		return slices.Clone(catalogue)
	}
	var names []EventName
	for _, n := range catalogue {
		if slices.Contains(families, n.Family()) {
			names = append(names, n)
		}
	}
	return names
}

// EventFamilies returns the families of the catalogue.
func EventFamilies() []string {
	var families []string
	for _, n := range catalogue {
		if !slices.Contains(families, n.Family()) {
			families = append(families, n.Family())
		}
	}
	return families
}

// Family returns what the event is about, the part of its name before the first
// dot: "signature_request", "signer". A name without a dot is of no family, "".
func (n EventName) Family() string {
	family, _, found := strings.Cut(string(n), ".")
	if !found {
		return ""
	}
	return family
}

// Known reports whether the catalogue has the name. The [Wildcard] is no name.
func (n EventName) Known() bool { return slices.Contains(catalogue, n) }

// ParseEventName returns the event of the catalogue that text names, or an
// [*UnknownEventError].
func ParseEventName(text string) (EventName, error) {
	if n := EventName(text); n.Known() {
		return n, nil
	}
	return "", newUnknownEvent(text)
}

// ErrUnknownEvent is what every [*UnknownEventError] unwraps to.
var ErrUnknownEvent = errors.New("webhookpolicy: unknown event")

// UnknownEventError says that a text names no event of the catalogue (SUB-3).
type UnknownEventError struct {
	Name string // what was given
	// Known lists the events of the family that was named. It is empty if the
	// family is unknown as well; the message then lists the families.
	Known []EventName
}

// newUnknownEvent lists what may have been meant: the whole catalogue would bury
// the name at fault in fifty others.
func newUnknownEvent(name string) *UnknownEventError {
	return &UnknownEventError{name, EventNames(EventName(name).Family())}
}

func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("webhookpolicy: unknown event %s (SUB-3)", e.reason())
}

// reason is the message for where a rule and a subject are named already.
func (e *UnknownEventError) reason() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("%s; known families: %s", clip(e.Name), strings.Join(EventFamilies(), ", "))
	}
	known := make([]string, len(e.Known))
	for i, n := range e.Known {
		known[i] = string(n)
	}
	return fmt.Sprintf("%s; known: %s", clip(e.Name), strings.Join(known, ", "))
}

// Unwrap returns ErrUnknownEvent.
func (e *UnknownEventError) Unwrap() error { return ErrUnknownEvent }
