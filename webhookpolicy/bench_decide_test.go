package webhookpolicy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wp "github.com/sluicego/sluice/webhookpolicy"
)

// decisions are what a busy deliverer asks all day.
var decisions = []struct {
	name     string
	health   wp.Health
	delivery wp.Delivery
	outcome  wp.Outcome
	now      time.Time
	want     wp.Verdict
}{
	{"call", well, fresh, nothing, clock(0), wp.Call},
	{"wait", well, after(failure), nothing, clock(0), wp.Wait},
	{"park", suspended(clock(0)), fresh, nothing, clock(0), wp.Park},
	{"done", well, fresh, during(answer(200), clock(0), time.Second), clock(0), wp.Done},
	{"failed", well, fresh, during(timeout, clock(0), time.Second), clock(0), wp.Wait},
	{"exhausted", well, after(times(8, failure)...), during(timeout, clock(0), time.Second), clock(0), wp.Exhaust},
}

// WHK-14: a decision is a value made of values: it allocates nothing, nor does
// what goes into it.
func TestDecide_Allocations(t *testing.T) {
	for _, tt := range decisions {
		t.Run("WHK-14: "+tt.name, func(t *testing.T) {
			_, decision := wp.Decide(defaults, willing, tt.health, tt.delivery, tt.outcome, tt.now)
			require.Equal(t, tt.want, decision.Verdict)
			assert.Zero(t, testing.AllocsPerRun(100, func() {
				d, _ := wp.Decide(defaults, willing, tt.health, tt.delivery, tt.outcome, tt.now)
				_ = tt.health.Observe(defaults, d, tt.outcome)
			}))
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	p, s := defaults, willing
	for _, tt := range decisions {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = wp.Decide(p, s, tt.health, tt.delivery, tt.outcome, tt.now)
			}
		})
	}
}

func BenchmarkHealth_Observe(b *testing.B) {
	p, d, o := defaults, after(failure), during(answer(200), clock(0), time.Second)
	b.ReportAllocs()
	var h wp.Health
	for b.Loop() {
		o.Ended = o.Ended.Add(time.Second)
		h = h.Observe(p, d, o)
	}
}
