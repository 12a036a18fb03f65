package postgres

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/session"
)

var size = flag.Int("sessions", 20_000, "sessions of the benchmarks of List; a tenth of them for VerifyAll")

var benchNoon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// benchStore opens a store on a server that waits for its disk.
func benchStore(b *testing.B, writers int32) *Store {
	b.Helper()
	server := pgtest.Start(b, pgtest.Config{Fsync: true, Settings: []string{
		"autovacuum=on", "shared_buffers=512MB", "max_wal_size=4GB",
	}})
	store, err := Open(b.Context(), server.Database(b), Options{Configure: func(c *pgxpool.Config) { c.MaxConns = writers }})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	return store
}

// life returns a session of two events, and one event after another.
func life(b *testing.B, id string, more int) (states []session.Session, events [][]session.Event) {
	b.Helper()
	var s session.Session
	do := func(c session.Command) []session.Event {
		next, change, err := session.Apply(s, c, benchNoon)
		require.NoError(b, err)
		require.NotEmpty(b, change.Events)
		s = next
		return change.Events
	}
	first := do(session.Create{ID: id, Name: "Onboarding", WorkspaceID: "w", Template: session.Template{
		ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification, group.SignatureRequest},
	}})
	first = append(first, do(session.Link{Resource: action.Resource{
		ID: id + ".1", Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: benchNoon, AsOf: benchNoon,
	}})...)
	states, events = append(states, s), append(events, first)
	for i := range more {
		e := do(session.Observe{ResourceID: id + ".1", Status: action.Pending, AsOf: benchNoon.Add(time.Duration(i+1) * time.Second)})
		states, events = append(states, s), append(events, e)
	}
	return states, events
}

// BenchmarkSave compares Save with its statement alone, sent through pgx, by turns
// and on sessions alike. The metric ratio is how many saves there are in the time
// of one bare statement.
func BenchmarkSave(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) { benchmarkSave(b, writers) })
	}
}

func benchmarkSave(b *testing.B, writers int) {
	store := benchStore(b, 16)
	const block = 50 // saves of each writer by turns
	var ours, bare time.Duration
	done := 0
	for round := 0; b.Loop(); round++ {
		b.StopTimer()
		saves := make([][]func() error, 2*writers)
		for w := range saves {
			saves[w] = sequence(b, store, fmt.Sprintf("%d.%d", round, w), block, w < writers)
		}
		b.StartTimer()
		// Who is first changes, so that neither has the better time.
		for _, first := range []bool{round%2 == 0, round%2 != 0} {
			if first {
				ours += together(b, saves[:writers])
			} else {
				bare += together(b, saves[writers:])
			}
		}
		done += writers * block
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(done)/ours.Seconds(), "saves/s")
	b.ReportMetric(float64(done)/bare.Seconds(), "bare/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ratio")
}

// sequence returns the saves of one session, one after another, through the store
// or bare.
func sequence(b *testing.B, store *Store, id string, n int, throughStore bool) []func() error {
	b.Helper()
	states, events := life(b, id, n)
	var saves []func() error
	for i := range states {
		save := func() error { return store.Save(context.Background(), states[i], events[i]) }
		if !throughStore {
			w, err := newSave(states[i], events[i])
			require.NoError(b, err)
			save = func() error {
				var saved bool
				var version int
				err := store.pool.QueryRow(context.Background(), w.query, w.args...).Scan(&saved, &version)
				if err == nil && !saved {
					err = errors.New("not saved")
				}
				return err
			}
		}
		saves = append(saves, save)
	}
	require.NoError(b, saves[0]())
	return saves[1:]
}

// together runs sequences at once, and returns how long that took.
func together(b *testing.B, sequences [][]func() error) time.Duration {
	begin := time.Now()
	var all sync.WaitGroup
	for _, saves := range sequences {
		all.Go(func() {
			for _, save := range saves {
				if err := save(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	return time.Since(begin)
}

// fill writes sessions like one of so many events, without the way through Save.
// If they are spread, ten are created in a second, and in as many workspaces.
func fill(b *testing.B, store *Store, n, events int, spread bool) {
	b.Helper()
	states, saved := life(b, "SESSION", events-2)
	require.NoError(b, store.Save(b.Context(), states[0], saved[0]))
	for i := 1; i < len(states); i++ {
		require.NoError(b, store.Save(b.Context(), states[i], saved[i]))
	}
	seconds, workspace := "0", "''"
	if spread {
		seconds, workspace = "i / 10", "i % 10"
	}
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO sluice_sessions
			SELECT 's' || lpad(i::text, 8, '0'), version, status, 'w' || %[3]s, template_id, created_at + %[1]s, updated_at + %[1]s,
				replace(snapshot::text, 'SESSION', 's' || lpad(i::text, 8, '0'))::json, ordinal
			FROM sluice_sessions, generate_series(1, %[2]d) AS i WHERE id = 'SESSION'`, seconds, n, workspace),
		fmt.Sprintf(`INSERT INTO sluice_events
			SELECT 's' || lpad(i::text, 8, '0'), version, at,
				replace(event::text, 'SESSION', 's' || lpad(i::text, 8, '0'))::json, mark
			FROM generate_series(1, %d) AS i, sluice_events WHERE session_id = 'SESSION'`, n),
		fmt.Sprintf(`INSERT INTO sluice_resources
			SELECT 's' || lpad(i::text, 8, '0') || '.1', 's' || lpad(i::text, 8, '0') FROM generate_series(1, %d) AS i`, n),
		`DELETE FROM sluice_outbox`, `DELETE FROM sluice_events WHERE session_id = 'SESSION'`,
		`DELETE FROM sluice_resources WHERE session_id = 'SESSION'`, `DELETE FROM sluice_sessions WHERE id = 'SESSION'`,
		`VACUUM ANALYZE`,
	} {
		_, err := store.pool.Exec(b.Context(), statement)
		require.NoError(b, err, statement)
	}
}

// BenchmarkList reads pages of 50: the first ones and the last ones by turns, up
// to page 10,000. The metrics are medians in milliseconds.
func BenchmarkList(b *testing.B) {
	store := benchStore(b, 4)
	fill(b, store, *size, 2, true)
	for name, q := range map[string]session.Query{
		"all":       {},
		"status":    {Status: session.Ongoing},
		"workspace": {WorkspaceID: "w3"},
		"updated":   {UpdatedSince: benchNoon.Add(-time.Hour)},
		// Of the last hundredth and tenth of the sessions: these are found by
		// sorting what was updated, or by passing over what was not.
		"hundredth": {UpdatedSince: benchNoon.Add(time.Duration(*size/10-*size/1000) * time.Second)},
		"tenth":     {UpdatedSince: benchNoon.Add(time.Duration(*size/10-*size/100) * time.Second)},
	} {
		q.Limit = 50
		b.Run(name, func(b *testing.B) {
			deep := q
			at := min(10_000*50, *size-*size/100)
			if name != "all" && name != "status" && name != "updated" {
				at = *size - *size/1000
			}
			deep.Cursor = session.Position{
				CreatedAt: benchNoon.Add(time.Duration(at/10) * time.Second), ID: fmt.Sprintf("s%08d", at),
			}.Cursor()
			var times [2][]time.Duration
			for b.Loop() {
				for i, q := range []session.Query{q, deep} {
					begin := time.Now()
					page, err := store.List(b.Context(), q)
					times[i] = append(times[i], time.Since(begin))
					require.NoError(b, err)
					require.Len(b, page.Items, 50)
				}
			}
			first, last := median(times[0]), median(times[1])
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(first, "first-ms")
			b.ReportMetric(last, "deep-ms")
			b.ReportMetric(last/first, "deep/first")
		})
	}
}

func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}

// BenchmarkVerifyAll verifies sessions of ten events each, and then a tenth of
// them. The peaks are of the heap, in MB.
func BenchmarkVerifyAll(b *testing.B) {
	store := benchStore(b, 4)
	n := *size / 10
	fill(b, store, n, 10, false)
	b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
		var rate, few, all float64
		for b.Loop() {
			few, _ = sweepPeak(b, store, n/10)
			all, rate = sweepPeak(b, store, n)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(rate, "sessions/s")
		b.ReportMetric(few, "tenth-peak-MB")
		b.ReportMetric(all, "peak-MB")
		b.ReportMetric(storedBytes(b, store)/float64(n), "B/session")
	})
}

// sweepPeak verifies so many sessions, and returns the peak of the heap and how
// many there were in a second.
func sweepPeak(b *testing.B, store *Store, n int) (peak, rate float64) {
	b.Helper()
	runtime.GC()
	begin, seen := time.Now(), 0
	for r, err := range store.Sweep(b.Context()) {
		if err == nil {
			err = r.Verify()
		}
		if err != nil {
			b.Fatal(err)
		}
		if seen++; seen%100 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, float64(m.HeapAlloc)/1e6)
		}
		if seen == n {
			break
		}
	}
	require.Equal(b, n, seen)
	return peak, float64(seen) / time.Since(begin).Seconds()
}

// storedBytes returns how much all tables and indexes have on the disk.
func storedBytes(b *testing.B, store *Store) (n float64) {
	b.Helper()
	_, err := store.pool.Exec(b.Context(), `VACUUM`)
	require.NoError(b, err)
	require.NoError(b, store.pool.QueryRow(b.Context(), `SELECT sum(pg_total_relation_size(c.oid))::float8
		FROM pg_class c WHERE relkind = 'r' AND relname LIKE 'sluice\_%'`).Scan(&n))
	return n
}
