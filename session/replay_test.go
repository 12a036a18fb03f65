package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// The events of a session, and of any beginning of its life, give the session
// that there was then.
func TestReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := drawLife(t)
		all := events(steps)
		for _, s := range steps {
			got, err := session.Replay(all[:s.after.Version()])
			require.NoError(t, err)
			require.True(t, got.Equal(s.after))
			require.Equal(t, snapshot(t, s.after), snapshot(t, got))
		}
	})
	none, err := session.Replay(nil)
	require.NoError(t, err)
	assert.True(t, none.IsZero(), "nothing leads to nothing")
}

// Replay changes neither the events nor a session that it returned before.
func TestReplay_LeavesItsArguments(t *testing.T) {
	r := begin(t).do(link("a", company, "failed"), link("b", company, "failed"), retry("a", "c", company, "pending"))
	before := slices.Clone(r.events)
	first, err := session.Replay(r.events)
	require.NoError(t, err)
	shown := snapshot(t, first)
	_, _, err = session.Apply(first, observe("c", "verified", 1), at(500))
	require.NoError(t, err)
	_, err = session.Replay(r.events)
	require.NoError(t, err)
	assert.Equal(t, before, r.events)
	assert.Equal(t, shown, snapshot(t, first))
}

// history is the life that the table of broken histories starts from.
func history(t require.TestingT) *run {
	r := begin(t, group.CompanyVerification, group.SignatureRequest)
	for _, c := range []session.Command{
		link("a", company, "pending"),       // 2
		observe("a", "failed", 60),          // 3
		retry("a", "b", company, "pending"), // 4
		observe("b", "inconclusive", 120),   // 5
		resolve("b"),                        // 6
		link("x", signature, "draft"),       // 7
		event("x", "activated", 180),        // 8
		observe("x", "ongoing", 240),        // 9: an as-of alone
		event("x", "done", 300),             // 10
		link("y", signature, "expired"),     // 11
		event("y", "reactivated", 360),      // 12
	} {
		r.do(c)
	}
	require.Len(r.t, r.events, 12)
	return r
}

func TestReplay_Broken(t *testing.T) {
	type edit = func(h []session.Event) []session.Event
	// one edits the event of a version, fact its fact.
	one := func(version int, change func(e *session.Event)) edit {
		return func(h []session.Event) []session.Event { change(&h[version-1]); return h }
	}
	fact := func(version int, f session.Fact) edit {
		return one(version, func(e *session.Event) { e.Fact = f })
	}
	renumber := func(h []session.Event) []session.Event {
		for i := range h {
			h[i].Version = i + 1
		}
		return h
	}
	without := func(version int) edit {
		return func(h []session.Event) []session.Event { return slices.Delete(h, version-1, version) }
	}
	linked := func(c session.Link) session.Linked { return session.Linked(c) }
	foreign := link("x", signature, "draft")
	foreign.Resource.WorkspaceID = "w2"
	doubled := link("a", signature, "draft")
	tests := []struct {
		name    string
		edit    edit
		version int   // that the error names
		is      error // besides ErrHistory; nil if there is none
		says    string
	}{
		{"the first is missing", without(1), 1, nil, "its version is 2"},
		{"one is missing", without(5), 5, nil, "its version is 6"},
		{"the first is missing, hidden", func(h []session.Event) []session.Event { return renumber(h[1:]) }, 1, nil, "this one is linked"},
		{"SES-12: a link is missing, hidden", func(h []session.Event) []session.Event { return renumber(without(2)(h)) }, 2, session.ErrUnknownResource, "observed is forbidden"},
		{"two are swapped", func(h []session.Event) []session.Event { h[3], h[4] = h[4], h[3]; return h }, 4, nil, "its version is 5"},
		{"ACT-3: two are swapped, hidden", func(h []session.Event) []session.Event { h[7], h[9] = h[9], h[7]; return renumber(h) }, 8, fsm.ErrNotAllowed, "transitioned is forbidden"},
		{"one is doubled", func(h []session.Event) []session.Event { return slices.Insert(h, 3, h[2]) }, 4, nil, "its version is 3"},
		{"ACT-4: one is doubled, hidden", func(h []session.Event) []session.Event { return renumber(slices.Insert(h, 3, h[2])) }, 4, nil, "it is duplicate"},
		{"ATT-12: a link is doubled, hidden", func(h []session.Event) []session.Event { return renumber(slices.Insert(h, 2, h[1])) }, 3, session.ErrResourceTaken, "a is linked twice"},
		{"the creation is doubled, hidden", func(h []session.Event) []session.Event { return renumber(slices.Insert(h, 1, h[0])) }, 2, nil, "one creation"},
		{"the creation comes later", fact(3, session.Created{Name: "n"}), 3, nil, "this one is created"},
		{"one of another session", one(4, func(e *session.Event) { e.SessionID = "s2" }), 4, nil, "that of session s1"},
		{"one of no session", one(4, func(e *session.Event) { e.SessionID = "" }), 4, nil, "that of session s1"},
		{"a version too high", one(4, func(e *session.Event) { e.Version = 5 }), 4, nil, "its version is 5"},
		{"no version", one(1, func(e *session.Event) { e.Version = 0 }), 1, nil, "its version is 0"},
		{"no fact", fact(4, nil), 4, nil, "no fact"},
		{"no fact at first", fact(1, nil), 1, nil, "no fact"},
		{"SES-8: no time", one(4, func(e *session.Event) { e.At = time.Time{} }), 4, nil, "the time is missing"},

		{"SES-7: a group's move from elsewhere", one(3, func(e *session.Event) { e.Group.From = session.Done }), 3, nil, "the rules say"},
		{"SES-7: a group's move to elsewhere", one(3, func(e *session.Event) { e.Group.To = session.Done }), 3, nil, "the rules say"},
		{"SES-7: a group that did not move", one(3, func(e *session.Event) { e.Group.To = e.Group.From }), 3, nil, "the rules say"},
		{"SES-7: another group's move", one(3, func(e *session.Event) { e.GroupType = group.SignatureRequest }), 3, nil, "the rules say"},
		{"SES-7: a group that the session does not have", one(3, func(e *session.Event) { e.GroupType = group.DocumentAnalysis }), 3, nil, "the rules say"},
		{"SES-7: the session's move to elsewhere", one(3, func(e *session.Event) { e.Session.To = session.Done }), 3, nil, "the rules say"},
		{"SES-7: a creation that ends elsewhere", one(1, func(e *session.Event) { e.Session.To = session.Done }), 1, nil, "the rules say"},
		{"SES-7: a creation that moves a group", one(1, func(e *session.Event) { e.GroupType = group.SignatureRequest }), 1, nil, "the rules say"},
		{"SES-7: a link in another status", fact(2, linked(link("a", company, "failed"))), 2, nil, "the rules say"},
		{"SES-7: another observation", fact(3, session.Observed(observe("a", "verified", 60))), 3, nil, "the rules say"},

		{"SES-11: a creation without name", fact(1, session.Created{TemplateID: "t1", WorkspaceID: "w1", Groups: group.Types()}), 1, session.ErrInvalidTemplate, "SES-11"},
		{"SES-11: a creation without template", fact(1, session.Created{Name: "n", WorkspaceID: "w1", Groups: group.Types()}), 1, session.ErrInvalidTemplate, "SES-11"},
		{"SES-3: a creation without workspace", fact(1, session.Created{Name: "n", TemplateID: "t1", Groups: group.Types()}), 1, action.ErrInvalidID, "empty"},
		{"SES-1: a creation without groups", fact(1, session.Created{Name: "n", TemplateID: "t1", WorkspaceID: "w1"}), 1, session.ErrInvalidTemplate, "SES-1"},
		{"SES-11: a creation of no session", one(1, func(e *session.Event) { e.SessionID = "" }), 1, action.ErrInvalidID, "empty"},
		{"SES-4: a creation without the group of a link", fact(1, session.Created{Name: "n", TemplateID: "t1", WorkspaceID: "w1", Groups: []group.Type{group.SignatureRequest}}), 2, session.ErrNoGroup, "linked is forbidden"},
		{"SES-4: a resource that is deleted", fact(7, linked(link("x", signature, "deleted"))), 7, attempt.ErrDeleted, "linked is forbidden"},
		{"SES-4: a resource of another workspace", fact(7, linked(foreign)), 7, session.ErrWorkspace, "linked is forbidden"},
		{"SES-11: a resource without id", fact(7, linked(link("", signature, "draft"))), 7, action.ErrInvalidID, "linked is forbidden"},
		{"ATT-12: a resource of another action", fact(7, linked(doubled)), 7, session.ErrResourceTaken, "a is linked twice"},
		{"ATT-6: a retry with the same inputs", fact(4, linked(session.Link{Resource: resource("b", company, "pending"), Inputs: inputs("a"), PreviousAttemptID: "a"})), 4, attempt.ErrInputsUnchanged, "linked is forbidden"},
		{"SES-12: a retry of nobody", fact(4, linked(retry("nobody", "b", company, "pending"))), 4, nil, "linked is forbidden"},
		{"ATT-1: a retry of what does not block", fact(3, linked(retry("a", "b", company, "pending"))), 3, attempt.ErrNotBlocking, "linked is forbidden"},
		{"ACT-4: a contradiction", fact(5, session.Observed(observe("b", "awaiting_data", 120))), 5, action.ErrContradiction, "observed is forbidden"},
		{"ACT-4: a stale one", fact(5, session.Observed(observe("b", "inconclusive", -1))), 5, nil, "it is stale"},
		{"ATT-9: one of a frozen attempt", fact(5, session.Observed(observe("a", "inconclusive", 120))), 5, nil, "it is frozen"},
		{"RSL-1: a resolution of a signature request", fact(8, session.Resolved{ResourceID: "x"}), 8, attempt.ErrNotVerification, "resolved is forbidden"},
		{"RSL-5: a resolution again", fact(7, session.Resolved{ResourceID: "b"}), 7, attempt.ErrResolved, "resolved is forbidden"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := session.Replay(test.edit(history(t).events))
			require.ErrorIs(t, err, session.ErrHistory)
			var broken *session.HistoryError
			require.ErrorAs(t, err, &broken)
			assert.Equal(t, test.version, broken.Version)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			require.ErrorContains(t, err, test.says)
			assert.True(t, got.IsZero())
		})
	}
}

// Any single change to a history is refused, or the history is one that Apply
// could have made, and leads to the session that Apply leads to.
func TestReplay_Mutations(t *testing.T) {
	refused, accepted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		original := events(drawLife(t))
		for range 10 {
			mutated := mutate(t, slices.Clone(original))
			want, possible := again(mutated)
			got, err := session.Replay(mutated)
			if !possible {
				refused++
				require.ErrorIs(t, err, session.ErrHistory, "%+v", mutated)
				require.True(t, got.IsZero())
				continue
			}
			accepted++
			require.NoError(t, err)
			require.Equal(t, snapshot(t, want), snapshot(t, got))
		}
	})
	t.Logf("%d refused, %d accepted", refused, accepted)
	assert.Positive(t, refused)
	assert.Positive(t, accepted)
}

// again does with commands what a history says was done, and reports whether
// that makes the same history.
func again(h []session.Event) (s session.Session, same bool) {
	for i, e := range h {
		var c session.Command
		switch f := e.Fact.(type) {
		case session.Created:
			c = session.Create{
				ID: e.SessionID, Name: f.Name, WorkspaceID: f.WorkspaceID,
				Template: session.Template{ID: f.TemplateID, Name: "t", ActionGroups: f.Groups},
			}
		case session.Linked:
			c = session.Link(f)
		case session.Transitioned:
			c = session.Transition(f)
		case session.Observed:
			c = session.Observe(f)
		case session.Resolved:
			c = session.Resolve(f)
		}
		next, change, err := session.Apply(s, c, e.At)
		if err != nil || len(change.Events) != 1 || !assert.ObjectsAreEqual(h[i], change.Events[0]) {
			return session.Session{}, false
		}
		s = next
	}
	return s, true
}

// mutate changes one thing about a history.
func mutate(t *rapid.T, h []session.Event) []session.Event {
	i := rapid.IntRange(0, len(h)-1).Draw(t, "event")
	j := rapid.IntRange(0, len(h)-1).Draw(t, "other event")
	status := rapid.SampledFrom(append(group.Statuses(), 0))
	e := &h[i]
	changes := []func(){
		func() { h = slices.Delete(h, i, i+1) },
		func() { h = slices.Insert(h, j, h[i]) },
		func() { h[i], h[j] = h[j], h[i] },
		func() { h[i].Fact, h[j].Fact = h[j].Fact, h[i].Fact },
		func() { h[i].Version, h[j].Version = h[j].Version, h[i].Version },
		func() { e.Version += rapid.SampledFrom([]int{-1, 1, 100}).Draw(t, "by") },
		func() { e.SessionID = rapid.SampledFrom([]string{"", "s2"}).Draw(t, "session") },
		func() { e.At = e.At.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, "seconds")) * time.Second) },
		func() { e.At = time.Time{} },
		func() { e.GroupType = rapid.SampledFrom(append(group.Types(), 0)).Draw(t, "group") },
		func() { e.Group.From = status.Draw(t, "status") },
		func() { e.Group.To = status.Draw(t, "status") },
		func() { e.Session.From = status.Draw(t, "status") },
		func() { e.Session.To = status.Draw(t, "status") },
		func() { e.Fact = mutateFact(t, e.Fact) },
		func() { e.Fact = mutateFact(t, e.Fact) },
		func() { e.Fact = mutateFact(t, e.Fact) },
	}
	rapid.SampledFrom(changes).Draw(t, "change")()
	if rapid.Bool().Draw(t, "hidden") {
		for i := range h {
			h[i].Version = i + 1
		}
	}
	return h
}

// mutateFact changes one thing about a fact.
func mutateFact(t *rapid.T, f session.Fact) session.Fact {
	id := rapid.SampledFrom([]string{"", "r1", "r2", "r3", "nobody"})
	moment := rapid.Map(rapid.IntRange(-1, 14), at)
	switch f := f.(type) {
	case session.Created:
		f.Groups = slices.Clone(f.Groups)
		rapid.SampledFrom([]func(){
			func() { f.Name = rapid.SampledFrom([]string{"", "another", "\xff"}).Draw(t, "name") },
			func() { f.TemplateID = id.Draw(t, "template") },
			func() { f.WorkspaceID = rapid.SampledFrom([]string{"", "w1", "w2"}).Draw(t, "workspace") },
			func() { f.Groups = f.Groups[1:] },
			func() { f.Groups = append(f.Groups, rapid.SampledFrom(group.Types()).Draw(t, "group")) },
			func() { f.Groups[0] = rapid.SampledFrom(append(group.Types(), 0, 200)).Draw(t, "group") },
		}).Draw(t, "change")()
		return f
	case session.Linked:
		r := &f.Resource
		rapid.SampledFrom([]func(){
			func() { f.PreviousAttemptID = id.Draw(t, "previous") },
			func() { f.Inputs = inputs(rapid.SampledFrom([]string{"A", "B", "C", ""}).Draw(t, "inputs")) },
			func() { r.ID = id.Draw(t, "id") },
			func() { r.Type = rapid.SampledFrom(append(action.Types(), 0)).Draw(t, "type") },
			func() { r.Status = rapid.SampledFrom(append(action.Statuses(), 0)).Draw(t, "status") },
			func() { r.WorkspaceID = rapid.SampledFrom([]string{"", "w1", "w2", "\xff"}).Draw(t, "workspace") },
			func() { r.CreatedAt = rapid.OneOf(moment, rapid.Just(time.Time{})).Draw(t, "created at") },
			func() { r.AsOf = rapid.OneOf(moment, rapid.Just(time.Time{})).Draw(t, "as of") },
		}).Draw(t, "change")()
		return f
	case session.Transitioned:
		rapid.SampledFrom([]func(){
			func() { f.ResourceID = id.Draw(t, "id") },
			func() { f.Event = rapid.SampledFrom(append(action.Events(), 0)).Draw(t, "event") },
			func() { f.At = moment.Draw(t, "at") },
		}).Draw(t, "change")()
		return f
	case session.Observed:
		rapid.SampledFrom([]func(){
			func() { f.ResourceID = id.Draw(t, "id") },
			func() { f.Status = rapid.SampledFrom(append(action.Statuses(), 0)).Draw(t, "status") },
			func() { f.AsOf = moment.Draw(t, "as of") },
		}).Draw(t, "change")()
		return f
	case session.Resolved:
		rapid.SampledFrom([]func(){
			func() { f.ResourceID = id.Draw(t, "id") },
			func() { f.Reason = rapid.SampledFrom([]string{"other", "\xff"}).Draw(t, "reason") },
			func() { f.By = rapid.SampledFrom([]string{"other", "\xff"}).Draw(t, "by") },
		}).Draw(t, "change")()
		return f
	default:
		return f
	}
}
