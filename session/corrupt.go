package session

import "fmt"

// CorruptError says that what a Store keeps of a session cannot be read. Other
// sessions are not affected.
type CorruptError struct {
	SessionID string
	Version   int    // of the session, or of the event
	Column    string // where: "snapshot", "event"
	Err       error  // what is wrong there
}

// Error says where it is.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("session: %s of session %s in version %d is corrupt: %v", e.Column, e.SessionID, e.Version, e.Err)
}

// Unwrap returns ErrCorrupt and Err.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }
