package schema_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In testdata there is an example for each area with all of its steps.
func TestExamples(t *testing.T) {
	c := newChecker(t)
	for _, area := range areas {
		t.Run(area, func(t *testing.T) {
			document := example(t, area)
			require.NoError(t, c.file(document))
			c.results(t, document)
		})
	}
}

var areas = []string{
	"resource", "attempt", "resolve", "group", "session", "json",
	"subscription", "match", "delivery", "health", "signature", "envelope",
}

// A change of one thing in an example.
type twin struct {
	area string
	// The path of a value, from the only vector on that matters; where there is
	// none the value is added.
	at string
	// What it becomes, as JSON: "" if it is left out.
	value string
}

var twins = []struct {
	name string
	twin
}{
	// The file and what all areas share.
	{"a behaviour left out", twin{"group", "/behaviour", ``}},
	{"no vectors", twin{"group", "/vectors", `[]`}},
	{"a member of the file", twin{"group", "/vektors", `[]`}},
	{"a misspelt member", twin{"group", "rule", `["GRP-1"]`}},
	{"a member left out", twin{"group", "shows", ``}},
	{"an empty clause", twin{"group", "shows", `""`}},
	{"an unknown area", twin{"group", "id", `"groups/example/every-step"`}},
	{"an id in capitals", twin{"group", "id", `"group/Example/every-step"`}},
	{"an id without a name", twin{"group", "id", `"group/example"`}},
	{"an id with four parts", twin{"group", "id", `"group/example/every/step"`}},
	{"an id of another area", twin{"group", "id", `"match/example/every-step"`}},
	{"no rules", twin{"group", "rules", `[]`}},
	{"a rule of no kind", twin{"group", "rules/0", `"GRO-3"`}},
	{"a rule without a number", twin{"group", "rules/0", `"GRP"`}},
	{"a rule twice", twin{"group", "rules", `["GRP-3", "GRP-3"]`}},
	{"an unknown kind", twin{"group", "kind", `"refused"`}},
	{"no then", twin{"group", "then", `{}`}},
	{"a part of then", twin{"group", "then/ends", `{}`}},
	{"a step that does nothing", twin{"group", "when/0/do", ``}},
	{"some orders", twin{"group", "orders", `"some"`}},
	{"orders with results", twin{"group", "orders", `"all"`}},
	{"six steps in any order", twin{"resource", "/vectors/1/when", `[
		{"do": "allowed"}, {"do": "allowed"}, {"do": "allowed"},
		{"do": "allowed"}, {"do": "allowed"}, {"do": "allowed"}]`}},
	{"results of any order", twin{"resource", "/vectors/1/then/steps", `[{}, {}]`}},

	{"a resource without its time", twin{"resource", "given/resource/as_of", ``}},
	{"a resource that can not be", twin{"resource", "given/resource/status", `"drafted"`}},
	{"a step of another area", twin{"resource", "when/0", `{"do": "digest", "inputs": {}}`}},
	{"a step without its type", twin{"resource", "when/0/type", ``}},
	{"a member of another step", twin{"resource", "when/5/event", `"done"`}},
	{"divided seconds where none are", twin{"resource", "when/6/at", `"2025-09-22T14:30:00.5Z"`}},
	{"a time with an offset", twin{"resource", "when/6/at", `"2025-09-22T14:30:00+00:00"`}},
	{"an unknown error", twin{"resource", "then/steps/2/error", `"unknown_names"`}},
	{"an error of another area", twin{"resource", "then/steps/2/error", `"no_session"`}},
	{"an unknown outcome", twin{"resource", "then/steps/8/outcome", `"late"`}},
	{"an error with an outcome", twin{"resource", "then/steps/9/outcome", `"stale"`}},
	{"an unknown webhook", twin{"resource", "then/steps/3/webhook", `"signature_request.active"`}},
	{"an unknown event", twin{"resource", "then/steps/5/allowed/0", `"activate"`}},
	{"results of two descriptions", twin{"resource", "then/steps/0/blocks", `false`}},
	{"results of two steps", twin{"resource", "then/steps/8/webhook", `null`}},
	{"a result of another area", twin{"resource", "then/steps/8/announcements", `[]`}},
	{"an end with another type", twin{"resource", "then/end/resource/type", `"signature"`}},
	{"a result whose steps are gone", twin{"resource", "when", `[{"do": "allowed"}]`}},

	{"a secret that is no text", twin{"attempt", "given/secret", `5`}},
	{"no attempt", twin{"attempt", "given/attempts", `[]`}},
	{"a given status of nothing", twin{"attempt", "given/attempts/0/status", `"broken"`}},
	{"a resource without a status", twin{"attempt", "when/0/resource/status", ``}},
	{"a resource with a name", twin{"attempt", "when/0/resource/name", `"v"`}},
	{"an unknown error among all", twin{"attempt", "then/steps/0/all/1", `"not_the_main"`}},
	{"an error twice", twin{"attempt", "then/steps/0/all/1", `"resolved"`}},
	{"a digest in capitals", twin{"attempt", "then/steps/4/digest", `"` + strings.Repeat("A", 64) + `"`}},
	{"ten retries", twin{"attempt", "then/end/left", `10`}},
	{"a misspelt end", twin{"attempt", "then/end/verification_used", `2`}},
	{"a resolution without a time", twin{"resolve", "given/resolution/at", ``}},
	{"a status of an Action for its group", twin{"resolve", "then/end/group", `"failed"`}},
	{"an error of sessions", twin{"resolve", "then/steps/3/error", `"no_session"`}},
	{"an error of subscriptions", twin{"resolve", "then/steps/3/error", `"invalid_secret"`}},

	{"an unknown group type", twin{"group", "given/group_type", `"invoice_document_analysis"`}},
	{"given too much", twin{"group", "given/status", `"awaiting"`}},
	{"resolved by a text", twin{"group", "when/0/resolved", `"yes"`}},
	{"an outcome of what has none", twin{"group", "then/steps/0/outcome", `"taken"`}},

	{"a session that is given", twin{"session", "given/id", `"s1"`}},
	{"a step before without its id", twin{"session", "/vectors/1/given/before/0/id", ``}},
	{"a step of another area before", twin{"session", "/vectors/1/given/before/0/do", `"digest"`}},
	{"nothing done before", twin{"session", "/vectors/1/given/before/0/do", ``}},
	{"a step without now", twin{"session", "when/0/now", ``}},
	{"a step of documents", twin{"session", "when/0", `{"do": "write", "now": "2025-09-22T14:30:00Z"}`}},
	{"a misspelt member of a template", twin{"session", "when/1/template/workspace", `[]`}},
	{"a misspelt member of its groups", twin{"session", "when/1/template/action_groups/0/typ", `"x"`}},
	{"an announcement of what is silent", twin{"session", "then/steps/2/announcements/1/name", `"workflow_session.awaiting"`}},
	{"a session with a group type", twin{"session", "then/steps/2/announcements/1/group_type", `"document_analysis"`}},
	{"announcements of an error", twin{"session", "then/steps/3/announcements", `[]`}},
	{"an unknown way", twin{"session", "then/steps/7/blockers/0/ways_out/0/way", `"again"`}},
	{"no attempts left", twin{"session", "then/steps/7/blockers/0/ways_out/0/attempts_left", `0`}},
	{"a misspelt action", twin{"session", "then/end/session/groups/0/action", `[]`}},
	{"a status of nothing", twin{"session", "then/end/session/groups/0/actions/0/attempts/0/status", `"blocked"`}},

	{"neither document nor text", twin{"json", "when/0", `{"do": "read"}`}},
	{"document and text", twin{"json", "when/0/document", `{}`}},
	{"pages of groups", twin{"json", "when/5/of", `"group"`}},
	{"a cursor that is a number", twin{"json", "then/steps/5/next_cursor", `5`}},
	{"an unknown member of a mismatch", twin{"json", "then/steps/1/mismatches/0/group", `null`}},
	{"a misspelt member of what is written", twin{"json", "then/steps/3/document/template_id", `"t1"`}},
	{"a time of a document with Z", twin{"json", "then/steps/3/document/created_at", `"2025-09-22T14:30:00Z"`}},

	{"settings with an id", twin{"subscription", "when/0/settings/id", `"h1"`}},
	{"no key", twin{"subscription", "when/0/settings/secret_key", ``}},
	{"no settings", twin{"subscription", "when/1/settings", ``}},
	{"a fault of no field", twin{"subscription", "then/steps/1/faults/0/field", `"url"`}},
	{"an unknown fault", twin{"subscription", "then/steps/1/faults/1/error", `"empty_list"`}},
	{"a key that is shown", twin{"subscription", "then/end/subscription/secret_key", `"k"`}},

	{"a subscription to no event", twin{"match", "given/subscriptions/0/subscribed_events/0", `"signer.finished"`}},
	{"a subscription without a flag", twin{"match", "given/subscriptions/0/sandbox", ``}},
	{"an event with a time", twin{"match", "when/0/event/time", `"2025-09-22T14:30:00Z"`}},
	{"one match that is no list", twin{"match", "then/steps/0/matches", `"h1"`}},
	{"an end of what has none", twin{"match", "then/end/status", `"done"`}},

	{"a misspelt setting", twin{"delivery", "given/policy/first_time_out_s", `1`}},
	{"an answer without a status", twin{"delivery", "when/1/status", ``}},
	{"a time-out with a status", twin{"delivery", "when/1/result", `"timed_out"`}},
	{"an unknown end of a call", twin{"delivery", "when/1/result", `"refused"`}},
	{"a header that is a number", twin{"delivery", "when/1/retry_after", `120`}},
	{"a change of nothing", twin{"delivery", "when/2", `{"do": "subscription"}`}},
	{"an unknown verdict", twin{"delivery", "then/steps/0/verdict", `"retry"`}},
	{"a call at a time", twin{"delivery", "then/steps/0/at", `"2025-09-22T14:30:00Z"`}},
	{"to wait for a time-out", twin{"delivery", "then/steps/1/timeout_s", `10`}},
	{"to wait for a reason", twin{"delivery", "then/steps/1/reason", `"gone"`}},
	{"an unknown reason", twin{"delivery", "then/steps/3/reason", `"off"`}},
	{"an unknown state", twin{"delivery", "then/end/state", `"cancelled"`}},

	{"a delivery without an id", twin{"health", "given/deliveries/0/id", ``}},
	{"no calls", twin{"health", "when/0/times", `0`}},
	{"a header where it does not matter", twin{"health", "when/4/retry_after", `"120"`}},
	{"an unknown condition", twin{"health", "then/steps/0/condition", `"closed"`}},
	{"a call of a probe that is refused", twin{"health", "then/steps/3/verdict", `"call"`}},
	{"a misspelt slot", twin{"health", "then/steps/6/order/0/due", `"2025-09-22T14:40:00Z"`}},
	{"an order that came of nothing", twin{"health", "when/6", `{"do": "release", "now": "2025-09-22T14:40:00Z"}`}},
	{"a misspelt time of the end", twin{"health", "then/end/suspended", `null`}},

	{"two bodies", twin{"signature", "when/0/body_hex", `"00"`}},
	{"half a byte", twin{"signature", "when/1/body_hex", `"00f"`}},
	{"one secret for several", twin{"signature", "when/1/secret", `"k"`}},
	{"a signature of another kind", twin{"signature", "then/steps/0/signature", `"sha1=00"`}},
	{"a misspelt error", twin{"signature", "then/steps/1/error", `"header_malformed"`}},
	{"an outcome that can not be", twin{"signature", "then/steps/2/outcome", `"duplicate"`}},

	{"a setting of no policy", twin{"envelope", "given/policy/agent", `"u"`}},
	{"a misspelt member of an envelope", twin{"envelope", "when/0/envelope/event_type", `"x"`}},
	{"an occurrence alone", twin{"envelope", "when/4/of/0", `["o1"]`}},
	{"a time that is a number", twin{"envelope", "then/steps/0/document/event_time", `1758551400`}},
	{"a header that is a number too", twin{"envelope", "then/steps/3/headers/X-Retry", `0`}},
	{"classes that are texts", twin{"envelope", "then/steps/4/classes/0", `"0"`}},
}

// Whatever one thing is wrong in an example, it is refused.
func TestTwins(t *testing.T) {
	c := newChecker(t)
	changed := map[string]int{}
	for _, tt := range twins {
		changed[tt.area]++
		t.Run(tt.area+", "+tt.name, func(t *testing.T) {
			document := change(t, example(t, tt.area), tt.path(), tt.value)
			require.Error(t, c.file(document))
		})
	}
	for _, area := range areas {
		assert.NotZero(t, changed[area], "twins of area %s", area)
	}
}

// The schema of a file cannot see which result belongs to which step, but the
// test of the vectors does.
func TestTwins_ResultsInWrongPlaces(t *testing.T) {
	c := newChecker(t)
	good := example(t, "resource")
	document := change(t, good, "/vectors/0/then/steps/5", `{"outcome": "taken"}`)
	require.NoError(t, c.file(document))
	result := c.result(t, "resource", "allowed")
	require.NoError(t, result.Validate(map[string]any{"allowed": []any{}}))
	require.Error(t, result.Validate(map[string]any{"outcome": "taken"}))
}

// What vectors may fill as they like.
var free = regexp.MustCompile(`/inputs(/|$)|/when/\d+/(document|items/\d+)(/|$)|/data(/|$)|/headers$`)

// No object of an example may have one more member.
func TestClosed(t *testing.T) {
	c := newChecker(t)
	for _, area := range areas {
		t.Run(area, func(t *testing.T) {
			for _, path := range objects(example(t, area), "") {
				err := c.file(change(t, example(t, area), path+"/misspelt", `"x"`))
				if free.MatchString(path) {
					assert.NoError(t, err, "%s is free", path)
				} else {
					assert.Error(t, err, "%s is closed", path)
				}
			}
		})
	}
}

// path is the place from the beginning of the file on.
func (w twin) path() string {
	if strings.HasPrefix(w.at, "/") {
		return w.at
	}
	return "/vectors/0/" + w.at
}

func example(t *testing.T, area string) any {
	t.Helper()
	return read(t, filepath.Join("testdata", area+".json"))
}

// objects returns the paths of all objects in a value.
func objects(v any, path string) []string {
	var paths []string
	switch v := v.(type) {
	case map[string]any:
		paths = append(paths, path)
		for name, member := range v {
			paths = append(paths, objects(member, path+"/"+name)...)
		}
	case []any:
		for i, element := range v {
			paths = append(paths, objects(element, path+"/"+strconv.Itoa(i))...)
		}
	}
	slices.Sort(paths)
	return paths
}

// change puts a value into a document, or takes it out, and returns the document.
func change(t *testing.T, document any, path, value string) any {
	t.Helper()
	names := strings.Split(strings.TrimPrefix(path, "/"), "/")
	last := len(names) - 1
	parent := document
	for _, name := range names[:last] {
		if list, ok := parent.([]any); ok {
			parent = list[index(t, list, name)]
		} else {
			require.Contains(t, parent, name, path)
			parent = child(parent, name)
		}
	}
	if value == "" {
		require.Contains(t, parent, names[last], path)
		delete(parent.(map[string]any), names[last])
		return document
	}
	require.True(t, json.Valid([]byte(value)), value)
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	require.NoError(t, err)
	if list, ok := parent.([]any); ok {
		list[index(t, list, names[last])] = v
	} else {
		parent.(map[string]any)[names[last]] = v
	}
	return document
}

// index is a place in a list, which has to be there.
func index(t *testing.T, list []any, name string) int {
	t.Helper()
	i, err := strconv.Atoi(name)
	require.NoError(t, err)
	require.Less(t, i, len(list))
	return i
}
