package receiver_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/delivery/receiver"
	"github.com/sluicego/sluice/session"
	"github.com/sluicego/sluice/webhookpolicy"
)

// tells are the names that ACT-1 and ACT-2 list, with what the resource stands
// under.
var tells = map[webhookpolicy.EventName]string{
	"signature_request.activated":               "signature_request",
	"signature_request.approved":                "signature_request",
	"signature_request.rejected":                "signature_request",
	"signature_request.done":                    "signature_request",
	"signature_request.declined":                "signature_request",
	"signature_request.canceled":                "signature_request",
	"signature_request.expired":                 "signature_request",
	"signature_request.reactivated":             "signature_request",
	"signature_request.paused":                  "signature_request",
	"signature_request.resumed":                 "signature_request",
	"signature_request.deleted":                 "signature_request",
	"signature_request.permanently_deleted":     "signature_request",
	"verification.identity_document.done":       "identity_document",
	"verification.identity_video.done":          "identity_video",
	"verification.proof_of_address.done":        "proof_of_address",
	"verification.company.done":                 "company",
	"verification.watchlist.done":               "watchlist",
	"verification.bank_account.done":            "bank_account",
	"verification.bank_account_connection.done": "bank_account_connection",
	"verification.bank_account_lookup.done":     "bank_account_lookup",
	"document_analysis.done":                    "document_analysis",
}

// ACT-1, ACT-2: these events tell of a status, as of their time (ACT-4); no other
// one does, whatever is in it.
func TestReadObservation_names(t *testing.T) {
	for _, name := range append(webhookpolicy.EventNames(), "", "*", "verification", "verification.future.done", "signature_request.cloned") {
		member, want := tells[name]
		if !want {
			member = strings.Split(string(name), ".")[0]
		}
		e := webhookpolicy.Envelope{
			EventName: name, EventTime: noon.Add(time.Second),
			Data: []byte(`{"other":1,"` + member + `":{"name":"` + private + `","status":"done","id":"é"}}`),
		}
		observed, tells, err := receiver.ReadObservation(e)
		require.NoError(t, err, name)
		require.Equal(t, want, tells, name)
		if want {
			assert.Equal(t, session.Observe{ResourceID: "é", Status: action.Done, AsOf: noon.Add(time.Second)}, observed)
		}
	}
	assert.Subset(t, webhookpolicy.EventNames(), keys(tells))
}

func keys[K comparable, V any](m map[K]V) []K {
	var all []K
	for k := range m {
		all = append(all, k)
	}
	return all
}

func TestReadObservation(t *testing.T) {
	for _, tt := range []struct {
		name string
		data string
		want action.Status
		err  string
		is   error
	}{
		{"RES-3: a status", `{"company":{"id":"r","status":"inconclusive"}}`, action.Inconclusive, "", nil},
		{"under the family", `{"verification":{"id":"r","status":"failed"}}`, action.Failed, "", nil},
		{"under both", `{"verification":{"id":"q","status":"verified"},"company":{"id":"r","status":"failed"}}`, action.Failed, "", nil},
		{"names in capitals are others", `{"company":{"id":"r","ID":"q","status":"failed","Status":"verified"},"Company":{}}`, action.Failed, "", nil},

		{"nothing", ``, 0, "data is no object", receiver.ErrPayload},
		{"null", `null`, 0, "data has no company", receiver.ErrPayload},
		{"a list", `[]`, 0, "data is no object", receiver.ErrPayload},
		{"of something else", `{"watchlist":{"id":"r","status":"failed"}}`, 0, "data has no company", receiver.ErrPayload},
		{"a text for a resource", `{"company":"r"}`, 0, "the resource is no object", receiver.ErrPayload},
		{"no resource", `{"company":null}`, 0, "the resource has no id", receiver.ErrPayload},
		{"an empty id", `{"company":{"id":"","status":"failed"}}`, 0, "the resource has no id", receiver.ErrPayload},
		{"a number for an id", `{"company":{"id":5,"status":"failed"}}`, 0, "the resource has no id", receiver.ErrPayload},
		{"no status", `{"company":{"id":"r","Status":"failed"}}`, 0, "the resource has no status", receiver.ErrPayload},
		{"null for a status", `{"company":{"id":"r","status":null}}`, 0, "the resource has no status", receiver.ErrPayload},
		{"RES-6: an unknown status", `{"company":{"id":"r","status":"Failed"}}`, 0, `unknown status "Failed"`, action.ErrUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			observed, tells, err := receiver.ReadObservation(webhookpolicy.Envelope{
				EventName: webhookpolicy.EventVerificationCompanyDone, EventTime: noon, Data: []byte(tt.data),
			})
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
				require.ErrorContains(t, err, tt.err)
				assert.False(t, tells)
				assert.Zero(t, observed)
				return
			}
			require.NoError(t, err)
			assert.True(t, tells)
			assert.Equal(t, session.Observe{ResourceID: "r", Status: tt.want, AsOf: noon}, observed)
		})
	}
}

// plainly reads an observation as encoding/json does: what ReadObservation is held
// against.
func plainly(e webhookpolicy.Envelope) (session.Observe, bool, error) {
	own := tells[e.EventName]
	if own == "" {
		return session.Observe{}, false, nil
	}
	var data, members map[string]json.RawMessage
	if json.Unmarshal(e.Data, &data) != nil {
		return session.Observe{}, false, errors.New("receiver: invalid payload: data is no object")
	}
	resource, there := data[own]
	if !there {
		resource, there = data[strings.Split(string(e.EventName), ".")[0]]
	}
	if !there {
		return session.Observe{}, false, errors.New("receiver: invalid payload: data has no " + own)
	}
	if json.Unmarshal(resource, &members) != nil {
		return session.Observe{}, false, errors.New("receiver: invalid payload: the resource is no object")
	}
	var texts [2]string
	for i, name := range []string{"id", "status"} {
		if json.Unmarshal(members[name], &texts[i]) != nil || texts[i] == "" {
			return session.Observe{}, false, errors.New("receiver: invalid payload: the resource has no " + name)
		}
	}
	status, err := action.ParseStatus(texts[1])
	if err != nil {
		return session.Observe{}, false, err
	}
	return session.Observe{ResourceID: texts[0], Status: status, AsOf: e.EventTime}, true, nil
}

func agree(t require.TestingT, e webhookpolicy.Envelope) {
	want, tells, wrong := plainly(e)
	got, told, err := receiver.ReadObservation(e)
	require.Equal(t, want, got, "%q", e.Data)
	require.Equal(t, tells, told, "%q", e.Data)
	if wrong != nil {
		require.EqualError(t, err, wrong.Error(), "%q", e.Data)
	} else {
		require.NoError(t, err, "%q", e.Data)
	}
}

// drawObject draws an object of such members, in which names may stand twice, and
// sometimes what is none.
func drawObject(names []string, value *rapid.Generator[string]) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var list []string
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			list = append(list, `"`+rapid.SampledFrom(names).Draw(t, "name")+`":`+value.Draw(t, "value"))
		}
		form := rapid.SampledFrom([]string{"{%s}", "{%s}", "{%s}", " { %s } ", "{%s", "%s", "{%s,}", "[{%s}]", "null", "5"}).Draw(t, "form")
		return strings.Replace(form, "%s", strings.Join(list, ","), 1)
	})
}

// ACT-1, ACT-2: what is read does not depend on how the data is written.
func TestReadObservation_Agree(t *testing.T) {
	value := rapid.SampledFrom([]string{
		`"done"`, `"failed"`, `"verified"`, `"d\u006fne"`, `"r"`, `"\ud800"`, "\"\xff\"", `""`, "null", "5", "[]", `{"id":"x"}`, "tru", "",
	})
	resource := drawObject([]string{"id", "status", "id", "status", `i\u0064`, "ID", "Status", "name", "\xff"}, value)
	data := drawObject([]string{"company", "verification", "company", "verification", `compan\u0079`, "Company", "signature_request"},
		rapid.OneOf(resource, resource, resource, value))
	names := rapid.SampledFrom([]webhookpolicy.EventName{
		webhookpolicy.EventVerificationCompanyDone, webhookpolicy.EventVerificationCompanyDone,
		webhookpolicy.EventSignatureRequestDone, webhookpolicy.EventContactCreated,
	})
	rapid.Check(t, func(t *rapid.T) {
		agree(t, webhookpolicy.Envelope{EventName: names.Draw(t, "event"), EventTime: noon, Data: []byte(data.Draw(t, "data"))})
	})
}

// Memory is taken for the id and the status.
func TestReadObservation_Allocations(t *testing.T) {
	e := webhookpolicy.Envelope{EventName: webhookpolicy.EventSignatureRequestDone, EventTime: noon, Data: []byte(benchData)}
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _, _ = receiver.ReadObservation(e) }), 2.0)
}

// The error names both versions.
func TestVersionError(t *testing.T) {
	err := &receiver.VersionError{Database: 3, Program: 2}
	require.EqualError(t, err, "receiver: the inbox has version 3, but this program works with version 2; a newer program is needed")
	require.ErrorIs(t, err, receiver.ErrVersion)
}
