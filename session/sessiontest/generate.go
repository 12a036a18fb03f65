package sessiontest

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// Templates generates templates that [session.Template.Check] accepts, scoped
// to no workspace, to one or to several.
func Templates() *rapid.Generator[session.Template] {
	return rapid.Custom(func(t *rapid.T) session.Template {
		groups := rapid.Permutation(group.Types()).Draw(t, "groups")
		n := rapid.SampledFrom([]int{1, 2, 3, 1, 2, len(groups)}).Draw(t, "number of groups")
		created := times().Draw(t, "created")
		template := session.Template{
			ID: ids().Draw(t, "id"), Name: names().Draw(t, "name"),
			ActionGroups: groups[:n:n],
			CreatedAt:    created, UpdatedAt: created.Add(gaps().Draw(t, "updated after")),
		}
		if n := rapid.IntRange(0, 3).Draw(t, "number of workspaces"); n > 0 {
			template.Workspaces = rapid.SliceOfNDistinct(ids(), n, n, rapid.ID).Draw(t, "workspaces")
		}
		return template
	})
}

// Resources generates resources that can be linked: of a type that is valid,
// in any status of it but deleted. Their times are whole seconds.
func Resources(id string, t action.Type) *rapid.Generator[action.Resource] {
	return rapid.Custom(func(r *rapid.T) action.Resource {
		return resources(id, t, times().Draw(r, "now")).Draw(r, "resource")
	})
}

// resources is Resources around a time.
func resources(id string, t action.Type, now time.Time) *rapid.Generator[action.Resource] {
	statuses := slices.DeleteFunc(t.Machine().States(), func(s action.Status) bool { return s == action.Deleted })
	return rapid.Custom(func(r *rapid.T) action.Resource {
		asOf := action.Seconds(now).Add(-gaps().Draw(r, "as of before"))
		return action.Resource{
			ID: id, Type: t, Status: rapid.SampledFrom(statuses).Draw(r, "status"),
			CreatedAt: asOf.Add(-gaps().Draw(r, "created before")), AsOf: asOf,
		}
	})
}

// Observations generates what a provider tells of a resource from its status
// on, in the order in which it happened. Every step is one that the resource's
// machine allows (ACT-1, ACT-2). Times are whole seconds, and several steps may
// fall into one.
//
// Webhooks bring them in any order, and more than once: that is for the test to
// arrange. Whatever it is, the end is the same (ACT-5).
func Observations(r action.Resource) *rapid.Generator[[]session.Observe] {
	machine := r.Type.Machine()
	return rapid.Custom(func(t *rapid.T) []session.Observe {
		var told []session.Observe
		for range rapid.IntRange(0, 12).Draw(t, "number of steps") {
			events := slices.Collect(machine.Allowed(r.Status))
			if len(events) == 0 {
				break
			}
			next, err := machine.Next(r.Status, rapid.SampledFrom(events).Draw(t, "event"))
			if err != nil {
				panic(err) // it was allowed
			}
			r.Status, r.AsOf = next, action.Seconds(r.AsOf).Add(gaps().Draw(t, "after"))
			told = append(told, session.Observe{ResourceID: r.ID, Status: r.Status, AsOf: r.AsOf})
		}
		return told
	})
}

// creations generates commands that create a session.
func creations(id string) *rapid.Generator[session.Create] {
	return rapid.Custom(func(t *rapid.T) session.Create {
		c := session.Create{
			ID: id, Name: names().Draw(t, "name"), Template: Templates().Draw(t, "template"),
		}
		switch choice := c.Template.Workspaces; {
		case len(choice) > 1:
			c.WorkspaceID = rapid.SampledFrom(choice).Draw(t, "workspace")
		case len(choice) == 1:
			c.WorkspaceID = rapid.SampledFrom([]string{"", choice[0]}).Draw(t, "workspace")
		case rapid.Bool().Draw(t, "by default"):
			c.DefaultWorkspaceID = ids().Draw(t, "default workspace")
		default:
			c.WorkspaceID = ids().Draw(t, "workspace")
		}
		return c
	})
}

// ids generates ids. They are opaque (SES-11), and some look it.
func ids() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[0-9a-f]{8}`),
		rapid.StringOfN(rapid.RuneFrom([]rune("ab-AB_ é文🙂'\"\\%/\n<&")), 1, -1, 40),
	)
}

// names generates names up to the length that SES-11 allows, in characters.
func names() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"Onboarding of Kelly Smith", "O'Neill \\ \"& sons\" <%s>", " ", "名前 🙂\t\u2028\ufffd",
			strings.Repeat("é", session.MaxName),
		}),
		rapid.StringOfN(rapid.RuneFrom([]rune("abc XYZ'éß文🙂")), 1, session.MaxName, -1),
	)
}

// times generates times in whole seconds and UTC.
func times() *rapid.Generator[time.Time] {
	begin := time.Date(2025, time.September, 22, 14, 30, 0, 0, time.UTC)
	return rapid.Map(rapid.Int64Range(0, 1<<25), func(seconds int64) time.Time {
		return begin.Add(time.Duration(seconds) * time.Second)
	})
}

// gaps generates the times between two events, in whole seconds. None at all
// is frequent: that is where order is hard to tell.
func gaps() *rapid.Generator[time.Duration] {
	return rapid.SampledFrom([]time.Duration{
		0, time.Second, time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
	})
}
