package attempt_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// The types that most tests use.
const (
	signature = "signature_request"
	company   = "company_verification"
	video     = "identity_video_verification"
	invoice   = "invoice_document_analysis"
)

// statusesOf is RES-2 and RES-3 for those types.
var statusesOf = map[string][]string{
	signature: {
		"draft", "approval", "ongoing", "paused", "done", "rejected", "declined", "expired", "canceled", "deleted",
	},
	company: {"pending", "awaiting_data", "verified", "failed", "inconclusive"},
	video:   {"pending", "verified", "failed", "inconclusive"},
	invoice: {"pending", "awaiting_data", "done", "failed", "inconclusive"},
}

// at is a number of seconds after the time at which every try is made.
func at(seconds int) time.Time {
	return time.Date(2026, time.March, 2, 9, 0, seconds, 0, time.UTC)
}

// inputs is the digest that a text stands for; "" is not known.
func inputs(text string) attempt.Digest {
	var d attempt.Digest
	copy(d[:], text)
	return d
}

// try is an attempt in the words of the spec.
func try(id, typ, status, in string) attempt.Attempt {
	return attempt.Attempt{
		Resource: action.Resource{
			ID: id, Type: must(action.ParseType(typ)), Status: must(action.ParseStatus(status)),
			CreatedAt: at(0), AsOf: at(0),
		},
		Inputs: inputs(in),
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// chainOf is the chain of these attempts, each of which replaced the one
// before.
func chainOf(t require.TestingT, attempts ...attempt.Attempt) attempt.Chain {
	c, err := attempt.Start(attempts[0])
	require.NoError(t, err)
	for _, a := range attempts[1:] {
		c, err = c.Retry(attempt.Retry{Replaces: c.Main().Resource.ID, Next: a})
		require.NoError(t, err)
	}
	return c
}

// failures is a chain of n failed attempts with the ids "1" to "n". Each has
// its id for inputs.
func failures(t require.TestingT, n int) attempt.Chain {
	var attempts []attempt.Attempt
	for i := range n {
		id := strconv.Itoa(i + 1)
		attempts = append(attempts, try(id, company, "failed", id))
	}
	return chainOf(t, attempts...)
}

// observed is the chain after its newest resource was seen with a status.
func observed(t require.TestingT, c attempt.Chain, status string) attempt.Chain {
	main := c.Main().Resource
	c, outcome, err := c.Observe(main.ID, must(action.ParseStatus(status)), main.AsOf.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, action.Taken, outcome)
	return c
}

// resolved is the chain after somebody vouched for it.
func resolved(t require.TestingT, c attempt.Chain) attempt.Chain {
	c, err := c.Resolve(c.Main().Resource.ID, attempt.Resolution{Reason: "seen in person", At: at(60)})
	require.NoError(t, err)
	return c
}

// list is the attempts of a chain.
func list(c attempt.Chain) []attempt.Attempt {
	var attempts []attempt.Attempt
	for _, a := range c.Attempts() {
		attempts = append(attempts, a)
	}
	return attempts
}

// rebuilt is the chain made anew from what it shows.
func rebuilt(c attempt.Chain) (attempt.Chain, error) {
	var resolution *attempt.Resolution
	if r, ok := c.Resolution(); ok {
		resolution = &r
	}
	return attempt.FromAttempts(list(c), resolution)
}

// refusal is what the error of a refused command tells. Without a message, it
// is an error of package action, which has its own tests for what is allowed
// and how that is put.
type refusal struct {
	is      error
	rule    string
	subject string
	allowed []string
	message string
}

// requireRefusal checks all that an error can be asked, and that nothing has
// changed: that the chain returned with it is the one given.
func requireRefusal(t *testing.T, want refusal, err error, given, returned attempt.Chain) {
	t.Helper()
	var got *action.Refusal
	require.ErrorAs(t, err, &got)
	require.ErrorIs(t, err, want.is)
	assert.Equal(t, want.rule, got.Rule)
	assert.Equal(t, want.subject, got.Subject)
	if want.message != "" {
		assert.Equal(t, want.allowed, got.Allowed)
		assert.Equal(t, want.message, err.Error())
	}
	assert.True(t, given.Equal(returned), "the chain has changed")
}

// rules are the rules of refusals, in their order.
func rules(refusals []*action.Refusal) []string {
	var list []string
	for _, r := range refusals {
		list = append(list, r.Rule)
	}
	return list
}
