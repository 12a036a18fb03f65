//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
)

// run starts the server, says how that went, and waits for its end.
//
// The thread that starts the server stays this goroutine's own: on Linux the
// end of that thread is what tells the server that this process has ended.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.ended)
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_, _ = p.cmd.Process.Wait() // Wait of the command would close its output too early
	}
}

// stop tells the server to stop.
func stop(p *os.Process, mode Mode) error {
	if mode == Immediate {
		return p.Signal(syscall.SIGQUIT)
	}
	return p.Signal(syscall.SIGINT)
}

// unprivileged returns the user that the server is to run as, nil for the one
// that this process runs as.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("root cannot run PostgreSQL, and there is no user postgres or nobody")
}

// give lets the server's user write into a folder, and everybody pass through
// it to the socket.
func give(folder string) error {
	if err := os.Chmod(folder, 0o755); err != nil { // #nosec G302 -- others have to reach the socket
		return err
	}
	credential, err := unprivileged()
	if credential == nil || err != nil {
		return err
	}
	return os.Chown(folder, int(credential.Uid), int(credential.Gid))
}

// attributes are those of a process of the server.
func attributes() *syscall.SysProcAttr {
	credential, _ := unprivileged() // give has told of an error
	a := &syscall.SysProcAttr{
		Credential: credential,
		// An interrupt of the test on a terminal is not the server's.
		Setpgid: true,
	}
	endWithParent(a)
	return a
}
