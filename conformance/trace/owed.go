package trace

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// owedKind says of what an announcement is, and what it tells: the type of the
// group, zero for the session, and the status that was reached.
type owedKind uint8

func kindOwed(t group.Type, s group.Status) owedKind { return owedKind(t)<<3 | owedKind(s) }

func (k owedKind) group() group.Type    { return group.Type(k >> 3) }
func (k owedKind) status() group.Status { return group.Status(k & 7) }

// String returns what is announced, as the subject of a finding.
func (k owedKind) String() string {
	verb := k.status().String()
	if k.status() == group.Ongoing {
		verb = "started"
	}
	if k.group() == 0 {
		return "announcement workflow_session." + verb
	}
	return "announcement workflow_action_group." + verb + " of group " + k.group().String()
}

// debt is how many announcements of a kind are owed, and since when one is.
type debt struct {
	kind  owedKind
	count int
	since int // the line from which on the count has not been zero
}

// debts are those of one session, in no order: what was announced and what was
// not cannot be told apart within a kind.
type debts []debt

// add notes what a change announces. It returns the kinds of which nothing was
// owed before.
func (d *debts) add(change session.Change, line int) []owedKind {
	var begun []owedKind
	for _, e := range change.Events {
		if !e.Group.Moved() && !e.Session.Moved() {
			continue // nothing to announce, and nothing to make a list of
		}
		for _, a := range e.Announcements() {
			kind := kindOwed(a.GroupType, a.Status)
			if i := d.index(kind); i >= 0 {
				(*d)[i].count++
				continue
			}
			*d = append(*d, debt{kind, 1, line})
			begun = append(begun, kind)
		}
	}
	return begun
}

// pay notes that an announcement was made, and reports whether it was owed.
func (d *debts) pay(kind owedKind) bool {
	i := d.index(kind)
	if i < 0 {
		return false
	}
	if (*d)[i].count--; (*d)[i].count == 0 {
		*d = slices.Delete(*d, i, i+1)
	}
	return true
}

func (d *debts) index(kind owedKind) int {
	return slices.IndexFunc(*d, func(o debt) bool { return o.kind == kind })
}

// encode appends the debts to what is kept of a session.
func (d *debts) encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(*d)))
	for _, o := range *d {
		b = binary.AppendUvarint(b, uint64(o.kind))
		b = binary.AppendUvarint(b, uint64(o.count)) //nolint:gosec // a count is not negative
		b = binary.AppendUvarint(b, uint64(o.since)) //nolint:gosec // nor is a line
	}
	return b
}

var errDamaged = errors.New("trace: the temporary file is damaged")

// decodeDebts reads what encode wrote, and returns what follows.
func decodeDebts(b []byte) (debts, []byte, error) {
	damaged := false
	next := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			damaged = true
			return 0
		}
		b = b[size:]
		return n
	}
	var d debts
	for n := next(); n > 0 && !damaged; n-- {
		//nolint:gosec // these are the numbers that encode was given
		d = append(d, debt{owedKind(next()), int(next()), int(next())})
	}
	if damaged {
		return nil, nil, errDamaged
	}
	return d, b, nil
}
