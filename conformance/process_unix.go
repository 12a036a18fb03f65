//go:build unix

package conformance

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup has a program begin a process group, which the programs that it
// starts belong to as well.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends all that is left of the group that a program began. Where nothing
// is, that is an error.
func endGroup(leader *os.Process) error { return syscall.Kill(-leader.Pid, syscall.SIGKILL) }
