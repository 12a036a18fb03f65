package webhookpolicy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// strict decodes one value. It refuses members that the value does not have,
// since a misspelt one would be lost silently, and whatever follows it. Errors
// are a [*DocumentError]; v may have been written to then.
//
// It is for what people and sluice itself write. What comes from outside, and
// is signed, is read by readObject with less tolerance.
func strict(document string, data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, after := d.Token(); errors.Is(after, io.EOF) {
			return nil
		}
		err = errors.New("something follows it")
	}
	// Where the decoder says where it stopped, that is better than where it
	// would have gone on.
	fault := &DocumentError{Document: document, Offset: int(d.InputOffset()), Err: err}
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case strings.HasPrefix(err.Error(), "json: unknown field"):
		fault.Err = errors.New(strings.TrimPrefix(err.Error(), "json: "))
	case errors.Is(err, io.ErrUnexpectedEOF):
		fault.Offset = len(data)
	case errors.As(err, &syntax):
		fault.Offset = int(syntax.Offset)
	case errors.As(err, &shape):
		fault.Offset, fault.Member = int(shape.Offset), shape.Field
	}
	return fault
}
