//go:build !unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

func (p *process) run(started chan<- error) {
	close(p.ended)
	started <- errors.ErrUnsupported
}

func stop(p *os.Process, _ Mode) error { return p.Kill() }

func give(string) error { return fmt.Errorf("%w: %w", ErrNotInstalled, errors.ErrUnsupported) }

func attributes() *syscall.SysProcAttr { return nil }
