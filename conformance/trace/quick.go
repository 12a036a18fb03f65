package trace

import (
	"time"
	"unicode/utf8"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// The members of a line that hold a text.
const (
	mAt = iota
	mSession
	mCommand
	mResourceID
	mStatus
	mAsOf
	mEvent
	mReason
	mBy
	mPrevious
	mDigest
	mID
	mName
	mWorkspace
	mDefaultWorkspace
	mTemplateID
	mAnnounced
	mGroupType
	texts // how many there are
)

// The members that hold something else.
const (
	mRefused = texts + iota
	mResource
	mInputs
	mTemplate
	mWebhook
	mSeen
)

var lineMembers = map[string]int{
	"at": mAt, "session": mSession, "command": mCommand, "resource_id": mResourceID,
	"status": mStatus, "as_of": mAsOf, "event": mEvent, "reason": mReason, "by": mBy,
	"previous_attempt_id": mPrevious, "inputs_digest": mDigest, "id": mID, "name": mName,
	"workspace_id": mWorkspace, "default_workspace_id": mDefaultWorkspace, "template_id": mTemplateID,
	"announced": mAnnounced, "group_type": mGroupType, "refused": mRefused, "resource": mResource,
	"inputs": mInputs, "template": mTemplate, "webhook": mWebhook, "seen": mSeen,
}

// set is a set of members.
type set uint32

func setOf(members ...int) set {
	var s set
	for _, m := range members {
		s |= 1 << m
	}
	return s
}

// The members that each kind of line may have.
var (
	ofCommand   = setOf(mAt, mSession, mCommand, mRefused)
	commandSets = map[string]set{
		"create": ofCommand | setOf(mID, mName, mWorkspace, mDefaultWorkspace, mTemplateID, mTemplate),
		"link":   ofCommand | setOf(mResource, mInputs, mDigest, mPrevious),
		// What the host itself brings about happens when it says so: at.
		"transition": ofCommand | setOf(mResourceID, mEvent),
		"observe":    ofCommand | setOf(mResourceID, mStatus, mAsOf),
		"resolve":    ofCommand | setOf(mResourceID, mReason, mBy),
	}
	neededSets  = setsOf(neededOf)
	ofWebhook   = setOf(mAt, mWebhook)
	ofSeen      = setOf(mAt, mSession, mSeen)
	ofAnnounced = setOf(mAt, mSession, mAnnounced, mGroupType)
)

// setsOf makes sets of lists of names.
func setsOf(lists map[string][]string) map[string]set {
	sets := map[string]set{}
	for command, names := range lists {
		for _, name := range names {
			sets[command] |= 1 << lineMembers[name]
		}
	}
	return sets
}

// decoder reads lines. Each worker has one.
type decoder struct {
	// templates are those that stood in creates, by their bytes: most traces
	// have few and repeat them.
	templates map[string]session.Template
	pairs     []pair // of the lines of a batch
}

// The bounds of what a decoder remembers.
const (
	maxTemplates    = 64
	maxTemplateSize = 8 << 10
)

// decode reads a line. It tries the quick way, which takes what is usual and
// right, and leaves all else to the thorough one.
func (d *decoder) decode(line []byte, e *entry) {
	if d.quick(line, e) {
		return
	}
	*e = entry{line: e.line}
	d.thorough(line, e)
}

// quickLine is a line that is being read the quick way.
type quickLine struct {
	scanner
	d        *decoder
	e        *entry
	has      set
	texts    [texts][]byte
	raw      []byte // of inputs or a template
	resource action.Resource
}

// quick reads a line without package json, and reports whether it could. What
// it takes, thorough would take in the same way.
func (d *decoder) quick(line []byte, e *entry) bool {
	q := quickLine{scanner: scanner{data: line}, d: d, e: e}
	if q.atEnd() {
		return true // a blank line
	}
	return utf8.Valid(line) && q.members() && q.atEnd() && q.times() && q.finish()
}

// members reads the object that a line is.
func (q *quickLine) members() bool {
	if !q.take('{') {
		return false
	}
	for i := 0; ; i++ {
		name, more, ok := q.member(i)
		if !ok || !more {
			return ok
		}
		m, known := lineMembers[string(name)]
		if !known || q.has&(1<<m) != 0 {
			return false
		}
		q.has |= 1 << m
		if m < texts {
			q.texts[m], ok = q.text()
		} else {
			ok = q.other(m)
		}
		if !ok {
			return false
		}
	}
}

// other reads the value of a member that is no text.
func (q *quickLine) other(m int) (ok bool) {
	switch m {
	case mRefused:
		return q.refused()
	case mResource:
		return q.linked()
	case mWebhook:
		return q.webhook()
	case mSeen:
		return q.seen()
	default: // inputs and templates, of which no line has both
		q.raw, ok = q.value()
		return ok
	}
}

// refused reads what the system under test did.
func (q *quickLine) refused() bool {
	r := &q.e.command.refused
	r.given = true
	switch q.peek() {
	case 't':
		r.yes = true
		return q.literal("true")
	case 'f':
		return q.literal("false")
	}
	text, ok := q.text()
	r.yes, r.rule = true, ruleIDs()[string(text)]
	return ok && r.rule != ""
}

// linked reads the resource of a link.
func (q *quickLine) linked() bool {
	if !q.take('{') {
		return false
	}
	var has set
	const needed set = 1<<1 | 1<<2 | 1<<3 // see neededOfResource
	for i := 0; ; i++ {
		name, more, ok := q.member(i)
		if !ok || !more {
			return ok && has&needed == needed
		}
		value, ok := q.text()
		if !ok {
			return false
		}
		var m int
		switch string(name) {
		case "id":
			m, q.resource.ID = 1, string(value)
		case "type":
			m = 2
			q.resource.Type, ok = types[string(value)]
		case "status":
			m = 3
			q.resource.Status, ok = statuses[string(value)]
		case "workspace_id":
			m, q.resource.WorkspaceID = 4, string(value)
		case "created_at":
			m, ok = 5, readTime(value, &q.resource.CreatedAt)
		case "as_of":
			m, ok = 6, readTime(value, &q.resource.AsOf)
		}
		if !ok || m == 0 || has&(1<<m) != 0 {
			return false
		}
		has |= 1 << m
	}
}

// webhook reads the envelope of a webhook (WHK-10).
func (q *quickLine) webhook() bool {
	if !q.take('{') {
		return false
	}
	var event, seconds []byte
	var data [len(familyNames) + 1]quickResource
	for i := 0; ; i++ {
		name, more, ok := q.member(i)
		if !ok {
			return false
		}
		if !more {
			return len(event) > 0 && seconds != nil && data[0].data && q.reported(event, seconds, &data)
		}
		switch string(name) {
		case "event_name":
			if event != nil {
				return false
			}
			event, ok = q.text()
		case "event_time":
			if seconds != nil {
				return false
			}
			seconds, ok = q.text()
		case "data":
			if data[0].data {
				return false
			}
			ok = q.data(&data)
		default:
			_, ok = q.value()
		}
		if !ok {
			return false
		}
	}
}

// quickResource is a resource in the data of a webhook.
type quickResource struct {
	data       bool // whether there is one
	id, status []byte
}

// data reads the data of a webhook: the resource in first place, and those in
// members behind it.
func (q *quickLine) data(list *[len(familyNames) + 1]quickResource) bool {
	return q.object(&list[0], func(name []byte) (handled, ok bool) {
		for i, family := range familyNames {
			if string(name) == family {
				return true, !list[i+1].data && q.object(&list[i+1], nil)
			}
		}
		return false, true
	})
}

// object reads an object that may be a resource. special may take a member.
func (q *quickLine) object(r *quickResource, special func([]byte) (handled, ok bool)) bool {
	if !q.take('{') {
		return false
	}
	r.data = true
	for i := 0; ; i++ {
		name, more, ok := q.member(i)
		if !ok || !more {
			return ok
		}
		handled := false
		switch {
		case string(name) == "id":
			handled, ok = true, r.id == nil
			if ok {
				r.id, ok = q.text()
			}
		case string(name) == "status":
			handled, ok = true, r.status == nil
			if ok {
				r.status, ok = q.text()
			}
		case special != nil:
			handled, ok = special(name)
		}
		if ok && !handled {
			_, ok = q.value()
		}
		if !ok {
			return false
		}
	}
}

// reported makes an observation of a webhook that moves a resource.
func (q *quickLine) reported(event, seconds []byte, data *[len(familyNames) + 1]quickResource) bool {
	o := &q.e.observe
	o.event = event
	var ok bool
	if o.asOf, ok = readSeconds(seconds); !ok {
		return false
	}
	family, moves := moving[string(event)]
	if !moves {
		return true
	}
	r := data[0]
	if data[family+1].data {
		r = data[family+1]
	}
	o.moves, o.resource, o.text, o.status = true, r.id, r.status, statuses[string(r.status)]
	return len(r.id) > 0 && len(r.status) > 0
}

// readSeconds reads the time of an event: seconds since 1970.
func readSeconds(text []byte) (time.Time, bool) {
	if len(text) == 0 || len(text) > 12 {
		return time.Time{}, false
	}
	var n int64
	for _, c := range text {
		if !isDigit(c) {
			return time.Time{}, false
		}
		n = 10*n + int64(c-'0')
	}
	t := time.Unix(n, 0).UTC()
	return t, action.CheckTime(t) == ""
}

// readTime reads a time of RFC 3339 that a document can hold.
func readTime(text []byte, t *time.Time) bool {
	return t.UnmarshalText(text) == nil && action.CheckTime(*t) == ""
}

// seen reads the short form of what was shown. A document has a member
// action_groups, and is left to the thorough way.
func (q *quickLine) seen() bool {
	if !q.take('{') {
		return false
	}
	s := &q.e.seen
	var has set
	for i := 0; ; i++ {
		name, more, ok := q.member(i)
		if !ok || !more {
			return ok
		}
		var m int
		switch string(name) {
		case "status":
			m = 1
			s.status, ok = q.text()
		case "groups":
			m = 2
			s.groups, ok = q.shown()
		case "resources":
			m = 3
			s.resources, ok = q.shown()
		}
		if !ok || m == 0 || has&(1<<m) != 0 {
			return false
		}
		has |= 1 << m
	}
}

// shown reads an object whose values are texts.
func (q *quickLine) shown() ([]pair, bool) {
	if !q.take('{') {
		return nil, false
	}
	first := len(q.d.pairs)
	for i := 0; ; i++ {
		name, more, ok := q.member(i)
		if !ok {
			return nil, false
		}
		if !more {
			return q.d.pairs[first:len(q.d.pairs):len(q.d.pairs)], true
		}
		value, ok := q.text()
		if !ok {
			return nil, false
		}
		q.d.pairs = append(q.d.pairs, pair{name, value})
	}
}
