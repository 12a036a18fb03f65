package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/internal/pgtest"
)

// What is compared is the same work: everybody leaves the same rows, and refuses
// what is late.
func TestSaves_SameRows(t *testing.T) {
	var p savesPlace
	defer func() { require.NoError(t, p.close()) }()
	require.NoError(t, openSQLiteSavers(t.Context(), &p))
	work, err := savedLives("t", 2, 1)
	require.NoError(t, err)
	for _, who := range p.savers {
		_, err := who.all(t.Context(), work)
		require.NoError(t, err)
		require.Error(t, who.save(t.Context(), work[0][1]), "%s saves what is late", who.name)
		for i, want := range []int{2, 20, 6, 20} {
			n, err := who.count(t.Context(), savesKinds[i])
			require.NoError(t, err)
			assert.Equal(t, want, n.rows, "%s: %s", who.name, savesKinds[i].table)
		}
	}
	require.NoError(t, p.sameRows(t.Context()))

	// Somebody who writes less is found out.
	more, err := savedLives("more", 1, 1)
	require.NoError(t, err)
	require.NoError(t, p.savers[0].save(t.Context(), more[0][0]))
	require.ErrorContains(t, p.sameRows(t.Context()), "SQLite, store/sqlite: sessions has 2 rows and ")
}

// A database that is missing is told of, and is no error.
func TestSaves_NotInstalled(t *testing.T) {
	s := settings{measure.Effort{Rounds: 1, Turn: 1}, true}
	section, err := savesSection(t.Context(), s, func(context.Context, *savesPlace) error {
		return fmt.Errorf("no server: %w", pgtest.ErrNotInstalled)
	})
	require.NoError(t, err)
	assert.Empty(t, section.Tables)
	assert.Contains(t, section.Notes[len(section.Notes)-1], "PostgreSQL was **not measured**: no server: ")
}
