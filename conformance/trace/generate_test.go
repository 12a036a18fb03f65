package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

var (
	traceOut    = flag.String("trace.out", "", "write the trace of TestWriteTrace to a `file`")
	traceLines  = flag.Int("trace.lines", 20_000, "how many lines that trace has, about")
	tracePer    = flag.Int("trace.per", 20, "how many lines each of its sessions has")
	traceWindow = flag.Int("trace.window", 500, "how many of its sessions are under way at once")
)

// writer writes the trace of a system that is right: what it shows is what the
// rules say. It is the generator for large traces; those of the properties come
// from package sessiontest.
type writer struct {
	w     io.Writer
	r     *rand.Rand
	at    time.Time
	lines int
	made  int // sessions
	old   []*life
	kinds map[string]int
	b     bytes.Buffer
}

// life is a session of the trace.
type life struct {
	session.Session
	left int // lines
	owed []string
}

var traceTemplate = session.Template{
	ID: "t1", Name: "Onboarding",
	ActionGroups: []group.Type{group.IdentityVerification, group.SignatureRequest, group.WatchlistVerification},
}

func newWriter(w io.Writer, seed uint64) *writer {
	return &writer{
		w: w, r: rand.New(rand.NewPCG(seed, 1)), kinds: map[string]int{},
		at: time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC),
	}
}

// write writes sessions of so many lines, so many of them at a time, until there
// are enough lines.
func (w *writer) write(lines, per, window int) {
	text, _ := json.Marshal(traceTemplate)
	w.line("template", `"template":%s`, text)
	var lives []*life
	for w.lines < lines || len(lives) > 0 {
		w.at = w.at.Add(time.Duration(w.r.IntN(200)) * time.Millisecond)
		if w.r.IntN(100) == 0 && len(w.old) > 0 {
			w.seen(w.old[w.r.IntN(len(w.old))])
		}
		if len(lives) < window && w.lines+per*len(lives)/2 < lines {
			lives = append(lives, w.create(per))
			continue
		}
		if len(lives) == 0 {
			return
		}
		i := w.r.IntN(len(lives))
		w.step(lives[i])
		if lives[i].left--; lives[i].left > 0 {
			continue
		}
		if w.old = append(w.old, lives[i]); len(w.old) > 5000 {
			w.old = w.old[2500:]
		}
		lives = slices.Delete(lives, i, i+1)
	}
}

// line writes a line at the present time.
func (w *writer) line(kind, format string, args ...any) {
	w.lines++
	w.kinds[kind]++
	w.b.Reset()
	w.b.WriteString(`{"at":"`)
	w.b.WriteString(w.at.Format(time.RFC3339Nano))
	w.b.WriteString(`",`)
	fmt.Fprintf(&w.b, format, args...)
	w.b.WriteString("}\n")
	_, _ = w.w.Write(w.b.Bytes())
}

func (w *writer) create(per int) *life {
	w.made++
	id := fmt.Sprintf("5f0f3c1e-%08x", w.made)
	w.line("create", `"session":"%s","command":"create","name":"Onboarding %d","workspace_id":"w1","template_id":"t1","refused":false`, id, w.made)
	l := &life{left: per - 1}
	w.apply(l, session.Create{ID: id, Name: fmt.Sprintf("Onboarding %d", w.made), Template: traceTemplate, WorkspaceID: "w1"})
	return l
}

func (w *writer) apply(l *life, c session.Command) {
	next, change, err := session.Apply(l.Session, c, w.at)
	if err != nil {
		panic(err)
	}
	l.Session = next
	for _, a := range change.Announcements() {
		text := fmt.Sprintf(`"announced":%q`, a.Name)
		if a.GroupType != 0 {
			text += fmt.Sprintf(`,"group_type":%q`, a.GroupType.String())
		}
		l.owed = append(l.owed, text)
	}
}

// step writes a line of a session.
func (w *writer) step(l *life) {
	resources := w.resources(l)
	switch n := w.r.IntN(100); {
	case len(resources) == 0, n < 2:
		w.link(l, len(resources))
	case n < 50:
		w.report(l, resources[w.r.IntN(len(resources))])
	case n < 87:
		w.seen(l)
	case n < 89:
		text, _ := json.Marshal(l.Session)
		w.line("document", `"session":"%s","seen":%s`, l.ID(), text)
	case n < 93 && len(l.owed) > 0:
		w.line("announced", `"session":"%s",%s`, l.ID(), l.owed[0])
		l.owed = l.owed[1:]
	case n < 97:
		w.webhook("signer.notified", "elsewhere", "ongoing")
	default:
		w.webhook("signature_request.done", fmt.Sprintf("elsewhere-%d", w.lines), "done")
	}
}

func (w *writer) resources(l *life) []action.Resource {
	var list []action.Resource
	for g := range l.Groups() {
		for chain := range g.Actions() {
			list = append(list, chain.Main().Resource)
		}
	}
	return list
}

func (w *writer) link(l *life, n int) {
	r := action.Resource{
		ID: fmt.Sprintf("%s-r%d", l.ID(), n), Type: action.TypeSignatureRequest, Status: action.Draft,
		CreatedAt: w.at, AsOf: w.at,
	}
	if n%2 == 1 {
		r.Type, r.Status = action.TypeIdentityDocumentVerification, action.Pending
	}
	w.line("link", `"session":"%s","command":"link","refused":false,"inputs":{"photo":"blurred","number":%d},"resource":{"id":"%s","type":"%s","status":"%s"}`,
		l.ID(), n, r.ID, r.Type, r.Status)
	w.apply(l, session.Link{Resource: r})
}

// report writes a webhook of a resource, or now and then a command that says
// the same.
func (w *writer) report(l *life, r action.Resource) {
	machine := r.Type.Machine()
	var allowed []action.Event
	for e := range machine.Allowed(r.Status) {
		if e != action.EventDeleted && e != action.EventPermanentlyDeleted {
			allowed = append(allowed, e)
		}
	}
	status, event := r.Status, "signature_request.activated"
	if len(allowed) > 0 {
		e := allowed[w.r.IntN(len(allowed))]
		status, _ = machine.Next(r.Status, e)
		event = r.Type.Webhook(e)
	}
	if r.Type.IsVerification() {
		event = "verification.identity_document.done"
	}
	// In a later second, so that no two statuses fall into one.
	w.at = w.at.Add(time.Second)
	if w.r.IntN(5) == 0 {
		w.line("observe", `"session":"%s","command":"observe","resource_id":"%s","status":"%s","refused":false`, l.ID(), r.ID, status)
	} else {
		w.webhook(event, r.ID, status.String())
	}
	w.apply(l, session.Observe{ResourceID: r.ID, Status: status, AsOf: w.at})
}

func (w *writer) webhook(event, id, status string) {
	w.line("webhook", `"webhook":{"event_id":"0b9d6f0c-%08d","event_name":"%s","event_time":"%d","subscription_id":"a3f1e9d2-77b0","subscription_description":"production","sandbox":false,"data":{"signature_request":{"id":"%s","status":"%s","name":"Contract","created_at":"2025-09-22T14:30:00+00:00"},"verification":{"id":"%s","status":"%s"}}}`,
		w.lines, event, w.at.Unix(), id, status, id, status)
}

func (w *writer) seen(l *life) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `"session":"%s","seen":{"status":"%s","groups":{`, l.ID(), l.Status())
	sep := ""
	for g := range l.Groups() {
		fmt.Fprintf(&b, `%s"%s":"%s"`, sep, g.Type(), g.Status())
		sep = ","
	}
	b.WriteString(`},"resources":{`)
	sep = ""
	for _, r := range w.resources(l) {
		fmt.Fprintf(&b, `%s"%s":"%s"`, sep, r.ID, r.Status)
		sep = ","
	}
	b.WriteString("}}")
	w.line("seen", "%s", b.String())
}

// A large trace of a system that is right has no finding. With -trace.out it is
// written to a file instead, for measurements:
//
//	go test ./conformance/trace -run TestWriteTrace -trace.out big.jsonl -trace.lines 1000000
func TestWriteTrace(t *testing.T) {
	if *traceOut != "" {
		f, err := os.Create(*traceOut)
		require.NoError(t, err)
		b := bufio.NewWriterSize(f, 1<<20)
		w := newWriter(b, 1)
		w.write(*traceLines, *tracePer, *traceWindow)
		require.NoError(t, b.Flush())
		require.NoError(t, f.Close())
		t.Logf("%d lines, %d sessions: %v", w.lines, w.made, w.kinds)
		return
	}
	var b bytes.Buffer
	w := newWriter(&b, 1)
	w.write(*traceLines, *tracePer, *traceWindow)
	summary, err := Check(&b, Options{TempDir: t.TempDir()}, func(f Finding) error {
		t.Error(f)
		return ErrStop
	})
	require.NoError(t, err)
	assert.Equal(t, w.lines, summary.Lines)
	assert.Equal(t, w.made, summary.Sessions)
	assert.Equal(t, w.kinds["webhook"], summary.Webhooks)
	assert.Positive(t, summary.PassedOver)
}

// What is in memory is bounded, and counted rightly.
func TestCheck_Bounded(t *testing.T) {
	for _, o := range []Options{{MaxSessions: 10}, {MaxBytes: 20_000}, {MaxSessions: 10, MaxBytes: 1}} {
		var b bytes.Buffer
		newWriter(&b, 3).write(5000, 10, 100)
		o.TempDir = t.TempDir()
		o = o.withDefaults()
		c := newChecker(o, func(f Finding) error { return errors.New(f.String()) })
		require.NoError(t, c.run(&b))
		live, size, resources := 0, 0, 0
		for l := c.sessions.newest; l != nil; l = l.older {
			live++
			size += l.size
			for g := range l.Groups() {
				resources += g.Len() // the trace has no retries
			}
		}
		assert.Len(t, c.sessions.live, live)
		assert.Len(t, c.sessions.resources, resources)
		assert.Equal(t, size, c.sessions.size)
		assert.LessOrEqual(t, live, o.MaxSessions)
		assert.True(t, size <= o.MaxBytes || live == 1)
		require.NoError(t, c.close())
	}
}

// BenchmarkCheck checks a trace of sessions of 20 lines each.
func BenchmarkCheck(b *testing.B) {
	var text bytes.Buffer
	w := newWriter(&text, 1)
	w.write(200_000, 20, 500)
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		_, err := Check(bytes.NewReader(text.Bytes()), Options{TempDir: b.TempDir()}, func(f Finding) error {
			return fmt.Errorf("there is a finding: %s", f)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(w.lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
