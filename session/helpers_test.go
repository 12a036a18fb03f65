package session_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// The resource types that most tests use.
const (
	signature = "signature_request"
	identity  = "identity_document_verification"
	video     = "identity_video_verification"
	company   = "company_verification"
	watchlist = "watchlist_verification"
	bank      = "bank_account_verification"
	lookup    = "bank_account_lookup_verification"
	invoice   = "invoice_document_analysis"
)

// start is when the sessions of the tests are created.
var start = time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)

// at is a number of seconds after the start.
func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// inputs is the digest that a text stands for; "" is not known.
func inputs(text string) attempt.Digest {
	var d attempt.Digest
	copy(d[:], text)
	return d
}

// resource is a resource in the words of the spec, made and told of at the
// start.
func resource(id, typ, status string) action.Resource {
	return action.Resource{
		ID: id, Type: must(action.ParseType(typ)), Status: must(action.ParseStatus(status)),
		CreatedAt: start, AsOf: start,
	}
}

// link links a resource as a new Action. Its inputs are its id.
func link(id, typ, status string) session.Link {
	return session.Link{Resource: resource(id, typ, status), Inputs: inputs(id)}
}

// retry links a resource as the attempt that replaces another.
func retry(replaces, id, typ, status string) session.Link {
	c := link(id, typ, status)
	c.PreviousAttemptID = replaces
	return c
}

// observe tells of a status as of a number of seconds after the start.
func observe(id, status string, seconds int) session.Observe {
	return session.Observe{ResourceID: id, Status: must(action.ParseStatus(status)), AsOf: at(seconds)}
}

// event tells of an event a number of seconds after the start.
func event(id, name string, seconds int) session.Transition {
	return session.Transition{ResourceID: id, Event: must(action.ParseEvent(name)), At: at(seconds)}
}

func resolve(id string) session.Resolve {
	return session.Resolve{ResourceID: id, Reason: "seen in person", By: "agent 7"}
}

// template is a template of groups that is scoped to no workspace.
func template(groups ...group.Type) session.Template {
	return session.Template{
		ID: "t1", Name: "Customer onboarding", ActionGroups: groups, CreatedAt: start, UpdatedAt: start,
	}
}

func create(groups ...group.Type) session.Create {
	return session.Create{ID: "s1", Name: "Onboarding", Template: template(groups...), WorkspaceID: "w1"}
}

// run is a session in the making. Every command comes a minute after the one
// before, and has to be accepted.
type run struct {
	t      require.TestingT
	s      session.Session
	now    time.Time
	events []session.Event
}

// begin creates a session with a group of each of these types, of every type
// if none is given.
func begin(t require.TestingT, groups ...group.Type) *run {
	if len(groups) == 0 {
		groups = group.Types()
	}
	r := &run{t: t, now: start.Add(-time.Minute)}
	r.do(create(groups...))
	return r
}

func (r *run) do(commands ...session.Command) *run {
	for _, c := range commands {
		r.apply(c)
	}
	return r
}

func (r *run) apply(c session.Command) session.Change {
	r.now = r.now.Add(time.Minute)
	next, change, err := session.Apply(r.s, c, r.now)
	require.NoError(r.t, err)
	r.s = next
	r.events = append(r.events, change.Events...)
	return change
}

// refusal is what a refused command tells.
type refusal struct {
	rule    string
	is      error
	subject string
	allowed []string
}

// requireRefused applies a command that a rule forbids, checks all that its
// error can be asked, and that the session is what it was.
func requireRefused(t *testing.T, s session.Session, c session.Command, want refusal) {
	t.Helper()
	before := snapshot(t, s)
	got, change, err := session.Apply(s, c, at(86400))
	var r *session.Refusal
	require.ErrorAs(t, err, &r)
	require.ErrorIs(t, err, want.is)
	assert.Equal(t, want.rule, r.Rule)
	assert.Equal(t, want.subject, r.Subject)
	assert.Equal(t, want.allowed, r.Allowed)
	assert.True(t, got.Equal(s), "the session is another")
	assert.Equal(t, before, snapshot(t, got))
	assert.Equal(t, session.Change{}, change)
}

// refusalOf is the error of a command that a rule forbids.
func refusalOf(t *testing.T, s session.Session, c session.Command) (r *session.Refusal) {
	t.Helper()
	_, _, err := session.Apply(s, c, at(86400))
	require.ErrorAs(t, err, &r)
	return r
}

// requireNoNews applies a command that tells nothing new: it is no error, and
// the session is what it was.
func requireNoNews(t *testing.T, s session.Session, c session.Command, want action.Outcome) {
	t.Helper()
	got, change, err := session.Apply(s, c, at(86400))
	require.NoError(t, err)
	assert.Equal(t, session.Change{Outcome: want}, change)
	assert.True(t, got.Equal(s), "the session is another")
	assert.Equal(t, snapshot(t, s), snapshot(t, got))
}

// snapshot is all that is known of a session, as text; its document where no
// snapshot can be had.
func snapshot(t require.TestingT, s session.Session) string {
	if s.IsZero() {
		return ""
	}
	text, err := s.Snapshot()
	if errors.Is(err, session.ErrInvalidSave) {
		text, err = json.Marshal(s)
	}
	require.NoError(t, err)
	return string(text)
}

// document is the public API's JSON of a session.
func document(t require.TestingT, s session.Session) string {
	text, err := json.Marshal(s)
	require.NoError(t, err)
	return string(text)
}

// groupOf is the group of a type, which the session has.
func groupOf(t require.TestingT, s session.Session, typ group.Type) session.Group {
	g, ok := s.Group(typ)
	require.True(t, ok)
	return g
}

// mainOf is the newest attempt beside, or behind, a resource.
func mainOf(t require.TestingT, s session.Session, resourceID string) action.Resource {
	return mustAction(t, s, resourceID).Main().Resource
}

// golden holds a text against a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	want, have := strings.Split(string(text), "\n"), strings.Split(got, "\n")
	for i := range min(len(want), len(have)) {
		require.Equal(t, want[i], have[i], "%s, line %d; -update writes the file anew", name, i+1)
	}
	require.Len(t, have, len(want), "%s; -update writes the file anew", name)
}

// testdata is the text of a file.
func testdata(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return text
}

func mustAction(t require.TestingT, s session.Session, resourceID string) attempt.Chain {
	c, ok := s.Action(resourceID)
	require.True(t, ok)
	return c
}
