package memstore_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/memstore"
	"github.com/sluicego/sluice/session/sessiontest"
)

// The store has every optional ability.
var (
	_ session.Store   = (*memstore.Store)(nil)
	_ session.Finder  = (*memstore.Store)(nil)
	_ session.Lister  = (*memstore.Store)(nil)
	_ session.History = (*memstore.Store)(nil)
	_ session.Outbox  = (*memstore.Store)(nil)
	_ session.Archive = (*memstore.Store)(nil)
)

func TestStore(t *testing.T) {
	sessiontest.Run(t, func(testing.TB) session.Store { return new(memstore.Store) })
}

// With a context that is done, no method answers.
func TestCanceled(t *testing.T) {
	store := new(memstore.Store)
	fill(t, store, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Load(ctx, "s0000000")
	require.ErrorIs(t, err, context.Canceled)
	_, err = store.Find(ctx, "s0000000.1")
	require.ErrorIs(t, err, context.Canceled)
	_, err = store.List(ctx, session.Query{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = store.History(ctx, "s0000000", 0)
	require.ErrorIs(t, err, context.Canceled)
}

// Positions are the texts that were given out and no other spelling of them.
func TestPositions(t *testing.T) {
	store := new(memstore.Store)
	fill(t, store, 1)
	entries, err := store.Announced(t.Context(), "", 10)
	require.NoError(t, err)
	require.Equal(t, "1", entries[0].Position)
	for _, position := range []string{"0", "+1", "01", "1.0", "-1", "one"} {
		_, err := store.Announced(t.Context(), position, 10)
		require.EqualError(t, err, fmt.Sprintf("session: invalid cursor %q: it is no position in this outbox; "+
			"give one that was returned, or none for the beginning", position))
	}
}

// Who asks for no entries, or for fewer, gets none.
func TestNoEntries(t *testing.T) {
	store := new(memstore.Store)
	fill(t, store, 1)
	for _, limit := range []int{0, -1} {
		entries, err := store.Announced(t.Context(), "", limit)
		require.NoError(t, err)
		require.Empty(t, entries)
		entries, err = store.Claim(t.Context(), limit, noon, time.Hour)
		require.NoError(t, err)
		require.Empty(t, entries)
	}
}

// A version before the first is no other than none.
func TestHistoryBehindNothing(t *testing.T) {
	store := new(memstore.Store)
	fill(t, store, 1)
	events, err := store.History(t.Context(), "s0000000", -1)
	require.NoError(t, err)
	require.Len(t, events, 2)
}

// What the store says no to, it says so that the message reads well alone.
func TestMessages(t *testing.T) {
	store := new(memstore.Store)
	fill(t, store, 2)
	first, err := store.Load(t.Context(), "s0000000")
	require.NoError(t, err)

	_, err = store.Load(t.Context(), "nobody")
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.History(t.Context(), "nobody", 0)
	require.EqualError(t, err, "session nobody: session: not found")
	_, err = store.Find(t.Context(), "nothing")
	require.EqualError(t, err, "resource nothing: session: not found")

	next, change, err := session.Apply(first, link("r"), noon)
	require.NoError(t, err)
	require.NoError(t, store.Save(t.Context(), next, change.Events))
	require.EqualError(t, store.Save(t.Context(), next, change.Events),
		"session s0000000 is stored in version 3, not 2: session: conflict")

	second, err := store.Load(t.Context(), "s0000001")
	require.NoError(t, err)
	next, change, err = session.Apply(second, link("r"), noon)
	require.NoError(t, err)
	require.EqualError(t, store.Save(t.Context(), next, change.Events),
		"session: link of r refused: it stands in session s0000000 (ATT-12)")
}

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

func link(resourceID string) session.Link {
	return session.Link{Resource: action.Resource{
		ID: resourceID, Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: noon, AsOf: noon,
	}}
}

// fill creates sessions, ten a second, each with one Action, which is blocked
// in every tenth of them.
func fill(tb testing.TB, store session.Store, n int) {
	tb.Helper()
	for i := range n {
		id := fmt.Sprintf("s%07d", i)
		s, created, err := session.New(session.Create{
			ID: id, Name: "Onboarding", WorkspaceID: "w",
			Template: session.Template{ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification}},
		}, noon.Add(time.Duration(i/10)*time.Second))
		require.NoError(tb, err)
		c := link(id + ".1")
		if i%10 == 9 {
			c.Resource.Status = action.Failed
		}
		s, linked, err := session.Apply(s, c, noon)
		require.NoError(tb, err)
		require.NoError(tb, store.Save(tb.Context(), s, append(created.Events, linked.Events...)))
	}
}

const many = 10_000

func BenchmarkLoad(b *testing.B) {
	store := new(memstore.Store)
	fill(b, store, many)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Load(b.Context(), "s0005000"); err != nil {
			b.Fatal(err)
		}
	}
}

// A provider's report finds its session and is saved.
func BenchmarkUpdateByResource(b *testing.B) {
	store := new(memstore.Store)
	fill(b, store, many)
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		asOf := noon.Add(time.Duration(i) * time.Second)
		report := session.Observe{ResourceID: "s0005000.1", Status: action.Pending, AsOf: asOf}
		if _, _, err := session.UpdateByResource(b.Context(), store, report.ResourceID, report, asOf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSave(b *testing.B) {
	store := new(memstore.Store)
	fill(b, store, many)
	s, err := store.Load(b.Context(), "s0005000")
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		asOf := noon.Add(time.Duration(i) * time.Second)
		next, change, err := session.Apply(s, session.Observe{ResourceID: "s0005000.1", Status: action.Pending, AsOf: asOf}, asOf)
		if err != nil {
			b.Fatal(err)
		}
		if err := store.Save(b.Context(), next, change.Events); err != nil {
			b.Fatal(err)
		}
		s = next
	}
}

// A page costs the same wherever it begins, but for what a filter leaves out.
func BenchmarkList(b *testing.B) {
	store := new(memstore.Store)
	fill(b, store, many)
	queries := map[string]session.Query{
		"all":     {Limit: 100},
		"blocked": {Limit: 100, Status: session.Blocked},
	}
	for _, name := range []string{"all", "blocked"} {
		for _, at := range []int{0, many * 8 / 10} {
			q := queries[name]
			if at > 0 {
				s, err := store.Load(b.Context(), fmt.Sprintf("s%07d", at))
				require.NoError(b, err)
				q.Cursor = session.PositionOf(s).Cursor()
			}
			b.Run(name+"/from="+strconv.Itoa(at), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					page, err := store.List(b.Context(), q)
					if err != nil || len(page.Items) != 100 {
						b.Fatal(len(page.Items), err)
					}
				}
			})
		}
	}
}
