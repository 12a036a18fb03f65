package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// TestMessages holds every message that a host can meet through this package
// against testdata/messages.txt, which is there to be read: a message has to
// read well alone, and to say what would be right.
func TestMessages(t *testing.T) {
	var out strings.Builder
	for _, part := range []struct {
		title    string
		messages []message
	}{
		{"Refused creations", creations()},
		{"Refused links", links(t)},
		{"Refused events, observations and resolutions", followings(t)},
		{"Broken documents", documents(t)},
		{"Broken histories", histories(t)},
		{"Stores", stores(t)},
	} {
		fmt.Fprintf(&out, "# %s\n\n", part.title)
		for _, m := range part.messages {
			require.Error(t, m.err, m.about)
			fmt.Fprintf(&out, "%s:\n", m.about)
			for line := range strings.SplitSeq(m.err.Error(), "\n") {
				fmt.Fprintf(&out, "    %s\n", line)
			}
		}
		out.WriteByte('\n')
	}
	golden(t, "messages.txt", out.String())
}

type message struct {
	about string
	err   error
}

func creations() []message {
	var list []message
	add := func(about string, change func(c *session.Create)) {
		c := create(group.CompanyVerification)
		change(&c)
		_, _, err := session.New(c, start)
		list = append(list, message{about, err})
	}
	add("no id", func(c *session.Create) { c.ID = "" })
	add("a long id", func(c *session.Create) { c.ID = strings.Repeat("x", 129) })
	add("no name", func(c *session.Create) { c.Name = "" })
	add("a long name", func(c *session.Create) { c.Name = strings.Repeat("é", 129) })
	add("a workspace that is no text", func(c *session.Create) { c.WorkspaceID = "\xff" })
	add("no workspace", func(c *session.Create) { c.WorkspaceID = "" })
	add("one of several workspaces is wanted", func(c *session.Create) {
		c.WorkspaceID, c.Template.Workspaces = "", []string{"w1", "w2"}
	})
	add("a workspace that the template does not list", func(c *session.Create) { c.Template.Workspaces = []string{"w2"} })
	add("a template with many faults", func(c *session.Create) {
		c.Template = session.Template{ActionGroups: []group.Type{1, 1, 0}, Workspaces: []string{"", "w", "w"}}
	})
	add("a template without groups", func(c *session.Create) { c.Template.ActionGroups = nil })
	return list
}

func links(t *testing.T) []message {
	unknown := link("unknown", company, "failed")
	unknown.Inputs = attempt.Digest{}
	r := begin(t, group.CompanyVerification, group.BankAccountVerification, group.SignatureRequest).do(
		link("a", company, "failed"), retry("a", "b", company, "failed"), link("open", company, "pending"),
		link("ok", company, "verified"), link("settled", company, "failed"), resolve("settled"), unknown,
		link("bank", bank, "failed"), link("sign", signature, "declined"), link("n1", bank, "failed"),
	)
	for n := 2; n <= attempt.Max; n++ {
		r.do(retry(fmt.Sprint("n", n-1), fmt.Sprint("n", n), bank, "failed"))
	}
	var list []message
	add := func(about string, c session.Link, changes ...func(c *session.Link)) {
		for _, change := range changes {
			change(&c)
		}
		_, _, err := session.Apply(r.s, c, at(5000))
		list = append(list, message{about, err})
	}
	add("no id", link("", company, "pending"))
	add("no type", session.Link{Resource: action.Resource{ID: "c"}})
	add("a status of other types", link("c", company, "draft"))
	add("no time of the status", link("c", company, "failed"), func(c *session.Link) { c.Resource.AsOf = time.Time{} })
	add("no time of creation", link("c", company, "failed"), func(c *session.Link) { c.Resource.CreatedAt = time.Time{} })
	add("no group", link("c", watchlist, "pending"))
	add("deleted", link("c", signature, "deleted"))
	add("of another workspace", link("c", company, "pending"), func(c *session.Link) { c.Resource.WorkspaceID = "w2" })
	add("linked already", link("a", company, "pending"))
	add("linked already, as another type", link("b", signature, "draft"))
	add("a retry of what is resolved", retry("settled", "c", company, "pending"))
	add("of a success", retry("ok", "c", company, "pending"))
	add("of what is open", retry("open", "c", company, "pending"))
	add("of nobody", retry("nobody", "c", company, "pending"))
	add("of what was replaced", retry("a", "c", company, "pending"))
	add("the eleventh", retry("n10", "c", bank, "pending"))
	add("of another type", retry("bank", "c", lookup, "pending"))
	add("with the same inputs", retry("b", "c", company, "pending"), func(c *session.Link) { c.Inputs = inputs("b") })
	add("without inputs", retry("b", "c", company, "pending"), func(c *session.Link) { c.Inputs = attempt.Digest{} })
	add("of unknown inputs", retry("unknown", "c", company, "pending"))
	add("with a resource of this action", retry("b", "a", company, "pending"), func(c *session.Link) { c.Inputs = inputs("c") })
	add("with one of another action", retry("b", "open", company, "pending"), func(c *session.Link) { c.Inputs = inputs("c") })
	add("that is deleted", retry("sign", "c", signature, "deleted"))
	return list
}

func followings(t *testing.T) []message {
	r := begin(t, group.CompanyVerification, group.SignatureRequest).do(
		link("a", company, "failed"), retry("a", "b", company, "failed"), link("ok", company, "verified"),
		link("settled", company, "failed"), resolve("settled"), link("sign", signature, "approval"),
	)
	var list []message
	add := func(about string, c session.Command) {
		_, _, err := session.Apply(r.s, c, at(5000))
		list = append(list, message{about, err})
	}
	add("an observation of nobody", observe("nobody", "failed", 1))
	add("a status of other types", observe("b", "draft", 1))
	add("a contradiction", observe("ok", "failed", 1))
	add("an observation without time", session.Observe{ResourceID: "b", Status: action.Failed})
	add("an event that is not allowed", event("sign", "done", 1))
	add("an event where none is", event("ok", "failed", 1))
	add("an event without time", session.Transition{ResourceID: "sign", Event: action.EventApproved})
	add("a resolution of a signature request", resolve("sign"))
	add("of a success", resolve("ok"))
	add("of a previous attempt", resolve("a"))
	add("again", resolve("settled"))
	add("with a long reason", session.Resolve{ResourceID: "b", Reason: strings.Repeat("x", 151)})
	add("by a long name", session.Resolve{ResourceID: "b", By: strings.Repeat("x", 129)})
	add("a creation over another", create(1))
	add("no command", nil)
	for _, c := range []session.Command{observe("a", "failed", 1), nil} {
		_, _, err := session.Apply(session.Session{}, c, at(1))
		list = append(list, message{fmt.Sprintf("%T of no session", c), err})
	}
	_, _, err := session.Apply(r.s, resolve("b"), time.Time{})
	return append(list, message{"no time", err})
}

func documents(t *testing.T) []message {
	var list []message
	session1 := func(about, text string) {
		_, _, err := session.ParseDocument([]byte(text))
		list = append(list, message{about, err})
	}
	session1("no JSON", `{"id"`)
	session1("no id", `{"action_groups":[{"type":"company_verification"}]}`)
	session1("a time that is none", with(`"created_at":"yesterday","action_groups":[{"type":"company_verification"}]`))
	session1("no groups", `{"id":"s"}`)
	session1("an unknown status", companies(action1(strings.Replace(failedA, "failed", "lost", 1))))
	session1("a resource twice", companies(action1(failedA), action1(failedA)))
	session1("an attempt that could not be replaced", companies(action1(failedB, pendingA)))
	session1("an attempt that is not listed", companies(action1(failedB)))
	_, err := session.FromSnapshot([]byte(strings.Replace(snapshot(t, begin(t).s), `"format":1`, `"format":2`, 1)))
	list = append(list, message{"a snapshot of a later format", err})
	_, err = session.UnmarshalCommand([]byte(`{"command":"delete"}`))
	list = append(list, message{"an unknown command", err})
	_, err = session.UnmarshalCommand([]byte(`{"command":"resolve","resource":"a"}`))
	list = append(list, message{"an unknown member of a command", err})
	_, err = session.MarshalCommand(&session.Link{})
	list = append(list, message{"what is no command", err})
	err = json.Unmarshal([]byte(`{"fact":"deleted"}`), new(session.Event))
	list = append(list, message{"an unknown fact", err})
	_, err = session.ParseCursor("§")
	return append(list, message{"a cursor", err})
}

func histories(t *testing.T) []message {
	var list []message
	add := func(about string, change func(h []session.Event) []session.Event) {
		_, err := session.Replay(change(history(t).events))
		list = append(list, message{about, err})
	}
	add("one is missing", func(h []session.Event) []session.Event { return append(h[:3], h[4:]...) })
	add("the first is missing", func(h []session.Event) []session.Event { h[1].Version = 1; return h[1:] })
	add("one of another session", func(h []session.Event) []session.Event { h[3].SessionID = "s2"; return h })
	add("one without fact", func(h []session.Event) []session.Event { h[3].Fact = nil; return h })
	add("a forged move", func(h []session.Event) []session.Event { h[2].Group.To = session.Done; return h })
	add("a forbidden fact", func(h []session.Event) []session.Event { h[5].Fact = session.Resolved{ResourceID: "a"}; return h })
	add("a fact without news", func(h []session.Event) []session.Event {
		h[4].Fact = session.Observed(observe("b", "pending", 0))
		return h
	})
	add("a link again", func(h []session.Event) []session.Event { h[4].Fact = h[1].Fact; return h })
	return list
}

func stores(t *testing.T) []message {
	r := history(t)
	_, _, loading := session.Update(context.Background(), &fake{loadErr: session.ErrNotFound}, "s1", resolve("a"), at(5000))
	_, _, late := session.Update(context.Background(), &fake{stored: r.s, conflicts: 16}, "s1", event("y", "paused", 999), at(5000))
	_, _, full := session.Update(context.Background(),
		&fake{stored: r.s, saveErr: errors.New("the disk is full")}, "s1", event("y", "paused", 999), at(5000))
	_, find := session.Find(context.Background(), &fake{}, "a")
	_, nothing := session.CheckSave(r.s, nil)
	_, gap := session.CheckSave(r.s, append(r.events[9:10:10], r.events[11]))
	doc, _, err := session.ParseDocument([]byte(document(t, r.s)))
	require.NoError(t, err)
	_, unkept := session.CheckSave(doc, r.events[:1])
	_, unread := session.FromSnapshot([]byte(snapshot(t, r.s)[:20]))
	forged, _, err := session.Apply(r.s, observe("y", "paused", 999), at(5000))
	require.NoError(t, err)
	return []message{
		{"a load that fails", loading},
		{"too many conflicts", late},
		{"a save that fails", full},
		{"a resource of another session", session.Taken("a", "s2")},
		{"a store that cannot find", find},
		{"a store without history", session.Verify(context.Background(), &fake{stored: r.s}, "s1")},
		{"a history that is too short", session.Verify(context.Background(), &able{fake: fake{stored: r.s}, history: r.events[:5]}, "s1")},
		{"an event too many", session.Record{ID: "s1", Session: replayed(t, r.events[:3]), Events: r.events}.Verify()},
		{"events that lead elsewhere", session.Record{ID: "s1", Session: forged, Events: append(r.events[:12:12], event13(t, r.s))}.Verify()},
		{"a snapshot that cannot be read", &session.CorruptError{SessionID: "s1", Version: 3, Column: "snapshot", Err: unread}},
		{"a save whose outcome is not known", &session.OutcomeError{SessionID: "s1", Version: 13, Mark: "01", Err: errLost}},
		{"nothing to save", nothing},
		{"a gap in what is to be saved", gap},
		{"a session from a document", unkept},
	}
}
