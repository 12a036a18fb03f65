package delivery_test

import (
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/webhookpolicy"
)

// few has rapid check less often than by default, unless its flag says how often.
func few(tb testing.TB) {
	tb.Helper()
	f, n := flag.Lookup("rapid.checks"), "40"
	if raced() {
		n = "2"
	}
	if f.Value.String() != f.DefValue {
		return
	}
	require.NoError(tb, f.Value.Set(n))
	tb.Cleanup(func() { require.NoError(tb, f.Value.Set(f.DefValue)) })
}

// WHK: whatever happens, receivers see the calls that the rules grant, at their
// times, and no others. For long:
//
//	go test -run TestModel/random -rapid.checks=10000 -timeout 0 .
func TestModel(t *testing.T) {
	k := newDesk(t, delivery.Options{})
	t.Run("random", func(t *testing.T) {
		few(t)
		rapid.Check(t, func(t *rapid.T) {
			p := drawPlan.Draw(t, "plan")
			if err := play(k, p, twin{}); err != nil {
				t.Fatalf("%v\n%s", err, p)
			}
		})
	})
	t.Run("plans", func(t *testing.T) {
		for name, p := range plans {
			if raced() && name != "released while probed" {
				continue
			}
			require.NoError(t, play(k, p, twin{}), name)
		}
	})
	t.Run("twins", func(t *testing.T) {
		for i, tw := range twins {
			if raced() && i%3 > 0 {
				continue
			}
			require.Error(t, play(k, plans[tw.plan], tw), tw.name)
			if raced() {
				continue
			}
			seed := 0
			for ; seed < 300 && play(k, drawPlan.Example(seed), tw) == nil; seed++ {
			}
			assert.Less(t, seed, 300, "random plans do not find that %s", tw.name)
		}
	})
	if !raced() {
		t.Run("seen", func(t *testing.T) { modelSeen(t, k) })
	}
}

var oneSub = []planSub{{Endpoint: 0, Enabled: true, AutoRetry: true}}

// plans are short ones, each for some of the twins.
var plans = map[string]plan{
	"down": {Subs: oneSub, Patient: true, Ops: []op{
		{Do: "weather", M: 1}, {Do: "publish"}, {Do: "pass", D: 40 * time.Minute},
	}},
	"silent": {Subs: []planSub{{Enabled: true}}, Ops: []op{
		{Do: "weather", M: 2}, {Do: "publish"}, {Do: "pass", D: 10 * time.Minute},
	}},
	"asks": {Subs: oneSub, Answers: []deskAnswer{{
		outcome: webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: 503, RetryAfter: time.Hour},
	}}, Ops: []op{
		{Do: "weather", M: 3}, {Do: "publish"}, {Do: "pass", D: 2 * time.Hour},
	}},
	"suspended": {Subs: oneSub, Ops: []op{
		{Do: "weather", M: 1}, {Do: "suspend"}, {Do: "publish", M: 2}, {Do: "pass", D: 16 * time.Minute}, {Do: "release"},
		{Do: "weather"}, {Do: "pass", D: time.Minute},
	}},
	// A drain that came late because its worker had died was to be as fast as one
	// that does not, and the model had all go at once.
	"late drain": {Subs: oneSub, Ops: []op{
		{Do: "suspend"}, {Do: "publish", M: 2}, {Do: "crash", M: 7}, {Do: "release"}, {Do: "pass", D: time.Minute},
	}},
	"nine calls": {Subs: oneSub, Patient: true, Ops: []op{
		{Do: "weather", M: 1}, {Do: "publish"}, {Do: "pass", D: 100 * time.Hour},
	}},
	// A probe that failed after the operator had released the endpoint had no job
	// for its next call, whose epoch and number were those of the job that ran.
	"released while probed": {Subs: oneSub, Ops: []op{
		{Do: "weather", M: 2}, {Do: "suspend"}, {Do: "publish"}, {Do: "probe"}, {Do: "release"}, {Do: "pass", D: time.Minute},
	}},
}

// twins are what the property must find out.
var twins = []twin{
	{name: "a retry comes a second late", plan: "down", policy: func(p *webhookpolicy.Policy) { p.Delays[1] += time.Second }},
	{name: "there is a retry less", plan: "silent", policy: func(p *webhookpolicy.Policy) { p.Delays = nil }},
	{name: "the first call has 2 s", plan: "silent", policy: func(p *webhookpolicy.Policy) { p.FirstTimeout = 2 * time.Second }},
	{name: "probes begin late", plan: "suspended", policy: func(p *webhookpolicy.Policy) { p.ProbeAfter *= 2 }},
	{name: "a drain is too fast", plan: "suspended", policy: func(p *webhookpolicy.Policy) { p.DrainPerSecond = 20 }},
	{name: "a call does not reach its receiver", plan: "down", lose: func(c *deskCall) bool { return c.Number == 2 }},
	{name: "the number is that of the call before", plan: "down", bend: func(c *deskCall) { c.Number = max(c.Number-1, 0) }},
	{name: "the endpoint is another one", plan: "down", bend: func(c *deskCall) { c.Endpoint += "/" }},
	{name: "a retry has no job", plan: "down", drop: func(kind, args string) bool { return kind == "sluice_call" && number(args) == 1 }},
	{name: "a drain has no job", plan: "suspended", drop: func(kind, _ string) bool { return kind == "sluice_drain" }},
	{name: "a probe has no job", plan: "suspended", drop: func(kind, _ string) bool { return kind == "sluice_probe" }},
	{name: "a failed probe consumes a retry", plan: "suspended", rule: consumes},
	{name: "nothing is owed for a time-out", plan: "silent", rule: notOwed},
	{name: "Retry-After is passed over", plan: "asks", rule: notAsked},
	{name: "the youngest go out first", plan: "suspended", rule: youngest},
}

// modelSeen looks whether plans contain what the property speaks of.
func modelSeen(t *testing.T, k *desk) {
	seen := map[string]int{}
	k.tell = func(what string) { seen[what]++ }
	defer func() { k.tell = nil }()
	for seed := range 60 {
		require.NoError(t, play(k, drawPlan.Example(seed), twin{}))
		for _, d := range k.all() {
			seen[d.State().String()+" "+d.Reason().String()]++
		}
	}
	t.Log(seen)
	for _, what := range []string{
		"delivered none", "exhausted none", "canceled deleted", "canceled disabled", "canceled auto_retry_off", "canceled gone",
		"died", "died in a call", "found", "moved", "probe", "release", "released", "replay", "suspension",
	} {
		assert.Positive(t, seen[what], what)
	}
}
