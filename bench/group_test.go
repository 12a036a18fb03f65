package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// The loops over texts compute what sluice does, also where something blocks.
func TestHostStatus_Agrees(t *testing.T) {
	type kind struct {
		status   action.Status
		resolved bool
	}
	var kinds []kind
	for _, s := range action.Statuses() {
		kinds = append(kinds, kind{s, false}, kind{s, true})
	}
	for _, a := range kinds {
		for _, b := range kinds {
			ours := group.StatusOf([]group.Entry{group.EntryOf(a.status, a.resolved), group.EntryOf(b.status, b.resolved)})
			theirs := hostStatus([]hostEntry{{a.status.String(), a.resolved}, {b.status.String(), b.resolved}})
			require.Equal(t, ours.String(), theirs, "%v %v", a, b)
			numbers := hostNumbersStatus([]hostNumber{{a.status, a.resolved}, {b.status, b.resolved}})
			require.Equal(t, ours, numbers, "%v %v", a, b)
		}
	}
	require.Equal(t, group.Awaiting.String(), hostStatus(nil))
	for _, a := range group.Statuses() {
		for _, b := range group.Statuses() {
			require.Equal(t, session.StatusOf(a, b).String(), hostSessionStatus([]string{a.String(), b.String()}), "%v %v", a, b)
		}
	}
}

// What is read is in both forms the same.
func TestEntries(t *testing.T) {
	for _, n := range []int{0, 1, 10, 1000} {
		ours, theirs, numbers := entries(n)
		require.Equal(t, group.StatusOf(ours).String(), hostStatus(theirs))
		require.Equal(t, group.StatusOf(ours), hostNumbersStatus(numbers))
	}
}
