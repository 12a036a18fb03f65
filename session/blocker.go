package session

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
)

// Blocker is an Action that keeps its group, and so the session, blocked
// (SES-9).
type Blocker struct {
	Group    group.Type      `json:"group"`
	Attempt  int             `json:"attempt"` // number of the newest attempt, from 1 on
	Resource action.Resource `json:"resource"`
	WaysOut  []WayOut        `json:"ways_out"` // every one that there is
}

// Way is a way out of a block (SES-9).
type Way uint8

// The ways out.
const (
	// WayRetry: link another attempt, made from changed inputs (ATT).
	WayRetry Way = iota + 1
	// WayResolve: vouch for a check done outside (RSL).
	WayResolve
	// WayDelete: delete the signature request, which unblocks by itself
	// (GRP-6), and link a new one (SES-5).
	WayDelete
	// WayReactivate: reactivate the signature request that expired (GRP-6).
	WayReactivate
)

// String returns the way in a word.
func (w Way) String() string {
	switch w {
	case WayRetry:
		return "retry"
	case WayResolve:
		return "resolve"
	case WayDelete:
		return "delete"
	case WayReactivate:
		return "reactivate"
	default:
		return fmt.Sprintf("Way(%d)", uint8(w))
	}
}

// MarshalText returns the text of String.
func (w Way) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// WayOut is one way out of a block and the command that takes it, so that a
// host can make it a button: WayOut has a JSON form in which the command is as
// [MarshalCommand] writes it, and [UnmarshalCommand] reads what comes back.
//
// Only a host that makes the changes itself applies the command of WayDelete or
// WayReactivate. One that observes a provider's webhooks asks the provider
// instead, and hears of it by an observation; if it did both, its own clock
// could make the next webhook stale.
type WayOut struct {
	Way Way
	// Command takes the way once what only the host knows is filled in: for a
	// retry the new resource, but for its type, and the digest of its inputs;
	// for a resolution the reason and who gives it; for the others the time.
	Command Command
	// AttemptsLeft is how many retries the Action has left, for WayRetry.
	AttemptsLeft int
}

// MarshalJSON writes the way, the command and, for a retry, the attempts left.
func (w WayOut) MarshalJSON() ([]byte, error) {
	command, err := MarshalCommand(w.Command)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Way          Way             `json:"way"`
		Command      json.RawMessage `json:"command"`
		AttemptsLeft int             `json:"attempts_left,omitempty"`
	}{w.Way, command, w.AttemptsLeft})
}

// String returns a sentence for people.
func (w WayOut) String() string {
	switch w.Way {
	case WayRetry:
		if w.AttemptsLeft == 1 {
			return "retry with changed inputs (1 attempt left)"
		}
		return fmt.Sprintf("retry with changed inputs (%d attempts left)", w.AttemptsLeft)
	case WayResolve:
		return "resolve by hand, if it was checked outside"
	case WayDelete:
		return "delete it and create another"
	case WayReactivate:
		return "reactivate it"
	default:
		return w.Way.String()
	}
}

// String returns a sentence for people.
func (b Blocker) String() string {
	ways := make([]string, len(b.WaysOut))
	for i, w := range b.WaysOut {
		ways[i] = w.String()
	}
	return fmt.Sprintf("%s %s is %s (attempt %d): %s",
		b.Resource.Type, b.Resource.ID, b.Resource.Status, b.Attempt, strings.Join(ways, "; or "))
}

// Blockers returns what keeps the session blocked, in template order, each with
// every way out (SES-9). There are none unless the session is blocked.
//
// Each way is one that Apply takes. A retry is therefore left out when the
// inputs of the attempt are not known, but for sessions that were read from the
// public API's JSON, which never tells them.
func (s Session) Blockers() []Blocker {
	n := 0
	for range s.blocking() {
		n++
	}
	blockers := slices.Grow([]Blocker(nil), n)
	for g, c := range s.blocking() {
		blockers = append(blockers, Blocker{
			Group: g, Attempt: c.Len(), Resource: c.Main().Resource, WaysOut: s.waysOut(c),
		})
	}
	return blockers
}

// blocking yields the Actions that block, which are not to be written to.
func (s Session) blocking() iter.Seq2[group.Type, *attempt.Chain] {
	return func(yield func(group.Type, *attempt.Chain) bool) {
		for _, g := range s.groups {
			if g.Status() != Blocked {
				continue
			}
			for i := range g.actions {
				if entry(&g.actions[i]).Says() == Blocked && !yield(g.typ, &g.actions[i]) {
					return
				}
			}
		}
	}
}

// waysOut lists what unblocks an Action, the way that the platform's guide
// recommends first. It asks the chain and the machine instead of knowing
// statuses, so that it cannot offer what they refuse.
func (s Session) waysOut(c *attempt.Chain) []WayOut {
	main := c.Main()
	id := main.Resource.ID
	ways := make([]WayOut, 0, 3) // no Action has more
	if c.Left() > 0 && (!main.Inputs.IsZero() || s.fromDocument) {
		ways = append(ways, WayOut{
			Way:          WayRetry,
			Command:      Link{Resource: action.Resource{Type: main.Resource.Type}, PreviousAttemptID: id},
			AttemptsLeft: c.Left(),
		})
	}
	if c.Resolvable() {
		ways = append(ways, WayOut{Way: WayResolve, Command: Resolve{ResourceID: id}})
	}
	m := main.Resource.Type.Machine()
	if m.Can(main.Resource.Status, action.EventDeleted) {
		ways = append(ways, WayOut{
			Way: WayDelete, Command: Transition{ResourceID: id, Event: action.EventDeleted},
		})
	}
	if m.Can(main.Resource.Status, action.EventReactivated) {
		ways = append(ways, WayOut{
			Way: WayReactivate, Command: Transition{ResourceID: id, Event: action.EventReactivated},
		})
	}
	return ways
}
