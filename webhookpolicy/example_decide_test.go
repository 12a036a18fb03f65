package webhookpolicy_test

import (
	"fmt"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

// A host's loop around Decide: it calls, waits, and keeps what it is told to.
// The endpoint is too slow at first, then down, then well again.
func ExampleDecide() {
	now := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	policy := webhookpolicy.DefaultPolicy()
	subscription, err := webhookpolicy.NewSubscription("3c59dc04", webhookpolicy.Settings{
		Endpoint: "https://example.com/webhooks", Enabled: true,
		Secret: webhookpolicy.NewSecret("0123456789abcdef0123456789abcdef"),
		Events: []webhookpolicy.EventName{webhookpolicy.Wildcard}, Scopes: []string{webhookpolicy.Wildcard},
		AutoRetry: true,
	}, now)
	if err != nil {
		panic(err)
	}
	answers := []webhookpolicy.Outcome{
		{Result: webhookpolicy.TimedOut},
		{Result: webhookpolicy.Answered, Status: 503},
		{Result: webhookpolicy.Answered, Status: 204},
	}

	var health webhookpolicy.Health // of the endpoint
	delivery := webhookpolicy.NewDelivery("8f14e45f", subscription.ID(), now)
	for !delivery.State().IsEnd() {
		var decision webhookpolicy.Decision
		delivery, decision = webhookpolicy.Decide(policy, subscription, health, delivery, webhookpolicy.Outcome{}, now)
		switch decision.Verdict {
		case webhookpolicy.Call:
			fmt.Println("call", decision.Number, "within", decision.Timeout)
			outcome := answers[decision.Number]
			outcome.Began, outcome.Ended = now, now.Add(time.Second)
			now = outcome.Ended
			health = health.Observe(policy, delivery, outcome)
			delivery, _ = webhookpolicy.Decide(policy, subscription, health, delivery, outcome, now)
		case webhookpolicy.Wait:
			fmt.Print(webhookpolicy.Explain(delivery, policy))
			now = decision.At
		default: // Park: until the endpoint is released
			return
		}
	}
	fmt.Print(webhookpolicy.Explain(delivery, policy))
	// Output:
	// call 0 within 1s
	// event 8f14e45f to subscription 3c59dc04: waiting
	//   0  2025-09-22T14:30:00Z  0 s        timed out after 1 s
	//   1  2025-09-22T14:32:01Z  2 min 1 s  due, with 10 s to answer; 8 calls left
	// call 1 within 10s
	// event 8f14e45f to subscription 3c59dc04: waiting
	//   0  2025-09-22T14:30:00Z  0 s        timed out after 1 s
	//   1  2025-09-22T14:32:01Z  2 min 1 s  answered 503 after 1 s
	//   2  2025-09-22T14:38:02Z  8 min 2 s  due, with 10 s to answer; 7 calls left
	// call 2 within 10s
	// event 8f14e45f to subscription 3c59dc04: delivered
	//   0  2025-09-22T14:30:00Z  0 s        timed out after 1 s
	//   1  2025-09-22T14:32:01Z  2 min 1 s  answered 503 after 1 s
	//   2  2025-09-22T14:38:02Z  8 min 2 s  answered 204 after 1 s
	//   delivered
}

// When the calls go out that an endpoint never answers in time.
func ExampleTimetable() {
	start := time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)
	policy := webhookpolicy.DefaultPolicy()
	fmt.Print(webhookpolicy.Timetable(policy, true, start))
	fmt.Println("Without auto_retry:")
	fmt.Print(webhookpolicy.Timetable(policy, false, start))
	// Output:
	//   0  2025-09-22T14:30:00Z  0 s               timed out after 1 s
	//   1  2025-09-22T14:32:01Z  2 min 1 s         timed out after 10 s
	//   2  2025-09-22T14:38:11Z  8 min 11 s        timed out after 10 s
	//   3  2025-09-22T15:08:21Z  38 min 21 s       timed out after 10 s
	//   4  2025-09-22T16:08:31Z  1 h 38 min 31 s   timed out after 10 s
	//   5  2025-09-22T21:08:41Z  6 h 38 min 41 s   timed out after 10 s
	//   6  2025-09-23T15:08:51Z  24 h 38 min 51 s  timed out after 10 s
	//   7  2025-09-24T15:09:01Z  48 h 39 min 1 s   timed out after 10 s
	//   8  2025-09-26T15:09:11Z  96 h 39 min 11 s  timed out after 10 s
	//   exhausted
	// Without auto_retry:
	//   0  2025-09-22T14:30:00Z  0 s        timed out after 1 s
	//   1  2025-09-22T14:32:01Z  2 min 1 s  timed out after 10 s
	//   exhausted
}
