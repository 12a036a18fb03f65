package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/session"
)

// takenCases are about the one rule that no session can see to alone: a
// resource stands in one session only (ATT-12).
func takenCases() []Case {
	return []Case{
		newCase("taken", "A resource stands in one session (ATT-12): Save refuses it in another one, and says where it stands.", taken),
		newCase("taken-last", "Save keeps all or nothing: if the last of several events is refused, so are the others.", takenLast),
		newCase("conflict-before-taken", "Conflict is told before a taken resource, so that who is late finds out.", conflictFirst),
		newCase("concurrent-links", "A resource stands in one session (ATT-12), also when many link it at once.", concurrentLinks),
	}
}

// taken links a resource that another session has, alone or as the second of
// two events, in a session that exists and in one that would begin with it. The
// resource of a previous attempt is as taken as that of the newest: an index of
// newest attempts alone lets it through.
func taken(l lab) {
	owner := newborn("a-owner").then(check("r1", action.Failed), recheck("r1", "r2"))
	b := newborn("b")
	l.putAll(owner, b)
	for _, id := range []string{"r1", "r2"} { // a previous attempt and the newest
		l.refuseTaken(b.then(check(id, action.Pending)), 1, id, "a-owner")
		l.holds(b.Session)
		l.refuseTaken(b.then(check("r3", action.Failed), recheck("r3", id)), 1, id, "a-owner")
		l.holds(b.Session)
		l.refuseTaken(newborn("c").then(check(id, action.Pending)), 0, id, "a-owner")
		l.holdsNone("c")
	}
	// Its own session goes on with it, and the others with something else.
	owner = owner.then(observed("r2", action.Failed, 1))
	l.put(owner, owner.since(3))
	b = b.then(check("r3", action.Pending))
	l.put(b, b.since(1))
	l.holds(owner.Session)
	l.holds(b.Session)
}

// refuseTaken saves what must be refused, from a version on, because a resource
// is taken, and checks what the error tells.
func (l lab) refuseTaken(f life, version int, resourceID, sessionID string) {
	l.Helper()
	err := l.store.Save(context.Background(), f.Session, f.since(version))
	l.is(session.ErrResourceTaken, err, "Save of %s", f)
	var refusal *session.Refusal
	switch {
	case !errors.As(err, &refusal):
		l.Fatalf("error %q is no *Refusal; session.Taken makes one", err)
	case refusal.Rule != "ATT-12":
		l.Fatalf("error %q is about rule %s; want ATT-12", err, refusal.Rule)
	case refusal.Subject != resourceID || !strings.Contains(err.Error(), sessionID):
		l.Fatalf("error %q does not say that resource %s stands in session %s", err, resourceID, sessionID)
	}
}

// takenLast has the taken resource in the last event of a Save, so that a store
// without a transaction has kept the ones before when it finds out. Their
// resources have to be free afterwards as well.
func takenLast(l lab) {
	owner, b := newborn("a").then(check("taken", action.Pending)), newborn("b")
	l.putAll(owner, b)
	next := b.then(check("free", action.Failed), recheck("free", "free too"), check("taken", action.Pending))
	l.refuse(session.ErrResourceTaken, next.Session, next.since(1))
	l.holds(b.Session)
	unborn := newborn("c").then(check("free", action.Failed), check("taken", action.Pending))
	l.refuse(session.ErrResourceTaken, unborn.Session, unborn.since(0))
	l.holdsNone("c")
	// What was refused with the last event is free for others.
	owner = owner.then(check("free", action.Failed), recheck("free", "free too"))
	l.put(owner, owner.since(2))
	l.holds(owner.Session)
}

// conflictFirst has a writer who is late and links what is taken. Told that it
// is taken, he would give up; told of the conflict, he loads the session and
// sees what there is to do. The other order also names sessions to those who
// know nothing of them yet.
func conflictFirst(l lab) {
	owner, b := newborn("a").then(check("taken", action.Pending)), newborn("b")
	l.putAll(owner, b)
	late := b.then(check("taken", action.Pending))
	b = b.then(check("free", action.Pending))
	l.put(b, b.since(1))
	l.refuse(session.ErrConflict, late.Session, late.since(1))
	again := newborn("b").then(check("taken", action.Pending))
	l.refuse(session.ErrConflict, again.Session, again.since(0))
	l.holds(b.Session)
}

// concurrentLinks has many sessions that link one resource at once. Where
// nothing but a query looks whether it is taken, several of them find it free;
// a unique index does not.
func concurrentLinks(l lab) {
	var lives [writers]life
	for i := range lives {
		f := newborn(fmt.Sprintf("s%d", i))
		l.putAll(f)
		lives[i] = f.then(check("shared", action.Pending))
	}
	winner := l.oneWins(session.ErrResourceTaken, lives[:], 1)
	for _, f := range lives {
		if f.ID() != winner.ID() {
			l.holds(newborn(f.ID()).Session)
		}
	}
}
