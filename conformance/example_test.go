package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/conformance/answer"
)

// An implementation in Go is held against the vectors in a test of its own, with
// a subtest for each of them.
func ExampleRun() {
	// func TestConformance(t *testing.T) {
	var t *testing.T
	conformance.Run(t, answer.Answer) // your own in place of sluice's
}

// An implementation in another language is a program, and is asked over its
// standard input and output.
func ExampleDrive() {
	command := []string{os.Args[0], "peer", "sluice"} // yours is python3 peer.py, or java -jar peer.jar

	name, results, err := conformance.Drive(context.Background(), command, conformance.Options{
		Report: func(r conformance.Result) {
			if r.Verdict == conformance.Failed {
				fmt.Print(r)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	passed := 0
	for _, r := range results {
		if r.Verdict == conformance.Passed {
			passed++
		}
	}
	fmt.Printf("%s: %t\n", name, passed == len(conformance.Vectors()))
	// Output: sluice: true
}

// A program in Go answers a Drive like this. The implementation here knows one
// area, and of it one thing.
func ExampleServe() {
	implementation := func(q conformance.Question) (conformance.Then, error) {
		if q.Area != "group" {
			return conformance.Then{}, conformance.ErrUnknownArea
		}
		if len(q.When) > 0 {
			return conformance.Then{}, fmt.Errorf("there is no step %s", q.When[0])
		}
		return conformance.Then{End: json.RawMessage(`{"status":"awaiting"}`)}, nil
	}
	input := strings.NewReader(`{"protocol":"sluice-conformance","version":1}
{"id":"group/join/empty","area":"group","given":{"group_type":"company_verification"},"when":[]}
{"id":"match/any","area":"match","given":{},"when":[]}
{"id":"group/join/one","area":"group","given":{"group_type":"company_verification"},"when":[{"do":"add"}]}
`)
	if err := conformance.Serve(input, os.Stdout, "an example", implementation); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"protocol":"sluice-conformance","version":1,"name":"an example"}
	// {"id":"group/join/empty","then":{"steps":[],"end":{"status":"awaiting"}}}
	// {"id":"match/any","unknown_area":true}
	// {"id":"group/join/one","failure":"there is no step {\"do\":\"add\"}"}
}

// The vectors are data: here, those about one rule, by their kind.
func ExampleVectors() {
	kinds := map[conformance.Kind][]conformance.Vector{}
	for _, v := range conformance.Vectors() {
		if slices.Contains(v.Rules, "ATT-5") {
			kinds[v.Kind] = append(kinds[v.Kind], v)
		}
	}
	fmt.Println("retries are refused:", len(kinds[conformance.Refusal]) > 0)
	// Output: retries are refused: true
}

// A vector that asks for all orders is several questions.
func ExampleVector_Questions() {
	v := conformance.Vector{
		ID: "resource/late/two", Orders: "all", Given: json.RawMessage(`{}`),
		When: []json.RawMessage{[]byte(`{"do":"observe"}`), []byte(`{"do":"transition"}`)},
	}
	for q := range v.Questions() {
		fmt.Printf("%s %s\n", q.ID, q.When)
	}
	// Output:
	// resource/late/two#1-2 [{"do":"observe"} {"do":"transition"}]
	// resource/late/two#2-1 [{"do":"transition"} {"do":"observe"}]
}

// What a pattern leaves out is not looked at, and null is fitted by nothing.
func ExampleVector_Differences() {
	v := conformance.Vector{Then: conformance.Then{
		Steps: []json.RawMessage{[]byte(`{"outcome": "taken"}`)},
		End:   []byte(`{"status": "done", "resolution": null, "left": 8}`),
	}}
	got := conformance.Then{
		Steps: []json.RawMessage{[]byte(`{"outcome": "taken", "announcements": []}`)},
		End:   []byte(`{"status": "blocked", "left": 8.0}`),
	}
	for _, d := range v.Differences(got) {
		fmt.Println(d)
	}
	// Output: end.status: expected "done", got "blocked"
}
