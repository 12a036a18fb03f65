package pgtest

import "syscall"

// endWithParent stops the server when this process ends without having done so.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
