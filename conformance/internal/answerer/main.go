// Answerer answers the conformance questions with this library on its standard
// input and output, as sluice answer does, and links nothing else: a check that
// builds it for every wrong variant of a rule has less to wait for.
package main

import (
	"fmt"
	"os"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/conformance/answer"
)

func main() {
	if err := conformance.Serve(os.Stdin, os.Stdout, "answerer", answer.Answer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
