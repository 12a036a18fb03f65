// Onboarding is a host application in small: it creates workflow sessions,
// links to them what its customers fill in, hears the provider's webhooks, and
// tells what happens.
//
//	go run ./examples/onboarding
//	go run ./examples/onboarding -json | jq -r '[.updated_at, .name, .status] | @tsv'
//	go run ./examples/onboarding -db onboarding.db -pace 1s
//	go run ./examples/onboarding -db postgres://localhost/onboarding
//
// The sessions are in a temporary SQLite file, or where -db says. Then the play
// can be stopped at any moment, and run again, it goes on where it was. A step
// that changed nothing leaves no trace, and is played again if none came after it.
//
// What a host needs is in host.go, which is written to be copied, and
// requests.go, which turns the bodies of requests, answers and webhooks into
// commands. The rest is the play: chapters.go, with provider.go for the other
// side of the wire, and database.go for the choice of a store. Its clock is that
// of the story, so every run prints the same.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/sluicego/sluice/transcript"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main without the process: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("onboarding", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asJSON := flags.Bool("json", false,
		"print the session as the public API shows it, one line of JSON after each step")
	where := flags.String("db", "",
		"keep the sessions in this `database`, and go on from there: the path of an SQLite file,\n"+
			"or the postgres:// URL of a PostgreSQL database (default a temporary file)")
	pace := flags.Duration("pace", 0, "wait so long after each step")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // flags has said why
	}
	if flags.NArg() > 0 {
		complain(stderr, fmt.Errorf("no argument is wanted, got %q", flags.Arg(0)))
		flags.Usage()
		return 2
	}
	var out teller = &textTeller{transcript.Printer{W: stdout, Color: wantsColor(stdout)}}
	if *asJSON {
		out = jsonTeller{json.NewEncoder(stdout)}
	}
	err := playIn(ctx, *where, out, *pace)
	if ctx.Err() != nil && *where != "" {
		err = errors.New("stopped; run again with the same -db, it goes on here")
	}
	if err != nil {
		complain(stderr, err)
		return 1
	}
	return 0
}

// complain writes to standard error. If that fails, nobody is left to be told.
func complain(stderr io.Writer, err error) { _, _ = fmt.Fprintln(stderr, "onboarding:", err) }

// wantsColor reports whether w is a terminal whose user did not ask for plain
// text (see https://no-color.org).
func wantsColor(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// teller tells what happens.
type teller interface {
	chapter(title, text string) error
	step(transcript.Step) error
}

// textTeller tells people.
type textTeller struct{ printer transcript.Printer }

func (t *textTeller) chapter(title, text string) error {
	if err := t.printer.Heading(title); err != nil {
		return err
	}
	return t.printer.Text(text)
}

func (t *textTeller) step(s transcript.Step) error { return t.printer.Step(s) }

// jsonTeller tells programs. A line of its output is a step, also when the step
// changed nothing, so that line numbers are step numbers.
type jsonTeller struct{ encoder *json.Encoder }

func (jsonTeller) chapter(string, string) error { return nil }

func (t jsonTeller) step(s transcript.Step) error { return t.encoder.Encode(s.Session) }
