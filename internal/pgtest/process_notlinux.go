//go:build unix && !linux

package pgtest

import "syscall"

// endWithParent would stop the server when this process ends without having
// done so; there is no way here.
func endWithParent(*syscall.SysProcAttr) {}
