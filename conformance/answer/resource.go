package answer

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
)

// defaultTime is the time of a resource that is given without one.
var defaultTime = time.Date(2025, 9, 22, 14, 30, 0, 0, time.UTC)

// resourceText is a resource as a step gives it. Its type and status may be
// none that there are.
type resourceText struct {
	ID          string    `json:"id"`
	Type        string    `json:"type"`
	Status      string    `json:"status"`
	AsOf        time.Time `json:"as_of"`
	CreatedAt   time.Time `json:"created_at"`
	WorkspaceID string    `json:"workspace_id"`
}

// resource returns the resource, with a time where there is none.
func (r resourceText) resource(now time.Time) (action.Resource, error) {
	res := action.Resource{ID: r.ID, WorkspaceID: r.WorkspaceID, AsOf: r.AsOf, CreatedAt: r.CreatedAt}
	if res.AsOf.IsZero() {
		res.AsOf = now
	}
	if res.CreatedAt.IsZero() {
		res.CreatedAt = now
	}
	var err error
	if res.Type, err = action.ParseType(r.Type); err != nil {
		return res, err
	}
	if res.Status, err = action.ParseStatus(r.Status); err != nil {
		return res, err
	}
	if !res.Type.Machine().Has(res.Status) {
		return res, fmt.Errorf("%w: a %s is never %s", action.ErrUnknown, res.Type, res.Status)
	}
	return res, nil
}

// resourceArea is one resource.
type resourceArea struct {
	given    bool
	resource action.Resource
}

func openResource(given json.RawMessage) (area, error) {
	var g struct {
		Resource *resourceText `json:"resource"`
	}
	if err := read(given, &g); err != nil {
		return nil, err
	}
	a := &resourceArea{given: g.Resource != nil}
	if !a.given {
		return a, nil
	}
	g.Resource.ID = "given"
	var err error
	if a.resource, err = g.Resource.resource(defaultTime); err == nil {
		err = a.resource.Check()
	}
	return a, err
}

func (a *resourceArea) end() object {
	if !a.given {
		return object{}
	}
	r := a.resource
	return object{"resource": object{"type": r.Type, "status": r.Status, "as_of": stamp(r.AsOf)}}
}

func (a *resourceArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "describe":
		return take(text, describe)
	case "webhook":
		return take(text, webhook)
	case "allowed":
		return take(text, func(struct{}) (object, error) {
			allowed := a.resource.Type.Machine().Allowed(a.resource.Status)
			return object{"allowed": sortedTexts(slices.Collect(allowed))}, nil
		})
	case "transition":
		return take(text, func(s struct {
			Event string    `json:"event"`
			At    time.Time `json:"at"`
		},
		) (object, error) {
			event, err := action.ParseEvent(s.Event)
			if err != nil {
				return nil, err
			}
			return a.move(a.resource.Transition(event, s.At))
		})
	case "observe":
		return take(text, func(s struct {
			Status string    `json:"status"`
			AsOf   time.Time `json:"as_of"`
		},
		) (object, error) {
			status, err := action.ParseStatus(s.Status)
			if err != nil {
				return nil, err
			}
			return a.move(a.resource.Observe(status, s.AsOf))
		})
	default:
		return nil, unknownStep(do)
	}
}

func (a *resourceArea) move(next action.Resource, o action.Outcome, err error) (object, error) {
	a.resource = next
	return outcome(o), err
}

func describe(s struct {
	Type   string  `json:"type"`
	Status *string `json:"status"`
},
) (object, error) {
	t, err := action.ParseType(s.Type)
	if err != nil {
		return nil, err
	}
	if s.Status == nil {
		return object{"group_type": group.TypeOf(t), "statuses": sortedTexts(t.Machine().States())}, nil
	}
	status, err := action.ParseStatus(*s.Status)
	if err != nil {
		return nil, err
	}
	r := action.Resource{ID: "described", Type: t, Status: status, CreatedAt: defaultTime, AsOf: defaultTime}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return object{"blocks": status.IsBlocking(), "complete": status.IsComplete()}, nil
}

func webhook(s struct {
	Type  string `json:"type"`
	Event string `json:"event"`
},
) (object, error) {
	t, err := action.ParseType(s.Type)
	if err != nil {
		return nil, err
	}
	event, err := action.ParseEvent(s.Event)
	if err != nil {
		return nil, err
	}
	var name any
	if w := t.Webhook(event); w != "" {
		name = w
	}
	return object{"webhook": name}, nil
}

// sortedTexts returns the texts of values, sorted.
func sortedTexts[V fmt.Stringer](values []V) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return sorted(list)
}

// sorted returns a sorted copy, and a list for none.
func sorted(list []string) []string {
	list = append([]string{}, list...)
	slices.Sort(list)
	return list
}
