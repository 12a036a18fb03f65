package sluice_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	ruleDefinition = regexp.MustCompile(`(?m)^- \*\*([A-Z]{3}-\d+)\*\* `)
	ruleMention    = regexp.MustCompile(`\b(?:RES|ACT|ATT|RSL|GRP|SES|SUB|WHK)-\d+\b`)
	ruleSubtest    = regexp.MustCompile(`^(?:(?:RES|ACT|ATT|RSL|GRP|SES|SUB|WHK)-\d+(?:, | and )?)+`)
)

// rules returns the ids that the spec defines.
func rules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("conformance", "SPEC.md"))
	require.NoError(t, err)
	var ids []string
	for _, m := range ruleDefinition.FindAllStringSubmatch(string(text), -1) {
		assert.NotContains(t, ids, m[1], "a rule is defined twice")
		ids = append(ids, m[1])
	}
	return ids
}

// tested returns the ids that the tests of a file name: in the doc comment of a
// test, example or fuzz target, or at the beginning of a text within one, which
// is the name of a subtest or of a case.
func tested(file *ast.File) []string {
	var ids []string
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if regexp.MustCompile(`^(Test|Example|Fuzz)`).MatchString(f.Name.Name) {
			ids = append(ids, ruleMention.FindAllString(f.Doc.Text(), -1)...)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				ids = append(ids, ruleMention.FindAllString(ruleSubtest.FindString(text), -1)...)
			}
		}
		return true
	})
	return ids
}

// goFiles parses every Go file of the repository whose name ends so.
func goFiles(t *testing.T, suffix string) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, suffix) {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		files[path] = file
		return err
	})
	require.NoError(t, err)
	return files
}

// untested returns the rules that no file names in a test.
func untested(rules []string, files map[string]*ast.File) []string {
	var named []string
	for _, file := range files {
		named = append(named, tested(file)...)
	}
	return slices.DeleteFunc(slices.Clone(rules), func(id string) bool { return slices.Contains(named, id) })
}

// Every rule of the spec is named by a test that shows it.
func TestEveryRuleIsTested(t *testing.T) {
	ids := rules(t)
	require.Len(t, ids, 66, "RES 6, ACT 5, ATT 13, RSL 5, GRP 6, SES 12, SUB 5, WHK 14")
	files := goFiles(t, "_test.go")
	delete(files, "rules_test.go")
	assert.Empty(t, untested(ids, files), "no test names these rules")
}

// A rule without a test is found out, and a mention in passing is no test.
func TestEveryRuleIsTested_Twin(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", `package x
		// The law of ATT-1.
		func TestLaw(t *testing.T) { t.Run("ATT-2 and ATT-3: refused", nil); require.EqualError(t, err, "no (ATT-4)") }
		// Helps with ATT-5.
		func helper() {}`, parser.ParseComments)
	require.NoError(t, err)
	got := untested([]string{"ATT-1", "ATT-2", "ATT-3", "ATT-4", "ATT-5"}, map[string]*ast.File{"x_test.go": file})
	assert.Equal(t, []string{"ATT-4", "ATT-5"}, got)
}

// Whatever id the code names, the spec defines.
func TestEveryRuleNamedIsDefined(t *testing.T) {
	ids := rules(t)
	for path, file := range goFiles(t, ".go") {
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				for _, id := range ruleMention.FindAllString(lit.Value, -1) {
					assert.Contains(t, ids, id, path)
				}
			}
			return true
		})
		for _, group := range file.Comments {
			for _, id := range ruleMention.FindAllString(group.Text(), -1) {
				assert.Contains(t, ids, id, path)
			}
		}
	}
}
