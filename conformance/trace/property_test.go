package trace

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
)

// record is a line of a trace that is right, with what can be wrong with it.
type record struct {
	text string
	// wrong are lines that differ in one thing, each of which is a finding.
	wrong []string
	// paidFor is the line on which an announcement became due, 0 for no
	// announcement.
	paidFor int
}

// recorder records a system that does what the rules say.
type recorder struct {
	*rapid.T
	sessions map[string]session.Session
	records  []record
}

// record plays the scripts of some sessions, in turns.
func recorded(t *rapid.T) []record {
	r := recorder{t, map[string]session.Session{}, nil}
	scripts := map[string][]sessiontest.Step{}
	var ids []string
	for i := range rapid.IntRange(1, 3).Draw(t, "sessions") {
		id := fmt.Sprintf("s%d", i)
		ids = append(ids, id)
		scripts[id] = sessiontest.Scripts(id).Draw(t, id)
	}
	for len(ids) > 0 {
		i := rapid.IntRange(0, len(ids)-1).Draw(t, "turn")
		id := ids[i]
		if len(scripts[id]) == 0 {
			ids = append(ids[:i], ids[i+1:]...)
			continue
		}
		r.step(id, scripts[id][0])
		scripts[id] = scripts[id][1:]
	}
	return r.records
}

func (r *recorder) add(now time.Time, members string, wrong ...string) {
	line := func(members string) string {
		return `{"at":"` + now.Format(time.RFC3339Nano) + `",` + members + "}"
	}
	next := record{text: line(members)}
	for _, w := range wrong {
		next.wrong = append(next.wrong, line(w))
	}
	r.records = append(r.records, next)
}

// step gives a command to a session, and records it with what follows.
func (r *recorder) step(id string, step sessiontest.Step) {
	c := step.Command
	text := r.complete(c)
	c = timed(c, step.Now)
	s, change, err := session.Apply(r.sessions[id], c, step.Now)
	r.sessions[id] = s
	command := `"session":"` + id + `",` + text[1:len(text)-1]
	switch observe, isObserve := c.(session.Observe); {
	case err != nil:
		refused := fmt.Sprintf(`,"refused":%q`, refusalOf(err).Rule)
		r.add(step.Now, command+refused, command+`,"refused":false`, command+`,"refused":"WHK-1"`)
	case isObserve && rapid.Bool().Draw(r.T, "as a webhook"):
		r.webhook(s, observe, step.Now, len(change.Events) == 0)
	default:
		r.add(step.Now, command+`,"refused":false`, command+`,"refused":true`, command+`,"refused":"WHK-1"`)
	}
	due := len(r.records)
	for _, a := range rapid.Permutation(change.Announcements()).Draw(r.T, "announcements") {
		told := fmt.Sprintf(`"session":%q,"announced":%q`, id, a.Name)
		if a.GroupType != 0 {
			told += fmt.Sprintf(`,"group_type":%q`, a.GroupType.String())
		}
		r.add(step.Now, told, strings.Replace(told, id, "s9", 1))
		r.records[len(r.records)-1].paidFor = due
	}
	if !s.IsZero() {
		r.look(s, step.Now)
	}
}

// complete writes a command with every member that it needs, also if that is
// empty, which [session.MarshalCommand] leaves out.
func (r *recorder) complete(c session.Command) string {
	text, err := session.MarshalCommand(plainly(c))
	require.NoError(r, err)
	var members map[string]any
	require.NoError(r, json.Unmarshal(text, &members))
	needed := map[string]map[string][]string{
		"create": {"": {"name"}}, "link": {"resource": {"id", "type", "status"}},
		"observe": {"": {"resource_id", "status"}}, "transition": {"": {"resource_id", "event"}},
		"resolve": {"": {"resource_id"}},
	}
	for path, names := range needed[members["command"].(string)] {
		in := members
		if path != "" {
			in = members[path].(map[string]any)
		}
		for _, name := range names {
			if in[name] == nil {
				in[name] = ""
			}
		}
	}
	text, err = json.Marshal(members)
	require.NoError(r, err)
	return string(text)
}

// plainly leaves out what a line says in another place.
func plainly(c session.Command) session.Command {
	if t, ok := c.(session.Transition); ok {
		t.At = time.Time{}
		return t
	}
	return c
}

// timed fills in what a line leaves out.
func timed(c session.Command, now time.Time) session.Command {
	switch c := c.(type) {
	case session.Transition:
		c.At = now
		return c
	case session.Observe:
		if c.AsOf.IsZero() {
			c.AsOf = now
		}
		return c
	case session.Link:
		return complete(c, now)
	default:
		return c
	}
}

// webhook records an observation as a webhook. One that changes nothing can be
// wrong without consequences.
func (r *recorder) webhook(s session.Session, o session.Observe, now time.Time, nothing bool) {
	chain, _ := s.Action(o.ResourceID)
	event := map[action.Kind]string{
		action.KindSignatureRequest: "signature_request.done",
		action.KindVerification:     "verification.company.done",
		action.KindDocumentAnalysis: "document_analysis.done",
	}[chain.Main().Resource.Type.Kind()]
	data, err := json.Marshal(map[string]string{"id": o.ResourceID, "status": o.Status.String()})
	require.NoError(r, err)
	text := fmt.Sprintf(`"webhook":{"event_name":%q,"event_time":"%d","data":%s}`, event, o.AsOf.Unix(), data)
	if nothing {
		r.add(now, text, strings.Replace(text, `"status":"`, `"status":"un`, 1))
		return
	}
	r.add(now, text)
}

// look records what is shown of a session.
func (r *recorder) look(s session.Session, now time.Time) {
	id := `"session":"` + s.ID() + `",`
	if rapid.IntRange(0, 3).Draw(r.T, "a document") == 0 {
		text, err := json.Marshal(s)
		require.NoError(r, err)
		r.add(now, id+`"seen":`+string(text), r.spoilt(id, text)...)
		return
	}
	groups, resources := map[string]string{}, map[string]string{}
	for g := range s.Groups() {
		groups[g.Type().String()] = g.Status().String()
		for chain := range g.Actions() {
			for _, a := range chain.Attempts() {
				resources[a.Resource.ID] = a.Resource.Status.String()
			}
		}
	}
	show := func(status string) string {
		text, err := json.Marshal(map[string]any{"status": status, "groups": groups, "resources": resources})
		require.NoError(r, err)
		return id + `"seen":` + string(text)
	}
	right := show(s.Status().String())
	wrong := []string{show("finished")}
	for _, m := range []map[string]string{groups, resources} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			value := m[name]
			m[name] = "approval" // of no group; and of a resource only if it is that
			if value == "approval" {
				m[name] = "draft"
			}
			wrong = append(wrong, show(s.Status().String()))
			m[name] = value
		}
	}
	r.add(now, right, wrong...)
}

// spoilt returns lines with a document in which one thing is wrong.
func (r *recorder) spoilt(id string, text []byte) []string {
	var document map[string]json.RawMessage
	require.NoError(r, json.Unmarshal(text, &document))
	var wrong []string
	for _, one := range []struct{ member, value string }{
		{"name", `"x\ty"`},
		{"status", `"finished"`},
		{"workspace_id", `"elsewhere"`},
		{"id", `"another"`},
		{"created_at", `"2020-01-01T00:00:00+00:00"`},
		{"updated_at", `"2020-01-01T00:00:00+00:00"`},
		{"action_groups", `[{"type": "watchlist_verification", "status": "finished"}]`},
	} {
		other := maps.Clone(document)
		other[one.member] = json.RawMessage(one.value)
		spoilt, err := json.Marshal(other)
		require.NoError(r, err)
		wrong = append(wrong, id+`"seen":`+string(spoilt))
	}
	return wrong
}

// lines joins records, of which one may be replaced.
func lines(records []record, except int, instead ...string) string {
	var b strings.Builder
	for i, r := range records {
		texts := []string{r.text}
		if i == except {
			texts = instead
		}
		for _, text := range texts {
			b.WriteString(text + "\n")
		}
	}
	return b.String()
}

// findings checks a trace.
func findings(t require.TestingT, text string, o Options) []Finding {
	var list []Finding
	summary, err := Check(strings.NewReader(text), o, func(f Finding) error {
		list = append(list, f)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, strings.Count(text, "\n"), summary.Lines)
	require.Equal(t, len(list), summary.Findings)
	return list
}

// small is a checker that keeps nothing in memory.
func small(dir string) Options {
	return Options{MaxSessions: 1, MaxBytes: 1, TempDir: dir, Workers: 1}
}

// A system that does what the rules say has no finding, whatever it is told.
func TestProperty_Right(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		text := lines(recorded(t), -1)
		for _, o := range []Options{{Announcements: true}, small(dir)} {
			require.Empty(t, findings(t, text, o), text)
		}
	})
	assertEmpty(t, dir)
}

// One thing that is wrong is found, in the line where it is and nowhere else.
func TestProperty_Wrong(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		records := recorded(t)
		i := rapid.IntRange(0, len(records)-1).Draw(t, "line")
		for records[i].wrong == nil {
			i-- // the first line is a command
		}
		r := records[i]
		wrong := rapid.SampledFrom(r.wrong).Draw(t, "wrong")
		line := i + 1
		text := lines(records, i, wrong)
		if r.paidFor > 0 && rapid.Bool().Draw(t, "doubled or left out") {
			line = i + 2
			text = lines(records, i, r.text, r.text)
			if rapid.Bool().Draw(t, "left out") {
				line = r.paidFor
				text = lines(records, i)
			}
		}
		o := small(dir)
		// An announcement that is unreadable or of another session is left out
		// as well.
		o.Announcements = r.paidFor > 0 && line == r.paidFor
		found := findings(t, text, o)
		require.NotEmpty(t, found, "%s\n%s", wrong, text)
		for _, f := range found {
			require.Equal(t, line, f.Line, "%s\n%s\n%s", f, wrong, text)
		}
	})
	assertEmpty(t, dir)
}

// What is found does not depend on how much is kept in memory, how many
// goroutines there are, or how the trace is read.
func TestProperty_Spilling(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		records := recorded(t)
		for i := range records {
			if records[i].wrong != nil && rapid.IntRange(0, 4).Draw(t, "wrong") == 0 {
				records[i].text = rapid.SampledFrom(records[i].wrong).Draw(t, "instead")
			}
		}
		text := lines(records, -1)
		want := findings(t, text, Options{Announcements: true})
		o := small(dir)
		o.Announcements = true
		require.Equal(t, want, findings(t, text, o))

		var got []Finding
		o.Workers = 3
		_, err := Check(iotest.HalfReader(strings.NewReader(text)), o, func(f Finding) error {
			got = append(got, f)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	assertEmpty(t, dir)
}

// assertEmpty fails if a temporary file was left behind.
func assertEmpty(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}
