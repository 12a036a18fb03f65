package answer

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// chainArea is one Action: the areas attempt and resolve.
type chainArea struct {
	chain    attempt.Chain
	digester attempt.Digester
	taken    []string // ids of resources that stand elsewhere
}

// attemptText is an attempt as it is given.
type attemptText struct {
	resourceText
	Inputs json.RawMessage `json:"inputs"`
}

func openChain(given json.RawMessage) (area, error) {
	var g struct {
		SessionID  string              `json:"session_id"`
		Secret     string              `json:"secret"`
		Attempts   []attemptText       `json:"attempts"`
		Resolution *attempt.Resolution `json:"resolution"`
		Taken      []string            `json:"taken"`
	}
	if err := read(given, &g); err != nil {
		return nil, err
	}
	a := &chainArea{digester: attempt.NewDigester(g.SessionID, []byte(g.Secret)), taken: g.Taken}
	attempts := make([]attempt.Attempt, len(g.Attempts))
	for i, text := range g.Attempts {
		var err error
		if attempts[i].Resource, err = text.resource(defaultTime); err != nil {
			return nil, err
		}
		if attempts[i].Inputs, err = digest(a.digester, text.Inputs); err != nil {
			return nil, err
		}
	}
	var err error
	a.chain, err = attempt.FromAttempts(attempts, g.Resolution)
	return a, err
}

// digest returns the digest of inputs, zero for none.
func digest(d attempt.Digester, inputs json.RawMessage) (attempt.Digest, error) {
	if inputs == nil {
		return attempt.Digest{}, nil
	}
	return d.Digest(inputs)
}

func (a *chainArea) end() object {
	attempts := []object{}
	for _, t := range a.chain.Attempts() {
		attempts = append(attempts, object{"id": t.Resource.ID, "status": t.Resource.Status})
	}
	r, resolved := a.chain.Resolution()
	end := object{
		"status":             a.chain.Main().Resource.Status,
		"group":              group.StatusOf([]group.Entry{entry(a.chain)}),
		"left":               a.chain.Left(),
		"verifications_used": a.chain.VerificationsUsed(),
		"attempts":           attempts,
		"resolution":         nil,
	}
	if resolved {
		end["resolution"] = object{"reason": orNull(r.Reason), "by": orNull(r.By), "at": stamp(r.At)}
	}
	return end
}

// entry is what a group reads of an Action.
func entry(c attempt.Chain) group.Entry {
	_, resolved := c.Resolution()
	return group.EntryOf(c.Main().Resource.Status, resolved)
}

func (a *chainArea) step(do string, text json.RawMessage) (object, error) {
	switch do {
	case "retry":
		return take(text, a.retry)
	case "observe":
		return take(text, a.observe)
	case "transition":
		return take(text, a.transition)
	case "resolve":
		return take(text, a.resolve)
	case "digest":
		return take(text, func(s struct {
			Inputs json.RawMessage `json:"inputs"`
		},
		) (object, error) {
			d, err := a.digester.Digest(s.Inputs)
			return object{"digest": d}, err
		})
	default:
		return nil, unknownStep(do)
	}
}

// linkText is a retry, or the link of a session.
type linkText struct {
	Resource          resourceText    `json:"resource"`
	PreviousAttemptID string          `json:"previous_attempt_id"`
	Inputs            json.RawMessage `json:"inputs"`
}

func (a *chainArea) retry(s linkText) (object, error) {
	r, err := s.Resource.resource(defaultTime)
	if err != nil {
		return nil, err
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	inputs, noInputs := digest(a.digester, s.Inputs)
	retry := attempt.Retry{Replaces: s.PreviousAttemptID, Next: attempt.Attempt{Resource: r, Inputs: inputs}}
	if slices.Contains(a.taken, r.ID) {
		retry.Elsewhere = "another session"
	}
	if all := refusals(a.chain.Refusals(retry), noInputs); len(all) > 0 {
		return object{"error": all[0], "all": all}, nil
	}
	a.chain, err = a.chain.Retry(retry)
	return taken, err
}

// refusals returns the names of refusals. Inputs that have no digest leave a
// refusal of a digest that is missing; what is wrong with them says more.
func refusals(list []*action.Refusal, noInputs error) []string {
	names := namesOf(list)
	if i := slices.Index(names, nameOf(attempt.ErrInputsUnknown)); noInputs != nil && i >= 0 {
		names[i] = nameOf(noInputs)
	}
	return names
}

type observeText struct {
	ResourceID string    `json:"resource_id"`
	Status     string    `json:"status"`
	AsOf       time.Time `json:"as_of"`
}

func (a *chainArea) observe(s observeText) (object, error) {
	status, err := action.ParseStatus(s.Status)
	if err != nil {
		return nil, err
	}
	return a.move(a.chain.Observe(s.ResourceID, status, s.AsOf))
}

type transitionText struct {
	ResourceID string    `json:"resource_id"`
	Event      string    `json:"event"`
	At         time.Time `json:"at"`
}

func (a *chainArea) transition(s transitionText) (object, error) {
	event, err := action.ParseEvent(s.Event)
	if err != nil {
		return nil, err
	}
	return a.move(a.chain.Transition(s.ResourceID, event, s.At))
}

func (a *chainArea) move(next attempt.Chain, o action.Outcome, err error) (object, error) {
	a.chain = next
	return outcome(o), err
}

func (a *chainArea) resolve(s struct {
	ResourceID string    `json:"resource_id"`
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	At         time.Time `json:"at"`
},
) (object, error) {
	next, err := a.chain.Resolve(s.ResourceID, attempt.Resolution{Reason: s.Reason, By: s.By, At: s.At})
	a.chain = next
	return taken, err
}
