package group_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// entry is an entry in a word or two: a status, or a status and "resolved".
func entry(words string) group.Entry {
	status, resolved := words, false
	if n := len(words) - len(" resolved"); n > 0 && words[n:] == " resolved" {
		status, resolved = words[:n], true
	}
	s, err := action.ParseStatus(status)
	if err != nil {
		panic(err)
	}
	return group.EntryOf(s, resolved)
}

func entries(words ...string) []group.Entry {
	var list []group.Entry
	for _, w := range words {
		list = append(list, entry(w))
	}
	return list
}

func TestStatusOf(t *testing.T) {
	tests := []struct {
		name    string
		entries []group.Entry
		want    string
	}{
		{"GRP-1: no entry", nil, "awaiting"},
		{"GRP-1: a draft", entries("draft"), "awaiting"},
		{"GRP-1: drafts", entries("draft", "draft"), "awaiting"},
		{"GRP-1: what is deleted does not count", entries("deleted"), "awaiting"},
		{"GRP-1: drafts and what is deleted", entries("deleted", "draft", "deleted"), "awaiting"},
		{"GRP-1: awaiting_data is not awaiting", entries("awaiting_data"), "ongoing"},

		{"GRP-2: rejected", entries("rejected"), "blocked"},
		{"GRP-2: declined", entries("declined"), "blocked"},
		{"GRP-2: canceled", entries("canceled"), "blocked"},
		{"GRP-2: expired", entries("expired"), "blocked"},
		{"GRP-2: failed", entries("failed"), "blocked"},
		{"GRP-2: inconclusive", entries("inconclusive"), "blocked"},
		{"GRP-2: one is enough, beside a success", entries("verified", "failed"), "blocked"},
		{"GRP-2: one is enough, beside one under way", entries("expired", "ongoing"), "blocked"},
		{"GRP-2: one is enough, beside a draft", entries("draft", "draft", "declined"), "blocked"},
		{"GRP-2: one is enough, beside a resolved one", entries("failed resolved", "failed"), "blocked"},
		{"GRP-2: not if it is resolved", entries("failed resolved"), "done"},

		{"GRP-3: a signature", entries("done"), "done"},
		{"GRP-3: a verification", entries("verified"), "done"},
		{"GRP-3: resolved, whatever its status (RSL-3)", entries("inconclusive resolved"), "done"},
		{"GRP-3: resolved while pending (RSL-3)", entries("pending resolved"), "done"},
		{"GRP-3: resolved while data is awaited (RSL-3)", entries("awaiting_data resolved"), "done"},
		{"GRP-3: resolved, and verified later (RSL-3)", entries("verified resolved"), "done"},
		{"GRP-3: complete and resolved", entries("verified", "failed resolved"), "done"},
		{"GRP-3: a draft beside a success", entries("draft", "done"), "done"},
		{"GRP-3: what is deleted beside a success", entries("deleted", "done", "draft"), "done"},

		{"GRP-4: approval", entries("approval"), "ongoing"},
		{"GRP-4: ongoing", entries("ongoing"), "ongoing"},
		{"GRP-4: paused", entries("paused"), "ongoing"},
		{"GRP-4: pending", entries("pending"), "ongoing"},
		{"GRP-4: awaiting_data", entries("awaiting_data"), "ongoing"},
		{"GRP-4: a success is not enough", entries("verified", "verified", "pending"), "ongoing"},
		{"GRP-4: nor is a resolved one", entries("failed resolved", "awaiting_data"), "ongoing"},
		{"GRP-4: a draft beside one under way", entries("draft", "approval"), "ongoing"},

		{"GRP-5: order does not count", entries("done", "expired", "draft", "ongoing"), "blocked"},
		{"GRP-5: multiplicity does not count", entries("done", "done", "done", "done", "paused"), "ongoing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, group.StatusOf(test.entries).String())
		})
	}
}

// The zero Entry is that of a deleted Action. What the spec does not list is
// under way, for it is not known to be anything else.
func TestEntryOf(t *testing.T) {
	require.Equal(t, group.Entry{}, group.EntryOf(action.Deleted, false))
	require.Equal(t, group.Entry{}, group.EntryOf(action.Deleted, true))
	require.Equal(t, group.Awaiting, group.Entry{}.Says())
	require.Equal(t, uintptr(1), reflect.TypeFor[group.Entry]().Size())
	for i := range 256 {
		if s := action.Status(i); !s.IsValid() {
			require.Equal(t, group.Ongoing, group.EntryOf(s, false).Says(), "status %d", i)
			require.Equal(t, group.Done, group.EntryOf(s, true).Says(), "status %d", i)
		}
	}
}

// request is a signature request, to which things happen.
func request(t *testing.T, events ...action.Event) action.Resource {
	t.Helper()
	r := action.Resource{ID: "79a291fc", Type: action.TypeSignatureRequest, Status: action.Draft, AsOf: morning}
	for _, e := range events {
		next, outcome, err := r.Transition(e, morning)
		require.NoError(t, err)
		require.Equal(t, action.Taken, outcome)
		r = next
	}
	return r
}

var morning = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// GRP-6: what takes a group out of blocked by itself.
func TestOutOfBlocked(t *testing.T) {
	activated := []action.Event{action.EventActivated}
	tests := []struct {
		name   string
		blocks action.Event
		then   action.Event
		beside []group.Entry
		want   string
	}{
		{"GRP-6: deleting the only one", action.EventDeclined, action.EventDeleted, nil, "awaiting"},
		{"GRP-6: deleting it for good", action.EventCanceled, action.EventPermanentlyDeleted, nil, "awaiting"},
		{"GRP-6: deleting it beside a success", action.EventExpired, action.EventDeleted, entries("done"), "done"},
		{"GRP-6: deleting it beside one under way", action.EventExpired, action.EventDeleted, entries("paused"), "ongoing"},
		{"GRP-6: deleting one of two", action.EventDeclined, action.EventDeleted, entries("expired"), "blocked"},
		{"GRP-6: reactivating", action.EventExpired, action.EventReactivated, nil, "ongoing"},
		{"GRP-6: reactivating for approval", action.EventExpired, action.EventReactivatedForApproval, nil, "ongoing"},
		{"GRP-6: reactivating beside a success", action.EventExpired, action.EventReactivated, entries("done"), "ongoing"},
		{"GRP-6: reactivating one of two", action.EventExpired, action.EventReactivated, entries("declined"), "blocked"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := request(t, append(activated, test.blocks)...)
			require.Equal(t, group.Blocked, group.StatusOf(append(test.beside, group.EntryOf(before.Status, false))))
			after := request(t, append(activated, test.blocks, test.then)...)
			require.Equal(t, test.want, group.StatusOf(append(test.beside, group.EntryOf(after.Status, false))).String())
		})
	}
}

// GRP-2, GRP-3: the platform's guide has this table of three attempts, of which
// the group reads the newest alone.
func TestGuideThreeAttempts(t *testing.T) {
	try := func(id string, status action.Status) attempt.Attempt {
		return attempt.Attempt{
			Resource: action.Resource{
				ID: id, Type: action.TypeIdentityDocumentVerification, Status: status, CreatedAt: morning, AsOf: morning,
			},
			Inputs: attempt.Digest{id[0]},
		}
	}
	read := func(c attempt.Chain) group.Status {
		_, resolved := c.Resolution()
		return group.EntryOf(c.Main().Resource.Status, resolved).Says()
	}
	c, err := attempt.Start(try("1", action.Failed))
	require.NoError(t, err)
	require.Equal(t, group.Blocked, read(c), "#1 failed: Action Group blocked")
	c, err = c.Retry(attempt.Retry{Replaces: "1", Next: try("2", action.Inconclusive)})
	require.NoError(t, err)
	require.Equal(t, group.Blocked, read(c), "#2 inconclusive: Action Group still blocked")

	byHand, err := c.Resolve("2", attempt.Resolution{At: morning})
	require.NoError(t, err)
	require.Equal(t, group.Done, read(byHand), "RSL-3: treated as verified")

	c, err = c.Retry(attempt.Retry{Replaces: "2", Next: try("3", action.Verified)})
	require.NoError(t, err)
	require.Equal(t, group.Done, read(c), "#3 verified: Action Group unblocked")
}
