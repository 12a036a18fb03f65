package main

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	loop "github.com/looplab/fsm"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
)

// A host that has read the documentation and writes what it needs itself:
// encoding/json, looplab/fsm for each resource, and loops over texts.
type (
	hostSession struct {
		status string
		groups []*hostGroup
	}
	hostGroup struct {
		status  string
		actions []*hostAction
	}
	hostAction struct {
		id       string
		machine  *loop.FSM
		asOf     int64
		resolved bool
	}
	// hostEntry is what a group's status depends on.
	hostEntry struct {
		status   string
		resolved bool
	}
)

// hostStatus is the loop over texts, as it is written first.
func hostStatus(entries []hostEntry) string {
	var blocked, complete, open bool
	for _, e := range entries {
		if e.status == "deleted" {
			continue
		}
		if e.resolved {
			complete = true
			continue
		}
		switch e.status {
		case "rejected", "declined", "canceled", "expired", "failed", "inconclusive":
			blocked = true
		case "done", "verified":
			complete = true
		case "draft":
		default:
			open = true
		}
	}
	switch {
	case blocked:
		return "blocked"
	case open:
		return "ongoing"
	case complete:
		return "done"
	default:
		return "awaiting"
	}
}

// hostNumber is an entry of a host that keeps statuses as small numbers.
type hostNumber struct {
	status   action.Status
	resolved bool
}

// hostNumbersStatus is the loop over them.
func hostNumbersStatus(entries []hostNumber) group.Status {
	var blocked, complete, open bool
	for _, e := range entries {
		switch {
		case e.status == action.Deleted:
		case e.resolved:
			complete = true
		default:
			switch e.status {
			case action.Rejected, action.Declined, action.Canceled, action.Expired, action.Failed, action.Inconclusive:
				blocked = true
			case action.Done, action.Verified:
				complete = true
			case action.Draft:
			default:
				open = true
			}
		}
	}
	switch {
	case blocked:
		return group.Blocked
	case open:
		return group.Ongoing
	case complete:
		return group.Done
	default:
		return group.Awaiting
	}
}

// hostSessionStatus is the same of the groups of a session.
func hostSessionStatus(groups []string) string {
	var blocked, complete, open bool
	for _, status := range groups {
		switch status {
		case "blocked":
			blocked = true
		case "done":
			complete = true
		case "ongoing":
			open = true
		default:
		}
	}
	switch {
	case blocked:
		return "blocked"
	case open:
		return "ongoing"
	case complete:
		for _, status := range groups {
			if status != "done" {
				return "ongoing"
			}
		}
		return "done"
	default:
		return "awaiting"
	}
}

// hostReceiver takes webhooks.
type hostReceiver struct {
	mac     hash.Hash // of the key; it is reset, which is faster than to make one anew
	seen    map[string]bool
	session *hostSession
}

// The two documents of a webhook: the envelope, and then what its name says.
type (
	hostEnvelope struct {
		EventID   string          `json:"event_id"`
		EventName string          `json:"event_name"`
		EventTime string          `json:"event_time"`
		Sandbox   bool            `json:"sandbox"`
		Data      json.RawMessage `json:"data"`
	}
	hostData struct {
		SignatureRequest struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		} `json:"signature_request"`
	}
)

var (
	errSignature = errors.New("wrong signature")
	errNoSuch    = errors.New("no such resource")
)

// receive takes one call and returns the names of the events that follow from it.
func (h *hostReceiver) receive(body []byte, signature string) ([]string, error) {
	if !h.verified(body, signature) {
		return nil, errSignature
	}
	e, err := h.read(body)
	if err != nil || e.verb == "" {
		return nil, err
	}
	return h.session.move(e.resource, e.verb, e.at)
}

// hostEvent is what a body says that is not there yet, zero of others.
type hostEvent struct {
	resource, verb string
	at             int64
}

// read reads a body, and notes that it was there.
func (h *hostReceiver) read(body []byte) (hostEvent, error) {
	e, at, err := hostParse(body)
	if err != nil || h.seen[e.EventID] {
		return hostEvent{}, err
	}
	family, verb, _ := strings.Cut(e.EventName, ".")
	if family != "signature_request" {
		return hostEvent{}, nil // verifications are read elsewhere
	}
	var data hostData
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return hostEvent{}, fmt.Errorf("data: %w", err)
	}
	h.seen[e.EventID] = true
	return hostEvent{data.SignatureRequest.ID, verb, at}, nil
}

// hostParse reads the envelope, and its time.
func hostParse(body []byte) (e hostEnvelope, at int64, err error) {
	if err := json.Unmarshal(body, &e); err != nil {
		return e, 0, fmt.Errorf("envelope: %w", err)
	}
	if at, err = strconv.ParseInt(e.EventTime, 10, 64); err != nil {
		return e, 0, fmt.Errorf("event_time: %w", err)
	}
	return e, at, nil
}

func (h *hostReceiver) verified(body []byte, signature string) bool {
	digits, ok := strings.CutPrefix(signature, "sha256=")
	if !ok {
		return false
	}
	given, err := hex.DecodeString(digits)
	if err != nil {
		return false
	}
	h.mac.Reset()
	h.mac.Write(body)
	return hmac.Equal(given, h.mac.Sum(nil))
}

// move fires an event of a resource, and computes what follows.
func (s *hostSession) move(resource, verb string, at int64) ([]string, error) {
	for _, g := range s.groups {
		for _, a := range g.actions {
			if a.id != resource {
				continue
			}
			if at < a.asOf {
				return nil, nil // late
			}
			if err := a.machine.Event(context.Background(), verb); err != nil {
				return nil, err
			}
			a.asOf = at
			return s.aggregate(g), nil
		}
	}
	return nil, errNoSuch
}

// aggregate computes the status of a group and of the session anew, and returns
// the names of the events that tell of what changed.
func (s *hostSession) aggregate(g *hostGroup) []string {
	var events []string
	entries := make([]hostEntry, len(g.actions))
	for i, a := range g.actions {
		entries[i] = hostEntry{a.machine.Current(), a.resolved}
	}
	if now := hostStatus(entries); now != g.status {
		events = append(events, "workflow_action_group."+hostVerb(now))
		g.status = now
	}
	groups := make([]string, len(s.groups))
	for i, g := range s.groups {
		groups[i] = g.status
	}
	if now := hostSessionStatus(groups); now != s.status {
		events = append(events, "workflow_session."+hostVerb(now))
		s.status = now
	}
	return events
}

// hostVerb is what a webhook calls a status that was reached.
func hostVerb(status string) string {
	if status == "ongoing" {
		return "started"
	}
	return status
}
