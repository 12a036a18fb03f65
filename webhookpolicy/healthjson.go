package webhookpolicy

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

type (
	// healthJSON leaves out what is zero: that is all of it for most endpoints.
	healthJSON struct {
		Condition   Condition   `json:"condition"`
		Probe       string      `json:"probe,omitempty"`
		SuspendedAt time.Time   `json:"suspended_at,omitzero"`
		Since       time.Time   `json:"since,omitzero"`
		Wait        span        `json:"wait,omitzero"`
		ReleasedAt  time.Time   `json:"released_at,omitzero"`
		Window      *windowJSON `json:"window,omitempty"`
	}
	// windowJSON tells its parts by number, see window.
	windowJSON struct {
		WidthMS int64 `json:"width_ms"`
		Newest  int64 `json:"newest"`
		// Parts that are not empty: age in parts, ended, failed; newest first.
		// An endpoint that is called seldom has few.
		Parts [][3]uint16 `json:"parts"`
	}
)

// MarshalJSON writes everything that is known of the endpoint, for a store to
// keep: the longer, the more parts of the window had calls.
//
//	{"condition": "suspended", "suspended_at": "2025-09-22T14:30:00Z", "since": "2025-09-22T14:30:00Z",
//	 "wait": "5m0s", "window": {"width_ms": 60000, "newest": 29309190, "parts": [[0, 20, 14]]}}
func (h Health) MarshalJSON() ([]byte, error) {
	w := healthJSON{
		Condition: h.condition, Probe: h.probe, SuspendedAt: h.began, Since: h.since,
		Wait: span(h.wait), ReleasedAt: h.released,
	}
	if h.window.width != 0 {
		w.Window = &windowJSON{WidthMS: h.window.width, Newest: h.window.newest, Parts: [][3]uint16{}}
		for age := range uint16(buckets) {
			if c := h.window.part(h.window.newest - int64(age)); c.ended > 0 {
				w.Window.Parts = append(w.Window.Parts, [3]uint16{age, c.ended, c.failed})
			}
		}
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON writes. A text that is damaged, or tells
// of what no endpoint can have been through, is refused with a [*DocumentError]
// and leaves h as it was.
func (h *Health) UnmarshalJSON(data []byte) error {
	var w healthJSON
	if err := strict("health", data, &w); err != nil {
		return err
	}
	read, err := w.health()
	if err != nil {
		return &DocumentError{Document: "health", Err: err}
	}
	*h = read
	return nil
}

// health returns what a document says. Only the times that a condition has may
// be there, so that equal healths are equal values.
func (w *healthJSON) health() (Health, error) {
	h := Health{condition: w.Condition, probe: w.Probe, wait: time.Duration(w.Wait)}
	for _, f := range []struct {
		name   string
		t      time.Time
		to     *time.Time
		wanted bool
	}{
		{"suspended_at", w.SuspendedAt, &h.began, h.condition != Open},
		{"since", w.Since, &h.since, h.condition != Open},
		{"released_at", w.ReleasedAt, &h.released, !w.ReleasedAt.IsZero()},
	} {
		if f.t.IsZero() && !f.wanted {
			continue
		}
		if reason := checkTime(f.t); reason != "" || !f.wanted {
			return h, fmt.Errorf("%s, while it is %s: %s", f.name, h.condition, reason)
		}
		*f.to = f.t.UTC()
	}
	switch {
	case h.condition != Probing && h.probe != "":
		return h, fmt.Errorf("it is %s, and there is a probe", h.condition)
	case h.condition == Open && h.wait != 0 || h.wait < 0:
		return h, fmt.Errorf("it is %s, and waits %s", h.condition, h.wait)
	}
	if w.Window == nil {
		return h, nil
	}
	return h, w.Window.read(&h.window)
}

// read fills a window. Parts stand once each and in their order, the form in
// which they are written.
func (w *windowJSON) read(into *window) error {
	const most = 1 << 53 // and then some: no date is so late
	if w.WidthMS < 1 || w.WidthMS > most || w.Newest < -most || w.Newest > most {
		return errors.New("window: width_ms or newest is out of range")
	}
	into.width, into.newest = w.WidthMS, w.Newest
	next := uint16(0)
	for i, p := range w.Parts {
		age, ended, failed := p[0], p[1], p[2]
		if age < next || age >= buckets || ended == 0 || failed > ended {
			return fmt.Errorf("window: parts[%d] is %d, which is none", i, p)
		}
		*into.part(into.newest - int64(age)) = part{ended, failed}
		next = age + 1
	}
	return nil
}
