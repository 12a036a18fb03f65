package delivery_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/internal/pgtest"
	"github.com/sluicego/sluice/webhookpolicy"
)

var (
	killEvents = flag.Int("events", 0, "events of TestKilled at each boundary there is; by 0 a few at some")
	killDeaths = flag.Int("deaths", 4, "processes that die at each boundary, with -events")
)

// boundary is where a process dies.
type boundary struct {
	name string
	most int  // at which visit the process dies at the latest, for 100 units that it publishes
	park bool // whether it is only come to where an endpoint is suspended
}

// boundaries are all that there are between what is kept and what is sent.
var boundaries = []boundary{
	{"publish: before", 50, false},
	{"publish: about to commit", 50, false},
	{"publish: committed", 50, false},
	{"announce: before", 4, false},
	{"announce: about to commit", 4, false},
	{"announce: committed", 4, false},
	{"ledger: before", 15, false},
	{"ledger: about to commit", 15, false},
	{"ledger: committed", 15, false},
	{"call: about to send", 100, false},
	{"call: answered", 100, false},
	{"probe: before", 1, true},
	{"probe: about to commit", 1, true},
	{"probe: committed", 1, true},
	{"drain: before", 1, true},
	{"drain: about to commit", 1, true},
	{"drain: committed", 1, true},
}

// Processes that deliver die at every boundary between what is kept and what is
// sent, one after another. Nothing is lost, and nothing comes twice but a call
// whose process died before its end was written down.
func TestKilled(t *testing.T) {
	if *killEvents == 0 {
		t.Parallel()
	}
	for _, database := range []string{"sqlite", "postgres"} {
		some := map[string]string{"sqlite": "ledger: about to commit", "postgres": "call: answered"}[database]
		for _, b := range boundaries {
			if *killEvents == 0 && b.name != some {
				continue
			}
			t.Run(database+"/"+b.name, func(t *testing.T) {
				if *killEvents == 0 {
					t.Parallel()
				}
				k := newTrial(t, database, b)
				if *killEvents > 0 {
					k.units, k.deaths = *killEvents/eventsOfUnit, *killDeaths
				}
				began := time.Now()
				k.run()
				assert.Empty(t, k.account.faults())
				assert.NotEmpty(t, k.account.left, "nothing has died")
				t.Logf("%s, %s: %d deaths, %d events, %d calls, %d doubles, %.1f s", database, b.name,
					len(k.account.left), len(k.account.promised), len(k.account.calls), k.account.doubles(), time.Since(began).Seconds())
			})
		}
	}
}

// A deliverer that completes a job before its call loses what it was about to
// call when it dies.
func TestKilledTwin(t *testing.T) {
	t.Parallel()
	k := newTrial(t, "sqlite", boundary{"call: answered", 20, false})
	k.order.Forgetful, k.units = true, 10
	k.run()
	faults := k.account.faults()
	require.NotEmpty(t, faults)
	assert.Contains(t, strings.Join(faults, "\n"), "it is lost")
}

// trial is processes that deliver what is published once, and die one after
// another.
type trial struct {
	*testing.T
	boundary boundary
	units    int
	deaths   int

	ear     *ear
	order   order
	next    int // unit
	random  *rand.Rand
	account account
}

func newTrial(t *testing.T, database string, b boundary) *trial {
	t.Helper()
	k := &trial{T: t, boundary: b, units: 20, deaths: 1, ear: &ear{plan: mixed}}
	if b.park {
		// A probe that fails is made again, which is not to be taken for a double.
		k.ear.plan = willing
	}
	r := receive(t, k.ear.answer)
	k.order = order{Certificate: r.Certificate().Raw, Timeout: time.Minute, Place: place{Where: filepath.Join(t.TempDir(), "sluice.db")}}
	if database == "postgres" {
		k.order.Place = place{true, pgtest.Database(t)}
	}
	if b.park {
		k.order.Suspend = r.URL
	}
	k.random = rand.New(rand.NewPCG(20250922, uint64(len(b.name))))
	k.account = account{
		delays: quick().Delays, left: map[string]bool{}, reached: map[string]map[string]int{}, after: map[string][]string{},
	}
	h := k.open("subscribes")
	d, err := delivery.New(t.Context(), h.queue, delivery.Options{})
	require.NoError(t, err)
	subscribe(t, d, subscribed, r.URL)
	require.NoError(t, h.close())
	return k
}

func (k *trial) open(name string) house {
	k.Helper()
	h, err := k.order.Place.open(k.Context(), name)
	require.NoError(k, err)
	return h
}

// run runs the processes, and then has everything that there is to know in the
// account.
func (k *trial) run() {
	k.Helper()
	var dead []string
	for i := range k.deaths + 1 {
		o := k.order
		o.Name = fmt.Sprint("p", i)
		o.From, o.To = k.next, k.units*(i+1)/(k.deaths+1)
		if i < k.deaths {
			o.Failpoint, o.Hit = k.boundary.name, 1+k.random.IntN(max(1, k.boundary.most*(o.To-o.From)/100))
		}
		k.account.after[o.Name] = slices.Clone(dead)
		if k.process(o) {
			dead = append(dead, o.Name)
			k.account.left[o.Name] = true
		}
		k.between(o)
	}
	for u := range k.units {
		for _, id := range occurrencesOf(u) {
			k.account.promised = append(k.account.promised, webhookpolicy.EventID(id, subscribed))
		}
	}
	k.ear.mu.Lock()
	k.account.calls = slices.Clone(k.ear.calls)
	k.ear.mu.Unlock()
	// One process after another: what the last but one had sent when it died may
	// be read late.
	slices.SortStableFunc(k.account.calls, func(a, b call) int { return strings.Compare(a.Process, b.Process) })
	h := k.open("reads")
	require.NoError(k, k.account.read(k.Context(), h))
	require.NoError(k, h.close())
}

// limit is how long a process may take before the test gives it up.
const limit = 5 * time.Minute

// process runs a process to its end, and reports whether it died as it was to.
func (k *trial) process(o order) bool {
	k.Helper()
	ctx, cancel := context.WithTimeout(k.Context(), limit)
	defer cancel()
	cmd, log := child(ctx, k.T, o), &lockedLog{}
	cmd.Stderr = log
	output, input, err := os.Pipe()
	require.NoError(k, err)
	cmd.ExtraFiles = append(cmd.ExtraFiles, input)
	stdin, err := cmd.StdinPipe() // at whose end the process ends
	require.NoError(k, err)
	require.NoError(k, cmd.Start())
	require.NoError(k, input.Close())
	for lines := bufio.NewScanner(output); lines.Scan(); {
		u, err := strconv.Atoi(lines.Text())
		require.NoError(k, err)
		k.next = u + 1
	}
	require.NoError(k, output.Close())
	err = cmd.Wait()
	if ctx.Err() != nil {
		require.FailNow(k, "a process does not end", "%s: %s\n%s", o.Name, k.left(), log)
	}
	_ = stdin.Close()
	if cmd.ProcessState.ExitCode() != -1 {
		require.NoError(k, err, "%s: %s", o.Name, log)
		return false
	}
	require.NotEmpty(k, o.Failpoint, "%s has died by itself: %s", o.Name, log)
	return true
}

// left says what is left to do.
func (k *trial) left() (text string) {
	h := k.open("left")
	assert.NoError(k, h.queue.Query(k.Context(), func(scan engine.Scan) error {
		var kind, state, attempted string
		err := scan(&kind, &state, &attempted)
		text += "\n" + kind + " " + state + " " + attempted
		return err
	}, `SELECT kind, state, CAST(coalesce(attempted_at, scheduled_at) AS TEXT) FROM river_job`))
	assert.NoError(k, h.close())
	return text
}

// child returns a command that starts the process of an order.
func child(ctx context.Context, t testing.TB, o order) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(o)
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, os.Args[0])                              // #nosec G204 -- this program itself
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it says where it hangs
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	return cmd
}

// between looks at what a process has left, and lets the time pass after which
// another one takes it over.
func (k *trial) between(o order) {
	k.Helper()
	h := k.open("between")
	ctx := k.Context()
	// What the process has sent the server may still do.
	for others := 1; k.order.Place.PostgreSQL && others > 0; {
		require.NoError(k, h.queue.Query(ctx, func(scan engine.Scan) error { return scan(&others) },
			`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1`, o.Name))
	}
	// A unit that was kept counts as published, also if nobody has told so: to
	// publish it again would heal what was lost.
	for k.next < k.units {
		there, err := isPublished(ctx, h, k.next)
		require.NoError(k, err)
		if !there {
			break
		}
		k.next++
	}
	var now account
	require.NoError(k, now.read(ctx, h))
	reached := map[string]int{}
	for event, e := range now.ended {
		reached[event] = e.Calls
		if e.State == "delivered" || e.State == "exhausted" {
			reached[event] = 1000 // nothing more may come
		}
	}
	k.account.reached[o.Name] = reached
	k.pass(h)
	require.NoError(k, h.close())
}

// pass stands for the time that passes when no process lives: after 15 s there is
// no leader of the queue any more, and after RescueAfter the calls of the dead are
// taken over.
func (k *trial) pass(h house) {
	k.Helper()
	h.exec(k, `DELETE FROM river_leader`)
	h.exec(k, `UPDATE river_job SET attempted_at = '2025-01-01 00:00:00' WHERE state = 'running'`)
	if *killEvents == 0 {
		// What the new leader does first, a second or two later, and then another
		// five seconds later.
		h.exec(k, `UPDATE river_job SET state = 'available' WHERE state = 'running'`)
	}
}

// ear is told of the calls that a receiver gets.
type ear struct {
	plan func(event string, number int) int // says how to answer

	mu    sync.Mutex
	calls []call
}

// answer is for receive.
func (e *ear) answer(w http.ResponseWriter, r *http.Request, h hit) {
	number, err := strconv.Atoi(h.Number)
	if err != nil {
		number = -1 // which no call has
	}
	c := call{Event: h.EventID, Number: number, Process: r.UserAgent(), At: h.At, Status: e.plan(h.EventID, number)}
	e.mu.Lock()
	e.calls = append(e.calls, c)
	e.mu.Unlock()
	w.WriteHeader(c.Status)
}

// mixed has six of ten events delivered at once, two after one failure, one after
// two failures, and one never.
func mixed(event string, number int) int {
	failures := [...]int{0, 0, 0, 0, 0, 0, 1, 1, 2, 1000}[crc32.ChecksumIEEE([]byte(event))%10]
	if number < failures {
		return http.StatusServiceUnavailable
	}
	return http.StatusNoContent
}

// failures is how often a receiver takes an event badly.
func failures(event string) (n int) {
	for mixed(event, n) != http.StatusNoContent && n < 3 {
		n++
	}
	return n
}

// willing takes everything.
func willing(string, int) int { return http.StatusNoContent }

// An account that is in order, and what is found in others.
func TestAccount(t *testing.T) {
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	inOrder := func() account {
		return account{
			delays: []time.Duration{10 * time.Millisecond, 20 * time.Millisecond}, promised: []string{"e"},
			calls: []call{{"e", 0, "p0", at(0), 503}, {"e", 0, "p1", at(5), 503}, {"e", 1, "p1", at(10), 204}},
			left:  map[string]bool{"p0": true}, reached: map[string]map[string]int{"p0": {"e": 0}},
			after: map[string][]string{"p1": {"p0"}},
			ended: map[string]ended{"e": {"delivered", 2}}, begun: map[numbered]int{{"e", 0}: 2, {"e", 1}: 1},
		}
	}
	require.Empty(t, inOrder().faults())
	for _, test := range []struct {
		want   string
		change func(a *account)
	}{
		{`it is lost: "waiting" after 3 calls`, func(a *account) { a.ended["e"] = ended{"waiting", 2} }},
		{`it is lost: "" after 0 calls`, func(a *account) { a.promised = append(a.promised, "f") }},
		{`it is lost: "delivered" after 3 calls`, func(a *account) { a.calls[2].Status = 0 }},
		{`it is lost: "exhausted" after 3 calls`, func(a *account) { a.ended["e"] = ended{"exhausted", 2} }},
		{"nobody has published that", func(a *account) { a.calls = append(a.calls, call{Event: "f"}) }},
		{"call 0 was made 2 times, and written down 1 times", func(a *account) { a.begun[numbered{"e", 0}] = 1 }},
		{"call 1 does not follow", func(a *account) { a.calls = a.calls[2:] }},
		{"call 2 does not follow", func(a *account) { a.calls[2].Number = 2 }},
		{"call 0 does not follow", func(a *account) { a.calls = append(a.calls, a.calls[0]) }},
		{"there is no call 3", func(a *account) { a.calls[2].Number = 3 }},
		{"p0 was well", func(a *account) { clear(a.left) }},
		{"p0 made call 0 twice", func(a *account) { a.calls[1].Process = "p0" }},
		{"p1 makes call 0, and 1 had ended when p0 died", func(a *account) { a.reached["p0"]["e"] = 1 }},
		{"call 1 follows on one that did not fail", func(a *account) { a.calls[0].Status, a.calls[1].Status = 204, 204 }},
		{"call 1 came too early", func(a *account) { a.calls[2].At = at(9) }},
		{"the database has 1 calls", func(a *account) { a.ended["e"] = ended{"delivered", 1} }},
	} {
		a := inOrder()
		test.change(&a)
		assert.Contains(t, strings.Join(a.faults(), "\n"), test.want)
	}
}
