package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/sluicego/sluice/session"
)

// readFile returns what is in a file, or in the standard input for -, and what
// to call it in messages.
func readFile(s streams, file string) (data []byte, name string, err error) {
	if file == "-" {
		if data, err = io.ReadAll(s.in); err != nil {
			err = fmt.Errorf("standard input: %w", err)
		}
		return data, "standard input", err
	}
	data, err = os.ReadFile(file) //nolint:gosec // the file that the user names
	return data, file, err
}

// inFile says where in a file something is wrong: in a line and column if it
// is no JSON at all, or not of the right shape.
func inFile(name string, data []byte, err error) error {
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s:%s: %w", name, position(data, syntax.Offset), plainly(err))
	case errors.As(err, &shape):
		return fmt.Errorf("%s:%s: %w", name, position(data, shape.Offset), plainly(err))
	default:
		return fmt.Errorf("%s: %w", name, plainly(err))
	}
}

// position returns line and column, from 1 on, of the last byte that was read.
// Columns are characters, as editors count them.
func position(data []byte, offset int64) string {
	read := data[:min(max(offset-1, 0), int64(len(data)))]
	line := 1 + bytes.Count(read, []byte("\n"))
	start := 1 + bytes.LastIndexByte(read, '\n')
	return fmt.Sprintf("%d:%d", line, 1+utf8.RuneCount(read[start:]))
}

// plainly says what is wrong without the words of the decoder, which speaks of
// its own types.
func plainly(err error) error {
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	var document *session.DocumentError
	switch {
	case errors.As(err, &syntax):
		return syntax
	case errors.As(err, &document) && document.Path != "":
		return errors.New(document.Path + ": " + document.Err.Error())
	case errors.As(err, &document):
		return errors.New(document.Err.Error())
	case errors.As(err, &shape) && shape.Field == "":
		return fmt.Errorf("an object is wanted, not %s", article(shape.Value))
	case errors.As(err, &shape):
		return fmt.Errorf("%s: %s is not wanted here", shape.Field, article(shape.Value))
	case strings.HasPrefix(err.Error(), "json: "):
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	default:
		return err
	}
}

// article puts an article before a word of package json: string, number,
// array, object or bool.
func article(word string) string {
	if strings.HasPrefix(word, "array") || strings.HasPrefix(word, "object") {
		return "an " + word
	}
	return "a " + word
}

// colorFlag defines the flag -color. What it returns tells, once flags are
// parsed, whether to write colours to w.
func colorFlag(flags *flag.FlagSet) func(w io.Writer) bool {
	when := "auto"
	flags.Func("color", "`when` to use colours: always, never, or auto, which is in a terminal\nunless NO_COLOR is set (default auto)",
		func(text string) error {
			if text != "auto" && text != "always" && text != "never" {
				return errors.New("it is auto, always or never")
			}
			when = text
			return nil
		})
	return func(w io.Writer) bool {
		return when == "always" || when == "auto" && os.Getenv("NO_COLOR") == "" && isTerminal(w)
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
