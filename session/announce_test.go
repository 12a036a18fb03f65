package session_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// names is what a command announces, each with the group that it is about.
func names(change session.Change) []string {
	var list []string
	for _, a := range change.Announcements() {
		name := a.Name
		if a.GroupType != 0 {
			name += " of " + a.GroupType.String()
		}
		list = append(list, name)
	}
	return list
}

const (
	groupStarted   = "workflow_action_group.started of company_verification"
	groupBlocked   = "workflow_action_group.blocked of company_verification"
	groupDone      = "workflow_action_group.done of company_verification"
	signStarted    = "workflow_action_group.started of signature_request"
	signDone       = "workflow_action_group.done of signature_request"
	sessionStarted = "workflow_session.started"
	sessionBlocked = "workflow_session.blocked"
	sessionDone    = "workflow_session.done"
)

// SES-7: what the last of some commands announces, in a session with a
// signature request group and then a company verification group.
func TestSES7_Announcements(t *testing.T) {
	type commands = []session.Command
	tests := []struct {
		name   string
		before commands
		last   session.Command
		want   []string
	}{
		{"SES-7: started", nil, link("a", company, "pending"), []string{groupStarted, sessionStarted}},
		{"SES-7: blocked at once", nil, link("a", company, "failed"), []string{groupBlocked, sessionBlocked}},
		{
			"SES-7: a group that is done at once starts the session", nil,
			link("a", company, "verified"), []string{groupDone, sessionStarted},
		},
		{"SES-7: awaiting stays silent", nil, link("a", signature, "draft"), nil},
		{
			"SES-7: what returns to awaiting is silent", commands{link("a", signature, "declined")},
			event("a", "deleted", 1), nil,
		},
		{
			"SES-7: a group returns to awaiting, and the session is started",
			commands{link("a", signature, "declined"), link("b", company, "verified")},
			event("a", "deleted", 1), []string{sessionStarted},
		},
		{
			"SES-7: started from blocked", commands{link("a", company, "failed")},
			retry("a", "b", company, "pending"), []string{groupStarted, sessionStarted},
		},
		{
			"SES-7: started from blocked by reactivation", commands{link("a", signature, "expired")},
			event("a", "reactivated", 1), []string{signStarted, sessionStarted},
		},
		{
			"SES-7: started from done", commands{link("a", company, "verified"), link("b", signature, "done")},
			link("c", signature, "ongoing"), []string{signStarted, sessionStarted},
		},
		{
			"SES-7: blocked from done", commands{link("a", company, "verified"), link("b", signature, "done")},
			link("c", company, "failed"), []string{groupBlocked, sessionBlocked},
		},
		{
			"SES-7: done, all of it", commands{link("a", company, "pending"), link("b", signature, "done")},
			observe("a", "verified", 1), []string{groupDone, sessionDone},
		},
		{
			"SES-7: done from blocked, by hand", commands{link("a", company, "failed"), link("b", signature, "done")},
			resolve("a"), []string{groupDone, sessionDone},
		},
		{
			"SES-7: the net change alone: blocked stays blocked", commands{link("a", company, "failed")},
			retry("a", "b", company, "inconclusive"), nil,
		},
		{
			"SES-7: the net change alone: what was skipped is not told", commands{link("a", signature, "draft")},
			observe("a", "done", 1), []string{signDone, sessionStarted},
		},
		{
			"SES-7: a group moves where the session does not", commands{link("a", company, "pending")},
			link("b", signature, "done"), []string{signDone},
		},
		{
			"SES-7: nor does another that blocks", commands{link("a", signature, "expired")},
			link("b", company, "failed"), []string{groupBlocked},
		},
		{
			"SES-7: within a status nothing is told", commands{link("a", company, "awaiting_data")},
			observe("a", "pending", 1), nil,
		},
		{
			"SES-7: an as-of that moves alone", commands{link("a", company, "failed")},
			observe("a", "failed", 1), nil,
		},
		{
			"SES-7: a resolution of what is done anyway", commands{link("a", company, "pending"), resolve("a")},
			observe("a", "failed", 1), nil,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := begin(t, group.SignatureRequest, group.CompanyVerification).do(test.before...)
			assert.Equal(t, test.want, names(r.apply(test.last)))
		})
	}
	t.Run("SES-7: what tells nothing new announces nothing", func(t *testing.T) {
		r := begin(t, group.SignatureRequest, group.CompanyVerification).do(link("a", company, "failed"))
		assert.Empty(t, names(r.apply(observe("a", "failed", 0))))
	})
}

// SES-7: an announcement says of what it is and when, and comes from its event
// as from its change.
func TestAnnouncement(t *testing.T) {
	r := begin(t, group.SignatureRequest, group.CompanyVerification)
	change := r.apply(link("a", company, "failed"))
	want := []session.Announcement{
		{
			Name: "workflow_action_group.blocked", SessionID: "s1", Version: 2,
			GroupType: group.CompanyVerification, Status: session.Blocked, At: r.now,
		},
		{Name: "workflow_session.blocked", SessionID: "s1", Version: 2, Status: session.Blocked, At: r.now},
	}
	assert.Equal(t, want, change.Announcements())
	assert.Equal(t, "workflow_session.blocked", want[1].String())
	require.Len(t, change.Events, 1)
	assert.Equal(t, want, change.Events[0].Announcements())
	assert.Empty(t, session.Change{}.Announcements())
	assert.Empty(t, session.Event{}.Announcements())
}

// SES-7: every move that there can be, against the words of the rule. A zero
// status is that of a session before its creation.
func TestSES7_Moves(t *testing.T) {
	words := map[string]string{"ongoing": "started", "blocked": "blocked", "done": "done"}
	all := append([]session.Status{0}, group.Statuses()...)
	for _, from := range all {
		for _, to := range all {
			var want []string
			if word, ok := words[to.String()]; ok && from != to {
				want = []string{"workflow_action_group." + word + " of watchlist_verification", "workflow_session." + word}
			}
			move := session.Move{From: from, To: to}
			e := session.Event{GroupType: group.WatchlistVerification, Group: move, Session: move}
			assert.Equal(t, want, names(session.Change{Events: []session.Event{e}}), "SES-7: %s to %s", from, to)
			assert.Equal(t, from != to, move.Moved())
		}
	}
}

// SES-7: a change with several events, as a store may hand on, announces them
// one after the other.
func TestChange_Announcements(t *testing.T) {
	r := begin(t, group.CompanyVerification).do(link("a", company, "pending"), observe("a", "failed", 1), resolve("a"))
	assert.Equal(t,
		[]string{groupStarted, sessionStarted, groupBlocked, sessionBlocked, groupDone, sessionDone},
		names(session.Change{Events: r.events}))
}
