package trace

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// times reads the times of the line itself.
func (q *quickLine) times() bool {
	if q.has&(1<<mAt) == 0 || !readTime(q.texts[mAt], &q.e.at) {
		return false
	}
	if q.has&(1<<mAsOf) != 0 {
		return readTime(q.texts[mAsOf], &q.e.observe.asOf)
	}
	return true
}

// finish makes the line of its members.
func (q *quickLine) finish() bool {
	e := q.e
	e.session = q.texts[mSession]
	if q.has&(1<<mSession) != 0 && len(e.session) == 0 {
		return false
	}
	switch has := q.has; {
	case has&(1<<mCommand) != 0:
		name := commandsOf[string(q.texts[mCommand])]
		e.kind, e.command.name = lineCommand, name
		return has&(1<<mSession) != 0 && has&^commandSets[name] == 0 && has&neededSets[name] == neededSets[name] &&
			q.command(name)
	case has == ofWebhook:
		e.kind = lineWebhook
		return true
	case has == ofSeen:
		e.kind = lineSeen
		return true
	case has|1<<mGroupType == ofAnnounced:
		e.kind = lineAnnounced
		var ok bool
		e.owed, ok = readAnnounced(string(q.texts[mAnnounced]), q.texts[mGroupType], has&(1<<mGroupType) != 0)
		return ok
	default: // a template, which is rare
		return false
	}
}

// command makes the command of its members.
func (q *quickLine) command(name string) bool {
	e := q.e
	resource := string(q.texts[mResourceID])
	switch name {
	case "observe":
		o := &e.observe
		o.resource = q.texts[mResourceID]
		o.status = statuses[string(q.texts[mStatus])]
		if q.has&(1<<mAsOf) == 0 {
			o.asOf = e.at
		}
		return o.status != 0
	case "transition":
		event := events[string(q.texts[mEvent])]
		e.command.value = session.Transition{ResourceID: resource, Event: event, At: e.at}
		return event != 0
	case "resolve":
		e.command.value = session.Resolve{
			ResourceID: resource, Reason: string(q.texts[mReason]), By: string(q.texts[mBy]),
		}
		return true
	case "link":
		return q.link()
	case "create":
		return q.create()
	default:
		return false
	}
}

// link makes the command link.
func (q *quickLine) link() bool {
	c := session.Link{Resource: q.resource, PreviousAttemptID: string(q.texts[mPrevious])}
	var err error
	switch q.has & setOf(mInputs, mDigest) {
	case setOf(mInputs):
		c.Inputs, err = attempt.NewDigester(string(q.e.session), nil).Digest(json.RawMessage(q.raw))
	case setOf(mDigest):
		if len(q.texts[mDigest]) == 0 {
			return false
		}
		err = c.Inputs.UnmarshalText(q.texts[mDigest])
	case 0:
	default:
		return false
	}
	q.e.command.value = complete(c, q.e.at)
	return err == nil
}

// create makes the command create, of a template that is named or was read
// before.
func (q *quickLine) create() bool {
	e := q.e
	if q.has&(1<<mID) != 0 && string(q.texts[mID]) != string(e.session) {
		return false
	}
	c := session.Create{
		ID: string(e.session), Name: string(q.texts[mName]), WorkspaceID: string(q.texts[mWorkspace]),
		DefaultWorkspaceID: string(q.texts[mDefaultWorkspace]),
	}
	e.command.templateID = string(q.texts[mTemplateID])
	known := e.command.templateID != ""
	if q.has&(1<<mTemplate) != 0 && !known {
		c.Template, known = q.d.templates[string(q.raw)]
	} else if q.has&(1<<mTemplate) != 0 {
		return false
	}
	e.command.value = c
	return known
}

// complete fills in the provider's times where a link leaves them out: as if
// the host had heard at once.
func complete(c session.Link, at time.Time) session.Link {
	for _, t := range []*time.Time{&c.Resource.CreatedAt, &c.Resource.AsOf} {
		if t.IsZero() {
			*t = at
		}
	}
	return c
}

// readAnnounced reads what an announcement tells.
func readAnnounced(name string, typ []byte, given bool) (owedKind, bool) {
	level, verb, _ := strings.Cut(name, ".")
	status := announcedStatuses[verb]
	switch {
	case status == 0:
		return 0, false
	case level == "workflow_session":
		return kindOwed(0, status), !given
	case level == ofGroups:
		t, ok := groupTypes[string(typ)]
		return kindOwed(t, status), ok
	default:
		return 0, false
	}
}

// ofGroups is what announcements of groups are called, before the dot.
const ofGroups = "workflow_action_group"

var announcedStatuses = map[string]group.Status{
	"started": group.Ongoing, "blocked": group.Blocked, "done": group.Done,
}
