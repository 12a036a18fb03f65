package answer

import (
	"encoding/json"
	"strconv"

	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// groupArea is one group.
type groupArea struct {
	typ     group.Type
	entries []group.Entry
}

func openGroup(given json.RawMessage) (area, error) {
	var g struct {
		GroupType group.Type `json:"group_type"`
	}
	err := read(given, &g)
	return &groupArea{typ: g.GroupType}, err
}

func (a *groupArea) end() object { return object{"status": group.StatusOf(a.entries)} }

func (a *groupArea) step(do string, text json.RawMessage) (object, error) {
	if do != "add" {
		return nil, unknownStep(do)
	}
	return take(text, a.add)
}

func (a *groupArea) add(s struct {
	Type     string   `json:"type"`
	Status   string   `json:"status"`
	Resolved bool     `json:"resolved"`
	Previous []string `json:"previous"`
},
) (object, error) {
	var attempts []attempt.Attempt
	for i, status := range append(s.Previous, s.Status) {
		r, err := resourceText{ID: strconv.Itoa(i), Type: s.Type, Status: status}.resource(defaultTime)
		if err != nil {
			return nil, err
		}
		if err := r.Check(); err != nil {
			return nil, err
		}
		attempts = append(attempts, attempt.Attempt{Resource: r})
	}
	if group.TypeOf(attempts[0].Resource.Type) != a.typ {
		return nil, session.ErrNoGroup
	}
	var resolution *attempt.Resolution
	if s.Resolved {
		resolution = &attempt.Resolution{At: defaultTime}
	}
	chain, err := attempt.FromAttempts(attempts, resolution)
	if err != nil {
		return nil, err
	}
	a.entries = append(a.entries, entry(chain))
	return a.end(), nil
}
