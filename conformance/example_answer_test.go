package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/group"
)

// implementation answers for two areas. Your code stands in place of what the
// two functions below call: here a few lines for the one, and packages of sluice
// for the other.
func implementation(q conformance.Question) (conformance.Then, error) {
	switch q.Area {
	case "group":
		return groups(q)
	case "match":
		return matches(q)
	default:
		return conformance.Then{}, fmt.Errorf("%w: %q", conformance.ErrUnknownArea, q.Area)
	}
}

// groups has a state that its steps change.
func groups(q conformance.Question) (conformance.Then, error) {
	var given struct {
		Type string `json:"group_type"`
	}
	if err := json.Unmarshal(q.Given, &given); err != nil {
		return conformance.Then{}, err
	}
	var entries []group.Entry
	status := func() map[string]any { return map[string]any{"status": group.StatusOf(entries).String()} }
	then := conformance.Then{Steps: []json.RawMessage{}}
	for _, text := range q.When {
		var step struct {
			Do, Type, Status string
			Resolved         bool
			Previous         []string
		}
		if err := json.Unmarshal(text, &step); err != nil {
			return then, err
		}
		if step.Do != "add" { // what makes no sense is an error
			return then, fmt.Errorf("there is no step %q", step.Do)
		}
		result := map[string]any{"error": "no_group"} // what is refused is a result
		typ, known := knows(step.Type, append(step.Previous, step.Status)...)
		switch {
		case !known:
			result["error"] = "unknown_name"
		case group.TypeOf(typ).String() == given.Type:
			newest, _ := action.ParseStatus(step.Status) // known
			entries = append(entries, group.EntryOf(newest, step.Resolved))
			result = status()
		}
		then.Steps = append(then.Steps, object(result))
	}
	then.End = object(status())
	return then, nil
}

// knows says whether there is such a type, and whether it has all of the statuses.
func knows(name string, statuses ...string) (action.Type, bool) {
	typ, err := action.ParseType(name)
	if err != nil {
		return typ, false
	}
	for _, text := range statuses {
		if s, err := action.ParseStatus(text); err != nil || !typ.Machine().Has(s) {
			return typ, false
		}
	}
	return typ, true
}

// matches has steps that only ask.
func matches(q conformance.Question) (conformance.Then, error) {
	var given struct {
		Subscriptions []struct {
			ID               string
			Enabled, Sandbox bool
			Events           []string `json:"subscribed_events"`
			Scopes           []string
			Workspaces       []string
		}
	}
	if err := json.Unmarshal(q.Given, &given); err != nil {
		return conformance.Then{}, err
	}
	covers := func(list []string, name string) bool {
		return slices.Contains(list, "*") || name != "" && slices.Contains(list, name)
	}
	then := conformance.Then{Steps: []json.RawMessage{}, End: object(nil)}
	for _, text := range q.When {
		var step struct {
			Event struct {
				Name, Scope, Workspace string
				Sandbox                bool
			}
		}
		if err := json.Unmarshal(text, &step); err != nil {
			return then, err
		}
		e, ids := step.Event, []string{}
		for _, s := range given.Subscriptions {
			everywhere := s.Workspaces == nil
			if s.Enabled && s.Sandbox == e.Sandbox && covers(s.Events, e.Name) && covers(s.Scopes, e.Scope) &&
				(everywhere || covers(s.Workspaces, e.Workspace)) {
				ids = append(ids, s.ID)
			}
		}
		slices.Sort(ids)
		then.Steps = append(then.Steps, object(map[string]any{"matches": ids}))
	}
	return then, nil
}

// object writes members as an object.
func object(members map[string]any) json.RawMessage {
	if members == nil {
		return json.RawMessage(`{}`)
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // texts and lists of them can always be written
	}
	return text
}

// An Answer looks at the area, reads what is given, takes the steps one by one, and
// says how it stands then. It is asked here without a test around it; in a test,
// that is conformance.Run(t, implementation), and in a program
// conformance.Serve(os.Stdin, os.Stdout, "mine", implementation).
func ExampleAnswer() {
	right, wrong, areas := 0, 0, map[string]bool{}
	for _, v := range conformance.Vectors() {
		for q := range v.Questions() {
			then, err := implementation(q)
			switch {
			case errors.Is(err, conformance.ErrUnknownArea): // neither right nor wrong
			case err != nil || v.Differences(then) != nil:
				wrong++
			default:
				right++
				areas[q.Area] = true
			}
		}
	}
	fmt.Println(right > 100, wrong, areas)
	// Output: true 0 map[group:true match:true]
}
