package trace

import (
	"bytes"
	"fmt"

	"github.com/sluicego/sluice/session"
)

// sessions are all sessions of a trace by their ids, and by the ids of their
// resources. Those that were mentioned last are live, the others are in a
// spill.
type sessions struct {
	maxCount, maxSize int

	live      map[string]*live
	resources map[string]place // of the live sessions
	size      int              // of the live sessions, about
	// newest and oldest are the ends of the list of live sessions, in the order
	// in which they were mentioned.
	newest, oldest *live

	spill *spill
	key   []byte // for the spill
}

// live is a session in memory.
type live struct {
	session.Session
	owed debts

	size    int
	changed bool // since it was read
	where   room // from where; none for a session that was created
	// unwritten lists the resources that the spill does not know.
	unwritten []string
	// newer and older are its neighbours in the list of live sessions.
	newer, older *live
}

// place is where a resource stands. The id is there so that one need not be
// made of the bytes of a line.
type place struct {
	id string
	in *live
}

// The sizes of a live session, with room for what a change leaves behind.
const (
	sizeOfSession = 1024
	sizeOfAttempt = 512
)

// What a key of the spill begins with.
const (
	spilledSession  = 's'
	spilledResource = 'r'
	spilledTemplate = 't'
	spilledLine     = 'l' // in which a session diverged
)

func newSessions(o Options) *sessions {
	return &sessions{
		maxCount: o.MaxSessions, maxSize: o.MaxBytes,
		live: map[string]*live{}, resources: map[string]place{},
		spill: newSpill(o.TempDir),
	}
}

// get returns the session of an id, nil if there is none.
func (c *sessions) get(id []byte) (*live, error) {
	if l := c.live[string(id)]; l != nil {
		c.touch(l)
		return l, nil
	}
	value, where, err := c.spill.locate(c.keyOf(spilledSession, id))
	if err != nil || where.size == 0 {
		return nil, err
	}
	s, owed, err := unpack(value)
	if err != nil {
		return nil, err
	}
	l := &live{Session: s, owed: owed, size: sizeOfSession, where: where}
	c.adopt(l)
	for g := range s.Groups() {
		for chain := range g.Actions() {
			for _, a := range chain.Attempts() {
				c.index(l, a.Resource.ID)
			}
		}
	}
	return l, nil
}

// owedBy returns what a session owes, without taking it into memory.
func (c *sessions) owedBy(id []byte) (debts, error) {
	if l := c.live[string(id)]; l != nil {
		return l.owed, nil
	}
	value, _, err := c.spill.get(c.keyOf(spilledSession, id))
	if err != nil {
		return nil, err
	}
	owed, _, err := decodeDebts(value)
	return owed, err
}

// add takes in a session that was created.
func (c *sessions) add(s session.Session) *live {
	l := &live{Session: s, size: sizeOfSession, changed: true}
	c.adopt(l)
	return l
}

func (c *sessions) adopt(l *live) {
	c.live[l.ID()] = l
	c.size += l.size
	c.first(l)
}

// owner returns the session that has a resource, nil if none has it.
func (c *sessions) owner(resourceID []byte) (*live, error) {
	if p, ok := c.resources[string(resourceID)]; ok {
		c.touch(p.in)
		return p.in, nil
	}
	id, found, err := c.spill.get(c.keyOf(spilledResource, resourceID))
	if err != nil || !found {
		return nil, err
	}
	l, err := c.get(bytes.Clone(id))
	if err == nil && l == nil {
		err = fmt.Errorf("%w: a resource without its session", errDamaged)
	}
	return l, err
}

// ownerID returns the id of the session that has a resource, "" if none has it.
func (c *sessions) ownerID(resourceID string) (string, error) {
	if p, ok := c.resources[resourceID]; ok {
		return p.in.ID(), nil
	}
	id, _, err := c.spill.get(c.keyOf(spilledResource, []byte(resourceID)))
	return string(id), err
}

// in returns the id of a resource as a text, and whether a session has it.
func (c *sessions) in(l *live, resourceID []byte) (string, bool) {
	if p, ok := c.resources[string(resourceID)]; ok {
		return p.id, p.in == l
	}
	return string(resourceID), false
}

// linked notes that a live session has another resource.
func (c *sessions) linked(l *live, resourceID string) {
	c.index(l, resourceID)
	l.unwritten = append(l.unwritten, resourceID)
}

func (c *sessions) index(l *live, resourceID string) {
	c.resources[resourceID] = place{resourceID, l}
	l.size += sizeOfAttempt
	c.size += sizeOfAttempt
}

// trim moves sessions into the spill until the others fit into memory. The one
// that was mentioned last stays.
func (c *sessions) trim() error {
	for len(c.live) > 1 && (len(c.live) > c.maxCount || c.size > c.maxSize) {
		if err := c.evict(c.oldest); err != nil {
			return err
		}
	}
	return nil
}

// evict moves a session into the spill.
func (c *sessions) evict(l *live) error {
	id := []byte(l.ID())
	if l.changed {
		value, err := pack(l)
		if err == nil {
			err = c.spill.rewrite(l.where, c.keyOf(spilledSession, id), value)
		}
		if err != nil {
			return err
		}
	}
	for _, resource := range l.unwritten {
		if err := c.spill.put(c.keyOf(spilledResource, []byte(resource)), id); err != nil {
			return err
		}
	}
	for g := range l.Groups() {
		for chain := range g.Actions() {
			for _, a := range chain.Attempts() {
				delete(c.resources, a.Resource.ID)
			}
		}
	}
	delete(c.live, l.ID())
	c.size -= l.size
	c.unlink(l)
	return nil
}

func (c *sessions) keyOf(kind byte, id []byte) []byte {
	c.key = append(append(c.key[:0], kind), id...)
	return c.key
}

// first puts a session at the front of the list.
func (c *sessions) first(l *live) {
	l.older = c.newest
	if c.newest != nil {
		c.newest.newer = l
	}
	c.newest = l
	if c.oldest == nil {
		c.oldest = l
	}
}

// touch notes that a live session was mentioned.
func (c *sessions) touch(l *live) {
	if c.newest != l {
		c.unlink(l)
		c.first(l)
	}
}

// unlink takes a session out of the list.
func (c *sessions) unlink(l *live) {
	if l.newer != nil {
		l.newer.older = l.older
	} else {
		c.newest = l.older
	}
	if l.older != nil {
		l.older.newer = l.newer
	} else {
		c.oldest = l.newer
	}
	l.newer, l.older = nil, nil
}
