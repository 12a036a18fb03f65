package group_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/group"
)

// longFault searches the lists of up to a hundred entries for one whose status
// is wrong: all of it says awaiting but for one entry, in each place, while what
// stands behind the list says blocked.
func longFault(f func([]group.Entry) group.Status) string {
	const most = 100
	backing := make([]group.Entry, 2*most)
	for n := range most + 1 {
		list := backing[:n]
		clear(list)
		for i := range backing[n:] {
			backing[n:][i] = entry("failed")
		}
		if got := f(list); got != group.Awaiting {
			return fmt.Sprintf("%v of %d that say awaiting", got, n)
		}
		for i := range list {
			for _, e := range entries("done", "pending", "failed") {
				list[i] = e
				if got := f(list); got != e.Says() {
					return fmt.Sprintf("%v where the one of %d at %d says %v", got, n, i, e.Says())
				}
			}
			list[i] = group.Entry{}
		}
	}
	return ""
}

// GRP-5: each entry counts, wherever it stands, and nothing else does.
func TestStatusOfEveryPlace(t *testing.T) {
	require.Empty(t, longFault(group.StatusOf))
}

func TestBrokenTwinsOfLongLists(t *testing.T) {
	tests := []struct {
		name  string
		twin  func(entries []group.Entry) group.Status
		fault string
	}{
		{"whole eights alone", func(entries []group.Entry) group.Status {
			return group.StatusOf(entries[:len(entries)/8*8])
		}, "awaiting where the one of 1 at 0 says done"},
		{"eights, and one less of the rest", func(entries []group.Entry) group.Status {
			rest := entries[len(entries)/8*8:]
			return group.StatusOf(slices.Concat(entries[:len(entries)/8*8], rest[:min(len(rest), 6)]))
		}, "awaiting where the one of 7 at 6 says done"},
		{"the last of more than 64 left out", func(entries []group.Entry) group.Status {
			if len(entries) > 64 {
				entries = entries[:len(entries)-1]
			}
			return group.StatusOf(entries)
		}, "awaiting where the one of 65 at 64 says done"},
		{"what is behind the list counts", func(entries []group.Entry) group.Status {
			return group.StatusOf(entries[:min((len(entries)+7)/8*8, cap(entries))])
		}, "blocked of 1 that say awaiting"},
		{"the fold ends too early", func(entries []group.Entry) group.Status {
			status := group.Awaiting
			for i, e := range entries {
				if len(entries) < 8 || i%8 < 4 {
					status = status.Join(e.Says())
				}
			}
			return status
		}, "awaiting where the one of 8 at 4 says done"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.fault, longFault(test.twin))
		})
	}
}
