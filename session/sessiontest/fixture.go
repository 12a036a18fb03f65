package sessiontest

import (
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// noon is when the sessions of most cases are created. Hosts' clocks know
// fractions of a second.
var noon = time.Date(2025, time.September, 22, 12, 0, 0, 123456789, time.UTC)

// create returns the command that creates a session of most cases.
func create(id string) session.Create {
	return session.Create{
		ID: id, Name: "Onboarding", WorkspaceID: "w1",
		Template: session.Template{
			ID: "t1", Name: "Onboarding",
			ActionGroups: []group.Type{group.CompanyVerification, group.SignatureRequest},
		},
	}
}

// newborn returns a session of most cases, just created.
func newborn(id string) life { return born(create(id), noon) }

// newborns returns several.
func newborns(ids ...string) []life {
	var all []life
	for _, id := range ids {
		all = append(all, newborn(id))
	}
	return all
}

// check links a company verification as a new Action.
func check(id string, status action.Status) session.Link {
	return session.Link{Resource: resource(id, action.TypeCompanyVerification, status), Inputs: attempt.Digest{1}}
}

// recheck links one that is the next attempt after another one, with other
// inputs than those of check.
func recheck(replaced, id string) session.Link {
	return session.Link{
		Resource: resource(id, action.TypeCompanyVerification, action.Pending),
		Inputs:   attempt.Digest{2}, PreviousAttemptID: replaced,
	}
}

// signature links a signature request as a new Action. Its inputs are not
// known, as those of hosts that never retry.
func signature(id string, status action.Status) session.Link {
	return session.Link{Resource: resource(id, action.TypeSignatureRequest, status)}
}

// resource returns one that the provider made an hour ago and tells of now.
func resource(id string, t action.Type, status action.Status) action.Resource {
	at := action.Seconds(noon)
	return action.Resource{ID: id, Type: t, Status: status, CreatedAt: at.Add(-time.Hour), AsOf: at}
}

// observed is a report, some seconds after noon.
func observed(id string, status action.Status, seconds int) session.Observe {
	return session.Observe{
		ResourceID: id, Status: status, AsOf: action.Seconds(noon).Add(time.Duration(seconds) * time.Second),
	}
}

// eventful returns the life of a session to which everything has happened that
// a store has to keep. The ids of its resources begin with its own.
func eventful(id string) life {
	first, second, contract := id+".1", id+".2", id+".3"
	f := newborn(id).then(
		check(first, action.AwaitingData),
		observed(first, action.Pending, 1),
		observed(first, action.Pending, 2), // only its as-of moves
		observed(first, action.Failed, 3),
		recheck(first, second),
		session.Resolve{ResourceID: second, Reason: "vu «en personne» 🙂\n", By: "kim@example.com"},
		observed(second, action.Failed, 4),
		signature(contract, action.Draft),
	)
	for _, e := range []action.Event{
		action.EventActivated, action.EventExpired, action.EventReactivated,
		action.EventPaused, action.EventResumed, action.EventDone, action.EventDeleted,
	} {
		f = f.then(session.Transition{ResourceID: contract, Event: e, At: f.now})
	}
	return f.then(signature(id+".4", action.Done))
}
