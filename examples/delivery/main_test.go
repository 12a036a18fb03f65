package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/delivery"
	"github.com/sluicego/sluice/delivery/caller"
	"github.com/sluicego/sluice/delivery/sqlitequeue"
	"github.com/sluicego/sluice/store/sqlite"
	"github.com/sluicego/sluice/webhookpolicy"
)

// hurried makes the four days of the schedule two seconds.
const hurried = 200_000

// player plays in a database, as from the command line, and returns what is
// printed.
func player(ctx context.Context, t *testing.T, path string, out *stopper) string {
	t.Helper()
	var stderr bytes.Buffer
	status := run(ctx, []string{"-speed", strconv.Itoa(hurried), "-db", path}, out, &stderr)
	require.Zero(t, status, stderr.String())
	require.Empty(t, stderr.String())
	t.Log(out.String())
	return out.String()
}

// stopper keeps what is printed, and has somebody press Ctrl-C when a text is.
type stopper struct {
	mu   sync.Mutex
	text strings.Builder
	at   string
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil && strings.Contains(string(p), s.at) {
		s.stop()
	}
	return s.text.Write(p)
}

func (s *stopper) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestTheStory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "delivery.db")
	text := player(t.Context(), t, path, &stopper{})
	happened(t, path)
	told(t, text, "Kelly Smith becomes a customer", "next call in 2 min", "SUSPENDED", "is well again",
		"Noah Martin becomes a customer", "Dead letters", "given up, calls made: 9", "given up, calls made: 1",
		"The story", ": exhausted", "Replay", "call 0: answered 204: delivered", "nothing waits any more; dead letters: 1")
	told(t, text, "is well again", "RELEASED by a probe", "Dead letters")
	for _, note := range []string{"WHK-1: ", "WHK-3: ", "WHK-4: ", "WHK-5: ", "WHK-8: ", "WHK-13: "} {
		assert.Contains(t, text, "| "+note)
	}
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, len(line), 120, line)
	}
}

func TestTheStoryGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "delivery.db")
	ctx, stop := context.WithCancel(t.Context())
	text := player(ctx, t, path, &stopper{at: "SUSPENDED", stop: stop})
	told(t, text, "becomes a customer", "SUSPENDED", "Stopped", "call ", "it goes on here")
	assert.NotContains(t, text, "Noah")
	text = player(t.Context(), t, path, &stopper{})
	assert.NotContains(t, text, "Kelly")
	told(t, text, "RELEASED by a probe", "Dead letters", "nothing waits any more; dead letters: 1")
	happened(t, path)
}

// told asserts that texts were printed, in this order.
func told(t *testing.T, all string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		_, after, found := strings.Cut(all, text)
		if !assert.True(t, found, "%q is missing, or comes too early", text) {
			return
		}
		all = after
	}
}

// happened asserts what the database knows when the story is over.
func happened(t *testing.T, path string) {
	t.Helper()
	ctx := t.Context()
	store, err := sqlite.Open(ctx, path, sqlite.Options{})
	require.NoError(t, err)
	defer func() { assert.NoError(t, store.Close()) }()
	d, err := delivery.New(ctx, sqlitequeue.On(store), delivery.Options{Policy: policy(hurried)})
	require.NoError(t, err)
	page, err := d.Deliveries(ctx, delivery.Query{Limit: 1000})
	require.NoError(t, err)

	ended := map[string][]string{}
	probes := 0
	for _, one := range page.Deliveries {
		ended[one.SubscriptionID()] = append(ended[one.SubscriptionID()], one.State().String())
		story, err := d.Explain(ctx, one.EventID())
		require.NoError(t, err)
		inOrder(t, story)
		for _, c := range story.Calls {
			if c.Probe {
				probes++
			}
		}
		if one.SubscriptionID() == "books" {
			assert.Equal(t, 1, one.Epoch, "it was replayed")
			assert.Len(t, story.Calls, 10)
			assert.Len(t, slices.DeleteFunc(story.Calls, func(c delivery.Call) bool { return !c.Record.Outcome.Success() }), 1)
		}
	}
	done := webhookpolicy.Delivered.String()
	assert.Equal(t, slices.Repeat([]string{done}, 12), ended["calm"], "whoever is well hears of everything")
	assert.Equal(t, slices.Repeat([]string{done}, 8), ended["archive"], "nothing is lost by a suspension")
	assert.Equal(t, []string{done}, ended["books"])
	slices.Sort(ended["desk"])
	assert.Equal(t, []string{done, done, done, webhookpolicy.Exhausted.String()}, ended["desk"])
	assert.Positive(t, probes)
}

// inOrder asserts that the calls of a delivery have the numbers that they must
// have, and none came before its time (WHK-3).
func inOrder(t *testing.T, s delivery.Story) {
	t.Helper()
	delays := policy(hurried).Delays
	for i, c := range s.Calls[1:] {
		before := s.Calls[i]
		switch {
		case c.Number == 0: // replayed
		case before.Probe && !before.Record.Outcome.Success():
			assert.Equal(t, before.Number, c.Number)
		case before.Ended.IsZero(): // broken off
			assert.Equal(t, before.Number, c.Number)
		default:
			assert.Equal(t, before.Number+1, c.Number)
			wait := c.Began.Sub(before.Ended)
			assert.GreaterOrEqual(t, wait, delays[before.Number].Truncate(time.Microsecond), "call %d", c.Number)
		}
	}
}

// Every way to fail is one to the caller.
func TestTroubles(t *testing.T) {
	doors, err := newEndpoints(1)
	require.NoError(t, err)
	defer doors.close()
	c, err := caller.New(caller.Options{
		Policy: policy(1), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, TLS: doors.trusted(),
	})
	require.NoError(t, err)
	secret := webhookpolicy.SecretFromRandom([24]byte{1})
	for _, d := range doors {
		require.NoError(t, d.serve("", secret))
	}
	const (
		started = webhookpolicy.EventWorkflowSessionStarted
		blocked = webhookpolicy.EventWorkflowSessionBlocked
		done    = webhookpolicy.EventWorkflowSessionDone
		group   = webhookpolicy.EventWorkflowActionGroupDone
	)
	answered := webhookpolicy.Answered
	for _, tt := range []struct { // in an order: the fourth retry of books follows the third
		door   string
		event  webhookpolicy.EventName
		number int
		result webhookpolicy.Result
		status int
	}{
		{"calm", done, 0, answered, http.StatusNoContent},
		{"books", done, 0, answered, http.StatusServiceUnavailable},
		{"books", done, 1, webhookpolicy.ConnectionFailed, 0},
		{"books", done, 2, answered, http.StatusServiceUnavailable},
		{"books", done, 3, answered, http.StatusInternalServerError},
		{"books", done, 4, webhookpolicy.TLSFailed, 0},
		{"books", done, 5, answered, http.StatusGone},
		{"books", done, 6, answered, http.StatusNotFound},
		{"desk", started, 0, webhookpolicy.TimedOut, 0},
		{"desk", started, 1, answered, http.StatusFound},
		{"desk", done, 0, webhookpolicy.BodyTooLong, http.StatusOK},
		{"desk", blocked, 0, answered, http.StatusServiceUnavailable},
		{"archive", group, 0, answered, http.StatusServiceUnavailable},
	} {
		body, err := webhookpolicy.Envelope{
			EventID: "8f14e45f", EventName: tt.event, EventTime: time.Now(), SubscriptionID: tt.door, Data: json.RawMessage("{}"),
		}.Encode()
		require.NoError(t, err)
		timeout := time.Minute
		if tt.result == webhookpolicy.TimedOut {
			timeout = 100 * time.Millisecond
		}
		record, err := c.Call(t.Context(), caller.Request{
			Endpoint: doors.named(tt.door).url, Body: body, Secret: secret, Number: tt.number, Timeout: timeout,
		})
		require.NoError(t, err)
		assert.Equal(t, tt.result, record.Outcome.Result, "%s %s %d: %s", tt.door, tt.event, tt.number, record)
		assert.Equal(t, tt.status, record.Outcome.Status, "%s %s %d", tt.door, tt.event, tt.number)
		if tt.door == "books" && tt.number == 2 {
			assert.Equal(t, 3*time.Hour, record.Outcome.RetryAfter)
		}
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1400 * time.Millisecond: "1 s", 2 * time.Minute: "2 min", 90 * time.Minute: "1 h 30 min",
		27*time.Hour + 59*time.Minute: "1 d 3 h", 48 * time.Hour: "2 d",
	} {
		assert.Equal(t, want, spell(d))
	}
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"-h"}, 0, "Usage of delivery"},
		{[]string{"-slow"}, 2, "flag provided but not defined: -slow"},
		{[]string{"-speed", "0"}, 2, "a speed from 1 to 1000000"},
		{[]string{"now"}, 2, "no arguments are wanted"},
		{[]string{"-db", "/"}, 1, "delivery: "},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, tt.status, run(t.Context(), tt.args, &stdout, &stderr), tt.args)
		assert.Contains(t, stderr.String(), tt.stderr)
	}
}
