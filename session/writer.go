package session

import (
	"encoding/json"
	"time"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
)

// documentWriter writes the public API's document of a session piece by piece,
// as encoding/json would write it.
type documentWriter []byte

// raw writes what is JSON already.
func (w *documentWriter) raw(text string) { *w = append(*w, text...) }

// text writes a text; before goes what leads up to it.
func (w *documentWriter) text(before, value string) {
	w.raw(before)
	if !isPlain(value) {
		// No text is refused: what is no UTF-8 is replaced.
		quoted, _ := json.Marshal(value)
		*w = append(*w, quoted...)
		return
	}
	*w = append(*w, '"')
	*w = append(*w, value...)
	*w = append(*w, '"')
}

// optional writes a text, or null for "".
func (w *documentWriter) optional(before, value string) {
	if value == "" {
		w.raw(before)
		w.raw("null")
		return
	}
	w.text(before, value)
}

// time writes a time, or null for none.
func (w *documentWriter) time(before string, t time.Time) {
	w.raw(before)
	if t.IsZero() {
		w.raw("null")
		return
	}
	*w = append(*w, '"')
	*w = appendTime(*w, t)
	*w = append(*w, '"')
}

// group writes a group.
func (w *documentWriter) group(g Group) {
	w.text(`{"type":`, g.typ.String())
	w.text(`,"status":`, g.Status().String())
	w.raw(`,"actions":[`)
	for i, c := range g.actions {
		if i > 0 {
			w.raw(",")
		}
		w.action(c)
	}
	w.raw("]}")
}

// action writes an Action with all members that the public API has. Each attempt
// names the one that it replaced.
func (w *documentWriter) action(c attempt.Chain) {
	all := make([]action.Resource, 1, 4) // the first replaced none
	for _, at := range c.Attempts() {
		all = append(all, at.Resource)
	}
	newest := c.Len()
	w.resource(all[newest], all[newest-1].ID)
	if r, ok := c.Resolution(); ok {
		w.optional(`,"resolution":{"reason":`, r.Reason)
		w.time(`,"resolved_at":`, r.At)
		w.raw("}")
	} else {
		w.raw(`,"resolution":null`)
	}
	w.raw(`,"previous_attempts":[`)
	for i := 1; i < newest; i++ {
		if i > 1 {
			w.raw(",")
		}
		w.resource(all[i], all[i-1].ID)
		w.raw("}")
	}
	w.raw("]}")
}

// resource begins an object with the member resource.
func (w *documentWriter) resource(r action.Resource, replaced string) {
	w.text(`{"resource":{"id":`, r.ID)
	w.time(`,"created_at":`, r.CreatedAt)
	w.text(`,"type":`, r.Type.String())
	w.text(`,"status":`, r.Status.String())
	w.optional(`,"previous_attempt_id":`, replaced)
	w.raw("}")
}

// isPlain reports whether a text stands in JSON as it is: encoding/json escapes
// quotes, what controls something, and what means something to HTML.
func isPlain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; c {
		case '"', '\\', '<', '>', '&':
			return false
		default:
			if c < ' ' || c > '~' {
				return false
			}
		}
	}
	return true
}
