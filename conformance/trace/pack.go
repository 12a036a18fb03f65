package trace

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// The forms in which a session is spilled. A snapshot tells everything of any
// session. Most sessions can be had more cheaply: by linking what they have,
// as it is now, in the order in which it came. Nothing that a trace shows tells
// the difference; the version of the session does.
const (
	formSnapshot = iota
	formLinks
)

// pack returns what is kept of a session.
func pack(l *live) ([]byte, error) {
	b := l.owed.encode(nil)
	if linkable(l.Session) {
		return packLinks(append(b, formLinks), l.Session), nil
	}
	snapshot, err := l.Snapshot()
	return append(append(b, formSnapshot), snapshot...), err
}

// unpack returns the session that pack was given.
func unpack(b []byte) (session.Session, debts, error) {
	owed, b, err := decodeDebts(b)
	if err != nil || len(b) == 0 {
		return session.Session{}, nil, errDamaged
	}
	var s session.Session
	if b[0] == formLinks {
		s, err = unpackLinks(b[1:])
	} else {
		s, err = session.FromSnapshot(b[1:])
	}
	if err != nil {
		return session.Session{}, nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return s, owed, nil
}

// linkable reports whether links alone lead to a session: what is deleted cannot
// be linked, and what is resolved could not have been as it is now.
func linkable(s session.Session) bool {
	for g := range s.Groups() {
		for chain := range g.Actions() {
			if _, resolved := chain.Resolution(); resolved || chain.Main().Resource.Status == action.Deleted {
				return false
			}
		}
	}
	return true
}

func packLinks(b []byte, s session.Session) []byte {
	for _, text := range []string{s.ID(), s.Name(), s.TemplateID(), s.WorkspaceID()} {
		b = packText(b, text)
	}
	b = packTime(packTime(b, s.CreatedAt()), s.UpdatedAt())
	var groups []byte
	for g := range s.Groups() {
		groups = append(groups, byte(g.Type()))
	}
	b = packText(b, string(groups))
	for g := range s.Groups() {
		b = binary.AppendUvarint(b, uint64(g.Len())) //nolint:gosec // a length is not negative
		for chain := range g.Actions() {
			b = binary.AppendUvarint(b, uint64(chain.Len())) //nolint:gosec // the same
			for _, a := range chain.Attempts() {
				b = packAttempt(b, a)
			}
		}
	}
	return b
}

func packText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func packTime(b []byte, t time.Time) []byte { return binary.AppendVarint(b, t.Unix()) }

func packAttempt(b []byte, a attempt.Attempt) []byte {
	r := a.Resource
	b = packText(packText(b, r.ID), r.WorkspaceID)
	b = append(b, byte(r.Type), byte(r.Status))
	b = packTime(packTime(b, r.CreatedAt), r.AsOf)
	if a.Inputs.IsZero() {
		return append(b, 0)
	}
	return append(append(b, 1), a.Inputs[:]...)
}

// unpacker reads what was packed. After damage it reads zeros.
type unpacker struct {
	b       []byte
	damaged bool
}

func (u *unpacker) number() int {
	n, size := binary.Uvarint(u.b)
	if size <= 0 || n > 1<<40 {
		u.damaged, u.b = true, nil
		return 0
	}
	u.b = u.b[size:]
	return int(n)
}

func (u *unpacker) take(n int) []byte {
	if n > len(u.b) {
		u.damaged, u.b = true, nil
		return make([]byte, min(n, len(attempt.Digest{})))
	}
	taken := u.b[:n]
	u.b = u.b[n:]
	return taken
}

func (u *unpacker) text() string { return string(u.take(u.number())) }

func (u *unpacker) time() time.Time {
	n, size := binary.Varint(u.b)
	if size <= 0 {
		u.damaged, u.b = true, nil
		return time.Time{}
	}
	u.b = u.b[size:]
	return time.Unix(n, 0).UTC()
}

func (u *unpacker) attempt() attempt.Attempt {
	var a attempt.Attempt
	r := &a.Resource
	r.ID, r.WorkspaceID = u.text(), u.text()
	names := u.take(2)
	r.Type, r.Status = action.Type(names[0]), action.Status(names[1])
	r.CreatedAt, r.AsOf = u.time(), u.time()
	if u.take(1)[0] == 1 {
		copy(a.Inputs[:], u.take(len(a.Inputs)))
	}
	return a
}

func unpackLinks(b []byte) (session.Session, error) {
	u := unpacker{b: b}
	create := session.Create{ID: u.text(), Name: u.text()}
	create.Template = session.Template{ID: u.text(), Name: "a template"}
	create.WorkspaceID = u.text()
	created, updated := u.time(), u.time()
	for _, t := range u.take(u.number()) {
		create.Template.ActionGroups = append(create.Template.ActionGroups, group.Type(t))
	}
	s, _, err := session.New(create, created)
	for range create.Template.ActionGroups {
		for range u.number() {
			var previous string
			n := u.number()
			if u.damaged { // a number may be of more Actions than one can wait for
				return s, errDamaged
			}
			for range n {
				if u.damaged || err != nil {
					return s, errDamaged
				}
				a := u.attempt()
				link := session.Link{Resource: a.Resource, Inputs: a.Inputs, PreviousAttemptID: previous}
				s, _, err = session.Apply(s, link, updated)
				previous = a.Resource.ID
			}
		}
	}
	if u.damaged {
		return s, errDamaged
	}
	return s, err
}
