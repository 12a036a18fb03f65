package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The protocol of FORMAT.md.
const (
	protocolName    = "sluice-conformance"
	protocolVersion = 1
)

// ErrUnknownArea is what an [Answer] returns for an area that it does not know.
// It counts neither as right nor as wrong.
var ErrUnknownArea = errors.New("conformance: unknown area")

// Answer is an implementation: it says what comes of a question. It returns
// ErrUnknownArea for an area that it does not know, and another error for what
// it cannot make sense of. A refusal by a rule is no such error but a result.
type Answer func(Question) (Then, error)

// greeting is the first line in either direction.
type greeting struct {
	Protocol string `json:"protocol"`
	Version  int    `json:"version"`
	Name     string `json:"name,omitempty"` // of the implementation that answers
}

// reply is an answer on the wire.
type reply struct {
	ID          string `json:"id"`
	Then        *Then  `json:"then,omitempty"`
	UnknownArea bool   `json:"unknown_area,omitempty"`
	Failure     string `json:"failure,omitempty"`
}

// Serve lets an implementation answer on a program's standard input and output
// what [Drive] asks, until the input ends. It returns an error if it is greeted
// in another way than FORMAT.md says, or cannot read or write.
func Serve(r io.Reader, w io.Writer, name string, answer Answer) error {
	in, out := bufio.NewReader(r), json.NewEncoder(w)
	out.SetEscapeHTML(false)
	line, err := in.ReadBytes('\n')
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return fmt.Errorf("conformance: no greeting: %w", err)
	}
	var hello greeting
	if err := json.Unmarshal(line, &hello); err != nil || hello.Protocol != protocolName {
		return fmt.Errorf(`conformance: greeted by %.80q; {"protocol":%q,"version":%d} is wanted`,
			line, protocolName, protocolVersion)
	}
	if err := out.Encode(greeting{protocolName, protocolVersion, name}); err != nil {
		return err
	}
	if hello.Version != protocolVersion {
		return fmt.Errorf("conformance: asked in version %d of the protocol; this is version %d", hello.Version, protocolVersion)
	}
	for {
		line, err := in.ReadBytes('\n')
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return err
		}
		if len(line) > 0 {
			if err := out.Encode(serveLine(line, answer)); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
}

func serveLine(line []byte, answer Answer) reply {
	var q Question
	if err := json.Unmarshal(line, &q); err != nil {
		return reply{ID: q.ID, Failure: "no question: " + err.Error()}
	}
	then, err := answer(q)
	switch {
	case errors.Is(err, ErrUnknownArea):
		return reply{ID: q.ID, UnknownArea: true}
	case err != nil:
		return reply{ID: q.ID, Failure: err.Error()}
	}
	if then.Steps == nil {
		then.Steps = []json.RawMessage{} // a list, also of none
	}
	if _, err := json.Marshal(then); err != nil {
		return reply{ID: q.ID, Failure: "no answer: " + err.Error()}
	}
	return reply{ID: q.ID, Then: &then}
}
