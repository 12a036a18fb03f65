package agree_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

var noon = time.Date(2025, time.September, 22, 12, 0, 0, 123456789, time.UTC)

// plain applies commands to a new session, one a minute, and returns it with its
// events. It has a company verification, which fails as often as it is told to.
func plain(t testing.TB, id string, commands ...session.Command) (session.Session, []session.Event) {
	t.Helper()
	all := append([]session.Command{session.Create{
		ID: id, Name: "Onboarding", WorkspaceID: "w",
		Template: session.Template{ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification}},
	}}, commands...)
	var s session.Session
	var events []session.Event
	for i, c := range all {
		next, change, err := session.Apply(s, c, noon.Add(time.Duration(i)*time.Minute))
		require.NoError(t, err)
		require.NotEmpty(t, change.Events)
		s, events = next, append(events, change.Events...)
	}
	return s, events
}

func link(resource string) session.Link {
	return session.Link{Inputs: attempt.Digest{1}, Resource: action.Resource{
		ID: resource, Type: action.TypeCompanyVerification, Status: action.Pending, CreatedAt: noon, AsOf: noon,
	}}
}

func failed(resource string, seconds int) session.Observe {
	asOf := action.Seconds(noon).Add(time.Duration(seconds) * time.Second)
	return session.Observe{ResourceID: resource, Status: action.Failed, AsOf: asOf}
}

// databases are the stores that have rows.
func databases(t testing.TB) []*subject {
	t.Helper()
	return []*subject{inSQLite(t), inPostgres(t)}
}

// at is where an error says that something is corrupt.
type at struct {
	column  string
	version int
}

// rowDamages are what may happen to the rows of session b, which has three
// events, and what is said of it. Where nothing is said, nothing is to be said.
var rowDamages = []struct {
	statement           string
	load, history, list []at
	swept               []at // none if the sweep says something else
	history2            int  // events that History returns
	outbox              []at
}{
	{
		statement: `UPDATE sluice_sessions SET snapshot = '{}' WHERE id = 'b'`, history2: 3,
		load: []at{{"snapshot", 3}}, list: []at{{"snapshot", 3}}, swept: []at{{"snapshot", 3}},
	},
	{
		statement: `UPDATE sluice_sessions SET snapshot = (SELECT snapshot FROM sluice_sessions WHERE id = 'a') WHERE id = 'b'`,
		load:      []at{{"snapshot", 3}}, list: []at{{"snapshot", 3}}, swept: []at{{"snapshot", 3}}, history2: 3,
	},
	{
		statement: `UPDATE sluice_sessions SET version = 2 WHERE id = 'b'`, history2: 3,
		load: []at{{"snapshot", 2}}, list: []at{{"snapshot", 2}}, swept: []at{{"snapshot", 2}},
	},
	{
		statement: `UPDATE sluice_sessions SET status = 'done', workspace_id = 'x', template_id = 'x', created_at = 1,
			updated_at = 1 WHERE id = 'b'`, history2: 3,
		swept: []at{{"status", 3}, {"workspace_id", 3}, {"template_id", 3}, {"created_at", 3}, {"updated_at", 3}},
	},
	{
		statement: `UPDATE sluice_events SET event = '[]' WHERE session_id = 'b' AND version = 2`, history2: 1,
		history: []at{{"event", 2}}, swept: []at{{"event", 2}},
	},
	{
		statement: `UPDATE sluice_events SET event = (SELECT event FROM sluice_events WHERE session_id = 'b' AND version = 1)
			WHERE session_id = 'b' AND version > 1`, history2: 1,
		history: []at{{"event", 2}}, swept: []at{{"event", 2}, {"event", 3}},
	},
	{
		statement: `DELETE FROM sluice_resources WHERE session_id = 'b'`, history2: 3, swept: []at{{"resource", 2}},
	},
	{
		statement: `UPDATE sluice_resources SET session_id = 'a' WHERE session_id = 'b'`, history2: 3, swept: []at{{"resource", 2}},
	},
	{
		statement: `UPDATE sluice_outbox SET group_type = '' WHERE session_id = 'b' AND version = 3`, history2: 3,
		outbox: []at{{"outbox.group_type", 3}, {"outbox.group_type", 3}},
	},
	{
		statement: `UPDATE sluice_outbox SET status = 'x', at = 'x' WHERE session_id = 'b' AND version = 3`, history2: 3,
		outbox: []at{{"outbox.status", 3}, {"outbox.status", 3}},
	},
	{
		statement: `UPDATE sluice_outbox SET at = 'x' WHERE session_id = 'b'`, history2: 3,
		outbox: []at{{"outbox.at", 2}, {"outbox.at", 2}, {"outbox.at", 3}, {"outbox.at", 3}},
	},
}

// Of rows that cannot be read both databases say where they are: session, version
// and column. Everything else is answered as if nothing had happened.
func TestRows(t *testing.T) {
	t.Parallel()
	subjects := databases(t)
	for _, s := range subjects {
		for _, d := range rowDamages {
			t.Run(s.name+"/"+d.statement, func(t *testing.T) {
				require.NoError(t, s.empty())
				for _, id := range []string{"a", "b", "c"} {
					saved, events := plain(t, id, link(id+".1"), failed(id+".1", 1))
					require.NoError(t, s.Save(t.Context(), saved, events))
				}
				require.NoError(t, s.execute(d.statement))

				_, err := s.Load(t.Context(), "b")
				assert.Equal(t, d.load, corrupt(t, err))
				events, err := s.History(t.Context(), "b", 0)
				assert.Equal(t, d.history, corrupt(t, err))
				assert.Len(t, events, d.history2)
				page, err := s.List(t.Context(), session.Query{})
				assert.Equal(t, d.list, corrupt(t, err))
				assert.Len(t, page.Items, 3-len(d.list))

				n, err := session.VerifyAll(t.Context(), s.store, func(id string, err error) error {
					assert.Equal(t, "b", id)
					assert.Equal(t, d.swept, corrupt(t, err))
					return nil
				})
				require.NoError(t, err)
				assert.Equal(t, 3, n)

				entries, err := s.Announced(t.Context(), "", 100)
				assert.Equal(t, d.outbox, corrupt(t, err))
				assert.Equal(t, 12-len(d.outbox), readable(t, entries))
				entries, err = s.Claim(t.Context(), 100, noon, time.Hour)
				assert.Equal(t, d.outbox, corrupt(t, err))
				assert.Equal(t, 12-len(d.outbox), readable(t, entries))
				for _, id := range []string{"a", "c"} {
					require.NoError(t, session.Verify(t.Context(), s.store, id))
				}
			})
		}
	}
}

// readable returns how many of all entries can be read. The others are there as
// well, without a status, so that they can be acknowledged.
func readable(t *testing.T, entries []session.Entry) int {
	t.Helper()
	assert.Len(t, entries, 12)
	n := 0
	for _, e := range entries {
		assert.NotEmpty(t, e.Position)
		if e.Status != 0 {
			n++
		}
	}
	return n
}

// corrupt returns where an error says that something is corrupt, all of session b.
func corrupt(t *testing.T, err error) []at {
	t.Helper()
	if err == nil {
		return nil
	}
	require.ErrorIs(t, err, session.ErrCorrupt)
	var all []at
	for e := range within(err) {
		if e, ok := e.(*session.CorruptError); ok { //nolint:errorlint // within yields what is wrapped
			assert.Equal(t, "b", e.SessionID)
			require.Error(t, e.Err)
			all = append(all, at{e.Column, e.Version})
		}
	}
	return all
}

// forgeries are events that no command leads to, and of which
// [session.CheckSave] says nothing: what databases say instead.
var forgeries = map[string]struct {
	forge func(events []session.Event)
	text  string
}{
	"linked twice": {
		func(e []session.Event) { e[2].Fact = e[1].Fact },
		"session a: session: invalid save: a resource is linked twice",
	},
	"linked twice, and what is another's": {
		func(e []session.Event) {
			e[2].Fact = e[1].Fact
			e[3].Fact = session.Linked{Resource: link("o").Resource}
		},
		"session: link of o refused: it stands in session other (ATT-12)",
	},
	"a time that no document has": {
		func(e []session.Event) { e[2].At = e[2].At.AddDate(20_000, 0, 0) },
		"session a: event 3: json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]",
	},
}

// What cannot be stored is refused in the same words, and nothing of it is there.
func TestForgeries(t *testing.T) {
	t.Parallel()
	for _, s := range databases(t) {
		other, events := plain(t, "other", link("o"))
		require.NoError(t, s.Save(t.Context(), other, events))
		for name, f := range forgeries {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				next, events := plain(t, "a", link("r"), link("r2"), link("r3"))
				f.forge(events)
				require.EqualError(t, s.Save(t.Context(), next, events), f.text)
				_, err := s.Load(t.Context(), "a")
				require.ErrorIs(t, err, session.ErrNotFound)
			})
		}
	}
}

// Where there is more than is read at once, nothing is passed over and nothing
// comes twice: in lists, in the outbox, and in sweeps, which read sessions by
// their number and by that of their events. What is damaged stands where one
// batch ends and another one begins.
func TestMany(t *testing.T) {
	t.Parallel()
	subjects := append([]*subject{reference()}, databases(t)...)
	c := &course{subjects: subjects, ctx: context.Background}
	many := saves(t)
	for _, s := range subjects {
		require.NoError(t, s.empty())
		require.NoError(t, s.together(many))
	}
	for _, limit := range []int{23, 300} {
		for q := (session.Query{Limit: limit}); ; {
			before := len(c.queries)
			if c.listOne(t, q); len(c.queries) == before {
				break
			}
			q = c.queries[before]
		}
	}
	c.sweepUntil(t, 65)
	c.sweepUpTo(t, 1000)
	c.announcedBehind(t, "", 10_000)
	c.announcedBehind(t, c.told[len(c.told)/2], 100)

	c.subjects = subjects[1:]
	for _, n := range []int{63, 64, 127, 150, 151, 255, 256, 299} {
		c.spoil(t, fmt.Sprintf("UPDATE sluice_sessions SET snapshot = '{}' WHERE id = 's%03d'", n))
		c.spoil(t, fmt.Sprintf("UPDATE sluice_events SET event = '{}' WHERE session_id = 's%03d' AND version = 2", n+1))
		c.spoil(t, fmt.Sprintf("DELETE FROM sluice_resources WHERE session_id = 's%03d'", n+2))
	}
	all := c.verifyUpTo(t, 1000)
	require.Equal(t, "300 verified", all.said[0])
	require.Len(t, all.said, 1+16) // some are damaged in more than one way
	for _, limit := range []int{1, 64, 300} {
		c.listOne(t, session.Query{Limit: limit, Cursor: c.queries[1].Cursor})
	}
}

// saved is what one save keeps.
type saved struct {
	next   session.Session
	events []session.Event
}

// saves are those of 300 sessions, of which one has more events than a sweep
// reads of others at once.
func saves(t *testing.T) []saved {
	t.Helper()
	var all []saved
	for i := range 300 {
		id := fmt.Sprintf("s%03d", i)
		commands := []session.Command{link(id + ".1")}
		for n := range map[int]int{150: 4200}[i] {
			commands = append(commands, failed(id+".1", n+1))
		}
		next, events := plain(t, id, commands...)
		all = append(all, saved{next, events})
	}
	return all
}

// together saves them, in one transaction if there are any.
func (s *subject) together(all []saved) error {
	do := func(store session.Store) error {
		for _, one := range all {
			if err := store.Save(context.Background(), one.next, one.events); err != nil {
				return err
			}
		}
		return nil
	}
	if s.inTx == nil {
		return do(s.store)
	}
	return s.inTx(do)
}
