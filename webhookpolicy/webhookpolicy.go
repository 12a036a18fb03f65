// Package webhookpolicy decides who is told of an event, how, when again after
// a failure, and when no more.
//
// Everything in it is a value or a pure function: it calls nobody. A deliverer
// asks it what to do, does it, and says what happened. Time and random bytes
// come in with the call, so whole weeks of retries run in a test within
// milliseconds, and a decision in production is that of the test.
//
// # Who: subscriptions (SUB)
//
// A [Subscription] is made of [Settings], which NewSubscription checks: all rules
// that they break are reported at once, each as a [*FieldError] with the rule's
// id. [Subscription.Matches] says whether an [Event] is to be sent to it. A
// [Matcher] finds the subscriptions that match among hundreds of thousands, in a
// time that follows how many do.
//
// The key of a subscription is a [Secret], which shows itself to nobody unless
// it is revealed by name.
//
// # What: the body of a call (WHK-9 to WHK-11)
//
// [Subscription.Envelope] begins an [Envelope], and [Envelope.Encode] gives the
// bytes: once, since all calls of a delivery send the same. [Policy.Headers]
// signs them for each call. On the other side, a [Receiver] checks the signature
// first and reads the body then; [Seen] tells what was received before.
//
// # When: retries (WHK-1 to WHK-8, WHK-13, WHK-14)
//
// A [Delivery] is one event on its way to one subscription. [Decide] takes it
// with the [Policy], the subscription as it is now, the [Health] of the endpoint
// and the [Outcome] of a call, and gives the next delivery and a [Decision]:
// call now, wait until a time, park, or end. [Explain] tells a delivery's story.
//
// So a deliverer goes on like this, and keeps what it gets:
//
//	for _, s := range matcher.Match(event) {
//		// Store the body of s.Envelope(...) and the Delivery of NewDelivery.
//	}
//	delivery, decision := webhookpolicy.Decide(policy, s, health, delivery, outcome, now)
//	if decision.Verdict == webhookpolicy.Call {
//		headers, err := policy.Headers(body, s.Secret(), decision.Number, now)
//		// POST body to decision.Endpoint within decision.Timeout, then tell
//		// health.Observe and Decide the outcome.
//	}
//
// Addresses that are not public are refused where the connection is made
// (WHK-12), which is the deliverer's part.
package webhookpolicy
