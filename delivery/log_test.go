package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/internal/engine"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// What must never be logged: an endpoint but for its host, a key, a body.
const (
	secretPath     = "/path-of-a-tenant"
	secretQuery    = "token=of-a-tenant"
	secretEndpoint = "https://hooks.example.com" + secretPath + "?" + secretQuery
	secretData     = "data-of-a-tenant"
	secretAnswer   = "answer-of-a-tenant"
)

// logged returns what a text has that must never be logged.
func logged(text string) []string {
	var all []string
	for _, s := range []string{key, secretPath, secretQuery, secretData, secretAnswer} {
		if strings.Contains(text, s) {
			all = append(all, s)
		}
	}
	return all
}

// journal is a log that is kept line by line.
type journal struct {
	mu    sync.Mutex
	lines []string
}

// Write takes a line.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// logger logs everything into the journal, but for times.
func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// answers is a Caller that calls nobody: it answers with a status, by the number of
// a call.
type answers func(number int) int

func (f answers) Call(_ context.Context, r caller.Request) (caller.Record, error) {
	o := webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: f(r.Number), Began: time.Now()}
	if o.Status == 0 {
		o.Result = webhookpolicy.TimedOut
	}
	o.Ended = o.Began.Add(40 * time.Millisecond)
	return caller.Record{
		Outcome: o, Body: []byte(secretAnswer), Header: http.Header{"Location": {secretEndpoint}}, Detail: secretEndpoint,
	}, nil
}

// always answers the same.
func always(status int) answers { return func(int) int { return status } }

// flawed is a queue whose transactions can fail, at their end.
type flawed struct {
	delivery.Queue
	fail atomic.Pointer[error]
}

// InTx implements engine.Engine.
func (q *flawed) InTx(ctx context.Context, do func(context.Context, engine.Tx) error) error {
	return q.Queue.InTx(ctx, func(ctx context.Context, tx engine.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		if err := q.fail.Load(); err != nil {
			return *err
		}
		return nil
	})
}

// diary is a situation: a deliverer, the subscription s1 and its log.
type diary struct {
	*delivery.Deliverer
	*journal
	store session.Store
	queue *flawed
}

// publish publishes an occurrence whose data must not be logged.
func (d *diary) publish(t *testing.T, id string) {
	t.Helper()
	o := occurrence(id)
	o.Data = json.RawMessage(`"` + secretData + `"`)
	require.NoError(t, d.Publish(t.Context(), o))
}

// announce has a session of the store announce that it has started.
func (d *diary) announce(t *testing.T) {
	t.Helper()
	_, _, err := session.Update(t.Context(), d.store, "c0cbf043", session.Create{
		ID: "c0cbf043", Name: "Onboarding", WorkspaceID: "814aac47",
		Template: session.Template{ID: "35a07993", Name: "Onboarding", ActionGroups: []group.Type{group.IdentityVerification}},
	}, noon)
	require.NoError(t, err)
	_, _, err = session.Update(t.Context(), d.store, "c0cbf043", session.Link{Resource: action.Resource{
		ID: "79a291fc", Type: action.TypeIdentityVideoVerification, Status: action.Pending, CreatedAt: noon, AsOf: noon,
	}}, noon)
	require.NoError(t, err)
}

// has waits until a line is there that begins so.
func (d *diary) has(t *testing.T, line string) {
	t.Helper()
	until(t, line, func() bool {
		return slices.ContainsFunc(d.all(), func(l string) bool { return strings.HasPrefix(l, line) })
	})
}

// keep opens a situation, whose policy has one retry.
func keep(t *testing.T, call answers, change ...func(*delivery.Options)) *diary {
	t.Helper()
	h := sqliteHouse(t)
	d := &diary{journal: &journal{}, store: h.store, queue: &flawed{Queue: h.queue}}
	policy := hasty()
	policy.Delays, policy.GoneEnds = policy.Delays[:1], true
	o := delivery.Options{Policy: policy, Caller: call, Logger: d.logger()}
	for _, c := range change {
		c(&o)
	}
	d.Deliverer = house{queue: d.queue}.open(t, o)
	subscribe(t, d.Deliverer, "s1", secretEndpoint)
	return d
}

// suspending has an endpoint suspended by its first retry that fails.
func suspending(o *delivery.Options) { o.Policy.MinEnded, o.Policy.FailedPercent = 1, 50 }

// situations are what can happen, and what is logged of it. EVENT stands for the
// id of the event.
var situations = []struct {
	name string
	run  func(t *testing.T) *diary
	want []string
}{
	{"delivered", func(t *testing.T) *diary {
		d := keep(t, always(204))
		d.publish(t, "o1")
		start(t, d.Deliverer)
		d.has(t, "level=INFO msg=delivered")
		return d
	}, []string{
		"level=INFO msg=delivered " + call0 + " result=answered status=204 took=40ms verdict=done",
	}},
	{"a retry", func(t *testing.T) *diary {
		d := keep(t, func(number int) int { return 503 - 303*number })
		d.publish(t, "o1")
		start(t, d.Deliverer)
		d.has(t, "level=INFO msg=delivered")
		return d
	}, []string{
		"level=DEBUG msg=called " + call0 + " result=answered status=503 took=40ms verdict=wait",
		"level=INFO msg=delivered " + call1 + " result=answered status=200 took=40ms verdict=done",
	}},
	{"given up", func(t *testing.T) *diary {
		d := keep(t, func(number int) int { return 500 * number }) // the first one is not answered
		d.publish(t, "o1")
		start(t, d.Deliverer)
		d.has(t, "level=WARN")
		return d
	}, []string{
		"level=DEBUG msg=called " + call0 + " result=timed_out status=0 took=40ms verdict=wait",
		`level=WARN msg="given up" ` + call1 + " result=answered status=500 took=40ms verdict=exhaust",
	}},
	{"canceled by an answer", func(t *testing.T) *diary {
		d := keep(t, always(410))
		d.publish(t, "o1")
		start(t, d.Deliverer)
		d.has(t, "level=INFO msg=canceled")
		return d
	}, []string{
		"level=INFO msg=canceled " + call0 + " result=answered status=410 took=40ms verdict=cancel",
	}},
	{"canceled before the call", func(t *testing.T) *diary {
		d := keep(t, always(204))
		d.publish(t, "o1")
		require.NoError(t, d.DeleteSubscription(t.Context(), "s1"))
		start(t, d.Deliverer)
		d.has(t, "level=INFO msg=canceled")
		return d
	}, []string{
		"level=INFO msg=canceled " + call0 + " verdict=cancel",
	}},
	{"suspended, and released by a probe", suspendAndRelease, []string{
		"level=DEBUG msg=called " + call0 + " result=answered status=503 took=40ms verdict=wait",
		`level=WARN msg="endpoint suspended" host=hooks.example.com ended=1 failed=1`,
		`level=WARN msg="given up" ` + call1 + " result=answered status=503 took=40ms verdict=exhaust",
		"level=DEBUG msg=parked " + call0 + " verdict=park",
		`level=INFO msg="endpoint released by a probe" host=hooks.example.com`,
		"level=INFO msg=delivered " + probe0 + " result=answered status=204 took=40ms verdict=done",
	}},
	{"canceled instead of a probe", func(t *testing.T) *diary {
		d := keep(t, always(503))
		require.NoError(t, d.Suspend(t.Context(), secretEndpoint))
		d.publish(t, "o1")
		start(t, d.Deliverer)
		d.has(t, "level=DEBUG msg=parked")
		require.NoError(t, d.DeleteSubscription(t.Context(), "s1"))
		probed, err := d.Probe(t.Context(), secretEndpoint)
		require.NoError(t, err)
		assert.False(t, probed)
		return d
	}, []string{
		"level=INFO msg=\"endpoint suspended by hand\" host=hooks.example.com",
		"level=DEBUG msg=parked " + call0 + " verdict=park",
		"level=INFO msg=canceled " + call0 + " verdict=cancel",
	}},
	{"an announcement that cannot be published", func(t *testing.T) *diary {
		d := keep(t, always(204), func(o *delivery.Options) {
			o.Describe = func(context.Context, session.Announcement, session.Session) (webhookpolicy.Event, json.RawMessage, error) {
				return webhookpolicy.Event{}, nil, errors.New("nobody knows what it is")
			}
		})
		d.announce(t)
		start(t, d.Deliverer)
		d.has(t, `level=ERROR msg="an announcement is not published, and stays in the outbox" session_id=c0cbf043 event_name=workflow_session`)
		return d
	}, []string{
		`level=ERROR msg="an announcement is not published, and stays in the outbox" session_id=c0cbf043 ` +
			`event_name=workflow_action_group.started error="describe it: nobody knows what it is"`,
		`level=ERROR msg="an announcement is not published, and stays in the outbox" session_id=c0cbf043 ` +
			`event_name=workflow_session.started error="describe it: nobody knows what it is"`,
	}},
}

// Of the delivery that situations tell of.
const (
	of     = "event_id=EVENT event_name=contact.created subscription_id=s1 host=hooks.example.com"
	call0  = of + " number=0 epoch=0"
	call1  = of + " number=1 epoch=0"
	probe0 = of + " number=0 epoch=1"
)

func suspendAndRelease(t *testing.T) *diary {
	t.Helper()
	var up atomic.Bool
	d := keep(t, func(int) int {
		if up.Load() {
			return 204
		}
		return 503
	}, suspending)
	d.publish(t, "o1")
	start(t, d.Deliverer)
	d.has(t, "level=WARN")
	d.publish(t, "o2")
	d.has(t, "level=DEBUG msg=parked")
	up.Store(true)
	probed, err := d.Probe(t.Context(), secretEndpoint)
	require.NoError(t, err)
	assert.True(t, probed)
	d.has(t, "level=INFO msg=delivered")
	return d
}

// Each situation has its lines, with levels and keys that programs can rely on,
// and none has a secret.
func TestLog(t *testing.T) {
	for _, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			lines := s.run(t).all()
			for i, l := range lines {
				for _, o := range []string{"o1", "o2"} {
					l = strings.ReplaceAll(l, eventID(o), "EVENT")
				}
				lines[i] = l
			}
			assert.Equal(t, s.want, lines)
			assert.Empty(t, logged(strings.Join(lines, "\n")))
		})
	}
}

// Errors of the database are told as such, with what they are about, and what was
// not kept is not told.
func TestLog_Database(t *testing.T) {
	var calls atomic.Int32
	var d *diary
	failure := errors.New("the disk is full")
	d = keep(t, func(int) int {
		if calls.Add(1) == 2 {
			d.queue.fail.Store(&failure) // the end of the retry is not written
		}
		return 503
	}, suspending)
	d.publish(t, "o1")
	start(t, d.Deliverer)
	about := fmt.Sprintf("event_id=%s subscription_id=s1 number=1 epoch=0", eventID("o1"))
	d.has(t, `level=ERROR msg="a job has failed, and is tried again" job=sluice_call `+about+
		` error="end call 1 of `+eventID("o1")+`: the disk is full"`)
	assert.NotContains(t, strings.Join(d.all(), "\n"), "endpoint suspended", "it is not: that was not kept")
	d.queue.fail.Store(nil)
	d.has(t, `level=WARN msg="endpoint suspended"`)
	until(t, "it has ended", func() bool {
		s, err := d.Stats(t.Context())
		require.NoError(t, err)
		return s.Exhausted == 1
	})
	text := strings.Join(d.all(), "\n")
	assert.Equal(t, 1, strings.Count(text, "endpoint suspended"))
	assert.Empty(t, logged(text))
}

// River's jobs of endpoints have the endpoint: what is logged of those that fail
// has the host alone.
func TestLog_DatabaseOfEndpoints(t *testing.T) {
	d := keep(t, always(204))
	require.NoError(t, d.Suspend(t.Context(), secretEndpoint))
	require.NoError(t, d.Release(t.Context(), secretEndpoint))
	failure := errors.New("the disk is full")
	d.announce(t)
	d.queue.fail.Store(&failure)
	start(t, d.Deliverer)
	d.has(t, `level=ERROR msg="a job has failed, and is tried again" job=sluice_drain host=hooks.example.com error=`)
	d.has(t, `level=ERROR msg="announcements are not published" error=`)
	d.queue.fail.Store(nil)
	assert.Empty(t, logged(strings.Join(d.all(), "\n")))
}

// A subscription whose row is damaged fails its calls, and what is said of it has
// nothing of the row.
func TestLog_DamagedRow(t *testing.T) {
	d := keep(t, always(204))
	d.publish(t, "o1")
	require.NoError(t, d.queue.InTx(t.Context(), func(ctx context.Context, tx engine.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE sluice_subscriptions SET revision = revision + 1000,
			document = replace(document, '"endpoint":"https:', '"endpoint":"https:\x')`)
		return err
	}))
	start(t, d.Deliverer)
	d.has(t, `level=ERROR msg="a job has failed, and is tried again"`)
	assert.Empty(t, logged(strings.Join(d.all(), "\n")))
}

// A subscription cannot have an endpoint with a user or a password at all, and the
// refusal does not repeat them.
func TestLog_Userinfo(t *testing.T) {
	_, err := webhookpolicy.NewSubscription("s1", webhookpolicy.Settings{
		Endpoint: "https://user:" + secretData + "@hooks.example.com" + secretPath, Secret: webhookpolicy.NewSecret(key),
		Events: []webhookpolicy.EventName{webhookpolicy.Wildcard}, Scopes: []string{webhookpolicy.Wildcard},
	}, noon)
	require.ErrorIs(t, err, webhookpolicy.ErrInvalidEndpoint)
	assert.Empty(t, logged(err.Error()))
}

// The check for secrets sees each of them.
func TestLog_CarelessTwin(t *testing.T) {
	j := &journal{}
	j.logger().Info("called", "endpoint", secretEndpoint, "key", key, "body", json.RawMessage(`"`+secretData+`"`), "answer", secretAnswer)
	assert.Len(t, logged(strings.Join(j.all(), "\n")), 5)
}
