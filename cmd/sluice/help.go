package main

import (
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

func help() command {
	return command{
		name: "help", operands: "[COMMAND]",
		short: "tells how a command is used",
		prepare: func(*flag.FlagSet) func(streams, []string) error {
			return func(s streams, operands []string) error {
				text := overview()
				if len(operands) > 0 {
					name, err := only(operands, "a command")
					if err != nil {
						return err
					}
					c, known := find(name)
					if !known {
						return usagef("there is no command %q; there are %s", name, names())
					}
					text = c.help()
				}
				_, err := io.WriteString(s.out, text)
				return err
			}
		},
	}
}

// names lists the commands.
func names() string {
	var list []string
	for _, c := range commands() {
		list = append(list, c.name)
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " and " + list[last]
}

var version = command{
	name:  "version",
	short: "tells which version this is",
	prepare: func(*flag.FlagSet) func(streams, []string) error {
		return func(s streams, operands []string) error {
			if len(operands) > 0 {
				return usagef("nothing is wanted; got %q", operands)
			}
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(s.out, versionText(info))
			return err
		}
	},
}

// versionText says what a program was built from. info is nil for a program
// that was built without modules.
func versionText(info *debug.BuildInfo) string {
	release, revision, modified := "(unknown)", "", ""
	if info != nil && info.Main.Version != "" {
		release = info.Main.Version
	}
	if info != nil {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = ", revision " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = ", modified"
			}
		}
	}
	return fmt.Sprintf("sluice %s%s%s, %s %s/%s",
		release, revision, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
