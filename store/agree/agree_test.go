package agree_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever is done to them, all stores answer the same.
func TestAlike(t *testing.T) {
	t.Parallel()
	subjects := []*subject{reference(), inSQLite(t), inPostgres(t)}
	rapid.Check(t, func(t *rapid.T) { newCourse(t, subjects).run() })
}

// Errors are compared by all that they can unwrap to.
func TestSentinels(t *testing.T) {
	files, err := filepath.Glob("../../session/*.go")
	require.NoError(t, err)
	var declared []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		if file.Name.Name != "session" || strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.VAR {
				declared = append(declared, exportedErrors(d)...)
			}
		}
	}
	slices.Sort(declared)
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(sentinels)), func(name string) bool {
		return !strings.HasPrefix(name, "Err")
	})
	assert.Equal(t, declared, known)
}

// exportedErrors returns the names of the errors that are declared there.
func exportedErrors(d *ast.GenDecl) []string {
	var names []string
	for _, spec := range d.Specs {
		if spec, ok := spec.(*ast.ValueSpec); ok {
			for _, name := range spec.Names {
				if strings.HasPrefix(name.Name, "Err") {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}
