package session_test

import (
	"encoding/json"
	"slices"

	"github.com/stretchr/testify/require"
)

// This file is GRP and SES-2 once more, written down from the spec in texts. It
// reads the public API's JSON, as a stranger would, and shares nothing with
// this module but the names.

// plainDocument is the public API's JSON of a session.
type plainDocument struct {
	Status       string       `json:"status"`
	UpdatedAt    string       `json:"updated_at"`
	ActionGroups []plainGroup `json:"action_groups"`
}

type plainGroup struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Actions []struct {
		Resource struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		} `json:"resource"`
		Resolution *struct{} `json:"resolution"`
	} `json:"actions"`
}

func plain(t require.TestingT, document string) plainDocument {
	var doc plainDocument
	require.NoError(t, json.Unmarshal([]byte(document), &doc))
	return doc
}

// status is GRP-1 to GRP-4 in their words.
func (g plainGroup) status() string {
	counting, drafts, blocked, settled := 0, 0, 0, 0
	for _, a := range g.Actions {
		status, resolved := a.Resource.Status, a.Resolution != nil
		if status == "deleted" {
			continue // it stays visible and never counts
		}
		counting++
		switch {
		case resolved, status == "done", status == "verified":
			settled++
		case status == "draft":
			drafts++
		case slices.Contains([]string{"rejected", "declined", "canceled", "expired", "failed", "inconclusive"}, status):
			blocked++
		}
	}
	switch {
	case counting == 0, counting == drafts:
		return "awaiting" // GRP-1
	case blocked > 0:
		return "blocked" // GRP-2
	case settled > 0 && settled+drafts == counting:
		return "done" // GRP-3
	default:
		return "ongoing" // GRP-4
	}
}

// plainStatus is SES-2 in its words.
func plainStatus(groups []string) string {
	all := func(status string) bool {
		return !slices.ContainsFunc(groups, func(s string) bool { return s != status })
	}
	switch {
	case all("awaiting"):
		return "awaiting"
	case slices.Contains(groups, "blocked"):
		return "blocked"
	case all("done"):
		return "done"
	default:
		return "ongoing"
	}
}

// announced is SES-7 in its words: what a command announces that leads from
// one document to another.
func announced(before, after plainDocument) []string {
	word := map[string]string{"ongoing": "started", "blocked": "blocked", "done": "done"}
	var list []string
	for i, g := range after.ActionGroups {
		if status := g.Status; status != before.ActionGroups[i].Status && status != "awaiting" {
			list = append(list, "workflow_action_group."+word[status]+" of "+g.Type)
		}
	}
	if status := after.Status; status != before.Status && status != "awaiting" {
		list = append(list, "workflow_session."+word[status])
	}
	return list
}
