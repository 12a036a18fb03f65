// Sluice shows what the rules of workflow sessions make of what happens.
//
//	sluice play FILE        plays a script of commands and tells what each does
//	sluice explain FILE     tells how a session stands and what unblocks it
//	sluice check FILE       holds the recorded trace of a system against the rules
//	sluice diagram MACHINE  draws the machine of a kind of resource
//	sluice schedule         tells when a webhook is sent again if calls fail
//	sluice conform -- CMD   holds another implementation against the rules
//	sluice answer           answers the conformance questions with this library
//	sluice help [COMMAND]   tells how a command is used
//	sluice version          tells which version this is
//
// A FILE of - is the standard input.
//
// The exit status is 0 if all went well, 1 if a file cannot be read or is
// broken, if a play with -strict was refused something, or if an implementation
// or a trace differs from the rules, and 2 if the command line is wrong.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sluicego/sluice/transcript"
)

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// command is one of sluice's commands.
type command struct {
	name     string
	operands string // as usage shows them
	short    string // what it does, behind its name
	long     string // what there is to know beyond its flags
	apart    bool   // operands are a command line, and stand behind --
	// prepare defines the flags and returns what runs once they are parsed.
	prepare func(*flag.FlagSet) func(streams, []string) error
}

// commands is the table of commands, in the order of the help text. It is a
// function because help, which is one of them, reads it.
func commands() []command {
	return []command{play, explain, check, diagram, schedule, conform, answerCommand, help(), version}
}

// usageError says that the command line is wrong.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// run is main without the process: it returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		complain(stderr, "%s", overview())
		return exitUsage
	}
	name, args := args[0], args[1:]
	if name == "-h" || name == "-help" || name == "--help" {
		name = "help"
	}
	c, known := find(name)
	if !known {
		complain(stderr, "sluice: there is no command %q\n\n%s", name, overview())
		return exitUsage
	}
	err := c.run(streams{stdin, stdout, stderr}, args)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		complain(stderr, "sluice %s: %s\n\n%sSee sluice help %s for more.\n", c.name, oneLine(err), c.usage(), c.name)
		return exitUsage
	default:
		complain(stderr, "sluice %s: %s\n", c.name, message(err))
		return exitFailed
	}
}

// complain writes to standard error. If that fails, nobody is left to be told.
func complain(stderr io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(stderr, format, args...)
}

// oneLine is the message of an error. It may quote what stands in a file, and
// that must not play with the terminal.
func oneLine(err error) string {
	return transcript.Visible(strings.ReplaceAll(err.Error(), "\n", "; "))
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func (c command) run(s streams, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run says what is wrong
	do := c.prepare(flags)
	split := parse
	if c.apart {
		split = behindDashes
	}
	operands, err := split(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err = io.WriteString(s.out, c.help())
		return err
	case err != nil:
		return usagef("%v", err)
	default:
		return do(s, operands)
	}
}

// parse lets flags stand behind operands as well as before them, up to an
// argument that is --.
func parse(flags *flag.FlagSet, args []string) (operands []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		if n := len(args) - len(rest); len(rest) == 0 || n > 0 && args[n-1] == "--" {
			return append(operands, rest...), nil
		}
		operands, args = append(operands, rest[0]), rest[1:]
	}
}

// only returns the one operand that a command takes.
func only(operands []string, what string) (string, error) {
	switch len(operands) {
	case 0:
		return "", usagef("%s is wanted", what)
	case 1:
		return operands[0], nil
	default:
		return "", usagef("%s is wanted, and nothing else; got %q", what, operands)
	}
}

// help is the help text of a command.
func (c command) help() string {
	text := fmt.Sprintf("sluice %s: %s.\n", c.name, c.short)
	if c.long != "" {
		text += "\n" + strings.TrimSpace(c.long) + "\n"
	}
	return text + "\n" + c.usage()
}

// usage is how a command is called.
func (c command) usage() string {
	var b strings.Builder
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(&b)
	c.prepare(flags)
	hasFlags := false
	flags.VisitAll(func(*flag.Flag) { hasFlags = true })
	words := []string{"usage: sluice", c.name}
	if hasFlags {
		words = append(words, "[FLAGS]")
	}
	if c.operands != "" {
		words = append(words, c.operands)
	}
	fmt.Fprintln(&b, strings.Join(words, " "))
	flags.PrintDefaults()
	return b.String()
}

// overview is the help text of all commands.
func overview() string {
	var b strings.Builder
	b.WriteString("Sluice shows what the rules of workflow sessions make of what happens.\n\nUsage:\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-23s %s\n", strings.TrimRight("sluice "+c.name+" "+c.operands, " "), c.short)
	}
	b.WriteString("\nA FILE of - is the standard input. See sluice help COMMAND for more.\n")
	return b.String()
}
