package attempt_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// What happens with every webhook, and what is asked with every view of a
// session, allocates nothing, be the chain as long as it may. A retry copies
// the attempts before it, once (ATT-8).
func TestAllocations(t *testing.T) {
	c := chainOf(t, append(list(failures(t, 9)), try("main", company, "pending", "main"))...)
	same, short := c, failures(t, 9)
	retry := attempt.Retry{Replaces: "9", Next: try("next", company, "pending", "next")}
	for name, test := range map[string]struct {
		want float64
		do   func()
	}{
		"Observe, taken":       {0, func() { _, _, _ = c.Observe("main", action.Failed, at(1)) }},
		"Observe, duplicate":   {0, func() { _, _, _ = c.Observe("main", action.Pending, at(0)) }},
		"Transition":           {0, func() { _, _, _ = c.Transition("main", action.EventFailed, at(1)) }},
		"Refusals, if allowed": {0, func() { _ = short.Refusals(retry) }},
		"Number, Equal": {0, func() {
			_ = c.Number("5")
			_ = c.Equal(same)
		}},
		"Attempts": {0, func() {
			for range c.Attempts() {
				continue
			}
		}},
		"Retry": {1, func() { _, _ = short.Retry(retry) }},
	} {
		require.LessOrEqual(t, testing.AllocsPerRun(100, test.do), test.want, name)
	}
}

func BenchmarkObserve(b *testing.B) {
	c := chainOf(b, append(list(failures(b, 9)), try("main", company, "pending", "main"))...)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = c.Observe("main", action.Failed, at(1))
	}
}

func BenchmarkObserveFrozen(b *testing.B) {
	c := failures(b, 10)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = c.Observe("1", action.Verified, at(1))
	}
}

func BenchmarkRetry(b *testing.B) {
	c := failures(b, 9)
	retry := attempt.Retry{Replaces: "9", Next: try("next", company, "pending", "next")}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Retry(retry)
	}
}

func BenchmarkFromAttempts(b *testing.B) {
	attempts := list(failures(b, 10))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = attempt.FromAttempts(attempts, nil)
	}
}

func BenchmarkDigest(b *testing.B) {
	digester := attempt.NewDigester(sessionID, []byte(secret))
	body := json.RawMessage(`{"workflow_session_id":"0c4a1f9e","first_name":"Kelly","last_name":"Smith",` +
		`"birth":{"date":"1990-02-03","place":"Caen"},"documents":[{"type":"passport","pages":[1,2]}]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		_, _ = digester.Digest(body)
	}
}
