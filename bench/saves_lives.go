package main

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// saved is one save: what a store is given, and the same as rows.
type saved struct {
	next   session.Session
	events []session.Event
	rows   savedRows
}

// savedRows are the rows of one save, as the bare driver takes them.
type savedRows struct {
	id                          string
	from, version               int // from is 0 for a session that is created
	status, workspace, template string
	created, updated            int64
	snapshot                    string
	events                      []savedEvent
	links                       []string // the resources that were linked
	announcements               []savedAnnouncement
}

type savedEvent struct {
	version int
	at      int64
	text    string
}

type savedAnnouncement struct {
	version int
	name    string
	group   *string // nil for the session itself
	status  string
	at      string
}

// savesOfLife is how many saves the life of a session has.
const savesOfLife = 10

// savesNoon is when all sessions are created.
var savesNoon = time.Date(2025, time.September, 22, 12, 0, 0, 0, time.UTC)

// savedLife is a session as a host has it, save by save: it is created, gets a
// verification that is asked for data twice before it succeeds, and then a
// signature request that is signed.
func savedLife(id string) ([]saved, error) {
	first, second, signature := id+".1", id+".2", id+".3"
	at := func(minutes int) time.Time { return savesNoon.Add(time.Duration(minutes) * time.Minute) }
	link := func(minutes int, resource string, t action.Type, s action.Status, replaces string) session.Command {
		return session.Link{
			Resource: action.Resource{
				ID: resource, Type: t, Status: s, WorkspaceID: "w", CreatedAt: at(minutes), AsOf: at(minutes),
			},
			Inputs: sha256.Sum256([]byte(resource)), PreviousAttemptID: replaces,
		}
	}
	observe := func(minutes int, resource string, s action.Status) session.Command {
		return session.Observe{ResourceID: resource, Status: s, AsOf: at(minutes)}
	}
	commands := [savesOfLife]session.Command{
		session.Create{ID: id, Name: "Onboarding", WorkspaceID: "w", Template: session.Template{
			ID: "t", Name: "Onboarding", ActionGroups: []group.Type{group.CompanyVerification, group.SignatureRequest},
		}},
		link(1, first, action.TypeCompanyVerification, action.AwaitingData, ""),
		observe(2, first, action.Pending),
		observe(3, first, action.Failed),
		link(4, second, action.TypeCompanyVerification, action.Pending, first),
		observe(5, second, action.Pending),
		observe(6, second, action.Verified),
		link(7, signature, action.TypeSignatureRequest, action.Draft, ""),
		observe(8, signature, action.Ongoing),
		observe(9, signature, action.Done),
	}
	var life []saved
	var s session.Session
	for i, c := range commands {
		next, change, err := session.Apply(s, c, at(i))
		if err != nil {
			return nil, fmt.Errorf("session %s: %w", id, err)
		}
		if len(change.Events) == 0 {
			return nil, fmt.Errorf("session %s: command %d changes nothing: %s", id, i+1, change.Outcome)
		}
		rows, err := rowsOf(s.Version(), next, change)
		if err != nil {
			return nil, err
		}
		life = append(life, saved{next, change.Events, rows})
		s = next
	}
	return life, nil
}

// rowsOf returns the rows of a save on top of a version.
func rowsOf(from int, next session.Session, change session.Change) (savedRows, error) {
	snapshot, err := next.Snapshot()
	if err != nil {
		return savedRows{}, fmt.Errorf("session %s: %w", next.ID(), err)
	}
	rows := savedRows{
		id: next.ID(), from: from, version: next.Version(), status: next.Status().String(),
		workspace: next.WorkspaceID(), template: next.TemplateID(),
		created: next.CreatedAt().Unix(), updated: next.UpdatedAt().Unix(), snapshot: string(snapshot),
	}
	for _, e := range change.Events {
		text, err := e.MarshalJSON()
		if err != nil {
			return savedRows{}, fmt.Errorf("session %s: event %d: %w", next.ID(), e.Version, err)
		}
		rows.events = append(rows.events, savedEvent{e.Version, e.At.Unix(), string(text)})
		if f, ok := e.Fact.(session.Linked); ok {
			rows.links = append(rows.links, f.Resource.ID)
		}
	}
	for _, a := range change.Announcements() {
		row := savedAnnouncement{version: a.Version, name: a.Name, status: a.Status.String(), at: a.At.Format(time.RFC3339Nano)}
		if a.GroupType != 0 {
			name := a.GroupType.String()
			row.group = &name
		}
		rows.announcements = append(rows.announcements, row)
	}
	return rows, nil
}

// savedLives returns, for each writer, the saves of so many lives one after
// another. Other prefixes, or numbers of writers, give other sessions.
func savedLives(prefix string, writers, lives int) ([][]saved, error) {
	all := make([][]saved, writers)
	for w := range all {
		for n := range lives {
			// Ids in no order, as hosts make them.
			scattered := uint32(w*lives+n+1) * 2654435761 //#nosec G115 -- the numbers are small
			life, err := savedLife(fmt.Sprintf("%08x-%s-%d-%d-%d", scattered, prefix, writers, w, n))
			if err != nil {
				return nil, err
			}
			all[w] = append(all[w], life...)
		}
	}
	return all, nil
}
