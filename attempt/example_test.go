package attempt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

var morning = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// identityCheck is a document check that its provider has just created.
func identityCheck(id string) action.Resource {
	return action.Resource{
		ID: id, Type: action.TypeIdentityDocumentVerification, Status: action.Pending,
		CreatedAt: morning, AsOf: morning,
	}
}

// document is what the person showed to be checked.
func document(picture string) attempt.Digest {
	d, err := attempt.NewDigester("0c4a1f9e", nil).Digest(
		map[string]string{"first_name": "Kelly", "last_name": "Smith"},
		attempt.File{Field: "document", Content: strings.NewReader(picture)},
	)
	if err != nil {
		panic(err)
	}
	return d
}

// Three attempts at one check: the first fails, the second decides nothing, the
// third succeeds. The Action has the status of the last.
func Example() {
	chain, err := attempt.Start(attempt.Attempt{Resource: identityCheck("5c07d3aa"), Inputs: document("blurred")})
	if err != nil {
		fmt.Println(err)
		return
	}
	chain, _, _ = chain.Observe("5c07d3aa", action.Failed, morning.Add(time.Minute))

	for _, next := range []struct {
		id, picture string
		ends        action.Status
	}{
		{"79a291fc", "cut off", action.Inconclusive},
		{"e1b3c08d", "sharp", action.Verified},
	} {
		chain, err = chain.Retry(attempt.Retry{
			Replaces: chain.Main().Resource.ID,
			Next:     attempt.Attempt{Resource: identityCheck(next.id), Inputs: document(next.picture)},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		chain, _, _ = chain.Observe(next.id, next.ends, morning.Add(time.Minute))
	}

	for number, a := range chain.Attempts() {
		fmt.Printf("#%d %s %s\n", number, a.Resource.ID, a.Resource.Status)
	}
	fmt.Println("the action is", chain.Main().Resource.Status)
	fmt.Println("retries left:", chain.Left(), "verifications used:", chain.VerificationsUsed())

	// What happens to a previous attempt's resource is no longer reflected.
	_, outcome, err := chain.Observe("79a291fc", action.Verified, morning.Add(time.Hour))
	fmt.Println(outcome, err)
	// Output:
	// #1 5c07d3aa failed
	// #2 79a291fc inconclusive
	// #3 e1b3c08d verified
	// the action is verified
	// retries left: 7 verifications used: 3
	// frozen <nil>
}

// failedTwice is a chain of two failed attempts.
func failedTwice() attempt.Chain {
	first, second := identityCheck("5c07d3aa"), identityCheck("79a291fc")
	first.Status, second.Status = action.Failed, action.Failed
	chain, err := attempt.FromAttempts([]attempt.Attempt{
		{Resource: first, Inputs: document("blurred")},
		{Resource: second, Inputs: document("cut off")},
	}, nil)
	if err != nil {
		panic(err)
	}
	return chain
}

// The same picture again would fail again. The error says which rule refuses
// and what to do about it; the chain is as it was.
func ExampleChain_Retry_refused() {
	chain := failedTwice()
	chain, err := chain.Retry(attempt.Retry{
		Replaces: "79a291fc",
		Next:     attempt.Attempt{Resource: identityCheck("e1b3c08d"), Inputs: document("cut off")},
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, attempt.ErrInputsUnchanged))

	var refusal *action.Refusal
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Rule, refusal.Subject)
	}
	fmt.Println(chain.Len(), "attempts")
	// Output:
	// attempt: retry of 79a291fc refused: inputs are those of attempt 2 (ATT-6)
	// true
	// ATT-6 79a291fc
	// 2 attempts
}

// Refusals lists everything at once, for a form that shows all that must be put
// right. Retry reports the first of the list.
func ExampleChain_Refusals() {
	retry := attempt.Retry{
		Replaces:  "5c07d3aa",
		Next:      attempt.Attempt{Resource: identityCheck("e1b3c08d"), Inputs: document("cut off")},
		Elsewhere: "session 4f1d",
	}
	retry.Next.Resource.Type = action.TypeIdentityVideoVerification
	for _, refusal := range failedTwice().Refusals(retry) {
		fmt.Println(refusal)
	}
	// Output:
	// attempt: retry of 5c07d3aa refused: it is attempt 1, which was replaced; allowed: 79a291fc (ATT-8)
	// attempt: retry of 5c07d3aa refused: e1b3c08d is of type identity_video_verification; allowed: identity_document_verification (ATT-4)
	// attempt: retry of 5c07d3aa refused: inputs are those of attempt 2 (ATT-6)
	// attempt: retry of 5c07d3aa refused: e1b3c08d stands in session 4f1d (ATT-12)
}

// Somebody has seen the person and the passport. The check itself stays failed;
// what the group reads is settled.
func ExampleChain_Resolve() {
	chain, err := failedTwice().Resolve("79a291fc", attempt.Resolution{
		Reason: "seen in person", By: "alex@example.com", At: morning,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("status:", chain.Main().Resource.Status)
	resolution, ok := chain.Resolution()
	fmt.Println("resolved:", ok, "-", resolution.Reason)

	// It stays so, and there is nothing left to try again.
	_, err = chain.Resolve("79a291fc", attempt.Resolution{At: morning})
	fmt.Println(err)
	_, err = chain.Retry(attempt.Retry{
		Replaces: "79a291fc",
		Next:     attempt.Attempt{Resource: identityCheck("e1b3c08d"), Inputs: document("sharp")},
	})
	fmt.Println(err)
	// Output:
	// status: failed
	// resolved: true - seen in person
	// attempt: resolution of 79a291fc refused: it is resolved already (RSL-5)
	// attempt: retry of 79a291fc refused: its action is resolved (ATT-3)
}

// What was sent is not kept, only its digest: enough to tell that something is
// new, and no more. Neither the spelling of the JSON nor where the attempt goes
// counts; the content of the files does.
func ExampleDigester_Digest() {
	digester := attempt.NewDigester("0c4a1f9e", []byte("a secret of the host, 32 bytes!!"))
	digest := func(body, picture string) attempt.Digest {
		d, err := digester.Digest(json.RawMessage(body), attempt.File{Field: "document", Content: strings.NewReader(picture)})
		if err != nil {
			panic(err)
		}
		return d
	}
	first := digest(`{"first_name":"Kelly","age":30}`, "blurred")
	fmt.Println(first == digest(`{ "age": 3.0e1, "first_name": "K\u0065lly", "previous_attempt_id": "79a291fc" }`, "blurred"))
	fmt.Println(first == digest(`{"first_name":"Kelly","age":30}`, "sharp"))
	// Output:
	// true
	// false
}
