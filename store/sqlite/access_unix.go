//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// access returns an error if a file is there that cannot be written to. SQLite
// would open it all the same, and leave files beside it that cannot be written to
// either. The file is not opened for that: to close it would take away the locks
// that other connections of this process have on it.
func access(path string) error {
	const writing = 2
	err := syscall.Access(path, writing)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%w: write to the file: %w", ErrReadOnly, err)
}
