package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
)

// The rivals have the same table, so that the same work is compared.
func TestRivals_Agree(t *testing.T) {
	hand, maps := newByHand(), newNested()
	for _, s := range machine.States() {
		for _, e := range action.Events() {
			want, refused := machine.Next(s, e)
			for name, next := range map[string]func(action.Status, action.Event) (action.Status, error){
				nameHand: hand.next, nameNested: maps.next, nameSwitch: bySwitch,
			} {
				got, err := next(s, e)
				require.Equal(t, want, got, "%s: %s %s", name, s, e)
				require.Equal(t, refused != nil, err != nil, "%s: %s %s", name, s, e)
			}
			require.Equal(t, refused == nil, hand.can(s, e))
			require.Equal(t, refused == nil, newLoop(s.String()).Can(e.String()))
			m := newStateless(s, itself[action.Status], itself[action.Event])
			can, err := m.CanFire(e)
			require.NoError(t, err)
			require.Equal(t, refused == nil, can)
		}
	}
}

// Entities of the rivals end where sluice does.
func TestRivals_Walk(t *testing.T) {
	f := newLoop("ongoing")
	m := newStateless(action.Ongoing, itself[action.Status], itself[action.Event])
	s := action.Ongoing
	for i, e := range walked {
		require.Equal(t, walkedTexts[i], e.String())
		next, err := machine.Next(s, e)
		require.NoError(t, err)
		require.NoError(t, f.Event(context.Background(), e.String()))
		require.NoError(t, m.Fire(e))
		require.Equal(t, next.String(), f.Current())
		require.Equal(t, next, m.MustState())
		s = next
	}
	require.Equal(t, action.Ongoing, s)
}
