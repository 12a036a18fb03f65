package session_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// large is a session with a group of every type and five actions in each, all
// with the same status.
func large(tb testing.TB, signatures, others string) session.Session {
	tb.Helper()
	r := begin(tb)
	for _, g := range group.Types() {
		for i := range 5 {
			status := others
			if g == group.SignatureRequest {
				status = signatures
			}
			r.do(link(fmt.Sprintf("%s-%d", g, i), g.Admits()[0].String(), status))
		}
	}
	return r.s
}

// long is a history of n events, without building the n sessions on the way:
// every second one links a resource, the others observe it again.
func long(n int) []session.Event {
	stays := session.Move{From: session.Ongoing, To: session.Ongoing}
	history := make([]session.Event, 0, n)
	history = append(history, session.Event{
		SessionID: "s1", Version: 1, At: start, Session: session.Move{To: session.Awaiting},
		Fact: session.Created{
			Name: "n", TemplateID: "t1", WorkspaceID: "w1", Groups: []group.Type{group.CompanyVerification},
		},
	})
	var id string
	for i := 1; i < n; i++ {
		e := session.Event{
			SessionID: "s1", Version: i + 1, At: at(i), GroupType: group.CompanyVerification, Group: stays, Session: stays,
		}
		if i%2 == 1 {
			id = fmt.Sprint("resource-", i)
			e.Fact = session.Linked(link(id, company, "pending"))
		} else {
			e.Fact = session.Observed(observe(id, "pending", i))
		}
		if i == 1 {
			e.Group.From, e.Session.From = session.Awaiting, session.Awaiting
		}
		history = append(history, e)
	}
	return history
}

// An observation costs a handful of allocations, however large the session is:
// the lists that change are copied, and nothing else.
func TestApply_Allocations(t *testing.T) {
	s := large(t, "ongoing", "pending")
	var c session.Command = observe("document_analysis-4", "failed", 3600)
	allocs := testing.AllocsPerRun(100, func() {
		if _, _, err := session.Apply(s, c, at(3600)); err != nil {
			t.Fatal(err)
		}
	})
	assert.LessOrEqual(t, allocs, 4.0)
}

// Without anything new to tell, there is nothing to copy.
func TestApply_AllocationsWithoutNews(t *testing.T) {
	s := large(t, "ongoing", "pending")
	var c session.Command = observe("document_analysis-4", "pending", 0)
	allocs := testing.AllocsPerRun(100, func() {
		if _, _, err := session.Apply(s, c, at(3600)); err != nil {
			t.Fatal(err)
		}
	})
	assert.LessOrEqual(t, allocs, 1.0)
}

// A list of Actions has room for all of them from the beginning, and does not grow
// with each of them again.
func TestReplay_Allocations(t *testing.T) {
	h := long(1_000)
	allocs := testing.AllocsPerRun(10, func() {
		if _, err := session.Replay(h); err != nil {
			t.Fatal(err)
		}
	})
	assert.LessOrEqual(t, allocs, 8.0)
}

// The memory that Replay takes is linear in the number of events, both in
// pieces and in bytes: whatever copied the session, or a list of it, for each
// event would take twenty times as much for each of twenty times as many.
func TestReplay_Linear(t *testing.T) {
	type cost struct{ pieces, bytes float64 }
	perEvent := func(n int) cost {
		h := long(n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := session.Replay(h)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		return cost{
			pieces: float64(after.Mallocs-before.Mallocs) / float64(n),
			bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
		}
	}
	perEvent(100) // whatever is made once
	few, many := perEvent(1_000), perEvent(20_000)
	t.Logf("per event: %.1f pieces and %.0f bytes of 1,000; %.1f pieces and %.0f bytes of 20,000",
		few.pieces, few.bytes, many.pieces, many.bytes)
	assert.Less(t, many.pieces, 2*few.pieces)
	assert.Less(t, many.bytes, 3*few.bytes, "lists that grow by parts may waste some")
}

// The histories of the benchmarks are ones that there can be.
func TestReplay_Long(t *testing.T) {
	s := replayed(t, long(1_001))
	assert.Equal(t, 1_001, s.Version())
	assert.Equal(t, 500, groupOf(t, s, group.CompanyVerification).Len())
	assert.Equal(t, session.Ongoing, s.Status())
}

func BenchmarkApply(b *testing.B) {
	s := large(b, "ongoing", "pending")
	now := start.Add(time.Hour)
	observed := func(status action.Status) session.Command {
		return session.Observe{ResourceID: "document_analysis-4", Status: status, AsOf: now}
	}
	for name, c := range map[string]session.Command{
		"observe":          observed(action.Failed),
		"observe as of":    observed(action.Pending),
		"observe nothing":  observe("document_analysis-4", "pending", 0),
		"transition":       event("signature_request-0", "done", 3600),
		"resolve":          resolve("company_verification-2"),
		"link":             link("another", invoice, "pending"),
		"refused: unknown": observe("nobody", "failed", 0),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = session.Apply(s, c, now)
			}
		})
	}
}

func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := long(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := session.Replay(h); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/event")
		})
	}
}

func BenchmarkDocument(b *testing.B) {
	s := large(b, "ongoing", "failed")
	document, kept := []byte(document(b, s)), []byte(snapshot(b, s))
	for name, f := range map[string]func() error{
		"MarshalJSON":   func() error { _, err := s.MarshalJSON(); return err },
		"ParseDocument": func() error { _, _, err := session.ParseDocument(document); return err },
		"Snapshot":      func() error { _, err := s.Snapshot(); return err },
		"FromSnapshot":  func() error { _, err := session.FromSnapshot(kept); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// pages are documents of several sizes, every member present.
func pages(tb testing.TB) map[string][]byte {
	tb.Helper()
	small := begin(tb, group.IdentityVerification, group.SignatureRequest).
		do(link("79a291fc", identity, "verified"), link("6f7001fc", signature, "expired")).s
	return map[string][]byte{
		"small":          []byte(document(tb, small)),
		"medium":         []byte(document(tb, medium(tb))),
		"large, blocked": []byte(document(tb, large(tb, "expired", "failed"))),
		"large, ongoing": []byte(document(tb, large(tb, "ongoing", "pending"))),
	}
}

// medium is a session with four groups. In each, one action is done, one blocks
// after a retry and one was resolved, if it can be.
func medium(tb testing.TB) session.Session {
	tb.Helper()
	types := group.Types()[:4]
	r := begin(tb, types...)
	for _, g := range types {
		typ, failed, done := g.Admits()[0].String(), "failed", "verified"
		if g == group.SignatureRequest {
			failed, done = "declined", "done"
		}
		id := func(n int) string { return fmt.Sprintf("%04d%04d-0000-4000-8000-000000000000", g, n) }
		r.do(link(id(0), typ, failed), retry(id(0), id(1), typ, failed), link(id(2), typ, done))
		if g != group.SignatureRequest {
			r.do(link(id(3), typ, failed), resolve(id(3)))
		}
	}
	return r.s
}

func BenchmarkBlockers(b *testing.B) {
	for name, s := range map[string]session.Session{
		"none": large(b, "ongoing", "pending"),
		"all":  large(b, "expired", "failed"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Blockers()
			}
		})
	}
}

// A session takes as many attempts as the rules allow without costing more for
// each than the one before.
func BenchmarkRetries(b *testing.B) {
	s := begin(b).do(link("0", company, "failed")).s
	var commands []session.Link
	for n := 1; n < attempt.Max; n++ {
		commands = append(commands, retry(fmt.Sprint(n-1), fmt.Sprint(n), company, "failed"))
	}
	b.ReportAllocs()
	for b.Loop() {
		s := s
		for _, c := range commands {
			s, _, _ = session.Apply(s, c, at(60))
		}
	}
}
