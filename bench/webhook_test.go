package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// The host that is written by hand hears the same of every webhook, so that the
// same work is compared; and neither takes a call that is not authentic.
func TestWebhook_Agree(t *testing.T) {
	ours, theirs := newReceivers()
	calls, announced := newCalls(id(idResource, 1)), 0
	require.Len(t, calls, callCount)
	for _, c := range calls {
		want, err := ours.receive(c.body, c.signature)
		require.NoError(t, err)
		names := []string(nil)
		for _, a := range want {
			names = append(names, a.Name)
		}
		got, err := theirs.receive(c.body, c.signature)
		require.NoError(t, err)
		require.Equal(t, names, got)
		announced += len(names)
	}
	require.Equal(t, (callCount-callCount/callsDouble)/2*2, announced, "a group and a session, at every second event")

	other := calls[1].signature
	_, err := ours.receive(calls[0].body, other)
	require.Error(t, err)
	_, err = theirs.receive(calls[0].body, other)
	require.ErrorIs(t, err, errSignature)
}

// What blocks is the same, read by either.
func TestDocument_Agree(t *testing.T) {
	for _, s := range []*life{onboarding(0, action.Declined), filled(1), filled(5)} {
		ours := s.Blockers()
		theirs := plainOf(t, s.Session).blockers()
		require.Len(t, theirs, len(ours))
		for i, b := range ours {
			require.Equal(t, b.Resource.ID, theirs[i])
		}
	}
}

// plainOf reads the document of a session into plain structs, of which nothing is
// lost on the way.
func plainOf(t *testing.T, s session.Session) *plainSession {
	t.Helper()
	text, err := s.MarshalJSON()
	require.NoError(t, err)
	plain := new(plainSession)
	require.NoError(t, json.Unmarshal(text, plain))
	again, err := json.Marshal(plain)
	require.NoError(t, err)
	read, _, err := session.ParseDocument(again)
	require.NoError(t, err)
	whole, err := read.MarshalJSON()
	require.NoError(t, err)
	require.JSONEq(t, string(text), string(whole))
	return plain
}
