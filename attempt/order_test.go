package attempt_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/attempt"
)

// choice is one possibility for a part of a retry, and the rule that it breaks,
// "" for none.
type choice struct{ name, breaks string }

// The parts of a retry. In each, the first choice is the allowed one.
var (
	resolutions = []choice{{"unresolved", ""}, {"resolved", "ATT-3"}}
	mains       = []choice{{"failed", ""}, {"pending", "ATT-1"}, {"verified", "ATT-2"}}
	replaced    = []choice{{"main", ""}, {"previous", "ATT-8"}, {"unknown", "ATT-8"}}
	lengths     = []choice{{"two attempts", ""}, {"ten attempts", "ATT-5"}}
	types       = []choice{{company, ""}, {"bank_account_verification", "ATT-4"}, {signature, "ATT-4"}}
	newInputs   = []choice{{"other", ""}, {"same", "ATT-6"}, {"missing", "ATT-6"}}
	places      = []choice{{"nowhere", ""}, {"here", "ATT-12"}, {"elsewhere", "ATT-12"}}
)

// each calls f with every combination of choices.
func each(parts [][]choice, f func(chosen []choice), chosen ...choice) {
	if len(parts) == 0 {
		f(chosen)
		return
	}
	for _, c := range parts[0] {
		each(parts[1:], f, append(chosen[:len(chosen):len(chosen)], c)...)
	}
}

// ATT-13: for every combination of broken rules, the whole list in its order;
// Retry reports the first. The parts stand in the order of ATT-13, so the list
// is what the choices break, read from left to right.
//
// A verification cannot be deleted, so the new resource is that only where it
// is a signature request; ATT-13 does not rank SES-4, which comes last.
func TestRefusalsOfEveryCombination(t *testing.T) {
	parts := [][]choice{resolutions, mains, replaced, lengths, types, newInputs, places}
	count := 0
	each(parts, func(chosen []choice) {
		count++
		var want []string
		for _, c := range chosen {
			if c.breaks != "" {
				want = append(want, c.breaks)
			}
		}
		if chosen[4].name == signature {
			want = append(want, "SES-4")
		}
		chain, retry := combined(t, chosen)
		require.Equal(t, want, rules(chain.Refusals(retry)), "%v", chosen)

		got, err := chain.Retry(retry)
		if len(want) == 0 {
			require.NoError(t, err)
			require.Equal(t, chain.Len()+1, got.Len())
			return
		}
		require.Equal(t, chain.Refusals(retry)[0], err, "%v", chosen)
		require.True(t, chain.Equal(got), "%v", chosen)
	})
	require.Equal(t, 2*3*3*2*3*3*3, count)
}

// combined is the chain and the retry that the choices describe. The choices
// are in the order of the test above.
func combined(t require.TestingT, chosen []choice) (attempt.Chain, attempt.Retry) {
	length := 2
	if chosen[3].name == "ten attempts" {
		length = 10
	}
	chain := failures(t, length-1)
	main := fmt.Sprint(length)
	start := "pending" // to be resolved first, and then to become what was chosen
	if chosen[1].name == "failed" {
		start = "failed"
	}
	chain, err := chain.Retry(attempt.Retry{
		Replaces: chain.Main().Resource.ID, Next: try(main, company, start, "main"),
	})
	require.NoError(t, err)
	if chosen[0].name == "resolved" {
		chain = resolved(t, chain)
	}
	if start != chosen[1].name {
		chain = observed(t, chain, chosen[1].name)
	}

	status := "pending"
	if chosen[4].name == signature {
		status = "deleted"
	}
	id := map[string]string{"nowhere": "new", "here": "1", "elsewhere": "new"}[chosen[6].name]
	digest := map[string]string{"other": "new", "same": "main", "missing": ""}[chosen[5].name]
	retry := attempt.Retry{
		Replaces: map[string]string{"main": main, "previous": "1", "unknown": "never linked"}[chosen[2].name],
		Next:     try(id, chosen[4].name, status, digest),
	}
	if chosen[6].name == "elsewhere" {
		retry.Elsewhere = "another session"
	}
	return chain, retry
}
