package answer

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// sessionArea is a session, zero before it is created.
type sessionArea struct{ session session.Session }

func openSession(given json.RawMessage) (area, error) {
	var g struct {
		Before []json.RawMessage `json:"before"`
	}
	if err := read(given, &g); err != nil {
		return nil, err
	}
	a := &sessionArea{}
	for i, text := range g.Before {
		result, err := takeStep(a, text)
		if err == nil && result["error"] != nil {
			err = fmt.Errorf("it is refused: %v", result["error"])
		}
		if err != nil {
			return nil, fmt.Errorf("step %d before: %w", i+1, err)
		}
	}
	return a, nil
}

func (a *sessionArea) end() object {
	if a.session.IsZero() {
		return object{"session": nil}
	}
	return object{"session": show(a.session)}
}

// show describes a session.
func show(s session.Session) object {
	groups := []object{}
	for g := range s.Groups() {
		actions := []object{}
		for c := range g.Actions() {
			actions = append(actions, showAction(c))
		}
		groups = append(groups, object{"type": g.Type(), "status": g.Status(), "actions": actions})
	}
	return object{
		"id": s.ID(), "name": orNull(s.Name()), "workspace_id": orNull(s.WorkspaceID()), "template_id": orNull(s.TemplateID()),
		"status": s.Status(), "created_at": stamp(s.CreatedAt()), "updated_at": stamp(s.UpdatedAt()),
		"verifications_used": s.VerificationsUsed(), "groups": groups,
	}
}

func showAction(c attempt.Chain) object {
	attempts := []object{}
	for _, t := range c.Attempts() {
		r := t.Resource
		attempts = append(attempts, object{"id": r.ID, "status": r.Status, "as_of": stamp(r.AsOf)})
	}
	_, resolved := c.Resolution()
	return object{"status": c.Main().Resource.Status, "resolved": resolved, "attempts": attempts}
}

func (a *sessionArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "create":
		return take(text, a.create)
	case "link":
		return take(text, a.link)
	case "refusals":
		return take(text, a.refusals)
	case "observe":
		return take(text, func(s struct {
			nowText
			observeText
		},
		) (object, error) {
			status, err := action.ParseStatus(s.Status)
			if err != nil {
				return nil, err
			}
			return a.apply(session.Observe{ResourceID: s.ResourceID, Status: status, AsOf: s.AsOf}, s.Now)
		})
	case "transition":
		return take(text, func(s struct {
			nowText
			transitionText
		},
		) (object, error) {
			event, err := action.ParseEvent(s.Event)
			if err != nil {
				return nil, err
			}
			return a.apply(session.Transition{ResourceID: s.ResourceID, Event: event, At: s.At}, s.Now)
		})
	case "resolve":
		return take(text, func(s struct {
			nowText
			ResourceID string `json:"resource_id"`
			Reason     string `json:"reason"`
			By         string `json:"by"`
		},
		) (object, error) {
			return a.apply(session.Resolve{ResourceID: s.ResourceID, Reason: s.Reason, By: s.By}, s.Now)
		})
	case "blockers":
		return take(text, func(nowText) (object, error) {
			return object{"blockers": blockers(a.session)}, nil
		})
	case "show":
		return take(text, func(nowText) (object, error) { return a.end(), nil })
	default:
		return nil, unknownStep(do)
	}
}

// nowText is the host's time, which every step of a session has.
type nowText struct {
	Now time.Time `json:"now"`
}

// apply gives a command to the session.
func (a *sessionArea) apply(c session.Command, now time.Time) (object, error) {
	next, change, err := session.Apply(a.session, c, now)
	if err != nil {
		return nil, err
	}
	a.session = next
	announced := []object{}
	for _, an := range change.Announcements() {
		o := object{"name": an.Name}
		if an.GroupType != 0 {
			o["group_type"] = an.GroupType
		}
		announced = append(announced, o)
	}
	return object{"outcome": change.Outcome.String(), "announcements": announced}, nil
}

func (a *sessionArea) create(s struct {
	nowText
	ID                 string       `json:"id"`
	Name               string       `json:"name"`
	Template           templateText `json:"template"`
	WorkspaceID        string       `json:"workspace_id"`
	DefaultWorkspaceID string       `json:"default_workspace_id"`
},
) (object, error) {
	template, err := s.Template.template()
	if err != nil {
		return nil, err
	}
	return a.apply(session.Create{
		ID: s.ID, Name: s.Name, Template: template,
		WorkspaceID: s.WorkspaceID, DefaultWorkspaceID: s.DefaultWorkspaceID,
	}, s.Now)
}

// templateText is a template as a step gives it.
type templateText struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	ActionGroups []struct {
		Type string `json:"type"`
	} `json:"action_groups"`
	Workspaces []string  `json:"workspaces"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

func (t templateText) template() (session.Template, error) {
	template := session.Template{
		ID: t.ID, Name: t.Name, Workspaces: t.Workspaces, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}
	for _, g := range t.ActionGroups {
		typ, err := group.ParseType(g.Type)
		if err != nil {
			return template, err
		}
		template.ActionGroups = append(template.ActionGroups, typ)
	}
	return template, nil
}

// sessionLink is a link, and the question what would forbid it.
type sessionLink struct {
	nowText
	linkText
}

// command returns the command of a link, and the names of what forbids it.
func (a *sessionArea) command(s sessionLink) (link session.Link, forbidden []string, err error) {
	link.PreviousAttemptID = s.PreviousAttemptID
	if link.Resource, err = s.Resource.resource(s.Now); err != nil {
		return link, nil, err
	}
	if err := link.Resource.Check(); err != nil {
		return link, nil, err
	}
	if a.session.IsZero() {
		return link, nil, session.ErrNoSession
	}
	var noInputs error
	link.Inputs, noInputs = digest(attempt.NewDigester(a.session.ID(), nil), s.Inputs)
	forbidden = refusals(a.session.Refusals(link), noInputs)
	if len(forbidden) == 0 {
		err = noInputs // of a link that is no retry, and has no digest to compare
	}
	return link, forbidden, err
}

func (a *sessionArea) link(s sessionLink) (object, error) {
	link, forbidden, err := a.command(s)
	switch {
	case err != nil:
		return nil, err
	case len(forbidden) > 0:
		return object{"error": forbidden[0], "all": forbidden}, nil
	default:
		return a.apply(link, s.Now)
	}
}

func (a *sessionArea) refusals(s sessionLink) (object, error) {
	_, forbidden, err := a.command(s)
	return object{"refusals": forbidden}, err
}

// blockers describes what blocks a session.
func blockers(s session.Session) []object {
	list := []object{}
	for _, b := range s.Blockers() {
		ways := []object{}
		for _, w := range b.WaysOut {
			way := object{"way": w.Way}
			if w.Way == session.WayRetry {
				way["attempts_left"] = w.AttemptsLeft
			}
			ways = append(ways, way)
		}
		list = append(list, object{
			"group_type": b.Group, "resource_id": b.Resource.ID, "attempt": b.Attempt, "ways_out": ways,
		})
	}
	return list
}
