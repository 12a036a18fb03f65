package webhookpolicy

import "slices"

// Event is something that happened, as far as subscriptions look at it (SUB-2).
// Zero is none.
type Event struct {
	Name EventName `json:"name"`
	// Scope is where the resource came from: [ScopeApp], [ScopePublicAPI] or
	// another; "" for none.
	Scope string `json:"scope,omitempty"`
	// Workspace is the id of the workspace that the resource belongs to; "" for
	// none.
	Workspace string `json:"workspace,omitempty"`
	// Sandbox says whether it happened in the sandbox.
	Sandbox bool `json:"sandbox"`
}

// isZero reports whether nothing happened: an event has a name, and no event is
// called [Wildcard].
func (e *Event) isZero() bool { return e.Name == "" || e.Name == Wildcard }

// Matches reports whether an event is to be sent to the subscription (SUB-2):
// it is enabled, it is for the sandbox if the event is of the sandbox and for
// production if not, and the event's name, scope and workspace are each listed
// or covered by the [Wildcard]. An event without a scope or workspace matches
// the wildcard alone; one without a name matches nothing, and neither does the
// zero Subscription match anything.
func (s Subscription) Matches(e Event) bool {
	settings := &s.get().settings
	return settings.Enabled && settings.Sandbox == e.Sandbox && !e.isZero() &&
		covers(settings.Events, e.Name) &&
		covers(settings.Scopes, e.Scope) &&
		covers(settings.Workspaces, e.Workspace)
}

// covers reports whether a list has v or is the wildcard. No list has "", so
// that what is missing is covered by the wildcard alone.
func covers[T ~string](list []T, v T) bool {
	return len(list) == 1 && list[0] == Wildcard || slices.Contains(list, v)
}
