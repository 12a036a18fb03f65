package trace

import (
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// lineKind says what a line is.
type lineKind uint8

const (
	lineBlank lineKind = iota
	lineUnreadable
	lineTemplate
	lineCommand
	lineWebhook
	lineSeen
	lineAnnounced
)

// entry is a line that was read. Its bytes belong to the batch of the line, and
// are good until that is used again.
type entry struct {
	kind    lineKind
	line    int
	at      time.Time
	session []byte

	problem string            // of an unreadable line
	command commandEntry      // of a command
	observe observeEntry      // of the command observe, and of a webhook
	seen    seenEntry         // of what was shown
	owed    owedKind          // of an announcement
	told    *session.Template // of a template; nil if it is none that rules allow
	fault   fault             // of a template or a document that the rules do not allow
}

// commandEntry is a command and what the system under test made of it.
type commandEntry struct {
	name string
	// value is nil for observe, whose parts stand in observeEntry, and for what
	// is refused whatever the state of the session (see entry.fault).
	value      session.Command
	templateID string // of a create that brings no template; "" otherwise
	unlisted   string // says which of its names are not listed; "" if all are
	refused    refused
}

// refused is what a line says of a command.
type refused struct {
	given, yes bool
	rule       string // "" if it was not told
}

// observeEntry is a report of a provider.
type observeEntry struct {
	event    []byte // of a webhook: its name
	moves    bool   // of a webhook: whether it is one that moves a resource
	resource []byte
	status   action.Status // zero for one that is not listed (RES-6)
	text     []byte        // of the status
	asOf     time.Time
}

// seenEntry is a session as it was shown: the short form, or a document.
type seenEntry struct {
	status            []byte // nil if it was not shown
	groups, resources []pair
	document          *document
}

// pair is a member of an object whose value is a text.
type pair struct{ name, value []byte }

// fault is a refusal that does not depend on the state of a session.
type fault struct{ rule, reason string }

// The names by which lines tell types, statuses and events. Unlike the parsers
// of package action, these maps are asked with bytes that no text is made of.
var (
	statuses    = byName(action.Statuses())
	types       = byName(action.Types())
	events      = byName(action.Events())
	groupTypes  = byName(group.Types())
	moving      = movingWebhooks()
	commandsOf  = map[string]string{"create": "create", "link": "link", "transition": "transition", "observe": "observe", "resolve": "resolve"}
	familyNames = [...]string{"signature_request", "verification", "document_analysis"}
)

func byName[T interface{ String() string }](values []T) map[string]T {
	m := make(map[string]T, len(values))
	for _, v := range values {
		m[v.String()] = v
	}
	return m
}

// movingWebhooks lists the webhooks that move a resource (ACT-1, ACT-2), each
// with the member of its data that may hold the resource.
func movingWebhooks() map[string]int {
	m := map[string]int{}
	for _, t := range action.Types() {
		for _, e := range action.Events() {
			if name := t.Webhook(e); name != "" {
				m[name] = int(t.Kind() - action.KindSignatureRequest)
			}
		}
	}
	return m
}
