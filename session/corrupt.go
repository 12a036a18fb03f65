package session

import (
	"encoding/json"
	"fmt"
)

// CorruptError says that what a Store keeps of a session cannot be read. Other
// sessions are not affected.
type CorruptError struct {
	SessionID string
	Version   int    // of the session, or of the event
	Column    string // where: "snapshot", "event", "outbox.status"
	Err       error  // what is wrong there
}

// Error says where it is.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("session: %s of session %s in version %d is corrupt: %v", e.Column, e.SessionID, e.Version, e.Err)
}

// Unwrap returns ErrCorrupt and Err.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

// ReadSnapshot is [FromSnapshot] for those who write a Store: of a row that is
// of this session in this version. It returns a [*CorruptError] for what cannot
// be read, and for the snapshot of another row.
func ReadSnapshot(id string, version int, snapshot []byte) (Session, error) {
	s, err := FromSnapshot(snapshot)
	if err == nil && (s.id != id || s.version != version) {
		err = fmt.Errorf("it is of session %s in version %d", s.id, s.version)
	}
	if err != nil {
		return Session{}, &CorruptError{SessionID: id, Version: version, Column: "snapshot", Err: err}
	}
	return s, nil
}

// ReadEvent reads the JSON of an event, for those who write a Store: of a row
// that is of this session and version. It returns a [*CorruptError] for what
// cannot be read, and for the event of another row.
func ReadEvent(id string, version int, event []byte) (Event, error) {
	var e Event
	err := json.Unmarshal(event, &e)
	if err == nil && (e.SessionID != id || e.Version != version) {
		err = fmt.Errorf("it is event %d of session %s", e.Version, e.SessionID)
	}
	if err != nil {
		return Event{}, &CorruptError{SessionID: id, Version: version, Column: "event", Err: err}
	}
	return e, nil
}
