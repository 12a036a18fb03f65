package action_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
)

// invalidTimes are times that no document can bear, with what is said of them.
var invalidTimes = []struct {
	name, want string
	time       time.Time
}{
	{"no time", "missing", time.Time{}},
	{"no time, in a zone", "missing", time.Time{}.In(time.FixedZone("", 3600))},
	{"no time in whole seconds", "missing", time.Time{}.Add(time.Second - 1)},
	{"before the year 1", "years 1 to 9999", time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC)},
	{"before the year 1 in UTC alone", "years 1 to 9999", time.Date(1, 1, 1, 2, 0, 0, 0, time.FixedZone("", 3*3600))},
	{"after the year 9999", "years 1 to 9999", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	{"after the year 9999 in UTC alone", "years 1 to 9999", time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -3*3600))},
}

// validTimes are at the edges of what a document can bear.
var validTimes = []struct {
	name string
	time time.Time
}{
	{"the second after none", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
	{"year 1 in UTC alone", time.Date(0, 12, 31, 23, 0, 0, 0, time.FixedZone("", -3*3600))},
	{"the last", time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)},
	{"year 9999 in UTC alone", time.Date(10000, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3*3600))},
	{"before 1970", time.Date(1969, 12, 31, 23, 59, 59, 5, time.UTC)},
}

func requireInvalidTime(t *testing.T, err error, op, want string) {
	t.Helper()
	var refusal *action.Refusal
	require.ErrorAs(t, err, &refusal)
	require.ErrorIs(t, err, action.ErrInvalidTime)
	assert.Equal(t, op, refusal.Op)
	assert.Equal(t, "79a291fc", refusal.Subject)
	assert.Contains(t, err.Error(), want)
}

func TestACT4_Times(t *testing.T) {
	for _, tt := range invalidTimes {
		t.Run("ACT-4: invalid: "+tt.name, func(t *testing.T) {
			assert.Contains(t, action.CheckTime(tt.time), tt.want)
			r := resource(action.TypeSignatureRequest, action.Draft, at(0))
			r.AsOf = tt.time
			requireInvalidTime(t, r.Check(), "action: resource", "as_of: ")
			r = resource(action.TypeSignatureRequest, action.Draft, at(0))
			r.CreatedAt = tt.time
			requireInvalidTime(t, r.Check(), "action: resource", "created_at: ")
		})
	}
	for _, tt := range validTimes {
		t.Run("ACT-4: valid: "+tt.name, func(t *testing.T) {
			assert.Empty(t, action.CheckTime(tt.time))
			r := resource(action.TypeSignatureRequest, action.Draft, tt.time)
			r.CreatedAt = tt.time
			require.NoError(t, r.Check())
		})
	}
	for _, tt := range []struct {
		name        string
		given, want time.Time
	}{
		{"whole", at(3), at(3)},
		{"fraction", at(3).Add(999999999), at(3)},
		{"fraction before 1970", time.Date(1969, 12, 31, 23, 59, 58, 1, time.UTC), time.Date(1969, 12, 31, 23, 59, 58, 0, time.UTC)},
		{"zone", at(3).In(time.FixedZone("", -7200)), at(3)},
		{"none", time.Time{}, time.Time{}},
		{"none in a zone", time.Time{}.In(time.FixedZone("", 3600)), time.Time{}},
	} {
		t.Run("ACT-4: whole seconds in UTC: "+tt.name, func(t *testing.T) {
			got := action.Seconds(tt.given)
			assert.Equal(t, tt.want, got) // deeply: the location too
			assert.Equal(t, got, action.Seconds(got))
		})
	}
}

// checkIDTests are the ids of SES-11; the rows with an empty want are ids.
var checkIDTests = []struct{ name, id, want string }{
	{"a UUID", "79a291fc-1d3c-4a6e-9f57-0d9a3f1f5f2e", ""},
	{"opaque", "a/b c?\n'\"\\", ""},
	{"one byte", "1", ""},
	{"not ASCII", "é世界", ""},
	{"128 bytes", strings.Repeat("x", 128), ""},
	{"128 bytes in 64 characters", strings.Repeat("é", 64), ""},
	{"empty", "", "the id is empty"},
	{"129 bytes", strings.Repeat("x", 129), "the id has 129 bytes; at most 128 are allowed"},
	{"130 bytes in 65 characters", strings.Repeat("é", 65), "the id has 130 bytes; at most 128 are allowed"},
	{"not UTF-8", "a\xffb", "the id is not valid UTF-8"},
	{"half a character", "\xc3", "the id is not valid UTF-8"},
	{"NUL", "a\x00", "the id contains a NUL character"},
}

func TestSES11_IDs(t *testing.T) {
	assert.Equal(t, 128, action.MaxIDBytes)
	for _, tt := range checkIDTests {
		t.Run("SES-11: "+tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, action.CheckID(tt.id))

			byID := resource(action.TypeSignatureRequest, action.Draft, at(0))
			byID.ID = tt.id
			byWorkspace := resource(action.TypeSignatureRequest, action.Draft, at(0))
			byWorkspace.WorkspaceID = tt.id
			if tt.want == "" {
				require.NoError(t, byID.Check())
				require.NoError(t, byWorkspace.Check())
				return
			}
			requireInvalidID(t, byID.Check(), tt.want)
			if tt.id == "" {
				require.NoError(t, byWorkspace.Check(), "a workspace may be untold")
				return
			}
			requireInvalidID(t, byWorkspace.Check(), "workspace: "+tt.want)
		})
	}
}

func requireInvalidID(t *testing.T, err error, reason string) {
	t.Helper()
	var refusal *action.Refusal
	require.ErrorAs(t, err, &refusal)
	require.ErrorIs(t, err, action.ErrInvalidID)
	assert.Equal(t, "SES-11", refusal.Rule)
	assert.Equal(t, reason, refusal.Reason)
	assert.Equal(t, "action: resource", refusal.Op)
	assert.NotEmpty(t, refusal.Subject)
}

// RES-6: a resource of any type passes with any status of it, and with no other.
func TestRES6_Check(t *testing.T) {
	for _, typ := range action.Types() {
		for _, s := range append(action.Statuses(), 0, noStatus) {
			err := resource(typ, s, at(0)).Check()
			if specOf(typ).has(s.String()) {
				require.NoError(t, err, "%s %s", typ, s)
			} else {
				require.ErrorIs(t, err, action.ErrUnknown, "%s %s", typ, s)
			}
		}
	}
}

func TestOutcome_String(t *testing.T) {
	for want, outcome := range map[string]action.Outcome{
		"taken": action.Taken, "duplicate": action.Duplicate, "stale": action.Stale, "frozen": action.Frozen,
		"Outcome(0)": 0, "Outcome(200)": 200,
	} {
		assert.Equal(t, want, outcome.String())
	}
}

func TestRefusal_Error(t *testing.T) {
	sentinel := errors.New("sentinel")
	tests := []struct {
		name    string
		refusal action.Refusal
		want    string
	}{
		{
			"without a list",
			action.Refusal{Op: "attempt: retry", Subject: "79a291fc", Rule: "ATT-6", Reason: "inputs are those of attempt 2", Err: sentinel},
			"attempt: retry of 79a291fc refused: inputs are those of attempt 2 (ATT-6)",
		},
		{
			"with a list",
			action.Refusal{Op: "session: link", Subject: "s1", Rule: "SES-3", Reason: "no such workspace", Allowed: []string{"w1", "w2"}},
			"session: link of s1 refused: no such workspace; allowed: w1, w2 (SES-3)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.EqualError(t, &tt.refusal, tt.want)
			assert.Equal(t, tt.refusal.Err, errors.Unwrap(&tt.refusal))
		})
	}
}

// The machines are shared by the types of a kind, and each is listed once.
func TestMachines(t *testing.T) {
	var machines []*action.Machine
	for _, typ := range fourTypes {
		machines = append(machines, typ.Machine())
	}
	assert.ElementsMatch(t, machines, action.Machines())
	for _, typ := range action.Types() {
		m := typ.Machine()
		assert.Contains(t, machines, m)
		assert.Equal(t, words(specOf(typ).rank), texts(m.States()), "ACT-4: rank of %s", typ)
		assert.Equal(t, words(specOf(typ).initial), texts(m.Initial()), typ.String())
	}
}

func texts(statuses []action.Status) []string {
	list := make([]string, len(statuses))
	for i, s := range statuses {
		list[i] = s.String()
	}
	return list
}

// The JSON of a resource says all of it, and a name in it that is not listed
// is refused.
func TestResource_JSON(t *testing.T) {
	full := resource(action.TypeIdentityDocumentVerification, action.AwaitingData, at(3))
	tests := []struct {
		name  string
		given action.Resource
		want  string
	}{
		{"full", full, `{"id":"79a291fc","type":"identity_document_verification","status":"awaiting_data",
			"workspace_id":"w1","created_at":"2026-03-02T11:00:00Z","as_of":"2026-03-02T12:00:03Z"}`},
		{"what is not known is left out", action.Resource{ID: "1", Type: action.TypeSignatureRequest, Status: action.Draft}, `{"id":"1","type":"signature_request","status":"draft"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			document, err := json.Marshal(tt.given)
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, string(document))
			var back action.Resource
			require.NoError(t, json.Unmarshal(document, &back))
			assert.Equal(t, tt.given, back)
		})
	}
	for name, document := range map[string]string{
		"type":   `{"id":"1","type":"electronic_seal","status":"done"}`,
		"status": `{"id":"1","type":"signature_request","status":"signed"}`,
	} {
		t.Run("RES-6: unknown "+name, func(t *testing.T) {
			var r action.Resource
			require.ErrorIs(t, json.Unmarshal([]byte(document), &r), action.ErrUnknown)
		})
	}
	for name, document := range map[string]string{
		"type":   `{"id":"1","type":null,"status":"done","created_at":"2026-03-02T11:00:00Z","as_of":"2026-03-02T12:00:03Z"}`,
		"status": `{"id":"1","type":"signature_request","created_at":"2026-03-02T11:00:00Z","as_of":"2026-03-02T12:00:03Z"}`,
	} {
		t.Run("RES-6: without "+name+", refused by Check", func(t *testing.T) {
			var r action.Resource
			require.NoError(t, json.Unmarshal([]byte(document), &r))
			require.ErrorIs(t, r.Check(), action.ErrUnknown)
		})
	}
	none, err := json.Marshal(action.Resource{ID: "1"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"1"}`, string(none), "what is not known yet is left out")
	_, err = json.Marshal(action.Resource{ID: "1", Status: 200})
	require.ErrorIs(t, err, action.ErrUnknown, "RES-6: what there is not has no text")
}

// An id cannot break a line of a log, nor be missed.
func TestRefusal_ErrorIDs(t *testing.T) {
	for subject, want := range map[string]string{
		"79a291fc": "x: y of 79a291fc refused: no (ATT-1)",
		"":         `x: y of "" refused: no (ATT-1)`,
		"a\nb":     `x: y of "a\nb" refused: no (ATT-1)`,
	} {
		r := action.Refusal{Op: "x: y", Subject: subject, Reason: "no", Rule: "ATT-1"}
		assert.Equal(t, want, r.Error())
	}
}
