package session_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/session"
)

// swept is what one step of a sweep yields.
type swept struct {
	record session.Record
	err    error
}

// archive is a Store that can be swept and nothing else.
type archive struct {
	session.Store
	sweep  []swept
	yields int
}

func (a *archive) Sweep(context.Context) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) {
		for _, s := range a.sweep {
			a.yields++
			if !yield(s.record, s.err) {
				return
			}
		}
	}
}

// recordOf is the record of a session.
func recordOf(s session.Session, events []session.Event) session.Record {
	return session.Record{ID: s.ID(), Session: s, Events: events}
}

func TestRecord_Verify(t *testing.T) {
	r := history(t)
	forged, _, err := session.Apply(r.s, observe("y", "paused", 999), at(5000))
	require.NoError(t, err)
	tests := []struct {
		name   string
		record session.Record
		says   string
	}{
		{"they agree", recordOf(r.s, r.events), ""},
		{"a beginning", recordOf(replayed(t, r.events[:1]), r.events[:1]), ""},
		{"an event too many", recordOf(replayed(t, r.events[:3]), r.events[:4]), "session: history of s1, event 4: it is there, but stored is session s1, version 3, blocked"},
		{"another id", session.Record{ID: "S1", Session: r.s, Events: r.events}, "session: history of S1, event 12: stored is session s1, version 12, ongoing"},
		{"no events", recordOf(r.s, nil), "session: history of s1, event 1: it is missing"},
		{"the last event is missing", recordOf(r.s, r.events[:11]), "session: history of s1, event 12: it is missing"},
		{"one before is missing", recordOf(r.s, append(r.events[:3:3], r.events[4:]...)), "session: history of s1, event 4: it is missing"},
		{"one is there twice", recordOf(r.s, append(r.events[:2:2], r.events[1:11]...)), "session: history of s1, event 3: its version is 2"},
		{
			"the session is another", recordOf(forged, append(r.events[:12:12], event13(t, r.s))),
			"session: history of s1, event 13: the events lead to session s1, version 13, ongoing, but stored is session s1, version 13, ongoing",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.record.Verify()
			if test.says == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.says)
			require.ErrorIs(t, err, session.ErrHistory)
		})
	}
}

// event13 is an event on top of a session of 12.
func event13(t *testing.T, s session.Session) session.Event {
	t.Helper()
	_, change, err := session.Apply(s, observe("y", "ongoing", 999), at(5000))
	require.NoError(t, err)
	require.Len(t, change.Events, 1)
	return change.Events[0]
}

// Whatever happens to a session, its record verifies, and no longer if any
// event is left out.
func TestRecord_Verify_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := drawLife(t)
		s, all := steps[len(steps)-1].after, events(steps)
		require.NoError(t, recordOf(s, all).Verify())
		i := rapid.IntRange(0, len(all)-1).Draw(t, "left out")
		require.ErrorIs(t, recordOf(s, slices.Delete(slices.Clone(all), i, i+1)).Verify(), session.ErrHistory)
	})
}

func TestVerifyAll(t *testing.T) {
	r := history(t)
	good := swept{record: recordOf(r.s, r.events)}
	torn := swept{record: session.Record{ID: "torn", Session: r.s}}
	corrupt := swept{
		session.Record{ID: "corrupt"},
		fmt.Errorf("row 7: %w", &session.CorruptError{SessionID: "corrupt", Version: 4, Column: "snapshot", Err: errDisk}),
	}
	lost := swept{err: errLost}
	enough := errors.New("that is enough")
	tests := []struct {
		name    string
		sweep   []swept
		stop    string   // report returns an error for this session
		reports []string // the sessions that were reported
		n       int
		is      error
		yields  int
	}{
		{"none", nil, "", nil, 0, nil, 0},
		{"all are well", []swept{good, good, good}, "", nil, 3, nil, 3},
		{"what is damaged is reported, and the sweep goes on", []swept{torn, good, corrupt, good, torn}, "", []string{"torn", "corrupt", "torn"}, 5, nil, 5},
		{"another error ends it", []swept{good, corrupt, lost}, "", []string{"corrupt"}, 2, errLost, 3},
		{"another error ends it, whatever comes then", []swept{lost, corrupt, good}, "", nil, 0, errLost, 1},
		{"an error of report ends it", []swept{good, torn, corrupt, good}, "torn", []string{"torn"}, 2, enough, 2},
		{"also of the last", []swept{good, corrupt}, "corrupt", []string{"corrupt"}, 2, enough, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := &archive{sweep: test.sweep}
			var reports []string
			n, err := session.VerifyAll(t.Context(), a, func(id string, err error) error {
				reports = append(reports, id)
				is := session.ErrHistory
				if id == "corrupt" {
					is = session.ErrCorrupt
				}
				require.ErrorIs(t, err, is)
				if id == test.stop {
					return enough
				}
				return nil
			})
			require.ErrorIs(t, err, test.is)
			assert.Equal(t, test.reports, reports)
			assert.Equal(t, test.n, n)
			assert.Equal(t, test.yields, a.yields)
		})
	}
}

func TestVerifyAll_Messages(t *testing.T) {
	never := func(string, error) error { panic("nothing is to report") }
	n, err := session.VerifyAll(t.Context(), &archive{sweep: []swept{{err: errLost}}}, never)
	require.EqualError(t, err, "verify all sessions: the connection was lost")
	assert.Zero(t, n)
	_, err = session.VerifyAll(t.Context(), &fake{}, never)
	require.ErrorIs(t, err, session.ErrUnsupported)
	require.EqualError(t, err,
		"verify all sessions: session: unsupported by this store: *session_test.fake is no session.Archive")
}
