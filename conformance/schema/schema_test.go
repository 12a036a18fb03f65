package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const schemaFile = "../vectors/schema.json"

// The schema is itself one of the draft that it names.
func TestSchema(t *testing.T) {
	var named struct {
		Schema string `json:"$schema"`
	}
	text, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &named))
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", named.Schema)

	meta, err := jsonschema.NewCompiler().Compile(named.Schema)
	require.NoError(t, err)
	require.NoError(t, meta.Validate(read(t, schemaFile)))
}

// Every vector file is as the schema wants it, and what comes of each step is
// what that step gives.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("../vectors/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	c := newChecker(t)
	for _, name := range files {
		t.Run(strings.TrimPrefix(filepath.ToSlash(name), "../vectors/"), func(t *testing.T) {
			document := read(t, name)
			if assert.NoError(t, c.file(document)) {
				c.results(t, document)
			}
		})
	}
}

// checker compiles each schema once.
type checker struct {
	compiler *jsonschema.Compiler
	whole    *jsonschema.Schema
}

func newChecker(t *testing.T) checker {
	t.Helper()
	c := jsonschema.NewCompiler()
	whole, err := c.Compile(schemaFile)
	require.NoError(t, err)
	return checker{c, whole}
}

// file checks a whole vector file.
func (c checker) file(document any) error { return c.whole.Validate(document) }

// results checks each result against the schema of the step in the same place,
// and that there are as many results as steps. A JSON Schema knows no "in the
// same place": the schema of the file only wants that some step can give it.
func (c checker) results(t *testing.T, document any) {
	t.Helper()
	for _, v := range child(document, "vectors").([]any) {
		id := child(v, "id").(string)
		then := child(v, "then").(map[string]any)
		results, there := then["steps"].([]any)
		if !there {
			continue
		}
		area, _, _ := strings.Cut(id, "/")
		steps := child(v, "when").([]any)
		require.Len(t, results, len(steps), "%s: the results", id)
		for i, step := range steps {
			do := child(step, "do").(string)
			assert.NoError(t, c.result(t, area, do).Validate(results[i]), "%s: steps[%d], of %s", id, i, do)
		}
	}
}

// result returns the schema of what comes of a step in an area, which may have
// its steps from another area.
func (c checker) result(t *testing.T, area, do string) *jsonschema.Schema {
	t.Helper()
	areas := []string{area}
	switch area {
	case "resolve":
		areas = []string{"attempt"}
	case "json":
		areas = []string{"json", "session"}
	}
	for _, area := range areas {
		s, err := c.compiler.Compile(schemaFile + "#/$defs/" + area + "/$defs/" + do + "_result")
		if err == nil {
			return s
		}
	}
	require.FailNow(t, "no schema of a result", "area %s, step %s", area, do)
	return nil
}

// read reads a JSON file, with numbers as they are written.
func read(t *testing.T, name string) any {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer func() { assert.NoError(t, f.Close()) }()
	document, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	return document
}

// child returns a member of an object.
func child(object any, member string) any { return object.(map[string]any)[member] }
