package webhookpolicy

import (
	"cmp"
	"slices"
)

// Matcher finds the subscriptions that an event matches among many (SUB-2). The
// result is that of asking each; the cost follows how many match, not how many
// there are: an event is looked up in a list for each kind of subscriptions that
// there is, eight at most, and whoever stands in one of them matches. The kind is
// which of events, scopes and workspaces a subscription names and which the
// wildcard covers.
//
// For that a subscription stands in a list for each combination of one of its
// events, scopes and workspaces. Adding and removing one costs time for its own
// combinations alone. It takes about 110 bytes of memory beside itself, and for
// each combination 24, or up to 140 if no other shares that. Disabled ones take
// part in no match and stand in no list.
//
// The zero Matcher has no subscriptions and is ready for use. Any number of
// goroutines may match at once, but none while one adds or removes. A Matcher
// must not be copied.
type Matcher struct {
	byID  map[string]*entry
	lists map[combination][]posting // none of them is empty
	kinds [8]int                    // how many lists there are of each kind
}

// combination is what the subscriptions of one list have in common. An event
// has up to eight, one of each kind: with its own or the wildcard for each of
// the three.
type combination struct {
	name             EventName
	scope, workspace string
	sandbox          bool
}

// The bits of a kind say what of a combination is the wildcard. Subscriptions are
// of few kinds: mostly all name a workspace, or none does.
const (
	anyName = 1 << iota
	anyScope
	anyWorkspace
)

func (c *combination) kind() (kind int) {
	if c.name == Wildcard {
		kind |= anyName
	}
	if c.scope == Wildcard {
		kind |= anyScope
	}
	if c.workspace == Wildcard {
		kind |= anyWorkspace
	}
	return kind
}

// as returns the combination of a kind that covers c.
func (c combination) as(kind int) combination {
	if kind&anyName != 0 {
		c.name = Wildcard
	}
	if kind&anyScope != 0 {
		c.scope = Wildcard
	}
	if kind&anyWorkspace != 0 {
		c.workspace = Wildcard
	}
	return c
}

// entry is a subscription and where it stands: at[i] is the place within the
// list of its i-th combination. It makes removing as cheap as adding.
type entry struct {
	subscription Subscription
	at           []int
}

// posting says that an entry stands in a list, for its nth combination.
type posting struct {
	entry *entry
	nth   int
}

// NewMatcher returns a matcher of these subscriptions. Of several with one id
// the last one counts.
func NewMatcher(subscriptions ...Subscription) *Matcher {
	m := new(Matcher)
	for _, s := range subscriptions {
		m.Put(s)
	}
	return m
}

// Len returns how many subscriptions there are, disabled ones included.
func (m *Matcher) Len() int { return len(m.byID) }

// Get returns the subscription of an id, zero if there is none.
func (m *Matcher) Get(id string) Subscription {
	if e, ok := m.byID[id]; ok {
		return e.subscription
	}
	return Subscription{}
}

// Put adds a subscription, in the place of the one with its id if there is one.
// The zero Subscription is passed over.
func (m *Matcher) Put(s Subscription) {
	if s.IsZero() {
		return
	}
	// Also where both stand in the same lists: an entry never changes, so a
	// caller of Match who still reads one is not disturbed.
	m.Remove(s.record.id)
	if m.byID == nil {
		m.byID = map[string]*entry{}
		m.lists = map[combination][]posting{}
	}
	e := &entry{subscription: s}
	m.byID[s.record.id] = e
	settings := &s.record.settings
	if !settings.Enabled {
		return
	}
	// Grown at once to its size, which append would exceed.
	e.at = make([]int, 0, len(settings.Events)*len(settings.Scopes)*len(settings.Workspaces))
	settings.eachCombination(func(nth int, c combination) {
		list := m.lists[c]
		if len(list) == 0 {
			m.kinds[c.kind()]++
		}
		m.lists[c] = append(list, posting{e, nth})
		e.at = append(e.at, len(list))
	})
}

// Remove removes the subscription of an id and reports whether there was one.
func (m *Matcher) Remove(id string) bool {
	e, ok := m.byID[id]
	if !ok {
		return false
	}
	delete(m.byID, id)
	if len(e.at) == 0 { // it was disabled
		return true
	}
	e.subscription.record.settings.eachCombination(func(nth int, c combination) {
		list := m.lists[c]
		// The last one moves to the place that becomes free.
		at, last := e.at[nth], list[len(list)-1]
		list[at] = last
		last.entry.at[last.nth] = at
		list[len(list)-1] = posting{} // so that nothing keeps the entry in memory
		if list = list[:len(list)-1]; len(list) == 0 {
			delete(m.lists, c)
			m.kinds[c.kind()]--
		} else {
			m.lists[c] = list
		}
	})
	return true
}

// eachCombination calls do for the combinations that a subscription stands in,
// counted from 0 on, always in the same order.
func (s *Settings) eachCombination(do func(nth int, c combination)) {
	nth := 0
	for _, name := range s.Events {
		for _, scope := range s.Scopes {
			for _, workspace := range s.Workspaces {
				do(nth, combination{name, scope, workspace, s.Sandbox})
				nth++
			}
		}
	}
}

// Match returns the subscriptions that match an event, in the order of their
// ids; nil if none does.
func (m *Matcher) Match(e Event) []Subscription { return m.AppendMatches(nil, e) }

// AppendMatches appends what Match returns to a list, and returns that. With
// room in the list, and up to 32 matches, it allocates nothing.
func (m *Matcher) AppendMatches(list []Subscription, e Event) []Subscription {
	if e.isZero() {
		return list
	}
	var room [32]*entry // enough for most events without the heap
	found := room[:0]
	own := combination{e.Name, named(e.Scope), named(e.Workspace), e.Sandbox}
	for kind, lists := range m.kinds {
		if lists == 0 {
			continue
		}
		// A subscription stands in one of these lists at most, because the
		// wildcard is alone wherever it stands (SUB-3).
		for _, p := range m.lists[own.as(kind)] {
			found = append(found, p.entry)
		}
	}
	// The lists are in no order: that is what makes changing them cheap.
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.subscription.record.id, b.subscription.record.id) })
	list = slices.Grow(list, len(found))
	for _, e := range found {
		list = append(list, e.subscription)
	}
	return list
}

// named returns a scope or workspace as a subscription names it: "", which none
// does, for what the wildcard alone covers.
func named(v string) string {
	if v == Wildcard {
		return ""
	}
	return v
}
