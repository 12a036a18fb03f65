package looplab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	loop "github.com/looplab/fsm"
)

// call is what Fire and the callbacks of one event know of each other.
type call struct {
	caller context.Context //nolint:containedctx // lives no longer than the call
	event  *loop.Event     // set by the first callback, then left alone
	done   bool            // set after the last callback: the event has happened
}

// callKey is where a context that looplab hands to callbacks has its call.
type callKey struct{}

// hook is a place that looplab calls a callback at. A target of "" is every
// event or every state. Two keys of one hook are the same to looplab.
type hook struct{ prefix, target string }

// cancels reports whether a callback can cancel the event here.
func (h hook) cancels() bool { return h.prefix == "before_" || h.prefix == "leave_" }

// CallbackKeyError says that looplab would never call a callback, or that it
// could not tell it from another:
//
//	looplab: order: callback "enter_piad" would never be called; did you mean enter_paid?
type CallbackKeyError struct {
	Machine string
	Key     string
	Reason  string // why, as what follows the key in a message
	// Right holds the keys that may have been meant, or else every key.
	Right []string
}

func (e *CallbackKeyError) Error() string {
	return fmt.Sprintf("looplab: %s: callback %q %s", e.Machine, e.Key, e.Reason)
}

// hang checks callbacks and makes each take part in the calls of its entity.
// The keys are gone through in order, so that the same callbacks are refused
// with the same words.
func hang(machine string, table loop.Events, callbacks loop.Callbacks) (loop.Callbacks, error) {
	v := vocabularyOf(table)
	hung := make(loop.Callbacks, len(callbacks)+1)
	taken := map[hook]string{}
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(callbacks)) {
		h, fault := v.check(key, callbacks[key], taken)
		if fault != nil {
			fault.Machine, fault.Key = machine, key
			faults = append(faults, fault)
			continue
		}
		taken[h] = key
		hung[key] = h.join(callbacks[key])
	}
	hung["after_event"] = last(hung["after_event"])
	return hung, errors.Join(faults...)
}

// check returns the hook of a callback, or what is wrong with it.
//
// A key that names a state and an event is refused though looplab would take
// it, for the state: in most tables both are called done or expired, and a host
// that means the event would be called for others as well.
func (v vocabulary) check(key string, callback loop.Callback, taken map[hook]string) (hook, *CallbackKeyError) {
	h, ok := v.parse(key)
	first, twice := taken[h]
	switch {
	case !ok && v.both(key):
		right := []string{"enter_" + key, "after_" + key}
		return h, &CallbackKeyError{
			Reason: fmt.Sprintf("names a state and an event; write %q or %q", right[0], right[1]), Right: right,
		}
	case !ok:
		advice, right := v.suggest(key)
		return h, &CallbackKeyError{Reason: "would never be called; " + advice, Right: right}
	case callback == nil:
		return h, &CallbackKeyError{Reason: "is nil", Right: []string{key}}
	case twice:
		// Looplab goes through the map, and the later one wins.
		return h, &CallbackKeyError{
			Reason: fmt.Sprintf("is the same as %q; give one of them", first), Right: []string{first},
		}
	default:
		return h, nil
	}
}

// last is the callback at after_event, behind that of the host if there is one.
// It is the last of all hooks, and the only one that is called for whatever
// happened: an event that gets there has moved the entity, and an error that it
// has now came from a callback.
func last(callback loop.Callback) loop.Callback {
	return hook{prefix: "after_"}.join(func(ctx context.Context, e *loop.Event) {
		if callback != nil {
			callback(ctx, e)
		}
		// An event that a callback fires past Fire has the call of the one under
		// way. That has happened too: before it has, callbacks cannot fire.
		if c, ok := ctx.Value(callKey{}).(*call); ok {
			c.done = true
		}
	})
}

// join makes a callback known to the call that it is part of. An event that was
// fired past Fire has none.
func (h hook) join(callback loop.Callback) loop.Callback {
	return func(ctx context.Context, e *loop.Event) {
		if c, ok := ctx.Value(callKey{}).(*call); ok {
			if c.event == nil {
				c.event = e
			}
			if h.cancels() {
				ctx = c.caller
			}
		}
		callback(ctx, e)
	}
}

// vocabulary holds the names that looplab reads in callback keys, in the order
// in which the table brings them up.
type vocabulary struct{ states, events []string }

func vocabularyOf(table loop.Events) vocabulary {
	var v vocabulary
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, d := range table {
		add(&v.events, d.Name)
		for _, src := range d.Src {
			add(&v.states, src)
		}
		add(&v.states, d.Dst)
	}
	return v
}

// both reports whether a key is the name of a state and that of an event.
// Looplab takes it for the state.
func (v vocabulary) both(key string) bool {
	return slices.Contains(v.states, key) && slices.Contains(v.events, key)
}

// parse reads a key as looplab does, but for a name that is a state's and an
// event's: which of them is meant nobody can tell.
func (v vocabulary) parse(key string) (hook, bool) {
	for _, form := range []struct {
		prefix, every string
		names         []string
	}{
		{"before_", "event", v.events},
		{"leave_", "state", v.states},
		{"enter_", "state", v.states},
		{"after_", "event", v.events},
	} {
		if target, ok := strings.CutPrefix(key, form.prefix); ok {
			if target == form.every {
				return hook{form.prefix, ""}, true
			}
			return hook{form.prefix, target}, slices.Contains(form.names, target)
		}
	}
	switch {
	case v.both(key):
		return hook{}, false
	case slices.Contains(v.states, key):
		return hook{"enter_", key}, true
	default:
		return hook{"after_", key}, slices.Contains(v.events, key)
	}
}

// keys returns every key that parse takes, each once.
func (v vocabulary) keys() []string {
	all := slices.Concat(v.states, v.events)
	for _, name := range slices.Concat([]string{"event"}, v.events) {
		all = append(all, "before_"+name, "after_"+name)
	}
	for _, name := range slices.Concat([]string{"state"}, v.states) {
		all = append(all, "leave_"+name, "enter_"+name)
	}
	return slices.DeleteFunc(all, func(key string) bool {
		_, ok := v.parse(key)
		return !ok
	})
}

// suggest returns what to write in place of a key, and the keys that it names.
//
// Those are the nearest, if at most every third character is wrong. A key that
// is near no other is no slip but a misunderstanding: it calls for an
// explanation of what a key is.
func (v vocabulary) suggest(key string) (advice string, right []string) {
	all := v.keys()
	least := len([]rune(key))/3 + 1
	for _, k := range all {
		switch d := distance(key, k); {
		case d < least:
			least, right = d, []string{k}
		case d == least && right != nil:
			right = append(right, k)
		}
	}
	if right == nil {
		return fmt.Sprintf("a key is before_ or after_ and an event (event for all, or %s), "+
			"leave_ or enter_ and a state (state for all, or %s), or the name of either alone",
			strings.Join(v.events, ", "), strings.Join(v.states, ", ")), all
	}
	return "did you mean " + strings.Join(right, " or ") + "?", right
}

// distance returns how many characters must be inserted, removed or replaced to
// make b of a (Levenshtein), one row of the table at a time.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1) // the distances from from[:i] to each to[:j]
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0] // the distance from from[:i] to to[:j]
		row[0] = i + 1
		for j, s := range to {
			replaced := diagonal
			if r != s {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(to)]
}
