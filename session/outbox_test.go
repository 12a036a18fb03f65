package session_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// WHK-9: an announcement has the same id wherever it is read, with all that
// tells it from others.
func TestAnnouncement_ID(t *testing.T) {
	change := begin(t, group.SignatureRequest, group.CompanyVerification).apply(link("a", company, "failed"))
	var ids []string
	for _, a := range change.Announcements() {
		ids = append(ids, a.ID())
	}
	assert.Equal(t, []string{"s1/2/workflow_action_group.blocked", "s1/2/workflow_session.blocked"}, ids)

	// A session may have the id of another with something behind it.
	odd := session.Announcement{Name: "workflow_session.done", SessionID: "s1/2", Version: 3}
	assert.Equal(t, "s1/2/3/workflow_session.done", odd.ID())
}

// WHK-9: no two announcements have one id.
func TestAnnouncement_IDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := map[string]session.Announcement{}
		for _, id := range []string{"s1", "s1/2", "s1/", "/"} {
			for _, e := range events(drawLife(t)) {
				e.SessionID = id
				for _, a := range e.Announcements() {
					require.NotContains(t, seen, a.ID())
					seen[a.ID()] = a
				}
			}
		}
	})
}

func TestOutcomeError(t *testing.T) {
	err := error(&session.OutcomeError{SessionID: "s1", Version: 4, Mark: "m", Err: errLost})
	require.EqualError(t, err, "session: whether version 4 of session s1 was saved is not known: the connection was lost")
	require.ErrorIs(t, err, session.ErrUnknownOutcome)
	require.ErrorIs(t, err, errLost)
	require.NotErrorIs(t, err, session.ErrConflict)
}

func TestCorruptError(t *testing.T) {
	broken := errors.New("it is no JSON")
	err := error(&session.CorruptError{SessionID: "s1", Version: 4, Column: "snapshot", Err: broken})
	require.EqualError(t, err, "session: snapshot of session s1 in version 4 is corrupt: it is no JSON")
	require.ErrorIs(t, err, session.ErrCorrupt)
	require.ErrorIs(t, err, broken)
}
