package jcs_test

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/sluicego/sluice/internal/jcs"
)

// White space, member order, escapes and the layout of numbers all give way.
func ExampleTransform() {
	out, err := jcs.Transform([]byte(`{
		"total": 1250.00,
		"items": [ {"sku": "caf\u00e9", "count": 1e0} ],
		"paid":  false
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(out))
	// Output: {"items":[{"count":1,"sku":"café"}],"paid":false,"total":1250}
}

// Two writers, one value: the canonical forms can be compared by their hash.
func ExampleTransform_hash() {
	for _, text := range []string{`{"a":1,"b":[]}`, `{ "b": [], "a": 1.0 }`} {
		out, err := jcs.Transform([]byte(text))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.4x\n", sha256.Sum256(out))
	}
	// Output:
	// f87e4099
	// f87e4099
}

// A text that two readers may take differently is refused, with the place.
func ExampleSyntaxError() {
	_, err := jcs.Transform([]byte(`{"to": "alice", "to": "mallory"}`))
	var fault *jcs.SyntaxError
	if errors.As(err, &fault) {
		fmt.Println("offset:", fault.Offset)
		fmt.Println("reason:", fault.Reason)
	}
	// Output:
	// offset: 16
	// reason: member name "to" is in this object already, want each name once
}
