package session_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/session"
)

func TestReadSnapshot(t *testing.T) {
	s := history(t).s
	text := []byte(snapshot(t, s))
	got, err := session.ReadSnapshot("s1", 12, text)
	require.NoError(t, err)
	assert.True(t, got.Equal(s))

	for says, read := range map[string]func() (session.Session, error){
		"session: snapshot of session s2 in version 12 is corrupt: it is of session s1 in version 12": func() (session.Session, error) {
			return session.ReadSnapshot("s2", 12, text)
		},
		"session: snapshot of session s1 in version 11 is corrupt: it is of session s1 in version 12": func() (session.Session, error) {
			return session.ReadSnapshot("s1", 11, text)
		},
		"session: snapshot of session s1 in version 12 is corrupt: session: invalid snapshot: unexpected end of JSON input": func() (session.Session, error) {
			return session.ReadSnapshot("s1", 12, text[:20])
		},
	} {
		got, err := read()
		require.EqualError(t, err, says)
		require.ErrorIs(t, err, session.ErrCorrupt)
		assert.Zero(t, got)
	}
}

func TestReadEvent(t *testing.T) {
	e := history(t).events[3]
	text, err := json.Marshal(e)
	require.NoError(t, err)
	got, err := session.ReadEvent("s1", 4, text)
	require.NoError(t, err)
	assert.Equal(t, e, got)

	for says, read := range map[string]func() (session.Event, error){
		"session: event of session s2 in version 4 is corrupt: it is event 4 of session s1": func() (session.Event, error) {
			return session.ReadEvent("s2", 4, text)
		},
		"session: event of session s1 in version 5 is corrupt: it is event 4 of session s1": func() (session.Event, error) {
			return session.ReadEvent("s1", 5, text)
		},
		"session: event of session s1 in version 4 is corrupt: unexpected end of JSON input": func() (session.Event, error) {
			return session.ReadEvent("s1", 4, text[:20])
		},
	} {
		got, err := read()
		require.EqualError(t, err, says)
		require.ErrorIs(t, err, session.ErrCorrupt)
		assert.Zero(t, got)
	}
}
