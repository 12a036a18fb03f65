package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/store/sqlite"
)

var (
	benchSessions = flag.Int("sessions", 20_000, "how many sessions BenchmarkList and BenchmarkVerifyAll have; 10,000 pages need 510,000")
	benchSaves    = flag.Int("saves", 400, "how many saves BenchmarkSave makes in one turn of the store or the bare driver")
)

// BenchmarkSave compares a Save with a program that sends the same statements
// through the bare driver, made ready beforehand. Both take turns on the same
// disk, so that what else happens there hits both. The metrics are medians over
// the turns: saves per second of each, and how much of the bare driver's rate the
// store has.
func BenchmarkSave(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			dir := b.TempDir()
			store := open(b, filepath.Join(dir, "store.db"))
			bare := open(b, filepath.Join(dir, "bare.db"))
			plain := openBare(b, filepath.Join(dir, "bare.db"), bare)
			var ofStore, ofBare, ratios []float64
			turn := 0
			for b.Loop() {
				lives := prepareLives(b, fmt.Sprintf("t%d", turn), writers)
				var s, p float64
				turns := []func(){
					func() {
						s = rate(b, lives, func(r report) error { return store.Save(context.Background(), r.next, r.events) })
					},
					func() { p = rate(b, lives, plain.save) },
				}
				// Who is first has the quieter disk.
				turns[turn%2]()
				turns[1-turn%2]()
				ofStore, ofBare, ratios = append(ofStore, s), append(ofBare, p), append(ratios, s/p)
				turn++
			}
			b.ReportMetric(median(ofStore), "saves/s")
			b.ReportMetric(median(ofBare), "bare-saves/s")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// report is one save: a creation with a link, or a provider's report.
type report struct {
	next     session.Session
	events   []session.Event
	args     [][]any // of the statements that save it, in order
	snapshot []any
}

// prepareLives returns, for each writer, the saves of a session of its own.
func prepareLives(b *testing.B, prefix string, writers int) [][]report {
	b.Helper()
	lives := make([][]report, writers)
	for w := range lives {
		id := fmt.Sprintf("%s.%d", prefix, w)
		s, events := apply(b, session.Session{}, create(id), link(id+".1", action.Pending))
		lives[w] = append(lives[w], newReport(b, 0, s, events))
		for i := range *benchSaves / writers {
			from := s.Version()
			if s, events = apply(b, s, observe(id+".1", action.Pending, i+1)); len(events) > 0 {
				lives[w] = append(lives[w], newReport(b, from, s, events))
			}
		}
	}
	return lives
}

// newReport writes down what a program would send to the driver.
func newReport(b *testing.B, from int, s session.Session, events []session.Event) report {
	b.Helper()
	snapshot, err := s.Snapshot()
	require.NoError(b, err)
	r := report{next: s, events: events}
	if from == 0 {
		r.snapshot = []any{
			s.ID(), s.Version(), s.Status().String(), s.WorkspaceID(), s.TemplateID(),
			s.CreatedAt().Unix(), s.UpdatedAt().Unix(), string(snapshot),
		}
	} else {
		r.snapshot = []any{s.ID(), from, s.Version(), s.Status().String(), s.UpdatedAt().Unix(), string(snapshot)}
	}
	mark, err := hex.DecodeString("00112233445566778899aabbccddeeff")
	require.NoError(b, err)
	for _, e := range events {
		text, err := json.Marshal(e)
		require.NoError(b, err)
		r.args = append(r.args, []any{"event", e.SessionID, e.Version, e.At.Unix(), string(text), mark})
		if f, ok := e.Fact.(session.Linked); ok {
			r.args = append(r.args, []any{"resource", f.Resource.ID, e.SessionID})
		}
	}
	for _, a := range (session.Change{Events: events}).Announcements() {
		groupType := sql.NullString{String: a.GroupType.String(), Valid: a.GroupType != 0}
		r.args = append(r.args, []any{
			"announcement", a.SessionID, a.Version, a.Name, groupType, a.Status.String(), a.At.Format(time.RFC3339Nano),
		})
	}
	return r
}

// bareDriver is a program that knows its statements by heart.
type bareDriver struct {
	db             *sql.DB
	create, update *sql.Stmt
	rows           map[string]*sql.Stmt
}

// openBare prepares the statements on the writer of a store, so that both have the
// same settings. Nothing else of that store is used.
func openBare(b *testing.B, path string, like *sqlite.Store) *bareDriver {
	b.Helper()
	require.FileExists(b, path)
	prepare := func(query string) *sql.Stmt {
		stmt, err := like.Writer().PrepareContext(context.Background(), query)
		require.NoError(b, err)
		return stmt
	}
	return &bareDriver{
		db:     like.Writer(),
		create: prepare(sqlite.InsertSession),
		update: prepare(sqlite.UpdateSession),
		rows: map[string]*sql.Stmt{
			"event":        prepare(sqlite.InsertEvent),
			"resource":     prepare(sqlite.InsertResource),
			"announcement": prepare(sqlite.InsertAnnouncement),
		},
	}
}

func (d *bareDriver) save(r report) error {
	ctx := context.Background()
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit that is nothing
	first := d.create
	if len(r.snapshot) == 6 {
		first = d.update
	}
	if _, err := tx.StmtContext(ctx, first).ExecContext(ctx, r.snapshot...); err != nil { //nolint:sqlclosecheck // closed with the transaction
		return err
	}
	for _, args := range r.args {
		if _, err := tx.StmtContext(ctx, d.rows[args[0].(string)]).ExecContext(ctx, args[1:]...); err != nil { //nolint:sqlclosecheck // closed with the transaction
			return err
		}
	}
	return tx.Commit()
}

// rate saves all lives, each by a writer of its own, and returns how many saves
// that were in a second.
func rate(b *testing.B, lives [][]report, save func(report) error) float64 {
	b.Helper()
	n := 0
	var all sync.WaitGroup
	begin := time.Now()
	for _, life := range lives {
		n += len(life)
		all.Go(func() {
			for _, r := range life {
				if err := save(r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(begin).Seconds()
}

// filled returns a store with many sessions of so many events each, ten sessions
// created in a second. It is made in large transactions, past the limit of one
// disk access for each save.
func filled(b *testing.B, sessions, events int) (*sqlite.Store, string) {
	b.Helper()
	path := file(b)
	store := open(b, path)
	for first := 0; first < sessions; first += 5000 {
		err := store.InTx(context.Background(), func(ctx context.Context, _ *sql.Tx, joined *sqlite.Joined) error {
			for i := first; i < min(first+5000, sessions); i++ {
				s, all := lived(b, i, events)
				if err := joined.Save(ctx, s, all); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(b, err)
	}
	return store, path
}

// lived returns a session with so many events, three at least. Every tenth is
// blocked.
func lived(b *testing.B, i, events int) (session.Session, []session.Event) {
	b.Helper()
	// Ids in no order, as hosts make them.
	id := fmt.Sprintf("%08x-%d", uint32(i)*2654435761, i)
	s, created, err := session.New(create(id), noon.Add(time.Duration(i/10)*time.Second))
	require.NoError(b, err)
	commands := []session.Command{link(id+".1", action.AwaitingData)}
	for n := range events - 3 {
		commands = append(commands, observe(id+".1", action.AwaitingData, n+1))
	}
	last := action.Verified
	if i%10 == 0 {
		last = action.Failed
	}
	s, following := apply(b, s, append(commands, observe(id+".1", last, events))...)
	return s, append(created.Events, following...)
}

// BenchmarkList asks for the first page of 50 and for a late one: page 10,000
// where there are so many. The metrics are medians in milliseconds.
func BenchmarkList(b *testing.B) {
	store, _ := filled(b, *benchSessions, 3)
	deep := min(10_000, *benchSessions/50-1)
	var at string
	err := store.Readers().QueryRowContext(b.Context(),
		"SELECT id FROM sluice_sessions ORDER BY created_at, id LIMIT 1 OFFSET ?1", deep*50-51).Scan(&at)
	require.NoError(b, err)
	s, err := store.Load(b.Context(), at)
	require.NoError(b, err)
	cursor := session.PositionOf(s).Cursor()
	for _, q := range []struct {
		name  string
		query session.Query
	}{
		{"all", session.Query{Limit: 50}},
		{"status", session.Query{Limit: 50, Status: s.Status()}},
		{"workspace", session.Query{Limit: 50, WorkspaceID: "w"}},
		{"updated-since", session.Query{Limit: 50, UpdatedSince: noon}},
	} {
		b.Run(q.name, func(b *testing.B) {
			late := q.query
			late.Cursor = cursor
			var firsts, lates []float64
			for b.Loop() {
				firsts = append(firsts, page(b, store, q.query))
				lates = append(lates, page(b, store, late))
			}
			b.ReportMetric(median(firsts), "ms/page-1")
			b.ReportMetric(median(lates), fmt.Sprintf("ms/page-%d", deep))
			b.ReportMetric(median(lates)/median(firsts), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// page returns how many milliseconds a page takes.
func page(b *testing.B, store *sqlite.Store, q session.Query) float64 {
	b.Helper()
	begin := time.Now()
	page, err := store.List(b.Context(), q)
	took := time.Since(begin)
	if err != nil || len(page.Items) != q.Limit {
		b.Fatal(len(page.Items), err)
	}
	return took.Seconds() * 1000
}

// BenchmarkVerifyAll verifies sessions of ten events each. The metrics are the
// rate, the bytes in the file for each session, and the memory of the process,
// SQLite's included: at the start, where it still has what filling the file took,
// and the peak from then on, where the system tells.
func BenchmarkVerifyAll(b *testing.B) {
	filler, path := filled(b, *benchSessions, 10)
	_, err := filler.Writer().ExecContext(b.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
	require.NoError(b, err)
	require.NoError(b, filler.Close())
	info, err := os.Stat(path)
	require.NoError(b, err)
	store := open(b, path)
	var rates []float64
	forgetPeak()
	start := peak()
	for b.Loop() {
		begin := time.Now()
		require.Equal(b, *benchSessions, verified(b, store))
		rates = append(rates, float64(*benchSessions)/time.Since(begin).Seconds())
	}
	b.ReportMetric(median(rates), "sessions/s")
	b.ReportMetric(float64(info.Size())/float64(*benchSessions), "B/session")
	b.ReportMetric(peak(), "peak-MiB")
	b.ReportMetric(start, "start-MiB")
	b.ReportMetric(0, "ns/op")
}

// forgetPeak gives memory back to the system, and has it begin anew with the peak.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // Linux alone has it
}

// peak returns the peak of the memory that is resident, in MiB; 0 if the system
// does not tell.
func peak() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}
