package trace

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/session/sessiontest"
)

// A session that was spilled shows what it showed, and takes the same commands.
func TestPack(t *testing.T) {
	links := 0
	rapid.Check(t, func(t *rapid.T) {
		s := sessiontest.Sessions("s1").Draw(t, "session")
		want := debts{{kind: 9, count: 2, since: 1 << 33}}
		if linkable(s) {
			links++
		}
		b, err := pack(&live{Session: s, owed: want})
		require.NoError(t, err)
		got, owed, err := unpack(b)
		require.NoError(t, err)
		require.Equal(t, want, owed)

		wantText, err := json.Marshal(s)
		require.NoError(t, err)
		gotText, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, string(wantText), string(gotText))
		require.Equal(t, chains(s), chains(got))
		require.Equal(t, s.Blockers(), got.Blockers())

		c := sessiontest.Commands(s, s.UpdatedAt()).Draw(t, "command")
		_, wantChange, wantErr := session.Apply(s, c, s.UpdatedAt())
		_, gotChange, gotErr := session.Apply(got, c, s.UpdatedAt())
		require.Equal(t, wantErr, gotErr)
		require.Equal(t, wantChange.Outcome, gotChange.Outcome)
	})
	require.Positive(t, links)
}

func chains(s session.Session) []attempt.Chain {
	var list []attempt.Chain
	for g := range s.Groups() {
		for chain := range g.Actions() {
			list = append(list, chain)
		}
	}
	return list
}

// FuzzUnpack: what was damaged on the disk is an error, never a panic.
func FuzzUnpack(f *testing.F) {
	c := newChecker(Options{}.withDefaults(), func(Finding) error { return nil })
	for i, line := range scene() {
		var e entry
		new(decoder).decode([]byte(line), &e)
		require.NoError(f, c.apply(&e))
		b, err := pack(c.sessions.newest)
		require.NoError(f, err)
		f.Add(b)
		f.Add(b[:len(b)-i-1])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, _, err := unpack(b); err != nil {
			require.ErrorIs(t, err, errDamaged)
		} else {
			require.False(t, s.IsZero())
		}
	})
}
