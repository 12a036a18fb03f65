package transcript_test

import (
	"fmt"
	"os"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

// Kelly Smith's identity card cannot be read, and the same photo again is
// refused.
func Example() {
	p := transcript.Printer{W: os.Stdout}
	now := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)

	var s session.Session
	do := func(title string, c session.Command) {
		var step transcript.Step
		step.Title, step.At, step.Command = title, now, c
		step.Session, step.Change, step.Err = session.Apply(s, c, now)
		if err := p.Step(step); err != nil {
			fmt.Println(err)
		}
		s = step.Session
		now = now.Add(time.Minute)
	}

	do("A session begins", session.Create{
		ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47",
		Template: session.Template{
			ID: "35a07993", Name: "Customer onboarding",
			ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest},
		},
	})
	photo, err := attempt.NewDigester(s.ID(), nil).Digest(map[string]string{"photo": "blurred"})
	if err != nil {
		fmt.Println(err)
	}
	card := action.Resource{
		ID: "79a291fc", Type: action.TypeIdentityDocumentVerification, Status: action.Failed,
		CreatedAt: now, AsOf: now,
	}
	do("Her photo cannot be read", session.Link{Resource: card, Inputs: photo})
	card.ID = "8d11f3a0"
	do("The same photo again", session.Link{Resource: card, Inputs: photo, PreviousAttemptID: "79a291fc"})

	// Output:
	// A session begins                                         2025-09-22 14:30:00 UTC
	//     create      c0cbf043
	//     name        Onboarding of Kelly Smith
	//     template    Customer onboarding
	//                 35a07993
	//     workspace   814aac47
	//
	//     Onboarding of Kelly Smith                       awaiting
	//       identity_verification                         awaiting
	//       signature_request                             awaiting
	//
	// Her photo cannot be read                                 2025-09-22 14:31:00 UTC
	//     link        79a291fc: failed
	//     type        identity_document_verification
	//
	//   > Onboarding of Kelly Smith                       blocked
	//   >   identity_verification                         blocked
	//   >     identity_document_verification
	//   >       #1  79a291fc                              failed
	//       signature_request                             awaiting
	//
	//     announced   workflow_action_group.blocked  identity_verification
	//                 workflow_session.blocked
	//     blocked by  79a291fc, failed (attempt 1)
	//     ways out    retry with changed inputs (9 attempts left)
	//                 resolve by hand, if it was checked outside
	//
	// The same photo again                                     2025-09-22 14:32:00 UTC
	//     link        8d11f3a0: failed
	//     type        identity_document_verification
	//     after       79a291fc
	//     refused     retry: inputs are those of attempt 1 (ATT-6)
	//     session     as it was: blocked
}
