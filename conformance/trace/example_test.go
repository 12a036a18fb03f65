package trace_test

import (
	"fmt"
	"strings"

	"github.com/sluicego/sluice/conformance/trace"
)

func ExampleCheck() {
	const recorded = `
{"at":"2025-09-22T14:30:00Z","session":"s1","command":"create","name":"Kelly","workspace_id":"w1","template":{"id":"t1","name":"Onboarding","action_groups":[{"type":"identity_verification"}]}}
{"at":"2025-09-22T14:32:00Z","session":"s1","command":"link","inputs":{"photo":"blurred"},"resource":{"id":"v1","type":"identity_document_verification","status":"pending"}}
{"at":"2025-09-22T14:33:00Z","webhook":{"event_name":"verification.identity_document.done","event_time":"1758551580","data":{"verification":{"id":"v1","status":"failed"}}}}
{"at":"2025-09-22T14:33:01Z","session":"s1","seen":{"status":"blocked","groups":{"identity_verification":"ongoing"}}}
{"at":"2025-09-22T14:34:00Z","session":"s1","command":"link","refused":false,"inputs":{"photo":"blurred"},"previous_attempt_id":"v1","resource":{"id":"v2","type":"identity_document_verification","status":"pending"}}
`
	summary, err := trace.Check(strings.NewReader(recorded), trace.Options{}, func(f trace.Finding) error {
		fmt.Println(f)
		return nil
	})
	fmt.Println(summary)
	fmt.Println(err)
	// Output:
	// line 5: session s1: group identity_verification (GRP-2): expected blocked, seen ongoing
	// line 6: session s1: link of v2 (ATT-6): expected refused by ATT-6 (inputs are those of attempt 1), seen accepted (follows line 5)
	// 2 findings in 6 lines: 3 commands, 1 webhook (0 passed over), 1 look, 0 announcements, 1 session; 1 session diverged
	// <nil>
}
