package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// combinations calls f with every list of up to n of the four statuses.
func combinations(n int, f func(statuses []string)) {
	var extend func(list []string)
	extend = func(list []string) {
		f(list)
		if len(list) == n {
			return
		}
		for _, s := range []string{"awaiting", "ongoing", "done", "blocked"} {
			extend(append(list[:len(list):len(list)], s))
		}
	}
	extend(nil)
}

// SES-2: awaiting if all groups are, blocked if one is, done if all are,
// ongoing otherwise. Every combination of up to four groups, as numbers and as
// a session that is led there.
func TestSES2_Status(t *testing.T) {
	types := []group.Type{
		group.CompanyVerification, group.WatchlistVerification,
		group.IdentityVerification, group.BankAccountVerification,
	}
	resources := []string{company, watchlist, identity, bank}
	leads := map[string]string{"ongoing": "pending", "done": "verified", "blocked": "failed"}
	count := 0
	combinations(4, func(statuses []string) {
		count++
		want := plainStatus(statuses)
		var given []session.Status
		for _, s := range statuses {
			given = append(given, must(group.ParseStatus(s)))
		}
		require.Equal(t, want, session.StatusOf(given...).String(), "of %v", statuses)
		if len(statuses) == 0 {
			return
		}
		r := begin(t, types[:len(statuses)]...)
		for i, s := range statuses {
			if s != "awaiting" {
				r.do(link(fmt.Sprint(i), resources[i], leads[s]))
			}
			require.Equal(t, s, groupOf(t, r.s, types[i]).Status().String())
		}
		require.Equal(t, want, r.s.Status().String(), "of %v", statuses)
	})
	require.Equal(t, 1+4+16+64+256, count)
}

func TestSES2_Table(t *testing.T) {
	tests := []struct{ name, groups, want string }{
		{"SES-2: no group", "", "awaiting"},
		{"SES-2: all awaiting", "awaiting awaiting", "awaiting"},
		{"SES-2: all done", "done done", "done"},
		{"SES-2: one blocked beside whatever else", "done awaiting ongoing blocked", "blocked"},
		{"SES-2: done and awaiting is ongoing, for this is no join", "done awaiting", "ongoing"},
		{"SES-2: awaiting and done is ongoing as well", "awaiting done done", "ongoing"},
		{"SES-2: ongoing beside awaiting", "ongoing awaiting", "ongoing"},
		{"SES-2: ongoing beside done", "done ongoing", "ongoing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var groups []session.Status
			for _, s := range strings.Fields(test.groups) {
				groups = append(groups, must(group.ParseStatus(s)))
			}
			assert.Equal(t, test.want, session.StatusOf(groups...).String())
			assert.Equal(t, test.want, plainStatus(strings.Fields(test.groups)))
		})
	}
	t.Run("values that are no status count as no group", func(t *testing.T) {
		assert.Equal(t, session.Done, session.StatusOf(0, session.Done, 200))
		assert.Equal(t, session.Awaiting, session.StatusOf(0, 255))
	})
}

// lives are short lives of a session with a signature request group and a
// company verification group, and the statuses that they lead to.
var lives = []struct {
	name     string
	commands []session.Command
	// The statuses of both groups and of the session at the end.
	signatures, companies, session string
}{
	{
		"GRP-1: a draft alone leaves its group awaiting",
		[]session.Command{link("a", signature, "draft"), link("b", signature, "draft")},
		"awaiting", "awaiting", "awaiting",
	},
	{
		"GRP-1: awaiting_data is not awaiting",
		[]session.Command{link("a", company, "awaiting_data")},
		"awaiting", "ongoing", "ongoing",
	},
	{
		"GRP-3: a draft beside a success",
		[]session.Command{link("a", signature, "done"), link("b", signature, "draft")},
		"done", "awaiting", "ongoing",
	},
	{
		"GRP-2: one of several that blocks",
		[]session.Command{link("a", company, "verified"), link("b", company, "inconclusive"), link("c", company, "pending")},
		"awaiting", "blocked", "blocked",
	},
	{
		"GRP-6: deleting the only blocking signature request unblocks by itself",
		[]session.Command{link("a", signature, "ongoing"), event("a", "declined", 1), event("a", "deleted", 2)},
		"awaiting", "awaiting", "awaiting",
	},
	{
		"GRP-6: deleting one of two that block does not",
		[]session.Command{link("a", signature, "declined"), link("b", signature, "expired"), event("a", "deleted", 2)},
		"blocked", "awaiting", "blocked",
	},
	{
		"GRP-6: deleting it as an observation does as well",
		[]session.Command{link("a", signature, "canceled"), link("b", signature, "done"), observe("a", "deleted", 1)},
		"done", "awaiting", "ongoing",
	},
	{
		"GRP-6: reactivating an expired one unblocks",
		[]session.Command{link("a", signature, "expired"), event("a", "reactivated", 1)},
		"ongoing", "awaiting", "ongoing",
	},
	{
		"GRP-6: reactivating it for approval unblocks",
		[]session.Command{link("a", signature, "expired"), event("a", "reactivated_for_approval", 1)},
		"ongoing", "awaiting", "ongoing",
	},
	{
		"SES-5: after a deletion another may be linked",
		[]session.Command{link("a", signature, "declined"), event("a", "deleted", 1), link("b", signature, "done")},
		"done", "awaiting", "ongoing",
	},
	{
		"SES-6: a new action in a done session reopens it",
		[]session.Command{link("a", signature, "done"), link("b", company, "verified"), link("c", company, "pending")},
		"done", "ongoing", "ongoing",
	},
	{
		"SES-6: and blocks it",
		[]session.Command{link("a", signature, "done"), link("b", company, "verified"), link("c", signature, "expired")},
		"blocked", "done", "blocked",
	},
	{
		"SES-6: a deleted success takes its group back to awaiting",
		[]session.Command{link("a", signature, "done"), link("b", company, "verified"), event("a", "deleted", 1)},
		"awaiting", "done", "ongoing",
	},
	{
		"RSL-3: a resolved action counts as done",
		[]session.Command{link("a", company, "failed"), resolve("a")},
		"awaiting", "done", "ongoing",
	},
	{
		"RSL-3: whatever becomes of its resource",
		[]session.Command{link("a", company, "pending"), resolve("a"), observe("a", "failed", 1)},
		"awaiting", "done", "ongoing",
	},
	{
		"ATT-10: the newest attempt alone counts",
		[]session.Command{link("a", company, "failed"), retry("a", "b", company, "inconclusive"), retry("b", "c", company, "verified")},
		"awaiting", "done", "ongoing",
	},
	{
		"ATT-10: a retry of a signature request that is a draft",
		[]session.Command{link("a", signature, "expired"), retry("a", "b", signature, "draft")},
		"awaiting", "awaiting", "awaiting",
	},
}

func TestSession_Status(t *testing.T) {
	for _, test := range lives {
		t.Run(test.name, func(t *testing.T) {
			r := begin(t, group.SignatureRequest, group.CompanyVerification).do(test.commands...)
			assert.Equal(t, test.signatures, groupOf(t, r.s, group.SignatureRequest).Status().String())
			assert.Equal(t, test.companies, groupOf(t, r.s, group.CompanyVerification).Status().String())
			assert.Equal(t, test.session, r.s.Status().String())

			doc := plain(t, document(t, r.s))
			assert.Equal(t, []string{test.signatures, test.companies, test.session},
				[]string{doc.ActionGroups[0].status(), doc.ActionGroups[1].status(), doc.Status})
		})
	}
}

// SES-5: what was deleted stays visible, with that status.
func TestSES5_Visible(t *testing.T) {
	r := begin(t, group.SignatureRequest).
		do(link("a", signature, "declined"), event("a", "deleted", 1), link("b", signature, "draft"))
	g := groupOf(t, r.s, group.SignatureRequest)
	var got []string
	for c := range g.Actions() {
		got = append(got, c.Main().Resource.ID+" "+c.Main().Resource.Status.String())
	}
	assert.Equal(t, []string{"a deleted", "b draft"}, got)
	assert.Equal(t, 2, g.Len())
	assert.Contains(t, document(t, r.s), `"status":"deleted"`)
}

// SES-6: from every status, a session can be led to every other, and links
// anything meanwhile.
func TestSES6_NothingCloses(t *testing.T) {
	// Each of these leads a session with one signature request group from
	// whatever its status is to the one that it is named after; n tells ids and
	// times apart.
	leads := map[string]func(r *run, n int){
		"awaiting": func(r *run, n int) { clearAll(r, n) },
		"done":     func(r *run, n int) { clearAll(r, n); r.do(link(fmt.Sprint("done", n), signature, "done")) },
		"ongoing":  func(r *run, n int) { clearAll(r, n); r.do(link(fmt.Sprint("ongoing", n), signature, "ongoing")) },
		"blocked":  func(r *run, n int) { clearAll(r, n); r.do(link(fmt.Sprint("blocked", n), signature, "expired")) },
	}
	for from := range leads {
		for to := range leads {
			t.Run("SES-6: from "+from+" to "+to, func(t *testing.T) {
				r := begin(t, group.SignatureRequest)
				leads[from](r, 1)
				require.Equal(t, from, r.s.Status().String())
				leads[to](r, 2)
				require.Equal(t, to, r.s.Status().String())
			})
		}
	}
}

// clearAll deletes every signature request.
func clearAll(r *run, n int) {
	for c := range groupOf(r.t, r.s, group.SignatureRequest).Actions() {
		switch main := c.Main().Resource; main.Status.String() {
		case "deleted":
		case "ongoing":
			r.do(event(main.ID, "canceled", n), event(main.ID, "deleted", n))
		default:
			r.do(event(main.ID, "deleted", n))
		}
	}
}

// ATT-11: every attempt of a verification counts as one used; signature
// requests count nothing.
func TestATT11_VerificationsUsed(t *testing.T) {
	r := begin(t).do(
		link("a", company, "failed"), retry("a", "b", company, "failed"), retry("b", "c", company, "verified"),
		link("d", invoice, "done"),
		link("e", signature, "expired"), retry("e", "f", signature, "done"),
	)
	assert.Equal(t, 4, r.s.VerificationsUsed(), "ATT-11")
	assert.Equal(t, 3, mustAction(t, r.s, "b").VerificationsUsed())
}

// Action finds a chain by any of its resources.
func TestSession_Action(t *testing.T) {
	r := begin(t).do(link("a", company, "failed"), retry("a", "b", company, "pending"), link("c", company, "pending"))
	for id, want := range map[string][]string{"a": {"a", "b"}, "b": {"a", "b"}, "c": {"c"}} {
		var ids []string
		for _, at := range mustAction(t, r.s, id).Attempts() {
			ids = append(ids, at.Resource.ID)
		}
		assert.Equal(t, want, ids)
	}
	for _, id := range []string{"", "d", "s1"} {
		_, ok := r.s.Action(id)
		assert.False(t, ok, id)
	}
	_, ok := session.Session{}.Action("a")
	assert.False(t, ok)
}

// No session says so, and survives being asked.
func TestSession_Zero(t *testing.T) {
	var s session.Session
	assert.True(t, s.IsZero())
	assert.Equal(t, "no session", s.String())
	assert.Equal(t, session.Awaiting, s.Status())
	assert.Empty(t, slices.Collect(s.Groups()))
	assert.Empty(t, s.Blockers())
	assert.True(t, s.Equal(session.Session{}))
	assert.False(t, s.Equal(begin(t).s))
	_, err := s.Snapshot()
	require.ErrorIs(t, err, session.ErrInvalidSave, "what is none cannot be kept")
}
