package main

import (
	"container/heap"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

const days = 30

// monthTemplates are the platform's, and how many of a hundred sessions have each.
var monthTemplates = []struct {
	share    int
	template session.Template
}{
	{60, guide},
	{25, session.Template{ID: id(idTemplate, 2), Name: "Customer with an account", ActionGroups: []group.Type{
		group.IdentityVerification, group.BankAccountVerification, group.SignatureRequest,
	}}},
	{15, session.Template{ID: id(idTemplate, 3), Name: "Company", ActionGroups: []group.Type{
		group.CompanyVerification, group.IdentityVerification, group.WatchlistVerification,
		group.DocumentAnalysis, group.SignatureRequest,
	}}},
}

// linked is the type of the resources that each group gets.
var linked = func() map[group.Type]action.Type {
	types := map[group.Type]action.Type{}
	for _, g := range group.Types() {
		types[g] = g.Admits()[0]
	}
	return types
}()

// begins is the status in which each of these begins.
var begins = func() map[action.Type]action.Status {
	statuses := map[action.Type]action.Status{}
	for _, t := range linked {
		statuses[t] = t.Machine().Initial()[0]
	}
	return statuses
}()

// shard is a part of the platform. Its clock goes from one thing that is due to the
// next.
type shard struct {
	random *rand.Rand
	number uint32
	ids    uint32
	due    agenda
	begins int           // sessions that have not begun
	every  time.Duration // one begins
	tally
}

// visit is a session on its way: who is next, and what will happen then.
type visit struct {
	due      time.Time
	session  session.Session
	resource string          // under way
	typ      action.Type     // of the resource
	group    int             // of the template, the one that the resource is of
	then     func(*visit)    // what is due; nil is over
	shard    *shard          // that it is in
	echo     session.Command // a webhook that comes again or late, after the next
	inputs   byte            // how often the inputs have changed
}

// agenda is a heap of visits, the next one first. Their times stand beside them, so
// that no visit has to be looked at to find the next.
type agenda []appointment

type appointment struct {
	due   int64 // nanoseconds
	visit *visit
}

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].due < a[j].due }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any) {
	if v, ok := x.(*visit); ok {
		*a = append(*a, appointment{v.due.UnixNano(), v})
	}
}

func (a *agenda) Pop() any {
	last := len(*a) - 1
	v := (*a)[last].visit
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return v
}

func newShard(number uint32, sessions int) *shard {
	return &shard{
		random: rand.New(rand.NewPCG(uint64(number), 2025)), //nolint:gosec // the same every time
		number: number, begins: sessions,
		every: days * 24 * time.Hour / time.Duration(max(sessions, 1)),
	}
}

// run plays the month and returns what happened.
func (p *shard) run() tally {
	end := noon.Add(days * 24 * time.Hour)
	p.add(tally{sessions: p.begins})
	slot := noon
	begin := slot
	for {
		if p.begins > 0 && (len(p.due) == 0 || begin.Before(p.due[0].visit.due)) {
			p.begins--
			p.begin(begin)
			slot = slot.Add(p.every)
			begin = slot.Add(time.Duration(p.random.Int64N(int64(p.every))))
			continue
		}
		if len(p.due) == 0 || p.due[0].visit.due.After(end) {
			break
		}
		v := p.due[0].visit
		p.last = v.due
		then := v.then
		v.then = nil
		then(v)
		if v.then == nil {
			heap.Pop(&p.due)
		} else {
			p.due[0].due = v.due.UnixNano()
			heap.Fix(&p.due, 0)
		}
	}
	p.open = len(p.due)
	return p.tally
}

// chance reports whether something happens that happens so often of a hundred.
func (p *shard) chance(percent int) bool { return p.random.IntN(100) < percent }

// id returns an id that no other has, as long as ids are.
func (p *shard) id() string {
	p.ids++
	var raw [8]byte
	binary.BigEndian.PutUint32(raw[:4], p.number)
	binary.BigEndian.PutUint32(raw[4:], p.ids)
	text := []byte("00000000-9b1a-4f7a-8fd8-000000000000")
	hex.Encode(text[:8], raw[:4])
	hex.Encode(text[28:], raw[4:])
	return string(text)
}

// begin creates a session.
func (p *shard) begin(now time.Time) {
	v := &visit{due: now, shard: p, group: -1}
	pick, template := p.random.IntN(100), session.Template{}
	for _, t := range monthTemplates {
		if template = t.template; pick < t.share {
			break
		}
		pick -= t.share
	}
	v.do(session.Create{ID: p.id(), Name: "Onboarding of Kelly Smith", Template: template, WorkspaceID: workspace})
	v.within(time.Hour, (*visit).start)
	heap.Push(&p.due, v)
}

// do applies a command and counts what comes of it.
func (v *visit) do(c session.Command) {
	t := &v.shard.tally
	t.commands++
	next, change, err := session.Apply(v.session, c, v.due)
	var refusal *session.Refusal
	switch {
	case errors.As(err, &refusal):
		t.refused++
		return
	case err != nil:
		panic(err)
	}
	v.session = next
	switch change.Outcome {
	case action.Duplicate:
		t.duplicate++
	case action.Stale:
		t.stale++
	default:
		t.taken++
	}
	t.announcements += len(change.Announcements())
}

// within has something happen after some time, up to twice as long as on average.
func (v *visit) within(average time.Duration, then func(*visit)) {
	v.due = v.due.Add(time.Duration(1 + v.shard.random.Int64N(int64(2*average))))
	v.then = then
}

// tell observes a status, as of now. Some webhooks come again, and some come after
// the one that follows them.
func (v *visit) tell(s action.Status) {
	observed := session.Observe{ResourceID: v.resource, Status: s, AsOf: v.due}
	echo := v.echo
	v.echo = nil
	switch {
	case v.shard.chance(4) && echo == nil:
		v.echo = observed
		if !s.IsBlocking() && !s.IsComplete() {
			return // late: what follows is faster
		}
		v.do(observed)
	default:
		v.do(observed)
	}
	if echo != nil {
		v.do(echo)
	}
}

// start links the resource of the next group, if there is one.
func (v *visit) start() {
	v.group++
	types := v.groups()
	if v.group == len(types) {
		v.over()
		return
	}
	v.typ = linked[types[v.group]]
	v.link("")
}

// groups returns the types of the session's groups.
func (v *visit) groups() []group.Type {
	for _, t := range monthTemplates {
		if t.template.ID == v.session.TemplateID() {
			return t.template.ActionGroups
		}
	}
	panic("bench: a template that nobody made")
}

// link links a resource: a new Action, or the next attempt of one.
func (v *visit) link(replaces string) {
	v.resource = v.shard.id()
	v.inputs++
	v.do(session.Link{
		Resource: action.Resource{
			ID: v.resource, Type: v.typ, Status: begins[v.typ], WorkspaceID: workspace, CreatedAt: v.due, AsOf: v.due,
		},
		Inputs: attempt.Digest{v.inputs}, PreviousAttemptID: replaces,
	})
	v.within(10*time.Minute, (*visit).open)
}

// open has a person begin with what there is to do.
func (v *visit) open() {
	if v.typ == action.TypeSignatureRequest {
		v.tell(action.Ongoing)
		v.within(20*time.Hour, (*visit).end)
		return
	}
	v.tell(action.Pending)
	v.within(2*time.Hour, (*visit).end)
}

// end has a resource come to its end, good or bad.
func (v *visit) end() {
	end := v.outcome()
	v.tell(end)
	if !end.IsBlocking() {
		v.within(4*time.Hour, (*visit).start)
		return
	}
	v.shard.failures++
	v.within(8*time.Hour, (*visit).unblock)
}

// outcome returns how a resource ends.
func (v *visit) outcome() action.Status {
	luck := v.shard.random.IntN(100)
	switch {
	case v.typ == action.TypeSignatureRequest && luck < 90:
		return action.Done
	case v.typ == action.TypeSignatureRequest && luck < 95:
		return action.Expired
	case v.typ == action.TypeSignatureRequest && luck < 98:
		return action.Declined
	case v.typ == action.TypeSignatureRequest:
		return action.Canceled
	case luck >= 96:
		return action.Inconclusive
	case luck >= 88:
		return action.Failed
	case v.typ.Kind() == action.KindDocumentAnalysis:
		return action.Done
	default:
		return action.Verified
	}
}

// unblock has somebody look at what blocks, and take a way out.
func (v *visit) unblock() {
	blockers := v.session.Blockers()
	if len(blockers) == 0 || v.shard.chance(5) {
		v.shard.givenUp++
		v.over()
		return
	}
	ways := blockers[0].WaysOut
	way := ways[v.shard.random.IntN(len(ways))]
	switch c := way.Command.(type) {
	case session.Link:
		if v.shard.chance(10) { // in haste: with the inputs of before
			v.do(session.Link{
				Resource: action.Resource{
					ID: v.shard.id(), Type: v.typ, Status: begins[v.typ], CreatedAt: v.due, AsOf: v.due,
				},
				Inputs: attempt.Digest{v.inputs}, PreviousAttemptID: c.PreviousAttemptID,
			})
		}
		v.shard.retries++
		v.link(c.PreviousAttemptID)
	case session.Resolve:
		v.shard.resolutions++
		c.Reason, c.By = "seen in person", "agent-7"
		v.do(c)
		v.within(time.Hour, (*visit).start)
	case session.Transition:
		v.react(c)
	default:
		panic("bench: a way out that nobody knows")
	}
}

// react has the provider do what a way out asks of it, and hears of it.
func (v *visit) react(c session.Transition) {
	switch c.Event {
	case action.EventReactivated:
		v.shard.reactivations++
		v.tell(action.Ongoing)
		v.within(20*time.Hour, (*visit).end)
	case action.EventReactivatedForApproval:
		v.shard.reactivations++
		v.tell(action.Approval)
		v.within(time.Hour, (*visit).open)
	default:
		v.shard.deletions++
		v.tell(action.Deleted)
		v.within(time.Hour, func(v *visit) { v.link("") })
	}
}

// over ends a visit.
func (v *visit) over() {
	if v.session.Status() == session.Done {
		v.shard.done++
	}
	v.then = nil
}
