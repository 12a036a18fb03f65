package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/conformance/answer"
)

// mistakes are what the implementation that is wrong does: they are far between,
// and one of them is made in the last order of a vector only.
var mistakes = sync.OnceValue(func() map[string]func(conformance.Question) (conformance.Then, error) {
	list := conformance.Vectors()
	orders := list[slices.IndexFunc(list, func(v conformance.Vector) bool { return v.Orders == "all" && len(v.When) > 1 })]
	last := slices.Collect(orders.Questions())
	return map[string]func(conformance.Question) (conformance.Then, error){
		list[1].ID: func(conformance.Question) (conformance.Then, error) {
			return conformance.Then{}, errors.New("no idea")
		},
		list[len(list)-1].ID: func(conformance.Question) (conformance.Then, error) {
			return conformance.Then{Steps: []json.RawMessage{[]byte(`{}`)}, End: []byte(`[]`)}, nil
		},
		last[len(last)-1].ID: func(conformance.Question) (conformance.Then, error) {
			return conformance.Then{End: []byte(`{"mistaken": true}`)}, nil
		},
	}
})

// implementations are what Run is shown.
var implementations = map[string]conformance.Answer{
	"right": answer.Answer,
	"wrong": func(q conformance.Question) (conformance.Then, error) {
		if mistake, made := mistakes()[q.ID]; made {
			return mistake(q)
		}
		return answer.Answer(q)
	},
	"partial": func(q conformance.Question) (conformance.Then, error) {
		if q.Area == "resource" {
			return conformance.Then{}, fmt.Errorf("%w: %s", conformance.ErrUnknownArea, q.Area)
		}
		return answer.Answer(q)
	},
	"ignorant": func(conformance.Question) (conformance.Then, error) {
		return conformance.Then{}, conformance.ErrUnknownArea
	},
}

// beTest runs a test that calls Run, as go test would, and does not return.
func beTest(implementation string) {
	os.Args = append([]string{os.Args[0], "-test.v"}, os.Args[3:]...)
	test := func(t *testing.T) { conformance.Run(t, implementations[implementation]) }
	testing.Main(regexp.MatchString, []testing.InternalTest{{Name: "TestConformance", F: test}}, nil, nil)
}

// tested is what came of a test that calls Run, in a process of its own: a test
// that fails, or skips, is no part of this one.
type tested struct {
	output string
	passed bool
	named  map[string][]string // PASS, FAIL or SKIP: the vectors
}

func run(t *testing.T, implementation string, flags ...string) tested {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), os.Args[0], append([]string{"run", implementation}, flags...)...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	r := tested{string(output), err == nil, map[string][]string{}}
	for _, m := range regexp.MustCompile(`(?m)^ +--- ([A-Z]+): TestConformance/(\S+)`).FindAllStringSubmatch(r.output, -1) {
		r.named[m[1]] = append(r.named[m[1]], m[2])
	}
	return r
}

func TestRun_right(t *testing.T) {
	r := run(t, "right")
	assert.True(t, r.passed, r.output)
	var ids []string
	for _, v := range conformance.Vectors() {
		ids = append(ids, v.ID)
	}
	assert.Equal(t, ids, r.named["PASS"], "a subtest for each vector")
	assert.Len(t, r.named, 1)
}

// An implementation fails the vectors that it gets wrong, and no others.
func TestRun_wrong(t *testing.T) {
	r := run(t, "wrong")
	assert.False(t, r.passed)
	var want []string
	for id := range mistakes() {
		vector, order, ordered := strings.Cut(id, "#")
		want = append(want, vector)
		if ordered {
			assert.Contains(t, r.output, "in the order "+order+"\n")
		}
	}
	assert.ElementsMatch(t, want, r.named["FAIL"])
	assert.Len(t, r.named["PASS"], len(conformance.Vectors())-len(want))
	for _, text := range []string{"failure   no idea\n", `{"mistaken":true}`, "differs   ", "given     "} {
		assert.Contains(t, r.output, text)
	}
}

// An area that is not known is skipped.
func TestRun_partial(t *testing.T) {
	r := run(t, "partial")
	assert.True(t, r.passed, r.output)
	for _, v := range conformance.Vectors() {
		kind := "PASS"
		if v.Area() == "resource" {
			kind = "SKIP"
		}
		assert.Contains(t, r.named[kind], v.ID)
	}
	assert.Contains(t, r.output, "the implementation does not know area resource\n")
}

// Who knows nothing has not passed.
func TestRun_ignorant(t *testing.T) {
	r := run(t, "ignorant")
	assert.False(t, r.passed)
	assert.Len(t, r.named["SKIP"], len(conformance.Vectors()))
	assert.Empty(t, r.named["PASS"])
	assert.Contains(t, r.output, "the implementation knows no area that it was asked\n")
}

// Vectors can be chosen like any subtests; to choose none is no failure.
func TestRun_chosen(t *testing.T) {
	v := conformance.Vectors()[0]
	r := run(t, "right", "-test.run=^TestConformance$/^"+strings.ReplaceAll(v.ID, "/", "$/^")+"$")
	assert.True(t, r.passed)
	assert.Equal(t, map[string][]string{"PASS": {v.ID}}, r.named)
	assert.True(t, run(t, "ignorant", "-test.run=^TestConformance$/^none$").passed)
}
