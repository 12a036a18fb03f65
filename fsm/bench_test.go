package fsm_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
)

// hand is what one would write for signature requests without this package: an
// array by status and event, zero where an event is not allowed.
type hand [action.Deleted + 1][action.EventPermanentlyDeleted + 1]action.Status

var errHand = errors.New("not allowed")

func (h *hand) next(s action.Status, e action.Event) (action.Status, error) {
	if int(s) < len(h) && int(e) < len(h[0]) {
		if next := h[s][e]; next != 0 {
			return next, nil
		}
	}
	return s, errHand
}

// handMade fills the array from the machine, so that both do the same.
func handMade(m *action.Machine) *hand {
	h := new(hand)
	for _, r := range m.Rows() {
		for _, s := range r.From {
			h[s][r.Event] = r.To
		}
	}
	return h
}

// walked leads from ongoing to ongoing. Each step starts where the last one
// ended, so that a processor cannot take two at once.
var walked = [4]action.Event{
	action.EventPaused, action.EventResumed, action.EventExpired, action.EventReactivated,
}

// The loops below run over b.N, and not with b.Loop. That keeps what it finds
// in its body alive, which costs one of the two a store for each step and the
// other none, and the comparison would be of that.

func walkByHand(b *testing.B, h *hand, n int) {
	s := action.Ongoing
	var err error
	for i := range n {
		if s, err = h.next(s, walked[i&3]); err != nil {
			b.Fatal(err)
		}
	}
	kept = s
}

func walkMachine(b *testing.B, m *action.Machine, n int) {
	s := action.Ongoing
	var err error
	for i := range n {
		if s, err = m.Next(s, walked[i&3]); err != nil {
			b.Fatal(err)
		}
	}
	kept = s
}

// kept has the results, lest the compiler leave out what nobody needs.
var (
	kept    action.Status
	keptErr error
)

// BenchmarkNext walks through a table by hand and through the machine.
//
// In ratio, one operation is a round of both, in turn, so that whatever slows
// the computer down slows both. The median over all rounds of machine to hand
// is the metric to look at.
func BenchmarkNext(b *testing.B) {
	m := action.TypeSignatureRequest.Machine()
	h := handMade(m)
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		walkByHand(b, h, b.N)
	})
	b.Run("sluice", func(b *testing.B) {
		b.ReportAllocs()
		walkMachine(b, m, b.N)
	})
	b.Run("ratio", func(b *testing.B) {
		const steps = 1 << 12
		ratios := make([]float64, b.N)
		for i := range ratios {
			start := time.Now()
			walkByHand(b, h, steps)
			turn := time.Now()
			walkMachine(b, m, steps)
			ratios[i] = float64(time.Since(turn)) / float64(turn.Sub(start))
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[len(ratios)/2], "sluice/hand")
	})
}

// BenchmarkNextRefused shows what an error costs: one allocation.
func BenchmarkNextRefused(b *testing.B) {
	m := action.TypeSignatureRequest.Machine()
	b.ReportAllocs()
	for range b.N {
		if _, keptErr = m.Next(action.Done, action.EventPaused); keptErr == nil {
			b.Fatal("not refused")
		}
	}
}

func BenchmarkCan(b *testing.B) {
	m := action.TypeSignatureRequest.Machine()
	b.ReportAllocs()
	n := 0
	for i := range b.N {
		if m.Can(action.Ongoing, walked[i&3]) {
			n++
		}
	}
	if n == 0 {
		b.Fatal("paused is allowed")
	}
}

func BenchmarkAllowed(b *testing.B) {
	m := action.TypeSignatureRequest.Machine()
	b.ReportAllocs()
	for range b.N {
		n := 0
		for range m.Allowed(action.Ongoing) {
			n++
		}
		if n != 5 {
			b.Fatal(n)
		}
	}
}

func BenchmarkReaches(b *testing.B) {
	m := action.TypeSignatureRequest.Machine()
	b.ReportAllocs()
	for i := range b.N {
		if !m.Reaches(action.Ongoing, action.Paused+action.Status(i&1)) {
			b.Fatal("ongoing leads to paused and to expired")
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	m := action.TypeSignatureRequest.Machine()
	table := fsm.Table[action.Status, action.Event]{
		Name: m.Name(), States: m.States(), Initial: m.Initial(), Rows: m.Rows(),
	}
	b.ReportAllocs()
	for range b.N {
		if _, err := fsm.Compile(table); err != nil {
			b.Fatal(err)
		}
	}
}
