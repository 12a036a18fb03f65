package session_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// The generator draws what it should: of its commands, enough are accepted,
// refused and without news for the properties to mean something.
func TestDrawLife(t *testing.T) {
	var taken, refused, idle, blocked, retried, total int
	rapid.Check(t, func(t *rapid.T) {
		for _, s := range drawLife(t) {
			total++
			c, isLink := s.command.(session.Link)
			switch {
			case s.err != nil:
				refused++
			case len(s.change.Events) == 0:
				idle++
			default:
				taken++
				if isLink && c.PreviousAttemptID != "" {
					retried++
				}
			}
			if s.after.Status() == session.Blocked {
				blocked++
			}
		}
	})
	t.Logf("of %d: %d taken, %d retries among them, %d refused, %d without news; %d led to a blocked session",
		total, taken, retried, refused, idle, blocked)
	assert.Greater(t, taken, total/5)
	assert.Greater(t, refused, total/10)
	assert.Greater(t, idle, total/50)
	assert.Greater(t, blocked, total/10)
	assert.Greater(t, retried, 5)
}

// Apply is a pure function of a value: the same arguments give the same result,
// and an old session shows what it showed, whatever newer ones branched from it.
func TestApply_Pure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := life{t: t, now: start}
		l.apply(session.Session{}, drawCreate(t))
		shown := []string{snapshot(t, l.last())}
		for range rapid.IntRange(1, 30).Draw(t, "commands") {
			from := l.last()
			if rapid.IntRange(0, 3).Draw(t, "go back") == 0 {
				from = l.steps[rapid.IntRange(0, len(l.steps)-1).Draw(t, "to")].after
			}
			l.apply(from, l.drawCommand(from))
			shown = append(shown, snapshot(t, l.last()))
		}
		for i, s := range l.steps {
			require.Equal(t, shown[i], snapshot(t, s.after), "session %d was changed later", i)
			after, change, err := session.Apply(s.before, s.command, s.now)
			require.True(t, after.Equal(s.after))
			require.Equal(t, shown[i], snapshot(t, after))
			require.Equal(t, s.change, change)
			if s.err != nil {
				require.EqualError(t, err, s.err.Error())
			} else {
				require.NoError(t, err)
			}
		}
	})
}

// A command that is refused, or tells nothing new, changes nothing; every other
// leads one version on, with one event.
func TestApply_ChangesOrNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, s := range drawLife(t) {
			switch {
			case s.err != nil:
				var refusal *session.Refusal
				require.ErrorAs(t, s.err, &refusal)
				require.NotEmpty(t, refusal.Rule)
				require.NotEmpty(t, refusal.Subject)
				require.Error(t, refusal.Err, "there is a sentinel to ask for")
				require.Equal(t, session.Change{}, s.change)
				require.True(t, s.after.Equal(s.before))
			case len(s.change.Events) == 0:
				require.Contains(t, []action.Outcome{action.Duplicate, action.Stale, action.Frozen}, s.change.Outcome)
				require.True(t, s.after.Equal(s.before))
			default:
				require.Equal(t, action.Taken, s.change.Outcome)
				require.Len(t, s.change.Events, 1)
				require.Equal(t, s.before.Version()+1, s.after.Version())
				require.Equal(t, s.after.Version(), s.change.Events[0].Version)
				require.False(t, s.after.Equal(s.before))
			}
		}
	})
}

// GRP, SES-2, SES-7, SES-8: statuses, announcements and updated_at are what a
// stranger makes of the public documents.
func TestApply_Transcription(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := drawLife(t)
		for _, s := range steps[1:] {
			text := document(t, s.after)
			before, after := plain(t, document(t, s.before)), plain(t, text)
			var groups []string
			for _, g := range after.ActionGroups {
				require.Equal(t, g.status(), g.Status, "GRP: %s of %s", g.Type, text)
				groups = append(groups, g.Status)
			}
			require.Equal(t, plainStatus(groups), after.Status, "SES-2: %s", text)
			require.Equal(t, announced(before, after), names(s.change), "SES-7")

			want := s.before.UpdatedAt()
			if now := s.now.Truncate(time.Second); undated(t, s.before) != undated(t, s.after) && now.After(want) {
				want = now
			}
			require.Equal(t, want, s.after.UpdatedAt(), "SES-8")
		}
	})
}

// undated is a document without its updated_at.
func undated(t require.TestingT, s session.Session) string {
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(document(t, s)), &doc))
	delete(doc, "updated_at")
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	return string(text)
}

// SES-9: a session is blocked exactly if something blocks it, and every way out
// that is offered is taken.
func TestBlockers_Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSession(t)
		require.Equal(t, s.Status() == session.Blocked, len(s.Blockers()) > 0, "SES-9")
		for _, b := range s.Blockers() {
			require.NotEmpty(t, b.WaysOut, "SES-9: there is always a way out")
			for _, w := range b.WaysOut {
				next, change, err := session.Apply(s, fill(w), at(86400))
				require.NoError(t, err, "SES-9: %s", b)
				require.Equal(t, action.Taken, change.Outcome)
				require.Len(t, next.Blockers(), len(s.Blockers())-1)
			}
		}
	})
}

// What is written is read as what it was.
func TestSession_RoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSession(t)

		text := snapshot(t, s)
		read, err := session.FromSnapshot([]byte(text))
		require.NoError(t, err)
		require.True(t, s.Equal(read))
		require.Equal(t, s.Version(), read.Version())
		require.Equal(t, text, snapshot(t, read))

		// The public document does not tell all, but what it tells is kept.
		text = document(t, s)
		read, mismatches, err := session.ParseDocument([]byte(text))
		require.NoError(t, err)
		require.Empty(t, mismatches, "SES-10")
		require.Equal(t, text, document(t, read), "SES-10")
		require.Zero(t, read.Version())
		again, _, err := session.ParseDocument([]byte(document(t, read)))
		require.NoError(t, err)
		require.True(t, again.Equal(read))
	})
}

// Events and commands are read as what was written, and lead where they led.
func TestLife_RoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s session.Session
		var history []session.Event
		for _, st := range drawLife(t) {
			text, err := session.MarshalCommand(st.command)
			require.NoError(t, err)
			c, err := session.UnmarshalCommand(text)
			require.NoError(t, err)
			again, err := session.MarshalCommand(c)
			require.NoError(t, err)
			require.Equal(t, string(text), string(again))

			var change session.Change
			s, change, err = session.Apply(s, c, st.now)
			require.Equal(t, st.err == nil, err == nil)
			require.Equal(t, st.change, change, "the command says what it said")
			for _, e := range change.Events {
				text, err := json.Marshal(e)
				require.NoError(t, err)
				var read session.Event
				require.NoError(t, json.Unmarshal(text, &read))
				require.Equal(t, e, read)
				history = append(history, read)
			}
		}
		replayed, err := session.Replay(history)
		require.NoError(t, err)
		require.True(t, replayed.Equal(s))
	})
}

// ACT-5: for histories that the machines explain, every order and duplication
// of their observations ends in one document, without a contradiction.
func TestACT5_Order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, told := drawHistories(t)
		inOrder := follow(t, s, told)
		for range 3 {
			shuffled := rapid.Permutation(append(told, told[:len(told)/2]...)).Draw(t, "order")
			got := follow(t, s, shuffled)
			require.Equal(t, undated(t, inOrder), undated(t, got), "ACT-5")
			require.Equal(t, inOrder.Status(), got.Status())
		}
	})
}

func follow(t *rapid.T, s session.Session, told []session.Observe) session.Session {
	for i, o := range told {
		var err error
		s, _, err = session.Apply(s, o, at(100+i))
		require.NotErrorIs(t, err, action.ErrContradiction, "ACT-5")
		require.NoError(t, err)
	}
	return s
}

// drawHistories draws a session of fresh resources, and what their providers
// tell of them, in the order in which it happened.
func drawHistories(t *rapid.T) (session.Session, []session.Observe) {
	r := begin(t)
	var told []session.Observe
	for i := range rapid.IntRange(1, 4).Draw(t, "resources") {
		id := string(rune('a' + i))
		res := resource(id, rapid.SampledFrom([]string{signature, signature, company, video, invoice}).Draw(t, "type"), "done")
		m := res.Type.Machine()
		res.Status = rapid.SampledFrom(m.Initial()).Draw(t, "status")
		r.do(session.Link{Resource: res})
		status, second := res.Status, 0
		for range rapid.IntRange(0, 8).Draw(t, "events") {
			e := drawEvent(t, action.Resource{Type: res.Type, Status: status})
			next, err := m.Next(status, e)
			if err != nil {
				continue
			}
			status = next
			second += rapid.IntRange(0, 2).Draw(t, "seconds")
			told = append(told, session.Observe{ResourceID: id, Status: status, AsOf: at(second)})
		}
	}
	return r.s, told
}
