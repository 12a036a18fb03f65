//go:build unix

package conformance_test

import (
	"os/exec"
	"syscall"
)

// beApart has a program leave the process group of the one that starts it.
func beApart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
