package transcript_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/transcript"
)

const (
	idType = action.TypeIdentityDocumentVerification
	srType = action.TypeSignatureRequest
)

// life plays one of everything.
func life(w *teller) {
	w.create()
	w.do("A photo of her identity card", session.Link{
		Resource: w.resource("v1", idType, action.Pending), Inputs: w.digest("blurred"),
	})
	w.do("It fails", session.Observe{ResourceID: "v1", Status: action.Failed, AsOf: w.now})
	w.do("The same webhook again", session.Observe{ResourceID: "v1", Status: action.Failed, AsOf: w.now.Add(-time.Minute)})
	w.do("The same photo again", session.Link{
		Resource: w.resource("v2", idType, action.Pending), Inputs: w.digest("blurred"), PreviousAttemptID: "v1",
	})
	w.do("By video", session.Link{
		Resource: w.resource("v2", action.TypeIdentityVideoVerification, action.Pending), PreviousAttemptID: "v1",
	})
	w.do("Another photo", session.Link{
		Resource: w.resource("v2", idType, action.Inconclusive), Inputs: w.digest("dark"), PreviousAttemptID: "v1",
	})
	w.do("The first is heard of", session.Observe{ResourceID: "v1", Status: action.Verified, AsOf: w.now})
	w.do("A person looks at it", session.Resolve{ResourceID: "v2", Reason: "seen in person", By: "m.keller"})
	w.do("And again", session.Resolve{ResourceID: "v2"})
	w.do("A contract", session.Link{Resource: w.resource("r1", srType, action.Draft)})
	w.do("It is sent", session.Transition{ResourceID: "r1", Event: action.EventActivated, At: w.now.Add(time.Minute)})
	w.do("It was activated before", session.Transition{ResourceID: "r1", Event: action.EventActivated, At: w.now.Add(-time.Hour)})
	w.do("It cannot be resumed", session.Transition{ResourceID: "r1", Event: action.EventResumed, At: w.now})
	w.do("It expires", session.Transition{ResourceID: "r1", Event: action.EventExpired, At: w.now})
	w.do("It is deleted", session.Transition{ResourceID: "r1", Event: action.EventDeleted, At: w.now})
	w.do("A stranger", session.Observe{ResourceID: "x", Status: action.Done, AsOf: w.now})
	w.do("No command", nil)
}

func TestLife(t *testing.T) {
	w := newTeller(t)
	life(w)
	checkLines(t, w.out.String())
	golden(t, "life", w.out.String())
}

func TestColorsAreAllThatColorAdds(t *testing.T) {
	plain, colored := newTeller(t), newTeller(t)
	colored.printer.Color = true
	for _, w := range []*teller{plain, colored} {
		require.NoError(t, w.printer.Heading("A life"))
		require.NoError(t, w.printer.Text("Of one session."))
		life(w)
		require.NoError(t, w.printer.Session(w.s))
	}
	assert.NotContains(t, plain.out.String(), "\x1b")
	assert.Contains(t, colored.out.String(), "\x1b[31mblocked\x1b[0m")
	assert.Equal(t, plain.out.String(), ansi.ReplaceAllString(colored.out.String(), ""))
}

func TestRefusedBeforeThereIsASession(t *testing.T) {
	w := newTeller(t)
	w.do("A bad template", session.Create{
		ID: "s1", Name: "n", WorkspaceID: "w1",
		Template: session.Template{
			ID: "t1", Name: "t", ActionGroups: []group.Type{group.SignatureRequest, group.SignatureRequest},
			Workspaces: []string{"w1", "w1"},
		},
	})
	w.do("A session without id", session.Create{Name: "n"})
	w.do("", session.Observe{ResourceID: "v1", Status: action.Done, AsOf: w.now})
	w.tell(transcript.Step{Err: errors.New("the database is away")})
	w.tell(transcript.Step{Err: errors.Join(errors.New("one"), errors.New("two"))})
	golden(t, "refused", w.out.String())
}

func TestTheTableIsShownWhenItSaysSomethingNew(t *testing.T) {
	w := newTeller(t)
	assert.Contains(t, w.create(), "\n    Onboarding of Kelly Smith", "unmarked: there was nothing before")
	link := session.Link{Resource: w.resource("r1", srType, action.Ongoing)}
	assert.Contains(t, w.do("", link), "\n  >       #1  r1 ")
	again := w.do("", link)
	assert.Contains(t, again, "session     as it was: ongoing\n")
	assert.NotContains(t, again, "#1")
	seen := w.do("", session.Observe{ResourceID: "r1", Status: action.Ongoing, AsOf: w.now.Add(time.Hour)})
	assert.Contains(t, seen, "session     as it was: ongoing\n", "a later time of the same status is not shown")

	first := w.s
	w.s = session.Session{}
	w.do("", session.Create{
		ID: "s2", Name: "Another", WorkspaceID: "w1",
		Template: session.Template{ID: "t", Name: "t", ActionGroups: []group.Type{group.SignatureRequest}},
	})
	w.s = first
	back := w.do("", link)
	assert.Contains(t, back, "\n    Onboarding of Kelly Smith", "another one was shown between")
	assert.NotContains(t, back, "  >", "a table of another session is nothing to compare with")
}

func TestSession(t *testing.T) {
	w := newTeller(t)
	life(w)
	w.out.Reset()
	require.NoError(t, w.printer.Session(w.s))
	require.NoError(t, w.printer.Session(w.s), "whoever asks twice gets it twice")

	read, wrong, err := session.ParseDocument([]byte(`{"id": "s9", "status": "done", "action_groups": [
		{"type": "company_verification", "status": "awaiting", "actions": [{"resource":
			{"id": "c1", "type": "company_verification", "status": "inconclusive"}}]},
		{"type": "signature_request", "actions": [{"resource":
			{"id": "r1", "type": "signature_request", "status": "expired"}}]}]}`))
	require.NoError(t, err)
	require.NoError(t, w.printer.Session(read, wrong...))
	checkLines(t, w.out.String())
	golden(t, "session", w.out.String())
}

func TestLongNamesAreBrokenAndNoneIsCut(t *testing.T) {
	w := newTeller(t)
	w.create()
	id := strings.Repeat("0123456789", 12)
	w.do(strings.Repeat("a long title ", 12), session.Link{Resource: w.resource(id, idType, action.Failed)})
	w.do("", session.Resolve{ResourceID: id, Reason: strings.Repeat("because ", 18), By: id})
	got := w.out.String()
	checkLines(t, got)
	golden(t, "long", got)
}

// A name is text of somebody outside. None of it may move the cursor, colour
// the terminal, turn the direction of writing or forge a line.
func TestNamesDoNotReachTheTerminalRaw(t *testing.T) {
	const hostile = "a\x1b[2Jb\x9bc\rd\ne\tf\u202eg\u0007h\u2028i\u0000"
	clean := strings.TrimSuffix(hostile, "\x00") // the rules keep NUL out themselves
	w := newTeller(t)
	w.do(hostile, session.Create{
		ID: strings.ToValidUTF8(clean, "?"), Name: strings.ToValidUTF8(clean, "?"), WorkspaceID: "w1",
		Template: session.Template{
			ID: "t1", Name: strings.ToValidUTF8(clean, "?"), ActionGroups: []group.Type{group.IdentityVerification},
		},
	})
	require.False(t, w.s.IsZero())
	v := w.resource("v\x1b[31m", idType, action.Failed)
	w.do("", session.Link{Resource: v})
	w.do("", session.Resolve{ResourceID: v.ID, Reason: "x\x1b]0;title\x07", By: "y\r"})
	w.do("", session.Observe{ResourceID: hostile, Status: action.Done, AsOf: w.now})
	w.tell(transcript.Step{Title: "t", Err: errors.New(hostile), Session: w.s})
	require.NoError(t, w.printer.Heading(hostile))
	require.NoError(t, w.printer.Text(hostile))
	require.NoError(t, w.printer.Session(w.s))
	got := w.out.String()
	checkLines(t, got)
	assert.Contains(t, got, `a\x1b[2Jb`)
	assert.Contains(t, got, `v\x1b[31m`)
	assert.Contains(t, got, `x\x1b]0;title\a`)
}

// writer counts calls, and fails from one of them on.
type writer struct {
	out           bytes.Buffer
	calls, failAt int
}

func (w *writer) Write(data []byte) (int, error) {
	w.calls++
	if w.calls == w.failAt {
		return 0, fmt.Errorf("call %d fails", w.calls)
	}
	return w.out.Write(data)
}

func TestEveryMethodMakesOneCallOfWriteAndReturnsItsError(t *testing.T) {
	w := newTeller(t)
	w.create()
	methods := map[string]func(*transcript.Printer) error{
		"Heading": func(p *transcript.Printer) error { return p.Heading("title") },
		"Text":    func(p *transcript.Printer) error { return p.Text("text") },
		"Step":    func(p *transcript.Printer) error { return p.Step(transcript.Step{Title: "t", Session: w.s}) },
		"Session": func(p *transcript.Printer) error { return p.Session(w.s) },
	}
	for name, call := range methods {
		t.Run(name, func(t *testing.T) {
			out := &writer{failAt: 2}
			p := transcript.Printer{W: out}
			require.NoError(t, call(&p))
			assert.Equal(t, 1, out.calls)
			assert.NotEmpty(t, out.out.String())
			require.EqualError(t, call(&p), "call 2 fails")
		})
	}
}
