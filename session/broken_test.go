package session_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/group"
	"github.com/sluicego/sluice/session"
)

// The parts of broken documents.
const (
	pendingA = `{"id":"a","type":"company_verification","status":"pending"}`
	failedA  = `{"id":"a","type":"company_verification","status":"failed"}`
	failedB  = `{"id":"b","type":"company_verification","status":"failed","previous_attempt_id":"a"}`
)

// with is a document with other members than id.
func with(members string) string { return `{"id":"s",` + members + `}` }

// companies is a document of one company verification group with these actions.
func companies(actions ...string) string {
	return with(`"action_groups":[{"type":"company_verification","actions":[` + strings.Join(actions, ",") + `]}]`)
}

// action1 is an action with a resource, and previous attempts, oldest first.
func action1(resource string, previous ...string) string {
	for i, p := range previous {
		previous[i] = `{"resource":` + p + `}`
	}
	return `{"resource":` + resource + `,"previous_attempts":[` + strings.Join(previous, ",") + `]}`
}

// chain is n failed attempts, oldest first, named from 1 on.
func chain(n int) (newest string, previous []string) {
	for i := range n {
		newest = fmt.Sprintf(`{"id":"%d","type":"company_verification","status":"failed"}`, i+1)
		previous = append(previous, newest)
	}
	return newest, previous[:n-1]
}

const group0 = "action_groups[0]"

// SES-10: whatever no session can be is refused, with an error that says where
// it is and what is wrong.
func TestParseDocument_Broken(t *testing.T) {
	const action0 = group0 + ".actions[0]"
	eleventh, ten := chain(11)
	minimal := `"action_groups":[{"type":"company_verification"}]`
	tests := []struct {
		name, text string
		path       string
		is         error // nil if there is no sentinel
		says       string
	}{
		{"nothing", ``, "", nil, "unexpected end"},
		{"cut off", `{"id":"a"`, "", nil, "unexpected end"},
		{"two", `{"id":"a",` + minimal + `} {}`, "", nil, "after top-level value"},
		{"an array", `[]`, "", nil, "array"},
		{"a number for an id", `{"id":5}`, "id", nil, "text is wanted"},
		{"null", `null`, "id", nil, "SES-11"},
		{"SES-11: no id", `{` + minimal + `}`, "id", nil, "empty"},
		{"SES-11: a long id", `{"id":"` + strings.Repeat("x", 129) + `",` + minimal + `}`, "id", nil, "129 bytes"},
		{"SES-11: a long name", with(`"name":"` + strings.Repeat("é", 129) + `",` + minimal), "name", nil, "129 characters"},
		{"SES-11: NUL in a name", with(`"name":"\u0000",` + minimal), "name", nil, "text"},
		{"SES-11: a long template id", with(`"workflow_template_id":"` + strings.Repeat("x", 129) + `",` + minimal), "workflow_template_id", nil, "129 bytes"},
		{"SES-11: a long workspace", with(`"workspace_id":"` + strings.Repeat("x", 129) + `",` + minimal), "workspace_id", nil, "129 bytes"},
		{"SES-10: no time", with(`"created_at":"yesterday",` + minimal), "created_at", nil, `"yesterday" is no time`},
		{"SES-10: no offset", with(`"updated_at":"2025-09-22T14:30:00",` + minimal), "updated_at", nil, "RFC 3339"},
		{"SES-10: a number for a time", with(`"created_at":1758551400,` + minimal), "created_at", nil, "number"},
		{"SES-10: the year 0", with(`"created_at":"0000-09-22T14:30:00Z",` + minimal), "created_at", nil, "years 1 to 9999"},
		{"RES-6: an unknown status", with(`"status":"finished",` + minimal), "status", action.ErrUnknown, `"finished"`},

		{"SES-1: no groups", `{"id":"s"}`, "action_groups", nil, "at least one"},
		{"SES-1: an empty list of groups", with(`"action_groups":[]`), "action_groups", nil, "at least one"},
		{"SES-1: a group twice", with(`"action_groups":[{"type":"company_verification"},{"type":"company_verification"}]`), "action_groups[1]", nil, "already"},
		{"RES-6: a group of no type", with(`"action_groups":[null]`), group0 + ".type", action.ErrUnknown, `""`},
		{"RES-6: a group of an unknown type", with(`"action_groups":[{"type":"payment"}]`), group0 + ".type", action.ErrUnknown, `"payment"`},
		{"RES-6: an unknown status of a group", with(`"action_groups":[{"type":"company_verification","status":"DONE"}]`), group0 + ".status", action.ErrUnknown, `"DONE"`},

		{"RES-6: no resource", companies(`{}`), action0 + ".resource", nil, "missing"},
		{"RES-6: an unknown type", companies(action1(`{"id":"a","type":"passport","status":"failed"}`)), action0 + ".resource.type", action.ErrUnknown, `"passport"`},
		{"RES-6: an unknown status", companies(action1(`{"id":"a","type":"company_verification","status":"lost"}`)), action0 + ".resource.status", action.ErrUnknown, `"lost"`},
		{"RES-6: a status of other types", companies(action1(`{"id":"a","type":"company_verification","status":"draft"}`)), action0, action.ErrUnknown, "draft"},
		{"SES-11: a resource without id", companies(action1(`{"type":"company_verification","status":"failed"}`)), action0, action.ErrInvalidID, "empty"},
		{"SES-10: a resource's time", companies(action1(`{"id":"a","type":"company_verification","status":"failed","created_at":"x"}`)), action0 + ".resource.created_at", nil, `"x" is no time`},
		{"SES-4: a group that does not admit it", companies(action1(`{"id":"a","type":"signature_request","status":"draft"}`)), action0, nil, "does not admit"},
		{"the second action", companies(action1(failedA), action1(`{"id":"b","type":"company_verification","status":"lost"}`)), group0 + ".actions[1].resource.status", action.ErrUnknown, "lost"},

		{"ATT-12: a resource in two actions", companies(action1(failedA), action1(failedA)), group0 + ".actions[1]", nil, action0},
		{"ATT-12: a resource twice in one", companies(action1(failedA, failedA)), action0, attempt.ErrResourceTaken, "a"},
		{"ATT-5: eleven attempts", companies(action1(eleventh, ten...)), action0, attempt.ErrTooMany, "ATT-5"},
		{"ATT-1: a previous attempt that does not block", companies(action1(failedB, pendingA)), action0, attempt.ErrNotBlocking, "pending"},
		{"ATT-2: a previous attempt that succeeded", companies(action1(failedB, strings.Replace(failedA, "failed", "verified", 1))), action0, attempt.ErrComplete, "verified"},
		{"ATT-4: a previous attempt of another type", companies(action1(failedB, `{"id":"a","type":"signature_request","status":"expired"}`)), action0, attempt.ErrTypeChanged, "company"},
		{"RES-6: an unknown status of a previous attempt", companies(action1(failedB, `{"id":"a","type":"company_verification","status":"lost"}`)), action0 + ".previous_attempts[0].resource.status", action.ErrUnknown, "lost"},

		{"ATT-8: an attempt that is not listed", companies(action1(failedB, strings.Replace(failedA, `"a"`, `"c"`, 1))), action0 + ".previous_attempts", nil, `"a" is named as replaced`},
		{"ATT-8: none is listed", companies(action1(failedB)), action0 + ".previous_attempts", nil, `"a" is named as replaced`},
		{"ATT-8: the chain breaks off", companies(action1(strings.Replace(failedB, `"b"`, `"c"`, 1), failedA, strings.Replace(failedA, `"a"`, `"b"`, 1))), action0 + ".previous_attempts", nil, "breaks off"},
		{"ATT-8: the oldest names another", companies(action1(strings.Replace(failedB, `"b"`, `"c"`, 1), strings.Replace(failedA, `}`, `,"previous_attempt_id":"z"}`, 1))), action0 + ".previous_attempts", nil, `"z" is named as replaced`},
		{"ATT-8: in a circle", companies(action1(failedB, strings.Replace(failedA, `}`, `,"previous_attempt_id":"b"}`, 1))), action0 + ".previous_attempts", nil, `"b" is named as replaced`},
		{"ATT-8: in a circle of previous ones", companies(action1(
			`{"id":"c","type":"company_verification","status":"failed","previous_attempt_id":"b"}`,
			strings.Replace(failedA, `}`, `,"previous_attempt_id":"b"}`, 1), failedB,
		)), action0 + ".previous_attempts", nil, `"b" is named as replaced`},
		{"ATT-8: it names itself", companies(action1(strings.Replace(failedB, `"a"`, `"b"`, 1), failedA)), action0 + ".previous_attempts", nil, `"b" is named as replaced`},

		{"RSL-1: a resolved signature request", with(`"action_groups":[{"type":"signature_request","actions":[{"resource":{"id":"a","type":"signature_request","status":"expired"},"resolution":{}}]}]`), action0, attempt.ErrNotVerification, "RSL-1"},
		{"RSL-4: a long reason", companies(`{"resource":` + failedA + `,"resolution":{"reason":"` + strings.Repeat("é", 151) + `"}}`), action0, attempt.ErrInvalidReason, "151"},
		{"SES-10: a resolution's time", companies(`{"resource":` + failedA + `,"resolution":{"resolved_at":"x"}}`), action0 + ".resolution.resolved_at", nil, `"x" is no time`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, mismatches, err := session.ParseDocument([]byte(test.text))
			requireBroken(t, err, "session", test.path, test.is, test.says)
			assert.True(t, s.Equal(session.Session{}))
			assert.Nil(t, mismatches)

			kept := begin(t).s
			into := kept
			require.Error(t, json.Unmarshal([]byte(test.text), &into))
			assert.True(t, into.Equal(kept), "an error leaves it as it was")
		})
	}
}

// requireBroken checks all that a DocumentError can be asked.
func requireBroken(t *testing.T, err error, document, path string, is error, says string) {
	t.Helper()
	require.ErrorIs(t, err, session.ErrDocument)
	var broken *session.DocumentError
	require.ErrorAs(t, err, &broken)
	assert.Equal(t, document, broken.Document)
	assert.Equal(t, path, broken.Path)
	if is != nil {
		require.ErrorIs(t, err, is)
	}
	require.ErrorContains(t, err, says)
	where := "session: invalid " + document
	if path != "" {
		where += ", " + path
	}
	require.ErrorContains(t, err, where+": ")
}

// SES-10: what is only badly abbreviated, in another order or unknown here, is
// read all the same.
func TestParseDocument_Tolerated(t *testing.T) {
	newest := `{"id":"c","type":"company_verification","status":"pending","previous_attempt_id":"b"}`
	oldest := strings.Replace(failedA, `}`, `,"previous_attempt_id":null}`, 1)
	tests := []struct{ name, text, want string }{
		{"names decide the order of previous attempts", companies(action1(newest, failedB, oldest)), "a b c"},
		{"and without any the order of the list does", companies(action1(
			strings.ReplaceAll(newest, `"b"`, `null`), strings.ReplaceAll(failedB, `"a"`, `null`), oldest)), "b a c"},
		{"members that are not known here", companies(`{"resource":` + strings.Replace(failedA, "}", `,"url":"x"}`, 1) + `,"x":1}`), "a"},
		{"null for what is not there", companies(`{"resource":` + failedA + `,"previous_attempts":null,"resolution":null}`), "a"},
		{"a retry that was deleted", with(`"action_groups":[{"type":"signature_request","actions":[` + action1(
			`{"id":"b","type":"signature_request","status":"deleted"}`, `{"id":"a","type":"signature_request","status":"expired"}`) + `]}]`), "a b"},
	}
	for _, test := range tests {
		t.Run("SES-10: "+test.name, func(t *testing.T) {
			s, _, err := session.ParseDocument([]byte(test.text))
			require.NoError(t, err)
			var ids []string
			for _, at := range mustAction(t, s, "a").Attempts() {
				ids = append(ids, at.Resource.ID)
			}
			assert.Equal(t, test.want, strings.Join(ids, " "))
		})
	}
}

// SES-10: the statuses that a document shows are held against what follows from
// its actions; all that differ are listed.
func TestParseDocument_Mismatches(t *testing.T) {
	text := with(`"status":"awaiting","action_groups":[
		{"type":"company_verification","status":"ongoing","actions":[` + action1(failedA) + `]},
		{"type":"signature_request","status":"awaiting","actions":[]},
		{"type":"watchlist_verification","status":"done","actions":[]}]`)
	s, mismatches, err := session.ParseDocument([]byte(text))
	require.NoError(t, err)
	assert.Equal(t, session.Blocked, s.Status(), "what follows is right")
	assert.Equal(t, []session.Mismatch{
		{Group: group.CompanyVerification, Shown: session.Ongoing, Derived: session.Blocked},
		{Group: group.WatchlistVerification, Shown: session.Done, Derived: session.Awaiting},
		{Shown: session.Awaiting, Derived: session.Blocked},
	}, mismatches)
	assert.Equal(t, "group company_verification is shown as ongoing; it is blocked", mismatches[0].String())
	assert.Equal(t, "the session is shown as awaiting; it is blocked", mismatches[2].String())
}

// SES-10: times are written with the numeric offset of UTC, and read with any.
func TestSES10_Times(t *testing.T) {
	for text, want := range map[string]string{
		`"2025-09-22T14:30:00+00:00"`:   `"2025-09-22T14:30:00+00:00"`,
		`"2025-09-22T14:30:00Z"`:        `"2025-09-22T14:30:00+00:00"`,
		`"2025-09-22T16:30:00+02:00"`:   `"2025-09-22T14:30:00+00:00"`,
		`"2025-09-22T09:00:00-05:30"`:   `"2025-09-22T14:30:00+00:00"`,
		`"2025-09-22T14:30:00.987654Z"`: `"2025-09-22T14:30:00+00:00"`,
		`"0001-01-01T00:00:01+00:00"`:   `"0001-01-01T00:00:01+00:00"`,
		`"9999-12-31T23:59:59+00:00"`:   `"9999-12-31T23:59:59+00:00"`,
		`"10000-01-01T00:00:00Z"`:       ``,
		`"9999-12-31T23:59:59-00:01"`:   ``,
		`"0001-01-01T00:00:00+00:01"`:   ``,
		`"2025-09-22 14:30:00+00:00"`:   ``,
		`"2025-02-30T14:30:00+00:00"`:   ``,
		`""`:                            ``,
		`null`:                          `null`,
	} {
		t.Run("SES-10: "+text, func(t *testing.T) {
			s, _, err := session.ParseDocument([]byte(
				with(`"created_at":` + text + `,"updated_at":` + text + `,"action_groups":[{"type":"company_verification","actions":[` +
					`{"resource":{"id":"a","type":"company_verification","status":"failed","created_at":` + text + `},` +
					`"resolution":{"resolved_at":` + text + `}}]}]`)))
			if want == "" {
				require.ErrorIs(t, err, session.ErrDocument)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, 4, strings.Count(document(t, s), `_at":`+want), "in every place")
			if want != "null" {
				assert.Equal(t, time.UTC, s.CreatedAt().Location())
			}
		})
	}
}
