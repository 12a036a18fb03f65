package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// SES-1: a session is created from a template, with every group of it, empty
// and awaiting; the session is awaiting.
func TestCreate(t *testing.T) {
	c := session.Create{
		ID: "c0cbf043", Name: "Onboarding of Kelly Smith", WorkspaceID: "814aac47",
		Template: template(group.WatchlistVerification, group.SignatureRequest, group.IdentityVerification),
	}
	now := time.Date(2025, time.September, 22, 16, 30, 0, 999, time.FixedZone("", 2*3600))
	s, change, err := session.New(c, now)
	require.NoError(t, err)

	t.Run("SES-1: what it shows", func(t *testing.T) {
		assert.Equal(t, "c0cbf043", s.ID())
		assert.Equal(t, "Onboarding of Kelly Smith", s.Name())
		assert.Equal(t, "t1", s.TemplateID())
		assert.Equal(t, "814aac47", s.WorkspaceID())
		assert.Equal(t, start, s.CreatedAt(), "in whole seconds and UTC")
		assert.Equal(t, start, s.UpdatedAt())
		assert.Equal(t, 1, s.Version())
		assert.False(t, s.IsZero())
		assert.Equal(t, session.Awaiting, s.Status())
		assert.Empty(t, s.Blockers())
		assert.Zero(t, s.VerificationsUsed())
		assert.Equal(t, "session c0cbf043, version 1, awaiting", s.String())
	})
	t.Run("SES-1: every group of the template in its order, empty and awaiting", func(t *testing.T) {
		var types []group.Type
		for g := range s.Groups() {
			types = append(types, g.Type())
			assert.Equal(t, session.Awaiting, g.Status())
			assert.Zero(t, g.Len())
			for range g.Actions() {
				assert.Fail(t, "the group has an action")
			}
		}
		assert.Equal(t, c.Template.ActionGroups, types)
		_, ok := s.Group(group.CompanyVerification)
		assert.False(t, ok)
		_, ok = s.Group(0)
		assert.False(t, ok)
	})
	t.Run("SES-1: the event", func(t *testing.T) {
		assert.Equal(t, session.Change{
			Outcome: action.Taken,
			Events: []session.Event{{
				SessionID: "c0cbf043", Version: 1, At: start.Add(999),
				Fact: session.Created{
					Name: "Onboarding of Kelly Smith", TemplateID: "t1", WorkspaceID: "814aac47",
					Groups: c.Template.ActionGroups,
				},
				Session: session.Move{To: session.Awaiting},
			}},
		}, change)
	})
	t.Run("SES-7: awaiting is not announced", func(t *testing.T) {
		assert.Empty(t, change.Announcements())
	})
	t.Run("what the caller does to the template later changes nothing", func(t *testing.T) {
		groups := []group.Type{group.CompanyVerification}
		s, change, err := session.New(create(groups...), start)
		require.NoError(t, err)
		groups[0] = group.SignatureRequest
		_, ok := s.Group(group.CompanyVerification)
		assert.True(t, ok)
		again, err := session.Replay(change.Events)
		require.NoError(t, err)
		assert.True(t, again.Equal(s))
	})
}

func TestCreate_Refused(t *testing.T) {
	const workspaces = "the template's workspaces"
	tests := []struct {
		name    string
		change  func(c *session.Create)
		rule    string
		is      error
		subject string
	}{
		{"SES-11: no id", func(c *session.Create) { c.ID = "" }, "SES-11", action.ErrInvalidID, ""},
		{"SES-11: a long id", func(c *session.Create) { c.ID = strings.Repeat("x", 129) }, "SES-11", action.ErrInvalidID, strings.Repeat("x", 129)},
		{"SES-11: an id that is no text", func(c *session.Create) { c.ID = "\xff" }, "SES-11", action.ErrInvalidID, "\xff"},
		{"SES-11: NUL in an id", func(c *session.Create) { c.ID = "a\x00" }, "SES-11", action.ErrInvalidID, "a\x00"},
		{"SES-11: no name", func(c *session.Create) { c.Name = "" }, "SES-11", session.ErrInvalidName, "s1"},
		{"SES-11: 129 characters", func(c *session.Create) { c.Name = strings.Repeat("é", 129) }, "SES-11", session.ErrInvalidName, "s1"},
		{"SES-11: a name that is no text", func(c *session.Create) { c.Name = "Kelly \xff" }, "SES-11", session.ErrInvalidName, "s1"},
		{"SES-11: NUL in a name", func(c *session.Create) { c.Name = "Kelly\x00" }, "SES-11", session.ErrInvalidName, "s1"},
		{"SES-11: a long workspace", func(c *session.Create) { c.WorkspaceID = strings.Repeat("w", 129) }, "SES-11", action.ErrInvalidID, "s1"},
		{"SES-11: a default workspace that is no text", func(c *session.Create) { c.DefaultWorkspaceID = "\xff" }, "SES-11", action.ErrInvalidID, "s1"},
		{"SES-11: no template id", func(c *session.Create) { c.Template.ID = "" }, "SES-11", session.ErrInvalidTemplate, "a template without id"},
		{"SES-11: no template name", func(c *session.Create) { c.Template.Name = "" }, "SES-11", session.ErrInvalidTemplate, "t1"},
		{"SES-11: an empty workspace in a template", func(c *session.Create) { c.Template.Workspaces = []string{""} }, "SES-11", session.ErrInvalidTemplate, "t1"},
		{"SES-3: a workspace twice in a template", func(c *session.Create) { c.Template.Workspaces = []string{"w1", "w2", "w1"} }, "SES-3", session.ErrInvalidTemplate, "t1"},
		{"SES-1: no group", func(c *session.Create) { c.Template.ActionGroups = nil }, "SES-1", session.ErrInvalidTemplate, "t1"},
		{"SES-1: a group twice", func(c *session.Create) {
			c.Template.ActionGroups = []group.Type{group.SignatureRequest, group.CompanyVerification, group.SignatureRequest}
		}, "SES-1", session.ErrInvalidTemplate, "t1"},
		{"RES-6: a group of no type", func(c *session.Create) { c.Template.ActionGroups = []group.Type{0} }, "RES-6", session.ErrInvalidTemplate, "t1"},
		{"RES-6: a group of an unknown type", func(c *session.Create) { c.Template.ActionGroups = []group.Type{200} }, "RES-6", session.ErrInvalidTemplate, "t1"},
		{workspaces, func(c *session.Create) { c.Template.Workspaces = []string{"w2", "w3"} }, "SES-3", session.ErrWorkspace, "s1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := create(group.SignatureRequest)
			test.change(&c)
			want := refusal{rule: test.rule, is: test.is, subject: test.subject}
			if test.name == workspaces {
				want.allowed = []string{"w2", "w3"}
			}
			before := session.Session{}
			requireRefused(t, before, c, want)
		})
	}
}

// SES-1: only no session can be created, and no session can do nothing else.
func TestCreate_OverAnother(t *testing.T) {
	t.Run("SES-1: it exists already", func(t *testing.T) {
		s := begin(t, group.SignatureRequest).s
		requireRefused(t, s, create(group.SignatureRequest), refusal{"SES-1", session.ErrExists, "s1", nil})
	})
	for _, c := range []session.Command{
		link("a", company, "pending"), event("a", "failed", 1), observe("a", "failed", 1), resolve("a"), nil,
	} {
		t.Run(fmt.Sprintf("SES-1: no session takes %T", c), func(t *testing.T) {
			requireRefused(t, session.Session{}, c, refusal{"SES-1", session.ErrNoSession, "", nil})
		})
	}
	for _, c := range []session.Command{nil, &session.Link{}, (*session.Create)(nil), &session.Resolve{ResourceID: "a"}} {
		t.Run(fmt.Sprintf("SES-1: a session does not take %T", c), func(t *testing.T) {
			s := begin(t, group.SignatureRequest).s
			requireRefused(t, s, c, refusal{"SES-1", session.ErrNoCommand, "s1", nil})
		})
	}
}

// A template with several faults tells them all.
func TestTemplate_Check(t *testing.T) {
	err := session.Template{
		Name: strings.Repeat("x", 129), ActionGroups: []group.Type{0, group.DocumentAnalysis, group.DocumentAnalysis},
		Workspaces: []string{"", "w", "w"},
	}.Check()
	require.ErrorIs(t, err, session.ErrInvalidTemplate)
	assert.Equal(t, []string{
		"session: template of a template without id refused: the id is empty (SES-11)",
		"session: template of a template without id refused: the name has 129 characters; at most 128 are allowed (SES-11)",
		"session: template of a template without id refused: action group 1 is none (RES-6)",
		"session: template of a template without id refused: it has the action group document_analysis twice (SES-1)",
		"session: template of a template without id refused: workspace 1: the id is empty (SES-11)",
		"session: template of a template without id refused: it lists the workspace w twice (SES-3)",
	}, strings.Split(err.Error(), "\n"))
	assert.NoError(t, template(group.Types()...).Check())
}

// SES-3: the full table. Given and default are "" where there is none.
func TestSES3_Workspace(t *testing.T) {
	none, one, several := []string(nil), []string{"w1"}, []string{"w1", "w2"}
	tests := []struct {
		name             string
		scope            []string
		given, byDefault string
		want             string // "" for refused
	}{
		{"none, given", none, "w9", "", "w9"},
		{"none, given before the default", none, "w9", "w0", "w9"},
		{"none, the default", none, "", "w0", "w0"},
		{"none, nothing", none, "", "", ""},
		{"one, nothing", one, "", "", "w1"},
		{"one, not the default", one, "", "w0", "w1"},
		{"one, that one", one, "w1", "", "w1"},
		{"one, that one before the default", one, "w1", "w0", "w1"},
		{"one, another", one, "w9", "", ""},
		{"one, another that is the default", one, "w0", "w0", ""},
		{"several, nothing", several, "", "", ""},
		{"several, a default that it does not list", several, "", "w0", ""},
		{"several, a default that it lists", several, "", "w1", ""},
		{"several, the first", several, "w1", "", "w1"},
		{"several, the last", several, "w2", "w1", "w2"},
		{"several, another", several, "w9", "", ""},
		{"several, another that is the default", several, "w0", "w0", ""},
	}
	for _, test := range tests {
		t.Run("SES-3: "+test.name, func(t *testing.T) {
			c := create(group.CompanyVerification)
			c.Template.Workspaces = test.scope
			c.WorkspaceID, c.DefaultWorkspaceID = test.given, test.byDefault
			if test.want == "" {
				requireRefused(t, session.Session{}, c, refusal{"SES-3", session.ErrWorkspace, "s1", test.scope})
				if r := refusalOf(t, session.Session{}, c); len(r.Allowed) > 0 {
					r.Allowed[0] = "changed by the caller"
					assert.NotEqual(t, r.Allowed[0], test.scope[0])
				}
				return
			}
			s, change, err := session.New(c, start)
			require.NoError(t, err)
			assert.Equal(t, test.want, s.WorkspaceID())
			assert.Equal(t,
				session.Created{Name: c.Name, TemplateID: "t1", WorkspaceID: test.want, Groups: c.Template.ActionGroups},
				change.Events[0].Fact)
		})
	}
}

// SES-11: what is just within the limits is kept as it is.
func TestSES11_Accepted(t *testing.T) {
	long := strings.Repeat("x", 128)
	for name, c := range map[string]session.Create{
		"one character and byte":   {ID: "i", Name: "n", WorkspaceID: "w"},
		"128 of each":              {ID: long, Name: long, WorkspaceID: long},
		"128 characters, 256 byte": {ID: strings.Repeat("é", 64), Name: strings.Repeat("é", 128), WorkspaceID: "ü"},
		"opaque":                   {ID: " <a>&\u2028\"\\ ../", Name: "\t<b>&\u2029", WorkspaceID: "'; --"},
	} {
		t.Run("SES-11: "+name, func(t *testing.T) {
			c.Template = template(group.CompanyVerification)
			s, _, err := session.New(c, start)
			require.NoError(t, err)
			read, err := session.FromSnapshot([]byte(snapshot(t, s)))
			require.NoError(t, err)
			assert.Equal(t, []string{c.ID, c.Name, c.WorkspaceID}, []string{read.ID(), read.Name(), read.WorkspaceID()})
		})
	}
}

// SES-8: the host's time must be one that a document can show.
func TestApply_Time(t *testing.T) {
	east, west := time.FixedZone("", 14*3600), time.FixedZone("", -12*3600)
	for name, now := range map[string]time.Time{
		"none":                        {},
		"none, in another zone":       time.Time{}.In(east),
		"none, in whole seconds":      time.Time{}.Add(time.Second / 2),
		"year 10000":                  time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"year 9999, but 10000 in UTC": time.Date(9999, 12, 31, 23, 0, 0, 0, west),
		"year 0":                      time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC),
		"year 1, but 0 in UTC":        time.Date(1, 1, 1, 1, 0, 0, 0, east),
	} {
		t.Run("SES-8: "+name, func(t *testing.T) {
			s := begin(t, group.CompanyVerification).s
			got, change, err := session.Apply(s, link("a", company, "pending"), now)
			require.ErrorIs(t, err, action.ErrInvalidTime)
			assert.True(t, got.Equal(s))
			assert.Equal(t, session.Change{}, change)
			_, _, err = session.New(create(group.CompanyVerification), now)
			require.ErrorIs(t, err, action.ErrInvalidTime)
		})
	}
	for name, now := range map[string]time.Time{
		"the first year":                   time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
		"the last second":                  time.Date(9999, 12, 31, 23, 59, 59, 999, time.UTC),
		"year 10000, but 9999 in UTC":      time.Date(10000, 1, 1, 1, 0, 0, 0, east),
		"before the creation of all":       start.AddDate(-100, 0, 0),
		"with a fraction, in another zone": start.Add(123456789).In(east),
	} {
		t.Run("SES-8: accepted: "+name, func(t *testing.T) {
			_, change, err := session.New(create(group.CompanyVerification), now)
			require.NoError(t, err)
			e := change.Events[0]
			assert.Equal(t, now.UTC(), e.At, "the event has all of it, in UTC")
			again, err := session.Replay(change.Events)
			require.NoError(t, err)
			assert.Equal(t, now.Truncate(time.Second).UTC(), again.CreatedAt())
		})
	}
}
